"""The convolutions and poolings of an ONNX model: attributes, operator set, shapes, the layer.

The graph is read, never run. Shapes come from ONNX's shape inference, so that a node behind an
operator that nothing knows has none, and is skipped with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from symconv.adapters import onnx_windows
from symconv.adapters.onnx import MAX_NODES, loaded_model, onnx_package
from symconv.adapters.onnx_reading import Attributes, Constant
from symconv.checks import concrete, integer, sequence, shown
from symconv.errors import FileError, ShapeError, SymconvError
from symconv.layers import GlobalAvgPool, GlobalLpPool, GlobalMaxPool, Layer, LpPool

__all__ = ["Node", "SkippedError", "nodes_of", "opened"]

#: Types of tensors that probes exist for, by ONNX's number → name of a `symconv` number format.
DTYPES = {1: "float32", 10: "float16", 11: "float64"}


class SkippedError(SymconvError):
    """Why a node cannot be audited."""


@dataclass(frozen=True, eq=False)
class Node:
    """One node of the file.

    Attributes
    ----------
    name, operator : str
    opset : int
        Operator set of the model.
    message : onnx.NodeProto
        Its attributes, inputs renamed x, w, b and its first output y.
    layer : Layer
    channels : int
        Of its input.
    size : tuple of int
        Spatial, of its input.
    dtype : str
    """

    name: str
    operator: str
    opset: int
    message: Any
    layer: Layer
    channels: int
    size: tuple[int, ...]
    dtype: str

    @property
    def key(self) -> tuple[Any, ...]:
        """The same for nodes that compute the same at the same geometry."""
        attributes = sorted(each.SerializeToString() for each in self.message.attribute)
        inputs = tuple(self.message.input)
        what = self.operator, self.opset, inputs, *attributes
        return (*what, repr(self.layer), self.channels, self.size, self.dtype)


def opened(source: Any, input_shape: Sequence[int] | None) -> tuple[Any, Any]:
    """The onnx package and the model with its inferred shapes.

    Raises
    ------
    FileError
        If the file is missing, too large, or no ONNX model.
    MissingExtraError
        If onnx is not installed.
    """
    onnx = onnx_package()
    model = onnx.ModelProto()
    model.CopyFrom(source if isinstance(source, onnx.ModelProto) else loaded_model(onnx, source))
    if not model.graph.node:
        raise FileError("model must have a graph with nodes, got none")
    if len(model.graph.node) > MAX_NODES:
        raise FileError(f"graph must have at most {MAX_NODES} nodes, got {len(model.graph.node)}")
    if input_shape is not None:
        _state(model, input_shape)
    try:
        return onnx, onnx.shape_inference.infer_shapes(model, data_prop=True)
    except Exception:
        # What it cannot infer is missing then; its errors have no class of their own.
        return onnx, model


def _state(model: Any, input_shape: Sequence[int]) -> None:
    """Write (channels, *size) into the first input that is no stored tensor."""
    stated = [concrete("input", integer("input", n, 1)) for n in sequence("input", input_shape)]
    stored = {tensor.name for tensor in model.graph.initializer}
    for item in model.graph.input:
        if item.name not in stored:
            dims = item.type.tensor_type.shape.dim
            if len(dims) != len(stated) + 1:
                raise ShapeError(
                    f"input must have {len(dims) - 1} entries after the batch, got {stated}"
                )
            for dim, n in zip(dims[1:], stated, strict=True):
                dim.dim_value = n
            return


def nodes_of(model: Any) -> Iterator[Node | tuple[str, str, SkippedError]]:
    """Every convolution and pooling; (name, operator, reason) where it cannot be audited."""
    reader = _Reader(model)
    for at, message in enumerate(model.graph.node):
        if message.domain in ("", "ai.onnx") and message.op_type in LAYERS:
            name = message.name or (message.output[0] if message.output else f"number {at}")
            try:
                yield reader.node(name[:200], message)
            except (SymconvError, ValueError, OverflowError) as error:
                yield name[:200], message.op_type, SkippedError(str(error))
        elif any(attribute.type in (5, 10) for attribute in message.attribute):
            reason = "the node holds graphs of its own, which are not followed"
            yield (
                (message.name or message.op_type)[:200],
                message.op_type[:80],
                SkippedError(reason),
            )


class _Reader:
    """Shapes by tensor name, and nodes as layers."""

    def __init__(self, model: Any) -> None:
        self._types: dict[str, Any] = {}
        graph = model.graph
        for item in (*graph.input, *graph.output, *graph.value_info):
            if item.type.WhichOneof("value") == "tensor_type":
                self._types[item.name] = item.type.tensor_type
        self._stored = {tensor.name: tensor for tensor in graph.initializer}
        sets = [item.version for item in model.opset_import if item.domain in ("", "ai.onnx")]
        self._opset = max(int(sets[0]), 1) if sets else 1

    def shape(self, name: str) -> tuple[int | None, ...]:
        """Sizes of a tensor, None for one that is open."""
        if name in self._stored:
            return tuple(self._stored[name].dims)
        found = self._types.get(name)
        if found is None or not found.HasField("shape"):
            raise SkippedError(f"shape of its input {shown(name)} is not known")
        dims = found.shape.dim
        return tuple(int(dim.dim_value) if dim.HasField("dim_value") else None for dim in dims)

    def _known(self, name: str, what: str, start: int = 0) -> tuple[int, ...]:
        shape = self.shape(name)[start:]
        if any(n is None for n in shape):
            raise SkippedError(
                f"{what} must have known sizes, got {shape}; state the input's shape"
            )
        return tuple(n for n in shape if n is not None)

    def node(self, name: str, message: Any) -> Node:
        """One node of a supported operator."""
        given = list(message.input)
        if not given or not given[0] or not message.output:
            raise SkippedError("the node has no input or no output")
        dtype = self._dtype(given[0])
        shape = self._known(given[0], "input", 1)
        if len(shape) < 2:
            raise SkippedError(f"input must be (batch, channels, *size), got {len(shape) + 1} axes")
        if min(shape) < 1:
            raise SkippedError(f"input must have samples, got {shape}")
        rest = [
            Constant(self._known(each, what)) if each else None
            for each, what in zip(given[1:], ("weight", "bias"), strict=False)
        ]
        attributes = Attributes(message)
        layer = LAYERS[message.op_type](message, attributes, rest, shape, self._opset)
        layer.output_size(shape[1:])
        channels = getattr(layer, "in_channels", shape[0])
        if channels != shape[0]:
            raise SkippedError(
                f"input must have {channels} channels as the weight says, got {shape[0]}"
            )
        renamed = type(message)()
        renamed.CopyFrom(message)
        del renamed.input[:], renamed.output[:]
        names = zip(given, "xwb", strict=False)
        renamed.input.extend(new if old else "" for old, new in names)
        renamed.output.append("y")
        renamed.name = renamed.doc_string = ""
        size = shape[1:]
        return Node(name, message.op_type, self._opset, renamed, layer, shape[0], size, dtype)

    def _dtype(self, name: str) -> str:
        found = self._types.get(name)
        number = 1 if found is None else found.elem_type
        if number not in DTYPES:
            raise SkippedError(
                f"input must be of type {', '.join(DTYPES.values())}, got type {number}"
            )
        return DTYPES[number]


#: Makes the layer of a node: message, attributes, (weight, bias), (channels, *size), operator set.
Maker = Callable[[Any, Attributes, list[Constant | None], tuple[int, ...], int], Layer]


def _weighted(message: Any, attributes: Attributes, rest: Any, shape: Any, opset: int) -> Layer:
    weight, bias = (*rest, None, None)[:2]
    if weight is None:
        raise SkippedError("weight must be given")
    if message.op_type == "Conv":
        return onnx_windows.convolution(attributes, weight, bias, len(shape) - 1)
    return onnx_windows.transposed(attributes, weight, bias, shape[1:], opset)


def _pool(message: Any, attributes: Attributes, rest: Any, shape: Any, opset: int) -> Layer:
    made: Layer = onnx_windows.pool(message.op_type, attributes, shape[1:], opset)
    return made


def _lp_pool(message: Any, attributes: Attributes, rest: Any, shape: Any, opset: int) -> Layer:
    # Its windows are those of the maximum.
    windows = onnx_windows.pool("MaxPool", attributes, shape[1:], opset)
    return LpPool(
        attributes.integer("p", 2),
        windows.kernel_size,
        stride=windows.stride,
        padding=windows.padding,
        dilation=windows.dilation,
        ceil_mode=windows.ceil_mode,
    )


#: Operator → its layer.
LAYERS: dict[str, Maker] = {
    "AveragePool": _pool,
    "Conv": _weighted,
    "ConvTranspose": _weighted,
    "GlobalAveragePool": lambda *_: GlobalAvgPool(),
    "GlobalLpPool": lambda message, attributes, *_: GlobalLpPool(attributes.integer("p", 2)),
    "GlobalMaxPool": lambda *_: GlobalMaxPool(),
    "LpPool": _lp_pool,
    "MaxPool": _pool,
}
