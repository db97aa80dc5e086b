"""Counts and their ratios against naive loops, the incidence and the notes' numbers."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import oracles
import pytest
import sympy

import symconv as sc
from symconv.boundary import Boundary
from symconv.counts import (
    Counts,
    convolution_counts,
    depthwise_separable_counts,
    geometry_counts,
    separable_counts,
    tap_triples,
    triples_inside,
)
from symconv.errors import GeometryError, ParameterError, ParameterTypeError
from symconv.geometry import Geometry
from symconv.incidence import Incidence
from symconv.ratios import (
    COUNTED,
    depthwise_separable_ratio,
    grouped_ratio,
    same_padding_triples,
    separable_ratio,
    zero_insertion_ratio,
)
from symconv.relation import AxisRelation

PADS = ((0, 0), (1, 1), (2, 0), (0, 3), (-1, 1), (1, -2))

#: One axis: K 1…4, stride 1…3, dilation 1…3, input dilation 1…3, six paddings, 1…8 samples.
BOX = [
    (n, K, s, d, b, lo, hi)
    for n, K, s, d, b, (lo, hi) in product(
        range(1, 9), range(1, 5), (1, 2, 3), (1, 2, 3), (1, 2, 3), PADS
    )
    if oracles.conv_size(n, K, s, d, lo, hi, b) >= 1
]


def check_triples(count):
    for n, K, s, d, b, lo, hi in BOX:
        relation = AxisRelation(K, s, d, lo, hi, b)
        expected = oracles.mac_inside([n], [K], [s], [d], [(lo, hi)], input_dilation=[b])
        assert count(relation, n) == expected, relation


def test_triples_on_one_axis():
    assert len(BOX) == 4164
    check_triples(triples_inside)


def floor_for_ceiling(relation, n):
    total = 0
    for k in range(relation.n_taps):
        below = -relation.position(0, k)
        first = max(0, below // relation.stride)
        last = min(relation.output_size(n) - 1, (below + n - 1) // relation.stride)
        total += max(0, last - first + 1)
    return total


MUTANTS = {
    "per tap": lambda r, n: r.n_taps * r.output_size(n),
    "floor for ceiling": floor_for_ceiling,
    "input dilation forgotten": lambda r, n: triples_inside(
        AxisRelation(r.n_taps, r.stride, r.dilation, r.pad_lo, r.pad_hi), n, r.output_size(n)
    ),
    "ends exchanged": lambda r, n: triples_inside(
        AxisRelation(r.n_taps, r.stride, r.dilation, r.pad_hi, r.pad_lo, r.input_dilation), n
    ),
    "all outputs": lambda r, n: triples_inside(r, n, r.output_size(n) + 3),
}


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_wrong_counts_are_rejected(mutant):
    with pytest.raises(AssertionError):
        check_triples(mutant)


@pytest.mark.parametrize("mode", ["constant", "circular", "reflect", "symmetric", "replicate"])
def test_triples_under_every_boundary(mode):
    for n, K, s, d, b, lo, hi in BOX[::7]:
        if mode == "constant" and b > 1:
            continue
        relation = AxisRelation(K, s, d, lo, hi, b)
        expected = oracles.mac_inside([n], [K], [s], [d], [(lo, hi)], mode, input_dilation=[b])
        assert triples_inside(relation, n, boundary=Boundary(mode)) == expected


def test_triples_of_ceil_mode():
    # K 1…3, s 1…3, d 1…2, n 1…7, low padding up to K/2, high padding −1 … 1.
    for K, s, d, n, lo, hi in product(
        (1, 2, 3), (1, 2, 3), (1, 2), range(1, 8), (0, 1), (-1, 0, 1)
    ):
        if 2 * lo > K or oracles.pool_size(n, K, s, d, lo, hi, True) < 1:
            continue
        windows = list(oracles._pool_windows([n], [K], [s], [d], [(lo, hi)], True))
        expected = sum(len(data) for _, data, _ in windows)
        assert triples_inside(AxisRelation(K, s, d, lo, hi), n, len(windows)) == expected


def test_symbolic_size_with_concrete_parameters():
    n = sympy.Symbol("n", integer=True, positive=True)
    for K, s, d, b, (lo, hi) in product((1, 3), (1, 2), (1, 2), (1, 3), PADS[::2]):
        relation = AxisRelation(K, s, d, lo, hi, b)
        formula = triples_inside(relation, n)
        for size in (3, 6, 7):
            if relation.output_size(size) >= 1:
                assert formula.subs(n, size) == triples_inside(relation, size), relation


def test_everything_symbolic_per_tap():
    names = sympy.symbols("n s d p q k", integer=True, positive=True)
    n, s, d, p, q, k = names
    formula = tap_triples(AxisRelation(3, s, d, p, q), n, k)
    for values in product((4, 7), (1, 2, 3), (1, 2), (1, 2), (1, 3), (1, 2)):
        relation = AxisRelation(3, *values[1:5])
        expected = tap_triples(relation, values[0], values[5])
        assert formula.subs(dict(zip(names, values, strict=True))) == expected


def test_a_symbolic_number_of_taps_is_a_sum_over_taps():
    K, n = sympy.symbols("K n", integer=True, positive=True)
    counts = convolution_counts([AxisRelation(K, pad_lo=1, pad_hi=1)], (n,), 2, 3)
    assert sympy.expand(counts.macs_per_tap - 6 * K * (n + 3 - K)) == 0
    value = counts.macs_inside.subs({K: 3, n: 5}).doit()
    assert value == 6 * 13


# ---------------------------------------------------------------------------------------------
# Whole layers

LAYERS = [
    (
        sc.Conv(4, 6, (2, 3), stride=(2, 1), padding=((1, 0), (0, 2)), dilation=(1, 2), groups=2),
        (4, 5),
    ),
    (sc.Conv(1, 2, (3,), stride=2, padding=((2, 1),), padding_mode="circular", bias=False), (4,)),
    (sc.Conv(3, 3, (3, 2, 1), groups=3, padding=1), (4, 3, 2)),
    (sc.Conv(2, 2, (3,), input_dilation=3, padding=1), (4,)),
    (sc.ConvTranspose(4, 6, (3, 3), padding=1), (8, 8)),
    (sc.ConvTranspose(4, 2, (2, 3), stride=(2, 3), output_padding=(1, 2), groups=2), (3, 4)),
    (sc.ConvTranspose(1, 1, (3,), stride=2, padding=((2, -1),), dilation=2, bias=False), (5,)),
]


@pytest.mark.parametrize(("layer", "size"), LAYERS, ids=str)
def test_counts_equal_the_layers_own(layer, size):
    transposed, boundary = layer.is_transposed, Boundary(getattr(layer, "padding_mode", "zeros"))
    relations = [layer.relation(axis, n) for axis, n in enumerate(size)]
    counts = convolution_counts(
        relations,
        size,
        layer.in_channels,
        layer.out_channels,
        groups=layer.groups,
        bias=layer.bias,
        transposed=transposed,
        boundary=boundary,
    )
    assert counts.parameters == layer.parameter_count()
    assert counts.macs_per_tap == layer.mac_count(size)
    assert counts.macs_inside == layer.mac_count(size, "inside")
    shape = layer.output_shape((layer.in_channels, *size))
    values = sympy.prod(shape)
    assert counts.outputs == values
    assert counts.bias_additions == (values if layer.bias else 0)
    assert counts.flops_per_tap == 2 * counts.macs_per_tap + counts.bias_additions
    assert counts.flops_inside == 2 * counts.macs_inside + counts.bias_additions
    assert geometry_counts(layer.geometry(size), bias=layer.bias, transposed=transposed) == counts


def test_inside_equals_the_incidence_and_the_oracle_on_two_axes():
    # Both axes K 1…3, s 1…2, p (0, 0), (1, 2) on 3 × 4 samples: (3 · 2 · 2)² layers.
    kinds = list(product((1, 2, 3), (1, 2), ((0, 0), (1, 2))))
    for first, second in product(kinds, repeat=2):
        (K, s, p), (L, t, q) = first, second
        relations = [AxisRelation(K, s, 1, *p), AxisRelation(L, t, 1, *q)]
        counts = convolution_counts(relations, (3, 4), 4, 6, groups=2)
        geometry = Geometry.of(relations, (3, 4), in_channels=4, out_channels=6, groups=2)
        assert counts.macs_inside == 12 * Incidence(geometry).count
        assert counts.macs_inside == oracles.mac_inside(
            (3, 4), (K, L), (s, t), (1, 1), (p, q), in_channels=4, out_channels=6, groups=2
        )


def test_transposed_inside_equals_the_oracle():
    # K 1…3, s 1…3, d 1…2, crops 0…2, op 0…2 on 1…4 inputs.
    for K, s, d, lo, op, n in product((1, 2, 3), (1, 2, 3), (1, 2), (0, 1, 2), (0, 2), range(1, 5)):
        if oracles.conv_transpose_size(n, K, s, d, lo, 1, op) < 1:
            continue
        counts = convolution_counts(
            [AxisRelation(K, s, d, lo, 1 - op)], (n,), 2, 4, groups=2, transposed=True
        )
        assert counts.macs_inside == oracles.conv_transpose_mac_inside(
            [n], [K], [s], [d], [(lo, 1)], [op], 2, 4, 2
        )
        assert counts.macs_per_tap == 2 * 4 // 2 * K * n


def test_the_transposed_layer_that_libraries_count_differently():
    # FACTS section 5: k3 p1, 4 → 6 channels on 8²: 13824 per tap, 11616 inside.
    counts = convolution_counts(
        [AxisRelation(3, pad_lo=1, pad_hi=1)] * 2, (8, 8), 4, 6, transposed=True
    )
    assert (counts.macs_per_tap, counts.macs_inside) == (13824, 11616)


def test_separable_passes_by_naive_loops():
    # Axes of K 1…3, s 1…2, p 0…1 on 4 × 5 samples.
    kinds = list(product((1, 2, 3), (1, 2), (0, 1)))
    for (K, s, p), (L, t, q) in product(kinds, repeat=2):
        found = separable_counts(
            [AxisRelation(K, s, 1, p, p), AxisRelation(L, t, 1, q, q)], (4, 5), channel_pairs=3
        )
        pads = ((p, p), (0, 0)), ((0, 0), (q, q))
        middle = oracles.out_size((4, 5), (K, 1), (s, 1), (1, 1), pads[0])
        last = oracles.out_size(middle, (1, L), (1, t), (1, 1), pads[1])
        assert found.weights == 3 * (K + L)
        assert found.outputs == 3 * (middle[0] * middle[1] + last[0] * last[1])
        assert found.macs_per_tap == 3 * (middle[0] * middle[1] * K + last[0] * last[1] * L)
        assert found.macs_inside == 3 * (
            oracles.mac_inside((4, 5), (K, 1), (s, 1), (1, 1), pads[0])
            + oracles.mac_inside(middle, (1, L), (1, t), (1, 1), pads[1])
        )


# ---------------------------------------------------------------------------------------------
# The notes' numbers


def test_n11_parameters_with_groups():
    h, w, c, o, G = sympy.symbols("h w c o G", integer=True, positive=True)
    kernel = [AxisRelation(h), AxisRelation(w)]
    dense = convolution_counts(kernel, (h, w), c, o)
    grouped = convolution_counts(kernel, (h, w), c, o, groups=G)
    assert sympy.expand(dense.parameters - o * (h * w * c + 1)) == 0
    assert sympy.expand(grouped.parameters - o * (h * w * c / G + 1)) == 0
    with pytest.raises(ParameterError, match="groups must divide in_channels"):
        convolution_counts(kernel, (h, w), 3, 4, groups=2)
    with pytest.raises(ParameterError, match="groups must divide out_channels"):
        convolution_counts(kernel, (h, w), 4, 3, groups=2)


def test_n13_depthwise_separable_parameters():
    kernel, size = [AxisRelation(5)] * 2, (12, 12)
    depthwise = convolution_counts(kernel, size, 3, 3, groups=3)
    pointwise = convolution_counts([AxisRelation(1)] * 2, (8, 8), 3, 256)
    assert (depthwise.parameters, depthwise.parameters // 3) == (78, 26)
    assert pointwise.parameters == 1024
    together = depthwise_separable_counts(kernel, size, 3, 256)
    assert together == depthwise + pointwise
    assert together.parameters == 1102
    assert convolution_counts(kernel, size, 3, 256).parameters == 19456


def test_n19_zero_insertion_against_the_gradient_form():
    n, s, K, p, op = sympy.symbols("n s K p op", integer=True, positive=True)
    ratio = zero_insertion_ratio([AxisRelation(K, s, 1, p, p - op)], (n,))
    assert sympy.cancel(ratio.value - (s * (n - 1) + K + op - 2 * p) / n) == 0
    assert ratio.quoted == s
    # Quoted s² on two axes; exact iff each input makes s² outputs.
    for K, s, p, op, n in product((2, 3, 4), (1, 2, 3), (0, 1), (0, 1), (2, 3, 5)):
        layer = sc.ConvTranspose(1, 1, (K, K), stride=s, padding=p, output_padding=op, bias=False)
        (out, _), triples = layer.output_size((n, n)), layer.mac_count((n, n), "inside")
        relations = [layer.relation(axis) for axis in range(2)]
        per_tap = zero_insertion_ratio(relations, (n, n))
        inside = zero_insertion_ratio(relations, (n, n), count="macs_inside")
        assert per_tap.value == sympy.Rational(out**2, n**2)
        assert inside.value == sympy.Rational(out**2 * K**2, triples)
        assert bool(per_tap.verdict) == (out == s * n)
        assert bool(inside.verdict) == (inside.value == s**2)


def test_n9_dilation_keeps_and_stride_saves_multiplications():
    # "Lower computational cost than strided convolution" fails: at the same taps and size the
    # dilated layer that keeps the map multiplies s times as often (n a multiple of s).
    n = sympy.Symbol("n", integer=True, positive=True)
    dilated = convolution_counts([AxisRelation(3, 1, 2, 2, 2)], (2 * n,), 1, 1)
    strided = convolution_counts([AxisRelation(3, 2, 1, 1, 1)], (2 * n,), 1, 1)
    assert sympy.cancel(dilated.macs_per_tap.subs(n, 7) / strided.macs_per_tap.subs(n, 7)) == 2
    assert dilated.weights == strided.weights


# ---------------------------------------------------------------------------------------------
# Ratios


def agree(ratio):
    """The condition of a ratio on numbers is exactly that value and quoted agree."""
    assert ratio.condition in (sympy.true, sympy.false)
    assert bool(ratio.verdict) == (ratio.value == ratio.quoted)
    return bool(ratio.verdict)


def test_the_depthwise_separable_ratio_holds_under_its_condition_only():
    # K 1…4, p 0…2, s 1…2, n 3…5, C 1…3, C' 1…3; all four counts, with bias and without.
    seen = {}
    for K, p, s, n, C, D in product(range(1, 5), (0, 1, 2), (1, 2), (3, 4, 5), (1, 2, 3), (1, 3)):
        axis = AxisRelation(K, s, 1, p, p)
        if axis.output_size(n) < 1:
            continue
        for count, bias in product(COUNTED, (False, True)):
            found = depthwise_separable_ratio([axis], (n,), C, D, bias=bias, count=count)
            assert found.quoted == sympy.Rational(1, D) + sympy.Rational(1, K)
            seen.setdefault((count, bias), set()).add(agree(found))
    both, always = {True, False}, {True}
    assert seen == {
        ("weights", False): always,
        ("weights", True): always,
        ("parameters", False): always,
        ("parameters", True): both,
        ("macs_per_tap", False): always,
        ("macs_per_tap", True): always,
        ("macs_inside", False): both,
        ("macs_inside", True): both,
    }


def test_the_depthwise_separable_ratio_for_all_sizes():
    C, D, K, L, n, m = sympy.symbols("C D K L n m", integer=True, positive=True)
    kernel = [AxisRelation(K, pad_lo=1), AxisRelation(L, stride=2)]
    for count in ("weights", "macs_per_tap"):
        found = depthwise_separable_ratio(kernel, (n, m), C, D, count=count)
        assert found.verdict
        assert sympy.cancel(found.value - found.quoted) == 0
    biased = depthwise_separable_ratio(kernel, (n, m), C, D, count="parameters")
    assert biased.verdict.status == "UNDECIDED"
    taps = K * L
    gap = (taps * (C - 1) + D * (taps - 1)) / (taps * D * (C * taps + 1))
    assert sympy.cancel(biased.value - biased.quoted - gap) == 0


def test_conditions_at_every_size_are_those_at_each():
    # 3×3 with same padding on m×n samples: never exact inside, as m + n > 4/3.
    m, n = sympy.symbols("m n", integer=True, positive=True)
    same = AxisRelation(3, pad_lo=1, pad_hi=1)
    strided = AxisRelation(3, 2, 1, 1, 0)
    for relations in ([same, same], [strided, same], [strided, AxisRelation(2)]):
        for make in (
            lambda kernel, size: depthwise_separable_ratio(kernel, size, 2, 3, count="macs_inside"),
            lambda kernel, size: separable_ratio(kernel, size, count="macs_inside"),
            separable_ratio,
            zero_insertion_ratio,
        ):
            every = make(relations, (m, n))
            for size in product((2, 3, 6, 7), repeat=2):
                at = dict(zip((m, n), size, strict=True))
                one = make(relations, size)
                assert every.value.subs(at) == one.value
                assert bool(every.condition.subs(at)) == agree(one)


def test_the_fact_57_over_200():
    same = [AxisRelation(3, pad_lo=1, pad_hi=1)] * 2
    for C in (1, 2, 5):
        inside = depthwise_separable_ratio(same, (4, 4), C, 8, count="macs_inside")
        assert (inside.value, inside.quoted) == (sympy.Rational(57, 200), sympy.Rational(17, 72))
        assert inside.verdict.status == "REFUTED"
        assert depthwise_separable_ratio(same, (4, 4), C, 8).value == sympy.Rational(17, 72)


def test_the_grouped_ratio():
    seen = {}
    for C, D, G, K in product((2, 4, 6), (2, 4), (1, 2), (1, 3, 9)):
        for count, bias in product(COUNTED, (False, True)):
            found = grouped_ratio(C, D, G, K, bias=bias, count=count)
            assert found.quoted == sympy.Rational(1, G)
            seen.setdefault((count, bias), set()).add((G, agree(found)))
    assert seen.pop(("parameters", True)) == {(1, True), (2, False)}
    assert all(found == {(1, True), (2, True)} for found in seen.values())
    C, D, G, K = sympy.symbols("C D G K", integer=True, positive=True)
    assert grouped_ratio(C, D, G, K, count="weights").verdict
    found = grouped_ratio(C, D, G, K)
    assert found.condition == sympy.Eq(G - 1, 0)
    assert found.verdict.scope == "all values of C, D, G, K"


def test_the_separable_ratio():
    # Axes K 1…3, s 1…2, p 0…1 on 4 × 5 samples.
    outcomes = set()
    kinds = list(product((1, 2, 3), (1, 2), (0, 1)))
    for (K, s, p), (L, t, q) in product(kinds, repeat=2):
        relations = [AxisRelation(K, s, 1, p, p), AxisRelation(L, t, 1, q, q)]
        for count in COUNTED:
            found = separable_ratio(relations, (4, 5), count=count)
            assert found.quoted == sympy.Rational(K + L, K * L)
            outcomes.add((count, agree(found)))
            n_out = relations[1].output_size(5)
            if count == "macs_per_tap":
                assert bool(found.verdict) == (n_out == 5)
            if count == "macs_inside":
                T = [triples_inside(axis, n) for axis, n in zip(relations, (4, 5), strict=True)]
                first = relations[0].output_size(4)
                assert found.value == sympy.Rational(5, T[1]) + sympy.Rational(first, T[0])
    assert outcomes == {
        ("weights", True), ("parameters", True), ("macs_per_tap", True), ("macs_per_tap", False),
        ("macs_inside", True), ("macs_inside", False),
    }  # fmt: skip


def test_same_padding_triples():
    # m 0…6, n 1…8, d 1…4: all, on both sides of the edge m = n.
    for m, n, d in product(range(7), range(1, 9), range(1, 5)):
        K = 2 * m + 1
        expected = oracles.mac_inside([n], [K], [1], [d], [(d * m, d * m)])
        assert same_padding_triples(K, n, d) == expected
        if d == 1:
            quoted = K * n - m * (m + 1)
            assert (expected == quoted) == (m <= n)
            assert (expected == n**2) == (m >= n - 1)
            if m > n:
                assert expected - quoted == (m - n) * (m - n + 1)
    n, K, d = sympy.symbols("n K d", integer=True, positive=True)
    formula = same_padding_triples(K, n, d)
    for values in product((2, 5), (1, 3, 7), (1, 2)):
        at = dict(zip((n, K, d), values, strict=True))
        assert formula.subs(at) == same_padding_triples(values[1], values[0], values[2])


# ---------------------------------------------------------------------------------------------
# Bad input

R = AxisRelation(3)
K = sympy.Symbol("K", integer=True, positive=True)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: tap_triples(R, 2.0, 0), ParameterTypeError, "n_in must be an integer >= 0"),
        (lambda: tap_triples(R, -1, 0), ParameterError, "n_in must be >= 0, got -1"),
        (lambda: tap_triples(R, 4, 0, -2), ParameterError, "n_out must be >= 0, got -2"),
        (lambda: triples_inside(AxisRelation(K), 4), ParameterTypeError, "n_taps must be a concr"),
        (lambda: tap_triples(AxisRelation(3, input_dilation=K), 4, 0), ParameterTypeError,
         "input_dilation must be a concrete integer"),
        (lambda: convolution_counts([R], (4, 4), 1, 1), ParameterError,
         r"input_size must have one entry per relation \(1"),
        (lambda: convolution_counts([], (), 1, 1), ParameterError, "at least 1"),
        (lambda: convolution_counts([3], (4,), 1, 1), ParameterTypeError,
         "relations must hold AxisRelation, got 3"),
        (lambda: convolution_counts([R], (2,), 1, 1), GeometryError, "output size must be >= 1"),
        (lambda: convolution_counts([R], (4,), 0, 1), ParameterError, "in_channels must be >= 1"),
        (lambda: convolution_counts([R], (4,), 1, 1.0), ParameterTypeError, "out_channels must"),
        (lambda: convolution_counts([R], (4,), 1, 1, bias=1), ParameterTypeError, "bias must be"),
        (lambda: separable_counts([R], (2,)), GeometryError, "output size must be >= 1"),
        (lambda: depthwise_separable_counts([R], (2,), 1, 1), GeometryError, "output size"),
        (lambda: same_padding_triples(4, 4), ParameterError, "n_taps must be odd, .* got 4"),
        (lambda: grouped_ratio(4, 4, 2, 3, count="flops"), ParameterError, "count must be one of"),
        (lambda: zero_insertion_ratio([R], (4,), count="weights"), ParameterError,
         "count must be 'macs_per_tap' or 'macs_inside', got 'weights'"),
        (lambda: separable_ratio([AxisRelation(1, pad_lo=3, pad_hi=-3)] * 2, (2, 2),
                                 count="macs_inside"), ParameterError, "got macs_inside 0"),
    ],
)  # fmt: skip
def test_bad_input(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_counts_add_up_and_refuse_strangers():
    one = Counts(1, 2, 3, 4, 5, 6)
    assert one + one == Counts(2, 4, 6, 8, 10, 12)
    with pytest.raises(TypeError, match="unsupported operand"):
        one + 1
    assert Fraction(one.flops_inside, one.flops_per_tap) == Fraction(16, 14)
