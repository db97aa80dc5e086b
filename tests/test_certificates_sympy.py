"""Every stored certificate once more, by other means.

SymPy's polynomial ring recomputes each combination from a walk through the document written here
anew; the theorem that the code makes today is lifted again and must be the one that was certified;
and the code itself, run on plain integers, must agree with the formulas it left behind.
"""

from __future__ import annotations

import ast
import json
import random
from functools import cache
from itertools import chain, product
from pathlib import Path

import pytest
from certificates_by_hand import truths_of, violated
from sympy import ZZ
from sympy.polys.rings import ring

from symconv.proving import checker
from symconv.proving.certified import same_statement
from symconv.proving.collecting import theorems
from symconv.proving.tracing import lift, replayed

STORED = sorted((Path(checker.__file__).parents[2] / "proofs" / "certificates").glob("*.json"))

each_certificate = pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)


def document_of(path):
    return json.loads(path.read_bytes())


@cache
def lifted(identifier):
    return lift(theorems()[identifier].method.define)


# The walk: polynomials of SymPy, formulas as trees of "and" and "or" over (is an equation, p).


def names_in(steps):
    for step in steps:
        yield from step.get("define", ())
        for side in ("true", "false"):
            yield from names_in(step.get(side, ()))


class Walk:
    """All that a certificate claims to prove, with the polynomials of a ring."""

    def __init__(self, document):
        self.names = list(dict.fromkeys([*document["variables"], *names_in(document["steps"])]))
        self.ring, *generators = ring(self.names or ["unused"], ZZ)
        self.generators = dict(zip(self.names, generators, strict=False))
        self.products = 0
        self.shown = 0

    def polynomial(self, text):
        def built(node):
            match node:
                case ast.Constant(value=int(number)):
                    return self.ring(number)
                case ast.Name(id=name):
                    return self.generators[name]
                case ast.UnaryOp(op=ast.USub(), operand=part):
                    return -built(part)
                case ast.BinOp(left=left, op=ast.Add(), right=right):
                    return built(left) + built(right)
                case ast.BinOp(left=left, op=ast.Sub(), right=right):
                    return built(left) - built(right)
                case ast.BinOp(left=left, op=ast.Mult(), right=right):
                    return built(left) * built(right)
            raise AssertionError(ast.dump(node))

        return built(ast.parse(text.strip(), mode="eval").body)

    def tree(self, formula, holds=True):
        """The formula or its negation, without "not", "if" and "iff"."""
        if isinstance(formula, str):
            node = ast.parse(formula.strip(), mode="eval").body
            assert isinstance(node, ast.Compare)
            assert len(node.ops) == 1
            sides = (ast.unparse(part) for part in (node.left, *node.comparators))
            left, right = map(self.polynomial, sides)
            above, below = (False, left - right - 1), (False, right - left - 1)
            signs = {
                ast.GtE: (False, left - right), ast.Lt: below, ast.LtE: (False, right - left),
                ast.Gt: above, ast.Eq: (True, left - right), ast.NotEq: ("or", [above, below]),
            }  # fmt: skip
            opposite = {ast.GtE: ast.Lt, ast.LtE: ast.Gt, ast.Eq: ast.NotEq}
            opposite |= {there: here for here, there in opposite.items()}
            sign = type(node.ops[0])
            return signs[sign if holds else opposite[sign]]
        ((kind, parts),) = formula.items()
        if kind == "not":
            return self.tree(parts, not holds)
        if kind in ("all", "any"):
            joint = "and" if (kind == "all") == holds else "or"
            return joint, [self.tree(part, holds) for part in parts]
        left, right = parts
        yes, no = self.tree(left, True), self.tree(left, False)
        if kind == "if":
            ends = no, self.tree(right, True)
            return ("or", list(ends)) if holds else ("and", [yes, self.tree(right, False)])
        return "or", [
            ("and", [yes, self.tree(right, holds)]),
            ("and", [no, self.tree(right, not holds)]),
        ]

    def cases(self, tree):
        """A tree as its cases, each a list of atoms."""
        kind, parts = tree
        if not isinstance(kind, str):
            return [[tree]]
        inner = [self.cases(part) for part in parts]
        if kind == "or":
            return list(chain.from_iterable(inner))
        return [list(chain.from_iterable(chosen)) for chosen in product(*inner)]

    def refuted(self, facts, proof):
        if isinstance(proof, dict):
            p = self.polynomial(proof["split"])
            self.refuted([*facts, (False, p)], proof["yes"])
            self.refuted([*facts, (False, -p - 1)], proof["no"])
            return
        total = self.ring(0)
        for coefficient, *places in proof:
            if isinstance(coefficient, int):
                assert coefficient > 0
                term = self.ring(coefficient)
            else:
                assert any(facts[i][0] for i in places)
                term = self.polynomial(coefficient)
            for i in places:
                term *= facts[i][1]
            total += term
            self.products += 1
        assert total.is_ground
        assert total.coeff(1) < 0

    def proved(self, known, tree, proofs):
        cases = [facts + more for facts in known for more in self.cases(tree)]
        for facts, proof in zip(cases, proofs, strict=True):
            self.refuted(facts, proof)

    def follow(self, steps, known):
        for step in steps:
            if "assume" in step:
                known = self.extended(known, self.tree(step["assume"]))
            elif "define" in step:
                a, m = self.polynomial(step["dividend"]), self.polynomial(step["divisor"])
                self.proved(known, (False, -m), step["proofs"])
                q, r = (self.generators[name] for name in step["define"])
                facts = [(True, a - m * q - r), (False, r), (False, m - 1 - r)]
                known = [case + facts for case in known]
            elif "show" in step:
                self.proved(known, self.tree(step["show"], False), step["proofs"])
                known = self.extended(known, self.tree(step["show"]))
                self.shown += 1
            elif "fork" in step:
                assert step is steps[-1]
                for side, holds in (("true", True), ("false", False)):
                    self.follow(step[side], self.extended(known, self.tree(step["fork"], holds)))
            else:
                assert step is steps[-1]
                self.proved(known, ("and", []), step["proofs"])

    def extended(self, known, tree):
        return [facts + more for facts in known for more in self.cases(tree)]


