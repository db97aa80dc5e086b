"""Networks: shapes, counts, fields and matrices of layers composed."""

from __future__ import annotations

import csv
import io
import itertools
import json
import random
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse
import sympy
from checking import integers

import symconv as sc
from symconv.errors import GeometryError, ParameterError, ParameterTypeError, ShapeError
from symconv.network import (
    Activation,
    AdaptiveAvgPool,
    Add,
    BatchNorm,
    ChannelShuffle,
    Concat,
    Dropout,
    Elementwise,
    Flatten,
    GlobalAvgPool,
    Linear,
    Network,
    Permute,
    Reshape,
    Scale,
    Shift,
    Softmax,
    Squeeze,
    Step,
    Unsqueeze,
)

N = sympy.Symbol("n", integer=True, positive=True)


def fields(net, names):
    return [
        (rf.size[0], rf.jump[0], rf.padding[0])
        for rf in (net.receptive_field(at=name) for name in names)
    ]


def test_alexnet_slim_fields():
    net = Network(
        {
            "conv1": sc.Conv2d(3, 64, 11, stride=4),
            "pool1": sc.MaxPool2d(3, stride=2),
            "conv2": sc.Conv2d(64, 192, 5, padding=2),
            "pool2": sc.MaxPool2d(3, stride=2),
            "conv3": sc.Conv2d(192, 384, 3, padding=1),
            "conv4": sc.Conv2d(384, 384, 3, padding=1),
            "conv5": sc.Conv2d(384, 256, 3, padding=1),
            "pool5": sc.MaxPool2d(3, stride=2),
        }
    )
    names = ("conv1", "pool1", "conv2", "conv3", "conv4", "conv5", "pool5")
    assert fields(net, names) == [
        (11, 4, 0),
        (19, 8, 0),
        (51, 8, 16),
        (99, 16, 32),
        (131, 16, 48),
        (163, 16, 64),
        (195, 32, 64),
    ]


def test_vgg16_fields_and_parameters():
    layers, channels = {}, 3
    for block, (depth, width) in enumerate(((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)), 1):
        for at in range(1, depth + 1):
            layers[f"conv{block}_{at}"] = sc.Conv2d(channels, width, 3, padding=1)
            layers[f"relu{block}_{at}"] = Activation("ReLU")
            channels = width
        layers[f"pool{block}"] = sc.MaxPool2d(2)
    features = Network(layers)
    assert fields(features, [f"pool{at}" for at in range(1, 6)]) == [
        (6, 2, 2),
        (16, 4, 6),
        (44, 8, 18),
        (100, 16, 42),
        (212, 32, 90),
    ]
    head = [Flatten(), Linear(25088, 4096), Linear(4096, 4096), Linear(4096, 1000), Softmax()]
    net = Network([features, *head])
    assert net.output_shape((3, 224, 224)) == (1000,)
    assert net.parameter_count() == 138_357_544
    assert net.mac_count((3, 224, 224)) == 15_470_264_320


def small_cnn():
    return Network(
        {
            "conv1": sc.Conv2d(1, 6, 5, padding=2),
            "pool1": sc.MaxPool2d(2),
            "conv2": sc.Conv2d(6, 16, 5),
            "pool2": sc.MaxPool2d(2),
            "flat": Flatten(),
            "fc1": Linear(400, 120),
            "fc2": Linear(120, 84),
            "fc3": Linear(84, 10),
        }
    )


def test_small_cnn_table():
    """N17: shapes, parameters and receptive fields, layer by layer."""
    table = small_cnn().table((1, 28, 28))
    rows = [
        (r["name"], r["output_shape"], r["parameters"], r["macs"], r["field"][0], r["jump"][0])
        for r in table.rows
    ]
    assert rows == [
        ("conv1", (6, 28, 28), 156, 117_600, 5, 1),
        ("pool1", (6, 14, 14), 0, 0, 6, 2),
        ("conv2", (16, 10, 10), 2416, 240_000, 14, 2),
        ("pool2", (16, 5, 5), 0, 0, 16, 4),
        ("flat", (400,), 0, 0, 32, 0),
        ("fc1", (120,), 48_120, 48_000, 32, 0),
        ("fc2", (84,), 10_164, 10_080, 32, 0),
        ("fc3", (10,), 850, 840, 32, 0),
    ]
    assert table.totals == {"parameters": 61_706, "macs": 416_520}


