"""Sweeps: planted mistakes are found once each, nothing else is, across interruptions."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from planted import Reference

import symconv as sc
from symconv.errors import FileError, ParameterError, ParameterTypeError
from symconv.journal import Journal
from symconv.lattice import KINDS, point
from symconv.sweeping import Finding, rechecked, running, sweep
from symconv.sweeping.findings import same_defect, traits, wording
from symconv.verifying import Factory, UnsupportedError


class Planted(Reference):
    """The reference with its mistakes, which takes only what it knows."""

    name, version = "planted", "1"

    def build(self, layer, size):
        if set(getattr(layer, "input_dilation", (1,))) != {1}:
            raise UnsupportedError("input_dilation must be 1 in planted")
        if any(min(pair) < 0 for pair in layer.padding):
            raise UnsupportedError("padding must be >= 0 in planted")
        fn = super().build(layer, size)

        def run(*arguments):
            if len(arguments[0]) == 0:
                raise UnsupportedError("batch must be >= 1 in planted")
            return fn(*arguments)

        return run


@pytest.fixture(autouse=True)
def _one_is_enough(monkeypatch):
    """Shrinking each failure three times would tell no more here."""
    monkeypatch.setattr(running, "ENOUGH", 1)


# The lattice


@pytest.mark.parametrize("kind", KINDS)
def test_points_are_the_same_in_every_process(kind):
    code = (
        "import sys; from symconv.lattice import point;"
        f"print(*(repr(point(n, {kind!r}, 3)) for n in range(12)), sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONHASHSEED": "7"})  # fmt: skip
    assert done.stdout.splitlines() == [repr(point(n, kind, 3)) for n in range(12)]
    assert repr(point(0, kind, 4)) != repr(point(0, kind, 3))


def test_points_cover_the_parameters():
    found = set().union(*(traits(point(number).layer) for number in range(400)))
    assert found >= {
        "kernel_size", "stride", "dilation", "input_dilation", "output_padding", "padding",
        "asymmetric padding", "cropping", "groups", "bias", "ceil_mode", "count_include_pad",
        "divisor_override", "padding_mode", "2 axes", "3 axes", "input channels",
    }  # fmt: skip
    layers = [point(number, "conv").layer for number in range(200)]
    varied = [layer for layer in layers if layer.rank == 2 and set(layer.stride) != {1}]
    assert all(len(set(layer.stride)) == 2 for layer in varied)
    assert {point(number, dtypes=("float32", "float64")).dtype for number in range(20)} == {
        "float32", "float64",
    }  # fmt: skip


def test_bad_kinds():
    with pytest.raises(ParameterError, match="kind must be one of"):
        point(0, "pool")


# What is found


@pytest.mark.parametrize("kind", KINDS[:-1])
def test_nothing_is_found_in_the_reference(kind):
    found = sweep(Planted(), kind=kind, count=20)
    assert found
    assert found.tried == 20
    assert found.statuses["agrees"] >= 8
    assert found.findings == ()


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS[:-1])
@pytest.mark.parametrize("seed", range(2))
def test_nothing_is_found_in_the_reference_anywhere(kind, seed):
    """Not even what the loops then do not confirm."""
    assert sweep(Planted(), kind=kind, count=150, seed=seed).findings == ()


@pytest.mark.parametrize(
    ("kind", "defects", "names"),
    [
        ("conv", ("pad_sides",), {"padding split on the wrong side"}),
        ("transpose", ("op_zeros",), {"output padding appended as zeros"}),
        ("max", ("max_padding_zero",), {"padding counts as 0 in the maximum"}),
        ("avg", ("count_other_way",), {"padding counted in the divisor the other way"}),
    ],
)
def test_a_planted_mistake_is_reported_once(kind, defects, names):
    found = sweep(Planted(*defects), kind=kind, count=12)
    assert not found
    assert [set(each.mistakes) for each in found.confirmed] == [names]
    [one] = found.findings
    assert max(one.layer.kernel_size) <= 3
    assert max(one.input_size) <= 4
    assert one.times + one.like == found.statuses["failed"]


def test_failures_are_shrunk_three_times_before_others_count_as_alike(monkeypatch):
    monkeypatch.setattr(running, "ENOUGH", 3)
    [found] = sweep(Planted("max_padding_zero"), kind="max", count=25).findings
    assert found.times == 3
    assert found.like > 0


def test_mistakes_of_different_kinds_of_layers_are_told_apart():
    found = sweep(Planted("bias_forgotten", "max_padding_zero"), count=24)
    assert {(type(each.layer).__name__, each.title) for each in found.confirmed} == {
        ("Conv", "bias forgotten"),
        ("ConvTranspose", "bias forgotten"),
        ("MaxPool", "padding counts as 0 in the maximum"),
    }


def test_one_mistake_has_one_smallest_reproduction():
    [found] = sweep(Planted("flip"), kind="conv", count=5).findings
    assert (found.layer, found.input_size) == (sc.Conv(1, 1, (2,), bias=False), (2,))


def test_a_number_format_is_kept():
    found = sweep(Planted("flip"), kind="conv", count=3, dtypes=["float64"])
    assert {each.dtype for each in found.findings} == {"float64"}


def test_unsupported_and_undecided_are_counted_with_their_reasons():
    class Few(Planted):
        def build(self, layer, size):
            if layer.rank > 1:
                raise UnsupportedError(f"rank must be 1, got {layer.rank}")
            return super().build(layer, size)

    found = sweep(Few(), kind="max", count=30)
    assert found
    assert found.statuses["unsupported"] >= 10
    assert any("rank must be #, got #" in reason for reason in found.reasons["unsupported"])
    assert "unsupported:" in str(found)
    # An average is no integer: a format of integers holds no probe.
    assert sweep(Planted(), kind="avg", count=5, dtypes=["int32"]).statuses["undecided"] > 0


def test_what_raises_is_kept_apart_by_its_words():
    class Raises(Planted):
        def build(self, layer, size):
            if layer.stride != (1,) * layer.rank:
                raise RuntimeError(f"stride {layer.stride} is not written yet")
            return super().build(layer, size)

    found = sweep(Raises(), kind="max", count=40)
    assert len(found.confirmed) == 1
    assert found.findings[0].kind == "raises"
    assert found.findings[0].layer.kernel_size == (1,)
    assert "the loops give a result" in found.findings[0].recheck.text


# No false alarm


def test_a_defect_that_the_loops_do_not_confirm_is_no_defect(monkeypatch):
    """If symconv were wrong, the loops would say so: its own map is planted wrong here."""
    from symconv.verifying.problems import Problem  # noqa: PLC0415

    original = Problem.run

    def wrong(self, *arguments):
        return original(self, *arguments) + 1

    monkeypatch.setattr(Problem, "run", wrong)
    found = sweep(Planted(), kind="conv", count=2)
    assert found.findings
    assert not found.confirmed
    assert found
    assert "not confirmed" in found.summary()
    assert "NOT confirmed" in str(found.findings[0])


def test_symconv_and_the_loops_must_agree(monkeypatch):
    from symconv.verifying import loops  # noqa: PLC0415

    monkeypatch.setattr(loops, "applied", lambda *_: [[[1, 2]]])
    layer = sc.Conv1d(1, 1, 2, bias=False)
    found = rechecked(lambda x, w: x[..., 1:], layer, (3,), "values")
    assert not found.confirmed
    assert "please report this" in found.text


LAYER = sc.AvgPool((3,), stride=1)


@pytest.mark.parametrize(
    ("fn", "kind", "confirmed"),
    [
        (lambda x: (x[..., :-2] + x[..., 1:-1] + x[..., 2:]) / 3, "values", False),
        (lambda x: (x[..., :-2] + x[..., 1:-1] + x[..., 2:]) * np.float32(1 / 3), "values", False),
        (lambda x: (x[..., :-2] + x[..., 1:-1] + x[..., 2:]) * np.float32(0.3334), "values", True),
        (lambda x: x[..., :-2] * np.nan, "nan", True),
        (lambda x: x, "shape", True),
        (lambda x: x[..., :-2].astype(np.float64), "dtype", True),
        (lambda x: 1 / 0, "raises", True),
        (lambda x: 1 / 0, "values", False),
        (lambda x: x.fill(0) or x[..., 2:], "mutation", True),
    ],
)
def test_rechecks(fn, kind, confirmed):
    found = rechecked(fn, LAYER, (5,), kind, channels=1)
    assert found.confirmed is confirmed, found.text


def test_a_result_that_changes_is_called_often():
    calls = itertools.count()
    layer = sc.MaxPool((1,), stride=1)
    found = rechecked(lambda x: x + (next(calls) == 7), layer, (2,), "determinism")
    assert found.confirmed
    assert not rechecked(lambda x: x, layer, (2,), "determinism").confirmed


def test_fast_algorithms_are_held_to_their_bound():
    def fft(layer, size):
        def run(x, w):
            full = [np.fft.irfft(np.fft.rfft(s[0], 16) * np.fft.rfft(w[0, 0, ::-1], 16), 16)
                    for s in x]  # fmt: skip
            return np.array(full)[:, None, 2 : size[0]].astype(x.dtype)

        return run

    layer = sc.Conv1d(1, 1, 3, bias=False)
    probe = (
        np.array([[[900, -901, 902, 903, -904.0]]], dtype=np.float32),
        np.array([[[701, 702, -703.0]]], dtype=np.float32),
    )
    exact = rechecked(Factory(fft), layer, (5,), "values", probe)
    bounded = rechecked(Factory(fft), layer, (5,), "values", probe, growth=64.0)
    assert exact.confirmed or exact.text == "the loops give the same"
    assert not bounded.confirmed


# Findings


def test_findings_are_read_back():
    [found] = sweep(Planted("flip"), kind="conv", count=3).findings
    data = json.loads(json.dumps(found.data()))
    assert Finding.read(data) == found
    with pytest.raises(KeyError):
        Finding.read({})


def test_the_same_defect():
    [zero] = sweep(Planted("max_padding_zero"), kind="max", count=3).findings
    [other] = sweep(Planted("max_padding_zero"), kind="max", count=3, seed=5).findings
    [least] = sweep(Planted("min_for_max"), kind="max", count=6).findings
    [mean] = sweep(Planted("not_divided"), kind="avg", count=6).findings
    assert same_defect(zero, other)
    assert not same_defect(zero, least)
    assert not same_defect(zero, mean)
    assert not same_defect(zero, replace(other, mistakes=()))


def test_wording_leaves_numbers_out():
    assert wording("got 3 of (4, 5)") == wording("got 17 of (2, 999)")
    assert wording("got a") != wording("got b")


# Journals


def test_a_sweep_goes_on_where_it_stopped(tmp_path):
    journal = tmp_path / "sweep.jsonl"
    whole = sweep(Planted("max_padding_zero"), kind="max", count=14)
    sweep(Planted("max_padding_zero"), kind="max", count=6, journal=journal)
    seen = []

    class Counted(Planted):
        def build(self, layer, size):
            seen.append(layer)
            return super().build(layer, size)

    again = sweep(Counted("max_padding_zero"), kind="max", count=6, journal=journal)
    assert seen == []
    assert again.tried == 6
    resumed = sweep(Planted("max_padding_zero"), kind="max", count=14, journal=journal)
    assert resumed.statuses == whole.statuses
    assert resumed.findings == whole.findings != ()


def test_a_journal_of_another_sweep_is_refused_and_kept(tmp_path):
    journal = tmp_path / "sweep.jsonl"
    sweep(Planted(), kind="max", count=2, journal=journal)
    before = journal.read_bytes()
    with pytest.raises(FileError, match="kind 'max', now 'avg'"):
        sweep(Planted(), kind="avg", count=2, journal=journal)
    newer = Planted()
    newer.version = "2"
    with pytest.raises(FileError, match="version '1', now '2'"):
        sweep(newer, kind="max", count=2, journal=journal)
    assert journal.read_bytes() == before
    journal.write_text("no journal\n")
    with pytest.raises(FileError, match="journal must begin with a line"):
        sweep(Planted(), kind="max", count=2, journal=journal)


def test_a_line_that_was_cut_off_is_passed_over(tmp_path):
    journal = tmp_path / "sweep.jsonl"
    whole = sweep(Planted(), kind="max", count=8, journal=journal)
    journal.write_bytes(journal.read_bytes()[:-40])
    for _ in range(2):
        resumed = sweep(Planted(), kind="max", count=8, journal=journal)
        assert resumed.statuses == whole.statuses


@pytest.mark.parametrize(
    "line",
    ['{"number": 1}', '{"number": "x", "status": "agrees"}', '{"started": []}', '{"finding": 3}',
     '{"number": 0, "status": "failed", "kind": "", "finding": {"layer": "exec(1)"}}',
     '{"number": 0, "status": "failed", "like": 9}'],
)  # fmt: skip
def test_damaged_journals(tmp_path, line):
    journal = tmp_path / "sweep.jsonl"
    sweep(Planted(), kind="max", count=0, journal=journal)
    with journal.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(FileError, match="journal must hold records of a sweep"):
        sweep(Planted(), kind="max", count=2, journal=journal)


def test_journals_that_are_no_files(tmp_path):
    with pytest.raises(FileError, match="journal must be readable"):
        Journal(tmp_path, {})
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileError, match="UTF-8"):
        Journal(tmp_path / "bytes", {})


def test_a_point_that_ends_the_process_is_reported_after_two_deaths(tmp_path):
    journal = tmp_path / "sweep.jsonl"
    code = """
