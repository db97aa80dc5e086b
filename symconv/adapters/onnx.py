"""ONNX files as networks (the extra ``onnx``): read, never run.

Only the graph is read: weights by their shapes, external data not at all. Whatever a file holds,
reading it ends in a network or in an error of symconv, in time and memory that its size bounds.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sympy

from symconv import checks
from symconv.adapters.onnx_operators import OPERATORS, Call, Tensor, Value
from symconv.adapters.onnx_reading import (
    MAX_RANK,
    MAX_SIZE,
    Attributes,
    Constant,
    constant_of,
    dimension,
)
from symconv.errors import FileError, MissingExtraError, ParseError, SymconvError
from symconv.network import INPUT, Network, Step
from symconv.network.contract import checked_shape, output_shape

__all__ = ["MAX_BYTES", "MAX_NODES", "from_onnx", "loaded_model", "onnx_package"]

#: Most bytes of a file, and most nodes and links between them of its graph.
MAX_BYTES = 2**30
MAX_NODES = 50_000
MAX_LINKS = 500_000

#: Most operations of one formula for an open size (padding "same" triples them at each layer), of
#: all formulas together, and most bits of a number in one.
MAX_FORMULA = 100
MAX_OPERATIONS = 20_000
MAX_BITS = 256


def onnx_package() -> Any:
    """The package, or an error that names the extra."""
    try:
        # ONNX is optional.
        import onnx  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError(
            f'ONNX files need onnx: pip install "symconv[onnx]" ({error})'
        ) from None
    return onnx


def from_onnx(
    source: Any, input_shape: Sequence[Any] | None = None, *, output: str | None = None
) -> Network:
    """The network of an ONNX file.

    Parameters
    ----------
    source : path or onnx.ModelProto
    input_shape : tuple, optional
        (channels, *size) without the batch; by default the file's own, with a symbol for every
        size that it leaves open.
    output : str, optional
        Name of the tensor that is the network's output; by default the file's first.

    Returns
    -------
    Network
        Layers have the names of the tensors they make. A stored tensor that several layers use
        counts once; the mean and variance of a batch normalisation do not count.

    Raises
    ------
    FileError
        If the file is missing, too large, damaged, or contradicts itself.
    ParseError
        If it holds an operation that symconv does not follow; the message names it.
    MissingExtraError
        If onnx is not installed.

    Examples
    --------
    >>> net = from_onnx("squeezenet.onnx")  # doctest: +SKIP
    >>> net.parameter_count(), net.output_shape()  # doctest: +SKIP
    (1235496, (1000, 1, 1))
    """
    onnx = onnx_package()
    model = source if isinstance(source, onnx.ModelProto) else loaded_model(onnx, source)
    try:
        return _Reader(model, input_shape).network(output)
    except (FileError, ParseError):
        raise
    except SymconvError as error:
        # A layer refused what the file says of it.
        raise FileError(f"model must describe layers that exist: {error}") from None


def loaded_model(onnx: Any, source: Any) -> Any:
    """The file as a message: parsed by protobuf, nothing else is opened."""
    if not isinstance(source, (str, os.PathLike)):
        raise FileError(f"model must be a path or an onnx.ModelProto, got {type(source).__name__}")
    path = Path(source)
    try:
        if not path.exists():
            raise FileError(f"file must exist, got {path}")
        if not path.is_file():
            raise FileError(f"file must be a regular file, got {path}")
        with path.open("rb") as file:
            # Read to the limit, whatever size the file claims to have.
            data = file.read(MAX_BYTES + 1)
    except FileError:
        raise
    except (OSError, ValueError) as error:
        raise FileError(f"file must be readable, got {checks.shown(source)}: {error}") from None
    if len(data) > MAX_BYTES:
        raise FileError(f"file must have at most {MAX_BYTES} bytes, got more in {path}")
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except Exception as error:
        # protobuf's decoder error lives in a package of its own.
        raise FileError(
            f"file must be an ONNX model, got {path}: {checks.shown(str(error))}"
        ) from None
    return model


class _Reader:
    """Walks the graph once, in an order in which inputs come first."""

    def __init__(self, model: Any, input_shape: Sequence[Any] | None) -> None:
        graph = model.graph
        if not graph.node:
            raise FileError("model must have a graph with nodes, got none")
        if len(graph.node) > MAX_NODES:
            raise FileError(f"graph must have at most {MAX_NODES} nodes, got {len(graph.node)}")
        if graph.sparse_initializer:
            raise ParseError("weights must be stored as dense tensors, got a sparse one")
        self._graph = graph
        versions = [item.version for item in model.opset_import if item.domain in ("", "ai.onnx")]
        self._version = versions[0] if versions else 1
        self._given = None if input_shape is None else checked_shape(input_shape)
        self._input: Tensor | None = None
        self._steps: list[Step] = []
        self._counted: set[str] = set()
        self._used = {INPUT}
        self._operations = 0
        self._values: dict[str, Value] = {}
        for tensor in graph.initializer:
            self._define(tensor.name, constant_of(tensor, tensor.name))
        self._declared = {item.name: item for item in graph.input}
        if len(self._declared) < len(graph.input):
            raise FileError("inputs must have different names, got one twice")
        self._taken = {name for node in graph.node for name in node.output}

    def network(self, output: str | None) -> Network:
        """The network that ends in the tensor `output`."""
        for at in _order(self._graph.node):
            self._read(self._graph.node[at])
        if output is None:
            if not self._graph.output:
                raise FileError("graph must have an output, got none")
            output = self._graph.output[0].name
        result = self._values.get(output)
        if not isinstance(result, Tensor) or result.name == INPUT:
            raise FileError(f"output must be computed from the input, got {checks.shown(output)}")
        known = None if self._input is None else self._input.shape[1:]
        return Network(self._steps, output=result.name, input_shape=known)

    def _define(self, name: str, value: Value) -> None:
        if not name or name in self._values:
            raise FileError(f"tensors must have different names, got {checks.shown(name)} twice")
        self._values[name] = value

    def _value(self, name: str, at: int, operator: str) -> Value | None:
        """What a node reads: computed before, stored, or declared as the graph's input."""
        if not name:
            return None
        if name in self._values:
            return self._values[name]
        if name not in self._declared:
            raise FileError(
                f"input {at} of {operator} must exist, got {checks.shown(name)}, which nothing "
                f"makes"
            )
        shape = self._declared_shape(name)
        # A weight may be left for the caller to give; only its shape matters here.
        if at > 0 and operator in ("Conv", "ConvTranspose", "Gemm", "MatMul", "BatchNormalization"):
            if any(not isinstance(n, int) for n in shape):
                raise FileError(f"weight {checks.shown(name)} must have sizes, got {shape}")
            count = 1
            for n in shape:
                count *= n
            self._values[name] = Constant(shape, None, ((name, count),))
            return self._values[name]
        if self._input is not None:
            raise ParseError(f"graph must have one input, got a second: {checks.shown(name)}")
        if self._given is not None:
            shape = (shape[0] if shape else 1, *self._given)
        if len(shape) < 2:
            raise FileError(f"input must be (batch, channels, *size), got shape {shape}")
        self._input = Tensor(INPUT, shape)
        self._values[name] = self._input
        return self._input

    def _declared_shape(self, name: str) -> tuple[Any, ...]:
        kind = self._declared[name].type
        if kind.WhichOneof("value") != "tensor_type":
            raise ParseError(f"input {checks.shown(name)} must be a tensor")
        dims = kind.tensor_type.shape.dim
        if len(dims) > MAX_RANK:
            raise FileError(f"input must have at most {MAX_RANK} axes, got {len(dims)}")
        return tuple(dimension(item, at) for at, item in enumerate(dims))

    def _read(self, node: Any) -> None:
        what = f"node {checks.shown(node.name or node.op_type)} ({checks.shown(node.op_type)})"
        if node.domain not in ("", "ai.onnx") or node.op_type not in OPERATORS:
            domain = f" of {node.domain[:80]}" if node.domain else ""
            raise ParseError(
                f"operator must be one that symconv follows, got {checks.shown(node.op_type)}"
                f"{domain}"
            )
        if not node.output or not node.output[0]:
            raise FileError(f"node must have an output, got none in {what}")
        name = node.output[0]
        try:
            inputs = [self._value(source, at, node.op_type) for at, source in enumerate(node.input)]
            call = Call(
                node.op_type,
                self._version,
                Attributes(node),
                tuple(inputs),
                name,
                lambda *given: self._add(name, *given),
            )
            self._define(name, OPERATORS[node.op_type](call))
        except (FileError, ParseError) as error:
            raise type(error)(f"{error} in {what}") from None
        except SymconvError as error:
            raise FileError(f"{error} in {what}") from None

    def _add(
        self, name: str, node: Any, sources: Sequence[Tensor], weights: Sequence[Constant] = ()
    ) -> Tensor:
        """A new step that makes the tensor `name`, or leads to it."""
        # An operator that becomes two steps, or a tensor called "input", gets a mark.
        unique = name
        while unique in self._used or (unique != name and unique in self._taken):
            unique += "'"
        self._used.add(unique)
        own = 0
        for weight in weights:
            for source, count in weight.sources:
                if source not in self._counted:
                    self._counted.add(source)
                    own += count
        batch = sources[0].shape[0]
        if any(source.shape[0] != batch for source in sources):
            raise FileError(f"inputs must have one batch, got {[s.shape[0] for s in sources]}")
        shape = output_shape(node, [source.shape[1:] for source in sources])
        for n in shape:
            self._check_size(n)
        parameters = None if own == node.parameter_count() else own
        self._steps.append(Step(unique, node, tuple(source.name for source in sources), parameters))
        return Tensor(unique, (batch, *shape))

    def _check_size(self, n: Any) -> None:
        """Refuse sizes beyond a 64-bit index, and formulas that grow without end."""
        if isinstance(n, int):
            if n > MAX_SIZE:
                raise FileError(f"sizes must stay below 2**63, got {n.bit_length()} bits")
            return
        operations = int(n.count_ops())
        self._operations += 1 + operations
        numbers = n.atoms(sympy.Rational)
        longest = max((max(abs(r.p), r.q).bit_length() for r in numbers), default=0)
        too_long = operations > MAX_FORMULA or longest > MAX_BITS
        if too_long or self._operations > MAX_OPERATIONS:
            raise FileError("sizes must be short formulas of the open ones; give input_shape")


