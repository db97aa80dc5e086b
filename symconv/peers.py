"""The same numbers by other libraries: SciPy and, where it is installed, torch.

They get a layer's parameters, its weights and its input, and share no arithmetic with symconv:
sizes, boundaries, dilation and transposition are spelled out again in their terms.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.layers import Conv, ConvTranspose

__all__ = ["peers", "scipy_answer", "torch_answer"]

Array = npt.NDArray[Any]

#: Computes a layer's output from its parameters, the weights and the input.
Peer = Callable[[Conv | ConvTranspose, Array, Array], Array]

#: np.pad's name of each padding mode.
NUMPY_MODES = {
    "zeros": "constant",
    "circular": "wrap",
    "reflect": "reflect",
    "symmetric": "symmetric",
    "replicate": "edge",
}


def scipy_answer(layer: Conv | ConvTranspose, weight: Array, x: Array) -> Array:
    """The same numbers by `scipy.signal.correlate` and `convolve`, which know none of this.

    Dilation spreads the kernel by zeros, stride keeps every s-th sample, a transposed convolution
    spreads its input by zeros and convolves in full.
    """
    # scipy.signal takes as long to import as all of symconv, which other commands do without.
    from scipy.signal import convolve, correlate  # noqa: PLC0415

    axes = range(layer.rank)
    spread = _spread(weight, layer.dilation)
    per_group = layer.in_channels // layer.groups
    made = layer.out_channels // layer.groups
    if isinstance(layer, Conv):
        widths = [(0, 0), *layer.padding]
        padded = np.pad(x, widths, mode=NUMPY_MODES[layer.padding_mode])  # type: ignore[call-overload]
        kept = tuple(slice(None, None, layer.stride[axis]) for axis in axes)
        channels = []
        for out in range(layer.out_channels):
            first = out // made * per_group
            channels.append(
                sum(
                    correlate(padded[first + at], spread[out, at], mode="valid", method="direct")
                    for at in range(per_group)
                )[kept]
            )
        return np.stack(channels)
    upsampled = _spread(x, layer.stride)
    size = _transposed_size(layer, x)
    answer = np.zeros((layer.out_channels, *size), dtype=np.int64)
    for given in range(layer.in_channels):
        first = given // per_group * made
        for at in range(made):
            full = convolve(upsampled[given], spread[given, at], method="direct")
            answer[first + at] += _window(full, [lo for lo, _ in layer.padding], size)
    return answer


def _transposed_size(layer: ConvTranspose, x: Array) -> tuple[int, ...]:
    """The size as torch documents it, not as the layer computes it."""
    return tuple(
        (n - 1) * s - lo - hi + d * (k - 1) + more + 1
        for n, s, (lo, hi), d, k, more in zip(
            x.shape[1:],
            layer.stride,
            layer.padding,
            layer.dilation,
            layer.kernel_size,
            layer.output_padding,
            strict=True,
        )
    )


def _spread(array: Array, factors: tuple[int, ...]) -> Array:
    """Put factor − 1 zeros between neighbours on the last axes."""
    leading = array.shape[: array.ndim - len(factors)]
    sizes = array.shape[len(leading) :]
    spread = np.zeros(
        (*leading, *(f * (n - 1) + 1 for f, n in zip(factors, sizes, strict=True))), array.dtype
    )
    kept: tuple[Any, ...] = (..., *(slice(None, None, f) for f in factors))
    spread[kept] = array
    return spread


def _window(full: Array, begin: list[int], size: tuple[int, ...]) -> Array:
    """Samples from `begin` on, zeros where `full` has ended."""
    part = full[tuple(slice(lo, lo + n) for lo, n in zip(begin, size, strict=True))]
    return np.pad(part, [(0, n - have) for n, have in zip(size, part.shape, strict=True)])


def torch_answer(layer: Conv | ConvTranspose, weight: Array, x: Array) -> Array:
    """The same numbers by torch in float64, which holds all of these integers exactly."""
    # torch is optional and slow to import.
    import torch  # noqa: PLC0415
    from torch.nn import functional  # noqa: PLC0415

    image = torch.from_numpy(x.astype(np.float64))[None]
    kernel = torch.from_numpy(weight.astype(np.float64))
    common = {"stride": layer.stride, "dilation": layer.dilation, "groups": layer.groups}
    with torch.no_grad():
        if isinstance(layer, Conv):
            # torch lists the last axis first.
            amounts = [amount for pair in reversed(layer.padding) for amount in pair]
            mode = "constant" if layer.padding_mode == "zeros" else layer.padding_mode
            answer = functional.conv2d(functional.pad(image, amounts, mode=mode), kernel, **common)
            result = answer[0].numpy()
        else:
            # torch cuts both ends alike: nothing is cut there, and each end here.
            full = functional.conv_transpose2d(image, kernel, **common)[0].numpy()
            size = _transposed_size(layer, x)
            begin = [lo for lo, _ in layer.padding]
            result = np.stack([_window(channel, begin, size) for channel in full])
    return np.asarray(np.rint(result), dtype=np.int64)


def peers() -> dict[str, Peer]:
    """The other libraries at hand, by name; imported now, so that no one's time includes it."""
    import_module("scipy.signal")
    try:
        import_module("torch")
    except (ImportError, OSError):
        # OSError: an installation whose shared libraries do not load.
        return {"scipy": scipy_answer}
    return {"scipy": scipy_answer, "torch": torch_answer}
