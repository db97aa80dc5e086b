"""Floors of quotients: the rules that `symconv.shapes` rewrites by, for all integers.

That its code follows them is in `floors` and `forms`.
"""

from __future__ import annotations

from typing import Any

from symconv.proving import Trace, all_sizes

GRAHAM = "R. L. Graham, D. E. Knuth, O. Patashnik, Concrete Mathematics (2nd ed., 1994), chapter 3"


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
    source=GRAHAM + ", equation 3.4 and exercise 12",
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
    t.assume(e >= 0, e < c, c < d, u1 * b + v1 * small == 1)
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
