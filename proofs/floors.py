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
x = sympy.Symbol("x", real=True)

KNUTH = "D. E. Knuth, The Art of Computer Programming, volume 1 (3rd ed., 1997), section 1.2.4"


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
    source=KNUTH,
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
    source=KNUTH + ", exercise 35; the sizes of layers one after the other",
    near_miss="without the factor m on c",
    concludes="values",
    corollary_of="quotients.nested",
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
    source=KNUTH,
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


def _value(form: Form, at: int) -> int:
    a, c, m, sign, b = form
    return sign * ((a * at + c) // m) + b * at


def _equal(one: Form, other: Form) -> bool:
    """Whether two forms agree for every n: each grows by a constant over the common period."""
    period = lcm(one[2], other[2])
    return all(_value(one, at) == _value(other, at) for at in range(period + 1))


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


@all_values(
    "floors.added",
    box={"form": FORMS},
    words="The canonical form of ±⌊(a·n + c)/m⌋ + b·n, written (a, c, m, ±1, b), agrees with it "
    "for every integer n, and its floors are added, never subtracted: −⌊x/m⌋ = ⌊(m − 1 − x)/m⌋ for "
    "integers x.",
    latex=r"-\left\lfloor\frac{x}{m}\right\rfloor = \left\lceil\frac{-x}{m}\right\rceil = "
    r"\left\lfloor\frac{m-1-x}{m}\right\rfloor",
    source=KNUTH,
    near_miss="−⌊x/m⌋ = ⌊−x/m⌋",
    concludes="values",
)
def added(form: Form) -> bool:
    a, _, m, sign, b = form
    opened = sympy.expand(_canonical(form))
    agrees = all(
        _is(opened.subs(n, m * q + r), (sign * a + m * b) * q + _value(form, r)) for r in range(m)
    )
    return agrees and all(opened.coeff(floor) > 0 for floor in opened.atoms(sympy.floor))


@added.near_miss_claim()
def _(form: Form) -> bool:
    a, c, m, sign, b = form
    near = floor_quotient(sign * (a * n + c), m) + b * n
    return bool(_canonical(form) == canonical(near))


@exhaustive(
    "floors.left-alone",
    box={"a": (1, 2), "c": range(-2, 3), "m": range(1, 4), "value": range(-4, 5)},
    words="What has no canonical form keeps its value: a floor of halves (a·n/2 + c)/m, of a real "
    "symbol at quarters, (a·x + c)/m, and a subtracted floor whose divisor is a symbol; what has "
    "no floor comes back unchanged.",
    latex=r"\left\lfloor\frac{a n/2+c}{m}\right\rfloor,\quad "
    r"\left\lfloor\frac{a x+c}{m}\right\rfloor,\quad -\left\lfloor\frac{a n+c}{s}\right\rfloor",
    source="symconv",
    near_miss="halves are rounded before the division",
    concludes="values",
)
def left_alone(a: int, c: int, m: int, value: int) -> bool:
    halves, real, symbolic = _unchanged(a, c, m)
    product = (x + a) * (x + c)
    return (
        bool(halves.subs(n, value) == (a * value + 2 * c) // (2 * m))
        and bool(real.subs(x, sympy.Rational(value, 4)) == (a * value + 4 * c) // (4 * m))
        and bool(symbolic.subs({n: value, s: m}) == -((a * value + c) // m))
        and bool(canonical(product) == product)
        and canonical(c) is c
    )


@left_alone.near_miss_claim()
def _(a: int, c: int, m: int, value: int) -> bool:
    halves, _, _ = _unchanged(a, c, m)
    return bool(halves.subs(n, value) == (-(-a * value // 2) + c) // m)


@cache
def _unchanged(a: int, c: int, m: int) -> tuple[Any, Any, Any]:
    return (
        floor_quotient(sympy.Rational(a, 2) * n + c, m),
        floor_quotient(a * x + c, m),
        canonical(-sympy.floor((a * n + c) / s)),
    )
