"""Receptive fields: composition, exact sets against naive loops, coverage, pictures."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from itertools import product
from xml.etree import ElementTree as ET

import numpy as np
import oracles
import pytest
import sympy

from symconv.errors import (
    GeometryError,
    ParameterError,
    ParameterTypeError,
    ShapeError,
    TooLargeError,
)
from symconv.reach import (
    covers,
    hybrid_dilated_rule,
    interior,
    missing_offsets,
    period,
    phase_fields,
    reads,
    trace,
)
from symconv.receptive import AxisField, aligned, composed, field_of, ratio, relative_field
from symconv.relation import AxisRelation
from symconv.rendering.pyramid import MAX_MARKS, field_svg

# A layer of the tests: (transposed, taps, stride, dilation, low, high padding).
PLAIN = [
    (False, K, s, d, lo, hi)
    for K, s, d, (lo, hi) in product((1, 2, 3), (1, 2), (1, 2), ((0, 0), (1, 0), (1, 2), (-1, 0)))
]
TRANSPOSED = [
    (True, K, s, d, lo, hi)
    for K, s, d, (lo, hi) in product((1, 2, 3), (2, 3), (1, 2), ((0, 0), (1, -1)))
]


def relation_of(layer):
    transposed, K, s, d, lo, hi = layer
    relation = AxisRelation(K, s, d, lo, hi)
    return relation.adjoint() if transposed else relation


@cache
def naive_matrix(layer, n):
    """Which inputs each output depends on, as a tuple of bit masks: rows of the oracle's matrix."""
    transposed, K, s, d, lo, hi = layer
    weights = np.ones((1, 1, K), dtype=object)
    if transposed:
        if oracles.conv_transpose_size(n, K, s, d, lo, hi) < 1:
            return None
        matrix = oracles.conv_transpose_matrix(weights, [n], [s], [d], [(lo, hi)])
    else:
        if oracles.conv_size(n, K, s, d, lo, hi) < 1:
            return None
        matrix = oracles.conv_matrix(weights, [n], [s], [d], [(lo, hi)])
    return tuple(sum(1 << i for i, entry in enumerate(row) if entry) for row in matrix)


def naive_reads(layers, n):
    """Bit masks of the inputs that each output of the stack depends on; None when none exists."""
    seen = tuple(1 << i for i in range(n))
    for layer in layers:
        rows = naive_matrix(layer, len(seen))
        if rows is None:
            return None
        result = []
        for row in rows:
            mask = 0
            for i, below in enumerate(seen):
                if row >> i & 1:
                    mask |= below
            result.append(mask)
        seen = tuple(result)
    return seen


def mask_of(positions):
    return sum(1 << i for i in positions)


# ---------------------------------------------------------------------------------------------
# Fields


def check_field(then):
    """Size, jump and padding of two plain layers are those of the sets that oracles find."""
    n = 41
    for layers in product(PLAIN, repeat=2):
        field = AxisField.identity()
        for layer in layers:
            field = then(field, AxisField.of(relation_of(layer)))
        seen = naive_reads(layers, n)
        checked = 0
        for o, mask in enumerate(seen):
            first, last = field.jump * o + field.start, field.jump * o + field.end
            # Far from both ends nothing is truncated.
            if first >= 4 and last < n - 4:
                checked += 1
                assert mask & -mask == 1 << first
                assert mask.bit_length() - 1 == last
        assert checked


def test_fields_of_all_pairs_of_small_layers():
    # 48² stacks: K 1…3, stride and dilation 1…2, four paddings, on 41 samples.
    check_field(AxisField.then)


