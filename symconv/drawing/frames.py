"""Frames as pixels: what all frames share is drawn once, and each frame's own marks upon it.

resvg takes most of its time for shapes and letters, and a step differs from the next in a few.
Step diagrams say what they share: a group ``<g class="base">`` in front of all that changes. Both
layers are the SVG's own marks in its own order, so that laying one on the other is the picture
(but for rounding, a unit of a colour at the edges of marks).
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.drawing.raster import extra_module, pixel_size, raster_of
from symconv.errors import ParameterError

__all__ = ["frames_of", "split"]

Array = npt.NDArray[Any]

BASE = '<g class="base">'
_GROUP = re.compile(r"<g\b[^>]*>|</g>")
_WORDS = re.compile(r"<(title|desc)>.*?</\1>", re.DOTALL)


def split(svg: str) -> tuple[str, str]:
    """An SVG as two: what frames share, and the marks upon it; the first is empty where none is.

    Examples
    --------
    >>> split('<svg width="1"><desc>a</desc><g class="base"><rect/></g><path/></svg>')
    ('<svg width="1"><g class="base"><rect/></g></svg>', '<svg width="1"><path/></svg>')
    """
    start = svg.find(BASE)
    if start < 0:
        return "", svg
    # Words are not drawn, and tell apart frames that look the same.
    head, depth = _WORDS.sub("", svg[:start]), 0
    for group in _GROUP.finditer(svg, start):
        depth += -1 if group[0] == "</g>" else not group[0].endswith("/>")
        if depth == 0:
            return f"{head}{svg[start : group.end()]}</svg>", head + svg[group.end() :]
    return "", svg


def frames_of(svgs: Iterable[str], scale: float, paper: str) -> Iterator[Array]:
    """The pixels (height, width, 3) of equally large SVGs, one by one.

    Parameters
    ----------
    svgs : iterable of str
    scale : float
        Pixels per unit of the SVGs.
    paper : str
        Colour behind transparent pixels.

    Raises
    ------
    ParameterError
        If an SVG differs in size from the first, or is none.
    """
    image = extra_module("PIL.Image", "an animation")

    def drawn(svg: str, ground: Any) -> Any:
        with image.open(io.BytesIO(raster_of(svg, size))) as picture:
            return image.alpha_composite(ground, picture.convert("RGBA"))

    first, shared, ground = None, None, None
    for number, svg in enumerate(svgs):
        size = pixel_size(svg, scale)
        first = first or size
        if size != first:
            raise ParameterError(
                f"frames must have one size, got {first[0]}×{first[1]} and {size[0]}×{size[1]} "
                f"of frame {number}"
            )
        base, marks = split(svg)
        if ground is None or base != shared:
            shared, ground = base, image.new("RGBA", size, paper)
            if base:
                ground = drawn(base, ground)
        yield np.asarray(drawn(marks, ground).convert("RGB"))
