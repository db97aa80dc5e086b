"""What an execution plan is: a factorization of the operator's matrix that runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from symconv.errors import ShapeError
from symconv.incidence import Incidence

__all__ = ["Array", "Plan"]

Array = npt.NDArray[Any]


class Plan(ABC):
    """One direction of one geometry, prepared for one type of numbers.

    Arrays are (batch, channels, *size) and contiguous, of the plan's type; weights are those of
    the geometry, in either direction.

    Attributes
    ----------
    name : str
        What ``plan=`` calls it.
    theorem : str
        The theorem of the ledger that says that its factors multiply to the matrix.
    kinds : str
        NumPy's letters of the types that it runs in.
    is_exact : bool
        Whether integers come out exactly wherever their sums of absolute values are such floats.
    on_request : str
        Why "auto" never takes it; empty where it may.
    """

    name: ClassVar[str]
    theorem: ClassVar[str]
    kinds: ClassVar[str] = "fcuiO"
    is_exact: ClassVar[bool] = True
    on_request: ClassVar[str] = ""

    def __init__(self, incidence: Incidence, transposed: bool, dtype: npt.DTypeLike) -> None:
        self.incidence, self.transposed, self.dtype = incidence, transposed, np.dtype(dtype)

    @classmethod
    def refusal(cls, incidence: Incidence, transposed: bool, dtype: np.dtype[Any]) -> str:
        """Why it cannot run here; empty where it can."""
        return "" if dtype.kind in cls.kinds else f"it runs no numbers of type {dtype}"

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(channels, *size) of what it gives."""
        geometry = self.incidence.geometry
        return geometry.input_shape if self.transposed else geometry.output_shape

    @property
    def input_shape(self) -> tuple[int, ...]:
        """(channels, *size) of what it takes."""
        geometry = self.incidence.geometry
        return geometry.output_shape if self.transposed else geometry.input_shape

    def check(self, x: Array, out: Array | None) -> None:
        """Refuse arrays of other shapes: compiled loops would read and write beyond them."""
        for name, array, shape in (("x", x, self.input_shape), ("out", out, self.output_shape)):
            if array is not None and array.shape != (len(x), *shape):
                raise ShapeError(f"{name} must have shape {(len(x), *shape)}, got {array.shape}")

    @property
    def channels(self) -> tuple[int, int]:
        """(read, written) per group, in this direction."""
        geometry = self.incidence.geometry
        inward = geometry.in_channels // geometry.groups
        outward = geometry.out_channels // geometry.groups
        return (outward, inward) if self.transposed else (inward, outward)

    def pack(self, weight: Array, *, once: bool = False) -> Any:
        """The weights as the plan wants them; done once for a bound operator.

        What is packed for one run, by this thread, may lie where the next such call puts its own.
        """
        return weight

    def exact_for(self, x: Array, weight: Array) -> bool:
        """Whether these integers, whose sums are exact floats in any order, come out exactly."""
        return self.is_exact

    @abstractmethod
    def run(self, x: Array, packed: Any, out: Array | None = None) -> Array:
        """A·x or Aᵀ·x of a batch, into `out` where it is given."""

    @abstractmethod
    def seconds(self, batch: int, threads: int) -> float:
        """Estimated time of `run`, by the cost model of the plan."""

    def packing_seconds(self, threads: int) -> float:
        """Estimated time of `pack`."""
        return 0.0

    @abstractmethod
    def working_bytes(self, batch: int, threads: int) -> int:
        """Memory next to input and output."""

    def result(self, batch: int, out: Array | None) -> Array:
        """Where the result goes."""
        return np.empty((batch, *self.output_shape), dtype=self.dtype) if out is None else out
