"""Columns of a large map whose supports are disjoint, probed together.

Inputs of one channel (one per group) that lie further apart than any window reads never meet in an
output: a single probe shows all their columns at once. That is every coefficient inside the
expected support; that there is none outside is what the random trials decide.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.verifying.sampling import Session

__all__ = ["colours", "column_probes"]

Array = npt.NDArray[Any]


def colours(session: Session) -> tuple[int, ...]:
    """Channels of a group, then per axis the distance at which columns no longer meet.

    For a 3×3 kernel at stride 1 they are (channels, 3, 3): nine probes per channel.
    """
    problem = session.problem
    oriented = problem.operator.oriented
    pattern = oriented.linear.incidence.pattern
    axes = (pattern.T if oriented.transposed else pattern).axes
    found = []
    for axis in axes:
        starts, ends = axis.indptr[:-1], axis.indptr[1:]
        read = np.flatnonzero(ends > starts)
        # Columns ascend in each row.
        spans = axis.columns[ends[read] - 1] - axis.columns[starts[read]] + 1
        found.append(int(spans.max(initial=1)))
    channels = problem.shapes[0][0] // getattr(problem.layer, "groups", problem.shapes[0][0])
    return (channels, *found)


def column_probes(session: Session, most: int) -> tuple[int, Iterator[tuple[Array, ...]]]:
    """How many colours there are, and probes of at most so many of them, evenly chosen."""
    problem, draws = session.problem, session.draws
    found = colours(session)
    total = math.prod(found)
    chosen = np.unique(np.linspace(0, total - 1, min(most, total)).astype(np.int64))

    def probes() -> Iterator[tuple[Array, ...]]:
        rest = [np.zeros(shape, dtype=draws.number.dtype) for shape in problem.shapes[1:]]
        if rest:
            rest[0] = draws.typed(_distinct(session, rest[0].shape))
        for start in range(0, len(chosen), session.batch):
            x = np.zeros((session.batch, *problem.shapes[0]), dtype=draws.number.dtype)
            for sample, colour in enumerate(chosen[start : start + session.batch]):
                channel, *residues = np.unravel_index(colour, found)
                # A colour's channel, in every group; its residue, all along each axis.
                lattice = (slice(int(r), None, m) for r, m in zip(residues, found[1:], strict=True))
                place: Any = (sample, slice(int(channel), None, found[0]), *lattice)
                x[place] = draws.scale
            yield (x, *rest)

    return total, probes()


def _distinct(session: Session, shape: tuple[int, ...]) -> Array:
    """Weights that differ from one another as far as the number format has integers."""
    problem, draws = session.problem, session.draws
    meeting = max(problem.operator.oriented.linear.incidence.pattern.most_taps, 1)
    limit = min(draws.number.operand, draws.number.total // meeting)
    numbers = np.arange(math.prod(shape)) % limit + 1
    return draws.rng.permutation(numbers).reshape(shape)
