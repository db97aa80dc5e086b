"""The page of a step diagram: one picture, all frames as pieces of it, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import drawn
import pytest
from test_drawing_steps import NASTY

import symconv as sc
from symconv.drawing import draw
from symconv.drawing.base import Drawing, Still


class Page(HTMLParser):
    """Elements with their attributes, and the texts of scripts and of the caption."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.texts, self._inside = [], {}, []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self._inside.append((tag, len(self.elements) - 1))

    def handle_endtag(self, tag):
        while self._inside and self._inside.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if self._inside:
            self.texts[self._inside[-1][1]] = self.texts.get(self._inside[-1][1], "") + data

    def text_of(self, tag, **wanted):
        for number, (name, attributes) in enumerate(self.elements):
            if name == tag and wanted.items() <= attributes.items():
                return self.texts.get(number, "")
        raise AssertionError(f"no {tag} {wanted}")

    def get(self, tag, **wanted):
        return next(a for name, a in self.elements if name == tag and wanted.items() <= a.items())


def tracks(html):
    return json.loads(Page(html).text_of("script", id="data"))["tracks"]


def svg_in(html):
    return html[html.index("<svg ") : html.index("</svg>") + len("</svg>")]


def with_step(svg, piece):
    """The picture with its marks exchanged, as the page's script does it."""
    start = svg.index('<g class="step"')
    return svg[:start] + piece + "</svg>"


def test_the_pieces_are_the_frames_of_both_directions():
    layer, size = sc.Conv2d(1, 1, 2, padding=((1, 0), (0, 0))), (2, 3)
    picture = draw(layer, input_size=size)
    html, triples = picture.html(), drawn.conv_triples(layer, size)
    found = tracks(html)
    assert [track["direction"] for track in found] == ["forward", "transposed"]
    assert [len(track["frames"]) for track in found] == [4, 6]
    for track in found:
        side = "output" if track["direction"] == "forward" else "input"
        total = drawn.positions((2, 2) if side == "output" else size)
        for (piece, caption), place in zip(track["frames"], total, strict=True):
            svg = with_step(svg_in(html), piece)
            drawn.check_frame(svg, triples)
            assert drawn.triples_of(svg)[0] == (side, place)
            assert caption.startswith(f"{side} {place} ")
    # A mistake in the data would be seen.
    wrong = re.sub(r'data-tap="\d,\d"', 'data-tap="7,7"', found[0]["frames"][0][0])
    with pytest.raises(AssertionError):
        drawn.check_frame(with_step(svg_in(html), wrong), triples)


def test_the_page_loads_nothing_and_runs_its_own_script_only():
    html = draw(sc.Conv1d(1, 1, 2), input_size=(3,)).html()
    page = Page(html)
    policy = page.get("meta", **{"http-equiv": "Content-Security-Policy"})["content"]
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert not re.search(r'(src|href)="', html)
    assert re.findall(r"https?://[^\"<\s]+", html) == ["http://www.w3.org/2000/svg"]
    assert html.count("<svg ") == 1
    for name in ("input", "output"):
        assert f'data-grid="{name}"' in html
    # The script says nothing of the relation: it only exchanges pieces.
    assert not re.search(r"stride|dilation|padding", script)


def test_markup_is_text():
    html = draw(sc.Conv1d(1, 1, 2), input_size=(3,), title=NASTY).html()
    page = Page(html)
    assert page.text_of("h1") == NASTY
    assert [tag for tag, _ in page.elements if tag == "b"] == []
    assert len([tag for tag, _ in page.elements if tag == "script"]) == 2
    assert "<" not in page.text_of("script", id="data")


def test_one_direction_where_the_other_has_too_much():
    html = draw(sc.Conv2d(1, 1, 8, stride=8), input_size=(32, 32)).html()
    assert [track["direction"] for track in tracks(html)] == ["forward"]
    button = Page(html).get("button", id="direction")
    assert "disabled" in button
    assert "1024 frames are above the limit of 512" in button["title"]


def test_an_empty_input_has_outputs_only():
    html = draw(sc.Conv1d(1, 1, 2, padding=1), input_size=(0,)).html()
    assert [track["direction"] for track in tracks(html)] == ["forward"]


def test_chosen_planes_have_one_direction():
    html = draw(sc.Conv3d(1, 1, 2), input_size=(3, 3, 3), planes=[0]).html()
    assert len(tracks(html)) == 1


def test_the_first_frame_is_there_without_scripts():
    picture = draw(sc.Conv1d(1, 1, 2), input_size=(3,))
    html = picture.html()
    layer = sc.Conv1d(1, 1, 2)
    drawn.check_frame(svg_in(html), drawn.conv_triples(layer, (3,)))
    page = Page(html)
    assert page.text_of("p", id="caption") == picture.caption(0)
    assert "first step alone" in page.text_of("p") or "<noscript>" in html


def test_a_still_picture_has_a_page_as_well():
    still = Still("a <dot>", "one & only", lambda theme: f"<svg class='{theme}'></svg>")
    assert isinstance(still, Drawing)
    assert still.n_frames == 1
    assert still.caption(0) == "one & only"
    html = still.html()
    assert "<svg class='auto'>" in html
    assert "one &amp; only" in html
    assert "<script" not in html
    assert still._repr_svg_() == "<svg class='auto'></svg>"
    assert repr(still) == "<Still, 1 frame: a <dot>>"
