"""Fast algorithms with few products: Winograd, Toom–Cook, Karatsuba, and their tiles."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from itertools import combinations, product
from typing import Any

import numpy as np
import sympy

import symconv as sc
from symconv.errors import ParameterError
from symconv.proving import (
    Trace,
    all_of,
    all_sizes,
    all_values,
    between,
    exhaustive,
    identity,
    iff,
    reads,
)
from symconv.relation import AxisRelation
from symconv.toomcook import Transforms, cleared_transforms, winograd_transforms

#: Pairs of polynomials that must be equal.
Pairs = Iterator[tuple[Any, Any]]
#: A_T, G and B_T as they are printed.
Printed = tuple[sympy.Matrix, sympy.Matrix, sympy.Matrix]


def _matrix(text: str) -> sympy.Matrix:
    rows = [[sympy.Rational(entry) for entry in row.split()] for row in text.split(";")]
    return sympy.Matrix(rows)


#: As the paper prints them, not as `symconv.toomcook` makes them.
F_2_3: Printed = (
    _matrix("1 1 1 0; 0 1 -1 -1"),
    _matrix("1 0 0; 1/2 1/2 1/2; 1/2 -1/2 1/2; 0 0 1"),
    _matrix("1 0 -1 0; 0 1 1 0; 0 -1 1 0; 0 1 0 -1"),
)
F_4_3: Printed = (
    _matrix("1 1 1 1 1 0; 0 1 -1 2 -2 0; 0 1 1 4 4 0; 0 1 -1 8 -8 1"),
    _matrix(
        "1/4 0 0; -1/6 -1/6 -1/6; -1/6 1/6 -1/6; 1/24 1/12 1/6; 1/24 -1/12 1/6; 0 0 1",
    ),
    _matrix(
        "4 0 -5 0 1 0; 0 -4 -4 1 1 0; 0 4 -4 -1 1 0; 0 -2 -1 2 1 0; 0 2 -1 -2 1 0; 0 4 0 -5 0 1",
    ),
)


def _lines(printed: Printed) -> Pairs:
    """A_T((G w) ⊙ (B_T x)) against the exact matrix of the one-dimensional Conv, times x."""
    a_t, g, b_t = printed
    m, r = a_t.rows, g.cols
    x = sympy.Matrix(sympy.symbols(f"x:{m + r - 1}"))
    w = sympy.Matrix(sympy.symbols(f"w:{r}"))
    matrix = sc.Conv(1, 1, (r,), bias=False).operator((m + r - 1,)).exact([[list(w)]])
    outputs = a_t * (g * w).multiply_elementwise(b_t * x)
    yield from zip(outputs, matrix * x, strict=True)


def _tampered(printed: Printed, part: int, row: int, column: int) -> Printed:
    """The same with the sign of one entry changed."""
    matrices = [matrix.copy() for matrix in printed]
    matrices[part][row, column] *= -1
    return matrices[0], matrices[1], matrices[2]


@identity(
    "fast.winograd-2-3",
    near=lambda: _lines(_tampered(F_2_3, 0, 1, 3)),
    words="The printed transforms of F(2, 3) compute two outputs of a three-tap correlation with "
    "four products instead of six, exactly for all inputs and weights.",
    latex=r"y=A^{T}\left[(G\,w)\odot(B^{T}x)\right]",
    source="A. Lavin, S. Gray (2016), arXiv:1509.09308, section 4.1, after S. Winograd (1980)",
    near_miss="with +1 in the last place of Aᵀ, as infinity gives it when Bᵀ is not negated too",
    concludes="values",
)
def winograd_2_3() -> Pairs:
    return _lines(F_2_3)


@identity(
    "fast.winograd-4-3",
    near=lambda: _lines(_tampered(F_4_3, 1, 3, 1)),
    words="The printed transforms of F(4, 3) compute four outputs with six products instead of "
    "twelve, exactly over the rationals: their errors are rounding errors alone.",
    latex=r"y=A^{T}\left[(G\,w)\odot(B^{T}x)\right]",
    source="A. Lavin, S. Gray (2016), arXiv:1509.09308, section 4.3",
    near_miss="with the sign of one 1/12 in G changed",
    concludes="values",
)
def winograd_4_3() -> Pairs:
    return _lines(F_4_3)


def _squares(printed: Printed, *, exchanged: bool = False) -> Pairs:
    """A_T[(G W Gᵀ) ⊙ (B_T X B)]A, as the paper nests it, against the two-dimensional Conv."""
    a_t, g, b_t = printed
    m, r = a_t.rows, g.cols
    n = m + r - 1
    x = sympy.Matrix(n, n, sympy.symbols(f"x:{n * n}"))
    w = sympy.Matrix(r, r, sympy.symbols(f"w:{r * r}"))
    if exchanged:
        # Two symbols are enough to differ, and leave few places to look for the smallest.
        x, w = x.applyfunc(lambda entry: entry if entry == x[0, 1] else 0), sympy.eye(r) * w[0, 0]
    data = b_t.T * x * b_t if exchanged else b_t * x * b_t.T
    outputs = a_t * (g * w * g.T).multiply_elementwise(data) * a_t.T
    matrix = sc.Conv(1, 1, (r, r), bias=False).operator((n, n)).exact([[w.tolist()]])
    yield from zip(outputs, matrix * sympy.Matrix(list(x)), strict=True)


@identity(
    "fast.winograd-2x2-3x3",
    near=lambda: _squares(F_2_3, exchanged=True),
    words="F(2×2, 3×3), the printed transforms nested on both axes, computes four outputs of a "
    "3×3 correlation with 16 products instead of 36.",
    latex=r"Y=A^{T}\left[(G\,W\,G^{T})\odot(B^{T}X\,B)\right]A",
    source="A. Lavin, S. Gray (2016), arXiv:1509.09308, equation 8",
    near_miss="with B X Bᵀ in place of Bᵀ X B",
    concludes="values",
)
def winograd_2x2_3x3() -> Pairs:
    return _squares(F_2_3)


@exhaustive(
    "fast.published-scaling",
    box={"m": (2, 4)},
    words="The printed transforms of F(2, 3) and F(4, 3) are those of the points 0, 1, −1 (and 2, "
    "−2) and infinity, up to a factor for each product that cancels: entry for entry for F(4, 3), "
    "up to the signs of the first and the last product for F(2, 3).",
    latex=r"A^{T}_{pub}=A^{T}D_1,\; G_{pub}=D_2G,\; B^{T}_{pub}=D_3B^{T},\quad D_1D_2D_3=I",
    source="A. Lavin, S. Gray (2016), arXiv:1509.09308, sections 4.1 and 4.3; B. Barabasz et al. "
    "(2020), arXiv:1803.10986",
    near_miss="entry for entry in both",
    concludes="values",
)
def published_scaling(m: int) -> bool:
    printed, ours = (F_2_3 if m == 2 else F_4_3), winograd_transforms(m, 3).matrices()
    scale = [
        [_factor(one, other) for one, other in zip(_rows(theirs), _rows(made), strict=True)]
        for theirs, made in zip((printed[0].T, *printed[1:]), (ours[0].T, *ours[1:]), strict=True)
    ]
    return all(a * g * b == 1 for a, g, b in zip(*scale, strict=True))


@published_scaling.near_miss_claim()
def _published_exactly(m: int) -> bool:
    return (F_2_3 if m == 2 else F_4_3) == winograd_transforms(m, 3).matrices()


def _rows(matrix: Any) -> list[Any]:
    return [matrix.row(at) for at in range(matrix.rows)]


def _factor(one: Any, other: Any) -> Any:
    """The number that multiplied by `other` is `one`, or 0."""
    found = next(a / b for a, b in zip(one, other, strict=True) if b)
    return found if one == found * other else sympy.S.Zero


#: Points other than the usual ones, of which the first few are taken.
POINTS = {
    "usual": None,
    "integers": [3, -4, 5, 0, 7, -2],
    "fractions": [Fraction(1, 3), 2, Fraction(-3, 2), 1, Fraction(5, 4), 0],
}


@cache
def _transforms(m: int, r: int, points: str) -> Transforms:
    chosen = POINTS[points]
    return winograd_transforms(m, r, None if chosen is None else chosen[: m + r - 2])


@all_values(
    "fast.toom-cook",
    box={"m": (1, 2, 3, 4), "r": (1, 2, 3, 4), "points": tuple(POINTS)},
    words="F(m, r) from any m + r − 2 distinct points and infinity computes m outputs of an "
    "r-tap correlation exactly, for all inputs and weights, with m + r − 1 products.",
    latex=r"A^{T}\left[(G\,w)\odot(B^{T}x)\right]_o=\sum_k w[k]\,x[o+k]",
    source="S. Winograd, Arithmetic Complexity of Computations (1980); B. Barabasz et al. (2020), "
    "arXiv:1803.10986",
    near_miss="it computes a true convolution: the taps in reverse",
    concludes="values",
)
def toom_cook(m: int, r: int, points: str) -> bool:
    return _correlates(m, r, points, flipped=False)


@toom_cook.near_miss_claim()
def _toom_cook_flipped(m: int, r: int, points: str) -> bool:
    return _correlates(m, r, points, flipped=True)


def _correlates(m: int, r: int, points: str, *, flipped: bool) -> bool:
    """Whether Σ_p A[o,p]·G[p,k]·B[p,j] is 1 for j = o + k and 0 elsewhere.

    y is linear in each x[j]·w[k], so these coefficients are all there is to compare.
    """
    transforms = _transforms(m, r, points)
    taps = AxisRelation(r)
    for o, k, j in product(range(m), range(r), range(m + r - 1)):
        found = sum(
            a * g[k] * b[j]
            for a, g, b in zip(transforms.A_T[o], transforms.G, transforms.B_T, strict=True)
        )
        if found != (taps.position(o, r - 1 - k if flipped else k) == j):
            return False
    return transforms.n_products == m + r - 1


def _point_identities(m: int, r: int, *, divided: bool) -> Pairs:
    """Every coefficient of F(m, r) for symbolic points, with no division."""
    points = sympy.symbols(f"a:{m + r - 2}")
    a_t, g, b_t, _ = cleared_transforms(m, r, points)
    n = len(points)
    # D = Π (a_q − a_p), p < q; D over the divisor of p is what is left without p, up to sign.
    differences = {(p, q): points[q] - points[p] for p, q in combinations(range(n), 2)}
    whole = sympy.Mul(*differences.values())
    cofactors = [
        (-1) ** (n - 1 - p) * sympy.Mul(*(d for pair, d in differences.items() if p not in pair))
        for p in range(n)
    ]
    factors = [*cofactors, whole] if divided else [1] * (n + 1)
    right = whole if divided else 1
    for o, k, j in product(range(m), range(r), range(m + r - 1)):
        left = sum(
            factor * a * row[k] * b[j]
            for factor, a, row, b in zip(factors, a_t[o], g, b_t, strict=True)
        )
        yield left, right * int(o + k == j)


@identity(
    "fast.any-points",
    near=lambda: _point_identities(2, 2, divided=False),
    words="F(m, r) is exact for points of any commutative ring: with D the product of all "
    "differences of points, D times each coefficient of Aᵀ[(G w) ⊙ (Bᵀx)] is D for x[o + k]·w[k] "
    "and 0 else, as polynomials in the points. So whatever ring has 1/D will do, and with "
    "repeated points, D = 0, nothing is said. Here for m + r ≤ 6.",
    latex=r"D\sum_p A_{op}G_{pk}B_{pj}=D\,[\,j=o+k\,],\qquad D=\prod_{p<q}(a_q-a_p)",
    source="symconv; S. Winograd (1980) states it over fields",
    near_miss="without dividing the rows of G",
    concludes="values",
)
def any_points() -> Pairs:
    for m, r in ((1, 1), (1, 2), (2, 1), (2, 2), (1, 4), (4, 1), (2, 3), (3, 2), (3, 3)):
        yield from _point_identities(m, r, divided=True)


@exhaustive(
    "fast.repeated-points",
    box=dict.fromkeys(("a", "b", "c"), (0, 1, -1, 2)),
    words="The points of F(2, 3) are accepted exactly when all are distinct, which is when no "
    "divisor of a row of G is 0.",
    latex=r"a_p\ne a_q\ (p\ne q) \iff \prod_{q\ne p}(a_p-a_q)\ne 0 \text{ for every } p",
    source="symconv (symconv.toomcook.winograd_transforms)",
    near_miss="exactly when no point equals the next one",
    concludes="values",
)
def repeated_points(a: int, b: int, c: int) -> bool:
    distinct = len({a, b, c}) == 3
    divisors = cleared_transforms(2, 3, (a, b, c))[3]
    return _accepted(a, b, c) == distinct == all(divisors)


@repeated_points.near_miss_claim()
def _next_point_differs(a: int, b: int, c: int) -> bool:
    return _accepted(a, b, c) == (b not in (a, c))


def _accepted(*points: int) -> bool:
    try:
        winograd_transforms(2, 3, points)
    except ParameterError:
        return False
    return True


@all_values(
    "fast.nested",
    box={"first": ((1, 2), (2, 2), (2, 3)), "second": ((1, 1), (2, 2), (3, 2))},
    words="Transforms of two axes nest: the Kronecker products of F(m, r) and F(m′, r′) compute "
    "m×m′ outputs of an r×r′ correlation with (m + r − 1)(m′ + r′ − 1) products.",
    latex=r"y=(A^{T}\otimes A'^{T})\left[((G\otimes G')w)\odot((B^{T}\otimes B'^{T})x)\right]",
    source="A. Lavin, S. Gray (2016), arXiv:1509.09308, equation 8; S. Winograd (1980)",
    near_miss="nested in the other order",
    concludes="values",
)
def nested(first: tuple[int, int], second: tuple[int, int]) -> bool:
    one, other = winograd_transforms(*first), winograd_transforms(*second)
    return _computes(one.nested(other), first, second)


@nested.near_miss_claim()
def _nested_backwards(first: tuple[int, int], second: tuple[int, int]) -> bool:
    one, other = winograd_transforms(*first), winograd_transforms(*second)
    return _computes(other.nested(one), first, second)


def _computes(transforms: Transforms, first: tuple[int, int], second: tuple[int, int]) -> bool:
    """Whether every coefficient is that of the correlation on the two axes."""
    (m, r), (m2, r2) = first, second
    a_t, g, b_t = (
        np.array(rows, dtype=object) for rows in (transforms.A_T, transforms.G, transforms.B_T)
    )
    found = np.einsum("op,pk,pj->okj", a_t, g, b_t)
    size = (m, m2, r, r2, m + r - 1, m2 + r2 - 1)
    expected = np.zeros(size, dtype=object)
    one, other = AxisRelation(r), AxisRelation(r2)
    for o, o2, k, k2 in product(range(m), range(m2), range(r), range(r2)):
        expected[o, o2, k, k2, one.position(o, k), other.position(o2, k2)] = 1
    return bool((found == expected.reshape(m * m2, r * r2, -1)).all()) and (
        transforms.n_products == len(g)
    )


@all_sizes(
    "fast.least-products",
    words="m outputs of an r-tap correlation read m + r − 1 samples, each in a product of its "
    "own: sample j through tap k of output o = min(j, m − 1), k = j − o, which no other sample "
    "has. So the coefficients contain a unit matrix of that size, and no algorithm that "
    "multiplies sums of weights by sums of samples has fewer products: F(m, r) is optimal.",
    latex=r"0\le j<m+r-1,\; o=\min(j,m-1),\; k=j-o \;\Rightarrow\; 0\le o<m,\; 0\le k<r,\; "
    r"\bigl(o+k=j' \iff j'=j\bigr)",
    source="S. Winograd, Some bilinear forms whose multiplicative complexity depends on the field "
    "of constants (1977); the bound by the rank of an unfolding",
    near_miss="for one sample more",
    concludes="counts",
)
def least_products(t: Trace) -> None:
    m, r, j, j2 = t.integers("m r j j2")
    t.assume(m >= 1, r >= 1, j >= 0)
    t.given(j < m + r - 1)
    relation = AxisRelation(r)
    o = j if j <= m - 1 else m - 1
    k = j - o
    t.show(relation.reach(m) == m + r - 1)
    t.show(between(0, o, m), between(0, k, r))
    t.show(iff(relation.position(o, k) == j2, j2 == j))


@all_sizes(
    "fast.saved-products",
    words="F(m, r) needs m·r − (m + r − 1) = (m − 1)(r − 1) products less than the plain sums: it "
    "saves some exactly when m and r are at least 2. It needs fewer than two for each output "
    "exactly when m ≥ r.",
    latex=r"mr-(m+r-1)=(m-1)(r-1),\qquad m+r-1<2m \iff r\le m",
    source="A. Lavin, S. Gray (2016), arXiv:1509.09308, section 4",
    near_miss="it saves some exactly when r is at least 2",
    concludes="counts",
)
def saved_products(t: Trace) -> None:
    m, r = t.integers("m r")
    t.assume(m >= 1, r >= 1)
    products = AxisRelation(r).reach(m)
    t.show(m * r - products == (m - 1) * (r - 1))
    t.show(iff(products < m * r, all_of(m >= 2, r >= 2)))
    t.show(iff(products < 2 * m, r <= m))
    t.instead(iff(products < m * r, r >= 2))


@all_sizes(
    "fast.tiles",
    words="Every output o of a convolution of stride 1 lies in one tile of m outputs, ⌊o/m⌋, and "
    "reads the m + r − 1 padded positions from m·⌊o/m⌋ on only, as output o mod m of the bare "
    "kernel on that tile: neighbouring tiles share r − 1 samples.",
    latex=r"(o,k,i)\in C \iff (o\bmod m,\,k,\,j)\in C_{tile},\quad "
    r"j=i+p_{lo}-m\lfloor o/m\rfloor,\; 0\le j<m+r-1",
    source="A. Lavin, S. Gray (2016), arXiv:1509.09308, section 4.1",
    near_miss="tiles that share nothing, m + r − 1 outputs apart",
    concludes="triples",
    corollary_of="triples.tiles",
)
def tiles(t: Trace) -> None:
    m, r, n, lo, hi, o, k, i = t.integers("m r n lo hi o k i")
    t.assume(m >= 1, r >= 1, n >= 0)
    conv, bare = AxisRelation(r, pad_lo=lo, pad_hi=hi), AxisRelation(r)
    size = bare.reach(m)
    t.assume(between(0, o, conv.output_size(n)), between(0, i, n))
    read = reads(conv, o, k, i, n_in=n)

    def in_tile(apart: Any) -> Any:
        tile, place = o // apart, o % apart
        return reads(bare, place, k, i + lo - apart * tile, n_in=size)

    near = in_tile(size)
    t.show(bare.output_size(size) == m, size - m == r - 1)
    t.show(iff(read, in_tile(m)))
    t.instead(iff(read, near))


def _karatsuba(sign: int) -> Pairs:
    z = sympy.Symbol("z")
    a, b = sympy.symbols("a:2"), sympy.symbols("b:2")
    low, high = a[0] * b[0], a[1] * b[1]
    middle = (a[0] + a[1]) * (b[0] + b[1]) - low + sign * high
    yield (a[0] + a[1] * z) * (b[0] + b[1] * z), low + middle * z + high * z**2
    # The transforms of the points 0 and 1, transposed, are the same three products.
    made = winograd_transforms(2, 2, [0, 1])
    left, right, back = (sympy.Matrix(rows) for rows in (made.A_T, made.G, made.B_T))
    products = (left.T * sympy.Matrix(a)).multiply_elementwise(right * sympy.Matrix(b))
    yield from zip(back.T * products, (low, middle, high), strict=True)


@identity(
    "fast.karatsuba",
    near=lambda: _karatsuba(1),
    words="Karatsuba's product of two linear polynomials by three products is the algorithm of "
    "F(2, 2) with the points 0, 1 and infinity, transposed: evaluate both, multiply, interpolate.",
    latex=r"(a_0+a_1z)(b_0+b_1z)=a_0b_0+\bigl((a_0+a_1)(b_0+b_1)-a_0b_0-a_1b_1\bigr)z+a_1b_1z^{2}",
    source="A. Karatsuba, Y. Ofman, Multiplication of many-digital numbers by automatic computers "
    "(1962)",
    near_miss="a₁b₁ is added in the middle, not subtracted",
    concludes="values",
    corollary_of="fast.toom-cook",
)
def karatsuba() -> Pairs:
    return _karatsuba(-1)