import os, sys
from symconv.sweeping import sweep
from symconv.lattice import point
from test_sweep import Planted

class Dies(Planted):
    def build(self, layer, size):
        if layer == point(1, "max").layer:
            os._exit(3)
        return super().build(layer, size)

print(sweep(Dies(), kind="max", count=4, journal=sys.argv[1]).summary())
"""
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    for status in (3, 3, 0):
        done = subprocess.run([sys.executable, "-c", code, str(journal)], env=env, check=False,
                              capture_output=True, text=True)  # fmt: skip
        assert done.returncode == status, done.stderr
    assert "1 died" in done.stdout
    found = sweep(Planted(), kind="max", count=4, journal=journal)
    assert not found
    assert found.tried == 4
    assert "1× the process ended # times" in str(found)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_blames_no_point(tmp_path):
    pytest.importorskip("click")
    journal = tmp_path / "sweep.jsonl"
    command = [sys.executable, "-m", "symconv", "sweep", "scipy-correlate", "--kind", "conv",
               "--journal", str(journal)]  # fmt: skip
    for _ in range(2):
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            size = journal.stat().st_size if journal.exists() else 0
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and (
                not journal.exists() or journal.stat().st_size <= size + 500
            ):
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "Traceback" not in errors
    found = sweep("scipy-correlate", kind="conv", count=3, journal=journal)
    assert "died" not in found.statuses


# Parameters


@pytest.mark.parametrize(
    ("arguments", "error", "rule"),
    [
        ({"engine": "tensorflux"}, ParameterError, "engine must be one of"),
        ({"engine": lambda x: x}, ParameterTypeError, "engine must be a name or an object"),
        ({"engine": 3}, ParameterTypeError, "engine must be a name or an object"),
        ({"kind": "pool"}, ParameterError, "kind must be one of"),
        ({"budget": 0}, ParameterError, "budget must be above 0"),
        ({"budget": "10"}, ParameterTypeError, "budget must be seconds"),
        ({"budget": float("nan")}, ParameterError, "budget must be above 0"),
        ({"count": -1}, ParameterError, "count must be >= 0"),
        ({"count": 1.5}, ParameterTypeError, "count must be an integer"),
        ({"seed": True}, ParameterTypeError, "seed must be an integer"),
        ({"dtypes": ["float31"]}, ParameterError, "dtypes must be one of"),
        ({"dtypes": []}, ParameterError, "dtypes must name"),
        ({"dtypes": "float32"}, ParameterTypeError, "dtypes must be a tuple"),
    ],
)
def test_bad_parameters(arguments, error, rule):
    with pytest.raises(error, match=rule):
        sweep(**({"engine": Planted(), "count": 0} | arguments))


def test_a_budget_ends_a_sweep():
    found = sweep(Planted(), budget=1e-9)
    assert found.tried == 0
    assert "none tried" in found.summary()


def test_progress_is_told():
    told = []
    sweep(Planted(), kind="max", count=4, on_point=lambda so_far: told.append(so_far.tried))
    assert told == [1, 2, 3, 4]


# Reports


def test_reports():
    found = sweep(Planted("flip"), kind="conv", count=4)
    data = json.loads(found.json())
    assert data["findings"][0]["title"] == "kernel flipped"
    assert data["findings"][0]["recheck"]["confirmed"] is True
    page = found.html()
    assert page.startswith("<!doctype html>")
    assert "<script" not in page
    assert "kernel flipped" in found._repr_html_()


def test_html_is_escaped():
    class Evil(Planted):
        name = "<script>alert(1)</script>"

        def build(self, layer, size):
            raise RuntimeError("<img src=x onerror=alert(1)>")

    page = sweep(Evil(), kind="max", count=2).html()
    assert "<script" not in page
    assert "<img" not in page


def test_the_command(tmp_path):
    pytest.importorskip("click")
    from commands import refuse, run  # noqa: PLC0415

    html = tmp_path / "sweep.html"
    code, output = run("sweep", "scipy-correlate", "--kind", "max", "--count", 2, "--html", html)
    assert code == 0
    assert "no distinct defects" in output
    assert html.read_text().startswith("<!doctype html>")
    code, output = run("sweep", "scipy-correlate", "--kind", "max", "--count", 2, "--json")
    assert code == 0
    assert json.loads(output)["engine"] == "scipy-correlate"
    assert "engine must be one of" in refuse("sweep", "tensorflux")
    assert "folder must exist" in refuse("sweep", "scipy-correlate", "--html", tmp_path / "a" / "b")


def test_the_command_ends_in_1_where_there_is_a_defect(monkeypatch):
    pytest.importorskip("click")
    from commands import run  # noqa: PLC0415

    monkeypatch.setattr(running, "engine_of", lambda name: Planted("flip"))
    code, output = run("sweep", "torch", "--kind", "conv", "--count", 3)
    assert code == 1
    assert "kernel flipped" in output


@pytest.mark.filterwarnings("ignore")
def test_points_are_tried_on_dask():
    distributed = pytest.importorskip("distributed")
    with distributed.Client(processes=False, n_workers=1, threads_per_worker=2,
                            dashboard_address=None) as client:  # fmt: skip
        found = sweep("scipy-correlate", kind="conv", count=10, scheduler=client)
        assert found.tried == 10
        alone = sweep("scipy-correlate", kind="conv", count=10)
        assert found.statuses == alone.statuses
        address = client.scheduler.address
        assert sweep("scipy-correlate", kind="conv", count=2, scheduler=address).tried == 2
    with pytest.raises(ParameterError, match="scheduler must be the address"):
        sweep("scipy-correlate", count=1, scheduler="no scheduler")
