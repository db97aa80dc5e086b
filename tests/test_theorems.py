"""Every theorem of the repository gets its expected verdict, and the ledger is as large as said."""

from __future__ import annotations

import re

import pytest

from symconv.proving.collecting import theorems
from symconv.proving.store import certificate_paths, proofs_directory
from symconv.proving.theorem import ALL_SIZES
from symconv.verdict import PROVED, REFUTED, UNDECIDED

ALL = theorems()
OWN = [theorem for theorem in ALL.values() if not theorem.corollary_of]
EVERYWHERE = [t for t in OWN if t.method.scope == ALL_SIZES and t.expected == PROVED]


@pytest.mark.parametrize("identifier", ALL)
def test_verdict(identifier):
    theorem = ALL[identifier]
    decision = theorem.decide()
    assert theorem.is_as_expected(decision), f"{decision.verdict}; near miss {decision.near_miss}"
    assert decision.verdict.reason
    if theorem.expected == PROVED:
        assert decision.near_miss.status == REFUTED
        assert decision.near_miss.counterexample
    if theorem.expected == REFUTED:
        assert decision.verdict.counterexample


def test_how_many():
    assert len(OWN) >= 100
    assert len(EVERYWHERE) >= 40
    assert sum(theorem.concludes == "triples" for theorem in EVERYWHERE) >= 15


def test_a_corollary_names_a_theorem_of_its_own():
    for theorem in ALL.values():
        if theorem.corollary_of:
            assert not ALL[theorem.corollary_of].corollary_of, theorem.identifier


def test_no_two_theorems_say_the_same():
    words = [theorem.words for theorem in ALL.values()]
    assert len(set(words)) == len(words)


def test_each_claim_of_the_notes_is_decided():
    found = {
        int(number)
        for identifier in ALL
        if (number := (re.search(r"\.n(\d+)-", identifier) or [None, None])[1])
    }
    assert found == set(range(1, 23))


def test_each_relationship_of_the_guide_is_proved():
    found = [t for t in ALL.values() if t.subject == "guide" and t.expected == PROVED]
    numbers = {int(n) for t in found for n in re.findall(r"elationships? (\d+)", t.source)}
    assert numbers >= set(range(1, 16))


def test_what_is_wrong_as_written_says_what_holds():
    for theorem in ALL.values():
        if theorem.expected != PROVED:
            assert theorem.remark or theorem.expected == UNDECIDED, theorem.identifier


def test_no_certificate_without_its_theorem():
    certified = {t.identifier for t in ALL.values() if t.method.name == "certificate"}
    stored = {path.stem for path in certificate_paths()}
    assert stored <= certified
    proved = {i for i in certified if ALL[i].expected == PROVED}
    assert stored == proved


def test_each_file_of_proofs_holds_theorems():
    subjects = {theorem.subject for theorem in ALL.values()}
    assert subjects == {path.stem for path in proofs_directory().glob("*.py")}
