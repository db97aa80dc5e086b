"""Max unpooling against the naive loops, PyTorch and onnxruntime."""

from __future__ import annotations

import random

import numpy as np
import oracles
import pytest
import sympy

import symconv as sc
from symconv.errors import (
    DTypeError,
    GeometryError,
    ParameterError,
    ParameterTypeError,
    ShapeError,
)
from symconv.layers import MaxUnpool, MaxUnpool1d, MaxUnpool2d, MaxUnpool3d
from symconv.network import Network


def settings(count, seed):
    """Random geometries, a size, and what pooling it gives."""
    rng = random.Random(seed)
    for _ in range(count):
        rank = rng.choice((1, 2, 3))
        kernel = tuple(rng.randint(1, 3) for _ in range(rank))
        stride = tuple(rng.randint(1, 3) for _ in range(rank))
        padding = tuple(rng.randint(0, k // 2) for k in kernel)
        size = tuple(k + rng.randint(0, 4) for k in kernel)
        x = np.random.default_rng(rng.randrange(2**30)).integers(-9, 10, (2, 1, *size))
        pool = sc.MaxPool(kernel, stride=stride, padding=padding).operator(size)
        values, places = pool.apply(x, return_indices=True)
        yield MaxUnpool(kernel, stride=stride, padding=padding), size, values, places


def reachable(layer, size, values):
    """Whether PyTorch lets the pooled size be a target: less than a stride from the default."""
    pairs = zip(size, default(layer, values), layer.stride, strict=True)
    return all(abs(n - m) < stride for n, m, stride in pairs)


def default(layer, values):
    """Where the last window ends, without the padding on either side."""
    return tuple(
        stride * (n - 1) + k - lo - hi
        for n, stride, k, (lo, hi) in zip(
            values.shape[2:], layer.stride, layer.kernel_size, layer.padding, strict=True
        )
    )


def check(layer, size, values, places):
    assert reachable(layer, size, values)
    mine = layer.unpool(values, places, target_size=size)
    assert np.array_equal(mine, oracles.max_unpool(values, places, size))
    # The size that is undone is one of those that the pooling takes to this one.
    least = default(layer, values)
    if min(least) < 1:
        with pytest.raises(GeometryError, match="output size must be >= 1"):
            layer.output_size(values.shape[2:])
        return
    assert layer.output_size(values.shape[2:]) == least
    pooled = sc.MaxPool(layer.kernel_size, stride=layer.stride, padding=layer.padding)
    assert pooled.output_size(least) == values.shape[2:]
    assert [sizes[0] for sizes in pooled.input_sizes(values.shape[2:])] == list(least)
    assert layer.input_sizes(least) == tuple((n,) for n in values.shape[2:])


def check_many(count):
    for case in settings(count, 0):
        check(*case)


def test_equals_loops():
    check_many(300)


def test_equals_torch():
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for layer, size, values, places in settings(600, 1):
            module = getattr(torch.nn, f"MaxUnpool{layer.rank}d")(
                layer.kernel_size, layer.stride, tuple(lo for lo, _ in layer.padding)
            )
            given, where = torch.tensor(values, dtype=torch.float64), torch.tensor(places)
            theirs = module(given, where, output_size=size).numpy()
            assert np.array_equal(layer.unpool(values, places, target_size=size), theirs)
            # Without a target the plane may be too small for the places, or empty.
            if min(default(layer, values)) < 1:
                continue
            try:
                theirs = module(given, where).numpy()
            except RuntimeError:
                with pytest.raises(ParameterError, match="indices must lie in 0"):
                    layer.unpool(values, places)
            else:
                assert np.array_equal(layer.unpool(values, places), theirs)
    finally:
        torch.set_num_threads(threads)


def test_targets_as_in_torch():
    """The same targets are refused: a stride or more from the default."""
    torch = pytest.importorskip("torch")
    for kernel, stride, n in ((2, 2, 3), (3, 2, 2), (3, 3, 2), (2, 1, 4)):
        layer = MaxUnpool1d(kernel, stride=stride)
        module = torch.nn.MaxUnpool1d(kernel, stride)
        y, places = np.ones((1, 1, n)), np.zeros((1, 1, n), dtype=np.int64)
        for target in range(1, 20):
            try:
                theirs = module(torch.tensor(y), torch.tensor(places), output_size=(target,))
            except ValueError:
                with pytest.raises(GeometryError, match=r"target_size must be .* axis 0, got"):
                    layer.unpool(y, places, target_size=(target,))
            else:
                mine = layer.unpool(y, places, target_size=(target,))
                assert np.array_equal(mine, theirs.numpy())


def test_equals_onnxruntime():
    onnx = pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    helper, kinds = onnx.helper, onnx.TensorProto
    runtime.set_default_logger_severity(4)
    ran = 0
    for layer, _, values, places in settings(60, 2):
        size = default(layer, values)
        plane = int(np.prod(size))
        if min(size) < 1 or places.max() >= plane:
            continue
        # ONNX counts places through the whole tensor.
        planes = np.arange(values.shape[0]).reshape(-1, *[1] * (values.ndim - 1))
        pads = [lo for lo, _ in layer.padding] + [hi for _, hi in layer.padding]
        graph = helper.make_graph(
            [helper.make_node("MaxUnpool", ["x", "i"], ["y"], kernel_shape=layer.kernel_size,
                              strides=layer.stride, pads=pads)],
            "g",
            [helper.make_tensor_value_info("x", kinds.FLOAT, values.shape),
             helper.make_tensor_value_info("i", kinds.INT64, values.shape)],
            [helper.make_tensor_value_info("y", kinds.FLOAT, None)],
        )  # fmt: skip
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)])
        model.ir_version = 10
        session = runtime.InferenceSession(model.SerializeToString())
        feed = {"x": values.astype(np.float32), "i": places + planes * plane}
        theirs = session.run(None, feed)[0]
        assert np.array_equal(layer.unpool(values, places), theirs)
        ran += 1
    assert ran > 20


