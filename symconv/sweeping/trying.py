"""One point of a sweep tried, and one failure shrunk, named and computed again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from symconv.errors import SymconvError
from symconv.lattice import Point
from symconv.sweeping.findings import Finding, finding_of
from symconv.sweeping.rechecking import rechecked
from symconv.verdict import REFUTED
from symconv.verifying import Verification, verify

__all__ = ["Trial", "investigated", "tried"]


@dataclass(frozen=True)
class Trial:
    """How a sweep calls `symconv.verify`.

    Attributes
    ----------
    implementation : Implementation
    time_limit : float
        Seconds per call.
    search_limit : float
        Seconds for shrinking, and again for naming.
    """

    implementation: Any
    time_limit: float = 60.0
    search_limit: float = 30.0

    def verify(self, point: Point, *, search: bool) -> Verification:
        """The verdict about a point; shrunk and named with `search`."""
        return verify(
            self.implementation,
            point.layer,
            point.input_size,
            batch=point.batch,
            empty_batch=point.empty_batch,
            dtype=point.dtype,
            growth=self.growth(point),
            threads=False,
            shrink=search,
            name=search,
            time_limit=self.time_limit,
            search_limit=self.search_limit,
        )

    def growth(self, point: Point) -> float | None:
        """What an engine that rounds says about itself."""
        said = getattr(self.implementation, "growth", None)
        value: float | None = said(point.layer, point.input_size) if callable(said) else None
        return value


def tried(trial: Trial, point: Point) -> dict[str, Any]:
    """What came of a point, as a record of the journal.

    Its ``status`` is "agrees", "failed", "unsupported" (the engine does not take the geometry) or
    "undecided" (the number format holds no probe, say).
    """
    record = {
        "number": point.number,
        "layer": repr(point.layer),
        "size": list(point.input_size),
        "status": "undecided",
        "kind": "",
    }
    try:
        verdict = trial.verify(point, search=False)
    except SymconvError as error:
        return record | {"reason": str(error)}
    if verdict.agrees:
        status = "agrees"
    elif verdict.status == REFUTED:
        status = "failed"
    else:
        status = verdict.kind if verdict.kind == "unsupported" else "undecided"
    reason = "" if verdict.agrees else verdict.reason
    return record | {"status": status, "kind": verdict.kind, "reason": reason}


def investigated(trial: Trial, point: Point) -> Finding | None:
    """The finding at a point that failed; None where it does not fail again."""
    verdict = trial.verify(point, search=True)
    case = verdict.counterexample
    if verdict.status != REFUTED or case is None:
        return None
    recheck = rechecked(
        trial.implementation,
        case.layer,
        case.input_size,
        case.kind,
        case.probe,
        dtype=point.dtype,
        growth=trial.growth(point),
        time_limit=trial.time_limit,
    )
    return finding_of(verdict, point.dtype, recheck, verdict.scope)
