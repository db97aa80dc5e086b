"""Transposed convolutions: which convolution they transpose, and how else they can be built."""

from __future__ import annotations

from symconv.proving import Trace, all_of, all_sizes, axis, between, iff, reads


@all_sizes(
    "transposed.zero-insertion",
    words="The transposed convolution is an ordinary convolution of stride 1: insert s−1 zeros "
    "between the samples, pad by E−1−lo and E−1−hi+op (a negative edge crops), flip the kernel. "
    "Equal triples, equal size.",
    latex=r"(i,k,y)\in T \iff (y,\,K-1-k,\,i)\in C_{1,d}\bigl(E-1-p_{lo},\,E-1-p_{hi}+op\bigr)",
    source="V. Dumoulin, F. Visin (2016), section 4.5, relationship 13, stated for every dilation, "
    "asymmetric padding and output padding",
    near_miss="the same without flipping the kernel",
    concludes="triples",
)
def zero_insertion(t: Trace) -> None:
    conv, n = axis(t)
    op, y, k, i = t.integers("op y k i")
    t.assume(op >= 0)
    size = conv.input_size(n, op)
    sliding = conv.adjoint(op)
    scattered = all_of(
        between(0, i, n), between(0, k, conv.n_taps), between(0, y, size), conv.position(i, k) == y
    )
    t.show(sliding.output_size(n) == size)
    t.show(iff(scattered, reads(sliding, y, conv.n_taps - 1 - k, i, n_in=n)))
    t.instead(iff(scattered, reads(sliding, y, k, i, n_in=n)))
