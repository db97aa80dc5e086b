"""How far a network can move its output: a Lipschitz constant that is proved, layer by layer.

‖f(x) − f(x')‖ ≤ L·‖x − x'‖ in Euclidean norms. A chain multiplies the constants of its layers, a
sum of branches adds them, a concatenation adds their squares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from symconv import checks
from symconv.algebras import Algebra, as_array
from symconv.errors import DTypeError, ParameterError, ShapeError
from symconv.layers import (
    AdaptiveMaxPool,
    GlobalLpPool,
    GlobalMaxPool,
    Layer,
    LpPool,
    MaxPool,
)
from symconv.network import Network
from symconv.network.arranging import Add, ChannelShuffle, Concat, Permute, Rearrangement
from symconv.network.contract import Shape, describe
from symconv.network.graph import INPUT, in_step
from symconv.network.nodes import (
    Activation,
    BatchNorm,
    Identity,
    Linear,
    Scale,
    Shift,
    Softmax,
)
from symconv.norms import dense_norm, norm_bounds
from symconv.rounding import above, root_above

__all__ = ["LipschitzBound", "lipschitz_bound"]

#: Activation → the largest absolute slope it has anywhere.
SLOPES: dict[str, Fraction] = {
    "relu": Fraction(1),
    "relu6": Fraction(1),
    "tanh": Fraction(1),
    "sigmoid": Fraction(1, 4),
    "softplus": Fraction(1),
    "hardtanh": Fraction(1),
    "identity": Fraction(1),
}


@dataclass(frozen=True)
class LipschitzBound:
    """A proved Lipschitz constant.

    Attributes
    ----------
    high : float
        Of the network.
    layers : dict of str to float
        Of each layer alone.
    """

    high: float
    layers: dict[str, float]


def lipschitz_bound(
    network: Network, weights: Mapping[str, Any], input_shape: Sequence[int] | None = None
) -> LipschitzBound:
    """An upper bound on ‖f(x) − f(x')‖/‖x − x'‖ over all inputs.

    Parameters
    ----------
    network : Network
    weights : mapping of str to array_like
        Layer name → its weight (biases do not matter); for a batch normalisation the factor per
        channel that it comes to at inference.
    input_shape : tuple of int, optional
        (channels, *size).

    Raises
    ------
    ParameterError
        If a layer's weight is missing, or its Lipschitz constant is not known here.

    Examples
    --------
    >>> import symconv as sc
    >>> from symconv.network import Activation
    >>> net = sc.Network([sc.Conv1d(1, 1, 2, bias=False), Activation("ReLU"), sc.MaxPool1d(2)])
    >>> lipschitz_bound(net, {"0": [[[3, 1]]]}, (1, 9)).high
    4.0

    References
    ----------
    C. Szegedy et al. (2014), Intriguing properties of neural networks, arXiv:1312.6199, sect. 4.3.
    """
    shapes = network.shapes(input_shape)
    named = {step.name for step in network.steps}
    unknown = [name for name in weights if name not in named]
    if unknown:
        raise ParameterError(f"weights must name layers of the network, got {unknown[0]!r}")
    total: dict[str, Fraction] = {INPUT: Fraction(1)}
    layers: dict[str, float] = {}
    for step in network.steps:
        given = [total[name] for name in step.inputs]
        with in_step(step):
            if isinstance(step.node, Add):
                total[step.name] = sum(given, Fraction(0))
            elif isinstance(step.node, Concat):
                total[step.name] = Fraction(root_above(sum((g * g for g in given), Fraction(0))))
            else:
                shape = shapes[step.inputs[0]]
                layers[step.name] = _constant(step.node, shape, weights.get(step.name))
                total[step.name] = given[0] * Fraction(layers[step.name])
    return LipschitzBound(above(total[network.output]), layers)


def _constant(node: Any, shape: Shape, weight: Any) -> float:
    for kinds, constant in CONSTANTS:
        if isinstance(node, kinds):
            return constant(node, shape, weight)
    raise ParameterError(f"layer must have a known Lipschitz constant, got {describe(node)}")


def _one(node: Any, shape: Shape, weight: Any) -> float:
    return 1.0


def _activation(node: Activation, shape: Shape, weight: Any) -> float:
    slope = SLOPES.get(node.name.lower())
    if slope is None:
        listed = ", ".join(SLOPES)
        raise ParameterError(f"activation must be one of {listed}, got {checks.shown(node.name)}")
    return above(slope)


def _max_pool(node: MaxPool | AdaptiveMaxPool | GlobalMaxPool, shape: Shape, weight: Any) -> float:
    # The largest of a window moves no more than its entries, each of which is in so many windows.
    windows = node.operator(shape[1:]).overlap().column_totals()
    return root_above(Fraction(int(windows.max())))


def _lp_pool(node: LpPool | GlobalLpPool, shape: Shape, weight: Any) -> float:
    # |‖u‖ − ‖v‖| ≤ ‖u − v‖, and ‖·‖_p ≤ ‖·‖₂ from p = 2 on, ‖·‖₁ ≤ √K·‖·‖₂ over K samples.
    windows = node.operator(shape[1:]).overlap()
    samples = int(windows.row_totals().max()) if node.norm_type == 1 else 1
    return root_above(Fraction(int(windows.column_totals().max()) * samples))


def _layer(node: Layer, shape: Shape, weight: Any) -> float:
    operator = node.operator(shape[1:])
    if operator.weight_shape is None:
        return norm_bounds(operator).high
    _required(weight, operator.weight_shape)
    bias = np.zeros(operator.output_shape[0], dtype=np.int64) if operator.has_bias else None
    return norm_bounds(operator.bind(weight, bias)).high


def _required(weight: Any, shape: tuple[Any, ...]) -> None:
    if weight is None:
        raise ParameterError(f"weights must give an array of shape {shape}")


def _real(weight: Any, shape: tuple[Any, ...]) -> Any:
    """Finite real numbers of a shape."""
    _required(weight, shape)
    array, algebra = as_array("weight", weight)
    if algebra in (Algebra.SYMBOLIC, Algebra.COMPLEX):
        raise DTypeError(f"weight must hold real numbers, got {algebra.name.lower()} entries")
    if array.shape != shape:
        raise ShapeError(f"weight must have shape {shape}, got {array.shape}")
    if algebra is Algebra.REAL and not np.isfinite(array).all():
        raise DTypeError("weight must be finite, got infinity or not-a-number")
    return array


def _linear(node: Linear, shape: Shape, weight: Any) -> float:
    return dense_norm(_real(weight, (node.out_features, node.in_features)))


def _factors(node: BatchNorm | Scale, shape: Shape, weight: Any) -> float:
    wanted = (node.channels,) if isinstance(node, BatchNorm) else node.shape
    array = _real(weight, tuple(wanted))
    return above(max(abs(Fraction(value)) for value in array.ravel().tolist()))


#: Kinds of node → a Lipschitz constant from the node, its input's shape and its weight.
CONSTANTS: tuple[tuple[Any, Callable[[Any, Shape, Any], float]], ...] = (
    ((Identity, Rearrangement, Permute, ChannelShuffle, Shift, Softmax), _one),
    (Activation, _activation),
    ((MaxPool, AdaptiveMaxPool, GlobalMaxPool), _max_pool),
    ((LpPool, GlobalLpPool), _lp_pool),
    (Layer, _layer),
    (Linear, _linear),
    ((BatchNorm, Scale), _factors),
)
