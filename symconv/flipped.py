"""True convolution, kernel flipped, for people who come from SciPy and MATLAB.

Frameworks slide the kernel as it stands (cross-correlation); signal processing flips it first.
The matrix here is the flipped one, built from the same operator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.sparse
import sympy

from symconv import checks
from symconv.algebras import Algebra, as_array
from symconv.errors import ShapeError
from symconv.layers import Conv

__all__ = ["convolution_matrix"]

#: Mode → samples of the full result that are left out at the low end and the high end of one
#: axis, for K taps. "same" is the centre of the full result, as `scipy.signal.convolve` cuts it.
_CUT: dict[str, Callable[[int], tuple[int, int]]] = {
    "full": lambda n_taps: (0, 0),
    "same": lambda n_taps: ((n_taps - 1) // 2, n_taps // 2),
    "valid": lambda n_taps: (n_taps - 1, n_taps - 1),
}


def convolution_matrix(
    kernel: Any, size: Sequence[int] | int, mode: str = "full", *, exact: bool = False
) -> scipy.sparse.csr_array[Any, tuple[int, int]] | sympy.ImmutableSparseMatrix:
    """The Toeplitz matrix T of true convolution: ``T @ x.ravel() == convolve(x, kernel, mode)``.

    The kernel is flipped on every axis, unlike in `Conv`. In one dimension it is SciPy's
    ``scipy.linalg.convolution_matrix`` and MATLAB's ``convmtx`` (transposed), in two MATLAB's
    ``convmtx2``; any number of dimensions works.

    Parameters
    ----------
    kernel : array_like
        One axis per dimension of the input; integers, Fractions, SymPy expressions or floats.
    size : int or tuple of int
        Size of the input.
    mode : {"full", "same", "valid"}
        "full": every position where they meet; "same": the centre of it, of the input's size
        (for an even kernel the extra sample is cut at the high end, as in
        `scipy.signal.convolve`; MATLAB's ``conv`` cuts it at the low end); "valid": no zeros.
    exact : bool, default False
        Give a SymPy matrix with exact entries, where a SciPy CSR array of the kernel's type is
        given otherwise.

    Raises
    ------
    GeometryError
        For "valid" with a kernel larger than the input: there is no such position (SciPy
        exchanges the two there).

    Examples
    --------
    >>> convolution_matrix([1, 2, 3], 3, "same").toarray()
    array([[2, 1, 0],
           [3, 2, 1],
           [0, 3, 2]])

    References
    ----------
    SciPy, documentation of ``scipy.linalg.convolution_matrix`` and ``scipy.signal.convolve``.
    """
    array, algebra = as_array("kernel", kernel)
    if array.ndim == 0 or array.size == 0:
        raise ShapeError(f"kernel must have at least one axis and one tap, got shape {array.shape}")
    cut = _CUT[checks.choice("mode", mode, _CUT)]
    exact = checks.flag("exact", exact)
    size = checks.per_axis("size", size, array.ndim, 0)
    padding = [
        (n_taps - 1 - lo, n_taps - 1 - hi)
        for n_taps, (lo, hi) in ((n_taps, cut(n_taps)) for n_taps in array.shape)
    ]
    layer = Conv(1, 1, array.shape, padding=padding, bias=False)
    weight = np.flip(array)[None, None]
    operator = layer.operator(size)
    if exact:
        return operator.exact(weight)
    if algebra is Algebra.INTEGER:
        return operator.sparse(weight, np.int64)
    return operator.sparse(weight, float if algebra.is_exact else array.dtype)