@each_certificate
def test_every_combination_is_a_negative_number(path):
    document = document_of(path)
    walk = Walk(document)
    walk.follow(document["steps"], [[]])
    found = checker.check_file(str(path))
    assert found == {
        "theorem": path.stem, "shown": walk.shown, "products": walk.products
    }  # fmt: skip
    for witness in document["witnesses"]:
        assert violated(document["steps"], witness, strict=True) is None


@each_certificate
def test_it_is_about_what_the_code_says_now(path):
    document = document_of(path)
    theorem = theorems()[document["theorem"]]
    assert theorem.identifier == path.stem
    assert theorem.expected == "PROVED"
    statement = lifted(path.stem)
    assert same_statement(document, statement)
    changed = lift(theorem.method.define)
    changed.steps[0] = {"assume": "1 >= 2"}
    assert not same_statement(document, changed)


def assignments(document, count):
    """Witnesses, and random small changes of them, so that hypotheses often hold."""
    rng = random.Random(document["theorem"])
    for witness in document["witnesses"]:
        yield dict(witness)
    for _ in range(count):
        values = dict(rng.choice(document["witnesses"]))
        for name in rng.sample(sorted(values), min(len(values), rng.randint(1, 8))):
            values[name] += rng.choice((-2, -1, 1, 1, 2, 3))
        yield values


@each_certificate
def test_the_code_on_integers_says_what_its_formulas_say(path):
    document = document_of(path)
    define, statement = theorems()[path.stem].method.define, lifted(path.stem)
    reached = 0
    for values in assignments(document, 150):
        expected = truths_of(statement, values)
        if expected is None:
            continue
        found = replayed(define, values)
        assert found == expected, values
        if all(found.get("assume", [])) and all(found.get("given", [])):
            assert all(found["show"]), values
            reached += 1
    assert reached >= len(document["witnesses"])
