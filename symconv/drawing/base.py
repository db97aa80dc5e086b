"""What every picture answers: its frames as SVG, in words, as a page and as a file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from symconv import checks
from symconv.drawing.page import still_page
from symconv.drawing.themes import THEMES
from symconv.errors import ParameterError

__all__ = ["Drawing", "Still"]


class Drawing(ABC):
    """A picture of one frame or several, made by `symconv.draw`.

    Attributes
    ----------
    title : str
        What is drawn, in one line.
    alt : str
        Alternative text: what a reader who cannot see the picture needs.
    n_frames : int
        Number of frames; 1 for a still picture.

    Examples
    --------
    >>> import symconv as sc
    >>> from symconv.drawing import draw
    >>> steps = draw(sc.Conv1d(1, 1, 3, padding=1), input_size=(4,))
    >>> steps.n_frames, steps.caption(0)
    (4, 'output 0 reads inputs 0 and 1; tap 0 lies on padding')
    >>> steps.svg(0, theme="dark").startswith("<svg")
    True
    """

    title: str
    alt: str
    n_frames: int = 1

    @abstractmethod
    def _picture(self, frame: int, theme: str) -> str:
        """One frame as SVG; frame and theme are checked."""

    def svg(self, frame: int = 0, *, theme: str = "auto") -> str:
        """One frame as self-contained SVG with a title and a description.

        Parameters
        ----------
        frame : int, default 0
            0 … n_frames − 1; negative ones count from the end.
        theme : {"auto", "light", "dark"}
            "auto" follows what the reader prefers (``prefers-color-scheme``).

        Raises
        ------
        ParameterError
            If there is no such frame or theme.
        """
        return self._picture(self._checked_frame(frame), checks.choice("theme", theme, THEMES))

    def caption(self, frame: int = 0) -> str:
        """What a frame shows, in words."""
        self._checked_frame(frame)
        return self.alt

    def html(self) -> str:
        """A page that needs neither Python nor a network."""
        return still_page(self.title, self.svg(0), self.alt)

    def png(self, frame: int = 0, *, theme: str = "light", scale: float = 2.0) -> bytes:
        """One frame as PNG (the extra ``draw``).

        Parameters
        ----------
        frame, theme : as for `svg`
        scale : float, default 2.0
            Pixels per unit of the SVG.
        """
        from symconv.drawing import raster  # noqa: PLC0415 - needs an extra

        texts = {"Title": self.title, "Description": self.alt}
        return raster.png_of(self.svg(frame, theme=theme), scale, texts=texts)

    def save(
        self,
        path: str | Path,
        *,
        theme: str | None = None,
        frame: int = 0,
        scale: float | None = None,
        seconds_per_frame: float = 0.5,
    ) -> Path:
        """The picture as a file, whole or not at all; the suffix says which kind.

        Parameters
        ----------
        path : str or Path
            ``.svg`` and ``.png`` show one frame, ``.gif``, ``.mp4`` and ``.html`` all of them.
        theme, frame, scale, seconds_per_frame
            See `symconv.drawing.saving.save`.

        Returns
        -------
        Path
        """
        from symconv.drawing import saving  # noqa: PLC0415 - needs an extra

        return saving.save(
            self,
            path,
            theme=theme,
            frame=frame,
            scale=scale,
            seconds_per_frame=seconds_per_frame,
        )

    def _checked_frame(self, frame: int) -> int:
        number = checks.concrete("frame", checks.integer("frame", frame))
        if not -self.n_frames <= number < self.n_frames:
            raise ParameterError(f"frame must be 0 … {self.n_frames - 1}, got {number}")
        return number % self.n_frames

    def __repr__(self) -> str:
        frames = "1 frame" if self.n_frames == 1 else f"{self.n_frames} frames"
        return f"<{type(self).__name__}, {frames}: {self.title}>"

    def _repr_svg_(self) -> str:
        return self.svg(0)


class Still(Drawing):
    """A picture of one frame.

    Parameters
    ----------
    title, alt : str
    picture : callable
        Theme → SVG.

    Examples
    --------
    >>> Still("a dot", "one dot", lambda theme: "<svg/>").svg(theme="dark")
    '<svg/>'
    """

    def __init__(self, title: str, alt: str, picture: Callable[[str], str]) -> None:
        self.title, self.alt, self._draw = title, alt, picture

    def _picture(self, frame: int, theme: str) -> str:
        return self._draw(theme)
