"""The controls of the live explorer: a table, one line for each setting.

To add one, write a line; its name is one that `Settings.changed` understands.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from symconv.boundary import MODES
from symconv.conventions import AMOUNTS
from symconv.explorer.settings import DIRECTIONS, KINDS, MAX_RANK, SIDES, WAYS, Settings

__all__ = ["CONTROLS", "Control"]


@dataclass(frozen=True)
class Control:
    """One setting as a reader sees it.

    Attributes
    ----------
    name : str
        For `Settings.changed`; with the axis after it where `per_axis`.
    label, group : str
        What is written beside the control, and above those that belong together.
    low, high : int
        Ends of the slider, where there are no `options`.
    options : tuple
        The values of a list.
    per_axis : bool
        Whether each axis has its own.
    only : tuple of str
        The kinds that have it though no parameter of theirs says so, or () to ask the parameters.
    """

    name: str
    label: str
    group: str
    low: int = 0
    high: int = 0
    options: tuple[Any, ...] = ()
    per_axis: bool = False
    only: tuple[str, ...] = ()

    def applies(self, settings: Settings) -> bool:
        """Whether it changes anything that is shown.

        Examples
        --------
        >>> groups = next(each for each in CONTROLS if each.name == "groups")
        >>> groups.applies(Settings()), groups.applies(Settings(kind="MaxPool"))
        (True, False)
        """
        if settings.kind not in KINDS:
            return not self.only
        if self.only:
            return settings.kind in self.only and (self.name != "way" or settings.is_backward)
        if self.name in SIDES:
            return not isinstance(settings.padding, str)
        parameters = {item.name for item in fields(KINDS[settings.kind])}
        return self.name in parameters or self.name in ALWAYS

    def value(self, settings: Settings, axis: int = 0) -> Any:
        """The value that the settings give it."""
        if self.name in SIDES:
            return settings.pairs[axis][SIDES.index(self.name)]
        if self.name == "padding":
            return settings.padding if isinstance(settings.padding, str) else BY_NUMBERS
        found = getattr(settings, self.name)
        return found[axis] if self.per_axis else found


#: Settings that every kind has.
ALWAYS = ("kind", "rank", "input_size", "depth")
#: The padding that is no name of a convention: the sliders say it.
BY_NUMBERS = "by numbers"

WEIGHTED = tuple(name for name, kind in KINDS.items() if hasattr(kind, "counts"))
LINEAR = tuple(name for name, kind in KINDS.items() if kind.is_linear)

CONTROLS = (
    Control("kind", "kind", "layer", options=tuple(KINDS)),
    Control("rank", "axes", "layer", options=tuple(range(1, MAX_RANK + 1))),
    Control("input_size", "input size", "sizes", 1, 12, per_axis=True),
    Control("kernel_size", "kernel size", "sizes", 1, 7, per_axis=True),
    Control("stride", "stride", "sizes", 1, 5, per_axis=True),
    Control("dilation", "dilation", "sizes", 1, 4, per_axis=True),
    Control("input_dilation", "input dilation", "sizes", 1, 3, per_axis=True),
    Control(
        "padding", "padding", "padding", options=(BY_NUMBERS, *AMOUNTS),
        only=("Conv", "AvgPool", "MaxPool"),
    ),
    Control("padding_lo", "padding, low", "padding", -2, 6, per_axis=True),
    Control("padding_hi", "padding, high", "padding", -2, 6, per_axis=True),
    Control("padding_mode", "padding mode", "padding", options=tuple(MODES)),
    Control("output_padding", "output padding", "padding", 0, 4, per_axis=True),
    Control("ceil_mode", "ceil mode", "padding", options=(False, True)),
    Control("count_include_pad", "count padding", "padding", options=(False, True)),
    Control("in_channels", "input channels", "channels", 1, 8),
    Control("out_channels", "output channels", "channels", 1, 8),
    Control("groups", "groups", "channels", 1, 8),
    Control("bias", "bias", "channels", options=(False, True)),
    Control("direction", "direction", "shown", options=DIRECTIONS, only=LINEAR),
    Control("way", "drawn by", "shown", options=WAYS, only=LINEAR),
    Control("channels", "draw channels", "shown", options=(False, True), only=WEIGHTED),
    Control("depth", "layers stacked", "shown", 1, 4),
)  # fmt: skip