def test_one_by_one_convolutions_stand_for_fully_connected_layers():
    """N17: the same counts, and more than one output on a larger image."""
    body = [sc.Conv2d(1, 6, 5, padding=2), sc.MaxPool2d(2), sc.Conv2d(6, 16, 5), sc.MaxPool2d(2)]
    net = Network([*body, sc.Conv2d(16, 120, 5), sc.Conv2d(120, 84, 1), sc.Conv2d(84, 10, 1)])
    assert net.output_shape((1, 28, 28)) == (10, 1, 1)
    assert net.output_shape((1, 32, 36)) == (10, 2, 3)
    assert net.parameter_count() == small_cnn().parameter_count()
    assert net.mac_count((1, 28, 28)) == small_cnn().mac_count((1, 28, 28))
    assert net.receptive_field().size == (32, 32)


def test_symbolic_table_equals_the_concrete_ones():
    net = Network(
        {
            "conv": sc.Conv2d(3, 8, 3, stride=2, padding=1),
            "left": (sc.Conv2d(8, 8, 3, padding=1), "conv"),
            "sum": (Add(), "left", "conv"),
            "pool": sc.MaxPool2d(2, ceil_mode=True),
            "cat": (Concat(), "pool", "pool"),
            "mean": GlobalAvgPool(),
            "flat": Flatten(),
            "fc": Linear(16, 4),
        }
    )
    table = net.table((3, N, N))
    for n in range(1, 30):
        concrete = net.table((3, n, n))
        for symbolic, row in zip(table.rows, concrete.rows, strict=True):
            for key in ("output_shape", "field", "start"):
                there = tuple(sympy.sympify(v).subs(N, n) for v in symbolic[key])
                assert there == row[key], (n, row["name"], key)
            assert sympy.sympify(symbolic["macs"]).subs(N, n) == row["macs"]
        assert table.totals["macs"].subs(N, n) == concrete.totals["macs"]


