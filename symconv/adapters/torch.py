"""PyTorch's modules as networks (the extra ``torch``).

Modules of ``torch.nn`` are read by their attributes. Other modules are traced symbolically by
``torch.fx``, which runs their ``forward`` on placeholders; no tensor is computed.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from symconv import checks
from symconv.adapters.torch_calls import BATCH, CALLS, Traced, _Mean
from symconv.adapters.torch_modules import is_known, modules_node
from symconv.errors import (
    MissingExtraError,
    ParameterError,
    ParameterTypeError,
    SymconvError,
    located,
)
from symconv.layers import GlobalAvgPool
from symconv.network import INPUT, Flatten, Network, Step
from symconv.network.contract import checked_shape, output_shape

__all__ = ["from_torch"]


def _torch() -> Any:
    try:
        # PyTorch is optional and takes seconds to import.
        import torch  # noqa: PLC0415
        import torch.fx  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError(
            f'PyTorch modules need torch: pip install "symconv[torch]" ({error})'
        ) from None
    return torch


def from_torch(module: Any, input_shape: Sequence[Any] | None = None) -> Network:
    """The network of a ``torch.nn.Module``.

    Parameters
    ----------
    module : torch.nn.Module
        Convolutions, transposed convolutions, poolings, normalisations, activations, dropout,
        padding, flattening and fully connected layers of ``torch.nn``, nested in ``Sequential``;
        or any module whose ``forward`` ``torch.fx`` can trace.
    input_shape : tuple, optional
        (channels, *size), without the batch: kept as the network's, and needed where a
        ``forward`` computes with sizes.

    Returns
    -------
    Network
        Layers have the names of their modules. Parameters used twice count once; a batch
        normalisation's running statistics do not.

    Raises
    ------
    ParameterError
        If an operation is not one that symconv follows; the message names it.
    MissingExtraError
        If PyTorch is not installed.

    Examples
    --------
    >>> import torch  # doctest: +SKIP
    >>> module = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3))  # doctest: +SKIP
    >>> from_torch(module).output_shape((3, 32, 32))  # doctest: +SKIP
    (8, 30, 30)
    """
    torch = _torch()
    if not isinstance(module, torch.nn.Module):
        raise ParameterTypeError(
            f"module must be a torch.nn.Module, got {type(module).__name__} {checks.shown(module)}"
        )
    shape = None if input_shape is None else checked_shape(input_shape)
    builder = _Builder(shape)
    listed = _listed(torch, module)
    if listed is not None:
        for name, leaf in listed:
            builder.add_module(name, leaf, builder.last)
        return builder.network(builder.last)
    return _traced(torch, module, builder)


def _listed(torch: Any, module: Any) -> list[tuple[str, Any]] | None:
    """The leaves of nested sequences in order; None where something else is nested."""
    leaves: list[tuple[str, Any]] = []
    waiting = [("", module)]
    while waiting:
        name, current = waiting.pop()
        if type(current) is torch.nn.Sequential:
            children = [
                (f"{name}.{child}" if name else child, inner)
                for child, inner in current._modules.items()
            ]
            waiting.extend(reversed(children))
        elif is_known(current):
            leaves.append((name or type(current).__name__, current))
        else:
            return None
    return leaves


class _Builder:
    """Steps as they come, shapes where the input's is known, parameters counted once."""

    def __init__(self, shape: tuple[Any, ...] | None) -> None:
        self.input_shape = shape
        self.last = Traced(INPUT, shape)
        self._steps: list[Step] = []
        self._names: set[str] = {INPUT}
        self._uses: dict[str, int] = {}
        self._counted: set[int] = set()

    def add(
        self, name: str, node: Any, sources: Sequence[Traced], parameters: Any = None
    ) -> Traced:
        """A new step; a name that is taken gets a number."""
        unique, number = name, self._uses.get(name, 1)
        while unique in self._names:
            number += 1
            unique = f"{name}#{number}"
        self._uses[name] = number
        self._names.add(unique)
        self._steps.append(Step(unique, node, tuple(source.name for source in sources), parameters))
        shape = None
        if self.input_shape is not None and all(source.shape is not None for source in sources):
            with located(lambda: f"layer {unique!r}"):
                shape = output_shape(node, [source.shape for source in sources if source.shape])
        self.last = Traced(unique, shape)
        return self.last

    def add_module(self, name: str, module: Any, source: Traced) -> Traced:
        """A step for a module of the table."""
        with located(lambda: f"module {name!r}: {type(module).__name__}"):
            node = modules_node(module)
            own = 0
            for parameter in module.parameters(recurse=False):
                if id(parameter) not in self._counted:
                    self._counted.add(id(parameter))
                    own += parameter.numel()
            return self.add(name, node, [source], None if own == node.parameter_count() else own)

    def network(self, output: Traced) -> Network:
        """The network that ends in `output`."""
        if output.name == INPUT:
            raise ParameterError("module must change its input, got one without layers")
        return Network(self._steps, output=output.name, input_shape=self.input_shape)


