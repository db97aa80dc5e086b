"""The checker of certificates: one file, the standard library alone, nothing trusted.

A certificate is a JSON document: integer variables, then steps that are followed in order.

- ``{"assume": F}``: from here on F holds (a hypothesis).
- ``{"define": [q, r], "dividend": a, "divisor": m, "proofs": P}``: new q and r with a = m·q + r and
  0 ≤ r < m. P shows m ≥ 1, so that they exist and are the only ones.
- ``{"show": F, "proofs": P}``: F follows from all before it, and may be used after it.
- ``{"fork": F, "true": steps, "false": steps}``: both cases, at the end of a list of steps.
- ``{"impossible": true, "proofs": P}``: the facts so far contradict each other; at the end.

A formula F is a comparison of two polynomials, "s*o + d*k - p >= 0", or ``{"all": [F, …]}``,
``{"any": [F, …]}``, ``{"not": F}``, ``{"if": [F, F]}``, ``{"iff": [F, F]}``. To show F, its
negation is added to the facts, the whole is written as branches (a disjunction of conjunctions of
a ≥ 0 and a = 0), and P refutes each branch. A refutation is a list ``[[c, i, j, …], …]``: the sum
of c·fact i·fact j·… is, as a polynomial, a negative number. c is a positive integer, or any
polynomial when one of the facts is an equation. ``{"split": a, "yes": P, "no": P}`` refutes
both a ≥ 0 and a ≤ −1. Witnesses satisfy the assumptions and make every conclusion, and the left
side of each "if" and "iff" in it, true: a theorem about nothing is rejected.

Usage: ``python -I -S checker.py CERTIFICATE.json …``
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from typing import Any

__all__ = ["Rejected", "check", "check_file", "main", "parse"]

#: A sorted tuple of names, with repetition, → its coefficient.
Poly = dict[tuple[str, ...], int]
#: ("ge", a) is a ≥ 0; ("eq", a) is a = 0.
Atom = tuple[str, Poly]

MAX_BYTES = 500_000
MAX_TEXT = 2_000
MAX_DIGITS = 60
MAX_DEPTH = 40
MAX_DEGREE = 16
MAX_TERMS = 2_000
MAX_BRANCHES = 1_024
MAX_FACTS = 1_000
MAX_FACTORS = 4
MAX_WITNESSES = 50

_THEOREM = re.compile(r"[A-Za-z0-9._-]{1,120}\Z")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,40}\Z")
_TOKEN = re.compile(r"\s*(?:([0-9]+)|([A-Za-z][A-Za-z0-9_]*)|([-+*()]))")
_COMPARISON = re.compile(r"([^<>=!]*)(>=|<=|==|!=|<|>)([^<>=!]*)\Z")
_OPPOSITE = {">=": "<", "<": ">=", "<=": ">", ">": "<=", "==": "!=", "!=": "=="}


class Rejected(ValueError):  # noqa: N818 - the verdict's own name
    """The certificate proves nothing, and why."""


def _brief(value: Any) -> str:
    """A value in a message: one line, and of what may be nested endlessly its type alone."""
    return ascii(value)[:60] if isinstance(value, (str, int)) else type(value).__name__


def add(one: Poly, other: Poly, scale: int = 1) -> Poly:
    """The sum one + scale·other."""
    total = dict(one)
    for monomial, coefficient in other.items():
        value = total.get(monomial, 0) + scale * coefficient
        if value:
            total[monomial] = value
        else:
            total.pop(monomial, None)
    return total


def multiply(one: Poly, other: Poly) -> Poly:
    """The product, within the limits on terms and degree."""
    if len(one) * len(other) > MAX_TERMS:
        raise Rejected(f"a product has more than {MAX_TERMS} terms")
    total: Poly = {}
    for (left, a), (right, b) in product(one.items(), other.items()):
        monomial = tuple(sorted(left + right))
        if len(monomial) > MAX_DEGREE:
            raise Rejected(f"a product has a degree above {MAX_DEGREE}")
        value = total.get(monomial, 0) + a * b
        if value:
            total[monomial] = value
        else:
            total.pop(monomial, None)
    return total


def constant(number: int) -> Poly:
    """A number as a polynomial."""
    return {(): number} if number else {}


def parse(text: Any, known: Iterable[str]) -> Poly:
    """Read sums and products of integers and known names; nothing else is a polynomial."""
    if not isinstance(text, str) or len(text) > MAX_TEXT:
        raise Rejected(f"a polynomial must be a text of at most {MAX_TEXT} characters")
    tokens: list[str] = []
    place = 0
    end = len(text.rstrip())
    while place < end:
        match = _TOKEN.match(text, place)
        if match is None:
            raise Rejected(f"{_brief(text[place : place + 12])} is no part of a polynomial")
        tokens.append(match.group().strip())
        place = match.end()
    tokens.append("")
    names = frozenset(known)
    at = 0

    def sum_of(depth: int) -> Poly:
        nonlocal at
        total = product_of(depth)
        while tokens[at] in ("+", "-"):
            sign = 1 if tokens[at] == "+" else -1
            at += 1
            total = add(total, product_of(depth), sign)
        return total

    def product_of(depth: int) -> Poly:
        nonlocal at
        total = factor(depth)
        while tokens[at] == "*":
            at += 1
            total = multiply(total, factor(depth))
        return total

    def factor(depth: int) -> Poly:
        nonlocal at
        part = tokens[at]
        at += 1
        if depth > MAX_DEPTH:
            raise Rejected(f"parentheses are nested deeper than {MAX_DEPTH}")
        if part == "-":
            return add({}, factor(depth + 1), -1)
        if part == "(":
            inner = sum_of(depth + 1)
            if tokens[at] != ")":
                raise Rejected(f"a parenthesis is not closed in {_brief(text)}")
            at += 1
            return inner
        if part.isdigit():
            if len(part) > MAX_DIGITS:
                raise Rejected(f"a number has more than {MAX_DIGITS} digits")
            return constant(int(part))
        if part in names:
            return {(part,): 1}
        raise Rejected(f"{part[:41]!r} is not a known name in {_brief(text)}")

    result = sum_of(0)
    if tokens[at]:
        raise Rejected(f"{tokens[at][:41]!r} is out of place in {_brief(text)}")
    return result


def comparison(text: Any, known: Iterable[str]) -> tuple[str, Poly]:
    """A comparison as (operator, left − right)."""
    match = _COMPARISON.match(text) if isinstance(text, str) and len(text) <= MAX_TEXT else None
    if match is None:
        raise Rejected(f"{_brief(text)} is no comparison of two polynomials")
    left, operator, right = match.groups()
    return operator, add(parse(left, known), parse(right, known), -1)


def _atoms(operator: str, a: Poly) -> list[list[Atom]]:
    one = constant(1)
    minus = add({}, a, -1)
    return {
        ">=": [[("ge", a)]],
        "<=": [[("ge", minus)]],
        ">": [[("ge", add(a, one, -1))]],
        "<": [[("ge", add(minus, one, -1))]],
        "==": [[("eq", a)]],
        "!=": [[("ge", add(a, one, -1))], [("ge", add(minus, one, -1))]],
    }[operator]


def _node(formula: Any) -> tuple[str, list[Any]]:
    """The connective of a formula and its parts; ("", []) for a comparison."""
    if isinstance(formula, str):
        return "", []
    if not isinstance(formula, dict) or len(formula) != 1:
        raise Rejected(f"{_brief(formula)} is no formula")
    ((kind, parts),) = formula.items()
    if kind == "not":
        parts = [parts]
    lengths = {"all": None, "any": None, "not": 1, "if": 2, "iff": 2}
    if kind not in lengths or not isinstance(parts, list) or not parts:
        raise Rejected(f"{_brief(kind)} with {_brief(parts)} is no formula")
    if lengths[kind] not in (None, len(parts)):
        raise Rejected(f"{kind!r} has {len(parts)} parts")
    return kind, parts


def joined(one: list[list[Atom]], other: list[list[Atom]]) -> list[list[Atom]]:
    if len(one) * len(other) > MAX_BRANCHES:
        raise Rejected(f"a formula has more than {MAX_BRANCHES} branches")
    result = [a + b for a in one for b in other]
    if any(len(facts) > MAX_FACTS for facts in result):
        raise Rejected(f"a branch has more than {MAX_FACTS} facts")
    return result


def branches(  # noqa: PLR0911 - one return a connective
    formula: Any, known: Iterable[str], holds: bool = True, depth: int = 0
) -> list[list[Atom]]:
    """A formula, or its negation, as a disjunction of conjunctions of atoms."""
    if depth > MAX_DEPTH:
        raise Rejected(f"a formula is nested deeper than {MAX_DEPTH}")
    kind, parts = _node(formula)
    if not kind:
        operator, a = comparison(formula, known)
        return _atoms(operator if holds else _OPPOSITE[operator], a)

    def below(part: Any, truth: bool) -> list[list[Atom]]:
        return branches(part, known, truth, depth + 1)

    if kind == "not":
        return below(parts[0], not holds)
    if kind == "if":
        left, right = parts
        if holds:
            return below(left, False) + below(right, True)
        return joined(below(left, True), below(right, False))
    if kind == "iff":
        left, right = parts
        return joined(below(left, True), below(right, holds)) + joined(
            below(left, False), below(right, not holds)
        )
    if (kind == "all") == holds:
        result: list[list[Atom]] = [[]]
        for part in parts:
            result = joined(result, below(part, holds))
        return result
    result = [branch for part in parts for branch in below(part, holds)]
    if len(result) > MAX_BRANCHES:
        raise Rejected(f"a formula has more than {MAX_BRANCHES} branches")
    return result


def refute(facts: Sequence[Atom], proof: Any, known: Iterable[str], depth: int = 0) -> int:
    """Check that `proof` refutes the conjunction of `facts`; the number of products used."""
    if depth > MAX_DEPTH:
        raise Rejected(f"splits are nested deeper than {MAX_DEPTH}")
    if isinstance(proof, dict):
        if set(proof) != {"split", "yes", "no"}:
            raise Rejected("a split has exactly the keys split, yes and no")
        a = parse(proof["split"], known)
        below = add(add({}, a, -1), constant(1), -1)
        return sum(
            refute([*facts, ("ge", part)], proof[case], known, depth + 1)
            for case, part in (("yes", a), ("no", below))
        )
    if not isinstance(proof, list) or not proof:
        raise Rejected("a branch has no refutation")
    total: Poly = {}
    for entry in proof:
        if not isinstance(entry, list) or not 1 <= len(entry) - 1 <= MAX_FACTORS:
            raise Rejected(f"each product is a coefficient and 1 to {MAX_FACTORS} facts")
        coefficient, *places = entry
        if any(type(i) is not int or not 0 <= i < len(facts) for i in places):
            raise Rejected(f"a product names a fact that is none of the {len(facts)}")
        used = [facts[i] for i in places]
        if type(coefficient) is int and 0 < coefficient < 10**MAX_DIGITS:
            term = constant(coefficient)
        elif isinstance(coefficient, str) and any(kind == "eq" for kind, _ in used):
            term = parse(coefficient, known)
        else:
            raise Rejected(
                f"the coefficient {_brief(coefficient)} must be a positive integer, or a "
                f"polynomial beside an equation"
            )
        for _, a in used:
            term = multiply(term, a)
        total = add(total, term)
    if set(total) != {()} or total[()] >= 0:
        raise Rejected("a combination does not come to a negative number")
    return len(proof)


class Run:
    """One path through the steps: its facts as branches, its names, its witnesses."""

    def __init__(self, names: list[str], witnesses: list[dict[str, int]]) -> None:
        self.names = names
        self.witnesses = witnesses
        self.branches: list[list[Atom]] = [[]]
        self.products = 0
        self.shown = 0

    def forked(self, formula: Any, holds: bool) -> Run:
        # First as branches, which refuses what is nested too deep.
        facts = joined(self.branches, branches(formula, self.names, holds))
        chosen = [w for w in self.witnesses if true_at(formula, w) == holds]
        run = type(self)(list(self.names), [dict(w) for w in chosen])
        run.branches = facts
        return run

    def enter(self, steps: list[Any]) -> None:
        """Called where the steps of a fork begin; for those who find proofs."""

    def know(self, formula: Any) -> None:
        self.branches = joined(self.branches, branches(formula, self.names))

    def prove(self, negated: list[list[Atom]], proofs: Any) -> None:
        cases = joined(self.branches, negated)
        if not isinstance(proofs, list) or len(proofs) != len(cases):
            found = len(proofs) if isinstance(proofs, list) else "no"
            raise Rejected(f"{len(cases)} branches need a refutation each, there are {found}")
        for facts, proof in zip(cases, proofs, strict=True):
            self.products += refute(facts, proof, self.names)

    def define(self, step: dict[str, Any]) -> None:
        pair = step["define"]
        if not isinstance(pair, list) or len(pair) != 2 or pair[0] == pair[1]:
            raise Rejected("a definition has two new names")
        for name in pair:
            if not isinstance(name, str) or not _NAME.match(name) or name in self.names:
                raise Rejected(f"{_brief(name)} is not a new name")
        dividend = parse(step["dividend"], self.names)
        divisor = parse(step["divisor"], self.names)
        self.prove([[("ge", add({}, divisor, -1))]], step["proofs"])
        q, r = pair
        self.names = [*self.names, q, r]
        quotient: Poly = {(q,): 1}
        remainder: Poly = {(r,): 1}
        whole = add(multiply(divisor, quotient), remainder)
        facts: list[Atom] = [
            ("eq", add(dividend, whole, -1)),
            ("ge", remainder),
            ("ge", add(add(divisor, remainder, -1), constant(1), -1)),
        ]
        self.branches = [branch + facts for branch in self.branches]
        for witness in self.witnesses:
            witness[q], witness[r] = divmod(value_at(dividend, witness), value_at(divisor, witness))


def value_at(a: Poly, values: Mapping[str, int]) -> int:
    """The value of a polynomial."""
    total = 0
    for monomial, coefficient in a.items():
        value = coefficient
        for name in monomial:
            value *= values[name]
        total += value
    return total


def compares(operator: str, value: int) -> bool:
    """Whether a number compares with 0 as the operator says."""
    return {
        ">=": value >= 0,
        "<=": value <= 0,
        ">": value > 0,
        "<": value < 0,
        "==": value == 0,
        "!=": value != 0,
    }[operator]


def true_at(formula: Any, values: Mapping[str, int]) -> bool:
    """Whether a formula holds for these values."""
    kind, parts = _node(formula)
    if not kind:
        operator, a = comparison(formula, values)
        return compares(operator, value_at(a, values))
    tests: dict[str, Callable[[], bool]] = {
        "not": lambda: not true_at(parts[0], values),
        "all": lambda: all(true_at(part, values) for part in parts),
        "any": lambda: any(true_at(part, values) for part in parts),
        "if": lambda: not true_at(parts[0], values) or true_at(parts[1], values),
        "iff": lambda: true_at(parts[0], values) == true_at(parts[1], values),
    }
    return tests[kind]()


def conditions(formula: Any) -> list[Any]:
    """What must be true somewhere for a conclusion to say something."""
    kind, parts = _node(formula)
    if kind == "all":
        return [condition for part in parts for condition in conditions(part)]
    if kind == "if" and (inner := conditions(parts[1])) != [parts[1]]:
        return [{"all": [parts[0], condition]} for condition in inner]
    return [parts[0]] if kind in ("if", "iff") else [formula]


def _keys(step: Any, *names: str) -> None:
    if set(step) != set(names):
        found = sorted(map(str, step))
        raise Rejected(f"a step has the keys {ascii(found)[:80]}, not {sorted(names)}")


def follow(run: Run, steps: Any, depth: int = 0) -> tuple[int, int]:
    """Follow the steps to every end; the numbers of conclusions and of products."""
    if not isinstance(steps, list) or not steps or depth > MAX_DEPTH:
        raise Rejected("steps must be a list that is not empty, in forks that are not too deep")
    *before, last = steps
    for number, step in enumerate(steps):
        if not isinstance(step, dict):
            raise Rejected("a step must be an object")
        if "assume" in step:
            _keys(step, "assume")
            run.know(step["assume"])
            if not all(true_at(step["assume"], witness) for witness in run.witnesses):
                raise Rejected("a witness does not satisfy the assumptions")
        elif "define" in step:
            _keys(step, "define", "dividend", "divisor", "proofs")
            run.define(step)
        elif "show" in step:
            _keys(step, "show", "proofs")
            _show(run, step)
        elif number == len(before):
            return _finish(run, last, depth)
        else:
            raise Rejected("a fork or a contradiction stands at the end of its steps")
    if not run.shown:
        raise Rejected("nothing is shown")
    return run.shown, run.products


def _show(run: Run, step: dict[str, Any]) -> None:
    formula = step["show"]
    run.prove(branches(formula, run.names, False), step["proofs"])
    for witness in run.witnesses:
        if not true_at(formula, witness):
            raise Rejected("a witness contradicts a conclusion")
    for condition in conditions(formula):
        if not any(true_at(condition, witness) for witness in run.witnesses):
            raise Rejected("no witness reaches a conclusion: it would be about nothing")
    run.know(formula)
    run.shown += 1


def _finish(run: Run, step: dict[str, Any], depth: int) -> tuple[int, int]:
    if "impossible" in step:
        _keys(step, "impossible", "proofs")
        if step["impossible"] is not True:
            raise Rejected("impossible is true or absent")
        run.prove([[]], step["proofs"])
        return run.shown, run.products
    _keys(step, "fork", "true", "false")
    shown, products = run.shown, run.products
    ends = 0
    for holds in (True, False):
        part = run.forked(step["fork"], holds)
        steps = step["true" if holds else "false"]
        part.enter(steps)
        counts = follow(part, steps, depth + 1)
        ends += counts[0]
        products += counts[1]
    if not shown + ends:
        raise Rejected("nothing is shown")
    return shown + ends, products


def check(document: Any) -> dict[str, Any]:
    """Check a certificate; what it shows, or `Rejected`."""
    if not isinstance(document, dict):
        raise Rejected("a certificate must be an object")
    _keys(document, "format", "theorem", "variables", "steps", "witnesses")
    theorem, names, witnesses = (document[k] for k in ("theorem", "variables", "witnesses"))
    if document["format"] != "symconv certificate 1":
        raise Rejected("this is not a symconv certificate of format 1")
    if not isinstance(theorem, str) or not _THEOREM.match(theorem):
        raise Rejected("a theorem is named by letters, digits, dots and dashes")
    if not isinstance(names, list):
        raise Rejected("variables must be a list of different names")
    if not all(isinstance(name, str) and _NAME.match(name) for name in names):
        raise Rejected("a variable has no proper name")
    if len(set(names)) != len(names):
        raise Rejected("variables must be a list of different names")
    if not isinstance(witnesses, list) or not 1 <= len(witnesses) <= MAX_WITNESSES:
        raise Rejected(f"without 1 to {MAX_WITNESSES} witnesses a theorem may be about nothing")
    for witness in witnesses:
        if not isinstance(witness, dict) or set(witness) != set(names):
            raise Rejected("a witness gives each variable a value, and nothing else")
        if any(type(value) is not int or abs(value) > 10**6 for value in witness.values()):
            raise Rejected("a witness has values that are no small integers")
    shown, products = follow(Run(list(names), [dict(w) for w in witnesses]), document["steps"])
    if not shown:
        raise Rejected("nothing is shown")
    return {"theorem": theorem, "shown": shown, "products": products}


def _no_floats(text: str) -> Any:
    raise Rejected(f"{text[:20]} is not an integer")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise Rejected("a key stands twice in one object")
    return result


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS + 1:
        raise Rejected(f"a number has more than {MAX_DIGITS} digits")
    return int(text)


def read(data: bytes) -> Any:
    """The document in these bytes, without floats, repeated keys or endless nesting."""
    if len(data) > MAX_BYTES:
        raise Rejected(f"the certificate is longer than {MAX_BYTES} bytes")
    try:
        return json.loads(
            data.decode("utf-8"),
            parse_float=_no_floats,
            parse_constant=_no_floats,
            parse_int=_integer,
            object_pairs_hook=_once,
        )
    except RecursionError:
        raise Rejected("the certificate is nested too deep") from None
    except UnicodeDecodeError:
        raise Rejected("the certificate is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise Rejected(f"the certificate is not JSON: {error}") from None


def check_file(path: str) -> dict[str, Any]:
    """Check the certificate in a file."""
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Rejected(f"cannot read the certificate: {error.strerror}") from None
    return check(read(data))


def main(paths: Sequence[str]) -> int:
    """Check files; 0 when every one is a proof, 1 when one is not, 2 without files."""
    if not paths:
        print("usage: checker.py CERTIFICATE.json …", file=sys.stderr)
        return 2
    failures = 0
    for path in paths:
        try:
            found = check_file(path)
        except Rejected as error:
            failures += 1
            # Escaped, so that no name of a file can look like another line of this report.
            print(f"REJECTED {path}: {error}".encode("unicode_escape").decode())
        else:
            print(
                f"PROVED {found['theorem']}: {found['shown']} shown, {found['products']} products"
            )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
