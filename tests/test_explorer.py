"""The explorer without a browser: settings, what is seen of them, pages, widgets."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from html import unescape

import pytest
from explorer_readings import (
    Page,
    axes_of,
    marks_of,
    svg_elements,
    wrong_matrix,
    wrong_record,
    wrong_step,
)
from hypothesis import given, strategies as st
from strategies import conv_cases, examples, max_pool_cases, pool_cases, transpose_cases

import symconv as sc
from symconv.errors import (
    FileError,
    MissingExtraError,
    ParameterError,
    ParameterTypeError,
    SymconvError,
    TooLargeError,
)
from symconv.explorer import (
    Refusal,
    Settings,
    View,
    box as boxes,
    explore,
    explorer_page,
    export,
    live,
    look,
)
from symconv.explorer.box import Box, Range, usual_ranges
from symconv.explorer.controls import CONTROLS
from symconv.explorer.export import page_html, write_page
from symconv.explorer.settings import KNOWN

FLAT = {"ranks": (1, 2)}
CASES = st.one_of(
    conv_cases(**FLAT), transpose_cases(**FLAT), pool_cases(**FLAT), max_pool_cases(**FLAT)
)


# Settings


@given(st.one_of(conv_cases(), transpose_cases(), pool_cases(), max_pool_cases()))
@examples(60)
def test_settings_hold_any_layer_of_the_four_kinds(case):
    layer, size = case
    settings = Settings.of(layer, size)
    assert settings.layer() == layer
    assert (settings.input_size, settings.rank) == (size, layer.rank)
    # Another kind and back, another rank and back: nothing is forgotten.
    assert settings.changed("kind", "MaxPool").changed("kind", settings.kind) == settings
    if layer.rank < 3:
        assert settings.changed("rank", 3).changed("rank", layer.rank) == settings


def test_changes_of_all_axes_of_one_and_of_one_side():
    settings = Settings()
    assert settings.changed("stride", 2).stride == (2, 2)
    assert settings.changed("stride", [2, 3]).stride == (2, 3)
    assert settings.changed("stride_1", 3).stride == (1, 3)
    assert settings.changed("padding", 1).padding == ((1, 1), (1, 1))
    assert settings.changed("padding", (1, (0, 2))).padding == ((1, 1), (0, 2))
    assert settings.changed("padding_lo", 1).padding == ((1, 0), (1, 0))
    assert settings.changed("padding_hi_1", -1).padding == ((0, 0), (0, -1))
    assert settings.changed("padding_0", (1, 2)).padding == ((1, 2), (0, 0))
    same = settings.changed("padding", "same")
    assert (same.padding, same.pairs) == ("same", ((0, 0), (0, 0)))
    assert same.changed("padding_hi", 1).padding == ((0, 1), (0, 1))
    # Words are for the layer to refuse; they are no sequences of letters.
    assert settings.changed("kernel_size", "ab").kernel_size == ("ab", "ab")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("strides", 2, "settings must be among .*, got 'strides'"),
        ("_hash", 2, "settings must be among"),
        ("stride_2", 2, "stride_2 must name one of the 2 axes"),
        ("padding_lo_7", 2, "must name one of the 2 axes"),
        ("stride_", 2, "settings must be among"),
        ("stride", (1, 2, 3), r"stride must have one entry per axis \(2\), got \(1, 2, 3\)"),
        ("padding", ((1, 2, 3), 0), r"padding must give \(lo, hi\) per axis, got \(1, 2, 3\)"),
        ("input_size", (4,), "input_size must have one entry per axis"),
        ("rank", 4, "rank must be at most 3"),
        ("rank", 0, "rank must be >= 1"),
    ],
)
def test_changes_that_name_nothing_are_refused(name, value, said):
    with pytest.raises(ParameterError, match=said):
        Settings().changed(name, value)


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (sc.Pad(((1, 1),)), "layer must be a Conv, ConvTranspose, AvgPool or MaxPool"),
        ("Conv2d(1, 1, 3)", "to be explored, got 'Conv2d"),
        (sc.MaxPool((2,), padding=sc.OnnxPool("SAME_LOWER")), "numbers or a name"),
    ],
)
def test_other_things_are_not_explored(layer, said):
    with pytest.raises(ParameterTypeError, match=said):
        explore(layer)


def test_four_axes_are_not_explored():
    with pytest.raises(ParameterError, match="at most 3 axes"):
        explore(sc.Conv(1, 1, (1, 1, 1, 1)), (2, 2, 2, 2))


# What there is to see


@given(CASES)
@examples(25)
def test_what_is_shown_is_what_loops_compute(case):
    settings = Settings.of(*case).changed("in_channels", 1).changed("out_channels", 1)
    settings = settings.changed("groups", 1)
    view = look(settings)
    if isinstance(view, Refusal):
        # A max pooling of which some window sees nothing but padding.
        with pytest.raises(SymconvError, match=re.escape(view.reason)):
            settings.layer().operator(settings.input_size)
        return
    loops = axes_of(settings)
    for step in {0, view.n_steps // 2, view.n_steps - 1}:
        found = look(settings.changed("step", step))
        assert found.step == step
        assert wrong_step(marks_of(found.steps.svg), loops) == ""
        # Only the step differs.
        assert (found.facts, found.others) == (view.facts, view.others)
    (matrix,) = [picture for picture in view.others if picture.name == "matrix"]
    rows, columns = settings.layer().operator(settings.input_size).shape
    if not matrix.refusal and max(rows, columns) <= 24:
        assert wrong_matrix(svg_elements(matrix.svg), loops) == ""


def test_a_picture_of_another_setting_is_noticed():
    """The readers above can fail."""
    settings = Settings(stride=(2, 2))
    view = look(settings)
    for name, value in (("stride", 1), ("padding_lo", 1), ("kernel_size", 2), ("dilation", 2)):
        other = axes_of(settings.changed(name, value))
        assert wrong_step(marks_of(look(settings.changed("step", 3)).steps.svg), other) != ""
        assert wrong_matrix(svg_elements(view.others[0].svg), other) != ""


def facts(**changes):
    settings = Settings()
    for name, value in changes.items():
        settings = settings.changed(name, value)
    return dict(look(settings).facts)


def test_numbers():
    found = facts(input_size=6, stride=2, padding_lo=1, in_channels=2, out_channels=4, groups=2)
    assert found["output size"] == "3×3"
    assert found["input sizes with this output size"] == "6 or 7 on each axis"
    assert found["samples that no output reads"] == "0 of 36"
    assert found["parameters"] == "36"
    # 4 outputs × 9 windows × 9 taps; on an axis 2 + 3 + 3 taps meet a sample.
    assert found["multiplications, padding included"] == "324"
    assert found["multiplications with a stored sample"] == str(4 * 8 * 8)
    assert found["matrix"] == f"36×72, {4 * 64} entries"
    lost = facts(input_size=6, stride_0=3)
    assert lost["samples that no output reads"] == "0 of 36"
    assert lost["input sizes with this output size"] == "6 or 7 or 8 by 6"
    assert facts(input_size=7, stride=3)["samples that no output reads"] == str(49 - 36) + " of 49"
    assert facts(kind="MaxPool", input_size=4, kernel_size=2, stride=2)["samples read, per channel"]
    uncovered = facts(kind="ConvTranspose", kernel_size=1, stride=2, input_size=2)
    assert uncovered["outputs that read no sample"] == "5 of 9"


BAD = [
    {"groups": 2},
    {"kernel_size": 7},
    {"stride": 0},
    {"padding_mode": "<script>"},
    {"input_size": 2},
    {"kind": "AvgPool", "padding": 3, "count_include_pad": False},
    {"kind": "MaxPool", "padding": 3},
    {"kernel_size": 2.5},
    {"kind": "ConvTranspose", "padding": "same"},
    {"padding": "same", "stride": 2},
]


@pytest.mark.parametrize("changes", BAD, ids=str)
def test_bad_settings_are_explained_in_the_words_of_the_layer(changes):
    settings = Settings()
    for name, value in changes.items():
        settings = settings.changed(name, value)
    with pytest.raises(SymconvError) as raised:
        settings.layer().operator(settings.input_size)
    assert look(settings) == Refusal(str(raised.value))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"direction": "sideways"}, "direction must be one of 'forward', 'transposed'"),
        ({"way": "magic"}, "way must be one of"),
        ({"depth": 99}, "depth must be at most 8"),
        ({"step": -1}, "step must be >= 0"),
        ({"kind": "Conv9"}, "kind must be one of"),
        ({"kind": "MaxPool", "direction": "transposed"}, "direction must be forward"),
    ],
)
def test_bad_ways_to_look_are_explained(changes, said):
    settings = Settings()
    for name, value in changes.items():
        settings = settings.changed(name, value)
    assert said in look(settings).reason


NUMBERS = st.integers(-3, 9) | st.sampled_from([1000, 10**5, 10**30, -(10**30), 2**63])
JUNK = st.sampled_from([None, True, 2.5, "2", "same", "full", "<b>", float("nan"), b"1", {}, "\0"])
VALUES = st.one_of(NUMBERS, JUNK, st.tuples(NUMBERS, NUMBERS), st.lists(JUNK, max_size=3))
NAMES = st.sampled_from([*KNOWN, "rank", "padding_lo", "padding_hi_1", "stride_0", "input_size_1"])


@given(
    st.sampled_from(["Conv", "ConvTranspose", "AvgPool", "MaxPool"]),
    st.lists(st.tuples(NAMES, VALUES), min_size=1, max_size=3),
)
@examples(150)
def test_whatever_is_set_is_shown_or_explained(kind, changes):
    """No error but symconv's own: others would be tracebacks in the notebook."""
    settings = Settings(kind=kind)
    for name, value in changes:
        with contextlib.suppress(SymconvError):
            settings = settings.changed(name, value)
    found = look(settings)
    assert found.reason if isinstance(found, Refusal) else found.n_steps >= 1


