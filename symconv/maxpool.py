"""Max pooling at one input size: the incidence over (max, +), in every reading.

The operator is not linear over numbers; over (max, +) it is: its matrix has the one of that
algebra, 0, wherever a window reads a sample, and −∞ elsewhere. Positions outside the input read
−∞ as well, so they are simply not there.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symconv import matrices
from symconv.algebras import Algebra, as_array, magnitude
from symconv.boundary import OUTSIDE
from symconv.checks import is_dask
from symconv.distributed import apply_windows
from symconv.errors import DTypeError, GeometryError, ParameterError, ShapeError, located
from symconv.execute.pooling import window_argmax, window_argmax_shares, window_extremes
from symconv.incidence import Windows
from symconv.memory import require
from symconv.rendering import (
    MAX_CELLS,
    MAX_DRAWN,
    MAX_WRITTEN,
    bin_pattern,
    density_svg,
    html_summary,
    spy_svg,
)
from symconv.selection import Selection, max_unpool, tied
from symconv.semiring_matrix import SemiringMatrix
from symconv.semirings import BOOLEAN, COUNTING, MAX_PLUS, Semiring
from symconv.windowed import WindowOperator

__all__ = ["PoolOperator", "pattern_matrix"]

Array = npt.NDArray[Any]

#: Memory of one SymPy Max of a window, per sample in it, measured.
MAX_BYTES = 500

#: Bytes per entry while a matrix over a semiring is made.
ENTRY_BYTES = 80


def pattern_matrix(windows: Windows, semiring: Semiring) -> SemiringMatrix:
    """Which output reads which input, over a semiring: how often, whether, or with 0.

    Examples
    --------
    >>> print(pattern_matrix(Windows([np.array([[0, 0, 1]])], (2,)), COUNTING))
    [2  1]
    """
    pattern = windows.pattern
    require(
        ENTRY_BYTES * pattern.nnz + 16 * pattern.n_rows,
        f"the matrix {pattern.n_rows}×{pattern.n_columns} with {pattern.nnz} entries",
        "use apply(x), which needs no matrix",
    )
    counts, columns, labels = pattern.block(0, pattern.n_rows)
    rows = np.repeat(np.arange(pattern.n_rows), counts)
    if semiring is COUNTING:
        values = pattern.merged(np.ones(windows.kernel_size, dtype=np.int64))[labels]
    else:
        values = np.full(len(columns), int(semiring.one))
    shape = pattern.n_rows, pattern.n_columns
    return SemiringMatrix.from_arrays(rows, columns, values, shape, semiring)


class PoolOperator(WindowOperator):
    """Max pooling at one input size, per channel.

    Made by ``layer.operator(size)``. Rows and columns are positions raveled in C order; arrays
    are (*any leading axes, *size).

    Attributes
    ----------
    shape : tuple of int
        (outputs, inputs): the shape of the matrices.
    input_shape, output_shape : tuple of int
        Sizes of what `apply` takes and gives, after any leading axes.

    Examples
    --------
    >>> import symconv as sc
    >>> op = sc.MaxPool1d(3, stride=2, padding=1).operator((4,))
    >>> print(op.exact())
    [ 0   0  −∞  −∞]
    [−∞   0   0   0]
    >>> op.apply([5, 7, 7, 1], return_indices=True)
    (array([7, 7]), array([1, 1]))
    >>> op.symbolic()
    array([Max(x_0, x_1), Max(x_1, x_2, x_3)], dtype=object)

    References
    ----------
    PyTorch, documentation of ``torch.nn.MaxPool2d``; G. X. Ritter, P. Sussner, *An introduction
    to morphological neural networks* (1996).
    """

    def __init__(self, windows: Windows, description: str) -> None:
        super().__init__(windows, description)
        with located(self.describe):
            _check_windows(windows)

    def exact(self) -> SemiringMatrix:
        """The matrix over (max, +): 0 where an output reads an input, −∞ elsewhere.

        Two max poolings are one function iff these matrices are equal, and the matrix of one
        after another is the product.

        Examples
        --------
        >>> import symconv as sc
        >>> twice = sc.MaxPool1d(2, stride=1).operator((5,)).exact()
        >>> again = sc.MaxPool1d(2, stride=1).operator((4,)).exact()
        >>> again @ twice == sc.MaxPool1d(3, stride=1).operator((5,)).exact()
        True
        """
        with located(self.describe):
            return pattern_matrix(self._windows, MAX_PLUS)

    def support(self) -> SemiringMatrix:
        """The matrix over (or, and): whether an output reads an input."""
        with located(self.describe):
            return pattern_matrix(self._windows, BOOLEAN)

    def overlap(self) -> SemiringMatrix:
        """The matrix over (+, ·): with how many taps an output reads an input.

        Its `row_totals` are the samples per window, its `column_totals` the windows per sample.

        Examples
        --------
        >>> import symconv as sc
        >>> overlap = sc.MaxPool1d(3, stride=2).operator((6,)).overlap()
        >>> overlap.row_totals(), overlap.column_totals()
        (array([3, 3]), array([1, 1, 2, 1, 1, 0]))
        """
        with located(self.describe):
            return pattern_matrix(self._windows, COUNTING)

    def apply(
        self, x: Any, weight: None = None, bias: None = None, *, return_indices: bool = False
    ) -> Any:
        """The largest value of each window, over any leading axes.

        Parameters
        ----------
        x : array_like, shape (*leading, *input_shape)
            Integers, Fractions, SymPy expressions, float32 or float64; a Dask array gives Dask
            arrays.
        weight, bias : None
            As the other operators' `apply` takes them; there are none here.
        return_indices : bool, default False
            Whether to give as well where the values stand: the flat position in the input plane,
            of equal values the first one. Not for SymPy expressions, whose order is open.

        Returns
        -------
        numpy.ndarray, shape (*leading, *output_shape), or a pair of them
            Of the type of `x`; SymPy expressions give their `Max`. A window with a NaN gives NaN,
            at the last one of several, as in PyTorch. (Of −0 and 0 the value is either; with
            indices it is the one that they name.)

        Examples
        --------
        >>> import symconv as sc
        >>> image = [[1, 0, 3, 5], [3, 4, 2, 2], [1, 3, 3, 9], [5, 7, 8, 4]]
        >>> sc.MaxPool2d(2).operator((4, 4)).apply(image)
        array([[4, 5],
               [7, 9]])
        """
        with located(self.describe):
            for name, value in (("weight", weight), ("bias", bias)):
                if value is not None:
                    raise ParameterError(f"{name} must be left out: max pooling has none")
            if is_dask(x):
                return self._tiled(x, return_indices)
            array, algebra = self._checked("x", x, self.input_shape)
            planes = array.size // max(self.shape[1], 1)
            each = array.itemsize + (8 if return_indices else 0)
            require(
                each * planes * self.shape[0], f"the output of {planes} planes", "use fewer planes"
            )
            if algebra is Algebra.SYMBOLIC:
                if return_indices:
                    raise DTypeError("x must hold numbers for indices, got SymPy expressions")
                return self._maxima(array)
            if return_indices:
                return window_argmax(array, self._windows.reads)
            return window_extremes(array, self._windows.reads)

    def _tiled(self, x: Any, return_indices: bool) -> Any:
        """`apply` on a Dask array."""
        # The type is refused now, not in a task.
        self._checked("x", np.empty((0, *self.input_shape), dtype=x.dtype), self.input_shape)
        run = partial(_maxima_of_part, description=self.describe(), indices=return_indices)
        dtypes = (x.dtype, np.dtype(np.int64)) if return_indices else (x.dtype,)
        found = apply_windows(self._windows, x, run, dtypes, self.describe())
        return found if return_indices else found[0]

    def symbolic(self, x: Any = None) -> Array:
        """Each output as SymPy's Max of its window: of the symbols ``x_i_j``, or of given entries.

        Returns
        -------
        numpy.ndarray of object, shape output_shape
        """
        with located(self.describe):
            if x is None:
                x = matrices.symbols("x", self.input_shape)
            array, algebra = self._checked("x", x, self.input_shape)
            if not algebra.is_exact:
                raise DTypeError(f"x must be exact for symbolic maxima, got dtype {array.dtype}")
            return self._maxima(array)

    def _maxima(self, x: Array) -> Array:
        planes = x.size // max(self.shape[1], 1)
        require(
            MAX_BYTES * self._windows.count * planes,
            f"{planes * self.shape[0]} symbolic maxima",
            "use numbers or a smaller input",
        )
        table = self._windows.gathered().reshape(-1, self.shape[0]).T
        windows = [row[row != OUTSIDE] for row in table]
        y = np.empty((planes, self.shape[0]), dtype=object)
        for plane, values in enumerate(x.reshape(planes, self.shape[1])):
            y[plane] = [sympy.Max(*values[window]) for window in windows]
        return y.reshape(*x.shape[: x.ndim - len(self.input_shape)], *self.output_shape)

    def ties(self, x: Any) -> dict[tuple[int, ...], tuple[tuple[int, ...], ...]]:
        """The outputs whose largest value stands at several inputs, and at which.

        There, and only there, max pooling is not differentiable at `x`.

        Returns
        -------
        dict
            (*leading, *output position) → input positions, in row-major order.

        Examples
        --------
        >>> import symconv as sc
        >>> sc.MaxPool1d(2).operator((4,)).ties([3, 3, 1, 2])
        {(0,): ((0,), (1,))}
        """
        with located(self.describe):
            array, algebra = self._checked("x", x, self.input_shape)
            if algebra is Algebra.SYMBOLIC:
                raise DTypeError("x must hold numbers for ties, got SymPy expressions")
            require(
                3 * 8 * math.prod(self._windows.kernel_size) * self.shape[0],
                "the windows of one plane side by side",
                "use a smaller input",
            )
            best = window_extremes(array, self._windows.reads)
            return tied(array, best, self._windows.gathered(), self.output_shape)

    def selection(self, x: Any) -> Selection:
        """The subgradient at `x`: the 0/1 matrix that picks each output's sample.

        Of equal samples the first in row-major order, of NaN the last, as in PyTorch; `ties`
        names the outputs for which there is another choice.

        Parameters
        ----------
        x : array_like, shape input_shape

        Examples
        --------
        >>> import symconv as sc
        >>> chosen = sc.MaxPool1d(2).operator((4,)).selection([3, 8, 6, 1])
        >>> chosen.exact()
        Matrix([
        [0, 1, 0, 0],
        [0, 0, 1, 0]])
        """
        with located(self.describe):
            array, _ = self._checked("x", x, self.input_shape)
            if array.shape != self.input_shape:
                raise ShapeError(f"x must have shape {self.input_shape}, got {array.shape}")
            _, places = self.apply(array, return_indices=True)
            return Selection(places, self.input_shape)

    def gradient(self, x: Any, y: Any) -> Array:
        """``selection(x)ᵀ·y``: each entry of `y` sent to the input that its output was taken from.

        Parameters
        ----------
        x : array_like, shape (*leading, *input_shape)
        y : array_like, shape (*leading, *output_shape)
            The gradient that arrives at the output.

        Returns
        -------
        numpy.ndarray, shape (*leading, *input_shape)
            Exact for an exact `y`, otherwise of its type, added in PyTorch's order.

        Examples
        --------
        >>> import symconv as sc
        >>> sc.MaxPool1d(3, stride=1).operator((5,)).gradient([1, 9, 2, 3, 3], [10, 20, 30])
        array([ 0, 30,  0, 30,  0])
        """
        with located(self.describe):
            array, kind = self._checked("x", x, self.input_shape)
            if kind is Algebra.SYMBOLIC:
                raise DTypeError("x must hold numbers for indices, got SymPy expressions")
            arrived, algebra = as_array("y", y)
            lead = array.shape[: array.ndim - len(self.input_shape)]
            if arrived.shape != (*lead, *self.output_shape):
                raise ShapeError(
                    f"y must have shape {(*lead, *self.output_shape)}, got {arrived.shape}"
                )
            bytes_needed = max(arrived.itemsize, 8) * (array.size + arrived.size)
            require(bytes_needed, f"a gradient of {array.size} numbers", "use fewer planes")
            if algebra is Algebra.INTEGER:
                fits = magnitude(arrived) * self._windows.largest_overlap < 2**63
                arrived = arrived.astype(np.int64 if fits else object)
            return window_argmax_shares(array, arrived, self._windows.reads)

    def unpool(self, y: Any, indices: Any) -> Array:
        """The values of `y` put back where `indices` say, zeros elsewhere: `max_unpool`."""
        with located(self.describe):
            self._checked("y", y, self.output_shape)
            return max_unpool(y, indices, self.input_shape)

    def latex(self, max_rows: int = 12, max_columns: int = 12) -> str:
        """LaTeX of the matrix over (max, +), a large one elided to its corners."""
        return self.exact().latex(max_rows, max_columns)

    def spy(self) -> str:
        """Where the matrix has entries, as SVG text.

        Examples
        --------
        >>> import symconv as sc
        >>> sc.MaxPool1d(2, stride=1).operator((3,)).spy().count("<rect")
        4
        """
        with located(self.describe):
            pattern, title = self._windows.pattern, self.describe()
            if pattern.nnz <= MAX_DRAWN and max(self.shape) <= MAX_CELLS:
                rows, columns, _ = self.support().arrays()
                return str(spy_svg(rows, columns, self.shape, ["0"] * len(rows), title=title))
            return str(density_svg(bin_pattern(pattern, (1, 1, 1)), self.shape, title=title))

    def _repr_latex_(self) -> str | None:
        small = self.nnz <= MAX_WRITTEN and max(self.shape) <= 2**20
        return f"$${self.latex()}$$" if small else None

    def _repr_html_(self) -> str:
        return html_summary(repr(self), self._repr_latex_(), self.spy())


def _maxima_of_part(x: Array, windows: Windows, description: str, indices: bool) -> Any:
    """What a task of a Dask array computes."""
    return PoolOperator(windows, description).apply(x, return_indices=indices)


def _check_windows(windows: Windows) -> None:
    """Refuse a window without a sample: its largest value would be −∞, which no number is."""
    for axis, (table, n_in) in enumerate(zip(windows.reads, windows.input_size, strict=True)):
        empty = np.flatnonzero((table == OUTSIDE).all(axis=1))
        if len(empty):
            raise GeometryError(
                f"padding must leave a sample in every window, got none in window {empty[0]} of "
                f"axis {axis} over {n_in} samples: its largest value would be −∞"
            )
