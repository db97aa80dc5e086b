"""The regression corpus on the engines that are installed: which are right today, which are not."""

from __future__ import annotations

import warnings
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from test_vectors import VECTORS, array, build

from symconv.adapters.engines import engine
from symconv.errors import MissingExtraError
from symconv.verifying import UnsupportedError

ENGINES = ("torch", "onnxruntime", "onnx-reference", "jax")
PROBES = [vector for vector in VECTORS if "values" in vector["expected"]]

#: What the sweeps of `docs/findings.md` found: the engine and its version then, the vectors' ids
#: and the beginnings of their cases, how they fail. Later versions may be right.
STILL_WRONG = [
    ("onnx-reference", "1.23.2", "onnx PR#8446", "", "raises"),
    ("onnx-reference", "1.23.2", "sweep of onnx", "max_pool, stride 1, padding", "raises"),
    ("onnx-reference", "1.23.2", "sweep of onnx", "max_pool, stride 1, high", "wrong"),
    ("onnx-reference", "1.23.2", "sweep of onnx", "max_pool, stride 1, low", "wrong"),
    ("onnx-reference", "1.23.2", "sweep of onnx", "avg_pool", "wrong"),
    ("torch", "2.13.0", "sweep of torch", "avg_pool3d", "raises"),
]


def known(name, vector):
    """How a vector fails by the table, and the version that it is about."""
    for engine_name, version, start, case, how in STILL_WRONG:
        if (
            name == engine_name
            and vector["id"].startswith(start)
            and vector["case"].startswith(case)
        ):
            return how, version
    return "", ""


def outcome(name, vector):
    """ "right", "wrong", "raises" or "not taken", of one engine on one vector."""
    try:
        implementation = engine(name)
    except MissingExtraError as error:
        pytest.skip(str(error))
    layer, x = build(vector["layer"]), array(vector["input"])
    given = [x if "weight" in vector else x[None, None]]
    if "weight" in vector:
        given.append(array(vector["weight"]))
    right = np.vectorize(Fraction, otypes=[object])(
        np.array(vector["expected"]["values"], dtype=object)
    )
    try:
        fn = implementation.build(layer, tuple(vector["input_size"]))
        found = np.asarray(fn(*(each.astype(np.float32) for each in given)), dtype=np.float64)
    except UnsupportedError:
        return "not taken"
    except Exception:
        return "raises"
    found = found if "weight" in vector else found[0, 0]
    if found.shape != right.shape:
        return "wrong"
    # Integers are exact; a mean is rounded a few times.
    near = np.abs(found - right.astype(np.float64)) <= 2.0**-20 * np.abs(right.astype(np.float64))
    whole = np.array([entry.denominator == 1 for entry in right.ravel()]).reshape(right.shape)
    exact = found == right.astype(np.float64)
    averaged = vector["layer"]["type"] == "avg_pool"
    return "right" if (near if averaged else exact & whole).all() else "wrong"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("vector", PROBES, ids=lambda v: f"{v['id']}-{v['case']}")
def test_probe(name, vector):
    found = outcome(name, vector)
    how, version = known(name, vector)
    if not how:
        assert found in ("right", "not taken")
    elif engine(name).version.split("+")[0] == version:
        assert found == how
    else:
        assert found in (how, "right")


def test_the_table_names_vectors():
    found = {(name, *known(name, vector)) for name in ENGINES for vector in PROBES}
    assert len([each for each in found if each[1]]) == len({(e[0], e[4]) for e in STILL_WRONG})


def test_a_wrong_engine_is_noticed(monkeypatch):
    class Wrong:
        def build(self, layer, size):
            exact = layer.operator(size).apply
            return lambda *given: exact(*given) + 1

    monkeypatch.setattr("test_vectors_engines.engine", lambda name: Wrong())
    assert {outcome("wrong", vector) for vector in PROBES} == {"wrong"}


def test_the_findings_can_be_pasted(capsys):
    onnx = pytest.importorskip("onnx")
    if onnx.__version__ != "1.23.2":
        pytest.skip("the findings are about onnx 1.23.2")
    text = (Path(__file__).parents[1] / "docs" / "findings.md").read_text(encoding="utf-8")
    code = text.split("```python\n")[1].split("```")[0]
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(code, "findings.md", "exec"), {})  # noqa: S102 - our own page
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("index 2 is out of bounds")
    assert lines[1:3] == ["[[[2.0]]]", "[[[2.0, 2.0]]]"]
    assert lines[3].startswith("cannot reshape array of size 4")
    assert lines[4:6] == ["[[[11.0], [12.0]]]", "[[[nan]]]"]
    assert np.allclose(eval(lines[6]), [[[1 / 3, 2]]])  # noqa: S307
    assert lines[7].startswith("Issues with types")
