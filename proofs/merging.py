"""When two layers can be one, with which kernel and bias, and when they can change places."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import sympy

import symconv as sc
from symconv.boundary import MODES
from symconv.proving import Trace, all_of, all_sizes, all_values, between, iff, implies, reads
from symconv.receptive import composed
from symconv.relation import AxisRelation
from symconv.verdict import Verdict

#: A kernel as (out, in, tap), or a list of such.
Weights = Any


def weights(letter: str, *shape: int) -> Weights:
    """A kernel of plain symbols, nested as lists."""
    names = [
        sympy.Symbol("_".join((letter, *map(str, place)))) for place in product(*map(range, shape))
    ]
    for size in shape[:0:-1]:
        names = [names[at : at + size] for at in range(0, len(names), size)]
    return names


def composed_kernel(first: AxisRelation, second: AxisRelation, w: Weights, u: Weights) -> Weights:
    """The kernel of both layers in one: W[c, a, s·d′·k′ + d·k] = Σ_b u[c, b, k′]·w[b, a, k]."""
    size = composed([first, second]).n_taps
    kernel = [[[sympy.S.Zero] * size for _ in w[0]] for _ in u]
    for c, b, a in product(range(len(u)), range(len(w)), range(len(w[0]))):
        for k2, k1 in product(range(second.n_taps), range(first.n_taps)):
            tap = first.stride * second.dilation * k2 + first.dilation * k1
            kernel[c][a][tap] += u[c][b][k2] * w[b][a][k1]
    return kernel


def layer_of(relation: AxisRelation, out: int, into: int, mode: str = "zeros") -> sc.Conv:
    """The layer without bias whose one axis has this relation."""
    return sc.Conv(
        into,
        out,
        (relation.n_taps,),
        stride=relation.stride,
        dilation=relation.dilation,
        padding=((relation.pad_lo, relation.pad_hi),),
        bias=False,
        padding_mode=mode,
    )


def product_and_whole(
    first: AxisRelation, second: AxisRelation, n: int, mode: str = "zeros"
) -> Verdict | None:
    """Two layers, 1 → 2 → 1 channels, against one with the composed relation and kernel."""
    w, u = weights("w", 2, 1, first.n_taps), weights("u", 1, 2, second.n_taps)
    middle = first.output_size(n)
    whole = composed([first, second])
    if middle < 1 or whole.output_size(n) < 1:
        return None
    a = layer_of(first, 2, 1, mode).operator((n,)).exact(w)
    b = layer_of(second, 1, 2, mode).operator((middle,)).exact(u)
    one = layer_of(whole, 1, 1, mode).operator((n,))
    return sc.same_operator(b * a, one.exact(composed_kernel(first, second, w, u)))


@all_values(
    "merging.kernels-convolve",
    box={
        "K1": (1, 2, 3), "s1": (1, 2), "d1": (1, 2), "p1": (0, 1, -1),
        "K2": (1, 2, 3), "s2": (1, 2), "d2": (1, 2), "n": (5, 8),
    },
    words="x", latex="x", source="x", near_miss="x",
    concludes="triples",
)  # fmt: skip
def kernels_convolve(  # noqa: N803
    K1: int, s1: int, d1: int, p1: int, K2: int, s2: int, d2: int, n: int
) -> Verdict | None:
    return product_and_whole(AxisRelation(K1, s1, d1, p1, 1), AxisRelation(K2, s2, d2), n)
