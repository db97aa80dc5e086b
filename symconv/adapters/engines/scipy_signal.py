"""``scipy.signal`` as engines: one image, one kernel, stride 1; channels by a loop.

References
----------
SciPy 1.17, documentation of ``scipy.signal``; T. G. Stockham (1966) on convolution by FFT.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from symconv.adapters.engines.base import (
    Array,
    Engine,
    Function,
    Pads,
    pads_of,
    refuse,
    require_value,
)
from symconv.layers import Conv, Layer

__all__ = ["Correlate", "Correlate2d", "FftConvolve", "OaConvolve"]

Size = tuple[int, ...]


class OneImage(Engine):
    """Base: correlates each input channel with each kernel of its group, and adds."""

    extra = ""

    def _each_pair(self, layer: Conv, correlate: Function) -> Function:
        inside = layer.in_channels // layer.groups
        made = layer.out_channels // layer.groups

        def run(x: Array, w: Array, b: Array | None = None) -> Array:
            images = []
            # Of no images, one of zeros tells the size.
            samples = x if len(x) else np.zeros((1, *x.shape[1:]), x.dtype)
            for sample in samples:
                for out in range(layer.out_channels):
                    first = out // made * inside
                    total = sum(correlate(sample[first + at], w[out, at]) for at in range(inside))
                    images.append(total if b is None else total + b[out])
            stacked = np.stack(images)
            return stacked.reshape(-1, layer.out_channels, *stacked.shape[1:])[: len(x)]

        return run

    def _check_plain(self, layer: Conv) -> None:
        for name in ("stride", "dilation", "input_dilation"):
            require_value(self, name, getattr(layer, name), 1)

    def conv(self, layer: Conv, size: Size) -> Function:
        """The function of one geometry."""
        raise NotImplementedError("an engine of images correlates them")


class Correlate(OneImage):
    """``scipy.signal.correlate`` by its direct method, zeros outside."""

    name = "scipy-correlate"
    library = "scipy.signal"
    takes: ClassVar[dict[str, str]] = {
        "Conv": "stride, dilation and input_dilation 1; padding 0, K−1 on both sides, or "
        '"same" as SciPy centres it; channels and groups by a loop'
    }

    @property
    def version(self) -> str:
        """The version of SciPy."""
        return str(self._import("scipy").__version__)

    def conv(self, layer: Conv, size: Size) -> Function:
        """``correlate(image, kernel, mode)``."""
        self._check_plain(layer)
        require_value(self, "padding_mode", (layer.padding_mode,), "zeros")
        mode = self._mode(layer, pads_of(layer, size), size)
        return self._each_pair(layer, self._correlation(mode))

    @staticmethod
    def before(taps: int) -> int:
        """Padding before the image in mode "same": the odd unit of an even kernel is before."""
        return taps // 2

    def _mode(self, layer: Conv, pads: Pads, size: Size) -> str:
        """The name that SciPy has for these pads."""
        kernel = layer.kernel_size
        known = {
            "valid": tuple((0, 0) for _ in kernel),
            "full": tuple((k - 1, k - 1) for k in kernel),
            # Of the full result, as many samples as the input has: see `before`.
            "same": tuple((self.before(k), k - 1 - self.before(k)) for k in kernel),
        }
        for mode, amounts in known.items():
            if pads == amounts:
                return mode
        raise refuse(self, "padding", f"that of {', '.join(known)}", pads)

    def _correlation(self, mode: str) -> Function:
        correlate = self._import("scipy.signal").correlate
        return lambda image, kernel: correlate(image, kernel, mode, method="direct")


class FftConvolve(Correlate):
    """``scipy.signal.fftconvolve`` with the flipped kernel: results are rounded."""

    name = "scipy-fftconvolve"
    call = "fftconvolve"

    def _correlation(self, mode: str) -> Function:
        convolve = getattr(self._import("scipy.signal"), self.call)
        return lambda image, kernel: convolve(image, kernel[(slice(None, None, -1),) * kernel.ndim],
                                              mode)  # fmt: skip

    def growth(self, layer: Layer, input_size: Size) -> float | None:
        """‖C‖·‖B‖·‖G‖ of the transforms in the maximum norm: N·N·1 on each axis.

        N is the size of the full result, or the next that SciPy's FFT likes, below twice it.
        """
        given: Any = layer
        sizes = [n + k - 1 for n, k in zip(input_size, given.kernel_size, strict=True)]
        return float(math.prod((2 * n) ** 2 for n in sizes))


class OaConvolve(FftConvolve):
    """``scipy.signal.oaconvolve``: overlap-add of blocks, by FFT."""

    name = "scipy-oaconvolve"
    call = "oaconvolve"


class Correlate2d(Correlate):
    """``scipy.signal.correlate2d``: three boundaries, and its own centre of an even kernel."""

    name = "scipy-correlate2d"
    takes: ClassVar[dict[str, str]] = {
        "Conv": Correlate.takes["Conv"] + "; 2 axes; the modes zeros, constant, circular, symmetric"
    }

    #: symconv's padding modes → SciPy's.
    BOUNDARIES: ClassVar[dict[str, str]] = {
        "zeros": "fill",
        "constant": "fill",
        "circular": "wrap",
        "symmetric": "symm",
    }

    @staticmethod
    def before(taps: int) -> int:
        """Padding before the image in mode "same": here the odd unit is after it."""
        return (taps - 1) // 2

    def conv(self, layer: Conv, size: Size) -> Function:
        """``correlate2d(image, kernel, mode, boundary, fillvalue)``."""
        self._check_plain(layer)
        require_value(self, "spatial axes", (layer.rank,), 2)
        boundary = self.BOUNDARIES.get(layer.padding_mode)
        if boundary is None:
            known = ", ".join(self.BOUNDARIES)
            raise refuse(self, "padding_mode", f"one of {known}", layer.padding_mode)
        mode = self._mode(layer, pads_of(layer, size), size)
        correlate, filler = self._import("scipy.signal").correlate2d, layer.padding_value
        return self._each_pair(
            layer, lambda image, kernel: correlate(image, kernel, mode, boundary, filler)
        )
