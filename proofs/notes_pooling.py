"""The source notes on pooling and a small network, claim by claim: N14 to N17.

Each claim is decided as the notes make it. Where it is false, the remark says what holds and
which theorem proves that.
"""

from __future__ import annotations

import math
from itertools import permutations, product
from typing import Any

import numpy as np
import sympy

import symconv as sc
from symconv.errors import GeometryError
from symconv.proving import Trace, all_sizes, all_values, between, exhaustive, iff, implies
from symconv.proving.claims import windows
from symconv.relation import AxisRelation
from symconv.shifts import always_kept_shifts, kept_shifts
from symconv.verdict import Verdict


@exhaustive(
    "notes_pooling.n14-example",
    words="Of the rows 1 0 3 5, 3 4 2 2, 1 3 3 9, 5 7 8 4, pooled 2×2 with stride 2, the maxima "
    "are 4 5, 7 9 and the means 2 3, 4 6.",
    latex=r"\begin{pmatrix}1&0&3&5\\3&4&2&2\\1&3&3&9\\5&7&8&4\end{pmatrix} \to "
    r"\begin{pmatrix}4&5\\7&9\end{pmatrix},\ \begin{pmatrix}2&3\\4&6\end{pmatrix}",
    source="source notes, N14, which give the stride and not the window",
    near_miss="windows of one sample with stride 2",
    box={"K": (2,)},
)
def n14_example(K: int) -> bool:  # noqa: N803
    x = np.array([[1, 0, 3, 5], [3, 4, 2, 2], [1, 3, 3, 9], [5, 7, 8, 4]])
    largest = [int(x.ravel()[window].max()) for window in windows((4, 4), (K, K), stride=2)]
    mean = sc.AvgPool2d(K, stride=2).operator((4, 4)).apply(x)
    return largest == [4, 5, 7, 9] and mean.tolist() == [[2, 3], [4, 6]]


@n14_example.near_miss_claim(box={"K": (1,)})
def n14_other_window(K: int) -> bool:  # noqa: N803
    return bool(n14_example.definition(K))


@exhaustive(
    "notes_pooling.n15-permutations",
    words="Pooling gives permutation invariance: the samples can be permuted and the pooled values "
    "stay (four samples, windows of two).",
    latex=r"\mathrm{maxpool}(x\circ\pi) = \mathrm{maxpool}(x) \;\forall\pi",
    source="source notes, N15",
    box={
        "x": tuple(product((0, 1), repeat=4)),
        "pi": tuple(permutations(range(4))),
    },
    expected="REFUTED",
    remark="Only for permutations that keep each window: notes_pooling.n15-within-windows, and "
    "maxima.permutations for windows that overlap.",
)
def n15_permutations(x: tuple[int, ...], pi: tuple[int, ...]) -> bool:
    reads = windows((4,), (2,), stride=2)
    return all(max(x[pi[i]] for i in window) == max(x[i] for i in window) for window in reads)


@all_values(
    "notes_pooling.n15-within-windows",
    words="Max and average pooling are unchanged by a permutation of the samples, for all inputs, "
    "exactly when it keeps every window as a set (four samples, windows of two).",
    latex=r"\mathrm{pool}(x\circ\pi) = \mathrm{pool}(x)\;\forall x \iff \pi(W_o)=W_o \;\forall o",
    source="source notes, N15, put right",
    near_miss="exactly when it permutes the windows",
    box={"pi": tuple(permutations(range(4)))},
    corollary_of="maxima.permutations",
)
def n15_within_windows(pi: tuple[int, ...]) -> bool:
    kept = all({pi[i] for i in window} == set(window) for window in ([0, 1], [2, 3]))
    return is_kept(pi) == (kept, kept)


@n15_within_windows.near_miss_claim()
def n15_of_windows(pi: tuple[int, ...]) -> bool:
    moved = sorted(sorted(pi[i] for i in window) for window in ([0, 1], [2, 3]))
    return is_kept(pi) == (moved == [[0, 1], [2, 3]],) * 2


def is_kept(pi: tuple[int, ...]) -> tuple[bool, bool]:
    """Whether the maxima, as sets of unknowns, and the means, as a matrix, stay for all inputs."""
    reads = windows((4,), (2,), stride=2)
    maxima = all({pi[i] for i in window} == set(window) for window in reads)
    mean = sc.AvgPool1d(2).operator((4,)).exact()
    permuted = sympy.SparseMatrix(4, 4, {(i, pi[i]): 1 for i in range(4)})
    return maxima, bool(sc.same_operator(mean * permuted, mean))


