"""Floors of quotients: the rules that `symconv.shapes` rewrites by, for all integers.

That its code follows them is in `floors`, and here for several unknowns, factors and other forms.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import sympy

from symconv.errors import ParameterTypeError
from symconv.proving import Trace, all_sizes, between, exhaustive
from symconv.receptive import composed, level_sizes
from symconv.relation import AxisRelation
from symconv.shapes import canonical, floor_quotient

GRAHAM = (
    "R. L. Graham, D. E. Knuth, O. Patashnik, Concrete Mathematics (2nd ed., 1994), section 3.2"
)

X, Y = sympy.symbols("x y", integer=True)
S, T = sympy.symbols("s t", integer=True, positive=True)
R = sympy.Symbol("r", real=True)


def near(t: Trace, gap: Any) -> None:
    """Quotients are equal if neither is the larger: the cases to tell apart."""
    t.hint(gap, gap - 1, -gap - 1)


@all_sizes(
    "quotients.whole-multiples",
    words="With a = q·m + r and c = p·m + e, the whole multiples leave the floor: ⌊(a·n + c)/m⌋ = "
    "q·n + p + ⌊(r·n + e)/m⌋, for integers of any sign and m ≥ 1.",
    latex=r"\left\lfloor\frac{an+c}{m}\right\rfloor=\left\lfloor\frac am\right\rfloor n+"
    r"\left\lfloor\frac cm\right\rfloor+"
    r"\left\lfloor\frac{(a\bmod m)\,n+(c\bmod m)}{m}\right\rfloor",
    source=GRAHAM + ", equation 3.6",
    near_miss="the floor of a sum is the sum of the floors",
    concludes="sizes",
)
def whole_multiples(t: Trace) -> None:
    a, size, c, d = t.integers("a n c m")
    t.assume(d >= 1)
    left, right = (a * size + c) // d, (a % d * size + c % d) // d
    near(t, left - right - a // d * size - c // d)
    t.show(left == a // d * size + c // d + right)
    t.instead(left == a // d * size + c // d)


@all_sizes(
    "quotients.common-factor",
    words="A factor g of the divisor and of what varies cancels, and the constant is divided by "
    "it, rounding down: ⌊(g·a + c)/(g·m)⌋ = ⌊(a + ⌊c/g⌋)/m⌋, g and m ≥ 1.",
    latex=r"\left\lfloor\frac{ga+c}{gm}\right\rfloor="
    r"\left\lfloor\frac{a+\lfloor c/g\rfloor}{m}\right\rfloor",
    source=GRAHAM + ", equation 3.11",
    near_miss="the constant is kept",
    concludes="sizes",
)
def common_factor(t: Trace) -> None:
    a, g, c, d = t.integers("a g c m")
    t.assume(g >= 1, d >= 1)
    t.show(g * d >= 1)
    left, right = (g * a + c) // (g * d), (a + c // g) // d
    near(t, left - right)
    t.show(left == right)
    t.instead(left == (a + c) // d)


@all_sizes(
    "quotients.nested",
    words="A floor of a floor is one floor, with any constant between them: "
    "⌊(⌊a/b⌋ + c)/m⌋ = ⌊(a + c·b)/(b·m)⌋, b and m ≥ 1.",
    latex=r"\left\lfloor\frac{\lfloor a/b\rfloor+c}{m}\right\rfloor="
    r"\left\lfloor\frac{a+cb}{bm}\right\rfloor",
    source=GRAHAM + ", equation 3.11",
    near_miss="without the factor b on c",
    concludes="sizes",
)
def nested(t: Trace) -> None:
    a, b, c, d = t.integers("a b c m")
    t.assume(b >= 1, d >= 1)
    t.show(b * d >= 1)
    left, right = (a // b + c) // d, (a + c * b) // (b * d)
    near(t, left - right)
    t.show(left == right)
    t.instead(left == (a + c) // (b * d))


@all_sizes(
    "quotients.subtracted",
    words="A floor that is subtracted is one that is added: −⌊a/m⌋ = ⌈−a/m⌉ = ⌊(m − 1 − a)/m⌋.",
    latex=r"-\left\lfloor\frac am\right\rfloor=\left\lfloor\frac{-a+m-1}{m}\right\rfloor",
    source=GRAHAM + ", equations 3.4 and 3.24",
    near_miss="−⌊a/m⌋ = ⌊−a/m⌋",
    concludes="sizes",
)
def subtracted(t: Trace) -> None:
    a, d = t.integers("a m")
    t.assume(d >= 1)
    down, up = a // d, (-a + d - 1) // d
    near(t, down + up)
    t.show(-down == up)
    t.instead(-down == (-a) // d)


@all_sizes(
    "quotients.one-slope",
    words="If two floors ⌊(a·n + c)/m⌋ and ⌊(a′·n + c′)/m′⌋ with fractions a/m and a′/m′ in "
    "lowest terms agree at n = 0 and at n = m·m′, then a = a′ and m = m′.",
    latex=r"\lfloor c/m\rfloor=\lfloor c'/m'\rfloor,\;"
    r"\left\lfloor\frac{amm'+c}{m}\right\rfloor=\left\lfloor\frac{a'mm'+c'}{m'}\right\rfloor"
    r"\Rightarrow a=a',\;m=m'",
    source="symconv; with quotients.distinct, why the canonical form of a floor is its only one",
    near_miss="they agree at n = 0",
    concludes="sizes",
)
def one_slope(t: Trace) -> None:
    # Primed: b, l, e. Lowest terms: u·a + v·m = 1 and w·b + z·l = 1.
    d, a, u1, v1, d2, a2, u2, v2, c, c2 = t.integers("m a u v l b w z c e")
    f, g = t.integers("f g")
    t.assume(d >= 1, d2 >= 1)
    far = d * d2
    here, there = c // d, c2 // d2
    near(t, (a * far + c) // d - here - a * d2)
    t.show((a * far + c) // d == here + a * d2)
    near(t, (a2 * far + c2) // d2 - there - a2 * d)
    t.show((a2 * far + c2) // d2 == there + a2 * d)
    t.assume(here == there)
    t.given((a * far + c) // d == (a2 * far + c2) // d2)
    t.show(a * d2 == a2 * d)
    t.assume(u1 * a + v1 * d == 1, u2 * a2 + v2 * d2 == 1)
    # Each denominator divides the other.
    t.assume(f == u1 * a2 + v1 * d2, g == u2 * a + v2 * d)
    t.show(d2 == d * f)
    t.show(d == d2 * g)
    t.show(f >= 1, g >= 1)
    t.show(d2 >= d, d >= d2)
    t.show(d == d2)
    t.show(d * (a - a2) == 0)
    t.show(a == a2)


@all_sizes(
    "quotients.distinct",
    words="⌊(a·n + c)/m⌋ and ⌊(a·n + e)/m⌋ with a/m in lowest terms and 0 ≤ e < c < m differ by 1 "
    "at n = −u·c, where u·a + v·m = 1. (With a factor g: a = g·b, m = g·l; lowest is g = 1.)",
    latex=r"ua+vm=1,\;0\le e<c<m,\;n=-uc\Rightarrow\left\lfloor\frac{an+c}{m}\right\rfloor="
    r"\left\lfloor\frac{an+e}{m}\right\rfloor+1",
    source="symconv; with quotients.one-slope, why the canonical form of a floor is its only one",
    near_miss="the same with a common factor g of a and m",
    concludes="sizes",
)
def distinct(t: Trace) -> None:
    g, b, small, c, e, u1, v1, a, d = t.integers("g b l c e u v a m")
    t.assume(g >= 1, b >= 1, small >= 1, a == g * b, d == g * small)
    t.assume(0 <= e, e < c, c < d, u1 * b + v1 * small == 1)
    t.given(g == 1)
    t.show(a == b, d == small, d >= 1)
    at = -u1 * (c // g)
    t.show(c // g == c)
    t.show(a * at + c == c * v1 * d)
    high, low = (a * at + c) // d, (a * at + e) // d
    near(t, high - c * v1)
    near(t, low - c * v1 + 1)
    t.show(high == c * v1, low == c * v1 - 1)
    t.show(high == low + 1)


def is_reduced(floor: Any) -> bool:
    """Whether coefficients are in [0, 1) over one divisor, with no factor left to cancel."""
    (argument,) = floor.args
    terms = sympy.Poly(argument, X, Y).terms()
    varying = [part for powers, part in terms if any(powers)]
    divisor = sympy.ilcm(*(part.q for part in varying))
    return all(0 <= part < 1 and divisor % part.q == 0 for _, part in terms)


@exhaustive(
    "quotients.several",
    box={"a": (-3, 0, 1, 2, 4), "b": (-2, 0, 2, 3), "c": (-4, -1, 0, 3), "m": (1, 2, 4, 6)},
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
    "quotients.written-alike",
    box={"a": (-2, 0, 1, 3), "b": (0, 2), "c": (-3, 0, 1, 5), "d": (2, 3), "m": (2, 3, 4)},
    words="However an argument is written, factored, expanded or with a floor in it that is not "
    "reduced itself, floor_quotient and canonical give the same expression, with the right value: "
    "⌊(⌊(x + a)(x + b)/d⌋ + c)/m⌋ and ⌊(x² + (a + b)x + ab + cd)/(dm)⌋; so do products and sums "
    "around floors.",
    latex=r"\left\lfloor\frac{\lfloor (x+a)(x+b)/d\rfloor+c}{m}\right\rfloor\equiv "
    r"\left\lfloor\frac{x^2+(a+b)x+ab+cd}{dm}\right\rfloor",
    source="symconv",
    near_miss="SymPy's own floors are written alike too",
    concludes="values",
)
def written_alike(a: int, b: int, c: int, d: int, m: int) -> bool:
    factored, expanded = (X + a) * (X + b), X**2 + (a + b) * X + a * b
    inner = sympy.floor(factored / d)
    one = floor_quotient(expanded + c * d, d * m)
    doubled = sympy.floor((inner + c) / m)
    return (
        one == floor_quotient(inner + c, m) == canonical(doubled)
        and floor_quotient(expanded, m) == floor_quotient(factored, m)
        and canonical(X * (doubled + c) - Y * doubled) == canonical(X * one + c * X - Y * one)
        and all(one.subs(X, i) == ((i + a) * (i + b) // d + c) // m for i in range(-d * m, d * m))
    )


@written_alike.near_miss_claim()
def _without_rewriting(a: int, b: int, c: int, d: int, m: int) -> bool:
    factored, expanded = (X + a) * (X + b), X**2 + (a + b) * X + a * b
    inner = sympy.floor((sympy.floor(factored / d) + c) / m)
    return bool(inner == sympy.floor((expanded + c * d) / (d * m)))


@exhaustive(
    "quotients.subtracted-floors",
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
    "quotients.left-alone",
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
    "quotients.other-divisors",
    box={"a": range(-3, 4), "c": range(-2, 3), "p": (1, 2, 3), "r": (1, 2, 5)},
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
    "quotients.texts-refused",
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
    "quotients.stack-sizes",
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
    size = canonical(level_sizes(stack, X)[-1])
    return len(size.atoms(sympy.floor)) <= 1 and size == canonical(composed(stack).output_size(X))


def three(s1: int, taps1: int, p1: int, s2: int, taps2: int, s3: int) -> list[AxisRelation]:
    """Three layers, the last with two taps and padding at the end."""
    first, second = AxisRelation(taps1, s1, 1, p1, p1), AxisRelation(taps2, s2, 2, 1, 0)
    return [first, second, AxisRelation(2, s3, 1, 0, 1)]


@stack_sizes.near_miss_claim()
def _paddings_added(s1: int, K1: int, p1: int, s2: int, K2: int, s3: int) -> bool:  # noqa: N803
    stack = three(s1, K1, p1, s2, K2, s3)
    one = composed(stack)
    lo, hi = (sum(getattr(part, side) for part in stack) for side in ("pad_lo", "pad_hi"))
    added = AxisRelation(one.n_taps, one.stride, 1, lo, hi)
    size = canonical(level_sizes(stack, X)[-1])
    return bool(size == canonical(added.output_size(X)))