def layer_of(rng, channels):
    kind = rng.choice(["conv", "max", "mean", "transposed", "relu"])
    k, s, d = rng.randint(1, 3), rng.randint(1, 2), rng.randint(1, 2)
    pads = ((rng.randint(0, 2), rng.randint(0, 2)),)
    if kind == "conv":
        mode = rng.choice(["zeros", "circular", "reflect"])
        return sc.Conv(
            channels, channels, (k,), stride=s, dilation=d, padding=pads, padding_mode=mode
        )
    if kind == "transposed":
        return sc.ConvTranspose(channels, channels, (k,), stride=s, dilation=d, padding=pads)
    if kind == "relu":
        return Activation("ReLU")
    pool = sc.MaxPool if kind == "max" else sc.AvgPool
    return pool((k,), stride=s, padding=((min(pads[0][0], k // 2), 0),), ceil_mode=bool(d - 1))


def brute_inputs(layers, shapes, position):
    """Supports layer by layer, tap by tap."""
    wanted = {position}
    for layer, shape in zip(layers[::-1], shapes[::-1], strict=True):
        n = shape[1]
        if isinstance(layer, Activation):
            continue
        relation = layer.relation(0, n)
        found = set()
        for o, k in itertools.product(wanted, range(relation.n_taps)):
            if layer.is_transposed:
                top = o + relation.pad_lo - relation.dilation * k
                if top % relation.stride == 0 and 0 <= top // relation.stride < n:
                    found.add(top // relation.stride)
                continue
            j = relation.stride * o + relation.dilation * k - relation.pad_lo
            mode = getattr(layer, "padding_mode", "zeros")
            if mode == "circular":
                found.add(j % n)
            elif mode == "reflect" and n > 1:
                j %= 2 * (n - 1)
                found.add(min(j, 2 * (n - 1) - j))
            elif mode == "reflect":
                found.add(0)
            elif 0 <= j < n:
                found.add(j)
        wanted = found
    return {(i,) for i in wanted}


def test_exact_inputs_of_random_sequences():
    rng = random.Random(7)
    tried = 0
    while tried < 150:
        layers = [layer_of(rng, 2) for _ in range(rng.randint(1, 5))]
        net, shape = Network(layers), (2, rng.randint(3, 14))
        try:
            shapes = list(net.shapes(shape).values())
        except GeometryError:
            continue
        if not any(hasattr(layer, "rank") for layer in layers):
            continue
        tried += 1
        n_out = shapes[-1][1]
        rf = net.receptive_field(shape)
        plain = all(getattr(layer, "padding_mode", "zeros") == "zeros" for layer in layers)
        for o in {0, n_out // 2, n_out - 1}:
            found = net.inputs((o,), shape)
            assert found == brute_inputs(layers, shapes[:-1], o), (layers, shape, o)
            assert rf.inputs((o,)) == found
            if plain and found:
                start = rf.jump[0] * o + rf.start[0]
                positions = [i for (i,) in found]
                assert start <= min(positions)
                assert max(positions) <= start + rf.size[0] - 1


def test_inputs_without_a_shape_are_those_of_the_virtual_axis():
    net = Network([sc.Conv2d(1, 1, (2, 3), padding=1), sc.Conv2d(1, 1, (2, 1), dilation=(2, 1))])
    rows = sorted({i for i, _ in net.inputs((0, 0))})
    assert rows == [-1, 0, 1, 2]
    assert sorted({j for _, j in net.inputs((0, 0))}) == [-1, 0, 1]
    cropped = net.inputs((0, 0), (1, 5, 5))
    assert cropped == {(i, j) for i, j in net.inputs((0, 0)) if i >= 0 and j >= 0}


def test_branches_read_a_cross_and_not_its_hull():
    net = Network(
        {
            "row": (sc.Conv2d(1, 1, (1, 3), padding=(0, 1)), "input"),
            "column": (sc.Conv2d(1, 1, (5, 1), padding=(2, 0)), "input"),
            "sum": (Add(), "row", "column"),
        }
    )
    rf = net.receptive_field()
    assert (rf.size, rf.padding, rf.start) == ((5, 3), (2, 1), (-2, -1))
    assert net.inputs((0, 0)) == {(0, -1), (0, 0), (0, 1)} | {(i, 0) for i in range(-2, 3)}


def test_misaligned_branches():
    net = Network(
        {
            "left": (sc.Conv2d(1, 2, 3, stride=2, padding=1), "input"),
            "crop": (sc.Conv2d(1, 2, 5), "input"),
            "sum": (Add(), "left", "crop"),
            "end": Activation("ReLU"),
        },
        output="end",
    )
    shape = (1, 8, 8)
    table = net.table(shape)
    assert table.rows[-1]["field"] is None
    assert "misaligned" in str(table)
    assert "jumps 1 and 2" in table.notes[0]
    with pytest.raises(GeometryError, match="branches meet at layer 'sum' with jumps 1 and 2"):
        net.receptive_field(shape)
    # The exact set needs no alignment.
    window = {(i, j) for i in (0, 1) for j in (0, 1)}
    assert net.inputs((0, 0), shape) == window | set(itertools.product(range(5), repeat=2))


def test_gates_and_spatial_concatenation_have_no_affine_field():
    gate = Network(
        {
            "conv": sc.Conv2d(4, 4, 3, padding=1),
            "mean": (GlobalAvgPool(), "conv"),
            "gate": (sc.Conv2d(4, 4, 1), "mean"),
            "mul": (Elementwise("Mul"), "conv", "gate"),
        }
    )
    assert gate.output_shape((4, 6, 6)) == (4, 6, 6)
    assert gate.table((4, 6, 6)).rows[-1]["field"] is None
    assert gate.inputs((0, 0), (4, 6, 6)) == set(itertools.product(range(6), repeat=2))
    side = Network(
        {
            "a": (sc.Conv1d(1, 1, 3, padding=1), "input"),
            "b": (sc.Conv1d(1, 1, 1), "input"),
            "both": (Concat(axis=1), "a", "b"),
        }
    )
    assert side.output_shape((1, 4)) == (1, 8)
    with pytest.raises(GeometryError, match="concatenates along a spatial axis"):
        side.receptive_field((1, 4))
    assert side.inputs((3,), (1, 4)) == {(2,), (3,)}
    assert side.inputs((5,), (1, 4)) == {(1,)}


def test_shuffles_keep_the_spatial_axes():
    shuffle = [Reshape((2, 3, 5, 7)), Permute((1, 0, 2, 3)), Reshape((6, 5, 7))]
    net = Network([sc.Conv2d(6, 6, 3, padding=1), *shuffle, sc.Conv2d(6, 6, 3, padding=1)])
    same = Network(
        [sc.Conv2d(6, 6, 3, padding=1), ChannelShuffle(2), sc.Conv2d(6, 6, 3, padding=1)]
    )
    for model in (net, same):
        rf = model.receptive_field((6, 5, 7))
        assert (rf.size, rf.jump, rf.padding) == ((5, 5), (1, 1), (2, 2))
    assert net.inputs((0, 6), (6, 5, 7)) == same.inputs((0, 6), (6, 5, 7))
    ones = Network([Unsqueeze((1,)), Squeeze((1,)), sc.Conv2d(6, 6, 3, padding=1)])
    assert ones.receptive_field((6, 5, 7)).size == (3, 3)


def test_jump_is_fractional_after_transposed_layers():
    net = Network([sc.ConvTranspose2d(1, 1, 4, stride=2, padding=1)])
    rf = net.receptive_field()
    assert (rf.size[0], rf.jump[0], rf.start[0]) == (Fraction(5, 2), Fraction(1, 2), -1)
    assert json.loads(net.table((1, 4, 4)).json())["rows"][0]["jump"] == ["1/2", "1/2"]


def linear_net():
    return Network(
        {
            "conv": sc.Conv2d(2, 4, 2, stride=2, padding=((1, 0), (0, 1))),
            "norm": BatchNorm(4),
            "left": (sc.Conv2d(4, 4, (3, 1), padding=(1, 0), groups=2, bias=False), "norm"),
            "up": (sc.ConvTranspose2d(4, 4, 1), "norm"),
            "sum": (Add(), "left", "up", "norm"),
            "mean": (GlobalAvgPool(), "sum"),
            "gated": (Add(), "mean", "sum"),
            "cat": (Concat(), "gated", "up"),
            "shuffle": ChannelShuffle(4),
            "turn": Permute((0, 2, 1)),
            "pool": AdaptiveAvgPool((1, None)),
            "scale": Scale((8, 1, 1)),
            "shift": Shift((1, 2)),
            "drop": Dropout(),
            "cat2": (Concat(axis=2), "drop", "drop"),
            "flat": Flatten(),
            "fc": Linear(32, 3),
        }
    )


def numbers_for(operator):
    numbers = {}
    for at, (name, (weight, bias)) in enumerate(operator.weight_shapes.items()):
        w = None if weight is None else integers(weight, at)
        b = None if bias is None else integers(bias, at + 100)
        numbers[name] = w if bias is None else b if weight is None else (w, b)
    return numbers


def test_composed_operator_against_torch():
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    operator = linear_net().operator((3, 3))
    numbers = numbers_for(operator)
    t = {
        name: [torch.tensor(v).double() for v in (value if isinstance(value, tuple) else (value,))]
        for name, value in numbers.items()
    }

    def forward(x):
        x = functional.conv2d(functional.pad(x, (0, 1, 1, 0)), *t["conv"], stride=2)
        norm = x * t["norm"][0][:, None, None] + t["norm"][1][:, None, None]
        left = functional.conv2d(norm, t["left"][0], padding=(1, 0), groups=2)
        up = functional.conv_transpose2d(norm, *t["up"])
        total = left + up + norm
        gated = total + total.mean((-1, -2), keepdim=True)
        cat = torch.cat([gated, up], -3)
        shuffled = functional.channel_shuffle(cat, 4).swapaxes(-1, -2)
        pooled = shuffled.mean(-2, keepdim=True)
        y = pooled * t["scale"][0] + t["shift"][0]
        y = torch.cat([y, y], -1).flatten(-3)
        return functional.linear(y, *t["fc"])

    basis = torch.eye(18, dtype=torch.float64).reshape(18, 2, 3, 3)
    constant = forward(torch.zeros(1, 2, 3, 3, dtype=torch.float64))
    expected = (forward(basis) - constant).T.numpy()
    exact = operator.exact(numbers)
    assert exact.shape == operator.shape == (3, 18)
    assert np.allclose(np.array(exact.tolist(), dtype=float), expected)
    assert np.allclose(operator.sparse(numbers).toarray(), expected)
    assert isinstance(operator.sparse(numbers), scipy.sparse.csr_array)
    assert np.allclose(operator.offset(numbers), constant[0].numpy())
    assert list(map(float, operator.exact_offset(numbers))) == pytest.approx(constant[0].tolist())


def test_composed_operator_with_symbols_substitutes_to_the_numbers():
    net = Network([sc.Conv1d(1, 2, 2), sc.Conv1d(2, 1, 2), sc.AvgPool1d(2)])
    operator = net.operator((4,))
    numbers = numbers_for(operator)
    values = {
        f"{letter}{at}_{'_'.join(map(str, index))}": int(array[index])
        for at, pair in enumerate(numbers.values())
        for letter, array in zip("wb", pair, strict=True)
        for index in np.ndindex(array.shape)
    }
    assert operator.exact().subs(values) == operator.exact(numbers)
    assert operator.exact_offset().subs(values) == operator.exact_offset(numbers)
    first, second = (step.node for step in net.steps[:2])
    product = second.operator((3,)).exact(numbers["1"][0]) * first.operator((4,)).exact(
        numbers["0"][0]
    )
    assert (
        operator.exact(list(numbers.values())) == sc.AvgPool1d(2).operator((2,)).exact() * product
    )


@pytest.mark.parametrize("node", [Activation("ReLU"), sc.MaxPool1d(1), Softmax(), Elementwise()])
def test_nonlinear_layers_are_named(node):
    net = Network([sc.Conv1d(1, 1, 1), node])
    with pytest.raises(ParameterTypeError, match=r"layer must be linear .* got layer '1'"):
        net.operator((4,))


def test_operator_refuses_wrong_weights():
    operator = Network([sc.Conv1d(1, 1, 2), Linear(3, 2, False)]).operator((4,))
    good = [([[[1, 2]]], [0]), [[1, 2, 3]] * 2]
    assert operator.exact(good).shape == (2, 4)
    with pytest.raises(ParameterError, match="weights must be given for 2 layers, got 1"):
        operator.exact(good[:1])
    with pytest.raises(ShapeError, match=r"weight of layer '1' must have shape \(2, 3\)"):
        operator.exact([good[0], [[1, 2, 3]]])
    with pytest.raises(ParameterTypeError, match=r"must be a pair \(weight, bias\)"):
        operator.exact([good[0][0], good[1]])
    with pytest.raises(ParameterError, match="weights must be given"):
        operator.sparse()
    with pytest.raises(ParameterError, match="weights must name the layers"):
        operator.sparse({"0": good[0]})
    with pytest.raises(TypeError, match="must be exact"):
        operator.exact([([[[0.5, 2]]], [0]), good[1]])


def test_graphs_are_ordered_and_checked():
    conv = sc.Conv1d(1, 1, 1)
    backwards = Network({"c": (conv, "b"), "b": (conv, "a"), "a": (conv, "input")})
    assert [step.name for step in backwards.steps] == ["a", "b", "c"]
    assert backwards.output == "c"
    with pytest.raises(ParameterError, match=r"wait for each other in a circle, got \['a', 'b'\]"):
        Network({"a": (conv, "b"), "b": (conv, "a")})
    with pytest.raises(ParameterError, match="input must name a layer, got 'x' in layer 'a'"):
        Network({"a": (conv, "x")})
    with pytest.raises(ParameterError, match="inputs must number 1, got 2"):
        Network({"a": (conv, "input", "input")})
    with pytest.raises(ParameterError, match="at least one layer"):
        Network([])
    with pytest.raises(ParameterTypeError, match="layer must be a symconv layer"):
        Network([lambda x: x])
    with pytest.raises(ParameterTypeError, match="layers must be a sequence"):
        Network(conv)
    with pytest.raises(ParameterTypeError, match="names of its inputs"):
        Network({"a": (conv, 1)})
    with pytest.raises(ParameterTypeError, match="name must be text"):
        Network({1: conv})
    with pytest.raises(ParameterError, match="name must not be empty or 'input'"):
        Network({"input": conv})
    with pytest.raises(ParameterError, match="names must differ, got 'a' twice"):
        Network([Step("a", conv, ("input",))] * 2)
    with pytest.raises(ParameterError, match="layer must be one of the network's, got 'z'"):
        Network([conv], output="z")


def test_nested_networks_share_and_rename():
    block = Network({"conv": sc.Conv1d(4, 4, 3, padding=1), "sum": (Add(), "conv", "input")})
    net = Network({"one": block, "two": block, "end": (Add(), "one", "two")})
    assert [step.name for step in net.steps] == [
        "one.conv", "one.sum", "two.conv", "two.sum", "end",
    ]  # fmt: skip
    assert net.steps[-1].inputs == ("one.sum", "two.sum")
    assert net.receptive_field().size == (5,)
    assert net == Network({"one": block, "two": block, "end": (Add(), "one", "two")})
    assert hash(net) == hash(Network({"one": block, "two": block, "end": (Add(), "one", "two")}))
    assert net["one.conv"] == sc.Conv1d(4, 4, 3, padding=1)


def test_errors_name_the_layer():
    net = Network({"first": sc.Conv2d(3, 8, 3), "second": sc.Conv2d(8, 8, 9)})
    with pytest.raises(GeometryError, match=r"output size must be >= 1 .* in layer 'second'"):
        net.table((3, 8, 8))
    with pytest.raises(ShapeError, match=r"input channels must be 3, got 4 .* in layer 'first'"):
        net.output_shape((4, 8, 8))
    with pytest.raises(ParameterError, match="input_shape must be given"):
        net.output_shape()
    with pytest.raises(ParameterError, match="input_shape must be given for a network with Global"):
        Network([sc.Conv1d(1, 1, 1), GlobalAvgPool()]).receptive_field()
    with pytest.raises(ParameterError, match="depends on it"):
        Network([sc.Conv1d(1, 1, 2, padding="same_upper")]).receptive_field()
    with pytest.raises(ShapeError, match="branches must have one size on axis 1"):
        Network({"a": sc.Conv1d(1, 1, 2), "b": (Add(), "a", "input")}).output_shape((1, 5))
    with pytest.raises(ShapeError, match="last axis must have in_features = 5"):
        Network([Flatten(), Linear(5, 1)]).output_shape((1, 4))
    with pytest.raises(GeometryError, match="different sizes, unless 3 divides 4"):
        Network([AdaptiveAvgPool((3,))]).receptive_field((1, 4))
    with pytest.raises(ShapeError, match="must hold 12 values"):
        Network([Reshape((5, -1))]).output_shape((3, 4))
    with pytest.raises(ParameterError, match="position must lie inside size 3, got 3"):
        Network([sc.Conv1d(1, 1, 2)]).inputs((3,), (1, 4))
    with pytest.raises(ShapeError, match="position must have 1 entries"):
        Network([sc.Conv1d(1, 1, 2)]).inputs((3, 1), (1, 4))


def test_same_upper_depends_on_the_size():
    net = Network([sc.Conv1d(1, 1, 3, stride=2, padding="same_upper")])
    assert net.receptive_field((1, 6)).padding == (0,)
    assert net.receptive_field((1, 7)).padding == (1,)


def test_renderings():
    net = Network({"<b>conv": sc.Conv2d(1, 2, (3, 1)), "re\x1b[31mlu": Activation("ReLU")})
    table = net.table((1, 5, 5))
    page = table._repr_html_()
    assert "&lt;b&gt;conv" in page
    assert "<b>" not in page
    assert "\x1b" not in str(table) + page + table.csv()
    assert "3×1" in str(table)
    listed = list(csv.DictReader(io.StringIO(table.csv())))
    assert [row["parameters"] for row in listed] == ["8", "0"]
    whole = json.loads(table.json())
    assert whole["totals"] == {"parameters": 8, "macs": 90}
    assert whole["rows"][0]["output_shape"] == [2, 3, 5]
    assert json.loads(net.table((1, N, N)).json())["rows"][0]["output_shape"] == [2, "n - 2", "n"]
    assert repr(table) == "<Table of 2 layers: 8 parameters, 90 MACs>"
    assert "(n - 2)×n" in str(net.table((1, N, N)))


def test_numbers_too_long_to_write_are_shown_by_size():
    huge = sc.Conv1d(1, 1, 1, stride=2**100)
    table = Network([huge] * 50).table((1, 1))
    assert "about 2**5000" in str(table)
    assert json.loads(table.json())["rows"][-1]["jump"] == ["about 2**5000"]


def test_a_thousand_layers():
    layers = [Activation("ReLU") if at % 2 else sc.Conv2d(8, 8, 3, padding=1) for at in range(1000)]
    net = Network(layers)
    table = net.table((8, 64, 64))
    text = str(table)
    assert table.rows[-1]["field"] == (1001, 1001)
    assert len(text.splitlines()) == 1002
    table = net.table((8, N, N))
    assert table.rows[-1]["output_shape"] == (8, N, N)
    chain = Network(
        {str(at): (Add(), str(at - 1) if at else "input", "input") for at in range(5000)}
    )
    assert chain.output_shape((8, 4)) == (8, 4)
