"""When a transposed convolution undoes a convolution: AᵀA, entry by entry."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import sympy

import symconv as sc
from symconv.proving import all_values


def _correlation(w: Any, one: int, other: int, lag: int, kept: Any) -> Any:
    """Σ w[o, c, k]·w[o, c', k'] over outputs and over taps with d·(k − k') = lag that are kept."""
    outs, _, taps = w.shape
    return sympy.Add(
        *(
            w[o, one, k] * w[o, other, m]
            for o, k, m in product(range(outs), range(taps), range(taps))
            if kept(k) and lag == k - m
        )
    )


def _is_correlations(stride: int, dilation: int, n_taps: int, n: int, cut: int) -> bool:
    """Whether each entry of AᵀA is the correlation at its lag and phase, with two channels each."""
    extent = dilation * (n_taps - 1) + 1
    pad = extent - 1
    layer = sc.Conv(
        2, 2, (n_taps,), stride=stride, dilation=dilation, bias=False,
        padding=((pad, pad + stride - 1 - cut),),
    )  # fmt: skip
    operator = layer.operator((n,))
    a, w = operator.exact(), operator.weight_symbols()
    gram = (a.T * a).applyfunc(sympy.expand)
    for (one, i), (other, j) in product(product(range(2), range(n)), repeat=2):
        # Output o reads i through k with s·o = i + pad − d·k: taps of one residue meet sample i.
        lag, rest = divmod(i - j, dilation)
        expected = sympy.S.Zero
        if not rest:
            expected = _correlation(
                w, one, other, lag, lambda k, i=i: (i + pad - dilation * k) % stride == 0
            )
        if sympy.expand(gram[one * n + i, other * n + j] - expected) != 0:
            return False
    return True


@all_values(
    "deconvolution.restored-by-the-transpose",
    box={"stride": (1, 2, 3), "dilation": (1, 2), "n_taps": (1, 2, 3), "n": (1, 2, 3)},
    words="Where padding cuts nothing off, the entry of AᵀA at samples i and j of channels c and "
    "c' is the correlation of their kernels at lag i − j over the taps that meet sample i, those "
    "with i + p − d·k divisible by s, summed over the outputs. So the transposed convolution "
    "restores every input exactly when each of these correlations that occurs is 1 at lag 0 of a "
    "channel with itself and 0 elsewhere.",
    latex=r"(A^{T}A)_{ci,c'j}=\sum_{o}\sum_{k:\ s\mid i+p-dk} w_{ock}\,w_{oc'k'},\quad "
    r"d(k-k')=i-j",
    source="source notes, N2 and N7, put right; J. Wang et al. (2020), Orthogonal convolutional "
    "neural networks, section 3",
    near_miss="with padding that leaves out the last outputs",
    concludes="values",
)
def restored_by_the_transpose(stride: int, dilation: int, n_taps: int, n: int) -> bool:
    return _is_correlations(stride, dilation, n_taps, n, cut=0)


@restored_by_the_transpose.near_miss_claim({"n_taps": (2,), "n": (2,), "cut": (1,)})
def _cut_off(n_taps: int, n: int, cut: int) -> bool:
    return _is_correlations(1, 1, n_taps, n, cut)


@all_values(
    "deconvolution.restored-after-upsampling",
    box={"stride": (1, 2, 3), "n_taps": (1, 2, 3, 4), "n": (1, 2, 3)},
    words="A transposed convolution that cuts nothing off is undone by its transpose, the "
    "convolution with the same kernel and stride, exactly when its kernel has norm 1 and is "
    "orthogonal to itself shifted by multiples of the stride: the entry at i and j of that product "
    "is the correlation at lag s·(i − j). With s ≥ K the shifts do not meet, and a norm of 1 is "
    "all.",
    latex=r"(T^{T}T)_{ij}=\sum_k w_k\,w_{k+s(i-j)}",
    source="source notes, N2 and N7, put right; I. Daubechies, Ten Lectures on Wavelets (1992), "
    "section 5.6",
    near_miss="orthogonal to itself shifted by multiples of twice the stride",
    concludes="values",
)
def restored_after_upsampling(stride: int, n_taps: int, n: int) -> bool:
    return _is_shifted(stride, n_taps, n, stride)


@restored_after_upsampling.near_miss_claim()
def _twice_the_stride(stride: int, n_taps: int, n: int) -> bool:
    return _is_shifted(stride, n_taps, n, 2 * stride)


def _is_shifted(stride: int, n_taps: int, n: int, step: int) -> bool:
    operator = sc.ConvTranspose1d(1, 1, n_taps, stride=stride, bias=False).operator((n,))
    a, w = operator.exact(), operator.weight_symbols().ravel()
    gram = (a.T * a).applyfunc(sympy.expand)
    padded = np.concatenate([np.zeros(step * n, int), w, np.zeros(step * n, int)])
    for i, j in product(range(n), repeat=2):
        start = step * (n + i - j)
        expected = sum(a * b for a, b in zip(w, padded[start : start + n_taps], strict=True))
        if sympy.expand(gram[i, j] - expected) != 0:
            return False
    return True
