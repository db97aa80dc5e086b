"""The command line as a user runs it: what it prints, writes, refuses and leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import scipy.io
import scipy.sparse

import symconv as sc
from symconv import __main__ as entry

pytest.importorskip("click")
pytest.importorskip("rich")

from click.testing import CliRunner
from commands import CONV, HOSTILE, refuse, run

from symconv.cli import commands

# matrix


def test_matrix_as_text():
    code, output = run("matrix", "Conv1d(1, 1, 3, stride=2, padding=1)", "--input", "5")
    assert code == 0
    assert output.splitlines() == [
        "<Operator 3×5, 7 entries: Conv(1, 1, (3,), stride=(2,), padding=((1, 1),)) on 5>",
        "[w1  w2   0   0   0]",
        "[ 0  w0  w1  w2   0]",
        "[ 0   0   0  w0  w1]",
        "w2 is short for w_0_0_2",
    ]


def test_matrix_names_channels_where_there_are_several():
    _, output = run("matrix", "Conv1d(2, 1, 1)", "--input", "1")
    assert "[w_0_0_0  w_0_1_0]" in output
    assert "short" not in output


def test_matrix_with_numbers():
    _, output = run("matrix", "Conv1d(1, 1, 2)", "--input", "3", "--weight", "1/3, -2")
    assert output.splitlines()[1:] == ["[1/3   -2   0]", "[  0  1/3  -2]"]
    _, output = run("matrix", "Conv2d(1, 1, 3)", "--input", "3x3", "--kernel", "box3")
    assert output.splitlines()[1:] == ["[" + "  ".join(["1/9"] * 9) + "]"]
    _, output = run("matrix", "AvgPool1d(2)", "--input", "4")
    assert output.splitlines()[1:] == ["[1/2  1/2    0    0]", "[  0    0  1/2  1/2]"]


def test_matrix_transposed():
    _, output = run("matrix", "Conv1d(1, 1, 2)", "--input", "3", "--weight", "1, 2", "--transpose")
    assert output.splitlines()[1:] == ["[1  0]", "[2  1]", "[0  2]"]


@pytest.mark.parametrize("size", ["6x6", "64x64", "600x512"])
def test_large_matrix_shows_its_corners(size):
    code, output = run("matrix", CONV, "--input", size)
    lines = output.splitlines()
    assert code == 0
    assert "…" in output
    assert max(map(len, lines)) <= 120
    assert lines[-1].startswith("corners only; --format json --max-entries ")
    assert lines[1].startswith("[w11  w12    0")


def test_matrix_width_follows_the_terminal():
    lines = (
        CliRunner()
        .invoke(commands, ["matrix", CONV, "--input", "6x6"], env={"COLUMNS": "50"})
        .output.splitlines()
    )
    assert max(map(len, lines[1:-2])) <= 50


def test_matrix_in_full_to_a_file(tmp_path):
    code, output = run("matrix", CONV, "--input", "6x6", "--out", tmp_path / "matrix.txt")
    assert (code, output) == (0, "")
    text = (tmp_path / "matrix.txt").read_text(encoding="utf-8")
    assert "…" not in text
    assert len(text.splitlines()) == 38


def test_matrix_as_latex():
    _, output = run("matrix", "Conv1d(1, 1, 2)", "--input", "3", "--format", "latex")
    assert output.strip() == (
        r"\left[\begin{matrix}w_{0,0,0} & w_{0,0,1} & 0\\0 & w_{0,0,0} & w_{0,0,1}"
        r"\end{matrix}\right]"
    )
    _, output = run("matrix", CONV, "--input", "64x64", "--format", "latex")
    assert r"\ddots" in output
    assert "note: corners only of 4096×4096" in output


def test_matrix_as_json():
    code, output = run("matrix", "Conv1d(1, 1, 3, padding=1)", "--input", "2", "--format", "json")
    assert code == 0
    assert json.loads(output) == {
        "shape": [2, 2],
        "entries": [[0, 0, "w_0_0_1"], [0, 1, "w_0_0_2"], [1, 0, "w_0_0_0"], [1, 1, "w_0_0_1"]],
    }
    arguments = ("matrix", CONV, "--input", "6x6", "--format", "json", "--max-entries")
    assert "max-entries must be at least 256" in refuse(*arguments, 255)
    assert len(json.loads(run(*arguments, 256)[1])["entries"]) == 256


@pytest.mark.parametrize(
    ("layer", "weight", "kind"),
    [
        ("Conv2d(2, 3, 2)", np.arange(24).reshape(3, 2, 2, 2), "i"),
        ("Conv2d(2, 3, 2)", np.arange(24).reshape(3, 2, 2, 2) / 4, "f"),
        ("AvgPool2d(2)", None, "f"),
        ("Pad((1, 1))", None, "i"),
    ],
)
def test_matrix_files(tmp_path, layer, weight, kind):
    options = []
    if weight is not None:
        np.save(tmp_path / "w.npy", weight)
        options = ["--weight", tmp_path / "w.npy"]
    for name in ("m.mtx", "m.npz"):
        out = tmp_path / name
        arguments = ("matrix", layer, "--input", "4x4", *options, "--format", name[2:])
        assert "out must be given" in refuse(*arguments)
        assert run(*arguments, "--out", out) == (0, "")
    expected = sc.parsing.parse_layer(layer).operator((4, 4)).sparse(weight).toarray()
    read = scipy.io.mmread(tmp_path / "m.mtx")
    assert np.array_equal(read.toarray(), expected)
    stored = scipy.sparse.load_npz(tmp_path / "m.npz")
    assert stored.dtype.kind == kind
    assert np.array_equal(stored.toarray(), expected)
    assert sorted(os.listdir(tmp_path)) == sorted(
        {"m.mtx", "m.npz"} | ({"w.npy"} if weight is not None else set())
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((HOSTILE, "--input", "4x4"), "got attribute access"),
        (("Conv2d(1, 1, **{})", "--input", "4x4"), "one by one"),
        ((CONV, "--input", "4x"), "size must be whole numbers"),
        ((CONV, "--input", "4"), "input_size must have 2 entries"),
        ((CONV,), "Missing option '--input'"),
        (("Conv2d(1, 1, 3)", "--input", "2x2"), "output size must be >= 1"),
        ((CONV, "--input", "4x4", "--weight", "[1, 2]"), "weight must have shape (1, 1, 3, 3)"),
        ((CONV, "--input", "4x4", "--weight", HOSTILE), "weight must be made of"),
        ((CONV, "--input", "4x4", "--weight", "none.npy"), "file must exist, got none.npy"),
        ((CONV, "--input", "4x4", "--kernel", "sobel"), "kernel must be one of identity"),
        (
            (CONV, "--input", "4x4", "--kernel", "box3", "--weight", "1"),
            "either --kernel or --weight",
        ),
        (("AvgPool2d(2)", "--input", "4x4", "--weight", "1"), "has no free weights"),
        ((CONV, "--input", "4x4", "--format", "pdf"), "'pdf' is not one of"),
        ((CONV, "--input", "4x4", "--max-entries", "0"), "0 is not in the range"),
        (
            (CONV, "--input", "4x4", "--format", "npz", "--out", "m.npz"),
            "weight must be given as numbers",
        ),
        (("Conv2d(1000000, 1000000, 3)", "--input", "4x4"), ""),
        (("Conv2d(1, 1, 3)", "--input", "1000000000x1000000000"), ""),
    ],
)
def test_matrix_refusals(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert message in refuse("matrix", *arguments)
    assert os.listdir(tmp_path) == []


def test_floats_make_no_exact_matrix(tmp_path):
    np.save(tmp_path / "w.npy", np.full((1, 1, 3, 3), 0.5))
    output = refuse("matrix", CONV, "--input", "4x4", "--weight", tmp_path / "w.npy")
    assert "weight must be exact" in output


# The whole program


def test_version_and_help():
    assert run("--version") == (0, f"symconv, version {sc.__version__}\n")
    for command in ((), ("matrix",), ("apply",), ("demo",)):
        code, output = run(*command, "--help")
        assert code == 0
        assert output.startswith("Usage: ")
    assert "halves upwards" in " ".join(run("apply", "--help")[1].split())


@pytest.mark.parametrize("arguments", [("draw",), ("--none",), ("matrix",), ("matrix", CONV, "x")])
def test_wrong_usage(arguments):
    assert refuse(*arguments)


def test_interrupt_and_memory(monkeypatch):
    def raising(error):
        def operator(self, size):
            raise error

        return operator

    monkeypatch.setattr(sc.Conv, "operator", raising(KeyboardInterrupt()))
    assert run("matrix", CONV, "--input", "4x4") == (130, "")
    monkeypatch.setattr(sc.Conv, "operator", raising(MemoryError("too much")))
    assert "out of memory: too much" in refuse("matrix", CONV, "--input", "4x4")


@pytest.mark.parametrize("missing", ["click", "rich"])
def test_missing_packages_are_named(missing, monkeypatch, capsys):
    for name in list(sys.modules):
        if name.startswith("symconv.cli") or name.partition(".")[0] == missing:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    assert entry.main() == 2
    error = capsys.readouterr().err
    assert error == f'error: the command line needs {missing}: pip install "symconv[cli]"\n'


def test_missing_pillow_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "PIL", None)
    output = refuse("apply", CONV, tmp_path / "a.png", tmp_path / "b.png", "--kernel", "box3")
    assert 'images need Pillow: pip install "symconv[draw]"' in output


def program(*arguments):
    return [sys.executable, "-m", "symconv", *arguments]


def test_as_a_program():
    done = subprocess.run(
        program("matrix", "Conv1d(1, 1, 2)", "--input", "3", "--weight", "1, 2"),
        capture_output=True, encoding="utf-8", check=False, env=os.environ | {"PYTHONUTF8": "1"},
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.splitlines()[1:] == ["[1  2  0]", "[0  1  2]"]
    failed = subprocess.run(
        program("matrix", "Conv1d(1, 1, 4)", "--input", "3"),
        capture_output=True, encoding="ascii", check=False, env=os.environ | {"LC_ALL": "C"},
    )  # fmt: skip
    assert failed.returncode == 2
    assert failed.stdout == ""
    assert failed.stderr.startswith("error: output size must be >= 1")


def test_terminal_without_unicode():
    done = subprocess.run(
        program("matrix", CONV, "--input", "40x40"),
        capture_output=True, check=False, env=os.environ | {"PYTHONIOENCODING": "latin-1"},
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stdout.startswith("<Operator 1600×1600".encode("latin-1"))
    assert b"  ?  " in done.stdout


@pytest.mark.skipif(os.name == "nt", reason="pipes and signals of POSIX")
def test_closed_pipe_and_interrupt_are_quiet(tmp_path):
    arguments = program("matrix", CONV, "--input", "40x40")
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode != 0
    pytest.importorskip("PIL")
    pytest.importorskip("matplotlib")
    arguments = program("demo", "--out", str(tmp_path / "out"))
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        # Older versions of click end the line that the terminal's ^C stands on.
        assert process.stderr.read().strip() == b""
    assert process.returncode == 130
    assert not list((tmp_path / "out").glob("*"))
