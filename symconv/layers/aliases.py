"""Aliases with the rank in their name: they accept an int as kernel size."""

from __future__ import annotations

from typing import Any

from symconv import checks
from symconv.errors import ParameterError, located
from symconv.layers.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from symconv.layers.convolution import Conv, ConvTranspose
from symconv.layers.norm_pooling import LpPool
from symconv.layers.pooling import AvgPool, MaxPool
from symconv.layers.unpooling import MaxUnpool

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "LpPool1d",
    "LpPool2d",
    "LpPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
]


def _kernel(kernel_size: Any, rank: int, layer: str, *channels: Any) -> Any:
    with located(lambda: f"{layer}({', '.join(map(checks.shown, (*channels, kernel_size)))})"):
        return checks.per_axis("kernel_size", kernel_size, rank, 1)


def Conv1d(in_channels: Any, out_channels: Any, kernel_size: Any, **options: Any) -> Conv:
    """`Conv` of rank 1; `kernel_size` may be an int.

    Examples
    --------
    >>> Conv1d(3, 8, 5, padding="same")
    Conv(3, 8, (5,), padding='same')
    """
    kernel = _kernel(kernel_size, 1, "Conv", in_channels, out_channels)
    return Conv(in_channels, out_channels, kernel, **options)


def Conv2d(in_channels: Any, out_channels: Any, kernel_size: Any, **options: Any) -> Conv:
    """`Conv` of rank 2; `kernel_size` may be an int.

    Examples
    --------
    >>> Conv2d(3, 8, 3) == Conv(3, 8, (3, 3))
    True
    """
    kernel = _kernel(kernel_size, 2, "Conv", in_channels, out_channels)
    return Conv(in_channels, out_channels, kernel, **options)


def Conv3d(in_channels: Any, out_channels: Any, kernel_size: Any, **options: Any) -> Conv:
    """`Conv` of rank 3; `kernel_size` may be an int.

    Examples
    --------
    >>> Conv3d(1, 1, 3).output_size((8, 8, 8))
    (6, 6, 6)
    """
    kernel = _kernel(kernel_size, 3, "Conv", in_channels, out_channels)
    return Conv(in_channels, out_channels, kernel, **options)


def ConvTranspose1d(
    in_channels: Any, out_channels: Any, kernel_size: Any, **options: Any
) -> ConvTranspose:
    """`ConvTranspose` of rank 1; `kernel_size` may be an int.

    Examples
    --------
    >>> ConvTranspose1d(1, 1, 3, stride=2).output_size((4,))
    (9,)
    """
    kernel = _kernel(kernel_size, 1, "ConvTranspose", in_channels, out_channels)
    return ConvTranspose(in_channels, out_channels, kernel, **options)


def ConvTranspose2d(
    in_channels: Any, out_channels: Any, kernel_size: Any, **options: Any
) -> ConvTranspose:
    """`ConvTranspose` of rank 2; `kernel_size` may be an int.

    Examples
    --------
    >>> ConvTranspose2d(1, 1, 2).output_size((3, 3))
    (4, 4)
    """
    kernel = _kernel(kernel_size, 2, "ConvTranspose", in_channels, out_channels)
    return ConvTranspose(in_channels, out_channels, kernel, **options)


def ConvTranspose3d(
    in_channels: Any, out_channels: Any, kernel_size: Any, **options: Any
) -> ConvTranspose:
    """`ConvTranspose` of rank 3; `kernel_size` may be an int.

    Examples
    --------
    >>> ConvTranspose3d(1, 1, 2, stride=2).output_size((3, 3, 3))
    (6, 6, 6)
    """
    kernel = _kernel(kernel_size, 3, "ConvTranspose", in_channels, out_channels)
    return ConvTranspose(in_channels, out_channels, kernel, **options)


def AvgPool1d(kernel_size: Any, **options: Any) -> AvgPool:
    """`AvgPool` of rank 1; `kernel_size` may be an int.

    Examples
    --------
    >>> AvgPool1d(2).output_size((7,))
    (3,)
    """
    return AvgPool(_kernel(kernel_size, 1, "AvgPool"), **options)


def AvgPool2d(kernel_size: Any, **options: Any) -> AvgPool:
    """`AvgPool` of rank 2; `kernel_size` may be an int.

    Examples
    --------
    >>> AvgPool2d(3, stride=2, ceil_mode=True).output_size((6, 6))
    (3, 3)
    """
    return AvgPool(_kernel(kernel_size, 2, "AvgPool"), **options)


def AvgPool3d(kernel_size: Any, **options: Any) -> AvgPool:
    """`AvgPool` of rank 3; `kernel_size` may be an int.

    Examples
    --------
    >>> AvgPool3d(2).output_size((4, 6, 8))
    (2, 3, 4)
    """
    return AvgPool(_kernel(kernel_size, 3, "AvgPool"), **options)


def MaxPool1d(kernel_size: Any, **options: Any) -> MaxPool:
    """`MaxPool` of rank 1; `kernel_size` may be an int.

    Examples
    --------
    >>> MaxPool1d(2).output_size((7,))
    (3,)
    """
    return MaxPool(_kernel(kernel_size, 1, "MaxPool"), **options)


def MaxPool2d(kernel_size: Any, **options: Any) -> MaxPool:
    """`MaxPool` of rank 2; `kernel_size` may be an int.

    Examples
    --------
    >>> MaxPool2d(3, stride=2, padding=1).output_size((112, 112))
    (56, 56)
    """
    return MaxPool(_kernel(kernel_size, 2, "MaxPool"), **options)


