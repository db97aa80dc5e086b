"""Dilation and erosion at one input size: weighted windows over (max, +) or (min, +)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.algebras import Algebra, as_array, common, magnitude, to_float
from symconv.boundary import OUTSIDE
from symconv.checks import is_dask
from symconv.errors import GeometryError, ParameterError, ShapeError, located
from symconv.incidence import Windows
from symconv.memory import require
from symconv.rendering import html_summary
from symconv.semiring_matrix import SemiringMatrix
from symconv.semirings import MAX_PLUS, MIN_PLUS, MINUS_INFINITY, Semiring
from symconv.windowed import WindowOperator

__all__ = ["MorphologyOperator", "structure_array"]

Array = npt.NDArray[Any]


def structure_array(value: Any) -> Array:
    """A structuring element: exact numbers per tap, `MINUS_INFINITY` for taps left out."""
    array = MAX_PLUS.array("structure", value)
    if array.ndim == 0 or array.size == 0:
        raise ShapeError(f"structure must have at least one axis and one tap, got {array.shape}")
    if array.dtype == object and all(entry is MINUS_INFINITY for entry in array.ravel()):
        raise ParameterError("structure must have a tap that is not −∞")
    return array


class MorphologyOperator(WindowOperator):
    """A dilation or an erosion at one input size, per channel.

    Made by ``layer.operator(size)``; arrays are (*any leading axes, *size).

    Examples
    --------
    >>> import symconv as sc
    >>> from symconv.layers.morphology import Dilation, Erosion
    >>> dilate, erode = Dilation((1, 3)).operator((3,)), Erosion((1, 3)).operator((3,))
    >>> dilate.apply([5, 0, 4]), erode.apply([5, 0, 4])
    (array([6, 7]), array([-3, -1]))
    >>> dilate.exact().to(MIN_PLUS) == erode.exact()
    True
    """

    def __init__(
        self, windows: Windows, weights: Array, semiring: Semiring, description: str
    ) -> None:
        super().__init__(windows, description)
        self._semiring, self._weights = semiring, weights
        with located(self.describe):
            seen = np.zeros(self.output_shape, dtype=bool)
            for outputs, _, _ in self._taps():
                seen[outputs] = True
            if not seen.all():
                place = tuple(map(int, np.argwhere(~seen)[0]))
                raise GeometryError(
                    f"padding must leave a sample under the structure in every window, got none "
                    f"in window {place}: its value would be {semiring.zero}"
                )

    def exact(self) -> SemiringMatrix:
        """The matrix over the semiring: the structuring element's values (negative for erosion)."""
        with located(self.describe):
            require(
                64 * math.prod(self._windows.kernel_size) * self.shape[0],
                f"the matrix {self.shape[0]}×{self.shape[1]}",
                "use apply(x), which needs no matrix",
            )
            outputs, taps, inputs = self._windows.triples()
            values = self._weights.ravel()[taps]
            kept = MAX_PLUS.stored(values)
            matrix = SemiringMatrix.from_arrays(
                outputs[kept], inputs[kept], values[kept], self.shape, MAX_PLUS
            )
            return matrix.to(self._semiring)

    def adjoint(self) -> SemiringMatrix:
        """The matrix of the other operation, from the output back to the input.

        For a dilation D it is the erosion E with D·x ≤ y iff x ≤ E·y, and the other way round.

        Examples
        --------
        >>> import symconv as sc
        >>> from symconv.layers.morphology import Dilation
        >>> op = Dilation((1, 3)).operator((3,))
        >>> op.adjoint() @ (op.exact() @ [5, 0, 4])
        array([5, 3, 4])
        """
        other = MIN_PLUS if self._semiring is MAX_PLUS else MAX_PLUS
        return self.exact().T.to(other)

    def apply(self, x: Any) -> Array:
        """The largest (smallest) of each window's samples plus (minus) the structuring element.

        Parameters
        ----------
        x : array_like, shape (*leading, *input_shape)
            Integers, Fractions, SymPy expressions, float32 or float64; a Dask array gives a Dask
            array.

        Returns
        -------
        numpy.ndarray, shape (*leading, *output_shape)
            Exact for exact data; floats keep their type, NaN wins.
        """
        with located(self.describe):
            if is_dask(x):
                return self._in_tiles(x)
            array, kind = self._checked("x", x, self.input_shape)
            lead = array.shape[: array.ndim - len(self.input_shape)]
            planes = array.reshape(math.prod(lead), *self.input_shape)
            finite = [entry for entry in self._weights.ravel() if entry is not MINUS_INFINITY]
            weights, own = as_array("structure", np.array(finite, dtype=object))
            require(8 * len(planes) * self.shape[0], "the output", "use fewer planes")
            if common(("x", kind), ("structure", own)) is Algebra.SYMBOLIC:
                flat = planes.reshape(len(planes), self.shape[1])
                columns = np.asarray(self.exact() @ flat.T)
                return columns.T.reshape(*lead, *self.output_shape)
            y = self._extremes(*self._meeting(planes, kind, weights))
            return y.reshape(*lead, *self.output_shape)

    def _in_tiles(self, x: Any) -> Array:
        """`apply` on a Dask array."""
        # A structuring element that does not go with the type is refused now, not in a task.
        integers = self.apply(np.empty((0, *self.input_shape), dtype=x.dtype)).dtype
        if x.dtype.kind in "iu" and integers.kind in "iu":
            held = np.iinfo(x.dtype)
            weights = [each for each in self._weights.ravel() if each is not MINUS_INFINITY]
            largest = max(-int(held.min), int(held.max)) + max(map(abs, map(int, weights)))
            integers = np.dtype(np.int64 if largest + 1 < 2**62 else object)
        part = partial(
            _extremes_of_part,
            weights=self._weights,
            is_dilation=self._semiring is MAX_PLUS,
            description=self.describe(),
        )
        found: Array = self._tiles_of(x, part, integers)
        return found

    def _meeting(self, planes: Array, kind: Algebra, weights: Array) -> tuple[Array, Any]:
        """The input in a type that holds every sum, and what loses against each of them."""
        sign = -1 if self._semiring is MAX_PLUS else 1
        if kind is Algebra.REAL:
            to_float("structure", weights, planes.dtype)
            return planes, sign * np.inf
        if kind is Algebra.INTEGER and all(isinstance(entry, int) for entry in weights):
            bound = magnitude(planes) + magnitude(weights) + 1
            if bound < 2**62:
                return planes.astype(np.int64), sign * bound
        return planes.astype(object), self._semiring.zero

    def _extremes(self, planes: Array, losing: Any) -> Array:
        y = np.full((len(planes), *self.output_shape), losing, dtype=planes.dtype)
        ufunc = np.maximum if self._semiring is MAX_PLUS else np.minimum
        sign = 1 if self._semiring is MAX_PLUS else -1
        whole = slice(None)
        for outputs, inputs, weight in self._taps():
            # An array of one keeps the type of the planes.
            seen = planes[(whole, *inputs)] + np.array([sign * weight], dtype=planes.dtype)
            with np.errstate(invalid="ignore"):
                y[(whole, *outputs)] = ufunc(y[(whole, *outputs)], seen)
        return y

    def _taps(self) -> Iterator[tuple[Any, Any, Any]]:
        """Open meshes of the outputs that each tap reaches and of what it reads, and its value."""
        # Python's numbers: NumPy's overflow where Python's integers do not fit.
        tables, weights = self._windows.reads, self._weights.astype(object)
        for tap in np.ndindex(*self._windows.kernel_size):
            weight: Any = weights[tap]
            if weight is MINUS_INFINITY:
                continue
            columns = [table[:, k] for table, k in zip(tables, tap, strict=True)]
            rows = [np.flatnonzero(column != OUTSIDE) for column in columns]
            read = [column[row] for column, row in zip(columns, rows, strict=True)]
            yield np.ix_(*rows), np.ix_(*read), weight

    def _key(self) -> tuple[Any, ...]:
        weights = tuple(self._weights.ravel().tolist())
        return self._semiring.plain, self._weights.shape, weights, *super()._key()

    def __repr__(self) -> str:
        rows, columns = self.shape
        over = self._semiring.plain
        return f"<MorphologyOperator {rows}×{columns} over {over}: {self.describe()}>"

    def _repr_html_(self) -> str:
        return html_summary(repr(self), self.exact()._repr_latex_())


def _extremes_of_part(
    x: Array,
    windows: Windows,
    *,
    weights: Array,
    is_dilation: bool,
    description: str,
    dtype: np.dtype[Any],
) -> Array:
    """What a task of a Dask array computes; semirings are told apart by what they are."""
    semiring = MAX_PLUS if is_dilation else MIN_PLUS
    found = MorphologyOperator(windows, weights, semiring, description).apply(x)
    return found.astype(dtype, copy=False)
