"""Auditing ONNX models: every node run at its real parameters; odd files end in rows or errors."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import symconv as sc
from symconv.auditing import audit
from symconv.auditing.norms import verify_norm
from symconv.auditing.page import html
from symconv.auditing.results import Audit, AuditedNode
from symconv.auditing.sizing import reduced
from symconv.cli import commands
from symconv.errors import FileError, ParameterError, ParameterTypeError, ShapeError

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
engines = pytest.importorskip("symconv.adapters.engines")
onnxruntime = pytest.importorskip("symconv.adapters.engines.onnxruntime")

helper = onnx.helper
FLOAT = onnx.TensorProto.FLOAT
LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"


def model(nodes, weights, shape, opset=22, kind=FLOAT):
    """A model of these nodes from x to the last output."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info(nodes[-1].output[0], kind, None)],
        [
            onnx.numpy_helper.from_array(np.full(size, 0.02, np.float32), name)
            for name, size in weights.items()
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])


def chain(*specs, shape, opset=22, weights=None):
    """Nodes one after the other, each (operator, extra inputs, attributes)."""
    nodes, last = [], "x"
    for at, (operator, extra, attributes) in enumerate(specs):
        given = dict(attributes)
        domain = given.pop("domain", "")
        nodes.append(helper.make_node(operator, [last, *extra], [f"t{at}"], f"n{at}",
                                      domain=domain, **given))  # fmt: skip
        last = f"t{at}"
    return model(nodes, weights or {}, shape, opset)


EVERYTHING = chain(
    ("Conv", ["w0", "b0"],
     {"strides": [2, 1], "pads": [1, 0, 0, 2], "dilations": [1, 2], "group": 2}),
    ("MaxPool", [], {"kernel_shape": [2, 3], "pads": [1, 0, 0, 2], "ceil_mode": 1}),
    ("Relu", [], {}),
    ("ConvTranspose", ["w1"], {"strides": [2, 3], "output_padding": [1, 0], "pads": [0, 1, 1, 0]}),
    ("AveragePool", [], {"kernel_shape": [3, 2], "strides": [2, 1], "auto_pad": "SAME_LOWER"}),
    ("LpPool", [], {"kernel_shape": [2, 2], "p": 3}),
    ("Conv", ["w2"], {"auto_pad": "SAME_UPPER"}),
    ("GlobalAveragePool", [], {}),
    shape=[None, 4, 9, 8],
    weights={"w0": (6, 2, 2, 3), "b0": (6,), "w1": (6, 2, 2, 2), "w2": (3, 2, 2, 3)},
)  # fmt: skip


def test_every_operator_is_audited_at_its_own_parameters():
    found = audit(EVERYTHING, ["onnxruntime"])
    assert [row.operator for row in found.rows] == [
        "Conv", "MaxPool", "ConvTranspose", "AveragePool", "LpPool", "Conv", "GlobalAveragePool",
    ]  # fmt: skip
    assert bool(found), str(found)
    assert {row.status for row in found.rows} <= {"PROVED", "AGREES"}
    first = found.rows[0]
    assert first.layer == (
        "Conv(4, 6, (2, 3), stride=(2, 1), padding=((1, 0), (0, 2)), dilation=(1, 2), groups=2)"
    )
    assert first.input_size == (9, 8)
    assert "operator set 22" in first.scope
    assert found.engines["onnxruntime"][0].isdigit()


def test_other_engines_get_the_layer_in_their_own_terms():
    pytest.importorskip("jax")
    few = chain(
        ("Conv", ["w"], {"pads": [1, 0]}),
        ("AveragePool", [], {"kernel_shape": [2], "auto_pad": "SAME_LOWER"}),
        ("LpPool", [], {"kernel_shape": [2]}),
        shape=[1, 1, 4], weights={"w": (1, 1, 2)},
    )  # fmt: skip
    found = audit(few, ["onnx-reference", "jax"])
    by_engine = {(row.engine, row.operator): row for row in found.rows}
    assert by_engine["jax", "AveragePool"].status == "PROVED"
    assert by_engine["jax", "LpPool"].status == "UNDECIDED"
    assert "layer must be one of Conv" in by_engine["jax", "LpPool"].reason
    assert by_engine["onnx-reference", "Conv"].status == "PROVED"


