"""What an implementation must compute: a bilinear map with its shapes, exactly.

Three problems come from one layer at one size: its values, its input gradient and its weight
gradient. Each is linear in its first argument and, where there are weights, in its second.
Everything is read from the layer's operator.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.checks import integer
from symconv.errors import ParameterError, ParameterTypeError
from symconv.geometry import by_axis
from symconv.layers import Layer
from symconv.maxpool import PoolOperator
from symconv.operator import Operator

__all__ = ["MAPS", "Problem", "forward", "input_gradient", "weight_gradient"]

Array = npt.NDArray[Any]
Shape = tuple[int, ...]

#: Products from which the number of BLAS threads matters.
LARGE = 2**22

#: Plans that add up the products of the matrix, and nothing else.
SUMMING = ("implicit", "patches", "pointwise", "taps")

#: Channels that a layer without channel numbers (a pooling) is called with.
CHANNELS = 2


@dataclass(frozen=True, eq=False)
class Problem:
    """One map of a layer at one size.

    Attributes
    ----------
    layer, size, operator
        The layer, its spatial input size and the operator there.
    title : {"values", "input gradient", "weight gradient"}
    names : tuple of str
        Of the arguments, in order.
    shapes : tuple of tuples
        Of the arguments, without the batch axis.
    output_shape : tuple of int
        Of the result, without the batch axis.
    """

    layer: Layer
    size: Shape
    operator: Any
    title: str
    names: tuple[str, ...]
    shapes: tuple[Shape, ...]
    output_shape: Shape

    @property
    def is_maximum(self) -> bool:
        """Whether the map is a maximum over windows, not linear."""
        return isinstance(self.operator, PoolOperator)

    @property
    def is_summed(self) -> bool:
        """Whether the result is a sum over the batch: the weight gradient."""
        return self.title == "weight gradient"

    @property
    def has_bias(self) -> bool:
        """Whether the last argument is a bias."""
        return self.names[-1] == "b"

    @property
    def has_second(self) -> bool:
        """Whether the map is linear in a second argument as well."""
        return len(self.names) > 1

    @property
    def batched(self) -> tuple[bool, ...]:
        """Which arguments have a batch axis."""
        return tuple(name in ("x", "y") for name in self.names)

    @cached_property
    def divisors(self) -> tuple[int, ...]:
        """The distinct numbers that outputs are divided by."""
        if self.is_maximum or self.is_summed:
            return (1,)
        divisor = self.operator.oriented.linear.divisor
        return (1,) if divisor is None else tuple(map(int, np.unique(divisor)))

    @cached_property
    def terms(self) -> int:
        """Products summed into one output at most, per sample of a summed batch."""
        if self.is_maximum:
            return 1
        if self.is_summed:
            return math.prod(self.shapes[1]) // self.shapes[1][0]
        oriented = self.operator.oriented
        linear = oriented.linear
        return int(linear.adjoint_terms if oriented.transposed else linear.forward_terms)

    def run(self, *arguments: Array) -> Array:
        """The result in float64: exact for integers whose products sum to less than 2^53.

        Computed in float32 where that is exact as well, in half the time.
        """
        dtype = np.float32 if self._fits_single(arguments) else np.float64
        given = [np.asarray(argument, dtype=dtype) for argument in arguments]
        products = self.terms * math.prod(self.output_shape) * (len(given[0]) if given else 1)
        with _one_blas_thread() if products > LARGE else nullcontext():
            if self.is_summed:
                result = self.operator.weight_gradient(*given)
            elif isinstance(self.operator, Operator):
                # Plain sums: a plan that transforms could round what float32 just holds.
                x, weight, bias = (*given, None, None)[:3]
                plan = _summing(self.operator, dtype)
                result = self.operator.apply(x, weight, bias, plan)
            else:
                result = self.operator.apply(*given)
        return np.asarray(result, dtype=np.float64)

    def _fits_single(self, arguments: Sequence[Array]) -> bool:
        """Whether every partial sum is an integer that float32 holds, by a bound on all of them."""
        if self.divisors != (1,) or any(array.dtype != np.float32 for array in arguments):
            return False
        terms = self.terms * (len(arguments[0]) if self.is_summed else 1)
        largest = [float(np.abs(array).max(initial=0)) for array in arguments]
        outside = abs(getattr(self.layer, "padding_value", 0))
        products = max(largest[0], outside) * (largest[1] if self.has_second else 1)
        # Products of integers; anything else would have been rounded before.
        whole = all(np.array_equal(array, np.rint(array)) for array in arguments)
        return whole and terms * products + sum(largest[2:]) <= 2**24

    def magnitudes(self, *arguments: Array) -> Array:
        """|A|·|x| (and |b|): what a sum's rounding error is measured by, per output."""
        return self.run(*(np.abs(argument) for argument in arguments))

    def describe(self) -> str:
        """The geometry, and which of the three problems."""
        what = "" if self.title == "values" else f"{self.title} of "
        return f"{what}{self.layer.describe()} on {by_axis(self.size)}"


