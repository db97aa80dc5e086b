"""``symconv separate``: names, numbers, files, pictures, and what is refused."""

from __future__ import annotations

import json
import os
from fractions import Fraction
from xml.etree import ElementTree as ET

import numpy as np
import pytest

pytest.importorskip("click")
pytest.importorskip("rich")

from commands import HOSTILE, refuse, run

from symconv.kernels import KERNELS, SAMPLED

NOTES = "[[3, 6, 9], [4, 8, 12], [5, 10, 15]]"


def answer(*arguments):
    code, output = run("separate", *arguments, "--json")
    assert code == 0, output
    return json.loads(output)


def test_the_notes():
    code, output = run("separate", NOTES)
    assert code == 0
    assert output.splitlines() == [
        "Separation 3×3, rank 1",
        "  (3, 4, 5) ⊗ (1, 2, 3)",
        "separable: PROVED (the stated numbers): all 2×2 minors vanish",
        "singular values: 10*sqrt(7), 0 (×2)",
        "weights: 6 < 9 dense",
    ]
    found = answer(NOTES)
    assert found["terms"] == [[[3, 4, 5], [1, 2, 3]]]
    assert (found["exact"], found["rank"], found["separable"]) == (True, 1, "PROVED")
    assert found["singular_values"][0]["exact"] == "10*sqrt(7)"
    low, high = (Fraction(found["singular_values"][0][end]) for end in ("lower", "upper"))
    assert low**2 <= 700 <= high**2
    code, output = run("separate", NOTES, "--latex")
    assert code == 0
    assert output.startswith(r"\left[\begin{matrix}3 & 6 & 9\\")


@pytest.mark.parametrize("name", [*KERNELS, *SAMPLED])
def test_names(name):
    found = answer(name)
    assert found["exact"] == (name in KERNELS)
    code, output = run("separate", name)
    assert code == 0
    assert f"rank {found['rank']}" in output


def test_numbers_and_axes():
    assert answer("1/2, 1/3")["terms"] == [[["1/2", "1/3"]]]
    assert answer("7")["terms"] == [[[7]]]
    assert answer("[[1/2, 1], [1, 2]]")["terms"] == [[["1/2", 1], [1, 2]]]
    tensor = answer("[[[1, 0], [0, 1]], [[0, 1], [1, 0]]]")
    assert tensor["multilinear_rank"] == [2, 2, 2]
    assert tensor["rank"] is None
    assert "singular_values" not in tensor
    code, output = run("separate", "[[[1, 0], [0, 1]], [[0, 1], [1, 0]]]")
    assert code == 0
    assert "multilinear rank: 2 × 2 × 2" in output
    # A sign in front is a number, not an option.
    code, output = run("separate", "--", "-1, 2")
    assert (code, "rank 1" in output) == (0, True)


def test_files(tmp_path):
    path = tmp_path / "kernel.npy"
    np.save(path, np.array([[1, 2], [2, 4]], dtype=np.uint8))
    assert answer(path)["terms"] == [[[1, 2], [1, 2]]]
    np.save(path, 1e-9 * np.array([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]))
    found = answer(path)
    assert (found["exact"], found["rank"], found["exact_rank"]) == (False, 2, 2)
    assert found["separable"] == "REFUTED"
    assert answer(path, "--tolerance", "0.5")["rank"] == 1
    code, output = run("separate", path)
    assert code == 0
    assert "within relative tolerance 6.66134e-16; rank 2 as stored" in output
    assert "terms differ from the kernel by at most 0 in norm" in output


def test_images(tmp_path):
    image = pytest.importorskip("PIL.Image")
    column, row = np.arange(1, 31), np.arange(8)
    grey = np.outer(column, row).astype(np.uint8)
    image.fromarray(grey).save(tmp_path / "ramp.png")
    assert answer(tmp_path / "ramp.png")["rank"] == 1
    colours = np.stack([grey] * 3, axis=-1)
    image.fromarray(colours).save(tmp_path / "colour.png")
    assert answer(tmp_path / "colour.png")["terms"] == answer(tmp_path / "ramp.png")["terms"]
    noise = np.random.default_rng(0).integers(0, 256, (40, 30), dtype=np.uint8)
    image.fromarray(noise).save(tmp_path / "noise.png")
    found = answer(tmp_path / "noise.png")
    assert found["rank"] == 30
    assert len(found["singular_values"]) == 30
    code, output = run("separate", tmp_path / "noise.png")
    assert (code, "… 6 more" in output) == (0, True)


