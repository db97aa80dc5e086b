"""Poolings as frameworks spell them: values, indices and divisors bit for bit.

Where an engine departs from what its framework states, the departure has a name, its smallest
setting is asserted, and the sweeps check that nothing else differs.
"""

from __future__ import annotations

import json
import os
import random
import warnings
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import oracles
import pytest
import sympy
from checking import integers
from hypothesis import assume, given, strategies as st
from strategies import examples, per_axis, pool_cases

import symconv as sc
from symconv.adapters import onnx_windows
from symconv.adapters.onnx_reading import Attributes
from symconv.compare import where_conventions_differ
from symconv.conventions import (
    KerasConv,
    KerasConvTranspose,
    OnnxConv,
    OnnxPool,
    TorchPool,
    XlaConv,
    resolve_axes,
)
from symconv.errors import GeometryError, ParameterError, ParameterTypeError, SymconvError

#: Every average of integers over 1 … 9 cells is an integer, exact in float32.
AVERAGED = 2520

KINDS = {"MaxPool": sc.MaxPool, "AveragePool": sc.AvgPool}

SIZES = {1: 9, 2: 6, 3: 4}
KERNELS = {1: 4, 2: 3, 3: 2}


@pytest.fixture(autouse=True)
def _quiet():
    """JAX and Keras warn about their own insides."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


@pytest.fixture(scope="module")
def torch():
    """PyTorch with one thread: on arrays this small its pool waits more than it works."""
    module = pytest.importorskip("torch")
    threads = module.get_num_threads()
    module.set_num_threads(1)
    yield module
    module.set_num_threads(threads)


def layer_of(operator, kernel, stride, conventions, dilation, counted=None):
    options = {"stride": stride, "padding": conventions, "dilation": dilation}
    if operator == "AveragePool":
        options["count_include_pad"] = counted
    return KINDS[operator](tuple(kernel), **options)


def equal(ours, theirs):
    """Equal shapes and values, −0 being 0."""
    return all(
        one.shape == other.shape and np.array_equal(one, other)
        for one, other in zip(ours, theirs, strict=True)
    )


# ONNX


@dataclass
class Case:
    """One node: the layer that spells it, its attributes, and where engines may depart."""

    operator: str
    opset: int
    size: tuple[int, ...]
    layer: Any
    attributes: dict[str, Any]

    @property
    def conventions(self):
        spelled = self.layer.padding
        return spelled if isinstance(spelled, tuple) else (spelled,) * len(self.size)

    @property
    def is_same(self):
        return self.attributes.get("auto_pad", "").startswith("SAME")

    @property
    def is_ceil(self):
        return bool(self.attributes.get("ceil_mode"))

    @property
    def is_dilated(self):
        return max(self.layer.dilation) > 1

    def operator_or_none(self, layer=None):
        try:
            return (layer or self.layer).operator(self.size)
        except GeometryError:
            return None

    def expected(self, x, layer=None):
        """Values, and for MaxPool the indices in the whole tensor; None if there is no operator."""
        op = self.operator_or_none(layer)
        if op is None:
            return None
        if self.operator == "AveragePool":
            return (op.apply(x),)
        values, places = op.apply(x, return_indices=True)
        planes = np.arange(x.shape[0] * x.shape[1]).reshape(*x.shape[:2], *[1] * len(self.size))
        return values, places + planes * int(np.prod(self.size))

    def by_opset_22(self):
        """The same layer with the last windows that operator set 22 keeps."""
        newer = tuple(replace(each, opset=22) for each in self.conventions)
        return replace(self.layer, padding=newer)

    def same_without_dilation(self):
        """onnxruntime's SAME: the total is (⌈n/s⌉−1)s + K − n, of either sign, d forgotten.

        Halves are rounded towards zero, as C does.
        """
        pairs = []
        for n, s, k in zip(self.size, self.layer.stride, self.layer.kernel_size, strict=True):
            total = (-(-n // s) - 1) * s + k - n
            odd = self.attributes["auto_pad"] == "SAME_LOWER"
            lo = int((total + odd) / 2)
            pairs.append((lo, total - lo))
        return replace(self.layer, padding=tuple(pairs), ceil_mode=self.is_ceil)


def draw(rng, operator, opset, size):
    rank = len(size)
    kernel = [rng.randint(1, KERNELS[rank]) for _ in size]
    stride = [rng.randint(1, 3) for _ in size]
    attributes = {"kernel_shape": kernel, "strides": stride}
    dilation = [1] * rank
    if opset >= (10 if operator == "MaxPool" else 19) and rng.random() < 0.5:
        attributes["dilations"] = dilation = [rng.randint(1, 3) for _ in size]
    auto_pad = rng.choice(["NOTSET"] * 5 + ["SAME_UPPER", "SAME_LOWER", "VALID"])
    pads = [None] * rank
    if auto_pad == "NOTSET":
        pads = [(rng.randint(0, k - 1), rng.randint(0, k - 1)) for k in kernel]
        attributes["pads"] = [lo for lo, _ in pads] + [hi for _, hi in pads]
    else:
        attributes["auto_pad"] = auto_pad
    ceil_mode = opset >= 10 and auto_pad != "VALID" and rng.random() < 0.5
    if ceil_mode:
        attributes["ceil_mode"] = 1
    counted = None
    if operator == "AveragePool" and opset >= 7 and rng.random() < 0.5:
        attributes["count_include_pad"] = int(counted := rng.random() < 0.8)
    conventions = [OnnxPool(auto_pad, pair, ceil_mode=ceil_mode, opset=opset) for pair in pads]
    layer = layer_of(operator, kernel, stride, conventions, dilation, counted)
    return Case(operator, opset, size, layer, attributes)


def cases(operator, opset, n_models, n_nodes=30):
    """Random nodes on a common input, model after model; windows fit and none is empty of data."""
    rng = random.Random(100 * opset + len(operator))
    for _ in range(n_models):
        rank = rng.choice((1, 2, 3))
        size = tuple(rng.randint(1, SIZES[rank]) for _ in range(rank))
        x = integers((2, 2, *size), rng.randint(0, 10**6), -4, 4).astype(np.float32)
        if operator == "AveragePool":
            x *= AVERAGED
        found = [draw(rng, operator, opset, size) for _ in range(n_nodes)]
        yield (
            x,
            [
                case
                for case in found
                if all(case.layer._output_on(axis, n) >= 1 for axis, n in enumerate(size))
            ],
        )


def model_of(group, x, n_outputs):
    onnx = pytest.importorskip("onnx")
    helper, types = onnx.helper, onnx.TensorProto
    nodes, outputs = [], []
    for number, case in enumerate(group):
        names = [f"y{number}", f"i{number}"][:n_outputs]
        nodes.append(helper.make_node(case.operator, ["x"], names, **case.attributes))
        for name, kind in zip(names, (types.FLOAT, types.INT64), strict=False):
            outputs.append(helper.make_tensor_value_info(name, kind, None))
    given_x = helper.make_tensor_value_info("x", types.FLOAT, x.shape)
    graph = helper.make_graph(nodes, "poolings", [given_x], outputs)
    opsets = [helper.make_opsetid("", group[0].opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def onnxruntime_outputs(group, x):
    """One tuple (values, indices) or (values,) per case."""
    runtime = pytest.importorskip("onnxruntime")
    runtime.set_default_logger_severity(4)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    n_outputs = 2 if group[0].operator == "MaxPool" else 1
    model = model_of(group, x, n_outputs).SerializeToString()
    flat = runtime.InferenceSession(model, options).run(None, {"x": x})
    return list(zip(*(flat[start::n_outputs] for start in range(n_outputs)), strict=True))


def reference_outputs(case, x):
    reference = pytest.importorskip("onnx.reference")
    model = model_of([case], x, 2 if case.operator == "MaxPool" else 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return tuple(reference.ReferenceEvaluator(model).run(None, {"x": x}))


def one_node(operator, opset, size, padding, attributes, counted=None):
    """A case, and an input whose samples all differ."""
    kernel = attributes["kernel_shape"]
    stride, dilation = (
        attributes.get(name, [1] * len(kernel)) for name in ("strides", "dilations")
    )
    layer = layer_of(operator, kernel, stride, padding, dilation, counted)
    x = np.arange(1, np.prod(size) + 1, dtype=np.float32).reshape(1, 1, *size)
    return Case(operator, opset, size, layer, attributes), x


def negative_total(case):
    """Whether SAME would crop: (⌈n/s⌉ − 1)s + E < n on some axis."""
    axes = zip(
        case.size, case.layer.stride, case.layer.kernel_size, case.layer.dilation, strict=True
    )
    return any((-(-n // s) - 1) * s + d * (k - 1) + 1 < n for n, s, k, d in axes)


def check_onnxruntime(operator, opset, n_models):
    seen = dict.fromkeys(("equal", "ceil before 22", "same"), 0)
    for x, found in cases(operator, opset, n_models):
        # Which rule onnxruntime follows, by what the setting is.
        groups = {"equal": [], "ceil before 22": [], "same": []}
        for case in found:
            expected = case.expected(x)
            if case.is_same and (case.is_dilated or negative_total(case)):
                layer = case.same_without_dilation()
                fits = all(layer._output_on(axis, n) >= 1 for axis, n in enumerate(case.size))
                # Ceil mode reads past a crop there, and old averages refuse the settings.
                if not fits or case.is_ceil or (operator == "AveragePool" and opset < 19):
                    continue
                name, expected = "same", case.expected(x, layer)
            elif case.is_ceil and not case.is_same and opset < 22:
                newer = case.by_opset_22()
                same_size = newer.output_size(case.size) == case.layer.output_size(case.size)
                name = "equal" if same_size else "ceil before 22"
                expected = case.expected(x, newer)
            else:
                name = "equal"
            if expected is not None:
                groups[name].append((case, expected))
        for name, group in groups.items():
            if not group:
                continue
            theirs = onnxruntime_outputs([case for case, _ in group], x)
            for (case, expected), given_back in zip(group, theirs, strict=True):
                assert equal(expected, given_back), (name, case)
            seen[name] += len(group)
    return seen


OPSETS = [("MaxPool", 8), ("MaxPool", 10), ("MaxPool", 11), ("MaxPool", 12), ("MaxPool", 22)]
OPSETS += [("AveragePool", opset) for opset in (7, 10, 11, 19, 22)]


@pytest.mark.parametrize(("operator", "opset"), OPSETS)
def test_onnxruntime(operator, opset):
    seen = check_onnxruntime(operator, opset, 20)
    assert seen["equal"] > 250
    assert (seen["ceil before 22"] > 0) == (10 <= opset < 22)
    assert (seen["same"] > 10) == (operator == "MaxPool" or opset >= 19)


@pytest.mark.long
@pytest.mark.parametrize(("operator", "opset"), OPSETS)
def test_onnxruntime_at_length(operator, opset):
    assert check_onnxruntime(operator, opset, 600)["equal"] > 8000


def test_onnxruntime_drops_last_windows_in_every_opset():
    """The text before 22 keeps a window that sees counted padding alone: a row of zeros."""
    attributes = {
        "kernel_shape": [2], "strides": [2], "pads": [1, 1], "ceil_mode": 1,
        "count_include_pad": 1,
    }  # fmt: skip
    padding = OnnxPool(pads=(1, 1), ceil_mode=True, opset=19)
    case, x = one_node("AveragePool", 19, (1,), padding, attributes, counted=True)
    assert case.expected(x)[0].tolist() == [[[0.5, 0]]]
    assert onnxruntime_outputs([case], x)[0][0].tolist() == [[[0.5]]]
    assert case.expected(x, case.by_opset_22())[0].tolist() == [[[0.5]]]


def test_onnxruntime_forgets_the_dilation_in_same():
    attributes = {"kernel_shape": [2], "dilations": [3], "auto_pad": "SAME_UPPER"}
    case, x = one_node("MaxPool", 22, (4,), OnnxPool("SAME_UPPER"), attributes)
    assert case.expected(x)[0].tolist() == [[[3, 4, 2, 3]]]
    # One padded sample instead of three, so that two windows fit.
    assert onnxruntime_outputs([case], x)[0][0].tolist() == [[[4, 2]]]
    assert equal(onnxruntime_outputs([case], x)[0], case.expected(x, case.same_without_dilation()))


def test_onnxruntime_crops_where_same_has_nothing_to_pad():
    """n=3, K=1, s=3: the total is −2, which ONNX's text does not have; half is cropped."""
    attributes = {"kernel_shape": [1], "strides": [3], "auto_pad": "SAME_UPPER"}
    for operator, opset in (("MaxPool", 22), ("AveragePool", 22)):
        case, x = one_node(operator, opset, (3,), OnnxPool("SAME_UPPER"), attributes)
        assert case.expected(x)[0].tolist() == [[[1]]]
        assert onnxruntime_outputs([case], x)[0][0].tolist() == [[[2]]]
    case, x = one_node("AveragePool", 11, (3,), OnnxPool("SAME_UPPER", opset=11), attributes)
    with pytest.raises(Exception, match="padding values must be non-negative"):
        onnxruntime_outputs([case], x)


