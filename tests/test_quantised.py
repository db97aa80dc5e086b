"""Quantised convolutions: against ONNX Runtime and loops; accumulators at their exact edges."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import strategies
from checking import oracle_apply, oracle_matrix
from hypothesis import given, strategies as st

import symconv as sc
from symconv.errors import DTypeError, ParameterError, ParameterTypeError, ShapeError
from symconv.quantised import Accumulator, accumulator, quantised_apply, worst_accumulator


@strategies.examples(60)
@given(strategies.conv_cases() | strategies.transpose_cases(), st.integers(0, 2**32), st.data())
def test_zero_points_stand_for_zero_at_every_border(case, seed, data):
    layer, size = case
    op, rng = layer.operator(size), np.random.default_rng(seed)
    kinds = [np.uint8, np.int8, np.uint16, np.int32, np.uint32]
    x_kind, w_kind = (data.draw(st.sampled_from(kinds)) for _ in range(2))
    x, w = (
        rng.integers(np.iinfo(k).min, np.iinfo(k).max, shape, dtype=k, endpoint=True)
        for k, shape in ((x_kind, (2, *op.input_shape)), (w_kind, op.weight_shape))
    )
    x_zero = data.draw(st.integers(int(np.iinfo(x_kind).min), int(np.iinfo(x_kind).max)))
    w_zero = rng.integers(-9, 9, op.output_shape[0])
    channel = np.arange(op.output_shape[0])
    zeros = np.zeros(op.weight_shape, dtype=object)
    if isinstance(layer, sc.ConvTranspose):
        per_group = op.weight_shape[1]
        group = np.arange(len(w)) // (len(w) // layer.groups)
        for row, column in np.ndindex(*op.weight_shape[:2]):
            zeros[row, column] = w_zero[group[row] * per_group + column]
    else:
        zeros[channel] = w_zero.reshape(-1, *(1,) * (w.ndim - 1))
    expected = oracle_apply(layer, x.astype(object) - x_zero, w.astype(object) - zeros)
    found = quantised_apply(op, x, w, x_zero_point=x_zero, weight_zero_point=w_zero)
    assert np.array_equal(found, expected)


ONNX_SETTINGS = list(itertools.product((1, 2), (1, 3), ((1, 1), (2, 1)), ((0, 0), (1, 2)), (1, 2)))


@pytest.mark.parametrize("x_kind", [np.uint8, np.int8])
@pytest.mark.parametrize("w_kind", [np.uint8, np.int8])
@pytest.mark.parametrize("engine", ["runtime", "reference"])
def test_conv_integer_of_onnx(x_kind, w_kind, engine):
    """ConvInteger pads with the zero point, which adds nothing: both implementations do."""
    onnx = pytest.importorskip("onnx")
    from onnx import helper, numpy_helper  # noqa: PLC0415

    rng = np.random.default_rng(5)
    types = {np.uint8: onnx.TensorProto.UINT8, np.int8: onnx.TensorProto.INT8}
    for groups, kernel, stride, (lo, hi), dilation in ONNX_SETTINGS:
        layer = sc.Conv2d(
            2 * groups, 4, kernel, stride=stride, padding=((lo, hi), (hi, lo)), groups=groups,
            dilation=dilation, bias=False,
        )  # fmt: skip
        op = layer.operator((6, 7))
        x = rng.integers(np.iinfo(x_kind).min, np.iinfo(x_kind).max, (2, *op.input_shape), x_kind)
        w = rng.integers(np.iinfo(w_kind).min, np.iinfo(w_kind).max, op.weight_shape, w_kind)
        x_zero, w_zero = x_kind(rng.integers(1, 99)), w_kind(rng.integers(1, 99))
        node = helper.make_node(
            "ConvInteger", ["x", "w", "zx", "zw"], ["y"], strides=list(stride), group=groups,
            pads=[lo, hi, hi, lo], dilations=[dilation] * 2,
        )  # fmt: skip
        constants = [
            numpy_helper.from_array(np.asarray(array), name)
            for array, name in ((w, "w"), (x_zero, "zx"), (w_zero, "zw"))
        ]
        graph = helper.make_graph(
            [node], "g",
            [helper.make_tensor_value_info("x", types[x_kind], list(x.shape))],
            [helper.make_tensor_value_info("y", onnx.TensorProto.INT32, None)],
            constants,
        )  # fmt: skip
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 10)], ir_version=8)
        expected = run_onnx(model, engine, x)
        if expected is None:
            pytest.skip("ONNX Runtime has no ConvInteger for these types")
        found = quantised_apply(op, x, w, x_zero_point=int(x_zero), weight_zero_point=int(w_zero))
        assert np.array_equal(found, expected)


def run_onnx(model, engine, x):
    if engine == "reference":
        from onnx.reference import ReferenceEvaluator  # noqa: PLC0415

        return ReferenceEvaluator(model).run(None, {"x": x})[0]
    runtime = pytest.importorskip("onnxruntime")
    try:
        session = runtime.InferenceSession(
            model.SerializeToString(), providers=["CPUExecutionProvider"]
        )
    except runtime.capi.onnxruntime_pybind11_state.NotImplemented:
        return None
    return session.run(None, {"x": x})[0]


def test_padding_with_the_number_zero_is_something_else():
    """The near miss: padding stored zeros, not the zero point."""
    op = sc.Conv1d(1, 1, 3, padding=1, bias=False).operator((3,))
    x, w = np.array([[5, 6, 7]], dtype=np.uint8), [[[1, 1, 1]]]
    right = quantised_apply(op, x, w, x_zero_point=5)
    assert right.tolist() == [[1, 3, 3]]
    wrong = sc.Conv1d(1, 1, 3, bias=False).operator((5,)).apply(np.pad(x, ((0, 0), (1, 1))) - 5, w)
    assert wrong.tolist() != right.tolist()


def test_bias_is_in_units_of_the_accumulators():
    op = sc.Conv1d(1, 2, 1).operator((2,))
    found = quantised_apply(op, [[3, 4]], [[[2]], [[3]]], [10, 20], x_zero_point=3)
    assert found.tolist() == [[10, 12], [20, 23]]


# -- accumulators ------------------------------------------------------------------------------


def corners(op, least, most):
    """Every input of extremes."""
    n = int(np.prod(op.input_shape))
    grid = np.array(list(itertools.product((least, most), repeat=n)))
    return grid.reshape(-1, *op.input_shape)


SMALL = {
    "zeros": (sc.Conv1d(1, 2, 3, padding=2, bias=False), (4,)),
    "stride": (sc.Conv2d(1, 1, 2, stride=2, padding=1, bias=False), (3, 3)),
    "circular": (sc.Conv1d(2, 2, 3, padding=2, padding_mode="circular", bias=False), (3,)),
    "reflect": (sc.Conv1d(1, 1, 4, padding=2, padding_mode="reflect", bias=False), (3,)),
    "groups": (sc.Conv1d(4, 4, 2, groups=2, padding=1, bias=False), (2,)),
    "transposed": (sc.ConvTranspose1d(2, 1, 3, stride=2, padding=1, bias=False), (3,)),
}


@pytest.mark.parametrize(("layer", "size"), SMALL.values(), ids=SMALL)
@pytest.mark.parametrize("x_range", [(0, 3), (-4, 3), (2, 5), (-5, -1), (0, 0)])
def test_the_range_is_what_all_corners_reach(layer, size, x_range):
    op = layer.operator(size)
    for seed in range(5):
        w = np.random.default_rng(seed).integers(-7, 8, op.weight_shape)
        for turned in (op, op.T):
            y = turned.apply(corners(turned, *x_range), w)
            found = accumulator(turned, w, x_range)
            assert (found.least, found.most) == (y.min(), y.max())


@strategies.examples(60)
@given(strategies.conv_cases() | strategies.transpose_cases(), st.integers(0, 2**32))
def test_the_range_is_that_of_the_matrix(case, seed):
    layer, size = case
    op, rng = layer.operator(size), np.random.default_rng(seed)
    w, zeros = rng.integers(-99, 99, op.weight_shape), rng.integers(-9, 9, op.output_shape[0])
    if isinstance(layer, sc.ConvTranspose):
        zeros = int(zeros[0])
    least, most = sorted(rng.integers(-300, 300, 2).tolist())
    shift = zeros if np.ndim(zeros) == 0 else zeros.reshape(-1, *(1,) * (w.ndim - 1))
    dense = oracle_matrix(layer, size, w - shift).astype(np.int64)
    extremes = np.array([dense * (least - 7), dense * (most - 7)])
    found = accumulator(op, w, (least, most), x_zero_point=7, weight_zero_point=zeros)
    assert found.most == extremes.max(axis=0).sum(axis=1).max()
    assert found.least == extremes.min(axis=0).sum(axis=1).min()


def test_one_bit_less_overflows_and_the_input_is_shown():
    op = sc.Conv2d(3, 2, 3, padding=1, bias=False).operator((5, 5))
    w = np.random.default_rng(2).integers(-128, 128, op.weight_shape)
    found = accumulator(op, w, (0, 255))
    bits = found.bits
    assert -(2 ** (bits - 1)) <= found.least <= found.most < 2 ** (bits - 1)
    row = op.sparse(w, dtype=np.int64).toarray()
    sign = 1 if found.most >= -found.least else -1
    worst = int((sign * row).clip(min=0).sum(axis=1).argmax())
    x = np.where(sign * row[worst] > 0, 255, 0).reshape(op.input_shape)
    reached = int(op.apply(x, w).ravel()[worst])
    assert reached == (found.most if sign > 0 else found.least)
    assert not -(2 ** (bits - 2)) <= reached < 2 ** (bits - 2)


def test_borders_count():
    """Inside, the third tap takes away what the others add; at the border it reads padding."""
    op = sc.Conv1d(1, 1, 3, padding=1, bias=False).operator((6,))
    found = accumulator(op, [[[1, 1, -4]]], (10, 20))
    assert found == Accumulator(-70, 40)
    inside = sc.Conv1d(1, 1, 3, bias=False).operator((6,))
    assert accumulator(inside, [[[1, 1, -4]]], (10, 20)).most == 0


def test_partial_sums_can_be_larger():
    """Two taps that read one sample cancel, one after the other."""
    op = sc.Conv1d(1, 1, 2, padding=((1, 0),), padding_mode="replicate", bias=False).operator((1,))
    assert accumulator(op, [[[5, -5]]], (0, 255)) == Accumulator(0, 0)
    assert accumulator(op, [[[5, -5]]], (0, 255), partial=True) == Accumulator(-1275, 1275)
    shifted = accumulator(op, [[[5, 5]]], (3, 4), partial=True)
    assert shifted == Accumulator(0, 40)


def test_bias_moves_the_range():
    op = sc.Conv1d(1, 2, 1).operator((3,))
    assert accumulator(op, [[[1]], [[2]]], (0, 10), [100, -100]) == Accumulator(-100, 110)
    assert accumulator(op, [[[1]], [[2]]], (1, 10), [9, -9], partial=True) == Accumulator(-9, 20)


@pytest.mark.parametrize(("x_bits", "x_signed"), [(1, False), (2, True), (2, False)])
@pytest.mark.parametrize(("w_bits", "w_signed"), [(1, False), (2, True), (1, True)])
def test_the_worst_case_is_what_all_weights_reach(x_bits, x_signed, w_bits, w_signed):
    layer = sc.Conv1d(1, 1, 2, padding=1, padding_mode="replicate", bias=False)
    op = layer.operator((2,))

    def values(bits, signed):
        return range(-(2 ** (bits - 1)), 2 ** (bits - 1)) if signed else range(2**bits)

    reached = [
        op.apply([x], [[w]])
        for x in itertools.product(values(x_bits, x_signed), repeat=2)
        for w in itertools.product(values(w_bits, w_signed), repeat=2)
    ]
    found = worst_accumulator(op, x_bits, w_bits, x_signed=x_signed, weight_signed=w_signed)
    assert (found.least, found.most) == (np.min(reached), np.max(reached))


def test_known_widths():
    """int8 by int8 with 2^k products takes 16 + k bits, one less but for (−128)²·2^k."""
    for k in range(6):
        op = sc.Conv1d(2**k, 1, 1, bias=False).operator((4,))
        assert worst_accumulator(op, 8, 8, x_signed=True).bits == 16 + k
        w = np.full(op.weight_shape, -127)
        assert accumulator(op, w, (-128, 127)).bits == 15 + k
    large = sc.Conv2d(512, 512, 3, bias=False).operator((9, 9))
    assert worst_accumulator(large, 8, 8).bits == 29
    assert worst_accumulator(large, 4096, 4096).bits > 8192


def test_large_numbers_stay_exact():
    op = sc.Conv1d(1, 1, 2, bias=False).operator((2,))
    assert accumulator(op, [[[2**70, -1]]], (-(2**70), 2**70)).most == 2**140 + 2**70
    found = quantised_apply(op, np.array([[2**64 - 1, 0]], dtype=np.uint64), [[[1, 1]]],
                            x_zero_point=-1)  # fmt: skip
    assert found.tolist() == [[2**64 + 1]]


BAD = [
    (lambda op: quantised_apply(op, [[0.5, 1]], [[[1, 1]]]), DTypeError, "x must hold integers"),
    (lambda op: quantised_apply(op, [[5, 1]], [[[1.0, 1]]]), DTypeError, "weight must hold int"),
    (lambda op: quantised_apply(op, [[5, 1]], [[1, 1]]), ShapeError, "weight must have shape"),
    (lambda op: quantised_apply(op, [[5]], [[[1, 1]]]), ShapeError, "x must have shape"),
    (
        lambda op: quantised_apply(op, [[5, 1]], [[[1, 1]]], x_zero_point=0.5),
        ParameterTypeError,
        "x_zero_point must be an integer",
    ),
    (
        lambda op: quantised_apply(op, [[5, 1]], [[[1, 1]]], weight_zero_point=[1, 2]),
        ShapeError,
        r"weight_zero_point must be one integer or have shape \(1,\)",
    ),
    (lambda op: accumulator(op, [[[1, 1]]], (3, 2)), ParameterError, "x_range must be"),
    (lambda op: accumulator(op, [[[1, 1]]], (3,)), ParameterError, "x_range must be"),
    (lambda op: accumulator(op, [[[1, 1]]], (0, 1), [1]), ParameterError, "bias must be left out"),
    (lambda op: worst_accumulator(op, 0, 8), ParameterError, "x_bits must be >= 1"),
    (lambda op: worst_accumulator(op, 8, 10**9), ParameterError, "weight_bits must be <= 4096"),
    (lambda op: worst_accumulator(op, 8, 8, x_signed=1), ParameterTypeError, "x_signed must be"),
]


@pytest.mark.parametrize(("call", "kind", "message"), BAD)
def test_bad_input(call, kind, message):
    op = sc.Conv1d(1, 1, 2, bias=False).operator((2,))
    with pytest.raises(kind, match=rf"^{message}.*\(Conv"):
        call(op)


def test_operators_that_cannot_be_quantised():
    pool = sc.AvgPool1d(2).operator((4,))
    with pytest.raises(ParameterError, match=r"^operator must have weights"):
        quantised_apply(pool, [1, 2, 3, 4], None)
    padded = sc.Conv1d(1, 1, 2, padding=1, padding_mode="constant", padding_value=3, bias=False)
    with pytest.raises(ParameterError, match=r"^padding_value must be 0"):
        accumulator(padded.operator((4,)), [[[1, 1]]], (0, 1))


def test_wrong_borders_are_caught(monkeypatch):
    """The planted mistake: only the fullest rows are looked at."""
    from symconv.execute import sums  # noqa: PLC0415

    original = sums.row_classes
    monkeypatch.setattr(sums, "row_classes", lambda axis: original(axis)[-1:])
    with pytest.raises(AssertionError):
        test_borders_count()
