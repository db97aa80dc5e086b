"""ONNX protobuf messages read with suspicion: dimensions, attributes, small integer tensors.

A weight is its shape and the names of the tensors it comes from; its values are never read,
except those of small integer tensors that hold a shape. External data is never opened.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy

from symconv import checks
from symconv.errors import FileError

__all__ = ["MAX_RANK", "MAX_SIZE", "Attributes", "Constant", "constant_of", "dimension", "floats"]

#: Most axes of a tensor, and most samples along one: what a 64-bit index reaches.
MAX_RANK = 32
MAX_SIZE = 2**63 - 1

#: Numbers of ONNX's tensor types whose values may be shapes.
INT32, INT64 = 6, 7
FLOAT, DOUBLE = 1, 11

#: ``TensorProto.EXTERNAL``.
EXTERNAL = 1


@dataclass(frozen=True, slots=True)
class Constant:
    """A tensor that does not depend on the input.

    Attributes
    ----------
    shape : tuple of int
    values : tuple, optional
        Its entries, where it may hold a shape.
    sources : tuple of (str, int)
        The stored tensors it comes from and their element counts.
    """

    shape: tuple[Any, ...]
    values: tuple[Any, ...] | None = None
    sources: tuple[tuple[str, int], ...] = ()
    message: Any = None

    def integers(self, what: str) -> tuple[Any, ...]:
        """The entries, or an error that names their use."""
        if self.values is None:
            raise FileError(f"{what} must be integers stored in the file, got shape {self.shape}")
        return self.values

    def reshaped(self, shape: Sequence[Any]) -> Constant:
        """The same entries in another shape."""
        return Constant(tuple(shape), self.values, self.sources)


def checked_dims(what: str, dims: Sequence[Any]) -> tuple[int, ...]:
    """Dimensions of a stored tensor: few, and none negative or beyond a 64-bit index."""
    if len(dims) > MAX_RANK:
        raise FileError(f"{what} must have at most {MAX_RANK} axes, got {len(dims)}")
    for n in dims:
        if not isinstance(n, int) or not 0 <= n <= MAX_SIZE:
            raise FileError(f"{what} must have sizes 0 … 2**63−1, got {checks.shown(n)}")
    return tuple(dims)


def constant_of(tensor: Any, name: str) -> Constant:
    """A stored tensor as its shape, with its entries where these may be a shape."""
    shape = checked_dims(f"tensor {checks.shown(name)}", tensor.dims)
    count = math.prod(shape)
    values = None
    if len(shape) <= 1 and count <= MAX_RANK and tensor.data_type in (INT32, INT64):
        values = _integers(tensor, count)
    return Constant(shape, values, ((name, count),), tensor)


def _integers(tensor: Any, count: int) -> tuple[int, ...] | None:
    if tensor.data_location == EXTERNAL:
        return None
    width = 4 if tensor.data_type == INT32 else 8
    if tensor.raw_data:
        if len(tensor.raw_data) != width * count:
            raise FileError(f"tensor must hold {count} entries, got {len(tensor.raw_data)} bytes")
        return struct.unpack(f"<{count}{'i' if width == 4 else 'q'}", tensor.raw_data)
    listed = tensor.int32_data if width == 4 else tensor.int64_data
    if len(listed) != count:
        raise FileError(f"tensor must hold {count} entries, got {len(listed)}")
    return tuple(listed)


def floats(constant: Constant) -> float | None:
    """The one floating entry of a stored tensor; None where it cannot be read."""
    tensor = constant.message
    if math.prod(constant.shape) != 1 or tensor is None or tensor.data_location == EXTERNAL:
        return None
    if tensor.data_type == FLOAT:
        stored, listed, form = tensor.raw_data, tensor.float_data, "<f"
    elif tensor.data_type == DOUBLE:
        stored, listed, form = tensor.raw_data, tensor.double_data, "<d"
    else:
        return None
    if len(stored) == struct.calcsize(form):
        return float(struct.unpack(form, stored)[0])
    return float(listed[0]) if len(listed) == 1 else None


def dimension(message: Any, number: int) -> Any:
    """One dimension of the declared input: a number, or a symbol where none is given."""
    if message.HasField("dim_value"):
        n = message.dim_value
        if not 1 <= n <= MAX_SIZE:
            raise FileError(f"input must have sizes 1 … 2**63−1, got {n} on axis {number}")
        return n
    name = message.dim_param[:40] or f"n_{number}"
    return sympy.Symbol(name, integer=True, positive=True)


class Attributes:
    """The attributes of one node, each read as the type it must have."""

    #: Numbers of ONNX's attribute types.
    KINDS = ("float", "int", "text", "tensor", "graph", "floats", "ints")

    def __init__(self, node: Any) -> None:
        self._by_name: dict[str, Any] = {}
        for attribute in node.attribute:
            if attribute.name in self._by_name:
                raise FileError(f"attributes must differ, got {checks.shown(attribute.name)} twice")
            self._by_name[attribute.name] = attribute

    def _typed(self, name: str, number: int) -> Any:
        attribute = self._by_name.get(name)
        if attribute is not None and attribute.type != number:
            raise FileError(
                f"attribute {name} must be of type {self.KINDS[number - 1]}, got type "
                f"{attribute.type}"
            )
        return attribute

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def integer(self, name: str, default: int) -> int:
        """One integer."""
        attribute = self._typed(name, 2)
        return default if attribute is None else int(attribute.i)

    def text(self, name: str, default: str) -> str:
        """A short text."""
        attribute = self._typed(name, 3)
        return default if attribute is None else attribute.s[:80].decode("utf-8", "replace")

    def integers(self, name: str) -> tuple[int, ...] | None:
        """A short list of integers."""
        attribute = self._typed(name, 7)
        if attribute is None:
            return None
        if len(attribute.ints) > 2 * MAX_RANK:
            raise FileError(
                f"attribute {name} must have at most {2 * MAX_RANK} entries, got "
                f"{len(attribute.ints)}"
            )
        return tuple(attribute.ints)

    def tensor(self, name: str) -> Any:
        """A stored tensor."""
        attribute = self._typed(name, 4)
        return None if attribute is None else attribute.t