def test_onnxruntime_has_numbers_for_windows_without_a_sample():
    """Refused here: there −∞ is −3.4e38, and 0/0 is 0."""
    attributes = {"kernel_shape": [2], "strides": [2], "pads": [1, 1], "dilations": [2]}
    for operator, value in (("MaxPool", -np.finfo(np.float32).max), ("AveragePool", 0.0)):
        case, x = one_node(operator, 22, (1,), OnnxPool(pads=(1, 1)), attributes)
        with pytest.raises(GeometryError, match="padding must leave a"):
            case.layer.operator((1,))
        theirs = onnxruntime_outputs([case], x)[0]
        assert float(theirs[0][0, 0, 0]) == float(np.float32(value))


def test_onnxruntime_has_outputs_where_no_window_fits():
    """Empty tensors, or one output where N − E lies between −s and 0, as C divides."""
    for stride, shape in ((1, (1, 1, 0)), (2, (1, 1, 1))):
        attributes = {"kernel_shape": [2], "strides": [stride], "auto_pad": "VALID"}
        case, x = one_node("AveragePool", 22, (1,), OnnxPool("VALID"), attributes)
        with pytest.raises(GeometryError, match="output size must be >= 1"):
            case.layer.operator((1,))
        assert onnxruntime_outputs([case], x)[0][0].shape == shape