def _traced(torch: Any, module: Any, builder: _Builder) -> Network:
    class Tracer(torch.fx.Tracer):  # type: ignore[misc]
        """Enters every module that is not in the table."""

        def is_leaf_module(self, m: Any, module_qualified_name: str) -> bool:
            return is_known(m)

    try:
        graph = Tracer().trace(module)
    except Exception as error:
        # The module's own code runs here and can fail in any way.
        raise ParameterError(
            f"module must be traceable by torch.fx, got {type(module).__name__}: "
            f"{checks.shown(str(error))}"
        ) from None
    modules = dict(module.named_modules(remove_duplicate=False))
    values: dict[Any, Any] = {}
    for node in graph.nodes:
        with located(lambda node=node: f"operation {node.name!r}"):  # type: ignore[misc]
            if node.op == "output":
                result = _resolved(node.args[0], values)
                if not isinstance(result, Traced):
                    raise ParameterError(
                        f"module must return one tensor, got {checks.shown(node.args[0])}"
                    )
                return builder.network(result)
            values[node] = _value(node, values, modules, builder)
    raise ParameterError("module must return a tensor, got none")


def _value(node: Any, values: dict[Any, Any], modules: dict[str, Any], builder: _Builder) -> Any:
    """What a node of the traced graph gives: a `Traced` tensor, or a size."""
    if node.op == "placeholder":
        if any(isinstance(value, Traced) for value in values.values()):
            if node.args:
                return node.args[0]
            raise ParameterError(f"module must have one input, got a second: {node.name!r}")
        return builder.last
    arguments = [_resolved(value, values) for value in node.args]
    named = {key: _resolved(value, values) for key, value in node.kwargs.items()}
    if node.op == "call_module":
        given = [*arguments, *named.values()]
        if len(given) != 1 or not isinstance(given[0], Traced):
            raise ParameterError(f"module {node.target!r} must be given one tensor of the input")
        return builder.add_module(node.target, modules[node.target], given[0])
    if node.op == "get_attr":
        raise ParameterError(f"operation must not use a parameter on its own, got {node.target!r}")
    name = node.target if node.op == "call_method" else node.target.__name__
    found = _size(name, arguments)
    if found is not None:
        return found
    if name not in CALLS:
        raise ParameterError(f"operation must be one that symconv follows, got {name!r}")
    try:
        layer, sources = CALLS[name](*arguments, **named)
    except SymconvError:
        raise
    except (TypeError, ValueError, AttributeError) as error:
        raise ParameterError(f"arguments of {name!r} must be known numbers: {error}") from None
    if isinstance(layer, _Mean):
        pooled = builder.add(node.name, GlobalAvgPool(), sources)
        return builder.add(f"{node.name}.flat", Flatten(), [pooled])
    return builder.add(node.name, layer, sources)


def _resolved(value: Any, values: dict[Any, Any]) -> Any:
    """An argument with the traced graph's nodes replaced by what they gave."""
    if isinstance(value, (list, tuple)):
        return [_resolved(entry, values) for entry in value]
    if isinstance(value, slice):
        return value
    try:
        return values.get(value, value)
    except TypeError:
        return value


#: Arithmetic on sizes that is followed.
ARITHMETIC = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "floordiv": operator.floordiv,
}


def _size(name: str, arguments: Sequence[Any]) -> Any:
    """Sizes of tensors and numbers computed from them; None where the call is another one."""
    first = arguments[0] if arguments else None
    if isinstance(first, Traced) and (
        name == "size" or (name == "getattr" and arguments[1] == "shape")
    ):
        sizes = _Sizes(first)
        return sizes[arguments[1]] if name == "size" and len(arguments) > 1 else sizes
    if isinstance(first, _Sizes) and name == "getitem":
        return first[arguments[1]]
    if name in ARITHMETIC and all(isinstance(value, int) for value in arguments):
        return ARITHMETIC[name](*arguments)
    return None


class _Sizes:
    """``tensor.shape`` with the batch first."""

    def __init__(self, tensor: Traced) -> None:
        self._tensor = tensor

    def __getitem__(self, at: Any) -> Any:
        if at == 0:
            return BATCH
        if self._tensor.shape is None:
            raise ParameterError("input_shape must be given: the module computes with sizes")
        whole = (BATCH, *self._tensor.shape)
        if isinstance(at, slice):
            return list(whole[at])
        if not isinstance(at, int) or not -len(whole) <= at < len(whole):
            raise ParameterError(f"axis must be one of the tensor's, got {checks.shown(at)}")
        return whole[at]
