"""Operators: the linear map of a layer at one size, in every reading.

Exact matrix, transpose, SciPy sparse matrix, matrix-free product, rows and columns, gradient and
Jacobian all come from the same triples.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import scipy.sparse
import scipy.sparse.linalg
import sympy

from symconv import distributed, matrices
from symconv.algebras import Algebra, as_array
from symconv.bound import BoundOperator, linear_operator
from symconv.certifying import Certified, certified
from symconv.checks import concrete, integer
from symconv.errors import DTypeError, ParameterError, ShapeError, TooLargeError, located
from symconv.evaluation import DEFAULT, Number, Oriented, Settings, add
from symconv.execute.planner import Choice
from symconv.maps import LinearMap
from symconv.rendering import MAX_WRITTEN, html_summary, matrix_latex

__all__ = ["Operator"]

Array = npt.NDArray[Any]


class Operator:
    """The linear part of a layer at one input size, weights left open.

    Made by ``layer.operator(size)``. Rows and columns are (channel, *position) raveled in C
    order; arrays are (*batch, channels, *size). Pooling, padding and patch operators act on each
    channel alone: their shapes have no channel axis, and `apply` takes any leading axes.

    Attributes
    ----------
    shape : tuple of int
        (rows, columns) of the matrix.
    input_shape, output_shape : tuple of int
        What `apply` takes and gives, after any batch axes.
    weight_shape : tuple of int or None
        (out, in/groups, *kernel) of the convolution (the layer's own layout for a transposed
        convolution: (in, out/groups, *kernel)); None where nothing is free.
    has_bias : bool
        Whether `apply` takes a bias: the layer has one and this is its forward direction.

    Examples
    --------
    >>> import symconv as sc
    >>> op = sc.Conv1d(1, 1, 2, bias=False).operator((3,))
    >>> op.exact()
    Matrix([
    [w_0_0_0, w_0_0_1,       0],
    [      0, w_0_0_0, w_0_0_1]])
    >>> op.T.exact() == op.exact().T
    True
    >>> op.apply([[1, 2, 4]], [[[1, 10]]])
    array([[21, 42]])
    """

    def __init__(
        self, linear: LinearMap, description: str, *, transposed: bool = False, bias: bool = False
    ) -> None:
        self._oriented = Oriented(linear, transposed)
        self._linear = linear
        self._description = description
        # The layer's own direction, in which a bias belongs: T.T is the same operator again.
        self._layer_side = transposed
        self._bias = bias

    @property
    def oriented(self) -> Oriented:
        """The map with its orientation, for the rooms that compute with operators."""
        return self._oriented

    def _turned(self, *, conjugated: bool) -> Operator:
        turned = Operator(
            self._linear, self._description, transposed=self._layer_side, bias=self._bias
        )
        turned._oriented = replace(
            self._oriented, transposed=not self._oriented.transposed, conjugated=conjugated
        )
        return turned

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
        return self._linear.weight_shape

    @property
    def nnz(self) -> int:
        """Entries that the sparse matrix stores: distinct (row, column) pairs of the triples."""
        with located(self.describe):
            return self._linear.nnz

    @property
    def has_bias(self) -> bool:
        """Whether `apply` takes a bias."""
        return self._bias and self._is_forward

    @property
    def _is_forward(self) -> bool:
        turn = self._oriented
        return turn.transposed == self._layer_side and not turn.conjugated

    @property
    def T(self) -> Operator:  # noqa: N802 - the mathematical name
        """The transposed operator: the same triples read from output to input."""
        return self._turned(conjugated=self._oriented.conjugated)

    @property
    def H(self) -> Operator:  # noqa: N802 - the mathematical name
        """The conjugate transpose (adjoint); equal to `T` for real weights."""
        return self._turned(conjugated=not self._oriented.conjugated)

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

    @overload
    def apply(
        self,
        x: Any,
        weight: Any = None,
        bias: Any = None,
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
        weight: Any = None,
        bias: Any = None,
        plan: str = "auto",
        *,
        out: Array | None = None,
        memory_limit: int | None = None,
        certify: str,
    ) -> Certified: ...

    def apply(
        self,
        x: Any,
        weight: Any = None,
        bias: Any = None,
        plan: str = "auto",
        *,
        out: Array | None = None,
        memory_limit: int | None = None,
        certify: str | None = None,
    ) -> Array | Certified:
        """The layer's output A·x + b, over any leading batch axes.

        Parameters
        ----------
        x : array_like, shape (*batch, *input_shape)
            Integers, Fractions, SymPy expressions, float32, float64, complex64 or complex128. A
            Dask array gives a Dask array, computed later in tiles (see `symconv.distributed`).
        weight : array_like, shape weight_shape
            Required when the operator has weights.
        bias : array_like, shape (output channels,)
            Required exactly when the layer has a bias.
        plan : str, default "auto"
            "auto" takes the fastest plan by the cost models (`explain` says which and why);
            "taps", "patches", "pointwise", "fourier", and with Numba "implicit", "winograd" and
            "winograd4", run that plan; "sparse" builds the explicit matrix, "separable" runs one
            pass per axis with exact factors of the weights. The results of exact data are equal;
            an infinite or NaN weight meets the zeros of the padding, as in the frameworks, in all
            but "sparse". Floats are separable only where their binary values are
            (see `symconv.apply_separable`).
        out : numpy.ndarray, optional
            C-contiguous array for the result, of its shape and type; it is returned.
        memory_limit : int, optional
            Bytes that a plan may use next to input and output; what is free without it.
        certify : {"a-priori", "computed"}, optional
            Ask for a bound on |values − exact result| as well, entry by entry, for the plan used.
            "a-priori" holds in whatever order sums are taken and costs about one more product;
            "computed" is near the error itself, by a more accurate evaluation, which costs about
            four products more (layers with weights only).

        Returns
        -------
        numpy.ndarray, shape (*batch, *output_shape)
            Exact for exact data: int64 where a bound proves that it fits and Python integers
            beyond, Fractions, or expanded SymPy expressions. Floats keep the floats' type.
            With `certify` a `Certified`: (values, bound, plan, method).

        Examples
        --------
        >>> import symconv as sc
        >>> op = sc.Conv1d(1, 1, 2).operator((3,))
        >>> op.apply([[2**62, 2**62, 1]], [[[1, 1]]], bias=[0])
        array([[9223372036854775808, 4611686018427387905]], dtype=object)
        >>> single = np.array([[[0.1, 0.2]]], dtype=np.float32)
        >>> found = op.apply(np.ones((1, 3)), single, [0.0], certify="computed")
        >>> found.values, bool(found.bound.max() < 1e-16)
        (array([[0.3, 0.3]]), True)
        """
        settings = Settings(memory_limit, out)
        if certify is not None:
            return self.certified(x, weight, bias, plan, settings, certify)
        return self.run(x, weight, bias, plan, settings, affine=True)

    def certified(
        self, x: Any, weight: Any, bias: Any, plan: str, settings: Settings, method: str
    ) -> Certified:
        """`apply` with a bound, with all settings: for rooms above."""
        with located(self.describe):
            distributed.in_memory(x=x)
            number = self._oriented.checked_weight(weight)
            addend = self._checked_bias(bias)
            given = self._oriented.checked_input("x", x, self.input_shape)
            return certified(self._oriented, given, number, addend, plan, settings, method)

    def run(
        self,
        x: Any,
        weight: Any = None,
        bias: Any = None,
        plan: str = "auto",
        settings: Settings = DEFAULT,
        *,
        affine: bool = False,
    ) -> Array:
        """`apply_linear`, or `apply` where `affine`, with all settings: for rooms above."""
        with located(self.describe):
            if distributed.is_dask(x):
                return self._run_tiled(x, weight, bias, plan, settings, affine)
            number = self._oriented.checked_weight(weight)
            addend = self._checked_bias(bias) if affine else None
            given = self._oriented.checked_input("x", x, self.input_shape)
            if affine:
                return self._oriented.affine(given, number, addend, plan, settings)
            return self._oriented.apply_linear(given, number, plan, settings)[0]

    def _run_tiled(
        self, x: Any, weight: Any, bias: Any, plan: str, settings: Settings, affine: bool
    ) -> Array:
        distributed.in_memory(weight=weight, bias=bias)
        number = self._oriented.checked_weight(weight)
        addend = self._checked_bias(bias) if affine else None
        name = self.describe()
        tiled: Array = distributed.apply(
            self._oriented, x, number, addend, plan, settings, name, affine=affine
        )
        return tiled

    def explain(
        self,
        dtype: npt.DTypeLike = np.float32,
        *,
        batch: int = 1,
        plan: str = "auto",
        memory_limit: int | None = None,
    ) -> Choice:
        """Which plan `apply` runs for floats of a type, and what the others would cost.

        Parameters
        ----------
        dtype : float32, float64, complex64 or complex128
        batch : int
        plan, memory_limit : as for `apply`

        Returns
        -------
        Choice
            Its `name`, `reason` and `offers`; printed as a table.

        Examples
        --------
        >>> import symconv as sc
        >>> sc.Conv2d(2, 2, 3).operator((8, 8)).explain(plan="taps").reason
        'asked for'
        """
        with located(self.describe):
            count = concrete("batch", integer("batch", batch, 0))
            kind = np.dtype(dtype)
            if kind not in (np.float32, np.float64, np.complex64, np.complex128):
                raise DTypeError(f"dtype must be a float or complex type of NumPy, got {kind}")
            return self._oriented.choice(kind, count, plan, memory_limit)

    def apply_linear(self, x: Any, weight: Any = None, plan: str = "auto") -> Array:
        """A·x alone, without bias and with constant padding read as zeros (see `apply`)."""
        return self.run(x, weight, plan=plan)

    def _checked_bias(self, bias: Any) -> Number | None:
        if not self.has_bias:
            if bias is not None:
                raise ParameterError("bias must be left out: this operator has none")
            return None
        channels = self.output_shape[0]
        if bias is None:
            raise ParameterError(
                f"bias must be given, shape ({channels},); a layer made with bias=False has none"
            )
        array, algebra = as_array("bias", bias)
        if array.shape != (channels,):
            raise ShapeError(f"bias must have shape ({channels},), got {array.shape}")
        return array.reshape(channels, *(1,) * (len(self.output_shape) - 1)), algebra

    def offset(self, weight: Any = None, bias: Any = None) -> Array:
        """The b of the affine map x → A·x + b: bias and constant padding, shape output_shape."""
        with located(self.describe):
            number = self._oriented.checked_weight(weight)
            addend = self._checked_bias(bias)
            self._oriented.require_output()
            total = np.zeros(self.output_shape, dtype=np.int64), Algebra.INTEGER
            constant = self._oriented.offset(number)
            if constant is not None:
                total = constant
            if addend is not None:
                total = add(("padding_value", total), ("bias", addend))
            return total[0]

    def weight_gradient(self, x: Any, y: Any) -> Array:
        """∂⟨y, A·x⟩/∂w: the triples read from (o, i) to k, summed over the batch.

        Taps that read constant padding count with its value: it is linear in the weights as well.

        Parameters
        ----------
        x : array_like, shape (*batch, *input_shape)
        y : array_like, shape (*batch, *output_shape)
            The gradient that arrives at the output.

        Returns
        -------
        numpy.ndarray, shape weight_shape
        """
        with located(self.describe):
            if self.weight_shape is None:
                raise ParameterError("weight gradient does not exist: there are no free weights")
            if self._oriented.conjugated:
                raise ParameterError("weight gradient does not exist: conjugation is not linear")
            distributed.in_memory(x=x, y=y)
            given = self._oriented.checked_input("x", x, self.input_shape)
            arrived = self._oriented.checked_input("y", y, self.output_shape)
            if self._oriented.transposed:
                # ⟨y, Aᵀx⟩ = ⟨x, A y⟩: the same sum with the two arguments exchanged.
                given, arrived = arrived, given
            shapes = self._linear.domain_shape, self._linear.range_shape
            return self._oriented.gradient(given, arrived, shapes)[0]

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

    def linear_operator(
        self, weight: Any = None, plan: str = "auto"
    ) -> scipy.sparse.linalg.LinearOperator:
        """A SciPy LinearOperator on raveled arrays: matvec, rmatvec (the adjoint), matmat."""
        with located(self.describe):
            self._oriented.checked_weight(weight)
            self._oriented.check_plan(plan)
            return linear_operator(self, weight, plan)

    def bind(self, weight: Any = None, bias: Any = None) -> BoundOperator:
        """The operator with its weights: ``bound @ x``, ``bound.T``, ``bound.apply(x)``."""
        return BoundOperator(self, weight, bias)

    def check_numbers(self, weight: Any, bias: Any) -> None:
        """Refuse weights and a bias that this operator cannot take, without computing with them."""
        with located(self.describe):
            self._oriented.checked_weight(weight)
            self._checked_bias(bias)

    def describe(self) -> str:
        """The geometry in a line, for messages."""
        turned = self._oriented.transposed != self._layer_side
        return self._description + (", transposed" if turned else "")

    def _key(self) -> tuple[object, ...]:
        # Without a bias the direction the layer came from makes no difference.
        return self._oriented, self._layer_side if self._bias else None

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Operator) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        rows, columns = self.shape
        try:
            entries = f"{self.nnz} entries"
        except TooLargeError:
            entries = "too many entries to count"
        return f"<Operator {rows}×{columns}, {entries}: {self.describe()}>"

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
