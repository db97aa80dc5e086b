"""What a step diagram shows, as plain data: grids of cells, and per frame marks on them.

Nothing here knows of SVG. A test compares these, or the picture read back, with the triples.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["KINDS", "ROLES", "Cell", "Frame", "Grid", "Mark", "Place", "Scene", "Step"]

#: Position on each axis: of a sample, of padding, of an output.
Place = tuple[int, ...]

#: What a cell is, whatever a step does: a stored number; a place of the padding that repeats one;
#: a zero between samples; padding that reads none; a place past the padding that a window in ceil
#: mode covers; a stored number that negative padding leaves out.
KINDS = ("sample", "repeat", "inserted", "padding", "overhang", "cropped")

#: What a step does with a cell: it is the one the step is about; it is read by, or written to from
#: it (one triple per tap); a tap lies there and there is no number; it is the stored number that a
#: place of the padding repeats, or such a place of the current one; its value is known by now.
ROLES = ("current", "read", "write", "outside", "source", "copy", "done")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a grid: where, of which kind, and which stored number it shows, if any."""

    place: Place
    kind: str
    index: Place | None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """All cells of the input or the output.

    ``ticks`` holds, per axis, (position, label) of the positions that show a stored number;
    ``n_leading`` axes tell planes apart, the others lie in the plane.
    """

    name: str
    title: str
    cells: tuple[Cell, ...]
    ticks: tuple[tuple[tuple[int, str], ...], ...]
    n_leading: int
    has_channels: bool = False
    groups: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """What a step does with one cell: the role, and the taps through which it does it."""

    grid: str
    place: Place
    index: Place | None
    role: str
    taps: tuple[Place, ...] = ()
    text: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: the current cell, and (place, stored index or None, tap) for each tap."""

    direction: str
    current: Place
    touches: tuple[tuple[Place, Place | None, Place], ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """One step as it is drawn."""

    direction: str
    marks: tuple[Mark, ...]
    caption: str


@dataclass(frozen=True, slots=True)
class Scene:
    """A step diagram: the grids, and what to say about them.

    ``kernel`` holds (tap, text) of the taps that are named, ``centres`` where each output stands
    above its window on a single axis.
    """

    title: str
    alt: str
    input: Grid
    output: Grid
    kernel: tuple[tuple[Place, str], ...] = ()
    kernel_title: str = ""
    centres: tuple[float, ...] = ()
    samples_are_input: bool = True
    words: tuple[tuple[str, str], ...] = ()
