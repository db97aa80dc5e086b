"""The spectrum of a circular convolution, exact: values of its symbol at roots of unity.

With circular padding, stride 1 and equal sizes, output o reads through tap k the input o + d·k − p
modulo n. So every character v_f[i] = ζ^(f·i) is an eigenvector, with the eigenvalue
λ_f = Σ_k w[k]·ζ^(f·(d·k − p)); with channels, λ_f is a block. Values are kept as polynomials in ζ
modulo the cyclotomic polynomial Φ_N, in which equal numbers have equal coefficients.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symconv.algebras import Algebra, integers_over_denominator, magnitude
from symconv.bound import BoundOperator
from symconv.boundary import OUTSIDE
from symconv.checks import concrete, integer, shown
from symconv.errors import DTypeError, GeometryError, ParameterError, ParameterTypeError, located
from symconv.geometry import Geometry
from symconv.maps import ConvolutionMap
from symconv.memory import require
from symconv.operator import Operator
from symconv.verdict import Verdict, proved, refuted

__all__ = ["CircularSpectrum", "characters_diagonalise", "circular_spectrum"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class CircularSpectrum:
    """The eigenvalues of a circular convolution, exact.

    Attributes
    ----------
    order : int
        N: values lie in the field of the N-th roots of unity, ζ = exp(2πi/N).
    coefficients : numpy.ndarray of int, shape (out, in/groups, *size, φ(N))
        Value at frequency f as Σ_j c[…, f, j]·ζʲ / denominator. Canonical: a value is zero exactly
        when all its coefficients are.
    denominator : int

    Examples
    --------
    >>> import symconv as sc
    >>> layer = sc.Conv1d(1, 1, 3, padding=1, padding_mode="circular", bias=False)
    >>> spectrum = circular_spectrum(layer.operator((4,)).bind([[[1, -2, 1]]]))
    >>> [spectrum.value(f) for f in range(4)]
    [0, -2, -4, -2]
    """

    order: int
    coefficients: Array
    denominator: int

    @property
    def size(self) -> tuple[int, ...]:
        """Frequencies per axis: the size of the input."""
        return tuple(self.coefficients.shape[2:-1])

    @property
    def is_scalar(self) -> bool:
        """Whether every channel stands alone, so that blocks are numbers."""
        return bool(self.coefficients.shape[1] == 1)

    def value(self, *frequency: int, out: int = 0, into: int = 0) -> sympy.Expr:
        """The value at one frequency as a SymPy expression in ``exp(2πi/N)``.

        Parameters
        ----------
        *frequency : int
            One per axis.
        out, into : int
            Output channel, and input channel within its group.
        """
        index = (out, into, *frequency)
        if len(frequency) != len(self.size):
            raise ParameterError(
                f"frequency must have one entry per axis ({len(self.size)}), got {frequency}"
            )
        for at, n in zip(index, self.coefficients.shape, strict=False):
            if concrete("frequency", integer("frequency", at, 0)) >= n:
                raise ParameterError(f"frequency must lie inside {self.size}, got {shown(index)}")
        root = sympy.exp(2 * sympy.pi * sympy.I / self.order)
        terms = (
            sympy.Rational(int(c), self.denominator) * root**power
            for power, c in enumerate(self.coefficients[index].tolist())
        )
        return sympy.Add(*terms)

    def numeric(self) -> Array:
        """The values as complex128, shape (out, in/groups, *size); rounded, no enclosure."""
        powers = np.exp(2j * np.pi * np.arange(self.coefficients.shape[-1]) / self.order)
        scaled = self.coefficients.astype(np.float64) / self.denominator
        return np.asarray(scaled @ powers)

    @cached_property
    def is_zero(self) -> Array:
        """Where values are exactly zero, shape (out, in/groups, *size)."""
        return np.asarray((self.coefficients == 0).all(axis=-1))

    @property
    def nullity(self) -> int:
        """How many eigenvalues are zero: the operator's nullity, where channels stand alone."""
        if not self.is_scalar:
            raise ParameterError("nullity is read off scalar values only; use nullity(op)")
        return int(self.is_zero.sum())