def test_nodes_of_one_geometry_are_run_once():
    same = ("Conv", ["w"], {"pads": [1, 1]})
    found = audit(
        chain(same, same, ("Relu", [], {}), same, shape=[1, 2, 6], weights={"w": (2, 2, 3)})
    )
    assert [row.same_as for row in found.rows] == ["", "n0", "n0"]
    assert [row.status for row in found.rows] == ["PROVED"] * 3
    assert found.verified == 1
    assert found.rows[1].seconds == 0
    other = ("Conv", ["w"], {"pads": [0, 2]})
    assert audit(chain(same, other, shape=[1, 2, 6], weights={"w": (2, 2, 3)})).verified == 2


class Swapped(onnxruntime.OnnxRuntime):
    """Runs every node with its paddings on the wrong sides."""

    name = "swapped"

    def run_node(self, node, rank):
        changed = onnx.NodeProto()
        changed.CopyFrom(node)
        for attribute in changed.attribute:
            if attribute.name == "pads":
                given = list(attribute.ints)
                del attribute.ints[:]
                attribute.ints.extend(given[rank:] + given[:rank])
        return super().run_node(changed, rank)


def test_a_planted_defect_is_refuted_named_and_shrunk():
    broken = chain(
        ("Conv", ["w"], {"pads": [2, 0, 0, 0], "strides": [1, 2]}),
        ("MaxPool", [], {"kernel_shape": [2, 2]}),
        shape=[1, 2, 8, 9], weights={"w": (4, 2, 3, 2)},
    )  # fmt: skip
    found = audit(broken, [Swapped()])
    assert [row.status for row in found.rows] == ["REFUTED", "PROVED"]
    assert not found
    (row,) = found.refuted
    assert any("padding" in name for name in row.mistakes)
    assert "Conv(1, 1," in row.counterexample
    assert row.counterexample.splitlines()[0] in str(found)


OPSET_10 = chain(
    ("ConvTranspose", ["w"], {"strides": [2], "auto_pad": "SAME_UPPER"}),
    shape=[1, 1, 4], opset=10, weights={"w": (1, 1, 3)},
)  # fmt: skip


def test_the_models_operator_set_decides():
    # Below opset 11 the text puts the odd unit elsewhere; onnxruntime does as from 11 on.
    (row,) = audit(OPSET_10).rows
    assert row.status == "REFUTED"
    assert "operator set 10" in row.scope
    newer = onnx.ModelProto()
    newer.CopyFrom(OPSET_10)
    newer.opset_import[0].version = 11
    assert audit(newer)


def test_what_cannot_be_read_is_skipped_with_the_reason():
    odd = chain(
        ("Conv", ["w"], {}),
        ("Mystery", [], {"domain": "com.example"}),
        ("Conv", ["w"], {}),
        shape=[1, 2, 6], weights={"w": (2, 2, 3)},
    )  # fmt: skip
    rows = audit(odd).rows
    assert [row.status for row in rows] == ["PROVED", "SKIPPED"]
    assert rows[1].reason == "shape of its input 't1' is not known"
    assert not audit(odd)


@pytest.mark.parametrize(
    ("spec", "shape", "weights", "reason"),
    [
        (("Conv", ["w"], {}), [1, 2, None], {"w": (1, 2, 3)}, "input must have known sizes"),
        (("Conv", ["w"], {}), [1, 2, 2], {"w": (1, 2, 3)}, "output size must be >= 1"),
        (("Conv", ["w"], {}), [1, 3, 6], {"w": (1, 2, 3)}, "input must have 2 channels"),
        (("Conv", ["w"], {"strides": [0]}), [1, 2, 6], {"w": (1, 2, 3)}, "stride must be >= 1"),
        (("Conv", ["w"], {"strides": [1, 1]}), [1, 2, 6], {"w": (1, 2, 3)}, "strides must have 1"),
        (("Conv", ["w"], {"auto_pad": "MIRROR"}), [1, 2, 6], {"w": (1, 2, 3)}, "auto_pad must be"),
        (("Conv", [], {}), [1, 2, 6], {}, "weight must be given"),
        (("Conv", ["w"], {}), [1, 2], {"w": (1, 2)}, "input must be (batch, channels, *size)"),
        (("Conv", ["w"], {}), [1, 2, 0], {"w": (1, 2, 3)}, "input must have samples"),
        (("MaxPool", [], {}), [1, 2, 6], {}, "kernel_shape must be given"),
        (("LpPool", [], {"kernel_shape": [2], "p": 0}), [1, 2, 6], {}, "norm_type must be >= 1"),
    ],
)
def test_odd_nodes_are_rows(spec, shape, weights, reason):
    (row,) = audit(chain(spec, shape=shape, weights=weights)).rows
    assert row.status == "SKIPPED"
    assert reason in row.reason


