"""What goes wrong, by kind: each error is a `SymconvError` and also the fitting builtin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = [
    "ClusterError",
    "DTypeError",
    "FileError",
    "GeometryError",
    "MissingExtraError",
    "ParameterError",
    "ParameterTypeError",
    "ParseError",
    "ShapeError",
    "SymconvError",
    "TooLargeError",
    "located",
]


class SymconvError(Exception):
    """Base of every error that symconv raises on purpose."""

    #: Whether the message already ends with the geometry (see `located`).
    is_located = False


class ParameterError(SymconvError, ValueError):
    """A parameter has the right type and a value outside its rule."""


class ParameterTypeError(SymconvError, TypeError):
    """A parameter has the wrong type: a float, a bool or a symbol where an integer belongs."""


class GeometryError(SymconvError, ValueError):
    """The parameters are legal one by one, and no output exists for this input size."""


class ShapeError(SymconvError, ValueError):
    """An array has the wrong shape for this operator."""


class DTypeError(SymconvError, TypeError):
    """An array holds numbers that the asked computation cannot take, floats in an exact one say."""


class TooLargeError(SymconvError, MemoryError):
    """The result was estimated before allocating and does not fit."""


class ParseError(SymconvError, ValueError):
    """A text does not spell a layer or a number."""


class FileError(SymconvError, OSError):
    """A file is missing, unreadable, not what it claims to be, or cannot be written."""


class MissingExtraError(SymconvError, ImportError):
    """An optional dependency is not installed; the message names the extra that brings it."""


class ClusterError(SymconvError, ConnectionError):
    """A cluster was lost before all was done."""


@contextmanager
def located(describe: Callable[[], str]) -> Iterator[None]:
    """Add to a `SymconvError` raised inside, once, the geometry it is about.

    Rules are checked by small functions that know one parameter only. The boundary that knows
    the whole layer wraps them, so that each message ends with the geometry.
    """
    try:
        yield
    except SymconvError as error:
        if error.is_located:
            raise
        placed = type(error)(f"{error} ({describe()})")
        placed.is_located = True
        raise placed from None
