"""The oracles reproduce every regression vector, exactly."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import oracles
import pytest

FILE = Path(__file__).parent / "vectors" / "regressions.json"
VECTORS: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))["vectors"]

TYPES = {
    "conv": {"conv"},
    "conv_transpose": {"conv_transpose"},
    "avg_pool": {"avg_pool"},
    "max_pool": {"max_pool"},
    "macs": {"conv", "conv_transpose"},
    "statement": {"conv_transpose"},
}


def name(vector: dict[str, Any]) -> str:
    return f"{vector['id']} {vector['case']}".strip()


def of_kind(*kinds: str) -> Any:
    chosen = [vector for vector in VECTORS if vector["kind"] in kinds]
    return pytest.mark.parametrize("vector", chosen, ids=name)


def tensor(rule: dict[str, Any]) -> np.ndarray:
    """Build the tensor that a rule describes."""
    if "values" in rule:
        return np.array(rule["values"], dtype=object)
    if "ones" in rule:
        return np.ones(rule["ones"], dtype=int)
    if "arange" in rule:
        shape = rule["arange"]
        return (np.arange(math.prod(shape)) + rule["start"]).reshape(shape)
    x = np.zeros(rule["one_hot"], dtype=int)
    x[tuple(rule["at"])] = 1
    return x


def exact(entry: Any) -> Any:
    """Read "14/9" as a fraction, through nested lists."""
    return [exact(e) for e in entry] if isinstance(entry, list) else Fraction(entry)


def pairs(layer: dict[str, Any]) -> list[tuple[int, int]]:
    return [(lo, hi) for lo, hi in layer["padding"]]


def geometry(layer: dict[str, Any]) -> tuple[list[int], list[int], list[tuple[int, int]]]:
    return layer["stride"], layer["dilation"], pairs(layer)


def size_of(vector: dict[str, Any]) -> tuple[int, ...]:
    layer, size = vector["layer"], vector["input_size"]
    kernel = layer["kernel_size"]
    if layer["type"] == "conv":
        return oracles.out_size(size, kernel, *geometry(layer))
    if layer["type"] == "conv_transpose":
        extra = layer["output_padding"]
        return oracles.transpose_out_size(size, kernel, *geometry(layer), extra)
    return oracles.pool_out_size(size, kernel, *geometry(layer), layer["ceil_mode"])


def test_the_file_is_well_formed() -> None:
    assert len(VECTORS) == len({(vector["id"], vector["case"]) for vector in VECTORS})
    for vector in VECTORS:
        layer = vector["layer"]
        axes = len(vector["input_size"])
        assert layer["type"] in TYPES[vector["kind"]], name(vector)
        for key in ("kernel_size", "stride", "padding", "dilation"):
            assert len(layer[key]) == axes, name(vector)
        assert len(vector["expected"]["size"]) == axes, name(vector)
        assert all(len(pair) == 2 for pair in layer["padding"]), name(vector)
        if "input" in vector:
            shape = tensor(vector["input"]).shape
            assert list(shape[len(shape) - axes :]) == vector["input_size"], name(vector)
        if "weight" in vector:
            assert list(tensor(vector["weight"]).shape[2:]) == layer["kernel_size"], name(vector)


@pytest.mark.parametrize("vector", VECTORS, ids=name)
def test_size(vector: dict[str, Any]) -> None:
    assert list(size_of(vector)) == vector["expected"]["size"]


@pytest.mark.parametrize("vector", [v for v in VECTORS if "padding_rule" in v["layer"]], ids=name)
def test_resolved_padding(vector: dict[str, Any]) -> None:
    layer = vector["layer"]
    if layer["padding_rule"] == "valid":
        assert all(pair == [0, 0] for pair in layer["padding"])
        return
    assert layer["padding_rule"] == "same_upper"
    for axis, n in enumerate(vector["input_size"]):
        k, s, d = (layer[key][axis] for key in ("kernel_size", "stride", "dilation"))
        if layer["type"] == "conv":
            wanted = -(-n // s)
            needed = (wanted - 1) * s + d * (k - 1) + 1 - n
        else:
            wanted = n * s
            needed = s * (n - 1) + d * (k - 1) + 1 - wanted
        total = max(needed, 0)
        assert layer["padding"][axis] == [total // 2, total - total // 2]
        assert vector["expected"]["size"][axis] == wanted


@of_kind("conv")
def test_conv_values(vector: dict[str, Any]) -> None:
    layer, expected = vector["layer"], vector["expected"]
    assert "values" in expected or "input" not in vector
    if "values" not in expected:
        assert list(size_of(vector)) == expected["size"]
        return
    x, w = tensor(vector["input"]), tensor(vector["weight"])
    y = oracles.conv(x, w, *geometry(layer), layer["groups"], layer["padding_mode"])
    assert y.tolist() == exact(expected["values"])
    assert x.shape[1] == layer["in_channels"]
    assert y.shape[1] == layer["out_channels"]


@of_kind("conv_transpose", "statement")
def test_conv_transpose_values(vector: dict[str, Any]) -> None:
    layer, expected = vector["layer"], vector["expected"]
    assert "values" in expected or "input" not in vector
    if "values" not in expected:
        assert list(size_of(vector)) == expected["size"]
        return
    x, w = tensor(vector["input"]), tensor(vector["weight"])
    arguments = (*geometry(layer), layer["output_padding"], layer["groups"])
    y = oracles.conv_transpose(x, w, *arguments)
    assert y.tolist() == exact(expected["values"])
    assert x.shape[1] == layer["in_channels"]
    assert y.shape[1] == layer["out_channels"]


@of_kind("statement")
def test_the_criticised_reading_gives_something_else(vector: dict[str, Any]) -> None:
    """Padding the spread input by (lo, hi) is not the transpose; by (E-1-lo, E-1-hi) it is."""
    layer, wrong = vector["layer"], vector["wrong"]
    x, w = tensor(vector["input"]), tensor(vector["weight"])
    assert w.tolist() == np.flip(w, 2).tolist()
    assert w.shape[:2] == (1, 1)
    ones = [1] * len(vector["input_size"])
    spread = {"input_dilation": layer["stride"]}
    criticised = oracles.conv(x, w, ones, layer["dilation"], pairs(layer), **spread)
    assert criticised.tolist() == exact(wrong["values"])
    assert list(criticised.shape[2:]) == wrong["size"]
    assert wrong["values"] != vector["expected"]["values"]

    reach = [d * (k - 1) for d, k in zip(layer["dilation"], layer["kernel_size"], strict=True)]
    turned = [(r - lo, r - hi) for r, (lo, hi) in zip(reach, pairs(layer), strict=True)]
    right = oracles.conv(x, w, ones, layer["dilation"], turned, **spread)
    assert right.tolist() == exact(vector["expected"]["values"])
    forward = oracles.conv_matrix(w, vector["expected"]["size"], *geometry(layer))
    assert (forward.T @ x.ravel()).tolist() == right.ravel().tolist()


@of_kind("avg_pool")
def test_avg_pool_values(vector: dict[str, Any]) -> None:
    layer, expected = vector["layer"], vector["expected"]
    arguments = (layer["kernel_size"], layer["stride"], pairs(layer), layer["dilation"])
    options = {key: layer[key] for key in ("ceil_mode", "count_include_pad", "divisor_override")}
    assert ("values" in expected) != ("input_gradient" in expected)
    if "values" in expected:
        y = oracles.avg_pool(tensor(vector["input"]), *arguments, **options)
        assert y.tolist() == exact(expected["values"])
    else:
        ones = np.ones(expected["size"], dtype=int)
        gradient = oracles.avg_pool_gradient(ones, vector["input_size"], *arguments, **options)
        assert gradient.tolist() == exact(expected["input_gradient"])


@of_kind("max_pool")
def test_max_pool_values(vector: dict[str, Any]) -> None:
    layer, expected = vector["layer"], vector["expected"]
    arguments = (layer["kernel_size"], layer["stride"], pairs(layer), layer["dilation"])
    x, ceil_mode = tensor(vector["input"]), layer["ceil_mode"]
    values, indices = oracles.max_pool_places(x, *arguments, ceil_mode)
    assert values.tolist() == exact(expected["values"])
    assert indices.tolist() == expected["indices"]
    assert oracles.max_pool(x, *arguments, ceil_mode).tolist() == values.tolist()


@of_kind("macs")
def test_macs(vector: dict[str, Any]) -> None:
    layer, macs = vector["layer"], vector["expected"]["macs"]
    size, kernel = vector["input_size"], layer["kernel_size"]
    channels = (layer["in_channels"], layer["out_channels"], layer["groups"])
    assert layer["type"] == "conv_transpose"
    arguments = (*geometry(layer), layer["output_padding"], *channels)
    assert oracles.conv_transpose_mac_inside(size, kernel, *arguments) == macs["inside"]
    per_pair = layer["in_channels"] * layer["out_channels"] // layer["groups"]
    assert math.prod(size) * math.prod(kernel) * per_pair == macs["per_tap"]
