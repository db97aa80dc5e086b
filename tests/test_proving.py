"""Unknown integers: they calculate as Python's do, and code that runs on them leaves its formula.

The property throughout: at every assignment of a box, the formulas of the path that is followed
there are as true as the code says when it runs on those plain integers.
"""

from __future__ import annotations

import warnings
from itertools import product

import numpy as np
import pytest
import sympy
from certificates_by_hand import truths_of
from hypothesis import given, strategies as st
from strategies import examples

from symconv.errors import ParameterError, ParameterTypeError
from symconv.proving import Trace, all_of, any_of, axis, between, iff, implies, reads
from symconv.proving.certified import same_statement
from symconv.proving.checker import parse, value_at
from symconv.proving.terms import Term, written
from symconv.proving.tracing import lift, replayed
from symconv.relation import AxisRelation

NAMES = ("x", "y")
ring_expressions = st.recursive(
    st.sampled_from(NAMES) | st.integers(-4, 4),
    lambda parts: (
        st.tuples(st.sampled_from("+-*"), parts, parts) | st.tuples(st.just("neg"), parts)
    ),
    max_leaves=8,
)


def computed(expression, values):
    if isinstance(expression, str):
        return values[expression]
    if isinstance(expression, int):
        return expression
    sign, *parts = expression
    numbers = [computed(part, values) for part in parts]
    if sign == "neg":
        return -numbers[0]
    left, right = numbers
    return {"+": lambda: left + right, "-": lambda: left - right, "*": lambda: left * right}[sign]()


@examples(200)
@given(ring_expressions, st.integers(-9, 9), st.integers(-9, 9))
def test_terms_calculate_as_integers_do(expression, x, y):
    terms = dict(zip(NAMES, Trace([]).integers("x y"), strict=True))
    values = {"x": x, "y": y}
    term = computed(expression, terms)
    expected = computed(expression, values)
    poly = term.poly if isinstance(term, Term) else {(): term} if term else {}
    assert value_at(poly, values) == expected
    assert parse(written(poly), NAMES) == poly
    if isinstance(term, Term) and term.number is not None:
        assert term.number == expected
        assert bool(term == expected)
        assert not bool(term != np.int64(expected))


def by_if(t, x, y):
    t.show(y >= 0 if x > y else x <= y)


def by_elif(t, x, y):
    if x < 0:
        t.show(x * y != 1)
    elif y < 0 or x == y:
        t.show(-x < y)
    else:
        t.show(x + y >= 0)


def by_truth(t, x, y):
    t.show((1 if x % 2 else 0) == y % 2)
    t.show((5 if not (x - y) else 3) * y >= 0)


def by_max(t, x, y):
    t.show(max(x, y) + min(x, 3, y) == x + y, abs(x - y) >= 1)


def by_numpy(t, x, y):
    t.show(np.where(x >= 1, x, y) >= np.minimum(x, y), np.maximum(3, x) >= x)
    t.show(np.clip(x, -1, 2) == x, np.zeros_like(x) == y)