@exhaustive(
    "notes_pooling.n16-shift",
    words="On a constant background, moving the object in the foreground leaves the pooled output "
    "unchanged (one bright sample of six, moved by one place; windows of K, stride K).",
    latex=r"\mathrm{maxpool}(x(\cdot-t)) = \mathrm{maxpool}(x)",
    source="source notes, N16; V. Dumoulin, F. Visin (2016), chapter 3: invariance to small "
    "translations",
    box={"K": (2, 3), "i": (0, 1, 2, 3, 4, 5), "t": (1,)},
    expected="REFUTED",
    remark="Only while the object stays in the same windows: notes_pooling.n16-one-sample. For "
    "every object: with one window over everything, notes_pooling.n16-one-window. In general the "
    "output moves along, by τ for t = s·τ: maxima.shift.",
)
def n16_shift(K: int, i: int, t: int) -> bool | None:  # noqa: N803
    if i + t >= 6:
        return None
    reads = windows((6,), (K,), stride=K)
    return [i in window for window in reads] == [i + t in window for window in reads]


@all_sizes(
    "notes_pooling.n16-one-sample",
    words="With windows of K = s a bright sample moved by t leaves the maxima as they are exactly "
    "when it stays in its window: for 0 ≤ t < s from s − t of the s places in a window.",
    latex=r"\left\lfloor\frac{i+p_{lo}}{s}\right\rfloor = \left\lfloor\frac{i+t+p_{lo}}{s}"
    r"\right\rfloor \iff (i+p_{lo})\bmod s < s-t \quad (0\le t<s)",
    source="source notes, N16, put right",
    near_miss="for every t < s",
    concludes="fields",
)
def n16_one_sample(t: Trace) -> None:
    s, lo, i, by = t.integers("s lo i t")
    t.assume(s >= 1, between(0, by, s))
    pool = AxisRelation(s, s, 1, lo)
    window, moved = (i + lo) // s, (i + by + lo) // s
    t.show(between(pool.position(window, 0), i, pool.position(window, s)))
    stays = between(pool.position(window, 0), i + by, pool.position(window, s))
    t.hint(moved - window - 1, window - moved - 1)
    t.show(iff(stays, moved == window))
    t.show(iff(stays, (i + lo) % s < s - by))
    t.instead(stays)


