"""Certificates written by hand for the tests of the checker, and what a document claims.

`violated` reads a document as claims about integers. It shares no code with the checker.
"""

from __future__ import annotations

import ast
import json
import operator
import re
from copy import deepcopy

#: n = 2q + r; facts 0 n−1, 1 n−2q−r = 0, 2 r, 3 1−r, 4 n−2q, 5 (m ≥ n ⇒ m ≥ 2q) in two branches.
HALVES = {
    "format": "symconv certificate 1",
    "theorem": "test.halves",
    "variables": ["n", "m"],
    "steps": [
        {"assume": "n >= 1"},
        {"define": ["q", "r"], "dividend": "n", "divisor": "2", "proofs": [[[1, 1]]]},
        {"show": "2*q <= n", "proofs": [[[1, 4], ["1", 1], [1, 2]]]},
        {"show": {"if": ["m >= n", "m >= 2*q"]}, "proofs": [[[1, 4], [1, 5], [1, 6]]]},
        {
            "fork": "n >= 2",
            "true": [
                {"show": "q >= 1", "proofs": [[[1, 6], ["-1", 1], [1, 3], [2, 7]]] * 2},
            ],
            "false": [
                {
                    "show": {"all": ["q == 0", {"not": "r != 1"}]},
                    "proofs": [
                        [[1, 6], ["1", 1], [1, 2], [2, 7]],
                        [[1, 0], ["-1", 1], [1, 3], [2, 7]],
                        [[1, 3], [1, 7]],
                        {
                            "split": "q - 1",
                            "yes": [[1, 6], ["1", 1], [1, 2], [2, 8]],
                            "no": [[1, 0], ["-1", 1], [1, 7], [2, 8]],
                        },
                    ]
                    * 2,
                }
            ],
        },
    ],
    "witnesses": [{"n": 1, "m": 1}, {"n": 2, "m": 2}],
}
#: x, y ≥ 1: facts 0 x−1, 1 y−1.
PRODUCTS = {
    "format": "symconv certificate 1",
    "theorem": "test.products",
    "variables": ["x", "y"],
    "steps": [
        {"assume": {"all": ["x >= 1", "y > 0"]}},
        {"show": "x*y >= 1", "proofs": [[[1, 0, 1], [1, 2], [1, 0], [1, 1]]]},
        {
            "show": {"iff": ["y == x + 1", "y - x - 1 == 0"]},
            "proofs": [
                [["-1", 3], [1, 4]],
                [["1", 3], [1, 4]],
                [["-1", 4], [1, 3]],
                [["1", 4], [1, 3]],
            ],
        },
        {
            "fork": {"any": ["x >= 0", "y <= -1"]},
            "true": [{"show": "0 < 1", "proofs": [[[1, 6]]] * 10}],
            "false": [{"impossible": True, "proofs": [[[1, 0], [1, 5]]] * 5}],
        },
    ],
    "witnesses": [{"x": 1, "y": 2}],
}
BASES = {"halves": HALVES, "products": PRODUCTS}


def simple(show="x >= 1", proofs=(((1, 0), (1, 1)),), assume="x >= 1", **other):
    """x ≥ 1 shows x ≥ 1, with something put in its place."""
    document = {
        "format": "symconv certificate 1",
        "theorem": "test.simple",
        "variables": ["x"],
        "steps": [{"assume": assume}, {"show": show, "proofs": proofs}],
        "witnesses": [{"x": 1}],
        **other,
    }
    return json.loads(json.dumps(document))


def changed(base, *path_and_value):
    """A copy of a base certificate with one place changed; a callable changes what is there."""
    document = deepcopy(BASES[base])
    *path, last, value = path_and_value
    place = document
    for key in path:
        place = place[key]
    place[last] = value(place[last]) if callable(value) else value
    return document


_OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.GtE: operator.ge,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.Lt: operator.lt,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def value(text, values):
    """The value of a polynomial or a comparison, read by Python's own parser."""
    # Python has no 007.
    plain = re.sub(r"(?<![A-Za-z0-9_])0+(?=[0-9])", "", text).strip().replace("\n", " ")
    return _value(ast.parse(plain, mode="eval").body, values)


def _value(node, values):
    match node:
        case ast.Constant(value=number):
            return number
        case ast.Name(id=name):
            return values[name]
        case ast.UnaryOp(op=ast.USub(), operand=part):
            return -_value(part, values)
        case ast.BinOp(left=left, op=sign, right=right):
            return _OPERATORS[type(sign)](_value(left, values), _value(right, values))
        case ast.Compare(left=left, ops=[sign], comparators=[right]):
            return _OPERATORS[type(sign)](_value(left, values), _value(right, values))
    raise AssertionError(ast.dump(node))


def truth(formula, values):
    """Whether a formula holds for these integers."""
    if isinstance(formula, str):
        return value(formula, values)
    ((kind, parts),) = formula.items()
    if kind == "not":
        return not truth(parts, values)
    truths = [truth(part, values) for part in parts]
    if kind in ("all", "any"):
        return {"all": all, "any": any}[kind](truths)
    left, right = truths
    return left == right if kind == "iff" else not left or right


def violated(steps, values, strict=False):
    """What fails for these integers: a conclusion, a divisor or a contradiction; else None.

    Where a hypothesis fails nothing is claimed; with `strict` that is a failure as well.
    """
    values = dict(values)
    for step in steps:
        if "assume" in step:
            if not truth(step["assume"], values):
                return step if strict else None
        elif "define" in step:
            divisor = value(step["divisor"], values)
            if divisor < 1:
                return step
            pair = divmod(value(step["dividend"], values), divisor)
            values |= dict(zip(step["define"], pair, strict=True))
        elif "fork" in step:
            side = "true" if truth(step["fork"], values) else "false"
            return violated(step[side], values, strict)
        elif "impossible" in step or not truth(step["show"], values):
            return step
    return None


def truths_of(statement, values):
    """What the lifted formulas say at these integers, by kind; None where a divisor is below 1."""
    for path in statement.paths:
        known = dict(values)
        found = {}
        for step in path.steps:
            if "define" in step:
                divisor = value(step["divisor"], known)
                if divisor < 1:
                    return None
                pair = divmod(value(step["dividend"], known), divisor)
                known |= dict(zip(step["define"], pair, strict=True))
                continue
            ((kind, formula),) = step.items()
            holds = truth(formula, known)
            if kind == "answer":
                if not holds:
                    break
            else:
                found.setdefault(kind, []).append(holds)
        else:
            return found
    raise AssertionError(f"no path is followed at {values}")
