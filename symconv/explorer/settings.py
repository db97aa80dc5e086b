"""Settings of the explorer: one layer at one input size and how it is looked at, change by change.

Settings are plain values, legal or not: whether they are is for the layer to say, in its words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from symconv import checks
from symconv.errors import ParameterError, ParameterTypeError
from symconv.layers import AvgPool, Conv, ConvTranspose, Layer, MaxPool

__all__ = ["DIRECTIONS", "KINDS", "WAYS", "Settings"]

#: The kinds of layer that can be explored.
KINDS: dict[str, Any] = {
    "Conv": Conv,
    "ConvTranspose": ConvTranspose,
    "AvgPool": AvgPool,
    "MaxPool": MaxPool,
}

#: Which way the triples are read, and how a transposed convolution is drawn.
DIRECTIONS = ("forward", "transposed")
WAYS = ("scatter", "zero_insertion")

#: Most spatial axes; of three the planes are drawn side by side.
MAX_RANK = 3

#: Settings with one entry per axis.
PER_AXIS = (
    "input_size",
    "kernel_size",
    "stride",
    "dilation",
    "input_dilation",
    "padding",
    "output_padding",
)
#: Numbers of channels, and what divides them.
CHANNELS = ("in_channels", "out_channels", "groups")
#: One side of the padding each, as settings that `Settings.changed` understands.
SIDES = ("padding_lo", "padding_hi")


@dataclass(frozen=True)
class Settings:
    """A layer with its input size, and how it is looked at.

    Parameters
    ----------
    kind : {"Conv", "ConvTranspose", "AvgPool", "MaxPool"}
    input_size : tuple of int
        Samples per axis; its length is the number of axes.
    kernel_size, stride, … : as for the layers
        All parameters of the four kinds, so that a change of kind keeps them.
    direction : {"forward", "transposed"}
        Whether the layer is looked at or its transpose.
    way : {"scatter", "zero_insertion"}
        How the steps are drawn where each input writes (see `is_backward`).
    channels : bool
        Whether the steps show every channel.
    depth : int
        Copies of the layer in the picture of the receptive field.
    step : int
        Which step is drawn.

    Examples
    --------
    >>> settings = Settings(stride=(2, 2))
    >>> settings.layer()
    Conv(1, 1, (3, 3), stride=(2, 2), bias=False)
    >>> settings.changed("padding_lo", 1).changed("stride_1", 1).layer()
    Conv(1, 1, (3, 3), stride=(2, 1), padding=((1, 0), (1, 0)), bias=False)
    """

    kind: str = "Conv"
    input_size: Any = (5, 5)
    kernel_size: Any = (3, 3)
    stride: Any = (1, 1)
    dilation: Any = (1, 1)
    input_dilation: Any = (1, 1)
    padding: Any = ((0, 0), (0, 0))
    output_padding: Any = (0, 0)
    in_channels: Any = 1
    out_channels: Any = 1
    groups: Any = 1
    bias: bool = False
    padding_mode: str = "zeros"
    padding_value: Any = 0
    ceil_mode: bool = False
    count_include_pad: Any = True
    divisor_override: Any = None
    direction: str = "forward"
    way: str = "scatter"
    channels: bool = False
    depth: int = 2
    step: int = 0

    @classmethod
    def of(cls, layer: Layer, input_size: Sequence[int]) -> Settings:
        """The settings that a layer has.

        Raises
        ------
        ParameterTypeError
            If the layer is of another kind, or has a framework's convention as padding.
        ParameterError
            If it has more than three axes.

        Examples
        --------
        >>> from symconv.layers import MaxPool
        >>> Settings.of(MaxPool((2, 2)), (4, 4)).changed("kind", "AvgPool").layer()
        AvgPool((2, 2), stride=(2, 2))
        """
        if type(layer) not in KINDS.values():
            raise ParameterTypeError(
                f"layer must be a {', '.join(list(KINDS)[:-1])} or {list(KINDS)[-1]} to be "
                f"explored, got {checks.shown(layer)}"
            )
        if layer.rank > MAX_RANK:
            raise ParameterError(f"layer must have at most {MAX_RANK} axes, got {layer.rank}")
        found = {item.name: getattr(layer, item.name) for item in fields(layer)}  # type: ignore[arg-type]
        padding = found["padding"]
        is_plain = isinstance(padding, tuple) and all(isinstance(pair, tuple) for pair in padding)
        if not is_plain and not isinstance(padding, str):
            raise ParameterTypeError(
                f"padding must be numbers or a name to be explored, got {checks.shown(padding)}"
            )
        size = checks.per_axis("input_size", input_size, layer.rank, 0)
        settings = cls(kind=type(layer).__name__, input_size=(1,) * layer.rank)
        return replace(settings._of_rank(layer.rank), **found, input_size=size)

    @property
    def rank(self) -> int:
        """Number of spatial axes."""
        return len(self.input_size)

    def _of_rank(self, rank: int) -> Settings:
        """The same with so many axes: the first ones, or the last one again."""
        rank = checks.concrete("rank", checks.integer("rank", rank, 1))
        if rank > MAX_RANK:
            raise ParameterError(f"rank must be at most {MAX_RANK}, got {rank}")
        found: dict[str, Any] = {}
        for name in PER_AXIS:
            value = getattr(self, name)
            if not isinstance(value, str):
                found[name] = (*value, *(value[-1],) * rank)[:rank]
        return replace(self, **found)

    def changed(self, name: str, value: Any) -> Settings:
        """These settings with one changed.

        Parameters
        ----------
        name : str
            A setting, "rank", or one side of the padding ("padding_lo", "padding_hi"); with
            ``_0``, ``_1``, … after it for one axis.
        value
            One number for every axis, or one entry per axis.

        Raises
        ------
        ParameterError
            If there is no such setting or axis, or there are too few or too many entries. What a
            number may be is for the layer to say.
        """
        if name == "rank":
            return self._of_rank(value)
        if name in KNOWN and name not in PER_AXIS:
            return replace(self, **{name: value})
        stem, _, axis = name.rpartition("_")
        if axis.isdecimal() and stem in (*PER_AXIS, *SIDES):
            if int(axis) >= self.rank:
                raise ParameterError(
                    f"{name} must name one of the {self.rank} axes, counted from 0"
                )
            places: tuple[int, ...] = (int(axis),)
        elif name in (*PER_AXIS, *SIDES):
            stem, places = name, tuple(range(self.rank))
        else:
            raise ParameterError(
                f"settings must be among {', '.join(sorted({*KNOWN, *SIDES, 'rank'}))}, "
                f"got {checks.shown(name)}"
            )
        return self._placed(stem, value, places)

    def _placed(self, name: str, value: Any, axes: tuple[int, ...]) -> Settings:
        """These settings with the entries of some axes changed."""
        if name == "padding" and isinstance(value, str):
            return replace(self, padding=value)
        field = "padding" if name in SIDES else name
        entries = list(self.pairs if field == "padding" else getattr(self, field))
        whole = isinstance(value, (tuple, list)) and len(axes) == self.rank
        given = value if whole else (value,) * len(axes)
        if len(given) != len(axes):
            raise ParameterError(
                f"{name} must have one entry per axis ({self.rank}), got {checks.shown(value)}"
            )
        for axis, entry in zip(axes, given, strict=True):
            if name in SIDES:
                pair = list(entries[axis])
                pair[SIDES.index(name)] = entry
                entries[axis] = tuple(pair)
            else:
                entries[axis] = _pair(entry) if name == "padding" else entry
        changes: dict[str, Any] = {field: tuple(entries)}
        return replace(self, **changes)

    @property
    def pairs(self) -> tuple[tuple[Any, Any], ...]:
        """The padding as (lo, hi) per axis; none where it goes by a name."""
        return ((0, 0),) * self.rank if isinstance(self.padding, str) else self.padding

    @property
    def is_backward(self) -> bool:
        """Whether the relation is read from its outputs to its inputs: each sample writes."""
        return (self.kind == "ConvTranspose") != (self.direction == "transposed")

    def layer(self) -> Layer:
        """The layer.

        Raises
        ------
        SymconvError
            What the layer refuses, in its words.
        """
        kind = KINDS[checks.choice("kind", self.kind, KINDS)]
        parameters = {item.name: getattr(self, item.name) for item in fields(kind)}
        layer: Layer = kind(**parameters)
        return layer


def _pair(amount: Any) -> tuple[Any, Any]:
    """Low and high padding: two numbers, or one for both sides."""
    if not isinstance(amount, (tuple, list)):
        return (amount, amount)
    if len(amount) != 2:
        raise ParameterError(f"padding must give (lo, hi) per axis, got {checks.shown(amount)}")
    return (amount[0], amount[1])


KNOWN = tuple(item.name for item in fields(Settings))
