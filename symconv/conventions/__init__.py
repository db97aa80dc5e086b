"""Conventions: how frameworks spell padding, "same", ceil and output sizes.

*Amounts* (`AMOUNTS`) are the named paddings that the layers take. *Conventions* are objects, one
per framework and operation, that resolve that framework's parameters on one axis to symconv's
(lo, hi), output padding and output size. The poolings take them as ``padding``, which makes the
exact operator of a framework's pooling at every size.
"""

from symconv.conventions.amounts import (
    AMOUNTS as AMOUNTS,
    SIZE_DEPENDENT as SIZE_DEPENDENT,
    padding_amount as padding_amount,
)
from symconv.conventions.base import (
    Convention as Convention,
    Limit as Limit,
    Resolved as Resolved,
    resolve_axes as resolve_axes,
)
from symconv.conventions.keras import (
    KerasConv as KerasConv,
    KerasConvTranspose as KerasConvTranspose,
)
from symconv.conventions.onnx import (
    OnnxConv as OnnxConv,
    OnnxConvTranspose as OnnxConvTranspose,
    OnnxPool as OnnxPool,
    TruncatedConv as TruncatedConv,
    onnx_pads as onnx_pads,
)
from symconv.conventions.pytorch import (
    TorchConv as TorchConv,
    TorchConvTranspose as TorchConvTranspose,
    TorchPool as TorchPool,
)
from symconv.conventions.translation import (
    Translation as Translation,
    translate as translate,
)
from symconv.conventions.xla import (
    JaxConvTranspose as JaxConvTranspose,
    XlaConv as XlaConv,
)
