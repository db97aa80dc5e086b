"""What `symconv.shapes` makes of floors: one form for each, and what it leaves alone.

The rules that it rewrites by are in `quotients`; one unknown and one floor, in `floors`.
"""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import sympy

from symconv.errors import ParameterTypeError
from symconv.proving import exhaustive
from symconv.receptive import composed
from symconv.relation import AxisRelation
from symconv.shapes import canonical, floor_quotient

X, Y = sympy.symbols("x y", integer=True)
S, T = sympy.symbols("s t", integer=True, positive=True)
R = sympy.Symbol("r", real=True)


def is_reduced(floor: Any) -> bool:
    """Whether coefficients are in [0, 1) over one divisor, with no factor left to cancel."""
    (argument,) = floor.args
    terms = sympy.Poly(argument, X, Y).terms()
    varying = [part for powers, part in terms if any(powers)]
    divisor = math.lcm(*(part.q for part in varying))
    return all(0 <= part < 1 and divisor % part.q == 0 for _, part in terms)


@exhaustive(
    "forms.several",
    box={"a": (-3, 0, 1, 4), "b": (0, 2, 3), "c": (-1, 0, 3), "m": (1, 2, 6)},
    words="floor_quotient of a·x + b·y + c by m, x and y unknown integers, has the right value "
    "over a period of both, and holds at most one floor, which is reduced: every coefficient in "
    "it is at least 0 and below 1, and no factor is left to cancel.",
    latex=r"\left\lfloor\frac{ax+by+c}{m}\right\rfloor",
    source="symconv",
    near_miss="each part has a floor of its own",
    concludes="values",
)
def several(a: int, b: int, c: int, m: int) -> bool:
    form = floor_quotient(a * X + b * Y + c, m)
    floors = form.atoms(sympy.floor)
    return (
        len(floors) <= 1
        and all(map(is_reduced, floors))
        and all(
            form.subs({X: i, Y: j}) == (a * i + b * j + c) // m
            for i, j in product(range(m), repeat=2)
        )
    )


