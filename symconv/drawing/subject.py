"""What is to be drawn, as an operator: layers with an input size become one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from symconv.bound import BoundOperator
from symconv.errors import ParameterError, ParameterTypeError
from symconv.layers import Layer
from symconv.operator import Operator
from symconv.windowed import WindowOperator

__all__ = ["Subject", "subject_of"]


@dataclass(frozen=True)
class Subject:
    """An operator with the numbers that came with it."""

    operator: Operator | WindowOperator
    weight: Any = None
    bias: Any = None


def subject_of(thing: Any, input_size: Any = None) -> Subject:
    """The operator of an operator, a bound one, or a layer at a size.

    Raises
    ------
    ParameterError
        If a layer comes without `input_size`, or an operator with one.
    ParameterTypeError
        If it is nothing that has an operator.

    Examples
    --------
    >>> import symconv as sc
    >>> subject_of(sc.AvgPool1d(2), (4,)).operator
    <Operator 2×4, 4 entries: AvgPool((2,), stride=(2,)) on 4>
    """
    if isinstance(thing, Layer):
        if input_size is None:
            raise ParameterError(f"input_size must be given with a layer, got {thing.describe()}")
        return Subject(thing.operator(input_size))
    if not isinstance(thing, (Operator, BoundOperator, WindowOperator)):
        raise ParameterTypeError(
            f"thing must be an operator, or a layer with input_size, got {type(thing).__name__}"
        )
    if input_size is not None:
        raise ParameterError("input_size must be left out: an operator has its size")
    if isinstance(thing, BoundOperator):
        return Subject(thing.operator, thing.weight, thing.bias)
    return Subject(thing)