def test_exact_numbers_and_sizes():
    layer = MaxUnpool2d(2, stride=(2, 3), padding=((0, 1), (1, 0)))
    assert layer.output_size((2, 2)) == (3, 4)
    n = sympy.Symbol("n", integer=True, positive=True)
    assert layer.output_size((n, 4)) == (2 * n - 1, 10)
    assert MaxUnpool3d(2).output_shape((5, 1, 2, 3)) == (5, 2, 4, 6)
    a = sympy.Symbol("a")
    assert MaxUnpool1d(2).unpool([a, 3], [1, 2]).tolist() == [0, a, 3, 0]
    empty = MaxUnpool1d(2).unpool(np.zeros((0, 3)), np.zeros((0, 3), dtype=int))
    assert empty.shape == (0, 6)
    assert layer.latex() == r"y_{p_{i_{0}, i_{1}}} = x_{i_{0}, i_{1}},\quad y = 0 \text{ elsewhere}"
    assert repr(MaxUnpool((2,))) == "MaxUnpool((2,), stride=(2,))"
    net = Network([sc.Conv1d(1, 1, 3), MaxUnpool((2,))])
    assert net.output_shape((1, 6)) == (1, 8)
    with pytest.raises(ParameterTypeError, match="must be linear"):
        net.operator((6,))


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: MaxUnpool(2), ParameterTypeError, "kernel_size must be a tuple"),
        (lambda: MaxUnpool((2,), padding="same"), ParameterError, "integers or .* pairs"),
        (lambda: MaxUnpool((2,), stride=0), ParameterError, "stride must be >= 1"),
        (lambda: MaxUnpool((1,), padding=1).output_size((1,)), GeometryError, "must be >= 1"),
        (lambda: MaxUnpool((2,)).output_size((0,)), GeometryError, "input size must be >= 1"),
        (lambda: MaxUnpool((2,)).unpool([1, 2], [0, 4]), ParameterError, "0 … 3, got 4"),
        (lambda: MaxUnpool((2,)).unpool([1, 2], [0, -1]), ParameterError, "0 … 3, got -1"),
        (lambda: MaxUnpool((2,)).unpool([1, 2], [0, 1.0]), DTypeError, "must be integers"),
        (lambda: MaxUnpool((2,)).unpool([1, 2], [0]), ShapeError, "must have the shape of y"),
        (lambda: MaxUnpool((2, 2)).unpool([1, 2], [0, 1]), ShapeError, "at least 2 axes"),
        (lambda: MaxUnpool((2,)).unpool([1, 2], [0, 1], (3, 4)), ShapeError, "1 entries"),
        (
            lambda: MaxUnpool((2,)).unpool([1, 2], [0, 1], (6,)),
            GeometryError,
            r"target_size must be 3 … 5 on axis 0, got 6 \(MaxUnpool\(\(2,\), stride=\(2,\)\)\)",
        ),
        (lambda: MaxUnpool((2,)).operator((2,)), ParameterTypeError, "must be linear"),
    ],
)
def test_bad_input(call, error, match):
    with pytest.raises(error, match=match):
        call()


# Planted mistakes


def without_padding(self, axis, n_in):
    return self.relation(axis).reach(n_in)


def full_strides(self, axis, n_in):
    """The largest size and not the smallest one."""
    return self.relation(axis).input_size(n_in, self.stride[axis] - 1)


@pytest.mark.parametrize("mutant", [without_padding, full_strides])
def test_mutants_are_caught(mutant, monkeypatch):
    monkeypatch.setattr(MaxUnpool, "_output_on", mutant)
    with pytest.raises((AssertionError, GeometryError)):
        check_many(100)
