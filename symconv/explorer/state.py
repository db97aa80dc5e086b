"""What the explorer shows for one setting: texts, numbers and pictures, or why there are none.

No widgets and no HTML here. Everything shown is computed from the layer; what cannot be had is
explained in the words of the error.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from symconv import checks
from symconv.drawing import Drawing, draw
from symconv.errors import ParameterError, SymconvError, TooLargeError, located
from symconv.explorer.settings import CHANNELS, DIRECTIONS, PER_AXIS, WAYS, Settings
from symconv.geometry import by_axis
from symconv.layers import Layer
from symconv.overlap import multiplicities

__all__ = ["Picture", "Refusal", "View", "look"]

#: Copies of the layer that are stacked for the receptive field, at most.
MAX_DEPTH = 8
#: Largest number of a setting: pictures of more show nothing, and take long.
MAX_NUMBER = 1000
#: Sizes of one axis that are listed, and layers whose pictures are kept at hand.
MAX_LISTED, KEPT = 8, 4


@dataclass(frozen=True)
class Picture:
    """A picture with its name and caption, or why there is none.

    Attributes
    ----------
    name : str
        "steps", "matrix", "overlap" or "receptive_field".
    title, caption : str
    svg : str
        Empty where there is no picture.
    refusal : str
        Why there is none, else empty.
    """

    name: str
    title: str
    caption: str = ""
    svg: str = ""
    refusal: str = ""


@dataclass(frozen=True)
class View:
    """What is shown of a legal setting.

    Attributes
    ----------
    layer : str
        The call that makes the layer.
    formula : str
        The layer's LaTeX.
    facts : tuple of (str, str)
        Names and values: sizes, counts.
    n_steps, step : int
        How many steps there are, and the one that is drawn: the last where fewer exist than asked.
    steps : Picture
    others : tuple of Picture
        The matrix, the overlap and the receptive field.
    """

    layer: str
    formula: str
    facts: tuple[tuple[str, str], ...]
    n_steps: int
    step: int
    steps: Picture
    others: tuple[Picture, ...]

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """All pictures, the steps first."""
        return (self.steps, *self.others)


@dataclass(frozen=True)
class Refusal:
    """Why a setting shows nothing: the words of the error that the layer raised."""

    reason: str


def look(settings: Settings, theme: str = "auto") -> View | Refusal:
    """What there is to see at one setting; nothing is raised for a bad one.

    Examples
    --------
    >>> view = look(Settings(stride=(2, 2)))
    >>> dict(view.facts)["output size"], view.n_steps
    ('2×2', 4)
    >>> look(Settings(groups=2)).reason
    'groups must divide in_channels, got groups 2, 1 (Conv(1, 1, (3, 3), groups=2, bias=False))'
    """
    try:
        return Subject.of(settings).view(settings.step, theme)
    except SymconvError as error:
        return Refusal(str(error))


@dataclass(frozen=True, eq=False)
class Subject:
    """All that is shown of a layer but the step: computed once and looked at step after step."""

    layer: Layer
    formula: str
    facts: tuple[tuple[str, str], ...]
    drawing: Drawing | str
    others: tuple[tuple[str, str, Drawing | str], ...]

    @classmethod
    def of(cls, settings: Settings) -> Subject:
        """From the cache where the same layer was looked at shortly before.

        Raises
        ------
        SymconvError
            If the layer or the input size is not legal.
        """
        layer = settings.layer()
        with located(layer.describe):
            size = checks.per_axis("input_size", settings.input_size, layer.rank, 0)
        size = tuple(checks.concrete("input_size", n) for n in size)
        for name in PER_AXIS + CHANNELS:
            _check_small(name, getattr(settings, name))
        direction = checks.choice("direction", settings.direction, DIRECTIONS)
        way = checks.choice("way", settings.way, WAYS)
        depth = checks.concrete("depth", checks.integer("depth", settings.depth, 1))
        if depth > MAX_DEPTH:
            raise ParameterError(f"depth must be at most {MAX_DEPTH}, got {depth}")
        channels = checks.flag("channels", settings.channels)
        steps: dict[str, Any] = {"channels": True} if channels else {}
        if settings.is_backward:
            steps["way"] = way
        return _subject(layer, size, direction, tuple(steps.items()), depth)

    @property
    def n_steps(self) -> int:
        """How many steps there are to look at."""
        return 1 if isinstance(self.drawing, str) else self.drawing.n_frames

    def view(self, step: int = 0, theme: str = "auto") -> View:
        """The texts and pictures at one step; after the last one, the last."""
        step = min(checks.concrete("step", checks.integer("step", step, 0)), self.n_steps - 1)
        others = tuple(_picture(*other, 0, theme) for other in self.others)
        steps = self.steps(step, theme)
        return View(repr(self.layer), self.formula, self.facts, self.n_steps, step, steps, others)

    def steps(self, step: int, theme: str = "auto") -> Picture:
        """The picture of one step alone."""
        return _picture("steps", "Step by step", self.drawing, step, theme)


def _check_small(name: str, value: Any) -> None:
    """Refuse what is far too large to look at, before anything is computed with it."""
    for entry in value if isinstance(value, tuple) else (value,):
        if isinstance(entry, tuple):
            _check_small(name, entry)
        elif isinstance(entry, int) and abs(entry) > MAX_NUMBER:
            raise TooLargeError(
                f"{name} must be within ±{MAX_NUMBER} to be explored, got {checks.shown(entry)}"
            )


def _picture(name: str, title: str, drawing: Drawing | str, frame: int, theme: str) -> Picture:
    if isinstance(drawing, str):
        return Picture(name, title, refusal=drawing)
    try:
        return Picture(name, title, drawing.caption(frame), drawing.svg(frame, theme=theme))
    except SymconvError as error:
        return Picture(name, title, refusal=str(error))


@lru_cache(KEPT)
def _subject(
    layer: Layer,
    size: tuple[int, ...],
    direction: str,
    steps: tuple[tuple[str, Any], ...],
    depth: int,
) -> Subject:
    if direction == "transposed" and not layer.is_linear:
        raise ParameterError(
            "direction must be forward for a layer that is not linear, got transposed "
            f"({layer.describe()})"
        )
    operator: Any = layer.operator(size)
    operator = operator.T if direction == "transposed" else operator
    # On an endless axis, as far as the padding does not depend on the size.
    sized = {"input_size": size} if isinstance(getattr(layer, "padding", 0), str) else {}
    others = (
        ("matrix", "Matrix", _drawn(lambda: draw(operator, "matrix"))),
        ("overlap", "Overlap", _drawn(lambda: draw(layer, "overlap", input_size=size))),
        (
            "receptive_field",
            "Receptive field" + f" of {depth} layers" * (depth > 1),
            _drawn(lambda: draw([layer] * depth, "receptive_field", **sized)),
        ),
    )
    drawing = _drawn(lambda: draw(operator, "steps", **dict(steps)))
    return Subject(layer, layer.latex(), _facts(layer, size, operator), drawing, others)


def _drawn(make: Callable[[], Drawing]) -> Drawing | str:
    """A drawing, or why there is none: one that is too large leaves the others alone."""
    try:
        return make()
    except SymconvError as error:
        return str(error)


def _facts(layer: Any, size: tuple[int, ...], operator: Any) -> tuple[tuple[str, str], ...]:
    """Sizes and counts in words."""
    out_size = layer.output_size(size)
    found = multiplicities(layer, size)
    unread, unwritten = _zeros(found.axis_inputs), _zeros(found.axis_outputs)
    facts = [
        ("input size", by_axis(size)),
        ("output size", by_axis(out_size)),
        ("input sizes with this output size", _sizes(layer.input_sizes(out_size))),
        ("samples that no output reads", f"{unread} of {math.prod(size)}"),
    ]
    if unwritten:
        facts.append(("outputs that read no sample", f"{unwritten} of {math.prod(out_size)}"))
    facts.append(("parameters", str(layer.parameter_count())))
    if hasattr(layer, "counts"):
        counts = layer.counts(size)
        facts += [
            ("multiplications, padding included", str(counts.macs_per_tap)),
            ("multiplications with a stored sample", str(counts.macs_inside)),
        ]
    else:
        facts.append(("samples read, per channel", str(found.total)))
    rows, columns = operator.shape
    facts.append(("matrix", f"{rows}×{columns}, {operator.nnz} entries"))
    extents = by_axis(layer.relation(axis, n).extent for axis, n in enumerate(size))
    facts.append(("extent of the window", extents))
    return tuple(facts)


def _zeros(axes: tuple[Any, ...]) -> int:
    """Positions whose count is 0: on one of the axes it is."""
    positions = math.prod(len(counts) for counts in axes)
    return positions - math.prod(int((counts > 0).sum()) for counts in axes)


def _sizes(axes: tuple[tuple[int, ...], ...]) -> str:
    """The sizes of each axis: few are listed, of many the ends are named."""

    def listed(sizes: tuple[int, ...]) -> str:
        if len(sizes) <= MAX_LISTED:
            return " or ".join(map(str, sizes)) or "none"
        return f"{sizes[0]} … {sizes[-1]}"

    if len(axes) > 1 and len(set(axes)) == 1:
        return f"{listed(axes[0])} on each axis"
    return " by ".join(map(listed, axes))
