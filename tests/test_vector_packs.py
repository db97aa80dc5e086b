"""Vector packs: read back by programs that do not have symconv, and never half-written."""

from __future__ import annotations

import hashlib
import json
import math
import re
import subprocess
import sys
from fractions import Fraction

import numpy as np
import oracles
import pytest

import symconv as sc
from symconv.errors import (
    FileError,
    ParameterError,
    ParameterTypeError,
    SymconvError,
    TooLargeError,
)
from symconv.lattice import KINDS, point
from symconv.parsing import parse_layer
from symconv.vectors import parameters_of, write_vectors
from symconv.vectors.cases import DEFINITIONS, made
from symconv.verifying import loops

CHOSEN = [
    (sc.Conv(2, 4, (2, 3), stride=(2, 1), padding=((1, 0), (0, 2)), groups=2), (4, 5)),
    (sc.ConvTranspose(2, 1, (3,), stride=3, padding=((2, 0),), output_padding=1, bias=False), (3,)),
    (sc.AvgPool((3, 2), stride=2, padding=1, ceil_mode=True, count_include_pad=False), (4, 4)),
    (sc.MaxPool((2,), dilation=2, padding=((1, 0),)), (6,)),
]


def by_oracle(parameters, x, w=None, b=None):
    pads = [tuple(pair) for pair in parameters["padding"]]
    stride, dilation = parameters["stride"], parameters["dilation"]
    if parameters["type"] == "conv":
        return oracles.conv(
            x, w, stride, dilation, pads, parameters["groups"], parameters["padding_mode"],
            parameters["padding_value"], parameters["input_dilation"], b,
        )  # fmt: skip
    if parameters["type"] == "conv_transpose":
        extra, groups = parameters["output_padding"], parameters["groups"]
        return oracles.conv_transpose(x, w, stride, dilation, pads, extra, groups, b)
    arguments = parameters["kernel_size"], stride, pads, dilation
    ceil_mode = parameters["ceil_mode"]
    if parameters["type"] == "max_pool":
        run = lambda plane: oracles.max_pool(plane, *arguments, ceil_mode)  # noqa: E731
    else:
        run = lambda plane: oracles.avg_pool(  # noqa: E731
            plane, *arguments, ceil_mode, parameters["count_include_pad"],
            parameters["divisor_override"],
        )  # fmt: skip
    return np.array([[run(plane) for plane in sample] for sample in x], dtype=object)


@pytest.mark.parametrize("kind", KINDS[:-1])
def test_the_loops_agree_with_the_oracles(kind):
    """Two statements of the definition, neither of which imports symconv."""
    rng = np.random.default_rng(0)
    for number in range(60):
        found = point(number, kind, seed=5)
        parameters = parameters_of(found.layer, found.input_size)
        problem_shape = (2, getattr(found.layer, "in_channels", 1), *found.input_size)
        given = [rng.integers(-9, 10, problem_shape)]
        if hasattr(found.layer, "in_channels"):
            channels = found.layer.in_channels, found.layer.out_channels
            first, second = channels if kind == "transpose" else channels[::-1]
            shape = (first, second // found.layer.groups, *found.layer.kernel_size)
            given.append(rng.integers(-9, 10, shape))
            if found.layer.bias:
                given.append(rng.integers(-9, 10, channels[1]))
        right = by_oracle(parameters, *given)
        assert loops.output_size(parameters, found.input_size) == right.shape[2:]
        assert loops.applied(parameters, *(array.tolist() for array in given)) == right.tolist()


@pytest.mark.parametrize("mode", ["circular", "reflect", "symmetric", "replicate", "constant"])
def test_the_loops_know_every_border(mode):
    x = np.arange(1, 7).reshape(1, 1, 2, 3)
    w = np.array([[[[1, 20, 300, 4000]]]])
    layer = sc.Conv(
        1, 1, (1, 4), padding=((3, 4), (5, 7)), padding_mode=mode,
        padding_value=5 if mode == "constant" else 0, bias=False,
    )  # fmt: skip
    parameters = parameters_of(layer, (2, 3))
    right = by_oracle(parameters, x, w)
    assert loops.applied(parameters, x.tolist(), w.tolist()) == right.tolist()


def test_the_loops_import_the_standard_library_alone():
    code = "import sys; sys.path.insert(0, sys.argv[1]); import loops; print(*sys.modules)"
    folder = str(loops.__file__).removesuffix("loops.py")
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code, folder], capture_output=True,
                          text=True, check=True)  # fmt: skip
    assert not {"numpy", "sympy", "symconv"} & set(done.stdout.split())


