"""ONNX files as networks: the wheel's models, every rule of the format, and hostile files."""

from __future__ import annotations

import io
import math
import os
import random
import sys
import time
import warnings
from pathlib import Path

import pytest
import sympy

import symconv as sc
from symconv.errors import FileError, MissingExtraError, ParseError
from symconv.network import Linear, Softmax

onnx = pytest.importorskip("onnx")
helper, TensorProto = onnx.helper, onnx.TensorProto

import symconv.adapters.onnx as adapter  # noqa: E402
from symconv.adapters.onnx import from_onnx  # noqa: E402

LIGHT = sorted(
    (Path(onnx.__file__).parent / "backend/test/data/light").glob("light_*.onnx"),
    key=lambda path: path.name,
)

#: Learned values that the literature and the frameworks' model zoos state.
PARAMETERS = {
    "light_bvlc_alexnet.onnx": 60_965_224,
    "light_resnet50.onnx": 25_557_032,
    "light_squeezenet.onnx": 1_235_496,
    "light_vgg19.onnx": 143_667_240,
}


def tensor(name, dims, kind=TensorProto.FLOAT):
    """A stored tensor that claims a shape and holds nothing."""
    return TensorProto(name=name, dims=dims, data_type=kind)


def ints(name, values):
    return helper.make_tensor(name, TensorProto.INT64, [len(values)], values)


def model(nodes, *, stored=(), shape=(1, 3, 8, 8), output="y", opset=17, inputs=("x",)):
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in inputs],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
        list(stored),
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])


def node(operator, *inputs, output="y", **attributes):
    return helper.make_node(operator, list(inputs), [output], **attributes)


def inferred(graph_model):
    """Every tensor's shape by ONNX's own inference."""
    graph = onnx.shape_inference.infer_shapes(graph_model, strict_mode=True).graph
    return {
        value.name: tuple(n.dim_value for n in value.type.tensor_type.shape.dim)
        for value in (*graph.value_info, *graph.output)
    }


def reaching(graph, name):
    """The stored tensor that a weight is, through the operators that only rearrange it."""
    makers = {out: item for item in graph.node for out in item.output}
    while name in makers and makers[name].op_type in ("Unsqueeze", "Reshape"):
        name = makers[name].input[0]
    return name


@pytest.mark.parametrize("path", LIGHT, ids=lambda path: path.stem)
def test_light_models(path):
    net = from_onnx(path)
    table = net.table()
    loaded = onnx.load(path)
    shapes = inferred(loaded)
    assert len(table.rows) > 20
    for row in table.rows:
        assert (1, *row["output_shape"]) == shapes[row["name"]], row["name"]
    # The element counts of the weights, from ONNX's inference of the nodes that make them.
    weights = {
        "Conv": (1, 2),
        "Gemm": (1, 2),
        "BatchNormalization": (1, 2),
        "Mul": (1,),
        "Add": (1,),
    }
    used = {
        reaching(loaded.graph, item.input[at])
        for item in loaded.graph.node
        for at in weights.get(item.op_type, ())
        if at < len(item.input)
    }
    made = {name for name in used if name in shapes}
    stored = {t.name: math.prod(t.dims) for t in loaded.graph.initializer}
    count = sum(math.prod(shapes[n]) if n in made else stored[n] for n in used)
    assert table.totals["parameters"] == count == PARAMETERS.get(path.name, count)
    assert net.input_shape == (3, 224, 224)


def test_all_light_models_are_there():
    assert len(LIGHT) == 9


def test_resnet_fields_and_macs():
    net = from_onnx(next(path for path in LIGHT if "resnet50" in path.name))
    # By hand, strides in the 3×3 convolutions: 7, 11, then per stage 2·jump for each 3×3.
    assert 11 + 2 * (3 * 4 + (4 + 3 * 8) + (8 + 5 * 16) + (16 + 2 * 32)) == 427
    rf = net.receptive_field(at="r171")
    assert (rf.size, rf.jump) == ((427, 427), (32, 32))
    assert net.mac_count() == 4_089_184_256


