"""What the questions of linear algebra are asked about: an operator as an integer matrix."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv import matrices
from symconv.algebras import Algebra, as_array, integers_over_denominator
from symconv.bound import BoundOperator
from symconv.checks import shown
from symconv.errors import DTypeError, ParameterError, ParameterTypeError, ShapeError
from symconv.modular.integer_matrix import IntegerMatrix
from symconv.operator import Operator

__all__ = ["IntegerForm", "bound_operator", "integer_form", "right_side"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class IntegerForm:
    """A bound operator's matrix: integers over one denominator.

    Attributes
    ----------
    matrix : IntegerMatrix
    denominator : int
        Positive; the operator is matrix/denominator.
    input_shape, output_shape : tuple of int
        Of the arrays that columns and rows index.
    """

    matrix: IntegerMatrix
    denominator: int
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]

    @property
    def T(self) -> IntegerForm:  # noqa: N802 - the mathematical name
        """The transposed matrix over the same denominator."""
        return IntegerForm(self.matrix.T, self.denominator, self.output_shape, self.input_shape)

    @property
    def size(self) -> str:
        """Rows × columns."""
        return "×".join(map(str, self.matrix.shape))


def bound_operator(op: Any) -> BoundOperator:
    """`op` with weights; an operator that has none to give is bound as it is."""
    if isinstance(op, BoundOperator):
        return op
    if isinstance(op, Operator):
        if op.weight_shape is None:
            return op.bind()
        raise ParameterError(
            f"op must have its weights, op.bind(weight); generic_rank(op) is about free ones "
            f"({op.describe()})"
        )
    raise ParameterTypeError(
        f"op must be an Operator or a BoundOperator, got {type(op).__name__} {shown(op)}"
    )


def integer_form(op: Any) -> IntegerForm:
    """The integer matrix of an operator with integer or rational weights."""
    bound = bound_operator(op)
    oriented = bound.operator.oriented
    weight = oriented.checked_weight(bound.weight)
    entries, denominator = matrices.integer_entries(oriented, weight)
    matrix = IntegerMatrix(
        entries.data, entries.indices, entries.indptr.astype(np.int64), entries.shape
    )
    return IntegerForm(matrix, denominator, oriented.input_shape, oriented.output_shape)


def right_side(name: str, value: Any, shape: tuple[int, ...]) -> tuple[Array, int, tuple[int, ...]]:
    """Integers (size, k) over a denominator from an exact array (*batch, *shape), with its batch.

    Arrays are columns, as SciPy's solvers have them.
    """
    array, algebra = as_array(name, value)
    if algebra > Algebra.RATIONAL:
        raise DTypeError(
            f"{name} must hold integers or Fractions for an exact answer, got "
            f"{algebra.name.lower()} entries; Fraction(value) states a float's exact value, and "
            f'deconvolve(..., method="lsqr") takes floats'
        )
    n = len(shape)
    if array.ndim < n or array.shape[array.ndim - n :] != shape:
        listed = ", ".join(map(str, shape))
        raise ShapeError(f"{name} must have shape (*batch, {listed}), got {array.shape}")
    batch = array.shape[: array.ndim - n]
    integers, denominator = integers_over_denominator(array)
    return integers.reshape(math.prod(batch), math.prod(shape)).T, denominator, batch
