"""Finding the proofs of a certificate, for those who write theorems; checking never needs it.

A refutation is a non-negative combination of products of facts that comes to −1 (Handelman,
Farkas): a linear program in the coefficients, one equation a monomial. SciPy's HiGHS proposes
which products to use, few of them; z3 solves for their coefficients over the rationals, exactly.
Where no combination of low degree exists, the terms hinted at are split by sign.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations, combinations_with_replacement
from typing import Any

import numpy as np
import scipy.optimize
import scipy.sparse

from symconv.errors import MissingExtraError
from symconv.proving import checker
from symconv.proving.boxes import SearchTooLargeError, witnesses
from symconv.proving.checker import Atom, Poly, Rejected, add, constant, multiply, parse
from symconv.proving.terms import written
from symconv.proving.tracing import Statement

__all__ = ["NotFoundError", "find"]

#: A product of facts: coefficient polynomial (1 for inequalities), facts, and its value.
Product = tuple[Poly, tuple[int, ...], Poly]

#: How deep cases are distinguished, and how large witnesses may be.
MAX_SPLITS = 3
WITNESS_BOUND = 8


class NotFoundError(Exception):
    """No proof was found; the statement may be false or need a hint."""


def find(identifier: str, statement: Statement, bound: int = WITNESS_BOUND) -> dict[str, Any]:
    """A certificate for a statement.

    Raises
    ------
    NotFoundError
        With the branch that resisted.
    MissingExtraError
        Without z3.
    """
    try:
        found = witnesses(statement, range(bound + 1))
    except SearchTooLargeError as error:
        raise NotFoundError(f"no witness: {error}") from None
    if not found:
        raise NotFoundError("no witness: the hypotheses may contradict each other")
    steps = _blank(statement.steps)
    run = _Finding(list(statement.variables), [dict(w) for w in found], statement.hints)
    try:
        checker.follow(run, steps)
    except Rejected as error:
        raise NotFoundError(str(error)) from None
    document = {
        "format": "symconv certificate 1",
        "theorem": identifier,
        "variables": statement.variables,
        "steps": steps,
        "witnesses": found,
    }
    checker.check(document)
    return document


def _blank(steps: list[Any]) -> list[Any]:
    """The steps with room for their proofs."""
    result = []
    for step in steps:
        if "fork" in step:
            sides = {case: _blank(step[case]) for case in ("true", "false")}
            result.append({**step, **sides})
        else:
            result.append(step if "assume" in step else {**step, "proofs": []})
    return result


class _Finding(checker.Run):
    """The checker's own walk, with every proof found where it would be checked."""

    def __init__(
        self, names: list[str], witnesses: list[dict[str, int]], hints: Sequence[str] = ()
    ) -> None:
        super().__init__(names, witnesses)
        self.hints = hints

    def forked(self, formula: Any, holds: bool) -> _Finding:
        run = super().forked(formula, holds)
        assert isinstance(run, _Finding)  # noqa: S101 - for the type checker
        run.hints = self.hints
        return run

    def enter(self, steps: list[Any]) -> None:
        """Replace steps that no witness reaches by a proof that nothing does."""
        if self.witnesses:
            return
        try:
            proofs = [self._refutation(facts) for facts in self.branches]
        except NotFoundError:
            return
        steps[:] = [{"impossible": True, "proofs": proofs}]

    def prove(self, negated: list[list[Atom]], proofs: Any) -> None:
        if not proofs:
            cases = checker.joined(self.branches, negated)
            proofs.extend(self._refutation(facts) for facts in cases)
        super().prove(negated, proofs)

    def _refutation(self, facts: Sequence[Atom]) -> Any:
        hints = []
        for hint in self.hints:
            try:
                hints.append(parse(hint, self.names))
            except Rejected:
                continue
        return _refutation(facts, hints, MAX_SPLITS)


def _suggested(facts: Sequence[Atom]) -> list[Poly]:
    """Terms whose sign often decides: quotients, differences and sums of two."""
    names = {name for _, a in facts for monomial in a for name in monomial}
    quotients: list[Poly] = [{(name,): 1} for name in sorted(names) if name.startswith("q_")]
    result = [part for q in quotients for part in (q, add(q, constant(1), -1))]
    for one, other in combinations(quotients, 2):
        total = add(one, other)
        result += [add(one, other, -1), total, add(total, constant(1))]
    return result


def _refutation(facts: Sequence[Atom], hints: Sequence[Poly], splits: int) -> Any:
    for degree in (1, 2):
        found = _combination(facts, degree)
        if found is not None:
            return found
    if splits:
        tried = [*hints, *(_suggested(facts) if splits > 1 else [])]
        for hint in tried:
            below = add(add({}, hint, -1), constant(1), -1)
            others = [part for part in hints if part is not hint]
            try:
                return {
                    "split": written(hint),
                    "yes": _refutation([*facts, ("ge", hint)], others, splits - 1),
                    "no": _refutation([*facts, ("ge", below)], others, splits - 1),
                }
            except NotFoundError:
                continue
    found = _combination(facts, 3)
    if found is not None:
        return found
    listed = "\n".join(
        f"  [{i}] {written(a)} {'>=' if kind == 'ge' else '=='} 0"
        for i, (kind, a) in enumerate(facts)
    )
    raise NotFoundError(f"no refutation of\n{listed}")