def _summing(operator: Operator, dtype: npt.DTypeLike) -> str:
    """The fastest plan whose products and sums are those of the matrix."""
    if operator.weight_shape is None:
        return "auto"
    offers = operator.explain(dtype).offers
    able = [offer for offer in offers if offer.name in SUMMING and not offer.refusal]
    return min(able, key=lambda offer: offer.seconds).name


def _taps_first(weight: Array) -> Array:
    return np.moveaxis(
        np.ascontiguousarray(np.moveaxis(weight, (0, 1), (-2, -1))), (-2, -1), (0, 1)
    )


@cache
def _blas() -> Any:
    """What sets the threads of NumPy's BLAS, or None."""
    try:
        return importlib.import_module("threadpoolctl").ThreadpoolController()
    except ImportError:
        return None


def _one_blas_thread() -> AbstractContextManager[Any]:
    """BLAS on one thread: an implementation's own threads, still spinning, would delay several."""
    controller = _blas()
    if controller is None:
        return nullcontext()
    limited: AbstractContextManager[Any] = controller.limit(limits=1, user_api="blas")
    return limited


def forward(layer: Layer, input_size: Sequence[int], channels: int | None = None) -> Problem:
    """The values of a layer at one size.

    Parameters
    ----------
    layer : Layer
        Any layer whose operator is a linear map or a maximum over windows.
    input_size : sequence of int
    channels : int, optional
        For a layer that acts on each channel alone; 2 unless said.

    Raises
    ------
    ParameterTypeError
        If `layer` is no layer, or one of another kind (a p-norm, a morphological one).
    ParameterError
        If constant padding is no integer, or `channels` contradicts the layer.

    Examples
    --------
    >>> import symconv as sc
    >>> problem = forward(sc.Conv1d(1, 2, 3, padding=1), (4,))
    >>> problem.names, problem.shapes, problem.output_shape
    (('x', 'w', 'b'), ((1, 4), (2, 1, 3), (2,)), (2, 4))
    """
    if not isinstance(layer, Layer):
        raise ParameterTypeError(f"layer must be a layer, got {type(layer).__name__}")
    operator = layer.operator(input_size)
    if not isinstance(operator, (Operator, PoolOperator)):
        raise ParameterTypeError(
            f"layer must be a linear map or a maximum over windows to be verified, got "
            f"{layer.describe()}"
        )
    value = getattr(layer, "padding_value", 0)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 2**6:
        raise ParameterError(
            f"padding_value must be an integer of magnitude <= 64 for exact probes, got {value}"
        )
    size = tuple(int(n) for n in input_size)
    names: tuple[str, ...] = ("x",)
    shapes: tuple[Shape, ...]
    if operator.weight_shape is None:
        count = CHANNELS if channels is None else integer("channels", channels, 1)
        shapes = ((count, *operator.input_shape),)
        output_shape = (count, *operator.output_shape)
    else:
        if channels not in (None, operator.input_shape[0]):
            raise ParameterError(
                f"channels must be left out or {operator.input_shape[0]}, got {channels}"
            )
        names, shapes = ("x", "w"), (operator.input_shape, operator.weight_shape)
        output_shape = operator.output_shape
        if operator.has_bias:
            names, shapes = (*names, "b"), (*shapes, (output_shape[0],))
    return Problem(layer, size, operator, "values", names, shapes, output_shape)


def input_gradient(values: Problem) -> Problem:
    """The transpose: from what arrives at the output to what leaves the input.

    Examples
    --------
    >>> import symconv as sc
    >>> problem = input_gradient(forward(sc.Conv1d(1, 2, 3), (4,)))
    >>> problem.names, problem.shapes, problem.output_shape
    (('y', 'w'), ((2, 2), (2, 1, 3)), (1, 4))
    """
    _check_linear(values, "input_gradient")
    weights = values.shapes[1:2]
    names = ("y", "w") if weights else ("y",)
    shapes = (values.output_shape, *weights)
    return Problem(
        values.layer,
        values.size,
        values.operator.T,
        "input gradient",
        names,
        shapes,
        values.shapes[0],
    )


def weight_gradient(values: Problem) -> Problem:
    """The same triples read from (output, input) to tap, summed over the batch."""
    _check_linear(values, "weight_gradient")
    if not values.has_second:
        raise ParameterError(f"weight_gradient must be left out: {values.describe()} has none")
    shapes = values.shapes[0], values.output_shape
    return Problem(
        values.layer,
        values.size,
        values.operator,
        "weight gradient",
        ("x", "y"),
        shapes,
        values.shapes[1],
    )


def _check_linear(values: Problem, name: str) -> None:
    if values.is_maximum:
        raise ParameterError(f"{name} must be left out: a maximum is no linear map")


#: The three maps of a layer, by title.
MAPS: dict[str, Callable[[Problem], Problem]] = {
    "values": lambda problem: problem,
    "input gradient": input_gradient,
    "weight gradient": weight_gradient,
}
