"""What operators on windows share that are no matrices over numbers: shapes, checks, equality."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.algebras import Algebra, as_array
from symconv.distributed import apply_windows
from symconv.errors import DTypeError, ShapeError
from symconv.incidence import Windows

__all__ = ["WindowOperator"]

Array = npt.NDArray[Any]


class WindowOperator:
    """A function of each window at one input size, per channel.

    Arrays are (*any leading axes, *size); rows and columns are positions raveled in C order.
    """

    #: As for the other operators without free weights.
    weight_shape = None
    has_bias = False

    def __init__(self, windows: Windows, description: str) -> None:
        self._windows, self._description = windows, description

    @property
    def windows(self) -> Windows:
        """The tables ``[o, k] → i`` of the axes."""
        return self._windows

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Samples per axis."""
        return self._windows.input_size

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Windows per axis."""
        return self._windows.output_size

    @property
    def shape(self) -> tuple[int, int]:
        """(outputs, inputs)."""
        return math.prod(self.output_shape), math.prod(self.input_shape)

    @property
    def nnz(self) -> int:
        """Distinct (output, input) pairs."""
        return self._windows.pattern.nnz

    def describe(self) -> str:
        """The geometry in a line, for messages."""
        return self._description

    def _checked(self, name: str, value: Any, shape: tuple[int, ...]) -> tuple[Array, Algebra]:
        """Real numbers whose last axes are `shape`."""
        array, algebra = as_array(name, value)
        if algebra is Algebra.COMPLEX:
            raise DTypeError(f"{name} must be real, got dtype {array.dtype}")
        first = array.ndim - len(shape)
        if first < 0 or array.shape[first:] != shape:
            listed = ", ".join(map(str, shape))
            raise ShapeError(f"{name} must have shape (*leading, {listed}), got {array.shape}")
        return array, algebra

    def _tiles_of(self, x: Any, part: Callable[..., Array], integers: npt.DTypeLike) -> Any:
        """A function of each window of a Dask array, in tiles.

        `part` is called with samples, their windows and the keyword `dtype`, that of the result:
        `integers` for integers, floats as they are, Python objects otherwise.
        """
        # What is refused is refused now, not in a task.
        none, algebra = self._checked("x", np.empty(0, x.dtype), ())
        dtype = none.dtype if algebra is Algebra.REAL else np.dtype(integers)
        dtype = np.dtype(object) if x.dtype == object else dtype
        run = partial(part, dtype=dtype)
        return apply_windows(self._windows, x, run, (dtype,), self.describe())[0]

    def _key(self) -> tuple[Any, ...]:
        """What makes two of them the same function."""
        tables = self._windows.reads
        return self.input_shape, *((table.shape, table.tobytes()) for table in tables)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        rows, columns = self.shape
        return f"<{type(self).__name__} {rows}×{columns}, {self.nnz} entries: {self.describe()}>"
