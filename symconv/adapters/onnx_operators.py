"""ONNX's operators as layers and nodes: one function each, and the table that names them.

To add an operator, write its function and a line in `OPERATORS`. A function takes a `Call` and
returns a constant, or adds steps through `Call.add` and returns the last one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from symconv import checks, layers, network
from symconv.adapters import onnx_windows
from symconv.adapters.onnx_reading import Attributes, Constant, constant_of
from symconv.errors import FileError, ParseError

__all__ = ["OPERATORS", "Call", "Tensor"]


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor that depends on the input: the step that makes it and its shape with the batch."""

    name: str
    shape: tuple[Any, ...]

    @property
    def rank(self) -> int:
        """Spatial axes of a convolution or pooling of this tensor."""
        if len(self.shape) < 3:
            raise FileError(f"input must be (batch, channels, *size), got shape {self.shape}")
        return len(self.shape) - 2


Value = Tensor | Constant


@dataclass(frozen=True, slots=True)
class Call:
    """One node of the file: its operator, attributes and inputs (None where left out)."""

    operator: str
    version: int
    attributes: Attributes
    inputs: tuple[Value | None, ...]
    output: str
    #: Adds a step: node, the tensors it reads, the weights it counts; gives its output.
    add: Callable[..., Tensor]

    def get(self, at: int) -> Value | None:
        """Input number `at`, None where it is left out."""
        return self.inputs[at] if at < len(self.inputs) else None

    def tensor(self, at: int = 0) -> Tensor:
        """Input number `at`, which must depend on the network's input."""
        value = self.get(at)
        if isinstance(value, Tensor):
            return value
        raise ParseError(f"input {at} must depend on the network's input, got a constant or none")

    def optional(self, at: int) -> Constant | None:
        """Input number `at`, which must be a constant or left out."""
        value = self.get(at)
        if isinstance(value, Tensor):
            raise ParseError(f"input {at} must be stored in the file, got one that is computed")
        return value

    def constant(self, at: int) -> Constant:
        """Input number `at`, which must be a constant."""
        value = self.optional(at)
        if value is None:
            raise FileError(f"input {at} must be given")
        return value

    def is_constant(self) -> bool:
        """Whether no input depends on the network's."""
        return not any(isinstance(value, Tensor) for value in self.inputs)

    def axes(self, rank: int, at: int = 1) -> tuple[int, ...] | None:
        """The axes of an attribute, or of an input in later operator sets; None for none."""
        given = self.attributes.integers("axes")
        if given is None:
            stored = self.optional(at)
            given = None if stored is None else stored.integers("axes")
        return None if given is None else tuple(_axis(axis, rank) for axis in given)


def _axis(axis: Any, rank: int) -> int:
    if not isinstance(axis, int) or not -rank <= axis < rank:
        raise FileError(f"axis must lie in {-rank} … {rank - 1}, got {checks.shown(axis)}")
    return axis % rank


def _after_batch(axis: int, rank: int) -> int:
    axis = _axis(axis, rank)
    if axis == 0:
        raise ParseError("axis must not be the batch, got 0")
    return axis - 1


def _activation(call: Call) -> Value:
    # A learned slope (PRelu) is a weight; bounds (Clip) are scalars and are none.
    weights = [call.constant(1)] if call.operator == "PRelu" else []
    return call.add(network.Activation(call.operator), [call.tensor()], weights)


def _same(node: type) -> Callable[[Call], Value]:
    def convert(call: Call) -> Value:
        value = call.get(0)
        if isinstance(value, Constant):
            return value
        return call.add(node(), [call.tensor()])

    return convert


def _convolution(call: Call) -> Value:
    x, weight, bias = call.tensor(), call.constant(1), call.optional(2)
    weights = [weight] if bias is None else [weight, bias]
    if call.operator == "Conv":
        layer: Any = onnx_windows.convolution(call.attributes, weight, bias, x.rank)
    else:
        size = x.shape[2 : x.rank + 2]
        layer = onnx_windows.transposed(call.attributes, weight, bias, size, call.version)
    return call.add(layer, [x], weights)


