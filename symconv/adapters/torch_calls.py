"""PyTorch's functions and tensor methods in a traced graph, as nodes: one line a name.

A converter takes the call's positional and keyword arguments. Tensors among them are `Traced`;
sizes that depend on the input are numbers where the input shape is known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from symconv import layers, network
from symconv.adapters.torch_modules import (
    ACTIVATIONS,
    BY_RANK,
    adaptive,
    batch_kept,
    padded,
)
from symconv.errors import ParameterError, ShapeError

__all__ = ["BATCH", "CALLS", "Traced"]


@dataclass(frozen=True, slots=True)
class Traced:
    """A tensor of the traced graph: the step that makes it and, where known, its shape."""

    name: str
    shape: tuple[Any, ...] | None


class Batch:
    """The size of the batch axis: any number."""

    def __repr__(self) -> str:
        return "the batch size"


BATCH = Batch()

#: A node and the tensors that it reads; None passes the tensor on.
Call = tuple[Any, list[Traced]]


def _sum_or_product(kind: Callable[[], Any], constant: type) -> Callable[..., Call]:
    def convert(first: Any, second: Any, alpha: Any = 1) -> Call:
        tensors = [value for value in (first, second) if isinstance(value, Traced)]
        if len(tensors) == 2 and alpha == 1:
            return kind(), tensors
        if len(tensors) == 1 and isinstance(second if tensors[0] is first else first, (int, float)):
            return constant((), learned=False), tensors
        raise ParameterError("operands must be two tensors, or a tensor and a number")

    return convert


def _concatenate(tensors: Sequence[Any], dim: int = 0) -> Call:
    if not all(isinstance(tensor, Traced) for tensor in tensors):
        raise ParameterError("tensors must all come from the input")
    return network.Concat(batch_kept("dim", dim)), list(tensors)


def _flatten(x: Traced, start_dim: int = 0, end_dim: int = -1) -> Call:
    return network.Flatten(batch_kept("start_dim", start_dim), batch_kept("end_dim", end_dim)), [x]


def _view(x: Traced, *sizes: Any) -> Call:
    shape = tuple(sizes[0]) if len(sizes) == 1 and isinstance(sizes[0], Sequence) else sizes
    if not shape or not all(isinstance(size, int) for size in shape[1:]):
        raise ParameterError(f"shape must be the batch and numbers, got {shape}")
    if shape[0] is not BATCH and shape[0] != -1:
        raise ParameterError(f"shape must begin with the batch size or -1, got {shape[0]!r}")
    rest = shape[1:]
    if shape[0] == -1:
        # The batch is what is left over: only right where the other sizes hold one sample.
        if -1 in rest or x.shape is None:
            raise ParameterError("input_shape must be given for a view whose batch is -1")
        network.Reshape(rest).output_shape(x.shape)
    return (network.Flatten() if rest == (-1,) else network.Reshape(rest)), [x]


def _mean(x: Traced, dim: Any = None, keepdim: bool = False) -> Call:
    axes = dim if isinstance(dim, Sequence) else (dim,)
    if x.shape is None or dim is None:
        raise ParameterError("input_shape and dim must be given for a mean")
    rank = len(x.shape) + 1
    if sorted(axis % rank for axis in axes) != list(range(2, rank)):
        raise ParameterError(f"dim must name all axes after the channels, got {dim}")
    return (network.GlobalAvgPool() if keepdim else _Mean()), [x]


class _Mean:
    """A mean over all positions that drops their axes: two nodes, made by the tracer."""


def _pool(name: str, rank: int) -> Callable[..., Call]:
    def convert(x: Traced, kernel_size: Any, stride: Any = None, *rest: Any, **named: Any) -> Call:
        # The functions order their arguments as the modules do.
        order = (
            ("padding", "dilation", "ceil_mode", "return_indices")
            if name == "MaxPool"
            else ("padding", "ceil_mode", "count_include_pad", "divisor_override")
        )
        given: dict[str, Any] = {
            "padding": 0,
            "dilation": 1,
            "ceil_mode": False,
            "return_indices": False,
        }
        given |= {"count_include_pad": True, "divisor_override": None}
        given |= dict(zip(order, rest, strict=False)) | named
        module = SimpleNamespace(kernel_size=kernel_size, stride=stride or None, **given)
        return BY_RANK[name](module, rank), [x]

    return convert


def _adaptive(kind: type, rank: int) -> Callable[..., Call]:
    def convert(x: Traced, output_size: Any, return_indices: bool = False) -> Call:
        return adaptive(kind, output_size, rank), [x]

    return convert


def _dropout(x: Traced, *ignored: Any, **named: Any) -> Call:
    return network.Dropout(), [x]


def _identity(x: Traced, *ignored: Any, **named: Any) -> Call:
    return network.Identity(), [x]


def _activation(name: str) -> Callable[..., Call]:
    def convert(x: Traced, *ignored: Any, **named: Any) -> Call:
        return network.Activation(name), [x]

    return convert


def _softmax(x: Traced, dim: Any = None, *ignored: Any, **named: Any) -> Call:
    return network.Softmax(batch_kept("dim", dim)), [x]


def _pad(x: Traced, pad: Sequence[int], mode: str = "constant", value: Any = None) -> Call:
    return padded(pad, mode, value), [x]


def _permute(x: Traced, *order: Any) -> Call:
    axes = tuple(order[0]) if len(order) == 1 and isinstance(order[0], Sequence) else order
    rank = len(axes)
    whole = [axis % rank for axis in axes]
    if whole[0] != 0:
        raise ParameterError(f"order must keep the batch first, got {axes}")
    return network.Permute(tuple(axis - 1 for axis in whole[1:])), [x]


def _transpose(x: Traced, first: int, second: int) -> Call:
    if x.shape is None:
        raise ParameterError("input_shape must be given for a transpose")
    order = list(range(len(x.shape) + 1))
    if not all(-len(order) <= axis < len(order) for axis in (first, second)):
        raise ShapeError(f"axes must lie in {tuple(order)}, got {first} and {second}")
    order[first], order[second] = order[second], order[first]
    return _permute(x, order)


def _squeeze(x: Traced, *dims: int) -> Call:
    if not dims:
        raise ParameterError("dim must be given: the batch may have size 1")
    return network.Squeeze(tuple(batch_kept("dim", dim) for dim in dims)), [x]


def _unsqueeze(x: Traced, dim: int) -> Call:
    return network.Unsqueeze((batch_kept("dim", dim),)), [x]


#: Name of a function or method → its converter.
CALLS: dict[str, Callable[..., Call]] = {
    "add": _sum_or_product(network.Add, network.Shift),
    "mul": _sum_or_product(lambda: network.Elementwise("Mul"), network.Scale),
    "cat": _concatenate,
    "concat": _concatenate,
    "flatten": _flatten,
    "view": _view,
    "reshape": _view,
    "mean": _mean,
    "pad": _pad,
    "permute": _permute,
    "transpose": _transpose,
    "squeeze": _squeeze,
    "unsqueeze": _unsqueeze,
    "softmax": _softmax,
    "log_softmax": _softmax,
    "contiguous": _identity,
    "detach": _identity,
    "clone": _identity,
    "dropout": _dropout,
    "dropout2d": _dropout,
    "dropout3d": _dropout,
    "clamp": _activation("Clamp"),
    "max_pool1d": _pool("MaxPool", 1),
    "max_pool2d": _pool("MaxPool", 2),
    "max_pool3d": _pool("MaxPool", 3),
    "avg_pool1d": _pool("AvgPool", 1),
    "avg_pool2d": _pool("AvgPool", 2),
    "avg_pool3d": _pool("AvgPool", 3),
    "adaptive_avg_pool1d": _adaptive(layers.AdaptiveAvgPool, 1),
    "adaptive_avg_pool2d": _adaptive(layers.AdaptiveAvgPool, 2),
    "adaptive_avg_pool3d": _adaptive(layers.AdaptiveAvgPool, 3),
}
CALLS |= {"iadd": CALLS["add"], "add_": CALLS["add"], "imul": CALLS["mul"], "mul_": CALLS["mul"]}
# PReLU's slope is a weight, which a function takes as an argument: not followed.
SPELLINGS = {"ReLU": "relu", "LeakyReLU": "leaky_relu", "LogSigmoid": "logsigmoid"}
for _kind in sorted(ACTIVATIONS - {"PReLU"}):
    _spelled = SPELLINGS.get(_kind, _kind.lower())
    CALLS[_spelled] = CALLS[f"{_spelled}_"] = _activation(_kind)
