"""Cyclic convolution: by Fourier transform, by remainders, and as a part of a linear one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import sympy

import symconv as sc
from symconv.boundary import MODES
from symconv.proving import (
    Trace,
    all_of,
    all_sizes,
    all_values,
    between,
    exhaustive,
    identity,
    iff,
    implies,
)
from symconv.relation import AxisRelation

#: Pairs of polynomials that must be equal.
Pairs = Iterator[tuple[Any, Any]]

Z = sympy.Symbol("z")


def _cyclotomic(n: int) -> Any:
    return sympy.cyclotomic_poly(n, Z)


def _remainder(polynomial: Any, modulus: Any) -> Any:
    return sympy.rem(sympy.expand(polynomial), modulus, Z)


def _sums(modulus: Callable[[int], Any]) -> Pairs:
    """Σ_f ζ^(f·t) for every t, with ζ = z modulo a polynomial of n."""
    for n in range(1, 13):
        for t in range(n):
            total = sympy.Add(*(Z ** (f * t % n) for f in range(n)))
            yield _remainder(total, modulus(n)), n if t == 0 else 0


@identity(
    "fourier.orthogonality",
    near=lambda: _sums(lambda n: Z**n - 1),
    words="For a primitive n-th root of unity ζ the powers ζ^(f·t), f = 0 … n − 1, sum to n for "
    "t = 0 and to 0 for t = 1 … n − 1: exactly, in ℚ[z] modulo the n-th cyclotomic polynomial, "
    "n ≤ 12. So the inverse transform is the conjugate one over n.",
    latex=r"\sum_{f=0}^{n-1}\zeta^{ft}=n\,[\,t=0\,]\quad (0\le t<n)",
    source="J. von zur Gathen, J. Gerhard, Modern Computer Algebra, lemma 8.7",
    near_miss="for a root of zⁿ − 1 that need not be primitive",
    concludes="values",
)
def orthogonality() -> Pairs:
    return _sums(_cyclotomic)


def _circular(n: int, n_taps: int, dilation: int, lo: int, mode: str) -> tuple[Any, Any]:
    """The exact matrix of stride 1 on n samples, and its taps."""
    taps = sympy.symbols(f"w:{n_taps}")
    extent = dilation * (n_taps - 1) + 1
    layer = sc.Conv(
        1,
        1,
        (n_taps,),
        dilation=dilation,
        padding=((lo, extent - 1 - lo),),
        padding_mode=mode,
        bias=False,
    )
    return layer.operator((n,)).exact([[taps]]), taps


@all_values(
    "fourier.diagonal",
    box={"n": range(1, 7), "n_taps": (1, 2, 3), "dilation": (1, 2), "lo": (-1, 0, 2)},
    words="The Fourier transform diagonalises circular convolution of stride 1: row f of F·A is "
    "λ_f times row f of F, with λ_f = Σ_k w[k]·ζ^(f(lo − d·k)). It needs ζⁿ = 1 only, in any ring.",
    latex=r"F A=\Lambda F,\quad F_{fo}=\zeta^{fo},\quad "
    r"\lambda_f=\sum_k w[k]\,\zeta^{f(p_{lo}-dk)}",
    source="P. J. Davis, Circulant Matrices (1979), theorem 3.2.2",
    near_miss="the same with zero padding",
    concludes="triples",
)
def diagonal(n: int, n_taps: int, dilation: int, lo: int) -> bool:
    return _is_diagonal(n, n_taps, dilation, lo, "circular")


@diagonal.near_miss_claim()
def _diagonal_zeros(n: int, n_taps: int, dilation: int, lo: int) -> bool:
    return _is_diagonal(n, n_taps, dilation, lo, "zeros")


def _is_diagonal(n: int, n_taps: int, dilation: int, lo: int, mode: str) -> bool:
    matrix, taps = _circular(n, n_taps, dilation, lo, mode)
    for f, i in product(range(n), repeat=2):
        # Coefficients of 1, z, …, z^(n−1), exponents modulo n.
        left, right = [sympy.S.Zero] * n, [sympy.S.Zero] * n
        for o in range(n):
            left[f * o % n] += matrix[o, i]
        for k, tap in enumerate(taps):
            right[f * (lo - dilation * k + i) % n] += tap
        if any(sympy.expand(a - b) != 0 for a, b in zip(left, right, strict=True)):
            return False
    return True


@all_values(
    "fourier.convolution",
    box={"n": (1, 2, 3, 4, 5, 6)},
    words="Transform, multiply, transform back: for n samples and n taps this gives their cyclic "
    "true convolution exactly, for all values, in ℚ[z] modulo the n-th cyclotomic polynomial.",
    latex=r"n\,(x\circledast w)_o=\sum_f \zeta^{-fo}\,\hat x_f\,\hat w_f,\quad "
    r"\hat x_f=\sum_i\zeta^{fi}x_i",
    source="J. von zur Gathen, J. Gerhard, Modern Computer Algebra, section 8.2",
    near_miss="it gives the first n outputs of the linear convolution",
    concludes="values",
)
def convolution(n: int) -> bool:
    return _transformed(n, cyclic=True)


@convolution.near_miss_claim()
def _linear_convolution(n: int) -> bool:
    return _transformed(n, cyclic=False)


def _transformed(n: int, *, cyclic: bool) -> bool:
    """Whether the coefficients of x[i]·w[k] in output o are right, for all of them."""
    for o, i, k in product(range(n), repeat=3):
        total = sympy.Add(*(Z ** (f * (i + k - o) % n) for f in range(n)))
        met = (i + k) % n == o if cyclic else i + k == o
        if _remainder(total, _cyclotomic(n)) != (n if met else 0):
            return False
    return True


def _by_remainders(n: int, left_out: int = 0) -> Pairs:
    """The product modulo zⁿ − 1 from its remainders modulo the factors Φ_d, d | n."""
    whole = Z**n - 1
    a, b = (sympy.Add(*(c * Z**i for i, c in enumerate(sympy.symbols(f"{x}:{n}")))) for x in "ab")
    total = sympy.S.Zero
    for d in sympy.divisors(n):
        factor = _cyclotomic(d)
        rest = sympy.quo(whole, factor, Z)
        # 1 modulo this factor and 0 modulo all others.
        unit = rest * sympy.invert(rest, factor, Z)
        residue = _remainder(_remainder(a, factor) * _remainder(b, factor), factor)
        total += int(d != left_out) * unit * residue
    yield _remainder(total, whole), _remainder(a * b, whole)


def _last_factor_left_out() -> Pairs:
    return _by_remainders(2, left_out=2)


@identity(
    "fourier.chinese-remainders",
    near=_last_factor_left_out,
    words="Cyclic convolution of length n is multiplication modulo zⁿ − 1, and that splits over "
    "the rationals: multiply modulo each cyclotomic factor Φ_d, d | n, and put the remainders "
    "together (n ≤ 6).",
    latex=r"\mathbb Q[z]/(z^{n}-1)\cong\prod_{d\mid n}\mathbb Q[z]/(\Phi_d)",
    source="S. Winograd, On computing the discrete Fourier transform (1978); "
    "Arithmetic Complexity of Computations (1980)",
    near_miss="with the last factor left out",
    concludes="values",
)
def chinese_remainders() -> Pairs:
    for n in range(1, 7):
        yield from _by_remainders(n)


@exhaustive(
    "fourier.products-by-remainders",
    box={"n": range(1, 41)},
    words="Each factor of degree m takes 2m − 1 products by Toom–Cook, so a cyclic convolution of "
    "length n takes 2n − t of them, t the number of divisors of n, in place of n².",
    latex=r"\sum_{d\mid n}\bigl(2\deg\Phi_d-1\bigr)=2n-\tau(n)",
    source="S. Winograd, On computing the discrete Fourier transform (1978)",
    near_miss="2n − 1 of them, as for one irreducible factor",
    concludes="counts",
)
def products_by_remainders(n: int) -> bool:
    return _products(n) == 2 * n - len(sympy.divisors(n))


@products_by_remainders.near_miss_claim()
def _one_factor(n: int) -> bool:
    return _products(n) == 2 * n - 1


def _products(n: int) -> int:
    degrees = [sympy.degree(_cyclotomic(d), Z) for d in sympy.divisors(n)]
    return sum(AxisRelation(m).reach(m) for m in degrees)


@all_sizes(
    "fourier.long-enough",
    words="A cyclic convolution of length n is the linear one of L samples and K taps, both "
    "padded with zeros, exactly when n ≥ L + K − 1: then no product wraps around, else the last "
    "one does.",
    latex=r"n\ge L+K-1 \;\Rightarrow\; (i+k)\bmod n=i+k,\qquad "
    r"(L-1+K-1)\bmod n=L+K-2 \iff n\ge L+K-1",
    source="A. Oppenheim, R. Schafer, Discrete-Time Signal Processing, section 8.7",
    near_miss="for n ≥ L + K − 2",
    concludes="triples",
)
def long_enough(t: Trace) -> None:
    n, length, n_taps, i, k = t.integers("n L K i k")
    t.assume(n >= 1, length >= 1, n_taps >= 1)
    t.assume(between(0, i, length), between(0, k, n_taps))
    read: Callable[..., Any] = MODES["circular"]
    relation = AxisRelation(n_taps)
    last = relation.position(length - 1, n_taps - 1)
    place = relation.position(i, k)
    size = relation.input_size(length)
    t.hint(last // n - 1, place // n - 1)
    t.show(size == length + n_taps - 1)
    t.show(iff(read(last, n) == last, n >= size))
    t.show(implies(n >= size, read(place, n) == place))
    t.instead(implies(n >= size - 1, read(place, n) == place))


@all_sizes(
    "fourier.overlap-save",
    words="Of a circular correlation on n samples exactly the n − E + 1 outputs of the unpadded "
    "one are free of wrapping: in every later output the last tap reads round the end. Blocks "
    "that overlap by E − 1 samples therefore give a long convolution.",
    latex=r"0\le o\le n-E \;\Rightarrow\; (o+dk)\bmod n=o+dk,\qquad "
    r"n-E<o<n \;\Rightarrow\; (o+d(K-1))\bmod n\ne o+d(K-1)",
    source="A. Oppenheim, R. Schafer, Discrete-Time Signal Processing, section 8.7.3",
    near_miss="one output more is free of it",
    concludes="triples",
)
def overlap_save(t: Trace) -> None:
    n_taps, d, n, o, k = t.integers("K d n o k")
    t.assume(n_taps >= 1, d >= 1, n >= 1, between(0, o, n), between(0, k, n_taps))
    read: Callable[..., Any] = MODES["circular"]
    relation = AxisRelation(n_taps, dilation=d)
    place, last = relation.position(o, k), relation.position(o, n_taps - 1)
    size = relation.output_size(n)
    t.hint(place // n - 1, last // n - 1)
    t.show(place <= last)
    t.show(iff(read(last, n) == last, o < size))
    t.show(implies(o < size, read(place, n) == place))
    t.instead(implies(o <= size, read(place, n) == place))


@all_sizes(
    "fourier.overlap-add",
    words="A full convolution may be cut into blocks of L samples: sample i lies in block ⌊i/L⌋ "
    "at i mod L, and its product with tap k, which belongs to output i + k, is output "
    "i mod L + k of the L + K − 1 that the block gives. For K ≤ L + 1 an output collects from two "
    "blocks at most, its own and the one before.",
    latex=r"i+k=L\left\lfloor\frac iL\right\rfloor+\bigl(i\bmod L+k\bigr),\quad "
    r"0\le i\bmod L+k<L+K-1",
    source="A. Oppenheim, R. Schafer, Discrete-Time Signal Processing, section 8.7.3",
    near_miss="a block gives L outputs, which are put side by side",
    concludes="triples",
)
def overlap_add(t: Trace) -> None:
    n_taps, length, i, k, o = t.integers("K L i k o")
    t.assume(n_taps >= 1, length >= 1, i >= 0, between(0, k, n_taps))
    relation = AxisRelation(n_taps)
    block, place = i // length, i % length
    own = o // length
    inside = o - length * block
    meets = relation.position(i, k) == o
    t.hint(own - block, own - block - 1, own - block - 2)
    t.show(iff(meets, relation.position(place, k) == inside))
    t.show(implies(meets, between(0, inside, relation.input_size(length))))
    few = all_of(meets, n_taps <= length + 1)
    t.show(implies(few, between(0, own - block, 2)))
    t.instead(implies(meets, between(0, inside, length)))