def _products(facts: Sequence[Atom], degree: int) -> Iterator[Product]:
    one = constant(1)
    inequalities = [i for i, (kind, a) in enumerate(facts) if kind == "ge" and set(a) != {()}]
    hopeless = [i for i, (kind, a) in enumerate(facts) if kind == "ge" and set(a) == {()}]
    names = sorted({name for _, a in facts for monomial in a for name in monomial})
    for i in hopeless:
        yield one, (i,), facts[i][1]
    for count in range(1, degree + 1):
        if count == 3 and len(inequalities) > 16:
            break
        for chosen in combinations_with_replacement(inequalities, count):
            value = one
            for i in chosen:
                value = multiply(value, facts[i][1])
            yield one, chosen, value
    for i, (kind, a) in enumerate(facts):
        if kind != "eq":
            continue
        for count in range(min(degree, 2) + 1):
            for monomial in combinations_with_replacement(names, count):
                yield {monomial: 1}, (i,), multiply({monomial: 1}, a)


def _combination(facts: Sequence[Atom], degree: int) -> list[Any] | None:
    products = list(_products(facts, degree))
    rows: dict[tuple[str, ...], int] = {(): 0}
    entries: list[tuple[int, int, int]] = []
    for column, (_, _, value) in enumerate(products):
        for monomial, coefficient in value.items():
            row = rows.setdefault(monomial, len(rows))
            entries.append((row, column, coefficient))
    free = [any(facts[i][0] == "eq" for i in chosen) for _, chosen, _ in products]
    support = _support(entries, len(rows), free)
    if support is None:
        return None
    coefficients = _exactly([products[i] for i in support], [free[i] for i in support])
    if coefficients is None:
        return None
    scale = math.lcm(*(q.denominator for q in coefficients))
    result = []
    gathered: dict[tuple[int, ...], Poly] = {}
    for i, value in zip(support, coefficients, strict=True):
        number = int(value * scale)
        multiplier, chosen, _ = products[i]
        if number and free[i]:
            gathered[chosen] = add(gathered.get(chosen, {}), multiplier, number)
        elif number:
            result.append([number, *chosen])
    return result + [[written(poly), *chosen] for chosen, poly in gathered.items() if poly]


def _support(
    entries: list[tuple[int, int, int]], n_rows: int, free: Sequence[bool]
) -> list[int] | None:
    """Few columns that a linear program finds to be enough."""
    row, column, value = (np.array(part, dtype=float) for part in zip(*entries, strict=True))
    signs = np.array(free)
    matrix = scipy.sparse.csr_array((value, (row, column)), shape=(n_rows, len(free)))
    # Free columns appear with both signs; sums of few and small coefficients are wanted.
    both = scipy.sparse.hstack([matrix, -matrix[:, np.flatnonzero(signs)]]).tocsc()
    target = np.zeros(n_rows)
    target[0] = -1
    solved = scipy.optimize.linprog(
        np.ones(both.shape[1]), A_eq=both, b_eq=target, bounds=(0, None), method="highs"
    )
    if solved.status != 0:
        return None
    used = solved.x > 1e-9
    chosen = np.flatnonzero(used[: len(free)]).tolist()
    extra = np.flatnonzero(signs)[np.flatnonzero(used[len(free) :])].tolist()
    return sorted(set(chosen) | set(extra))


def _exactly(products: Sequence[Product], free: Sequence[bool]) -> list[Any] | None:
    """Rational coefficients with which the products sum to −1, by z3."""
    try:
        import z3  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise MissingExtraError(
            'finding certificates needs z3: pip install "symconv[find]"; checking does not'
        ) from None
    solver = z3.SolverFor("QF_LRA")
    names = [z3.Real(f"c{i}") for i in range(len(products))]
    sums: dict[tuple[str, ...], Any] = {(): z3.RealVal(1)}
    for name, is_free, (_, _, value) in zip(names, free, products, strict=True):
        if not is_free:
            solver.add(name >= 0)
        for monomial, coefficient in value.items():
            sums[monomial] = sums.get(monomial, z3.RealVal(0)) + coefficient * name
    for total in sums.values():
        solver.add(total == 0)
    if solver.check() != z3.sat:
        return None
    model = solver.model()
    values = [model.eval(name, model_completion=True) for name in names]
    return [Fraction(v.numerator_as_long(), v.denominator_as_long()) for v in values]
