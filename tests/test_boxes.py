"""Counterexamples and witnesses are the smallest in the documented order.

Random statements, as code with divisions, disjunctions and questions; the answers are compared with
that code run on every assignment of plain integers, in an order that is written here once more.
"""

from __future__ import annotations

from itertools import product

import pytest
from certificates_by_hand import truth
from hypothesis import given, strategies as st
from strategies import examples

from symconv.proving import all_of, any_of, boxes, iff, implies
from symconv.proving.boxes import SearchTooLargeError, counterexample, order, witnesses
from symconv.proving.tracing import lift, replayed

BOUND = 2
NAMES = "x y z"


def by_size(values):
    return (
        max(map(abs, values), default=0),
        sum(map(abs, values)),
        [(abs(value), 0 if value >= 0 else 1) for value in values],
    )


def assignments(bound, names=NAMES):
    names = names.split()
    box = product(range(-bound, bound + 1), repeat=len(names))
    return [dict(zip(names, values, strict=True)) for values in sorted(box, key=by_size)]


def run(statement, values):
    """The truths on plain integers; None where a hypothesis fails before a division by 0."""
    try:
        return replayed(statement, values)
    except ZeroDivisionError:
        return None


def breaks(statement, values, near_miss):
    truths = run(statement, values)
    if truths is None or not all(truths.get("assume", [])):
        return False
    if not near_miss:
        return all(truths.get("given", [])) and not all(truths.get("show", []))
    return not all(truths.get("instead") or truths.get("show", []))


# A formula is described before it is built, so that each run of a statement builds the same one.

KINDS = {"all": all_of, "any": any_of, "if": implies, "iff": iff}
SIGNS = ("__ge__", "__gt__", "__le__", "__lt__", "__eq__", "__ne__")
term = st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(-1, 1), st.integers(-2, 2))
comparison = st.tuples(st.sampled_from(SIGNS), term, st.integers(0, 6))
formula = comparison | st.tuples(st.sampled_from(sorted(KINDS)), comparison, comparison)
described = st.fixed_dictionaries(
    {
        "assume": formula,
        "given": formula,
        "ask": comparison,
        "show": formula,
        "other": formula,
        "instead": st.none() | formula,
    }
)


def statement_of(texts):
    def statement(t):
        x, y, z = t.integers(NAMES)
        t.assume(y >= 1)
        terms = [x, y, z, x // y, (x + z) % 2, x * z, x - y]

        def built(text):
            if text[0] in KINDS:
                return KINDS[text[0]](built(text[1]), built(text[2]))
            sign, (one, other, factor, number), right = text
            left = terms[one] + factor * terms[other] + number
            return getattr(left, sign)(terms[right])

        t.assume(built(texts["assume"]))
        t.given(built(texts["given"]))
        t.show(built(texts["show"] if built(texts["ask"]) else texts["other"]))
        if texts["instead"] is not None:
            t.instead(built(texts["instead"]))

    return statement


@pytest.mark.parametrize("near_miss", [False, True])
@examples(60)
@given(described)
def test_the_counterexample_is_the_smallest(near_miss, texts):
    statement = statement_of(texts)
    expected = next((v for v in assignments(BOUND) if breaks(statement, v, near_miss)), None)
    lifted = lift(statement)
    assert counterexample(lifted, range(BOUND + 1), near_miss=near_miss) == expected
    # Also when smaller boxes are not looked at first.
    assert counterexample(lifted, [BOUND], near_miss=near_miss) == expected


@examples(40)
@given(described)
def test_small_blocks_change_nothing(texts):
    lifted = lift(statement_of(texts))
    expected = counterexample(lifted, range(BOUND + 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boxes, "CHUNK", 7)
        assert counterexample(lifted, range(BOUND + 1)) == expected


@examples(60)
@given(described)
def test_witnesses_satisfy_and_reach(texts):
    statement = statement_of(texts)
    found = witnesses(lift(statement), range(BOUND + 1))
    for values in found:
        truths = replayed(statement, values)
        assert all(truths["assume"] + truths["given"])
    good = [
        values
        for values in assignments(BOUND)
        if (truths := run(statement, values)) and all(truths["assume"] + truths["given"])
    ]
    # Every side of the question that can be reached with its condition has a witness.
    for side in ("show", "other"):
        conclusion = texts[side]
        if conclusion[0] in ("if", "iff"):
            conclusion = conclusion[1]
        if conclusion[0] == "all":
            continue
        reached = [v for v in good if reaches(texts, side, conclusion, v)]
        if reached:
            assert any(reaches(texts, side, conclusion, v) for v in found)
            assert reached[0] in found or texts["show"] == texts["other"]


def reaches(texts, side, conclusion, values):
    """Whether the code follows this side and the formula holds there."""
    answers = []

    def statement(t):
        original = t.show
        t.show = lambda *formulas: answers.extend(formulas)
        statement_of({**texts, "show": conclusion, "other": conclusion})(t)
        asked = list(answers)
        answers.clear()
        statement_of({**texts, "show": texts["ask"], "other": texts["ask"]})(t)
        t.show = original
        answers[:] = [asked[0], answers[0]]

    replayed(statement, values)
    holds, asked = map(bool, answers)
    return holds and asked == (side == "show")


def test_order():
    box = list(product(range(-2, 3), repeat=3))
    assert sorted(box, key=order) == sorted(box, key=by_size)
    assert order([]) == (0, 0, [])


def test_a_statement_about_numbers_alone():
    def numbers(t):
        t.show(False)

    assert counterexample(lift(numbers), range(3)) == {}
    assert witnesses(lift(numbers), range(3)) == []
    assert witnesses(lift(lambda t: t.show(True)), range(3)) == [{}]


def test_a_value_that_an_equation_forces():
    def forced(t):
        x, y, z = t.integers(NAMES)
        t.assume(x >= 1, y == 2 * x + 1, -z == y)
        t.show(z > -5)

    assert counterexample(lift(forced), range(6)) == {"x": 2, "y": 5, "z": -5}
    assert counterexample(lift(forced), range(5)) is None


def test_divisors_that_are_not_positive_are_left_out():
    def divided(t):
        x, y = t.integers("x y")
        t.given(y >= 1)
        t.show(x // y * y == x)

    expected = {"x": 1, "y": 2}
    assert counterexample(lift(divided), range(4)) == expected
    assert counterexample(lift(divided), range(4), near_miss=True) == expected


def test_a_search_that_is_too_large(monkeypatch):
    def endless(t):
        x, y, z = t.integers(NAMES)
        t.show(x * x + y * y + z * z >= 0)

    monkeypatch.setattr(boxes, "MAX_ROWS", 1000)
    with pytest.raises(SearchTooLargeError, match="more than 1000 assignments up to 4"):
        counterexample(lift(endless), range(8))


def test_the_formula_is_read_as_written():
    # The evaluator that other tests rely on, on the connectives.
    values = {"x": 1, "y": 0}
    yes, no = "x >= 1", "y != 0"
    table = {"all": (yes, no), "any": (no, no), "if": (yes, no), "iff": (yes, no)}
    assert not any(truth({kind: list(parts)}, values) for kind, parts in table.items())
    assert truth({"not": {"iff": [yes, no]}}, values)
    assert truth({"if": [no, no]}, values)
