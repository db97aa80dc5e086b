"""The operator as an explicit matrix: its size, its entries, its rows and columns, its picture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any

import numpy.typing as npt
import scipy.sparse
import sympy

from symconv import matrices
from symconv.algebras import Algebra
from symconv.checks import concrete, integer
from symconv.errors import DTypeError, ParameterError, located
from symconv.evaluation import Number, Oriented
from symconv.rendering import MAX_WRITTEN, html_summary, matrix_latex

__all__ = ["ExplicitMatrix"]

Array = npt.NDArray[Any]


class ExplicitMatrix(ABC):
    """What `symconv.operator.Operator` is as a matrix; weights left open are symbols."""

    _oriented: Oriented

    @abstractmethod
    def describe(self) -> str:
        """The geometry in a line, for messages."""

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the matrix."""
        return self._oriented.shape

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input, without batch axes."""
        return self._oriented.input_shape

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of one output, without batch axes."""
        return self._oriented.output_shape

    @property
    def weight_shape(self) -> tuple[int, ...] | None:
        """Shape of the weights, None where there are none."""
        return self._oriented.linear.weight_shape

    @property
    def nnz(self) -> int:
        """Entries that the sparse matrix stores: distinct (row, column) pairs of the triples."""
        with located(self.describe):
            return self._oriented.linear.nnz

    def weight_symbols(self) -> Array:
        """The weights as plain symbols ``w_o_c_i_j``, an object array of `weight_shape`."""
        shape = self.weight_shape
        with located(self.describe):
            if shape is None:
                raise ParameterError(
                    "weight symbols do not exist: this operator has no free weights"
                )
            return matrices.symbols("w", shape)

    def exact(self, weight: Any = None) -> sympy.ImmutableSparseMatrix:
        """The matrix with exact entries.

        Parameters
        ----------
        weight : array_like of int, Fraction or SymPy expressions, optional
            Of `weight_shape`. Left out, the entries are plain symbols ``w_o_c_i_j``.

        Raises
        ------
        DTypeError
            If `weight` holds floats.
        TooLargeError
            If the matrix would not fit into memory.

        Examples
        --------
        >>> import symconv as sc
        >>> sc.AvgPool1d(2, stride=1).operator((3,)).exact()
        Matrix([
        [1/2, 1/2,   0],
        [  0, 1/2, 1/2]])
        """
        with located(self.describe):
            matrices.check_exact_size(self._oriented, "the exact matrix")
            return matrices.exact(self._oriented, self._exact_weight(weight))

    def _exact_weight(self, weight: Any) -> Number:
        if weight is None and self.weight_shape is not None:
            weight = self.weight_symbols()
        array, algebra = self._oriented.checked_weight(weight)
        if not algebra.is_exact:
            raise DTypeError(
                f"weight must be exact (integers, Fractions or SymPy expressions), got dtype "
                f"{array.dtype}; Fraction(value) states a float's exact value"
            )
        return array, algebra

    def sparse(
        self, weight: Any = None, dtype: npt.DTypeLike = float, *, memory_limit: int | None = None
    ) -> scipy.sparse.csr_array[Any, tuple[int, int]]:
        """The matrix as a SciPy CSR array: sorted, distinct entries, int32 indices where they fit.

        Parameters
        ----------
        weight : array_like, optional
            Numbers of `weight_shape`; required when the operator has weights.
        dtype : dtype, default float
            Of the entries: any NumPy integer, floating or complex type that holds them.
        memory_limit : int, optional
            Bytes that the result may take; by default 80 % of the memory available.

        Raises
        ------
        TooLargeError
            If it would take more; ``apply`` and ``linear_operator`` need no matrix.

        Examples
        --------
        >>> import symconv as sc
        >>> op = sc.Conv1d(1, 1, 2, bias=False).operator((3,))
        >>> op.sparse([[[1, 2]]], dtype=int).toarray()
        array([[1, 2, 0],
               [0, 1, 2]])
        """
        with located(self.describe):
            number = self._oriented.checked_weight(weight)
            if memory_limit is not None:
                memory_limit = concrete("memory_limit", integer("memory_limit", memory_limit, 0))
            return matrices.sparse(self._oriented, number, dtype, memory_limit)

    def jacobian(self, weight: Any = None) -> sympy.ImmutableSparseMatrix:
        """SymPy's derivative of every output by every input; it equals ``exact(weight)``.

        The outputs are computed for symbolic inputs without the matrix and differentiated one by
        one, so this is an independent derivation of it, for small operators.
        """
        with located(self.describe):
            matrices.check_exact_size(self._oriented, "the differentiated matrix", factor=50)
            number = self._exact_weight(weight)
            # Dummies: a weight may be called x_0_0 as well.
            x = matrices.symbols("x", self.input_shape, sympy.Dummy)
            y, _ = self._oriented.apply_linear((x, Algebra.SYMBOLIC), number, "taps")
            place = {symbol: at for at, symbol in enumerate(x.ravel())}
            entries = {}
            for row, output in enumerate(y.ravel()):
                for symbol in output.free_symbols & place.keys():
                    entries[row, place[symbol]] = sympy.expand(output.diff(symbol))
            return sympy.ImmutableSparseMatrix(*self.shape, entries)

    def row(self, *index: int, weight: Any = None) -> sympy.ImmutableSparseMatrix:
        """Row of output (channel, *position) as an exact 1×columns matrix.

        Examples
        --------
        >>> import symconv as sc
        >>> sc.Conv1d(1, 1, 2, bias=False).operator((3,)).row(0, 1)
        Matrix([[0, w_0_0_0, w_0_0_1]])
        """
        with located(self.describe):
            at = matrices.raveled("row", index, self.output_shape)
            return matrices.exact_row(self._oriented, self._exact_weight(weight), at)

    def column(self, *index: int, weight: Any = None) -> sympy.ImmutableSparseMatrix:
        """Column of input (channel, *position) as an exact rows×1 matrix."""
        with located(self.describe):
            at = matrices.raveled("column", index, self.input_shape)
            number = self._exact_weight(weight)
            turned = replace(self._oriented, transposed=not self._oriented.transposed)
            return matrices.exact_row(turned, number, at).T

    def latex(self, max_rows: int = 12, max_columns: int = 12) -> str:
        r"""LaTeX of the exact matrix, a large one elided to its corners.

        Examples
        --------
        >>> import symconv as sc
        >>> print(sc.AvgPool1d(2).operator((2,)).latex())
        \left[\begin{matrix}\frac{1}{2} & \frac{1}{2}\end{matrix}\right]
        """
        return matrix_latex(self.exact(), max_rows, max_columns)

    def spy(self, format: str = "svg") -> str | bytes:  # noqa: A002
        """Where the matrix has entries: "svg" gives text, "png" bytes (the extra ``draw``).

        Examples
        --------
        >>> import symconv as sc
        >>> sc.Conv1d(1, 1, 2, bias=False).operator((3,)).spy().count("<rect")
        4
        """
        return matrices.spy(self._oriented, format, self.describe())

    @property
    def is_small(self) -> bool:
        """Whether notebooks show the matrix itself, elided, next to its picture."""
        return self.nnz <= MAX_WRITTEN and max(self.shape) <= 2**20

    def _repr_html_(self) -> str:
        return html_summary(repr(self), self._repr_latex_(), str(self.spy()))

    def _repr_latex_(self) -> str | None:
        return f"$${self.latex()}$$" if self.is_small else None
