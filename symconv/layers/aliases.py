"""Aliases with the rank in their name: they accept an int as kernel size."""

from __future__ import annotations

from typing import Any

from symconv import checks
from symconv.errors import located
from symconv.layers.convolution import Conv, ConvTranspose
from symconv.layers.pooling import AvgPool, MaxPool

__all__ = [
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
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