def test_steps_past_the_end_are_the_last():
    assert look(Settings(step=99)).step == 8


def test_a_picture_that_is_too_large_leaves_the_others():
    view = look(Settings(input_size=(200, 200)))
    assert "limit" in view.steps.refusal
    assert "input_size must be within ±1000" in look(Settings(input_size=(1, 2000))).reason
    assert view.steps.svg == ""
    assert view.others[0].svg.startswith("<svg")
    assert (view.n_steps, view.step) == (1, 0)


@pytest.mark.parametrize("kind", ["Conv", "AvgPool"])
def test_the_transposed_direction_is_the_transposed_operator(kind):
    settings = Settings(kind=kind, stride=(2, 2), direction="transposed", bias=True)
    view = look(settings)
    assert dict(view.facts)["matrix"].startswith("25×4")
    assert "writes" in view.steps.caption
    inserted = look(settings.changed("way", "zero_insertion"))
    assert inserted.n_steps == 25 or inserted.steps.refusal


def test_three_axes():
    settings = Settings().changed("rank", 3).changed("input_size", 3).changed("kernel_size", 2)
    view = look(settings)
    assert view.n_steps == 8
    assert not any(picture.refusal for picture in view.pictures)


# Boxes


def test_a_box_runs_through_all_settings():
    ranges = {"stride": (1, 2), "padding_lo_1": range(2), "padding_mode": ["zeros", "circular"]}
    box = Box.of(Settings(), ranges)
    assert len(box) == len(list(box)) == 8
    assert len(set(box)) == 8
    assert box.start == (0, 0, 0)
    assert [item.label for item in box.ranges] == ["stride", "padding low, axis 1", "padding mode"]
    assert [item.is_ordered for item in box.ranges] == [True, True, False]
    # The page opens at the settings themselves.
    assert Box.of(Settings(stride=(2, 2)), ranges).start == (1, 0, 0)
    assert Box.of(Settings(stride=(5, 5)), ranges).opened.stride == (1, 1)
    assert len(Box.of(Settings(), {})) == 1
    assert Range("input_size", ((5, 6), -1)).spelled == ("(5, 6)", "−1")


