"""PyTorch's modules, one by one, as layers and nodes: the adapter's table.

Nothing here imports PyTorch: modules are told apart by the name of their class, which must be
one of ``torch.nn``'s own (a subclass may compute anything).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from symconv import layers, network
from symconv.errors import ParameterError

__all__ = ["ACTIVATIONS", "batch_kept", "is_known", "modules_node"]

#: Modules that act on each value alone.
ACTIVATIONS = frozenset(
    (
        *("CELU", "ELU", "GELU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh"),
        *("LeakyReLU", "LogSigmoid", "Mish", "PReLU", "ReLU", "ReLU6", "RReLU", "SELU"),
        *("Sigmoid", "SiLU", "Softplus", "Softshrink", "Softsign", "Tanh", "Tanhshrink"),
        "Threshold",
    )
)


def batch_kept(name: str, axis: Any) -> int:
    """An axis of (batch, channels, …) as one of (channels, …); negative ones count from the end."""
    if not isinstance(axis, int) or axis == 0:
        raise ParameterError(f"{name} must be an axis after the batch, got {axis}")
    return axis - 1 if axis > 0 else axis


def _entries(value: Any, rank: int) -> tuple[int, ...]:
    return (value,) * rank if isinstance(value, int) else tuple(value)


def _convolution(module: Any, rank: int) -> Any:
    return layers.Conv(
        module.in_channels,
        module.out_channels,
        tuple(module.kernel_size),
        stride=tuple(module.stride),
        padding=module.padding if isinstance(module.padding, str) else tuple(module.padding),
        dilation=tuple(module.dilation),
        groups=module.groups,
        bias=module.bias is not None,
        padding_mode=module.padding_mode,
    )


def _transposed(module: Any, rank: int) -> Any:
    limits = zip(module.output_padding, module.stride, module.dilation, strict=True)
    for extra, stride, dilation in limits:
        if extra >= max(stride, dilation):
            raise ParameterError(
                f"output_padding must be smaller than stride or dilation in PyTorch, got {extra}"
            )
    return layers.ConvTranspose(
        module.in_channels,
        module.out_channels,
        tuple(module.kernel_size),
        stride=tuple(module.stride),
        padding=tuple(module.padding),
        output_padding=tuple(module.output_padding),
        dilation=tuple(module.dilation),
        groups=module.groups,
        bias=module.bias is not None,
    )


def _pool_parameters(module: Any, rank: int) -> dict[str, Any]:
    kernel = _entries(module.kernel_size, rank)
    padding = _entries(module.padding, rank)
    for taps, pad in zip(kernel, padding, strict=True):
        if not 0 <= 2 * pad <= taps:
            raise ParameterError(
                f"padding must be at most half of kernel_size in PyTorch's pooling, got {pad} "
                f"and {taps}"
            )
    stride = kernel if module.stride is None else _entries(module.stride, rank)
    return {
        "kernel_size": kernel,
        "stride": stride,
        "padding": padding,
        "ceil_mode": bool(module.ceil_mode),
    }


def _max_pool(module: Any, rank: int) -> Any:
    if module.return_indices:
        raise ParameterError("return_indices must be False, got True: indices are not followed")
    dilation = _entries(module.dilation, rank)
    return layers.MaxPool(dilation=dilation, **_pool_parameters(module, rank))


def _average_pool(module: Any, rank: int) -> Any:
    return layers.AvgPool(
        count_include_pad=bool(module.count_include_pad),
        divisor_override=getattr(module, "divisor_override", None),
        **_pool_parameters(module, rank),
    )


def _lp_pool(module: Any, rank: int) -> Any:
    power, kernel = module.norm_type, _entries(module.kernel_size, rank)
    if isinstance(power, float) and power.is_integer():
        power = int(power)
    if power != math.inf and (power % 2 or module.ceil_mode):
        raise ParameterError(
            f"norm_type must be even, and ceil_mode False, or norm_type infinite, where PyTorch's "
            f"LPPool is a norm for every input, got {power} and {module.ceil_mode}"
        )
    stride = kernel if module.stride is None else _entries(module.stride, rank)
    return layers.LpPool(power, kernel, stride=stride, ceil_mode=bool(module.ceil_mode))


def adaptive(kind: type, output_size: Any, rank: int) -> Any:
    """Adaptive pooling; PyTorch takes one size for all axes."""
    return kind(output_size if isinstance(output_size, Sequence) else (output_size,) * rank)


def _adaptive_average(module: Any, rank: int) -> Any:
    return adaptive(layers.AdaptiveAvgPool, module.output_size, rank)


def _adaptive_max(module: Any, rank: int) -> Any:
    if module.return_indices:
        raise ParameterError("return_indices must be False, got True: indices are not followed")
    return adaptive(layers.AdaptiveMaxPool, module.output_size, rank)


def _batch_norm(module: Any, rank: int) -> Any:
    return network.BatchNorm(module.num_features, module.affine)


def _pad(mode: str) -> Callable[[Any, int], Any]:
    def convert(module: Any, rank: int) -> Any:
        return padded(module.padding, mode, getattr(module, "value", 0))

    return convert


def padded(amounts: Sequence[int], mode: str, value: Any) -> Any:
    """PyTorch lists the last axis first: (lo, hi) of the last axis, of the one before, …."""
    pairs = tuple(zip(amounts[::2], amounts[1::2], strict=True))[::-1]
    if mode == "constant" and value in (0, None):
        mode = "zeros"
    return layers.Pad(pairs, padding_mode=mode, padding_value=value if mode == "constant" else 0)


def _linear(module: Any, rank: int) -> Any:
    return network.Linear(module.in_features, module.out_features, module.bias is not None)


def _flatten(module: Any, rank: int) -> Any:
    return network.Flatten(
        batch_kept("start_dim", module.start_dim), batch_kept("end_dim", module.end_dim)
    )


def _softmax(module: Any, rank: int) -> Any:
    return network.Softmax(batch_kept("dim", module.dim))


#: Class names that end in 1d, 2d or 3d, without the ending.
BY_RANK: dict[str, Callable[[Any, int], Any]] = {
    "Conv": _convolution,
    "ConvTranspose": _transposed,
    "MaxPool": _max_pool,
    "AvgPool": _average_pool,
    "LPPool": _lp_pool,
    "AdaptiveAvgPool": _adaptive_average,
    "AdaptiveMaxPool": _adaptive_max,
    "BatchNorm": _batch_norm,
    "Dropout": lambda module, rank: network.Dropout(),
    "ZeroPad": _pad("zeros"),
    "ConstantPad": _pad("constant"),
    "ReflectionPad": _pad("reflect"),
    "ReplicationPad": _pad("replicate"),
    "CircularPad": _pad("circular"),
}

#: The other class names.
BY_NAME: dict[str, Callable[[Any, int], Any]] = {
    "AlphaDropout": lambda module, rank: network.Dropout(),
    "ChannelShuffle": lambda module, rank: network.ChannelShuffle(module.groups),
    "Dropout": lambda module, rank: network.Dropout(),
    "FeatureAlphaDropout": lambda module, rank: network.Dropout(),
    "Flatten": _flatten,
    "Identity": lambda module, rank: network.Identity(),
    "Linear": _linear,
    "LocalResponseNorm": lambda module, rank: network.LocalResponseNorm(module.size),
    "LogSoftmax": _softmax,
    "Softmax": _softmax,
    "Softmax2d": lambda module, rank: network.Softmax(0),
    "SyncBatchNorm": _batch_norm,
}


def _converter(module: Any) -> tuple[Callable[[Any, int], Any], int] | None:
    kind = type(module)
    name = kind.__name__
    if not kind.__module__.startswith("torch.nn.modules."):
        return None
    if name in ACTIVATIONS:
        return (lambda module, rank: network.Activation(name)), 0
    if name in BY_NAME:
        return BY_NAME[name], 0
    if name[-2:] in ("1d", "2d", "3d") and name[:-2] in BY_RANK:
        return BY_RANK[name[:-2]], int(name[-2])
    return None


def is_known(module: Any) -> bool:
    """Whether a module is one of the table."""
    return _converter(module) is not None


def modules_node(module: Any) -> Any:
    """The layer or node of one module of the table."""
    found = _converter(module)
    if found is None:
        raise ParameterError(f"module must be one that symconv knows, got {type(module).__name__}")
    convert, rank = found
    return convert(module, rank)