def by_division(t, x, y):
    q, r = divmod(x, 3)
    t.show(q == x // 3, r == x % 3, 7 // 2 == 3, (x - 1) // 1 == x - 1, x % 1 == 0)
    t.show(-(-x // 2) == (x + 1) // 2, (x // 2) // 3 == x // 6, (y - x) % 2 == 0)
    t.assume(y >= 1)
    t.show(5 // y * y + 5 % y == 5, (x * y) // y == x, x // (y + 1) <= y)


def by_formulas(t, x, y):
    one, other = x >= 1, x < y
    t.show(iff(one, other), implies(one, other), one & other, one | other, one == other)
    t.show(one != other, all_of(one, other, x != 3), any_of(one, one & other), between(0, x, y))
    t.show(all_of(True, one), any_of(one, False), any_of(True, one), all_of(one, False))
    t.show(implies(True, one), implies(False, one), iff(one, False), all_of(), any_of())
    t.show(True & one, False | one, np.bool_(True) & one, iff(True, False), one == True)  # noqa: E712


def by_relation(t, x, y):
    t.assume(y >= 1)
    relation = AxisRelation(2, y, 1, x, 0)
    t.show(relation.output_size(5) >= 1, relation.ceil_output_size(5)[1])
    t.show(reads(relation, 1, x, 2, n_in=5), relation == AxisRelation(2, 1, 1, x, 0))


def by_member(t, x, y):
    t.show(x in (1, y), [x, 2] == [y, 2], sorted([x, y, 0])[1] >= 0)


def by_instead(t, x, y):
    t.given(x >= 0)
    t.hint(x - y, 3)
    t.show(x >= -1)
    t.instead(x >= 1)


CODE = [
    by_if, by_elif, by_truth, by_max, by_numpy, by_division, by_formulas, by_relation, by_member,
    by_instead,
]  # fmt: skip


@pytest.mark.parametrize("code", CODE, ids=lambda code: code.__name__)
def test_lifted_formulas_say_what_the_code_says(code):
    def statement(t):
        code(t, *t.integers("x y"))

    lifted = lift(statement)
    assert lifted.variables == ["x", "y"]
    seen = set()
    for x, y in product(range(-7, 8), repeat=2):
        try:
            found = replayed(statement, {"x": x, "y": y})
        except ZeroDivisionError:
            continue
        expected = truths_of(lifted, {"x": x, "y": y})
        if expected is not None:
            assert found == expected, (x, y)
            seen |= set(found.get("show", []))
    assert seen == {True, False} or code is by_instead


def test_negated_formulas_are_for_unknown_integers_only():
    def statement(t):
        (x,) = t.integers("x")
        t.show(~(x >= 1))

    assert lift(statement).steps == [{"show": {"not": "x >= 1"}}]
    # ~True is -2, and true: refused instead of misread.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        with pytest.raises(ParameterError, match="show takes truths, got -2"):
            replayed(statement, {"x": 3})


def test_paths_and_steps():
    def statement(t):
        x, y = t.integers("x y")
        t.given(x >= 1)
        half = x // 2
        t.show(half >= 0 if y >= 1 else half >= 1)
        t.instead(x >= 2)

    lifted = lift(statement)
    assert lifted.steps == [
        {"assume": "x >= 1"},
        {"define": ["q_1", "r_1"], "dividend": "x", "divisor": "2"},
        {
            "fork": "y >= 1",
            "true": [{"show": "q_1 >= 0"}],
            "false": [{"show": "q_1 >= 1"}],
        },
    ]
    assert [path.steps[2:4] for path in lifted.paths] == [
        [{"answer": "y >= 1"}, {"show": "q_1 >= 0"}],
        [{"answer": {"not": "y >= 1"}}, {"show": "q_1 >= 1"}],
    ]
    assert len(lifted.digest) == 16
    assert lifted.digest == lift(statement).digest
    assert lifted.digest != lift(lambda t: t.show(t.integers("x")[0] >= 1)).digest


def test_a_question_is_asked_once():
    def statement(t):
        (x,) = t.integers("x")
        for _ in range(20):
            t.show(x >= 1 if x >= 1 else x < 1)

    assert len(lift(statement).paths) == 2


def lifting(code):
    def statement(t):
        code(t, *t.integers("x y"))

    return lift(statement)


def shows(make):
    return lambda t, x, y: t.show(make(x, y))


def endless(t, x, y):
    while x >= 0:
        x = x - 1


def many_paths(t, x, y):
    for i in range(9):
        t.show(x >= 0 if x == i * y + i else y >= 0)


LEFT_OVER = Trace([]).integers("x")[0]
REFUSED = {
    "number shown": (lambda t, x, y: t.show(3), ParameterError, "show takes formulas, got 3"),
    "term shown": (lambda t, x, y: t.show(x), ParameterError, "show takes formulas, got x"),
    "list shown": (lambda t, x, y: t.show([x >= 1]), ParameterError, "show takes formulas"),
    "nothing assumed": (lambda t, x, y: t.assume(None), ParameterError, "assume takes formulas"),
    "name twice": (lambda t, x, y: t.integers("z x"), ParameterError, "must be new .* got x"),
    "name of a quotient": (lambda t, x, y: t.integers("q_1"), ParameterError, "got q_1"),
    "paths": (many_paths, ParameterError, "more than 64 paths"),
    "endless": (endless, ParameterError, "asks more than 64 truths"),
    "float": (shows(lambda x, y: x != 1.0), ParameterTypeError, "compared with integers, got 1.0"),
    "truth": (shows(lambda x, y: x == True), ParameterTypeError, "got True"),  # noqa: E712
    "NumPy's truth": (shows(lambda x, y: x != np.bool_(True)), ParameterTypeError, "True"),
    "SymPy's 1": (shows(lambda x, y: x == sympy.S.One), ParameterTypeError, "got 1"),
    "SymPy's half": (shows(lambda x, y: x >= sympy.S.Half), ParameterTypeError, "got 1/2"),
    "infinity": (shows(lambda x, y: x < float("inf")), ParameterTypeError, "got inf"),
    "another trace": (shows(lambda x, y: y >= LEFT_OVER), ParameterTypeError, "left over"),
    "a text in a formula": (shows(lambda x, y: all_of(x >= 1, "x")), ParameterTypeError, "got 'x'"),
    "a number in a formula": (shows(lambda x, y: (x >= 1) & 1), ParameterTypeError, "got 1"),
    "a set": (shows(lambda x, y: len({x, y}) == 2), TypeError, "unhashable"),
    "a set of formulas": (shows(lambda x, y: {x >= 1}), TypeError, "unhashable"),
    "a key": (shows(lambda x, y: {1: 2}[x] == y), TypeError, "unhashable"),
    "a power": (shows(lambda x, y: x**2 >= 0), TypeError, "unsupported"),
    "a quotient": (shows(lambda x, y: x / 2 >= 0), TypeError, "unsupported"),
    "a float added": (shows(lambda x, y: x + 0.5 >= 0), TypeError, "unsupported"),
    "a truth added": (shows(lambda x, y: x + True >= 0), TypeError, "unsupported"),
    "as an int": (shows(lambda x, y: int(x) >= 0), TypeError, "int"),
    "as a range": (shows(lambda x, y: len(range(x)) >= 0), TypeError, "integer"),
    "an order of formulas": (shows(lambda x, y: (x >= 1) < (y >= 1)), TypeError, "not supported"),
    "another ufunc": (shows(lambda x, y: np.add(x, 1) >= y), TypeError, "NotImplemented"),
    "NumPy on the left": (shows(lambda x, y: np.arange(3) <= x), TypeError, "NotImplemented"),
    "a ufunc's method": (shows(lambda x, y: np.minimum.reduce(x) >= y), TypeError, "reduce"),
    "another function": (shows(lambda x, y: np.sum(x) >= y), TypeError, "no implementation"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    code, error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        lifting(code)


def test_a_text_or_nothing_is_no_integer():
    # Code may ask whether a padding is "same", or given at all.
    assert lifting(shows(lambda x, y: x == "same" or x is None or x == None)).steps == [  # noqa: E711
        {"show": "0 == 1"}
    ]


def test_a_formula_without_a_trace():
    (x,) = Trace([]).integers("x")
    formula = x >= 1
    assert repr(formula) == "Formula(x >= 1)"
    formula.tracer = None
    with pytest.raises(ParameterTypeError, match="neither true nor false"):
        bool(formula)


def test_division_of_known_numbers():
    trace = Trace([])
    (x,) = trace.integers("x")
    seven = x - x + 7
    for divisor in (2, -2, 1):
        assert [part.number for part in divmod(seven, divisor)] == list(divmod(7, divisor))
    assert trace.path.steps == []
    with pytest.raises(ZeroDivisionError):
        divmod(seven, x - x)


def test_the_axis():
    def statement(t, input_dilation):
        relation, n = axis(t, input_dilation=input_dilation)
        t.show(relation.output_size(n) >= 0)

    plain = lift(lambda t: statement(t, False))
    assert plain.variables == ["s", "d", "K", "n", "lo", "hi"]
    assert [step["assume"] for step in plain.steps[:4]] == ["s >= 1", "d >= 1", "K >= 1", "n >= 0"]
    assert lift(lambda t: statement(t, True)).variables[-1] == "b"
    assert len(lift(lambda t: statement(t, True)).steps) == len(plain.steps) + 1


def test_same_statement_compares_everything_but_the_proofs():
    lifted = lifting(by_elif)

    def with_proofs(steps):
        return [
            {name: with_proofs(part) for name, part in step.items() if name != "fork"}
            | {"fork": step["fork"]}
            if "fork" in step
            else {**step, "proofs": [[[1, 0]]]}
            for step in steps
        ]

    stored = {"variables": ["x", "y"], "steps": with_proofs(lifted.steps)}
    assert same_statement(stored, lifted)
    assert not same_statement({**stored, "variables": ["y", "x"]}, lifted)
    assert not same_statement({**stored, "steps": []}, lifted)
    assert not same_statement({**stored, "steps": stored["steps"] * 2}, lifted)
    cut = {**stored["steps"][0], "true": [{"impossible": True, "proofs": []}]}
    assert same_statement({**stored, "steps": [cut]}, lifted)
    early = {**cut, "true": [{"impossible": True, "proofs": []}, *cut["true"]]}
    assert not same_statement({**stored, "steps": [early]}, lifted)
    other = {**stored["steps"][0], "fork": "x < 1"}
    assert not same_statement({**stored, "steps": [other]}, lifted)
    weaker = {**stored["steps"][0], "true": [{"show": "0 == 0", "proofs": []}]}
    assert not same_statement({**stored, "steps": [weaker]}, lifted)