def random_graph(rng):
    size = [rng.randint(4, 12) for _ in range(rng.choice([1, 2, 3]))]
    rank, channels, name = len(size), 4, "x"
    nodes, stored = [], []
    for at in range(rng.randint(1, 4)):
        out = f"t{at}"
        k = [rng.randint(1, 3) for _ in range(rank)]
        common = {
            "kernel_shape": k,
            "strides": [rng.randint(1, 3) for _ in range(rank)],
        }
        auto = rng.choice(["NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"])
        if auto == "NOTSET":
            common["pads"] = [min(rng.randint(0, 2), n - 1) for n in k * 2]
        else:
            common["auto_pad"] = auto
        kind = rng.choice(["Conv", "ConvTranspose", "MaxPool", "AveragePool", "Relu"])
        if kind == "Relu":
            nodes.append(node("Relu", name, output=out))
        elif "Pool" in kind:
            if auto == "NOTSET":
                common["ceil_mode"] = rng.randint(0, 1)
            nodes.append(node(kind, name, output=out, **common))
        else:
            group = rng.choice([1, 2])
            width = rng.choice([2, 4])
            dims = [width, channels // group] if kind == "Conv" else [channels, width // group]
            common["dilations"] = [rng.randint(1, 2) for _ in range(rank)]
            stored += [tensor(f"w{at}", [*dims, *k]), tensor(f"b{at}", [width])]
            nodes.append(node(kind, name, f"w{at}", f"b{at}", output=out, group=group, **common))
            channels = width
        name = out
    return model(nodes, stored=stored, shape=(1, 4, *size), output=name)


def test_random_graphs_have_onnxs_shapes():
    rng = random.Random(3)
    compared = 0
    for _ in range(400):
        graph_model = random_graph(rng)
        try:
            expected = inferred(graph_model)
        except onnx.shape_inference.InferenceError:
            expected = None
        try:
            shapes = from_onnx(graph_model).shapes()
        except FileError:
            continue
        if expected is None:
            continue
        for name, shape in shapes.items():
            if name != "input":
                assert (1, *shape) == expected[name], (name, graph_model)
                compared += 1
    assert compared > 300


def only(graph_model, **options):
    return from_onnx(graph_model, **options).steps[-1].node


def test_convolution_attributes():
    conv = node("Conv", "x", "w", strides=[2, 1], pads=[0, 1, 2, 3], dilations=[1, 2])
    assert only(model([conv], stored=[tensor("w", [8, 3, 3, 2])])) == sc.Conv(
        3, 8, (3, 2), stride=(2, 1), padding=((0, 2), (1, 3)), dilation=(1, 2), bias=False
    )
    conv = node("Conv", "x", "w", "b", auto_pad="SAME_LOWER", group=3)
    stored = [tensor("w", [6, 1, 3, 2]), tensor("b", [6])]
    assert only(model([conv], stored=stored)) == sc.Conv(
        3, 6, (3, 2), padding="same_lower", groups=3
    )


@pytest.mark.parametrize(("upper", "pads"), [(True, ((0, 1), (0, 1))), (False, ((1, 0), (1, 0)))])
def test_transposed_output_shape(upper, pads):
    up = node(
        "ConvTranspose", "x", "w", strides=[2, 2], output_shape=[16, 16],
        **({"auto_pad": "SAME_UPPER"} if upper else {}),
    )  # fmt: skip
    layer = only(model([up], stored=[tensor("w", [3, 5, 3, 3])]))
    assert layer == sc.ConvTranspose(3, 5, (3, 3), stride=2, padding=pads, bias=False)
    assert layer.output_size((8, 8)) == (16, 16)


def test_ceil_mode_by_operator_set():
    pool = node("MaxPool", "x", kernel_shape=[1, 1], strides=[3, 3], ceil_mode=1)
    for opset, size in ((21, (4, 4)), (22, (3, 3))):
        graph_model = model([pool], shape=(1, 1, 9, 9), opset=opset)
        net = from_onnx(graph_model)
        assert net.output_shape() == (1, *size) == inferred(graph_model)["y"][1:]
    pool = node("AveragePool", "x", kernel_shape=[1, 1], strides=[3, 3], ceil_mode=1,
                count_include_pad=1)  # fmt: skip
    with pytest.raises(ParseError, match="windows that see only padding"):
        from_onnx(model([pool], shape=(1, 1, 9, 9)))


def test_average_pooling_does_not_count_padding_unless_told():
    pool = node("AveragePool", "x", kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    assert only(model([pool])) == sc.AvgPool((3, 3), stride=1, padding=1, count_include_pad=False)
    pool = node("AveragePool", "x", kernel_shape=[2, 2], count_include_pad=1, ceil_mode=1)
    assert only(model([pool])) == sc.AvgPool((2, 2), stride=1, ceil_mode=True)


def test_padding():
    pads = ints("p", [0, 0, 1, 2, 0, 0, 3, 4])
    assert only(model([node("Pad", "x", "p", mode="edge")], stored=[pads])) == sc.Pad(
        ((1, 3), (2, 4)), padding_mode="replicate"
    )
    value = helper.make_tensor("v", TensorProto.FLOAT, [], [2.5])
    stored = [ints("p", [1, 2]), value, ints("a", [-1])]
    assert only(model([node("Pad", "x", "p", "v", "a")], stored=stored)) == sc.Pad(
        ((0, 0), (1, 2)), padding_mode="constant", padding_value=2.5
    )
    assert only(model([node("Pad", "x", pads=[0, 0, -1, 0, 0, 0, 0, 1])], opset=2)) == sc.Pad(
        ((-1, 0), (0, 1))
    )


def test_dense_layers():
    stored = [tensor("w", [192, 5]), tensor("c", [5])]
    nodes = [node("Flatten", "x", output="f"), node("Gemm", "f", "w", "c")]
    net = from_onnx(model(nodes, stored=stored))
    assert net.steps[-1].node == Linear(192, 5)
    assert net.parameter_count() == 965
    last = from_onnx(model([node("MatMul", "x", "w")], stored=[tensor("w", [8, 5])]))
    assert last.output_shape() == (3, 8, 5)
    assert last.mac_count() == 3 * 8 * 8 * 5


def test_softmax_axis_by_operator_set():
    assert only(model([node("Softmax", "x")], opset=11)) == Softmax(0, to_end=True)
    assert only(model([node("Softmax", "x")], opset=13)) == Softmax(2)
    assert only(model([node("Softmax", "x", axis=1)], opset=13)) == Softmax(0)


def test_open_sizes_are_symbols():
    nodes = [
        node("Conv", "x", "w", output="c", pads=[1, 1, 1, 1]),
        node("Shape", "c", output="s"),
        node("Gather", "s", "zero", output="n"),
        node("Unsqueeze", "n", "axes", output="u"),
        node("Concat", "u", "rest", output="t", axis=0),
        node("GlobalAveragePool", "c", output="g"),
        node("Reshape", "g", "t", output="y"),
    ]
    stored = [
        tensor("w", [4, 3, 3, 3]),
        helper.make_tensor("zero", TensorProto.INT64, [], [0]),
        ints("axes", [0]),
        ints("rest", [-1]),
    ]
    graph_model = model(nodes, stored=stored, shape=("N", 3, "height", None))
    net = from_onnx(graph_model)
    height = sympy.Symbol("height", integer=True, positive=True)
    assert net.input_shape[1] == height
    assert net.shapes()["c"][1] == height
    assert net.output_shape() == (4,)
    assert from_onnx(graph_model, (3, 10, 20)).shapes()["c"] == (4, 10, 20)


def test_a_weight_that_two_layers_use_counts_once():
    stored = [tensor("w", [3, 3, 1, 1]), tensor("b", [3])]
    nodes = [node("Conv", "x", "w", output="a"), node("Conv", "a", "w", "b")]
    net = from_onnx(model(nodes, stored=stored))
    assert [row["parameters"] for row in net.table().rows] == [9, 3]


def test_weights_given_by_the_caller_have_shapes_too():
    graph_model = model([node("Conv", "x", "w")], shape=(1, 3, 3, 3), inputs=("x", "w"))
    graph_model.graph.input[1].type.tensor_type.shape.dim[0].dim_value = 7
    assert from_onnx(graph_model).output_shape() == (7, 1, 1)


def test_nodes_in_any_order_and_awkward_names():
    nodes = [node("Relu", "input'", output="y"), node("Abs", "input", output="input'"),
             node("Neg", "x", output="input")]  # fmt: skip
    net = from_onnx(model(nodes))
    assert [step.node.kind for step in net.steps] == ["Neg", "Abs", "Relu"]
    assert len({step.name for step in net.steps} | {"input"}) == 4


def test_another_output():
    nodes = [node("Relu", "x", output="a"), node("Abs", "a")]
    assert from_onnx(model(nodes), output="a").output == "a"


def big(values):
    return ints("s", values)


CONV = node("Conv", "x", "w")
HOSTILE = {
    "no graph": (onnx.ModelProto(), "must have a graph with nodes"),
    "circle": (model([node("Relu", "y", output="a"), node("Relu", "a")]), "in a circle"),
    "self": (model([node("Relu", "y")]), "in a circle"),
    "missing input": (model([node("Relu", "nothing")]), "'nothing', which nothing makes"),
    "missing weight": (model([CONV]), "'w', which nothing makes"),
    "no weight": (model([node("Conv", "x")]), "input 1 must be given"),
    "made twice": (model([node("Relu", "x"), node("Abs", "x")]), "made once, got 'y'"),
    "stored twice": (model([CONV], stored=[tensor("w", [8, 3, 1, 1])] * 2), "got 'w' twice"),
    "stored and made": (
        model([node("Relu", "x")], stored=[tensor("y", [1])]),
        "different names, got 'y' twice",
    ),
    "input twice": (model([node("Relu", "x")], inputs=("x", "x")), "got one twice"),
    "second input": (model([node("Add", "x", "z")], inputs=("x", "z")), "one input, got a second"),
    "negative dims": (model([CONV], stored=[tensor("w", [8, -3, 1, 1])]), "got -3"),
    "rank of weight": (model([CONV], stored=[tensor("w", [8, 3, 1])]), "weight must have 4 axes"),
    "many axes": (model([CONV], stored=[tensor("w", [1] * 1000)]), "at most 32 axes, got 1000"),
    "channels": (
        model([CONV], stored=[tensor("w", [8, 4, 1, 1])]),
        "input channels must be 4, got 3",
    ),
    "no taps": (model([CONV], stored=[tensor("w", [8, 3, 0, 1])]), "kernel_size must be >= 1"),
    "bias": (
        model(
            [node("Conv", "x", "w", "b")], stored=[tensor("w", [8, 3, 1, 1]), tensor("b", [7])]
        ),
        r"bias must have shape \(8,\)",
    ),
    "zero stride": (
        model([node("Conv", "x", "w", strides=[0, 1])], stored=[tensor("w", [8, 3, 1, 1])]),
        "stride must be >= 1, got 0",
    ),
    "groups": (
        model([node("Conv", "x", "w", group=5)], stored=[tensor("w", [8, 3, 1, 1])]),
        "groups must divide",
    ),
    "no group": (
        model([node("Conv", "x", "w", group=0)], stored=[tensor("w", [8, 3, 1, 1])]),
        "must be >= 1, got 0",
    ),
    "pads": (
        model([node("Conv", "x", "w", pads=[1, 1])], stored=[tensor("w", [8, 3, 1, 1])]),
        "pads must have a begin and an end for each of 2 axes",
    ),
    "auto_pad": (
        model([node("Conv", "x", "w", auto_pad="X")], stored=[tensor("w", [8, 3, 1, 1])]),
        "auto_pad must be one of NOTSET",
    ),
    "type": (
        model([node("Conv", "x", "w", group=1.5)], stored=[tensor("w", [8, 3, 1, 1])]),
        "attribute group must be of type int",
    ),
    "long attribute": (
        model([node("MaxPool", "x", kernel_shape=[1] * 1000)]),
        "at most 64 entries",
    ),
    "too small": (model([node("MaxPool", "x", kernel_shape=[9, 9])]), "output size must be >= 1"),
    "no kernel": (model([node("MaxPool", "x")]), "kernel_shape must be given"),
    "empty input": (model([node("Relu", "x")], shape=(1, 0, 4)), "got 0 on axis 1"),
    "negative input": (model([node("Relu", "x")], shape=(1, -5, 4)), "got -5 on axis 1"),
    "flat input": (model([node("Relu", "x")], shape=(5,)), r"must be \(batch, channels"),
    "pool of a vector": (model([node("MaxPool", "x", kernel_shape=[1])], shape=(1, 3)), "size"),
    "unknown operator": (model([node("Frobnicate", "x")]), "got 'Frobnicate'"),
    "other domain": (model([node("Relu", "x", domain="evil")]), "'Relu' of evil"),
    "loop": (model([node("Loop", "", "", "x")]), "got 'Loop'"),
    "axis": (model([node("Concat", "x", "x", axis=9)]), "axis must lie in"),
    "batch": (model([node("Concat", "x", "x", axis=0)]), "must not be the batch"),
    "perm": (model([node("Transpose", "x", perm=[0, 1, 1, 2])]), "must name the 4 axes once"),
    "reshape": (model([node("Reshape", "x", "s")], stored=[big([1, 7, -1])]), "must hold 192"),
    "minus ones": (model([node("Reshape", "x", "s")], stored=[big([1, -1, -1])]), "one −1"),
    "lost batch": (model([node("Reshape", "x", "s")], stored=[big([192])]), "keep the batch"),
    "huge reshape": (
        model([node("Reshape", "x", "s")], stored=[big([1, 2**62, 2**62])]),
        "must hold 192",
    ),
    "negative shape": (
        model([node("ConstantOfShape", "s", output="w"), CONV], stored=[big([8, 3, -1, 1])]),
        "integers of at least 0",
    ),
    "unread shape": (
        model([node("Reshape", "x", "s")], stored=[tensor("s", [10**6], TensorProto.INT64)]),
        "must be integers stored in the file",
    ),
    "cut tensor": (
        model([node("Reshape", "x", "s")], stored=[tensor("s", [2], TensorProto.INT64)]),
        "must hold 2 entries, got 0",
    ),
    "addition": (
        model([node("Add", "x", "w")], stored=[tensor("w", [7])]),
        "must broadcast",
    ),
    "statistics": (
        model([node("BatchNormalization", "x", *"abcd")], stored=[tensor(n, [4]) for n in "abcd"]),
        "input channels must be 4, got 3",
    ),
    "output": (model([node("Relu", "x")], output="z"), "output must be computed"),
    "constant output": (
        model([node("Relu", "x"), node("Constant", output="z", value_int=1)], output="z"),
        "output must be computed",
    ),
    "no output name": (model([node("Relu", "x", output="")]), "must have an output"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_models(name, tmp_path):
    graph_model, words = HOSTILE[name]
    start = time.perf_counter()
    path = tmp_path / "model.onnx"
    path.write_bytes(graph_model.SerializeToString())
    for source in (graph_model, path):
        with pytest.raises((FileError, ParseError), match=words):
            from_onnx(source)
    assert time.perf_counter() - start < 1


def test_huge_dimensions_allocate_nothing():
    dims = [2**62, 3, 1, 1]
    net = from_onnx(model([CONV], stored=[tensor("w", dims)], shape=(1, 3, 2**40, 2**40)))
    assert net.parameter_count() == 3 * 2**62
    assert net.output_shape() == (2**62, 2**40, 2**40)
    assert "about" not in str(net.table())
    filled = [node("ConstantOfShape", "s", output="w"), CONV]
    net = from_onnx(model(filled, stored=[big([2**40, 3, 2**20, 1])], shape=(1, 3, 2**30, 8)))
    assert net.parameter_count() == 3 * 2**60
    grown = node("ConvTranspose", "x", "w", strides=[2**40, 2**40])
    with pytest.raises(FileError, match=r"sizes must stay below 2\*\*63"):
        from_onnx(model([grown], stored=[tensor("w", [3, 1, 1, 1])], shape=(1, 3, 2**40, 8)))


def test_long_chains_end_soon():
    stride = [2**62, 2**62]
    nodes = [
        node("MaxPool", f"t{at}" if at else "x", output=f"t{at + 1}", kernel_shape=[1, 1],
             strides=stride)
        for at in range(2000)
    ]  # fmt: skip
    start = time.perf_counter()
    net = from_onnx(model(nodes, output="t2000"))
    assert "about 2**124000" in str(net.table())
    assert time.perf_counter() - start < 5
    with pytest.raises(FileError, match="at most 50000 nodes, got 50001"):
        from_onnx(model([node("Relu", "x", output=f"t{at}") for at in range(50_001)]))
    wide = model([node("Sum", *["x"] * 500_001)])
    with pytest.raises(FileError, match="at most 500000 links"):
        from_onnx(wide)


@pytest.mark.parametrize("attributes", [
    {"kernel_shape": [1, 1], "strides": [2**62, 2**62]},
    {"kernel_shape": [1, 1], "strides": [3, 2], "ceil_mode": 1},
    {"kernel_shape": [2, 3], "strides": [2, 3], "auto_pad": "SAME_UPPER"},
])  # fmt: skip
def test_formulas_for_open_sizes_stay_short(attributes):
    nodes = [
        node("MaxPool", f"t{at}" if at else "x", output=f"t{at + 1}", **attributes)
        for at in range(300)
    ]
    graph_model = model(nodes, shape=(1, 3, "h", "w"), output="t300")
    start = time.perf_counter()
    with pytest.raises(FileError, match="short formulas of the open ones; give input_shape"):
        from_onnx(graph_model)
    assert time.perf_counter() - start < 20
    assert from_onnx(graph_model, (3, 1, 1)).output_shape() == (3, 1, 1)


def test_external_data_is_never_opened(tmp_path, monkeypatch):
    weight = tensor("w", [8, 3, 1, 1])
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="../../etc/passwd")
    shape = tensor("s", [2], TensorProto.INT64)
    shape.CopyFrom(ints("s", [1, -1]))
    shape.ClearField("int64_data")
    shape.data_location = TensorProto.EXTERNAL
    shape.external_data.add(key="location", value="shape.bin")
    (tmp_path / "shape.bin").write_bytes(b"\1" + bytes(7) + b"\xff" * 8)
    path = tmp_path / "model.onnx"
    path.write_bytes(model([CONV], stored=[weight]).SerializeToString())
    opened = []
    original = Path.open
    monkeypatch.setattr(
        Path, "open", lambda self, *given: opened.append(self) or original(self, *given)
    )
    assert from_onnx(path).parameter_count() == 24
    assert opened == [path]
    with pytest.raises(FileError, match="must be integers stored in the file"):
        from_onnx(model([node("Reshape", "x", "s")], stored=[shape]))


def test_truncated_and_random_files(tmp_path):
    path = tmp_path / "model.onnx"
    whole = LIGHT[0].read_bytes()
    rng = random.Random(11)
    start = time.perf_counter()
    tried = [whole[:at] for at in range(0, len(whole), 97)]
    tried += [rng.randbytes(rng.randint(0, 300)) for _ in range(300)]
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(rng.randint(1, 8)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        tried.append(bytes(damaged))
    ended = 0
    for data in tried:
        path.write_bytes(data)
        try:
            from_onnx(path).table()
        except (FileError, ParseError):
            ended += 1
    assert ended > 500
    assert time.perf_counter() - start < 20


def test_files_that_are_none(tmp_path, monkeypatch):
    with pytest.raises(FileError, match="file must exist"):
        from_onnx(tmp_path / "none.onnx")
    with pytest.raises(FileError, match="must be a regular file"):
        from_onnx(tmp_path)
    with pytest.raises(FileError, match=r"must be a path or an onnx\.ModelProto, got int"):
        from_onnx(3)
    with pytest.raises(FileError, match="file must exist"):
        from_onnx("a\0b")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileError, match="must be a regular file"):
        from_onnx(tmp_path / "pipe")
    monkeypatch.setattr(adapter, "MAX_BYTES", 100)
    with pytest.raises(FileError, match="at most 100 bytes"):
        from_onnx(LIGHT[0])


def test_names_cannot_steer_a_terminal():
    net = from_onnx(model([node("Relu", "x", output="y\x1b[2J")], output="y\x1b[2J"))
    assert "\x1b" not in str(net.table())


def test_torchs_export_means_the_same():
    torch = pytest.importorskip("torch")
    from symconv.adapters.torch import from_torch  # noqa: PLC0415

    module = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3, 2, 1),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2, ceil_mode=True),
        torch.nn.Flatten(),
        torch.nn.Linear(4 * 4 * 4, 5),
    ).eval()
    file = io.BytesIO()
    with warnings.catch_warnings():
        # The exporter that needs no further package is the older one.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module, torch.zeros(1, 3, 15, 15), file, dynamo=False, input_names=["input"],
            dynamic_axes={"input": {0: "batch"}},
        )  # fmt: skip
    theirs = from_onnx(onnx.load_from_string(file.getvalue()))
    ours = from_torch(module, (3, 15, 15))
    assert ours.output_shape() == theirs.output_shape()
    assert ours.parameter_count() == theirs.parameter_count()
    assert ours.mac_count() == theirs.mac_count()


def test_without_onnx(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r"symconv\[onnx\]"):
        from_onnx("model.onnx")
