"""Pictures as files: by suffix, whole or not at all."""

from __future__ import annotations

import os
import stat
import sys
from importlib import import_module

import pytest

import symconv as sc
from symconv.drawing import animation, draw, raster, saving
from symconv.drawing.themes import DARK
from symconv.errors import (
    FileError,
    MissingExtraError,
    ParameterError,
    ParameterTypeError,
    TooLargeError,
)

STEPS = draw(sc.Conv1d(1, 1, 2), input_size=(4,))
KINDS = {".svg": b"<svg", ".png": b"\x89PNG", ".gif": b"GIF89a", ".mp4": b"ftyp", ".html": b"<!doc"}


def needs(suffix):
    if suffix in (".png", ".gif", ".mp4"):
        for module in ("resvg_py", "matplotlib", "PIL"):
            pytest.importorskip(module)
    if suffix == ".mp4":
        pytest.importorskip("av")


def kept(path, before=b"before"):
    """The target is as it was and nothing lies beside it."""
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("suffix", [*KINDS, ".SVG"])
def test_the_suffix_says_the_kind(tmp_path, suffix):
    needs(suffix)
    path = tmp_path / f"figure{suffix}"
    assert STEPS.save(path) == path
    assert KINDS[suffix.lower()] in path.read_bytes()[:12]
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("suffix", KINDS)
def test_files_tell_what_they_show(tmp_path, suffix):
    needs(suffix)
    text = STEPS.save(tmp_path / f"figure{suffix}").read_bytes().decode("utf-8", "replace")
    assert STEPS.title in text
    assert STEPS.alt.split(".")[0] in text


def test_still_kinds_show_the_chosen_frame(tmp_path):
    for frame in (0, 2, -1):
        path = STEPS.save(tmp_path / "a.svg", frame=frame, theme="dark")
        assert path.read_text() == STEPS.svg(frame, theme="dark")
    assert DARK.paper in path.read_text()
    assert "prefers-color-scheme" in STEPS.save(tmp_path / "a.svg", theme="auto").read_text()


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("figure", r"must end in .svg, .png, .gif, .mp4 or .html, got .*figure"),
        ("figure.bmp", "must end in"),
        ("figure.svg.exe", "must end in"),
        (".svg", "must end in"),
        ("absent/figure.svg", "folder must exist"),
        ("null\0.svg", "null character"),
    ],
)
def test_names_that_cannot_be_written(tmp_path, name, match):
    with pytest.raises(FileError, match=match):
        saving.save(STEPS, f"{tmp_path}/{name}")
    assert os.listdir(tmp_path) == []


def test_a_path_is_text_or_a_path():
    with pytest.raises(ParameterTypeError, match="path must be text or a Path"):
        STEPS.save(3)


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "folder.svg").mkdir()
    with pytest.raises(FileError, match="regular file or new"):
        STEPS.save(tmp_path / "folder.svg")


@pytest.mark.skipif(os.name == "nt" or not hasattr(os, "geteuid"), reason="permissions of POSIX")
def test_an_unwritable_folder(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        if os.access(folder, os.W_OK):
            pytest.skip("this user may write everywhere")
        with pytest.raises(FileError, match="file must be writable"):
            STEPS.save(folder / "a.svg")
    finally:
        folder.chmod(stat.S_IRWXU)


@pytest.mark.parametrize("suffix", [".gif", ".mp4"])
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, MemoryError, OSError])
def test_an_error_in_the_middle_leaves_nothing(tmp_path, monkeypatch, suffix, error):
    needs(suffix)
    path = tmp_path / f"figure{suffix}"
    path.write_bytes(b"before")
    drawn = []

    def failing(svg, size):
        drawn.append(size)
        if len(drawn) == 4:
            raise error("in the middle")
        return raster.raster_of(svg, size)

    monkeypatch.setattr(import_module("symconv.drawing.frames"), "raster_of", failing)
    wanted = FileError if error is OSError else error
    with pytest.raises(wanted, match="in the middle"):
        draw(sc.Conv1d(1, 1, 2), input_size=(40,)).save(path)
    assert len(drawn) == 4
    kept(path)


@pytest.mark.parametrize("suffix", [".gif", ".mp4"])
def test_an_error_of_the_encoder_leaves_nothing(tmp_path, monkeypatch, suffix):
    needs(suffix)
    path = tmp_path / f"figure{suffix}"
    path.write_bytes(b"before")

    def failing(file, *_, **__):
        file.write(b"half a file")
        raise RuntimeError("the encoder")

    name = {"gif": "write_gif", "mp4": "write_mp4"}[suffix[1:]]
    monkeypatch.setattr(animation, name, failing)
    with pytest.raises(RuntimeError, match="the encoder"):
        STEPS.save(path)
    kept(path)


@pytest.mark.parametrize("suffix", [".png", ".svg", ".html"])
def test_an_error_of_the_picture_leaves_nothing(tmp_path, monkeypatch, suffix):
    needs(suffix)
    path = tmp_path / f"figure{suffix}"
    path.write_bytes(b"before")
    monkeypatch.setattr(type(STEPS), "_picture", lambda *_: 1 // 0)
    monkeypatch.setattr(type(STEPS), "html", lambda *_: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        STEPS.save(path)
    kept(path)


@pytest.mark.parametrize(
    ("suffix", "options", "error", "match"),
    [
        (".png", {"scale": 0}, ParameterError, "scale must be above 0"),
        (".png", {"scale": 64}, TooLargeError, "pixels"),
        (".gif", {"scale": 64}, TooLargeError, "pixels"),
        (".svg", {"theme": "blue"}, ParameterError, "theme must be one of"),
        (".png", {"theme": "auto"}, ParameterError, "theme must be light or dark for .png"),
        (".html", {"theme": "dark"}, ParameterError, "theme must be left out for .html"),
        (".svg", {"frame": 3}, ParameterError, "frame must be 0 … 2"),
        (".gif", {"seconds_per_frame": 0}, ParameterError, "seconds_per_frame must be from"),
        (".mp4", {"seconds_per_frame": "1"}, ParameterTypeError, "seconds_per_frame must be"),
    ],
)
def test_bad_options_write_nothing(tmp_path, suffix, options, error, match):
    path = tmp_path / f"figure{suffix}"
    path.write_bytes(b"before")
    with pytest.raises(error, match=match):
        STEPS.save(path, **options)
    kept(path)


def test_too_many_frames_write_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(animation, "MAX_FRAMES", 2)
    with pytest.raises(TooLargeError, match="at most 2 frames, got 3"):
        STEPS.save(tmp_path / "a.gif")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("suffix", "module", "named"),
    [(".png", "resvg_py", "resvg_py"), (".gif", "PIL.Image", "PIL"), (".mp4", "av", "av")],
)
def test_a_missing_library_is_named_before_any_work(tmp_path, monkeypatch, suffix, module, named):
    needs(suffix)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=rf"{named}, which .* pip install .symconv\[draw\]"):
        STEPS.save(tmp_path / f"figure{suffix}")
    assert os.listdir(tmp_path) == []


def test_a_picture_of_one_frame_may_be_an_animation(tmp_path):
    needs(".gif")
    path = draw(sc.Conv1d(1, 1, 2), "matrix", input_size=(4,)).save(tmp_path / "still.gif")
    assert path.read_bytes()[:6] == b"GIF89a"
