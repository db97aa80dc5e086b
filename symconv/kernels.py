"""Named kernels with integer values: blurs, derivatives and filters as they are printed in books.

Every kernel is a table of integers and one divisor, so that filtering an integer image with it is
exact up to one division at the end. To add a kernel, add a line to `KERNELS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.errors import ParameterError

__all__ = ["KERNELS", "Kernel", "named_kernel"]


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
    shown = repr(name)
    shown = shown if len(shown) <= 80 else shown[:77] + "..."
    raise ParameterError(f"kernel must be one of {', '.join(KERNELS)}, got {shown}")
