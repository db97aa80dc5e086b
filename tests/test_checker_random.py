"""The checker run as a process with nothing installed, and attacked at random.

Whatever certificate it still accepts after tampering must be true of the integers in a box, as the
evaluator of `certificates_by_hand` reads it; and the finder, asked to prove random statements, may
only ever prove true ones.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from copy import deepcopy
from itertools import product
from pathlib import Path

import pytest
from certificates_by_hand import BASES, HALVES, changed, simple, violated
from hypothesis import given, strategies as st
from strategies import examples

from symconv.proving import all_of, any_of, checker, finder, iff, implies
from symconv.proving.checker import Rejected, check, check_file, parse
from symconv.proving.tracing import lift

SOURCE = Path(checker.__file__)
STORED = sorted((SOURCE.parents[2] / "proofs" / "certificates").glob("*.json"))


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-I", "-S", str(SOURCE), *map(str, arguments)],
        env={},
        capture_output=True,
        check=False,
        timeout=60,
    )


def written(path, data):
    path.write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())
    return path


def test_process_with_nothing_installed(tmp_path):
    good = written(tmp_path / "good.json", HALVES)
    bad = written(tmp_path / "bad.json", changed("halves", "steps", 0, "assume", "n >= 0"))
    done = run(good)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == b"PROVED test.halves: 4 shown, 51 products\n"
    done = run(good, bad, good)
    assert (done.returncode, done.stderr) == (1, b"")
    lines = done.stdout.decode().splitlines()
    assert [line.split()[0] for line in lines] == ["PROVED", "REJECTED", "PROVED"]
    assert lines[1].endswith("bad.json: a combination does not come to a negative number")
    done = run()
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"usage" in done.stderr


@pytest.mark.skipif(not STORED, reason="the certificates are not here")
def test_process_accepts_every_stored_certificate():
    done = run(*STORED)
    assert (done.returncode, done.stderr) == (0, b"")
    lines = done.stdout.decode().splitlines()
    assert [line.partition(":")[0] for line in lines] == [f"PROVED {path.stem}" for path in STORED]


TEXT = json.dumps(HALVES)
FILES = {
    "empty": b"",
    "truncated": TEXT[:-20].encode(),
    "two documents": (TEXT + TEXT).encode(),
    "not UTF-8": TEXT.replace("halves", "h\xe4lves").encode("latin-1"),
    "UTF-16": TEXT.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf" + TEXT.encode(),
    "float": TEXT.replace('"witnesses": [{"n": 1', '"witnesses": [{"n": 1.0').encode(),
    "exponent": TEXT.replace('"witnesses": [{"n": 1', '"witnesses": [{"n": 1e0').encode(),
    "NaN": TEXT.replace('"witnesses": [{"n": 1', '"witnesses": [{"n": NaN').encode(),
    "Infinity": TEXT.replace('"witnesses": [{"n": 1', '"witnesses": [{"n": -Infinity').encode(),
    "digits": TEXT.replace('"witnesses": [{"n": 1', '"witnesses": [{"n": ' + "1" * 9999).encode(),
    "key twice": TEXT.replace('"theorem"', '"theorem": "a", "theorem"').encode(),
    "key twice, deep": TEXT.replace('"fork"', '"fork": "n >= 0", "fork"').encode(),
    "nested lists": b"[" * 100_000,
    "nested and closed": b"[" * 990 + b"]" * 990,
    "nested objects": b'{"all":' * 100_000,
    "nested steps": TEXT.replace('"q >= 1"', '{"not":' * 900 + '"q >= 1"' + "}" * 900).encode(),
    "too long": TEXT.encode() + b" " * checker.MAX_BYTES,
    "a list": f"[{TEXT}]".encode(),
    "a number": b"1",
    "null": b"null",
    "another line in a name": json.dumps(
        {**HALVES, "theorem": "a: 1 shown, 1 products\nPROVED b"}
    ).encode(),
    "a lone surrogate": json.dumps({**HALVES, "theorem": "\ud800"}).encode(),
    "another line in a text": json.dumps(simple(show="x\nPROVED a.b: 1 shown")).encode(),
}


@pytest.mark.parametrize("name", FILES)
def test_file_that_is_no_certificate(name, tmp_path):
    path = written(tmp_path / "c.json", FILES[name])
    with pytest.raises(Rejected):
        check_file(str(path))


def test_process_rejects_them_all(tmp_path):
    paths = [written(tmp_path / f"{i}.json", data) for i, data in enumerate(FILES.values())]
    strange = written(tmp_path / "x\nPROVED y.json", b"")
    paths += [tmp_path, tmp_path / "missing.json", strange]
    done = run(*paths)
    assert (done.returncode, done.stderr) == (1, b"")
    lines = done.stdout.decode("ascii").splitlines()
    assert len(lines) == len(paths)
    assert all(line.startswith("REJECTED ") for line in lines)


def test_the_module_is_small_and_imports_the_standard_library_alone():
    text = SOURCE.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 560
    tree = ast.parse(text)
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add(node.module)
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names
    assert imported <= {
        "__future__", "collections.abc", "itertools", "json", "re", "sys", "typing",
    }  # fmt: skip
    opened = {
        function.name
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and node.id == "open"
    }
    assert opened == {"check_file"}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert not names & {"eval", "exec", "compile", "__import__", "getattr", "globals", "input"}


# Random tampering.


def places(node, path=()):
    """Every place of a document, deepest last."""
    yield path
    if isinstance(node, (dict, list)):
        for key in node if isinstance(node, dict) else range(len(node)):
            yield from places(node[key], (*path, key))


TOKENS = ("n", "m", "q", "r", "x", "y", "0", "1", "2", ">=", "<=", ">", "<", "==", "!=", "+", "-")


@st.composite
def tampered(draw, bases):
    """A certificate with one to three places changed."""
    document = deepcopy(draw(st.sampled_from(bases)))
    for _ in range(draw(st.integers(1, 3))):
        *path, last = draw(st.sampled_from([path for path in places(document) if path]))
        place = document
        for key in path:
            place = place[key]
        part = place[last]
        kinds = ["exchange" if isinstance(place, list) else "keep"]
        if isinstance(place, list):
            kinds += ["drop", "double"]
        if isinstance(part, str):
            kinds += ["token", "token", "token"]
        if type(part) is int:
            kinds += ["number", "number", "number"]
        kind = draw(st.sampled_from(kinds))
        if kind == "drop":
            del place[last]
        elif kind == "double":
            place.insert(last, deepcopy(part))
        elif kind == "exchange":
            other = draw(st.integers(0, len(place) - 1))
            place[last], place[other] = place[other], place[last]
        elif kind == "number":
            place[last] = part + draw(st.integers(-3, 3))
        elif kind == "token":
            tokens = part.split(" ")
            tokens[draw(st.integers(0, len(tokens) - 1))] = draw(st.sampled_from(TOKENS))
            place[last] = " ".join(tokens)
    return document


def accepted(document):
    try:
        check(deepcopy(document))
    except Rejected:
        return False
    return True


def must_be_true(document, assignments):
    for values in assignments:
        assert violated(document["steps"], values) is None, (document, values)
    assert document["witnesses"]
    for witness in document["witnesses"]:
        assert violated(document["steps"], witness, strict=True) is None


@examples(1500)
@given(tampered(list(BASES.values())))
def test_tampering_at_random_never_proves_what_is_false(document):
    if accepted(document):
        names = document["variables"]
        box = product(range(-4, 5), repeat=len(names))
        must_be_true(document, (dict(zip(names, values, strict=True)) for values in box))


SMALL = [json.loads(path.read_bytes()) for path in STORED if path.stat().st_size < 2500]


@pytest.mark.skipif(not STORED, reason="the certificates are not here")
@examples(150)
@given(st.data())
def test_tampering_with_stored_certificates(data):
    document = data.draw(tampered(SMALL))
    if accepted(document):
        names = document["variables"]
        values = st.lists(st.integers(-3, 3), min_size=len(names), max_size=len(names))
        drawn = [data.draw(values) for _ in range(10)]
        must_be_true(document, (dict(zip(names, values, strict=True)) for values in drawn))


@st.composite
def linear(draw):
    a, b, c = (draw(st.integers(-3, 3)) for _ in range(3))
    return f"{a}*x + {b}*y + {c}"


@examples(300)
@given(st.lists(linear(), min_size=1, max_size=3), st.data())
def test_facts_that_a_refutation_refutes_have_no_solution(texts, data):
    """Facts are made to fit a random combination: accepted, and true nowhere in a box."""
    names = ("x", "y")
    facts = [("ge", parse(text, names)) for text in texts]
    proof = []
    total = checker.constant(1)
    for _ in range(data.draw(st.integers(1, 3))):
        chosen = data.draw(st.lists(st.integers(0, len(facts) - 1), min_size=1, max_size=2))
        coefficient = data.draw(st.integers(1, 3))
        term = checker.constant(coefficient)
        for i in chosen:
            term = checker.multiply(term, facts[i][1])
        total = checker.add(total, term)
        proof.append([coefficient, *chosen])
    last = checker.add({}, total, -1)
    facts.append(("ge", last))
    proof.append([1, len(facts) - 1])
    assert checker.refute(facts, proof, names) == len(proof)
    for x, y in product(range(-6, 7), repeat=2):
        values = {"x": x, "y": y}
        assert any(checker.value_at(a, values) < 0 for _, a in facts)


# Random statements, most of them false.


@st.composite
def formulas(draw, terms, depth=1):
    if depth and draw(st.booleans()):
        make = draw(st.sampled_from([all_of, any_of, implies, iff]))
        return make(draw(formulas(terms, depth - 1)), draw(formulas(terms, depth - 1)))
    left = draw(st.sampled_from(terms)) + draw(st.integers(-1, 1)) * draw(st.sampled_from(terms))
    right = draw(st.sampled_from(terms)) + draw(st.integers(-2, 2))
    sign = draw(st.sampled_from(["__ge__", "__gt__", "__le__", "__eq__", "__ne__"]))
    return getattr(left, sign)(right)


@examples(60)
@given(st.data())
def test_the_finder_proves_nothing_that_is_false(data):
    pytest.importorskip("z3")

    def statement(t):
        x, y = t.integers("x y")
        terms = [x, y, x * y, x // 2, x % 3]
        t.assume(x >= data.draw(st.integers(-1, 1)), data.draw(formulas(terms)))
        t.show(data.draw(formulas(terms)))

    lifted = lift(statement)
    box = [dict(zip("xy", values, strict=True)) for values in product(range(-6, 7), repeat=2)]
    is_false = any(violated(lifted.steps, values) for values in box)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(finder, "MAX_SPLITS", 1)
            document = finder.find("test.random", lifted)
    except finder.NotFoundError:
        return
    assert not is_false
    must_be_true(document, box)
