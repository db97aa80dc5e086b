"""SVG to PNG: the colours of the picture at its places, metadata and limits."""

from __future__ import annotations

import io
import re

import drawn_views as views
import pytest

import symconv as sc
from symconv.drawing import draw, raster
from symconv.drawing.matrix import tap_colour
from symconv.drawing.themes import DARK, LIGHT
from symconv.errors import MissingExtraError, ParameterError, ParameterTypeError, TooLargeError

pytest.importorskip("resvg_py")
pytest.importorskip("matplotlib")
Image = pytest.importorskip("PIL.Image")

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30">'


def opened(png):
    return Image.open(io.BytesIO(png))


def rgb(colour):
    return tuple(bytes.fromhex(colour[1:]))


def dot(colour, extra=""):
    return f'{HEAD}<rect x="10" y="10" width="8" height="8" fill="{colour}"/>{extra}</svg>'


@pytest.mark.parametrize("scale", [0.5, 1, 2, 3.25])
def test_a_pixel_has_the_colour_of_its_mark(scale):
    picture = opened(raster.png_of(dot("#0072b2"), scale))
    assert picture.size == raster.pixel_size(dot("#0072b2"), scale)
    assert picture.convert("RGBA").getpixel((int(14 * scale), int(14 * scale))) == (
        0,
        114,
        178,
        255,
    )
    assert picture.convert("RGBA").getpixel((int(30 * scale), int(14 * scale)))[3] == 0


@pytest.mark.parametrize(("theme", "colours"), [("light", LIGHT), ("dark", DARK)])
def test_the_cells_of_a_matrix_have_the_colours_of_their_taps(theme, colours):
    drawing = draw(sc.Conv2d(1, 1, (2, 3)), "matrix", input_size=(4, 5))
    picture = opened(drawing.png(theme=theme, scale=2)).convert("RGB")
    rects = [r for r in views.parsed(drawing.svg()).iter(f"{views.SVG}rect") if r.get("data-row")]
    assert len(rects) == 54
    for rect in rects:
        x, y = (2 * (float(rect.get(name)) + 3) for name in "xy")
        wanted = tap_colour(views.integers(rect.get("data-tap")), (2, 3))
        assert picture.getpixel((round(x), round(y))) == rgb(wanted)
    assert picture.getpixel((2, 2)) == rgb(colours.paper)


def test_letters_are_drawn_and_are_those_of_the_shipped_fonts():
    text = '<text x="5" y="20" font-size="20" font-family="sans-serif">w₀₁ − ×</text>'
    with_text, without = (raster.png_of(f"{HEAD}{inner}</svg>") for inner in (text, ""))
    assert opened(with_text).getbbox() is not None
    assert opened(without).getbbox() is None
    assert all(re.search(r"DejaVuSans[\w-]*\.ttf$", name) for name in raster.fonts())


def test_alternative_text_is_in_the_metadata():
    texts = {"Title": "a title", "Description": "outputs × inputs, ←", "Empty": ""}
    picture = opened(raster.png_of(dot("#000000"), texts=texts))
    picture.load()
    assert picture.text == {"Title": "a title", "Description": "outputs × inputs, ←"}


@pytest.mark.parametrize(
    ("scale", "error", "match"),
    [
        ("2", ParameterTypeError, "scale must be a number"),
        (True, ParameterTypeError, "scale must be a number"),
        (0, ParameterError, "scale must be above 0 and at most 64, got 0"),
        (float("nan"), ParameterError, "got nan"),
        (float("inf"), ParameterError, "got inf"),
        (65, ParameterError, "at most 64"),
    ],
)
def test_scales_are_checked(scale, error, match):
    with pytest.raises(error, match=match):
        raster.png_of(dot("#000000"), scale)


@pytest.mark.parametrize(
    ("svg", "error", "match"),
    [
        (3, ParameterTypeError, "svg must be text"),
        ("words", ParameterError, "state its width and height"),
        ('<svg width="9"></svg>', ParameterError, "state its width and height"),
        ('<svg width="0" height="3"></svg>', ParameterError, "must have a size"),
        (HEAD + "<rect", ParameterError, "that resvg draws"),
        ('<svg width="9e9" height="3"></svg>', ParameterError, "state its width"),
        ('<svg width="50000" height="3"></svg>', TooLargeError, "32768 along one side"),
        ('<svg width="9000" height="9000"></svg>', TooLargeError, "take a scale below"),
    ],
)
def test_bad_pictures_are_refused(svg, error, match):
    with pytest.raises(error, match=match):
        raster.png_of(svg)


def test_nothing_is_drawn_before_the_pixels_are_counted(monkeypatch):
    monkeypatch.setattr(raster, "raster_of", lambda *_: pytest.fail("drawn"))
    with pytest.raises(TooLargeError):
        raster.png_of('<svg width="9000" height="9000"></svg>')


def test_a_missing_library_names_the_extra(monkeypatch):
    def gone(name):
        raise ImportError(name)

    monkeypatch.setattr(raster, "import_module", gone)
    with pytest.raises(MissingExtraError, match=r"resvg_py, which .* pip install .symconv\[draw\]"):
        raster.png_of(dot("#000000"))
