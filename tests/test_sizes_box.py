"""Closed forms with every parameter symbolic, on exhaustive boxes, and PyTorch's own shapes."""

from __future__ import annotations

import itertools

import oracles
import pytest
import sympy

import symconv as sc
from symconv.errors import GeometryError

n, taps, s, d, lo, hi, op = sympy.symbols("n K s d p q r", integer=True, positive=True)

#: K, stride, dilation, low and high padding, input size: every combination, 3,888 of them.
BOX = list(
    itertools.product(range(1, 5), range(1, 4), range(1, 4), range(3), range(3), range(1, 13))
)


def values(form, *pairs):
    """The form at integers, by substitution into its tree."""
    return int(form.xreplace({symbol: sympy.Integer(value) for symbol, value in pairs}))


def test_convolution_on_the_box():
    layer = sc.Conv(1, 1, (taps,), stride=s, dilation=d, padding=((lo, hi),))
    (form,) = layer.output_size((n,))
    assert form.free_symbols == {n, taps, s, d, lo, hi}
    for k, stride, dilation, low, high, size in BOX:
        at = ((taps, k), (s, stride), (d, dilation), (lo, low), (hi, high), (n, size))
        counted = oracles.conv_size(size, k, stride, dilation, low, high)
        assert max(0, values(form, *at)) == counted


def test_transposed_convolution_on_the_box():
    layer = sc.ConvTranspose(
        1, 1, (taps,), stride=s, dilation=d, padding=((lo, hi),), output_padding=op
    )
    (form,) = layer.output_size((n,))
    assert form.free_symbols == {n, taps, s, d, lo, hi, op}
    for k, stride, dilation, low, high, size in BOX[::3]:
        for extra in range(3):
            at = ((taps, k), (s, stride), (d, dilation), (lo, low), (hi, high), (n, size))
            counted = oracles.conv_transpose_size(size, k, stride, dilation, low, high, extra)
            assert max(0, values(form, *at, (op, extra))) == counted


@pytest.mark.parametrize("ceil_mode", [False, True])
def test_pooling_on_the_box(ceil_mode):
    for k, stride, dilation, low, high in sorted({case[:5] for case in BOX}):
        layer = sc.MaxPool(
            (k,), stride=stride, dilation=dilation, padding=((low, high),), ceil_mode=ceil_mode
        )
        (form,) = layer.output_size((n,))
        for size in range(1, 13, 2):
            counted = oracles.pool_size(size, k, stride, dilation, low, high, ceil_mode)
            assert max(0, values(sympy.sympify(form), (n, size))) == counted


def test_a_wrong_form_is_caught_on_the_box():
    layer = sc.Conv(1, 1, (taps,), stride=s, dilation=d, padding=((lo, hi),))
    (form,) = layer.output_size((n,))
    for mutant in (
        form.subs(d, 1),
        form - 1,
        form.subs(lo, hi),
        sympy.ceiling(form.args[-1].args[0]) + 1,
    ):
        failures = 0
        for k, stride, dilation, low, high, size in BOX[::7]:
            at = ((taps, k), (s, stride), (d, dilation), (lo, low), (hi, high), (n, size))
            counted = oracles.conv_size(size, k, stride, dilation, low, high)
            failures += max(0, values(mutant, *at)) != counted
        assert failures > 0


def test_pytorch_shapes_and_impossible_sizes():
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    for k, stride, dilation, low, _, size in (case for case in BOX if case[3] == case[4]):
        conv = sc.Conv1d(1, 1, k, stride=stride, dilation=dilation, padding=low)
        x, w = torch.zeros(1, 1, size), torch.zeros(1, 1, k)
        options = {"stride": stride, "dilation": dilation, "padding": low}
        same(conv, size, lambda x=x, w=w, o=options: functional.conv1d(x, w, **o))
        up = sc.ConvTranspose1d(1, 1, k, stride=stride, dilation=dilation, padding=low)
        same(up, size, lambda x=x, w=w, o=options: functional.conv_transpose1d(x, w, **o))
        if low > k // 2:
            continue  # PyTorch's pooling pads by at most half the kernel
        for ceil_mode in (False, True):
            pool = sc.MaxPool1d(
                k, stride=stride, dilation=dilation, padding=low, ceil_mode=ceil_mode
            )
            every = {**options, "ceil_mode": ceil_mode}
            same(pool, size, lambda x=x, k=k, o=every: functional.max_pool1d(x, k, **o))


def same(layer, size, run):
    """The same size from both, or a refusal from both."""
    try:
        expected = tuple(run().shape[2:])
    except RuntimeError:
        expected = None
    if expected is None or 0 in expected:
        with pytest.raises(GeometryError):
            layer.output_size((size,))
    else:
        assert layer.output_size((size,)) == expected
