"""The checker of certificates under attack: whatever is not a proof is rejected.

Each attack changes one place of a certificate that is a proof. `test_checker_random` does the same
at random.
"""

from __future__ import annotations

import json
from copy import deepcopy

import pytest
from certificates_by_hand import BASES, HALVES, PRODUCTS, changed, simple

from symconv.proving.checker import Rejected, check


def test_the_certificates_are_proofs():
    assert check(deepcopy(HALVES)) == {"theorem": "test.halves", "shown": 4, "products": 51}
    assert check(deepcopy(PRODUCTS))["shown"] == 3
    assert check(simple())["products"] == 2


ATTACKS = {
    # Refutations.
    "coefficient one more": ("halves", "steps", 2, "proofs", 0, 0, 0, 2),
    "coefficient of the other sign": ("halves", "steps", 2, "proofs", 0, 1, 0, "-1"),
    "coefficient 0": ("halves", "steps", 2, "proofs", 0, 0, 0, 0),
    "coefficient negative": ("halves", "steps", 1, "proofs", 0, 0, 0, -1),
    "coefficient true": ("halves", "steps", 2, "proofs", 0, 0, 0, True),
    "coefficient a float": ("halves", "steps", 2, "proofs", 0, 0, 0, 1.0),
    "coefficient huge": ("halves", "steps", 1, "proofs", 0, 0, 0, 10**60),
    "coefficient null": ("halves", "steps", 2, "proofs", 0, 0, 0, None),
    "polynomial without an equation": ("halves", "steps", 2, "proofs", 0, 0, 0, "1"),
    "polynomial with later names": ("halves", "steps", 1, "proofs", 0, 0, 0, "q"),
    "facts in another order": ("halves", "steps", 2, "proofs", 0, 0, 1, 2),
    "a fact that is not there": ("halves", "steps", 2, "proofs", 0, 0, 1, 5),
    "a fact from the end": ("halves", "steps", 2, "proofs", 0, 0, 1, -1),
    "a fact by a truth": ("halves", "steps", 2, "proofs", 0, 1, 1, True),
    "a fact by a float": ("halves", "steps", 2, "proofs", 0, 1, 1, 1.0),
    "a fact by a text": ("halves", "steps", 2, "proofs", 0, 1, 1, "1"),
    "no facts": ("halves", "steps", 1, "proofs", 0, [[-1]]),
    "five facts": ("halves", "steps", 1, "proofs", 0, [[1, 1, 0, 0, 0, 0]]),
    "an empty product": ("halves", "steps", 1, "proofs", 0, [[]]),
    "no products": ("halves", "steps", 1, "proofs", 0, []),
    "products as an object": ("halves", "steps", 1, "proofs", 0, {"0": [1, 1]}),
    "a product left out": ("halves", "steps", 2, "proofs", 0, lambda p: p[:-1]),
    "a product twice": ("halves", "steps", 2, "proofs", 0, lambda p: [*p, p[0]]),
    "comes to 0": ("halves", "steps", 1, "proofs", 0, [["n", 0]]),
    "a branch left out": ("products", "steps", 2, "proofs", lambda p: p[:-1]),
    "a branch twice": ("products", "steps", 2, "proofs", lambda p: [*p, p[0]]),
    "branches exchanged": ("products", "steps", 2, "proofs", lambda p: [p[1], p[0], *p[2:]]),
    "no branches": ("products", "steps", 2, "proofs", []),
    "branches not a list": ("products", "steps", 2, "proofs", None),
    "no proofs": ("products", "steps", 2, lambda step: {"show": step["show"]}),
    "split without a side": (
        "halves", "steps", 4, "false", 0, "proofs", 3, {"split": "q - 1", "yes": [[1, 8]]},
    ),
    "split with another key": (
        "halves", "steps", 4, "false", 0, "proofs", 3, lambda p: {**p, "maybe": [[1, 8]]},
    ),
    "split elsewhere": ("halves", "steps", 4, "false", 0, "proofs", 3, "split", "q"),
    "sides of a split exchanged": (
        "halves", "steps", 4, "false", 0, "proofs", 3,
        lambda p: {**p, "yes": p["no"], "no": p["yes"]},
    ),
    # Hypotheses, conclusions and definitions.
    "hypotheses exchanged": (
        "products", "steps", 0, "assume", "all", lambda parts: [parts[0], "x >= -5"],
    ),
    "hypothesis weakened": ("halves", "steps", 0, "assume", "n >= -1"),
    "hypothesis dropped": ("halves", "steps", 0, "assume", "0 == 0"),
    "conclusion strengthened": ("halves", "steps", 2, "show", "2*q < n"),
    "conclusion reversed": ("halves", "steps", 2, "show", "2*q >= n"),
    "conclusion negated": ("halves", "steps", 2, "show", {"not": "2*q <= n"}),
    "if turned round": ("halves", "steps", 3, "show", {"if": ["m >= 2*q", "m >= n"]}),
    "if made iff": ("halves", "steps", 3, "show", {"iff": ["m >= n", "m >= 2*q"]}),
    "divisor may be 0": ("halves", "steps", 1, "divisor", "n - 1"),
    "divisor is 0": ("halves", "steps", 1, "divisor", "0"),
    "divisor is negative": ("halves", "steps", 1, "divisor", "-2"),
    "divisor unproved": ("halves", "steps", 1, "divisor", "m"),
    "another dividend": ("halves", "steps", 1, "dividend", "n + 1"),
    "dividend in terms of the quotient": ("halves", "steps", 1, "dividend", "q"),
    "one name twice": ("halves", "steps", 1, "define", ["q", "q"]),
    "redefinition of a variable": ("halves", "steps", 1, "define", ["n", "r"]),
    "redefinition of a name": ("halves", "steps", lambda s: [*s[:2], s[1], *s[2:]]),
    "three names": ("halves", "steps", 1, "define", ["q", "r", "t"]),
    "a name with a dot": ("halves", "steps", 1, "define", ["q", "r.t"]),
    "a list as a name": ("halves", "steps", 1, "define", ["q", [["r"]]]),
    # The shape of the document.
    "fork without a side": ("halves", "steps", 4, lambda s: {"fork": "n >= 2", "true": s["true"]}),
    "fork with an empty side": ("halves", "steps", 4, "true", []),
    "fork with a third side": ("halves", "steps", 4, lambda s: {**s, "maybe": s["true"]}),
    "fork with sides exchanged": (
        "halves", "steps", 4, lambda s: {**s, "true": s["false"], "false": s["true"]},
    ),
    "fork not last": ("halves", "steps", lambda s: [*s, {"assume": "n >= 0"}]),
    "fork that shows nothing": ("halves", "steps", 4, "true", [{"assume": "n >= 0"}]),
    "steps after a contradiction": (
        "products", "steps", 3, "false", lambda s: [*s, {"assume": "x >= 0"}],
    ),
    "impossible, yet reached": ("products", "steps", 3, "true", [{"impossible": True,
        "proofs": [[[1, 0], [1, 5]]] * 10}]),
    "impossible is false": ("products", "steps", 3, "false", 0, "impossible", False),
    "impossible is 1": ("products", "steps", 3, "false", 0, "impossible", 1),
    "impossible in place of showing": ("halves", "steps", 2, {"impossible": True,
        "proofs": [[[1, 4]]]}),
    "a key more in a step": ("halves", "steps", 0, lambda s: {**s, "because": "x"}),
    "a key more in a definition": ("halves", "steps", 1, lambda s: {**s, "assume": "n < 0"}),
    "a key more in the document": ("halves", "note", "trust me"),
    "an unknown step": ("halves", "steps", lambda s: [*s, {"note": "trust me"}]),
    "a step that is a text": ("halves", "steps", 0, "assume"),
    "no steps": ("halves", "steps", []),
    "steps as an object": ("halves", "steps", {}),
    "nothing shown": ("halves", "steps", lambda s: s[:1]),
    "another format": ("halves", "format", "symconv certificate 2"),
    "no format": ("halves", "format", None),
    "theorem not a text": ("halves", "theorem", 3),
    "theorem of two lines": ("halves", "theorem", "a.b: 1 shown\nPROVED c.d"),
    "theorem empty": ("halves", "theorem", ""),
    "variables twice": ("halves", "variables", ["n", "m", "n"]),
    "variable missing": ("halves", "variables", ["n"]),
    "variables a text": ("halves", "variables", "nm"),
    "variable with dunders": ("halves", "variables", ["n", "__m__"]),
    "variable with a Greek letter": ("halves", "variables", ["n", "μ"]),
    "variable a number": ("halves", "variables", ["n", 3]),
    "variable a nested list": ("halves", "variables", ["n", [["m"]]]),
    # Witnesses.
    "no witness": ("halves", "witnesses", []),
    "witnesses an object": ("halves", "witnesses", {"n": 1, "m": 1}),
    "witness a list": ("halves", "witnesses", 0, [1, 1]),
    "witness lacks a variable": ("halves", "witnesses", 0, {"n": 1}),
    "witness has another variable": ("halves", "witnesses", 0, "q", 1),
    "witness breaks the hypothesis": ("halves", "witnesses", 0, "n", 0),
    "witness not an integer": ("halves", "witnesses", 0, "n", 1.0),
    "witness true": ("halves", "witnesses", 0, "n", True),
    "witness a text": ("halves", "witnesses", 0, "n", "1"),
    "witness huge": ("halves", "witnesses", 0, "n", 10**7),
    "witnesses never reach an if": ("halves", "witnesses", [{"n": 1, "m": 0}, {"n": 2, "m": 1}]),
    "witnesses never reach a side": ("halves", "witnesses", [{"n": 2, "m": 2}]),
    "witnesses never reach an iff": ("products", "witnesses", [{"x": 1, "y": 1}]),
    "too many witnesses": ("halves", "witnesses", lambda w: w * 26),
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_attack(name):
    document = changed(*ATTACKS[name])
    assert json.dumps(document) not in map(json.dumps, BASES.values())
    with pytest.raises(Rejected):
        check(document)


def nested(make, inner, depth):
    for _ in range(depth):
        inner = make(inner)
    return inner


TEXTS = {
    "floor division": "x // 2 >= 0", "division": "x / 2 >= 0", "power": "x**2 >= 0",
    "remainder": "x % 2 >= 0", "caret": "x ^ 2 >= 0", "tilde": "~x >= 0", "at": "x @ x >= 0",
    "implication": "x <=> 1", "chain": "0 <= x <= 1", "equalities": "x == x == x",
    "assignment": "x = 1", "arrow": "x => 1", "walrus": "x := 1", "diamond": "x <> 1",
    "no comparison": "x", "empty": "", "no left side": ">= 1", "no right side": "x >=",
    "call": "abs(x) >= 1", "call of a name": "x(1) >= 1", "attribute": "x.real >= 1",
    "index": "x[0] >= 1", "comma": "x, 1 >= 1", "semicolon": "x; x >= 1", "colon": "x: 1 >= 1",
    "two terms": "x x >= 1", "number and name": "2x >= 1", "name and number": "x 2 >= 1",
    "unary plus": "+x >= 1", "two operators": "x */ 2 >= 1", "trailing operator": "x + >= 1",
    "open parenthesis": "(x >= 1", "closed parenthesis": "x) >= 1", "none inside": "() >= 1",
    "dunder": "__import__ >= 1", "unknown name": "y >= 1", "capital": "X >= 1", "word": "True >= 0",
    "float": "1.0 >= 1", "exponent": "1e3 >= 1", "hex": "0x1 >= 0", "underscore": "1_0 >= 1",
    "quote": "'x' >= 1", "comment": "x >= 1 # 0", "backslash": "x \\ >= 1", "null": "x\0 >= 1",
    "Arabic digit": "٣ >= 1", "full-width digit": "１ >= 1", "superscript": "x² >= 1",
    "minus sign": "x − 1 >= 0", "full-width plus": "x ＋ 1 >= 0", "times": "2 × x >= 1",
    "greater or equal": "x ≥ 1", "not equal": "x ≠ 1", "Kelvin sign": "\u212a >= 1",
    "combining": "x\u0301 >= 1", "invisible": "x\u200b >= 1", "surrogate": "\ud800 >= 1",
    "too long": "x" + " + x" * 600 + " >= 1", "too many digits": "1" + "0" * 60 + " >= 1",
    "degree": "*".join(["x"] * 17) + " >= 1",
    "squared again and again": nested(lambda f: f"({f})*({f})", "x", 5) + " > 0",
    "deep parentheses": "(" * 42 + "x" + ")" * 42 + " >= 1", "minuses": "-" * 42 + "x >= 1",
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_text_that_is_no_comparison(name):
    with pytest.raises(Rejected):
        check(simple(assume=TEXTS[name]))
    with pytest.raises(Rejected):
        check(simple(show=TEXTS[name]))


@pytest.mark.parametrize("formula", [
    None, 3, True, [], ["x >= 1"], {}, {"all": []}, {"any": []}, {"all": "x >= 1"},
    {"all": {"x >= 1": 1}}, {"if": ["x >= 1"]}, {"if": ["x >= 1"] * 3}, {"iff": ["x >= 1"]},
    {"not": ["x >= 1"]}, {"not": None}, {"xor": ["x >= 1", "x >= 1"]}, {"All": ["x >= 1"]},
    {"all": ["x >= 1"], "any": ["x >= 1"]}, {"all": ["x >= 1", None]},
])  # fmt: skip
def test_formula_that_is_none(formula):
    with pytest.raises(Rejected, match=r"formula|parts"):
        check(simple(assume=formula))
    with pytest.raises(Rejected, match=r"formula|parts"):
        check(simple(show=formula))


def forks(depth):
    end = [{"show": "0 == 0", "proofs": [[[1, depth + 1]]] * 2}]
    return nested(lambda steps: [{"fork": "x >= 1", "true": steps, "false": steps}], end, depth)


NAMES = [f"a{i}" for i in range(46)]
WIDE = "(" + "+".join(NAMES) + ")"


def two_steps(first, second, **other):
    return simple(steps=[{"assume": "x >= 1"}, first, second], **other)


DOCUMENTS = {
    "contradictory hypotheses": (
        simple(assume={"all": ["x >= 1", "x <= 0"]}, show="0 == 1", proofs=[[[1, 0], [1, 1]]]),
        "witness does not satisfy",
    ),
    "contradictory later": (
        two_steps({"show": "x >= 0", "proofs": [[[1, 0], [1, 1]]]}, {"assume": "x <= 0"}),
        "witness does not satisfy",
    ),
    "contradictory, and said so": (
        two_steps({"show": "x >= 1", "proofs": [[[1, 0], [1, 1]]]},
                  {"impossible": True, "proofs": [[[1, 0]]]}),
        "negative number",
    ),
    "a lemma that is not proved": (
        two_steps({"show": "x >= 5", "proofs": [[[1, 0], [1, 1]]]},
                  {"show": "x >= 4", "proofs": [[[1, 1], [1, 2]]]}),
        "negative number",
    ),
    "a lemma proved by itself": (
        two_steps({"show": "x >= 5", "proofs": [[[1, 1], [1, 2]]]},
                  {"show": "x >= 5", "proofs": [[[1, 1], [1, 2]]]}),
        "none of the 2",
    ),
    "a lemma after its use": (
        two_steps({"show": "x >= 0", "proofs": [[[1, 2], [1, 1]]]},
                  {"show": "x >= 1", "proofs": [[[1, 0], [1, 2]]]}),
        "none of the 2",
    ),
    "a fact of the other side": (
        simple(steps=[{"assume": "x >= 1"}, {
            "fork": "x >= 2",
            "true": [{"show": "x >= 2", "proofs": [[[1, 1], [1, 2]]]}],
            "false": [{"show": "x >= 2", "proofs": [[[1, 1], [1, 2]]]}],
        }], witnesses=[{"x": 1}, {"x": 2}]),
        "negative number",
    ),
    "a name of the other side": (
        simple(steps=[{"assume": "x >= 1"}, {
            "fork": "x >= 2",
            "true": [{"define": ["q", "r"], "dividend": "x", "divisor": "1", "proofs": [[[1, 2]]]},
                     {"show": "r >= 0", "proofs": [[[1, 3], [1, 5]]]}],
            "false": [{"show": "r >= 0", "proofs": [[[1, 1]]]}],
        }], witnesses=[{"x": 1}, {"x": 2}]),
        "'r' is not a known name",
    ),
    "an if in an if that nothing reaches": (
        simple(show={"if": ["x >= 1", {"if": ["x <= 0", "x >= 7"]}]},
               proofs=[[[1, 0], [1, 2]]]),
        "no witness reaches",
    ),
    "an if in an all that nothing reaches": (
        simple(show={"all": ["x >= 1", {"if": ["x <= 0", "x >= 7"]}]},
               proofs=[[[1, 0], [1, 1]], [[1, 0], [1, 1]]]),
        "no witness reaches",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document_that_proves_nothing(name):
    document, message = DOCUMENTS[name]
    with pytest.raises(Rejected, match=message):
        check(document)


LIMITS = {
    "nested formula": (simple(show=nested(lambda f: {"not": f}, "x >= 1", 60)), "nested deeper"),
    "nested conditions": (simple(show=nested(lambda f: {"iff": [f, f]}, "x >= 1", 12)), "branches"),
    "nested without end": (
        simple(show=nested(lambda f: [f], "x >= 1", 300)), "list is no formula",
    ),
    "nested products": (simple(proofs=nested(lambda p: [p], [1, 0], 300)), "each product"),
    "nested coefficient": (
        simple(proofs=[[[nested(lambda p: [p], 1, 300), 0]]]), "coefficient list",
    ),
    "nested splits": (
        simple(proofs=[nested(lambda p: {"split": "x", "yes": p, "no": p}, [[1, 0]], 2)]),
        "negative number",
    ),
    "deep splits": (
        simple(proofs=[nested(lambda p: {"split": "x", "yes": p, "no": [[1, 0]]}, [[1, 0]], 42)]),
        "splits are nested deeper",
    ),
    "deep forks": (simple(steps=forks(1) and nested(
        lambda steps: [{"fork": "x >= 1", "true": steps, "false": [{"assume": "x >= 9"}]}],
        [{"assume": "x >= 1"}], 42,
    )), "too deep"),
    "branches": (simple(assume={"any": ["x >= 1"] * 1025}), "1024 branches"),
    "branches multiplied": (
        simple(assume={"all": [{"any": ["x >= 1"] * 2}] * 11}), "1024 branches",
    ),
    "facts": (simple(assume={"all": ["x >= 1"] * 1001}), "1000 facts"),
    "terms": (
        simple(show=f"{WIDE}*{WIDE} >= 0", variables=["x", *NAMES],
               witnesses=[dict.fromkeys(["x", *NAMES], 1)]),
        "2000 terms",
    ),
    "degree in a refutation": (
        simple(assume="*".join(["x"] * 16) + " >= 1", proofs=[[[1, 0, 0]]]), "degree above 16",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LIMITS)
def test_limit(name):
    document, message = LIMITS[name]
    with pytest.raises(Rejected, match=message):
        check(document)
