"""A photograph blurred and restored: exactly on a crop, by iteration at full size.

The blur is a convolution with integer weights, so that the blurred integers carry everything: on a
crop the exact solution is the original, integer by integer. At full size LSQR runs without a
matrix, once on the exact data and once on data rounded to what an image file holds, where only
regularisation keeps the noise down.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.bound import BoundOperator
from symconv.deconvolution import Deconvolution, deconvolve
from symconv.errors import ParameterError
from symconv.kernels import named_kernel
from symconv.layers import Conv2d

__all__ = ["Restored", "blur", "draw", "restore", "restore_exactly"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Restored:
    """An image, blurred and restored.

    Attributes
    ----------
    original, blurred, restored : numpy.ndarray, shape (height, width)
        The blurred image has the scale of the original.
    found : Deconvolution
    error : float
        Root mean square of restored − original, in grey levels.
    blurred_error : float
        The same of blurred − original.
    seconds : float
        Taken by the deconvolution.
    """

    original: Array
    blurred: Array
    restored: Array
    found: Deconvolution
    error: float
    blurred_error: float
    seconds: float


def blur(size: tuple[int, int], kernel: str = "gaussian5") -> tuple[BoundOperator, int]:
    """A named blur on images of `size`, with the number that its weights are to be divided by.

    Examples
    --------
    >>> operator, divisor = blur((8, 8))
    >>> operator.shape, divisor
    ((64, 64), 256)
    """
    named = named_kernel(kernel)
    weights = named.array()
    layer = Conv2d(1, 1, weights.shape, padding=weights.shape[0] // 2, bias=False)
    return layer.operator(size).bind(weights[None, None]), named.divisor


def restore_exactly(grey: Array, corner: tuple[int, int], side: int) -> Restored:
    """Blur a square crop in integers, and solve for it over the rationals.

    Parameters
    ----------
    grey : numpy.ndarray of int, shape (height, width)
    corner : tuple of int
        First row and column of the crop.
    side : int
        Its rows and columns.

    Examples
    --------
    >>> photo = np.arange(400).reshape(20, 20) ** 2 % 251
    >>> restored = restore_exactly(photo, (3, 4), 12)
    >>> bool((restored.restored == photo[3:15, 4:16]).all()), restored.error
    (True, 0.0)
    """
    row, column = corner
    crop = grey[row : row + side, column : column + side].astype(np.int64)
    if crop.shape != (side, side):
        raise ParameterError(f"crop must lie inside {grey.shape}, got {side} from {corner}")
    operator, divisor = blur((side, side))
    y = operator.apply(crop[None])
    start = perf_counter()
    found = deconvolve(operator, y)
    return _restored(crop, y[0] / divisor, found.x[0], found, perf_counter() - start)


def restore(
    grey: Array,
    *,
    rounded: bool,
    regularization: float,
    iterations: int = 400,
    method: str = "lsqr",
) -> Restored:
    """Blur a whole image, round it to whole grey levels or not, and restore it by iteration.

    Parameters
    ----------
    grey : numpy.ndarray of int, shape (height, width)
    rounded : bool
        Whether the blurred image is rounded, as when it is saved to a file.
    regularization : float
        λ, for an operator whose weights sum to 1.
    iterations : int, default 400
        At most.
    method : {"lsqr", "lsmr", "cg"}

    Examples
    --------
    >>> photo = np.arange(400).reshape(20, 20) ** 2 % 251
    >>> restored = restore(photo, rounded=False, regularization=0.0)
    >>> restored.error < restored.blurred_error
    True
    """
    operator, divisor = blur((grey.shape[0], grey.shape[1]))
    # Powers of two divide without rounding: the weights over 256 are these floats.
    weighted = operator.operator.bind(operator.weight / divisor)
    blurred = operator.apply(grey[None].astype(np.int64)) / divisor
    y = np.rint(blurred) if rounded else blurred
    start = perf_counter()
    found = deconvolve(weighted, y, method, regularization, tolerance=1e-12, iterations=iterations)
    return _restored(grey, y[0], found.x[0], found, perf_counter() - start)


def _restored(
    original: Array, blurred: Array, restored: Array, found: Deconvolution, seconds: float
) -> Restored:
    errors = [
        float(np.sqrt(np.mean((image.astype(np.float64) - original) ** 2)))
        for image in (restored, blurred)
    ]
    return Restored(original, blurred, restored, found, errors[0], errors[1], seconds)


def draw(file: Any, results: list[Restored]) -> None:
    """Write a PNG of each result's original, blurred and restored image to an open file."""
    # Matplotlib is optional and slow to import; only the picture needs it.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(10.8, 4.2 * len(results)), layout="constrained")
    FigureCanvasAgg(figure)
    for row, result in enumerate(results):
        images = (
            ("original", result.original),
            (f"blurred, off by {result.blurred_error:.2f} grey levels", result.blurred),
            (f"restored by {result.found.method}, off by {result.error:.3g}", result.restored),
        )
        for column, (title, image) in enumerate(images):
            axes = figure.add_subplot(len(results), 3, 3 * row + column + 1)
            axes.set_title(title, fontsize=9)
            axes.set_axis_off()
            axes.imshow(image.astype(np.float64), cmap="gray", vmin=0, vmax=255)
    figure.savefig(file, format="png", dpi=110)
