"""A layer at one size as plain data: what projects without symconv read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symconv.errors import ParameterError, ParameterTypeError
from symconv.layers import AvgPool, Conv, ConvTranspose, Layer, MaxPool

__all__ = ["TYPES", "parameters_of"]

#: Layers that have plain parameters, by their names there.
TYPES: dict[str, type[Any]] = {
    "conv": Conv,
    "conv_transpose": ConvTranspose,
    "avg_pool": AvgPool,
    "max_pool": MaxPool,
}

#: Further parameters of each type, as the layer calls them.
FURTHER = {
    "conv": (
        "in_channels", "out_channels", "groups", "padding_mode", "padding_value", "input_dilation",
    ),
    "conv_transpose": ("in_channels", "out_channels", "groups", "output_padding"),
    "avg_pool": ("ceil_mode", "count_include_pad", "divisor_override"),
    "max_pool": ("ceil_mode",),
}  # fmt: skip


def parameters_of(layer: Layer, input_size: Sequence[int]) -> dict[str, Any]:
    """Every parameter, none left to a default, padding as (lo, hi) per axis at this size.

    Parameters
    ----------
    layer : Layer
    input_size : sequence of int

    Raises
    ------
    ParameterTypeError
        If `layer` is no convolution, transposed convolution, average or max pooling.
    ParameterError
        If padding is a framework's convention, whose windows no (lo, hi) pairs say, or the value of
        constant padding is no integer.

    Examples
    --------
    >>> import symconv as sc
    >>> found = parameters_of(sc.MaxPool2d((2, 3), padding=(0, 1)), (4, 4))
    >>> found["type"], found["stride"], found["padding"], found["ceil_mode"]
    ('max_pool', [2, 3], [[0, 0], [1, 1]], False)
    """
    kind = next((name for name, each in TYPES.items() if type(layer) is each), None)
    if kind is None:
        names = ", ".join(each.__name__ for each in TYPES.values())
        raise ParameterTypeError(f"layer must be one of {names}, got {type(layer).__name__}")
    given: Any = layer
    padding = given.padding
    pairs = isinstance(padding, tuple) and all(isinstance(pair, tuple) for pair in padding)
    if not isinstance(padding, str) and not pairs:
        raise ParameterError(f"padding must be (lo, hi) pairs or a name, got {padding}")
    if isinstance(padding, str):
        relations = [layer.relation(axis, n) for axis, n in enumerate(input_size)]
        # The relation of a transposed convolution is that of the convolution, (lo, hi − op).
        extra = getattr(given, "output_padding", (0,) * layer.rank)
        padding = [(r.pad_lo, r.pad_hi + op) for r, op in zip(relations, extra, strict=True)]
    parameters: dict[str, Any] = {
        "type": kind,
        "kernel_size": list(given.kernel_size),
        "stride": list(given.stride),
        "dilation": list(given.dilation),
        "padding": [[int(lo), int(hi)] for lo, hi in padding],
    }
    for name in FURTHER[kind]:
        value = getattr(given, name)
        parameters[name] = list(value) if isinstance(value, tuple) else value
    if not isinstance(parameters.get("padding_value", 0), int):
        raise ParameterError(
            f"padding_value must be an integer in plain parameters, got {given.padding_value}"
        )
    return parameters