def _pool(call: Call) -> Value:
    x = call.tensor()
    size = x.shape[2 : x.rank + 2]
    layer = onnx_windows.pool(call.operator, call.attributes, size, call.version)
    return call.add(layer, [x])


def _lp_pool(call: Call) -> Value:
    x = call.tensor()
    size = x.shape[2 : x.rank + 2]
    # Its windows are those of the maximum.
    windows = onnx_windows.pool("MaxPool", call.attributes, size, call.version)
    given = {name: getattr(windows, name) for name in WINDOW}
    return call.add(layers.LpPool(call.attributes.integer("p", 2), **given), [x])


def _pad(call: Call) -> Value:
    x = call.tensor()
    rank = len(x.shape)
    stored = call.optional(3)
    axes = None
    if stored is not None:
        axes = tuple(_axis(axis, rank) for axis in stored.integers("axes"))
    layer = onnx_windows.pad(call.attributes, call.optional(1), call.optional(2), axes, rank)
    return call.add(layer, [x])


def _batch_norm(call: Call) -> Value:
    x = call.tensor()
    parts = [call.constant(at) for at in range(1, 5)]
    if any(part.shape != parts[0].shape or len(part.shape) != 1 for part in parts):
        raise FileError(f"statistics must be vectors alike, got {[p.shape for p in parts]}")
    return call.add(network.BatchNorm(parts[0].shape[0]), [x], parts[:2])


def _local_response_norm(call: Call) -> Value:
    return call.add(network.LocalResponseNorm(call.attributes.integer("size", 1)), [call.tensor()])


def _softmax(call: Call) -> Value:
    x = call.tensor()
    early = call.version < 13
    axis = _after_batch(call.attributes.integer("axis", 1 if early else -1), len(x.shape))
    return call.add(network.Softmax(axis, early), [x])


def _global(node: type) -> Callable[[Call], Value]:
    def convert(call: Call) -> Value:
        x = call.tensor()
        _ = x.rank
        power = (call.attributes.integer("p", 2),) if node is layers.GlobalLpPool else ()
        return call.add(node(*power), [x])

    return convert


def _mean(call: Call) -> Value:
    x = call.tensor()
    axes = call.axes(len(x.shape))
    if axes is None or sorted(axes) != list(range(2, x.rank + 2)):
        raise ParseError(f"axes must be all that follow the channels, got {axes}")
    pooled = call.add(layers.GlobalAvgPool(), [x])
    return (
        pooled if call.attributes.integer("keepdims", 1) else call.add(network.Flatten(), [pooled])
    )


def _elementwise(call: Call) -> Value:
    values = [value for value in call.inputs if value is not None]
    tensors = [value for value in values if isinstance(value, Tensor)]
    constants = [value for value in values if isinstance(value, Constant)]
    is_sum = call.operator in ("Add", "Sum")
    if len(tensors) == len(values):
        node = network.Add() if is_sum else network.Elementwise(call.operator)
        return call.add(node, tensors)
    ordered = isinstance(values[0], Tensor) or call.operator in ("Add", "Mul")
    if len(tensors) != 1 or len(constants) != 1 or not ordered:
        raise ParseError(f"operands must be computed, or one a constant, got {len(values)}")
    shape = constants[0].shape
    if len(shape) == len(tensors[0].shape) and shape[:1] == (1,):
        shape = shape[1:]
    kind = network.Scale if call.operator in ("Mul", "Div") else network.Shift
    return call.add(kind(shape), tensors, constants)


