"""Deciding theorems by every method: what is proved, refuted with the smallest case, or neither."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from certificates_by_hand import simple

from symconv.errors import ParameterError
from symconv.proving import (
    all_sizes,
    all_values,
    certified,
    exhaustive,
    identity,
    no_claim,
    store,
)
from symconv.proving.boxed import described, ordered
from symconv.proving.collecting import theorems
from symconv.relation import AxisRelation
from symconv.verdict import proved, refuted, undecided

STATED = {"words": "w", "latex": "l", "source": "s", "near_miss": "n"}
x, y = sympy.symbols("x y")


def outcome(theorem):
    decision = theorem.decide()
    near = None if decision.near_miss is None else decision.near_miss.status
    return decision.verdict.status, near, theorem.is_as_expected(decision)


# Certificates.


@pytest.fixture
def stored(monkeypatch):
    """The certificate of test.simple, x ≥ 1 from x ≥ 1, as if it were stored; to be changed."""
    document = simple()
    monkeypatch.setattr(certified, "read_certificate", lambda identifier: document)
    return document


def positive(t):
    (n,) = t.integers("x")
    t.given(n >= 1)
    t.show(n >= 1)


def declared(define=positive, **other):
    return all_sizes("test.simple", **{**STATED, **other})(define)


def test_a_certificate_proves_and_the_near_miss_is_refuted(stored):
    decision = declared().decide()
    assert decision.verdict.status == "PROVED"
    assert decision.verdict.scope == "all sizes"
    assert decision.certificate == stored
    assert decision.near_miss.counterexample == {"x": 0}
    assert declared().is_as_expected(decision)


def test_no_certificate(monkeypatch):
    monkeypatch.setattr(certified, "read_certificate", lambda identifier: None)
    decision = declared().decide()
    assert (decision.verdict.status, decision.near_miss) == ("UNDECIDED", None)
    assert "there is no certificate for test.simple" in decision.verdict.reason
    assert not declared().is_as_expected(decision)


def stronger(t):
    (n,) = t.integers("x")
    t.given(n >= 1)
    t.show(n >= 2)


def weaker_hypothesis(t):
    (n,) = t.integers("x")
    t.given(n >= 0)
    t.show(n >= 1)


def renamed(t):
    (n,) = t.integers("n")
    t.given(n >= 1)
    t.show(n >= 1)


def more(t):
    positive(t)
    t.show(True)


def forked(t):
    (n,) = t.integers("x")
    t.given(n >= 1)
    t.show(n >= 1 if n >= 5 else n < 5)


@pytest.mark.parametrize("define", [stronger, weaker_hypothesis, renamed, more, forked])
def test_a_certificate_of_another_statement(stored, define):
    verdict = declared(define).decide().verdict
    assert verdict.status == "UNDECIDED"
    assert "about another statement than the code makes" in verdict.reason


def test_a_certificate_of_another_theorem(stored):
    stored["theorem"] = "test.other"
    assert outcome(declared()) == ("UNDECIDED", None, False)


def test_a_certificate_that_was_tampered_with(stored):
    stored["steps"][1]["proofs"][0][0][0] = 2
    verdict = declared().decide().verdict
    assert verdict.status == "UNDECIDED"
    assert "the certificate is rejected: a combination" in verdict.reason


def test_a_file_that_is_no_certificate(tmp_path, monkeypatch):
    (tmp_path / "test.simple.json").write_bytes(b"{")
    monkeypatch.setattr(store, "certificate_path", lambda name: tmp_path / f"{name}.json")
    assert "not JSON" in declared().decide().verdict.reason


def test_a_near_miss_that_holds_is_not_as_expected(stored):
    def redundant(t):
        (n,) = t.integers("x")
        t.assume(n >= 1)
        t.show(n >= 1)

    assert outcome(declared(redundant)) == ("PROVED", "UNDECIDED", False)
    reason = declared(redundant, bound=3).decide().near_miss.reason
    assert reason == "no counterexample of magnitude up to 3"


def test_a_claim_that_is_false(stored):
    theorem = declared(stronger, expected="REFUTED", near_miss="")
    decision = theorem.decide()
    assert decision.verdict.status == "REFUTED"
    assert decision.verdict.counterexample == {"x": 1}
    assert decision.near_miss is None
    assert theorem.is_as_expected(decision)
    true = declared(positive, expected="REFUTED", near_miss="")
    assert outcome(true) == ("UNDECIDED", None, False)


def test_a_counterexample_is_run(stored, monkeypatch):
    theorem = declared(stronger, expected="REFUTED", near_miss="")
    for wrong in ({"x": 2}, {"x": 0}):
        monkeypatch.setattr(certified, "counterexample", lambda *args, wrong=wrong, **kwargs: wrong)
        verdict = theorem.decide().verdict
        assert verdict.status == "UNDECIDED"
        assert verdict.reason == f"{wrong} is no counterexample when it is run"


def test_a_search_that_is_too_large(stored, monkeypatch):
    monkeypatch.setattr("symconv.proving.boxes.MAX_ROWS", 0)
    assert outcome(declared()) == ("PROVED", "UNDECIDED", False)


BUGS = {
    "sign of the padding": ("position", lambda r, o, k: r.stride * o + r.dilation * k + r.pad_lo),
    "stride and dilation": ("position", lambda r, o, k: r.dilation * o + r.stride * k - r.pad_lo),
    "one output too few": ("output_size", lambda r, n: (r.padded_size(n) - r.extent) // r.stride),
    "no high padding": ("input_size", lambda r, n, op=0: r.reach(n) + op - r.pad_lo),
    "adjoint without crop": (
        "adjoint",
        lambda r, op=0: AxisRelation(
            r.n_taps, 1, r.dilation, r.extent - 1 - r.pad_lo, r.extent - 1 - r.pad_hi, r.stride
        ),
    ),
    "extent": ("extent", property(lambda r: r.dilation * r.n_taps)),
}


@pytest.mark.parametrize("name", BUGS)
def test_a_bug_in_the_relation_is_noticed(name, monkeypatch):
    theorem = theorems()["transposed.zero-insertion"]
    assert outcome(theorem) == ("PROVED", "REFUTED", True)
    monkeypatch.setattr(AxisRelation, *BUGS[name])
    assert outcome(theorem) == ("UNDECIDED", None, False)


# Cases.

BOX = {"a": (0, 1, 2, 3), "b": (-2, -1, 0, 1)}


def test_the_first_case_in_order_refutes():
    theorem = exhaustive("test.cases", box=BOX, **STATED)(lambda a, b: 2 * a + b <= 3)
    theorem.near_miss_claim()(lambda a, b: False)
    decision = theorem.decide()
    assert decision.verdict.counterexample == {"a": 2, "b": 0}
    assert decision.verdict.scope == "exhaustive over a stated box"
    assert decision.near_miss is None


@pytest.mark.parametrize("grid", [False, True])
def test_cases_and_grids_agree(grid):
    def speaks(a, b):
        domain, holds = b <= 0, a * a + b * b < 4
        if grid:
            return domain, holds
        return holds if domain else None

    theorem = exhaustive("test.cases", box=BOX, grid=grid, **STATED)(speaks)
    assert theorem.decide().verdict.counterexample == {"a": 0, "b": -2}
    good = exhaustive("test.cases", box=BOX, grid=grid, **STATED)(lambda a, b: a - b >= -1)
    good.near_miss_claim({"a": (1, 2), "b": (0, 3)})(lambda a, b: a > b)
    decision = good.decide()
    assert decision.verdict.reason == "a 0…3, b -2…1: 16 settings"
    assert decision.near_miss.counterexample == {"a": 1, "b": 3}
    assert good.is_as_expected(decision)


def test_a_grid_in_blocks(monkeypatch):
    monkeypatch.setattr("symconv.proving.boxed.CHUNK", 3)
    theorem = exhaustive("test.cases", box=BOX, grid=True, **STATED)(lambda a, b: 2 * a + b <= 3)
    assert theorem.decide().verdict.counterexample == {"a": 2, "b": 0}


def test_without_a_near_miss_nothing_is_as_expected():
    theorem = exhaustive("test.cases", box=BOX, **STATED)(lambda a, b: True)
    assert outcome(theorem) == ("PROVED", None, False)
    theorem.near_miss_claim()(lambda a, b: True)
    assert outcome(theorem) == ("PROVED", "PROVED", False)


def test_a_claim_about_nothing():
    theorem = exhaustive("test.cases", box=BOX, **STATED)(lambda a, b: None)
    assert "says nothing about a 0…3, b -2…1" in theorem.decide().verdict.reason
    assert outcome(exhaustive("test.cases", box={"a": ()}, **STATED)(lambda a: True))[0] != "PROVED"
    grid = exhaustive("test.cases", box=BOX, grid=True, **STATED)(lambda a, b: (a < 0, a < 0))
    assert outcome(grid)[0] == "UNDECIDED"


def test_verdicts_as_answers():
    answers = {0: proved("s"), 1: refuted("s", {"row": 3}), 2: undecided("s", "too hard")}
    claim = all_values("test.cases", box={"n": (0, 1)}, **STATED)(lambda n: answers[n])
    verdict = claim.decide().verdict
    assert verdict.counterexample == {"n": 1, "differs": {"row": 3}}
    assert verdict.scope == "all values at stated sizes"
    claim = all_values("test.cases", box={"n": (0, 2, 1)}, **STATED)(lambda n: answers[n])
    assert claim.decide().verdict.counterexample["n"] == 1
    claim = all_values("test.cases", box={"n": (0, 2)}, **STATED)(lambda n: answers[n])
    assert claim.decide().verdict.reason == "at {'n': 2}: too hard"


@pytest.mark.parametrize("grid", [False, True])
def test_an_answer_that_changes(grid):
    answers = iter([False, True])

    def claim(n):
        answer = next(answers)
        return np.full(n.shape, answer) if grid else answer

    theorem = exhaustive("test.cases", box={"n": (5,)}, grid=grid, **STATED)(claim)
    assert "the answer at {'n': 5} changes" in theorem.decide().verdict.reason


@pytest.mark.parametrize(
    "answer", ["False", 0, 1, (), (True, False), [False], x < y, np.array([True]), 0.5]
)
def test_an_answer_that_is_no_truth(answer):
    theorem = exhaustive("test.cases", box={"n": (1,)}, **STATED)(lambda n: answer)
    with pytest.raises(ParameterError, match="a claim answers a truth"):
        theorem.decide()


@pytest.mark.parametrize("answer", [np.array([1]), 1, None, (np.array([True]), 1), "yes"])
def test_an_answer_on_a_grid_that_is_no_truth(answer):
    theorem = exhaustive("test.cases", box={"n": (1,)}, grid=True, **STATED)(lambda n: answer)
    with pytest.raises(ParameterError, match="a claim on a grid answers truths"):
        theorem.decide()


def test_a_box_that_is_too_large():
    theorem = exhaustive("test.cases", box={"a": range(10**5), "b": range(10**5)}, **STATED)
    with pytest.raises(ParameterError, match="at most 50000000 settings, got 10000000000"):
        theorem(lambda a, b: True).decide()


def test_settings_in_order_and_in_words():
    assert [tuple(s.values()) for s in ordered({"a": (1, 0), "b": (-1, 1)})] == [
        (0, 1), (0, -1), (1, 1), (1, -1),
    ]  # fmt: skip
    modes = {"mode": ("zeros", "circular"), "n": (2, 1)}
    assert [tuple(s.values()) for s in ordered(modes)] == [
        ("zeros", 2), ("zeros", 1), ("circular", 2), ("circular", 1),
    ]  # fmt: skip
    assert described({"n": tuple(range(0, 20, 2))}) == "n 0, 2, 4, 6, 8, 10, … (10)"


# Identities, and words.


def ring(pairs, near=None, **other):
    return identity("test.ring", near=near or (lambda: [(x, y)]), **STATED, **other)(lambda: pairs)


def test_polynomials_that_agree():
    theorem = ring([((x + y) ** 2, x**2 + 2 * x * y + y**2), (1, 1), (x / 2 + x / 2, x)])
    decision = theorem.decide()
    assert decision.verdict.reason == "3 polynomials agree"
    assert decision.verdict.scope == "all values at stated sizes"
    assert decision.near_miss.counterexample == {"x": 0, "y": 1}
    assert theorem.is_as_expected(decision)
    assert ring([(x, x)], sizes=True).decide().verdict.scope == "all sizes"


@pytest.mark.parametrize(
    ("left", "right", "status"),
    [
        (x * (x - 1), 0, "REFUTED"),
        (1, 2, "REFUTED"),
        (x, x + sympy.Rational(1, 10**9), "REFUTED"),
        (0.1 * x, x / 10, "UNDECIDED"),
        (0.5, sympy.Rational(1, 2), "UNDECIDED"),
        (1e20 * x + x, 1e20 * x, "UNDECIDED"),
        (x, x + 1e-30, "UNDECIDED"),
        (sympy.floor(x), x, "UNDECIDED"),
        (1 / x, y, "UNDECIDED"),
        (sympy.sqrt(2) * x, x, "UNDECIDED"),
        (sympy.sqrt(2), 1, "UNDECIDED"),
        (sympy.nan, 0, "UNDECIDED"),
        (sympy.oo, sympy.oo, "UNDECIDED"),
        (2**x, x, "UNDECIDED"),
    ],
)
def test_pairs_that_do_not_agree(left, right, status):
    assert ring([(left, right)]).decide().verdict.status == status


def test_nothing_to_compare():
    assert ring([]).decide().verdict.reason == "there is nothing to compare"


def test_the_smallest_integers_at_which_polynomials_differ():
    verdict = ring([(x * y * (x - 1), 0)]).decide().verdict
    assert verdict.counterexample == {"x": -1, "y": 1}


def test_words():
    theorem = no_claim("test.words", reason="no measure", words="w", latex="l", source="s")
    assert outcome(theorem) == ("UNDECIDED", None, True)
    assert (theorem.concludes, theorem.method.scope) == ("words", "none")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"expected": "TRUE"}, "expected must be a verdict, got 'TRUE'"),
        ({"concludes": "shapes"}, "concludes must be one of .* got 'shapes'"),
        ({"words": ""}, r"words must not be empty \(test.simple\)"),
        ({"latex": ""}, "latex must not be empty"),
        ({"source": ""}, "source must not be empty"),
        ({"near_miss": ""}, "near_miss must say what is refuted"),
    ],
)
def test_bad_declarations(change, message):
    with pytest.raises(ParameterError, match=message):
        declared(**change)


@pytest.mark.parametrize("identifier", ["simple", "a.b.c", ""])
def test_bad_identifiers(identifier):
    with pytest.raises(ParameterError, match="identifier must"):
        all_sizes(identifier, **STATED)(positive)
