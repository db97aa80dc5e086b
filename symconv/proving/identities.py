"""Theorems that are polynomial identities, decided in a ring; and claims that are none."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product
from typing import Any

import sympy

from symconv.proving.boxes import order
from symconv.proving.theorem import ALL_SIZES, ALL_VALUES, NO_SCOPE, Decision, Theorem
from symconv.verdict import PROVED, UNDECIDED, Verdict, proved, refuted, undecided

__all__ = ["identity", "no_claim"]

#: Pairs that must be equal as polynomials.
Pairs = Callable[[], Iterable[tuple[Any, Any]]]

#: Counterexamples to false identities are searched among integers of this magnitude.
BOUND = 3
#: … and at most so many of them at once; beyond that the difference itself is the counterexample.
MAX_TRIED = 200_000


@dataclass(frozen=True)
class Identity:
    """Pairs of polynomials over the rationals, each pair equal; and pairs of a near miss."""

    pairs: Pairs
    near: Pairs
    scope: str
    name = "ring identity"

    def decide(self, theorem: Theorem) -> Decision:
        verdict = self._judged(self.pairs)
        return Decision(verdict, self._judged(self.near) if verdict.status == PROVED else None)

    def _judged(self, pairs: Pairs) -> Verdict:
        count = 0
        for left, right in pairs():
            count += 1
            one, other = (sympy.sympify(side, strict=True) for side in (left, right))
            if one.has(sympy.Float) or other.has(sympy.Float):
                return undecided(self.scope, f"{left} = {right} has floats")
            difference = one - other
            # A number is a polynomial in a symbol that does not occur.
            names = sorted(difference.free_symbols, key=str) or [sympy.Dummy()]
            try:
                polynomial = sympy.Poly(difference, *names, domain=sympy.QQ)
            except (sympy.PolynomialError, sympy.CoercionFailed) as error:
                return undecided(self.scope, f"{difference} is no polynomial over ℚ: {error}")
            if not polynomial.is_zero:
                return refuted(self.scope, _smallest(polynomial), "polynomials differ")
        if not count:
            return undecided(self.scope, "there is nothing to compare")
        return proved(self.scope, f"{count} polynomials agree")


def _smallest(polynomial: sympy.Poly) -> dict[str, Any]:
    """The smallest integers at which a polynomial does not vanish."""
    names = polynomial.gens
    if polynomial.is_ground:
        return {"difference": polynomial.as_expr()}
    for bound in range(BOUND + 1):
        ranges = [
            range(1 if name.is_positive else 0 if name.is_nonnegative else -bound, bound + 1)
            for name in names
        ]
        if math.prod(map(len, ranges)) > MAX_TRIED:
            break
        for value in sorted(product(*ranges), key=order):
            if polynomial(*value) != 0:
                return dict(zip(map(str, names), value, strict=True))
    return {"difference": polynomial.as_expr()}


@dataclass(frozen=True)
class NoClaim:
    """Words that state nothing mathematical, and why."""

    reason: str
    name = "no claim"
    scope = NO_SCOPE

    def decide(self, theorem: Theorem) -> Decision:
        return Decision(undecided(self.scope, self.reason))


def identity(
    identifier: str, *, near: Pairs, sizes: bool = False, **described: Any
) -> Callable[[Pairs], Theorem]:
    """Declare pairs of polynomials over ℚ that must agree, and pairs of which one must not.

    Parameters
    ----------
    identifier : str
    near : callable
        The near miss's pairs.
    sizes : bool
        Whether the symbols are sizes (then it holds for all sizes), not weights and inputs.
    **described
        The attributes of `Theorem`.
    """

    def declare(pairs: Pairs) -> Theorem:
        method = Identity(pairs, near, ALL_SIZES if sizes else ALL_VALUES)
        return Theorem(identifier, method=method, definition=pairs, **described)

    return declare


def no_claim(identifier: str, *, reason: str, **described: Any) -> Theorem:
    """Declare words of a source that are no mathematical claim."""
    return Theorem(
        identifier,
        method=NoClaim(reason),
        expected=UNDECIDED,
        concludes="words",
        **described,
    )
