"""``symconv shape``."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("click")
pytest.importorskip("rich")

from commands import refuse, run

CONV = "Conv2d(3, 8, 3, stride=2, padding=1)"


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        ((CONV, "--input", "32x32"), ["input size: 32×32", "output size: 16×16"]),
        ((CONV,), ["output size: floor(n_0/2 + 1/2) × floor(n_1/2 + 1/2)"]),
        ((CONV, "--output", "16x16"), ["input sizes: 31 … 32 × 31 … 32"]),
        ((CONV, "--output", "mx16"), ["input sizes: 2*m - 1 … 2*m × 31 … 32"]),
        ((CONV, "--input", "32x32", "--output", "16x16"), ["padding: ((0, 1), (0, 1))"]),
        (
            ("ConvTranspose1d(1, 1, 3, stride=2)", "--input", "4", "--output", "10"),
            ["output padding: (1,)"],
        ),
        (("ConvTranspose1d(1, 1, 3, stride=2)", "--output", "4"), ["input sizes: none"]),
        (("MaxPool1d(3, stride=2, ceil_mode=True)", "--input", "n"), ["output size: floor(n/2)"]),
    ],
)
def test_answers(arguments, lines):
    code, output = run("shape", *arguments)
    assert code == 0
    for line in lines:
        assert line in output.splitlines()


def test_json():
    _, output = run("shape", CONV, "--output", "mx16", "--json")
    assert json.loads(output) == {
        "output_size": ["m", 16],
        "input_sizes": [{"from": "2*m - 1", "to": "2*m"}, [31, 32]],
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("Conv1d(1, 1, 3)", "--input", "2"), "output size must be >= 1 on axis 0, got 0"),
        (("Conv1d(1, 1, 3)", "--input", "n;m"), "size must be whole numbers or letters"),
        (("Conv1d(1, 1, 3)", "--input", "4x4"), "input_size must have 1 entries"),
        (
            ("ConvTranspose1d(1, 1, 3, stride=2)", "--input", "4", "--output", "8"),
            "crop 1 more by padding at the high end",
        ),
        (
            ("MaxPool1d(2)", "--input", "4", "--output", "8"),
            "solve for the padding of a convolution",
        ),
    ],
)
def test_refusals(arguments, message):
    assert message in refuse("shape", *arguments)
