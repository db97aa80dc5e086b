"""Speeds side by side: the same integers from every engine, and a wrong one noticed."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("click")
pytest.importorskip("rich")

from commands import refuse, run

from symconv.benching import CASES, IMAGES, bench
from symconv.benching.cases import Case, data
from symconv.benching.engines import ENGINES, make
from symconv.benching.running import Measurement
from symconv.benching.worker import digest
from symconv.errors import ParameterError, SymconvError
from symconv.layers import Conv

SMALL = {
    "plain": Case("plain", Conv(1, 1, (3, 3), bias=False), (9, 8), 1),
    "strided": Case("strided", Conv(4, 6, (3, 2), stride=(2, 1), groups=2, bias=False), (9, 8), 2),
    "late": Case("late", Conv(2, 2, (2,), dilation=3, padding=((3, 0),), bias=False), (9,), 2),
}


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("case", SMALL.values(), ids=SMALL)
@pytest.mark.parametrize("transposed", [False, True])
def test_every_engine_computes_the_case(name, case, transposed):
    pytest.importorskip(ENGINES[name][1])
    x, weight = data(case, "float64", transposed)
    timed = make(name, case, x, weight, transposed)
    if timed is None:
        assert name in ("scipy.signal", "scipy.ndimage", "pylops")
        return
    op = case.layer.operator(case.size)
    expected = (op.T if transposed else op).apply_linear(x.astype(int), weight.astype(int))
    answer = np.asarray(timed())
    assert np.array_equal(np.rint(answer).reshape(expected.shape), expected)
    assert digest(answer) == digest(expected)


def test_a_digest_tells_wrong_answers_apart():
    array = np.arange(6.0)
    assert digest(array) == digest(array.astype(np.float32)) == digest(array + 1e-9)
    assert digest(array) != digest(array + 1)
    assert digest(array + 0.4) == "no integers"


def test_engines_take_turns_and_agree():
    found = bench(["symconv", "sparse"], ["depthwise stride 2"], dtypes=["int32"],
                  directions=["transposed"], rounds=1, repeats=1, threads=1)  # fmt: skip
    assert [(one.case, one.dtype, one.transposed) for one in found] == [
        ("depthwise stride 2", "int32", True)
    ]
    assert found[0].agree
    assert all(seconds > 0 for seconds in found[0].seconds.values())
    assert found[0].ratio("symconv", "sparse") > 0
    assert found[0].ratio("symconv", "torch") is None


def test_an_engine_that_ends_is_reported(monkeypatch):
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(SymconvError, match=r"^engine 'symconv' ended with exit status "):
        bench(["symconv"], ["depthwise 32"], rounds=1, repeats=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engines": ["caffe"]}, "^engine must be one of 'symconv', "),
        ({"cases": ["4×4"]}, "^case must be one of 'one channel 5×5', "),
        ({"dtypes": ["int8"]}, "^dtype must be one of 'float32', "),
        ({"directions": ["up"]}, "^direction must be one of 'forward', "),
        ({"rounds": 0}, "^rounds must be >= 1, got 0"),
        ({"threads": 0}, "^threads must be >= 1, got 0"),
    ],
)
def test_bad_input(options, message):
    with pytest.raises(ParameterError, match=message):
        bench(**{"engines": ["symconv"], "cases": [], **options})


def planted(agree):
    def measured(engines, cases, *, on_measurement, **options):
        found = [
            Measurement(case, "float32", False, dict.fromkeys(engines, 0.002), agree)
            for case in cases
        ]
        for one in found:
            on_measurement(one)
        return found

    return measured


@pytest.mark.parametrize("agree", [True, False])
def test_the_command_prints_and_exits(agree, monkeypatch):
    monkeypatch.setattr("symconv.cli.benching.bench", planted(agree))
    code, output = run("bench", "--engine", "symconv", "--engine", "sparse", "--dtype", "float32")
    assert code == (0 if agree else 1)
    assert "3×3 64→64" in output
    assert ("equal" if agree else "DIFFER") in output
    assert "geometric mean 1.00, largest 1.00" in output
    code, output = run("bench", "--images", "--json", "--engine", "symconv")
    assert [entry["case"] for entry in json.loads(output)] == list(IMAGES)


def test_the_command_refuses_unknown_cases():
    assert "case must be one of" in refuse("bench", "nothing", "--engine", "symconv")


def test_cases_are_legal():
    for case in [*CASES.values(), *IMAGES.values()]:
        assert min(case.layer.output_size(case.size)) >= 1
