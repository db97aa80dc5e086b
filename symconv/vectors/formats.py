"""Vectors as files: JSON and npz, or ONNX's node tests. The same vectors, the same bytes."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from symconv.errors import MissingExtraError, ParameterError
from symconv.vectors.cases import DEFINITIONS, Array, Case

__all__ = ["FORMATS", "as_json", "as_onnx", "described", "in_onnx"]

Files = dict[str, bytes]

#: ONNX operator set and file format of the node tests.
OPSET, IR_VERSION = 22, 10

OPERATORS = {
    "conv": "Conv",
    "conv_transpose": "ConvTranspose",
    "avg_pool": "AveragePool",
    "max_pool": "MaxPool",
}


def _sha256(array: Array) -> str:
    """Of the entries as little-endian 64-bit integers, in C order."""
    return hashlib.sha256(array.astype("<i8").tobytes()).hexdigest()


def described(case: Case) -> dict[str, Any]:
    """Where a case comes from, without its numbers."""
    definition, theorem = DEFINITIONS[case.parameters["type"]]
    return {
        "name": case.name,
        "layer": repr(case.layer),
        "parameters": case.parameters,
        "input_size": list(case.input_size),
        "shapes": {name: list(array.shape) for name, array in case.arrays.items()},
        "sha256": {name: _sha256(array) for name, array in case.arrays.items()},
        "definition": definition,
        "theorem": theorem,
        "output_by_loops_as_well": case.by_loops,
    }


def as_json(cases: Sequence[Case]) -> Files:
    """``vectors.json`` with everything, ``vectors.npz`` with the arrays as int64."""
    listed = []
    for case in cases:
        numbers = {name: array.tolist() for name, array in case.arrays.items()}
        listed.append(described(case) | numbers)
    # A line per case: numbers in columns would make files of many lines.
    lines = ",\n".join(json.dumps(each, ensure_ascii=False) for each in listed)
    text = f'{{"vectors": [\n{lines}\n]}}\n'
    arrays = {f"{case.name}_{name}": array for case in cases for name, array in case.arrays.items()}
    return {"vectors.json": text.encode(), "vectors.npz": _npz(arrays)}


def _npz(arrays: Mapping[str, Array]) -> bytes:
    """An uncompressed npz whose bytes depend on the arrays alone: no time, no system."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as file:
        for name, array in arrays.items():
            part = io.BytesIO()
            np.lib.format.write_array(part, array.astype("<i8"), (1, 0), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            file.writestr(entry, part.getvalue())
    return whole.getvalue()


def in_onnx(parameters: Mapping[str, Any]) -> str:
    """Why ONNX has no such node; empty where it has."""
    if parameters.get("padding_mode", "zeros") != "zeros":
        return f"padding_mode must be zeros in ONNX, got {parameters['padding_mode']!r}"
    if set(parameters.get("input_dilation", [1])) != {1}:
        return f"input_dilation must be 1 in ONNX, got {parameters['input_dilation']}"
    if parameters.get("divisor_override") is not None:
        return f"divisor_override must be left out in ONNX, got {parameters['divisor_override']}"
    if any(n < 0 for pair in parameters["padding"] for n in pair):
        return f"padding must be >= 0 in ONNX, got {parameters['padding']}"
    return ""


def as_onnx(cases: Sequence[Case]) -> Files:
    """ONNX's layout of node tests: a model of one node, its inputs and its output, float32.

    Raises
    ------
    MissingExtraError
        If ``onnx`` is not installed.
    ParameterError
        If ONNX has no such node.
    """
    try:
        onnx = import_module("onnx")
    except ImportError as error:
        raise MissingExtraError(
            f'format "onnx" needs onnx: pip install "symconv[onnx]" ({error})'
        ) from None
    files = {}
    for case in cases:
        reason = in_onnx(case.parameters)
        if reason:
            raise ParameterError(f"{reason} ({case.layer!r})")
        folder = f"symconv/test_symconv_{case.name}"
        files[f"{folder}/model.onnx"] = _model(onnx, case)
        # Without it ONNX's test runner allows a thousandth; averages alone are rounded.
        allowed = "1e-6" if case.parameters["type"] == "avg_pool" else "0"
        files[f"{folder}/data.json"] = f'{{"rtol": {allowed}, "atol": 0}}\n'.encode()
        names = [name for name in case.arrays if name != "output"]
        for number, name in enumerate(names):
            files[f"{folder}/test_data_set_0/input_{number}.pb"] = _tensor(onnx, case, name)
        files[f"{folder}/test_data_set_0/output_0.pb"] = _tensor(onnx, case, "output")
    return files


def _tensor(onnx: Any, case: Case, name: str) -> bytes:
    array = case.arrays[name].astype(np.float32)
    tensor = onnx.numpy_helper.from_array(array, name)
    return bytes(tensor.SerializeToString(deterministic=True))


def _model(onnx: Any, case: Case) -> bytes:
    parameters = case.parameters
    pads = list(zip(*parameters["padding"], strict=True))
    attributes = {
        "kernel_shape": parameters["kernel_size"],
        "strides": parameters["stride"],
        "dilations": parameters["dilation"],
        "pads": [*pads[0], *pads[1]],
    }
    if "groups" in parameters:
        attributes["group"] = parameters["groups"]
    if "output_padding" in parameters:
        attributes["output_padding"] = parameters["output_padding"]
    for name in ("ceil_mode", "count_include_pad"):
        if name in parameters:
            attributes[name] = int(parameters[name])
    helper = onnx.helper
    inputs = [name for name in case.arrays if name != "output"]
    node = helper.make_node(OPERATORS[parameters["type"]], inputs, ["output"], **attributes)
    values = {
        name: helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, array.shape)
        for name, array in case.arrays.items()
    }
    graph = helper.make_graph(
        [node], f"symconv_{case.name}", [values[name] for name in inputs], [values["output"]]
    )
    model = helper.make_model(
        graph,
        producer_name="symconv",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


#: What a pack's files are made by.
FORMATS = {"json": as_json, "onnx": as_onnx}
