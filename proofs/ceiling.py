"""Ceil mode: the last window may hang over the end, unless it starts past the input."""

from __future__ import annotations

from symconv.proving import Trace, all_of, all_sizes, axis, between, iff, implies
from symconv.relation import AxisRelation


@all_sizes(
    "ceiling.number",
    words="Rounded up, the output size counts the windows that are needed to reach the end of the "
    "padded axis: window o is among them exactly when the one before it ends before the last "
    "place.",
    latex=r"o < \left\lceil\frac{N-E}{s}\right\rceil+1 \iff "
    r"s(o-1)+d(K-1)-p_{lo} < b(n-1)+p_{hi}",
    source="PyTorch 2, torch.nn.MaxPool2d, ceil_mode; ONNX operator MaxPool, attribute ceil_mode",
    near_miss="it is always one more than the floor",
    concludes="sizes",
)
def number(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    (o,) = t.integers("o")
    n_ceil, _ = conv.ceil_output_size(n)
    before = conv.stride * (o - 1) + conv.dilation * (conv.n_taps - 1) - conv.pad_lo
    t.show(iff(o < n_ceil, before < conv.input_dilation * (n - 1) + conv.pad_hi))
    t.instead(n_ceil == conv.output_size(n) + 1)


@all_sizes(
    "ceiling.dropped-window",
    words="The last of these windows is dropped exactly when it starts at the end of the input or "
    "after it, and then no tap of it lies before that end.",
    latex=r"\mathrm{dropped} \iff s(O_{\lceil\rceil}-1)-p_{lo}\ge b(n-1)+1,\qquad "
    r"\mathrm{dropped} \Rightarrow j(O_{\lceil\rceil}-1,k)\ge b(n-1)+1",
    source="PyTorch 2, pooling_output_shape_pad_lr in aten/src/ATen/native/Pool.h",
    near_miss="it is dropped when it starts at the end of the padded axis or after it",
    concludes="sizes",
)
def dropped_window(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    (k,) = t.integers("k")
    t.assume(between(0, k, conv.n_taps))
    n_ceil, dropped = conv.ceil_output_size(n)
    end = conv.input_dilation * (n - 1) + 1
    t.show(iff(dropped, conv.stride * (n_ceil - 1) - conv.pad_lo >= end))
    t.show(implies(dropped, conv.position(n_ceil - 1, k) >= end))
    t.instead(iff(dropped, conv.stride * (n_ceil - 1) - conv.pad_lo >= end + conv.pad_hi))


@all_sizes(
    "ceiling.never-dropped",
    words="No window is dropped if hi + s ≤ E: without padding, whenever the stride is at most the "
    "extent.",
    latex=r"p_{hi}+s\le E \;\Rightarrow\; s(O_{\lceil\rceil}-1)-p_{lo} < b(n-1)+1",
    source="symconv; pytorch#45357, where a window past an unpadded input was kept",
    near_miss="no window is dropped without padding, whatever the stride",
    concludes="sizes",
)
def never_dropped(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    n_ceil, _ = conv.ceil_output_size(n)
    starts_inside = conv.position(n_ceil - 1, 0) < conv.spread_size(n)
    t.show(implies(conv.pad_hi + conv.stride <= conv.extent, starts_inside))
    t.instead(implies(all_of(conv.pad_lo == 0, conv.pad_hi == 0), starts_inside))


@all_sizes(
    "ceiling.windows-starting-inside",
    words="⌈(S + lo)/s⌉ counts the windows that start before the end of the input, S being its "
    "size with input dilation, wherever they end.",
    latex=r"o < \left\lceil\frac{S+p_{lo}}{s}\right\rceil \iff s\,o-p_{lo} < S,\quad S=b(n-1)+1",
    source="symconv; the count of outputs of ONNX and TensorFlow SAME, and of ceil mode",
    near_miss="it counts the windows that start before the end of the padded axis",
    concludes="counts",
)
def windows_starting_inside(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    (o,) = t.integers("o")
    inside = o < conv.windows_starting_inside(n)
    start = conv.stride * o - conv.pad_lo
    end = conv.input_dilation * (n - 1) + 1
    t.show(iff(inside, start < end))
    t.instead(iff(inside, start < end + conv.pad_hi))


@all_sizes(
    "ceiling.rule",
    words="With the last window dropped where it starts past the input, ceil mode has the smaller "
    "of ⌈(N − E)/s⌉ + 1 and ⌈(S + lo)/s⌉ outputs, if the high padding is at most the extent.",
    latex=r"p_{hi}\le E \;\Rightarrow\; O_{\lceil\rceil}-[\mathrm{dropped}] = "
    r"\min\left(\left\lceil\frac{N-E}{s}\right\rceil+1,\; \left\lceil\frac{S+p_{lo}}{s}\right\rceil"
    r"\right)",
    source="symconv; PyTorch 2's rule (pooling_output_shape_pad_lr), which drops one at most",
    near_miss="with any high padding",
    concludes="sizes",
)
def rule(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    t.given(conv.pad_hi <= conv.extent)
    n_ceil, dropped = conv.ceil_output_size(n)
    kept = n_ceil - 1 if dropped else n_ceil
    t.show(kept == min(n_ceil, conv.windows_starting_inside(n)))


@all_sizes(
    "ceiling.differs-from-floor",
    words="Where the high padding is less than the extent, ceil mode and floor mode differ "
    "exactly when s does not divide N − E and the window after the last that fits starts before "
    "the end of the input; then by one.",
    latex=r"p_{hi}<E \;\Rightarrow\; \bigl(O_{\mathrm{ceil}}\ne O \iff s\nmid N-E,\; "
    r"s\,O-p_{lo}<S\bigr)",
    source="symconv; PyTorch 2's rule",
    near_miss="exactly when s does not divide N − E",
    concludes="sizes",
)
def differs_from_floor(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    t.assume(conv.pad_hi < conv.extent)
    n_out = conv.output_size(n)
    rest = (conv.padded_size(n) - conv.extent) % conv.stride
    n_ceil, dropped = conv.ceil_output_size(n)
    kept = n_ceil - 1 if dropped else n_ceil
    t.hint(n_ceil - n_out - 1)
    t.show(between(n_out, kept, n_out + 2))
    start, end = conv.stride * n_out - conv.pad_lo, conv.spread_size(n)
    if dropped:
        t.show(kept == n_out, start >= end)
        t.instead(iff(kept != n_out, rest != 0))
    else:
        t.show(iff(kept != n_out, all_of(rest != 0, start < end)))


@all_sizes(
    "ceiling.at-least-one",
    words="Rounded up there is a window exactly when N ≥ E − s + 1; with a sample and no cropping "
    "at the start the first window is never dropped.",
    latex=r"O_{\lceil\rceil}\ge 1 \iff N\ge E-s+1,\qquad "
    r"n\ge 1,\ p_{lo}\ge 0,\ N\ge E-s+1 \Rightarrow O_{\mathrm{ceil}}\ge 1",
    source="symconv",
    near_miss="exactly when N ≥ E, as in floor mode",
    concludes="sizes",
)
def at_least_one(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    t.assume(n >= 1, conv.pad_lo >= 0)
    n_ceil, dropped = conv.ceil_output_size(n)
    some = conv.padded_size(n) >= conv.extent - conv.stride + 1
    t.show(iff(n_ceil >= 1, some))
    t.show(implies(all_of(some, dropped), n_ceil >= 2))
    t.instead(iff(n_ceil >= 1, conv.padded_size(n) >= conv.extent))


@all_sizes(
    "ceiling.as-padding",
    words="Rounding up is rounding down with e more samples of high padding, for e from "
    "c = (E − N) mod s to c + s − 1; c is how far the last window hangs over the end.",
    latex=r"\left\lceil\frac{N-E}{s}\right\rceil+1 = O(p_{hi}+e) \iff c\le e<c+s,\qquad "
    r"c = (E-N)\bmod s = s(O_{\lceil\rceil}-1)+E-N",
    source="symconv; how ceil mode is written in frameworks without it",
    near_miss="for every e below s",
    concludes="sizes",
)
def as_padding(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    (e,) = t.integers("e")
    s, d, b, lo, hi = conv.stride, conv.dilation, conv.input_dilation, conv.pad_lo, conv.pad_hi
    n_ceil, _ = conv.ceil_output_size(n)
    over = (conv.extent - conv.padded_size(n)) % s
    padded = AxisRelation(conv.n_taps, s, d, lo, hi + e, b).output_size(n)
    t.show(over == conv.reach(n_ceil) - conv.padded_size(n))
    t.show(padded == n_ceil + (e - over) // s)
    t.show(iff(padded == n_ceil, between(over, e, over + s)))
    t.instead(implies(between(0, e, s), padded == n_ceil))
