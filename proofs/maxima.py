"""What max pooling does to values: order, sums, distances, permutations and shifts.

What is shown for two numbers holds for windows of any size, since a window is the larger of its
first sample and of the rest.
"""

from __future__ import annotations

import math
from itertools import permutations, product

import numpy as np
import numpy.typing as npt

import symconv as sc
from symconv.proving import (
    Trace,
    all_of,
    all_sizes,
    all_values,
    axis,
    between,
    exhaustive,
    implies,
)
from symconv.proving.claims import windows

IntArray = npt.NDArray[np.int64]


def inputs(n: int, n_values: int) -> IntArray:
    """All inputs of n samples with the values 0 … n_values−1, one a row."""
    return np.array(list(product(range(n_values), repeat=n)), dtype=np.int64)


def largest(x: IntArray, reads: list[list[int]]) -> IntArray:
    """Max pooling of every row."""
    return np.stack([x[:, window].max(axis=1) for window in reads], axis=1)


@all_sizes(
    "maxima.increasing-functions",
    words="A non-decreasing function f commutes with the maximum, so max-pooling f(x) is f of "
    "max-pooling x: the values, not the places where they are found.",
    latex=r"a\le b \Rightarrow f(a)\le f(b) \quad\text{implies}\quad "
    r"f(\max(x,y)) = \max(f(x),f(y))",
    source="symconv; why a ReLU may stand before or after a max pooling",
    near_miss="any function f",
)
def increasing_functions(t: Trace) -> None:
    x, y, fx, fy = t.integers("x y fx fy")
    t.assume(implies(x == y, fx == fy))
    t.given(implies(x <= y, fx <= fy), implies(y <= x, fy <= fx))
    f_of_largest = fx if x >= y else fy
    t.show(f_of_largest == max(fx, fy))


@exhaustive(
    "maxima.only-increasing-functions",
    words="Only non-decreasing functions commute with max pooling: of all functions from {0,1,2} "
    "to {0,1,2}, f(maxpool(x)) = maxpool(f(x)) for every x exactly for these, as soon as some "
    "window reads two samples.",
    latex=r"\forall x:\ f(\mathrm{maxpool}(x)) = \mathrm{maxpool}(f(x)) \iff f \text{ is "
    r"non-decreasing}",
    source="symconv",
    near_miss="exactly for the increasing ones, f(0) < f(1) < f(2)",
    box={"f": tuple(product(range(3), repeat=3)), "K": (2, 3), "s": (1, 2), "p": (0, 1)},
)
def only_increasing_functions(f: tuple[int, ...], K: int, s: int, p: int) -> bool:  # noqa: N803
    return commutes(f, K, s, p) == (f[0] <= f[1] <= f[2])


@only_increasing_functions.near_miss_claim()
def strictly_increasing(f: tuple[int, ...], K: int, s: int, p: int) -> bool:  # noqa: N803
    return commutes(f, K, s, p) == (f[0] < f[1] < f[2])


def commutes(f: tuple[int, ...], n_taps: int, stride: int, padding: int) -> bool:
    """Whether f and a max pooling of 4 samples commute on every input."""
    x, reads, table = (
        inputs(4, 3),
        windows((4,), (n_taps,), stride=stride, padding=padding),
        np.array(f),
    )
    return np.array_equal(table[largest(x, reads)], largest(table[x], reads))


@exhaustive(
    "maxima.thresholds",
    words="Max pooling is decided on zeros and ones: for samples 0 … M it is the sum over "
    "t = 1 … M of max-pooling the indicator of x ≥ t.",
    latex=r"\mathrm{maxpool}(x) = \sum_{t=1}^{M}\mathrm{maxpool}([x\ge t]),\quad 0\le x\le M",
    source="J. P. Fitch, E. J. Coyle, N. C. Gallagher (1984), Median filtering by threshold "
    "decomposition, IEEE Trans. ASSP 32, for the maximum",
    near_miss="the same with x > t",
    box={"K": (1, 2, 3), "s": (1, 2, 3), "p": (0, 1), "n": (3, 4)},
)
def thresholds(K: int, s: int, p: int, n: int) -> bool | None:  # noqa: N803
    return stacked(K, s, p, n, 0)


@thresholds.near_miss_claim()
def strict_thresholds(K: int, s: int, p: int, n: int) -> bool | None:  # noqa: N803
    return stacked(K, s, p, n, 1)


