"""``symconv summary`` on the light model files of the onnx wheel, and on damaged ones."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

pytest.importorskip("click")
pytest.importorskip("rich")

from commands import refuse, run

LIGHT = Path(pytest.importorskip("onnx").__file__).parent / "backend" / "test" / "data" / "light"
RESNET = LIGHT / "light_resnet50.onnx"


def test_table():
    code, output = run("summary", RESNET)
    assert code == 0
    lines = output.splitlines()
    assert lines[0].split()[:3] == ["name", "kind", "output"]
    # He, Zhang, Ren, Sun (2016), ResNet-50 with batch normalisation.
    assert lines[-1].split() == ["total", "25557032", "4089184256"]


def test_json_csv_and_a_file(tmp_path):
    code, output = run("summary", RESNET, "--json")
    assert code == 0
    table = json.loads(output)
    assert table["totals"]["parameters"] == 25557032
    assert table["rows"][0]["output_shape"] == [64, 112, 112]
    target = tmp_path / "resnet.csv"
    code, output = run("summary", RESNET, "--csv", "--out", target)
    assert (code, output) == (0, "")
    rows = list(csv.DictReader(io.StringIO(target.read_text(encoding="utf-8"))))
    assert sum(int(row["parameters"]) for row in rows) == 25557032
    assert len(rows) == len(table["rows"])


def test_another_input():
    code, output = run("summary", LIGHT / "light_squeezenet.onnx", "--input", "3x64x64", "--json")
    assert code == 0
    assert json.loads(output)["rows"][0]["output_shape"] == [64, 31, 31]


def test_damaged_files_end_in_one_line(tmp_path):
    whole = RESNET.read_bytes()
    for name, content in (("empty", b""), ("text", b"not onnx"), ("cut", whole[: len(whole) // 2])):
        path = tmp_path / f"{name}.onnx"
        path.write_bytes(content)
        output = refuse("summary", path, "--out", tmp_path / "table.txt")
        assert output.startswith("error: ")
        assert len(output.splitlines()) == 1
    assert not (tmp_path / "table.txt").exists()
    assert "file must exist" in refuse("summary", tmp_path / "missing.onnx")
