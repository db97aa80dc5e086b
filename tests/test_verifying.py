"""Verification: planted mistakes are found, shrunk and named; correct implementations pass."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from planted import DEFECTS, Reference

import symconv as sc
from symconv.errors import SymconvError
from symconv.pytest_plugin import geometries
from symconv.verifying import MISTAKES, Factory, UnsupportedError, verify
from symconv.verifying.mistakes import Case
from symconv.verifying.shrinking import measure

CATALOGUE = {
    "conv": [
        (sc.Conv(2, 4, (2, 3), stride=(2, 1), padding=((1, 0), (0, 2)), dilation=(1, 2)), (6, 7)),
        (sc.Conv(3, 2, (3,), stride=2, padding=((2, 0),), dilation=2), (8,)),
        (sc.Conv(4, 2, (2, 3, 2), stride=(1, 2, 3), padding=((1, 0), (0, 2), (1, 1)),
                 dilation=(2, 1, 1), groups=2, bias=False), (4, 6, 6)),
    ],
    "transposed": [
        (sc.ConvTranspose(4, 2, (2, 3), stride=(3, 2), padding=((1, 0), (0, 1)), dilation=(1, 2),
                          output_padding=(1, 2), groups=2), (3, 4)),
        (sc.ConvTranspose(2, 3, (3,), stride=3, padding=((2, 0),), dilation=2, output_padding=1,
                          bias=False), (4,)),
    ],
    "avg": [
        (sc.AvgPool((2, 3), stride=(2, 2), padding=((1, 0), (1, 1)), ceil_mode=True), (6, 6)),
        (sc.AvgPool((3,), stride=2, padding=1, count_include_pad=False), (6,)),
        (sc.AvgPool((3, 2), stride=2, padding=1, divisor_override=5), (6, 7)),
    ],
    "max": [
        (sc.MaxPool((3, 2), stride=(2, 1), padding=((1, 0), (1, 1)), dilation=(1, 2)), (7, 6)),
        (sc.MaxPool((3,), stride=2, padding=((1, 0),), ceil_mode=True), (9,)),
    ],
    "grouped": [
        (sc.Conv(4, 6, (2, 3), groups=2, padding=1), (4, 5)),
        (sc.ConvTranspose(6, 4, (2,), groups=2), (4,)),
    ],
    "groupedconv": [(sc.Conv(4, 6, (2, 3), groups=2, padding=1), (4, 5))],
}  # fmt: skip
CATALOGUE["biased"] = [CATALOGUE["conv"][0], CATALOGUE["transposed"][0]]


def places(where):
    for word in where.split():
        only_two = word.endswith("2")
        for layer, size in CATALOGUE[word.removesuffix("2")]:
            if layer.rank == 2 or not only_two:
                yield layer, size


def is_visible(defects, layer, size):
    """Whether the planted mistakes change anything here, asked without symconv's arithmetic."""
    rng = np.random.default_rng(1)
    channels = getattr(layer, "in_channels", 2)
    given = [rng.integers(-40, 41, (3, channels, *size)).astype(float) - 41]
    if hasattr(layer, "groups"):
        shape = (layer.out_channels, channels // layer.groups)
        if type(layer).__name__ == "ConvTranspose":
            shape = (channels, layer.out_channels // layer.groups)
        # Odd and longer than eleven bits: rounding shows.
        given.append(rng.integers(2**13, 2**14, (*shape, *layer.kernel_size)) * 2.0 + 1)
        if layer.bias:
            given.append(rng.integers(1, 9, layer.out_channels).astype(float))
    right = Reference().build(layer, size)(*given)
    given[0] = np.abs(given[0]) if "relu" in defects else given[0]
    try:
        found = Reference(*defects).build(layer, size)(*given)
    except ValueError:
        return True
    if "relu" in defects:
        return True
    return found.shape != right.shape or not np.allclose(found, right, rtol=1e-12, atol=0)


SINGLE = [
    (defect, layer, size, number)
    for defect, (where, _) in DEFECTS.items()
    for number, (layer, size) in enumerate(places(where))
]


def check_planted(defect, layer, size):
    verdict = verify(Reference(defect), layer, size)
    name = DEFECTS[defect][1]
    if not is_visible((defect,), layer, size):
        assert verdict.status == "PROVED"
        return verdict
    assert verdict.status == "REFUTED"
    assert verdict.mistakes in ((), (name,))
    smallest = verdict.counterexample
    assert max(smallest.layer.kernel_size) <= 3
    assert max(smallest.input_size) <= 4
    assert measure(smallest.layer, smallest.input_size) <= measure(layer, size)
    # The smallest case fails for the same reason when it is asked again.
    again = verify(Reference(defect).build(smallest.layer, smallest.input_size), smallest.layer,
                   smallest.input_size, shrink=False, name=False)  # fmt: skip
    assert again.status == "REFUTED"
    assert again.kind == smallest.kind
    return verdict


@pytest.mark.parametrize(
    ("defect", "layer", "size"),
    [case[:3] for case in SINGLE if case[3] == sum(map(ord, case[0])) % 2],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_planted_defects_are_found_shrunk_and_never_misnamed(defect, layer, size):
    check_planted(defect, layer, size)


@pytest.mark.long
@pytest.mark.parametrize("defect", DEFECTS)
def test_planted_defects_everywhere(defect):
    where, name = DEFECTS[defect]
    seen = [check_planted(defect, layer, size) for layer, size in places(where)]
    assert any(verdict.status == "REFUTED" for verdict in seen)
    if name is not None:
        assert any(verdict.mistakes == (name,) for verdict in seen)


def test_many_kinds_are_named():
    named = set()
    for defect in (
        "flip", "kernel_swapped", "stride_swapped", "dilation_plus", "dilation_ignored",
        "groups_interleaved_in", "pad_sides", "op_zeros", "size_rounded_up", "border_circular",
        "border_reflect", "last_window_missing", "batch_first_only", "count_other_way", "shift",
        "whole_kernel", "bias_forgotten", "weights_io", "max_padding_zero", "low_precision",
    ):  # fmt: skip
        where, name = DEFECTS[defect]
        for layer, size in places(where):
            if verify(Reference(defect), layer, size).mistakes == (name,):
                named.add(name)
                break
    assert len(named) >= 19


PAIRS = [
    (first, second, layer, size)
    for first, second in itertools.combinations(DEFECTS, 2)
    for layer, size in places(DEFECTS[first][0])
    if (layer, size) in list(places(DEFECTS[second][0]))
]


def check_pair(first, second, layer, size):
    try:
        visible = is_visible((first, second), layer, size)
    except (IndexError, ValueError):
        visible = True
    verdict = verify(Reference(first, second), layer, size)
    assert verdict.status == ("REFUTED" if visible else "PROVED")
    assert set(verdict.mistakes) <= {DEFECTS[first][1], DEFECTS[second][1]}
    if visible and verdict.kind in ("values", "batch", "shape"):
        assert max(verdict.counterexample.layer.kernel_size) <= 3
        assert max(verdict.counterexample.input_size) <= 4


@pytest.mark.parametrize(
    ("first", "second", "layer", "size"),
    PAIRS[:: max(len(PAIRS) // 25, 1)],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_pairs_of_defects_are_found(first, second, layer, size):
    check_pair(first, second, layer, size)


@pytest.mark.long
@pytest.mark.parametrize("start", range(20))
def test_every_third_pair_of_defects(start):
    for case in PAIRS[start::60]:
        check_pair(*case)


@pytest.mark.parametrize("kind", ["Conv", "ConvTranspose", "AvgPool", "MaxPool"])
def test_the_reference_is_never_refuted(kind):
    for layer, size in geometries(kind, ranks=(1, 2, 3), count=15, seed=3):
        verdict = verify(Reference(), layer, size)
        assert verdict.agrees, verdict
        assert not verdict.mistakes
        assert verdict.counterexample is None


@pytest.mark.long
@pytest.mark.parametrize("kind", ["Conv", "ConvTranspose", "AvgPool", "MaxPool"])
@pytest.mark.parametrize("seed", range(5))
def test_the_reference_is_never_refuted_anywhere(kind, seed):
    for layer, size in geometries(kind, ranks=(1, 2, 3), count=200, seed=10 + seed):
        assert verify(Reference(), layer, size).agrees


@pytest.mark.parametrize("mode", ["circular", "reflect", "symmetric", "replicate", "zeros"])
def test_borders(mode):
    layer = sc.Conv(2, 2, (3, 2), padding=((1, 2), (0, 1)), padding_mode=mode, stride=(2, 1))
    assert verify(Reference(), layer, (3, 4))
    other = "circular" if mode != "circular" else "zeros"
    verdict = verify(Reference(f"border_{other}"), layer, (3, 4))
    assert verdict.mistakes == (f"border read as {other}",)


def exact(layer, size):
    return layer.operator(size).apply


@pytest.mark.parametrize(
    ("layer", "size"),
    [
        (sc.Conv(1, 2, (2,), padding=1, padding_mode="constant", padding_value=3), (3,)),
        (sc.Conv(1, 2, (2,), input_dilation=2, padding=1), (3,)),
        (sc.Conv(2, 2, (3, 3), padding="same_lower", stride=2), (4, 5)),
        (sc.Pad(((1, 2), (0, 1)), padding_mode="reflect"), (3, 3)),
        (sc.Unfold((2, 2), padding=1), (3, 3)),
        (sc.Fold((3, 3), (2, 2)), (2, 2)),
        (sc.AvgPool((2,), padding=1, count_include_pad=False), (4,)),
        (sc.Conv(1, 1, (1,), bias=False), (1,)),
    ],
)
def test_every_linear_layer_is_verified(layer, size):
    assert verify(exact(layer, size), layer, size, result_dtype="any")
    doubled = Factory(lambda layer, size: lambda *given: 2 * exact(layer, size)(*given))
    assert not verify(doubled, layer, size, result_dtype="any")


def test_constant_padding_is_compared_with_its_value():
    layer = sc.Conv(1, 1, (2,), padding=1, padding_mode="constant", padding_value=3, bias=False)

    def make(layer, size):
        return exact(replace(layer, padding_mode="zeros", padding_value=0), size)

    zeros = Factory(make)
    verdict = verify(zeros, layer, (3,))
    assert verdict.mistakes == ("border read as zeros",)
    with pytest.raises(sc.SymconvError, match="padding_value must be an integer"):
        verify(zeros, sc.Conv(1, 1, (2,), padding=1, padding_mode="constant", padding_value=0.5),
               (3,))  # fmt: skip


def test_a_plain_function_is_not_shrunk_and_named_at_its_own_geometry():
    layer, size = CATALOGUE["conv"][0]
    fn = Reference("flip").build(layer, size)
    verdict = verify(fn, layer, size)
    assert verdict.counterexample.layer == layer
    assert verdict.counterexample.input_size == size
    assert verdict.mistakes == ("kernel flipped",)
    assert len(verdict.counterexample.rows) == 3


def test_a_name_must_hold_at_the_geometry_asked_for():
    """Two mistakes of which the smallest geometry shows one: the one alone explains nothing."""
    layer, size = CATALOGUE["conv"][0]
    assert verify(Reference("flip", "bias_twice"), layer, size).mistakes == ()


def test_a_mistake_that_is_made_for_some_geometries_only_is_not_named():
    def make(layer, size):
        return Reference(*(["flip"] if layer.in_channels == 2 else [])).build(layer, size)

    verdict = verify(Factory(make), *CATALOGUE["conv"][0])
    assert verdict.status == "REFUTED"
    assert verdict.mistakes == ()


def test_every_mistake_predicts_something_wrong_somewhere():
    """A mistake that predicts what is right would name the innocent."""
    rng = np.random.default_rng(0)
    found = set()
    every = {place for listed in CATALOGUE.values() for place in listed} | {
        (sc.Conv(2, 2, (2, 2), input_dilation=(2, 1), padding=((1, 0), (0, 1)),
                 padding_mode="circular"), (4, 4)),
    }  # fmt: skip
    for layer, size in sorted(every, key=repr):
        case = Case(layer, size, getattr(layer, "in_channels", 2))
        shapes = case.problem.shapes
        given = [rng.integers(-(2**13), 2**13, shape) * 2.0 + 1 for shape in shapes]
        given[0] = rng.integers(-9, 9, (3, *shapes[0])).astype(float) - 20
        right = case.problem.run(*given)
        for name, variants in MISTAKES.items():
            for _, predict in variants(case):
                try:
                    y = predict(*given)
                except SymconvError:
                    continue
                if y.shape != right.shape or (y != right).any():
                    found.add(name)
    assert found == set(MISTAKES)
    assert len(found) >= 45


def test_unsupported_geometries_are_passed_over():
    def make(layer, size):
        if len(size) != 2 or layer.in_channels < 2:
            raise UnsupportedError("two axes, two channels")
        return Reference("flip").build(layer, size)

    verdict = verify(Factory(make), *CATALOGUE["conv"][0])
    assert verdict.counterexample.layer.rank == 2
    assert verdict.counterexample.layer.in_channels == 2
    assert verdict.mistakes == ("kernel flipped",)
    refused = verify(Factory(make), *CATALOGUE["conv"][1])
    assert (refused.status, refused.kind, refused.agrees) == ("UNDECIDED", "unsupported", False)
    with pytest.raises(ValueError, match="does not take this geometry"):
        bool(refused)


def test_the_same_verdict_in_every_run():
    layer, size = CATALOGUE["transposed"][0]
    first, second = (verify(Reference("op_zeros"), layer, size) for _ in range(2))
    assert str(first) == str(second)
    assert first.calls == second.calls


def test_the_message_shows_the_smallest_difference():
    verdict = verify(Reference("flip"), sc.Conv(2, 4, (3,), padding=1), (7,))
    assert str(verdict).splitlines()[1:] == [
        "mistake: kernel flipped",
        "smallest case: Conv(1, 1, (2,), bias=False) on 2, batch 2",
        "  " + verdict.counterexample.reason,
        "  output [0, 0] is w[0,0,0]·x[0,1] + w[0,0,1]·x[0,0]; "
        "it must be w[0,0,0]·x[0,0] + w[0,0,1]·x[0,1]",
        "  right      found",
        "  [w0  w1]   [w1  w0]",
    ]


@pytest.mark.parametrize(
    ("added", "said"),
    [
        (lambda x, w: x[:, 0, 0], "w[0,0,0]·x[0,0] + x[0,0]; it must"),
        (lambda x, w: 7, "w[0,0,0]·x[0,0] + 7; it must"),
        (lambda x, w: w[0, 0, 0] + x[:, 0, 0] + 3, "x[0,0] + w[0,0,0] + x[0,0] + 3; it must"),
        (lambda x, w: -x[:, 0, 0] * w[0, 0, 0] + x[:, 0, 0], "is x[0,0]; it must"),
    ],
)
def test_terms_that_are_no_products_are_listed_once(added, said):
    """What a wrong implementation adds by itself is not counted with every weight again."""

    def make(layer, size):
        op = layer.operator(size)

        def run(x, w):
            y = np.array(op.apply(x, w))
            y[:, 0, -1] += added(x, w)
            return y

        return run

    verdict = sc.verify(sc.Factory(make), sc.Conv1d(1, 1, 3, bias=False), (5,))
    assert verdict.status == "REFUTED"
    assert said in str(verdict)