def reference_departs(case):
    """Where onnx 1.23's own evaluator is another function than its text."""
    if case.is_same:
        return case.operator == "MaxPool" or case.is_ceil or case.is_dilated or negative_total(case)
    if case.operator == "MaxPool":
        # With all strides 1 and no dilation another code path runs.
        return max(case.layer.stride) == 1 and not case.is_dilated
    dilated_valid = case.is_dilated and case.attributes.get("auto_pad") == "VALID"
    return case.is_ceil or dilated_valid


@pytest.mark.parametrize(
    ("operator", "opset"),
    [("MaxPool", 8), ("MaxPool", 22), ("AveragePool", 7), ("AveragePool", 22)],
)
def test_onnx_reference_evaluator(operator, opset):
    compared = 0
    for x, found in cases(operator, opset, 20, n_nodes=15):
        for case in found:
            expected = case.expected(x)
            if expected is None or reference_departs(case):
                continue
            assert equal(expected, reference_outputs(case, x)), case
            compared += 1
    assert compared > 100


@pytest.mark.parametrize(
    ("operator", "opset", "size", "pads", "attributes", "theirs"),
    [
        # The flat index of another channel, or of a sample that is not there.
        ("MaxPool", 8, (2,), (0, 1), {"kernel_shape": [2], "strides": [1]}, [[[2]]]),
        ("AveragePool", 19, (5,), None,
         {"kernel_shape": [2], "strides": [1], "dilations": [2], "auto_pad": "VALID"}, None),
        ("AveragePool", 22, (2,), (2, 0),
         {"kernel_shape": [3], "strides": [3], "ceil_mode": 1}, None),
    ],
)  # fmt: skip
def test_where_the_reference_evaluator_departs(operator, opset, size, pads, attributes, theirs):
    given_pads = {} if pads is None else {"pads": list(pads)}
    ceil_mode = bool(attributes.get("ceil_mode"))
    padding = OnnxPool(attributes.get("auto_pad", "NOTSET"), pads, ceil_mode, opset)
    case, x = one_node(operator, opset, size, padding, attributes | given_pads)
    assert reference_departs(case)
    found = reference_outputs(case, x)
    assert not equal(case.expected(x), found)
    assert theirs is None or found[0].tolist() == theirs
    # onnxruntime agrees with the text.
    assert equal(case.expected(x), onnxruntime_outputs([case], x)[0])