def circular_spectrum(op: Any) -> CircularSpectrum:
    """The exact eigenvalues of a circular convolution with stride 1 and equal sizes.

    Parameters
    ----------
    op : BoundOperator
        With integer or rational weights; any padding, dilation, channels and groups; also the
        transpose.

    Raises
    ------
    GeometryError
        If the characters are no eigenvectors: another boundary, a stride, another output size.

    Examples
    --------
    >>> import symconv as sc
    >>> layer = sc.Conv2d(1, 1, 3, padding=1, padding_mode="circular", bias=False)
    >>> box = circular_spectrum(layer.operator((6, 9)).bind([[[[1] * 3] * 3]]))
    >>> box.order, box.nullity, sc.linalg.nullity(layer.operator((6, 9)).bind([[[[1] * 3] * 3]]))
    (18, 26, 26)

    References
    ----------
    P. J. Davis, Circulant Matrices (1979), ch. 3. H. Sedghi, V. Gupta, P. M. Long (2019), The
    singular values of convolutional layers, arXiv:1805.10408.
    """
    if not isinstance(op, BoundOperator):
        raise ParameterTypeError(
            f"op must be a BoundOperator, op.bind(weight), got {type(op).__name__} {shown(op)}"
        )
    with located(op.operator.describe):
        geometry = circular_geometry(op.operator)
        oriented = op.operator.oriented
        weight, algebra = oriented.checked_weight(op.weight)
        if algebra > Algebra.RATIONAL:
            raise DTypeError(
                f"weight must hold integers or Fractions, got {algebra.name.lower()} entries; "
                f"norm_bounds(op) takes floats"
            )
        weight, denominator = integers_over_denominator(weight)
        order = math.lcm(*geometry.input_size)
        degree = int(sympy.totient(order))
        n_values = weight.shape[0] * weight.shape[1] * math.prod(geometry.input_size)
        require(24 * n_values * degree, f"{n_values} values of {degree} coefficients", "use numpy")
        powers = cyclotomic_powers(order)
        fits = magnitude(weight) * int(np.abs(powers).max()) * geometry.products_per_output < 2**63
        kind = np.int64 if fits else object
        total = np.zeros((*weight.shape[:2], *geometry.input_size, degree), dtype=kind)
        # The transpose has the conjugate characters' values.
        sign = -1 if oriented.transposed else 1
        for tap, exponent in exponents(geometry, order):
            values = powers[sign * exponent % order].astype(kind)
            total += np.multiply.outer(weight[(..., *tap)].astype(kind), values)
        if oriented.transposed:
            groups, (outs, ins) = geometry.groups, weight.shape[:2]
            blocks = total.reshape(groups, outs // groups, ins, *total.shape[2:])
            total = blocks.swapaxes(1, 2).reshape(groups * ins, outs // groups, *total.shape[2:])
        return CircularSpectrum(order, total, denominator)


def circular_geometry(operator: Operator) -> Geometry:
    """The geometry of an operator that the characters diagonalise, or why it is none."""
    linear = operator.oriented.linear
    geometry = linear.geometry
    if not isinstance(linear, ConvolutionMap) or geometry.boundary.mode != "circular":
        raise GeometryError(
            f"padding_mode must be 'circular' for the roots of unity to give the spectrum, got "
            f"{geometry.boundary.mode!r}"
        )
    for number, axis in enumerate(geometry.axes):
        relation = axis.relation
        if (relation.stride, relation.input_dilation) != (1, 1) or axis.n_in != axis.n_out:
            raise GeometryError(
                f"stride must be 1 and sizes equal for the roots of unity to give the spectrum, "
                f"got stride {relation.stride}, input dilation {relation.input_dilation}, "
                f"{axis.n_in} → {axis.n_out} on axis {number}"
            )
    return geometry


def exponents(geometry: Geometry, order: int) -> Any:
    """Per tap k the exponents e of ζ^e = v_f[what output 0 reads] for every frequency f."""
    for tap in np.ndindex(*geometry.kernel_size):
        total = np.zeros((), dtype=np.int64)
        for axis, k in zip(geometry.axes, tap, strict=True):
            place = axis.relation.position(0, k) % axis.n_in
            step = order // axis.n_in
            total = np.add.outer(total, np.arange(axis.n_in) * (place * step))
        yield tap, total % order


def cyclotomic_powers(order: int) -> Array:
    """Row j: the coefficients of xʲ modulo Φ_N, for j = 0 … N−1.

    Examples
    --------
    >>> cyclotomic_powers(3).tolist()
    [[1, 0], [0, 1], [-1, -1]]
    """
    polynomial = sympy.Poly(sympy.cyclotomic_poly(order, sympy.Symbol("x")))
    low = np.array([int(c) for c in polynomial.all_coeffs()[::-1]], dtype=np.int64)[:-1]
    powers = np.zeros((order, len(low)), dtype=np.int64)
    powers[0, 0] = 1
    if len(low) == 1:
        # Φ_1 = x − 1 and Φ_2 = x + 1: ζ is −low itself.
        powers[:, 0] = (-int(low[0])) ** np.arange(order)
        return powers
    for j in range(1, order):
        powers[j, 1:] = powers[j - 1, :-1]
        powers[j] -= powers[j - 1, -1] * low
    return powers


def characters_diagonalise(op: Any) -> Verdict:
    """Whether every character is an eigenvector, decided entry by entry for all weights.

    For each tap, output and frequency: v_f[what the tap reads] = ζ^e·v_f[output] with the exponent
    e that the spectrum uses. ζ^a = ζ^b exactly when N divides a − b, so that integers decide it.

    Parameters
    ----------
    op : Operator or BoundOperator
        A convolution with circular padding.

    Returns
    -------
    Verdict
        For all weights at this size, by linearity; the characters are a basis.

    Examples
    --------
    >>> import symconv as sc
    >>> layer = sc.Conv2d(1, 1, 3, padding=1, padding_mode="circular", bias=False)
    >>> print(characters_diagonalise(layer.operator((3, 4))))
    PROVED (all weights at 3×4): 12 characters, 9 taps, 12 outputs

    References
    ----------
    P. J. Davis, Circulant Matrices (1979), theorem 3.2.2.
    """
    operator = op.operator if isinstance(op, BoundOperator) else op
    if not isinstance(operator, Operator):
        raise ParameterTypeError(f"op must be an Operator, got {type(op).__name__} {shown(op)}")
    with located(operator.describe):
        geometry = circular_geometry(operator)
        size = geometry.input_size
        n, order = math.prod(size), math.lcm(*size)
        require(40 * n * n, f"{n} characters at {n} places", "use a smaller input")
        places = np.indices(size).reshape(len(size), -1)
        steps = np.array([order // axis for axis in size])
        character = (places * steps[:, None]).T @ places % order
        scope = f"all weights at {'×'.join(map(str, size))}"
        table = operator.oriented.linear.incidence.gathered().reshape(-1, n)
        for (tap, exponent), read in zip(exponents(geometry, order), table, strict=True):
            expected = (exponent.reshape(-1, 1) + character) % order
            wrong = np.argwhere((read == OUTSIDE) | (character[:, read] != expected))
            if len(wrong):
                frequency, output = wrong[0].tolist()
                case = {"tap": tap, "frequency": frequency, "output": output}
                return refuted(scope, case, "A·v is no multiple of v")
        taps = math.prod(geometry.kernel_size)
        return proved(scope, f"{n} characters, {taps} taps, {n} outputs")
