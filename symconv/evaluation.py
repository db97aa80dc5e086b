"""A linear map applied to arrays: shapes checked, the number system decided, a plan run.

`Oriented` is a map read forward or backward (and conjugated or not); `apply_linear` and
`gradient` are its two bilinear readings.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse

from symconv.algebras import Algebra, as_array
from symconv.checks import choice
from symconv.errors import ParameterError, ShapeError
from symconv.execute import taps
from symconv.execute.csr import Entries, estimated_bytes
from symconv.execute.exactly import add_exactly, bilinear
from symconv.maps import ONE, LinearMap, axis_maps, reciprocals
from symconv.memory import require
from symconv.separable import exact_passes

__all__ = ["PLANS", "Number", "Oriented"]

Array = npt.NDArray[Any]

#: An array with the number system its entries live in.
Number = tuple[Array, Algebra]

#: How `apply` may run: "taps" without a matrix, "csr" through the explicit one, "separable" by one
#: pass per axis.
PLANS = ("auto", "taps", "csr", "separable")


@dataclass(frozen=True)
class Oriented:
    """A linear map with its orientation."""

    linear: LinearMap
    transposed: bool = False
    conjugated: bool = False

    @property
    def input_shape(self) -> tuple[int, ...]:
        return self.linear.range_shape if self.transposed else self.linear.domain_shape

    @property
    def output_shape(self) -> tuple[int, ...]:
        return self.linear.domain_shape if self.transposed else self.linear.range_shape

    @property
    def shape(self) -> tuple[int, int]:
        return math.prod(self.output_shape), math.prod(self.input_shape)

    def checked_weight(self, weight: Any) -> Number:
        """The weights as an array of the right shape, conjugated where the map is."""
        expected = self.linear.weight_shape
        if expected is None:
            if weight is not None:
                raise ParameterError("weight must be left out: this operator has no free weights")
            return ONE, Algebra.INTEGER
        if weight is None:
            raise ParameterError(f"weight must be given, an array of shape {expected}")
        array, algebra = as_array("weight", weight)
        if array.shape != expected:
            raise ShapeError(f"weight must have shape {expected}, got {array.shape}")
        return (np.conjugate(array) if self.conjugated else array), algebra

    def checked_input(self, name: str, value: Any, shape: tuple[int, ...]) -> Number:
        """An array whose last axes are `shape`."""
        array, algebra = as_array(name, value)
        n = len(shape)
        if array.ndim < n or array.shape[array.ndim - n :] != shape:
            raise ShapeError(
                f"{name} must have shape (*batch, {_listed(shape)}), got {array.shape}"
            )
        return array, algebra

    def check_plan(self, plan: str) -> None:
        """Refuse an unknown plan."""
        choice("plan", plan, PLANS)

    def apply_linear(self, x: Number, weight: Number, plan: str) -> Number:
        """A·x over any leading batch axes."""
        self.check_plan(plan)
        if plan == "separable":
            return self.apply_passes(x, self.exact_passes(weight))
        linear, (array, kind) = self.linear, x
        if self.transposed:
            array, kind = self._divided(array, kind)
        batch = array.shape[: array.ndim - len(self.input_shape)]
        flat = array.reshape(math.prod(batch), *self._with_channel(self.input_shape))
        require(
            8 * linear.working_size * len(flat),
            f"the product of {len(flat)} inputs {_listed(self.input_shape)}",
            "use a smaller batch or crop the input",
        )
        terms = linear.adjoint_terms if self.transposed else linear.forward_terms
        products = linear.products * len(flat)
        run = self._through_matrix if plan == "csr" else self._through_taps
        y, kind = bilinear(run, ("x", flat, kind), ("weight", *weight), terms, products)
        y = y.reshape(*batch, *self.output_shape)
        return (y, kind) if self.transposed else self._divided(y, kind)

    def passes(self, weights: Sequence[Array]) -> tuple[tuple[Oriented, Number], ...]:
        """One map with its weights per axis, in the order in which they run.

        Their composition is the map of the kernel that the weights compose to: the matrix of an
        outer product is a product of Kronecker products with identities, for every boundary that
        acts on each axis alone.
        """
        run = [
            (Oriented(each, self.transposed), as_array("weight", part))
            for each, part in zip(axis_maps(self.linear.geometry, weights), weights, strict=True)
        ]
        return tuple(reversed(run) if self.transposed else run)

    def exact_passes(self, weight: Number) -> tuple[tuple[Oriented, Number], ...]:
        """The passes of a kernel, with its exact factors (see `symconv.separable`)."""
        if self.linear.weight_shape is None:
            raise ParameterError("plan 'separable' needs a layer with weights")
        return self.passes(exact_passes(*weight, self.linear.geometry.groups))

    def apply_passes(self, x: Number, passes: Sequence[tuple[Oriented, Number]]) -> Number:
        """The passes one after the other, over any leading batch axes."""
        array, kind = x
        batch = array.shape[: array.ndim - len(self.input_shape)]
        y = array.reshape(math.prod(batch), *self.input_shape), kind
        for oriented, weight in passes:
            y = oriented.apply_linear(y, weight, "taps")
        return y[0].reshape(*batch, *self.output_shape), y[1]

    def require_output(self) -> None:
        """Refuse one output that memory does not hold."""
        rows = self.shape[0]
        require(8 * rows, f"the output of {rows} numbers", "use a smaller input")

    def _with_channel(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Per-channel maps run with one channel axis."""
        return shape if self.linear.weight_shape is not None else (1, *shape)

    def _divided(self, array: Array, kind: Algebra) -> Number:
        divisor = self.linear.divisor
        if divisor is None:
            return array, kind
        if kind.is_exact:
            kind = max(kind, Algebra.RATIONAL)
            return np.asarray(array.astype(object) * reciprocals(divisor)), kind
        # A product made here is divided in place; what the user gave never is.
        out = None if self.transposed else array
        return np.divide(array, divisor.astype(array.real.dtype), out=out), kind

    def _through_taps(self, x: Array, weight: Array) -> Array:
        run = self.linear.adjoint if self.transposed else self.linear.forward
        return run(x, weight)

    def _through_matrix(self, x: Array, weight: Array) -> Array:
        nnz = self.linear.nnz
        require(
            estimated_bytes(self.shape, nnz, weight.dtype.itemsize),
            f"the explicit matrix {self.shape[0]}×{self.shape[1]} with {nnz} entries",
            'use plan="taps", which needs no matrix',
        )
        entries = self.linear.entries(weight, self.transposed)
        columns = x.reshape(len(x), self.shape[1])
        if x.dtype == object:
            products = np.zeros((entries.shape[0], len(x)), dtype=object)
            np.add.at(products, entries.rows, entries.data[:, None] * columns.T[entries.indices])
            return products.T
        return np.asarray((scipy_csr(entries) @ columns.T).T)

    def offset(self, weight: Number, like: np.dtype[Any] | None = None) -> Number | None:
        """What a constant boundary adds to every output, or None where nothing is added."""
        boundary = self.linear.geometry.boundary
        if boundary.mode != "constant" or self.transposed or self.conjugated:
            return None
        linear = self.linear
        self.require_output()
        value, kind = as_array("padding_value", boundary.value)
        if like is not None and like.kind in "fc" and value.dtype.kind in "fc":
            # A float of the layer's takes the type of the data, as a Python float does in NumPy.
            single = np.finfo(like).dtype == np.float32
            narrow = {"f": np.float32, "c": np.complex64}[value.dtype.kind]
            value = value.astype(narrow if single else value.dtype)
        nothing = np.zeros((1, *self._with_channel(self.input_shape)), dtype=np.int64)

        def outside(value: Array, weight: Array) -> Array:
            return linear.forward(nothing.astype(value.dtype), weight, fill=value[0])

        y, kind = bilinear(
            outside,
            ("padding_value", value.reshape(1), kind),
            ("weight", *weight),
            linear.forward_terms,
            linear.products,
        )
        return self._divided(y.reshape(self.output_shape), kind)

    def gradient(self, x: Number, y: Number, shapes: tuple[tuple[int, ...], ...]) -> Number:
        """Σ over the batch of y[o]·x[read(o, k)]: the triples read from (o, i) to k."""
        linear, (x_shape, y_shape) = self.linear, shapes
        batch = x[0].shape[: x[0].ndim - len(x_shape)]
        if y[0].shape[: y[0].ndim - len(y_shape)] != batch:
            raise ShapeError(
                f"x and y must have the same batch axes, got {x[0].shape} and {y[0].shape}"
            )
        n_batch = math.prod(batch)
        n_terms = n_batch * math.prod(linear.geometry.output_size)

        def product(x: Array, y: Array) -> Array:
            return taps.weight_gradient(linear.incidence, x, y)

        given = "x", x[0].reshape(n_batch, *x_shape), x[1]
        arrived = "y", y[0].reshape(n_batch, *y_shape), y[1]
        n_products = linear.products * n_batch
        result = bilinear(product, given, arrived, n_terms, n_products)
        boundary = linear.geometry.boundary
        if boundary.mode != "constant" or self.transposed:
            return result
        # A constant boundary is linear in the weights as well: the taps that read it.
        value, kind = as_array("padding_value", boundary.value)

        def outside(value: Array, y: Array) -> Array:
            nothing = np.zeros((n_batch, *x_shape), dtype=value.dtype)
            return taps.weight_gradient(linear.incidence, nothing, y, fill=value[0])

        constant = "padding_value", value.reshape(1), kind
        return add(
            ("x", result),
            ("padding_value", bilinear(outside, constant, arrived, n_terms, n_products)),
        )


def add(first: tuple[str, Number], second: tuple[str, Number]) -> Number:
    """The sum of two named numbers in their common system."""
    (a_name, (a, a_kind)), (b_name, (b, b_kind)) = first, second
    return add_exactly((a_name, a, a_kind), (b_name, b, b_kind)), max(a_kind, b_kind)


def scipy_csr(entries: Entries) -> scipy.sparse.csr_array:
    """The entries as a SciPy array; the index arrays are used as they are."""
    parts = (entries.data, entries.indices, entries.indptr)
    matrix = scipy.sparse.csr_array(parts, shape=entries.shape, copy=False)
    # The entries are sorted and distinct by construction; SciPy need not look.
    matrix.has_sorted_indices = True
    matrix.has_canonical_format = True
    return matrix


def _listed(shape: tuple[int, ...]) -> str:
    return ", ".join(map(str, shape))