@pytest.mark.parametrize(("layer", "size"), CHOSEN)
def test_cases_are_exact_distinct_and_confirmed(layer, size):
    case = made(3, layer, size)
    assert case.by_loops
    arrays = {name: case.arrays[name] for name in case.arrays if name != "output"}
    right = by_oracle(case.parameters, *arrays.values())
    assert right.tolist() == case.arrays["output"].tolist()
    assert all(entry.denominator == 1 for entry in map(Fraction, right.ravel()))
    for name, array in arrays.items():
        assert len(np.unique(array)) == array.size
        assert np.array_equal(array, array.astype(np.float32)), name


@pytest.mark.parametrize("numbers", [1, 2, 9, 10, 100, 999])
def test_distinct_whatever_the_shape(numbers):
    case = made(0, sc.MaxPool((1,), stride=1), (numbers,), batch=1)
    assert len(np.unique(case.arrays["input"])) == case.arrays["input"].size


def test_the_theorems_exist():
    from symconv.proving.collecting import chosen  # noqa: PLC0415

    named = {theorem for _, theorem in DEFINITIONS.values()}
    assert {theorem.identifier for theorem in chosen(sorted(named), None)} == named


def test_json_is_read_by_the_script_of_the_readme(tmp_path):
    pack = write_vectors(tmp_path / "pack", CHOSEN)
    readme = (pack.path / "README.txt").read_text()
    code = "\n".join(line[4:] for line in readme.splitlines() if line.startswith("    "))
    assert "symconv" not in code
    assert len(code.strip().splitlines()) <= 10
    done = subprocess.run([sys.executable, "-c", code], cwd=pack.path, capture_output=True,
                          text=True, check=True)  # fmt: skip
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(pack.names)
    changed = (pack.path / "vectors.json").read_text().replace("[", "[1, ", 1)
    text = re.sub(r'("input": \[+)(-?\d+)', lambda m: f"{m[1]}{int(m[2]) + 1}", changed)
    (pack.path / "vectors.json").write_text(text)
    failed = subprocess.run([sys.executable, "-c", code], cwd=pack.path, capture_output=True,
                            text=True, check=False)  # fmt: skip
    assert failed.returncode != 0


def test_json_holds_integers_and_its_provenance(tmp_path):
    pack = write_vectors(tmp_path / "pack", count=12)

    def no_float(text):
        raise AssertionError(text)

    data = json.loads((pack.path / "vectors.json").read_text(), parse_float=no_float)
    arrays = np.load(pack.path / "vectors.npz", allow_pickle=False)
    assert len(data["vectors"]) == 12
    for case in data["vectors"]:
        for name, shape in case["shapes"].items():
            array = arrays[f"{case['name']}_{name}"]
            assert array.dtype == np.int64
            assert list(array.shape) == shape
            assert array.tolist() == case[name]
            assert hashlib.sha256(array.astype("<i8").tobytes()).hexdigest() == case["sha256"][name]
        given = [np.array(case[name]) for name in ("input", "weight", "bias") if name in case]
        assert by_oracle(case["parameters"], *given).tolist() == case["output"]
        assert repr(parse_layer(case["layer"])) == case["layer"]
        assert case["definition"]
    manifest = json.loads((pack.path / "manifest.json").read_text())
    assert manifest["symconv"] == sc.__version__
    written = {file.name for file in pack.path.iterdir()} - {"manifest.json"}
    assert set(manifest["files"]) == written
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((pack.path / name).read_bytes()).hexdigest() == digest
    assert hashlib.sha256((pack.path / "manifest.json").read_bytes()).hexdigest() == pack.sha256