THEN = {
    "jump forgotten": lambda a, b: AxisField(
        a.size + b.size - 1, a.jump * b.jump, a.padding + a.jump * b.padding
    ),
    "later jump": lambda a, b: AxisField(
        a.size + b.jump * (b.size - 1), a.jump * b.jump, a.padding + a.jump * b.padding
    ),
    "no minus 1": lambda a, b: AxisField(
        a.size + a.jump * b.size, a.jump * b.jump, a.padding + a.jump * b.padding
    ),
    "paddings added": lambda a, b: AxisField(
        a.size + a.jump * (b.size - 1), a.jump * b.jump, a.padding + b.padding
    ),
    "jumps added": lambda a, b: AxisField(
        a.size + a.jump * (b.size - 1), a.jump + b.jump, a.padding + a.jump * b.padding
    ),
    "reversed": lambda a, b: b.then(a),
}


@pytest.mark.parametrize("mutant", THEN.values(), ids=THEN)
def test_wrong_compositions_are_rejected(mutant):
    with pytest.raises(AssertionError):
        check_field(mutant)


def test_composition_is_associative_with_identity_for_all_sizes():
    symbols = sympy.symbols("r0:3 j0:3 p0:3", positive=True)
    one, two, three = (AxisField(*symbols[at::3]) for at in range(3))
    assert one.then(two).then(three) == one.then(two.then(three))
    assert AxisField.identity().then(one) == one == one.then(AxisField.identity())


def test_symbolic_fields_take_the_values_of_concrete_ones():
    names = sympy.symbols("K1 s1 d1 p1 K2 s2 d2 p2", integer=True, positive=True)
    K1, s1, d1, p1, K2, s2, d2, p2 = names
    field = field_of([AxisRelation(K1, s1, d1, p1), AxisRelation(K2, s2, d2, p2)])
    for values in product((1, 3), (1, 2), (1, 2), (0, 2), (2, 3), (1, 2), (1, 3), (1,)):
        at = dict(zip(names, values, strict=True))
        concrete = field_of([AxisRelation(*values[:4]), AxisRelation(*values[4:])])
        for name in ("size", "jump", "padding", "start", "end", "centre"):
            assert getattr(field, name).subs(at) == getattr(concrete, name)


def test_dilation_moves_the_centre():
    assert AxisField.of(AxisRelation(3, dilation=2)).centre == 2
    assert AxisField.of(AxisRelation(2)).centre == Fraction(1, 2)
    assert AxisField.of(AxisRelation(3, stride=2)).at(5).centre == 11


def test_transposed_fields_are_fractions_and_whole_again_after_a_stride():
    up = AxisField.of(AxisRelation(4, stride=2, pad_lo=1).adjoint())
    assert (up.size, up.jump, up.padding) == (Fraction(5, 2), Fraction(1, 2), 1)
    back = up.then(AxisField.of(AxisRelation(3, stride=2)))
    assert back == AxisField(Fraction(7, 2), 1, 1)
    assert type(back.jump) is int


# (name, taps, stride, padding) of google-research/receptive_field's two networks.
ALEXNET = [
    ("conv1", 11, 4, 0), ("pool1", 3, 2, 0), ("conv2", 5, 1, 2), ("pool2", 3, 2, 0),
    ("conv3", 3, 1, 1), ("conv4", 3, 1, 1), ("conv5", 3, 1, 1), ("pool5", 3, 2, 0),
]  # fmt: skip
ALEXNET_TABLE = {
    "conv1": (11, 4, 0), "pool1": (19, 8, 0), "conv2": (51, 8, 16), "conv3": (99, 16, 32),
    "conv4": (131, 16, 48), "conv5": (163, 16, 64), "pool5": (195, 32, 64),
}  # fmt: skip
VGG = [
    layer
    for block, convolutions in enumerate((2, 2, 3, 3, 3), 1)
    for layer in [("conv", 3, 1, 1)] * convolutions + [(f"pool{block}", 2, 2, 0)]
]
VGG_TABLE = {
    "pool1": (6, 2, 2), "pool2": (16, 4, 6), "pool3": (44, 8, 18), "pool4": (100, 16, 42),
    "pool5": (212, 32, 90),
}  # fmt: skip


