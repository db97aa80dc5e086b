"""A certificate as a proof that people can read: the checker's own walk, written down."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from symconv.proving import checker
from symconv.proving.checker import Atom, Poly, Rejected, add, branches, constant, joined, multiply
from symconv.proving.report_cases import table_html
from symconv.proving.report_text import fact, formula_lines, plain, pretty
from symconv.proving.terms import written

__all__ = ["MAX_WRITTEN", "proof_html"]

#: Characters of branches written out for one certificate; the certificate itself is always whole.
MAX_WRITTEN = 40_000


@dataclass(frozen=True)
class Origin:
    """Where a fact comes from: a label, and whether it tells this branch from the others."""

    label: str
    chosen: bool = False


@dataclass(frozen=True)
class Branch:
    """Facts in the checker's order, where each comes from, and what refutes them together."""

    facts: list[Atom]
    origins: list[Origin]
    proof: Any


@dataclass
class Step:
    """A step of a certificate: its label, what it states, and the branches that show it."""

    kind: str
    label: str
    said: Any
    branches: list[Branch] = field(default_factory=list)
    #: For a fork, whether its condition holds → the steps that follow.
    cases: dict[bool, list[Step]] = field(default_factory=dict)


class _Recording(checker.Run):
    """The checker's walk; what it knows, shows and refutes is kept with its origin."""

    def __init__(self, names: list[str], witnesses: list[dict[str, int]]) -> None:
        super().__init__(names, witnesses)
        self.origins: list[list[Origin]] = [[]]
        self.steps: list[Step] = []
        self.counts: dict[str, int] = {}
        #: Branches proved since the last step was written down.
        self.proved: list[Branch] | None = None

    def _label(self, letter: str) -> str:
        self.counts[letter] = self.counts.get(letter, 0) + 1
        return f"{letter}{self.counts[letter]}"

    def _learn(self, label: str, cases: list[list[Atom]]) -> None:
        """Facts are joined on by `super()`; their origins are joined on the same way here."""
        self.origins = _joined(self.origins, _tagged(label, cases))

    def forked(self, formula: Any, holds: bool) -> _Recording:
        run = super().forked(formula, holds)
        assert isinstance(run, _Recording)  # noqa: S101 - for the type checker
        if holds:
            self.steps.append(Step("fork", self._label("F"), formula))
        step = self.steps[-1]
        run.counts = dict(self.counts)
        run.origins = self.origins
        run._learn(step.label, branches(formula, self.names, holds))
        step.cases[holds] = run.steps
        return run

    def know(self, formula: Any) -> None:
        cases = branches(formula, self.names)
        shown, self.proved = self.proved, None
        if shown is None:
            self.steps.append(Step("assume", self._label("H"), formula))
        else:
            self.steps.append(Step("show", self._label("C"), formula, shown))
        self._learn(self.steps[-1].label, cases)
        super().know(formula)

    def prove(self, negated: list[list[Atom]], proofs: Any) -> None:
        cases = joined(self.branches, negated)
        origins = _joined(self.origins, [[Origin("negated", True)] * len(case) for case in negated])
        super().prove(negated, proofs)
        self.proved = [
            Branch(facts, known, proof)
            for facts, known, proof in zip(cases, origins, proofs, strict=True)
        ]
        if negated == [[]]:
            self.steps.append(Step("impossible", "", None, self.proved))

    def define(self, step: dict[str, Any]) -> None:
        super().define(step)
        label = self._label("D")
        self.steps.append(Step("define", label, step, self.proved or []))
        self.proved = None
        self.origins = [[*known, *[Origin(label)] * 3] for known in self.origins]


def _joined(one: list[list[Origin]], other: list[list[Origin]]) -> list[list[Origin]]:
    """In the order of `checker.joined`."""
    return [a + b for a in one for b in other]


def _tagged(label: str, cases: list[list[Atom]]) -> list[list[Origin]]:
    if len(cases) == 1:
        return [[Origin(label)] * len(cases[0])]
    return [
        [Origin(f"{label}, case {number} of {len(cases)}", True)] * len(case)
        for number, case in enumerate(cases, 1)
    ]


