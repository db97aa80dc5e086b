"""Engines measured in turns: every round asks each of them once, the best of the rounds counts."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from symconv import checks
from symconv.benching.cases import CASES, IMAGES
from symconv.benching.engines import ENGINES, is_installed
from symconv.errors import MissingExtraError, SymconvError

__all__ = ["Measurement", "bench"]

#: Variables that tell numerical libraries how many threads to use.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)


@dataclass(frozen=True)
class Measurement:
    """One case in one type and direction.

    Attributes
    ----------
    case, dtype : str
    transposed : bool
    seconds : dict
        Best time of each engine, None where it has no such operation.
    agree : bool
        Whether all answers are the same integers.
    """

    case: str
    dtype: str
    transposed: bool
    seconds: dict[str, float | None]
    agree: bool

    def ratio(self, engine: str, peer: str) -> float | None:
        """Time of an engine over that of a peer."""
        mine, other = self.seconds.get(engine), self.seconds.get(peer)
        return None if mine is None or other is None else mine / other


class _Process:
    """A worker that answers questions one at a time."""

    def __init__(self, engine: str, threads: int) -> None:
        self.engine = engine
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        environment |= dict.fromkeys(THREAD_VARIABLES, str(threads))
        self.process = subprocess.Popen(  # noqa: S603 - this program itself
            [sys.executable, "-m", "symconv.benching.worker", engine, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env=environment,
        )

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """The answer to a question."""
        assert self.process.stdin is not None and self.process.stdout is not None  # noqa: S101, PT018 - pipes
        try:
            print(json.dumps(question), file=self.process.stdin, flush=True)
            line = self.process.stdout.readline()
        except OSError:
            line = ""
        if not line:
            status = self.process.wait()
            raise SymconvError(f"engine {self.engine!r} ended with exit status {status}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End it."""
        self.process.kill()
        # Closing a pipe to a process that is gone may find unsent text.
        with contextlib.suppress(OSError), self.process:
            pass


def bench(
    engines: Sequence[str] = ("symconv", "torch"),
    cases: Iterable[str] | None = None,
    *,
    dtypes: Sequence[str] = ("float64", "float32"),
    directions: Sequence[str] = ("forward", "transposed"),
    rounds: int = 4,
    repeats: int = 4,
    threads: int | None = None,
    on_measurement: Callable[[Measurement], None] | None = None,
) -> list[Measurement]:
    """Time the same products by several libraries, each in a process of its own, in turns.

    Parameters
    ----------
    engines : sequence of str
        Names of `ENGINES`.
    cases : iterable of str, optional
        Names of `CASES` or `IMAGES`; all of `CASES` without it.
    dtypes : sequence of {"float32", "float64", "int32"}
    directions : sequence of {"forward", "transposed"}
    rounds, repeats : int
        Rounds over the engines, and calls of each in a round; the best time counts.
    threads : int, optional
        For every engine; the processors of this machine without it.
    on_measurement : callable, optional
        Called with each measurement.

    Returns
    -------
    list of Measurement
        Whose `agree` says that all answers were the same integers.

    Raises
    ------
    MissingExtraError
        If an engine is not installed.
    SymconvError
        If an engine's process ends.
    """
    names = list(CASES) if cases is None else list(cases)
    _check_names(engines, names, dtypes, directions)
    count = threads if threads is not None else len(os.sched_getaffinity(0))
    turns = checks.integer("rounds", rounds, 1), checks.integer("repeats", repeats, 1)
    workers = [_Process(engine, checks.integer("threads", count, 1)) for engine in engines]
    found = []
    try:
        for name, dtype, direction in itertools.product(names, dtypes, directions):
            question = {
                "case": name,
                "dtype": dtype,
                "transposed": direction == "transposed",
                "repeats": turns[1],
            }
            found.append(_measured(workers, question, turns[0]))
            if on_measurement is not None:
                on_measurement(found[-1])
    finally:
        for worker in workers:
            worker.close()
    return found


def _check_names(
    engines: Sequence[str], cases: Sequence[str], dtypes: Sequence[str], directions: Sequence[str]
) -> None:
    for given, allowed, what in (
        (engines, ENGINES, "engine"),
        (cases, {**CASES, **IMAGES}, "case"),
        (dtypes, ("float32", "float64", "int32"), "dtype"),
        (directions, ("forward", "transposed"), "direction"),
    ):
        for name in given:
            checks.choice(what, name, tuple(allowed))
    for engine in engines:
        if not is_installed(engine):
            raise MissingExtraError(f"engine {engine!r} needs the package {ENGINES[engine][1]}")


def _measured(workers: Sequence[_Process], question: dict[str, Any], rounds: int) -> Measurement:
    seconds: dict[str, float | None] = {}
    digests = set()
    for number in range(rounds):
        for worker in workers:
            answer = worker.ask({**question, "first": number == 0})
            if answer["digest"] is not None:
                digests.add(answer["digest"])
            if answer["seconds"] is not None:
                before = seconds.get(worker.engine)
                best = answer["seconds"]
                seconds[worker.engine] = best if before is None else min(before, best)
            else:
                seconds.setdefault(worker.engine, None)
    agree = len(digests) == 1 and "no integers" not in digests
    return Measurement(question["case"], question["dtype"], question["transposed"], seconds, agree)
