"""A sweep: points tried until the budget is spent, each distinct defect reported once."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from symconv import __version__
from symconv.adapters.engines import engine as engine_of
from symconv.checks import choice, concrete, integer, sequence
from symconv.errors import FileError, ParameterError, ParameterTypeError
from symconv.journal import Journal
from symconv.lattice import KINDS, Point, point
from symconv.sweeping.findings import Finding, joined, same_defect, traits, wording
from symconv.sweeping.report import Sweep
from symconv.sweeping.scheduling import outcomes
from symconv.sweeping.trying import Trial, investigated
from symconv.verifying import FORMATS

__all__ = ["sweep"]

#: What journals and JSON say they are.
FORMAT = "symconv sweep 1"

#: Failures shrunk to one finding before others that have all its parameters count as alike.
ENOUGH = 3

#: Longest budget in seconds, most points of one sweep.
MAX_BUDGET, MAX_COUNT = 10**7, 10**9

#: Times that a point may end its process before it is reported instead of tried.
MAX_DEATHS = 2


def sweep(
    engine: Any,
    *,
    kind: str = "all",
    budget: float = 60.0,
    count: int | None = None,
    seed: int = 0,
    dtypes: Sequence[str] = ("float32",),
    journal: str | os.PathLike[str] | None = None,
    scheduler: Any = None,
    time_limit: float = 60.0,
    search_limit: float = 30.0,
    on_point: Callable[[Sweep], None] | None = None,
) -> Sweep:
    """Search an engine for defects at many small geometries, within a budget of time.

    Parameters
    ----------
    engine : str or Implementation
        A name of `symconv.adapters.engines.ENGINES`, or an object with ``build(layer, size)``.
    kind : {"all", "conv", "transpose", "avg", "max"}
    budget : float, default 60
        Seconds; the point at hand is finished, with the shrinking of what it shows.
    count : int, optional
        Points at most.
    seed : int
        Another seed gives other points, the same one always the same.
    dtypes : sequence of str
        Number formats, as of `symconv.verify`.
    journal : path, optional
        What is done is kept in this file; a sweep that was interrupted, or has spent its budget,
        goes on after it. A point that ended the process twice is reported and left out.
    scheduler : str or distributed.Client, optional
        A Dask cluster to try the points on; failures are shrunk here.
    time_limit : float, default 60
        Seconds per call.
    search_limit : float, default 30
        Seconds for shrinking one failure, and again for naming it.
    on_point : callable, optional
        Called with the sweep so far after each point.

    Returns
    -------
    Sweep
        True where no defect was found. A finding counts only where integer loops that share no code
        with symconv confirm it.

    Raises
    ------
    ParameterError, ParameterTypeError
        If a parameter breaks its rule.
    FileError
        If `journal` is that of another sweep, or cannot be written.
    MissingExtraError
        If the engine, or Dask, is not installed.

    Examples
    --------
    >>> import symconv as sc
    >>> exact = sc.Factory(lambda layer, size: layer.operator(size).apply)
    >>> found = sweep(exact, kind="max", count=20, budget=60)
    >>> bool(found), found.tried, found.findings
    (True, 20, ())
    >>> flipped = sc.Factory(
    ...     lambda layer, size: lambda x: layer.operator(size).apply(x[..., ::-1])[..., ::-1])
    >>> found = sweep(flipped, kind="max", count=8)
    >>> bool(found), found.findings[0].layer, found.findings[0].recheck.confirmed
    (False, MaxPool((2,), stride=(1,), padding=((1, 0),)), True)

    References
    ----------
    W. M. McKeeman, *Differential testing for software*, Digital Technical Journal 10 (1998);
    A. Zeller, R. Hildebrandt (2002), on shrinking.
    """
    implementation = engine_of(engine) if isinstance(engine, str) else engine
    if not hasattr(implementation, "build") or callable(implementation):
        raise ParameterTypeError(
            "engine must be a name or an object with build(layer, size), not callable itself, got "
            f"{type(implementation).__name__}"
        )
    choice("kind", kind, KINDS)
    formats = tuple(choice("dtypes", each, FORMATS) for each in sequence("dtypes", dtypes))
    if not formats:
        raise ParameterError("dtypes must name at least one number format, got ()")
    for name, value in (
        ("budget", budget), ("time_limit", time_limit), ("search_limit", search_limit),
    ):  # fmt: skip
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ParameterTypeError(f"{name} must be seconds, got {type(value).__name__}")
        if not 0 < value <= MAX_BUDGET:
            raise ParameterError(f"{name} must be above 0 and at most {MAX_BUDGET}, got {value}")
    most = MAX_COUNT if count is None else concrete("count", integer("count", count, 0))
    named = getattr(implementation, "name", type(implementation).__name__)
    header = {
        "format": FORMAT,
        "symconv": __version__,
        "engine": str(named),
        "version": str(getattr(implementation, "version", "")),
        "kind": kind,
        "seed": concrete("seed", integer("seed", seed, 0)),
        "dtypes": list(formats),
    }
    state = _State(header, Trial(implementation, float(time_limit), float(search_limit)))
    if journal is not None:
        state.resume(Path(journal))
    deadline = state.began + budget
    points = state.left(most, deadline)
    try:
        for each, record in outcomes(state.trial, points, scheduler, state.started):
            state.keep(each, record)
            if on_point is not None:
                on_point(state.sweep())
    finally:
        # Ended in order, also by Ctrl-C: no point is to blame.
        state.stopped()
    return state.sweep()


@dataclass
class _State:
    """A sweep under way."""

    header: dict[str, Any]
    trial: Trial
    book: Journal | None = None
    began: float = field(default_factory=time.monotonic)
    done: set[int] = field(default_factory=set)
    deaths: Counter[int] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, Counter[str]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    running: set[int] = field(default_factory=set)

    def point(self, number: int) -> Point:
        return point(number, self.header["kind"], self.header["seed"], self.header["dtypes"])

    def resume(self, path: Path) -> None:
        """Take what an earlier run did."""
        self.book = Journal(path, self.header)
        if self.book.foreign is not None:
            differ = [
                f"{name} {self.book.foreign.get(name)!r}, now {value!r}"
                for name, value in self.header.items()
                if self.book.foreign.get(name) != value
            ]
            raise FileError(
                f"journal must be of the same sweep, got one of {'; '.join(differ) or 'another'} "
                f"in {path}"
            )
        try:
            for record in self.book.records:
                self._take(record)
        except (LookupError, TypeError, ValueError) as error:
            raise FileError(f"journal must hold records of a sweep, got {path}: {error}") from None

    def _take(self, record: dict[str, Any]) -> None:
        if "started" in record:
            self.deaths[int(record["started"])] += 1
        elif "stopped" in record:
            self.deaths[int(record["stopped"])] -= 1
        else:
            finding = record.get("finding")
            self._absorb(record, Finding.read(finding) if finding is not None else None)

    def left(self, most: int, deadline: float) -> Iterator[Point]:
        """The points that are not done, while there is time."""
        for number in range(most):
            if number in self.done:
                continue
            if time.monotonic() > deadline:
                return
            if self.deaths[number] >= MAX_DEATHS:
                self._died(self.point(number))
                continue
            yield self.point(number)

    def started(self, point: Point) -> None:
        self.running.add(point.number)
        self._write({"started": point.number})

    def stopped(self) -> None:
        """Note that what is under way was not ended by itself."""
        for number in sorted(self.running):
            self._write({"stopped": number})

    def _write(self, record: dict[str, Any]) -> None:
        if self.book is not None:
            self.book.add(record)

    def _died(self, point: Point) -> None:
        record = {
            "number": point.number,
            "layer": repr(point.layer),
            "size": list(point.input_size),
            "status": "died",
            "kind": "died",
            "reason": f"the process ended {MAX_DEATHS} times at {point.layer!r} on "
            f"{'×'.join(map(str, point.input_size))}",
        }
        self._write(record)
        self._absorb(record, None)

    def keep(self, point: Point, record: dict[str, Any]) -> None:
        """Keep what came of a point; a failure that is no known defect is shrunk first."""
        finding = None
        if record["status"] == "failed" and (like := self._like(point, record)) is not None:
            record = record | {"like": like}
        elif record["status"] == "failed":
            finding = investigated(self.trial, point)
            if finding is None:
                again = f"failed, and not when asked again: {record['reason']}"
                record = record | {"status": "undecided", "reason": again}
            else:
                record = record | {"finding": finding.data()}
        self._write(record)
        self.running.discard(point.number)
        self._absorb(record, finding)

    def _like(self, point: Point, record: dict[str, Any]) -> int | None:
        """The finding that enough failures with these parameters were shrunk to."""
        for number, found in enumerate(self.findings):
            same = (type(found.layer), found.kind) == (type(point.layer), record["kind"])
            if found.kind == "raises":
                same = same and wording(found.reason) == wording(record["reason"])
            # Shrinking takes padding from one side: that it is asymmetric says nothing.
            asked = traits(found.layer) - {"asymmetric padding"}
            if same and found.times >= ENOUGH and asked <= traits(point.layer):
                return number
        return None

    def _absorb(self, record: dict[str, Any], finding: Finding | None) -> None:
        number = int(record["number"])
        if number in self.done:
            return
        self.done.add(number)
        self.statuses[record["status"]] += 1
        if record["status"] in ("unsupported", "undecided", "died"):
            reasons = self.reasons.setdefault(record["status"], Counter())
            reasons[wording(str(record["reason"]))] += 1
        if "like" in record:
            like = self.findings[record["like"]]
            self.findings[record["like"]] = replace(like, like=like.like + 1)
        if finding is None:
            return
        for at, known in enumerate(self.findings):
            if same_defect(known, finding):
                self.findings[at] = joined(known, finding)
                return
        self.findings.append(finding)

    def sweep(self) -> Sweep:
        """What is known so far."""
        return Sweep(
            self.header["engine"],
            self.header["version"],
            self.header["kind"],
            self.header["seed"],
            tuple(self.header["dtypes"]),
            dict(self.statuses),
            {status: dict(found.most_common()) for status, found in self.reasons.items()},
            tuple(self.findings),
            time.monotonic() - self.began,
        )
