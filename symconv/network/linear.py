"""The composed linear map of a network: the explicit product of its layers' matrices.

Branches that are added up add their matrices, branches that are concatenated stack them. Biases
and shifts make the map affine: x → A·x + b.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse
import sympy

from symconv import checks, matrices
from symconv.algebras import as_array
from symconv.errors import DTypeError, ParameterError, ParameterTypeError, ShapeError
from symconv.exact import ENTRY_BYTES
from symconv.memory import require
from symconv.network.arranging import Add, Concat
from symconv.network.contract import Shape, describe, is_linear
from symconv.network.factors import Affine, Factor, Kind, factor
from symconv.network.graph import INPUT, Step, in_step

__all__ = ["NetworkOperator"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class NetworkOperator:
    """The affine map of a network whose layers are all linear, weights left open.

    Rows and columns are (channel, *position) raveled in C order.

    Attributes
    ----------
    shape : tuple of int
        (rows, columns) of the matrix A in x → A·x + b.
    input_shape, output_shape : tuple of int
    weight_shapes : dict
        Layer name → (shape of its weight, shape of its bias), None for what it lacks. A batch
        normalisation's weight is the scale γ/√(σ² + ε), its bias the shift β − μ·scale.

    Examples
    --------
    >>> import symconv as sc
    >>> from symconv.network import Network
    >>> layers = [sc.Conv1d(1, 1, 2, bias=False), sc.AvgPool1d(2)]
    >>> op = Network(layers).operator((3,))
    >>> op.exact({"0": [[[1, 10]]]})
    Matrix([[1/2, 11/2, 5]])
    >>> op.exact()
    Matrix([[w0_0_0_0/2, w0_0_0_0/2 + w0_0_0_1/2, w0_0_0_1/2]])
    """

    _steps: tuple[Step, ...]
    _output: str
    _shapes: Mapping[str, Shape]
    _factors: dict[str, Factor | None] = field(init=False)

    def __post_init__(self) -> None:
        factors: dict[str, Factor | None] = {}
        for step in self._steps:
            if not is_linear(step.node):
                raise ParameterTypeError(
                    f"layer must be linear for the network to have a matrix, got layer "
                    f"{checks.shown(step.name)}: {describe(step.node)}"
                )
        for step in self._steps:
            if not isinstance(step.node, (Add, Concat)):
                with in_step(step):
                    factors[step.name] = factor(step.node, self._shapes[step.inputs[0]])
        object.__setattr__(self, "_factors", factors)

    @property
    def input_shape(self) -> Shape:
        """(channels, *size) of the input."""
        return self._shapes[INPUT]

    @property
    def output_shape(self) -> Shape:
        """(channels, *size) of the output."""
        return self._shapes[self._output]

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the matrix."""
        return math.prod(self.output_shape), math.prod(self.input_shape)

    @property
    def weight_shapes(self) -> dict[str, tuple[Any, Any]]:
        """Layer name → shapes of its weight and bias, for the layers that have any."""
        return {
            name: (factor.weight_shape, factor.bias_shape)
            for name, factor in self._factors.items()
            if factor is not None and (factor.weight_shape or factor.bias_shape)
        }

    def exact(self, weights: Any = None) -> sympy.ImmutableSparseMatrix:
        """The matrix with exact entries.

        Parameters
        ----------
        weights : mapping or sequence, optional
            Layer name → weight or (weight, bias), or these in order. Left out, symbols: ``w0_…``
            and ``b0_…`` for the first layer with weights, and so on.
        """
        return self._affine(Kind(), weights)[0]

    def exact_offset(self, weights: Any = None) -> sympy.ImmutableSparseMatrix:
        """The b of x → A·x + b as an exact column."""
        return self._affine(Kind(), weights)[1]

    def sparse(
        self, weights: Any = None, dtype: npt.DTypeLike = float
    ) -> scipy.sparse.csr_array[Any, tuple[int, int]]:
        """The matrix as a SciPy CSR array."""
        return self._affine(Kind(np.dtype(dtype)), weights)[0]

    def offset(self, weights: Any = None, dtype: npt.DTypeLike = float) -> Array:
        """The b of x → A·x + b, of `output_shape`."""
        column = self._affine(Kind(np.dtype(dtype)), weights)[1]
        return np.asarray(column).reshape(self.output_shape)

    def _numbers(self, kind: Kind, weights: Any) -> dict[str, tuple[Any, Any]]:
        shapes = self.weight_shapes
        if weights is None:
            if not kind.is_exact and shapes:
                raise ParameterError(f"weights must be given for layers {checks.shown([*shapes])}")
            return {
                name: tuple(
                    None if shape is None else matrices.symbols(f"{letter}{at}", shape)
                    for letter, shape in zip("wb", pair, strict=True)
                )  # type: ignore[misc]
                for at, (name, pair) in enumerate(shapes.items())
            }
        if not isinstance(weights, Mapping):
            given = checks.sequence("weights", weights)
            if len(given) != len(shapes):
                raise ParameterError(
                    f"weights must be given for {len(shapes)} layers, got {len(given)}"
                )
            weights = dict(zip(shapes, given, strict=True))
        if weights.keys() != shapes.keys():
            raise ParameterError(
                f"weights must name the layers {checks.shown([*shapes])}, got "
                f"{checks.shown([*weights])}"
            )
        return {name: self._pair(name, weights[name], shapes[name], kind) for name in shapes}

    @staticmethod
    def _pair(name: str, given: Any, shapes: tuple[Any, Any], kind: Kind) -> tuple[Any, Any]:
        if None in shapes and not isinstance(given, tuple):
            given = (given, None) if shapes[1] is None else (None, given)
        if not isinstance(given, tuple) or len(given) != 2:
            raise ParameterTypeError(f"weights of layer {name!r} must be a pair (weight, bias)")
        arrays: list[Any] = []
        for what, value, shape in zip(("weight", "bias"), given, shapes, strict=True):
            if (shape is None) != (value is None):
                there = "be given" if value is None else "be left out"
                raise ParameterError(f"{what} of layer {name!r} must {there}")
            if value is None:
                arrays.append(None)
                continue
            array, algebra = as_array(what, value)
            if array.shape != shape:
                raise ShapeError(
                    f"{what} of layer {name!r} must have shape {shape}, got {array.shape}"
                )
            if kind.is_exact and not algebra.is_exact:
                raise DTypeError(f"{what} of layer {name!r} must be exact, got {array.dtype}")
            arrays.append(array)
        return arrays[0], arrays[1]

    def _affine(self, kind: Kind, weights: Any) -> Affine:
        numbers = self._numbers(kind, weights)
        if kind.is_exact:
            self._require_exact()
        columns = math.prod(self.input_shape)
        maps: dict[str, Affine] = {
            INPUT: (kind.selection(np.arange(columns), columns), kind.zeros(columns))
        }
        uses: dict[str, int] = {}
        for step in self._steps:
            for name in step.inputs:
                uses[name] = uses.get(name, 0) + 1
        for step in self._steps:
            with in_step(step):
                given = [maps[name] for name in step.inputs]
                maps[step.name] = self._step(kind, step, given, numbers)
            for name in step.inputs:
                uses[name] -= 1
                if not uses[name]:
                    del maps[name]
        matrix, offset = maps[self._output]
        if kind.is_exact:
            # Products of sums of symbols, multiplied out: equal maps have equal entries.
            return matrix.applyfunc(sympy.expand), offset.applyfunc(sympy.expand)
        return matrix, offset

    def _step(
        self, kind: Kind, step: Step, given: Sequence[Affine], numbers: Mapping[str, Any]
    ) -> Affine:
        shapes = [self._shapes[name] for name in step.inputs]
        if isinstance(step.node, Concat):
            index = _concatenated(step.node, shapes)
            stacked = [kind.stacked([part[at] for part in given]) for at in (0, 1)]
            if np.array_equal(index, np.arange(index.size)):
                return stacked[0], stacked[1]
            order = kind.selection(index, index.size)
            return order @ stacked[0], order @ stacked[1]
        if isinstance(step.node, Add):
            total: Affine | None = None
            for (matrix, offset), shape in zip(given, shapes, strict=True):
                places = np.arange(math.prod(shape)).reshape(shape)
                if shape != self._shapes[step.name]:
                    spread = np.broadcast_to(places, self._shapes[step.name])
                    repeat = kind.selection(spread, places.size)
                    matrix, offset = repeat @ matrix, repeat @ offset  # noqa: PLW2901
                total = (matrix, offset) if total is None else (
                    total[0] + matrix, total[1] + offset
                )  # fmt: skip
            assert total is not None  # noqa: S101 - arity is at least one
            return total
        built = self._factors[step.name]
        if built is None:
            return given[0]
        matrix, offset = built.build(kind, *numbers.get(step.name, (None, None)))
        before, constant = given[0]
        if not kind.is_exact:
            _require_product(matrix, before)
        return matrix @ before, matrix @ constant + offset

    def _require_exact(self) -> None:
        """Refuse an exact product that memory cannot hold, by that of matrices full of ones."""
        ones = {
            name: tuple(None if shape is None else np.ones(shape) for shape in pair)
            for name, pair in self.weight_shapes.items()
        }
        matrix = self.sparse(ones)
        require(
            ENTRY_BYTES * matrix.nnz,
            f"the exact matrix with {matrix.nnz} entries",
            "use sparse(weights) or a smaller input",
        )

    def __repr__(self) -> str:
        rows, columns = self.shape
        return f"<NetworkOperator {rows}×{columns} of {len(self._steps)} layers>"


def _concatenated(node: Concat, shapes: Sequence[Shape]) -> Array:
    """Where each value of the concatenation stands in the stacked parts."""
    axis = node.axis % len(shapes[0])
    start, parts = 0, []
    for shape in shapes:
        n = math.prod(shape)
        parts.append(np.arange(start, start + n).reshape(shape))
        start += n
    return np.concatenate(parts, axis=axis).ravel()


def _require_product(first: Any, second: Any) -> None:
    """Refuse a product that memory cannot hold: its multiplications bound its entries."""
    counts = np.diff(second.indptr)
    bound = int(counts[first.indices].sum())
    cells = first.shape[0] * second.shape[1]
    require(16 * min(bound, cells), "the product of the layers", "use a smaller input")
