"""The windows of adaptive pooling on one axis: the rule that is no affine relation, written once.

Output ``o`` of m reads the samples from ``⌊o·n/m⌋`` up to, and without, ``⌈(o+1)·n/m⌉`` of n.
The windows cover every sample; they overlap where m does not divide n, and repeat samples where
m > n. `AdaptiveRelation` answers what tables of windows ask of an `AxisRelation`: `position`,
`n_taps`, `reach` and `end`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

__all__ = ["AdaptiveRelation"]

#: An integer, an array of integers or a symbolic integer: anything with ``+ - * //``.
Index = Any


@dataclass(frozen=True, slots=True)
class AdaptiveRelation:
    """``⌊o·n/m⌋ ≤ j < ⌈(o+1)·n/m⌉`` on one axis of n samples and m outputs.

    Parameters
    ----------
    n_in, n_out : int
        n and m, at least 1; `start` and `stop` take symbolic ones too.

    Examples
    --------
    >>> windows = AdaptiveRelation(7, 3)
    >>> [(windows.start(o), windows.stop(o)) for o in range(3)], windows.n_taps
    ([(0, 3), (2, 5), (4, 7)], 3)

    References
    ----------
    PyTorch, ``aten/src/ATen/native/AdaptivePooling.h`` (``start_index``, ``end_index``).
    """

    n_in: Index
    n_out: Index

    #: Nothing is spread.
    input_dilation: ClassVar[int] = 1

    def start(self, o: Index) -> Index:
        """The first sample that output `o` reads."""
        return o * self.n_in // self.n_out

    def stop(self, o: Index) -> Index:
        """The first sample after those that output `o` reads."""
        return -(-(o + 1) * self.n_in // self.n_out)

    @property
    def n_taps(self) -> int:
        """Samples in the largest window: 1 + ⌈(n − g)/m⌉ with the common divisor g of n and m.

        With n = g·n' and m = g·m', window o has ⌈(r + n')/m'⌉ samples, r the remainder of o·n' by
        m'; every remainder occurs, as n' and m' have no common divisor, and m' − 1 is the largest.
        """
        common = math.gcd(self.n_in, self.n_out)
        return int(1 - (common - self.n_in) // self.n_out)

    def position(self, o: Index, k: Index) -> Index:
        """The sample that output `o` reads through tap `k`; `n_in`, no sample, past its window."""
        j = self.start(o) + k
        return np.where(j < self.stop(o), j, self.n_in)

    def reach(self, n_out: int) -> int:
        """Positions that the windows cover: all samples."""
        return int(self.n_in)

    def end(self, n_in: int) -> int:
        """The first position after the axis."""
        return int(self.n_in)
