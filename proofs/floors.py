"""Floors in canonical form: the rewriting of `symconv.shapes`, for every integer in them."""

from __future__ import annotations

from functools import cache
from math import lcm
from typing import Any

import sympy

from symconv.proving import all_values, exhaustive
from symconv.shapes import canonical, floor_quotient

n, q = sympy.symbols("n q", integer=True)
s = sympy.Symbol("s", integer=True, positive=True)

GRAHAM = (
    "R. L. Graham, D. E. Knuth, O. Patashnik, Concrete Mathematics (2nd ed., 1994), section 3.2"
)


def _is(expression: Any, value: Any) -> bool:
    """Whether an expression in q is the polynomial that it should be, floors all gone."""
    difference = sympy.expand(expression - value)
    return not difference.has(sympy.floor) and sympy.Poly(difference, q).is_zero


@all_values(
    "floors.quotient",
    box={"a": range(-3, 4), "c": range(-3, 4), "m": range(1, 5)},
    words="floor_quotient(a·n + c, m) is ⌊(a·n + c)/m⌋ for every integer n: with n = m·q + r it is "
    "the polynomial a·q + ⌊(a·r + c)/m⌋ in q, for each remainder r.",
    latex=r"n = m\,q+r \;\Rightarrow\; \left\lfloor\frac{a\,n+c}{m}\right\rfloor = "
    r"a\,q+\left\lfloor\frac{a\,r+c}{m}\right\rfloor",
    source=GRAHAM + ", equation 3.6",
    near_miss="the floor of a sum is the sum of the floors",
    concludes="values",
)
def quotient(a: int, c: int, m: int) -> bool:
    form = floor_quotient(a * n + c, m)
    return all(_is(form.subs(n, m * q + r), a * q + (a * r + c) // m) for r in range(m))


@quotient.near_miss_claim()
def _(a: int, c: int, m: int) -> bool:
    form = floor_quotient(a * n + c, m)
    return all(_is(form.subs(n, m * q + r), a * q + (a * r) // m + c // m) for r in range(m))


@all_values(
    "floors.nested",
    box={"a": (1, 2), "b": range(-1, 2), "m": range(1, 4), "c": range(-1, 2), "k": range(1, 4)},
    words="A floor of a floor is one floor: floor_quotient makes ⌊(⌊(a·n + b)/m⌋ + c)/k⌋ a single "
    "floor that agrees with it for every integer n.",
    latex=r"\left\lfloor\frac{\lfloor (a n+b)/m\rfloor+c}{k}\right\rfloor = "
    r"\left\lfloor\frac{a\,n+b+c\,m}{m\,k}\right\rfloor",
    source=GRAHAM + ", equation 3.11; the sizes of layers one after the other",
    near_miss="without the factor m on c",
    concludes="values",
)
def nested(a: int, b: int, m: int, c: int, k: int) -> bool:
    form = floor_quotient(floor_quotient(a * n + b, m) + c, k)
    step = m * k
    return len(form.atoms(sympy.floor)) <= 1 and all(
        _is(form.subs(n, step * q + r), a * q + ((a * r + b) // m + c) // k) for r in range(step)
    )


@nested.near_miss_claim()
def _(a: int, b: int, m: int, c: int, k: int) -> bool:
    form = floor_quotient(floor_quotient(a * n + b, m) + c, k)
    step = m * k
    return all(
        _is(form.subs(n, step * q + r), a * q + (a * r + b + c) // step) for r in range(step)
    )


@exhaustive(
    "floors.symbolic-divisor",
    box={
        "u": range(-1, 3),
        "v": range(2),
        "c": range(-1, 3),
        "g": (1, 2),
        "divisor": range(1, 4),
        "value": range(-1, 2),
    },
    words="With a divisor g·s whose s is a symbol, whole multiples of the divisor leave the floor "
    "and nothing else does: floor_quotient(u·n·s + v·n + c, g·s) has the right value at every "
    "n and s, and for g = 1 it is u·n + ⌊(v·n + c)/s⌋.",
    latex=r"\left\lfloor\frac{u\,n\,s+v\,n+c}{g\,s}\right\rfloor,\qquad "
    r"\left\lfloor\frac{u\,n\,s+v\,n+c}{s}\right\rfloor = "
    r"u\,n+\left\lfloor\frac{v\,n+c}{s}\right\rfloor",
    source=GRAHAM + ", equation 3.6",
    near_miss="a fraction u·n/g leaves the floor too",
    concludes="values",
)
def symbolic_divisor(u: int, v: int, c: int, g: int, divisor: int, value: int) -> bool:
    form = _by_symbol(u, v, c, g)
    right = (u * value * divisor + v * value + c) // (g * divisor)
    whole = g > 1 or form == u * n + sympy.floor((v * n + c) / s)
    return whole and bool(form.subs({s: divisor, n: value}) == right)


@symbolic_divisor.near_miss_claim()
def _(u: int, v: int, c: int, g: int, divisor: int, value: int) -> bool:
    form = _by_symbol(u, v, c, g)
    right = sympy.Rational(u * value, g) + (v * value + c) // (g * divisor)
    return bool(form.subs({s: divisor, n: value}) == right)


@cache
def _by_symbol(u: int, v: int, c: int, g: int) -> Any:
    return floor_quotient(u * n * s + v * n + c, g * s)


#: One floor, added or subtracted, with a multiple of n beside it: (a, c, m, sign, b) is
#: sign·⌊(a·n + c)/m⌋ + b·n.
Form = tuple[int, int, int, int, int]

FLOORS = (
    *((1, 0, 1), (1, 0, 2), (1, 1, 2), (1, -1, 2), (-1, 0, 2), (3, 1, 2), (2, 0, 4), (2, 1, 4)),
    *((1, 2, 4), (1, 0, 3), (1, -2, 3), (2, 0, 3), (2, 2, 3), (-2, -1, 3), (4, 3, 6)),
)
FORMS = [(a, c, m, sign, b) for a, c, m in FLOORS for sign in (1, -1) for b in (-1, 0, 1)]


@cache
def _expression(form: Form) -> Any:
    a, c, m, sign, b = form
    return sign * sympy.floor((a * n + c) / sympy.Integer(m)) + b * n


def _value(form: Form, x: int) -> int:
    a, c, m, sign, b = form
    return sign * ((a * x + c) // m) + b * x


def _equal(one: Form, other: Form) -> bool:
    """Whether two forms agree for every n: each grows by a constant over the common period."""
    period = lcm(one[2], other[2])
    return all(_value(one, x) == _value(other, x) for x in range(period + 1))


@cache
def _canonical(form: Form) -> Any:
    return canonical(_expression(form))


@all_values(
    "floors.canonical",
    box={"one": FORMS, "other": FORMS},
    words="Two forms ±⌊(a·n + c)/m⌋ + b·n, written (a, c, m, ±1, b), that are equal for every "
    "integer n have one canonical form, and two that are not have two.",
    latex=r"\forall n\;\; f(n)=g(n) \iff \mathrm{canonical}(f) \equiv \mathrm{canonical}(g)",
    source="symconv",
    near_miss="SymPy's own floors, without the rewriting, are alike as well",
    concludes="values",
)
def canonical_form(one: Form, other: Form) -> bool:
    return bool(_canonical(one) == _canonical(other)) == _equal(one, other)


@canonical_form.near_miss_claim()
def _(one: Form, other: Form) -> bool:
    return bool(_expression(one) == _expression(other)) == _equal(one, other)
