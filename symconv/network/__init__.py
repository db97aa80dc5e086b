"""Networks: layers and what stands between them, composed into sequences and graphs."""

from symconv.layers import (
    AdaptiveAvgPool as AdaptiveAvgPool,
    AdaptiveMaxPool as AdaptiveMaxPool,
    GlobalAvgPool as GlobalAvgPool,
    GlobalMaxPool as GlobalMaxPool,
)
from symconv.network.arranging import (
    Add as Add,
    ChannelShuffle as ChannelShuffle,
    Concat as Concat,
    Elementwise as Elementwise,
    Flatten as Flatten,
    Permute as Permute,
    Reshape as Reshape,
    Squeeze as Squeeze,
    Unsqueeze as Unsqueeze,
)
from symconv.network.contract import Node as Node
from symconv.network.fields import ReceptiveField as ReceptiveField
from symconv.network.graph import INPUT as INPUT, Step as Step
from symconv.network.linear import NetworkOperator as NetworkOperator
from symconv.network.model import Network as Network
from symconv.network.nodes import (
    Activation as Activation,
    BatchNorm as BatchNorm,
    Dropout as Dropout,
    Identity as Identity,
    Linear as Linear,
    LocalResponseNorm as LocalResponseNorm,
    Scale as Scale,
    Shift as Shift,
    Softmax as Softmax,
)
from symconv.network.table import Table as Table
