"""Planted mistakes in pooling: each rule's mutant fails a check that the real code passes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import oracles
import pytest
from checking import check_pool, integers, pool_arguments

import symconv as sc
from symconv import incidence, maxpool, semirings
from symconv.boundary import OUTSIDE
from symconv.conventions import (
    KerasConv,
    OnnxPool,
    TorchPool,
    XlaConv,
    keras,
    onnx,
    padding_amount,
    pytorch,
)
from symconv.execute import pooling
from symconv.layers.pooling import AvgPool, PoolLayer
from symconv.relation import AxisRelation

CATALOGUE = [
    (sc.MaxPool((2, 3), stride=(2, 1), padding=((1, 0), (0, 1)), dilation=(1, 2)), (4, 6)),
    (sc.MaxPool((3,), stride=2, padding=1, ceil_mode=True), (6,)),
    (sc.MaxPool((2,), stride=2, ceil_mode=True), (5,)),
    (sc.MaxPool((1,), stride=2, ceil_mode=True), (6,)),
    (sc.MaxPool((2,), stride=2, padding=1, ceil_mode=True), (5,)),
    (sc.MaxPool((3,), dilation=2, stride=1, padding=((-1, 2),)), (7,)),
]
AVERAGES = [
    (sc.AvgPool((3, 3), stride=2, padding=1, ceil_mode=True), (4, 4)),
    (sc.AvgPool((3,), stride=2, padding=1, count_include_pad=False), (5,)),
    (sc.AvgPool((7,), stride=3, padding=((0, 3),), ceil_mode=True), (9,)),
    (sc.AvgPool((2,), stride=2, ceil_mode=True), (5,)),
    (sc.AvgPool((2,), stride=1, divisor_override=3), (4,)),
    (sc.AvgPool((2,), stride=1, dilation=3, padding=1), (7,)),
]


def check_average(layer, size):
    counting = {
        "count_include_pad": layer.count_include_pad, "divisor_override": layer.divisor_override,
    }  # fmt: skip
    geometry = layer.kernel_size, layer.stride, layer.padding, layer.dilation, layer.ceil_mode
    x = integers((2, *size))
    op = layer.operator(size)
    expected = oracles.avg_pool(x, *geometry, **counting)
    assert op.output_shape == expected.shape[1:]
    assert np.array_equal(op.apply(x), expected)
    y = integers((1, *op.output_shape), 1)
    gradient = oracles.avg_pool_gradient(y, size, *geometry, **counting)
    assert np.array_equal(op.T.apply(y), gradient)


def check_everything():
    for layer, size in CATALOGUE:
        assert layer.output_size(size) == oracles.pool_out_size(
            size, layer.kernel_size, layer.stride, layer.dilation, layer.padding, layer.ceil_mode
        )
        check_pool(layer, size)
        # All values below 0: what padding of 0 would show.
        x = -1 - np.abs(integers(size, 3))
        expected, _ = oracles.max_pool_places(x, *pool_arguments(layer))
        assert np.array_equal(layer.operator(size).apply(x), expected)
    for layer, size in AVERAGES:
        check_average(layer, size)


def test_the_catalogue_passes_unmutated():
    check_everything()
    assert len(CATALOGUE) == len(AVERAGES) == 6


ORIGINAL_OUTPUT = PoolLayer._output_on
ORIGINAL_COUNTS = AvgPool._counts
ORIGINAL_REDUCED = pooling._reduced
ORIGINAL_STORED = incidence._stored
ORIGINAL_PASSES = pooling.Passes.of.__func__
ORIGINAL_BACK = pooling.Passes.back.__func__
ORIGINAL_OPERATOR = AvgPool.operator


def plain_ceil(self, axis, n_in):
    """No last window is ever dropped."""
    if not self.ceil_mode:
        return ORIGINAL_OUTPUT(self, axis, n_in)
    return self.relation(axis, n_in).ceil_output_size(n_in)[0]


def floor_for_ceil(self, axis, n_in):
    return self.relation(axis, n_in).output_size(n_in)


def strictly_inside(self, axis, n_in):
    """The last window must start inside the input, its low padding forgotten."""
    n_out = ORIGINAL_OUTPUT(self, axis, n_in)
    relation = self.relation(axis, n_in)
    starts = relation.position(n_out - 1, 0)
    return n_out - (self.ceil_mode and starts >= n_in - relation.pad_lo)


def overhang_counted(self, number, axis):
    """Every tap counts, wherever it lies."""
    counts = ORIGINAL_COUNTS(self, number, axis)
    return (axis.n_taps,) * len(counts) if self.count_include_pad else counts


def data_counted(self, number, axis):
    """The explicit padding never counts."""
    table = incidence.axis_reads(axis, incidence.Boundary())
    return tuple(int(count) for count in (table != OUTSIDE).sum(axis=1))


def padding_counted(self, number, axis):
    """The explicit padding always counts."""
    return tuple(
        sum(bool(axis.relation.inside_padded(o, k, axis.n_in)) for k in range(axis.n_taps))
        for o in range(axis.n_out)
    )


def zeros_outside(ufunc, x, axis, passes, out=None):
    """Padding reads 0 for −∞: short windows are compared with it."""
    y = ORIGINAL_REDUCED(ufunc, x, axis, passes, out)
    reached = np.zeros(passes.n_out, dtype=int)
    for outputs, _ in (*passes.first, *passes.later):
        reached[outputs] += 1
    short = reached < reached.max()
    if ufunc is np.maximum and short.any():
        at = (slice(None),) * axis + (short,)
        y[at] = np.maximum(y[at], 0)
    return y


def overhang_read(axis, boundary, positions):
    """The overhang of ceil mode reads samples that a negative high padding cropped away."""
    return boundary.read(positions // axis.relation.input_dilation, axis.n_in)


def last_tap_forgotten(cls, table):
    return ORIGINAL_PASSES(cls, np.where(np.arange(table.shape[1]) == 2, OUTSIDE, table))


def last_of_equals(values, places, axis, passes, has_nan):
    """Ties go to the last sample: >= for >."""
    best = np.empty((*values.shape[:axis], passes.n_out, *values.shape[axis + 1 :]), values.dtype)
    where = np.empty(best.shape, dtype=places.dtype)
    for outputs, inputs in passes.first:
        at, read = pooling._on(axis, outputs), pooling._on(axis, inputs)
        best[at], where[at] = values[read], places[read]
    for outputs, inputs in passes.later:
        at, read = pooling._on(axis, outputs), pooling._on(axis, inputs)
        wins = values[read] >= best[at]
        best[at] = np.where(wins, values[read], best[at])
        where[at] = np.where(wins, places[read], where[at])
    return best, where


def one_tap_back(cls, table, n_in):
    """The adjoint sends what the first tap read, and nothing else."""
    return ORIGINAL_BACK(cls, table[:, :1], n_in)


def turned_tap_back(cls, table, n_in):
    """The adjoint reads the windows from their far end."""
    return ORIGINAL_BACK(cls, n_in - 1 - table[::-1], n_in)


def last_share_stays(x, y, tables):
    """Where several outputs take one sample, only the last one's share is kept."""
    _, places = pooling.window_argmax(x, tables)
    planes = int(np.prod(x.shape[: x.ndim - len(tables)]))
    shares = np.zeros((planes, x.size // planes), dtype=y.dtype)
    for plane, (at, share) in enumerate(
        zip(places.reshape(planes, -1), y.reshape(planes, -1), strict=True)
    ):
        shares[plane, at] = share
    return shares.reshape(x.shape)


def replaced_everywhere(held, value, wins):
    """The mask that keeps the largest sample is lost."""
    held[...] = value


def override_ignored(self, input_size):
    return ORIGINAL_OPERATOR(replace(self, divisor_override=None), input_size)


def undilated(relation, o, k):
    return relation.stride * o + k - relation.pad_lo


def dilated_once_more(relation, o, k):
    return relation.stride * o + (relation.dilation + 1) * k - relation.pad_lo


MUTANTS = {
    "ceil mode keeps every window": (PoolLayer, "_output_on", plain_ceil),
    "floor for ceil": (PoolLayer, "_output_on", floor_for_ceil),
    "last window: low padding forgotten": (PoolLayer, "_output_on", strictly_inside),
    "divisor counts the overhang": (AvgPool, "_counts", overhang_counted),
    "divisor never counts the padding": (AvgPool, "_counts", data_counted),
    "divisor always counts the padding": (AvgPool, "_counts", padding_counted),
    "divisor_override ignored": (AvgPool, "operator", override_ignored),
    "padding is 0, not −∞": (pooling, "_reduced", zeros_outside),
    "a tap is forgotten": (pooling.Passes, "of", classmethod(last_tap_forgotten)),
    "ties go to the last": (pooling, "_argmax", last_of_equals),
    "the largest is not kept": (pooling, "_replace", replaced_everywhere),
    "gradient: one tap": (pooling.Passes, "back", classmethod(one_tap_back)),
    "gradient: from the far end": (pooling.Passes, "back", classmethod(turned_tap_back)),
    "gradient: shares not added": (maxpool, "window_argmax_shares", last_share_stays),
    "dilation dropped": (AxisRelation, "position", undilated),
    "dilation off by one": (AxisRelation, "position", dilated_once_more),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name, monkeypatch):
    room, attribute, mutant = MUTANTS[name]
    monkeypatch.setattr(room, attribute, mutant)
    with pytest.raises(
        (AssertionError, sc.SymconvError, IndexError, ValueError, ZeroDivisionError)
    ):
        check_everything()


# Frameworks' rules

ORIGINAL_WINDOWS = onnx.windows


def check_frameworks():
    """One small setting per rule, values written down."""
    x = np.array([2, 4, 6, 8, 10])
    for layer, values in (
        (average(KerasConv("same"), 2, 2), [3, 7, 10]),
        (average(KerasConv("same"), 3, 2), [3, 6, 9]),
        (average(OnnxPool("SAME_UPPER"), 2, 1), [3, 5, 7, 9, 10]),
        (average(OnnxPool("SAME_LOWER"), 2, 1), [2, 3, 5, 7, 9]),
        (average(OnnxPool(pads=(1, 1)), 2, 2), [2, 5, 9]),
        (average(OnnxPool(pads=(1, 1)), 2, 2, count_include_pad=True), [1, 5, 9]),
        (average(OnnxPool(pads=(0, 1), ceil_mode=True), 2, 2), [3, 7, 10]),
        (average(OnnxPool(pads=(0, 1), ceil_mode=True), 1, 4), [2, 10]),
        (average(TorchPool(1, True), 2, 3), [1, 7]),
        (average(TorchPool(0, True), 2, 3), [3, 9]),
        (average(TorchPool(1, True), 3, 4), [2, 6]),
        (average(TorchPool(1, True), 4, 4), [3, 6]),
        (average(XlaConv((0, -1)), 2, 2), [3, 7]),
    ):
        assert layer.operator((5,)).apply(x).tolist() == values, layer
    rows = []
    for opset in (21, 22):
        rule = OnnxPool(pads=(1, 1), ceil_mode=True, opset=opset)
        rows.append(average(rule, 2, 2, count_include_pad=True).output_size((1,)))
    assert rows == [(2,), (1,)]
    assert (
        average(TorchPool(0, True, "before 46558"), 1, 2).output_size((4,))
        == (3,)
        != (average(TorchPool(0, True), 1, 2).output_size((4,)))
    )


def average(convention, n_taps, stride, **options):
    return sc.AvgPool((n_taps,), stride=stride, padding=convention, **options)


def test_the_frameworks_rules_pass_unmutated():
    check_frameworks()


FRAMEWORK_MUTANTS = {
    "Keras counts its padding": (KerasConv, "counts_padding", lambda *_: True),
    "ONNX counts padding by default": (
        OnnxPool, "counts_padding", lambda self, stated, dilation: stated is None or stated,
    ),
    "ONNX never counts padding": (OnnxPool, "counts_padding", lambda *_: False),
    "PyTorch does not count padding": (TorchPool, "counts_padding", lambda *_: False),
    "every opset drops": (onnx, "windows", lambda axis, n, ceil, drops=True: ORIGINAL_WINDOWS(
        axis, n, ceil, True
    )),
    "no opset drops": (onnx, "windows", lambda axis, n, ceil, drops=True: ORIGINAL_WINDOWS(
        axis, n, ceil, False
    )),
    "ceil mode is floor": (pytorch, "windows", lambda axis, n, ceil, drops=True: ORIGINAL_WINDOWS(
        axis, n, False, drops
    )),
    "PyTorch before 46558 drops": (pytorch, "differ", lambda *_: True),
    "the odd unit stands first": (
        keras, "padding_amount", lambda name, axis, n: padding_amount(
            name.replace("upper", "lower"), axis, n
        ),
    ),
    "SAME is the same on both ends": (
        onnx, "padding_amount", lambda name, axis, n: padding_amount("same_upper", axis, n),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FRAMEWORK_MUTANTS)
def test_a_mutant_of_a_frameworks_rule_is_caught(name, monkeypatch):
    room, attribute, mutant = FRAMEWORK_MUTANTS[name]
    monkeypatch.setattr(room, attribute, mutant)
    with pytest.raises((AssertionError, sc.SymconvError)):
        check_frameworks()


def test_an_overhang_that_reads_is_caught(monkeypatch):
    layer, size = sc.MaxPool((2,), stride=2, padding=((0, -1),), ceil_mode=True), (6,)
    check_pool(layer, size)
    monkeypatch.setattr(incidence, "_stored", overhang_read)
    with pytest.raises(AssertionError):
        check_pool(layer, size)


def test_a_matrix_whose_missing_entries_are_zeros_is_caught():
    """(max, +) with 0 for what is missing: the same pattern, another function."""
    layer, size = CATALOGUE[0]
    op = layer.operator(size)
    x = -1 - np.abs(integers(size, 3)).ravel()
    dense = [[0 if entry is semirings.MINUS_INFINITY else entry for entry in row] for row in (
        op.exact().dense()
    )]  # fmt: skip
    wrong = [max(a + b for a, b in zip(row, x.tolist(), strict=True)) for row in dense]
    right = (op.exact() @ x).tolist()
    # The matrix is right, and a 0 in place of −∞ would be seen where samples are added to it.
    assert right == op.apply(x.reshape(size)).ravel().tolist()
    assert wrong != right