@pytest.mark.parametrize(("layers", "table"), [(ALEXNET, ALEXNET_TABLE), (VGG, VGG_TABLE)])
def test_published_receptive_fields(layers, table):
    found, stack = {}, []
    for name, K, s, p in layers:
        stack.append(AxisRelation(K, s, pad_lo=p, pad_hi=p))
        field = field_of(stack)
        found[name] = (field.size, field.jump, field.padding)
        inputs = reads(stack, 0)
        assert (inputs[0], inputs[-1]) == (field.start, field.end)
    assert {name: found[name] for name in table} == table


def test_composed_sizes_equal_the_nested_floors():
    # All stacks of two layers, each K 1…3, s 1…3, p (0, 0) … (1, 2), at 0 … 17 samples.
    layers = [
        AxisRelation(K, s, 1, lo, hi)
        for K, s, (lo, hi) in product((1, 2, 3), (1, 2, 3), ((0, 0), (1, 2), (2, -1)))
    ]
    for first, second in product(layers, repeat=2):
        one = composed([first, second])
        for n in range(18):
            assert one.output_size(n) == second.output_size(first.output_size(n))
    n = sympy.Symbol("n", integer=True)
    stack = [AxisRelation(3, 2), AxisRelation(5, 3, 2, 1, 4), AxisRelation(2, 2)]
    assert str(composed(stack).output_size(n)).count("floor") == 1
    assert composed([]) == AxisRelation(1)


# ---------------------------------------------------------------------------------------------
# Exact sets


def check_reads(find, stacks, n):
    for layers in stacks:
        seen = naive_reads(layers, n)
        if seen is None:
            continue
        stack = [relation_of(layer) for layer in layers]
        for o, mask in enumerate(seen):
            assert mask_of(find(stack, o, n)) == mask, (layers, o)


def test_truncated_sets_equal_the_dependencies_of_oracle_matrices():
    # Every stack of two layers on 6 samples: 72² of them, plain and transposed ones mixed.
    check_reads(reads, product([*PLAIN, *TRANSPOSED], repeat=2), 6)


def test_truncated_sets_of_three_layers():
    chosen = [*PLAIN[5::9], *TRANSPOSED[2::7]]
    check_reads(reads, product(chosen, repeat=3), 7)


def clipped(relations, position, n_in):
    """A mutant: only the input is truncated, the intermediates are not."""
    return [i for i in reads(relations, position) if 0 <= i < n_in]


def test_truncating_the_input_alone_is_rejected():
    with pytest.raises(AssertionError):
        check_reads(clipped, product(PLAIN, repeat=2), 6)


def test_ceil_mode_sizes():
    for K, s, p, n in product((1, 2, 3), (1, 2, 3), (0, 1), range(3, 9)):
        if 2 * p > K:
            continue
        windows = list(oracles._pool_windows([n], [K], [s], [1], [(p, p)], True))
        sizes = (n, len(windows))
        for (o,), data, _ in windows:
            found = reads([AxisRelation(K, s, 1, p, p)], o, sizes=sizes)
            assert found == tuple(i for (i,) in data)


def test_links_join_the_levels_and_places_are_distinct():
    stack = [relation_of(TRANSPOSED[9]), AxisRelation(3, 2, 2, 1, 1), relation_of(TRANSPOSED[4])]
    seen = trace(stack, 3, 9)
    assert seen.sizes[0] == 9
    for number, pairs in enumerate(seen.links):
        assert {i for _, i in pairs} == set(seen.levels[number])
        assert {o for o, _ in pairs} <= set(seen.levels[number + 1])
        assert len(set(seen.places[number])) == len(seen.levels[number])


# ---------------------------------------------------------------------------------------------
# Phases and interior outputs


