"""symconv: the exact reference for convolution arithmetic.

Names are loaded on first use, so that ``import symconv`` itself costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

#: Public name → the room it lives in.
_ROOMS = {
    "AvgPool": "layers",
    "AvgPool1d": "layers",
    "AvgPool2d": "layers",
    "AvgPool3d": "layers",
    "BoundOperator": "bound",
    "Conv": "layers",
    "Conv1d": "layers",
    "Conv2d": "layers",
    "Conv3d": "layers",
    "ConvTranspose": "layers",
    "ConvTranspose1d": "layers",
    "ConvTranspose2d": "layers",
    "ConvTranspose3d": "layers",
    "Fold": "layers",
    "Layer": "layers",
    "Operator": "operator",
    "Pad": "layers",
    "SymconvError": "errors",
    "Unfold": "layers",
}

__all__ = ["__version__", *_ROOMS]

if TYPE_CHECKING:
    from symconv.bound import BoundOperator as BoundOperator
    from symconv.errors import SymconvError as SymconvError
    from symconv.layers import (
        AvgPool as AvgPool,
        AvgPool1d as AvgPool1d,
        AvgPool2d as AvgPool2d,
        AvgPool3d as AvgPool3d,
        Conv as Conv,
        Conv1d as Conv1d,
        Conv2d as Conv2d,
        Conv3d as Conv3d,
        ConvTranspose as ConvTranspose,
        ConvTranspose1d as ConvTranspose1d,
        ConvTranspose2d as ConvTranspose2d,
        ConvTranspose3d as ConvTranspose3d,
        Fold as Fold,
        Layer as Layer,
        Pad as Pad,
        Unfold as Unfold,
    )
    from symconv.operator import Operator as Operator


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'symconv' has no attribute {name!r}")
    value = getattr(import_module(f"symconv.{_ROOMS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
