"""Hypothesis strategies for layers with an input size; every feature's tests draw from here."""

from __future__ import annotations

import os

from hypothesis import settings, strategies as st

import symconv as sc

MODES = ("zeros", "circular", "reflect", "symmetric", "replicate")

NO_BIAS = st.just(False)

#: Largest number of samples, outputs and taps, by rank, so that naive loops stay quick.
SIZES = {1: 9, 2: 5, 3: 3}
KERNELS = {1: 4, 2: 3, 3: 2}


def examples(count):
    """So many random cases, times SYMCONV_EXAMPLES (1 unless set)."""
    return settings(max_examples=count * int(os.environ.get("SYMCONV_EXAMPLES", "1")))


def per_axis(rank, elements):
    return st.tuples(*[elements] * rank)


@st.composite
def channels(draw, most=2):
    groups = draw(st.integers(1, 3))
    return groups * draw(st.integers(1, most)), groups * draw(st.integers(1, most)), groups


def legal_size(draw, layer):
    """The smallest input that has an output on each axis, plus a little."""
    size = []
    for axis in range(layer.rank):
        n = draw(st.integers(1, SIZES[layer.rank]))
        while layer._output_on(axis, n) < 1:
            n += 1
        size.append(n)
    return tuple(size)


@st.composite
def conv_cases(draw, ranks=(1, 2, 3), modes=MODES, input_dilation=True, bias=NO_BIAS):
    """A `Conv` and an input size at which it has outputs."""
    rank = draw(st.sampled_from(ranks))
    in_channels, out_channels, groups = draw(channels())
    amount = st.integers(-1, 3)
    padding = draw(per_axis(rank, st.tuples(amount, amount)))
    layer = sc.Conv(
        in_channels,
        out_channels,
        draw(per_axis(rank, st.integers(1, KERNELS[rank]))),
        stride=draw(per_axis(rank, st.integers(1, 3))),
        padding=padding,
        dilation=draw(per_axis(rank, st.integers(1, 3))),
        groups=groups,
        bias=draw(bias),
        padding_mode=draw(st.sampled_from(modes)),
        input_dilation=draw(per_axis(rank, st.integers(1, 2))) if input_dilation else 1,
    )
    return layer, legal_size(draw, layer)


@st.composite
def transpose_cases(draw, ranks=(1, 2, 3), bias=NO_BIAS):
    """A `ConvTranspose` and an input size at which it has outputs; op >= stride included."""
    rank = draw(st.sampled_from(ranks))
    in_channels, out_channels, groups = draw(channels())
    amount = st.integers(-1, 3)
    padding = draw(per_axis(rank, st.tuples(amount, amount)))
    layer = sc.ConvTranspose(
        in_channels,
        out_channels,
        draw(per_axis(rank, st.integers(1, KERNELS[rank]))),
        stride=draw(per_axis(rank, st.integers(1, 3))),
        padding=padding,
        output_padding=draw(per_axis(rank, st.integers(0, 4))),
        dilation=draw(per_axis(rank, st.integers(1, 3))),
        groups=groups,
        bias=draw(bias),
    )
    return layer, legal_size(draw, layer)


@st.composite
def pool_cases(draw, ranks=(1, 2, 3)):
    """An `AvgPool` and an input size at which every window counts a cell."""
    rank = draw(st.sampled_from(ranks))
    kernel = draw(per_axis(rank, st.integers(1, KERNELS[rank])))
    padding = tuple((draw(st.integers(0, k // 2)), draw(st.integers(0, k // 2))) for k in kernel)
    layer = sc.AvgPool(
        kernel,
        stride=draw(per_axis(rank, st.integers(1, 3))),
        padding=padding,
        dilation=draw(per_axis(rank, st.integers(1, 2))),
        ceil_mode=draw(st.booleans()),
        count_include_pad=draw(st.booleans()),
        divisor_override=draw(st.none() | st.integers(1, 5)),
    )
    return layer, legal_size(draw, layer)


@st.composite
def max_pool_cases(draw, ranks=(1, 2, 3)):
    """A `MaxPool` with any padding, crops too, and an input size at which it has outputs.

    Some windows may see nothing but padding.
    """
    rank = draw(st.sampled_from(ranks))
    amount = st.integers(-1, 2)
    layer = sc.MaxPool(
        draw(per_axis(rank, st.integers(1, KERNELS[rank]))),
        stride=draw(per_axis(rank, st.integers(1, 3))),
        padding=draw(per_axis(rank, st.tuples(amount, amount))),
        dilation=draw(per_axis(rank, st.integers(1, 3))),
        ceil_mode=draw(st.booleans()),
    )
    return layer, legal_size(draw, layer)


@st.composite
def torch_pool_cases(draw, ranks=(1, 2, 3)):
    """A `MaxPool` that PyTorch has as well, and an input size at which every window has data."""
    rank = draw(st.sampled_from(ranks))
    kernel = draw(per_axis(rank, st.integers(1, KERNELS[rank])))
    layer = sc.MaxPool(
        kernel,
        stride=draw(per_axis(rank, st.integers(1, 3))),
        padding=tuple(draw(st.integers(0, k // 2)) for k in kernel),
        dilation=draw(per_axis(rank, st.integers(1, 3))),
        ceil_mode=draw(st.booleans()),
    )
    return layer, legal_size(draw, layer)
