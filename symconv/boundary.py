"""What a virtual position reads: one function per padding mode.

The stored samples ``0 … n−1`` are extended to every integer; padding then looks at a window of
that extension, so each mode is defined for padding of any width (several wraps or bounces).
`OUTSIDE` marks a position that reads no stored sample.

To add a mode, write its function and add a line to `MODES`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["MODES", "OUTSIDE", "ZEROS", "Boundary"]

IntArray = npt.NDArray[np.int64]

#: Index of a position that reads no stored sample.
OUTSIDE = -1


def _outside(j: IntArray, n: int) -> IntArray:
    return np.where((j >= 0) & (j < n), j, OUTSIDE)


def _circular(j: IntArray, n: int) -> IntArray:
    return j % n


def _reflect(j: IntArray, n: int) -> IntArray:
    # The edge sample is the mirror and is not repeated: period 2(n-1). One sample mirrors itself.
    if n == 1:
        return np.zeros_like(j)
    folded = j % (2 * (n - 1))
    return np.minimum(folded, 2 * (n - 1) - folded)


def _symmetric(j: IntArray, n: int) -> IntArray:
    # The mirror stands between two samples, so the edge sample is repeated: period 2n.
    folded = j % (2 * n)
    return np.minimum(folded, 2 * n - 1 - folded)


def _replicate(j: IntArray, n: int) -> IntArray:
    return np.clip(j, 0, n - 1)


#: Padding mode → the stored index each virtual position reads on an axis of n samples.
MODES: dict[str, Callable[[IntArray, int], IntArray]] = {
    "zeros": _outside,
    "constant": _outside,
    "circular": _circular,
    "reflect": _reflect,
    "symmetric": _symmetric,
    "replicate": _replicate,
}


@dataclass(frozen=True, slots=True)
class Boundary:
    """A padding mode, with the value that the mode ``constant`` reads outside.

    Examples
    --------
    >>> import numpy as np
    >>> Boundary("reflect").read(np.arange(-4, 8), 4).tolist()
    [2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1]
    >>> Boundary("zeros").read(np.arange(-1, 3), 2).tolist()
    [-1, 0, 1, -1]
    """

    mode: str = "zeros"
    value: Any = 0

    def read(self, j: IntArray, n: int) -> IntArray:
        """Stored index that each virtual position reads, `OUTSIDE` for none."""
        return MODES[self.mode](j, n)

    @property
    def needs_samples(self) -> bool:
        """Whether the mode reads stored samples everywhere, so that an empty axis has none."""
        return MODES[self.mode] is not _outside


#: The boundary of a layer that says nothing else.
ZEROS = Boundary()
