"""``symconv explore``: pages from the command line, and what is refused."""

from __future__ import annotations

import pytest

pytest.importorskip("click")

from commands import HOSTILE, refuse, run
from explorer_readings import Page, axes_of, wrong_record

from symconv.errors import ParseError
from symconv.explorer import Settings, export

LAYER = "Conv2d(1, 1, 3)"


def test_a_page(tmp_path):
    target = tmp_path / "explorer.html"
    arguments = ("--range", "stride=1..2", "--range", "padding_lo_1=-1,2")
    code, output = run("explore", LAYER, "--input", "5x5", *arguments, "--out", target)
    assert (code, output) == (0, f"wrote {target}\n")
    page = Page(target.read_text("utf-8"))
    assert [control["values"] for control in page.data["controls"]] == [["1", "2"], ["−1", "2"]]
    settings = Settings(bias=True).changed("stride", 2).changed("padding_lo_1", -1)
    assert wrong_record(page.record(1, 0), axes_of(settings)) == ""
    assert wrong_record(page.record(0, 0), axes_of(settings)) != ""


def test_the_usual_ranges_and_words(tmp_path):
    target = tmp_path / "explorer.html"
    code, _ = run("explore", "MaxPool1d(2)", "--input", "5", "--out", target)
    assert code == 0
    names = [control["name"] for control in Page(target.read_text("utf-8")).data["controls"]]
    assert names == ["kernel_size", "stride", "padding", "ceil_mode"]
    words = ("--range", "way=scatter,zero_insertion", "--range", "bias=false,true")
    layer = "ConvTranspose1d(1, 1, 3)"
    code, _ = run("explore", layer, "--input", "3", *words, "--out", target)
    assert code == 0
    values = [control["values"] for control in Page(target.read_text("utf-8")).data["controls"]]
    assert values == [["scatter", "zero insertion"], ["False", "True"]]


REFUSED = [
    (("Pad(((1, 1),))", "--input", "5"), "to be explored"),
    ((HOSTILE, "--input", "5x5"), "layer must be"),
    ((LAYER, "--input", "5x5x5"), "input_size must have one entry per axis"),
    ((LAYER, "--input", "5x5", "--range", "stride"), "range must be NAME=VALUES"),
    ((LAYER, "--input", "5x5", "--range", "=1"), "range must be NAME=VALUES"),
    ((LAYER, "--input", "5x5", "--range", "stride=3..1"), "stride must have at least one value"),
    ((LAYER, "--input", "5x5", "--range", "stride=1..999999"), "at most 100 values"),
    ((LAYER, "--input", "5x5", "--range", "stride=1..9999999"), "stride"),
    ((LAYER, "--input", "5x5", "--range", "stride=" + "1," * 300), "at most 400 characters"),
    ((LAYER, "--input", "5x5", "--range", "stride="), "stride"),
    ((LAYER, "--input", "5x5", "--range", f"stride={HOSTILE}"), "stride must be made of"),
    ((LAYER, "--input", "5x5", "--range", "stride=1", "--range", "stride=2"), "stride again"),
    ((LAYER, "--input", "5x5", "--range", "strides=1"), "settings must be among"),
    ((LAYER, "--input", "5x5", "--range", "__class__=1"), "range must be NAME=VALUES"),
    ((LAYER, "--input", "90x90"), "cells to draw"),
]


@pytest.mark.parametrize(("arguments", "said"), REFUSED, ids=range(len(REFUSED)))
def test_bad_input_ends_in_one_line_and_nothing_is_written(tmp_path, arguments, said):
    target = tmp_path / "explorer.html"
    target.write_text("old", encoding="utf-8")
    output = refuse("explore", *arguments, "--out", target)
    assert said in output
    assert len(output.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["explorer.html"]
    assert target.read_text("utf-8") == "old"


def test_names_that_cannot_be_written_are_refused_first(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "page_html", lambda *_: pytest.fail("something was computed"))
    command = ("explore", LAYER, "--input", "5x5", "--out")
    assert "must end in .html" in refuse(*command, tmp_path / "explorer.gif")
    assert "folder must exist" in refuse(*command, tmp_path / "nowhere" / "a.html")
    (tmp_path / "a.html").mkdir()
    assert "regular file" in refuse(*command, tmp_path / "a.html")


def test_an_interruption_leaves_the_old_page(tmp_path, monkeypatch):
    target = tmp_path / "explorer.html"
    target.write_text("old", encoding="utf-8")

    def broken(*_):
        raise ParseError("stopped")

    monkeypatch.setattr(export, "explorer_html", broken)
    assert "stopped" in refuse("explore", LAYER, "--input", "5x5", "--out", target)
    assert target.read_text("utf-8") == "old"
    assert len(list(tmp_path.iterdir())) == 1
