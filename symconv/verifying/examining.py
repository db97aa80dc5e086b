"""One implementation examined about one map at one geometry: what was tested, or what is wrong."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from symconv.errors import ParameterError
from symconv.memory import require
from symconv.verifying.calling import Caller, Failure, MisbehaviourError, built
from symconv.verifying.columns import column_probes
from symconv.verifying.comparing import Rules, first_difference
from symconv.verifying.formats import Format
from symconv.verifying.probes import Draws
from symconv.verifying.problems import Problem
from symconv.verifying.recovering import fits, recovered
from symconv.verifying.sampling import Check, Session, diagnosed, sampled, trials

__all__ = ["Examination", "Settings", "examined", "opened"]

#: Bytes per entry of the arguments while they are drawn, called with and computed with.
PROBE_BYTES = 32

#: Random trials at most: formats that hold little reach no small error probability.
MAX_TRIALS = 12


@dataclass(frozen=True)
class Settings:
    """How implementations are called and judged; see `symconv.verifying.verify`."""

    number: Format
    growth: float | None = None
    results: tuple[str, ...] | None = None
    batch: int = 2
    fixed_batch: bool = False
    channels: int | None = None
    layouts: tuple[str, ...] = ("Fortran-ordered", "strided")
    threads: bool = True
    time_limit: float = 60.0
    seed: int = 0
    exponent: int = 20
    columns: int = 16
    empty_batch: bool = False

    @property
    def rules(self) -> Rules:
        """How results are judged."""
        return Rules(self.number, self.growth, self.results)


@dataclass(frozen=True)
class Examination:
    """What was tested, and the first failure.

    Attributes
    ----------
    checks : tuple of Check
    failure : Failure or None
    missed : float
        Probability that a wrong bilinear map was not noticed; 0 where all basis vectors agree.
    calls : int
    """

    checks: tuple[Check, ...]
    failure: Failure | None
    missed: float
    calls: int


@contextmanager
def opened(implementation: Any, problem: Problem, settings: Settings) -> Iterator[Session]:
    """A session with the function of one geometry.

    Raises
    ------
    MisbehaviourError
        If the function cannot be built.
    """
    if settings.number.unit == 0 and set(problem.divisors) != {1}:
        raise ParameterError(
            f"dtype must be a floating type for a mean, got {settings.number.name}"
        )
    require(
        PROBE_BYTES * settings.batch * sum(map(math.prod, problem.shapes)),
        f"probes of {settings.batch} samples",
        "use a smaller batch or input",
    )
    fn = built(implementation, problem.layer, problem.size)
    draws = Draws(problem, settings.number, np.random.default_rng(settings.seed))
    with Caller(fn, settings.time_limit) as caller:
        yield Session(caller, problem, settings.rules, draws, settings.batch, settings.fixed_batch)


def examined(
    implementation: Any, problem: Problem, settings: Settings, *, quick: bool = False
) -> Examination:
    """Every test of one map; `quick` leaves out recovering it and repeated trials."""
    checks: list[Check] = []
    missed, calls = 1.0, 0
    try:
        with opened(implementation, problem, settings) as session:
            try:
                for check in sampled(session, settings.layouts, settings.threads and not quick):
                    checks.append(check)  # noqa: PERF402 - kept when a later one fails
                if settings.empty_batch and not settings.fixed_batch:
                    session.require(session.draws.zeros(0))
                    checks.append(Check("a batch of no samples"))
                if not quick:
                    missed = _decided(session, settings, checks)
            finally:
                calls = session.caller.calls
    except MisbehaviourError as misbehaved:
        return Examination(tuple(checks), misbehaved.failure, 1.0, calls)
    return Examination(tuple(checks), None, missed, calls)


def _decided(session: Session, settings: Settings, checks: list[Check]) -> float:
    """All basis vectors where they are few, else random trials and disjoint columns."""
    problem = session.problem
    if fits(session):
        for arguments, result in recovered(session):
            failure = first_difference(result, problem, session.rules, arguments)
            if failure is not None:
                raise MisbehaviourError(diagnosed(session, arguments, failure))
        pairs = "every window" if problem.is_maximum else "all pairs of basis vectors"
        checks.append(Check(pairs, "exhaustive"))
        return 0.0
    if problem.is_maximum:
        return 1.0
    count, missed = trials(session, settings.exponent, MAX_TRIALS)
    checks.append(Check(f"{count} random products", f"error probability ≤ {missed:.1e}"))
    if not problem.is_summed:
        total, probes = column_probes(session, settings.columns)
        for arguments in probes:
            session.require(arguments)
        shown = min(settings.columns, total)
        reach = "exhaustive inside the expected support" if shown == total else "sampled"
        checks.append(Check(f"{shown} of {total} sets of disjoint columns", reach))
    return missed
