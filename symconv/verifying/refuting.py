"""From a failure to its verdict: the smallest case, what differs there, the mistake's name."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import numpy as np

from symconv.errors import ParameterError
from symconv.layers import Layer
from symconv.verdict import REFUTED, UNDECIDED
from symconv.verifying.calling import Failure, MisbehaviourError, is_built
from symconv.verifying.describing import picture
from symconv.verifying.examining import Examination, Settings, examined, opened
from symconv.verifying.mistakes import Case
from symconv.verifying.naming import Scene, explained, neighbours, observed
from symconv.verifying.problems import MAPS, Problem, forward
from symconv.verifying.recovering import Row, fits, narrowed, recovered, rows_that_differ
from symconv.verifying.sampling import Check
from symconv.verifying.shrinking import shrunk
from symconv.verifying.verdicts import Counterexample, Verification

__all__ = ["Search"]

#: What failed in these ways has values to look at.
OF_VALUES = ("values", "batch", "bilinearity", "shape")

#: Geometries around the failing one that names are tried at.
NEIGHBOURS = 24


class Search:
    """From a failure to the smallest one, what differs there, and the mistake's name."""

    def __init__(self, implementation: Any, title: str, settings: Settings, limit: float) -> None:
        self.implementation, self.title = implementation, title
        self.settings, self.limit = settings, limit
        self.calls = 0

    def _problem(self, layer: Layer, size: tuple[int, ...]) -> Problem:
        return MAPS[self.title](forward(layer, size, self._channels(layer)))

    def _channels(self, layer: Layer) -> int | None:
        return None if hasattr(layer, "in_channels") else self.settings.channels

    def _examined(self, layer: Layer, size: tuple[int, ...]) -> Examination:
        found = examined(self.implementation, self._problem(layer, size), self.settings, quick=True)
        self.calls += found.calls
        return found

    def verdict(
        self,
        problem: Problem,
        failure: Failure,
        checks: tuple[Check, ...],
        calls: int,
        shrink: bool,
        name: bool,
    ) -> Verification:
        """The verdict about a failure; UNDECIDED where the geometry is merely not supported."""
        if failure.kind == "unsupported":
            return Verification(
                UNDECIDED,
                problem.describe(),
                None,
                f"the implementation does not take this geometry: {failure.reason}",
                kind=failure.kind,
                checks=checks,
                calls=calls,
            )
        layer, size, smallest = problem.layer, problem.size, failure
        # Global pooling has no parameters: nothing to shrink, no other layer to compare with.
        named_axes = _has_axes(layer)
        if shrink and named_axes and is_built(self.implementation) and failure.kind != "hangs":
            layer, size, smallest = self._shrunk(problem, failure)
        case, scene = self._counterexample(self._problem(layer, size), smallest)
        names: tuple[str, ...] = ()
        if name and named_axes and scene is not None:
            names = self._named(problem, scene)
        return Verification(
            REFUTED,
            problem.describe(),
            case,
            failure.reason,
            kind=failure.kind,
            mistakes=names,
            checks=checks,
            calls=calls + self.calls,
        )

    def _shrunk(self, problem: Problem, failure: Failure) -> tuple[Layer, tuple[int, ...], Failure]:
        last = failure

        def fails(layer: Layer, size: tuple[int, ...]) -> bool:
            nonlocal last
            found = self._examined(layer, size).failure
            if found is None or found.kind != failure.kind:
                return False
            last = found
            return True

        layer, size = shrunk(fails, problem.layer, problem.size, self.limit)
        return layer, size, last

    def _counterexample(
        self, problem: Problem, failure: Failure
    ) -> tuple[Counterexample, Scene | None]:
        rows: tuple[Row, ...] = ()
        count, drawn, scene = 0, "", None
        if failure.kind in OF_VALUES:
            try:
                with opened(self.implementation, problem, self.settings) as session:
                    if failure.kind == "values" and fits(session):
                        found = recovered(session)
                        rows, count = rows_that_differ(session, found)
                        drawn = picture(session, found) if rows else ""
                    elif failure.kind == "values" and failure.probe:
                        row = narrowed(session, failure.probe)
                        rows = (row,) if row is not None else ()
                    if self.title == "values":
                        failing = [(failure.probe, failure.got)] if failure.got is not None else []
                        scene = observed(session, self._case(problem), failing, everything=True)
                    self.calls += session.caller.calls
            except MisbehaviourError:
                # It fails otherwise when asked again; what is known already stands.
                scene = None
        case = Counterexample(
            problem.layer,
            problem.size,
            len(failure.probe[0]) if failure.probe else self.settings.batch,
            failure.kind,
            failure.reason,
            rows,
            count,
            drawn,
            failure.probe,
            problem.names,
        )
        return case, scene

    def _case(self, problem: Problem) -> Case:
        return Case(problem.layer, problem.size, problem.shapes[0][0])

    def _named(self, problem: Problem, smallest: Scene) -> tuple[str, ...]:
        places = []
        if (problem.layer, problem.size) != (smallest.case.layer, smallest.case.size):
            places.append((problem.layer, problem.size))
        if is_built(self.implementation):
            rng = np.random.default_rng(self.settings.seed)
            around = neighbours(problem.layer, problem.size, rng)
            places.extend(place for place, _ in zip(around, range(NEIGHBOURS), strict=False))
        deadline = time.monotonic() + self.limit

        def scene(layer: Layer, size: tuple[int, ...]) -> Scene | None:
            if time.monotonic() > deadline:
                return None
            try:
                other = self._problem(layer, size)
                with opened(self.implementation, other, self.settings) as session:
                    found = observed(session, self._case(other))
                    self.calls += session.caller.calls
            except MisbehaviourError:
                return None
            return found

        others = [partial(scene, *place) for place in places]
        return explained(smallest, others, self.limit)


def _has_axes(layer: Layer) -> bool:
    """Whether the layer itself says how many axes it has."""
    try:
        return layer.rank > 0
    except ParameterError:
        return False
