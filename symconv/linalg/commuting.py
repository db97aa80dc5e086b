"""Null vectors that every setting of the weights has because kernels commute.

Two input channels with kernels u and v into one output: where nothing is cut off, (v∗g, −u∗g) goes
to u∗v∗g − v∗u∗g = 0 for every g; so do the two phases of one channel under stride 2. At borders and
under other boundaries the question is which vectors of linear forms in the weights go to zero,
monomial by monomial. Each monomial of each output says that two coefficients are opposite, or that
one is zero: a graph answers.

References
----------
D. Eisenbud, Commutative Algebra with a View Toward Algebraic Geometry (1995), ch. 17 (Koszul).
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse
from scipy.sparse.csgraph import connected_components

from symconv.boundary import OUTSIDE
from symconv.linalg.forms import Forms
from symconv.memory import require
from symconv.modular.integer_matrix import IntegerMatrix
from symconv.modular.ranks import eliminated

__all__ = ["commuting_nullity"]

Array = npt.NDArray[Any]

WAY_OUT = "use a smaller input or fewer taps"


def commuting_nullity(forms: Forms, weight: Array, prime: int) -> tuple[int, int]:
    """How many independent null vectors, and left ones, commuting kernels leave at least.

    For almost all weights: they are independent modulo `prime` at the integers `weight` (out, in,
    *kernel). Channels on one side only are looked at.

    Examples
    --------
    >>> import symconv as sc
    >>> op = sc.Conv2d(2, 1, 3, padding=2, bias=False).operator((4, 4))
    >>> weight = np.arange(18).reshape(1, 2, 3, 3) ** 2
    >>> commuting_nullity(Forms.of(op), weight, 8388593)
    (4, 0)
    """
    flat = weight.reshape(*weight.shape[:2], -1)
    null = left = 0
    if forms.outs == 1:
        null = _independent(forms.table, forms.shape[1] // forms.ins, flat[0], prime)
    if forms.ins == 1:
        turned = _turned(forms.table, forms.shape[1])
        if turned is not None:
            left = _independent(turned, forms.shape[0] // forms.outs, flat[:, 0], prime)
    return null, left


def _turned(table: Array, inputs: int) -> Array | None:
    """Which output reads each input through each tap, where there is never a second one."""
    taps, outputs = np.nonzero(table != OUTSIDE)
    places = taps * inputs + table[taps, outputs]
    if len(np.unique(places)) < len(places):
        return None
    turned = np.full(len(table) * inputs, OUTSIDE)
    turned[places] = outputs
    return turned.reshape(len(table), inputs)


def _independent(table: Array, positions: int, weight: Array, prime: int) -> int:
    """Rank of the null vectors of all channels, two at a time, at `weight` (channels, taps).

    `table[k, r]` is the position that equation r takes times weight k of the channel.
    """
    channels, n_taps = weight.shape
    together = min(channels, 2)
    read = np.vstack(
        [np.where(table == OUTSIDE, OUTSIDE, table + c * positions) for c in range(together)]
    )
    tap, place, number, sign = _coefficients(read, together * positions)
    size = int(number.max(initial=-1)) + 1
    groups = list(combinations(range(channels), together))
    require(72 * len(groups) * len(tap), "the null vectors of commuting kernels", WAY_OUT)
    chosen = np.array(groups)
    # The numbers within a group of channels, made those of all channels.
    columns = chosen[:, place // positions] * positions + place % positions
    values = weight[chosen[:, tap // n_taps], tap % n_taps] * sign
    rows = np.arange(len(groups))[:, None] * size + number
    entries = values.ravel(), (rows.ravel(), columns.ravel())
    matrix = scipy.sparse.coo_array(entries, shape=(len(groups) * size, channels * positions))
    found = IntegerMatrix.of(matrix).without_zeros()
    return eliminated(found, (channels, positions), prime, keep=False).rank


def _coefficients(read: Array, positions: int) -> tuple[Array, Array, Array, Array]:
    """Taps, positions, numbers and signs of the terms ± w[tap]·e[position] of null vectors.

    For x = Σ c[k, i]·w[k]·e_i the monomial w[k]·w[l] of equation r is c[l, read[k, r]] plus
    c[k, read[l, r]]. Every coefficient has two nodes, for + and for −; opposite coefficients join
    one's + with the other's −. Where both of one lie in one part it is zero.
    """
    n_taps = len(read)
    require(100 * n_taps * read.size, "the monomials of kernels that may commute", WAY_OUT)
    one, other = np.triu_indices(n_taps)
    first, second = (
        np.where(read[k] == OUTSIDE, -1, at[:, None] * positions + read[k]).ravel()
        for k, at in ((one, other), (other, one))
    )
    both = (first >= 0) & (second >= 0)
    n = n_taps * positions
    plus, minus = first[both], second[both]
    ends = np.concatenate([plus, plus + n]), np.concatenate([minus + n, minus])
    graph = scipy.sparse.coo_array((np.ones(len(ends[0]), dtype=bool), ends), shape=(2 * n, 2 * n))
    count, label = connected_components(graph, directed=False)
    zero = np.zeros(count, dtype=bool)
    alone = np.concatenate([first[~both], second[~both]])
    alone = alone[alone >= 0]
    zero[label[alone]] = zero[label[alone + n]] = True
    positive, negative = label[:n], label[n:]
    # Of a part and its mirror image, which has the signs changed, one is enough.
    mirror = np.zeros(count, dtype=np.int64)
    mirror[positive], mirror[negative] = negative, positive
    kept = ~zero & (np.arange(count) < mirror)
    number = np.cumsum(kept) - 1
    at = [np.flatnonzero(kept[part]) for part in (positive, negative)]
    which = np.concatenate(at)
    numbers = np.concatenate([number[positive[at[0]]], number[negative[at[1]]]])
    signs = np.repeat([1, -1], [len(at[0]), len(at[1])])
    return which // positions, which % positions, numbers, signs
