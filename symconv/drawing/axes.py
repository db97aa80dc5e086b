"""One axis of a step diagram: what lies at each position, and where each tap of a window lies.

Which sample a position shows and which one a tap reads come from the tables of the incidence;
where a tap lies comes from the index relation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.boundary import OUTSIDE, Boundary
from symconv.errors import TooLargeError
from symconv.geometry import Axis
from symconv.incidence import axis_positions, axis_reads, check_table
from symconv.relation import AxisRelation

__all__ = ["MAX_SPOTS", "DrawnAxis", "Spot", "affine_axis", "drawn_axis", "table_axis"]

IntArray = npt.NDArray[np.int64]

#: Positions of one axis that are drawn, and taps of a window on it.
MAX_SPOTS = 4096


@dataclass(frozen=True, slots=True)
class Spot:
    """One position of an axis: its kind (see `symconv.drawing.scene.KINDS`) and its sample."""

    position: int
    kind: str
    sample: int | None


@dataclass(frozen=True, eq=False)
class DrawnAxis:
    """The positions of an axis, and ``[o, k]`` tables of what taps read and where they lie.

    ``places`` is meant where ``lies`` is true: the short windows of adaptive pooling have taps
    that lie nowhere.
    """

    spots: tuple[Spot, ...]
    reads: IntArray
    places: IntArray
    lies: npt.NDArray[np.bool_]
    n_in: int

    @property
    def n_out(self) -> int:
        """Windows."""
        return len(self.reads)

    @property
    def n_taps(self) -> int:
        """Taps."""
        return int(self.reads.shape[1])

    def flipped(self) -> DrawnAxis:
        """The same axis with tap k called K−1−k."""
        return replace(
            self,
            reads=self.reads[:, ::-1],
            places=self.places[:, ::-1],
            lies=self.lies[:, ::-1],
        )


def affine_axis(axis: Axis, boundary: Boundary) -> DrawnAxis:
    """An axis with an index relation: samples, padding, inserted zeros, crops and overhang.

    Examples
    --------
    >>> relation = AxisRelation(3, pad_lo=1, pad_hi=-1)
    >>> drawn = affine_axis(Axis(relation, 4, 2), Boundary())
    >>> [(spot.position, spot.kind) for spot in drawn.spots]
    [(-1, 'padding'), (0, 'sample'), (1, 'sample'), (2, 'sample'), (3, 'cropped')]
    >>> drawn.places.tolist(), drawn.reads.tolist()
    ([[-1, 0, 1], [0, 1, 2]], [[-1, 0, 1], [0, 1, 2]])
    """
    relation = axis.relation
    check_table(axis)
    first, spread, end = -relation.pad_lo, relation.spread_size(axis.n_in), relation.end(axis.n_in)
    low, high = min(first, 0), max(end, spread, first + axis.n_reach)
    _check(high - low, axis.n_taps)
    # As many windows as cover all of it: the tables then say what every position shows.
    windows = max(axis.n_out, -(-(high - first - relation.extent) // relation.stride) + 1)
    shows = axis_positions(Axis(relation, axis.n_in, int(windows)), boundary)
    places = {relation.padded_place(i) - relation.pad_lo: i for i in range(axis.n_in)}
    spots = []
    for position in range(low, high):
        if first <= position < end:
            stored = int(shows[position - first])
            sample = None if stored == OUTSIDE else stored
            if 0 <= position < spread:
                kind = "inserted" if sample is None else "sample"
            else:
                kind = "padding" if sample is None else "repeat"
        else:
            sample = places.get(position)
            kind = "cropped" if 0 <= position < spread else "overhang"
        spots.append(Spot(position, kind, sample))
    o, k = np.arange(axis.n_out)[:, None], np.arange(axis.n_taps)[None, :]
    where = np.asarray(relation.position(o, k))
    lies = np.ones(where.shape, dtype=bool)
    return DrawnAxis(tuple(spots), axis_reads(axis, boundary), where, lies, axis.n_in)


def table_axis(reads: IntArray, n_in: int) -> DrawnAxis:
    """An axis with nothing but its table: samples alone, and taps where they read one."""
    _check(n_in, reads.shape[1])
    spots = tuple(Spot(position, "sample", position) for position in range(n_in))
    return DrawnAxis(spots, reads, reads, reads != OUTSIDE, n_in)


def drawn_axis(axis: Axis, boundary: Boundary) -> DrawnAxis:
    """An axis of a geometry: affine, or adaptive."""
    # Adaptive windows stand where an affine relation does otherwise.
    relation: Any = axis.relation
    if isinstance(relation, AxisRelation):
        return affine_axis(axis, boundary)
    return table_axis(axis_reads(axis, boundary), axis.n_in)


def _check(n_spots: int, n_taps: int) -> None:
    if max(n_spots, n_taps) > MAX_SPOTS:
        raise TooLargeError(
            f"an axis of {n_spots} positions and {n_taps} taps is above the limit of {MAX_SPOTS} "
            f"for a step diagram; crop the input, or draw the view 'matrix'"
        )