def proof_html(certificate: dict[str, Any], summary: str = "") -> str:
    """A certificate checked again and written out; that it is rejected, where it is.

    Parameters
    ----------
    certificate : dict
        As `symconv.proving.checker` reads it.
    summary : str
        HTML that is said first.

    Examples
    --------
    >>> halves = {
    ...     "format": "symconv certificate 1", "theorem": "a.b", "variables": ["n"],
    ...     "steps": [{"assume": "n >= 1"}, {"show": "2*n >= 2", "proofs": [[[2, 0], [1, 1]]]}],
    ...     "witnesses": [{"n": 1}],
    ... }
    >>> "2·[0] + [1] = −1" in proof_html(halves)
    True
    """
    try:
        checker.check(certificate)
    except Rejected as error:
        return f'<p class="bad">The checker rejects this certificate: {plain(error)}.</p>'
    names, witnesses = certificate["variables"], certificate["witnesses"]
    run = _Recording(list(names), [dict(witness) for witness in witnesses])
    checker.follow(run, certificate["steps"])
    unknowns = f"For all integers <code>{plain(', '.join(names))}</code>:" if names else ""
    return (
        f'<p>{summary} <span class="soft">The checker accepted the certificate again when this '
        f"page was made.</span></p><p>{unknowns}</p>"
        f"{_Writer().steps(run.steps)}"
        '<h4>Witnesses</h4><p class="soft">They satisfy the hypotheses and reach every conclusion, '
        f"so the theorem is about something.</p>{table_html(witnesses)}"
    )


class _Writer:
    """Writes steps as HTML, branches as long as there is room."""

    def __init__(self) -> None:
        self.room = MAX_WRITTEN

    def steps(self, steps: list[Step]) -> str:
        return f'<ol class="steps">{"".join(map(self.step, steps))}</ol>'

    def step(self, step: Step) -> str:
        label = f"<b>{step.label}</b>" if step.label else ""
        if step.kind == "fork":
            cases = "".join(
                f"<li><p>{word}:</p>{self.steps(step.cases[holds])}</li>"
                for holds, word in ((True, "If it holds"), (False, "If it does not"))
            )
            return f'<li>{label}{_formula(step.said)}<ul class="fork">{cases}</ul></li>'
        if step.kind == "impossible":
            return f"<li>This cannot be: the facts contradict each other.{self.shown(step)}</li>"
        if step.kind == "define":
            return f"<li>{label}{_definition(step.said)}{self.shown(step)}</li>"
        if step.kind == "show" and step.said == "0 == 0":
            note = "settled while symconv’s code ran on the unknowns"
            return f'<li class="show">{label}0 = 0 <span class="soft">({note})</span></li>'
        short = len(formula_lines(step.said)) == 1
        kind = ' class="show"' if step.kind == "show" else ' class="h"' if short else ""
        return f"<li{kind}>{label}{_formula(step.said)}{self.shown(step)}</li>"

    def shown(self, step: Step) -> str:
        """The branches of a negation, each refuted; they are opened on demand."""
        if not step.branches:
            return ""
        groups: dict[str, list[int]] = {}
        rests = {}
        for number, branch in enumerate(step.branches, 1):
            text, rests[number] = _branch(branch)
            groups.setdefault(text, []).append(number)
        parts: list[str] = []
        left = total = len(step.branches)
        for text, numbers in groups.items():
            # Branches with one and the same refutation differ in what it does not need.
            rest = rests[numbers[0]] if len(numbers) == 1 else ""
            part = f"<li><span>{_ranges(numbers)}</span>{text}{rest}</li>"
            self.room -= len(part)
            if self.room < 0:
                break
            parts.append(part)
            left -= len(numbers)
        rest = f"<p>{left} more in the certificate itself.</p>" if left else ""
        what = "the divisor is at least 1" if step.kind == "define" else "proof"
        count = f"{total} {'branch' if total == 1 else 'branches'} refuted"
        body = f'<ul class="branches">{"".join(parts)}</ul>' if parts else ""
        return f"<details><summary>{what}: {count}</summary>{body}{rest}</details>"


