"""``scipy.ndimage`` as an engine: filters of an image's own size, in five boundary modes.

References
----------
SciPy 1.17, documentation of ``scipy.ndimage.correlate`` and ``maximum_filter``.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from symconv.adapters.engines.base import (
    Array,
    Function,
    Pads,
    pads_of,
    refuse,
    require_value,
    window,
)
from symconv.adapters.engines.scipy_signal import OneImage
from symconv.layers import Conv, MaxPool

__all__ = ["NdImage"]

#: symconv's padding modes → those of ``ndimage``, whose "reflect" repeats the edge sample.
MODES = {
    "zeros": "constant",
    "constant": "constant",
    "circular": "wrap",
    "reflect": "mirror",
    "symmetric": "reflect",
    "replicate": "nearest",
}

Size = tuple[int, ...]


class NdImage(OneImage):
    """``correlate`` and ``maximum_filter``: as many outputs as inputs, moved by ``origin``."""

    name = "scipy-ndimage"
    library = "scipy.ndimage"
    takes: ClassVar[dict[str, str]] = {
        "Conv": "stride, dilation and input_dilation 1; padding >= 0 with lo + hi = K − 1; every "
        "padding mode; channels and groups by a loop",
        "MaxPool": "stride and dilation 1; padding >= 0 with lo + hi = K − 1",
    }

    @property
    def version(self) -> str:
        """The version of SciPy."""
        return str(self._import("scipy").__version__)

    def _origin(self, kernel: Size, pads: Pads) -> Size:
        """How far each kernel is moved from its middle tap K//2."""
        for k, (lo, hi) in zip(kernel, pads, strict=True):
            if lo < 0 or hi < 0 or lo + hi != k - 1:
                raise refuse(self, "padding", f">= 0 and {k - 1} in total for {k} taps", (lo, hi))
        return tuple(lo - k // 2 for k, (lo, _) in zip(kernel, pads, strict=True))

    def conv(self, layer: Conv, size: Size) -> Function:
        """``correlate(image, kernel, mode=…, cval=…, origin=…)``."""
        self._check_plain(layer)
        origin = self._origin(layer.kernel_size, pads_of(layer, size))
        correlate = self._import("scipy.ndimage").correlate
        given = {
            "mode": MODES[layer.padding_mode],
            "cval": layer.padding_value,
            "origin": tuple(origin),
        }
        return self._each_pair(layer, lambda image, kernel: correlate(image, kernel, **given))

    def max_pool(self, layer: MaxPool, size: Size) -> Function:
        """``maximum_filter(image, size=…, mode="constant", cval=−∞, origin=…)``."""
        for name in ("stride", "dilation"):
            require_value(self, name, getattr(layer, name), 1)
        pads, _ = window(self, layer, size)
        origin = self._origin(layer.kernel_size, pads)
        maximum = self._import("scipy.ndimage").maximum_filter

        def run(x: Array) -> Array:
            # The least number of the type stands for −∞, also where it has none.
            least = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
            filtered: Array = maximum(
                x, size=(1, 1, *layer.kernel_size), mode="constant", cval=least,
                origin=(0, 0, *origin),
            )  # fmt: skip
            return filtered

        return run
