"""Number formats of implementations: how large integers may be for every sum to stay exact.

An integer of magnitude up to 2^p is held exactly by a format of p significant bits, and a sum whose
terms' magnitudes add up to no more than the accumulator's limit is exact in whatever order, blocked
or not, with or without fused multiply-add: no partial sum exceeds the sum of the magnitudes.

References
----------
N. J. Higham, *Accuracy and Stability of Numerical Algorithms* (2002), sect. 2.1; NVIDIA, *Ampere
GA102 GPU Architecture* (2020), on TF32.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from symconv.checks import choice

__all__ = ["FORMATS", "Format", "number_format"]


@dataclass(frozen=True)
class Format:
    """What an implementation computes in.

    Attributes
    ----------
    name : str
    dtype : str
        NumPy type of the arrays that the implementation is called with.
    operand : int
        Every integer up to this is held exactly by an operand.
    total : int
        A sum is exact, and held exactly by the result, while its terms' magnitudes add up to this.
    results : tuple of str
        Types that a result may have.
    unit : Fraction
        Unit roundoff, 0 for integers.
    """

    name: str
    dtype: str
    operand: int
    total: int
    results: tuple[str, ...]
    unit: Fraction


def _floating(name: str, dtype: str, operand_bits: int, bits: int, *results: str) -> Format:
    unit = Fraction(1, 2 ** min(operand_bits, bits))
    return Format(name, dtype, 2**operand_bits, 2**bits, results or (dtype,), unit)


def _whole(name: str, limit: int, total: int, *results: str) -> Format:
    return Format(name, name, limit, total, results, Fraction(0))


#: Formats by name. NumPy has no bfloat16 and no TF32: the arrays are float32 and hold only what the
#: narrow format holds; sums in bfloat16 stay within what its results hold.
FORMATS = {
    each.name: each
    for each in (
        _floating("float64", "float64", 53, 53),
        _floating("float32", "float32", 24, 24),
        _floating("tf32", "float32", 11, 24),
        _floating("float16", "float16", 11, 11),
        _floating("bfloat16", "float32", 8, 8, "float32", "bfloat16"),
        _whole("int8", 127, 2**31 - 1, "int32", "int64"),
        _whole("int32", 2**31 - 1, 2**31 - 1, "int32", "int64"),
        _whole("int64", 2**53, 2**53, "int64"),
    )
}


def number_format(name: str) -> Format:
    """The format of a name.

    Raises
    ------
    ParameterError
        If there is none.

    Examples
    --------
    >>> number_format("tf32").operand, number_format("tf32").total
    (2048, 16777216)
    """
    return FORMATS[choice("dtype", name, FORMATS)]
