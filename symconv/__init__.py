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
    "MaxPool": "layers",
    "MaxPool1d": "layers",
    "MaxPool2d": "layers",
    "MaxPool3d": "layers",
    "Operator": "operator",
    "Pad": "layers",
    "SymconvError": "errors",
    "Unfold": "layers",
    "Verdict": "verdict",
    "convolution_matrix": "flipped",
    "Congruence": "roundtrip",
    "same_operator": "compare",
    "solve_output_padding": "roundtrip",
    "solve_padding": "roundtrip",
    "surviving_sizes": "roundtrip",
    "transposed_matrix": "transposed",
}

__all__ = [*_ROOMS]  # noqa: PLE0604 - the keys are strings

if TYPE_CHECKING:
    from symconv.bound import BoundOperator as BoundOperator
    from symconv.compare import same_operator as same_operator
    from symconv.errors import SymconvError as SymconvError
    from symconv.flipped import convolution_matrix as convolution_matrix
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
        MaxPool as MaxPool,
        MaxPool1d as MaxPool1d,
        MaxPool2d as MaxPool2d,
        MaxPool3d as MaxPool3d,
        Pad as Pad,
        Unfold as Unfold,
    )
    from symconv.operator import Operator as Operator
    from symconv.roundtrip import (
        Congruence as Congruence,
        solve_output_padding as solve_output_padding,
        solve_padding as solve_padding,
        surviving_sizes as surviving_sizes,
    )
    from symconv.transposed import transposed_matrix as transposed_matrix
    from symconv.verdict import Verdict as Verdict


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'symconv' has no attribute {name!r}")
    value = getattr(import_module(f"symconv.{_ROOMS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