def test_phases_repeat_and_their_fields_are_exact():
    # All pairs with a transposed layer; outputs −7 … 17 of the unbounded axis.
    for layers in product([*PLAIN[::4], *TRANSPOSED], repeat=2):
        stack = [relation_of(layer) for layer in layers]
        outputs, move = period(stack)
        fields = phase_fields(stack)
        assert len(fields) == outputs
        hull = field_of(stack)
        assert hull.jump == ratio(move, outputs)
        for o in range(-7, 18):
            q, phase = divmod(o, outputs)
            inputs = reads(stack, o)
            if fields[phase] is None:
                assert inputs == ()
                continue
            exact = fields[phase].at(q)
            assert (inputs[0], inputs[-1]) == (exact.start, exact.end)
            assert exact.size <= hull.size
            assert hull.at(o).start <= exact.start
            assert exact.end <= hull.at(o).end


def test_the_period_is_the_smallest():
    # What all levels read repeats after `period` outputs and after no fewer.
    for layers in product([*PLAIN[::5], *TRANSPOSED[::2]], repeat=2):
        stack = [relation_of(layer) for layer in layers]
        outputs, _ = period(stack)
        shapes = []
        for o in range(2 * outputs):
            seen = trace(stack, o)
            shapes.append(
                [
                    {(level[at] - level[0], place - seen.places[-1][0]) for at, place in row}
                    for level, row in zip(seen.levels, map(enumerate, seen.places), strict=True)
                    if level
                ]
            )
        assert shapes[:outputs] == shapes[outputs:]
        for shorter in range(1, outputs):
            # A stack with taps in every residue class shows each phase by its own offsets.
            if all(layer[1] == 3 for layer in layers):
                assert shapes[:outputs] != shapes[shorter : shorter + outputs]


def untruncated(stack, o, n):
    """Whether no position of any level falls outside, from theoretical sets alone."""
    sizes = [n]
    for relation in stack:
        sizes.append(relation.output_size(sizes[-1]))
    return all(
        0 <= i < size
        for level, size in zip(trace(stack, o).levels, sizes, strict=True)
        for i in level
    )


def test_interior_outputs():
    # All pairs of layers, crops and transposed ones included, on 4, 9 and 14 samples.
    n = sympy.Symbol("n", integer=True, positive=True)
    for number, layers in enumerate(product([*PLAIN, *TRANSPOSED[::3]], repeat=2)):
        stack = [relation_of(layer) for layer in layers]
        outputs, _ = period(stack)
        size = (4, 9, 14)[number % 3]
        n_out = stack[1].output_size(stack[0].output_size(size))
        expected = {o for o in range(-3, n_out + 3) if untruncated(stack, o, size)}
        found = set()
        for phase in range(outputs):
            first, last = interior(stack, size, phase)
            found |= {phase + outputs * q for q in range(first, last + 1)}
            if number % 50 == 0:
                low, high = interior(stack, n, phase)
                assert (low, high.subs(n, size)) == (first, last)
        assert found == expected, (layers, size)


# ---------------------------------------------------------------------------------------------
# Coverage


def offsets(layers):
    """All sums of effective dilations times taps, by naive loops."""
    found, jump = {0}, 1
    for K, s, d in layers:
        found = {offset + jump * d * k for offset in found for k in range(K)}
        jump *= s
    return found


def smallest_gap(layers):
    found = offsets(layers)
    return next((o for o in range(max(found)) if o not in found), None)


def check_coverage(rule):
    """`rule` names the smallest missing offset of a stack, or None."""
    # One to three layers with K 1…3, s 1…2, d 1…4: 24 + 24² + 24³ stacks.
    kinds = list(product((1, 2, 3), (1, 2), (1, 2, 3, 4)))
    for depth in (1, 2, 3):
        for layers in product(kinds, repeat=depth):
            assert rule(layers) == smallest_gap(layers), layers
    # Larger kernels and dilations: K 2…6, d 1…9, two layers.
    for layers in product(product((2, 3, 4, 5, 6), (1,), range(1, 10)), repeat=2):
        assert rule(layers) == smallest_gap(layers), layers


