"""Lp pooling: the p-norm of each window, per channel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy

from symconv import checks
from symconv.errors import ParameterError, located
from symconv.geometry import by_axis
from symconv.incidence import Incidence, check_table
from symconv.layers.adaptive import GlobalLayer
from symconv.layers.base import any_size, store
from symconv.layers.pooling import PoolLayer
from symconv.lppool import LpPoolOperator
from symconv.rendering import relation_latex

__all__ = ["GlobalLpPool", "LpPool"]

#: How p = ∞ is stored and printed.
INFINITE = "inf"


def _normalise_norm(layer: Any) -> None:
    """Store p as an int, or as "inf"."""
    value = layer.norm_type
    if isinstance(value, (float, np.floating)) or value is sympy.oo or isinstance(value, str):
        if value not in (math.inf, INFINITE):
            raise ParameterError(
                f"norm_type must be an integer >= 1 or infinity, got {checks.shown(value)}"
            )
        store(layer, "norm_type", INFINITE)
        return
    power = checks.concrete("norm_type", checks.integer("norm_type", value, 1))
    if power >= 2**53:
        raise ParameterError(f"norm_type must be below 2**53, or infinity, got {power}")
    store(layer, "norm_type", power)


def _power(layer: Any) -> int | float:
    return math.inf if layer.norm_type == INFINITE else int(layer.norm_type)


def _norm_latex(norm_type: Any, formula: str) -> str:
    """The norm of what ``y = sums x`` sums."""
    target, total = formula.split(" = ", 1)
    sums, read = total.rsplit("x", 1)
    absolute = rf"\left|x{read}\right|"
    if norm_type == INFINITE:
        return target + " = " + sums.replace(r"\sum", r"\max") + absolute
    if norm_type == 1:
        return f"{target} = {sums}{absolute}"
    powers = f"{sums}{absolute}^{{{norm_type}}}"
    return rf"{target} = \left( {powers} \right)^{{1/{norm_type}}}"


@dataclass(frozen=True, repr=False)
class LpPool(PoolLayer):
    """The p-norm (Σ|x|^p)^(1/p) of each window, per channel; padding adds nothing.

    This is ONNX's ``LpPool``. PyTorch's ``LPPool2d`` sums the powers of x and not of |x|, so that
    an odd p gives NaN where a sum is negative and takes samples of both signs against each other;
    and in ceil mode it multiplies the mean of a last window that is cut off by all its taps, which
    is more than the sum. They agree for even p and p = ∞, or inputs that are not negative,
    wherever every window is whole.

    Parameters
    ----------
    norm_type : int or infinity
        p, at least 1; infinity (``math.inf``, SymPy's ``oo`` or "inf") for the largest |x|.
    kernel_size : tuple of int
    stride, padding, dilation, ceil_mode : as for `MaxPool`
        A window that reads nothing but padding has the norm 0.

    Examples
    --------
    >>> layer = LpPool(2, (2, 2))
    >>> layer.output_size((4, 6))
    (2, 3)
    >>> layer.operator((2, 2)).apply([[1, -2], [4, 2]])
    array([[5]], dtype=object)

    References
    ----------
    ONNX, documentation of ``LpPool``; PyTorch, source of ``torch.nn.functional.lp_pool2d``;
    P. Sermanet, S. Chintala, Y. LeCun (2012), arXiv:1204.3968, section 2.2.
    """

    norm_type: Any
    kernel_size: Any
    stride: Any = field(default=None, kw_only=True)
    padding: Any = field(default=0, kw_only=True)
    dilation: Any = field(default=1, kw_only=True)
    ceil_mode: bool = field(default=False, kw_only=True)

    #: A norm is not linear.
    is_linear = False

    def __post_init__(self) -> None:
        with located(self.describe):
            _normalise_norm(self)
            self._normalise_pool()

    def latex(self) -> str:
        relations = [self.relation(axis, any_size(axis)) for axis in range(self.rank)]
        return _norm_latex(self.norm_type, relation_latex(relations, weighted=False))

    def operator(self, input_size: Sequence[int]) -> LpPoolOperator:  # type: ignore[override]
        geometry = self._geometry(input_size)
        name = f"{self.describe()} on {by_axis(geometry.input_size)}"
        with located(lambda: name):
            for axis in geometry.axes:
                check_table(axis)
        return LpPoolOperator(Incidence(geometry), _power(self), name)


@dataclass(frozen=True, repr=False)
class GlobalLpPool(GlobalLayer):
    """The p-norm of all positions, per channel: size 1 on every axis, of any number of axes.

    Parameters
    ----------
    norm_type : int or infinity
        As for `LpPool`.

    Examples
    --------
    >>> GlobalLpPool(2).operator((2, 2)).apply([[1, -2], [4, 2]])
    array([[5]], dtype=object)

    References
    ----------
    ONNX, documentation of ``GlobalLpPool``.
    """

    norm_type: Any

    is_linear = False

    def __post_init__(self) -> None:
        with located(self.describe):
            _normalise_norm(self)

    def latex(self) -> str:
        return _norm_latex(self.norm_type, r"y = \sum_{j} x_{j}")

    def operator(self, input_size: Sequence[int]) -> LpPoolOperator:  # type: ignore[override]
        geometry = self._geometry(input_size)
        name = f"{self.describe()} on {by_axis(geometry.input_size)}"
        return LpPoolOperator(Incidence(geometry), _power(self), name)