def stacked(n_taps: int, stride: int, padding: int, n: int, above: int) -> bool | None:
    """Whether the poolings of x ≥ t + above sum to that of x; None for windows without samples."""
    x, reads = inputs(n, 4), windows((n,), (n_taps,), stride=stride, padding=padding)
    if not all(reads):
        return None
    total = sum(largest((x >= t + above).astype(np.int64), reads) for t in range(1, 4))
    return np.array_equal(total, largest(x, reads))


@exhaustive(
    "maxima.tropical-linear",
    words="Max pooling is linear over (max, +): the pooling of the larger of two inputs is the "
    "larger of the two poolings, and a constant added to the input is added to the output (here "
    "for all inputs with values 0, 1, 2).",
    latex=r"\mathrm{pool}(\max(x,y)) = \max(\mathrm{pool}(x),\mathrm{pool}(y)),\quad "
    r"\mathrm{pool}(x+c) = \mathrm{pool}(x)+c",
    source="symconv; max pooling as a matrix over (max, +)",
    near_miss="it is linear over the numbers: the pooling of x + y is the sum of the poolings",
    box={"K": (1, 2, 3), "s": (1, 2, 3), "p": (0, 1), "n": (2, 3), "c": (1, 2)},
)
def tropical_linear(K: int, s: int, p: int, n: int, c: int) -> bool | None:  # noqa: N803
    if n + 2 * p < K or not all(reads := windows((n,), (K,), stride=s, padding=p)):
        return None
    x, y = pairs(n)
    added = np.array_equal(largest(x + c, reads), largest(x, reads) + c)
    larger = np.maximum(largest(x, reads), largest(y, reads))
    return added and np.array_equal(largest(np.maximum(x, y), reads), larger)


@tropical_linear.near_miss_claim()
def linear(K: int, s: int, p: int, n: int, c: int) -> bool | None:  # noqa: N803
    if n + 2 * p < K or not all(reads := windows((n,), (K,), stride=s, padding=p)):
        return None
    x, y = pairs(n)
    scaled = np.array_equal(largest(c * x, reads), c * largest(x, reads))
    return scaled and np.array_equal(largest(x + y, reads), largest(x, reads) + largest(y, reads))


def pairs(n: int) -> tuple[IntArray, IntArray]:
    """All pairs of inputs of n samples with values 0, 1, 2."""
    x = inputs(n, 3)
    return np.repeat(x, len(x), axis=0), np.tile(x, (len(x), 1))


@all_sizes(
    "maxima.distances",
    words="Max pooling never moves two inputs apart: if no sample changes by more than c, no "
    "maximum does.",
    latex=r"|x_i-y_i|\le c \;\forall i \;\Rightarrow\; |\max_i x_i-\max_i y_i|\le c",
    source="symconv; max pooling is 1-Lipschitz in the largest distance",
    near_miss="it brings them closer: by less than c",
)
def distances(t: Trace) -> None:
    x1, x2, y1, y2, c = t.integers("x1 x2 y1 y2 c")
    t.assume(-c <= x1 - y1, x1 - y1 <= c, -c <= x2 - y2, x2 - y2 <= c, c >= 1)
    gap = max(x1, x2) - max(y1, y2)
    t.show(-c <= gap, gap <= c)
    t.instead(-c < gap, gap < c)


@exhaustive(
    "maxima.permutations",
    words="A permutation of the samples leaves a pooling unchanged, for all inputs, exactly when "
    "it keeps every window. These permutations are a product: two samples can change places iff "
    "the same windows read them, so for classes of m₁, m₂, … such samples there are m₁!·m₂!·….",
    latex=r"\#\{\pi:\ \mathrm{pool}(x\circ\pi)=\mathrm{pool}(x)\ \forall x\} = \prod_{c} m_c!",
    source="symconv; what the source notes' permutation invariance is one of",
    near_miss="the samples of each window can be permuted: (K!) to the number of windows",
    box={"n": (1, 2, 3, 4, 5, 6), "K": (1, 2, 3), "s": (1, 2, 3)},
    concludes="values",
)
def permutations_kept(n: int, K: int, s: int) -> bool | None:  # noqa: N803
    if n < K:
        return None
    reads = windows((n,), (K,), stride=s)
    readers = [tuple(i in window for window in reads) for i in range(n)]
    classes = [readers.count(kind) for kind in set(readers)]
    return unchanged(n, reads) == math.prod(map(math.factorial, classes))