def test_integers_are_skipped():
    node = helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[2])
    (row,) = audit(model([node], {}, [1, 2, 6], kind=onnx.TensorProto.INT8)).rows
    assert "input must be of type float32" in row.reason


def test_open_sizes_can_be_stated():
    opened = chain(("Conv", ["w"], {}), shape=[None, 2, None], weights={"w": (1, 2, 3)})
    assert audit(opened, input_shape=(2, 9)).rows[0].input_size == (9,)
    with pytest.raises(ShapeError, match="input must have 2 entries"):
        audit(opened, input_shape=(2, 9, 9))


def test_a_map_too_large_is_probed_smaller_with_the_same_borders():
    large = chain(
        ("Conv", ["w"], {"strides": [2, 2], "auto_pad": "SAME_UPPER"}),
        shape=[1, 3, 225, 224], weights={"w": (4, 3, 3, 3)},
    )  # fmt: skip
    (row,) = audit(large, max_macs=2**14).rows
    assert row.status in {"AGREES", "PROVED"}
    assert "in place of 225×224, with the same padding and the same remainders" in row.scope


@pytest.mark.parametrize(
    "layer",
    [
        sc.Conv2d(2, 2, 3, stride=(3, 2), padding="same_upper"),
        sc.Conv2d(2, 2, (5, 3), stride=(4, 1), padding=((3, 0), (0, 7)), dilation=(1, 3)),
        sc.Conv2d(2, 2, 11, stride=4, padding=-2),
        sc.ConvTranspose2d(2, 2, 3, stride=(3, 2), padding=1),
    ],
)
def test_reduced_sizes_keep_remainders_and_padding(layer):
    for size in [(100, 131), (57, 40), (9, 200)]:
        try:
            before = layer.output_size(size)
        except sc.SymconvError:
            continue
        found = reduced(layer, size, 2000)
        assert all(a <= b for a, b in zip(found, size, strict=True))
        for axis, (small, full) in enumerate(zip(found, size, strict=True)):
            if layer.is_transposed:
                continue
            assert (full - small) % layer.stride[axis] == 0
            assert layer.relation(axis, small) == layer.relation(axis, full)
            moved = (full - small) // layer.stride[axis]
            assert before[axis] - layer.output_size(found)[axis] == moved
        assert reduced(layer, size, 10**12) == size


def test_a_node_has_its_time():
    class Slow(onnxruntime.OnnxRuntime):
        name = "slow"

        def run_node(self, node, rank):
            fn = super().run_node(node, rank)

            def run(*arguments):
                time.sleep(0.2)
                return fn(*arguments)

            return run

    (row,) = audit(EVERYTHING_FIRST, [Slow()], node_limit=0.5).rows
    assert row.status == "UNDECIDED"
    assert row.reason.endswith("the 0.5 seconds for this node are over")


EVERYTHING_FIRST = chain(
    ("Conv", ["w"], {}), shape=[1, 2, 6], weights={"w": (2, 2, 3)}
)  # fmt: skip


def test_norms_are_refuted_by_one_window_and_by_the_power():
    layer, size = sc.LpPool(3, (2, 3), stride=(1, 2), padding=1), (4, 5)
    right = layer.operator(size)

    def fn(x):
        return right.apply(np.asarray(x, np.float64)).astype(np.float32)

    def judged(other):
        return verify_norm(other, layer, size, dtype="float32", time_limit=9)

    assert judged(fn).status == "PROVED"
    assert judged(lambda x: fn(x[..., ::-1])).kind == "values"
    assert (
        judged(sc.LpPool(2, (2, 3), stride=(1, 2), padding=1).operator(size).apply).kind == "values"
    )
    assert judged(lambda x: fn(x)[..., :1]).kind == "shape"
    assert judged(lambda x: (fn(x), fn(x))).kind == "shape"

    def raises(x):
        raise ValueError("no")

    assert judged(raises).kind == "raises"
    large = verify_norm(
        sc.LpPool(2, (2, 2)).operator((80, 80)).apply, sc.LpPool(2, (2, 2)), (80, 80),
        dtype="float32", time_limit=9,
    )  # fmt: skip
    assert large.status == "UNDECIDED"
    assert large.agrees


