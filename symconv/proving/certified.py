"""Theorems for all sizes: lifted from the code that runs, decided by a stored certificate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from symconv.proving import checker
from symconv.proving.boxes import SearchTooLargeError, counterexample
from symconv.proving.store import read_certificate
from symconv.proving.theorem import ALL_SIZES, Decision, Theorem
from symconv.proving.tracing import Statement, Trace, lift, replayed
from symconv.verdict import PROVED, REFUTED, Verdict, proved, refuted, undecided

__all__ = ["Certified", "all_sizes", "same_statement"]

#: Largest magnitude that counterexamples are searched to.
BOUND = 6


def same_statement(stored: dict[str, Any], statement: Statement) -> bool:
    """Whether a certificate is about exactly this statement."""
    return stored["variables"] == statement.variables and _same(stored["steps"], statement.steps)


def _same(stored: list[Any], steps: list[Any]) -> bool:
    for number, step in enumerate(stored):
        if "impossible" in step:
            # What follows a contradiction need not be stated.
            return number == len(stored) - 1
        if number == len(steps):
            return False
        ours = steps[number]
        if "fork" in step:
            alike = ours.get("fork") == step["fork"] and all(
                _same(step[case], ours[case]) for case in ("true", "false")
            )
        else:
            alike = {name: part for name, part in step.items() if name != "proofs"} == ours
        if not alike:
            return False
    return len(stored) == len(steps)


@dataclass(frozen=True)
class Certified:
    """A statement on unknown integers (`Trace`), proved by a certificate in the repository."""

    define: Callable[[Trace], None]
    bound: int = BOUND
    name = "certificate"
    scope = ALL_SIZES

    def decide(self, theorem: Theorem) -> Decision:
        statement = lift(self.define)
        if theorem.expected == REFUTED:
            return Decision(self._searched(statement, near_miss=False))
        decision = _checked(theorem.identifier, statement)
        if decision.verdict.status != PROVED:
            return decision
        return replace(decision, near_miss=self._searched(statement, near_miss=True))

    def _searched(self, statement: Statement, *, near_miss: bool) -> Verdict:
        """A verdict on a false statement: its smallest counterexample."""
        bounds = range(self.bound + 1)
        try:
            case = counterexample(statement, bounds, near_miss=near_miss)
        except SearchTooLargeError as error:
            return undecided(self.scope, str(error))
        if case is None:
            return undecided(self.scope, f"no counterexample of magnitude up to {self.bound}")
        # The code itself, on plain integers, must agree that the claim fails there.
        truths = replayed(self.define, case)
        kinds = ("assume",) if near_miss else ("assume", "given")
        claims = truths.get("show", [])
        if near_miss:
            claims = truths.get("instead") or claims
        if not all(all(truths.get(kind, ())) for kind in kinds) or all(claims):
            return undecided(self.scope, f"{case} is no counterexample when it is run")
        return refuted(
            self.scope, case, "the smallest by largest magnitude, then sum, then order of names"
        )


def _checked(identifier: str, statement: Statement) -> Decision:
    """What the stored certificate decides about a statement."""
    try:
        certificate = read_certificate(identifier)
        if certificate is None:
            return Decision(undecided(ALL_SIZES, f"there is no certificate for {identifier}"))
        found = checker.check(certificate)
    except checker.Rejected as error:
        return Decision(undecided(ALL_SIZES, f"the certificate is rejected: {error}"))
    if found["theorem"] != identifier or not same_statement(certificate, statement):
        reason = "the certificate is about another statement than the code makes"
        return Decision(undecided(ALL_SIZES, reason))
    reason = f"{found['shown']} shown by {found['products']} products of facts"
    return Decision(proved(ALL_SIZES, reason), certificate=certificate, checked=found)


def all_sizes(
    identifier: str, *, bound: int = BOUND, **described: Any
) -> Callable[[Callable[[Trace], None]], Theorem]:
    """Declare a theorem for all integers that satisfy its assumptions.

    The decorated function takes a `Trace`: it asks for integers, assumes, computes with symconv's
    own code and shows. Exactly one of `Trace.given` and `Trace.instead` makes its near miss.

    Parameters
    ----------
    identifier : str
    bound : int
        Largest magnitude to which counterexamples are searched.
    **described
        The attributes of `Theorem`.
    """

    def declare(define: Callable[[Trace], None]) -> Theorem:
        return Theorem(identifier, method=Certified(define, bound), definition=define, **described)

    return declare
