"""Layers: what a user describes, with sizes free or symbolic.

A layer is a frozen value that prints as the call that makes it. ``layer.output_size(size)`` and
``layer.operator(size)`` read it at a size.
"""

from symconv.layers.adaptive import (
    AdaptiveAvgPool as AdaptiveAvgPool,
    AdaptiveMaxPool as AdaptiveMaxPool,
    GlobalAvgPool as GlobalAvgPool,
    GlobalMaxPool as GlobalMaxPool,
)
from symconv.layers.aliases import (
    AdaptiveAvgPool1d as AdaptiveAvgPool1d,
    AdaptiveAvgPool2d as AdaptiveAvgPool2d,
    AdaptiveAvgPool3d as AdaptiveAvgPool3d,
    AdaptiveMaxPool1d as AdaptiveMaxPool1d,
    AdaptiveMaxPool2d as AdaptiveMaxPool2d,
    AdaptiveMaxPool3d as AdaptiveMaxPool3d,
    AvgPool1d as AvgPool1d,
    AvgPool2d as AvgPool2d,
    AvgPool3d as AvgPool3d,
    Conv1d as Conv1d,
    Conv2d as Conv2d,
    Conv3d as Conv3d,
    ConvTranspose1d as ConvTranspose1d,
    ConvTranspose2d as ConvTranspose2d,
    ConvTranspose3d as ConvTranspose3d,
    LpPool1d as LpPool1d,
    LpPool2d as LpPool2d,
    LpPool3d as LpPool3d,
    MaxPool1d as MaxPool1d,
    MaxPool2d as MaxPool2d,
    MaxPool3d as MaxPool3d,
    MaxUnpool1d as MaxUnpool1d,
    MaxUnpool2d as MaxUnpool2d,
    MaxUnpool3d as MaxUnpool3d,
)
from symconv.layers.base import Layer as Layer
from symconv.layers.convolution import Conv as Conv, ConvTranspose as ConvTranspose
from symconv.layers.morphology import Dilation as Dilation, Erosion as Erosion
from symconv.layers.norm_pooling import GlobalLpPool as GlobalLpPool, LpPool as LpPool
from symconv.layers.pooling import AvgPool as AvgPool, MaxPool as MaxPool
from symconv.layers.unpooling import MaxUnpool as MaxUnpool
from symconv.layers.windows import Fold as Fold, Pad as Pad, Unfold as Unfold
