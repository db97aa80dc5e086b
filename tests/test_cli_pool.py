"""``symconv pool`` and ``symconv overlap``: numbers, files, images, pictures, and refusals."""

from __future__ import annotations

import json
import os
import stat
from fractions import Fraction
from xml.etree import ElementTree as ET

import numpy as np
import pytest

pytest.importorskip("click")
pytest.importorskip("rich")

from commands import HOSTILE, refuse, run

import symconv as sc

NOTES = "[[1, 0, 3, 5], [3, 4, 2, 2], [1, 3, 3, 9], [5, 7, 8, 4]]"


def answer(*arguments):
    code, output = run(*arguments, "--json")
    assert code == 0, output
    return json.loads(output)


def test_the_notes():
    code, output = run("pool", "MaxPool2d(2)", NOTES)
    assert (code, output) == (0, "[4  5]\n[7  9]\n")
    code, output = run("pool", "AvgPool2d(2)", NOTES)
    assert (code, output) == (0, "[2  3]\n[4  6]\n")


def test_indices_and_ties():
    code, output = run("pool", "MaxPool2d(2)", "[[1, 2], [2, 0]]", "--indices", "--ties")
    assert code == 0
    assert output.splitlines() == [
        "[2]",
        "indices:",
        "[1]",
        "ties: 1 window",
        "  output (0, 0): inputs (0, 1), (1, 0)",
    ]
    assert run("pool", "MaxPool1d(2)", "1, 2", "--ties")[1] == "[2]\nties: none\n"
    found = answer("pool", "MaxPool1d(2)", "[[1, 1], [2, 3]]", "--indices", "--ties")
    assert found == {
        "shape": [2, 1],
        "values": [[1], [3]],
        "indices": [[0], [1]],
        "ties": [{"output": [0, 0], "inputs": [[0], [1]]}],
    }
    many = run("pool", "MaxPool1d(1, stride=1)", "[" + "1," * 40 + "1]", "--ties")[1]
    assert "ties: none" in many
    tied = run("pool", "MaxPool1d(2)", "[" + "1," * 59 + "1]", "--ties")[1]
    assert "… 10 more; --json lists them" in tied


def test_exact_fractions():
    code, output = run("pool", "AvgPool2d(3, stride=2, padding=1)", "[[1, 2], [3, 4/3]]")
    assert (code, output) == (0, "[22/27]\n")
    code, output = run("pool", "AvgPool1d(2)", "[1, 2, 3, 30]")
    assert (code, output) == (0, "[3/2  33/2]\n")
    assert answer("pool", "AvgPool1d(2)", "[1, 2, 3, 5]")["values"] == ["3/2", 4]
    big = 10**30
    assert answer("pool", "MaxPool1d(2)", f"[{big}, {big + 1}]")["values"] == [big + 1]
    code, output = run("pool", "AvgPool2d(2)", "[[1, 2], [3, 4]]", "--latex")
    assert (code, output.strip()) == (0, r"\left[\begin{matrix}\frac{5}{2}\end{matrix}\right]")


def test_matrices():
    code, output = run("pool", "MaxPool1d(2)", "1, 2, 3, 4", "--matrix")
    assert code == 0
    assert output.splitlines()[1:] == ["[ 0   0  −∞  −∞]", "[−∞  −∞   0   0]"]
    code, output = run("pool", "AvgPool1d(2)", "1, 2", "--matrix")
    assert output.splitlines()[1:] == ["[1/2  1/2]"]
    found = answer("pool", "MaxPool1d(2)", "1, 2", "--matrix")["matrix"]
    assert found == {"shape": [1, 2], "entries": [[0, 0, 0], [0, 1, 0]]}
    found = answer("pool", "AvgPool1d(2)", "1, 2", "--matrix")["matrix"]
    assert found["entries"] == [[0, 0, "1/2"], [0, 1, "1/2"]]
    latex = run("pool", "MaxPool1d(2)", "1, 2", "--matrix", "--latex")[1]
    assert latex.splitlines()[1] == r"\left[\begin{matrix}0 & 0\end{matrix}\right]"
    assert r"\frac{1}{2}" in run("pool", "AvgPool1d(2)", "1, 3", "--matrix", "--latex")[1]


