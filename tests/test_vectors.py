"""Cases that real implementations got wrong, as regression vectors."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import symconv as sc

VECTORS = json.loads((Path(__file__).parent / "vectors" / "regressions.json").read_text())[
    "vectors"
]
KINDS = {
    "conv": sc.Conv,
    "conv_transpose": sc.ConvTranspose,
    "avg_pool": sc.AvgPool,
    "max_pool": sc.MaxPool,
}
OPTIONS = (
    "stride", "padding", "dilation", "groups", "padding_mode", "output_padding", "ceil_mode",
    "count_include_pad", "divisor_override",
)  # fmt: skip


def build(description):
    kind = KINDS[description["type"]]
    channels = [description[n] for n in ("in_channels", "out_channels") if n in description]
    options = {
        name: _tupled(description[name])
        for name in OPTIONS
        if name in description
        and hasattr(kind, "__dataclass_fields__")
        and name in kind.__dataclass_fields__
    }
    if kind in (sc.Conv, sc.ConvTranspose):
        options["bias"] = False
    return kind(*channels, tuple(description["kernel_size"]), **options)


def _tupled(value):
    return tuple(map(_tupled, value)) if isinstance(value, list) else value


def array(rule):
    if "values" in rule:
        return np.array(rule["values"], dtype=np.int64)
    if "ones" in rule:
        return np.ones(rule["ones"], dtype=np.int64)
    if "arange" in rule:
        shape = rule["arange"]
        return np.arange(rule.get("start", 0), rule.get("start", 0) + np.prod(shape)).reshape(shape)
    result = np.zeros(rule["one_hot"], dtype=np.int64)
    result[tuple(rule["at"])] = 1
    return result


def fractions(nested):
    return np.vectorize(Fraction, otypes=[object])(np.array(nested, dtype=object))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['id']}-{v['case']}")
def test_vector(vector):
    layer, expected = build(vector["layer"]), vector["expected"]
    size = tuple(vector["input_size"])
    assert list(layer.output_size(size)) == expected["size"]
    if "macs" in expected:
        for name, count in expected["macs"].items():
            assert layer.mac_count(size, name) == count
    op = layer.operator(size)
    if "values" in expected:
        x = array(vector["input"])
        y = op.apply(x) if op.weight_shape is None else op.apply(x, array(vector["weight"]))
        assert np.array_equal(y, fractions(expected["values"]))
    if "indices" in expected:
        assert op.apply(x, return_indices=True)[1].tolist() == expected["indices"]
    if "input_gradient" in expected:
        ones = np.ones(op.output_shape, dtype=np.int64)
        assert np.array_equal(op.T.apply(ones), fractions(expected["input_gradient"]))
    if "wrong" in vector:
        wrong = fractions(vector["wrong"]["values"])
        assert wrong.shape != y.shape or not np.array_equal(wrong, y)


def test_every_kind_of_vector_is_present():
    kinds = {vector["kind"] for vector in VECTORS}
    assert {"conv", "conv_transpose", "avg_pool", "max_pool", "macs", "statement"} <= kinds
    assert len({vector["id"] for vector in VECTORS}) >= 19
