"""Named kernels with integer values: blurs, derivatives and filters as they are printed in books.

Every kernel is a table of integers and one divisor, so that filtering an integer image with it is
exact up to one division at the end. To add a kernel, add a line to `KERNELS`. Sampled functions,
whose doubles are no exact values, stand apart in `SAMPLED`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.errors import ParameterError

__all__ = ["KERNELS", "SAMPLED", "Kernel", "named_kernel", "sampled_kernel"]


@dataclass(frozen=True)
class Kernel:
    """A two-dimensional kernel of integers over one divisor.

    Kernels are slid over the image as every framework does it (cross-correlation, not flipped).

    Attributes
    ----------
    name : str
    values : tuple of tuple of int
        Rows of the kernel, not divided.
    divisor : int
        What the filtered values are divided by.
    source : str
        Where the kernel comes from.

    Examples
    --------
    >>> kernel = Kernel("difference", ((-1, 1),), 1, "forward difference")
    >>> kernel.array()
    array([[-1,  1]])
    """

    name: str
    values: tuple[tuple[int, ...], ...]
    divisor: int
    source: str

    def array(self) -> npt.NDArray[np.int64]:
        """The values as an int64 array of shape (rows, columns)."""
        return np.array(self.values, dtype=np.int64)


def _outer(column: tuple[int, ...], row: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(a * b for b in row) for a in column)


#: Name → kernel.
KERNELS: dict[str, Kernel] = {
    kernel.name: kernel
    for kernel in (
        Kernel("identity", _outer((0, 1, 0), (0, 1, 0)), 1, "the unit of convolution"),
        Kernel("box3", _outer((1, 1, 1), (1, 1, 1)), 9, "the mean of 3×3 samples"),
        Kernel(
            "sobel_x",
            _outer((1, 2, 1), (-1, 0, 1)),
            1,
            "I. Sobel, G. Feldman (1968); positive where the image grows brighter to the right",
        ),
        Kernel(
            "sobel_y",
            _outer((-1, 0, 1), (1, 2, 1)),
            1,
            "I. Sobel, G. Feldman (1968); positive where the image grows brighter downwards",
        ),
        Kernel(
            "gaussian5",
            _outer((1, 4, 6, 4, 1), (1, 4, 6, 4, 1)),
            256,
            "P. J. Burt, E. H. Adelson (1983): binomial coefficients, outer product with itself",
        ),
        Kernel(
            "laplacian3",
            ((0, 1, 0), (1, -4, 1), (0, 1, 0)),
            1,
            "second differences along both axes, the five-point stencil",
        ),
        Kernel(
            "log5",
            (
                (0, 0, 1, 0, 0),
                (0, 1, 2, 1, 0),
                (1, 2, -16, 2, 1),
                (0, 1, 2, 1, 0),
                (0, 0, 1, 0, 0),
            ),
            1,
            "Laplacian of Gaussian: R. C. Gonzalez, R. E. Woods, Digital Image Processing, ch. 10",
        ),
        Kernel(
            "sharpen",
            ((0, -1, 0), (-1, 5, -1), (0, -1, 0)),
            1,
            "identity minus laplacian3; GIMP manual, Convolution Matrix",
        ),
        Kernel(
            "emboss",
            ((-2, -1, 0), (-1, 1, 1), (0, 1, 2)),
            1,
            "light from the upper left; GIMP manual, Convolution Matrix",
        ),
        Kernel("box5", _outer((1,) * 5, (1,) * 5), 25, "the mean of 5×5 samples"),
        Kernel("binomial3", _outer((1, 2, 1), (1, 2, 1)), 16, "B. Jähne, Digital Image Processing"),
        Kernel(
            "binomial9",
            _outer((1, 8, 28, 56, 70, 56, 28, 8, 1), (1, 8, 28, 56, 70, 56, 28, 8, 1)),
            65536,
            "B. Jähne, Digital Image Processing: the binomial filter of order 8",
        ),
        Kernel(
            "gaussian5_canny",
            (
                (2, 4, 5, 4, 2),
                (4, 9, 12, 9, 4),
                (5, 12, 15, 12, 5),
                (4, 9, 12, 9, 4),
                (2, 4, 5, 4, 2),
            ),
            159,
            "a Gaussian of σ = 1.4 in rounded integers, as printed for J. Canny's detector (1986)",
        ),
        Kernel("prewitt_x", _outer((1, 1, 1), (-1, 0, 1)), 1, "J. M. S. Prewitt (1970)"),
        Kernel("prewitt_y", _outer((-1, 0, 1), (1, 1, 1)), 1, "J. M. S. Prewitt (1970)"),
        Kernel(
            "scharr_x",
            _outer((3, 10, 3), (-1, 0, 1)),
            1,
            "H. Scharr, Optimale Operatoren in der Digitalen Bildverarbeitung (2000)",
        ),
        Kernel(
            "scharr_y",
            _outer((-1, 0, 1), (3, 10, 3)),
            1,
            "H. Scharr, Optimale Operatoren in der Digitalen Bildverarbeitung (2000)",
        ),
        Kernel("roberts", ((1, 0), (0, -1)), 1, "L. G. Roberts (1963)"),
        Kernel(
            "laplacian8",
            ((1, 1, 1), (1, -8, 1), (1, 1, 1)),
            1,
            "second differences along both axes and both diagonals",
        ),
        Kernel(
            "laplacian9",
            ((1, 4, 1), (4, -20, 4), (1, 4, 1)),
            6,
            "the nine-point stencil: L. Collatz, The Numerical Treatment of Differential Equations",
        ),
        Kernel("motion_row5", ((0,) * 5,) * 2 + ((1,) * 5,) + ((0,) * 5,) * 2, 5, "along a row"),
        Kernel(
            "motion_diagonal5",
            tuple(tuple(int(i == j) for j in range(5)) for i in range(5)),
            5,
            "along the diagonal",
        ),
        Kernel(
            "disk5",
            ((0, 1, 1, 1, 0), (1,) * 5, (1,) * 5, (1,) * 5, (0, 1, 1, 1, 0)),
            21,
            "samples within √5 of the centre",
        ),
        Kernel(
            "disk7",
            (
                (0, 0, 1, 1, 1, 0, 0),
                (0, 1, 1, 1, 1, 1, 0),
                *((1,) * 7,) * 3,
                (0, 1, 1, 1, 1, 1, 0),
                (0, 0, 1, 1, 1, 0, 0),
            ),
            37,
            "samples within √10 of the centre",
        ),
    )
}


def named_kernel(name: Any) -> Kernel:
    """The kernel of that name.

    Parameters
    ----------
    name : str
        One of the keys of `KERNELS`.

    Returns
    -------
    Kernel

    Raises
    ------
    ParameterError
        If there is none; the message lists the names.

    Examples
    --------
    >>> kernel = named_kernel("gaussian5")
    >>> kernel.array()[2], kernel.divisor
    (array([ 6, 24, 36, 24,  6]), 256)
    """
    if isinstance(name, str) and name in KERNELS:
        return KERNELS[name]
    raise ParameterError(f"kernel must be one of {', '.join(KERNELS)}, got {_cut(name)}")


def _cut(name: Any) -> str:
    shown = repr(name)
    return shown if len(shown) <= 80 else shown[:77] + "..."


def _grid(n: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Rows and columns of an n×n kernel, counted from its centre."""
    line = np.arange(n, dtype=np.float64) - (n - 1) / 2
    return line[:, None], line[None, :]