def test_files_that_are_none(tmp_path):
    with pytest.raises(FileError, match="file must exist"):
        audit(tmp_path / "none.onnx")
    with pytest.raises(FileError, match="regular file"):
        audit(tmp_path)
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(EVERYTHING.SerializeToString()[:-7])
    with pytest.raises(FileError, match="file must be an ONNX model"):
        audit(broken)
    broken.write_bytes(b"")
    with pytest.raises(FileError, match="model must have a graph"):
        audit(broken)
    with pytest.raises(FileError, match=r"must be a path or an onnx\.ModelProto"):
        audit(3)


def test_external_weights_are_not_opened(tmp_path):
    external = onnx.ModelProto()
    external.CopyFrom(EVERYTHING_FIRST)
    tensor = external.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../nowhere.bin")
    path = tmp_path / "external.onnx"
    path.write_bytes(external.SerializeToString())
    assert audit(path)


def test_random_damage_ends_in_rows_or_errors(tmp_path):
    rng = np.random.default_rng(5)
    data = np.frombuffer(EVERYTHING.SerializeToString(), np.uint8)
    path = tmp_path / "damaged.onnx"
    for _ in range(40):
        damaged = data.copy()
        damaged[rng.integers(0, len(data), 3)] = rng.integers(0, 256, 3)
        path.write_bytes(damaged.tobytes())
        try:
            found = audit(path, max_macs=2**12, node_limit=2)
        except FileError:
            continue
        assert {row.status for row in found.rows} <= {
            "PROVED", "AGREES", "REFUTED", "UNDECIDED", "SKIPPED",
        }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "error", "match"),
    [
        ({"engines": "onnxruntime"}, ParameterTypeError, "engines must be a sequence"),
        ({"engines": []}, ParameterError, "engines must name at least one"),
        ({"engines": ["tensorrt"]}, ParameterError, "engine must be one of"),
        ({"engines": [3]}, ParameterTypeError, "engines must be names or engines"),
        ({"max_macs": 0}, ParameterError, "max_macs must be >= 1"),
        ({"node_limit": 0}, ParameterError, "node_limit must be above 0"),
        ({"node_limit": "9"}, ParameterTypeError, "node_limit must be a number"),
        ({"seed": -1}, ParameterError, "seed must be >= 0"),
    ],
)
def test_bad_parameters(given, error, match):
    with pytest.raises(error, match=match):
        audit(EVERYTHING_FIRST, **given)


def test_the_page_escapes_what_the_file_says():
    row = AuditedNode(
        "<b>", "Conv", "e", "Conv(1, 1, (1,))", (3,), "REFUTED", "<s>", "<i>", ("<u>",), "<pre>x"
    )
    page = html(Audit("</title><script>alert(1)</script>", {"<e>": "1"}, (row,)))
    for tag in ("<b>", "<s>", "<i>", "<u>", "<pre>x", "<script", "<e>"):
        assert tag not in page
    assert "&lt;script&gt;" in page
    assert "http" not in page.replace("http-equiv", "")


def run(*arguments):
    return CliRunner().invoke(commands, ["audit", *map(str, arguments)])


def test_the_command(tmp_path):
    path, page = tmp_path / "model.onnx", tmp_path / "page.html"
    path.write_bytes(EVERYTHING.SerializeToString())
    result = run(path, "--html", page)
    assert result.exit_code == 0, result.output
    assert "7 nodes, 7 distinct geometries" in result.stdout
    assert page.read_text("utf-8").startswith("<!doctype html>")
    result = run(path, "--json", "--engine", "onnxruntime", "--engine", "onnxruntime-unoptimised")
    data = json.loads(result.stdout)
    assert len(data["rows"]) == 14
    assert data["model"] == "model.onnx"
    assert set(data["engines"]) == {"onnxruntime", "onnxruntime-unoptimised"}


def test_the_commands_exit_status(tmp_path):
    path = tmp_path / "old.onnx"
    path.write_bytes(OPSET_10.SerializeToString())
    result = run(path)
    assert result.exit_code == 1
    assert "REFUTED" in result.stdout
    assert "mistake:" in result.stdout
    result = run(tmp_path / "none.onnx")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: file must exist")
    assert run(path, "--engine", "tensorrt").exit_code == 2
    assert run(path, "--input", "1x-4").exit_code == 2


@pytest.mark.parametrize("name", ["light_shufflenet.onnx", "light_zfnet512.onnx"])
def test_light_models(name):
    found = audit(LIGHT / name, max_macs=2**22)
    assert bool(found), str(found)


@pytest.mark.long
def test_all_light_models():
    paths = sorted(LIGHT.glob("*.onnx"))
    assert len(paths) == 9
    for path in paths:
        assert audit(path), path
