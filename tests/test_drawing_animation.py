"""Frames as GIF and MP4: every frame read back, its colours those of the SVG."""

from __future__ import annotations

import io

import numpy as np
import pytest

import symconv as sc
from symconv.drawing import animation, draw
from symconv.drawing.frames import frames_of, split
from symconv.errors import ParameterError, ParameterTypeError, TooLargeError

pytest.importorskip("resvg_py")
pytest.importorskip("matplotlib")
Image = pytest.importorskip("PIL.Image")
ImageSequence = pytest.importorskip("PIL.ImageSequence")

STEPS = draw(sc.Conv2d(1, 1, 2, stride=2), input_size=(4, 6))


def svgs(theme="light"):
    return [STEPS.svg(frame, theme=theme) for frame in range(STEPS.n_frames)]


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_layers_make_the_very_picture(theme):
    """What all frames share is drawn once; the frames are those drawn whole."""
    assert all(split(svg)[0] for svg in svgs(theme))
    assert len({split(svg)[0] for svg in svgs(theme)}) == 1
    for number, frame in enumerate(frames_of(svgs(theme), 1.5, "#ff0000")):
        whole = pixels(STEPS.png(number, theme=theme, scale=1.5))
        assert np.abs(frame - whole).max() <= 3
    other = np.abs(frame - pixels(STEPS.png(0, theme=theme, scale=1.5))).max()
    assert other > 50, "a mistaken frame is told apart"


def test_pictures_without_a_base_are_drawn_whole():
    whole = [svg.replace('class="base"', "") for svg in svgs()]
    assert {split(svg)[0] for svg in whole} == {""}
    for one, other in zip(
        frames_of(svgs(), 1, "#ffffff"), frames_of(whole, 1, "#ffffff"), strict=True
    ):
        assert np.abs(one.astype(int) - other).max() <= 3


def test_a_base_that_changes_is_drawn_again():
    changed = [svgs()[0], svgs("dark")[1], svgs()[2]]
    for number, frame in enumerate(frames_of(changed, 1, "#ffffff")):
        whole = pixels(STEPS.png(number, theme=("light", "dark", "light")[number], scale=1))
        assert np.abs(frame - whole).max() <= 3


@pytest.mark.parametrize(
    "svg", ["<svg/>", '<svg><g class="base"><rect/>', '<svg><g class="base"><g></g>']
)
def test_what_does_not_split_stays_whole(svg):
    assert split(svg) == ("", svg)


def test_nested_groups_belong_to_the_base():
    base, marks = split('<svg><g class="base"><g><g/></g></g><g><g/></g></svg>')
    assert base == '<svg><g class="base"><g><g/></g></g></svg>'
    assert marks == "<svg><g><g/></g></svg>"


def test_frames_of_other_sizes_are_refused():
    mixed = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{n}" height="4"/>' for n in (4, 5)]
    with pytest.raises(ParameterError, match="one size, got 4×4 and 5×4 of frame 1"):
        list(frames_of(mixed, 1, "#ffffff"))


def gif(frames, seconds=0.5):
    file = io.BytesIO()
    animation.write_gif(file, frames, seconds, comment="words ×")
    return Image.open(file)


def test_a_gif_has_every_frame_and_its_colours():
    drawn = list(frames_of(svgs(), 1, "#ffffff"))
    read = gif(drawn, 0.25)
    assert (read.n_frames, read.info["duration"], read.info["loop"]) == (6, 250, 0)
    assert read.info["comment"] == "words ×".encode()
    for frame, found in zip(drawn, ImageSequence.Iterator(read), strict=True):
        shown = np.asarray(found.convert("RGB")).astype(int)
        assert shown.shape == frame.shape
        # Only colours of the edges of letters are replaced, by near ones.
        apart = np.abs(shown - frame).max(axis=2)
        assert (apart == 0).mean() > 0.97
        assert apart.max() <= 48


def test_frequent_colours_stay_as_they_are():
    """More colours than a palette has: the large areas keep theirs."""
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    noise[:, :20] = (0, 114, 178)
    noise[:, 20:30] = (213, 94, 0)
    shown = np.asarray(gif([noise]).convert("RGB"))
    assert (shown[:, :30] == noise[:, :30]).all()
    # Every other colour becomes the nearest one of the palette.
    kept = np.unique(shown.reshape(-1, 3), axis=0).astype(int)
    apart = ((noise[:, 30:, None].astype(int) - kept) ** 2).sum(axis=-1).min(axis=-1)
    found = ((noise[:, 30:].astype(int) - shown[:, 30:]) ** 2).sum(axis=-1)
    assert (found == apart).all()


def test_colours_of_later_frames_are_found():
    frames = [np.full((4, 4, 3), at, dtype=np.uint8) for at in range(20)]
    shown = [np.asarray(f.convert("RGB"))[0, 0, 0] for f in ImageSequence.Iterator(gif(frames))]
    assert shown[:8] == list(range(8))


@pytest.mark.parametrize("seconds", [0.04, 0.5, 3])
def test_a_video_has_every_frame_and_its_colours(seconds):
    av = pytest.importorskip("av")
    drawn = list(frames_of(svgs(), 1, "#ffffff"))
    file = io.BytesIO()
    animation.write_mp4(file, drawn, seconds, paper="#ffffff", title="t", comment="c ×")
    file.seek(0)
    with av.open(file) as container:
        assert container.metadata["title"] == "t"
        assert container.metadata["comment"] == "c ×"
        stream = container.streams.video[0]
        assert float(stream.average_rate) == pytest.approx(1 / seconds)
        assert stream.codec_context.name == "h264"
        shown = [
            frame.reformat(format="rgb24", src_colorspace="ITU709").to_ndarray()
            for frame in container.decode(stream)
        ]
    assert len(shown) == len(drawn)
    height, width = drawn[0].shape[:2]
    assert shown[0].shape == (height + height % 2, width + width % 2, 3)
    for frame, found in zip(drawn, shown, strict=True):
        apart = np.abs(found[:height, :width].astype(int) - frame).max(axis=2)
        # Colours have half the resolution: they blur at edges, and nowhere else.
        assert (apart <= 6).mean() > 0.85


@pytest.mark.parametrize(
    ("seconds", "error", "match"),
    [
        ("1", ParameterTypeError, "seconds_per_frame must be a number"),
        (True, ParameterTypeError, "seconds_per_frame must be a number"),
        (0.01, ParameterError, "from 0.02 to 60, got 0.01"),
        (float("nan"), ParameterError, "got nan"),
        (61, ParameterError, "got 61"),
    ],
)
def test_seconds_are_checked(seconds, error, match):
    with pytest.raises(error, match=match):
        animation.check_seconds(seconds)


def test_no_frames_are_no_animation():
    pytest.importorskip("av")
    for write in (
        lambda: animation.write_gif(io.BytesIO(), [], 1, comment=""),
        lambda: animation.write_mp4(io.BytesIO(), [], 1, paper="#fff", title="", comment=""),
    ):
        with pytest.raises(ParameterError, match="must have frames, got none"):
            write()


def test_limits_are_looked_at_before_anything_is_drawn():
    with pytest.raises(TooLargeError, match="at most 4096 frames, got 5000; draw fewer steps"):
        animation.check_frames(5000, (10, 10))
    with pytest.raises(TooLargeError, match="take a smaller scale"):
        animation.check_frames(4000, (4000, 4000))
