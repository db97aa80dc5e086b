"""Pictures as files, whole or not at all: SVG, PNG, GIF, MP4 and HTML, told apart by suffix."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Protocol

from symconv import checks
from symconv.drawing import animation, frames, raster
from symconv.drawing.themes import DARK, LIGHT, THEMES
from symconv.errors import FileError, ParameterError, ParameterTypeError
from symconv.files import check_writable, write_atomically

__all__ = ["SUFFIXES", "check_path", "moving_scale", "save"]

#: What a picture may be saved as: still ones first, then those that show all frames.
SUFFIXES = (".svg", ".png", ".gif", ".mp4", ".html")
#: Pixels per unit of the SVG; an animation takes the first of these with not too many pixels.
STILL, MOVING, ENOUGH = 2.0, (2.0, 1.5, 1.0, 0.75), 500_000


class Picture(Protocol):
    """What a drawing has to answer to be saved (see `symconv.drawing.base.Drawing`)."""

    title: str
    alt: str
    n_frames: int

    def svg(self, frame: int = 0, *, theme: str = "auto") -> str:
        """One frame."""

    def html(self) -> str:
        """A page with all of them."""


def check_path(path: Any) -> Path:
    """The path of a picture, refused before any work where nothing could be written.

    Raises
    ------
    FileError
        If the suffix is none of `SUFFIXES`, the folder is missing, or `path` is no regular file.

    Examples
    --------
    >>> check_path("figure.bmp")
    Traceback (most recent call last):
    symconv.errors.FileError: file name must end in .svg, .png, .gif, .mp4 or .html, got figure.bmp
    """
    if not isinstance(path, (str, Path)):
        raise ParameterTypeError(f"path must be text or a Path, got {type(path).__name__}")
    if "\0" in str(path):
        raise FileError(f"file name must not hold a null character, got {str(path)!r}")
    target = Path(path)
    if target.suffix.lower() not in SUFFIXES:
        listed = f"{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
        raise FileError(f"file name must end in {listed}, got {target}")
    check_writable(target)
    return target


def save(
    drawing: Picture,
    path: str | Path,
    *,
    theme: str | None = None,
    frame: int = 0,
    scale: float | None = None,
    seconds_per_frame: float = 0.5,
) -> Path:
    """Write a picture as the suffix says; after an error nothing is left behind.

    Parameters
    ----------
    drawing : Drawing
    path : str or Path
        ``.svg`` and ``.png`` show one frame, ``.gif``, ``.mp4`` and ``.html`` all of them.
    theme : {"light", "dark", "auto"}, optional
        "light" unless said; SVG may follow what its reader prefers by "auto". A page follows it
        always, and takes no theme.
    frame : int, default 0
        For ``.svg`` and ``.png``.
    scale : float, optional
        Pixels per unit of the SVG: 2, and for animations what `moving_scale` says.
    seconds_per_frame : float, default 0.5
        From 0.02 to 60.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    FileError
        If the suffix is another, or the file cannot be written.
    ParameterError
        If theme, frame, scale or seconds_per_frame is none.
    TooLargeError
        If there are too many pixels or frames; nothing is drawn then.
    MissingExtraError
        If the suffix needs the extra ``draw``.

    Examples
    --------
    >>> import symconv as sc
    >>> from symconv.drawing import draw
    >>> save(draw(sc.Conv1d(1, 1, 3), input_size=(5,)), "steps.gif").name  # doctest: +SKIP
    'steps.gif'
    """
    target = check_path(path)
    kind = target.suffix.lower()
    if theme is not None:
        checks.choice("theme", theme, THEMES)
        if kind == ".html" or (kind != ".svg" and theme == "auto"):
            rule = "left out for .html" if kind == ".html" else f"light or dark for {kind}"
            raise ParameterError(f"theme must be {rule}, got {theme!r}")
    chosen = theme or "light"
    animation.check_seconds(seconds_per_frame)
    if scale is not None:
        raster.check_scale(scale)
    if kind == ".html":
        page = drawing.html().encode()
        write_atomically(target, lambda file: file.write(page))
        return target
    first = drawing.svg(frame, theme=chosen)
    if kind == ".svg":
        write_atomically(target, lambda file: file.write(first.encode()))
        return target
    texts = {"Title": drawing.title, "Description": drawing.alt}
    if kind == ".png":
        picture = raster.png_of(first, STILL if scale is None else scale, texts=texts)
        write_atomically(target, lambda file: file.write(picture))
        return target
    write_atomically(target, _animated(drawing, kind, chosen, scale, seconds_per_frame, first))
    return target


def moving_scale(svg: str) -> float:
    """Pixels per unit of an animation: 2, 1.5, 1 or 0.75, the first with at most 500,000 pixels.

    Examples
    --------
    >>> moving_scale('<svg width="400" height="300"></svg>')
    2.0
    >>> moving_scale('<svg width="960" height="1000"></svg>')
    0.75
    """
    width, height = raster.drawn_size(svg)
    fitting = (scale for scale in MOVING if width * height * scale**2 <= ENOUGH)
    return next(fitting, MOVING[-1])


def _animated(
    drawing: Picture, kind: str, theme: str, scale: float | None, seconds: float, first: str
) -> Any:
    """What writes all frames into an open file, its limits checked."""
    scale = moving_scale(first) if scale is None else scale
    animation.check_frames(drawing.n_frames, raster.pixel_size(first, scale))
    # Before the first frame, not after the last.
    for name in ("PIL.Image", *(("av",) if kind == ".mp4" else ())):
        raster.extra_module(name, f"a {kind} file")
    raster.check_extra()
    paper = (DARK if theme == "dark" else LIGHT).paper

    def svgs() -> Iterator[str]:
        for frame in range(drawing.n_frames):
            yield drawing.svg(frame, theme=theme)

    def write(file: IO[bytes]) -> None:
        drawn = frames.frames_of(svgs(), scale, paper)
        if kind == ".gif":
            comment = f"{drawing.title}\n{drawing.alt}"
            animation.write_gif(file, drawn, seconds, comment=comment)
        else:
            words = {"title": drawing.title, "comment": drawing.alt}
            animation.write_mp4(file, drawn, seconds, paper=paper, **words)

    return write