@pytest.mark.parametrize(("operator", "opset"), [("MaxPool", 12), ("AveragePool", 19)])
def test_files_are_read_as_their_conventions(operator, opset):
    onnx = pytest.importorskip("onnx")
    compared = 0
    for _, found in cases(operator, opset, 15):
        for case in found:
            op = case.operator_or_none()
            if op is None:
                continue
            node = onnx.helper.make_node(operator, ["x"], ["y"], **case.attributes)
            read = onnx_windows.pool(operator, Attributes(node), case.size, opset)
            other = read.operator(case.size)
            assert other.exact() == op.exact()
            compared += 1
    assert compared > 100


# PyTorch


@st.composite
def torch_spellings(draw):
    rank = draw(st.sampled_from((1, 2, 3)))
    kernel = draw(per_axis(rank, st.integers(1, KERNELS[rank])))
    ceil_mode = draw(st.booleans())
    padding = [TorchPool(draw(st.integers(0, k // 2)), ceil_mode) for k in kernel]
    stride = draw(per_axis(rank, st.integers(1, 3)))
    size = draw(per_axis(rank, st.integers(1, SIZES[rank])))
    return kernel, stride, padding, size


@given(torch_spellings(), st.booleans(), st.none() | st.integers(1, 5), st.integers(0, 2**32 - 1))
@examples(400)
def test_pytorch(torch, spelled, counted, divisor, seed):
    kernel, stride, padding, size = spelled
    rank = len(kernel)
    layers = [
        sc.MaxPool(kernel, stride=stride, padding=padding),
        sc.AvgPool(
            kernel, stride=stride, padding=padding, count_include_pad=counted,
            divisor_override=divisor if rank > 1 else None,
        ),
    ]  # fmt: skip
    x = integers((2, 3, *size), seed, -4, 4).astype(np.float64) * AVERAGED
    pads, ceil_mode = [each.padding for each in padding], padding[0].ceil_mode
    for layer in layers:
        average = isinstance(layer, sc.AvgPool)
        name = f"{'avg' if average else 'max'}_pool{rank}d"
        options = {"ceil_mode": ceil_mode}
        if average:
            options["count_include_pad"] = counted
        if average and rank > 1:
            options["divisor_override"] = divisor
        pool = getattr(torch.nn.functional, name)
        refused = "too small|Invalid computed output size|smaller than kernel"
        try:
            op = layer.operator(size)
        except GeometryError:
            with pytest.raises(RuntimeError, match=refused):
                pool(torch.from_numpy(x), kernel, stride, pads, **options)
            continue
        if average and rank == 3 and any(n < k for n, k in zip(size, kernel, strict=True)):
            # This one compares the kernel with the input before its padding.
            with pytest.raises(RuntimeError, match="smaller than kernel"):
                pool(torch.from_numpy(x), kernel, stride, pads, **options)
            continue
        given_x = torch.from_numpy(x).requires_grad_()
        expected = pool(given_x, kernel, stride, pads, **options)
        assert np.array_equal(op.apply(x), expected.detach().numpy())
        y = integers(expected.shape, seed + 1).astype(np.float64) * AVERAGED
        expected.backward(torch.from_numpy(y))
        found = op.T.apply(y) if average else op.gradient(x, y)
        assert np.array_equal(found, given_x.grad.numpy())


@given(torch_spellings(), st.integers(0, 2**32 - 1))
@examples(200)
def test_pytorch_before_46558(spelled, seed):
    """With padding it is PyTorch 2's rule; without, an extra window sees nothing: refused, or 0."""
    kernel, stride, _, size = spelled
    for amount in (0, 1):
        pads = [min(amount, k // 2) for k in kernel]
        older = tuple(TorchPool(p, True, "before 46558") for p in pads)
        newer = tuple(TorchPool(p, True) for p in pads)
        layer = sc.AvgPool(kernel, stride=stride, padding=older, divisor_override=1)
        other = replace(layer, padding=newer)
        try:
            op = other.operator(size)
        except GeometryError:
            assume(False)
        kept = layer.output_size(size)
        if kept == op.output_shape:
            assert layer.operator(size).exact() == op.exact()
            continue
        assert 0 in pads
        with pytest.raises(GeometryError, match="padding must leave a sample"):
            sc.MaxPool(kernel, stride=stride, padding=older).operator(size)
        with pytest.raises(GeometryError, match="padding must leave a cell to count"):
            sc.AvgPool(kernel, stride=stride, padding=older).operator(size)
        x = integers((2, *size), seed)
        y = layer.operator(size).apply(x)
        shared = tuple(map(slice, op.output_shape))
        assert np.array_equal(y[(slice(None), *shared)], op.apply(x))
        y[(slice(None), *shared)] = 0
        assert not y.any()


@given(pool_cases(), st.integers(0, 2**32 - 1))
@examples(300)
def test_the_gradient_of_an_average_is_pytorchs(case, seed):
    """Asymmetric padding and dilation as well: the loops decide where PyTorch has none."""
    layer, size = case
    try:
        op = layer.operator(size)
    except GeometryError:
        assume(False)
    scale = int(sympy.ilcm(*map(int, op.oriented.linear.divisor.ravel()), 1))
    y = integers((2, *op.output_shape), seed) * scale
    arguments = layer.kernel_size, layer.stride, layer.padding, layer.dilation, layer.ceil_mode
    counting = layer.count_include_pad, layer.divisor_override
    expected = oracles.avg_pool_gradient(y, size, *arguments, *counting)
    found = op.T.apply(y)
    assert all(isinstance(entry, Fraction) for entry in found.ravel())
    assert np.array_equal(found, expected)
    assert np.array_equal(op.T.apply(y.astype(np.float64)), expected.astype(np.float64))
    x = integers((2, *size), seed + 1)
    assert (op.apply(x) * y).sum() == (x * found).sum()


def test_the_gradient_under_ceil_mode():
    """pytorch#198119: the window that hangs over divides by the one sample that it has."""
    layer = sc.AvgPool1d(2, stride=2, ceil_mode=True)
    ones = np.ones(3, dtype=np.int64)
    assert layer.operator((5,)).T.apply(ones).tolist() == [Fraction(1, 2)] * 4 + [1]
    spelled = replace(layer, padding=TorchPool(0, True), ceil_mode=False)
    assert spelled.operator((5,)) == layer.operator((5,))


# The threads

VECTORS = json.loads((Path(__file__).parent / "vectors" / "regressions.json").read_text())[
    "vectors"
]
#: What the sweeps found has inputs of its own: see test_vectors_engines.
POOLINGS = [
    vector
    for vector in VECTORS
    if vector["kind"] in ("max_pool", "avg_pool") and not vector["id"].startswith("sweep of")
]


def test_every_thread_about_pooling_has_its_vector():
    assert {vector["id"] for vector in POOLINGS} == {
        "pytorch#45357", "burn#5791", "pytorch#183528", "onnxruntime PR#29631",
        "coremltools PR#2844", "pytorch#198119", "tvm PR#18641",
    }  # fmt: skip


def vector_input(vector):
    size = vector["input_size"]
    start = vector.get("input", {}).get("start", 0)
    return (np.arange(np.prod(size)) + start).reshape(1, 1, *size).astype(np.float64)


def as_floats(nested, dtype=np.float64):
    """The correctly rounded entries, as one division of exact sums gives them."""
    entries = np.array(nested, dtype=object)
    quotients = [Fraction(entry) for entry in entries.ravel()]
    rounded = [dtype(q.numerator) / dtype(q.denominator) for q in quotients]
    return np.array(rounded, dtype=dtype).reshape(entries.shape)


@pytest.mark.parametrize("vector", POOLINGS, ids=lambda vector: vector["id"])
def test_vectors_by_pytorch(torch, vector):
    described, expected = vector["layer"], vector["expected"]
    pads = [pair[0] for pair in described["padding"]]
    if any(lo != hi for lo, hi in described["padding"]):
        pytest.skip("PyTorch pads both sides alike")
    rank, average = len(pads), described["type"] == "avg_pool"
    padding = [TorchPool(p, described["ceil_mode"]) for p in pads]
    options = {"ceil_mode": described["ceil_mode"]}
    if average:
        options["count_include_pad"] = described["count_include_pad"]
    pool = getattr(torch.nn.functional, f"{'avg' if average else 'max'}_pool{rank}d")
    x = torch.from_numpy(vector_input(vector)).requires_grad_()
    y = pool(x, described["kernel_size"], described["stride"], pads, **options)
    layer = layer_of(
        "AveragePool" if average else "MaxPool", described["kernel_size"], described["stride"],
        padding, described["dilation"],
    )  # fmt: skip
    assert list(layer.output_size(vector["input_size"])) == expected["size"] == list(y.shape[2:])
    op = layer.operator(vector["input_size"])
    if "values" in expected:
        wanted = as_floats(expected["values"])
        assert np.array_equal(y.detach().numpy()[0, 0], wanted)
        assert np.array_equal(op.apply(vector_input(vector))[0, 0], wanted)
    if "indices" in expected:
        places = pool(x, described["kernel_size"], described["stride"], pads,
                      ceil_mode=described["ceil_mode"], return_indices=True)[1]  # fmt: skip
        assert places[0, 0].tolist() == expected["indices"]
    if "input_gradient" in expected:
        y.sum().backward()
        wanted = as_floats(expected["input_gradient"])
        assert np.array_equal(x.grad.numpy()[0, 0], wanted)
        assert np.array_equal(op.T.apply(np.ones(op.output_shape)), wanted)


@pytest.mark.parametrize(
    "vector", [v for v in POOLINGS if "values" in v["expected"]], ids=lambda vector: vector["id"]
)
def test_vectors_by_onnxruntime(vector):
    described, expected = vector["layer"], vector["expected"]
    operator = {"avg_pool": "AveragePool", "max_pool": "MaxPool"}[described["type"]]
    attributes = {
        "kernel_shape": described["kernel_size"], "strides": described["stride"],
        "dilations": described["dilation"], "ceil_mode": int(described["ceil_mode"]),
        "pads": [pair[end] for end in (0, 1) for pair in described["padding"]],
    }  # fmt: skip
    counted = described.get("count_include_pad")
    if counted is not None:
        attributes["count_include_pad"] = int(counted)
    padding = [OnnxPool(pads=tuple(pair), ceil_mode=True) for pair in described["padding"]]
    size = tuple(vector["input_size"])
    case, _ = one_node(operator, 22, size, padding, attributes, counted)
    x = vector_input(vector).astype(np.float32)
    theirs = onnxruntime_outputs([case], x)[0]
    assert np.array_equal(theirs[0][0, 0], as_floats(expected["values"], np.float32))
    assert equal(case.expected(x), theirs)
    if "indices" in expected:
        assert theirs[1][0, 0].tolist() == expected["indices"]


# Keras and XLA


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("name", ["valid", "same"])
def test_keras_on_jax(rank, name):
    os.environ.setdefault("KERAS_BACKEND", "jax")
    pytest.importorskip("jax")
    ops = pytest.importorskip("keras").ops
    if pytest.importorskip("keras").backend.backend() != "jax":
        pytest.skip("Keras was loaded on another backend")
    rng = random.Random(rank)
    compared = 0
    while compared < 12:
        size = tuple(rng.randint(1, SIZES[rank]) for _ in range(rank))
        kernel = tuple(rng.randint(1, KERNELS[rank]) for _ in range(rank))
        stride = tuple(rng.randint(1, 3) for _ in range(rank))
        x = integers((2, 2, *size), rng.randint(0, 9**9), -4, 4).astype(np.float32) * AVERAGED
        for kind, pool in ((sc.MaxPool, ops.max_pool), (sc.AvgPool, ops.average_pool)):
            layer = kind(kernel, stride=stride, padding=KerasConv(name))
            try:
                op = layer.operator(size)
            except GeometryError:
                continue
            theirs = pool(np.moveaxis(x, 1, -1), kernel, stride, name, "channels_last")
            assert np.array_equal(op.apply(x), np.moveaxis(np.asarray(theirs), -1, 1)), layer
            compared += 1


def test_xla_reduce_window():
    lax = pytest.importorskip("jax.lax")
    rng = random.Random(7)
    compared = 0
    for _ in range(60):
        n, k, s, d = rng.randint(1, 8), rng.randint(1, 4), rng.randint(1, 3), rng.randint(1, 2)
        spread = rng.choice((1, 1, 2))
        padding = (rng.randint(0, 2), rng.randint(0, 2))
        if spread == 1 and rng.random() < 0.5:
            padding = rng.choice(("SAME", "VALID", "SAME_LOWER"))
        convention = XlaConv(padding, spread)
        options = {"stride": s, "padding": convention, "dilation": d}
        x = integers((n,), rng.randint(0, 9**9), -4, 4).astype(np.float32) * AVERAGED
        try:
            (axis,) = resolve_axes(convention, (n,), (k,), s, d)
        except GeometryError:
            continue
        # Explicit pairs: JAX refuses names with a base dilation.
        pairs = [(axis.pad_lo, axis.pad_hi)]

        def reduced(values, start, function, pairs=pairs, k=k, s=s, d=d, spread=spread):
            window = {"base_dilation": (spread,), "window_dilation": (d,)}
            return np.asarray(
                lax.reduce_window(values, start, function, (k,), (s,), pairs, **window)
            )

        counts = reduced(np.ones_like(x), np.float32(0), lax.add)
        sums, largest = reduced(x, np.float32(0), lax.add), reduced(x, -np.inf, lax.max)
        average = sc.AvgPool((k,), count_include_pad=False, **options)
        if (counts == 0).any():
            for layer in (average, sc.MaxPool((k,), **options)):
                with pytest.raises(GeometryError, match="padding must leave a"):
                    layer.operator((n,))
            continue
        assert np.array_equal(average.operator((n,)).apply(x), sums / counts)
        assert np.array_equal(sc.MaxPool((k,), **options).operator((n,)).apply(x), largest)
        compared += 1
    assert compared > 25


# The parameter itself


def test_a_layer_with_a_convention_prints_as_its_call():
    for layer in (
        sc.AvgPool((3,), stride=2, padding=KerasConv("same")),
        sc.AvgPool((3, 2), padding=(OnnxPool(pads=(0, 1)), OnnxPool()), count_include_pad=True),
        sc.MaxPool((2,), padding=TorchPool(1, ceil_mode=True)),
        sc.AvgPool((2,), padding=(KerasConv(), )),
        sc.AvgPool((2, 2), padding=[KerasConv(), TorchPool()], count_include_pad=False),
    ):  # fmt: skip
        names = {"AvgPool": sc.AvgPool, "MaxPool": sc.MaxPool, "KerasConv": KerasConv}
        names |= {"OnnxPool": OnnxPool, "TorchPool": TorchPool}
        again = eval(repr(layer), {"__builtins__": {}}, names)  # noqa: S307 - our own repr
        assert again == layer
        assert hash(again) == hash(layer)
    assert "count_include_pad" not in repr(sc.AvgPool((2,), padding=KerasConv("same")))
    assert "count_include_pad=False" in repr(sc.AvgPool((2,), count_include_pad=False))
    assert sc.AvgPool((2,)) == sc.AvgPool((2,), count_include_pad=True)


def test_who_counts_the_padding():
    counted = {
        convention: sc.AvgPool((2,), padding=convention).count_include_pad
        for convention in (TorchPool(), OnnxPool(), KerasConv(), XlaConv())
    }
    assert list(counted.values()) == [True, False, False, True]


def test_sizes_that_are_symbols():
    n = sympy.Symbol("n", integer=True, positive=True)
    same = sc.MaxPool((3,), stride=2, padding=KerasConv("same"))
    named = sc.MaxPool((3,), stride=2, padding="same_upper")
    assert same.output_size((n,)) == named.output_size((n,)) == (sympy.floor((n + 1) / 2),)
    assert same.input_sizes((4,)) == ((7, 8),)
    older = sc.MaxPool((2,), stride=3, padding=OnnxPool(ceil_mode=True, opset=12))
    for size in range(1, 9):
        assert older.output_size((n,))[0].subs(n, size) == older.output_size((size,))[0]
    with pytest.raises(ParameterError, match="input size must be given: padding KerasConv"):
        same.relation(0)
    assert older.relation(0).pad_hi == 0


def test_the_convention_is_the_named_amount():
    for name, convention in (("same_upper", KerasConv("same")), ("valid", XlaConv("VALID"))):
        for size in range(3, 9):
            spelled = sc.MaxPool((3,), stride=2, padding=convention).operator((size,))
            assert spelled == sc.MaxPool((3,), stride=2, padding=name).operator((size,))


@pytest.mark.parametrize(
    ("options", "kind", "match"),
    [
        (
            {"padding": (KerasConv(), 1)},
            ParameterTypeError,
            "a convention on every axis or on none",
        ),
        ({"padding": [KerasConv()] * 3}, ParameterError, r"one convention per axis \(2\), got 3"),
        ({"padding": [KerasConv()]}, ParameterError, r"one convention per axis \(2\), got 1"),
        ({"padding": KerasConvTranspose()}, ParameterError, "must be a convention of pooling"),
        ({"padding": KerasConv(), "ceil_mode": True}, ParameterError, "ceil_mode must be left"),
        ({"padding": TorchPool(2)}, ParameterError, "padding must be at most half of the kernel"),
        ({"padding": TorchPool(np.array([0, 1]))}, ParameterTypeError, "none with arrays"),
        ({"padding": OnnxPool(opset=9), "dilation": 2}, ParameterError, "dilation must be 1"),
        ({"padding": KerasConv}, ParameterTypeError, "padding must be an integer"),
    ],
)
def test_bad_conventions(options, kind, match):
    for layer in (sc.MaxPool, sc.AvgPool):
        with pytest.raises(kind, match=match):
            layer((3, 3), **options)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"padding": KerasConv(), "count_include_pad": True}, "count_include_pad must be False in"),
        ({"padding": TorchPool(), "dilation": 2}, "dilation must be 1 for average pooling"),
        ({"padding": OnnxPool(opset=18), "dilation": 2}, "opset must be >= 19"),
        ({"padding": OnnxPool(opset=6), "count_include_pad": True}, "opset must be >= 7"),
        ({"padding": (OnnxPool(), TorchPool())}, "count_include_pad must be given"),
        ({"padding": OnnxPool(), "divisor_override": 0}, "divisor_override must be >= 1"),
    ],
)
def test_averages_that_a_framework_does_not_have(options, match):
    with pytest.raises(ParameterError, match=match) as caught:
        sc.AvgPool((2, 2), **options)
    assert "(AvgPool((2, 2)" in str(caught.value)


def test_a_convention_without_windows_is_refused_at_its_size():
    layer = sc.MaxPool((3,), padding=OnnxPool())
    with pytest.raises(GeometryError, match="output size must be >= 1"):
        layer.operator((2,))
    spread = sc.MaxPool((1,), stride=1, padding=XlaConv((0, 0), 2))
    with pytest.raises(GeometryError, match="padding must leave a sample in every window"):
        spread.operator((2,))


def test_plain_conventions_serve_as_well():
    assert sc.MaxPool((2,), padding=OnnxConv(pads=(1, 0))).operator((3,)).apply(
        [1, 2, 3]
    ).tolist() == [1, 3]
    with pytest.raises(SymconvError, match="pads"):
        OnnxConv(pads=(-1, 0))


# Where the rules differ


def test_where_the_rules_of_ceil_mode_differ():
    amount = sympy.Symbol("p", integer=True, nonnegative=True)
    older = TorchPool(amount, True, "before 46558")
    every = OnnxPool(pads=(amount, amount), ceil_mode=True, opset=21)
    for first, second, smallest in (
        (older, TorchPool(amount), {"n": 1, "K": 2, "s": 2, "d": 1, "p": 0}),
        (every, older, {"n": 1, "K": 2, "s": 2, "d": 1, "p": 1}),
        (older, TorchPool(amount, True), {"n": 2, "K": 1, "s": 2, "d": 1, "p": 0}),
    ):
        found = where_conventions_differ(first, second)
        assert found.verdict.status == "PROVED"
        assert {name: found.example[name] for name in smallest} == smallest
        wrong = where_conventions_differ(first, second, condition=sympy.Eq(amount, 0))
        assert wrong.verdict.status == "REFUTED"
