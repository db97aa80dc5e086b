"""``symconv prove`` and ``symconv check`` as their users run them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("click")
pytest.importorskip("rich")
pytest.importorskip("latex2mathml")

from commands import refuse, run

from symconv.cli import proving
from symconv.proving import checker, sharing
from symconv.proving.store import certificate_path, certificate_paths

ID = "transposed.zero-insertion"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))


def test_prove_one(tmp_path):
    json_path, html_path = tmp_path / "ledger.json", tmp_path / "ledger.html"
    code, output = run("prove", ID, "--json", json_path, "--html", html_path, "--workers", 1)
    assert code == 0
    assert output.startswith(f"PROVED    {ID}  (all sizes, certificate, ")
    data = json.loads(json_path.read_text())
    assert [row["verdict"] for row in data["theorems"]] == ["PROVED"]
    assert "<math" in html_path.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "home",
        "ledger.html",
        "ledger.json",
    ]


def test_quiet_prints_the_summary():
    code, output = run("prove", ID, "--quiet", "--workers", 1)
    assert code == 0
    assert output.count("\n") == 1


def test_an_unexpected_verdict_is_exit_status_1(monkeypatch):
    original = sharing.decided_by_name

    def planted(name):
        return replace(original(name), as_expected=False)

    monkeypatch.setattr(sharing, "decided_by_name", planted)
    code, output = run("prove", ID, "--workers", 1)
    assert code == 1
    assert f"NOT as expected: {ID}" in output


def test_bad_input(tmp_path):
    assert "identifiers must name theorems" in refuse("prove", "no.such")
    assert "subject must be one of" in refuse("prove", "--subject", "x")
    assert "--workers" in refuse("prove", "--workers", 0)
    assert "folder" in refuse("prove", ID, "--json", tmp_path / "none" / "x.json")
    assert "folder" in refuse("prove", ID, "--html", tmp_path / "none" / "x.html")


def test_a_planted_bug_in_the_relation_fails_the_run(tmp_path):
    """In a fresh process the relation adds the padding; the theorem is no longer proved."""
    code = (
        "import symconv.relation as r\n"
        "r.AxisRelation.position = lambda self, o, k: "
        "self.stride * o + self.dilation * k + self.pad_lo\n"
        "import sys; sys.argv = ['symconv', 'prove', 'relation.definition', '--workers', '1']\n"
        "from symconv.__main__ import main; sys.exit(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONUTF8": "1"},
    )
    assert done.returncode == 1
    assert "UNDECIDED" in done.stdout
    assert "another statement than the code makes" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_ctrl_c_ends_quietly_and_the_next_run_goes_on(tmp_path):
    command = [sys.executable, "-m", "symconv", "prove", "--quiet", "--workers", "2"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        # A shell's background jobs ignore Ctrl-C, and their children with them.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
    journal = Path(os.environ["XDG_CONFIG_HOME"]) / "symconv" / "ledger.jsonl"
    with process:
        # The header and some rows.
        while process.poll() is None and not (
            journal.exists() and journal.read_bytes().count(b"\n") > 3
        ):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        printed = process.communicate()[0]
    assert (process.returncode, printed) == (130, b"")
    rows = journal.read_text(encoding="utf-8").splitlines()[1:]
    names = [json.loads(row)["identifier"] for row in rows]
    assert all(json.loads(row)["as_expected"] for row in rows)
    code, _ = run("prove", *names, "--quiet", "--workers", 1)
    assert code == 0
    assert not journal.exists()


def test_check_all():
    code, output = run("check")
    assert code == 0
    assert output.count("PROVED ") == len(certificate_paths())


def test_check_some(tmp_path):
    good = certificate_path(ID)
    code, output = run("check", good)
    assert code == 0
    assert output == f"PROVED {ID}: 2 shown, 34 products\n"
    document = json.loads(good.read_text())
    document["witnesses"] = []
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps(document))
    code, output = run("check", good, bad)
    assert code == 1
    assert "may be about nothing" in output
    code, output = run("check", tmp_path / "none.json")
    assert code == 1
    assert "REJECTED" in output


def test_finding_again_gives_a_proof(tmp_path, monkeypatch):
    pytest.importorskip("z3")
    written = []
    monkeypatch.setattr(proving, "write_certificate", written.append)
    code, output = run("prove", ID, "--find", "--quiet", "--workers", 1)
    assert code == 0
    assert f"found: {ID}" in output
    path = tmp_path / "found.json"
    path.write_text(json.dumps(written[0]))
    script = Path(checker.__file__)
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(script), str(path)], capture_output=True, check=False
    )
    assert done.returncode == 0
