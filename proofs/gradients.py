"""Gradients for all sizes: the triples of a convolution read from the sample and from the tap.

What follows for values (adjoints, derivatives, chain rules) is in ``derivatives.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symconv.boundary import MODES
from symconv.proving import Trace, all_of, all_sizes, any_of, axis, between, iff, reads
from symconv.relation import AxisRelation


@all_sizes(
    "gradients.adjoint-reading",
    words="The adjoint sums, over the taps k, the output (b·i − d·k + lo)/s where s divides and "
    "the output exists: these are the triples of the convolution, each once, read from sample i.",
    latex=r"(o,k,i)\in C \iff s \mid b\,i - d\,k + p_{lo},\ "
    r"o = \left\lfloor\frac{b\,i-d\,k+p_{lo}}{s}\right\rfloor,\ 0\le o<O,\ 0\le k<K,\ 0\le i<n",
    source="symconv; V. Dumoulin, F. Visin (2016), section 4.1, states the transpose in matrices",
    near_miss="the floor alone, where s does not divide as well",
    concludes="triples",
    corollary_of="relation.backwards",
)
def adjoint_reading(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    o, k, i = t.integers("o k i")
    n_out = conv.output_size(n)
    numerator = conv.output_numerator(i, k)
    gathered, rest = numerator // conv.stride, numerator % conv.stride
    exist = all_of(between(0, o, n_out), between(0, k, conv.n_taps), between(0, i, n))
    t.hint(gathered - o, o - gathered)
    read = reads(conv, o, k, i, n_in=n)
    t.show(iff(read, all_of(exist, rest == 0, o == gathered)))
    t.instead(iff(read, all_of(exist, o == gathered)))


def _weight_relation(conv: AxisRelation, n_out: Any, pad_hi: Any) -> AxisRelation:
    """The input slid over by the output's gradient: stride and dilation exchanged."""
    return AxisRelation(n_out, conv.dilation, conv.stride, conv.pad_lo, pad_hi, conv.input_dilation)


