"""The named kernels: their sums, symmetries and sources, and the error for any other name."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from symconv.errors import ParameterError
from symconv.kernels import KERNELS, SAMPLED, named_kernel, sampled_kernel

NAMES = [
    *("identity", "box3", "sobel_x", "sobel_y", "gaussian5"),
    *("laplacian3", "log5", "sharpen", "emboss"),
    *("box5", "binomial3", "binomial9", "gaussian5_canny"),
    *("prewitt_x", "prewitt_y", "scharr_x", "scharr_y", "roberts"),
    *("laplacian8", "laplacian9", "motion_row5", "motion_diagonal5", "disk5", "disk7"),
]


def test_the_table_has_these_kernels():
    assert list(KERNELS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_kernel_is_integers_with_a_source(name):
    kernel = named_kernel(name)
    assert kernel.name == name
    array = kernel.array()
    assert array.dtype == np.int64
    assert array.shape[0] == array.shape[1] == len(kernel.values)
    assert all(isinstance(value, int) for row in kernel.values for value in row)
    assert kernel.divisor >= 1
    assert kernel.source
    assert "\n" not in kernel.source
    with pytest.raises(dataclasses.FrozenInstanceError):
        kernel.divisor = 2
    # A fresh array each time: changing one changes no kernel.
    array[:] = 99
    assert not np.array_equal(named_kernel(name).array(), array)


@pytest.mark.parametrize(
    ("name", "gain"),
    [
        ("identity", 1),
        ("box3", 1),
        ("gaussian5", 1),
        ("sharpen", 1),
        ("emboss", 1),
        ("sobel_x", 0),
        ("sobel_y", 0),
        ("laplacian3", 0),
        ("log5", 0),
        *((name, 1) for name in ("box5", "binomial3", "binomial9", "gaussian5_canny")),
        *((name, 1) for name in ("motion_row5", "motion_diagonal5", "disk5", "disk7")),
        *((name, 0) for name in ("prewitt_x", "prewitt_y", "scharr_x", "scharr_y", "roberts")),
        *((name, 0) for name in ("laplacian8", "laplacian9")),
    ],
)
def test_constant_images_are_kept_or_vanish(name, gain):
    kernel = named_kernel(name)
    assert kernel.array().sum() == gain * kernel.divisor


def test_shapes_and_symmetries():
    sobel = named_kernel("sobel_x").array()
    assert sobel.tolist() == [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
    assert np.array_equal(named_kernel("sobel_y").array(), sobel.T)
    row = [1, 4, 6, 4, 1]
    assert np.array_equal(named_kernel("gaussian5").array(), np.outer(row, row))
    for name in ("identity", "box3", "gaussian5", "laplacian3", "log5", "sharpen"):
        array = named_kernel(name).array()
        assert np.array_equal(array, array.T)
        assert np.array_equal(array, array[::-1])
    identity, laplacian = named_kernel("identity").array(), named_kernel("laplacian3").array()
    assert np.array_equal(named_kernel("sharpen").array(), identity - laplacian)
    # A Laplacian kills linear ramps and gives 2 on each axis of a parabola, up to a factor.
    grid = np.arange(5) - 2
    log = named_kernel("log5").array()
    assert (log * grid).sum() == 0
    assert (log * grid**2).sum() == (log * grid[:, None] ** 2).sum() > 0


@pytest.mark.parametrize("name", ["sobel", "", None, 3, ["sobel_x"], "x" * 500])
def test_other_names_are_refused(name):
    with pytest.raises(ParameterError, match=r"kernel must be one of identity, box3, .*, got") as e:
        named_kernel(name)
    assert len(str(e.value)) < 400


def test_sampled_kernels():
    assert list(SAMPLED) == ["gaussian7_sampled", "log9_sampled", "gabor9_0", "gabor9_45"]
    for name in SAMPLED:
        kernel = sampled_kernel(name)
        assert kernel.dtype == np.float64
        assert np.isfinite(kernel).all()
        # The centre is the largest in size; every one is its own image under a half turn.
        assert np.abs(kernel).max() == abs(kernel[len(kernel) // 2, len(kernel) // 2])
        assert np.allclose(kernel, kernel[::-1, ::-1], rtol=0, atol=1e-15)
    assert sampled_kernel("gaussian7_sampled").sum() == pytest.approx(1)
    with pytest.raises(ParameterError, match=r"kernel must be one of gaussian7_sampled, .*, got"):
        sampled_kernel("sobel_x")