@all_sizes(
    "notes_pooling.n16-any-object",
    words="With windows of K = s an object of m samples moved by t ≥ 1 leaves the maxima, whatever "
    "its values, exactly when one window holds it before and after: ⌊(a+lo)/s⌋ = "
    "⌊(a+t+m−1+lo)/s⌋. Else its last sample of the first window moves to another one.",
    latex=r"\forall q<m:\ \left\lfloor\tfrac{a+q+p_{lo}}{s}\right\rfloor = "
    r"\left\lfloor\tfrac{a+q+t+p_{lo}}{s}\right\rfloor \iff "
    r"\left\lfloor\tfrac{a+p_{lo}}{s}\right\rfloor = "
    r"\left\lfloor\tfrac{a+t+m-1+p_{lo}}{s}\right\rfloor",
    source="source notes, N16, put right",
    near_miss="exactly when one window holds its first sample before and after",
    concludes="fields",
)
def n16_any_object(t: Trace) -> None:
    s, lo, a, m, by, q = t.integers("s lo a m t q")
    t.assume(s >= 1, m >= 1, by >= 1, between(0, q, m))
    first, last = (a + lo) // s, (a + by + m - 1 + lo) // s
    here, there = (a + q + lo) // s, (a + q + by + lo) // s
    t.hint(here - first, last - there, there - here)
    t.show(first <= here, here <= there, there <= last)
    t.show(implies(first == last, here == there))
    # Its last sample in the window of the first one.
    end = s * (first + 1) - lo - a - 1
    witness = end if end < m - 1 else m - 1
    before, after = (a + witness + lo) // s, (a + witness + by + lo) // s
    t.show(between(0, witness, m))
    t.hint(before - first, first - before, after - first - 1)
    t.show(before == first)
    t.show(implies(first < last, after > first))
    t.instead(implies(first == (a + by + lo) // s, here == there))


@all_values(
    "notes_pooling.n16-kept-shifts",
    words="`always_kept_shifts` lists exactly the shifts of an object that keep every maximum (or "
    "mean) for all values of the object and the background, windows that overlap, gaps and padding "
    "included.",
    latex=r"\{t: \mathrm{pool}(x_t)=\mathrm{pool}(x_0)\;\forall \text{ object, background}\}",
    source="source notes, N16, put right",
    near_miss="the shifts that keep it for one bright sample as large as the object",
    box={
        "kind": ("max", "mean"),
        "K": (1, 2, 3),
        "s": (1, 2, 3),
        "p": (0, 1),
        "m": (1, 2, 3),
        "a": (0, 1, 2, 3),
    },
)
def n16_kept_shifts(**setting: Any) -> bool | None:
    op = pooling_of(setting)
    if op is None:
        return None
    m, a = setting["m"], setting["a"]
    listed = [shift for (shift,) in always_kept_shifts(op, (m,), (a,))]
    return listed == shifts_by_normal_form(op, m, a)


@n16_kept_shifts.near_miss_claim()
def n16_one_colour(**setting: Any) -> bool | None:
    op = pooling_of(setting)
    if op is None:
        return None
    m, a = setting["m"], setting["a"]
    listed = [shift for (shift,) in kept_shifts(op, [1] * m, (a,))]
    return listed == shifts_by_normal_form(op, m, a)


def pooling_of(setting: dict[str, Any]) -> Any:
    """A pooling of six samples, None where it has a window without a sample or no padding rule."""
    kind = sc.MaxPool if setting["kind"] == "max" else sc.AvgPool
    try:
        return kind((setting["K"],), stride=setting["s"], padding=setting["p"]).operator((6,))
    except GeometryError:
        return None


def shifts_by_normal_form(op: Any, m: int, a: int) -> list[int]:
    """The shifts that keep the pooled symbols of object and background, as functions."""
    ground, thing = sympy.Symbol("g"), sympy.symbols(f"v0:{m}")

    def pooled(by: int) -> Any:
        x = np.array([ground] * 6, dtype=object)
        x[a + by : a + by + m] = thing
        return op.apply(x)

    return [by for by in range(-a, 7 - m - a) if sc.same_function(pooled(by), pooled(0))]


@exhaustive(
    "notes_pooling.n16-one-window",
    words="One window over all samples makes the shift invariance true: on a constant background "
    "any object of m samples moved inside leaves the maximum and the mean (values 0, 1, 2).",
    latex=r"K=n:\quad \max(x(\cdot-t)) = \max(x)",
    source="source notes, N16, put right; global pooling",
    near_miss="the same with two windows",
    box={"n": (2, 4), "m": (1, 2), "K_of_n": (1,)},
)
def n16_one_window(n: int, m: int, K_of_n: int) -> bool | None:  # noqa: N803
    taps = n // K_of_n
    if m >= n:
        return None
    reads, mean = windows((n,), (taps,), stride=taps), sc.AvgPool1d(taps).operator((n,))
    for ground, *thing in product(range(3), repeat=m + 1):
        pictures = [
            np.array([ground] * at + thing + [ground] * (n - m - at)) for at in range(n - m + 1)
        ]
        maxima = {tuple(int(x[window].max()) for window in reads) for x in pictures}
        means = {tuple(mean.apply(x).tolist()) for x in pictures}
        if len(maxima) > 1 or len(means) > 1:
            return False
    return True


@n16_one_window.near_miss_claim(box={"n": (2, 4), "m": (1, 2), "K_of_n": (2,)})
def n16_two_windows(n: int, m: int, K_of_n: int) -> bool | None:  # noqa: N803
    return n16_one_window.definition(n, m, K_of_n)  # type: ignore[no-any-return]


#: The layers of the example on one axis: kernel, stride, and output channels (None for a pooling).
EXAMPLE = ((3, 1, 8), (2, 2, None), (3, 1, 16), (2, 2, None), (5, 1, 32), (1, 1, 10))


@exhaustive(
    "notes_pooling.n17-network",
    words="On 1×28×28: conv 3×3 to 8, pool 2, conv 3×3 to 16, pool 2, a fully connected layer of "
    "32 (a 5×5 convolution) and one of 10 (1×1). Sizes 26, 13, 11, 5, 1, 1; parameters 80, 0, "
    "1168, 0, 12832, 330; fields 3, 4, 8, 10, 26, 26; jumps 1, 2, 2, 4, 4, 4. All as counted from "
    "the windows, the weights and the samples that an output depends on.",
    latex=r"28 \to 26 \to 13 \to 11 \to 5 \to 1 \to 1,\qquad 80+1168+12832+330 = 14410",
    source="source notes, N17, whose picture is lost; the network is ours",
    near_miss="the same with poolings in ceil mode, the third size being 6",
    box={"ceil": (False,)},
    concludes="counts",
)
def n17_network(ceil: bool) -> bool:
    layers: list[Any] = []
    channels = 1
    for taps, stride, outputs in EXAMPLE:
        if outputs is None:
            layers.append(sc.MaxPool2d(taps, stride=stride, ceil_mode=ceil))
            continue
        layers.append(sc.Conv2d(channels, outputs, taps, stride=stride))
        channels = outputs
    rows = sc.Network(layers).table((1, 28, 28)).rows
    found = [
        (row["output_shape"], row["parameters"], row["field"][0], row["jump"][0]) for row in rows
    ]
    return found == counted_by_hand() and sum(row["parameters"] for row in rows) == 14410


@n17_network.near_miss_claim(box={"ceil": (True,)})
def n17_ceil_mode(ceil: bool) -> bool:
    return bool(n17_network.definition(ceil))


def counted_by_hand() -> list[tuple[Any, ...]]:
    """Shapes, parameters, fields and jumps of the example, from positions alone."""
    found: list[tuple[Any, ...]] = []
    channels, size = 1, 28
    # The samples that outputs 0 and 1 of the layers so far depend on, if they were endless.
    reach = [{o} for o in range(64)]
    for taps, stride, outputs in EXAMPLE:
        size = sum(stride * o + taps <= size for o in range(size))
        parameters = 0 if outputs is None else outputs * (channels * taps * taps + 1)
        channels = outputs or channels
        starts = range((len(reach) - taps) // stride + 1)
        reach = [set().union(*reach[stride * o : stride * o + taps]) for o in starts]
        field, jump = max(reach[0]) - min(reach[0]) + 1, min(reach[1]) - min(reach[0])
        found.append(((channels, size, size), parameters, field, jump))
    return found


@all_values(
    "notes_pooling.n17-fully-connected",
    words="A convolution whose kernel is as large as the input is a fully connected layer: its "
    "matrix has a weight of its own in every place.",
    latex=r"A_{o,\,(c,i)} = w_{o,c,i}",
    source="source notes, N17",
    near_miss="the same for a 1×1 kernel on the same input",
    box={"size": ((1, 1), (2, 2), (2, 3)), "inputs": (1, 2), "outputs": (1, 3)},
    concludes="triples",
    corollary_of="rearrangements.fully-connected",
)
def n17_fully_connected(size: tuple[int, int], inputs: int, outputs: int) -> Verdict:
    operator = sc.Conv(inputs, outputs, size, bias=False).operator(size)
    weights = operator.weight_symbols().reshape(outputs, -1)
    return sc.same_operator(operator, sympy.Matrix(weights.tolist()))


@n17_fully_connected.near_miss_claim()
def n17_one_tap(size: tuple[int, int], inputs: int, outputs: int) -> bool:
    return is_fully_connected(sc.Conv(inputs, outputs, (1, 1), bias=False), size)


def is_fully_connected(layer: sc.Conv, size: tuple[int, int]) -> bool:
    """Whether every place of the matrix has a weight of its own."""
    matrix = layer.operator(size).exact()
    entries = list(matrix.todok().values())
    return bool(len(entries) == len(set(entries)) == matrix.rows * matrix.cols)


@all_values(
    "notes_pooling.n17-one-by-one",
    words="1×1 convolutions can stand for the fully connected layers.",
    latex=r"A_{1\times1} = (w_{(o,j),(c,i)})",
    source="source notes, N17",
    box={"size": ((1, 1), (1, 2), (2, 2)), "inputs": (1, 2), "outputs": (1, 2)},
    concludes="triples",
    expected="REFUTED",
    remark="On 1×1 samples only. On more a 1×1 convolution applies one fully connected layer of "
    "the channels at each position; for a fully connected layer of the whole map the kernel must "
    "be as large as the map: notes_pooling.n17-fully-connected.",
)
def n17_one_by_one(size: tuple[int, int], inputs: int, outputs: int) -> bool:
    return is_fully_connected(sc.Conv(inputs, outputs, (1, 1), bias=False), size)


@all_values(
    "notes_pooling.n17-at-each-position",
    words="A 1×1 convolution is the fully connected layer of the channels at each position on its "
    "own: its matrix is W ⊗ I.",
    latex=r"A_{1\times1} = W\otimes I",
    source="source notes, N17, put right",
    near_miss="it is I ⊗ W for channels listed before positions",
    box={"size": ((1, 1), (1, 2), (2, 2)), "inputs": (1, 2), "outputs": (2, 3)},
    concludes="triples",
)
def n17_at_each_position(size: tuple[int, int], inputs: int, outputs: int) -> Verdict:
    return by_position(size, inputs, outputs, positions_last=True)


@n17_at_each_position.near_miss_claim()
def n17_positions_first(size: tuple[int, int], inputs: int, outputs: int) -> Verdict:
    return by_position(size, inputs, outputs, positions_last=False)


def by_position(
    size: tuple[int, int], inputs: int, outputs: int, *, positions_last: bool
) -> Verdict:
    """A 1×1 convolution against the Kronecker product of its weights and the identity."""
    operator = sc.Conv(inputs, outputs, (1, 1), bias=False).operator(size)
    weights = sympy.Matrix(operator.weight_symbols().reshape(outputs, inputs).tolist())
    one = sympy.eye(math.prod(size))
    factors = (weights, one) if positions_last else (one, weights)
    return sc.same_operator(operator, sympy.kronecker_product(*factors))
