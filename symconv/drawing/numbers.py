"""The numbers of a step diagram: names or values of weights, samples, outputs and sums, exact."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symconv.algebras import as_array
from symconv.drawing.scene import Place
from symconv.errors import ParameterError, ShapeError
from symconv.maps import PatchMap
from symconv.maxpool import PoolOperator
from symconv.morphology import MorphologyOperator
from symconv.operator import Operator
from symconv.windowed import WindowOperator

__all__ = ["Numbers", "added", "cut", "shown", "subscripted"]

Array = npt.NDArray[Any]

#: Characters of a number in a cell; a longer one is cut there, and whole in the hover text.
MAX_CHARACTERS = 7

_SUBSCRIPTS = str.maketrans("0123456789-", "₀₁₂₃₄₅₆₇₈₉₋")


def subscripted(name: str, index: Sequence[int]) -> str:
    """A name with its index below: ``w₀₁``, with commas where a number has two digits.

    Examples
    --------
    >>> subscripted("w", (0, 1)), subscripted("w", (0, 12))
    ('w₀₁', 'w₀,₁₂')
    """
    parts = [str(number).translate(_SUBSCRIPTS) for number in index]
    return name + ("," if any(len(part) > 1 for part in parts) else "").join(parts)


def shown(value: Any) -> str:
    """A number as people write it: integers and fractions whole, floats in four digits.

    Examples
    --------
    >>> shown(-3), shown(Fraction(1, 3)), shown(0.123456)
    ('−3', '1/3', '0.1235')
    """
    if isinstance(value, np.generic):
        value = value.item()
    text = f"{value:.4g}" if isinstance(value, (float, complex)) else str(value)
    return text.replace("-", "−")


def cut(text: str) -> str:
    """A number short enough for a cell."""
    return text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 1] + "…"


class Numbers:
    """What a picture writes into its cells.

    Parameters
    ----------
    operator : Operator or WindowOperator
    has_channels : bool
        Whether the picture's indices start with a channel.
    x, weight, bias : array_like, optional
        Input, weights and bias; exact ones stay exact.
    turned : bool
        Whether windows are the columns of the weights (zero insertion).
    """

    def __init__(
        self,
        operator: Operator | WindowOperator,
        has_channels: bool,
        x: Any = None,
        weight: Any = None,
        bias: Any = None,
        *,
        turned: bool = False,
    ) -> None:
        self.operator, self._channels, self._turned = operator, has_channels, turned
        shape = operator.weight_shape
        self.is_linear = isinstance(operator, Operator)
        self.has_weights = shape is not None
        self._local = shape[1] if shape else 1
        if weight is not None and shape is None:
            raise ParameterError("weight must be left out: this operator has no free weights")
        if bias is not None and not operator.has_bias:
            raise ParameterError("bias must be left out: this operator has none")
        if (x is not None or weight is not None) and shape and not has_channels:
            _check_one_pair(shape, operator)
        self.weight = None if weight is None else self._checked_weight(weight)
        if x is not None and self.operation == "copy":
            raise ParameterError("x must be left out: an output of patches is a whole window")
        self.x = None if x is None else self._checked_x(x)
        self.bias = bias
        # Whether outputs have values; they are computed when the first one is asked for.
        self.knows_outputs = self.x is not None and (weight is not None or not self.has_weights)

    def _checked_weight(self, weight: Any) -> Array:
        assert isinstance(self.operator, Operator)  # noqa: S101 - only these have weights
        return self.operator.oriented.checked_weight(weight)[0]

    def _checked_x(self, x: Any) -> Array:
        array, _ = as_array("x", x)
        full = tuple(self.operator.input_shape)
        if self.has_weights and full[0] == 1 and array.shape == full[1:]:
            array = array[None]
        if array.shape != full:
            raise ShapeError(f"x must have shape {full}, got {array.shape}")
        return array

    @cached_property
    def _y(self) -> Array:
        operator = self.operator
        if not isinstance(operator, Operator):
            found: Array = np.asarray(operator.apply(self.x))  # type: ignore[attr-defined]
            return found
        # The linear part alone where the layer has a bias that nobody gave: none is made up.
        return operator.run(self.x, self.weight, self.bias, affine=self._is_affine)

    @property
    def _is_affine(self) -> bool:
        return self.bias is not None or not self.operator.has_bias

    @cached_property
    def _start(self) -> Array | None:
        if not isinstance(self.operator, Operator) or not self._is_affine:
            return None
        return self.operator.offset(self.weight, self.bias)

    def _stored(self, index: Place) -> Place:
        """An index of the picture as one of the arrays."""
        return index if self._channels or not self.has_weights else (0, *index)

    def value(self, index: Place | None) -> Any:
        """The value of an input; None where it is not known, or there is none."""
        return None if self.x is None or index is None else self.x[self._stored(index)]

    def result(self, index: Place) -> Any:
        """The value of an output; None where it is not known."""
        return self._y[self._stored(index)] if self.knows_outputs else None

    def _weight_index(self, window: Place, tap: Place) -> Place:
        """Where the weight of a tap stands in the weights' own layout."""
        if not self._channels:
            return (0, 0, *tap)
        joined, *rest = tap
        if self._turned:
            # A window is an input channel of the convolution that is transposed; its taps are the
            # output channels of the group.
            group, within = divmod(window[0], self._local)
            return (group * self._per_group + joined, within, *rest)
        return (window[0], joined, *rest)

    @property
    def _per_group(self) -> int:
        assert isinstance(self.operator, Operator)  # noqa: S101 - only these have groups
        geometry = self.operator.oriented.linear.geometry
        return geometry.out_channels // geometry.groups

    def spatial(self, tap: Place) -> Place:
        """A tap without its channel."""
        return tap[1:] if self._channels else tap

    def tap(self, window: Place, tap: Place) -> str:
        """The weight of a tap: its value, its name, or the tap's number where none is free."""
        spatial = self.spatial(tap)
        if isinstance(self.operator, MorphologyOperator):
            return subscripted("b", spatial)
        if not self.has_weights:
            return ",".join(map(str, spatial))
        at = self._weight_index(window, tap)
        if self.weight is not None:
            return shown(self.weight[at])
        return subscripted(self._name, at if self._channels else spatial)

    @property
    def _name(self) -> str:
        """What weights are called: with a bar where they are conjugated."""
        operator = self.operator
        conjugated = isinstance(operator, Operator) and operator.oriented.conjugated
        return "w\u0304" if conjugated else "w"

    def factor(self, window: Place, tap: Place) -> Any:
        """The weight itself; None where it is only a name."""
        if not self.has_weights:
            return 1
        return None if self.weight is None else self.weight[self._weight_index(window, tap)]

    @property
    def divides(self) -> bool:
        """Whether the sums of windows are divided by counts."""
        operator = self.operator
        return isinstance(operator, Operator) and operator.oriented.linear.divisor is not None

    def divisor(self, window: Place) -> int | None:
        """What the sum of a window is divided by, if anything."""
        if not isinstance(self.operator, Operator):
            return None
        divisor = self.operator.oriented.linear.divisor
        return None if divisor is None else int(divisor[window])

    def sent(self, x: Any, window: Place, sample: Place, tap: Place) -> Any:
        """What an input x adds to an output through one tap; None where that is not known."""
        factor = self.factor(window, tap)
        if x is None or factor is None or not self.is_linear:
            return None
        product, divisor = factor * x, self.divisor(sample if self._turned else window)
        if divisor is None:
            return product
        if isinstance(product, np.integer):
            product = int(product)
        if isinstance(product, (int, Fraction)):
            return Fraction(product) / divisor
        return product / divisor

    def first(self, index: Place) -> Any:
        """What an output starts from before anything is added: bias and constant padding."""
        return 0 if self._start is None else self._start[self._stored(index)]

    @property
    def has_bias(self) -> bool:
        """Whether outputs have a bias added."""
        return bool(self.operator.has_bias)

    def bias_of(self, output: Place) -> Any:
        """The bias of an output's channel."""
        return np.asarray(self.bias)[output[0] if self._channels else 0]

    @property
    def operation(self) -> str:
        """What a window does with its samples."""
        if isinstance(self.operator, Operator):
            copies = isinstance(self.operator.oriented.linear, PatchMap)
            return "copy" if copies else "sum"
        if isinstance(self.operator, PoolOperator):
            return "max"
        return "morphology" if isinstance(self.operator, MorphologyOperator) else "norm"


def _check_one_pair(shape: Sequence[int], operator: Any) -> None:
    pairs = operator.input_shape[0] * operator.output_shape[0]
    if pairs != 1:
        raise ParameterError(
            f"channels must be True to show numbers of {operator.input_shape[0]} input and "
            f"{operator.output_shape[0]} output channels, got False"
        )


def added(total: Any, value: Any) -> Any:
    """The sum, exact for exact numbers."""
    if isinstance(total, np.integer):
        total = int(total)
    if isinstance(value, np.integer):
        value = int(value)
    result = total + value
    return sympy.expand(result) if isinstance(result, sympy.Expr) else result