def _concatenate(call: Call) -> Value:
    if call.is_constant():
        parts = [call.constant(at).integers("shape") for at in range(len(call.inputs))]
        values = tuple(value for part in parts for value in part)
        return Constant((len(values),), values)
    tensors = [call.tensor(at) for at in range(len(call.inputs))]
    if "axis" not in call.attributes:
        raise FileError("axis must be given")
    axis = _after_batch(call.attributes.integer("axis", 1), len(tensors[0].shape))
    return call.add(network.Concat(axis), tensors)


def _flatten(call: Call) -> Value:
    x = call.tensor()
    axis = call.attributes.integer("axis", 1)
    if axis != 1 and axis % len(x.shape) != 1:
        raise ParseError(f"axis must be 1, the channels, got {axis}")
    return call.add(network.Flatten(), [x])


def _reshape(call: Call) -> Value:
    stated = call.attributes.integers("shape")
    target = call.constant(1).integers("shape") if stated is None else stated
    value = call.get(0)
    if isinstance(value, Constant):
        return value.reshaped(_reshaped(value.shape, target))
    x = call.tensor()
    if call.attributes.integer("allowzero", 0) and 0 in target:
        raise FileError("shape must not have an empty axis, got 0 with allowzero")
    batch, sample = x.shape[0], tuple(target[1:])
    if not sample:
        raise ParseError(f"shape must keep the batch, got {target}")
    shape = network.Reshape(sample).output_shape(x.shape[1:])
    if target[0] not in (0, batch) and (target[0] != -1 or -1 in sample):
        raise ParseError(f"shape must begin with the batch {batch}, got {target}")
    return call.add(network.Flatten() if len(shape) == 1 else network.Reshape(sample), [x])


def _reshaped(shape: Sequence[Any], target: Sequence[Any]) -> tuple[Any, ...]:
    if any(not isinstance(n, int) or n < -1 for n in target) or 0 in shape:
        raise FileError(f"shape must be integers of at least -1, got {checks.shown(target)}")
    return network.Reshape(tuple(target)).output_shape(tuple(shape))


def _transpose(call: Call) -> Value:
    value = call.get(0)
    if value is None:
        raise FileError("input 0 must be given")
    rank = len(value.shape)
    order = call.attributes.integers("perm")
    order = tuple(range(rank))[::-1] if order is None else order
    if sorted(order) != list(range(rank)):
        raise FileError(f"perm must name the {rank} axes once, got {checks.shown(order)}")
    if isinstance(value, Constant):
        return Constant(tuple(value.shape[at] for at in order), None, value.sources)
    if order[0] != 0:
        raise ParseError(f"perm must keep the batch first, got {order}")
    return call.add(network.Permute(tuple(axis - 1 for axis in order[1:])), [call.tensor()])


def _unsqueeze(call: Call) -> Value:
    value = call.get(0)
    if value is None:
        raise FileError("input 0 must be given")
    given = call.attributes.integers("axes")
    if given is None:
        given = call.constant(1).integers("axes")
    rank = len(value.shape) + len(given)
    axes = tuple(_axis(axis, rank) for axis in given)
    if isinstance(value, Constant):
        return value.reshaped(network.Unsqueeze(axes).output_shape(value.shape))
    return call.add(network.Unsqueeze(tuple(_after_batch(a, rank) for a in axes)), [call.tensor()])


def _squeeze(call: Call) -> Value:
    value = call.get(0)
    if value is None:
        raise FileError("input 0 must be given")
    rank = len(value.shape)
    axes = call.axes(rank)
    if isinstance(value, Constant):
        dropped = range(rank) if axes is None else axes
        kept = (n for at, n in enumerate(value.shape) if at not in dropped or n != 1)
        return value.reshaped(tuple(kept))
    if axes is None:
        raise ParseError("axes must be given: the batch may have size 1")
    return call.add(network.Squeeze(tuple(_after_batch(a, rank) for a in axes)), [call.tensor()])


