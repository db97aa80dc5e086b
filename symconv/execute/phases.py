"""A geometry as stride-1 gathers: what a tap reads, as runs of the input's stride phases.

Positions that a stride s apart take the same tap are runs of one of s phases of the padded axis.
Forward, output o reads tap k at place q + o of phase r, where (q, r) is the tap's first position
divided by s. Backward, the outputs that reach padded position s·u + r do so through the taps of
that remainder: position u of phase r reads output u − q through each, again a stride-1 gather,
one job per phase. Borders are in the tables: a place that holds no sample is `OUTSIDE`.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.boundary import OUTSIDE
from symconv.geometry import Axis
from symconv.incidence import Incidence

__all__ = ["AXES", "AxisGather", "Gather", "Job", "gather_of"]

IntArray = npt.NDArray[np.int64]

#: Axes that the compiled loops have; fewer are filled up with axes of one sample.
AXES = 3


@dataclass(frozen=True)
class AxisGather:
    """One axis: sources by phase and place, and for each job its taps and its targets.

    Attributes
    ----------
    sources : tuple of arrays, one per phase
        Index in the input at each place, `OUTSIDE` for none.
    taps : tuple, one per job, of tuples (phase, shift, tap)
        Position u of the job reads, through the tap, place u + shift of the phase.
    targets : tuple of arrays, one per job
        Where position u belongs in the output, `OUTSIDE` for nowhere.
    """

    sources: tuple[IntArray, ...]
    taps: tuple[tuple[tuple[int, int, int], ...], ...]
    targets: tuple[IntArray, ...]

    @property
    def n_positions(self) -> int:
        """Positions of a job."""
        return len(self.targets[0])

    @property
    def reach(self) -> int:
        """The largest shift."""
        return max((shift for job in self.taps for _, shift, _ in job), default=0)


def _parts(axis: Axis) -> list[tuple[int, int]]:
    """Per tap the first position that it reads, divided by the stride: (place, phase)."""
    slices = (axis.relation.tap_slice(tap, axis.n_out) for tap in range(axis.n_taps))
    return [divmod(read.start, read.step) for read in slices]


def forward_axis(axis: Axis, positions: IntArray) -> AxisGather:
    """The gather of the map itself; `positions` holds the stored sample of each padded place."""
    parts = _parts(axis)
    phases = sorted({phase for _, phase in parts})
    taps = tuple((phases.index(phase), place, tap) for tap, (place, phase) in enumerate(parts))
    sources = tuple(positions[phase :: axis.relation.stride] for phase in phases)
    return AxisGather(sources, (taps,), (np.arange(axis.n_out),))


def adjoint_axis(axis: Axis, positions: IntArray) -> AxisGather:
    """The gather of the transposed map; `positions` holds where each padded place belongs."""
    parts, stride = _parts(axis), axis.relation.stride
    last = max(place for place, _ in parts)
    found = [positions[phase::stride] for phase in range(min(stride, len(positions)))]
    # Positions that belong nowhere, as in the padding, are not computed: each job begins with its
    # first that does, and jobs come in the order of where they begin.
    kept = [np.flatnonzero(targets != OUTSIDE) for targets in found]
    begins = [int(at[0]) if len(at) else 0 for at in kept]
    length = max((int(at[-1]) + 1 - at[0] for at in kept if len(at)), default=1)
    order = sorted(range(len(found)), key=lambda phase: begins[phase] * stride + phase)
    shifts = {phase: begins[phase] + last for phase in order}
    taps = [
        tuple(
            (0, shifts[phase] - place, tap) for tap, (place, at) in enumerate(parts) if at == phase
        )
        for phase in order
    ]
    least = min((shift for job in taps for _, shift, _ in job), default=0)
    taps = [tuple((at, shift - least, tap) for at, shift, tap in job) for job in taps]
    reach = max((shift for job in taps for _, shift, _ in job), default=0)
    output = least - last + np.arange(length + reach)
    source = np.where((output >= 0) & (output < axis.n_out), output, OUTSIDE)
    targets = np.full((len(order), length), OUTSIDE, dtype=np.int64)
    for row, phase in zip(targets, order, strict=True):
        part = found[phase][begins[phase] : begins[phase] + length]
        row[: len(part)] = part
    return AxisGather((source,), tuple(taps), tuple(targets))


@dataclass(frozen=True)
class Job:
    """One gather over all axes.

    Attributes
    ----------
    taps : list of (phases, shifts, tap)
        Per axis the phase and the shift; the tap as a flat index of the kernel.
    targets : tuple of arrays
        Per axis, where each position belongs.
    """

    taps: list[tuple[tuple[int, ...], tuple[int, ...], int]]
    targets: tuple[IntArray, ...]


@dataclass(frozen=True)
class Gather:
    """All jobs of a map over `AXES` axes, and the phases of the input that they read."""

    axes: tuple[AxisGather, ...]
    jobs: tuple[Job, ...]
    phases: tuple[tuple[int, ...], ...]


_NO_AXIS = AxisGather((np.zeros(1, np.int64),), (((0, 0, 0),),), (np.zeros(1, np.int64),))


def gather_of(incidence: Incidence, places: Sequence[IntArray], transposed: bool) -> Gather:
    """The gathers of a geometry with at most `AXES` axes.

    `places` has, per axis, what each padded place stands for: the stored sample, or itself.
    """
    geometry = incidence.geometry
    read = adjoint_axis if transposed else forward_axis
    found = [read(axis, at) for axis, at in zip(geometry.axes, places, strict=True)]
    missing = AXES - len(found)
    axes = (*(_NO_AXIS,) * missing, *found)
    kernel = (*(1,) * missing, *geometry.kernel_size)
    jobs = tuple(
        Job(_joined([axis.taps[n] for axis, n in zip(axes, numbers, strict=True)], kernel),
            tuple(axis.targets[n] for axis, n in zip(axes, numbers, strict=True)))
        for numbers in itertools.product(*(range(len(axis.taps)) for axis in axes))
    )  # fmt: skip
    used = sorted({phases for job in jobs for phases, _, _ in job.taps})
    return Gather(axes, jobs, tuple(used))


def _joined(taps: Sequence[Any], kernel: tuple[int, ...]) -> list[Any]:
    """The taps of several axes as one."""
    joined = []
    for combination in itertools.product(*taps):
        phases, shifts, numbers = zip(*combination, strict=True)
        joined.append((phases, shifts, int(np.ravel_multi_index(numbers, kernel))))
    return joined