@pytest.mark.parametrize(
    ("ranges", "kind", "said"),
    [
        ({"strides": (1,)}, ParameterError, "settings must be among"),
        ({"step": (1,)}, ParameterError, "ranges must not name 'step'"),
        ({"rank": (1, 2)}, ParameterError, "ranges must not name 'rank'"),
        ({"stride": ()}, ParameterError, "stride must have at least one value"),
        ({"stride": (1, 2, 1)}, ParameterError, "stride must have each value once"),
        ({"stride": 3}, ParameterTypeError, "stride must be a tuple"),
        ({"stride": "12"}, ParameterTypeError, "stride must be a tuple"),
        ({"stride": (1, (1, 2, 3))}, ParameterError, "one entry per axis"),
        ({"stride": range(10**12)}, TooLargeError, "stride must have at most 100 values"),
        ({"stride": [1] * 101}, TooLargeError, "stride must have at most 100 values"),
        (
            {"stride": range(1, 50), "dilation": range(1, 50), "padding": range(3)},
            TooLargeError,
            "at most 4000 settings, got 7203; give fewer values, or write several pages",
        ),
        ({"input_size": range(40, 60)}, TooLargeError, "cells to draw"),
    ],
)
def test_boxes_that_are_none_are_refused_before_anything_is_drawn(ranges, kind, said, monkeypatch):
    def drawn(*_):
        pytest.fail("something was drawn")

    monkeypatch.setattr(export.Subject, "of", drawn)
    with pytest.raises(kind, match=said):
        page_html(Settings(), ranges)


