"""How far rounded sums of products are from the exact ones: bounds that hold entry by entry.

The model is IEEE arithmetic with rounding to nearest and gradual underflow: fl(a·b) =
a·b·(1 + δ) + ε with |δ| ≤ u and |ε| ≤ η/2, η the smallest positive number; fl(a + b) =
(a + b)·(1 + δ), without ε; a fused multiplication and addition rounds once. What is said here to
be above is above: it is computed in float64 with a margin for its own roundings.

References
----------
N. J. Higham, *Accuracy and Stability of Numerical Algorithms* (2002), sections 3.1, 3.6 and 24.1.
C.-P. Jeannerod, S. M. Rump, *Improved error bounds for inner products in floating-point
arithmetic*, SIAM Journal on Matrix Analysis and Applications 34 (2013).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "computed_sum_bound",
    "fourier_bound",
    "gamma",
    "sum_above",
    "sum_bound",
    "transform_depth",
    "transformed_bound",
    "two_sum",
    "unit",
]

Array = npt.NDArray[Any]

#: Covers the few roundings of a bound itself, in float64.
MARGIN = 1 + 2.0**-48

#: Covers what such a bound may lose to underflow.
LEAST = 2.0**-1070


def unit(dtype: npt.DTypeLike) -> float:
    """The unit roundoff u: 2⁻²⁴ for float32 and complex64, 2⁻⁵³ for float64 and complex128."""
    return float(np.finfo(dtype).eps) / 2


def smallest(dtype: npt.DTypeLike) -> float:
    """The smallest positive number η of a type: 2⁻¹⁴⁹ for float32, 2⁻¹⁰⁷⁴ for float64."""
    return float(np.finfo(dtype).smallest_subnormal)


def gamma(terms: int, dtype: npt.DTypeLike = np.float64) -> float:
    """Not below γ_k = k·u/(1 − k·u) for k = `terms`; infinite where k·u ≥ 1.

    Examples
    --------
    >>> gamma(3, np.float32) > 3 * 2.0**-24, gamma(2**24, np.float32)
    (True, inf)
    """
    product = terms * unit(dtype)
    return math.nextafter(product / (1 - product), math.inf) if product < 1 else math.inf


def _above_line(terms: int, dtype: npt.DTypeLike) -> tuple[float, float]:
    """(slope, offset) of `sum_above`."""
    relative = gamma(terms + 5, dtype)
    if relative > 0.5:
        return math.inf, math.inf
    # 1/(1 − γ) ≤ 1 + 2γ up to a half.
    slope = (1 + 2 * relative) * MARGIN
    return slope, 2 * terms * smallest(dtype) * slope + LEAST


def _bound_line(terms: int, dtype: npt.DTypeLike) -> tuple[float, float]:
    """(slope, offset) of `sum_bound`."""
    factor, count = 1.0, terms
    if np.dtype(dtype).kind == "c":
        factor, count = 1.4142135623730954, 2 * terms
    relative = gamma(count, dtype)
    return factor * relative * MARGIN, 2 * count * smallest(dtype) * MARGIN + LEAST


def _on_line(sums: Array, slope: float, offset: float) -> Array:
    if slope == math.inf:
        return np.full(np.shape(sums), np.inf)
    result = np.multiply(sums, slope, dtype=np.float64)
    result += offset
    return np.asarray(result)


def sum_above(sums: Array, terms: int, dtype: npt.DTypeLike) -> Array:
    """Not below Σ|a|·|b|, where `sums` is that sum computed in `dtype`, in any order.

    The error of a sum of n products is at most γ_n·Σ|a|·|b| and n·η for those that underflow
    (Higham 2002, sect. 3.1); five roundings more are for |a| and |b| themselves.
    """
    return _on_line(sums, *_above_line(terms, dtype))


def sum_bound(sums: Array, terms: int, dtype: npt.DTypeLike) -> Array:
    """|ŷ − y| for every sum y of `terms` products, whatever the order, with or without fusing.

    Parameters
    ----------
    sums : array
        Not below Σ|a|·|b| (see `sum_above`).
    terms : int
        Products per sum at most, and one for each further rounding that an addend goes through.
    dtype : float32, float64, complex64 or complex128
        In which the sum is computed.

    Returns
    -------
    numpy.ndarray of float64
        γ_n·Σ|a|·|b| + n·η. For complex numbers each component is a sum of 2n real products, of
        sizes that add up to at most |a|·|b|, hence √2·γ_2n of the modulus: in whatever order the
        components are summed, by four real multiplications each. Infinite where n·u reaches 1.

    Notes
    -----
    Theorem: an addend that goes through at most n roundings comes out times (1 + θ), |θ| ≤ γ_n
    (Higham 2002, lemma 3.1); there are n for a product and n − 1 additions in any order, fewer
    where they fuse. For plain sums n·u does as well (Jeannerod, Rump 2013).

    Examples
    --------
    >>> bound = sum_bound(np.array([1.0]), 9, np.float32)
    >>> bool(9 * 2.0**-24 < bound[0] < 9.001 * 2.0**-24)
    True
    """
    return _on_line(sums, *_bound_line(terms, dtype))


def computed_sum_bound(sums: Array, terms: int, dtype: npt.DTypeLike) -> Array:
    """`sum_bound` of `sum_above`, at once: `sums` are Σ|a|·|b| computed in the same precision.

    Examples
    --------
    >>> sums = np.array([1.0, 2.0], dtype=np.float32)
    >>> two_steps = sum_bound(sum_above(sums, 9, np.float32), 9, np.float32)
    >>> np.allclose(computed_sum_bound(sums, 9, np.float32), two_steps, rtol=1e-12)
    True
    """
    above, first = _above_line(terms, np.finfo(dtype).dtype)
    slope, offset = _bound_line(terms, dtype)
    return _on_line(sums, above * slope * MARGIN, (first * slope + offset) * MARGIN)


def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """fl(a + b) and what it lacks, exactly, real or complex (Knuth; Ogita, Rump, Oishi 2005)."""
    total = a + b
    back = total - a
    return total, (a - (total - back)) + (b - back)


def transform_depth(matrix: Sequence[Sequence[Any]]) -> int:
    """Roundings that an entry goes through in a product with a matrix of known entries.

    One for each addition of the fullest row; where an entry is not ±1, one for the multiplication
    and one for the entry itself, unless it is a power of two.

    Examples
    --------
    >>> transform_depth([[1, 0, -1], [0, 1, 1]]), transform_depth([[1, 5, 1]])
    (1, 4)
    """
    depth = 0
    for row in matrix:
        entries = [Fraction(entry) for entry in row if entry != 0]
        odd = any(not _is_power_of_two(abs(entry)) for entry in entries)
        depth = max(depth, max(len(entries) - 1, 0) + 2 * odd)
    return depth


def _is_power_of_two(value: Fraction) -> bool:
    parts = value.numerator, value.denominator
    return all(part & (part - 1) == 0 for part in parts)


def transformed_bound(
    outer: Array,
    of_weight: Array,
    of_input: Array,
    weight: Array,
    x: Array,
    roundings: int,
    dtype: npt.DTypeLike,
) -> Array:
    """|ŷ − y| for y = C·Σ_c [(G·w_c) ⊙ (B·x_c)], computed with these three matrices.

    Parameters
    ----------
    outer, of_weight, of_input : arrays of shapes (m, p), (p, r), (p, n)
        C, G and B, as float64; nested on several axes, the Kronecker products.
    weight : array, shape (*channels, r)
    x : array, shape (*channels, n)
    roundings : int
        That a term goes through: those of the three transforms (see `transform_depth`, added up
        over nested axes), one for the product, and one for each addition over the channels.
    dtype : float32 or float64

    Returns
    -------
    numpy.ndarray, shape (m,)
        γ_k·|C|·Σ_c [(|G|·|w_c|) ⊙ (|B|·|x_c|)] and what underflow can do.

    Notes
    -----
    Each of the terms C_ou·G_uk·w_k·B_ui·x_i comes out times (1 + θ), |θ| ≤ γ_k; their sum is y and
    their absolute values add up to the bound's. They exceed Σ|w|·|x|, and cancel (Barabasz et
    al. 2020, arXiv:1803.10986, section 4).

    Examples
    --------
    >>> C, G, B = np.eye(2), np.eye(2), np.eye(2)
    >>> transformed_bound(C, G, B, np.array([2.0, 3.0]), np.array([1.0, 1.0]), 1, float) < 4e-16
    array([ True,  True])
    """
    first, second, third = (np.abs(part) for part in (outer, of_weight, of_input))
    channels = tuple(range(np.ndim(weight) - 1))
    weights, inputs = np.abs(weight) @ second.T, np.abs(x) @ third.T
    sums = first @ (weights * inputs).sum(axis=channels)
    terms = sum(map(len, (outer, of_weight, of_input))) + int(np.prod(np.shape(weight)))
    # What underflows in one factor is multiplied by the other.
    spread = first.sum(axis=1) * (1 + weights.max(initial=0) + inputs.max(initial=0))
    lost = smallest(dtype) * 4 * roundings * terms * spread
    bound = sum_bound(sum_above(sums, terms, np.float64), roundings, dtype)
    return np.asarray(bound + lost * MARGIN)


def fourier_bound(
    weight_sum: Array,
    weight_norm: Array,
    x_norm: Array,
    size: Sequence[int],
    dtype: npt.DTypeLike,
    terms: int | None = None,
) -> Array:
    """|ŷ − y|, one number for a whole plane, of a correlation by transforms of length N.

    Parameters
    ----------
    weight_sum, weight_norm : arrays, shape (..., channels)
        Σ|w_c| and the Euclidean norm of w_c for each channel that is read; not below them.
    x_norm : array, shape (..., channels)
        Not below the Euclidean norm of what each block reads of each channel, padding included.
    size : sequence of int
        The lengths of the transforms, per axis, with small prime factors.
    dtype : float32, float64, complex64 or complex128
    terms : int, optional
        Products summed per frequency where they are more than the channels.

    Returns
    -------
    numpy.ndarray of float64, the last axis summed

    Examples
    --------
    >>> one = np.ones((1, 1))
    >>> bool(1e-14 < fourier_bound(one, one, one, (64,), float)[0] < 1e-12)
    True

    Notes
    -----
    A transform by Cooley–Tukey passes of radix p has a relative error in the Euclidean norm of at
    most Σ η_p over its passes, to first order: η_2 = μ + γ_4·(√2 + μ) (Higham 2002, theorem 24.2),
    and √p·(μ + √2·γ_2p+4) for a pass that sums p products; μ = 2u for the roots of unity. With φ
    that error, ‖F⁻¹(a ⊙ b)‖_∞ ≤ ‖a‖·‖b‖/N and ‖F·w‖_∞ ≤ Σ|w| give
    Σ_c (2φ + √2·γ_2C+4)·‖w_c‖·‖x_c‖ + φ·Σ_c Σ|w_c|·‖x_c‖, doubled for the terms of second order.
    """
    phi = sum(_pass_error(p, dtype) for n in size for p in _prime_factors(n))
    channels = np.shape(weight_norm)[-1]
    products = 2 * phi + 1.42 * gamma(2 * (terms or channels) + 4, dtype)
    if not 4 * (phi + products) < 1:
        return np.full(np.broadcast(weight_norm, x_norm).shape[:-1], np.inf)
    total = (products * weight_norm + phi * weight_sum) * x_norm
    count = channels + math.prod(size)
    lost = smallest(dtype) * 8 * count * (1 + weight_sum + x_norm)
    return np.asarray(2 * (total + lost).sum(axis=-1) * (1 + gamma(channels + 8)) + LEAST)


def _pass_error(radix: int, dtype: npt.DTypeLike) -> float:
    return math.sqrt(radix) * (2 * unit(dtype) + 1.42 * gamma(2 * radix + 4, dtype)) * MARGIN


def _prime_factors(n: int) -> list[int]:
    found, p = [], 2
    while n > 1:
        while n % p == 0:
            found.append(p)
            n //= p
        p += 1
    return found