def _gaussian(n: int, sigma: float) -> npt.NDArray[np.float64]:
    """exp(−(y² + x²)/2σ²), divided by its sum."""
    y, x = _grid(n)
    values = np.exp(-(y**2 + x**2) / (2 * sigma**2))
    return np.asarray(values / values.sum())


def _log(n: int, sigma: float) -> npt.NDArray[np.float64]:
    """The Laplacian of a Gaussian: (r²/σ² − 2)·exp(−r²/2σ²)/σ²."""
    y, x = _grid(n)
    square = (y**2 + x**2) / sigma**2
    return np.asarray((square - 2) * np.exp(-square / 2) / sigma**2)


def _gabor(n: int, degrees: float) -> npt.NDArray[np.float64]:
    """A Gaussian of σ = n/6 times a cosine of wavelength n/2 along a direction."""
    y, x = _grid(n)
    angle = np.deg2rad(degrees)
    along = x * np.cos(angle) + y * np.sin(angle)
    envelope = np.exp(-(y**2 + x**2) / (2 * (n / 6) ** 2))
    return np.asarray(envelope * np.cos(4 * np.pi * along / n))


#: Name → what makes the kernel, its source: sampled functions, in doubles.
SAMPLED: dict[str, tuple[Callable[[], npt.NDArray[np.float64]], str]] = {
    "gaussian7_sampled": (lambda: _gaussian(7, 1.0), "σ = 1; the product of two exponentials"),
    "log9_sampled": (lambda: _log(9, 1.4), "D. Marr, E. Hildreth (1980); σ = 1.4"),
    "gabor9_0": (lambda: _gabor(9, 0.0), "D. Gabor (1946), J. Daugman (1985); waves along a row"),
    "gabor9_45": (lambda: _gabor(9, 45.0), "the same along the diagonal"),
}


def sampled_kernel(name: Any) -> npt.NDArray[np.float64]:
    """The kernel of that name: a function sampled in doubles, so that nothing of it is exact.

    Parameters
    ----------
    name : str
        One of the keys of `SAMPLED`.

    Raises
    ------
    ParameterError
        If there is none.

    Examples
    --------
    >>> sampled_kernel("gabor9_0").shape
    (9, 9)
    """
    if isinstance(name, str) and name in SAMPLED:
        return SAMPLED[name][0]()
    raise ParameterError(f"kernel must be one of {', '.join(SAMPLED)}, got {_cut(name)}")