@all_sizes(
    "gradients.weight-reading",
    words="The weight gradient is a convolution of the input whose taps are the O gradients of "
    "the outputs, with stride and dilation exchanged and the same padding: (o, k, i) is a triple "
    "of the convolution exactly when (k, o, i) is one of that among its first K outputs.",
    latex=r"(o,k,i)\in C(K,s,d,p) \iff (k,o,i)\in C(O,d,s,p),\ k<K",
    source="symconv; the argument swap that automatic differentiation uses for the kernel's "
    "gradient (JAX, jax/_src/lax/convolution.py, _conv_general_dilated_transpose_rhs)",
    near_miss="stride and dilation are kept as they are",
    concludes="triples",
)
def weight_reading(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    o, k, i = t.integers("o k i")
    n_out = conv.output_size(n)
    t.assume(n_out >= 1)
    swapped = _weight_relation(conv, n_out, conv.pad_hi)
    read = reads(conv, o, k, i, n_in=n)
    t.show(iff(read, reads(swapped, k, o, i, n_in=n, n_out=conv.n_taps)))
    kept = AxisRelation(
        n_out, conv.stride, conv.dilation, conv.pad_lo, conv.pad_hi, conv.input_dilation
    )
    t.instead(iff(read, reads(kept, k, o, i, n_in=n, n_out=conv.n_taps)))


@all_sizes(
    "gradients.weight-size",
    words="That convolution has K + ⌊r/d⌋ outputs, r = (N − E) mod s being the places that no "
    "window reaches; so it has the kernel's size exactly when r < d, and is cropped otherwise.",
    latex=r"\left\lfloor\frac{N-(s(O-1)+1)}{d}\right\rfloor+1 = K+\left\lfloor\frac{r}{d}"
    r"\right\rfloor,\quad r=(N-E)\bmod s",
    source="symconv",
    near_miss="its size is K, without a crop",
    concludes="sizes",
)
def weight_size(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    n_out = conv.output_size(n)
    rest = (conv.padded_size(n) - conv.extent) % conv.stride
    size = _weight_relation(conv, n_out, conv.pad_hi).output_size(n)
    more = rest // conv.dilation
    t.show(size == conv.n_taps + more)
    t.show(iff(size == conv.n_taps, rest < conv.dilation))
    t.instead(size == conv.n_taps)


@all_sizes(
    "gradients.weight-crop",
    words="Cropping the r places that no window reaches first changes no triple, and leaves the "
    "weight gradient's convolution with exactly K outputs.",
    latex=r"C(p_{lo},p_{hi}-r)=C(p_{lo},p_{hi}),\quad "
    r"\left\lfloor\frac{N-r-(s(O-1)+1)}{d}\right\rfloor+1=K",
    source="symconv",
    near_miss="cropping one place more",
    concludes="triples",
)
def weight_crop(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    o, k, i = t.integers("o k i")
    n_out = conv.output_size(n)
    rest = (conv.padded_size(n) - conv.extent) % conv.stride

    def cropped(less: Any) -> AxisRelation:
        return AxisRelation(
            conv.n_taps,
            conv.stride,
            conv.dilation,
            conv.pad_lo,
            conv.pad_hi - less,
            conv.input_dilation,
        )

    read, shorter = (reads(conv, o, k, i, n_in=n), reads(cropped(rest + 1), o, k, i, n_in=n))
    t.show(cropped(rest).output_size(n) == n_out)
    t.show(_weight_relation(conv, n_out, conv.pad_hi - rest).output_size(n) == conv.n_taps)
    t.show(iff(read, reads(cropped(rest), o, k, i, n_in=n, n_out=n_out)))
    t.instead(iff(read, shorter))


@all_sizes(
    "gradients.circular",
    words="With stride 1 and as many outputs as samples (lo + hi = E − 1), the adjoint of a "
    "circular convolution is the circular convolution with the flipped kernel and padding "
    "(E − 1 − lo, E − 1 − hi), for any lo.",
    latex=r"i=(o+dk-p)\bmod n \iff o=(i+d(K-1-k)-p^{*})\bmod n,\quad p^{*}=E-1-p",
    source="symconv; the transpose of a circulant matrix (P. J. Davis, Circulant Matrices, 1979, "
    "section 3.1)",
    near_miss="the kernel is not flipped",
    concludes="triples",
)
def circular(t: Trace) -> None:
    n_taps, d, n, lo, o, k, i = t.integers("K d n lo o k i")
    t.assume(n_taps >= 1, d >= 1, n >= 1, between(0, k, n_taps))
    t.assume(between(0, o, n), between(0, i, n))
    bare = AxisRelation(n_taps, 1, d)
    conv = AxisRelation(n_taps, 1, d, lo, bare.extent - 1 - lo)
    back = conv.adjoint()
    t.show(conv.output_size(n) == n, back.output_size(n) == n)
    read: Callable[..., Any] = MODES["circular"]
    forward, flipped, plain = (
        conv.position(o, k),
        back.position(i, n_taps - 1 - k),
        back.position(i, k),
    )
    # What is left over differs by a multiple of n, which is 0 between two residues.
    turns = forward // n + flipped // n
    t.hint(turns, turns - 1, -turns, turns + 1, -turns - 1)
    t.show(iff(read(forward, n) == i, read(flipped, n) == o))
    t.instead(iff(read(forward, n) == i, read(plain, n) == o))


@all_sizes(
    "gradients.reflect-folds",
    words="The adjoint of reflecting padding, up to n − 1 wide, adds to sample i what arrived at "
    "the positions i, −i and 2(n − 1) − i, and nothing else (n ≥ 2).",
    latex=r"-(n-1) \le j \le 2(n-1) \;\Rightarrow\; \bigl(\mathrm{reflect}(j)=i \iff "
    r"j\in\{i,\,-i,\,2(n-1)-i\}\bigr)",
    source="symconv; torch.nn.ReflectionPad1d, whose padding is at most n − 1",
    near_miss="the mirrors lie between two samples: −1 − i and 2n − 1 − i",
    concludes="triples",
)
def reflect_folds(t: Trace) -> None:
    n, j, i = t.integers("n j i")
    t.assume(n >= 2, between(0, i, n), between(-(n - 1), j, 2 * n - 1))
    read: Callable[..., Any] = MODES["reflect"]
    bounces = j // (2 * (n - 1))
    t.hint(bounces, bounces + 1, bounces - 1)
    t.show(iff(read(j, n) == i, any_of(j == i, j == -i, j == 2 * (n - 1) - i)))
    t.instead(iff(read(j, n) == i, any_of(j == i, j == -1 - i, j == 2 * n - 1 - i)))


@all_sizes(
    "gradients.symmetric-folds",
    words="The adjoint of symmetric padding, up to n wide, adds to sample i what arrived at the "
    "positions i, −1 − i and 2n − 1 − i, and nothing else.",
    latex=r"-n \le j < 2n \;\Rightarrow\; \bigl(\mathrm{symmetric}(j)=i \iff "
    r"j\in\{i,\,-1-i,\,2n-1-i\}\bigr)",
    source="symconv; numpy.pad, mode 'symmetric'",
    near_miss="padding of any width",
    concludes="triples",
)
def symmetric_folds(t: Trace) -> None:
    n, j, i = t.integers("n j i")
    t.assume(n >= 1, between(0, i, n))
    t.given(between(-n, j, 2 * n))
    read: Callable[..., Any] = MODES["symmetric"]
    bounces = j // (2 * n)
    t.hint(bounces, bounces + 1)
    t.show(iff(read(j, n) == i, any_of(j == i, j == -1 - i, j == 2 * n - 1 - i)))


@all_sizes(
    "gradients.replicate-gathers",
    words="The adjoint of replicating padding of any width adds to the first sample everything "
    "that arrived at or before it, to the last everything at or after it, and to a sample i "
    "between them what arrived at i alone.",
    latex=r"\mathrm{replicate}(j)=i \iff j=i \;\text{ or }\; (i=0,\ j\le 0) \;\text{ or }\; "
    r"(i=n-1,\ j\ge n-1)",
    source="symconv; torch.nn.ReplicationPad1d",
    near_miss="every sample collects what arrived at itself alone, as with zeros",
    concludes="triples",
)
def replicate_gathers(t: Trace) -> None:
    n, j, i = t.integers("n j i")
    t.assume(n >= 1, between(0, i, n))
    read: Callable[..., Any] = MODES["replicate"]
    arrived = read(j, n) == i
    t.show(iff(arrived, any_of(j == i, all_of(i == 0, j <= 0), all_of(i == n - 1, j >= n - 1))))
    t.instead(iff(arrived, j == i))