def exact_rule(layers):
    verdict = covers([AxisRelation(K, s, d) for K, s, d in layers])
    return None if verdict else verdict.counterexample["offset"]


def test_coverage_equals_enumeration():
    check_coverage(exact_rule)


def test_missing_offsets_are_those_of_enumeration():
    # Two layers, K 1…4, s 1…3, d 1…5.
    for layers in product(product((1, 2, 3, 4), (1, 2, 3), range(1, 6)), repeat=2):
        found = offsets(layers)
        missing = tuple(o for o in range(max(found)) if o not in found)
        assert missing_offsets([AxisRelation(K, s, d) for K, s, d in layers]) == missing


def variant(*, one=1, ordered=True, with_jump=True, single=False):
    def rule(layers):
        steps, jump = [], 1
        for K, s, d in layers:
            if K > 1 or single:
                steps.append((jump * d, K - 1))
            jump *= s if with_jump else 1
        reach = one
        for step, more in sorted(steps) if ordered else steps:
            if step > reach:
                return reach
            reach += step * more
        return None

    return rule


MUTANT_RULES = {
    "no 1 +": variant(one=0),
    "2 +": variant(one=2),
    "unsorted": variant(ordered=False),
    "jump forgotten": variant(with_jump=False),
    "single taps count": variant(single=True),
}


@pytest.mark.parametrize("rule", MUTANT_RULES.values(), ids=MUTANT_RULES)
def test_wrong_coverage_rules_are_rejected(rule):
    with pytest.raises(AssertionError):
        check_coverage(rule)


def test_the_unmutated_variant_passes():
    check_coverage(variant())


def test_a_common_divisor_leaves_only_its_multiples():
    stack = [AxisRelation(3, dilation=4), AxisRelation(4, dilation=6)]
    assert all(i % 2 == 0 for i in reads(stack, 0))
    assert set(range(1, 27, 2)) < set(missing_offsets(stack))
    assert covers(stack).counterexample == {"offset": 1}


def test_the_published_rule_is_neither_necessary_nor_sufficient():
    def published(K, dilations):
        return hybrid_dilated_rule(K, dilations)

    def exact(K, dilations):
        return bool(covers([AxisRelation(K, dilation=d) for d in dilations]))

    assert (published(3, (2, 3)), exact(3, (2, 3))) == (True, False)
    assert (published(5, (1, 1, 8)), exact(5, (1, 1, 8))) == (False, True)
    # The paper's own examples.
    assert published(3, (1, 2, 5))
    assert exact(3, (1, 2, 5))
    assert not published(3, (1, 2, 9))
    assert not exact(3, (1, 2, 9))
    # A first dilation of 1 repairs sufficiency for K ≥ 3 (K 3…6, three layers, d up to 10), but
    # not for K = 2.
    for K, second, third in product((3, 4, 5, 6), range(1, 11), range(1, 11)):
        assert exact(K, (1, second, third)) or not published(K, (1, second, third))
    assert (published(2, (1, 1, 4)), exact(2, (1, 1, 4))) == (True, False)


def test_coverage_through_transposed_layers_is_that_of_every_phase():
    seen = set()
    for layers in product([*PLAIN[::3], *TRANSPOSED], repeat=2):
        stack = [relation_of(layer) for layer in layers]
        verdict = covers(stack)
        outputs, _ = period(stack)
        gapless = True
        for o in range(outputs):
            inputs = reads(stack, o)
            gapless = gapless and bool(inputs) and inputs[-1] - inputs[0] + 1 == len(inputs)
        assert bool(verdict) == gapless
        if not verdict:
            phase, offset = (verdict.counterexample.get(name) for name in ("phase", "offset"))
            inputs = reads(stack, phase or 0)
            assert inputs == () if offset is None else inputs[0] + offset not in inputs
        seen.add(bool(verdict))
    assert seen == {True, False}