@permutations_kept.near_miss_claim()
def permutations_of_each_window(n: int, K: int, s: int) -> bool | None:  # noqa: N803
    if n < K:
        return None
    reads = windows((n,), (K,), stride=s)
    return bool(unchanged(n, reads) == math.factorial(K) ** len(reads))


def unchanged(n: int, reads: list[list[int]]) -> int:
    """Permutations π with the same maxima of x∘π and x for all x: each window read as a set."""
    kept = [frozenset(window) for window in reads]
    return sum(
        all(frozenset(pi[i] for i in window) == window for window in kept)
        for pi in permutations(range(n))
    )


@all_sizes(
    "maxima.shift",
    words="On an endless axis, moving the input by t moves the max-pooled output by τ, for all "
    "inputs, exactly when t = s·τ. (The windows at o − τ and, moved by t, at o read the same "
    "samples; it is enough that each holds the first sample of the other.)",
    latex=r"\mathrm{pool}(x(\cdot-t))(o)=\mathrm{pool}(x)(o-\tau)\;\forall x,o \iff t = s\,\tau",
    source="symconv",
    near_miss="the output moves as far as the input: τ = t",
    concludes="fields",
)
def shift(t: Trace) -> None:
    pool, _ = axis(t)
    o, k, k1, k2, by, tau = t.integers("o k k1 k2 t tau")
    t.show(implies(by == pool.stride * tau, pool.position(o, k) - by == pool.position(o - tau, k)))
    first_of_each = all_of(
        between(0, k1, pool.n_taps),
        between(0, k2, pool.n_taps),
        pool.position(o, 0) - by == pool.position(o - tau, k1),
        pool.position(o, k2) - by == pool.position(o - tau, 0),
    )
    t.show(implies(first_of_each, by == pool.stride * tau))
    t.instead(implies(first_of_each, by == tau))


@all_values(
    "maxima.shift-on-a-circle",
    words="On a circle of n samples with s dividing n, moving the input by t moves the max-pooled "
    "output by τ, for all inputs, exactly when t − sτ is a multiple of n, or a multiple of "
    "g = gcd(d, n) while the window goes round its class, K ≥ n/g.",
    latex=r"t\equiv s\tau \pmod n \quad\text{or}\quad K\ge n/g,\ g\mid t-s\tau,\qquad g=\gcd(d,n)",
    source="symconv names the exception n = s = K = 2, t = 1",
    near_miss="exactly when t − sτ is a multiple of n, as on an endless axis",
    box={"n": (1, 2, 3, 4, 6), "s": (1, 2, 3), "K": (1, 2, 3, 4), "d": (1, 2, 3)},
    concludes="fields",
)
def shift_on_a_circle(n: int, s: int, K: int, d: int) -> bool | None:  # noqa: N803
    if n % s:
        return None
    g = math.gcd(d, n)
    return all(
        moves == ((t - s * tau) % n == 0 or (n // g <= K and (t - s * tau) % g == 0))
        for t, tau, moves in shifts(n, s, K, d)
    )


@shift_on_a_circle.near_miss_claim()
def shift_on_a_line(n: int, s: int, K: int, d: int) -> bool | None:  # noqa: N803
    if n % s:
        return None
    return all(moves == ((t - s * tau) % n == 0) for t, tau, moves in shifts(n, s, K, d))


def shifts(n: int, s: int, n_taps: int, d: int) -> list[tuple[int, int, bool]]:
    """Each (t, τ) on the circle, and whether x moved by t is the pooled x moved by τ, for all x."""
    around = ((0, d * (n_taps - 1) + 1 - s),)
    operator = sc.Unfold(
        (n_taps,), stride=s, dilation=d, padding=around, padding_mode="circular"
    ).operator((n,))
    n_out = n // s
    reads: list[set[int]] = [set() for _ in range(n_out)]
    rows, columns = operator.sparse(dtype=int).nonzero()
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        reads[row % n_out].add(column)
    return [
        (t, tau, all({(i - t) % n for i in reads[o]} == reads[o - tau] for o in range(n_out)))
        for t in range(n)
        for tau in range(n_out)
    ]
