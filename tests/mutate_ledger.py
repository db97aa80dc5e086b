"""Can the ledger notice a mistake? Every small one is planted in the index relation and the sizes.

    python tests/mutate_ledger.py [--workers N] [--json FILE] [--module relation|shapes]

Each mutant of `symconv/relation.py` and `symconv/shapes.py` differs from it in one place: an
operator, a comparison, a number, a truth, a condition, a sign, or the parameter that is read. In a
process of its own the mutant stands in for the module before symconv is imported, and theorems are
decided until one is not as expected: it kills the mutant. The certificates stay as they are.

A mutant that no theorem kills must be in `EQUIVALENT` with the reason why it is the same function,
and then it is run beside the original on every setting of a box. Exit status 1: some mutant
survives without a reason, differs from the original though a reason is given, or is not there.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import multiprocessing
import os
import resource
import signal
import sys
import time
import types
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.machinery import SourceFileLoader
from multiprocessing.connection import wait
from pathlib import Path

from mutating import Mutant, mutants, same, source_of

MODULES = ("relation", "shapes")
#: Theorems on these subjects are tried first, then the quicker ones.
FIRST = {"relation": ("relation", "sizes", "ceiling"), "shapes": ("floors", "sizes", "amounts")}
#: Seconds for one theorem, seconds for one mutant, bytes for a process.
THEOREM_SECONDS = 20
MUTANT_SECONDS = 300
MEMORY = 6 << 30
#: Theorems that a mutant must fail before none is asked for a counterexample any more.
TRIED = 8

#: Why mutants are the same function on all that it is for, and which.
REASONS = {
    "a text is refused or not, numbers and expressions are the same (tests/test_shapes.py)": [
        "floor_quotient: numerator = sympy.expand(sympy.sympify(numerator, strict=False))",
        "floor_quotient: divisor = sympy.sympify(divisor, strict=False)",
    ],
    "varying is 0 or has an unknown; where it is 0, reduced and c are 0 and m is 1": [
        "_by_integer: if varying == 1:",
        "_by_integer: if varying == -1:",
    ],
    "common divides divisor": [
        "_by_integer: reduced, m, c = (sympy.expand(varying / common), "
        "-(-divisor // common), constant // common)",
    ],
    "a floor has one argument": [
        "_by_integer: top, bottom = sympy.fraction(sympy.together(reduced.args[-1]))",
        "_rebuilt: return _of_floor(parts[-1]) if isinstance(node, sympy.floor) "
        "else node.func(*parts)",
        "_negated: numerator, denominator = sympy.fraction(sympy.together(floor.args[-1]))",
    ],
    "expanding does not ask what kind of number a name is": [
        "canonical: names = {floor: sympy.Dummy(integer=False) "
        "for floor in rewritten.atoms(sympy.floor)}",
    ],
    "a coefficient of 0 adds 0": [
        "canonical: if coefficient.is_Integer and coefficient <= 0:",
        "canonical: if coefficient.is_Integer and coefficient < 1:",
    ],
}
EQUIVALENT = {f"shapes.{name}": reason for reason, names in REASONS.items() for name in names}


# Deciding, in a process of its own.


class Planted(SourceFileLoader):
    """Loads the mutant in place of the module."""

    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self.source = source

    def get_code(self, fullname: str) -> types.CodeType:
        return compile(self.source, self.path, "exec")


class Finder:
    """Finds the mutant first."""

    def __init__(self, mutant: Mutant) -> None:
        self.name, self.mutant = f"symconv.{mutant.module}", mutant

    def find_spec(self, name: str, path: object = None, target: object = None) -> object:
        if name != self.name:
            return None
        file = str(source_of(self.mutant.module))
        loader = Planted(name, file, self.mutant.source)
        return importlib.util.spec_from_file_location(name, file, loader=loader)


class TooSlowError(Exception):
    """A theorem takes much longer than without the mutant."""


def _too_slow(*_: object) -> None:
    raise TooSlowError(f"more than {THEOREM_SECONDS} s")


@contextmanager
def limited():
    signal.signal(signal.SIGALRM, _too_slow)
    signal.alarm(THEOREM_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)


@dataclass
class Row:
    """One theorem decided, with or without a mutant."""

    theorem: str
    good: bool
    reason: str
    seconds: float = 0.0
    #: Where the theorem is false of the mutant, as far as a small box shows.
    false_at: dict[str, object] | None = None


def one(theorem) -> Row:
    started = time.perf_counter()
    try:
        with limited():
            decision = theorem.decide()
            good = theorem.is_as_expected(decision)
            case = decision.verdict.counterexample
            if not good and case is None and theorem.method.name == "certificate":
                case = counterexample_to(theorem)
        reason = f"{decision.verdict}; near miss: {decision.near_miss}"
    except Exception as error:
        good, reason, case = False, f"{type(error).__name__}: {error}", None
    return Row(theorem.identifier, good, reason, time.perf_counter() - started, case)


def counterexample_to(theorem):
    """Where the statement that the mutant makes is false; its certificate says only "another"."""
    from symconv.proving.boxes import counterexample  # noqa: PLC0415 - after the mutant
    from symconv.proving.tracing import lift  # noqa: PLC0415

    return counterexample(lift(theorem.method.define), range(4))


def without_near_misses() -> None:
    """Near misses are taken to be refuted, which saves most of the time."""
    from symconv.proving.certified import Certified  # noqa: PLC0415 - after the mutant
    from symconv.verdict import refuted  # noqa: PLC0415

    original = Certified._searched

    def searched(self, statement, *, near_miss):
        return refuted("", "", "") if near_miss else original(self, statement, near_miss=False)

    Certified._searched = searched


def decided(mutant: Mutant | None, order: list[str], near_misses: bool, subject: str) -> list[Row]:
    """Theorems one by one; with a mutant, up to the first that is false of it.

    That a certificate is about another statement kills a mutant, but a statement that is false
    somewhere says more: a few more theorems are asked for one.
    """
    if mutant is not None:
        sys.meta_path.insert(0, Finder(mutant))
    try:
        with limited():
            from symconv.proving.collecting import theorems  # noqa: PLC0415 - after the mutant

            known = theorems()
            if not near_misses:
                without_near_misses()
    except Exception as error:
        return [Row("(import)", False, f"{type(error).__name__}: {error}")]
    rows = []
    for identifier in order or [name for name in known if name.startswith(subject)]:
        rows.append(one(known[identifier]))
        bad = [row for row in rows if not row.good]
        if mutant is not None and bad and (bad[-1].false_at is not None or len(bad) == TRIED):
            break
    return rows


def _process(connection, mutant, order, near_misses, subject) -> None:
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, limits[1]))
    with open(os.devnull, "w") as nothing:
        os.dup2(nothing.fileno(), 1)
        os.dup2(nothing.fileno(), 2)
        connection.send(decided(mutant, order, near_misses, subject))


def run_all(
    jobs: list[Mutant | None],
    order_for: Callable[[Mutant | None], list[str]],
    workers: int,
    near_misses: bool,
    subject: str,
    on_done: Callable[[Mutant | None, list[Row]], None],
) -> None:
    """Each job in a fork of this process, which has the libraries loaded but not symconv."""
    context = multiprocessing.get_context("fork")
    waiting, running = list(reversed(jobs)), {}
    while waiting or running:
        while waiting and len(running) < workers:
            job = waiting.pop()
            ours, theirs = context.Pipe(duplex=False)
            arguments = (theirs, job, order_for(job), near_misses, subject)
            process = context.Process(target=_process, args=arguments, daemon=True)
            process.start()
            theirs.close()
            running[ours] = job, process, time.monotonic() + MUTANT_SECONDS
        ready = wait(list(running), timeout=1)
        for ours, (job, process, end) in list(running.items()):
            if ours not in ready and time.monotonic() < end:
                continue
            try:
                rows = ours.recv() if ours in ready else None
            except EOFError:
                rows = None
            if rows is None:
                process.kill()
                rows = [Row("(the process)", False, "it died or took too long")]
            process.join()
            del running[ours]
            on_done(job, rows)


def preload() -> None:
    """Load what symconv imports, so that forks need not."""
    # One thread each: forks of a process with threads are not safe.
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    for name in ("numpy", "psutil", "scipy.optimize", "scipy.sparse", "scipy.signal", "sympy"):
        importlib.import_module(name)
    assert "symconv" not in sys.modules


# The report.


@dataclass
class Outcome:
    """What became of a mutant."""

    mutant: str
    before: str
    killed_by: str = ""
    reason: str = ""
    refuted: str = ""
    false_at: str = ""
    seconds: float = 0.0
    equivalent: str = ""

    @property
    def survives(self) -> bool:
        """Whether neither a theorem nor a reason deals with it."""
        return not self.killed_by and not self.equivalent


def studied(
    chosen: list[Mutant], workers: int, near_misses: bool, everything: bool, subject: str
) -> tuple[list[Outcome], list[str]]:
    """The outcome of every mutant, and what is wrong apart from that."""
    preload()
    baseline: list[Row] = []
    run_all([None], lambda _: [], 1, True, subject, lambda _, rows: baseline.extend(rows))
    if len(baseline) == 1:
        return [], [f"the theorems cannot be loaded: {baseline[0].reason}"]
    wrong = [f"not as expected: {row.theorem}: {row.reason}" for row in baseline if not row.good]
    seconds = sum(row.seconds for row in baseline)
    print(f"{len(baseline)} theorems in {seconds:.0f} s, one after the other", flush=True)

    def order_for(mutant: Mutant | None) -> list[str]:
        if mutant is None:
            return []
        first = FIRST[mutant.module]

        def rank(row: Row) -> tuple[bool, float]:
            return row.theorem.partition(".")[0] not in first, row.seconds

        return [row.theorem for row in sorted(baseline, key=rank) if row.good]

    outcomes = {mutant.name: Outcome(mutant.name, mutant.before) for mutant in chosen}
    done = 0

    def on_done(mutant: Mutant | None, rows: list[Row]) -> None:
        nonlocal done
        done += 1
        print(f"\r{done} of {len(jobs)} ", end="", file=sys.stderr, flush=True)
        assert mutant is not None
        outcome = outcomes[mutant.name]
        outcome.seconds = round(sum(row.seconds for row in rows), 3)
        bad = [row for row in rows if not row.good]
        if bad:
            outcome.killed_by, outcome.reason = bad[0].theorem, bad[0].reason
            if bad[-1].false_at is not None:
                outcome.refuted, outcome.false_at = bad[-1].theorem, str(bad[-1].false_at)

    jobs = [mutant for mutant in chosen if everything or mutant.name not in EQUIVALENT]
    run_all(list(jobs), order_for, workers, near_misses, subject, on_done)
    print(file=sys.stderr)
    for mutant in chosen:
        if mutant.name not in EQUIVALENT:
            continue
        if difference := same(mutant):
            wrong.append(f"not equivalent: {mutant.name} ({difference})")
        else:
            outcomes[mutant.name].equivalent = EQUIVALENT[mutant.name]
    return list(outcomes.values()), wrong


def main(arguments: list[str] | None = None) -> int:
    """Run the script; its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", type=Path, help="write the outcomes to this file")
    parser.add_argument("--module", choices=MODULES, help="mutants of one module only")
    parser.add_argument("--only", default="", help="mutants whose names contain this text only")
    parser.add_argument("--subject", default="", help="theorems of one subject only")
    parser.add_argument("--no-near-misses", action="store_true", help="decide only the theorems")
    parser.add_argument("--everything", action="store_true", help="also run equivalent mutants")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    modules = [options.module] if options.module else MODULES
    every = [m for name in modules for m in mutants(name, source_of(name).read_text("utf-8"))]
    chosen = [mutant for mutant in every if options.only in mutant.name]
    outcomes, wrong = studied(
        chosen,
        options.workers,
        not options.no_near_misses,
        options.everything,
        f"{options.subject}." if options.subject else "",
    )
    names = {mutant.name for mutant in every}
    wrong += [
        f"no such mutant: {name}"
        for name in EQUIVALENT
        if name.partition(".")[0] in modules and name not in names
    ]
    survivors = [outcome for outcome in outcomes if outcome.survives]
    for outcome in survivors:
        print(f"SURVIVES {outcome.mutant}\n     was {outcome.before}")
    for text in wrong:
        print(f"WRONG {text}")
    killers = Counter(outcome.killed_by for outcome in outcomes if outcome.killed_by)
    for theorem, count in killers.most_common():
        print(f"{count:5} killed by {theorem}")
    print(
        f"{len(outcomes)} mutants: {sum(killers.values())} killed "
        f"(by a counterexample {sum(bool(o.refuted) for o in outcomes)}), "
        f"{sum(bool(o.equivalent) for o in outcomes)} equivalent, {len(survivors)} surviving; "
        f"{time.monotonic() - started:.0f} s"
    )
    if options.json:
        options.json.write_text(json.dumps([asdict(o) for o in outcomes], indent=1) + "\n")
    return 1 if survivors or wrong or not outcomes else 0


if __name__ == "__main__":
    sys.exit(main())