def _formula(formula: Any) -> str:
    lines = formula_lines(formula)
    if len(lines) == 1:
        return plain(lines[0])
    return f'<span class="lines">{"<br>".join(map(plain, lines))}</span>'


def _definition(step: dict[str, Any]) -> str:
    """A division with remainder, a = m·q + r, and what q is."""
    (q, r), a, m = map(pretty, step["define"]), pretty(step["dividend"]), pretty(step["divisor"])
    whole, factor = (part if re.fullmatch(r"\w+", part) else f"({part})" for part in (a, m))
    lines = (f"{q} = ⌊{whole} / {factor}⌋: {a} = {factor}·{q} + {r}", f"0 ≤ {r} < {m}")
    return f'<span class="lines">{"<br>".join(map(plain, lines))}</span>'


def _ranges(numbers: list[int]) -> str:
    """Ascending numbers, neighbours as a range; of many the first ones and how many they are."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    texts = [f"{low}–{high}" if low < high else str(low) for low, high in runs]
    return ", ".join(texts) if len(texts) < 5 else f"{texts[0]}, {texts[1]}, … ({len(numbers)})"


def _branch(branch: Branch) -> tuple[str, str]:
    """What its refutation uses, numbered as the checker does; what else makes the branch."""
    used = _used(branch.proof)
    known = list(enumerate(zip(branch.facts, branch.origins, strict=True)))
    lines = "".join(
        f"<li><b>[{number}]</b>{plain(fact(atom))}<i>{origin.label}</i></li>"
        for number, (atom, origin) in known
        if number in used
    )
    others = "; ".join(
        f"[{number}] {plain(fact(atom))}"
        for number, (atom, origin) in known
        if origin.chosen and number not in used
    )
    rest = f'<p class="u">not needed: {others}</p>' if others else ""
    refuted = _refuted(branch.proof, branch.facts)
    return f'<ul class="facts">{lines}</ul>{refuted}', rest


def _used(proof: Any) -> set[int]:
    if isinstance(proof, dict):
        return _used(proof["yes"]) | _used(proof["no"])
    return {number for _, *numbers in proof for number in numbers}


def _refuted(proof: Any, facts: list[Atom]) -> str:
    """A combination as a sum with its value, or both cases of a split."""
    if isinstance(proof, list):
        return f"<p>{plain(_sum(proof, facts))}</p>"
    term = _polynomial(proof["split"])
    below = add(add({}, term, -1), constant(1), -1)
    cases = ""
    for word, case, part in (("either", "yes", term), ("or", "no", below)):
        known = ("ge", part)
        cases += (
            f"<li>{word} <b>[{len(facts)}]</b> {plain(fact(known))}"
            f"{_refuted(proof[case], [*facts, known])}</li>"
        )
    return f'<ul class="split">{cases}</ul>'


def _polynomial(text: str) -> Poly:
    """A polynomial of an accepted certificate, whose names are all known."""
    return checker.parse(text, re.findall(r"[A-Za-z][A-Za-z0-9_]*", text))


def _sum(proof: list[Any], facts: list[Atom]) -> str:
    """A combination of facts, and the negative number that it comes to."""
    text, total = "", constant(0)
    for coefficient, *numbers in proof:
        value = _polynomial(str(coefficient))
        factor = pretty(written(value))
        negative = len(value) == 1 and factor.startswith("−")
        if len(value) > 1:
            factor = f"({factor})"
        factors = [factor.removeprefix("−")] + [f"[{number}]" for number in numbers]
        sign = (" − " if text else "−") if negative else (" + " if text else "")
        text += sign + "·".join(factors[1:] if factors[0] == "1" else factors)
        for number in numbers:
            value = multiply(value, facts[number][1])
        total = add(total, value)
    return f"{text} = {pretty(written(total))}"
