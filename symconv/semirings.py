"""Semirings: the algebras besides numbers in which the incidence is read.

Counting says how often, (or, and) whether, (max, +) and (min, +) give pooling and the dilations
and erosions of mathematical morphology. What is missing from a sparse matrix is the semiring's
zero: 0, False, −∞ or ∞. The two infinities are exact objects of their own, no floats.

References
----------
F. Baccelli, G. Cohen, G. J. Olsder, J.-P. Quadrat, *Synchronization and Linearity* (1992),
chapter 3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import total_ordering
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symconv.algebras import as_array, magnitude
from symconv.checks import in_memory, shown
from symconv.errors import DTypeError, ParameterError, ParameterTypeError

__all__ = [
    "BOOLEAN",
    "COUNTING",
    "INFINITY",
    "MAX_PLUS",
    "MINUS_INFINITY",
    "MIN_PLUS",
    "SEMIRINGS",
    "Infinity",
    "Semiring",
    "narrowed",
]

Array = npt.NDArray[Any]

#: Magnitude up to which objects are kept as int64: sums of two of them still fit.
NARROW = 2**62


@total_ordering
class Infinity:
    """−∞ or ∞ as an exact object: below or above every number, and absorbing under +.

    There are two, `MINUS_INFINITY` (the zero of (max, +)) and `INFINITY` (that of (min, +)).

    Examples
    --------
    >>> MINUS_INFINITY < -(10**100), MINUS_INFINITY + 5, -MINUS_INFINITY
    (True, MINUS_INFINITY, INFINITY)
    >>> print(MINUS_INFINITY)
    −∞
    """

    __slots__ = ("sign",)

    def __init__(self, sign: int) -> None:
        self.sign = sign

    def __add__(self, other: object) -> Infinity:
        if isinstance(other, (float, np.floating, complex)):
            raise DTypeError(f"{self} is exact and meets no float, got {other!r}")
        if isinstance(other, Infinity) and other.sign != self.sign:
            raise ParameterError("∞ + −∞ has no value")
        return self

    __radd__ = __add__

    def __neg__(self) -> Infinity:
        return MINUS_INFINITY if self.sign > 0 else INFINITY

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Infinity) and other.sign == self.sign

    def __hash__(self) -> int:
        return hash(("Infinity", self.sign))

    def __lt__(self, other: object) -> bool:
        return self.sign < 0 and self != other

    def __reduce__(self) -> str:
        # Copies and pickles are the same two objects.
        return repr(self)

    def _sympy_(self) -> Any:
        return sympy.oo if self.sign > 0 else -sympy.oo

    def __repr__(self) -> str:
        return "INFINITY" if self.sign > 0 else "MINUS_INFINITY"

    def __str__(self) -> str:
        return "∞" if self.sign > 0 else "−∞"


MINUS_INFINITY, INFINITY = Infinity(-1), Infinity(1)


def _plain(value: Any) -> Any:
    """SymPy's numbers as Python's, so that equal entries are equal objects."""
    if isinstance(value, sympy.Integer):
        return int(value)
    if isinstance(value, sympy.Rational):
        return Fraction(int(value.p), int(value.q))
    return value


def _largest(a: Any, b: Any) -> Any:
    if a is MINUS_INFINITY or b is MINUS_INFINITY:
        return b if a is MINUS_INFINITY else a
    if isinstance(a, sympy.Expr) or isinstance(b, sympy.Expr):
        return _plain(sympy.Max(a, b))
    return max(a, b)


def _smallest(a: Any, b: Any) -> Any:
    if a is INFINITY or b is INFINITY:
        return b if a is INFINITY else a
    if isinstance(a, sympy.Expr) or isinstance(b, sympy.Expr):
        return _plain(sympy.Min(a, b))
    return min(a, b)


def _sum(a: Any, b: Any) -> Any:
    return _plain(a + b)


def _product(a: Any, b: Any) -> Any:
    return a * b


@dataclass(frozen=True)
class Semiring:
    """A set with two operations: ⊕ with its zero, ⊗ with its one, zero ⊗ a = zero.

    Attributes
    ----------
    name : str
    zero, one : object
        Neutral for ⊕ and for ⊗; the zero is what a sparse matrix does not store.
    add, multiply : callable
        The operations on single exact values.
    add_ints, multiply_ints : numpy.ufunc
        The same on int64 arrays (booleans are 0 and 1 there).
    plain, missing, latex_missing : str
        How the semiring and an entry that is not stored are written.

    Examples
    --------
    >>> MAX_PLUS.add(3, 5), MAX_PLUS.multiply(3, 5), MAX_PLUS.zero, MAX_PLUS.one
    (5, 8, MINUS_INFINITY, 0)
    >>> COUNTING, BOOLEAN.add(False, True)
    (COUNTING, True)
    """

    name: str
    zero: Any
    one: Any
    add: Callable[[Any, Any], Any]
    multiply: Callable[[Any, Any], Any]
    add_ints: np.ufunc
    multiply_ints: np.ufunc
    plain: str
    missing: str
    latex_missing: str

    def __repr__(self) -> str:
        return self.name

    @property
    def is_tropical(self) -> bool:
        """Whether ⊗ is +, so that the zero is infinite."""
        return isinstance(self.zero, Infinity)

    def array(self, name: str, value: Any) -> Array:
        """`value` as an int64 array (booleans as 0 and 1) or as one of exact objects.

        Parameters
        ----------
        name : str
            Of the parameter, for messages.
        value : array_like
            Numbers that the semiring holds. (max, +) takes −∞ as `MINUS_INFINITY` or ``-sympy.oo``
            and (min, +) takes ∞ likewise; neither takes the other one.

        Raises
        ------
        DTypeError
            If there are floats, or numbers that the semiring does not hold.
        """
        in_memory(name, value)
        raw = value if isinstance(value, np.ndarray) else np.asarray(_listed(value), dtype=object)
        if self is BOOLEAN and raw.dtype != bool:
            wrong = [e for e in raw.ravel().tolist() if not isinstance(e, int) or e not in (0, 1)]
            if wrong:
                raise DTypeError(
                    f"{name} must hold True and False over (or, and), got {shown(wrong[0])}"
                )
            return np.asarray(raw == 1, dtype=np.int64)
        if self is BOOLEAN:
            return np.asarray(raw, dtype=np.int64)
        absent = np.zeros(raw.shape, dtype=bool)
        if raw.dtype == object and self.is_tropical:
            infinite = self.zero._sympy_()
            entries = raw.ravel().tolist()
            absent = np.array([e is self.zero or e is infinite for e in entries], dtype=bool)
            absent = absent.reshape(raw.shape)
        array, algebra = as_array(name, np.where(absent, 0, raw) if absent.any() else raw)
        if not algebra.is_exact:
            raise DTypeError(
                f"{name} must be exact over {self.plain} (integers, Fractions or SymPy "
                f"expressions), got dtype {array.dtype}; Fraction(value) states a float's exact "
                f"value"
            )
        array = narrowed(array)
        if self is COUNTING and (array.dtype == object or (array < 0).any()):
            entries = array.ravel().tolist()
            if any(not isinstance(entry, int) or entry < 0 for entry in entries):
                raise DTypeError(
                    f"{name} must hold integers >= 0 over {self.plain}, got {shown(array)}"
                )
        if absent.any():
            array = array.astype(object)
            array[absent] = self.zero
        return array

    def multiplied(self, a: Array, b: Array) -> Array:
        """⊗ entry by entry, in int64 where the result fits and in Python objects beyond."""
        if object not in (a.dtype, b.dtype):
            bound = magnitude(a) + magnitude(b) if self.is_tropical else magnitude(a) * magnitude(b)
            if self is BOOLEAN or bound < 2**63:
                return np.asarray(self.multiply_ints(a, b))
        return np.asarray(np.frompyfunc(self.multiply, 2, 1)(a.astype(object), b.astype(object)))

    def added_at(self, values: Array, starts: Array) -> Array:
        """⊕ along the first axis over the runs that begin at `starts`, each of one or more."""
        if not len(starts):
            return values[:0]
        if values.dtype != object:
            runs = np.diff(np.append(starts, len(values)))
            if self is not COUNTING or magnitude(values) * int(runs.max()) < 2**63:
                return np.asarray(self.add_ints.reduceat(values, starts, axis=0))
            values = values.astype(object)
        return np.asarray(np.frompyfunc(self.add, 2, 1).reduceat(values, starts, axis=0))

    def stored(self, values: Array) -> Array:
        """Which values are not the zero."""
        if values.dtype != object:
            return np.asarray(values != 0) if not self.is_tropical else np.ones(len(values), bool)
        zero = self.zero
        return np.array([value is not zero and value != zero for value in values], dtype=bool)

    def scalar(self, value: Any) -> Any:
        """An entry as Python shows it: booleans over (or, and)."""
        value = value.item() if isinstance(value, np.generic) else value
        return bool(value) if self is BOOLEAN else value


def _listed(value: Any) -> Any:
    """Anything that is an array already, or nested lists as they are."""
    return np.asarray(value) if hasattr(value, "__array__") else value


def narrowed(array: Array) -> Array:
    """int64 where every entry is an integer below 2**62 in magnitude, else Python objects."""
    if array.dtype != object:
        return array.astype(object if magnitude(array) >= NARROW else np.int64, copy=False)
    entries = array.ravel().tolist()
    if all(isinstance(entry, int) and abs(entry) < NARROW for entry in entries):
        return array.astype(np.int64)
    return array


#: (ℕ, +, ·): how many taps, paths or windows.
COUNTING = Semiring(
    "COUNTING", 0, 1, _sum, _product, np.add, np.multiply, "(+, ·)", "·", r"\cdot"
)  # fmt: skip
#: (or, and): whether there is one.
BOOLEAN = Semiring(
    "BOOLEAN",
    False,
    True,
    lambda a, b: a or b,
    lambda a, b: a and b,
    np.maximum,
    np.minimum,
    "(or, and)",
    "·",
    r"\cdot",
)
#: (max, +): max pooling, and dilation in morphology.
MAX_PLUS = Semiring(
    "MAX_PLUS", MINUS_INFINITY, 0, _largest, _sum, np.maximum, np.add, "(max, +)", "−∞", r"-\infty"
)
#: (min, +): min pooling, and erosion in morphology.
MIN_PLUS = Semiring(
    "MIN_PLUS", INFINITY, 0, _smallest, _sum, np.minimum, np.add, "(min, +)", "∞", r"\infty"
)

#: All of them by name.
SEMIRINGS = {each.name: each for each in (COUNTING, BOOLEAN, MAX_PLUS, MIN_PLUS)}


def checked_semiring(name: str, value: Any) -> Semiring:
    """One of the semirings."""
    if not isinstance(value, Semiring):
        raise ParameterTypeError(
            f"{name} must be one of {', '.join(SEMIRINGS)}, got {type(value).__name__}"
        )
    return value
