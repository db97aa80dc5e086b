"""The view "steps": what each output of an operator reads, or where each input writes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from symconv import checks
from symconv.drawing.base import Drawing
from symconv.drawing.grids import Grids
from symconv.drawing.numbers import Numbers
from symconv.drawing.readings import DIRECTIONS, reading_of
from symconv.drawing.scene import Frame, Scene
from symconv.drawing.stepper import stepper_page
from symconv.drawing.steps import Steps
from symconv.drawing.subject import subject_of
from symconv.drawing.svg import Picture
from symconv.errors import ParameterError, TooLargeError, located
from symconv.geometry import by_axis

__all__ = ["StepDrawing", "draw_steps"]

#: Taps of a kernel that is shown next to the grids.
MAX_KERNEL = 49


def draw_steps(
    thing: Any,
    *,
    input_size: Any = None,
    way: str | None = None,
    direction: str | None = None,
    channels: bool = False,
    planes: Iterable[int] | None = None,
    steps: Iterable[int] | None = None,
    x: Any = None,
    weight: Any = None,
    bias: Any = None,
    title: str | None = None,
) -> StepDrawing:
    """A sliding-window diagram, step by step.

    Parameters
    ----------
    thing : Operator, BoundOperator, PoolOperator or Layer
    input_size : tuple of int
        For a layer.
    way : {"scatter", "zero_insertion"}, optional
        Of a transposed operator: each input writes its window (the default), or zeros between the
        inputs and a convolution of stride 1 with the flipped kernel.
    direction : {"forward", "transposed"}, optional
        "forward" goes over the outputs and shows what each reads, "transposed" over the inputs and
        shows where each writes. Unless said, whichever goes over windows.
    channels : bool, default False
        Draw every channel, with its group. Otherwise one pair of channels, which is the spatial
        relation of all of them.
    planes : iterable of int, optional
        Of three axes: positions on the first one that are stepped over; the planes of the other
        side that these need are drawn with them.
    steps : iterable of int, optional
        Which cells are stepped over, by flat index (of channel and position with `channels`).
    x : array_like, optional
        Values of the input; sums are shown as well, exact for exact numbers.
    weight, bias : array_like, optional
        Values of the weights; their names ``w₀₁`` otherwise. A bound operator brings its own.
    title : str, optional

    Returns
    -------
    StepDrawing

    Raises
    ------
    TooLargeError
        If there are too many cells or frames; the message says how to choose some.
    ParameterError
        If an option does not fit the operator.

    Examples
    --------
    >>> import symconv as sc
    >>> layer = sc.ConvTranspose1d(1, 1, 3, stride=2, padding=1)
    >>> draw_steps(layer, input_size=(3,)).caption(0)
    'input 0 writes to outputs 0 and 1; tap 0 is cut off'
    >>> insertion = draw_steps(layer, input_size=(3,), way="zero_insertion")
    >>> insertion.caption(1)
    'output 1 reads inputs 0 and 1; tap 1 lies on an inserted zero'
    >>> numbers = draw_steps(
    ...     sc.Conv1d(1, 1, 2, bias=False), input_size=(3,), x=[1, 2, 4], weight=[[[1, 10]]]
    ... )
    >>> numbers.caption(1)
    'output 1 reads inputs 1 and 2: 1·2 + 10·4 = 42'

    References
    ----------
    V. Dumoulin, F. Visin (2016), arXiv:1603.07285, figures 2.1 to 4.7.
    """
    subject = subject_of(thing, input_size)
    operator = subject.operator
    with located(operator.describe):
        with_channels = checks.flag("channels", channels)
        reading = reading_of(operator, way, with_channels)
        weight = subject.weight if weight is None else weight
        bias = subject.bias if bias is None else bias
        numbers = Numbers(operator, with_channels, x, weight, bias, turned=reading.flipped)
        default = "forward" if reading.samples_are_input else "transposed"
        chosen = default if direction is None else direction
        checks.choice("direction", chosen, DIRECTIONS)
        made = Steps(Grids(reading, numbers, chosen, planes), steps)
        return StepDrawing(made, title or operator.describe())


class StepDrawing(Drawing):
    """The frames of a sliding-window diagram (see `draw_steps`).

    Attributes
    ----------
    scene : Scene
        The grids, as plain data.
    frames : list of Frame
        The marks of each frame, as plain data.
    """

    def __init__(self, steps: Steps, title: str) -> None:
        self.title, self._steps = title, steps
        self.frames = steps.frames()
        self.n_frames = len(self.frames)
        self.scene = _scene(steps, title, (steps.direction,))
        self.alt = self.scene.alt

    @cached_property
    def other(self) -> tuple[list[Frame], str]:
        """The frames of the other direction, or none and the reason."""
        if self._steps.grids.planes is not None:
            return [], "planes are chosen for one direction"
        direction = next(name for name in DIRECTIONS if name != self._steps.direction)
        try:
            return self._steps.frames(direction), ""
        except (TooLargeError, ParameterError) as error:
            # Too many of them, or none: an empty input writes nothing.
            return [], str(error)

    @cached_property
    def _drawn(self) -> Picture:
        return Picture(self.scene, self.frames, [])

    def _picture(self, frame: int, theme: str) -> str:
        return self._drawn.svg(self.frames[frame], theme)

    def caption(self, frame: int = 0) -> str:
        """What a frame shows, in words."""
        return self.frames[self._checked_frame(frame)].caption

    def html(self) -> str:
        """A page with all frames in both directions: slider, play, arrow keys; no Python needed."""
        others, reason = self.other
        scene = _scene(self._steps, self.title, DIRECTIONS) if others else self.scene
        picture = Picture(scene, self.frames, others)
        return stepper_page(picture, self.title, self.alt, (self.frames, others), reason)


def _scene(steps: Steps, title: str, directions: tuple[str, ...]) -> Scene:
    reading = steps.reading
    source, target = steps.grids.both()
    samples = source if reading.samples_are_input else target
    line = len(reading.axes) == 1
    return Scene(
        title=title,
        alt=_alt(steps),
        input=source,
        output=target,
        kernel=_kernel(steps),
        kernel_title="kernel, flipped" if reading.flipped else "kernel",
        centres=steps.grids.centres() if line else (),
        samples_are_input=reading.samples_are_input,
        words=tuple(_words(steps, {cell.kind for cell in samples.cells}, directions)),
    )


def _alt(steps: Steps) -> str:
    reading, forward = steps.reading, steps.direction == "forward"
    source, target = (by_axis(reading.size(side)) for side in ("input", "output"))
    kernel = by_axis(reading.kernel_size[1:] if reading.has_channels else reading.kernel_size)
    what = "each output reads" if forward else "each input writes"
    way = (
        " with zeros inserted between the inputs and the kernel flipped" if reading.flipped else ""
    )
    return (
        f"Step diagram of a {kernel} window from an input of {source} to an output of {target}"
        f"{way}: what {what}, in {len(steps.currents)} frames."
    )


def _kernel(steps: Steps) -> tuple[Any, ...]:
    """The names or values of all taps, as they lie under the window."""
    reading, numbers = steps.reading, steps.numbers
    size = reading.kernel_size
    if reading.has_channels or not numbers.has_weights or len(size) > 2:
        return ()
    if max(size) > 7:
        return ()
    first = tuple(0 for _ in size)
    found = []
    for row in range(size[0]):
        for column in range(size[1]) if len(size) > 1 else [None]:
            tap = (row,) if column is None else (row, column)
            at = (
                tuple(n - 1 - k for n, k in zip(size, tap, strict=True)) if reading.flipped else tap
            )
            found.append((tap, numbers.tap(first, at)))
    return tuple(found)


def _words(steps: Steps, kinds: set[str], directions: tuple[str, ...]) -> list[tuple[str, str]]:
    """The legend: classes and words of what can be seen."""
    reading = steps.reading
    mode, value = reading.boundary.mode, reading.boundary.value
    outside = f"padding (constant {value})" if mode == "constant" else "padding (zeros)"
    side = "i" if reading.samples_are_input else "o"
    said = {
        "repeat": f"padding that repeats a sample ({mode})",
        "inserted": "inserted zero",
        "padding": outside if side == "i" else "cut off by padding",
        "overhang": "overhang of ceil mode",
        "cropped": "cropped" if side == "i" else "appended: never written",
    }
    words = [("sample i", "input"), ("sample o", "output")]
    words += [(f"{kind} {side}", text) for kind, text in said.items() if kind in kinds]
    if "repeat" in kinds:
        words.append((f"source {side}", "sample that the padding repeats"))
    if "forward" in directions:
        words += [("read i", "read in this step"), ("current o", "current output")]
    if "transposed" in directions:
        words += [("write o", "written in this step"), ("current i", "current input")]
    return words