@given(CASES)
@examples(20)
def test_usual_ranges_hold_the_settings(case):
    settings = Settings.of(*case)
    box = Box.of(settings.changed("input_size", 1), usual_ranges(settings))
    assert box.opened == settings.changed("input_size", 1)


# Pages

RANGES = {"kernel_size": (1, 3), "stride": (1, 2), "padding_lo": (-1, 0, 2), "groups": (1, 2)}


@pytest.fixture(scope="module")
def page():
    return Page(page_html(Settings(), RANGES))


def chosen_settings(page, ranges, start=None):
    box = Box.of(start or Settings(), ranges)
    shape = [range(len(item.values)) for item in box.ranges]
    places = boxes.itertools.product(*shape)
    return zip(places, box, strict=True)


def test_every_setting_of_a_page_is_right(page):
    n_refused = 0
    for chosen, settings in chosen_settings(page, RANGES):
        record, found = page.record(*chosen), look(settings)
        if isinstance(found, Refusal):
            assert unescape(record["refusal"]) == found.reason
            n_refused += 1
        else:
            assert wrong_record(record, axes_of(settings)) == ""
    assert n_refused == 12


@pytest.mark.parametrize("kind", ["ConvTranspose", "AvgPool", "MaxPool"])
def test_pages_of_the_other_kinds(kind):
    start = Settings(kind=kind, input_size=(4,), kernel_size=(3,), stride=(2,), padding=((0, 0),),
                     dilation=(1,), input_dilation=(1,), output_padding=(0,))  # fmt: skip
    ranges = {"stride": (1, 3), "padding_hi": (0, 1), "ceil_mode": (False, True)}
    page = Page(page_html(start, ranges))
    for chosen, settings in chosen_settings(page, ranges, start):
        assert wrong_record(page.record(*chosen), axes_of(settings)) == ""


def test_a_page_with_the_data_of_other_settings_is_noticed(page):
    """The comparison above can fail: two settings exchanged, and a cell moved."""
    pairs = [(chosen, settings) for chosen, settings in chosen_settings(page, RANGES)
             if "refusal" not in page.record(*chosen)]  # fmt: skip
    assert len(pairs) > 8
    for (_, settings), (other, _) in zip(pairs, pairs[1:] + pairs[:1], strict=True):
        assert wrong_record(page.record(*other), axes_of(settings)) != ""
    chosen, settings = pairs[0]
    record = page.record(*chosen)
    moved = re.sub(
        r'data-index="(\d+),(\d+)" data-role="read"',
        lambda m: f'data-index="{m[1]},{int(m[2]) + 1}" data-role="read"',
        record["steps"][-1],
    )
    assert moved != record["steps"][-1]
    assert wrong_record({**record, "steps": [*record["steps"][:-1], moved]}, axes_of(settings))
    assert wrong_record({**record, "steps": record["steps"][1:]}, axes_of(settings))


def test_a_page_loads_nothing_and_is_the_same_each_time(page):
    assert page_html(Settings(), RANGES) == page.html
    policy = re.search('http-equiv="Content-Security-Policy" content="(.*?)"', page.html)[1]
    assert "default-src 'none'" in policy
    assert "script-src 'sha256-" in policy
    assert "unsafe-eval" not in policy
    bare = page.html.replace("http://www.w3.org/", "").replace("http-equiv", "")
    assert re.search(r"(src|href)=|https?:|@import|url\(", bare) is None