def _order(nodes: Any) -> list[int]:
    """Places of the nodes in an order in which inputs come first, whatever the file's order."""
    makers: dict[str, int] = {}
    links = 0
    for at, node in enumerate(nodes):
        links += len(node.input) + len(node.output)
        if links > MAX_LINKS:
            raise FileError(f"graph must have at most {MAX_LINKS} links, got more")
        for name in node.output:
            if name and makers.setdefault(name, at) != at:
                raise FileError(
                    f"tensors must be made once, got {checks.shown(name)} from two nodes"
                )
    waiting: list[int] = []
    followers: dict[int, list[int]] = {}
    for at, node in enumerate(nodes):
        sources = {makers[name] for name in node.input if name in makers}
        waiting.append(len(sources))
        for source in sources:
            followers.setdefault(source, []).append(at)
    ready = [at for at, count in enumerate(waiting) if not count]
    for at in ready:
        # The list grows while it is read: a queue.
        for follower in followers.get(at, ()):
            waiting[follower] -= 1
            if not waiting[follower]:
                ready.append(follower)
    if len(ready) < len(waiting):
        stuck = [nodes[at].name or nodes[at].op_type for at, n in enumerate(waiting) if n]
        raise FileError(
            f"nodes must not wait for each other in a circle, got {checks.shown(stuck[:3])} among "
            f"{len(stuck)} on or behind one"
        )
    return ready
