"""``symconv count`` and ``symconv receptive-field``."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("click")
pytest.importorskip("rich")

from commands import refuse, run

#: AlexNet up to conv2, as in the table of google-research/receptive_field.
ALEXNET = ("Conv2d(3, 96, 11, stride=4)", "MaxPool2d(3, stride=2)", "Conv2d(96, 256, 5, padding=2)")


def test_count():
    code, output = run("count", "ConvTranspose2d(4, 6, 3, padding=1)", "--input", "8x8")
    assert code == 0
    lines = [line.split() for line in output.splitlines()]
    assert len(lines) == 8
    assert ["macs", "per", "tap", "13,824"] in [line[:4] for line in lines]
    assert ["macs", "inside", "11,616"] in [line[:3] for line in lines]


def test_count_in_symbols_and_json():
    code, output = run("count", "Conv2d(3, 8, 3, padding=1)", "--input", "nx32", "--json")
    assert code == 0
    numbers = json.loads(output)
    assert numbers["parameters"] == 224
    assert numbers["macs_per_tap"] == "6912*n"
    assert numbers["macs_inside"] == "6768*n - 4512"


def test_receptive_field_of_a_stack():
    code, output = run("receptive-field", *ALEXNET)
    assert code == 0
    lines = [line.split() for line in output.splitlines()]
    assert ["size", "51", "×", "51"] in lines
    assert ["jump", "8", "×", "8"] in lines
    assert ["padding", "16", "×", "16"] in lines


def test_exact_inputs_and_the_figure(tmp_path):
    gaps = "Conv1d(1, 1, 3, padding=2, dilation=2)"
    arguments = ("receptive-field", gaps, gaps, "--position", "1", "--json")
    whole = json.loads(run(*arguments)[1])
    assert whole["inputs"] == [[-3, -1, 1, 3, 5]]
    figure = tmp_path / "field.svg"
    code, output = run(*arguments, "--input", "9", "--out", figure)
    assert code == 0
    assert json.loads(output)["inputs"] == [[1, 3, 5]]
    svg = figure.read_text(encoding="utf-8")
    assert svg.startswith("<svg")
    assert "what output 1 reads" in svg


def test_transposed_layers_have_fractional_jumps():
    code, output = run("receptive-field", "ConvTranspose1d(1, 1, 3, stride=2)", "--json")
    assert code == 0
    assert json.loads(output)["jump"] == ["1/2"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("count", "MaxPool2d(2)", "--input", "4x4"), "layer must have weights to count"),
        (("count", "Conv2d(1, 1, 3)", "--input", "2x2"), "output size must be >= 1"),
        (("receptive-field", "Conv1d(1, 1, 3)", "Conv2d(1, 1, 3)"), "layers must have one rank"),
        (
            ("receptive-field", "Conv1d(1, 1, 3, padding='same_upper')"),
            "input size must be given: padding 'same_upper' depends on it",
        ),
        (
            ("receptive-field", "Conv1d(1, 1, 3)", "--position", "1x2"),
            "position must have 1 entries",
        ),
        (
            ("receptive-field", "Conv1d(1, 1, 3)", "--axis", "1", "--out", "unwritten.svg"),
            "axis must be below the rank 1",
        ),
        (
            ("receptive-field", "Conv1d(1, 1, 3)", "--input", "5", "--position", "3"),
            "position must be from 0 to 2, got 3",
        ),
    ],
)
def test_refusals(arguments, message):
    assert message in refuse(*arguments)


def test_an_unwritable_figure_leaves_nothing(tmp_path):
    target = tmp_path / "missing" / "field.svg"
    refuse("receptive-field", "Conv1d(1, 1, 3)", "--out", target)
    assert not target.parent.exists()
