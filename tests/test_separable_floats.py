"""Float kernels: a relative tolerance beside the exact binary numbers, neither called the other."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, strategies as st
from strategies import examples

from symconv.errors import ParameterError, ParameterTypeError
from symconv.separable import floating, separate
from symconv.separable.arrays import ExactArray, dyadic
from symconv.separable.floating import bounded_values, distance_squared

LAPLACIAN = np.array([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])


def exact_distance(kernel, terms):
    """‖kernel − Σ terms‖² in Fractions, by loops."""
    rest = {place: Fraction(float(entry)) for place, entry in np.ndenumerate(kernel)}
    for term in terms:
        for place in rest:
            product = Fraction(1)
            for vector, at in zip(term, place, strict=True):
                product *= Fraction(vector[at])
            rest[place] -= product
    return sum(value * value for value in rest.values())


@pytest.mark.parametrize("scale", [1.0, 1e-9, 1e-300, 1e300, 2.0**-1060])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_small_laplacian_is_not_separable(scale, dtype):
    with np.errstate(over="ignore", under="ignore"):
        kernel = (scale * LAPLACIAN).astype(dtype)
    if not np.isfinite(kernel).all() or not kernel.any():
        return
    found = separate(kernel)
    assert not found.is_exact
    assert found.rank == 2
    assert found.exact_rank == 2
    assert not found.is_separable
    assert found.residual == 0
    assert exact_distance(kernel, found.terms) == 0


def test_an_exactly_separable_float32_kernel_is_reported_as_such():
    line = np.array([1, 4, 6, 4, 1], dtype=np.float32)
    kernel = np.outer(line, line) / np.float32(256)
    assert kernel.dtype == np.float32
    found = separate(kernel)
    assert (found.is_exact, found.rank, found.exact_rank) == (False, 1, 1)
    assert found.residual == 0
    assert bool(found.is_separable)
    assert found.is_separable.scope == "the binary numbers stored"
    assert all(isinstance(e, float) for vector in found.terms[0] for e in vector)
    assert found.exact.is_exact
    assert found.exact.terms == (
        ((Fraction(1, 256), Fraction(1, 64), Fraction(3, 128), Fraction(1, 64), Fraction(1, 256)),
         (1, 4, 6, 4, 1)),
    )  # fmt: skip
    # Divided by 159 each entry is rounded: within the tolerance only, and said so.
    rounded = separate(np.outer(line, line) / np.float32(159))
    assert rounded.rank == 1
    assert rounded.exact_rank > 1
    assert not rounded.is_separable
    assert 0 < rounded.residual < 1e-7
    assert "as stored" in repr(rounded)
    assert "within relative tolerance" in repr(rounded)


def test_the_tolerance_is_relative_and_stated():
    kernel = np.diag([1.0, 1e-3, 1e-6])
    assert separate(kernel).rank == 3
    assert separate(kernel).tolerance == 3 * np.finfo(float).eps
    assert separate(kernel.astype(np.float32)).tolerance == 3 * float(np.finfo(np.float32).eps)
    for tolerance, rank in ((0, 3), (1e-7, 3), (1e-5, 2), (Fraction(1, 100), 1), (0.5, 1)):
        found = separate(kernel, tolerance=tolerance)
        assert found.rank == rank
        assert found.exact_rank == 3
        assert separate(1e-200 * kernel, tolerance=tolerance).rank == rank
        assert found.residual >= Fraction(float(np.sum(np.diag(kernel)[rank:] ** 2) ** 0.5)) * (
            1 - Fraction(1, 10**12)
        )
    for value in (-1e-9, 1, 2.0, float("nan"), float("inf")):
        with pytest.raises(ParameterError, match="tolerance must be at least 0 and below 1"):
            separate(kernel, tolerance=value)
    for value in ("1e-9", True, [1e-9], 1j):
        with pytest.raises(ParameterTypeError, match="tolerance must be a number"):
            separate(kernel, tolerance=value)


def test_zeros_and_single_entries():
    for kernel in (np.zeros((2, 3)), np.zeros(3), np.zeros((2, 2, 2))):
        found = separate(kernel)
        assert (found.rank, found.exact_rank, found.terms) == (0, 0, ())
        assert found.residual == 0
    assert separate(np.array([[0.1]])).terms == (((0.1,), (1.0,)),)
    assert separate(np.array([0.1, -0.0])).terms == (((0.1, 0.0),),)


@examples(40)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 3), st.integers(0, 2**32 - 1),
       st.sampled_from([np.float32, np.float64]))  # fmt: skip
def test_random_products(m, n, rank, seed, dtype):
    rng = np.random.default_rng(seed)
    kernel = (rng.normal(size=(m, rank)) @ rng.normal(size=(rank, n))).astype(dtype)
    found = separate(kernel)
    assert found.rank <= min(m, n)
    assert found.exact_rank >= found.rank
    # The residual is an upper bound of the true distance, computed here in Fractions.
    distance = exact_distance(kernel, found.terms)
    assert found.residual**2 >= distance
    assert found.residual == 0 or found.residual**2 <= distance * (1 + Fraction(1, 2**40))
    eps, largest = np.finfo(dtype).eps, np.linalg.norm(kernel.astype(float), 2)
    assert float(found.residual) <= 8 * (m + n) * eps * largest
    # Singular values are those of the stored numbers.
    values = [float(v) for v in found.singular_values for _ in range(v.multiplicity)]
    expected = np.linalg.svd(kernel.astype(float), compute_uv=False)
    assert values == pytest.approx(expected.tolist(), abs=1e-12 * largest)
    # As does the separation of the same numbers as Fractions.
    assert separate(dyadic(kernel)).terms == found.exact.terms


def test_tensors():
    line = np.array([1.0, 2.0, 1.0])
    kernel = np.multiply.outer(line, np.multiply.outer([1.0, -1.0], line))
    found = separate(kernel)
    assert (found.rank, found.exact_rank, found.residual) == (1, 1, 0)
    blurred = np.exp(-np.add.outer(np.add.outer(line, line), line))
    found = separate(blurred)
    assert found.rank == 1
    assert not found.is_exact
    assert found.residual < 1e-15
    rng = np.random.default_rng(0)
    mixed = rng.normal(size=(2, 3, 4))
    found = separate(mixed)
    assert found.multilinear_rank == (2, 3, 4)
    assert found.rank is None
    assert found.residual < 1e-13
    assert exact_distance(mixed, found.terms) <= found.residual**2
    near = separate(mixed, tolerance=0.7)
    assert len(near.terms) < len(found.terms)


@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (40, 30), (60, 60)])
@pytest.mark.parametrize("scale", [1, 10**30, Fraction(1, 10**30)])
def test_bounds_hold(shape, scale):
    rng = np.random.default_rng(7)
    integers = rng.integers(-99, 100, shape).astype(object)
    scale = Fraction(scale)
    matrix = ExactArray(integers * scale.numerator, scale.denominator)
    values = np.linalg.svd(integers.astype(float), compute_uv=False)
    for bound, value in zip(bounded_values(matrix), values, strict=True):
        assert bound.lower <= bound.upper
        near = Fraction(value) * scale
        slack = Fraction(values[0]) * scale / 10**12
        assert bound.lower <= near + slack
        assert near - slack <= bound.upper
        assert bound.upper - bound.lower <= Fraction(values[0]) * scale / 10**9
    zero = ExactArray(np.zeros((3, 2), dtype=object))
    assert [float(v) for v in bounded_values(zero)] == pytest.approx([0, 0], abs=1e-300)


def test_a_wrong_decomposition_widens_the_bounds(monkeypatch):
    """A planted mistake in LAPACK's answer must not shrink what is proved."""
    rng = np.random.default_rng(3)
    matrix = ExactArray(rng.integers(-9, 10, (30, 30)).astype(object))
    true = np.linalg.svd(matrix.elements.astype(float), compute_uv=False)
    real = np.linalg.svd

    def wrong(array, full_matrices=True):
        left, values, right = real(array, full_matrices=full_matrices)
        return left, values + 1e-4, right

    monkeypatch.setattr(floating.np.linalg, "svd", wrong)
    for bound, value in zip(bounded_values(matrix), true, strict=True):
        assert float(bound.lower) <= value <= float(bound.upper)

    def bent(array, full_matrices=True):
        left, values, right = real(array, full_matrices=full_matrices)
        return left * 1.001, values / 1.001, right

    monkeypatch.setattr(floating.np.linalg, "svd", bent)
    for bound, value in zip(bounded_values(matrix), true, strict=True):
        assert float(bound.lower) <= value <= float(bound.upper)


def test_distances_are_exact():
    kernel = np.array([[0.1, 0.2], [0.3, 0.4]])
    terms = (((0.1, 0.3), (1.0, 2.0)),)
    numbers = dyadic(kernel)
    common = max(value.denominator for value in numbers.ravel())
    array = ExactArray(np.array([[int(v * common) for v in row] for row in numbers], dtype=object),
                       common)  # fmt: skip
    assert distance_squared(array, terms) == exact_distance(kernel, terms)