def test_a_small_page_is_plain_and_a_large_one_packed():
    small = explorer_page(sc.MaxPool1d(1), (1,), stride=(1,))
    assert '{"packed":' in explorer_page(sc.Conv2d(1, 1, 3), stride=(1, 2))
    assert '{"packed":' not in small
    assert "\\u003csvg" in small


def test_hostile_words_stay_words():
    settings = Settings(padding_mode="<img src=x onerror=alert(1)>")
    html = page_html(settings, {"stride": (1, 2)})
    assert "<img" not in html
    record = Page(html).record(0)
    assert "<img" not in record["refusal"]
    assert "&lt;img" in record["refusal"]
    ranges = {"padding_mode": ("zeros", "</script><script>alert(1)</script>")}
    assert page_html(Settings(input_size=(3, 3)), ranges).count("<script") == 2


def test_what_is_shown_without_scripts_is_the_opened_setting():
    html = explorer_page(sc.Conv2d(1, 1, 3), stride=(1, 2))
    body = html[: html.index('<script type="application/json"')]
    assert 'data-view="steps"' in body
    assert "<dd>3×3</dd>" in body
    refused = page_html(Settings(groups=2), {"stride": (1, 2)})
    assert "groups must divide in_channels" in refused[: refused.index('id="data"')]


# Files


def test_export(tmp_path):
    target = tmp_path / "explorer.html"
    assert explore(sc.Conv1d(1, 1, 2)).export(target, stride=(1, 2)) == target
    record = Page(target.read_text("utf-8")).record(1)
    assert record["values"]["input size"] == "9"


def test_an_interrupted_export_leaves_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "explorer.html"
    target.write_text("old", encoding="utf-8")

    def broken(source, destination):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(FileError, match="No space left"):
        write_page(target, Settings(), {"stride": (1,)})
    assert target.read_text("utf-8") == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_is_missing_is_noticed_first(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "page_html", lambda *_: pytest.fail("something was computed"))
    with pytest.raises(FileError, match="folder must exist"):
        write_page(tmp_path / "nowhere" / "page.html", Settings())


def test_pages_too_large_in_text_are_refused(monkeypatch):
    monkeypatch.setattr(export, "MAX_TEXT", 2**12)
    with pytest.raises(TooLargeError, match=r"would hold more than .* write several pages"):
        page_html(Settings(), {"stride": (1, 2)})


# The explorer


def test_explore_finds_a_size_with_outputs():
    for layer in (
        sc.Conv2d(1, 1, 9), sc.ConvTranspose1d(1, 1, 3), sc.MaxPool2d(7), sc.Conv1d(1, 1, 3),
        sc.Conv3d(1, 1, 2), sc.AvgPool1d(4, stride=9, ceil_mode=True),
        sc.Conv2d(1, 1, 3, padding="same_upper", stride=4),
    ):  # fmt: skip
        assert isinstance(explore(layer).shown, View), layer
    assert explore(input_size=(7,)).settings.input_size == (7,)
    assert explore().settings == Settings()


def test_the_last_change_wins_and_bad_ones_are_explained():
    explorer = explore()
    explorer.set(stride=2, padding=1)
    assert explorer.layer == sc.Conv2d(1, 1, 3, stride=2, padding=1, bias=False)
    explorer.set(groups=3)
    assert "groups must divide" in explorer.shown.reason
    assert "groups must divide" in repr(explorer)
    assert "groups must divide" in explorer._repr_html_()
    with pytest.raises(ParameterError, match="groups must divide"):
        _ = explorer.layer
    with pytest.raises(ParameterError, match="settings must be among"):
        explorer.set(colour=1)
    assert explorer.settings.groups == 3
    explorer.set(groups=1)
    assert isinstance(explorer.shown, View)
    with pytest.raises(ParameterError, match="theme must be one of"):
        explore(theme="pink")


def test_without_ipywidgets_the_setting_is_shown_and_the_extra_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    explorer = explore()
    with pytest.raises(MissingExtraError, match=r'pip install "symconv\[explore\]"'):
        _ = explorer.widget
    bundle = explorer._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    assert "symconv[explore]" in bundle["text/html"]
    assert "<svg" in bundle["text/html"]


