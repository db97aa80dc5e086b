"""Integers and Fractions at full size: parts in doubles put together exactly, at every edge."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import strategies
from checking import integers, oracle_apply, oracle_matrix
from hypothesis import given, strategies as st

import symconv as sc
from symconv.errors import TooLargeError
from symconv.execute import exactly, limbs, sums
from symconv.execute.sums import Sums, largest_row_sum, row_totals, widened


@pytest.fixture
def never_objects(monkeypatch):
    """Small problems too run in parts."""
    monkeypatch.setattr(exactly, "FEW", 0)


def random_integers(rng, shape, bits, signed=True):
    """Objects of up to `bits` bits, with extremes among them."""
    words = rng.integers(0, 2**32, (*shape, -(-bits // 32)), dtype=np.uint64).astype(object)
    values = sum(words[..., at] << (32 * at) for at in range(words.shape[-1])) >> (-bits % 32)
    if signed:
        values = np.where(rng.random(shape) < 0.5, -values, values)
    flat = values.reshape(-1)
    flat[: min(2, len(flat))] = 2**bits - 1
    flat[-1:] = -(2**bits - 1) if signed else 0
    return values


LAYER = sc.Conv2d(4, 6, 3, padding=1, stride=2, groups=2, bias=False)

WIDTHS = [20, 26, 27, 31, 32, 40, 53, 60, 63, 64, 65, 100, 200, 700]


@pytest.mark.parametrize("x_bits", WIDTHS)
@pytest.mark.parametrize("w_bits", [3, 22, 31, 63, 130])
def test_parts_equal_python_integers(x_bits, w_bits, never_objects):
    rng = np.random.default_rng(x_bits * 1000 + w_bits)
    op = LAYER.operator((6, 7))
    x = random_integers(rng, (2, *op.input_shape), x_bits)
    w = random_integers(rng, op.weight_shape, w_bits)
    y = random_integers(rng, (2, *op.output_shape), x_bits)
    expected = oracle_apply(LAYER, x, w)
    found = op.apply(x, w)
    assert np.array_equal(found, expected)
    for plan in ("taps", "patches"):
        again = op.apply(x, w, plan=plan)
        assert again.dtype == found.dtype
        assert np.array_equal(again, found)
    dense = oracle_matrix(LAYER, (6, 7), w)
    back = (y.reshape(2, -1) @ dense).reshape(2, *op.input_shape)
    assert np.array_equal(op.T.apply(y, w), back)
    if found.dtype == object:
        assert {type(entry) for entry in found.ravel()} == {int}
    gradient = op.weight_gradient(x, y)
    assert (gradient.astype(object) * w).sum() == (y * expected).sum()


@strategies.examples(60)
@given(strategies.conv_cases(), st.integers(1, 90), st.integers(1, 90), st.integers(0, 2**32))
def test_random_geometries_in_parts(case, x_bits, w_bits, seed):
    layer, size = case
    op, rng = layer.operator(size), np.random.default_rng(seed)
    x = random_integers(rng, (1, *op.input_shape), x_bits)
    w = random_integers(rng, op.weight_shape, w_bits)
    y = random_integers(rng, op.output_shape, x_bits)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exactly, "FEW", 0)
        forward, backward = op.apply(x, w), op.T.apply(y, w)
    assert np.array_equal(forward, oracle_apply(layer, x, w))
    dense = oracle_matrix(layer, size, w)
    assert np.array_equal(backward.ravel(), y.ravel() @ dense)


def test_fractions_run_in_parts(never_objects):
    op = sc.Conv1d(3, 5, 4, bias=False).operator((40,))
    rng = np.random.default_rng(0)
    x = random_integers(rng, op.input_shape, 50) * Fraction(1, 3**20)
    w = random_integers(rng, op.weight_shape, 50) * Fraction(5, 7**15)
    found = op.apply(x, w)
    assert {type(entry) for entry in found.ravel()} == {Fraction}
    layer = sc.Conv1d(3, 5, 4, bias=False)
    assert np.array_equal(found, oracle_apply(layer, x[None], w)[0])


def test_a_wrong_shift_is_caught(never_objects, monkeypatch):
    original = limbs._Words.add
    monkeypatch.setattr(
        limbs._Words, "add", lambda self, part, shift: original(self, part, shift + (shift > 40))
    )
    with pytest.raises(AssertionError):
        test_parts_equal_python_integers(100, 31, None)


def test_digits_that_are_too_long_are_caught(never_objects, monkeypatch):
    """With digits of two bits more, sums pass 2⁵³ and doubles round."""
    monkeypatch.setattr(limbs, "DOUBLE", 2**57)
    with pytest.raises(AssertionError):
        test_parts_equal_python_integers(100, 31, None)


@pytest.mark.parametrize("bits", [1, 7, 22, 40])
@pytest.mark.parametrize("kind", [np.int64, np.uint64, object])
def test_digits_add_up(bits, kind):
    extremes = [0, 1, 2**62, 2**63 - 1] + ([] if kind is np.uint64 else [-1, -(2**63), 1 - 2**62])
    array = np.array(extremes, dtype=kind)
    count = -(-64 // bits)
    parts = list(limbs.digits(array, count, bits))
    total = sum(
        part.astype(np.int64).astype(object) * 2 ** (bits * at) for at, part in enumerate(parts)
    )
    assert [int(value) for value in total] == extremes
    assert all((np.abs(part) <= 2.0**bits).all() for part in parts)


def test_split_keeps_every_sum_below_the_limit():
    for x_bits in WIDTHS:
        for w_bits in WIDTHS:
            for terms in (1, 9, 4608, 2**26):
                a, b = (np.array([2**bits - 1], dtype=object) for bits in (x_bits, w_bits))
                (count_a, bits_a), (count_b, bits_b) = limbs.split(a, b, Sums(terms))
                assert count_a * bits_a >= x_bits
                assert count_b * bits_b >= w_bits
                assert terms * min(2**bits_a, int(a[0])) * min(2**bits_b, int(b[0])) <= 2**53


def test_split_takes_few_products():
    """What the data need is no more than 31-bit numbers with 576 terms: three products."""
    a = b = np.array([2**31 - 1])
    (count_a, _), (count_b, _) = limbs.split(a, b, Sums(576))
    assert count_a * count_b == 3


# -- how large sums can be ---------------------------------------------------------------------


@strategies.examples(80)
@given(strategies.conv_cases())
def test_row_sums_are_those_of_the_matrix(case):
    layer, size = case
    op = layer.operator(size)
    w = integers(op.weight_shape)
    incidence = op.oriented.linear.incidence
    labels = np.zeros(op.weight_shape, dtype=object)
    labels[...] = np.abs(w)
    dense = oracle_matrix(layer, size, labels).astype(np.int64)
    assert largest_row_sum(incidence, w, True) == dense.sum(axis=0).max(initial=0)
    assert largest_row_sum(incidence, w, False) >= dense.sum(axis=1).max(initial=0)
    merged = np.abs(oracle_matrix(layer, size, w).astype(np.int64))
    for transposed in (False, True):
        totals = row_totals(incidence, widened(w, 9999), transposed, np.abs, merged=True)
        of_rows = merged.sum(axis=0 if transposed else 1)
        assert totals.max() == of_rows.max()
        assert totals.min() == of_rows.min()


def test_blocks_of_rows_change_nothing(monkeypatch):
    layer = sc.Conv2d(2, 3, 3, stride=2, padding=2, padding_mode="circular", bias=False)
    incidence = layer.operator((7, 9)).oriented.linear.incidence
    w = integers((3, 2, 3, 3))
    expected = largest_row_sum(incidence, w, True)
    monkeypatch.setattr(sums, "BLOCK", 1)
    assert largest_row_sum(incidence, w, True) == expected


def test_row_sums_keep_data_in_single_precision(monkeypatch):
    """One large weight among zeros: the crude bound would take doubles."""
    op = sc.Conv2d(64, 1, 3, bias=False).operator((8, 8))
    w = np.zeros(op.weight_shape, dtype=np.int64)
    w[0, 5, 1, 1] = 2**15
    x = np.full(op.input_shape, 255)
    seen = []
    kind = type(op.oriented)
    original = kind._planned
    monkeypatch.setattr(
        kind, "_planned", lambda self, x, *rest: seen.append(x.dtype) or original(self, x, *rest)
    )
    assert (op.apply(x, w) == 255 * 2**15).all()
    assert seen == [np.float32]
    w[0, 6] = 2**15
    assert (op.apply(x, w) == 10 * 255 * 2**15).all()
    assert seen == [np.float32, np.float64]


def test_sums_at_the_edge_of_single_precision():
    op = sc.Conv1d(1, 1, 2, bias=False).operator((2,))
    for total in (2**24 - 1, 2**24, 2**24 + 1, 2**53 - 1, 2**53, 2**53 + 1, 2**63 - 1, 2**63):
        found = op.apply([[total - 1, 1]], [[[1, 1]]])
        assert found.tolist() == [[total]]
        assert found.dtype == (np.int64 if total < 2**62 else found.dtype)


def test_a_bound_operator_keeps_no_wrong_part(never_objects):
    op = sc.Conv1d(2, 2, 3, bias=False).operator((50,))
    rng = np.random.default_rng(1)
    w = random_integers(rng, op.weight_shape, 60)
    bound = op.bind(w)
    for bits in (1, 20, 40, 60, 20, 5):
        x = random_integers(rng, op.input_shape, bits)
        expected = op.apply(x, w)
        assert np.array_equal(bound.apply(x), expected)
        assert np.array_equal(bound.apply(x), expected)


def test_memory_is_asked_for_before_it_is_taken(never_objects, monkeypatch):
    from symconv import memory  # noqa: PLC0415

    monkeypatch.setattr(memory, "available", lambda: 2**20)
    op = sc.Conv1d(1, 64, 1, bias=False).operator((2**16,))
    x, w = np.full(op.input_shape, 2**62), np.full(op.weight_shape, 2**62)
    with pytest.raises(TooLargeError, match=r"(use|allow)"):
        op.apply(x, w)


@pytest.mark.parametrize("shape", [(0,), (2, 0)])
def test_empty_batches_of_large_integers(shape, never_objects):
    op = sc.Conv1d(1, 2, 3, bias=False).operator((5,))
    x = np.zeros((*shape, *op.input_shape), dtype=np.int64)
    y = op.apply(x, np.full(op.weight_shape, 2**80, dtype=object))
    assert y.shape == (*shape, *op.output_shape)


@pytest.mark.long
def test_full_size_integers_equal_residues():
    """int32 data of all bits on a layer of ordinary size, against sums modulo four primes."""
    layer = sc.Conv2d(64, 64, 3, padding=1, bias=False)
    op, rng = layer.operator((56, 56)), np.random.default_rng(3)
    x = rng.integers(-(2**31), 2**31, (2, *op.input_shape)).astype(np.int32)
    w = rng.integers(-(2**31), 2**31, op.weight_shape).astype(np.int32)
    y = op.apply(x, w)
    assert y.dtype == object
    for p in (1048573, 1048571, 1048561, 1048559):
        small = op.apply(x.astype(np.int64) % p, w.astype(np.int64) % p)
        assert small.dtype == np.int64
        assert np.array_equal((y % p).astype(np.int64), small % p)
