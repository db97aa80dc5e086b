"""Layers: what a user describes, with sizes free or symbolic.

A layer is a frozen value that prints as the call that makes it. ``layer.output_size(size)`` and
``layer.operator(size)`` read it at a size.
"""

from symconv.layers.aliases import (
    AvgPool1d as AvgPool1d,
    AvgPool2d as AvgPool2d,
    AvgPool3d as AvgPool3d,
    Conv1d as Conv1d,
    Conv2d as Conv2d,
    Conv3d as Conv3d,
    ConvTranspose1d as ConvTranspose1d,
    ConvTranspose2d as ConvTranspose2d,
    ConvTranspose3d as ConvTranspose3d,
    MaxPool1d as MaxPool1d,
    MaxPool2d as MaxPool2d,
    MaxPool3d as MaxPool3d,
)
from symconv.layers.base import Layer as Layer
from symconv.layers.convolution import Conv as Conv, ConvTranspose as ConvTranspose
from symconv.layers.pooling import AvgPool as AvgPool, MaxPool as MaxPool
from symconv.layers.windows import Fold as Fold, Pad as Pad, Unfold as Unfold