@several.near_miss_claim()
def _apart(a: int, b: int, c: int, m: int) -> bool:
    form = sum(floor_quotient(part, m) for part in (a * X, b * Y, sympy.Integer(c)))
    return bool(form.subs({X: 1, Y: 1}) == (a + b + c) // m)


@exhaustive(
    "forms.written-alike",
    box={"a": (1, 2, 4), "e": (-3, 5, 8), "c": (-2, 0, 3), "d": (2, 3), "m": (2, 4)},
    words="However its argument is written, floor_quotient gives the same expression, with the "
    "right value: a floor ⌊(a·x + e)/d⌋ + c over m, not reduced itself, as a·x + e + c·d over "
    "d·m (with a·x² + e·x for a·x + e too), and a product as the sum that it expands to. What "
    "stands around floors canonical multiplies out.",
    latex=r"\left\lfloor\frac{\lfloor (ax+e)/d\rfloor+c}{m}\right\rfloor\equiv "
    r"\left\lfloor\frac{ax+e+cd}{dm}\right\rfloor",
    source="symconv",
    near_miss="SymPy's own floors are written alike too",
    concludes="values",
)
def written_alike(a: int, e: int, c: int, d: int, m: int) -> bool:
    one = floor_quotient(a * X + e + c * d, d * m)
    nested = [(one, sympy.floor((a * X + e) / d))]
    square = sympy.floor((a * X**2 + e * X) / d)
    # SymPy takes whole parts out of a floor itself; only what it leaves is one floor.
    if isinstance(square, sympy.floor):
        nested.append((floor_quotient(a * X**2 + e * X + c * d, d * m), square))
    expanded, around = X**2 + (a + e) * X + a * e, sympy.floor(X / d)
    return (
        all(form == floor_quotient(inner + c, m) for form, inner in nested)
        and floor_quotient((X + a) * (X + e), m) == floor_quotient(expanded, m)
        and canonical(Y * (around + c)) == Y * around + c * Y
        and all(one.subs(X, i) == ((a * i + e) // d + c) // m for i in range(-d * m, d * m))
    )


@written_alike.near_miss_claim()
def _without_rewriting(a: int, e: int, c: int, d: int, m: int) -> bool:
    nested = sympy.floor((sympy.floor((a * X + e) / d) + c) / m)
    return bool(nested == sympy.floor((a * X + e + c * d) / (d * m)))


@exhaustive(
    "forms.subtracted-floors",
    box={"a": (1, 3), "c": (-1, 0, 2), "m": (2, 3), "k": (-3, -1, 2), "e": (0, 1, 4)},
    words="canonical makes of k·⌊(a·x + c)/m⌋ + ⌊(x + e)/m⌋ a sum of floors with positive whole "
    "coefficients, of the same value at every x, and leaves its own results alone.",
    latex=r"-k\left\lfloor\frac{ax+c}{m}\right\rfloor=k\left\lfloor\frac{m-1-ax-c}{m}\right\rfloor",
    source="symconv",
    near_miss="a floor that is subtracted has no other form",
    concludes="values",
)
def subtracted_floors(a: int, c: int, m: int, k: int, e: int) -> bool:
    plain = k * sympy.floor((a * X + c) / m) + sympy.floor((X + e) / m)
    form = canonical(plain)
    floors = form.atoms(sympy.floor)
    return (
        all(form.coeff(floor) > 0 and is_reduced(floor) for floor in floors)
        and canonical(form) == form
        and all(form.subs(X, i) == k * ((a * i + c) // m) + (i + e) // m for i in range(-m, m + 1))
    )


@subtracted_floors.near_miss_claim()
def _kept(a: int, c: int, m: int, k: int, e: int) -> bool:
    plain = floor_quotient(a * X + c, m)
    return bool(canonical(-plain) == -plain)


#: Quotients and expressions that the rules do not cover: they stay as SymPy writes them.
STAYS = (
    *(sympy.floor(R / 2), sympy.floor(X / 6 + R / 6), sympy.floor(sympy.sqrt(X) / 2)),
    *(sympy.floor(X / S), sympy.floor(X * Y / (S + T)), sympy.floor(sympy.floor(X / S) / 2)),
    *(sympy.floor(X / sympy.pi), sympy.floor(sympy.floor(X / sympy.pi) / 2)),
    sympy.floor((S * sympy.floor(X / 3) + 1) / S),
    *(-sympy.floor(X / S), -S * sympy.floor(X / 2), Y * sympy.floor(X / 2)),
    *(-sympy.floor(X / 2) / 2, -sympy.floor(X / sympy.pi)),
    *(sympy.floor(X / 2) * sympy.floor(X / 3), -(sympy.floor(X / 2) ** 2)),
    *(X**2 + 1, X / 2),
)


@exhaustive(
    "forms.left-alone",
    box={"expression": STAYS},
    words="What the rules do not cover canonical leaves alone: floors of what is not a polynomial "
    "with integer coefficients in integers over an integer or a product (x/π, √x, real r), whole "
    "parts that are floors themselves, subtracted floors by a symbol s, and floors that have a "
    "factor which is no integer.",
    latex=r"\mathrm{canonical}(f)\equiv f",
    source="symconv",
    near_miss="⌊(x + 3)/2⌋ and −⌊x/2⌋ are left alone",
    concludes="values",
)
def left_alone(expression: Any) -> bool:
    return bool(canonical(expression) == expression)


@left_alone.near_miss_claim(
    {"expression": (sympy.floor((X + 3) / 2), -sympy.floor(X / 2), sympy.floor(X / 2))}
)
def _rewritten_ones(expression: Any) -> bool:
    return bool(canonical(expression) == expression)


@exhaustive(
    "forms.other-divisors",
    box={"a": (-3, 1, 2), "c": (-2, 0, 1), "p": (1, 2, 3), "r": (1, 2)},
    words="A divisor may be a fraction p/r, or a product of symbols written unreduced: "
    "floor_quotient(a·x + c, p/r) has the value ⌊r(a·x + c)/p⌋, and of a·x·s + c by "
    "(s² + s)/(s + 1) it is a·x + ⌊c/s⌋.",
    latex=r"\left\lfloor\frac{ax+c}{p/r}\right\rfloor=\left\lfloor\frac{r(ax+c)}{p}\right\rfloor",
    source="symconv",
    near_miss="only the whole part of the divisor counts",
    concludes="values",
)
def other_divisors(a: int, c: int, p: int, r: int) -> bool:
    form = floor_quotient(a * X + c, sympy.Rational(p, r))
    unreduced = floor_quotient(a * X * S + c, (S**2 + S) / (S + 1))
    return all(form.subs(X, i) == r * (a * i + c) // p for i in range(-p, p + 1)) and all(
        unreduced.subs({X: 2, S: i}) == 2 * a + c // i and unreduced.coeff(X) == a
        for i in (1, 2, 3)
    )


@other_divisors.near_miss_claim()
def _whole_part(a: int, c: int, p: int, r: int) -> bool | None:
    if p < r:
        return None
    return bool(floor_quotient(a * X + c, sympy.Rational(p, r)).subs(X, 1) == (a + c) // (p // r))


def refused(numerator: Any, divisor: Any) -> bool:
    """Whether floor_quotient raises the error that it documents."""
    try:
        floor_quotient(numerator, divisor)
    except ParameterTypeError:
        return True
    return False


@exhaustive(
    "forms.texts-refused",
    box={"text": ("n", "4", "n + 1", "__import__('os')"), "other": (2, X, "2")},
    words="A text is refused as numerator and as divisor, and never evaluated.",
    latex=r"\text{floor\_quotient}(\text{text},\cdot)\text{ raises ParameterTypeError}",
    source="symconv",
    near_miss="numbers are refused as well",
    concludes="values",
)
def texts_refused(text: str, other: Any) -> bool:
    return refused(text, other) and refused(other, text)


@texts_refused.near_miss_claim({"text": (4, X), "other": (2, X)})
def _numbers_refused(text: Any, other: Any) -> bool:
    return refused(text, other)


@exhaustive(
    "forms.stack-sizes",
    box={"s1": (1, 2, 3), "K1": (1, 3), "p1": (0, 1), "s2": (1, 2), "K2": (2, 3), "s3": (1, 2)},
    words="The size after three layers on x samples prints as one floor at most, and as the size "
    "after the one relation that composes them.",
    latex=r"O_3(O_2(O_1(x)))\equiv\left\lfloor\frac{x+c}{s_1s_2s_3}\right\rfloor+e",
    source="symconv",
    near_miss="as the size after one layer with the sum of the paddings",
    concludes="sizes",
    corollary_of="stacking.sizes",
)
def stack_sizes(s1: int, K1: int, p1: int, s2: int, K2: int, s3: int) -> bool:  # noqa: N803
    stack = three(s1, K1, p1, s2, K2, s3)
    size = after(stack)
    return len(size.atoms(sympy.floor)) <= 1 and size == canonical(composed(stack).output_size(X))


def three(s1: int, taps1: int, p1: int, s2: int, taps2: int, s3: int) -> list[AxisRelation]:
    """Three layers, the last with two taps and padding at the end."""
    first, second = AxisRelation(taps1, s1, 1, p1, p1), AxisRelation(taps2, s2, 2, 1, 0)
    return [first, second, AxisRelation(2, s3, 1, 0, 1)]


def after(stack: list[AxisRelation]) -> Any:
    """The size after the layers, in canonical form after each, as a network has it."""
    size = X
    for relation in stack:
        size = canonical(relation.output_size(size))
    return size


@stack_sizes.near_miss_claim()
def _paddings_added(s1: int, K1: int, p1: int, s2: int, K2: int, s3: int) -> bool:  # noqa: N803
    stack = three(s1, K1, p1, s2, K2, s3)
    one = composed(stack)
    lo, hi = (sum(getattr(part, side) for part in stack) for side in ("pad_lo", "pad_hi"))
    added = AxisRelation(one.n_taps, one.stride, 1, lo, hi)
    return bool(after(stack) == canonical(added.output_size(X)))
