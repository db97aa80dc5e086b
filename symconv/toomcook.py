"""Fast correlation by evaluation and interpolation: the transforms of F(m, r), exactly.

F(m, r) computes m outputs of a correlation with r taps, ``y[o] = Σ_k w[k]·x[o + k]``, from the
m + r − 1 samples that they read, with as many products:

    y = A_T·((G·w) ⊙ (B_T·x))

Polynomials of degrees m − 1 and r − 1 are multiplied by their values at m + r − 2 distinct points
and at infinity (Toom, Cook); that algorithm transposed gives the correlation (Winograd). With the
points a_0, a_1, … and ``M(t) = Π_j (t − a_j)``:

- column i of A_T and row i of G hold the powers of a_i, those of G divided by the product of all
  ``a_i − a_j``, j ≠ i;
- row i of B_T holds the coefficients of ``M(t)/(t − a_i)``, from t⁰ on;
- infinity adds (0, …, 0, 1) to A_T and to G, and the coefficients of M to B_T.

A row of B_T may be scaled if that row of G, or that column of A_T, is scaled back: printed
transforms differ in such factors.

References
----------
S. Winograd, *Arithmetic complexity of computations*, SIAM (1980).
A. Lavin, S. Gray, *Fast algorithms for convolutional neural networks* (2016), arXiv:1509.09308,
section 4.
B. Barabasz, A. Anderson, K. M. Soodhalter, D. Gregg, *Error analysis and improving the accuracy
of Winograd convolution for deep neural networks* (2020), arXiv:1803.10986.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symconv.algebras import as_array
from symconv.checks import concrete, integer, sequence, shown
from symconv.errors import DTypeError, ParameterError, ParameterTypeError, ShapeError, TooLargeError

__all__ = ["Transforms", "cleared_transforms", "default_points", "winograd_transforms"]

Array = npt.NDArray[Any]

#: Products of one axis; the entries of the transforms grow without bound with them.
MAX_PRODUCTS = 128

#: A matrix as its rows.
Rows = tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Transforms:
    """The three matrices of F(m, r), on one axis or nested on several.

    Attributes
    ----------
    output_size, kernel_size : tuple of int
        m and r of each axis.
    points : tuple of tuple of Fraction
        The finite points of each axis; infinity is always one more.
    A_T : tuple of tuple of Fraction
        outputs × products; several axes are raveled in C order.
    G : tuple of tuple of Fraction
        products × taps.
    B_T : tuple of tuple of Fraction
        products × samples.

    Examples
    --------
    >>> transforms = winograd_transforms(2, 3)
    >>> transforms.apply([1, 2, 4, 8], [100, 10, 1])
    array([124, 248], dtype=object)
    >>> transforms.nested(transforms).n_products
    16
    """

    output_size: tuple[int, ...]
    kernel_size: tuple[int, ...]
    points: tuple[tuple[Fraction, ...], ...]
    A_T: Rows
    G: Rows
    B_T: Rows

    @property
    def input_size(self) -> tuple[int, ...]:
        """The samples that the outputs read: m + r − 1 on each axis."""
        sizes = zip(self.output_size, self.kernel_size, strict=True)
        return tuple(m + r - 1 for m, r in sizes)

    @property
    def n_products(self) -> int:
        """Products of a number made from the weights with one made from the samples."""
        return math.prod(self.input_size)

    def nested(self, later: Transforms) -> Transforms:
        """The transforms on these axes and then those of `later`: Kronecker products.

        Examples
        --------
        >>> square = winograd_transforms(2, 3).nested(winograd_transforms(2, 3))
        >>> square.output_size, square.kernel_size, square.input_size
        ((2, 2), (3, 3), (4, 4))
        """
        if not isinstance(later, Transforms):
            raise ParameterTypeError(f"later must be Transforms, got {type(later).__name__}")
        return Transforms(
            self.output_size + later.output_size,
            self.kernel_size + later.kernel_size,
            self.points + later.points,
            _kronecker(self.A_T, later.A_T),
            _kronecker(self.G, later.G),
            _kronecker(self.B_T, later.B_T),
        )

    def matrices(self) -> tuple[sympy.ImmutableMatrix, ...]:
        """A_T, G and B_T as SymPy matrices.

        Examples
        --------
        >>> winograd_transforms(2, 2).matrices()[2]
        Matrix([
        [-1,  1, 0],
        [ 0,  1, 0],
        [ 0, -1, 1]])
        """
        return tuple(sympy.ImmutableMatrix(rows) for rows in (self.A_T, self.G, self.B_T))

    def apply(self, x: Any, weight: Any) -> Array:
        """The outputs of one tile by `n_products` products, exactly.

        Parameters
        ----------
        x : array_like of int, Fraction or SymPy expressions, shape input_size
        weight : array_like of int, Fraction or SymPy expressions, shape kernel_size

        Returns
        -------
        numpy.ndarray of objects, shape output_size
            Integers where they are whole, Fractions, or expanded SymPy expressions.
        """
        samples = _product(self.B_T, _exact("x", x, self.input_size))
        taps = _product(self.G, _exact("weight", weight, self.kernel_size))
        products = [one * other for one, other in zip(taps, samples, strict=True)]
        y = np.empty(len(self.A_T), dtype=object)
        y[:] = [_plain(value) for value in _product(self.A_T, products)]
        return y.reshape(self.output_size)


def _product(rows: Rows, vector: Sequence[Any]) -> list[Any]:
    """Matrix times vector."""
    return [
        sum((a * value for a, value in zip(row, vector, strict=True) if a), Fraction(0))
        for row in rows
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else value
    return sympy.expand(value)


def _exact(name: str, value: Any, size: tuple[int, ...]) -> list[Any]:
    array, algebra = as_array(name, value)
    if array.shape != size:
        raise ShapeError(f"{name} must have shape {size}, got {array.shape}")
    if not algebra.is_exact:
        raise DTypeError(
            f"{name} must be exact (integers, Fractions or SymPy expressions), got dtype "
            f"{array.dtype}; Fraction(value) states a float's exact value"
        )
    # .tolist() gives Python numbers: NumPy's would wrap.
    entries: list[Any] = array.ravel().tolist()
    return entries


def _kronecker(one: Rows, other: Rows) -> Rows:
    return tuple(tuple(a * b for a in row for b in below) for row in one for below in other)


def default_points(n: int) -> tuple[Fraction, ...]:
    """The first n of 0, 1, −1, 2, −2, 1/2, −1/2, 3, −3, 1/3, …: small fractions first.

    Examples
    --------
    >>> [str(point) for point in default_points(9)]
    ['0', '1', '-1', '2', '-2', '1/2', '-1/2', '3', '-3']
    """
    n = concrete("n", integer("n", n, 0))
    points = [Fraction(0), Fraction(1), Fraction(-1)]
    largest = 2
    while len(points) < n:
        # The fractions in lowest terms of whose two parts `largest` is the larger.
        for below in range(1, largest):
            if math.gcd(largest, below) == 1:
                size = Fraction(largest, below)
                points += [size, -size, 1 / size, -1 / size]
        largest += 1
    return tuple(points[:n])


def cleared_transforms(
    m: int, r: int, points: Sequence[Any]
) -> tuple[Rows, Rows, Rows, tuple[Any, ...]]:
    """A_T, G before it is divided, B_T, and the divisors of G's rows.

    Only + − · are used, so the m + r − 2 points may come from any commutative ring, symbols
    included. Repeated points have a divisor 0.

    Examples
    --------
    >>> cleared_transforms(1, 2, [sympy.Symbol("a")])
    (((1, 1),), ((1, a), (0, 1)), ((1, 0), (-a, 1)), (1, 1))
    """
    others = [[*points[:at], *points[at + 1 :]] for at in range(len(points))]
    a_t = tuple((*(_power(point, o) for point in points), int(o == m - 1)) for o in range(m))
    finite = (tuple(_power(point, k) for k in range(r)) for point in points)
    g = (*finite, (*(0,) * (r - 1), 1))
    b_t = (*((*_with_roots(rest), 0) for rest in others), _with_roots(points))
    divisors = []
    for point, rest in zip(points, others, strict=True):
        divisor: Any = 1
        for other in rest:
            divisor = divisor * (point - other)
        divisors.append(divisor)
    return a_t, g, b_t, (*divisors, 1)


def _power(point: Any, exponent: int) -> Any:
    # Not by **: 0**0 is meant to be 1 in every ring.
    result: Any = 1
    for _ in range(exponent):
        result = result * point
    return result


def _with_roots(roots: Sequence[Any]) -> tuple[Any, ...]:
    """Coefficients of Π (t − root), from t⁰ on."""
    result: list[Any] = [1]
    for root in roots:
        raised, lowered = [0, *result], [root * a for a in result] + [0]
        result = [a - b for a, b in zip(raised, lowered, strict=True)]
    return tuple(result)


def winograd_transforms(m: int, r: int, points: Sequence[Any] | None = None) -> Transforms:
    """The transforms of F(m, r): m outputs of a correlation with r taps by m + r − 1 products.

    Parameters
    ----------
    m, r : int
        Outputs of a tile and taps, at least 1.
    points : sequence of int, Fraction or SymPy rational, optional
        m + r − 2 distinct numbers; by default those of `default_points`. Infinity is one more.

    Raises
    ------
    ParameterError
        For repeated points, which would divide by zero, or another number of points.
    ParameterTypeError
        For floats: their exact values are rarely what is meant.
    TooLargeError
        Above 128 products.

    Examples
    --------
    >>> transforms = winograd_transforms(2, 2)
    >>> for rows in (transforms.A_T, transforms.G, transforms.B_T):
    ...     print([[str(entry) for entry in row] for row in rows])
    [['1', '1', '0'], ['0', '1', '1']]
    [['-1', '0'], ['1', '1'], ['0', '1']]
    [['-1', '1', '0'], ['0', '1', '0'], ['0', '-1', '1']]

    The published F(4, 3), entry for entry:

    >>> winograd_transforms(4, 3).matrices()[1]
    Matrix([
    [ 1/4,     0,    0],
    [-1/6,  -1/6, -1/6],
    [-1/6,   1/6, -1/6],
    [1/24,  1/12,  1/6],
    [1/24, -1/12,  1/6],
    [   0,     0,    1]])
    """
    m, r = concrete("m", integer("m", m, 1)), concrete("r", integer("r", r, 1))
    n = m + r - 2
    if n >= MAX_PRODUCTS:
        raise TooLargeError(
            f"m + r - 1 = {n + 1} products are above the limit of {MAX_PRODUCTS}; compute the "
            f"outputs in smaller tiles"
        )
    chosen = default_points(n) if points is None else _checked_points(points)
    if len(chosen) != n:
        raise ParameterError(
            f"points must be m + r - 2 = {n} numbers, for infinity is one more, got {len(chosen)}"
        )
    a_t, g, b_t, divisors = cleared_transforms(m, r, chosen)
    divided = tuple(
        tuple(Fraction(entry) / divisor for entry in row)
        for row, divisor in zip(g, divisors, strict=True)
    )
    return Transforms((m,), (r,), (chosen,), _fractions(a_t), divided, _fractions(b_t))


def _checked_points(points: Sequence[Any]) -> tuple[Fraction, ...]:
    result: list[Fraction] = []
    for point in sequence("points", points):
        value = _checked_point(point)
        if value in result:
            raise ParameterError(f"points must be distinct, got {value} twice")
        result.append(value)
    return tuple(result)


def _checked_point(point: Any) -> Fraction:
    if isinstance(point, (Fraction, sympy.Rational)) and not isinstance(point, sympy.Integer):
        return Fraction(int(point.numerator), int(point.denominator))
    try:
        return Fraction(concrete("points", integer("points", point)))
    except ParameterTypeError:
        raise ParameterTypeError(
            f"points must be integers, Fractions or SymPy rationals, got {type(point).__name__} "
            f"{shown(point)}"
        ) from None


def _fractions(rows: Rows) -> Rows:
    return tuple(tuple(Fraction(entry) for entry in row) for row in rows)
