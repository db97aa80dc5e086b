"""What boundary modes do to a layer: its matrix, its symmetries, what it keeps."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import sympy

import symconv as sc
from symconv.boundary import MODES
from symconv.proving import all_values
from symconv.verdict import Verdict

#: A matrix, or a list of numbers, with symbolic entries.
Matrix = Any
Numbers = Any

STRANG = "G. Strang, The Discrete Cosine Transform (1999), SIAM Review 41, sections 1-2"


def layer(
    n_taps: int,
    mode: str,
    padding: tuple[int, int],
    *,
    stride: int = 1,
    dilation: int = 1,
    value: Any = 0,
) -> sc.Conv:
    """A layer of one channel without bias."""
    return sc.Conv(
        1,
        1,
        (n_taps,),
        stride=stride,
        dilation=dilation,
        padding=(padding,),
        bias=False,
        padding_mode=mode,
        padding_value=value,
    )


def taps(n_taps: int, name: str = "w") -> list[Any]:
    """Free weights."""
    return [sympy.Symbol(f"{name}{k}") for k in range(n_taps)]


def palindrome(half: int, name: str = "w") -> list[Any]:
    """2·half + 1 weights that read the same both ways."""
    return [sympy.Symbol(f"{name}{abs(k)}") for k in range(-half, half + 1)]


def keeping(weights: Sequence[Any], mode: str, n: int, dilation: int = 1) -> Matrix:
    """The matrix of a layer of stride 1 with odd taps that keeps n samples, padded alike."""
    reach = dilation * (len(weights) // 2)
    one = layer(len(weights), mode, (reach, reach), dilation=dilation)
    return one.operator((n,)).exact([[list(weights)]])


def samples(n: int) -> list[Any]:
    """Free inputs."""
    return [sympy.Symbol(f"x{i}") for i in range(n)]


PADDED = {
    "mode": tuple(MODES),
    "pads": ((1, 0), (0, 2), (3, 4), (-1, 1), (1, -1)),
    "stride": (1, 2),
    "dilation": (1, 2),
    "n": (2, 3),
}


def padded_first(
    mode: str, pads: tuple[int, int], stride: int, dilation: int, n: int, before: str
) -> bool | None:
    """Whether a layer with padding is padding in the mode `before` and the layer without."""
    value = sympy.Symbol("c") if mode == "constant" else 0
    whole = layer(2, mode, pads, stride=stride, dilation=dilation, value=value)
    if n + sum(pads) < dilation + 1:
        return None
    x, w = samples(n), [[taps(2)]]
    pad = sc.Pad((pads,), padding_mode=before, padding_value=value if before == mode else 0)
    bare = layer(2, "zeros", (0, 0), stride=stride, dilation=dilation)
    spread = pad.operator((n,)).apply(x)
    one = whole.operator((n,)).apply([x], w)
    two = bare.operator((n + sum(pads),)).apply([spread], w)
    return all(sympy.expand(a - b) == 0 for a, b in zip(one.flat, two.flat, strict=True))


@all_values(
    "bordered.pad-first",
    box=PADDED,
    words="A layer with padding is a matrix of zeros and ones that pads, in the same mode, and the "
    "layer without padding after it: in every mode, for padding wider than the input and for "
    "crops. (Two taps; constant padding adds its constant.)",
    latex=r"A_{\mathrm{mode}}(w)\,x=A_{\mathrm{valid}}(w)\,(P_{\mathrm{mode}}\,x)",
    source="symconv; torch.nn.functional.pad before torch.nn.functional.conv1d",
    near_miss="padding first by zeros, whatever the mode",
    concludes="triples",
)
def pad_first(mode: str, pads: tuple[int, int], stride: int, dilation: int, n: int) -> bool | None:
    return padded_first(mode, pads, stride, dilation, n, mode)


@pad_first.near_miss_claim()
def _zeros_first(
    mode: str, pads: tuple[int, int], stride: int, dilation: int, n: int
) -> bool | None:
    return padded_first(mode, pads, stride, dilation, n, "zeros")


WINDOWS = {"K": (1, 2, 3), "p": (0, 1, 3), "stride": (1, 2), "dilation": (1, 2), "n": (1, 3)}


def outputs(
    mode: str, n_taps: int, p: int, stride: int, dilation: int, n: int, c: Any
) -> list[Any] | None:
    """Outputs for free inputs and weights, or None where no window fits."""
    if n + 2 * p < dilation * (n_taps - 1) + 1:
        return None
    one = layer(n_taps, mode, (p, p), stride=stride, dilation=dilation, value=c)
    found = one.operator((n,)).apply([samples(n)], [[taps(n_taps)]])
    return [sympy.expand(value) for value in found.flat]


@all_values(
    "bordered.constant-is-affine",
    box=WINDOWS,
    words="Constant padding with value c adds to the output with zero padding c times the weights "
    "that meet padding: the sum of all less the sum of that row of the zero-padded matrix.",
    latex=r"y_c=A_0x+c\,\Bigl(\sum_k w[k]\,\mathbf 1-A_0\mathbf 1\Bigr)",
    source="symconv; torch.nn.ConstantPad1d before a convolution",
    near_miss="it adds c times the sum of all weights",
    concludes="values",
)
def constant_is_affine(K: int, p: int, stride: int, dilation: int, n: int) -> bool | None:  # noqa: N803
    return constant_adds(K, p, stride, dilation, n, whole=False)


def constant_adds(
    n_taps: int, p: int, stride: int, dilation: int, n: int, *, whole: bool
) -> bool | None:
    """Whether constant padding adds what is claimed, or c times all weights."""
    c, total = sympy.Symbol("c"), sympy.Add(*taps(n_taps))
    found = outputs("constant", n_taps, p, stride, dilation, n, c)
    if found is None:
        return None
    one = layer(n_taps, "zeros", (p, p), stride=stride, dilation=dilation).operator((n,))
    zeros = one.exact([[taps(n_taps)]])
    linear = zeros * sympy.Matrix(samples(n))
    stored = sympy.zeros(len(found), 1) if whole else zeros * sympy.ones(n, 1)
    met = total * sympy.ones(len(found), 1) - stored
    return all(sympy.expand(y - a - c * b) == 0 for y, a, b in zip(found, linear, met, strict=True))


@constant_is_affine.near_miss_claim()
def _adds_all_weights(K: int, p: int, stride: int, dilation: int, n: int) -> bool | None:  # noqa: N803
    return constant_adds(K, p, stride, dilation, n, whole=True)


def doubled(mode: str, n: int, *, repeat: bool) -> Matrix:
    """The 0/1 matrix that writes one period of a mirrored signal, edges repeated or not."""
    period = [*range(n), *reversed(range(n) if repeat else range(1, n - 1))]
    return sympy.Matrix(len(period), n, lambda row, i: int(period[row] == i))


def from_circular(mode: str, K: int, d: int, n: int, *, repeat: bool) -> Verdict | None:  # noqa: N803
    """A layer that keeps n samples against the circular one on a mirrored period."""
    if n == 1 and not repeat:
        return None
    mirrored = doubled(mode, n, repeat=repeat)
    around = keeping(taps(K), "circular", mirrored.rows, d)[:n, :]
    return sc.same_operator(keeping(taps(K), mode, n, d), around * mirrored)


@all_values(
    "bordered.mirrored-period",
    box={"mode": ("symmetric", "reflect"), "K": (1, 3, 5), "d": (1, 2), "n": (1, 2, 3, 4)},
    words="A layer with symmetric padding is the first n outputs of a circular layer on the 2n "
    "samples x_0 … x_(n−1), x_(n−1) … x_0; with reflecting padding, on the 2(n − 1) samples "
    "x_0 … x_(n−1), x_(n−2) … x_1 (n ≥ 2).",
    latex=r"A_{\mathrm{sym}}=\begin{pmatrix}I_n&0\end{pmatrix}A_{\circ}^{2n}"
    r"\begin{pmatrix}I\\J\end{pmatrix}",
    source=STRANG,
    near_miss="the 2n samples for both modes",
    concludes="triples",
)
def mirrored_period(mode: str, K: int, d: int, n: int) -> Verdict | None:  # noqa: N803
    return from_circular(mode, K, d, n, repeat=mode == "symmetric")


@mirrored_period.near_miss_claim()
def _always_repeated(mode: str, K: int, d: int, n: int) -> Verdict | None:  # noqa: N803
    return from_circular(mode, K, d, n, repeat=True)


def commuting(mode: str, h1: int, h2: int, d: int, n: int) -> Verdict:
    """Two layers with palindromic kernels in either order."""
    a, b = keeping(palindrome(h1), mode, n), keeping(palindrome(h2, "u"), mode, n, d)
    return sc.same_operator(a * b, b * a)


@all_values(
    "bordered.palindromes-commute",
    box={"mode": ("symmetric", "reflect"), "h1": (1, 2), "h2": (1, 2), "d": (1, 2),
         "n": (1, 2, 3, 4)},
    words="Layers of stride 1 with palindromic kernels (2h + 1 taps) can change places under "
    "symmetric and reflecting padding: mirrored signals stay mirrored, and the cosine transforms "
    "diagonalise them all.",
    latex=r"w[k]=w[-k],\;u[k]=u[-k]\Rightarrow A(w)A(u)=A(u)A(w)",
    source=STRANG,
    near_miss="the same with zero padding",
    concludes="triples",
)  # fmt: skip
def palindromes_commute(mode: str, h1: int, h2: int, d: int, n: int) -> Verdict:
    return commuting(mode, h1, h2, d, n)


@palindromes_commute.near_miss_claim({"mode": ("zeros",), "h1": (1, 2), "h2": (1, 2), "d": (1, 2),
                                      "n": (1, 2, 3, 4)})  # fmt: skip
def _with_zeros(mode: str, h1: int, h2: int, d: int, n: int) -> Verdict:
    return commuting(mode, h1, h2, d, n)


def hankel(mode: str, n_taps: int, p: int, n: int) -> bool | None:
    """Whether the mode adds to the zero-padded matrix one that is constant where o + i is."""
    if p > n or n + 2 * p < n_taps:
        return None
    a, b = (
        layer(n_taps, m, (p, p)).operator((n,)).exact([[taps(n_taps)]]) for m in (mode, "zeros")
    )
    added = (a - b).applyfunc(sympy.expand)
    return all(
        added[o, i] == added[o + 1, i - 1] for o, i in product(range(a.rows - 1), range(1, n))
    )


@all_values(
    "bordered.hankel-part",
    box={"mode": ("symmetric",), "K": (1, 2, 3, 4, 5), "p": (0, 1, 2, 3), "n": (1, 2, 3, 4)},
    words="With stride 1 and padding up to n wide, symmetric padding adds to the zero-padded "
    "matrix, which is Toeplitz, a matrix that is Hankel: its entries depend on o + i only.",
    latex=r"A_{\mathrm{sym}}=T+H,\quad T[o,i]=t_{i-o},\;H[o,i]=h_{o+i}",
    source=STRANG + "; M. K. Ng, R. H. Chan, W.-C. Tang, A Fast Algorithm for Deblurring Models "
    "with Neumann Boundary Conditions (1999)",
    near_miss="reflecting padding as well: its first and last columns are left out",
    concludes="triples",
)
def hankel_part(mode: str, K: int, p: int, n: int) -> bool | None:  # noqa: N803
    return hankel(mode, K, p, n)


@hankel_part.near_miss_claim({"mode": ("reflect",), "K": (1, 2, 3, 4, 5), "p": (0, 1, 2, 3),
                              "n": (1, 2, 3, 4)})  # fmt: skip
def _reflect_is_hankel(mode: str, K: int, p: int, n: int) -> bool | None:  # noqa: N803
    return hankel(mode, K, p, n)


def keeps_sum(mode: str, h: int, d: int, n: int) -> bool:
    """Whether every column of a layer with a palindromic kernel sums to the kernel's sum."""
    w = palindrome(h)
    sums = sympy.ones(1, n) * keeping(w, mode, n, d)
    return all(sympy.expand(value - sympy.Add(*w)) == 0 for value in sums)


@all_values(
    "bordered.keeps-the-sum",
    box={"mode": ("symmetric", "circular"), "h": (0, 1, 2), "d": (1, 2), "n": (1, 2, 3, 4)},
    words="A layer of stride 1 with a palindromic kernel multiplies the sum of the samples by the "
    "sum of the weights under symmetric and circular padding: every column sums to it, as every "
    "row does.",
    latex=r"\mathbf 1^{T}A(w)=\Bigl(\sum_k w[k]\Bigr)\mathbf 1^{T}",
    source="symconv",
    near_miss="reflecting and replicating padding",
    concludes="values",
)
def keeps_the_sum(mode: str, h: int, d: int, n: int) -> bool:
    return keeps_sum(mode, h, d, n)


@keeps_the_sum.near_miss_claim({"mode": ("replicate", "reflect"), "h": (0, 1, 2), "d": (1, 2),
                                "n": (1, 2, 3, 4)})  # fmt: skip
def _with_reflection(mode: str, h: int, d: int, n: int) -> bool:
    return keeps_sum(mode, h, d, n)
