"""Operator norms as true enclosures: the largest singular value lies between the two numbers.

Above: √(‖A‖₁·‖A‖∞), and the supremum of the symbol where the operator is a part of an infinite
Toeplitz or a circulant matrix. Below: ‖A·v‖/‖v‖ for some v. Everything is rounded outwards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import mpmath  # what SymPy computes with at any precision
import numpy as np
import numpy.typing as npt
import scipy.sparse.linalg

from symconv.algebras import Algebra
from symconv.bound import BoundOperator
from symconv.errors import DTypeError, GeometryError, ParameterError, TooLargeError, located
from symconv.geometry import Geometry
from symconv.linalg.integer_form import bound_operator
from symconv.maps import ConvolutionMap
from symconv.operator import Operator
from symconv.rounding import (
    TINY,
    UNIT,
    floats,
    gamma,
    norm_above,
    norm_below,
    product,
    root_above,
    root_below,
)
from symconv.spectra import circular_geometry

__all__ = ["Enclosure", "estimated_norm", "norm_bounds", "smallest_singular_value"]

Array = npt.NDArray[Any]

#: Steps of the power iteration, and binary digits of the vector that it gives.
STEPS = 40
DIGITS = 12

#: Share of itself that SciPy's estimate may be off where it stops.
ESTIMATED = 1e-6

#: Work, about in multiplications, that singular values on a grid may take; its finest axis.
MOST_WORK = 14 * 10**8
FINEST = 512


@dataclass(frozen=True)
class Enclosure:
    """Two floats with a number between them, proved.

    Attributes
    ----------
    low, high : float
        low <= the number <= high.
    low_by, high_by : str
        What proves each.

    Examples
    --------
    >>> 1.5 in Enclosure(1.0, 2.0, "", "")
    True
    """

    low: float
    high: float
    low_by: str
    high_by: str

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return f"[{self.low:.17g}, {self.high:.17g}] (low: {self.low_by}; high: {self.high_by})"


def norm_bounds(op: Any) -> Enclosure:
    """An enclosure of the operator norm ‖A‖₂, the largest singular value: a Lipschitz constant.

    Parameters
    ----------
    op : BoundOperator, or Operator without free weights
        Any real weights: integers, Fractions, float32, float64. Floats are taken for the numbers
        that they are.

    Returns
    -------
    Enclosure
        True for the stored weights. `estimated_norm` is SciPy's estimate, without either bound.

    Raises
    ------
    DTypeError
        If weights are complex or symbols, or NaN or infinite.

    Examples
    --------
    >>> import symconv as sc
    >>> layer = sc.Conv2d(1, 1, 3, padding=1, bias=False)
    >>> bounds = norm_bounds(layer.operator((16, 16)).bind([[[[1, 2, 1], [2, 4, 2], [1, 2, 1]]]]))
    >>> bounds.low < 15.73 < bounds.high, bounds.high
    (True, 16.0)

    References
    ----------
    G. H. Golub, C. F. Van Loan, Matrix Computations, sect. 2.3. H. Ehlich, K. Zeller (1964),
    Schwankung von Polynomen zwischen Gitterpunkten, Math. Z. 86. H. Sedghi, V. Gupta, P. M. Long
    (2019), arXiv:1805.10408.
    """
    bound = bound_operator(op)
    with located(bound.operator.describe):
        weight, kind = _numbers(bound)
        highs = [(_rows_and_columns(bound.operator, weight, kind), "√(‖A‖₁·‖A‖∞)")]
        lows = [_rayleigh(bound.operator, weight, kind)]
        on_grid = _by_symbol(bound.operator, weight)
        if on_grid is not None:
            highs.append((on_grid.high, on_grid.high_by))
            lows.append((on_grid.low, on_grid.low_by))
        (low, low_by), (high, high_by) = max(lows), min(highs)
        return Enclosure(low, high, low_by, high_by)


def estimated_norm(op: Any) -> float:
    """SciPy's ``svds`` estimate of ‖A‖₂, to set beside `norm_bounds`: it encloses nothing.

    Parameters
    ----------
    op : BoundOperator, or Operator without free weights
        As for `norm_bounds`; weights are rounded to float64.

    Raises
    ------
    DTypeError
        If weights are complex or symbols, or NaN or infinite.
    ParameterError
        If the iteration does not converge.

    Examples
    --------
    >>> import symconv as sc
    >>> layer = sc.Conv2d(1, 1, 3, padding=1, bias=False)
    >>> bound = layer.operator((16, 16)).bind([[[[1, 2, 1], [2, 4, 2], [1, 2, 1]]]])
    >>> round(estimated_norm(bound), 6) in norm_bounds(bound)
    True

    References
    ----------
    R. B. Lehoucq, D. C. Sorensen, C. Yang (1998), ARPACK Users' Guide.
    """
    bound = bound_operator(op)
    with located(bound.operator.describe):
        weight, _ = _numbers(bound)
        numbers = None if weight is None else weight.astype(np.float64)
        linear = bound.operator.linear_operator(numbers)
        if min(linear.shape) < 2:
            # A single row or column: its length.
            single = linear if linear.shape[1] < 2 else linear.H
            return float(np.linalg.norm(single @ np.ones(single.shape[1])))
        # The same start in every run, which no symmetry takes to zero.
        start = np.random.default_rng(0).standard_normal(min(linear.shape))
        shorter = linear if linear.shape[1] <= linear.shape[0] else linear.H
        if not np.any(shorter @ start):
            return 0.0
        try:
            found = scipy.sparse.linalg.svds(linear, k=1, v0=start, tol=ESTIMATED)
        except scipy.sparse.linalg.ArpackError as error:
            raise ParameterError(
                f"op must have a norm that ARPACK finds, got: {error}; norm_bounds(op) encloses it"
            ) from None
        return float(found[1][0])


def _numbers(bound: BoundOperator) -> tuple[Array | None, Algebra]:
    """The real weights with their number system, None for an operator that has none."""
    weight, kind = bound.operator.oriented.checked_weight(bound.weight)
    if kind in (Algebra.SYMBOLIC, Algebra.COMPLEX):
        raise DTypeError(f"weight must hold real numbers, got {kind.name.lower()} entries")
    if kind is Algebra.REAL and not np.isfinite(weight).all():
        raise DTypeError("weight must be finite, got infinity or not-a-number")
    return (None if bound.weight is None else weight), kind


def _rows_and_columns(operator: Operator, weight: Array | None, kind: Algebra) -> float:
    """√(‖A‖₁·‖A‖∞), from products with ones; taps that meet on one entry count one by one."""
    sums: list[Fraction] = []
    for turned in (operator, operator.T):
        ones = np.ones(turned.input_shape, dtype=np.int64)
        if kind.is_exact:
            magnitudes = None if weight is None else np.abs(weight.astype(object))
            totals = turned.apply_linear(ones, magnitudes)
            sums.append(Fraction(max(totals.ravel().tolist())))
        else:
            totals, errors = product(turned, np.abs(floats(weight)), ones.astype(np.float64))
            sums.append(Fraction(float((totals + errors).max())) * Fraction(1 + 4 * UNIT))
    return root_above(sums[0] * sums[1])


def _rayleigh(operator: Operator, weight: Array | None, kind: Algebra) -> tuple[float, str]:
    """‖A·v‖/‖v‖ for an integer vector that a power iteration came near."""
    rounded = None if weight is None else floats(weight)
    v = np.random.default_rng(0).standard_normal(operator.input_shape)
    for _ in range(STEPS):
        image = operator.T.apply_linear(operator.apply_linear(v, rounded), rounded)
        largest = float(np.abs(image).max())
        if largest == 0.0 or not math.isfinite(largest):
            break
        v = image / largest
    whole = np.rint(v / np.abs(v).max() * 2.0**DIGITS).astype(np.int64)
    squares = int((whole * whole).sum())
    if kind.is_exact:
        values = operator.apply_linear(whole, weight).ravel().astype(object)
        return root_below(Fraction(values @ values) / squares), "an exact Rayleigh quotient"
    y, errors = product(operator, rounded, whole.astype(np.float64))
    quotient = Fraction(norm_below(y, errors)) / Fraction(root_above(Fraction(squares)))
    return max(math.nextafter(float(quotient), -math.inf), 0.0), "a Rayleigh quotient"


def _by_symbol(operator: Operator, weight: Any) -> Enclosure | None:
    """What the symbol says, where the operator is part of a Toeplitz or circulant matrix."""
    linear = operator.oriented.linear
    if not isinstance(linear, ConvolutionMap):
        return None
    geometry = linear.geometry
    try:
        circular_geometry(operator)
    except GeometryError:
        if not _is_part(geometry):
            return None
        return _supremum(geometry, weight)
    found = _circulant(geometry, weight)
    if found is None:
        return None
    largest = found[:, 0]
    by = "the symbol at every frequency"
    return Enclosure(float(largest[0]), float(largest[1]), by, by)


def _is_part(geometry: Geometry) -> bool:
    """Whether the rows and columns are distinct ones of an infinite Toeplitz or a circulant."""
    if geometry.boundary.mode in ("zeros", "constant"):
        return True
    return geometry.boundary.mode == "circular" and all(
        axis.relation.input_dilation == 1 and axis.relation.stride * (axis.n_out - 1) < axis.n_in
        for axis in geometry.axes
    )


def smallest_singular_value(op: Any) -> Enclosure:
    """An enclosure of the smallest singular value of a circular convolution, stride 1, equal sizes.

    Parameters
    ----------
    op : BoundOperator
        With as many output as input channels, real weights.

    Examples
    --------
    >>> import symconv as sc
    >>> layer = sc.Conv1d(1, 1, 3, padding=1, padding_mode="circular", bias=False)
    >>> bounds = smallest_singular_value(layer.operator((6,)).bind([[[1, 3, 1]]]))
    >>> 1.0 in bounds, bounds.high - bounds.low < 1e-13
    (True, True)

    References
    ----------
    H. Sedghi, V. Gupta, P. M. Long (2019), The singular values of convolutional layers,
    arXiv:1805.10408. H. Weyl (1912), Math. Ann. 71 (singular values move no more than the norm).
    """
    bound = bound_operator(op)
    with located(bound.operator.describe):
        weight, _ = _numbers(bound)
        geometry = circular_geometry(bound.operator)
        if geometry.in_channels != geometry.out_channels:
            raise GeometryError(
                f"out_channels must equal in_channels, got {geometry.in_channels} → "
                f"{geometry.out_channels}"
            )
        found = _circulant(geometry, weight)
        if found is None:
            raise TooLargeError(f"singular values at {geometry.input_size} are above the limit")
        low, high = found[:, 1]
        by = "the symbol at every frequency"
        return Enclosure(max(float(low), 0.0), float(high), by, by)


def _circulant(geometry: Geometry, weight: Any) -> Array | None:
    """[[low, low], [high, high]] of the largest and smallest singular value; None if too many."""
    if _work(geometry, math.prod(geometry.input_size)) > MOST_WORK:
        return None
    tables = [
        np.outer(np.arange(axis.n_in), axis.relation.dilation * np.arange(axis.n_taps)) % axis.n_in
        for axis in geometry.axes
    ]
    return _extremes(geometry, weight, tables, list(geometry.input_size))


def _supremum(geometry: Geometry, weight: Any) -> Enclosure:
    """sup‖ŵ(θ)‖ from a grid of N points per axis, times what lies between them at most.

    On each axis and for unit vectors u, v, some real part of u*ŵv (its phase centred) is a real
    trigonometric polynomial of degree ⌊K/2⌋, and |u*ŵv|² one of degree K−1. One of degree m is at
    most 1/cos(πm/N) above its largest value on the grid.
    """
    finest = FINEST
    while True:
        sizes = [
            max(min(finest, 64 * n), 4 * (n - 1)) if n > 1 else 1 for n in geometry.kernel_size
        ]
        if _work(geometry, math.prod(sizes)) <= MOST_WORK or finest == 1:
            break
        finest //= 2
    tables = [
        np.outer(np.arange(size), np.arange(n)) % size
        for size, n in zip(sizes, geometry.kernel_size, strict=True)
    ]
    high = float(_extremes(geometry, weight, tables, sizes)[1, 0])
    for size, n_taps in zip(sizes, geometry.kernel_size, strict=True):
        if n_taps > 1:
            centred, squared = (
                Fraction(math.nextafter(_root(degree, 2 * size).real, 0.0))
                for degree in (n_taps // 2, n_taps - 1)
            )
            high = root_above(Fraction(high) ** 2 / max(centred**2, squared))
    grid = "×".join(map(str, sizes))
    # The operator is a part, so that its norm may be smaller: nothing is known below.
    return Enclosure(0.0, high, "", f"the symbol's supremum, from a grid of {grid}")


def _work(geometry: Geometry, cells: int) -> int:
    outs, ins = (n // geometry.groups for n in (geometry.out_channels, geometry.in_channels))
    # Each block costs something, however small it is.
    block = 10**3 if outs * ins == 1 else 20 * outs * ins * min(outs, ins) + 10**4
    return cells * geometry.groups * block


def _roots(order: int) -> Array:
    """exp(2πi·j/order) for all j, each part within half a unit in the last place and a little."""
    return np.array([_root(j, order) for j in range(order)])


def _root(j: int, order: int) -> complex:
    with mpmath.workdps(40):
        angle = 2 * mpmath.pi * j / order
        return complex(mpmath.cos(angle), mpmath.sin(angle))


def _extremes(geometry: Geometry, weight: Any, tables: list[Array], orders: list[int]) -> Array:
    """Bounds on the largest and smallest singular value of the symbol's blocks on a grid.

    Row 0 holds what they are not below, row 1 what they are not above.
    """
    values = floats(weight)
    groups = geometry.groups
    blocks = values.reshape(groups, -1, *values.shape[1:])
    size = np.abs(blocks).reshape(*blocks.shape[:3], -1).sum(axis=-1)
    symbol: Array = blocks.astype(complex)
    for table, order in zip(tables[::-1], orders[::-1], strict=True):
        # The last tap axis becomes the first frequency axis: they end in the order of the axes.
        symbol = np.moveaxis(np.tensordot(symbol, _roots(order)[table], axes=(-1, 1)), -1, 3)
    # Each axis sums K products, complex, with rounded roots; twice what that amounts to.
    steps = 2 * sum(table.shape[1] + 8 for table in tables) + 8
    entry = size * (1 + gamma(size.size + 8)) * gamma(steps)
    matrices = np.moveaxis(symbol.reshape(*symbol.shape[:3], -1), -1, 1)
    errors = np.sqrt((entry**2).sum(axis=(1, 2))) * (1 + 1e-8)
    if matrices.shape[2:] == (1, 1):
        found = np.abs(matrices[..., 0, 0])
        slack = errors[:, None] + found * 4 * UNIT
        largest = smallest = np.stack([found - slack, found + slack])
    else:
        largest, smallest = _singular(matrices, errors)
    low = np.array([largest[0].max(), smallest[0].min()])
    high = np.array([largest[1].max(), smallest[1].min()])
    return np.stack([np.nextafter(low, -np.inf), np.nextafter(high, np.inf)])


def _singular(matrices: Array, errors: Array) -> tuple[Array, Array]:
    """Enclosures of largest and smallest singular values, from factors that are multiplied out.

    M = U·Σ·V + E with U, V nearly unitary: σ(M) is within σ·(‖U*U−I‖+‖VV*−I‖)+‖E‖ of Σ.
    """
    u, s, v = np.linalg.svd(matrices, full_matrices=False)
    n = max(matrices.shape[-2:])
    scale = np.sqrt((np.abs(matrices) ** 2).sum(axis=(-1, -2))) + TINY
    rest = matrices - (u * s[..., None, :]) @ v
    gap = np.sqrt((np.abs(rest) ** 2).sum(axis=(-1, -2)))
    eye = np.eye(s.shape[-1])
    skew = sum(
        np.sqrt((np.abs(a - eye) ** 2).sum(axis=(-1, -2)))
        for a in (np.conj(np.swapaxes(u, -1, -2)) @ u, v @ np.conj(np.swapaxes(v, -1, -2)))
    )
    # The checks themselves are products of n terms: their rounding, generously.
    rounding = 8 * n * gamma(4 * n + 16)
    slack = (gap + scale * (skew + rounding)) * 1.01 + errors[:, None]
    return (
        np.stack([s[..., 0] - slack, s[..., 0] + slack]),
        np.stack([s[..., -1] - slack, s[..., -1] + slack]),
    )


def dense_norm(matrix: Array) -> float:
    """Not below the largest singular value of a real matrix (rows, columns).

    Examples
    --------
    >>> 5.0 <= dense_norm(np.array([[3.0, 0.0], [4.0, 0.0]])) < 5.0 + 1e-12
    True
    """
    # Rounding the entries to float64 moves the norm by no more than Frobenius' one, times u.
    values = floats(matrix)[None, None].astype(complex)
    largest, _ = _singular(values, np.array([norm_above(values) * 2 * UNIT]))
    return float(np.nextafter(largest[1].max(), np.inf))