def test_planes(tmp_path):
    x = np.arange(2 * 3 * 4 * 4).reshape(2, 3, 4, 4)
    np.save(tmp_path / "x.npy", x)
    code, output = run("pool", "MaxPool2d(2)", tmp_path / "x.npy")
    assert code == 0
    assert output.splitlines()[:3] == ["[0, 0]", "[ 5   7]", "[13  15]"]
    assert output.count("\n[1, 2]\n") == 1
    np.save(tmp_path / "x.npy", np.arange(9 * 4).reshape(9, 2, 2))
    assert "… 3 more planes; --out writes all" in run("pool", "MaxPool2d(2)", tmp_path / "x.npy")[1]
    np.save(tmp_path / "x.npy", np.arange(4 * 4 * 4).reshape(4, 4, 4))
    code, output = run("pool", "AvgPool3d((2, 4, 2))", tmp_path / "x.npy")
    assert output.splitlines()[:2] == ["[0]", "[29/2  33/2]"]
    large = np.zeros((100, 100), dtype=int)
    np.save(tmp_path / "x.npy", large)
    assert "100×100" in run("pool", "MaxPool2d(1)", tmp_path / "x.npy")[1]


def test_floats(tmp_path):
    np.save(tmp_path / "x.npy", np.array([0.1, np.nan, 2.0, 1 / 3]))
    code, output = run("pool", "MaxPool1d(2)", tmp_path / "x.npy")
    assert (code, output) == (0, "[nan  2.0]\n")
    assert answer("pool", "MaxPool1d(2)", tmp_path / "x.npy")["values"] == ["nan", 2.0]
    np.save(tmp_path / "x.npy", np.array([0.1, 0.3], dtype=np.float32))
    assert run("pool", "AvgPool1d(2)", tmp_path / "x.npy")[0] == 0


def test_other_poolings(tmp_path):
    x = "[[1, 0, 3], [3, 4, 2], [1, 3, 3]]"
    assert run("pool", "AdaptiveAvgPool2d(2)", x) == (0, "[   2  9/4]\n[11/4    3]\n")
    assert run("pool", "AdaptiveMaxPool2d(2)", x)[1] == "[4  4]\n[4  4]\n"
    assert run("pool", "GlobalMaxPool()", x, "--indices")[1] == "[4]\nindices:\n[4]\n"
    assert run("pool", "GlobalAvgPool()", "1, 2")[1] == "[3/2]\n"
    assert run("pool", "LpPool1d(2, 2)", "3, 4, 1, 2")[1] == "[5  sqrt(5)]\n"
    assert answer("pool", "LpPool1d(2, 2)", "3, 4, 1, 2")["values"] == [5, "sqrt(5)"]
    assert "layer must have a matrix" in refuse("pool", "LpPool1d(2, 2)", "3, 4", "--matrix")
    target = tmp_path / "y.npy"
    assert run("pool", "LpPool1d(2, 2)", "3, 4, 1, 2", "--out", target)[0] == 0
    assert np.load(target).tolist() == [5.0, 5**0.5]
    uneven = answer("overlap", "AdaptiveAvgPool1d(3)", "--input", "7")
    assert (uneven["counts"], uneven["interior"]) == ([1, 1, 2, 1, 2, 1, 1], None)
    assert uneven["uniform_inside"]["status"] == "UNDECIDED"


def test_written_arrays(tmp_path):
    target = tmp_path / "y.npy"
    assert run("pool", "AvgPool2d(2)", NOTES, "--out", target) == (0, "")
    written = np.load(target)
    assert written.dtype == np.int64
    assert written.tolist() == [[2, 3], [4, 6]]
    assert run("pool", "AvgPool1d(3)", "1, 1, 2", "--out", target)[0] == 0
    assert np.load(target).tolist() == [float(Fraction(4, 3))]
    np.save(tmp_path / "x.npy", np.zeros((0, 4)))
    assert run("pool", "MaxPool1d(2)", tmp_path / "x.npy", "--out", target)[0] == 0
    assert np.load(target).shape == (0, 2)
    assert answer("pool", "MaxPool1d(2)", tmp_path / "x.npy") == {"shape": [0, 2], "values": []}
    assert "input must have planes" in refuse("pool", "MaxPool1d(2)", tmp_path / "x.npy")


