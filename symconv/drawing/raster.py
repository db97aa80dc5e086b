"""SVG to PNG by resvg, in the fonts that Matplotlib ships, and how many pixels that may take.

A raster is the very SVG that other rooms write and tests read back: nothing is drawn twice.
"""

from __future__ import annotations

import math
import re
import struct
import zlib
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from symconv.errors import MissingExtraError, ParameterError, ParameterTypeError, TooLargeError

__all__ = ["MAX_PIXELS", "check_extra", "check_scale", "fonts", "pixel_size", "png_of", "raster_of"]

#: Most pixels of one picture, and most along one side.
MAX_PIXELS, MAX_SIDE = 2**26, 2**15
#: Largest magnification.
MAX_SCALE = 64.0
#: Longest SVG text that is drawn.
MAX_TEXT = 2**26

_ROOT = re.compile(r"<svg\b[^>]*>")
_SIDE = re.compile(r'\s(width|height)="([0-9.]+)(?:px)?"')


def extra_module(name: str, what: str) -> Any:
    """A module of the extra ``draw``, loaded when it is needed and not before."""
    try:
        return import_module(name)
    except ImportError:
        raise MissingExtraError(
            f"{what} needs {name.partition('.')[0]}, which is not installed: "
            f'pip install "symconv[draw]"'
        ) from None


@cache
def fonts() -> tuple[str, ...]:
    """The font files of every raster: DejaVu Sans, plain and bold, and its typewriter sister.

    System fonts are not looked at, so that a picture is the same on every machine.
    """
    folder = Path(extra_module("matplotlib", "a PNG").get_data_path()) / "fonts" / "ttf"
    names = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSansMono")
    return tuple(str(folder / f"{name}.ttf") for name in names)


def check_scale(scale: float) -> float:
    """A magnification as a float.

    Raises
    ------
    ParameterTypeError, ParameterError
        If it is no number, or not above 0 and at most 64.
    """
    if isinstance(scale, bool) or not isinstance(scale, (int, float)):
        raise ParameterTypeError(f"scale must be a number, got {type(scale).__name__} {scale!r}")
    if not 0 < scale <= MAX_SCALE:
        raise ParameterError(f"scale must be above 0 and at most {MAX_SCALE:g}, got {scale}")
    return float(scale)


def drawn_size(svg: str) -> tuple[float, float]:
    """Width and height that the root of an SVG states.

    Examples
    --------
    >>> drawn_size('<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20.5"></svg>')
    (30.0, 20.5)
    """
    if not isinstance(svg, str):
        raise ParameterTypeError(f"svg must be text, got {type(svg).__name__}")
    if len(svg) > MAX_TEXT:
        raise TooLargeError(f"svg must have at most {MAX_TEXT} characters, got {len(svg)}")
    root = _ROOT.search(svg)
    sides = dict(_SIDE.findall(root[0])) if root else {}
    try:
        size = float(sides["width"]), float(sides["height"])
    except (KeyError, ValueError):
        raise ParameterError("svg must state its width and height in its root") from None
    if not min(size) > 0:
        raise ParameterError(f"svg must have a size, got {size[0]:g} × {size[1]:g}")
    return size


def pixel_size(svg: str, scale: float) -> tuple[int, int]:
    """Width and height of the raster, refused where it has too many pixels.

    Raises
    ------
    TooLargeError
        If it has more than `MAX_PIXELS` pixels, or more than 2**15 along a side.

    Examples
    --------
    >>> pixel_size('<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20.5"></svg>', 2)
    (60, 41)
    """
    factor = check_scale(scale)
    width, height = (max(1, math.ceil(side * factor - 1e-6)) for side in drawn_size(svg))
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise TooLargeError(
            f"a picture must have at most {MAX_PIXELS} pixels and {MAX_SIDE} along one side, got "
            f"{width}×{height}; take a scale below {scale:g}, or write .svg or .html"
        )
    return width, height


def raster_of(svg: str, size: tuple[int, int]) -> bytes:
    """The PNG of an SVG in pixels that were checked (see `pixel_size`)."""
    resvg, files = extra_module("resvg_py", "a PNG"), fonts()
    try:
        png = resvg.svg_to_bytes(
            svg_string=svg,
            width=size[0],
            height=size[1],
            skip_system_fonts=True,
            font_files=list(files),
            font_family="DejaVu Sans",
            sans_serif_family="DejaVu Sans",
            serif_family="DejaVu Sans",
            monospace_family="DejaVu Sans Mono",
        )
    except ValueError as error:
        raise ParameterError(f"svg must be a picture that resvg draws: {error}") from None
    return bytes(png)


def png_of(svg: str, scale: float = 2.0, *, texts: Mapping[str, str] | None = None) -> bytes:
    """An SVG as PNG, with alternative text in its metadata.

    Parameters
    ----------
    svg : str
        Self-contained, with width and height in its root. Where its colours depend on what the
        reader prefers, the light ones are drawn.
    scale : float, default 2
        Pixels per unit of the SVG.
    texts : mapping of str to str, optional
        Keyword → text of the PNG's metadata, such as Title and Description.

    Raises
    ------
    TooLargeError
        If the raster has more than 2**26 pixels; nothing is drawn then.
    MissingExtraError
        If resvg or Matplotlib (whose fonts are used) is not installed: the extra ``draw``.

    Examples
    --------
    >>> dot = '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"></svg>'
    >>> png_of(dot)[1:4]  # doctest: +SKIP
    b'PNG'

    References
    ----------
    *Portable Network Graphics (PNG) Specification*, W3C (2003), 11.3.4.5 (the iTXt chunk).
    """
    return with_texts(raster_of(svg, pixel_size(svg, scale)), texts or {})


def check_extra() -> None:
    """Refuse to draw where resvg or the fonts are missing."""
    extra_module("resvg_py", "a PNG")
    fonts()


def with_texts(png: bytes, texts: Mapping[str, str]) -> bytes:
    """A PNG with international text chunks after its header; the pixels are not coded again."""
    # Signature and header (IHDR) have a fixed length.
    head, rest = png[:33], png[33:]
    chunks = b""
    for key, text in texts.items():
        if text:
            body = key.encode("latin-1") + b"\0\0\0\0\0" + text.encode("utf-8", "replace")
            checked = b"iTXt" + body
            chunks += struct.pack(">I", len(body)) + checked
            chunks += struct.pack(">I", zlib.crc32(checked))
    return head + chunks + rest
