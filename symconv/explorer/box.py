"""A finite box of settings: what an exported page lets its reader choose from."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symconv import checks
from symconv.errors import ParameterError, SymconvError, TooLargeError
from symconv.explorer.settings import PER_AXIS, SIDES, WAYS, Settings

__all__ = ["Box", "Range", "usual_ranges"]

#: Settings of a page, values of one range, and cells that all its steps draw together.
MAX_SETTINGS, MAX_VALUES, MAX_CELLS = 4000, 100, 3_000_000
#: Settings that are no range: every step is in the page, and axes are counted by the sizes.
NO_RANGE = ("step", "rank", "depth")

#: What a page varies unless told, by kind.
USUAL: dict[str, dict[str, tuple[Any, ...]]] = {
    "Conv": {"kernel_size": (1, 2, 3), "stride": (1, 2, 3), "padding": (0, 1), "dilation": (1, 2)},
    "ConvTranspose": {
        "kernel_size": (1, 2, 3),
        "stride": (1, 2, 3),
        "padding": (0, 1),
        "output_padding": (0, 1),
        "way": WAYS,
    },
    "AvgPool": {
        "kernel_size": (1, 2, 3),
        "stride": (1, 2, 3),
        "padding": (0, 1),
        "ceil_mode": (False, True),
        "count_include_pad": (False, True),
    },
    "MaxPool": {
        "kernel_size": (1, 2, 3),
        "stride": (1, 2, 3),
        "padding": (0, 1),
        "ceil_mode": (False, True),
    },
}


@dataclass(frozen=True)
class Range:
    """A setting and the values it takes.

    Examples
    --------
    >>> Range("padding_lo_1", (0, 1)).label, Range("way", ("scatter", "zero_insertion")).spelled
    ('padding low, axis 1', ('scatter', 'zero insertion'))
    """

    name: str
    values: tuple[Any, ...]

    @property
    def label(self) -> str:
        """The setting in words."""
        stem, _, axis = self.name.rpartition("_")
        is_one_axis = axis.isdecimal() and stem in (*PER_AXIS, *SIDES)
        stem = stem if is_one_axis else self.name
        words = {"padding_lo": "padding low", "padding_hi": "padding high"}
        said = words.get(stem, stem.replace("_", " "))
        return f"{said}, axis {axis}" if is_one_axis else said

    @property
    def spelled(self) -> tuple[str, ...]:
        """The values in words."""
        return tuple(map(_spelled, self.values))

    @property
    def is_ordered(self) -> bool:
        """Whether the values are numbers, one after another: a slider rather than a list."""
        return all(type(value) is int for value in self.values)


def _spelled(value: Any) -> str:
    if isinstance(value, str):
        return value.replace("_", " ")
    return checks.shown(value).replace("-", "−")


def usual_ranges(settings: Settings) -> dict[str, tuple[Any, ...]]:
    """What a page varies unless told, the values of the settings among them.

    Examples
    --------
    >>> usual_ranges(Settings(stride=(5, 5)))["stride"]
    (1, 2, 3, 5)
    """
    found = {}
    for name, values in USUAL[settings.kind].items():
        own = getattr(settings, name)
        if name in PER_AXIS and not isinstance(own, str):
            numbers = set(itertools.chain(*own)) if name == "padding" else set(own)
            # Axes or sides that differ are a value of their own.
            own = numbers.pop() if len(numbers) == 1 else own
        found[name] = values if own in values else _inserted(own, values)
    return found


def _inserted(own: Any, values: tuple[Any, ...]) -> tuple[Any, ...]:
    joined = (*values, own)
    return tuple(sorted(joined)) if all(type(value) is int for value in joined) else joined


@dataclass(frozen=True)
class Box:
    """Every combination of the values of some settings, the other settings as they are.

    Examples
    --------
    >>> box = Box.of(Settings(), {"stride": (1, 2), "padding": range(2)})
    >>> len(box), [settings.padding[0] for settings in box]
    (4, [(0, 0), (1, 1), (0, 0), (1, 1)])
    >>> box.start
    (0, 0)
    """

    settings: Settings
    ranges: tuple[Range, ...]

    @classmethod
    def of(cls, settings: Settings, ranges: Mapping[str, Any]) -> Box:
        """Checked: known settings, each value once, and not too many together.

        Raises
        ------
        ParameterError, ParameterTypeError
            If a range names no setting, has no values, or has one twice.
        TooLargeError
            If there are too many settings, or too much to draw.
        """
        checked = []
        for name, given in ranges.items():
            if name in NO_RANGE:
                raise ParameterError(f"ranges must not name {name!r}: it cannot vary on a page")
            if isinstance(given, range) and len(given) > MAX_VALUES:
                raise TooLargeError(_too_many_values(name, len(given)))
            values = tuple(map(_plain, checks.sequence(name, given)))
            if not values:
                raise ParameterError(f"{name} must have at least one value, got none")
            if len(values) > MAX_VALUES:
                raise TooLargeError(_too_many_values(name, len(values)))
            if len({repr(value) for value in values}) < len(values):
                raise ParameterError(f"{name} must have each value once, got {checks.shown(given)}")
            for value in values:
                settings.changed(name, value)
            checked.append(Range(name, values))
        box = cls(settings, tuple(checked))
        if len(box) > MAX_SETTINGS:
            raise TooLargeError(
                f"ranges must give at most {MAX_SETTINGS} settings, got {len(box)}; give fewer "
                f"values, or write several pages"
            )
        cells = sum(map(_cells, box))
        if cells > MAX_CELLS:
            raise TooLargeError(
                f"ranges must give at most {MAX_CELLS} cells to draw, got {cells} in {len(box)} "
                f"settings; give fewer values or smaller inputs, or write several pages"
            )
        return box

    def __len__(self) -> int:
        return math.prod(len(item.values) for item in self.ranges)

    def __iter__(self) -> Iterator[Settings]:
        for values in itertools.product(*(item.values for item in self.ranges)):
            settings = self.settings
            for item, value in zip(self.ranges, values, strict=True):
                settings = settings.changed(item.name, value)
            yield settings

    @property
    def opened(self) -> Settings:
        """The settings at which the page opens."""
        settings = self.settings
        for item, at in zip(self.ranges, self.start, strict=True):
            settings = settings.changed(item.name, item.values[at])
        return settings

    @property
    def start(self) -> tuple[int, ...]:
        """Where the page opens: at the values of the settings, or else the first ones."""
        found = []
        for item in self.ranges:
            same = [self.settings.changed(item.name, each) == self.settings for each in item.values]
            found.append(same.index(True) if True in same else 0)
        return tuple(found)


def _plain(value: Any) -> Any:
    """Lists as tuples, which a layer holds."""
    return tuple(map(_plain, value)) if isinstance(value, list) else value


def _too_many_values(name: str, count: int) -> str:
    return f"{name} must have at most {MAX_VALUES} values on a page, got {count}"


def _cells(settings: Settings) -> int:
    """Cells that the steps of a setting draw, none where there is nothing to draw."""
    try:
        layer: Any = settings.layer()
        size: Sequence[int] = tuple(settings.input_size)
        out_size = layer.output_size(size)
        read, written = math.prod(size), math.prod(out_size)
    except (SymconvError, TypeError):
        # Refused again, with its words, where the setting is looked at.
        return 0
    pairs = layer.in_channels * layer.out_channels if hasattr(layer, "groups") else 1
    factor = pairs if settings.channels is True else 1
    # Zero insertion steps over what is written, among as many cells as that has at most.
    forward = not settings.is_backward or settings.way == "zero_insertion"
    steps = written if (settings.direction == "forward") == forward else read
    return int(factor * steps * (read + written))