def test_images(tmp_path):
    image = pytest.importorskip("PIL.Image")
    grey = np.random.default_rng(0).integers(0, 256, (6, 8), dtype=np.uint8)
    image.fromarray(grey).save(tmp_path / "grey.png")
    found = answer("pool", "MaxPool2d(2)", tmp_path / "grey.png", "--indices")
    values, places = sc.MaxPool2d(2).operator((6, 8)).apply(grey, return_indices=True)
    assert (found["values"], found["indices"]) == (values.tolist(), places.tolist())
    means = answer("pool", "AvgPool2d(2)", tmp_path / "grey.png")["values"]
    exact = sc.AvgPool2d(2).operator((6, 8)).apply(grey.astype(int))
    assert [[Fraction(v) for v in row] for row in means] == exact.tolist()
    colours = np.random.default_rng(1).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    image.fromarray(colours).save(tmp_path / "colours.png")
    out = tmp_path / "out.png"
    assert run("pool", "MaxPool2d(4)", tmp_path / "colours.png", "--out", out) == (0, "")
    pooled = np.array(image.open(out))
    assert pooled.shape == (10, 15, 3)
    assert np.array_equal(pooled, colours.reshape(10, 4, 15, 4, 3).max(axis=(1, 3)))
    assert run("pool", "AvgPool2d(4)", tmp_path / "colours.png", "--out", out) == (0, "")
    mean = colours.reshape(10, 4, 15, 4, 3).astype(int).sum(axis=(1, 3))
    assert np.array_equal(np.array(image.open(out)), (2 * mean + 16) // 32)
    # Beyond the limit for fractions the one division rounds, and nothing else.
    large = np.random.default_rng(2).integers(0, 256, (600, 500), dtype=np.uint8)
    image.fromarray(large).save(tmp_path / "large.png")
    assert run("pool", "AvgPool2d(5)", tmp_path / "large.png", "--out", out) == (0, "")
    mean = large.reshape(120, 5, 100, 5).astype(int).sum(axis=(1, 3))
    assert np.array_equal(np.array(image.open(out)), (2 * mean + 25) // 50)
    code, output = run("pool", "MaxPool2d(2)", "[[300, 1], [2, 3]]", "--out", out)
    assert (code, "100.0% of the values were outside" in output) == (0, True)
    assert np.array(image.open(out)).tolist() == [[255]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["Conv2d(1, 1, 2)", "[[1, 2], [3, 4]]"], "layer must be a pooling, without weights"),
        (["MaxPool2d(2)", "1, 2"], "input must have at least 2 axes"),
        (["MaxPool2d(3)", "[[1, 2], [3, 4]]"], "output size must be >= 1"),
        (["MaxPool2d(2", "1"], "well-formed"),
        ([HOSTILE, "1"], "layer must be"),
        (["MaxPool1d(2)", HOSTILE], "input must be made of"),
        (["MaxPool1d(2)", "[1.5, 2]"], "write decimals as fractions"),
        (["MaxPool1d(2)", "[[1, 2], [3]]"], "rows of one length"),
        (["MaxPool1d(2)", ""], "input must not be empty"),
        (["MaxPool1d(2)", "missing.npy"], "file must exist"),
        (["MaxPool2d(2)", "missing.png"], "file must exist"),
        (["MaxPool1d(2)", "1, 2", "--json", "--latex"], "either --json or --latex"),
        (["AvgPool1d(2)", "1, 2", "--indices"], "layer must be a max pooling"),
        (["AvgPool1d(2)", "1, 2", "--ties"], "layer must be a max pooling"),
        (["MaxPool1d(2, padding=2)", "1, 2"], "padding must leave a sample in every window"),
        (["MaxPool1d(2)", "1, 2", "--out", "none/y.npy"], "folder must exist"),
        (["MaxPool1d(2)", "1, 2", "--out", "y.npy", "--json"], "out must stand alone"),
    ],
)
def test_refusals(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert message in refuse("pool", *arguments)
    assert os.listdir(tmp_path) == []


def test_refused_images(tmp_path):
    pytest.importorskip("PIL.Image")
    target = tmp_path / "y.png"
    assert "1 or 3 channels" in refuse("pool", "MaxPool1d(2)", "1, 2", "--out", target)
    two = "[" + ", ".join(["[[1, 2], [3, 4]]"] * 2) + "]"
    assert "1 or 3 channels" in refuse("pool", "MaxPool2d(2)", two, "--out", target)
    assert "file name must end in" in refuse(
        "pool", "MaxPool1d(2)", "1, 2", "--out", tmp_path / "y.abc"
    )
    (tmp_path / "fake.png").write_bytes(b"no image")
    assert "file must be an image" in refuse("pool", "MaxPool2d(2)", tmp_path / "fake.png")
    assert sorted(os.listdir(tmp_path)) == ["fake.png"]


def test_odd_arrays(tmp_path):
    path = tmp_path / "x.npy"
    for array, message in (
        (np.ones(4, dtype=bool), "booleans"),
        (np.ones(4, dtype=complex), "must be real"),
        (np.array(["a", "b"]), "must hold"),
        (np.array(3), "at least 1 axes"),
        (np.zeros(2**17), "at most 65536 numbers for JSON"),
    ):
        np.save(path, array)
        assert message in refuse("pool", "MaxPool1d(1)", path, "--json")
    np.save(path, np.zeros(2**13))
    assert "at most 16777216 places" in refuse("pool", "MaxPool1d(1)", path, "--matrix")


def test_a_failed_write_leaves_the_old_file(tmp_path):
    target = tmp_path / "y.npy"
    target.write_bytes(b"old")
    refuse("pool", "MaxPool1d(3)", "1, 2", "--out", target)
    assert target.read_bytes() == b"old"
    assert stat.S_ISREG(target.stat().st_mode)


CHECKERBOARD = ("overlap", "ConvTranspose2d(1, 1, 3, stride=2)", "--input", "2x3")


def test_overlap():
    code, output = run(*CHECKERBOARD)
    assert code == 0
    lines = output.splitlines()
    assert lines[0].startswith("<Multiplicities, 54 triples: ConvTranspose(1, 1, (3, 3)")
    assert lines[1:4] == [
        "axis 0: 1, 1, 2, 1, 1",
        "axis 1: 1, 1, 2, 1, 2, 1, 1",
        "products in each output:",
    ]
    assert lines[6] == "[2  2  4  2  4  2  2]"
    assert lines[9].startswith("uniform: REFUTED (all 35 outputs): counts differ")
    assert lines[10].startswith("inside, for all sizes: REFUTED (all sizes)")
    assert lines[11] == "no border takes from: 1…3 × 1…5"
    found = answer(*CHECKERBOARD)
    assert (found["side"], found["total"], found["interior"]) == ("output", 54, [[1, 4], [1, 6]])
    assert found["counts"][2] == [2, 2, 4, 2, 4, 2, 2]
    assert found["uniform_inside"]["counterexample"]["axis"] == 0
    even = answer("overlap", "ConvTranspose2d(1, 1, 4, stride=2)", "--input", "3x3")
    assert (even["uniform"]["status"], even["uniform_inside"]["status"]) == ("REFUTED", "PROVED")
    other = answer(*CHECKERBOARD, "--side", "input")
    assert other["axes"] == [[3, 3], [3, 3, 3]]


def test_overlap_of_poolings_and_large_layers():
    found = answer("overlap", "MaxPool1d(3, stride=2)", "--input", "7")
    assert (found["side"], found["counts"]) == ("input", [1, 1, 2, 1, 2, 1, 1])
    code, output = run("overlap", "AvgPool3d(2, stride=1)", "--input", "3x3x3")
    assert (code, output.count("1, 2, 1")) == (0, 3)
    code, output = run("overlap", "AvgPool2d(3, stride=2)", "--input", "300x40")
    assert (code, "… 276 more" in output, "300×40" in output) == (0, True, True)
    assert "counts" not in answer("overlap", "AvgPool2d(3, stride=2)", "--input", "300x40")
    padded = "Conv1d(1, 1, 3, padding=1, padding_mode='circular')"
    assert answer("overlap", padded, "--input", "5")["interior"] is None
    assert "none" in run("overlap", "ConvTranspose1d(1, 1, 5)", "--input", "2")[1]


def test_overlap_pictures(tmp_path):
    path = tmp_path / "map.svg"
    assert run(*CHECKERBOARD, "--out", path)[0] == 0
    root = ET.fromstring(path.read_text())  # noqa: S314 - our own text
    assert root.get("role") == "img"
    pytest.importorskip("matplotlib")
    assert run(*CHECKERBOARD, "--out", tmp_path / "map.png")[0] == 0
    assert (tmp_path / "map.png").read_bytes()[1:4] == b"PNG"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["MaxPool1d(3)", "--input", "2"], "output size must be >= 1"),
        (["MaxPool1d(3)", "--input", "2x2"], "input_size must have 1 entries"),
        (["MaxPool1d(3)"], "Missing option '--input'"),
        (["MaxPool1d(3)", "--input", "4", "--side", "top"], "is not one of"),
        (["MaxPool1d(3)", "--input", "4", "--out", "x.gif"], "must end in .svg or .png"),
        (["MaxPool1d(3)", "--input", "4", "--out", "none/x.svg"], "folder must exist"),
        ([HOSTILE, "--input", "4"], "layer must be"),
    ],
)
def test_overlap_refusals(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert message in refuse("overlap", *arguments)
    assert os.listdir(tmp_path) == []
