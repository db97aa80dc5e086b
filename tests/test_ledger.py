"""The ledger: rows, resuming, workers; what goes wrong in one theorem stays in its row."""

from __future__ import annotations

import itertools
import json

import pytest

import symconv as sc
from symconv.errors import FileError, ParameterError
from symconv.proving import all_sizes, ledger as room, no_claim, sharing
from symconv.proving.collecting import theorems
from symconv.proving.ledger import Ledger, fingerprint, prove
from symconv.proving.rows import decided

FEW = ["transposed.zero-insertion", "relation.definition", "relation.extent"]


def without_times(ledger):
    return [{**row, "seconds": 0} for row in ledger.data()["theorems"]]


def test_rows_are_in_the_order_of_the_files_and_complete():
    ledger = sc.prove(FEW)
    known = list(theorems())
    assert [row.identifier for row in ledger] == sorted(FEW, key=known.index)
    row = ledger["transposed.zero-insertion"]
    assert (row.verdict, row.scope, row.method) == ("PROVED", "all sizes", "certificate")
    assert row.certificate["bytes"] > 100
    assert row.certificate["shown"] == 2
    assert row.near_miss["verdict"] == "REFUTED"
    assert row.near_miss["counterexample"]["K"] == 2
    assert "conv.adjoint(op)" in row.definition
    assert bool(ledger)
    assert len(ledger) == 3
    with pytest.raises(KeyError):
        ledger["no.such"]


def test_json_has_scope_and_verdict_per_theorem():
    data = json.loads(prove(FEW).json())
    assert data["format"] == "symconv ledger 1"
    assert len(data["theorems"]) == 3
    for row in data["theorems"]:
        assert row["scope"] == "all sizes"
        assert row["verdict"] == "PROVED"


def test_two_workers_find_the_same():
    assert without_times(prove(FEW, workers=2)) == without_times(prove(FEW))


def test_a_subject():
    found = prove(subject="transposed")
    assert {row.subject for row in found} == {"transposed"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ids": ["no.such"]}, "identifiers must name theorems, got no.such"),
        ({"ids": "no.such"}, "ids must be a sequence of identifiers, got the text"),
        ({"subject": "nothing"}, "subject must be one of .* got 'nothing'"),
        ({"ids": FEW, "workers": 0}, "workers must be >= 1"),
    ],
)
def test_bad_input(settings, message):
    with pytest.raises(ParameterError, match=message):
        prove(**settings)


class Stop(Exception):
    pass


def interrupted(path, after):
    def on_row(row, done, total):
        if done == after:
            raise Stop

    with pytest.raises(Stop):
        prove(FEW, journal=path, on_row=on_row)


def test_an_interrupted_run_resumes(tmp_path, monkeypatch):
    path = tmp_path / "deep" / "journal.jsonl"
    interrupted(path, 2)
    fresh = []
    original = sharing.decided_by_name
    monkeypatch.setattr(
        sharing, "decided_by_name", lambda name: fresh.append(name) or original(name)
    )
    seen = []
    ledger = prove(FEW, journal=path, on_row=lambda row, done, total: seen.append((done, total)))
    assert len(fresh) == 1
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert without_times(ledger) == without_times(prove(FEW))
    assert not path.exists()


def test_rows_of_other_code_are_forgotten(tmp_path, monkeypatch):
    path = tmp_path / "journal.jsonl"
    interrupted(path, 2)
    monkeypatch.setattr(room, "fingerprint", lambda: "another")
    fresh = []
    original = sharing.decided_by_name
    monkeypatch.setattr(
        sharing, "decided_by_name", lambda name: fresh.append(name) or original(name)
    )
    prove(FEW, journal=path)
    assert len(fresh) == 3


@pytest.mark.parametrize("rest", ["{", '{"identifier": 3}', "[]", "", "\x00"])
def test_a_journal_that_was_cut_off(tmp_path, rest):
    path = tmp_path / "journal.jsonl"
    interrupted(path, 1)
    path.write_text(path.read_text().splitlines()[0] + "\n" + rest)
    assert bool(prove(FEW, journal=path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("notes of mine\n", "journal must begin with a line that an earlier run wrote"),
        ('{"format": "symconv sweep 1"}\n', "journal must be of a ledger, got another's in"),
    ],
)
def test_a_file_that_is_no_journal_of_a_ledger_is_left_alone(tmp_path, text, message):
    path = tmp_path / "notes.txt"
    path.write_text(text)
    with pytest.raises(FileError, match=message):
        prove(FEW, journal=path)
    assert path.read_text() == text


def test_the_fingerprint_is_stable():
    assert fingerprint() == fingerprint()
    assert len(fingerprint()) == 64


def test_a_theorem_that_raises_is_undecided_and_not_as_expected():
    def broken(t):
        raise ZeroDivisionError("planted")

    theorem = all_sizes("x.broken", words="w", latex="l", source="s", near_miss="n")(broken)
    row = decided(theorem)
    assert row.verdict == "UNDECIDED"
    assert row.reason == "deciding it raised ZeroDivisionError: planted"
    assert not row.as_expected
    ledger = Ledger((row,))
    assert not ledger
    assert "NOT as expected: x.broken" in ledger.summary()
    assert "NOT AS EXPECTED" in str(ledger)


def test_words_that_claim_nothing():
    row = decided(no_claim("x.words", words="w <b>", latex="l", source="s", reason="no measure"))
    assert (row.verdict, row.scope, row.as_expected) == ("UNDECIDED", "none", True)
    assert "no measure" in str(row)
    assert "&lt;b&gt;" in Ledger((row,))._repr_html_()


def test_the_text_shows_everything():
    text = str(prove(FEW[:1]))
    for part in ("PROVED", "all sizes", "certificate", "bytes", " s)", "near miss refuted at"):
        assert part in text
    assert "Dumoulin" in text
    assert text.endswith("all as expected")


def test_a_worker_that_dies_costs_its_theorem_alone(monkeypatch):
    numbers = itertools.count()
    original = sharing.subprocess.Popen

    def popen(arguments, **settings):
        # The first worker is a program that ends at once.
        return original(arguments if next(numbers) else [arguments[0], "-c", ""], **settings)

    monkeypatch.setattr(sharing.subprocess, "Popen", popen)
    ledger = prove(FEW, workers=2)
    lost = [row for row in ledger if not row.as_expected]
    assert len(lost) == 1
    assert all("the process that decided it ended" in row.reason for row in lost)
    assert not ledger


def test_corollaries_alone_are_counted_as_such():
    rows = prove(subject="transposed").rows
    alone = prove([next(row.identifier for row in rows if row.corollary_of)])
    assert alone.summary().startswith("1 corollary: 1 PROVED; ")
