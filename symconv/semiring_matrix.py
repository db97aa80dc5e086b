"""Sparse matrices over a semiring, exact: what is not stored is the semiring's zero.

A type of its own: over (max, +) a missing entry is −∞, and a SymPy matrix would read it as 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import scipy.sparse
import sympy

from symconv import semiring_products as products
from symconv.checks import concrete, integer, sequence, shown
from symconv.errors import DTypeError, ParameterError, ParameterTypeError, ShapeError
from symconv.memory import require
from symconv.rendering import MAX_WRITTEN, html_summary, matrix_latex, matrix_text
from symconv.semiring_products import Places
from symconv.semirings import BOOLEAN, COUNTING, Semiring, checked_semiring

__all__ = ["SemiringMatrix"]

Array = npt.NDArray[Any]

#: Rows and columns that a matrix may have.
MAX_SIZE = 2**62


class SemiringMatrix:
    """A sparse matrix over a semiring: canonical, immutable, hashable, with exact entries.

    Entries are stored row by row, columns ascending, each place once, no zeros of the semiring;
    so two matrices are equal iff they hold the same. (SymPy expressions are compared as they are
    written; `symconv.same_function` decides whether two of them are one function.)

    Parameters
    ----------
    entries : mapping
        (row, column) → value: integers >= 0 over `COUNTING`, booleans over `BOOLEAN`, integers,
        Fractions and SymPy expressions over `MAX_PLUS` and `MIN_PLUS`.
    shape : (int, int)
    semiring : Semiring

    Examples
    --------
    >>> from symconv.semirings import COUNTING, MAX_PLUS
    >>> a = SemiringMatrix({(0, 0): 0, (0, 1): 3, (1, 1): 0}, (2, 2), MAX_PLUS)
    >>> print(a)
    [ 0  3]
    [−∞  0]
    >>> a[1, 0], a.nnz, a @ [5, 1]
    (MINUS_INFINITY, 3, array([5, 1]))
    >>> print(a @ a == a, a ** 0 == SemiringMatrix.identity(2, MAX_PLUS))
    True True

    References
    ----------
    F. Baccelli, G. Cohen, G. J. Olsder, J.-P. Quadrat, *Synchronization and Linearity* (1992).
    """

    __slots__ = ("_entries", "_hash", "_semiring", "_shape")

    #: NumPy leaves ``array @ matrix`` to this class, which refuses it by name.
    __array_ufunc__ = None

    def __init__(
        self, entries: Mapping[tuple[int, int], Any], shape: tuple[int, int], semiring: Semiring
    ) -> None:
        if not isinstance(entries, Mapping):
            raise ParameterTypeError(
                f"entries must map (row, column) to a value, got {type(entries).__name__}"
            )
        for place in entries:
            if not isinstance(place, tuple) or len(place) != 2:
                raise ShapeError(f"entries must have keys (row, column), got {shown(place)}")
        where = [[integer("entries' place", at, 0) for at in place] for place in entries]
        rows, columns = np.array(where, dtype=np.int64).reshape(len(where), 2).T
        values = np.empty(len(entries), dtype=object)
        values[:] = [*entries.values()]
        self._fill(rows, columns, values, shape, semiring)

    @classmethod
    def from_arrays(
        cls, rows: Any, columns: Any, values: Any, shape: tuple[int, int], semiring: Semiring
    ) -> SemiringMatrix:
        """From index arrays in any order; values that meet in one place are added (⊕).

        Examples
        --------
        >>> from symconv.semirings import MAX_PLUS
        >>> SemiringMatrix.from_arrays([0, 0], [1, 1], [2, 5], (1, 2), MAX_PLUS).dense()
        [[MINUS_INFINITY, 5]]
        """
        matrix = cls.__new__(cls)
        at = _indices("rows", rows), _indices("columns", columns)
        if len(at[0]) != len(at[1]):
            raise ShapeError(f"rows and columns must be as many, got {len(at[0])}, {len(at[1])}")
        matrix._fill(*at, values, shape, semiring)
        return matrix

    @classmethod
    def from_dense(cls, values: Sequence[Any] | Array, semiring: Semiring) -> SemiringMatrix:
        """From nested lists or a two-dimensional array, zeros of the semiring included.

        Examples
        --------
        >>> from symconv.semirings import MINUS_INFINITY, MAX_PLUS
        >>> SemiringMatrix.from_dense([[0, MINUS_INFINITY]], MAX_PLUS).nnz
        1
        """
        array = checked_semiring("semiring", semiring).array("values", values)
        if array.ndim != 2:
            raise ShapeError(f"values must have two axes, got shape {array.shape}")
        rows, columns = (axis.ravel() for axis in np.indices(array.shape))
        return cls.from_arrays(rows, columns, array.ravel(), array.shape, semiring)

    @classmethod
    def identity(cls, n: int, semiring: Semiring) -> SemiringMatrix:
        """The n×n matrix with ones on the diagonal."""
        number = concrete("n", integer("n", n, 0))
        one = int(checked_semiring("semiring", semiring).one)
        require(64 * number, f"the identity of {number} rows", "use a smaller one")
        at = np.arange(number)
        return cls.from_arrays(at, at, np.full(number, one), (number, number), semiring)

    def _fill(
        self, rows: Array, columns: Array, values: Any, shape: Any, semiring: Semiring
    ) -> None:
        """Check and store in canonical form."""
        self._semiring = checked_semiring("semiring", semiring)
        sizes = sequence("shape", shape)
        if len(sizes) != 2:
            raise ShapeError(f"shape must be (rows, columns), got {shown(shape)}")
        n_rows, n_columns = (concrete("shape", integer("shape", n, 0)) for n in sizes)
        if max(n_rows, n_columns) > MAX_SIZE:
            raise ParameterError(f"shape must be at most 2**62, got {n_rows}×{n_columns}")
        self._shape = n_rows, n_columns
        array = semiring.array("values", values)
        if array.shape != rows.shape:
            raise ShapeError(f"values must have shape {rows.shape}, got {array.shape}")
        for name, index, n in (("row", rows, n_rows), ("column", columns, n_columns)):
            wrong = index[(index < 0) | (index >= n)]
            if wrong.size:
                raise ParameterError(
                    f"entries must lie inside shape {self._shape}, got {name} {wrong[0]}"
                )
        # Copied: what the caller keeps may change, and what is stored here may not.
        self._set(Places(rows.copy(), columns.copy(), array.copy()))

    def _set(self, entries: Places) -> None:
        self._entries = products.canonical(self._semiring, entries)
        for array in self._entries:
            array.setflags(write=False)
        self._hash: int | None = None

    def _like(
        self, entries: Places, shape: tuple[int, int], semiring: Semiring | None = None
    ) -> SemiringMatrix:
        """A matrix from entries that are known to be legal."""
        matrix = SemiringMatrix.__new__(SemiringMatrix)
        matrix._semiring, matrix._shape = semiring or self._semiring, shape
        matrix._set(entries)
        return matrix

    @property
    def semiring(self) -> Semiring:
        """The algebra of the entries."""
        return self._semiring

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self._shape

    @property
    def nnz(self) -> int:
        """Entries that are stored."""
        return len(self._entries.rows)

    def entries(self) -> Iterator[tuple[int, int, Any]]:
        """(row, column, value) of every stored entry, row by row."""
        scalar = self._semiring.scalar
        for row, column, value in zip(*(a.tolist() for a in self._entries), strict=True):
            yield row, column, scalar(value)

    def arrays(self) -> Places:
        """Rows, columns and values of the stored entries, read-only (booleans as 0 and 1)."""
        return self._entries

    def __getitem__(self, place: tuple[int, int]) -> Any:
        """One entry, the semiring's zero where none is stored."""
        pair = sequence("index", place)
        if len(pair) != 2:
            raise ShapeError(f"index must be (row, column), got {shown(place)}")
        row, column = (
            at + n if at < 0 else at
            for at, n in zip(
                (concrete("index", integer("index", at)) for at in pair), self._shape, strict=True
            )
        )
        if not (0 <= row < self._shape[0] and 0 <= column < self._shape[1]):
            raise ParameterError(f"index must lie inside shape {self._shape}, got {shown(place)}")
        rows, columns, values = self._entries
        start, stop = np.searchsorted(rows, (row, row + 1))
        at = start + np.searchsorted(columns[start:stop], column)
        if at < stop and columns[at] == column:
            return self._semiring.scalar(values[at])
        return self._semiring.zero

    @property
    def T(self) -> SemiringMatrix:  # noqa: N802 - the mathematical name
        """The transpose."""
        rows, columns, values = self._entries
        return self._like(Places(columns, rows, values), self._shape[::-1])

    @overload
    def __matmul__(self, other: SemiringMatrix) -> SemiringMatrix: ...
    @overload
    def __matmul__(self, other: Any) -> Array: ...
    def __matmul__(self, other: Any) -> Any:
        """The product with a matrix over the same semiring, a vector (n,) or an array (n, m)."""
        if not isinstance(other, SemiringMatrix):
            return self._applied(other)
        self._check_same(other)
        if self._shape[1] != other._shape[0]:
            raise ShapeError(f"shapes must fit for a product, got {self._shape}, {other._shape}")
        entries = products.product(self._semiring, self._entries, other._entries, self._shape[1])
        return self._like(entries, (self._shape[0], other._shape[1]))

    def _applied(self, x: Any) -> Array:
        semiring = self._semiring
        array = semiring.array("x", x)
        if array.ndim not in (1, 2) or array.shape[0] != self._shape[1]:
            raise ShapeError(
                f"x must have shape ({self._shape[1]},) or ({self._shape[1]}, m), got {array.shape}"
            )
        y = products.applied(semiring, self._entries, array, self._shape[0])
        return y.astype(bool) if semiring is BOOLEAN else y

    def __rmatmul__(self, other: Any) -> Any:
        raise ParameterTypeError(
            "x must stand on the right of the matrix: use matrix.T @ x for x @ matrix, got "
            f"{type(other).__name__} on the left"
        )

    def __pow__(self, exponent: int) -> SemiringMatrix:
        """The matrix times itself, `exponent` factors; 0 gives the identity."""
        n = concrete("exponent", integer("exponent", exponent, 0))
        if self._shape[0] != self._shape[1]:
            raise ShapeError(f"matrix must be square for a power, got {self._shape}")
        result = SemiringMatrix.identity(self._shape[0], self._semiring)
        square = self
        while n:
            if n & 1:
                result = result @ square
            n >>= 1
            if n:
                square = square @ square
        return result

    def __add__(self, other: SemiringMatrix) -> SemiringMatrix:
        """⊕ entry by entry: the larger one over (max, +)."""
        if not isinstance(other, SemiringMatrix):
            return NotImplemented
        self._check_same(other)
        if self._shape != other._shape:
            raise ShapeError(f"shapes must agree for ⊕, got {self._shape} and {other._shape}")
        pairs = zip(self._entries, other._entries, strict=True)
        return self._like(Places(*map(np.concatenate, pairs)), self._shape)

    def kron(self, other: SemiringMatrix) -> SemiringMatrix:
        """The Kronecker product with ⊗: a pooling over two axes from the ones over each.

        Examples
        --------
        >>> import symconv as sc
        >>> rows, columns = (sc.MaxPool1d(2).operator((n,)).exact() for n in (4, 6))
        >>> rows.kron(columns) == sc.MaxPool2d(2).operator((4, 6)).exact()
        True
        """
        if not isinstance(other, SemiringMatrix):
            raise ParameterTypeError(f"other must be a SemiringMatrix, got {type(other).__name__}")
        self._check_same(other)
        entries = products.kronecker(self._semiring, self._entries, other._entries, other._shape)
        shape = self._shape[0] * other._shape[0], self._shape[1] * other._shape[1]
        return self._like(entries, shape)

    def to(self, semiring: Semiring) -> SemiringMatrix:
        """The matrix carried over by the natural map between the two semirings.

        Everything maps to `BOOLEAN` (where are the entries?), which maps to `MAX_PLUS` and
        `MIN_PLUS` (True to 0); these two map to each other by the sign. All of these maps take ⊕
        to ⊕ and ⊗ to ⊗. Counts cannot be had back: nothing else maps to `COUNTING`.

        Examples
        --------
        >>> from symconv.semirings import BOOLEAN, MAX_PLUS
        >>> a = SemiringMatrix({(0, 1): 7}, (1, 2), MAX_PLUS)
        >>> a.to(BOOLEAN).dense(), a.to(BOOLEAN).to(MAX_PLUS).dense()
        ([[False, True]], [[MINUS_INFINITY, 0]])
        """
        target, own = checked_semiring("semiring", semiring), self._semiring
        if target is own:
            return self
        if target is COUNTING:
            raise ParameterError(f"semiring must be reached by a map, got {own} to COUNTING")
        rows, columns, values = self._entries
        if target.is_tropical and own.is_tropical:
            carried = np.asarray(-values)
        else:
            carried = np.full(self.nnz, int(target.one))
        return self._like(Places(rows, columns, carried), self._shape, target)

    def row_totals(self) -> Array:
        """⊕ over each row: how many over `COUNTING`, the largest entry over `MAX_PLUS`."""
        require(16 * self._shape[1], f"{self._shape[1]} ones", "use entries()")
        ones = np.full(self._shape[1], self._semiring.one)
        return self._applied(ones)

    def column_totals(self) -> Array:
        """⊕ over each column."""
        return self.T.row_totals()

    def dense(self) -> list[list[Any]]:
        """Nested lists of Python values, the semiring's zero (0, False, −∞, ∞) where none is."""
        cells = self._shape[0] * self._shape[1]
        require(8 * cells, f"{cells} cells", "use entries(), which lists the stored ones")
        table = [[self._semiring.zero] * self._shape[1] for _ in range(self._shape[0])]
        for row, column, value in self.entries():
            table[row][column] = value
        return table

    def sparse(self, dtype: npt.DTypeLike = np.int64) -> Any:
        """SciPy's CSR array of a matrix over `COUNTING` or `BOOLEAN`, whose zero is 0."""
        if self._semiring.is_tropical:
            raise ParameterError(
                f"semiring must have the zero 0 for SciPy, got {self._semiring}; "
                f"to(BOOLEAN) says where the entries are"
            )
        rows, columns, values = self._entries
        if values.dtype == object:
            raise DTypeError("matrix must hold counts below 2**62 for SciPy")
        parts = values.astype(dtype), columns, products.pointers(rows, self._shape[0])
        return scipy.sparse.csr_array(parts, shape=self._shape)

    def _check_same(self, other: SemiringMatrix) -> None:
        if self._semiring is not other._semiring:
            raise ParameterError(
                f"semirings must agree, got {self._semiring} and {other._semiring}; use "
                f"to(semiring)"
            )

    def _key(self) -> tuple[Any, ...]:
        rows, columns, _ = self._entries
        return self._semiring.name, self._shape, rows.tobytes(), columns.tobytes()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SemiringMatrix):
            return NotImplemented
        own, others = self._entries.values, other._entries.values
        return self._key() == other._key() and own.tolist() == others.tolist()

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash((*self._key(), *self._entries.values.tolist()))
        return self._hash

    def __repr__(self) -> str:
        rows, columns = self._shape
        return f"<SemiringMatrix {rows}×{columns} over {self._semiring.plain}, {self.nnz} entries>"

    def __str__(self) -> str:
        return matrix_text(_Shown(self, text=True))

    def latex(self, max_rows: int = 12, max_columns: int = 12) -> str:
        r"""LaTeX, a large matrix elided to its corners.

        Examples
        --------
        >>> from symconv.semirings import MAX_PLUS
        >>> print(SemiringMatrix({(0, 0): 3}, (1, 2), MAX_PLUS).latex())
        \left[\begin{matrix}3 & -\infty\end{matrix}\right]
        """
        return matrix_latex(_Shown(self, text=False), max_rows, max_columns)

    def _repr_latex_(self) -> str | None:
        return f"$${self.latex()}$$" if self.nnz <= MAX_WRITTEN else None

    def _repr_html_(self) -> str:
        return html_summary(repr(self), self._repr_latex_())


def _indices(name: str, value: Any) -> Array:
    index = np.asarray(value)
    if index.ndim != 1 or (index.size and index.dtype.kind not in "iu"):
        raise ShapeError(f"{name} must be a one-dimensional array of integers, got {shown(value)}")
    return index.astype(np.int64)


class _Word(sympy.Symbol):  # type: ignore[misc]
    """A symbol that prints as it is written: SymPy would read an accent into a dot."""

    def _latex(self, printer: Any) -> str:
        return str(self.name)


class _Shown:
    """A matrix as the printers look it up: what is missing is a word."""

    def __init__(self, matrix: SemiringMatrix, *, text: bool) -> None:
        self.matrix, self.text, self.shape = matrix, text, matrix.shape

    def __getitem__(self, place: tuple[int, int]) -> Any:
        semiring = self.matrix.semiring
        value = self.matrix[place]
        if value == semiring.zero:
            return semiring.missing if self.text else _Word(semiring.latex_missing)
        return int(value) if semiring is BOOLEAN else value