# Widgets


@pytest.fixture
def panel():
    pytest.importorskip("ipywidgets", reason="ipywidgets is not installed")
    explorer = explore()
    _ = explorer.widget
    return explorer, explorer._panel


def test_a_slider_changes_what_is_shown(panel):
    explorer, made = panel
    before = made.steps.value
    made._inputs["stride", 0].value = 2
    assert explorer.settings.stride == (2, 2)
    assert "<dt>output size</dt><dd>2×2</dd>" in made.facts.value
    assert made.step.max == made.play.max == 3
    assert made.steps.value != before
    made.step.value = 3
    assert explorer.settings.step == 3
    svg = re.search("<svg.*</svg>", made.steps.value, re.S)[0]
    assert wrong_step(marks_of(svg), axes_of(explorer.settings)) == ""


def test_a_bad_setting_greys_out_the_last_picture(panel):
    explorer, made = panel
    before = made.steps.value
    made._inputs["groups", 0].value = 2
    assert "groups must divide in_channels" in made.message.value
    assert "symconv-stale" in made.shown._dom_classes
    assert made.steps.value == before
    made._inputs["groups", 0].value = 1
    assert made.message.value == ""
    assert "symconv-stale" not in made.shown._dom_classes
    explorer.set(padding_mode="<b>")
    assert "&lt;b&gt;" in made.message.value
    assert "<b>" not in made.message.value


def test_axes_apart_and_alike(panel):
    explorer, made = panel
    assert made._inputs["stride", 1].layout.display == "none"
    made.alike.value = False
    assert made._inputs["stride", 1].layout.display == ""
    assert made._inputs["stride", 1].description == "stride, axis 1"
    made._inputs["stride", 1].value = 3
    assert explorer.settings.stride == (1, 3)
    made._inputs["padding_lo", 0].value = 2
    assert explorer.settings.padding == ((2, 0), (0, 0))
    made.alike.value = True
    assert explorer.settings.stride == (1, 1)
    assert explorer.settings.padding == ((2, 0), (2, 0))
    made._inputs["rank", 0].value = 1
    assert explorer.settings.input_size == (5,)
    assert made.alike.layout.display == "none"


def test_controls_follow_the_kind_and_the_program(panel):
    explorer, made = panel
    shown = {name for (name, axis), each in made._inputs.items()
             if not axis and each.layout.display != "none"}  # fmt: skip
    assert {"groups", "padding_mode", "input_dilation", "padding"} <= shown
    assert not {"ceil_mode", "count_include_pad", "output_padding", "way"} & shown
    made._inputs["kind", 0].value = "AvgPool"
    assert made._inputs["groups", 0].layout.display == "none"
    assert made._inputs["count_include_pad", 0].layout.display == ""
    # A program sets what no slider reaches: the slider grows.
    explorer.set(kind="Conv", input_size=(40, 30), stride_0=9)
    assert made._inputs["input_size", 0].value == 40
    assert made._inputs["stride", 0].max == 9
    assert not made.alike.value
    explorer.set(padding="same_upper")
    assert made._inputs["padding", 0].value == "same_upper"
    assert made._inputs["padding_lo", 0].layout.display == "none"
    made._inputs["padding", 0].value = "by numbers"
    assert explorer.settings.padding == ((0, 0), (0, 0))
    before = made.steps.value
    made.theme.value = "dark"
    assert (explorer.theme, explorer.shown) == ("dark", look(explorer.settings, "dark"))
    assert made.steps.value != before


def test_every_control_names_a_setting():
    for control in CONTROLS:
        values = control.options or (control.low, control.high)
        for value in values:
            if value != "by numbers":
                Settings().changed(control.name, value)
        if control.per_axis:
            Settings().changed(f"{control.name}_1", control.high)


def test_widgets_and_their_fallback_are_shown(panel):
    explorer, _ = panel
    bundle = explorer._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "<svg" in bundle["text/html"]
    # A bad setting from the start has nothing to grey out.
    explorer = live.Explorer(Settings(groups=2))
    _ = explorer.widget
    assert "groups must divide" in explorer._panel.message.value
