"""The entries of an operator's matrix, each with its channels and taps, from the incidence."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.incidence import AxisPattern, Pattern
from symconv.maps import ConvolutionMap, LinearMap, PatchMap
from symconv.operator import Operator
from symconv.windowed import WindowOperator

__all__ = ["Entry", "Structure", "entries_of", "members", "structure_of"]

Array = npt.NDArray[Any]
Tap = tuple[int, ...]


@dataclass(frozen=True)
class Structure:
    """What a matrix is made of: one spatial pattern, in blocks of channels.

    Attributes
    ----------
    pattern : Pattern
        Of one block, rows as drawn.
    kernel_size : tuple of int
    channels : (groups, row channels, column channels)
        Of each group; (1, 1, 1) for maps of each channel alone.
    linear : LinearMap or None
        None for windows that no linear map reads (max pooling).
    is_turned : bool
        Whether rows are the inputs of `linear`.
    """

    pattern: Pattern
    kernel_size: tuple[int, ...]
    channels: tuple[int, int, int]
    linear: LinearMap | None
    is_turned: bool

    @property
    def nnz(self) -> int:
        """Entries of the matrix."""
        if isinstance(self.linear, PatchMap):
            return self.linear.nnz
        return math.prod(self.channels) * self.pattern.nnz


@dataclass(frozen=True)
class Entry:
    """One entry of a matrix.

    Attributes
    ----------
    row, column : int
    taps : tuple of tuple of int
        All taps that meet there: several under circular, reflecting or replicating padding.
    weight : tuple of int
        Channels (out, in within the group) of the weights; () where there are none.
    share : Fraction or None
        The entry itself, where it is no free weight.
    """

    row: int
    column: int
    taps: tuple[Tap, ...]
    weight: tuple[int, ...] = ()
    share: Fraction | None = None


def structure_of(operator: Operator | WindowOperator) -> Structure:
    """The blocks of an operator's matrix.

    Examples
    --------
    >>> import symconv as sc
    >>> found = structure_of(sc.Conv1d(4, 6, 3, groups=2).operator((5,)))
    >>> found.channels, found.pattern.n_rows, found.nnz
    ((2, 3, 2), 3, 108)
    """
    if isinstance(operator, WindowOperator):
        windows = operator.windows
        return Structure(windows.pattern, windows.kernel_size, (1, 1, 1), None, False)
    linear, turned = operator.oriented.linear, operator.oriented.transposed
    pattern, geometry = linear.incidence.pattern, linear.geometry
    channels = (1, 1, 1)
    if isinstance(linear, ConvolutionMap):
        outs, ins = (n[0] // geometry.groups for n in (linear.range_shape, linear.domain_shape))
        channels = (geometry.groups, ins, outs) if turned else (geometry.groups, outs, ins)
    pattern = pattern.T if turned else pattern
    return Structure(pattern, geometry.kernel_size, channels, linear, turned)


def entries_of(structure: Structure) -> Iterator[Entry]:
    """Every entry; for matrices that are drawn entry by entry.

    Examples
    --------
    >>> import symconv as sc
    >>> op = sc.Conv1d(1, 1, 2, padding=1, padding_mode="circular").operator((1,))
    >>> [(entry.row, entry.column, entry.taps) for entry in entries_of(structure_of(op))]
    [(0, 0, ((0,), (1,))), (1, 0, ((0,), (1,)))]
    """
    if isinstance(structure.linear, PatchMap):
        yield from _patch_entries(structure.linear, structure.is_turned)
        return
    pattern = structure.pattern
    counts, columns, labels = pattern.block(0, pattern.n_rows)
    rows = np.repeat(np.arange(pattern.n_rows), counts)
    sets = _tap_sets(pattern, labels)
    shares = _shares(structure, rows, columns, sets)
    spots = list(zip(rows.tolist(), columns.tolist(), sets, shares, strict=True))
    groups, n_row, n_column = structure.channels
    is_weighted = isinstance(structure.linear, ConvolutionMap)
    for group, r, c in product(range(groups), range(n_row), range(n_column)):
        row_channel, column_channel = group * n_row + r, group * n_column + c
        pair = (column_channel, r) if structure.is_turned else (row_channel, c)
        for row, column, taps, share in spots:
            yield Entry(
                row_channel * pattern.n_rows + row,
                column_channel * pattern.n_columns + column,
                taps,
                pair if is_weighted else (),
                share,
            )


def _patch_entries(linear: PatchMap, is_turned: bool) -> Iterator[Entry]:
    entries = linear.entries(np.ones((), dtype=np.int64), is_turned)
    patches = entries.indices if is_turned else entries.rows
    sizes = (*linear.geometry.kernel_size, *linear.geometry.output_size)
    taps = np.stack(np.unravel_index(patches, sizes), axis=-1)[:, : len(sizes) // 2]
    for row, column, tap in zip(
        entries.rows.tolist(), entries.indices.tolist(), taps.tolist(), strict=True
    ):
        yield Entry(row, column, (tuple(tap),), (), Fraction(1))


def _tap_sets(pattern: Pattern, labels: Array) -> list[tuple[Tap, ...]]:
    """The taps that each label stands for."""
    numbers = np.unravel_index(labels, [axis.n_labels for axis in pattern.axes])
    known = [[members(axis, label) for label in range(axis.n_labels)] for axis in pattern.axes]
    return [
        tuple(product(*(taps[at] for taps, at in zip(known, place, strict=True))))
        for place in zip(*(axis.tolist() for axis in numbers), strict=True)
    ]


def members(axis: AxisPattern, label: int) -> list[int]:
    """The taps along one axis that a label stands for."""
    return [label] if axis.merge is None else np.flatnonzero(axis.merge[label]).tolist()


def _shares(
    structure: Structure, rows: Array, columns: Array, sets: list[tuple[Tap, ...]]
) -> list[Fraction | None]:
    """Entries that are no weights: what a window adds up, divided by what it counts."""
    linear = structure.linear
    if linear is None or isinstance(linear, ConvolutionMap):
        return [None] * len(sets)
    outputs = columns if structure.is_turned else rows
    divisors = linear.divisor_at(outputs)
    below = [1] * len(sets) if divisors is None else [int(n) for n in divisors]
    return [Fraction(len(taps), n) for taps, n in zip(sets, below, strict=True)]
