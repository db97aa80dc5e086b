"""How each library computes a case: a function that is made once and timed as it is called."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.benching.cases import Case
from symconv.errors import MissingExtraError

__all__ = ["ENGINES", "Engine", "is_installed"]

Array = npt.NDArray[Any]
Run = Callable[[], Any]

#: Makes what is timed, or None where the library has no such operation.
Engine = Callable[[Case, Array, Array, bool], Run | None]


def _symconv(case: Case, x: Array, weight: Array, transposed: bool) -> Run:
    operator = case.layer.operator(case.size)
    operator = operator.T if transposed else operator
    return lambda: operator.apply(x, weight)


def _bound(case: Case, x: Array, weight: Array, transposed: bool) -> Run:
    bound = case.layer.operator(case.size).bind(weight)
    bound = bound.T if transposed else bound
    return lambda: bound.apply(x)


def _sparse(case: Case, x: Array, weight: Array, transposed: bool) -> Run | None:
    operator = case.layer.operator(case.size)
    if operator.nnz > 10**8:
        return None
    matrix = operator.sparse(weight, dtype=x.dtype)
    matrix = matrix.T.tocsr() if transposed else matrix
    columns = np.ascontiguousarray(x.reshape(len(x), -1).T)
    return lambda: (matrix @ columns).T


def _torch(case: Case, x: Array, weight: Array, transposed: bool) -> Run | None:
    if x.dtype.kind != "f":
        return None
    torch: Any = importlib.import_module("torch")
    functional, layer = torch.nn.functional, case.layer
    given, weights = torch.from_numpy(x), torch.from_numpy(weight)
    options = {"stride": layer.stride, "dilation": layer.dilation, "groups": layer.groups}
    forward = getattr(functional, f"conv{layer.rank}d")
    lows, highs = zip(*layer.padding, strict=True)
    if lows == highs:
        options["padding"] = lows
    flat = [amount for pair in reversed(layer.padding) for amount in pair]

    def run() -> Any:
        padded = given if lows == highs else functional.pad(given, flat)
        return forward(padded, weights, **options)

    if not transposed:
        return _without_gradients(torch, run)
    backward = getattr(functional, f"conv_transpose{layer.rank}d")
    place = tuple(slice(low, low + n) for low, n in zip(lows, case.size, strict=True))
    if lows == highs:
        plain = backward(given[:1], weights, **options).shape[2:]
        options["output_padding"] = tuple(n - m for n, m in zip(case.size, plain, strict=True))
        place = (slice(None),) * layer.rank
    return _without_gradients(torch, lambda: backward(given, weights, **options)[..., *place])


def _without_gradients(torch: Any, run: Run) -> Run:
    def timed() -> Any:
        with torch.no_grad():
            return run()

    return timed


def _image(case: Case, x: Array, weight: Array, transposed: bool) -> tuple[Array, Array] | None:
    """Image and kernel, where the case is a single plain correlation."""
    layer = case.layer
    plain = layer.in_channels == layer.out_channels == 1 and not any(map(any, layer.padding))
    plain = plain and set(layer.stride + layer.dilation) == {1}
    if transposed or not plain or case.batch != 1:
        return None
    return x[0, 0], weight[0, 0]


def _scipy_signal(case: Case, x: Array, weight: Array, transposed: bool) -> Run | None:
    given = _image(case, x, weight, transposed)
    if given is None:
        return None
    signal: Any = importlib.import_module("scipy.signal")
    image, kernel = given
    # It weighs direct sums against the fast Fourier transform and takes the faster.
    turned = kernel[tuple(slice(None, None, -1) for _ in kernel.shape)]
    return lambda: signal.convolve(image, turned, mode="valid", method="auto")[None, None]


def _scipy_ndimage(case: Case, x: Array, weight: Array, transposed: bool) -> Run | None:
    given = _image(case, x, weight, transposed)
    if given is None:
        return None
    ndimage: Any = importlib.import_module("scipy.ndimage")
    image, kernel = given
    inner = tuple(
        slice(taps // 2, taps // 2 + n - taps + 1)
        for n, taps in zip(image.shape, kernel.shape, strict=True)
    )
    return lambda: ndimage.correlate(image, kernel, mode="constant")[inner][None, None]


def _pylops(case: Case, x: Array, weight: Array, transposed: bool) -> Run | None:
    given = _image(case, x, weight, transposed)
    if given is None or x.dtype.kind != "f":
        return None
    processing: Any = importlib.import_module("pylops.signalprocessing")
    image, kernel = given
    turned = kernel[tuple(slice(None, None, -1) for _ in kernel.shape)].copy()
    middle = tuple(taps // 2 for taps in kernel.shape)
    convolve = processing.ConvolveND(image.shape, h=turned, offset=middle, dtype=image.dtype)
    inner = tuple(
        slice(taps // 2, taps // 2 + n - taps + 1)
        for n, taps in zip(image.shape, kernel.shape, strict=True)
    )
    return lambda: (convolve @ image)[inner][None, None]


#: What can be measured, and the module that it wants.
ENGINES: dict[str, tuple[Engine, str]] = {
    "symconv": (_symconv, "symconv"),
    "bound": (_bound, "symconv"),
    "sparse": (_sparse, "scipy"),
    "torch": (_torch, "torch"),
    "scipy.signal": (_scipy_signal, "scipy"),
    "scipy.ndimage": (_scipy_ndimage, "scipy"),
    "pylops": (_pylops, "pylops"),
}


def is_installed(engine: str) -> bool:
    """Whether the module of an engine is there."""
    return importlib.util.find_spec(ENGINES[engine][1]) is not None


def make(engine: str, case: Case, x: Array, weight: Array, transposed: bool) -> Run | None:
    """What is timed."""
    if not is_installed(engine):
        raise MissingExtraError(f"engine {engine!r} needs {ENGINES[engine][1]}")
    return ENGINES[engine][0](case, x, weight, transposed)
