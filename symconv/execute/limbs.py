"""Integers too large for one product in doubles: several products of their digits.

With a = Σ a_i·2^(r·i) and b = Σ b_j·2^(s·j) the bilinear a∘b is Σ (a_i∘b_j)·2^(r·i + s·j), and
digits short enough make every a_i∘b_j exact in float64, through any plan. Up to some 70 bits of
digits this takes fewer products than residues modulo primes, and digits are cheaper to get: an
"and" and a shift each.

References
----------
K. Ozaki, T. Ogita, S. Oishi, S. M. Rump, *Error-free transformations of matrix multiplication by
using fast routines of matrix multiplication and its applications*, Numerical Algorithms 59 (2012).
D. E. Knuth, *The Art of Computer Programming*, vol. 2 (1997), section 4.3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.algebras import magnitude
from symconv.execute.sums import DOUBLE, Sums
from symconv.memory import require

__all__ = ["Digits", "digits", "product", "split"]

Array = npt.NDArray[Any]

#: A product of doubles, told which digit of the second argument it gets.
Doubles = Callable[[Array, Array, tuple[int, ...]], Array]

#: How many digits, and of how many bits; one digit is the number itself.
Digits = tuple[int, int]


def split(a: Array, b: Array, sums: Sums) -> tuple[Digits, Digits]:
    """The digits of both factors with the fewest products whose sums stay below 2⁵³.

    Examples
    --------
    >>> a, b = np.array([2**31 - 1]), np.array([2**31 - 1])
    >>> split(a, b, Sums(576))
    ((1, 31), (3, 11))
    >>> split(np.array([2**62]), np.array([3]), Sums(9))
    ((2, 32), (1, 2))
    """
    largest_a, largest_b = magnitude(a), magnitude(b)
    of_a = sums.first(a) if sums.first is not None else sums.terms * largest_a
    of_b = sums.second(b) if sums.second is not None else sums.terms * largest_b

    def fits(count_a: int, bits_a: int, count_b: int, bits_b: int) -> bool:
        most_a = largest_a if count_a == 1 else 2**bits_a
        most_b = largest_b if count_b == 1 else 2**bits_b
        sizes = [sums.terms * most_a * most_b]
        sizes += [of_a * most_b] * (count_a == 1) + [most_a * of_b] * (count_b == 1)
        return max(min(sizes), most_a, most_b) <= DOUBLE

    choices = (
        (first, second)
        for first in _digit_sizes(largest_a)
        for second in _digit_sizes(largest_b)
        if fits(*first, *second)
    )
    return min(choices, key=lambda pair: (pair[0][0] * pair[1][0], pair[0][0] + pair[1][0]))


def _digit_sizes(largest: int) -> list[Digits]:
    """Every count of digits with the fewest bits that do."""
    length = max(largest.bit_length(), 1)
    sizes = {-(-length // bits): bits for bits in range(52, 0, -1) if bits < length}
    return [(1, length), *((count, bits) for count, bits in sizes.items() if count > 1)]


def digits(array: Array, count: int, bits: int) -> Iterator[Array]:
    """The digits as doubles, the lowest first; only the highest has a sign.

    Examples
    --------
    >>> [digit.tolist() for digit in digits(np.array([-1, 300]), 2, 8)]
    [[255.0, 44.0], [-1.0, 1.0]]
    """
    if array.dtype.kind == "i" or array.dtype.itemsize < 8:
        array = array.astype(np.int64)
    for _ in range(count - 1):
        yield (array & (2**bits - 1)).astype(np.float64)
        array = array >> bits
    yield array.astype(np.float64)


def product(
    doubles: Doubles, first: tuple[Array, Digits], second: tuple[Array, Digits], bound: int
) -> Array:
    """``a∘b`` for integers whose outputs are at most `bound`: int64 below 2⁶³, else Python ints.

    Raises
    ------
    TooLargeError
        If memory does not hold the sums.
    """
    (a, (count_a, bits_a)), (b, (count_b, bits_b)) = first, second
    # The digits of one factor are kept, those of the other made as they are used.
    kept = list(digits(b, count_b, bits_b))
    total = _Words(bound)
    for i, digit_a in enumerate(digits(a, count_a, bits_a)):
        for j, digit_b in enumerate(kept):
            part = doubles(digit_a, digit_b, (bits_b, j) if count_b > 1 else ())
            total.add(part.astype(np.int64), bits_a * i + bits_b * j)
    return total.value()


class _Words:
    """Sums of shifted int64 arrays: modulo 2⁶⁴ where that is enough, else in words of 32 bits."""

    def __init__(self, bound: int) -> None:
        # Pairs of words, with room for a sign.
        self.n_words = 1 if bound < 2**63 else 2 * (bound.bit_length() // 64 + 1)
        self.n_added, self.words = 0, np.zeros(0, dtype=np.int64)

    def add(self, part: Array, shift: int) -> None:
        """Add ``part·2^shift``, |part| ≤ 2⁵³."""
        if not self.n_added:
            n_bytes = part.nbytes * (self.n_words + 4)
            require(n_bytes, f"sums in {32 * self.n_words} bits", "use a smaller batch")
            self.words = np.zeros((self.n_words, *part.shape), dtype=np.int64)
        self.n_added += 1
        if self.n_words == 1:
            # The sum is right modulo 2⁶⁴, and it fits.
            total = self.words[0].view(np.uint64)
            if shift < 64:
                shifted = part.view(np.uint64)
                total += np.left_shift(shifted, np.uint64(shift), out=shifted)
            return
        # What lies above the last word are copies of the sign.
        word, rest = divmod(shift, 32)
        if word < self.n_words:
            self.words[word] += (part & (2 ** (32 - rest) - 1)) << rest
        if word + 1 < self.n_words:
            self.words[word + 1] += part >> (32 - rest)
        if self.n_added % 2**8 == 0:
            self._carry()

    def _carry(self) -> None:
        for at in range(self.n_words - 1):
            self.words[at + 1] += self.words[at] >> 32
            self.words[at] &= 2**32 - 1

    def value(self) -> Array:
        """The total."""
        if self.n_words == 1:
            return np.asarray(self.words[0])
        self._carry()
        pairs = self.words[0::2] + (self.words[1::2] << 32)
        total = pairs[-1].astype(object)
        for pair in pairs[-2::-1]:
            total = (total << 64) + pair.view(np.uint64).astype(object)
        return np.asarray(total, dtype=object)
