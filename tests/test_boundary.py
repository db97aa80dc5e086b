"""Boundary modes for positions far outside, against a walk and against numpy.pad."""

from __future__ import annotations

import numpy as np
import oracles
import pytest

from symconv.boundary import MODES, OUTSIDE, Boundary

NUMPY = {
    "circular": "wrap",
    "reflect": "reflect",
    "symmetric": "symmetric",
    "replicate": "edge",
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("n", range(1, 8))
def test_read_equals_the_walk(mode, n):
    positions = np.arange(-4 * n - 3, 5 * n + 3)
    expected = [oracles.read(int(j), n, mode) for j in positions]
    expected = [OUTSIDE if i is None else i for i in expected]
    assert Boundary(mode).read(positions, n).tolist() == expected


@pytest.mark.parametrize("mode", NUMPY)
@pytest.mark.parametrize("n", range(1, 6))
def test_read_equals_numpy_pad_of_any_width(mode, n):
    for lo, hi in ((0, 1), (1, 0), (n, n), (3 * n + 1, 2 * n + 2)):
        expected = np.pad(np.arange(n), (lo, hi), mode=NUMPY[mode])
        read = Boundary(mode).read(np.arange(-lo, n + hi), n)
        assert read.tolist() == expected.tolist()


@pytest.mark.parametrize("mode", ["zeros", "constant"])
def test_nothing_is_stored_on_an_empty_axis(mode):
    assert Boundary(mode).read(np.arange(-2, 3), 0).tolist() == [OUTSIDE] * 5
    assert not Boundary(mode).needs_samples


def test_modes_that_read_everywhere_need_samples():
    assert {mode for mode in MODES if Boundary(mode).needs_samples} == set(NUMPY)
