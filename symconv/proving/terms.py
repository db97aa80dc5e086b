"""Integers that are not known yet: the code of symconv runs on them and leaves its formula behind.

A `Term` is a polynomial in named integers. It has ``+ - * // %`` and comparisons, as Python's
integers do, so `AxisRelation` and whatever else uses only these runs on it unchanged. ``//``
and ``%`` write the division down (a = m·q + r, 0 ≤ r < m) with two new names; an ``if``, ``max``
or ``numpy.where`` asks for a truth that is not known, and both answers are followed (`tracing`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Number
from typing import Any, Protocol

import numpy as np

from symconv.errors import ParameterTypeError
from symconv.proving.checker import Poly, add, compares, constant, multiply

__all__ = ["Formula", "Term", "all_of", "any_of", "iff", "implies", "written"]


class Tracer(Protocol):
    """What a term asks of the trace it belongs to."""

    def divided(self, dividend: Term, divisor: Term) -> tuple[Term, Term]:
        """Quotient and remainder, written down."""

    def decided(self, formula: Formula) -> bool:
        """The answer that this path follows."""


def written(a: Poly) -> str:
    """A polynomial as the text that the checker reads: higher degrees first, then by name."""
    if not a:
        return "0"
    text = ""
    for monomial, coefficient in sorted(a.items(), key=lambda part: (-len(part[0]), part[0])):
        size = abs(coefficient)
        factors = ([str(size)] if size != 1 or not monomial else []) + list(monomial)
        sign = "-" if coefficient < 0 else "+"
        text += f" {sign} " if text else ("-" if coefficient < 0 else "")
        text += "*".join(factors)
    return text


class Formula:
    """A comparison of terms, or several joined; as JSON in the checker's language.

    ``&``, ``|`` and ``~`` join and negate, ``==`` is `iff`; see also `implies`.
    """

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, tracer: Tracer | None, json: Any, value: bool | None = None) -> None:
        self.tracer = tracer
        self.json = json
        self.value = value

    def __bool__(self) -> bool:
        if self.value is not None:
            return self.value
        if self.tracer is None:
            raise ParameterTypeError("a formula without a trace is neither true nor false")
        return self.tracer.decided(self)

    def __and__(self, other: Any) -> Formula:
        return all_of(self, other)

    __rand__ = __and__

    def __or__(self, other: Any) -> Formula:
        return any_of(self, other)

    __ror__ = __or__

    def __eq__(self, other: object) -> Any:
        return iff(self, other)

    def __ne__(self, other: object) -> Any:
        return ~iff(self, other)

    def __invert__(self) -> Formula:
        if self.value is not None:
            return _known(not self.value)
        return Formula(self.tracer, {"not": self.json})

    def __repr__(self) -> str:
        return f"Formula({self.json})"


def _known(value: bool) -> Formula:
    return Formula(None, "0 == 0" if value else "0 == 1", value)


def _formula(value: Any) -> Formula:
    if isinstance(value, Formula):
        return value
    if isinstance(value, (bool, np.bool_)):
        return _known(bool(value))
    raise ParameterTypeError(f"a formula must be a comparison of terms, got {value!r:.60}")


def _compound(kind: str, parts: Sequence[Formula]) -> Formula:
    tracer = next((part.tracer for part in parts if part.tracer is not None), None)
    return Formula(tracer, {kind: [part.json for part in parts]})


def _joined(kind: str, neutral: bool, values: Sequence[Any]) -> Formula:
    parts = [_formula(value) for value in values]
    if any(part.value is (not neutral) for part in parts):
        return _known(not neutral)
    # Nested ones of a kind are one list.
    open_parts = [part for part in parts if part.value is None]
    if not open_parts:
        return _known(neutral)
    return open_parts[0] if len(open_parts) == 1 else _compound(kind, open_parts)


def all_of(*values: Any) -> Formula:
    """All of these hold."""
    return _joined("all", True, values)


def any_of(*values: Any) -> Formula:
    """One of these holds."""
    return _joined("any", False, values)


def implies(left: Any, right: Any) -> Formula:
    """If the left one holds, so does the right one."""
    one, other = _formula(left), _formula(right)
    if one.value is not None and other.value is not None:
        return _known(not one.value or other.value)
    return _compound("if", [one, other])


def iff(left: Any, right: Any) -> Formula:
    """Both hold or neither does."""
    one, other = _formula(left), _formula(right)
    if one.value is not None and other.value is not None:
        return _known(one.value == other.value)
    return _compound("iff", [one, other])


class Term:
    """An integer polynomial in the names of a trace.

    It cannot be hashed: whether two are one entry of a set depends on their values.
    """

    __slots__ = ("poly", "tracer")
    __array_priority__ = 1000
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, tracer: Tracer, poly: Poly) -> None:
        self.tracer = tracer
        self.poly = poly

    @property
    def number(self) -> int | None:
        """The value, where it is known."""
        return self.poly.get((), 0) if set(self.poly) <= {()} else None

    def __bool__(self) -> bool:
        return bool(self != 0)

    def _poly(self, value: Any) -> Poly | None:
        if isinstance(value, Term):
            if value.tracer is not self.tracer:
                raise ParameterTypeError(f"{value} is left over from another path")
            return value.poly
        if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
            return constant(int(value))
        return None

    def _combined(self, other: Any, combine: Callable[[Poly, Poly], Poly]) -> Any:
        poly = self._poly(other)
        return NotImplemented if poly is None else Term(self.tracer, combine(self.poly, poly))

    def __add__(self, other: Any) -> Any:
        return self._combined(other, add)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self._combined(other, lambda a, b: add(a, b, -1))

    def __rsub__(self, other: Any) -> Any:
        return self._combined(other, lambda a, b: add(b, a, -1))

    def __mul__(self, other: Any) -> Any:
        return self._combined(other, multiply)

    __rmul__ = __mul__

    def __neg__(self) -> Term:
        return Term(self.tracer, add({}, self.poly, -1))

    def __pos__(self) -> Term:
        return self

    def __abs__(self) -> Any:
        return self if self >= 0 else -self

    def __divmod__(self, other: Any) -> Any:
        poly = self._poly(other)
        if poly is None:
            return NotImplemented
        return self.tracer.divided(self, Term(self.tracer, poly))

    def __rdivmod__(self, other: Any) -> Any:
        poly = self._poly(other)
        if poly is None:
            return NotImplemented
        return self.tracer.divided(Term(self.tracer, poly), self)

    def __floordiv__(self, other: Any) -> Any:
        pair = self.__divmod__(other)
        return pair if pair is NotImplemented else pair[0]

    def __rfloordiv__(self, other: Any) -> Any:
        pair = self.__rdivmod__(other)
        return pair if pair is NotImplemented else pair[0]

    def __mod__(self, other: Any) -> Any:
        pair = self.__divmod__(other)
        return pair if pair is NotImplemented else pair[1]

    def __rmod__(self, other: Any) -> Any:
        pair = self.__rdivmod__(other)
        return pair if pair is NotImplemented else pair[1]

    def _compared(self, other: Any, operator: str) -> Any:
        poly = self._poly(other)
        if poly is None:
            if isinstance(other, (Number, np.bool_)):
                # Python would fall back on identity: an unknown 1 would differ from 1.0 and True.
                raise ParameterTypeError(f"a term is compared with integers, got {other!r:.60}")
            return NotImplemented
        difference = add(self.poly, poly, -1)
        if set(difference) <= {()}:
            return _known(compares(operator, difference.get((), 0)))
        return Formula(self.tracer, f"{written(self.poly)} {operator} {written(poly)}")

    def __ge__(self, other: Any) -> Any:
        return self._compared(other, ">=")

    def __le__(self, other: Any) -> Any:
        return self._compared(other, "<=")

    def __gt__(self, other: Any) -> Any:
        return self._compared(other, ">")

    def __lt__(self, other: Any) -> Any:
        return self._compared(other, "<")

    def __eq__(self, other: object) -> Any:
        return self._compared(other, "==")

    def __ne__(self, other: object) -> Any:
        return self._compared(other, "!=")

    def __repr__(self) -> str:
        return written(self.poly)

    # NumPy's protocols, so that code for arrays of positions runs on one unknown position.

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__" or kwargs or ufunc not in _UFUNCS:
            return NotImplemented
        return _UFUNCS[ufunc](*inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function not in _FUNCTIONS or kwargs:
            return NotImplemented
        return _FUNCTIONS[function](*args)


def _lesser(one: Any, other: Any) -> Any:
    return one if one <= other else other


def _greater(one: Any, other: Any) -> Any:
    return one if one >= other else other


_UFUNCS: dict[Any, Callable[..., Any]] = {np.minimum: _lesser, np.maximum: _greater}
_FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.where: lambda condition, yes, no: yes if condition else no,
    np.clip: lambda value, low, high: _lesser(_greater(value, low), high),
    np.zeros_like: lambda value: 0,
}
