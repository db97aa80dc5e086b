"""From a Python function to a certificate without proofs: run it on unknown integers, path by path.

A statement is a function of a `Trace`: it asks for integers, assumes, computes with symconv's own
code, and shows. Wherever that code asks for a truth, the function runs again with each answer, so
the paths together are every path.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symconv.errors import ParameterError
from symconv.proving.terms import Formula, Term, written

__all__ = ["Path", "Statement", "Trace", "lift", "replayed"]

#: More paths than this, or questions on one, are no statement that a person wrote.
MAX_PATHS = 64

Json = Any


class _Asked(Exception):  # noqa: N818 - a question, not an error
    """A truth was asked that this path has no answer for yet."""

    def __init__(self, formula: Formula) -> None:
        super().__init__()
        self.formula = formula


@dataclass
class Path:
    """One path: its steps in order (without proofs), linear.

    Attributes
    ----------
    steps : list
        ``{"assume": F}``, ``{"given": F}`` (the condition a near miss drops), ``{"define": …}``,
        ``{"answer": F}``, ``{"show": F}`` and ``{"instead": F}`` (the near miss's conclusion).
    """

    steps: list[dict[str, Json]] = field(default_factory=list)


class Trace:
    """What a statement is written with: integers, assumptions, conclusions.

    Examples
    --------
    >>> from symconv import AxisRelation
    >>> def windows(t):
    ...     K, s, n, o = t.integers("K s n o")
    ...     t.assume(K >= 1, s >= 1)
    ...     axis = AxisRelation(K, s)
    ...     t.show((o < axis.output_size(n)) | (axis.position(o, K - 1) >= n))
    >>> lift(windows).variables
    ['K', 's', 'n', 'o']
    """

    def __init__(self, answers: list[bool]) -> None:
        self._answers = answers
        self._asked = 0
        self._divisions: dict[tuple[str, str], tuple[Term, Term]] = {}
        self._decisions: dict[str, bool] = {}
        self.variables: list[str] = []
        self.hints: list[str] = []
        self.path = Path()

    def integers(self, names: str) -> list[Term]:
        """Unknown integers with these names, separated by blanks."""
        terms = []
        for name in names.split():
            if name in self.variables or re.match(r"(?:q|r)_\d+\Z", name):
                raise ParameterError(f"names must be new and not q_1, r_1, …; got {name}")
            self.variables.append(name)
            terms.append(Term(self, {(name,): 1}))
        return terms

    def assume(self, *formulas: Any) -> None:
        """Hypotheses."""
        self._add("assume", formulas)

    def given(self, *formulas: Any) -> None:
        """The conditions of the theorem: hypotheses that its near miss drops."""
        self._add("given", formulas)

    def show(self, *formulas: Any) -> None:
        """Conclusions, each usable for the ones after it."""
        self._add("show", formulas)

    def instead(self, *formulas: Any) -> None:
        """The conclusions of the near miss, in place of those of `show`."""
        self._add("instead", formulas)

    def hint(self, *terms: Any) -> None:
        """Terms whose sign is worth a case distinction; the finder tries them first."""
        self.hints += [written(term.poly) for term in terms if isinstance(term, Term)]

    def _add(self, kind: str, formulas: tuple[Any, ...]) -> None:
        for formula in formulas:
            if isinstance(formula, Formula):
                json = formula.json
            elif isinstance(formula, (bool, np.bool_)):
                json = "0 == 0" if formula else "0 == 1"
            else:
                raise ParameterError(f"{kind} takes formulas, got {formula!r:.60}")
            self.path.steps.append({kind: json})

    def divided(self, dividend: Term, divisor: Term) -> tuple[Term, Term]:
        """Quotient and remainder: numbers where both are known, else two new names."""
        a, m = dividend.number, divisor.number
        if a is not None and m is not None:
            return Term(self, {(): a // m} if a // m else {}), Term(
                self, {(): a % m} if a % m else {}
            )
        if m == 1:
            return dividend, Term(self, {})
        key = written(dividend.poly), written(divisor.poly)
        if key not in self._divisions:
            number = len(self._divisions) + 1
            q, r = (Term(self, {(f"{letter}_{number}",): 1}) for letter in "qr")
            self._divisions[key] = q, r
            step = {"define": [f"q_{number}", f"r_{number}"], "dividend": key[0], "divisor": key[1]}
            self.path.steps.append(step)
        return self._divisions[key]

    def decided(self, formula: Formula) -> bool:
        """The answer that this path follows, asked once for each formula."""
        key = repr(formula.json)
        if key not in self._decisions:
            if self._asked == len(self._answers):
                raise _Asked(formula)
            answer = self._answers[self._asked]
            self._asked += 1
            self._decisions[key] = answer
            self.path.steps.append({"answer": formula.json if answer else {"not": formula.json}})
        return self._decisions[key]


class _Replay(Trace):
    """A trace on known integers: symconv's code runs on plain numbers."""

    def __init__(self, values: Mapping[str, int]) -> None:
        super().__init__([])
        self._values = values
        self.truths: dict[str, list[bool]] = {}

    def integers(self, names: str) -> Any:
        return [self._values[name] for name in names.split()]

    def _add(self, kind: str, formulas: tuple[Any, ...]) -> None:
        for formula in formulas:
            if not isinstance(formula, (bool, np.bool_, Formula)):
                # ~True is −2 to Python, and true.
                raise ParameterError(f"{kind} takes truths, got {formula!r:.60}")
            self.truths.setdefault(kind, []).append(bool(formula))


def replayed(
    statement: Callable[[Trace], None], values: Mapping[str, int]
) -> dict[str, list[bool]]:
    """Run a statement on plain integers: the truths of what it assumes, shows, … by kind.

    Examples
    --------
    >>> def halves(t):
    ...     (n,) = t.integers("n")
    ...     t.assume(n >= 1)
    ...     t.show(2 * (n // 2) == n)
    >>> replayed(halves, {"n": 3})
    {'assume': [True], 'show': [False]}
    """
    replay = _Replay(values)
    statement(replay)
    return replay.truths


@dataclass
class Statement:
    """A statement for all integers, as every path of the code that states it.

    Attributes
    ----------
    variables : list of str
    steps : list
        The certificate's steps, without proofs.
    paths : list of Path
        The same, one linear list a path.
    hints : list of str
        Terms worth a case distinction.
    """

    variables: list[str]
    steps: list[Json]
    paths: list[Path]
    hints: list[str]

    @property
    def digest(self) -> str:
        """A short name of exactly this statement."""
        return hashlib.sha256(repr((self.variables, self.steps)).encode()).hexdigest()[:16]


def lift(statement: Callable[[Trace], None]) -> Statement:
    """Run `statement` on unknown integers, along every path."""
    paths: list[Path] = []
    variables: list[str] = []
    hints: list[str] = []

    def steps_after(answers: list[bool], seen: int) -> list[Json]:
        nonlocal variables
        if len(answers) > MAX_PATHS:
            raise ParameterError(f"a path of a statement asks more than {MAX_PATHS} truths")
        trace = Trace(answers)
        asked = None
        try:
            statement(trace)
        except _Asked as question:
            asked = question.formula
        # Variables are asked for before anything that differs from path to path.
        variables = max(variables, trace.variables, key=len)
        for hint in trace.hints:
            if hint not in hints:
                hints.append(hint)
        steps = [_step(step) for step in trace.path.steps[seen:]]
        own = [step for step in steps if step is not None]
        if asked is None:
            paths.append(trace.path)
            if len(paths) > MAX_PATHS:
                raise ParameterError(f"a statement has more than {MAX_PATHS} paths")
            return own
        length = len(trace.path.steps) + 1
        yes, no = (steps_after([*answers, answer], length) for answer in (True, False))
        # Where nothing follows but a near miss's own computation there is nothing to tell apart.
        fork = [{"fork": asked.json, "true": yes, "false": no}] if yes or no else []
        return [*own, *fork]

    steps = steps_after([], 0)
    return Statement(variables, steps, paths, hints)


def _step(step: dict[str, Json]) -> dict[str, Json] | None:
    """A step of a path as one of the certificate; None for what only near misses use."""
    if "given" in step:
        return {"assume": step["given"]}
    return None if "instead" in step else step
