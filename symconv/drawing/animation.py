"""Frames as GIF and MP4: one palette with the very colours of the pictures, and H.264 video."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain, islice
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from symconv.drawing.raster import extra_module
from symconv.errors import ParameterError, ParameterTypeError, TooLargeError

__all__ = ["MAX_FRAMES", "check_frames", "check_seconds", "write_gif", "write_mp4"]

Array = npt.NDArray[Any]

#: Most frames of an animation, and most pixels of all of them together.
MAX_FRAMES, MAX_TOTAL = 4096, 2**33
#: Seconds for which a frame may be seen; browsers slow GIFs down that are faster.
SHORTEST, LONGEST = 0.02, 60.0
#: Frames that the palette is taken from.
SAMPLED = 8


def check_seconds(seconds: float) -> float:
    """Seconds per frame as a float.

    Raises
    ------
    ParameterTypeError, ParameterError
        If it is no number from 0.02 to 60.
    """
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise ParameterTypeError(
            f"seconds_per_frame must be a number, got {type(seconds).__name__} {seconds!r}"
        )
    if not SHORTEST <= seconds <= LONGEST:
        raise ParameterError(
            f"seconds_per_frame must be from {SHORTEST:g} to {LONGEST:g}, got {seconds}"
        )
    return float(seconds)


def check_frames(n_frames: int, size: tuple[int, int]) -> None:
    """Refuse more frames or pixels than an animation may have, before any is drawn."""
    if n_frames > MAX_FRAMES:
        raise TooLargeError(
            f"an animation must have at most {MAX_FRAMES} frames, got {n_frames}; draw fewer "
            f"steps, or write .html"
        )
    if n_frames * size[0] * size[1] > MAX_TOTAL:
        raise TooLargeError(
            f"an animation must have at most {MAX_TOTAL} pixels, got {n_frames} frames of "
            f"{size[0]}×{size[1]}; take a smaller scale, draw fewer steps, or write .html"
        )


def _packed(pixels: Array) -> Array:
    """Each pixel as one number."""
    wide = pixels.astype(np.int32)
    return np.asarray((wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2])


class _Palette:
    """The 256 most frequent colours of some frames; every other one becomes the nearest of them.

    Pillow's own quantisers average colours, so that a cell would not have the colour its legend
    has; most pixels of a diagram have one of a few colours, and those stay as they are.
    """

    def __init__(self, frames: Iterable[Array]) -> None:
        counts: dict[int, int] = {}
        for frame in frames:
            values, found = np.unique(_packed(frame), return_counts=True)
            for value, count in zip(values.tolist(), found.tolist(), strict=True):
                counts[value] = counts.get(value, 0) + count
        kept = sorted(counts, key=lambda value: (-counts[value], value))[:256]
        self.colours = np.array([[v >> 16, v >> 8 & 255, v & 255] for v in kept], dtype=np.int32)
        # One entry per colour there is, filled as colours occur.
        self._index = np.full(2**24, -1, dtype=np.int16)

    def indices(self, frame: Array) -> Array:
        packed = _packed(frame)
        found = self._index[packed]
        unknown = np.unique(packed[found < 0])
        if len(unknown):
            for part in np.array_split(unknown, -(-len(unknown) // 4096)):
                each = np.stack([part >> 16, part >> 8 & 255, part & 255], axis=-1)
                apart = ((each[:, None] - self.colours) ** 2).sum(axis=-1)
                self._index[part] = apart.argmin(axis=1)
            found = self._index[packed]
        return np.asarray(found.astype(np.uint8))


def write_gif(
    file: IO[bytes], frames: Iterable[Array], seconds_per_frame: float, *, comment: str
) -> None:
    """Write frames as an endless GIF.

    Parameters
    ----------
    file : binary file
    frames : iterable of numpy.ndarray, shape (height, width, 3), uint8
    seconds_per_frame : float
        Rounded to hundredths, GIF's unit.
    comment : str
        Alternative text, kept as the GIF's comment.

    Raises
    ------
    ParameterError
        If there are no frames.
    MissingExtraError
        If Pillow is not installed (the extra ``draw``).

    References
    ----------
    *Graphics Interchange Format, version 89a*, CompuServe (1990).
    """
    image = extra_module("PIL.Image", "a GIF")
    left = iter(frames)
    early = list(islice(left, SAMPLED))
    if not early:
        raise ParameterError("an animation must have frames, got none")
    palette = _Palette(early)
    entries = palette.colours.astype(np.uint8).tobytes()

    def indexed() -> Iterator[Any]:
        for frame in chain(early, left):
            picture = image.fromarray(palette.indices(frame))
            picture.putpalette(entries)
            yield picture

    pictures = indexed()
    next(pictures).save(
        file,
        format="GIF",
        save_all=True,
        append_images=pictures,
        duration=10 * round(100 * check_seconds(seconds_per_frame)),
        loop=0,
        optimize=False,
        comment=comment.encode("utf-8", "replace"),
    )


def write_mp4(
    file: IO[bytes],
    frames: Iterable[Array],
    seconds_per_frame: float,
    *,
    paper: str,
    title: str,
    comment: str,
) -> None:
    """Write frames as an H.264 video in an MP4 file, by PyAV.

    Odd widths and heights are made even by a last column and row of paper: players want colours
    at half the resolution.

    Parameters
    ----------
    file : binary file
        One that can be written at any place.
    frames : iterable of numpy.ndarray, shape (height, width, 3), uint8
    seconds_per_frame : float
    paper : str
        Colour of that column and row.
    title, comment : str
        Metadata; the comment is the alternative text.

    Raises
    ------
    ParameterError
        If there are no frames.
    MissingExtraError
        If PyAV or Pillow is not installed (the extra ``draw``).

    References
    ----------
    ITU-R BT.709-6 (2015), the colours of the video.
    """
    image, av = extra_module("PIL.Image", "a video"), extra_module("av", "a video")
    left = iter(frames)
    first = next(left, None)
    if first is None:
        raise ParameterError("an animation must have frames, got none")
    height, width = (n + n % 2 for n in first.shape[:2])
    ground = np.asarray(image.new("RGB", (width, height), paper))
    rate = 1 / Fraction(check_seconds(seconds_per_frame)).limit_denominator(1000)
    with av.open(file, "w", format="mp4") as container:
        container.metadata.update({"title": title, "comment": comment})
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": "16", "preset": "veryfast", "tune": "animation"}
        context = stream.codec_context
        # Said in the file, so that players do not guess: BT.709, video range.
        context.colorspace = context.color_primaries = context.color_trc = context.color_range = 1
        for frame in chain((first,), left):
            whole = ground.copy()
            whole[: frame.shape[0], : frame.shape[1]] = frame
            picture = av.VideoFrame.from_ndarray(whole, format="rgb24")
            coded = picture.reformat(format="yuv420p", dst_colorspace="ITU709")
            container.mux(stream.encode(coded))
        container.mux(stream.encode())