def test_pictures(tmp_path):
    path = tmp_path / "terms.svg"
    assert run("separate", "laplacian3", "--out", path)[0] == 0
    root = ET.fromstring(path.read_text())  # noqa: S314 - our own text
    space = "{http://www.w3.org/2000/svg}"
    assert root.get("role") == "img"
    assert root.find(f"{space}title").text == "Separation 3×3, rank 2"
    said = root.find(f"{space}desc").text
    assert "K = 0, 1, 0; 1, −4, 1; 0, 1, 0" in said
    assert "term 1: column 1, 0, 1, row 0, 1, 0" in said
    assert "term 2: column 0, 1, 0, row 1, −4, 1" in said
    for kernel in ("[[0, 0], [0, 0]]", "1, 2, 3", "gabor9_45", "motion_diagonal5"):
        assert run("separate", kernel, "--out", path)[0] == 0
        ET.fromstring(path.read_text())  # noqa: S314
    large = tmp_path / "large.npy"
    np.save(large, np.random.default_rng(0).integers(0, 9, (100, 90)))
    assert run("separate", large, "--out", path)[0] == 0
    assert len(path.read_text()) < 5_000_000
    pytest.importorskip("matplotlib")
    picture = tmp_path / "terms.png"
    for kernel in ("laplacian3", "[[0, 0]]", "1, 2, 3"):
        assert run("separate", kernel, "--out", picture)[0] == 0
        assert picture.read_bytes()[1:4] == b"PNG"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "kernel must be one of identity, box3"),
        ([HOSTILE], "got a call"),
        (["[[1, 2], [3]]"], "rows of one length"),
        (["[[]]"], "kernel must have at least one entry"),
        ([""], "kernel must not be empty"),
        (["[[1, True]]"], "kernel must be made of"),
        (["[[1.5]]"], "kernel must be made of"),
        (["9" * 41], "at most 40 digits"),
        (["1," * 600], "at most 1000 characters"),
        (["missing.npy"], "file must exist"),
        (["missing.png"], "file must exist"),
        ([NOTES, "--tolerance", "0.1"], "tolerance must be left out"),
        ([NOTES, "--json", "--latex"], "either --json or --latex"),
        ([NOTES, "--out", "x.gif"], "file name must end in .svg or .png"),
        ([NOTES, "--out", "none/x.svg"], "folder must exist"),
        (["gabor9_0", "--tolerance", "1"], "tolerance must be at least 0 and below 1"),
        (["gabor9_0", "--tolerance", "a"], "is not a valid float"),
    ],
)
def test_refusals(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    output = refuse("separate", *arguments)
    assert message in output
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.ones((2, 2), dtype=bool), "booleans"),
        (np.array([[np.nan, 1]]), "kernel must be finite, got nan"),
        (np.array([[1j, 1]]), "kernel must be real"),
        (np.array(["a"]), "kernel must hold"),
        (np.zeros((0, 3)), "at least one entry"),
        (np.array(3.0), "at least 1 axis"),
        (np.zeros((1000, 1000)), "at most 262144 entries"),
    ],
)
def test_files_that_hold_no_kernel(tmp_path, array, message):
    np.save(tmp_path / "kernel.npy", array)
    assert message in refuse("separate", tmp_path / "kernel.npy")


def test_no_picture_of_tensors(tmp_path):
    output = refuse("separate", "[[[1, 2]]]", "--out", tmp_path / "x.svg")
    assert "a picture needs a kernel of 1 or 2 axes, got 3" in output
    assert os.listdir(tmp_path) == []