def _dense(call: Call) -> Value:
    x, weight, bias = call.tensor(), call.constant(1), call.optional(2)
    if call.operator == "MatMul":
        bias, turned = None, 0
    else:
        turned = call.attributes.integer("transB", 0)
        if call.attributes.integer("transA", 0):
            raise ParseError("transA must be 0: the batch comes first")
        if len(x.shape) != 2:
            raise FileError(f"input must be (batch, features), got shape {x.shape}")
    if len(weight.shape) != 2:
        raise ParseError(f"weight must be a matrix, got shape {weight.shape}")
    inside, outside = weight.shape[::-1] if turned else weight.shape
    if bias is not None and math.prod(bias.shape) not in (1, outside):
        raise FileError(f"bias must have {outside} entries, got shape {bias.shape}")
    weights = [weight] if bias is None else [weight, bias]
    return call.add(network.Linear(inside, outside, bias is not None), [x], weights)


def _constant(call: Call) -> Value:
    tensor = call.attributes.tensor("value")
    if tensor is not None:
        return constant_of(tensor, call.output)
    if "value_int" in call.attributes:
        return Constant((), (call.attributes.integer("value_int", 0),))
    values = call.attributes.integers("value_ints")
    if values is not None:
        return Constant((len(values),), values)
    if "value_float" in call.attributes:
        return Constant((), None, ((call.output, 1),))
    raise ParseError("constant must be a tensor, a float or integers")


def _constant_of_shape(call: Call) -> Value:
    shape = call.constant(0).integers("shape")
    if any(not isinstance(n, int) or n < 0 for n in shape):
        raise FileError(f"shape must be integers of at least 0, got {checks.shown(shape)}")
    return Constant(shape, None, ((call.output, math.prod(shape)),))


def _shape(call: Call) -> Value:
    value = call.get(0)
    if value is None:
        raise FileError("input 0 must be given")
    rank = len(value.shape)
    end = call.attributes.integer("end", rank)
    values = value.shape[call.attributes.integer("start", 0) : end]
    return Constant((len(values),), values)


def _gather(call: Call) -> Value:
    values, index = call.constant(0).integers("data"), call.constant(1)
    taken = tuple(values[_axis(at, len(values))] for at in index.integers("indices"))
    return Constant(index.shape, taken)


#: What the windows of poolings are made of.
WINDOW = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")

#: Operators on each value alone.
ACTIVATIONS = (
    "Abs Celu Clip Elu Erf Exp Gelu HardSigmoid HardSwish LeakyRelu Log Mish Neg PRelu Relu "
    "Selu Sigmoid Sin Softplus Softsign Sqrt Tanh ThresholdedRelu"
)

#: Operator → what it becomes.
OPERATORS: dict[str, Callable[[Call], Value]] = {
    **dict.fromkeys(ACTIVATIONS.split(" "), _activation),
    **dict.fromkeys(("Add", "Sum", "Sub", "Mul", "Div"), _elementwise),
    "AveragePool": _pool,
    "BatchNormalization": _batch_norm,
    "Cast": _same(network.Identity),
    "Concat": _concatenate,
    "Constant": _constant,
    "ConstantOfShape": _constant_of_shape,
    "Conv": _convolution,
    "ConvTranspose": _convolution,
    "Dropout": _same(network.Dropout),
    "Flatten": _flatten,
    "Gather": _gather,
    "Gemm": _dense,
    "GlobalAveragePool": _global(layers.GlobalAvgPool),
    "GlobalLpPool": _global(layers.GlobalLpPool),
    "GlobalMaxPool": _global(layers.GlobalMaxPool),
    "Identity": _same(network.Identity),
    "LRN": _local_response_norm,
    "LogSoftmax": _softmax,
    "LpPool": _lp_pool,
    "MatMul": _dense,
    "MaxPool": _pool,
    "Pad": _pad,
    "ReduceMean": _mean,
    "Reshape": _reshape,
    "Shape": _shape,
    "Softmax": _softmax,
    "Squeeze": _squeeze,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
