"""Bound operators: an operator with its weights, as a matrix-like object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt
import scipy.sparse
import scipy.sparse.linalg
import sympy

from symconv.algebras import as_array
from symconv.certifying import Certified
from symconv.checks import is_dask
from symconv.errors import DTypeError, located
from symconv.evaluation import Packed, Settings
from symconv.rendering import html_summary, matrix_latex

if TYPE_CHECKING:
    from symconv.operator import Operator

__all__ = ["BoundOperator", "linear_operator"]

Array = npt.NDArray[Any]


class BoundOperator:
    """An operator with weights and bias: the affine map x → A·x + b with numbers in it.

    ``bound @ x``, `T` and `H` are the linear part A (so that adjointness holds); `apply` adds the
    bias. A copy of the weights is kept, and what plans make of them: packed once, not per call.

    Examples
    --------
    >>> import symconv as sc
    >>> bound = sc.Conv1d(1, 1, 2).operator((3,)).bind([[[1, 10]]], bias=[5])
    >>> bound @ [1, 2, 4], bound.T @ [1, 1], bound.apply([[1, 2, 4]])
    (array([21, 42]), array([ 1, 11, 10]), array([[26, 47]]))
    """

    def __init__(self, operator: Operator, weight: Any = None, bias: Any = None) -> None:
        # Wrong shapes and a missing bias are reported here, not at the first product.
        operator.check_numbers(weight, bias)
        self._set(operator, _kept(weight), _kept(bias), {})

    def _set(self, operator: Operator, weight: Any, bias: Any, packed: Packed) -> None:
        self.operator, self.weight, self._bias, self._packed = operator, weight, bias, packed

    def _turned(self, operator: Operator) -> BoundOperator:
        # The bias is carried along unseen, so that T.T is the same affine map again.
        turned = BoundOperator.__new__(BoundOperator)
        turned._set(operator, self.weight, self._bias, self._packed)
        return turned

    @property
    def bias(self) -> Any:
        """The bias that `apply` adds; None in the transposed direction."""
        return self._bias if self.operator.has_bias else None

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the matrix."""
        return self.operator.shape

    @property
    def T(self) -> BoundOperator:  # noqa: N802 - the mathematical name
        """The transposed linear part with the same weights."""
        return self._turned(self.operator.T)

    @property
    def H(self) -> BoundOperator:  # noqa: N802 - the mathematical name
        """The conjugate transpose of the linear part."""
        return self._turned(self.operator.H)

    def __matmul__(self, x: Any) -> Array:
        """A·x for a flat vector of columns or an array (*batch, *input_shape)."""
        settings = Settings(packed=self._packed)
        if is_dask(x):
            # In tiles, of the operator's own shape: a flat Dask array has no chunks in space.
            return self.operator.run(x, self.weight, settings=settings)
        with located(self.operator.describe):
            array, _ = as_array("x", x)
        if array.shape == (self.shape[1],):
            columns = array.reshape(self.operator.input_shape)
            return self.operator.run(columns, self.weight, settings=settings).reshape(self.shape[0])
        return self.operator.run(array, self.weight, settings=settings)

    @overload
    def apply(
        self,
        x: Any,
        plan: str = "auto",
        *,
        out: Array | None = None,
        memory_limit: int | None = None,
        certify: None = None,
    ) -> Array: ...

    @overload
    def apply(
        self,
        x: Any,
        plan: str = "auto",
        *,
        out: Array | None = None,
        memory_limit: int | None = None,
        certify: str,
    ) -> Certified: ...

    def apply(
        self,
        x: Any,
        plan: str = "auto",
        *,
        out: Array | None = None,
        memory_limit: int | None = None,
        certify: str | None = None,
    ) -> Array | Certified:
        """A·x + b over any leading batch axes (see `Operator.apply`)."""
        settings = Settings(memory_limit, out, self._packed)
        if certify is not None:
            return self.operator.certified(x, self.weight, self.bias, plan, settings, certify)
        return self.operator.run(x, self.weight, self.bias, plan, settings, affine=True)

    @property
    def offset(self) -> Array:
        """The b of x → A·x + b, of shape output_shape."""
        return self.operator.offset(self.weight, self.bias)

    def affine(self) -> tuple[sympy.ImmutableSparseMatrix, sympy.ImmutableSparseMatrix]:
        """The exact (A, b), b as a column."""
        b = sympy.ImmutableSparseMatrix(self.shape[0], 1, list(self.offset.ravel()))
        return self.exact(), b

    def exact(self) -> sympy.ImmutableSparseMatrix:
        """The exact matrix A (see `Operator.exact`)."""
        return self.operator.exact(self.weight)

    def sparse(self, dtype: npt.DTypeLike = float) -> scipy.sparse.csr_array[Any, tuple[int, int]]:
        """The SciPy matrix A (see `Operator.sparse`)."""
        return self.operator.sparse(self.weight, dtype)

    def row(self, *index: int) -> sympy.ImmutableSparseMatrix:
        """One exact row (see `Operator.row`)."""
        return self.operator.row(*index, weight=self.weight)

    def column(self, *index: int) -> sympy.ImmutableSparseMatrix:
        """One exact column (see `Operator.column`)."""
        return self.operator.column(*index, weight=self.weight)

    def linear_operator(self, plan: str = "auto") -> scipy.sparse.linalg.LinearOperator:
        """SciPy's LinearOperator of A (see `Operator.linear_operator`)."""
        return self.operator.linear_operator(self.weight, plan)

    def __repr__(self) -> str:
        return f"<Bound{repr(self.operator)[1:-1]}, with weights>"

    def latex(self, max_rows: int = 12, max_columns: int = 12) -> str:
        r"""LaTeX of the matrix A, a large one elided to its corners; floats in four digits.

        Examples
        --------
        >>> import symconv as sc
        >>> bound = sc.Conv1d(1, 1, 2, bias=False).operator((2,)).bind([[[1, -1]]])
        >>> print(bound.latex())
        \left[\begin{matrix}1 & -1\end{matrix}\right]
        """
        weight = None if self.weight is None else as_array("weight", self.weight)
        if weight is None or weight[1].is_exact:
            return matrix_latex(self.exact(), max_rows, max_columns)
        entries = self.sparse(weight[0].dtype).tocoo()
        # .tolist() gives Python numbers, which SymPy reads at their own precision.
        values = [sympy.N(value, 4) for value in entries.data.tolist()]
        places = zip(entries.row.tolist(), entries.col.tolist(), strict=True)
        matrix = sympy.SparseMatrix(*self.shape, dict(zip(places, values, strict=True)))
        return matrix_latex(matrix, max_rows, max_columns)

    def _repr_html_(self) -> str:
        return html_summary(repr(self), self._repr_latex_(), str(self.operator.spy()))

    def _repr_latex_(self) -> str | None:
        return f"$${self.latex()}$$" if self.operator.is_small else None


