"""Rows of the ledger: a theorem with the verdict on it, in plain data."""

from __future__ import annotations

import inspect
import textwrap
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from symconv.proving.store import certificate_path
from symconv.proving.theorem import Decision, Theorem
from symconv.verdict import REFUTED, Verdict, undecided

__all__ = ["Row", "decided", "given_up"]

#: Under a theorem's first line; what goes on is set in a little further.
_INDENTED: dict[str, Any] = {"initial_indent": " " * 10, "subsequent_indent": " " * 12}


@dataclass(frozen=True)
class Row:
    """One theorem of the ledger, in plain data.

    Attributes
    ----------
    identifier, subject, words, latex, source, remark, concludes, corollary_of, expected : str
        As declared (`symconv.proving.Theorem`).
    scope : str
        "all sizes", "all values at stated sizes", "exhaustive over a stated box" or "none".
    method : str
    verdict : {"PROVED", "REFUTED", "UNDECIDED"}
    as_expected : bool
        Whether the verdict is the expected one and the near miss is refuted.
    reason : str
    counterexample : dict or None
    near_miss : dict or None
        ``words``, ``verdict``, ``reason`` and ``counterexample``.
    certificate : dict or None
        ``bytes``, ``shown``, ``products`` and the ``document``.
    definition : str
        The Python source that states it.
    seconds : float
    """

    identifier: str
    subject: str
    words: str
    latex: str
    source: str
    remark: str
    concludes: str
    corollary_of: str
    expected: str
    scope: str
    method: str
    verdict: str
    as_expected: bool
    reason: str
    counterexample: Any
    near_miss: Any
    certificate: Any
    definition: str
    seconds: float

    def __str__(self) -> str:
        facts = [self.scope, self.method]
        if self.certificate:
            facts.append(f"{self.certificate['bytes']} bytes")
        facts.append(f"{self.seconds:.2f} s")
        mark = "" if self.as_expected else "  NOT AS EXPECTED"
        details = [self.words]
        if self.verdict != "PROVED" or not self.as_expected:
            details.append(self.reason)
        if self.counterexample is not None:
            details.append(f"counterexample: {_listed(self.counterexample)}")
        if self.remark:
            details.append(self.remark)
        if self.near_miss is not None:
            near = self.near_miss
            found = f" at {_listed(near['counterexample'])}" if near["counterexample"] else ""
            details.append(f"near miss {near['verdict'].lower()}{found}: {near['words']}")
        details.append(f"[{self.source}]")
        lines = [f"{self.verdict:<9} {self.identifier}  ({', '.join(facts)}){mark}"]
        lines += [textwrap.fill(part, 98, **_INDENTED) for part in details]
        return "\n".join(lines)


def _listed(values: Any) -> str:
    if isinstance(values, Mapping):
        return ", ".join(f"{name} = {value}" for name, value in values.items())
    return str(values)


def _plain(value: Any) -> Any:
    """A counterexample as JSON."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (np.integer, sympy.Integer)):
        return int(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return str(value)


def decided(theorem: Theorem) -> Row:
    """The row of a theorem; whatever goes wrong in deciding it is a verdict too."""
    begin = time.perf_counter()
    try:
        decision = theorem.decide()
    except Exception as error:  # one theorem's failure must not hide the others
        reason = f"deciding it raised {type(error).__name__}: {error}"
        decision = Decision(undecided(theorem.method.scope, reason))
    return _row(theorem, decision, round(time.perf_counter() - begin, 4))


def _row(theorem: Theorem, decision: Decision, seconds: float) -> Row:
    certificate = None
    if decision.certificate is not None and decision.checked is not None:
        certificate = {
            "bytes": certificate_path(theorem.identifier).stat().st_size,
            "shown": decision.checked["shown"],
            "products": decision.checked["products"],
            "document": decision.certificate,
        }
    return Row(
        identifier=theorem.identifier,
        subject=theorem.subject,
        words=theorem.words,
        latex=theorem.latex,
        source=theorem.source,
        remark=theorem.remark,
        concludes=theorem.concludes,
        corollary_of=theorem.corollary_of,
        expected=theorem.expected,
        scope=theorem.method.scope,
        # What refutes is the counterexample, whatever would have proved.
        method="counterexample" if decision.verdict.status == REFUTED else theorem.method.name,
        verdict=decision.verdict.status,
        as_expected=theorem.is_as_expected(decision),
        reason=decision.verdict.reason,
        counterexample=_plain(decision.verdict.counterexample),
        near_miss=_near(theorem, decision.near_miss),
        certificate=certificate,
        definition=_source(theorem),
        seconds=seconds,
    )


def _near(theorem: Theorem, verdict: Verdict | None) -> dict[str, Any] | None:
    if verdict is None:
        return None
    return {
        "words": theorem.near_miss,
        "verdict": verdict.status,
        "reason": verdict.reason,
        "counterexample": _plain(verdict.counterexample),
    }


def _source(theorem: Theorem) -> str:
    if theorem.definition is None:
        return ""
    try:
        return inspect.getsource(theorem.definition)
    except OSError:
        return ""


def given_up(theorem: Theorem, reason: str) -> Row:
    """The row of a theorem that was not decided."""
    return _row(theorem, Decision(undecided(theorem.method.scope, reason)), 0.0)