# ---------------------------------------------------------------------------------------------
# Branches and maps


def test_alignment_of_branches():
    same = [AxisField.of(AxisRelation(K, pad_lo=K // 2, pad_hi=K // 2)) for K in (1, 3, 5)]
    assert aligned(same)
    stride = AxisField.of(AxisRelation(1, stride=2))
    even = AxisField.of(AxisRelation(2, stride=2))
    assert aligned([stride, even]).counterexample == {
        "branch": 1,
        "jump": 0,
        "centre": Fraction(1, 2),
    }
    assert aligned([same[0], same[1], stride]).counterexample["branch"] == 2
    K, m = sympy.symbols("K m", integer=True, positive=True)
    assert aligned([same[0], AxisField.of(AxisRelation(2 * m + 1, pad_lo=m))])
    verdict = aligned([same[0], AxisField.of(AxisRelation(K, pad_lo=m))])
    assert verdict.status == "REFUTED"
    assert sympy.expand(verdict.counterexample["centre"] - (K - 1 - 2 * m) / 2) == 0
    assert "exactly where" in verdict.reason
    floored = aligned([same[0], AxisField.of(AxisRelation(K, pad_lo=K // 2))])
    assert floored.status == "UNDECIDED"


def test_field_over_map_for_dilation_stride_and_pooling():
    # N22, a 3-tap kernel on an axis of n = 2q samples: keep the map and dilate, stride, or pool.
    q = sympy.Symbol("q", integer=True, positive=True)
    conv = AxisRelation(3, pad_lo=1, pad_hi=1)
    cases = {
        (5, 2 * q): [AxisRelation(3, dilation=2, pad_lo=2, pad_hi=2)],
        (3, q): [AxisRelation(3, stride=2, pad_lo=1, pad_hi=1)],
        (6, q): [AxisRelation(2, stride=2), conv],
    }
    for (size, n_out), stack in cases.items():
        assert relative_field(stack, 2 * q) == size / n_out
        for value in (1, 2, 5, 8):
            assert relative_field(stack, 2 * value) == Fraction(size, n_out.subs(q, value))


# ---------------------------------------------------------------------------------------------
# Bad input


R = AxisRelation(3, pad_lo=1, pad_hi=1)
SYMBOL = sympy.Symbol("s", integer=True, positive=True)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: field_of([3]), ParameterTypeError, "relations must hold AxisRelation, got 3"),
        (lambda: composed([R.adjoint(), AxisRelation(2, 3).adjoint()]), ParameterError,
         "input_dilation 1 here, got 3"),
        (lambda: aligned([]), ParameterTypeError, "fields must hold one AxisField or more"),
        (lambda: aligned([R]), ParameterTypeError, "fields must hold one AxisField"),
        (lambda: relative_field([AxisRelation(9)], 4), GeometryError, "output size must be >= 1"),
        (lambda: relative_field([R], 1.5), ParameterTypeError, "n_in must be an integer >= 0"),
        (lambda: reads([AxisRelation(SYMBOL)], 0), ParameterTypeError,
         "n_taps must be a concrete integer here"),
        (lambda: reads([R], SYMBOL), ParameterTypeError, "position must be a concrete integer"),
        (lambda: reads([R], 0.0), ParameterTypeError, "position must be an integer, got float"),
        (lambda: reads([R], 4, 4), ParameterError, "position must be from 0 to 3, got 4"),
        (lambda: reads([R], -1, 4), ParameterError, "position must be from 0 to 3, got -1"),
        (lambda: reads([R], 0, True), ParameterTypeError, "n_in must be an integer .* boolean"),
        (lambda: missing_offsets([AxisRelation(2, dilation=2**21)]), TooLargeError, "2097153"),
        (lambda: missing_offsets([R, AxisRelation(3, 2).adjoint()]), ParameterError,
         "input_dilation 1 here, got 2"),
        (lambda: reads([AxisRelation(9)], 0, 4), GeometryError, "after every layer, got"),
        (lambda: reads([R], 0, -1), ParameterError, "n_in must be >= 0, got -1"),
        (lambda: reads([R], 0, sizes=(4,)), ParameterError, r"sizes must give .* \(2\)"),
        (lambda: reads([R], 0, 5, sizes=(4, 4)), ParameterError, "n_in 5"),
        (lambda: reads([AxisRelation(2**21)], 0), TooLargeError, "above the limit of 1048576"),
        (lambda: interior([R], 4, 1), ParameterError, "phase must be from 0 to 0, got 1"),
        (lambda: hybrid_dilated_rule(3, (1,)), ParameterError, "two layers or more"),
        (lambda: hybrid_dilated_rule(0, (1, 2)), ParameterError, "n_taps must be >= 1, got 0"),
        (lambda: field_svg([[0]], [[0, 1]], []), ShapeError, "places must have one entry per"),
        (lambda: field_svg([[0]], [], []), ShapeError, "places must have 1 entries for 1"),
        (lambda: field_svg([[0], [0]], [[0], [0]], [[(1, 0)]]), ShapeError,
         r"links must join positions .* got \(1, 0\) in layer 0"),
        (lambda: field_svg([[0]], [[0]], [], names=["a", "b"]), ShapeError, "names must have 1"),
    ],
)  # fmt: skip
def test_bad_input(call, error, words):
    with pytest.raises(error, match=words):
        call()


# ---------------------------------------------------------------------------------------------
# Pictures


def svg_of(stack, position=0, n_in=None, **options):
    whole = trace(stack, position)
    stored = trace(stack, position, n_in).levels if n_in else None
    return field_svg(whole.levels, whole.places, whole.links, stored=stored, **options)


def tips(svg):
    root = ET.fromstring(svg)  # noqa: S314 - our own text
    return [tip.text for tip in root.iter("{http://www.w3.org/2000/svg}title")]


def test_the_picture_shows_every_position_once():
    gridded = [AxisRelation(3, dilation=2, pad_lo=2, pad_hi=2)] * 2
    said = tips(svg_of(gridded, 0, 6))
    assert said[0] == "receptive field"
    assert sorted(said[1:]) == sorted(
        [f"input {i}, read" for i in (0, 2, 4)]
        + [f"input {i}, lost to padding" for i in (-4, -2)]
        + [f"input {i}, left out" for i in (-3, -1, 1, 3)]
        + ["layer 1 -2, lost to padding", "layer 1 0, read", "layer 1 2, read", "output 0, read"]
    )


def test_the_picture_is_self_contained_and_escaped():
    svg = svg_of([R], 0, 4, title="<script>&", names=["a<b", 'c"d'])
    root = ET.fromstring(svg)  # noqa: S314
    assert root.get("role") == "img"
    assert "<script>" not in svg
    assert "a<b 0, read" in tips(svg)
    assert "href" not in svg
    assert "url(" not in svg
    description = root.find("{http://www.w3.org/2000/svg}desc")
    assert description.text == 'a<b: 2 read, 1 lost to padding; c"d: 1 read'


def test_large_fields_are_drawn_as_outlines():
    stack = [AxisRelation(3, dilation=2**power) for power in range(10)]
    svg = svg_of(stack)
    assert sum(map(len, trace(stack, 0).levels)) > MAX_MARKS
    assert len(svg) < 200_000
    assert len(tips(svg)) == 1
    assert "input: 2047 read" in svg


def test_pictures_of_nothing():
    # gcd(stride, dilation) 2: odd outputs of this transposed layer read nothing.
    svg = svg_of([AxisRelation(3, stride=2, dilation=2).adjoint()], 1)
    assert "input: nothing read" in svg
    assert "output: 1 read" in svg_of([], 0)
