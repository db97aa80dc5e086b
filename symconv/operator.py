"""Operators: the linear map of a layer at one size, in every reading.

Exact matrix, transpose, SciPy sparse matrix, matrix-free product, rows and columns, gradient and
Jacobian all come from the same triples.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import scipy.sparse.linalg

from symconv import distributed
from symconv.algebras import Algebra, as_array
from symconv.bound import BoundOperator, linear_operator
from symconv.certifying import Certified, certified
from symconv.checks import concrete, integer, is_dask
from symconv.errors import DTypeError, ParameterError, ShapeError, TooLargeError, located
from symconv.evaluation import DEFAULT, Number, Oriented, Settings, add
from symconv.execute.planner import Choice
from symconv.explicit import ExplicitMatrix
from symconv.maps import LinearMap

__all__ = ["Operator"]

Array = npt.NDArray[Any]


class Operator(ExplicitMatrix):
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
            if is_dask(x):
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
        is_bound: bool = False,
    ) -> Choice:
        """Which plan `apply` runs for floats of a type, and what the others would cost.

        Parameters
        ----------
        dtype : float32, float64, complex64 or complex128
        batch : int
        plan, memory_limit : as for `apply`
        is_bound : bool
            Whether the weights stay packed between calls, as those of a `BoundOperator`; otherwise
            packing counts.

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
            return self._oriented.choice(kind, count, plan, memory_limit, is_packed=is_bound)

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
            given = self._oriented.checked_input("x", x, self.input_shape)
            arrived = self._oriented.checked_input("y", y, self.output_shape)
            if self._oriented.transposed:
                # ⟨y, Aᵀx⟩ = ⟨x, A y⟩: the same sum with the two arguments exchanged.
                given, arrived = arrived, given
            shapes = self._linear.domain_shape, self._linear.range_shape
            return self._oriented.gradient(given, arrived, shapes)[0]

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
