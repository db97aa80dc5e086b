"""What is measured: layers with their sizes and batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.layers import Conv

__all__ = ["CASES", "IMAGES", "Case", "data"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Case:
    """A layer without bias at one size.

    Attributes
    ----------
    name : str
    layer : Conv
    size : tuple of int
    batch : int
    """

    name: str
    layer: Conv
    size: tuple[int, ...]
    batch: int = 8


def _case(
    name: str,
    channels: tuple[int, int],
    kernel: tuple[int, ...],
    size: tuple[int, ...],
    batch: int = 8,
    **options: Any,
) -> tuple[str, Case]:
    return name, Case(name, Conv(*channels, kernel, bias=False, **options), size, batch)


#: Layers of networks that people run, and the shapes that single plans are made for.
CASES: dict[str, Case] = dict(
    [
        _case("one channel 5×5", (1, 1), (5, 5), (1024, 1024), 1),
        _case("11×11 stride 4", (3, 96), (11, 11), (227, 227), stride=4),
        _case("7×7 stride 2", (3, 64), (7, 7), (224, 224), stride=2, padding=3),
        _case("3×3 64→64", (64, 64), (3, 3), (56, 56), padding=1),
        _case("3×3 512→512", (512, 512), (3, 3), (7, 7), padding=1),
        _case("3×3 stride 2", (256, 512), (3, 3), (14, 14), stride=2, padding=1),
        _case("1×1 64→128", (64, 128), (1, 1), (56, 56)),
        _case("depthwise 32", (32, 32), (3, 3), (112, 112), padding=1, groups=32),
        _case("depthwise stride 2", (144, 144), (3, 3), (56, 56), stride=2, padding=1, groups=144),
        _case("3×3 dilation 2", (256, 256), (3, 3), (33, 33), 2, padding=2, dilation=2),
        _case("32 groups", (128, 128), (3, 3), (28, 28), padding=1, groups=32),
        _case("1-D dilation 64", (64, 64), (2,), (4000,), dilation=64, padding=((64, 0),)),
        _case("3-D 3×3×3", (16, 32), (3, 3, 3), (16, 28, 28), 2, padding=1),
    ]
)

#: One grey image and one kernel, as the libraries of signal processing take them.
IMAGES: dict[str, Case] = dict(
    _case(f"{taps}×{taps} on {side}²", (1, 1), (taps, taps), (side, side), 1)
    for side in (256, 512, 1024)
    for taps in (3, 5, 11, 31)
)

#: Largest magnitude of the integers that are convolved: sums stay exact in float32.
MOST = 4


def data(case: Case, dtype: str, transposed: bool) -> tuple[Array, Array]:
    """Input (or, transposed, output) and weights: small integers, the same in every process."""
    operator = case.layer.operator(case.size)
    shape = operator.output_shape if transposed else operator.input_shape
    random = np.random.default_rng(0)
    weight = random.integers(-MOST, MOST + 1, operator.weight_shape or ()).astype(dtype)
    return random.integers(-MOST, MOST + 1, (case.batch, *shape)).astype(dtype), weight
