"""Bit for bit against PyTorch on integers, where PyTorch defines the case."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import strategies
from checking import integers
from hypothesis import assume, given, strategies as st

import symconv as sc

torch = pytest.importorskip("torch")
torch.set_num_threads(1)
functional = torch.nn.functional

CONVOLVE = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}
TRANSPOSE = {
    1: functional.conv_transpose1d,
    2: functional.conv_transpose2d,
    3: functional.conv_transpose3d,
}
AVERAGE = {1: functional.avg_pool1d, 2: functional.avg_pool2d, 3: functional.avg_pool3d}
TORCH_MODES = ("zeros", "circular", "reflect", "replicate")


def tensor(array):
    return torch.from_numpy(np.ascontiguousarray(array)).to(torch.float64)


def torch_padding(padding):
    """PyTorch lists the last axis first."""
    return [amount for pair in reversed(padding) for amount in pair]


@given(strategies.conv_cases(input_dilation=False, modes=TORCH_MODES, bias=st.booleans()))
@strategies.examples(600)
def test_conv_forward_and_gradients(case):
    layer, size = case
    for (lo, hi), n in zip(layer.padding, size, strict=True):
        # PyTorch pads by less than the input (reflect) or at most by it (circular), and mixes
        # crops into no mode but zeros.
        widest = {"reflect": n - 1, "circular": n}.get(layer.padding_mode, 10)
        assume(max(lo, hi) <= widest)
        assume(min(lo, hi) >= 0 or layer.padding_mode == "zeros")
        assume(n + lo + hi > 0)
    op = layer.operator(size)
    x, w = integers((2, *op.input_shape), 1), integers(op.weight_shape, 2)
    b = integers((layer.out_channels,), 3) if layer.bias else None
    tx, tw = tensor(x).requires_grad_(), tensor(w).requires_grad_()
    mode = "constant" if layer.padding_mode == "zeros" else layer.padding_mode
    padded = functional.pad(tx, torch_padding(layer.padding), mode=mode)
    expected = CONVOLVE[layer.rank](
        padded,
        tw,
        None if b is None else tensor(b),
        stride=layer.stride,
        dilation=layer.dilation,
        groups=layer.groups,
    )
    assert np.array_equal(op.apply(x, w, b), expected.detach().numpy())
    y = integers((2, *op.output_shape), 4)
    expected.backward(tensor(y))
    assert np.array_equal(op.T.apply_linear(y, w), tx.grad.numpy())
    assert np.array_equal(op.weight_gradient(x, y), tw.grad.numpy())
    floating = op.apply(x.astype(np.float32), w.astype(np.float32), b)
    assert floating.dtype == np.float32
    assert np.array_equal(floating, expected.detach().numpy())


@given(strategies.transpose_cases(bias=st.booleans()))
@strategies.examples(400)
def test_conv_transpose_forward_and_gradients(case):
    layer, size = case
    # PyTorch knows one padding per axis, never negative, and op < max(stride, dilation).
    for (lo, hi), op, s, d in zip(
        layer.padding, layer.output_padding, layer.stride, layer.dilation, strict=True
    ):
        assume(lo >= 0 and hi >= 0 and op < max(s, d))
    low = tuple(lo for lo, _ in layer.padding)
    # The extra high padding is cut from PyTorch's result, or its missing part kept in it.
    extra = tuple(hi - lo for lo, hi in layer.padding)
    assume(all(more >= 0 for more in extra))
    op = layer.operator(size)
    x, w = integers((2, *op.input_shape), 1), integers(op.weight_shape, 2)
    b = integers((layer.out_channels,), 3) if layer.bias else None
    tx, tw = tensor(x).requires_grad_(), tensor(w).requires_grad_()
    whole = TRANSPOSE[layer.rank](
        tx,
        tw,
        None if b is None else tensor(b),
        stride=layer.stride,
        padding=low,
        output_padding=layer.output_padding,
        groups=layer.groups,
        dilation=layer.dilation,
    )
    expected = whole[(..., *(slice(0, n) for n in layer.output_size(size)))]
    assert np.array_equal(op.apply(x, w, b), expected.detach().numpy())
    y = integers((2, *op.output_shape), 4)
    expected.backward(tensor(y))
    assert np.array_equal(op.T.apply_linear(y, w), tx.grad.numpy())
    assert np.array_equal(op.weight_gradient(x, y), tw.grad.numpy())


@given(strategies.pool_cases())
@strategies.examples(200)
def test_average_pool(case):
    layer, size = case
    assume(all(d == 1 for d in layer.dilation))
    assume(all(lo == hi for lo, hi in layer.padding))
    assume(layer.rank > 1 or layer.divisor_override is None)
    # avg_pool3d refuses an unpadded input below the kernel's size.
    assume(layer.rank < 3 or all(n >= k for n, k in zip(size, layer.kernel_size, strict=True)))
    x = integers((2, 2, *size)) * 5040
    options = {} if layer.rank == 1 else {"divisor_override": layer.divisor_override}
    expected = AVERAGE[layer.rank](
        tensor(x),
        layer.kernel_size,
        layer.stride,
        tuple(lo for lo, _ in layer.padding),
        layer.ceil_mode,
        layer.count_include_pad,
        **options,
    )
    # 5040 is divisible by every divisor here, so that PyTorch's means are exact integers.
    assert np.array_equal(layer.operator(size).apply(x).astype(float), expected.numpy())


@given(strategies.conv_cases(ranks=(2,), modes=("zeros",), input_dilation=False))
@strategies.examples(80)
def test_unfold_and_fold(case):
    conv, size = case
    low = tuple(max(lo, 0) for lo, _ in conv.padding)
    geometry = {"stride": conv.stride, "padding": low, "dilation": conv.dilation}
    layer = sc.Unfold(conv.kernel_size, **geometry)
    assume(all(layer._output_on(axis, n) >= 1 for axis, n in enumerate(size)))
    x = integers((2, 3, *size))
    expected = functional.unfold(tensor(x), conv.kernel_size, **geometry)
    op = layer.operator(size)
    assert np.array_equal(op.apply(x).reshape(expected.shape), expected.numpy())
    back = functional.fold(expected, size, conv.kernel_size, **geometry)
    fold = sc.Fold(size, conv.kernel_size, **geometry).operator(layer.output_size(size))
    sent = expected.numpy().astype(np.int64).reshape(2, 3, *op.output_shape)
    assert np.array_equal(fold.apply(sent), back.numpy())


@given(
    st.integers(1, 5),
    st.integers(1, 6),
    st.integers(1, 3),
    st.sampled_from(["valid", "same"]),
)
@strategies.examples(60)
def test_padding_names(kernel, n, dilation, name):
    layer = sc.Conv1d(1, 1, kernel, padding=name, dilation=dilation, bias=False)
    x, w = integers((1, 1, n)), integers((1, 1, kernel), 1)
    assume(layer._output_on(0, n) >= 1)
    with warnings.catch_warnings():
        # PyTorch warns that an odd amount of padding costs it a copy.
        warnings.simplefilter("ignore", UserWarning)
        expected = functional.conv1d(tensor(x), tensor(w), padding=name, dilation=dilation)
    assert np.array_equal(layer.operator((n,)).apply(x, w), expected.numpy())


def test_tensors_are_accepted_where_arrays_are():
    op = sc.Conv1d(1, 1, 2, bias=False).operator((3,))
    x, w = torch.tensor([[1, 2, 4]]), torch.tensor([[[1, 10]]])
    assert op.apply(x, w).tolist() == [[21, 42]]
    assert op.apply(x.float(), w.float()).dtype == np.float32
