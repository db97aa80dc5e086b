"""What every engine is: a function for a layer at a size, and a table of what it takes."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any, ClassVar

import numpy.typing as npt

from symconv.checks import shown
from symconv.conventions import Convention
from symconv.errors import GeometryError, MissingExtraError, ParameterError
from symconv.layers import Layer, MaxPool
from symconv.verifying import UnsupportedError

__all__ = [
    "Array",
    "Engine",
    "Function",
    "Pads",
    "overhangs",
    "pads_of",
    "refuse",
    "require_value",
    "same_windows",
    "window",
]

Array = npt.NDArray[Any]
Function = Callable[..., Any]
Pads = tuple[tuple[int, int], ...]

#: Columns of the table of `Engine.supported`.
WIDTH = 100


class Engine:
    """Base of the engines: a `symconv.verifying.Implementation` of one library.

    A subclass writes one method for each kind of layer that it takes, named in `METHODS`, which
    returns the function ``fn(x[, w[, b]])`` of NumPy arrays.

    Attributes
    ----------
    name : str
        As in `ENGINES`.
    library : str
        The package that is imported.
    extra : str
        The extra of symconv that installs it; empty where symconv needs it anyway.
    takes : dict of str to str
        Kind of layer → what of it the library has.
    """

    name: ClassVar[str]
    library: ClassVar[str]
    extra: ClassVar[str] = "peers"
    takes: ClassVar[dict[str, str]]

    #: Kind of layer → the method that makes its function.
    METHODS: ClassVar[dict[str, str]] = {
        "Conv": "conv",
        "ConvTranspose": "conv_transpose",
        "AvgPool": "avg_pool",
        "MaxPool": "max_pool",
        "AdaptiveAvgPool": "adaptive_avg_pool",
        "AdaptiveMaxPool": "adaptive_max_pool",
        "GlobalAvgPool": "global_avg_pool",
        "GlobalMaxPool": "global_max_pool",
    }

    def __init__(self) -> None:
        self._import(self.library)

    def _import(self, module: str) -> Any:
        """A module of the library, or the error that names its extra."""
        try:
            return import_module(module)
        except (ImportError, OSError) as error:
            # OSError: an installation whose shared libraries do not load.
            raise MissingExtraError(
                f'engine {self.name} needs {self.library}: pip install "symconv[{self.extra}]" '
                f"({shown(str(error))})"
            ) from None

    @property
    def version(self) -> str:
        """The version of the library."""
        return str(getattr(self._import(self.library), "__version__", "unknown"))

    @classmethod
    def supported(cls) -> str:
        """What the engine takes, as a table."""
        wide = max(map(len, cls.takes))
        rows = []
        for kind, what in cls.takes.items():
            lines = textwrap.wrap(what, WIDTH - wide - 2)
            rows.append(f"{kind.ljust(wide)}  {lines[0]}")
            rows.extend(f"{'':{wide}}  {line}" for line in lines[1:])
        return "\n".join(rows)

    def build(self, layer: Layer, input_size: tuple[int, ...]) -> Function:
        """The function of one geometry.

        Raises
        ------
        UnsupportedError
            If the library does not take it; the message says which of its rules is broken.
        """
        kind = type(layer).__name__
        if kind not in self.takes:
            raise UnsupportedError(
                f"layer must be one of {', '.join(self.takes)} in {self.name}, got {kind}"
            )
        made: Function = getattr(self, self.METHODS[kind])(layer, tuple(input_size))
        return made

    def growth(self, layer: Layer, input_size: tuple[int, ...]) -> float | None:
        """`growth` of `symconv.verify` for engines that round; None where results are exact."""
        return None

    def _check_rank(self, rank: int, most: int = 3) -> None:
        if rank > most:
            raise refuse(self, "spatial axes", f"at most {most}", rank)

    def __repr__(self) -> str:
        return f"engine({self.name!r})"


def refuse(engine: Engine, name: str, rule: str, value: Any) -> UnsupportedError:
    """The error that names parameter, rule and value."""
    return UnsupportedError(f"{name} must be {rule} in {engine.name}, got {shown(value)}")


def require_value(engine: Engine, name: str, values: Iterable[Any], expected: Any) -> None:
    """Refuse a parameter that has another value than the one there is, on some axis."""
    given = tuple(values)
    if any(value != expected for value in given):
        raise refuse(engine, name, str(expected), given)


def pads_of(layer: Any, size: tuple[int, ...]) -> Pads:
    """(lo, hi) per axis at this size, whatever the padding is spelled as."""
    relations = [layer.relation(axis, n) for axis, n in enumerate(size)]
    return tuple((int(each.pad_lo), int(each.pad_hi)) for each in relations)


def window(engine: Engine, layer: Any, size: tuple[int, ...]) -> tuple[Pads, bool]:
    """Pads and ceil mode of a pooling; a convention is spelled out at this size.

    Raises
    ------
    UnsupportedError
        If neither the floor rule nor PyTorch's ceil mode gives the convention's windows.
    """
    pads = pads_of(layer, size)
    entries = layer.padding if isinstance(layer.padding, tuple) else (layer.padding,)
    if not any(isinstance(entry, Convention) for entry in entries):
        return pads, layer.ceil_mode
    for ceil_mode in (False, True):
        if same_windows(layer, size, pads, ceil_mode):
            return pads, ceil_mode
    raise refuse(engine, "padding", "a rule that pads and ceil_mode can say", layer.padding)


def same_windows(layer: Any, size: tuple[int, ...], padding: Any, ceil_mode: bool) -> bool:
    """Whether this padding and ceil mode give the number of windows that the layer has."""
    try:
        plain = MaxPool(
            layer.kernel_size,
            stride=layer.stride,
            padding=padding,
            dilation=layer.dilation,
            ceil_mode=ceil_mode,
        )
        return bool(plain.output_size(size) == layer.output_size(size))
    except (GeometryError, ParameterError):
        return False


def overhangs(layer: Any, size: tuple[int, ...]) -> tuple[int, ...]:
    """Samples that the last window reads past the padding, per axis (ceil mode); at least 0."""
    found = []
    for axis, (n, n_out) in enumerate(zip(size, layer.output_size(size), strict=True)):
        relation = layer.relation(axis, n)
        found.append(max(int(relation.reach(n_out)) - int(relation.padded_size(n)), 0))
    return tuple(found)
