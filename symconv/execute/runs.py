"""A gather as runs of three neighbouring taps, which Winograd's algorithm transforms.

On an axis that is transformed, the taps of a job that read one phase are cut into runs of three
with shifts that follow each other, missing ones standing for a weight 0; on the others every tap
is a run. Shifts that are d apart, as under dilation, are made neighbours: positions d apart form
jobs, and places d apart phases, of their own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from symconv.boundary import OUTSIDE
from symconv.execute.phases import AxisGather

__all__ = ["TAPS", "Run", "axis_runs", "has_runs", "trimmed", "with_neighbours"]

IntArray = npt.NDArray[np.int64]

#: Taps of a run.
TAPS = 3

#: One run on one axis: phase, shift of its first tap, taps (−1 for none).
Run = tuple[int, int, tuple[int, ...]]


def with_neighbours(axis: AxisGather) -> AxisGather:
    """The same gather with the shifts of a phase as near to each other as they can be.

    Examples
    --------
    >>> far = AxisGather((np.arange(7),), (((0, 0, 0), (0, 2, 1)),), (np.arange(5),))
    >>> near = with_neighbours(far)
    >>> near.taps
    (((0, 0, 0), (0, 1, 1)), ((1, 0, 0), (1, 1, 1)))
    >>> [places.tolist() for places in (*near.sources, *near.targets)]
    [[0, 2, 4, 6], [1, 3, 5], [0, 2, 4], [1, 3, -1]]
    """
    step = 0
    for job in axis.taps:
        first: dict[int, int] = {}
        for phase, shift, _ in job:
            step = math.gcd(step, shift - first.setdefault(phase, shift))
    if step <= 1:
        return axis
    taps, targets = [], []
    for job, target in zip(axis.taps, axis.targets, strict=True):
        for rest in range(min(step, len(target))):
            places = ((phase, *divmod(rest + shift, step), tap) for phase, shift, tap in job)
            taps.append(tuple((phase * step + at, shift, tap) for phase, shift, at, tap in places))
            part = np.full(-(-len(target) // step), OUTSIDE, dtype=np.int64)
            part[: len(target[rest::step])] = target[rest::step]
            targets.append(part)
    sources = tuple(table[rest::step] for table in axis.sources for rest in range(step))
    return AxisGather(sources, tuple(taps), tuple(targets))


def trimmed(axis: AxisGather) -> AxisGather:
    """The same gather without the positions at both ends that belong nowhere in any job.

    Examples
    --------
    >>> padded = AxisGather((np.arange(7),), (((0, 0, 0),),), (np.array([-1, 0, 1, -1]),))
    >>> trimmed(padded).taps, trimmed(padded).targets
    ((((0, 1, 0),),), (array([0, 1]),))
    """
    inside = np.flatnonzero(np.any([target != OUTSIDE for target in axis.targets], axis=0))
    if not len(inside):
        return axis
    first, last = int(inside[0]), int(inside[-1]) + 1
    taps = tuple(
        tuple((phase, shift + first, tap) for phase, shift, tap in job) for job in axis.taps
    )
    return AxisGather(axis.sources, taps, tuple(target[first:last] for target in axis.targets))


def axis_runs(taps: Sequence[tuple[int, int, int]], length: int) -> list[Run]:
    """The taps of a job as runs of at most `length` taps, filled up with −1.

    Examples
    --------
    >>> axis_runs([(0, 0, 0), (0, 1, 1), (0, 2, 2), (0, 3, 3)], 3)
    [(0, 0, (0, 1, 2)), (0, 3, (3, -1, -1))]
    """
    runs: list[Run] = []
    at = {(phase, shift): tap for phase, shift, tap in taps}
    while at:
        phase, shift = min(at)
        found = tuple(at.pop((phase, shift + k), -1) for k in range(length))
        runs.append((phase, shift, found))
    return runs


def has_runs(axis: AxisGather) -> bool:
    """Whether some taps of a job are a whole run."""
    return any(-1 not in run for job in axis.taps for _, _, run in axis_runs(job, TAPS))
