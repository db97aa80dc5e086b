"""The source notes on grouped and separable convolution, claim by claim: N11 to N13.

Each claim is decided as the notes make it. Where it is false, the remark says what holds and
which theorem proves that.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import sympy

import symconv as sc
from symconv.errors import ParameterError
from symconv.proving import all_values, exhaustive, identity, no_claim
from symconv.relation import AxisRelation
from symconv.verdict import Verdict

Pairs = Iterator[tuple[Any, Any]]


def symbols(names: str) -> Any:
    """Positive integers."""
    return sympy.symbols(names, integer=True, positive=True)


def parameters_against(*, biases: Any = None) -> Pairs:
    c1, c2, h, w = symbols("c1 c2 h1 w1")
    count = sc.Conv2d(c1, c2, (h, w)).parameter_count()
    yield count, c2 * h * w * c1 + (c2 if biases is None else biases)


n11_parameters = identity(
    "notes_channels.n11-parameters",
    near=lambda: parameters_against(biases=1),
    sizes=True,
    words="A convolution from c₁ to c₂ channels with h₁×w₁ taps has c₂(h₁w₁c₁ + 1) parameters: per "
    "filter a weight for each tap and input channel, and one bias.",
    latex=r"c_2(h_1 w_1 c_1+1)",
    source="source notes, N11",
    near_miss="one bias for the layer",
    concludes="counts",
    corollary_of="costs.grouped-parameters",
)(parameters_against)


def grouped_against(*, groups_of_biases: bool = False) -> Pairs:
    # Groups that divide both numbers of channels: c₁ = G·a, c₂ = G·b.
    a, b, G, h, w = symbols("a b G h1 w1")  # noqa: N806 - the notes' letter
    count = sc.Conv2d(G * a, G * b, (h, w), groups=G).parameter_count()
    yield sympy.cancel(count), G * b * h * w * a + (b if groups_of_biases else G * b)


n11_groups = identity(
    "notes_channels.n11-groups",
    near=lambda: grouped_against(groups_of_biases=True),
    sizes=True,
    words="In G groups, G dividing c₁ and c₂, it has c₂(h₁w₁c₁/G + 1) parameters.",
    latex=r"G\mid c_1,\ G\mid c_2:\quad c_2\left(h_1 w_1\frac{c_1}{G}+1\right)",
    source="source notes, N11",
    near_miss="the biases are divided by G as well",
    concludes="counts",
    corollary_of="costs.grouped-parameters",
)(grouped_against)


CHANNELS = {"c1": (1, 2, 3, 4), "c2": (1, 2, 3, 4), "G": (1, 2, 3, 4)}


@exhaustive(
    "notes_channels.n11-any-groups",
    words="With G groups the number of parameters is c₂(h₁w₁c₁/G + 1), whatever G is.",
    latex=r"c_2\left(h_1 w_1\frac{c_1}{G}+1\right)",
    source="source notes, N11",
    box=CHANNELS,
    concludes="counts",
    expected="REFUTED",
    remark="Such a layer exists only if G divides both numbers of channels: "
    "notes_channels.n11-which-groups; then the formula holds: notes_channels.n11-groups.",
)
def n11_any_groups(c1: int, c2: int, G: int) -> bool:  # noqa: N803
    return counted_in_groups(c1, c2, G) == c2 * (9 * Fraction(c1, G) + 1)


def counted_in_groups(c1: int, c2: int, groups: int) -> int | None:
    """Parameters of a 3×3 layer in groups, its weights listed; None where none exists."""
    try:
        layer = sc.Conv2d(c1, c2, 3, groups=groups)
    except ParameterError:
        return None
    listed = layer.operator((3, 3)).weight_symbols().size
    return int(layer.parameter_count()) if layer.parameter_count() == listed + c2 else None


@exhaustive(
    "notes_channels.n11-which-groups",
    words="A layer in G groups exists exactly when G divides both c₁ and c₂, and its parameters "
    "are then c₂(9c₁/G + 1) for 3×3 taps.",
    latex=r"\exists \iff G\mid c_1 \text{ and } G\mid c_2",
    source="source notes, N11, put right",
    near_miss="exactly when G divides c₁",
    box=CHANNELS,
    concludes="counts",
    corollary_of="costs.groups-divide",
)
def n11_which_groups(c1: int, c2: int, G: int) -> bool:  # noqa: N803
    found = counted_in_groups(c1, c2, G)
    if c1 % G or c2 % G:
        return found is None
    return found == c2 * (9 * c1 // G + 1)


@n11_which_groups.near_miss_claim()
def n11_groups_of_inputs(c1: int, c2: int, G: int) -> bool:  # noqa: N803
    return (counted_in_groups(c1, c2, G) is None) == (c1 % G != 0)


@all_values(
    "notes_channels.n11-shapes-kept",
    words="Groups keep the shapes of input and output and leave out the weights between channels "
    "of different groups: the matrix is the dense one with these set to zero.",
    latex=r"A_G = A_1 \text{ with } w_{o,c}=0 \text{ unless } "
    r"\lfloor oG/c_2\rfloor = \lfloor cG/c_1\rfloor",
    source="source notes, N11",
    near_miss="channel c of the input goes to the group c mod G",
    box={"G": (1, 2), "a": (1, 2), "b": (1, 2), "stride": (1, 2)},
    concludes="triples",
)
def n11_shapes_kept(G: int, a: int, b: int, stride: int) -> Verdict:  # noqa: N803
    return masked(G, a, b, stride, [c // a for c in range(G * a)])


@n11_shapes_kept.near_miss_claim()
def n11_interleaved(G: int, a: int, b: int, stride: int) -> Verdict:  # noqa: N803
    return masked(G, a, b, stride, [c % G for c in range(G * a)])


def masked(groups: int, a: int, b: int, stride: int, group_of: list[int]) -> Verdict:
    """The layer in groups against the dense one, its weights zero between different groups."""
    inputs, outputs = groups * a, groups * b
    grouped = sc.Conv1d(inputs, outputs, 2, stride=stride, groups=groups, bias=False).operator((4,))
    dense = sc.Conv1d(inputs, outputs, 2, stride=stride, bias=False).operator((4,))
    own = grouped.weight_symbols()
    weight = np.full(dense.weight_shape or (), sympy.S.Zero, dtype=object)
    for o, c in product(range(outputs), range(inputs)):
        if group_of[c] == o // b:
            weight[o, c] = own[o, group_of[:c].count(group_of[c])]
    return sc.same_operator(grouped, dense.exact(weight))


def cheaper_by_groups(*, count: str = "macs_per_tap") -> Pairs:
    a, b, G, n = symbols("a b G n")  # noqa: N806 - the notes' letter
    kernel = [AxisRelation(3), AxisRelation(3)]
    dense, grouped = (
        getattr(sc.convolution_counts(kernel, (n, n), G * a, G * b, groups=parts), count)
        for parts in (1, G)
    )
    yield sympy.cancel(G * grouped), dense


n11_cheaper = identity(
    "notes_channels.n11-cheaper",
    near=lambda: cheaper_by_groups(count="parameters"),
    sizes=True,
    words="G groups do exactly 1/G of the multiplications of the dense layer, on any size.",
    latex=r"G\cdot\mathrm{MACs}(G) = \mathrm{MACs}(1)",
    source="source notes, N11: a much more efficient method",
    near_miss="and have 1/G of its parameters, biases included",
    concludes="counts",
    corollary_of="costs.grouped-parameters",
)(cheaper_by_groups)


n11_different_features = no_claim(
    "notes_channels.n11-different-features",
    words="Groups let the network learn different features.",
    latex=r"G",
    source="source notes, text on grouped convolution",
    reason="what a network learns is no property of a convolution; which channels a group sees is "
    "one: notes_channels.n11-shapes-kept",
)


@all_values(
    "notes_channels.n12-example",
    words="The kernel with rows 3 6 9, 4 8 12, 5 10 15 is the column 3, 4, 5 times the row 1, 2, "
    "3, and its convolution is that of the column after that of the row, borders included.",
    latex=r"\begin{pmatrix} 3&6&9\\4&8&12\\5&10&15 \end{pmatrix} = "
    r"\begin{pmatrix}3\\4\\5\end{pmatrix}\begin{pmatrix}1&2&3\end{pmatrix}",
    source="source notes, N12",
    near_miss="the same with 16 in place of 15",
    box={"last": (15,), "p": (0, 1)},
    corollary_of="ranks.passes",
)
def n12_example(last: int, p: int) -> Verdict:
    return separated([[3, 6, 9], [4, 8, 12], [5, 10, last]], [3, 4, 5], [1, 2, 3], p)


@n12_example.near_miss_claim(box={"last": (16,), "p": (0, 1)})
def n12_other_kernel(last: int, p: int) -> Verdict:
    return separated([[3, 6, 9], [4, 8, 12], [5, 10, last]], [3, 4, 5], [1, 2, 3], p)


def separated(kernel: Any, column: Any, row: Any, p: int) -> Verdict:
    """A convolution of 5×4 samples against its column pass after its row pass."""
    whole = sc.Conv2d(1, 1, (len(column), len(row)), padding=p, bias=False).operator((5, 4))
    across = sc.Conv2d(1, 1, (1, len(row)), padding=(0, p), bias=False).operator((5, 4))
    size = across.output_shape[1:]
    down = sc.Conv2d(1, 1, (len(column), 1), padding=(p, 0), bias=False).operator(size)
    one = down.exact([[[[entry] for entry in column]]]) * across.exact([[[row]]])
    return sc.same_operator(whole.exact([[kernel]]), one)


@all_values(
    "notes_channels.n12-outer-product",
    words="Every column and row give a separable kernel: the convolution with u[a]·v[b] is the one "
    "with u after the one with v, for all values.",
    latex=r"w_{a,b} = u_a v_b \Rightarrow A_w = A_u A_v",
    source="source notes, N12",
    near_miss="w[a,b] = u[a] + v[b]",
    box={"m": (1, 2, 3), "n": (1, 2, 3), "p": (0, 1)},
    corollary_of="ranks.passes",
)
def n12_outer_product(m: int, n: int, p: int) -> Verdict:
    u, v = (sympy.symbols(f"{name}:{count}") for name, count in (("u", m), ("v", n)))
    return separated([[a * b for b in v] for a in u], u, v, p)


@n12_outer_product.near_miss_claim()
def n12_outer_sum(m: int, n: int, p: int) -> Verdict:
    u, v = (sympy.symbols(f"{name}:{count}") for name, count in (("u", m), ("v", n)))
    return separated([[a + b for b in v] for a in u], u, v, p)


ENTRIES = dict.fromkeys(("a", "b", "c", "d"), (0, 1, -1))


@exhaustive(
    "notes_channels.n12-exactly-rank-1",
    words="The spatially separable kernels are exactly those of rank 1.",
    latex=r"\exists u,v:\ w = u\,v^{T} \iff \mathrm{rank}\,w = 1",
    source="source notes, N12",
    box=ENTRIES,
    expected="REFUTED",
    remark="Of rank at most 1, the zero kernel is separable too: "
    "notes_channels.n12-rank-at-most-1. That kernels of full rank cannot be expressed holds for "
    "two rows and columns or more.",
)
def n12_exactly_rank_1(a: int, b: int, c: int, d: int) -> bool:
    return is_separable(a, b, c, d) == (rank(a, b, c, d) == 1)


@exhaustive(
    "notes_channels.n12-rank-at-most-1",
    words="A 2×2 kernel is a column times a row exactly when its rank is at most 1, that is when "
    "its determinant is 0; one of full rank is not (entries −1, 0, 1).",
    latex=r"\exists u,v:\ w = u\,v^{T} \iff \mathrm{rank}\,w\le 1 \iff \det w = 0",
    source="source notes, N12, put right",
    near_miss="exactly when all its rows are equal or zero",
    box=ENTRIES,
    corollary_of="ranks.outer-products",
)
def n12_rank_at_most_1(a: int, b: int, c: int, d: int) -> bool:
    return is_separable(a, b, c, d) == (rank(a, b, c, d) <= 1) == (a * d == b * c)


@n12_rank_at_most_1.near_miss_claim()
def n12_equal_rows(a: int, b: int, c: int, d: int) -> bool:
    return is_separable(a, b, c, d) == ((a, b) == (c, d) or (0, 0) in ((a, b), (c, d)))


def rank(a: int, b: int, c: int, d: int) -> int:
    """The exact rank of the kernel."""
    return int(sympy.Matrix([[a, b], [c, d]]).rank())


def is_separable(a: int, b: int, c: int, d: int) -> bool:
    """Whether the kernel is a column times a row: its own cross through a pivot, if any at all."""
    kernel = ((a, b), (c, d))
    pivot = next(((i, j) for i in (0, 1) for j in (0, 1) if kernel[i][j]), None)
    if pivot is None:
        return True
    # u = column/pivot and v = row are the only ones, up to a factor, with the pivot's cross.
    i, j = pivot
    u, v = [Fraction(kernel[x][j], kernel[i][j]) for x in (0, 1)], kernel[i]
    return all(u[x] * v[y] == kernel[x][y] for x in (0, 1) for y in (0, 1))


n12_expressiveness = no_claim(
    "notes_channels.n12-expressiveness",
    words="Separable kernels are limited in their expressiveness.",
    latex=r"\mathrm{rank}\,w\le 1",
    source="source notes, N12",
    reason="expressiveness has no measure here; which kernels are separable is decided: "
    "notes_channels.n12-rank-at-most-1",
)


@exhaustive(
    "notes_channels.n13-numbers",
    words="Depthwise 5×5 over 3 channels has 26 parameters per filter and 78 in all, pointwise to "
    "256 channels 1,024: 1,102 together, against 19,456 of the dense 5×5 layer.",
    latex=r"5\cdot5\cdot1+1=26,\quad 26\cdot3=78,\quad 256(1\cdot1\cdot3+1)=1024,\quad "
    r"1102 < 19456 = 256(5\cdot5\cdot3+1)",
    source="source notes, N13",
    near_miss="the same numbers for layers without biases",
    box={"bias": (True,)},
    concludes="counts",
    corollary_of="costs.depthwise-separable-parameters",
)
def n13_numbers(bias: bool) -> bool:
    depthwise = sc.Conv2d(3, 3, 5, groups=3, bias=bias)
    pointwise, dense = (sc.Conv2d(3, 256, taps, bias=bias) for taps in (1, 5))
    listed = [
        layer.operator((5, 5)).weight_symbols().size + (layer.out_channels if bias else 0)
        for layer in (sc.Conv2d(1, 1, 5, bias=bias), depthwise, pointwise, dense)
    ]
    total = sc.depthwise_separable_counts([AxisRelation(5)] * 2, (5, 5), 3, 256, bias=bias)
    counted = [layer.parameter_count() for layer in (depthwise, pointwise, dense)]
    both = total.parameters == sum(counted[:2]) == 1102
    return both and listed[1:] == counted and listed == [26, 78, 1024, 19456]


@n13_numbers.near_miss_claim(box={"bias": (False,)})
def n13_without_biases(bias: bool) -> bool:
    return bool(n13_numbers.definition(bias))


n13_main_purpose = no_claim(
    "notes_channels.n13-main-purpose",
    words="The main purpose of depthwise separable convolution is the reduction of parameters.",
    latex=r"1102 < 19456",
    source="source notes, N13",
    reason="a purpose is no claim about convolutions; that the example has fewer parameters is "
    "one: notes_channels.n13-numbers",
)


@all_values(
    "notes_channels.n13-as-dense",
    words="A depthwise convolution and a pointwise one after it are the dense convolution with "
    "weights P[o,c]·D[c,k], for all values.",
    latex=r"W_{o,c,k} = P_{o,c}\,D_{c,k}",
    source="source notes, N13",
    near_miss="the weights are sums, P[o,c] + D[c,k]",
    box={"inputs": (1, 2), "outputs": (1, 3), "stride": (1, 2), "p": (0, 1)},
    corollary_of="merging.pointwise-second",
)
def n13_as_dense(inputs: int, outputs: int, stride: int, p: int) -> Verdict:
    return two_steps(inputs, outputs, stride, p, lambda one, other: one * other)


@n13_as_dense.near_miss_claim()
def n13_as_sum(inputs: int, outputs: int, stride: int, p: int) -> Verdict:
    return two_steps(inputs, outputs, stride, p, lambda one, other: one + other)


def two_steps(inputs: int, outputs: int, stride: int, p: int, joined: Any) -> Verdict:
    """Depthwise then pointwise against the dense layer whose weights are joined from theirs."""
    options: dict[str, Any] = {"stride": stride, "padding": p, "bias": False}
    dense = sc.Conv1d(inputs, outputs, 3, **options).operator((4,))
    depthwise = sc.Conv1d(inputs, inputs, 3, groups=inputs, **options).operator((4,))
    pointwise = sc.Conv1d(inputs, outputs, 1, bias=False).operator(depthwise.output_shape[1:])
    point = np.array(sympy.symbols(f"P:{outputs}:{inputs}")).reshape(outputs, inputs)
    depth = np.array(sympy.symbols(f"D:{inputs}:3")).reshape(inputs, 3)
    weight = [
        [[joined(point[o, c], depth[c, k]) for k in range(3)] for c in range(inputs)]
        for o in range(outputs)
    ]
    one = pointwise.exact(point[..., None]) * depthwise.exact(depth[:, None])
    return sc.same_operator(one, dense.exact(weight))
