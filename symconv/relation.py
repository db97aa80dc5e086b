"""The index relation of one axis, written once.

Output position ``o`` reads, through tap ``k``, the virtual input position ``j`` where

    b·j = s·o + d·k − p

with stride ``s``, dilation ``d``, low padding ``p`` and input dilation ``b`` (1 unless said).
Sizes, inverse readings and composition all follow from it. Every function here uses only
``+ - * //``, so the same code runs on Python integers, on NumPy integer arrays and on SymPy
expressions (where ``//`` is the floor); this room imports nothing from outside the standard
library.

References
----------
V. Dumoulin, F. Visin, *A guide to convolution arithmetic for deep learning* (2016),
arXiv:1603.07285, relationships 1-15.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["AxisRelation"]

#: An integer, an array of integers or a symbolic integer: anything with ``+ - * //``.
Index = Any


@dataclass(frozen=True, slots=True)
class AxisRelation:
    """``b·j = s·o + d·k − p`` on one axis, with its readings.

    Parameters
    ----------
    n_taps : int or symbolic integer
        Number of taps K of the kernel on this axis.
    stride, dilation, input_dilation : int or symbolic integer
        s, d and b, in samples.
    pad_lo, pad_hi : int or symbolic integer
        Virtual samples before the first and after the last stored one; negative values crop.

    Examples
    --------
    >>> relation = AxisRelation(3, stride=2, pad_lo=1, pad_hi=1)
    >>> relation.position(o=4, k=0), relation.output_size(16), relation.input_size(8)
    (7, 8, 15)
    """

    n_taps: Index
    stride: Index = 1
    dilation: Index = 1
    pad_lo: Index = 0
    pad_hi: Index = 0
    input_dilation: Index = 1

    def position(self, o: Index, k: Index) -> Index:
        """Position on the spread axis, b·j, that output `o` reads through tap `k`."""
        return self.stride * o + self.dilation * k - self.pad_lo

    @property
    def extent(self) -> Index:
        """Samples from the first tap to the last, both included: E = d(K−1) + 1."""
        return self.dilation * (self.n_taps - 1) + 1

    def spread_size(self, n_in: Index) -> Index:
        """Size of the input after b−1 zeros are put between neighbours: b(n−1) + 1."""
        return self.input_dilation * (n_in - 1) + 1

    def padded_place(self, i: Index) -> Index:
        """Where stored sample i lies on the padded axis, counted from its start: b·i + p_lo."""
        return self.input_dilation * i + self.pad_lo

    def padded_size(self, n_in: Index) -> Index:
        """Size of the spread input with its padding: N = b(n−1) + 1 + p_lo + p_hi."""
        return self.spread_size(n_in) + self.pad_lo + self.pad_hi

    def output_size(self, n_in: Index) -> Index:
        """Number of windows that fit the padded axis: ⌊(N − E)/s⌋ + 1; below 1 when none fits."""
        return (self.padded_size(n_in) - self.extent) // self.stride + 1

    def ceil_output_size(self, n_in: Index) -> tuple[Index, Index]:
        """⌈(N − E)/s⌉ + 1, and whether the last of these windows starts past the input.

        Such a window is dropped by ceil-mode pooling: it would see nothing but padding.
        """
        n_out = -((self.extent - self.padded_size(n_in)) // self.stride) + 1
        return n_out, self.position(n_out - 1, 0) >= self.spread_size(n_in)

    def windows_starting_inside(self, n_in: Index) -> Index:
        """How many windows start before the end of the input, their ends wherever they fall."""
        return -(-(self.spread_size(n_in) + self.pad_lo) // self.stride)

    def end(self, n_in: Index) -> Index:
        """The first position after the padded axis; beyond it lies the overhang of ceil mode."""
        return self.spread_size(n_in) + self.pad_hi

    def reach(self, n_out: Index) -> Index:
        """Positions from the first that `n_out` windows cover to the last: s(n−1) + E."""
        return self.stride * (n_out - 1) + self.extent

    def inside_padded(self, o: Index, k: Index, n_in: Index) -> Index:
        """Whether tap `k` of output `o` lies on the padded axis, not in the overhang after it."""
        return self.position(o, k) < self.end(n_in)

    def input_size(self, n_out: Index, output_padding: Index = 0) -> Index:
        """The size a transposed convolution produces from `n_out`: s(n−1) + E + op − p_lo − p_hi.

        With `output_padding` 0 it is the smallest input (for b = 1) that has `n_out` outputs;
        ``output_padding`` 0 … s−1 gives exactly the sizes that share this output size.
        """
        return self.reach(n_out) + output_padding - self.pad_lo - self.pad_hi

    def output_numerator(self, j: Index, k: Index) -> Index:
        """s·o for the output that reads input `j` through tap `k`: an output iff s divides it."""
        return self.input_dilation * j - self.dilation * k + self.pad_lo

    def tap_slice(self, k: int, n_out: int) -> slice:
        """Where tap `k` of outputs 0 … n_out−1 lies on the padded axis, which starts at −p_lo."""
        start = self.position(0, k) + self.pad_lo
        return slice(start, start + self.stride * (n_out - 1) + 1, self.stride)

    def adjoint(self, output_padding: Index = 0) -> AxisRelation:
        """The relation of zero insertion: the transposed map as an ordinary convolution.

        Insert s−1 zeros between the samples, flip the kernel (tap k becomes K−1−k) and slide it
        with stride b: padding (E−1−p_lo, E−1−p_hi+op), where a negative edge crops.
        """
        return AxisRelation(
            self.n_taps,
            stride=self.input_dilation,
            dilation=self.dilation,
            pad_lo=self.extent - 1 - self.pad_lo,
            pad_hi=self.extent - 1 - self.pad_hi + output_padding,
            input_dilation=self.stride,
        )

    def then(self, later: AxisRelation) -> tuple[Index, Index]:
        """Jump and low padding of this reading followed by `later` (both with b = 1).

        Output o of `later` reads here the positions
        ``jump·o + (s·d')·k' + d·k − padding`` with jump s·s' and padding s·p' + p.
        """
        return self.stride * later.stride, self.stride * later.pad_lo + self.pad_lo