def _kept(value: Any) -> Any:
    """A copy that nobody else can change."""
    if value is None:
        return None
    array, _ = as_array("weight", value)
    array = array.copy()
    array.flags.writeable = False
    return array


def linear_operator(
    operator: Operator, weight: Any, plan: str
) -> scipy.sparse.linalg.LinearOperator:
    """A SciPy LinearOperator whose products run by `plan`."""
    adjoint = operator.H
    dtype = np.dtype(float)
    if weight is not None:
        array, _ = as_array("weight", weight)
        if array.dtype == object:
            raise DTypeError("weight must be numeric for a LinearOperator, got exact objects")
        dtype = array.dtype

    def product(op: Operator, x: Array) -> Array:
        # SciPy passes (n,), (n, 1) or, for several vectors at once, (n, m) with vectors as columns.
        columns = np.asarray(x)
        n_vectors = columns.shape[1] if columns.ndim == 2 else 1
        vectors = columns.T.reshape(n_vectors, *op.input_shape)
        y = op.apply_linear(vectors, weight, plan).reshape(len(vectors), op.shape[0])
        return y.T

    return scipy.sparse.linalg.LinearOperator(
        operator.shape,
        matvec=lambda x: product(operator, x).ravel(),
        rmatvec=lambda y: product(adjoint, y).ravel(),
        matmat=lambda x: product(operator, x),
        rmatmat=lambda y: product(adjoint, y),
        dtype=dtype,
    )