@pytest.mark.parametrize("form", ["json", "onnx"])
def test_the_same_bytes_in_every_run(tmp_path, form):
    if form == "onnx":
        pytest.importorskip("onnx")
    first, second = (write_vectors(tmp_path / name, count=9, format=form) for name in "ab")
    assert first.sha256 == second.sha256
    other = write_vectors(tmp_path / "c", count=9, format=form, seed=1)
    assert other.sha256 != first.sha256


def onnx_cases(folder):
    loader = pytest.importorskip("onnx.backend.test.loader")
    return loader.load_model_tests(data_dir=str(folder), kind="symconv")


def evaluated(case):
    """ONNX's reference evaluator on one node test, beside the stored output."""
    import onnx  # noqa: PLC0415
    from onnx.reference import ReferenceEvaluator  # noqa: PLC0415

    folder = case.model_dir
    tensors = []
    model = onnx.load(f"{folder}/model.onnx")
    for name in [f"input_{n}" for n in range(len(model.graph.input))] + ["output_0"]:
        tensor = onnx.TensorProto()
        with open(f"{folder}/test_data_set_0/{name}.pb", "rb") as file:
            tensor.ParseFromString(file.read())
        tensors.append(onnx.numpy_helper.to_array(tensor))
    feeds = {value.name: array for value, array in zip(model.graph.input, tensors, strict=False)}
    [found] = ReferenceEvaluator(model).run(None, feeds)
    return found, tensors[-1]


def test_onnx_node_tests_are_loaded_and_agree(tmp_path):
    pack = write_vectors(tmp_path / "pack", [*CHOSEN[:2], CHOSEN[3]], format="onnx")
    cases = onnx_cases(pack.path)
    assert {case.name for case in cases} == {f"test_symconv_{name}" for name in pack.names}
    assert {case.rtol for case in cases} == {0}
    for case in cases:
        found, right = evaluated(case)
        assert right.dtype == found.dtype == np.float32
        assert np.array_equal(found, right)


