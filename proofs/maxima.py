"""What max pooling does to values: order, sums, distances, permutations and shifts.

What is shown for two numbers holds for windows of any size, since a window is the larger of its
first sample and of the rest.
"""

from __future__ import annotations

import math
from itertools import permutations, product
from typing import Any

import numpy as np
import numpy.typing as npt

import symconv as sc
from symconv.invariance import unchanged_by
from symconv.matrices import symbols as symbols_of
from symconv.proving import (
    Trace,
    all_of,
    all_sizes,
    all_values,
    any_of,
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


@all_sizes(
    "maxima.squared-distances",
    words="The squared distance of two maxima is at most the larger of the squared distances of "
    "their samples: one sample answers for it. Summed over the windows a sample answers at most "
    "once for each that reads it.",
    latex=r"\bigl(\max(x_1,x_2)-\max(y_1,y_2)\bigr)^2\le\max\bigl((x_1-y_1)^2,(x_2-y_2)^2\bigr)",
    source="symconv; C. Szegedy et al. (2014), Intriguing properties of neural networks, "
    "arXiv:1312.6199, section 4.3, on the Lipschitz constants of layers",
    near_miss="at most the smaller of the two",
)
def squared_distances(t: Trace) -> None:
    x1, x2, y1, y2 = t.integers("x1 x2 y1 y2")
    one, other = (x1 - y1) * (x1 - y1), (x2 - y2) * (x2 - y2)
    gap = max(x1, x2) - max(y1, y2)
    t.show(any_of(gap * gap <= one, gap * gap <= other))
    t.instead(gap * gap <= one, gap * gap <= other)


@exhaustive(
    "maxima.euclidean-constant",
    words="The Lipschitz constant of max pooling in Euclidean distance is √L, L the most windows "
    "that read one sample: no pair of inputs is farther apart after it (here all with values 0, 1, "
    "2), and one bright sample that L windows read reaches it.",
    latex=r"\sup_{x\ne y}\frac{\|\mathrm{pool}(x)-\mathrm{pool}(y)\|_2^2}{\|x-y\|_2^2} = "
    r"\max_i \#\{o: i\in W_o\}",
    source="symconv; for all values by maxima.squared-distances",
    near_miss="it is 1, as in the largest distance",
    box={"K": (1, 2, 3), "s": (1, 2, 3), "p": (0, 1), "n": (2, 3, 4)},
)
def euclidean_constant(K: int, s: int, p: int, n: int) -> bool | None:  # noqa: N803
    if n + 2 * p < K or not all(reads := windows((n,), (K,), stride=s, padding=p)):
        return None
    return most_apart(n, reads, max(sum(i in window for window in reads) for i in range(n)))


@euclidean_constant.near_miss_claim()
def constant_one(K: int, s: int, p: int, n: int) -> bool | None:  # noqa: N803
    if n + 2 * p < K or not all(reads := windows((n,), (K,), stride=s, padding=p)):
        return None
    return most_apart(n, reads, 1)


def most_apart(n: int, reads: list[list[int]], constant: int) -> bool:
    """Whether squared distances grow by this factor at most, and by it somewhere."""
    x, y = pairs(n)
    before = ((x - y) ** 2).sum(axis=1)
    after = ((largest(x, reads) - largest(y, reads)) ** 2).sum(axis=1)
    apart = before > 0
    reached = (after == constant * before) & apart
    return bool((after <= constant * before).all() and reached.any())


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


#: Poolings of few samples by name: plain, overlapping, gaps, padded, dilated, two axes.
SMALL: dict[str, tuple[type[sc.MaxPool] | type[sc.AvgPool], dict[str, Any], tuple[int, ...]]] = {
    "max 2": (sc.MaxPool, {"kernel_size": (2,)}, (4,)),
    "max 3, stride 2": (sc.MaxPool, {"kernel_size": (3,), "stride": 2}, (5,)),
    "max 2, stride 3": (sc.MaxPool, {"kernel_size": (2,), "stride": 3}, (5,)),
    "max, padded, dilated": (
        sc.MaxPool,
        {"kernel_size": (2,), "stride": 2, "padding": ((1, 0),), "dilation": 2},
        (5,),
    ),
    "max of 2×2": (sc.MaxPool, {"kernel_size": (2, 2), "stride": (1, 2)}, (2, 3)),
    "mean 2": (sc.AvgPool, {"kernel_size": (2,)}, (4,)),
    "mean 3, stride 2": (sc.AvgPool, {"kernel_size": (3,), "stride": 2}, (5,)),
    "mean, ceil mode": (sc.AvgPool, {"kernel_size": (2,), "ceil_mode": True}, (5,)),
}


@all_values(
    "maxima.unchanged-by",
    words="The group that `unchanged_by` gives (all permutations within its classes) holds exactly "
    "the permutations π for which pooling x∘π is pooling x for all x, of all n!; for the others "
    "it names an input that shows it. Means as well as maxima.",
    latex=r"\mathrm{pool}(x\circ\pi)=\mathrm{pool}(x)\;\forall x \iff "
    r"A_{\cdot,\pi(i)}=A_{\cdot,i}\;\forall i",
    source="symconv; matrices over (max, +), or over the numbers, that differ are two functions",
    near_miss="exactly those that take windows to windows",
    box={"pooling": tuple(SMALL)},
    concludes="values",
)
def unchanged_by_group(pooling: str) -> bool:
    op = small(pooling)
    group = unchanged_by(op)
    symbols = op.symbolic() if isinstance(op, sc.PoolOperator) else op.apply(unknown(op))
    found = 0
    for pi in permutations(range(op.shape[1])):
        verdict = group.decide(pi)
        found += bool(verdict)
        if bool(verdict) != group.contains(pi) or bool(verdict) != stays(op, symbols, pi):
            return False
    return bool(group.order == found)


@unchanged_by_group.near_miss_claim()
def unchanged_by_moving_windows(pooling: str) -> bool:
    op = small(pooling)
    reads = [set(row) for row in columns_of(op)]
    symbols = op.symbolic() if isinstance(op, sc.PoolOperator) else op.apply(unknown(op))
    return all(
        stays(op, symbols, pi) == all({pi[i] for i in window} in reads for window in reads)
        for pi in permutations(range(op.shape[1]))
    )


def small(name: str) -> Any:
    """The operator of a small pooling."""
    kind, options, size = SMALL[name]
    return kind(**options).operator(size)


def unknown(op: Any) -> npt.NDArray[Any]:
    """One symbol for each sample."""
    return symbols_of("x", op.input_shape)


def columns_of(op: Any) -> list[list[int]]:
    """The samples that each window reads."""
    if isinstance(op, sc.PoolOperator):
        rows, columns, _ = op.support().arrays()
    else:
        rows, columns = op.sparse().nonzero()
    read: list[list[int]] = [[] for _ in range(op.shape[0])]
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        read[row].append(column)
    return read


def stays(op: Any, pooled: npt.NDArray[Any], pi: tuple[int, ...]) -> bool:
    """Whether pooling x∘π is pooling x for all x, by normal forms."""
    x = unknown(op)
    moved = op.apply(x.ravel()[list(pi)].reshape(x.shape))
    return bool(sc.same_function(moved, pooled))


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
