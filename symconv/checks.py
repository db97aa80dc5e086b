"""Rules for single parameters: integers, integers per axis, padding pairs, choices.

Each function returns the normalised value or raises an error that names the parameter, the rule
and the value. Whole numbers of any kind (Python, NumPy, SymPy) become Python ints; SymPy
expressions pass where a symbolic value makes sense; floats and bools never do.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import sympy

from symconv.errors import ParameterError, ParameterTypeError

__all__ = [
    "choice",
    "concrete",
    "flag",
    "in_memory",
    "integer",
    "is_dask",
    "is_symbolic",
    "pairs",
    "per_axis",
    "sequence",
]

#: A Python int, or a SymPy expression for a symbolic one.
Integer = Any


def is_symbolic(value: object) -> bool:
    """Whether `value` is a SymPy expression with free symbols."""
    return isinstance(value, sympy.Expr) and bool(value.free_symbols)


def is_dask(value: Any) -> bool:
    """Whether this is a Dask array; without importing Dask, which then is imported already."""
    arrays = sys.modules.get("dask.array")
    return arrays is not None and isinstance(value, getattr(arrays, "Array", ()))


def in_memory(name: str, value: Any) -> None:
    """Refuse a Dask array where the whole is needed at once: NumPy would compute it silently."""
    if is_dask(value):
        raise ParameterTypeError(
            f"{name} must be an array in memory, got a Dask array; pass {name}.compute()"
        )


def shown(value: object) -> str:
    """`value` for an error message, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def integer(name: str, value: Any, minimum: int | None = None) -> Integer:
    """An integer, at least `minimum`; symbolic expressions pass unless known to break the rule."""
    rule = "an integer" if minimum is None else f"an integer >= {minimum}"
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, (bool, np.bool_)):
        raise ParameterTypeError(f"{name} must be {rule}, got the boolean {value}")
    if isinstance(value, (int, np.integer, sympy.Integer)):
        number = int(value)
        if minimum is not None and number < minimum:
            raise ParameterError(f"{name} must be >= {minimum}, got {shown(number)}")
        return number
    if is_symbolic(value):
        below = False if minimum is None else (value - minimum).is_negative
        if value.is_integer is False or below:
            raise ParameterError(f"{name} must be {rule}, got the symbolic {shown(value)}")
        return value
    raise ParameterTypeError(f"{name} must be {rule}, got {type(value).__name__} {shown(value)}")


def concrete(name: str, value: Integer) -> int:
    """A Python int, where a symbolic value cannot do."""
    if not isinstance(value, int):
        raise ParameterTypeError(
            f"{name} must be a concrete integer here, got the symbolic {shown(value)}; "
            f"substitute a number first"
        )
    return value


def _is_sequence(value: Any) -> bool:
    """Whether `value` holds entries: looked at without NumPy, which refuses ragged ones."""
    if isinstance(value, np.ndarray):
        return value.ndim > 0
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def sequence(name: str, value: Any) -> tuple[Any, ...]:
    """A tuple, list, or one-dimensional array, as a tuple."""
    if _is_sequence(value):
        return tuple(value)
    raise ParameterTypeError(
        f"{name} must be a tuple with one entry per axis, got {type(value).__name__} {shown(value)}"
    )


def per_axis(name: str, value: Any, rank: int, minimum: int | None = None) -> tuple[Integer, ...]:
    """One integer for every axis, or one per axis."""
    entries = sequence(name, value) if _is_sequence(value) else (value,) * rank
    if len(entries) != rank:
        raise ParameterError(
            f"{name} must have one entry per axis ({rank}), got {len(entries)}: {shown(value)}"
        )
    return tuple(integer(name, entry, minimum) for entry in entries)


def pairs(name: str, value: Any, rank: int) -> tuple[tuple[Integer, Integer], ...]:
    """Padding per axis as (lo, hi): an int, one int per axis, or one (lo, hi) pair per axis."""
    if not _is_sequence(value):
        amount = integer(name, value)
        return ((amount, amount),) * rank
    entries = sequence(name, value)
    if len(entries) != rank:
        hint = ""
        if rank == 1 and len(entries) == 2 and not any(map(_is_sequence, entries)):
            hint = f"; for one axis write (({entries[0]}, {entries[1]}),)"
        raise ParameterError(
            f"{name} must have one entry per axis ({rank}), got {len(entries)}: "
            f"{shown(value)}{hint}"
        )
    result = []
    for entry in entries:
        if _is_sequence(entry):
            pair = sequence(name, entry)
            if len(pair) != 2:
                raise ParameterError(f"{name} must give (lo, hi) per axis, got {shown(entry)}")
            result.append((integer(name, pair[0]), integer(name, pair[1])))
        else:
            amount = integer(name, entry)
            result.append((amount, amount))
    return tuple(result)


def flag(name: str, value: Any) -> bool:
    """A boolean and nothing that merely looks like one."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    raise ParameterTypeError(
        f"{name} must be True or False, got {type(value).__name__} {shown(value)}"
    )


def choice(name: str, value: Any, options: Collection[str]) -> str:
    """One of the named options."""
    if isinstance(value, str) and value in options:
        return value
    listed = ", ".join(repr(option) for option in options)
    raise ParameterError(f"{name} must be one of {listed}, got {shown(value)}")