def test_onnxruntime_agrees_with_the_pack(tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    pack = write_vectors(tmp_path / "pack", kind="conv", count=15, format="onnx")
    for case in onnx_cases(pack.path):
        model = onnx.load(f"{case.model_dir}/model.onnx")
        session = runtime.InferenceSession(model.SerializeToString(),
                                           providers=["CPUExecutionProvider"])  # fmt: skip
        _, right = evaluated(case)
        feeds = {}
        for number, value in enumerate(model.graph.input):
            tensor = onnx.TensorProto()
            with open(f"{case.model_dir}/test_data_set_0/input_{number}.pb", "rb") as file:
                tensor.ParseFromString(file.read())
            feeds[value.name] = onnx.numpy_helper.to_array(tensor)
        [found] = session.run(None, feeds)
        assert np.array_equal(found, right)


@pytest.mark.parametrize(
    ("layer", "rule"),
    [
        (sc.Conv(1, 1, (2,), padding=1, padding_mode="circular"), "padding_mode must be zeros"),
        (sc.Conv(1, 1, (2,), input_dilation=2), "input_dilation must be 1 in ONNX"),
        (sc.Conv(1, 1, (1,), padding=((-1, 0),)), "padding must be >= 0 in ONNX"),
        (sc.AvgPool((2,), divisor_override=3), "divisor_override must be left out in ONNX"),
    ],
)
def test_what_onnx_cannot_say_is_refused(tmp_path, layer, rule):
    pytest.importorskip("onnx")
    with pytest.raises(ParameterError, match=rule):
        write_vectors(tmp_path / "pack", [(layer, (4,))], format="onnx")
    assert list(tmp_path.iterdir()) == []
    assert write_vectors(tmp_path / "pack", [(layer, (4,))]).names


def test_folders_are_new_or_empty(tmp_path):
    (tmp_path / "empty").mkdir()
    assert write_vectors(tmp_path / "empty", CHOSEN).path == tmp_path / "empty"
    with pytest.raises(FileError, match="folder must be new or empty"):
        write_vectors(tmp_path / "empty", CHOSEN)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(FileError, match="folder must be new or empty"):
        write_vectors(tmp_path / "file", CHOSEN)
    with pytest.raises(FileError, match="folder must stand in one that exists"):
        write_vectors(tmp_path / "missing" / "pack", CHOSEN)
    assert (tmp_path / "file").read_text() == "mine"


def test_nothing_is_left_half_written(tmp_path, monkeypatch):
    from pathlib import Path  # noqa: PLC0415

    original = Path.write_bytes

    def failing(self, data):
        if self.name == "vectors.npz":
            raise OSError(28, "No space left on device")
        return original(self, data)

    monkeypatch.setattr(Path, "write_bytes", failing)
    with pytest.raises(FileError, match="No space left"):
        write_vectors(tmp_path / "pack", CHOSEN)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "error", "rule"),
    [
        ({"format": "npy"}, ParameterError, "format must be one of 'json', 'onnx'"),
        ({"kind": "both"}, ParameterError, "kind must be one of"),
        ({"count": 0}, ParameterError, "count must be >= 1"),
        ({"count": 10**6}, ParameterError, "count must be at most"),
        ({"batch": True}, ParameterTypeError, "batch must be an integer"),
        ({"layers": []}, ParameterError, "layers must have 1 to"),
        ({"layers": [sc.MaxPool((2,))]}, ParameterTypeError, "layers must be a tuple"),
        ({"layers": [(3, 4)]}, ParameterTypeError, "layers must hold"),
        ({"layers": [(sc.Pad((1,)), (4,))]}, ParameterTypeError, "layer must be one of Conv"),
        ({"layers": [(sc.Conv1d(1, 1, 2, padding=1, padding_mode="constant",
                                padding_value=Fraction(1, 2)), (4,))]},
         ParameterError, "padding_value must be an integer"),
        ({"layers": [(sc.Conv1d(64, 64, 3), (99,))]}, ParameterError, r"within 2\*\*24"),
        ({"layers": [(sc.MaxPool1d(2), (2**21,))]}, TooLargeError, "at most 1048576 entries"),
        ({"layers": [(sc.MaxPool1d(2, padding=sc.OnnxPool("SAME_LOWER")), (4,))]},
         ParameterError, "padding must be"),
    ],
)  # fmt: skip
def test_bad_input(tmp_path, arguments, error, rule):
    with pytest.raises(error, match=rule) as caught:
        write_vectors(tmp_path / "pack", **arguments)
    assert isinstance(caught.value, SymconvError)
    assert list(tmp_path.iterdir()) == []


def test_averages_are_multiples_of_their_divisors():
    layer = sc.AvgPool((3,), stride=1, padding=1, count_include_pad=False)
    case = made(0, layer, (5,))
    assert (case.arrays["input"] % math.lcm(2, 3) == 0).all()


def test_the_command(tmp_path):
    pytest.importorskip("click")
    from commands import refuse, run  # noqa: PLC0415

    code, output = run("vectors", tmp_path / "pack", "--layer", "Conv2d(1, 2, 3) on 4x5")
    assert code == 0
    assert output.startswith("1 case in ")
    data = json.loads((tmp_path / "pack" / "vectors.json").read_text())
    assert data["vectors"][0]["layer"] == "Conv(1, 2, (3, 3))"
    code, _ = run("vectors", tmp_path / "other", "--kind", "max", "--count", 3)
    assert code == 0
    assert "folder must be new or empty" in refuse("vectors", tmp_path / "pack")
    assert "followed by its size" in refuse("vectors", tmp_path / "x", "--layer", "Conv2d(1, 1, 3)")