def MaxPool3d(kernel_size: Any, **options: Any) -> MaxPool:
    """`MaxPool` of rank 3; `kernel_size` may be an int.

    Examples
    --------
    >>> MaxPool3d(2).output_size((4, 6, 8))
    (2, 3, 4)
    """
    return MaxPool(_kernel(kernel_size, 3, "MaxPool"), **options)


def _target(target_size: Any, rank: int, layer: str) -> Any:
    """One output size for every axis, or one per axis; None keeps the input's."""
    if target_size is None:
        return (None,) * rank
    with located(lambda: f"{layer}({checks.shown(target_size)})"):
        if not isinstance(target_size, (tuple, list)):
            return checks.per_axis("target_size", target_size, rank, 1)
        if len(target_size) != rank:
            raise ParameterError(
                f"target_size must have one entry per axis ({rank}), got {len(target_size)}: "
                f"{checks.shown(target_size)}"
            )
        return tuple(target_size)


def AdaptiveAvgPool1d(target_size: Any) -> AdaptiveAvgPool:
    """`AdaptiveAvgPool` of rank 1; `target_size` may be an int.

    Examples
    --------
    >>> AdaptiveAvgPool1d(3)
    AdaptiveAvgPool((3,))
    """
    return AdaptiveAvgPool(_target(target_size, 1, "AdaptiveAvgPool"))


def AdaptiveAvgPool2d(target_size: Any) -> AdaptiveAvgPool:
    """`AdaptiveAvgPool` of rank 2; `target_size` may be an int.

    Examples
    --------
    >>> AdaptiveAvgPool2d((None, 4)).output_size((7, 9))
    (7, 4)
    """
    return AdaptiveAvgPool(_target(target_size, 2, "AdaptiveAvgPool"))


def AdaptiveAvgPool3d(target_size: Any) -> AdaptiveAvgPool:
    """`AdaptiveAvgPool` of rank 3; `target_size` may be an int.

    Examples
    --------
    >>> AdaptiveAvgPool3d(1) == AdaptiveAvgPool((1, 1, 1))
    True
    """
    return AdaptiveAvgPool(_target(target_size, 3, "AdaptiveAvgPool"))


def AdaptiveMaxPool1d(target_size: Any) -> AdaptiveMaxPool:
    """`AdaptiveMaxPool` of rank 1; `target_size` may be an int.

    Examples
    --------
    >>> AdaptiveMaxPool1d(3)
    AdaptiveMaxPool((3,))
    """
    return AdaptiveMaxPool(_target(target_size, 1, "AdaptiveMaxPool"))


def AdaptiveMaxPool2d(target_size: Any) -> AdaptiveMaxPool:
    """`AdaptiveMaxPool` of rank 2; `target_size` may be an int.

    Examples
    --------
    >>> AdaptiveMaxPool2d(3).output_size((7, 2))
    (3, 3)
    """
    return AdaptiveMaxPool(_target(target_size, 2, "AdaptiveMaxPool"))


def AdaptiveMaxPool3d(target_size: Any) -> AdaptiveMaxPool:
    """`AdaptiveMaxPool` of rank 3; `target_size` may be an int.

    Examples
    --------
    >>> AdaptiveMaxPool3d((1, 2, None)).output_size((4, 4, 4))
    (1, 2, 4)
    """
    return AdaptiveMaxPool(_target(target_size, 3, "AdaptiveMaxPool"))


def LpPool1d(norm_type: Any, kernel_size: Any, **options: Any) -> LpPool:
    """`LpPool` of rank 1; `kernel_size` may be an int.

    Examples
    --------
    >>> LpPool1d(2, 3)
    LpPool(2, (3,), stride=(3,))
    """
    return LpPool(norm_type, _kernel(kernel_size, 1, "LpPool", norm_type), **options)


def LpPool2d(norm_type: Any, kernel_size: Any, **options: Any) -> LpPool:
    """`LpPool` of rank 2; `kernel_size` may be an int.

    Examples
    --------
    >>> LpPool2d(2, 3, stride=2).output_size((7, 9))
    (3, 4)
    """
    return LpPool(norm_type, _kernel(kernel_size, 2, "LpPool", norm_type), **options)


def LpPool3d(norm_type: Any, kernel_size: Any, **options: Any) -> LpPool:
    """`LpPool` of rank 3; `kernel_size` may be an int.

    Examples
    --------
    >>> LpPool3d("inf", 2).output_size((4, 6, 8))
    (2, 3, 4)
    """
    return LpPool(norm_type, _kernel(kernel_size, 3, "LpPool", norm_type), **options)


def MaxUnpool1d(kernel_size: Any, **options: Any) -> MaxUnpool:
    """`MaxUnpool` of rank 1; `kernel_size` may be an int.

    Examples
    --------
    >>> MaxUnpool1d(2).output_size((3,))
    (6,)
    """
    return MaxUnpool(_kernel(kernel_size, 1, "MaxUnpool"), **options)


def MaxUnpool2d(kernel_size: Any, **options: Any) -> MaxUnpool:
    """`MaxUnpool` of rank 2; `kernel_size` may be an int.

    Examples
    --------
    >>> MaxUnpool2d(3, stride=2, padding=1).output_size((4, 4))
    (7, 7)
    """
    return MaxUnpool(_kernel(kernel_size, 2, "MaxUnpool"), **options)


def MaxUnpool3d(kernel_size: Any, **options: Any) -> MaxUnpool:
    """`MaxUnpool` of rank 3; `kernel_size` may be an int.

    Examples
    --------
    >>> MaxUnpool3d(2).output_size((2, 3, 4))
    (4, 6, 8)
    """
    return MaxUnpool(_kernel(kernel_size, 3, "MaxUnpool"), **options)
