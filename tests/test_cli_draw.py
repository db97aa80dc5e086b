"""``symconv draw``: files by suffix, options by view, clear messages, nothing half-written."""

from __future__ import annotations

import os

import pytest

pytest.importorskip("click")

import drawn_views as views
from commands import CONV, HOSTILE, refuse, run

import symconv as sc
from symconv.drawing import draw

TRANSPOSED = "ConvTranspose2d(1, 1, 3, stride=2)"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def written(*arguments, name="a.svg"):
    code, output = run("draw", *arguments, "--out", name)
    assert code == 0, output
    assert output.startswith(f"{name}: ")
    with open(name, encoding="utf-8") as file:
        return file.read()


def test_a_layer_is_drawn_step_by_step():
    layer = sc.Conv2d(1, 1, 3, stride=2)
    svg = written("Conv2d(1, 1, 3, stride=2)", "--input", "5x5", "--frame", "3")
    assert svg == draw(layer.operator((5, 5))).svg(3, theme="light")
    page = written("Conv2d(1, 1, 3, stride=2)", "--input", "5x5", name="a.html")
    assert page.startswith("<!doctype html>")


@pytest.mark.parametrize("suffix", ["gif", "mp4", "png"])
def test_rasters_are_written(suffix):
    for module in ("resvg_py", "matplotlib", "PIL", "av"):
        pytest.importorskip(module)
    code, output = run("draw", "Conv1d(1, 1, 2)", "--input", "5", "--out", f"a.{suffix}")
    assert (code, output) == (0, f"a.{suffix}: Conv(1, 1, (2,)) on 5, 4 frames\n")
    assert os.path.getsize(f"a.{suffix}") > 1000


def test_both_ways_of_a_transposed_convolution():
    first, second = (
        written(TRANSPOSED, "--input", "2x2", "--way", way) for way in ("scatter", "zero_insertion")
    )
    assert first != second
    assert "inserted" in second


def test_the_matrix_of_a_layer_with_numbers():
    arguments = (CONV, "--input", "3x3", "--view", "matrix")
    layer = sc.Conv2d(1, 1, 3, padding=1)
    assert views.same_matrix(written(*arguments), layer, (3, 3))
    numbers = views.texts(written(*arguments, "--kernel", "sobel_x"))
    assert "−2" in numbers
    thirds = views.texts(written(*arguments, "--kernel", "binomial3"))
    assert "1/16" in thirds
    shown = views.matrix_entries(written(*arguments, "--transpose"))
    assert shown.keys() == layer.operator((3, 3)).T.exact().todok().keys()


def test_other_views():
    svg = written(TRANSPOSED, "--input", "2x2", "--view", "overlap", "--side", "input")
    assert set(views.counted(svg).values()) == {9}
    stack = ["Conv1d(1, 1, 3, dilation=2)"] * 2
    svg = written(*stack, "--view", "gridding", "--input", "9", "--position", "0")
    assert views.paths_shown(svg) == {(i,): n for i, n in enumerate([1, 0, 2, 0, 3, 0, 2, 0, 1])}
    assert "5 read" in written(*stack)
    assert written(*stack, "--position", "1", "--axis", "0") != written(*stack)
    svg = written(
        "Conv2d(1, 1, 3)", "--view", "terms", "--weight", "[[1, 2, 1], [2, 4, 2], [0, 0, 1]]"
    )
    assert "term 2" in svg


def test_the_network_of_a_file():
    onnx = pytest.importorskip("onnx")
    values = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 3, n, n])
        for name, n in (("x", 8), ("y", 4))
    ]
    node = onnx.helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2], strides=[2, 2])
    graph = onnx.helper.make_graph([node], "g", values[:1], values[1:])
    onnx.save(onnx.helper.make_model(graph), "small.onnx")
    boxes = views.boxes(written("small.onnx"))
    assert sorted(boxes.values()) == [("MaxPool", "3×4×4"), ("input", "3×8×8")]
    assert ("MaxPool", "3×8×8") in views.boxes(written("small.onnx", "--input", "3x16x16")).values()
    assert "must be the only one" in refuse("draw", "small.onnx", CONV, "--out", "b.svg")
    assert "for the view" in refuse("draw", "small.onnx", "--way", "scatter", "--out", "b.svg")
    assert not os.path.exists("b.svg")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((CONV,), "input must be given for the view steps"),
        ((CONV, "--input", "0x3"), "output size must be >= 1"),
        ((CONV, "--input", "axb"), "size"),
        (("Conv2d(1, 1, 3)", "--input", "2x2"), "output size must be >= 1"),
        ((HOSTILE, "--input", "5x5"), "layer must be one call"),
        (("Conv2d(1, 1, (" + "(" * 50 + "3" + ")" * 50 + ",))", "--input", "5x5"), "layer"),
        (("Conv2d(" + "1," * 900 + ")", "--input", "5x5"), "at most 1000 characters"),
        ((CONV, CONV, "--view", "matrix", "--input", "5x5"), "layer must be one for the view"),
        ((CONV, "Conv1d(1, 1, 3)"), "one rank"),
        ((CONV, "--view", "network"), "ends in .onnx"),
        ((CONV, "--view", "terms"), "weight or kernel must be given"),
        (
            (CONV, "--view", "overlap", "--input", "5x5", "--way", "scatter"),
            "for the view 'overlap'",
        ),
        ((CONV, "--view", "gridding", "--transpose"), "transpose must be left out"),
        (("MaxPool2d(2)", "--input", "4x4", "--transpose", "--view", "matrix"), "transpose must"),
        ((CONV, "--input", "5x5", "--weight", "[[1, 2]]"), "weight must have shape"),
        (
            (CONV, "--input", "5x5", "--kernel", "sobel_x", "--weight", "1"),
            "weight must be given once",
        ),
        ((CONV, "--input", "5x5", "--frame", "25"), "frame must be 0 … 24"),
        ((CONV, "--input", "5x5", "--theme", "blue"), "blue"),
        ((CONV, "--input", "5x5", "--seconds-per-frame", "0"), "seconds_per_frame"),
        ((CONV, "--input", "5x5", "--scale", "nan"), "scale"),
        ((CONV, "--input", "4000x4000"), "above the limit"),
        (("absent.onnx",), "absent.onnx"),
        (("Conv2d(1, 1, 3)",) * 300, "at most 256"),
        ((CONV, "--view", "receptive_field", "--position", "1,2,3"), "position must have 1 or 2"),
    ],
)
def test_bad_input_is_told_and_writes_nothing(arguments, words):
    output = refuse("draw", *arguments, "--out", "a.svg")
    assert words in output
    assert os.listdir() == []


@pytest.mark.parametrize(
    ("name", "words"),
    [("a.bmp", "must end in .svg"), ("absent/a.svg", "folder must exist"), ("a", "must end in")],
)
def test_a_bad_name_is_told_before_any_work(name, words):
    assert words in refuse("draw", CONV, "--input", "9999x9999", "--out", name)
    assert os.listdir() == []
