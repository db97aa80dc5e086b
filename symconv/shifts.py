"""Shifts of an object on a constant background that keep what a pooling gives.

Pooling is often called invariant to small shifts. Which shifts, depends on where the object
stands between the borders of the windows: these functions list exactly those that keep the
output.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv import checks
from symconv.algebras import Algebra, as_array
from symconv.errors import DTypeError, ParameterError, ParameterTypeError, ShapeError, TooLargeError
from symconv.morphology import MorphologyOperator

__all__ = ["always_kept_shifts", "kept_shifts"]

Array = npt.NDArray[Any]

#: Runs of an operator that one question may take.
MAX_RUNS = 10**5


def kept_shifts(
    operator: Any, foreground: Any, position: Sequence[int], *, background: Any = 0
) -> tuple[tuple[int, ...], ...]:
    """Exactly the shifts of an object on a constant background that keep a pooling's output.

    Parameters
    ----------
    operator : PoolOperator, MorphologyOperator or Operator without weights
    foreground : array_like
        The object: exact numbers on the operator's axes.
    position : sequence of int
        Where its first sample stands.
    background : int or Fraction, default 0

    Returns
    -------
    tuple of tuple of int
        Per axis how far, in samples, in order; shifts that keep the object inside the input.

    Raises
    ------
    DTypeError
        If the numbers are not exact.
    ParameterError, ShapeError
        If the object does not lie inside.

    Examples
    --------
    A bright sample stays in its window of 3, and the width of its place does not matter:

    >>> import symconv as sc
    >>> op = sc.MaxPool1d(3).operator((9,))
    >>> kept_shifts(op, [7], [4])
    ((-1,), (0,), (1,))
    >>> kept_shifts(op, [7, 7], [4])
    ((-1,), (0,))
    """
    thing, rest = _exact_array("foreground", foreground), _exact_array("background", background)
    if rest.ndim:
        raise ShapeError(f"background must be one number, got shape {rest.shape}")
    size, start, shifts = _placements(operator, thing.shape, position)

    def placed(shift: Sequence[int]) -> Array:
        x = np.full(size, rest.item(), dtype=object)
        x[_box(start, shift, thing.shape)] = thing
        return np.asarray(operator.apply(x))

    kept = placed((0,) * len(size))
    return tuple(shift for shift in shifts if np.array_equal(placed(shift), kept))


def always_kept_shifts(
    operator: Any, size: Sequence[int], position: Sequence[int]
) -> tuple[tuple[int, ...], ...]:
    """The shifts that keep a pooling's output for every object of a size, on every background.

    A maximum or a sum is told by what it is taken over: each sample of the object, and the
    background, must meet the same windows as before. So objects of one bright sample, and a
    bright background, decide for all.

    Parameters
    ----------
    operator : PoolOperator or Operator without weights
    size : sequence of int
        Samples of the object on each axis.
    position : sequence of int
        Where its first sample stands.

    Examples
    --------
    >>> import symconv as sc
    >>> op = sc.MaxPool1d(3).operator((9,))
    >>> always_kept_shifts(op, (2,), (3,)), always_kept_shifts(op, (2,), (2,))
    (((0,), (1,)), ((0,),))
    """
    if isinstance(operator, MorphologyOperator):
        # What a sample adds depends on where the window has it.
        raise ParameterTypeError("operator must be a pooling's, got one of morphology")
    within = checks.sequence("size", size)
    extent = tuple(checks.concrete("size", checks.integer("size", n, 1)) for n in within)
    whole, start, shifts = _placements(operator, extent, position)
    if (math.prod(extent) + 1) * len(shifts) > MAX_RUNS:
        raise TooLargeError(
            f"{math.prod(extent) + 1} objects at {len(shifts)} places are above the limit of "
            f"{MAX_RUNS} runs; use a smaller object or input"
        )

    def pictures(shift: tuple[int, ...]) -> Array:
        x = np.zeros((math.prod(extent) + 1, *whole), dtype=np.int64)
        box = _box(start, shift, extent)
        for number, place in enumerate(np.ndindex(*extent)):
            x[number][box][place] = 1
        x[-1] = 1
        x[-1][box] = 0
        return np.asarray(operator.apply(x))

    kept = pictures((0,) * len(whole))
    return tuple(shift for shift in shifts if np.array_equal(pictures(shift), kept))


def _exact_array(name: str, value: Any) -> Array:
    array, algebra = as_array(name, value)
    if algebra > Algebra.RATIONAL:
        raise DTypeError(
            f"{name} must hold integers or Fractions, got {algebra.name.lower()} entries"
        )
    return array.astype(object)


def _placements(
    operator: Any, extent: tuple[int, ...], position: Sequence[int]
) -> tuple[tuple[int, ...], tuple[int, ...], list[tuple[int, ...]]]:
    """The input size, the object's place in it, and all shifts that keep it inside."""
    if not hasattr(operator, "apply") or getattr(operator, "weight_shape", None) is not None:
        raise ParameterTypeError(
            f"operator must be a layer's, without weights, got {type(operator).__name__} "
            f"{checks.shown(operator)}"
        )
    size: tuple[int, ...] = operator.input_shape
    if len(extent) != len(size):
        raise ShapeError(f"foreground must have {len(size)} axes, got shape {extent}")
    start = tuple(
        checks.concrete("position", n) for n in checks.per_axis("position", position, len(size))
    )
    ranges = []
    for axis, (n, m, at) in enumerate(zip(size, extent, start, strict=True)):
        if not 0 <= at <= n - m or not m:
            raise ParameterError(
                f"position must keep the object inside, from 0 to {n - m} on axis {axis}, got {at}"
            )
        ranges.append(range(-at, n - m - at + 1))
    count = math.prod(map(len, ranges))
    if count > MAX_RUNS:
        raise TooLargeError(f"{count} places are above the limit of {MAX_RUNS} runs")
    return size, start, list(product(*ranges))


def _box(start: Sequence[int], shift: Sequence[int], extent: Sequence[int]) -> tuple[slice, ...]:
    corners = (at + by for at, by in zip(start, shift, strict=True))
    return tuple(slice(at, at + m) for at, m in zip(corners, extent, strict=True))
