"""A linear map applied to arrays: shapes checked, the number system decided, a plan run.

`Oriented` is a map read forward or backward (and conjugated or not); `apply_linear` and
`gradient` are its two bilinear readings.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse

from symconv.algebras import Algebra, as_array
from symconv.checks import choice
from symconv.errors import ParameterError, ShapeError
from symconv.execute import patches, planner
from symconv.execute.csr import Entries, estimated_bytes
from symconv.execute.exactly import Part, add_exactly, bilinear
from symconv.execute.sums import Sums, largest_row_sum, widened
from symconv.execute.threads import thread_count
from symconv.maps import ONE, ConvolutionMap, LinearMap, axis_maps, reciprocals
from symconv.memory import require
from symconv.separable import exact_passes

__all__ = ["DEFAULT", "PLANS", "Number", "Oriented", "Packed", "Settings"]

Array = npt.NDArray[Any]

#: An array with the number system its entries live in.
Number = tuple[Array, Algebra]

#: How `apply` may run: by a plan of `symconv.execute.planner`, through the explicit matrix, or by
#: one pass per axis.
PLANS = ("auto", *(plan.name for plan in planner.PLANS), "sparse", "separable")

#: Packed weights by plan, direction and type: what a bound operator keeps.
Packed = dict[tuple[Any, ...], Any]


@dataclass(frozen=True)
class Settings:
    """What a product may use.

    Attributes
    ----------
    budget : int or None
        Bytes next to input and output; None for what is free.
    out : array or None
        Where the result goes.
    packed : dict or None
        Keeps packed weights from call to call.
    """

    budget: int | None = None
    out: Array | None = None
    packed: Packed | None = None


#: All that is free, a new array, nothing kept.
DEFAULT = Settings()


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

    def apply_linear(
        self, x: Number, weight: Number, plan: str, settings: Settings = DEFAULT
    ) -> Number:
        """A·x over any leading batch axes."""
        self.check_plan(plan)
        if plan == "separable":
            return self.apply_passes(x, self.exact_passes(weight))
        linear, (array, kind) = self.linear, x
        batch = array.shape[: array.ndim - len(self.input_shape)]
        require(
            8 * linear.working_size * math.prod(batch),
            f"the product of {math.prod(batch)} inputs {_listed(self.input_shape)}",
            "use a smaller batch or crop the input",
        )
        if self.transposed:
            array, kind = self._divided(array, kind)
        flat = array.reshape(math.prod(batch), *self._with_channel(self.input_shape))
        products = linear.products * len(flat)
        if settings.packed is None and kind.is_exact:
            # Exact products run piece by piece, of the batch or of the numbers' digits.
            settings = replace(settings, packed={})

        def run(x: Array, weight: Array, part: Part | None) -> Array:
            if plan == "sparse":
                return self._through_matrix(x, weight)
            return self._planned(x, weight, plan, settings, part)

        sums = self._sums(plan == "sparse")
        given = ("x", flat, kind), ("weight", *weight)
        sample = self._with_channel(self.output_shape)
        y, kind = bilinear(run, *given, sums, products, sample=sample)
        y = y.reshape(*batch, *self.output_shape)
        return (y, kind) if self.transposed else self._divided(y, kind)

    def affine(
        self,
        x: Number,
        weight: Number,
        bias: Number | None,
        plan: str,
        settings: Settings = DEFAULT,
    ) -> Array:
        """A·x + b: the constant padding and a bias added."""
        return self.shifted(self.apply_linear(x, weight, plan, settings), weight, bias, settings)

    def shifted(
        self, y: Number, weight: Number, bias: Number | None, settings: Settings = DEFAULT
    ) -> Array:
        """A·x with the constant padding and a bias added."""
        constant = self.offset(weight, y[0].dtype)
        if constant is not None:
            y = add(("x", y), ("padding_value", constant))
        if bias is not None:
            y = add(("x", y), ("bias", bias))
        return y[0] if settings.out is None else _into(settings.out, y[0])

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
            y = oriented.apply_linear(y, weight, "auto")
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

    def _sums(self, by_loops: bool = False) -> Sums:
        """How large sums of products can be."""
        linear = self.linear
        terms = linear.adjoint_terms if self.transposed else linear.forward_terms
        if not isinstance(linear, ConvolutionMap):
            return Sums(terms, by_loops=True)

        def of_weight(weight: Array) -> int:
            return largest_row_sum(linear.incidence, weight, self.transposed)

        return Sums(terms, second=of_weight, by_loops=by_loops)

    def _planned(
        self, x: Array, weight: Array, plan: str, settings: Settings, part: Part | None = None
    ) -> Array:
        """The product by a plan of the geometry; other numbers than floats run tap by tap."""
        linear = self.linear
        dtype = np.result_type(x, weight)
        if not isinstance(linear, ConvolutionMap) or dtype.kind not in "fc":
            if plan not in ("auto", "taps"):
                raise ParameterError(f"plan must be 'auto', 'taps' or 'sparse' here, got {plan!r}")
            return (linear.adjoint if self.transposed else linear.forward)(x, weight)
        is_packed, budget = settings.packed is not None, settings.budget
        chosen = self.choice(dtype, len(x), plan, budget, is_packed=is_packed).plan
        if part is not None and not chosen.exact_for(x, weight):
            if plan == "auto":
                chosen = self.choice(dtype, len(x), plan, budget, True, is_packed).plan
            elif dtype == np.float32:
                x, weight = x.astype(np.float64), weight.astype(np.float64)
                return self._planned(x, weight, plan, settings, part)
            else:
                raise ParameterError(
                    f"plan {plan!r} must keep these integers exact, and it would round them; use "
                    f"plan='auto', or floats"
                )
        limb = part.limb if part is not None else ()
        key = chosen.name, self.transposed, self.conjugated, dtype, *limb
        packed = settings.packed.get(key) if settings.packed is not None else None
        if packed is None:
            numbers = np.ascontiguousarray(weight, dtype=dtype)
            packed = chosen.pack(numbers, once=not is_packed)
            if settings.packed is not None:
                settings.packed[key] = packed
        return chosen.run(
            np.ascontiguousarray(x, dtype=dtype), packed, self._direct(len(x), dtype, settings.out)
        )

    def _direct(self, batch: int, dtype: np.dtype[Any], out: Array | None) -> Array | None:
        """`out` as a plan fills it, where it can be filled without a copy."""
        shape = (batch, *self.output_shape)
        if out is None or out.dtype != dtype or out.size != math.prod(shape):
            return None
        if not (out.flags.c_contiguous and out.flags.writeable):
            return None
        return out.reshape(shape)

    def choice(
        self,
        dtype: np.dtype[Any],
        batch: int,
        plan: str = "auto",
        budget: int | None = None,
        exact: bool = False,
        is_packed: bool = False,
    ) -> planner.Choice:
        """The plan for a type and a batch (see `symconv.execute.planner`)."""
        linear = self.linear
        if not isinstance(linear, ConvolutionMap):
            raise ParameterError("plans are for layers with weights; this one runs in one way only")
        threads = thread_count()
        return linear.planner.choose(
            self.transposed, dtype, batch, threads, plan, budget, exact, is_packed
        )

    def _through_matrix(self, x: Array, weight: Array) -> Array:
        nnz = self.linear.nnz
        require(
            estimated_bytes(self.shape, nnz, weight.dtype.itemsize),
            f"the explicit matrix {self.shape[0]}×{self.shape[1]} with {nnz} entries",
            'use plan="auto", which needs no matrix',
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

        def outside(value: Array, weight: Array, part: Part | None) -> Array:
            return linear.forward(nothing.astype(value.dtype), weight, fill=value[0])

        y, kind = bilinear(
            outside,
            ("padding_value", value.reshape(1), kind),
            ("weight", *weight),
            self._sums(),
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
        # Each weight meets every entry of its output channel once at most.
        n_terms = n_batch * math.prod(linear.geometry.output_size)

        def of_output(y: Array) -> int:
            magnitudes = np.abs(widened(y, n_terms)).reshape(*y.shape[:2], -1)
            return int(magnitudes.sum(axis=(0, 2)).max(initial=0))

        sums = Sums(n_terms, second=of_output)

        def product(x: Array, y: Array, part: Part | None) -> Array:
            return patches.weight_gradient(linear.incidence, x, y)

        given = "x", x[0].reshape(n_batch, *x_shape), x[1]
        arrived = "y", y[0].reshape(n_batch, *y_shape), y[1]
        n_products = linear.products * n_batch
        result = bilinear(product, given, arrived, sums, n_products)
        boundary = linear.geometry.boundary
        if boundary.mode != "constant" or self.transposed:
            return result
        # A constant boundary is linear in the weights as well: the taps that read it.
        value, kind = as_array("padding_value", boundary.value)

        def outside(value: Array, y: Array, part: Part | None) -> Array:
            nothing = np.zeros((n_batch, *x_shape), dtype=value.dtype)
            return patches.weight_gradient(linear.incidence, nothing, y, fill=value[0])

        constant = "padding_value", value.reshape(1), kind
        return add(
            ("x", result),
            ("padding_value", bilinear(outside, constant, arrived, sums, n_products)),
        )


def add(first: tuple[str, Number], second: tuple[str, Number]) -> Number:
    """The sum of two named numbers in their common system."""
    (a_name, (a, a_kind)), (b_name, (b, b_kind)) = first, second
    return add_exactly((a_name, a, a_kind), (b_name, b, b_kind)), max(a_kind, b_kind)


def _into(out: Array, y: Array) -> Array:
    """`y` in the array that was given for it."""
    if out.shape != y.shape or out.dtype != y.dtype:
        raise ShapeError(
            f"out must have shape {y.shape} and dtype {y.dtype}, got {out.shape} and {out.dtype}"
        )
    if not np.shares_memory(out, y):
        out[...] = y
    return out


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
