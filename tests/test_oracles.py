"""The naive oracles against independent implementations: PyTorch, NumPy and SciPy.

All data are small integers, so every float64 sum is exact and every comparison is bit for bit.
Parameters differ from axis to axis, since equal ones hide swapped axes.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import oracles
import pytest
from scipy import signal

CASES = range(40)


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch")


@dataclass
class Case:
    """One random convolution: geometry, input and weight."""

    size: list[int]
    kernel: list[int]
    stride: list[int]
    dilation: list[int]
    padding: list[tuple[int, int]]
    groups: int
    x: np.ndarray
    w: np.ndarray
    bias: list[int]

    @property
    def geometry(self) -> tuple[list[int], list[int], list[tuple[int, int]]]:
        return self.stride, self.dilation, self.padding


def integers(rng: random.Random, shape: tuple[int, ...]) -> np.ndarray:
    """Return an integer array with entries from -9 to 9."""
    flat = [rng.randint(-9, 9) for _ in range(math.prod(shape))]
    return np.array(flat, dtype=np.int64).reshape(shape)


def draw(seed: int, axes: int, *, transposed: bool = False, least: int = 0) -> Case:
    """Draw a case that has at least one output; pads lie between `least` and 3."""
    rng = random.Random(1000 * axes + seed)
    while True:
        size = [rng.randint(1, 9 - 2 * axes) for _ in range(axes)]
        kernel = [rng.randint(1, 3) for _ in range(axes)]
        stride = [rng.randint(1, 3) for _ in range(axes)]
        dilation = [rng.randint(1, 3) for _ in range(axes)]
        padding = [(rng.randint(least, 3), rng.randint(least, 3)) for _ in range(axes)]
        if transposed:
            outs = oracles.transpose_out_size(size, kernel, stride, dilation, padding)
        else:
            outs = oracles.out_size(size, kernel, stride, dilation, padding)
        if min(outs) >= 1 and math.prod(outs) <= 60:
            break
    groups = rng.randint(1, 2)
    per_in, per_out = rng.randint(1, 2), rng.randint(1, 2)
    channels_in, channels_out = groups * per_in, groups * per_out
    first, second = (channels_in, per_out) if transposed else (channels_out, per_in)
    x = integers(rng, (rng.randint(1, 2), channels_in, *size))
    w = integers(rng, (first, second, *kernel))
    bias = [rng.randint(-9, 9) for _ in range(channels_out)]
    return Case(size, kernel, stride, dilation, padding, groups, x, w, bias)


def same(ours: np.ndarray, theirs: Any) -> None:
    """Assert equal shapes and exactly equal entries."""
    theirs = np.asarray(theirs)
    assert ours.shape == theirs.shape
    assert ours.dtype == object
    assert all(a == b for a, b in zip(ours.ravel(), theirs.ravel().tolist(), strict=True))


def tensor(torch: Any, x: np.ndarray) -> Any:
    return torch.from_numpy(np.asarray(x, dtype=np.float64))


def torch_pad(torch: Any, x: Any, padding: list[tuple[int, int]]) -> Any:
    """Pad by zeros or crop, the axes in our order."""
    return torch.nn.functional.pad(x, [p for pair in reversed(padding) for p in pair])


def torch_conv(torch: Any, case: Case, x: Any, w: Any, bias: Any = None) -> Any:
    """Convolve after padding apart, so that the two edges may differ."""
    f = torch.nn.functional
    run = [f.conv1d, f.conv2d, f.conv3d][len(case.size) - 1]
    padded = torch_pad(torch, x, case.padding)
    return run(padded, w, bias, case.stride, 0, case.dilation, case.groups)


def torch_conv_transpose(torch: Any, case: Case, x: Any, w: Any, extra: list[int]) -> Any:
    """Transposed convolution in full, then cropped by (lo, hi - op) or enlarged by zeros."""
    f = torch.nn.functional
    run = [f.conv_transpose1d, f.conv_transpose2d, f.conv_transpose3d][len(case.size) - 1]
    full = run(x, w, None, case.stride, 0, 0, case.groups, case.dilation)
    edges = [(-lo, op - hi) for (lo, hi), op in zip(case.padding, extra, strict=True)]
    return torch_pad(torch, full, edges)


def extend(x: np.ndarray, amount: int, mode: str, axis: int) -> np.ndarray:
    """Extend an axis by `amount` on both sides, from one tiled period (or copies of the ends)."""
    n = x.shape[axis]
    if mode in ("zeros", "constant"):
        return np.pad(x, [(amount, amount) if a == axis else (0, 0) for a in range(x.ndim)])
    at = list(range(n))
    if mode == "replicate":
        index = [0] * amount + at + [n - 1] * amount
    else:
        period = {"circular": at, "symmetric": at + at[::-1], "reflect": at + at[-2:0:-1]}[mode]
        turns = amount // len(period) + 1
        tiled = period * (2 * turns + 1 + n // len(period))
        begin = turns * len(period) - amount
        index = tiled[begin : begin + n + 2 * amount]
    return np.take(x, index, axis=axis)


# Boundaries


NUMPY_MODES = {
    "circular": "wrap",
    "reflect": "reflect",
    "symmetric": "symmetric",
    "replicate": "edge",
}


@pytest.mark.parametrize("mode", sorted(NUMPY_MODES))
@pytest.mark.parametrize("n", range(1, 7))
def test_read_agrees_with_numpy_pad_and_with_a_tiled_period(mode: str, n: int) -> None:
    near = np.pad(np.arange(n), (n - 1, n - 1), mode=NUMPY_MODES[mode])
    assert [oracles.read(j, n, mode) for j in range(1 - n, 2 * n - 1)] == near.tolist()
    far = extend(np.arange(n), 25, mode, 0)
    assert [oracles.read(j, n, mode) for j in range(-25, n + 25)] == far.tolist()


def test_read_by_hand() -> None:
    assert [oracles.read(j, 3, "circular") for j in (-7, -1, 3, 8)] == [2, 2, 0, 2]
    assert [oracles.read(j, 3, "reflect") for j in (-3, -2, -1, 3, 4, 5)] == [1, 2, 1, 1, 0, 1]
    assert [oracles.read(j, 3, "symmetric") for j in (-4, -3, -1, 3, 5, 6)] == [2, 2, 0, 2, 0, 0]
    assert [oracles.read(j, 3, "replicate") for j in (-99, 99)] == [0, 2]
    assert [oracles.read(j, 1, "reflect") for j in (-5, 0, 4)] == [0, 0, 0]
    assert [oracles.read(j, 3, "zeros") for j in (-1, 0, 2, 3)] == [None, 0, 2, None]
    assert oracles.read(3, 3, "constant") is None
    assert all(oracles.read(0, 0, mode) is None for mode in oracles.MODES)
    with pytest.raises(ValueError, match="unknown mode 'wrap'"):
        oracles.read(-1, 3, "wrap")


@pytest.mark.parametrize("seed", CASES)
def test_pad_agrees_with_numpy(seed: int) -> None:
    rng = random.Random(seed)
    x = integers(rng, (2, rng.randint(1, 5), rng.randint(1, 5)))
    padding = [(rng.randint(0, n - 1), rng.randint(0, n - 1)) for n in x.shape[1:]]
    for mode, name in NUMPY_MODES.items():
        same(oracles.pad(x, padding, mode), np.pad(x, [(0, 0), *padding], mode=name))
    same(oracles.pad(x, padding), np.pad(x, [(0, 0), *padding]))
    filled = np.pad(x, [(0, 0), *padding], constant_values=7)
    same(oracles.pad(x, padding, "constant", 7), filled)


def test_negative_padding_crops() -> None:
    x = np.arange(6)
    assert oracles.pad(x, [(-1, -2)]).tolist() == [1, 2, 3]
    assert oracles.pad(x, [(-2, 1)], "circular").tolist() == [2, 3, 4, 5, 0]
    assert oracles.pad(x, [(-4, -4)]).tolist() == []


# Sizes


def test_sizes_agree_with_the_formula() -> None:
    rng = random.Random(5)
    for _ in range(2000):
        n, k, s, d = rng.randint(1, 12), rng.randint(1, 4), rng.randint(1, 4), rng.randint(1, 3)
        lo, hi, b = rng.randint(-3, 4), rng.randint(-3, 4), rng.randint(1, 3)
        slack = (n - 1) * b + 1 + lo + hi - (d * (k - 1) + 1)
        assert oracles.conv_size(n, k, s, d, lo, hi, b) == max(0, slack // s + 1)
        op = rng.randint(0, 4)
        size = s * (n - 1) + d * (k - 1) + 1 + op - lo - hi
        assert oracles.conv_transpose_size(n, k, s, d, lo, hi, op) == max(0, size)


def test_conv_size_edges() -> None:
    assert oracles.conv_size(0, 1, 1, 1, 0, 0) == 0
    assert oracles.conv_size(0, 2, 1, 1, 1, 1) == 1
    assert oracles.conv_size(1, 2, 2, 1, 0, 0) == 0
    assert oracles.conv_size(5, 3, 2, 1, -1, -1) == 1


# Convolution


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("seed", CASES)
def test_conv_and_its_gradients_agree_with_torch(torch: Any, seed: int, axes: int) -> None:
    case = draw(seed, axes, least=-1)
    x = tensor(torch, case.x).requires_grad_()
    w = tensor(torch, case.w).requires_grad_()
    y = torch_conv(torch, case, x, w)
    same(oracles.conv(case.x, case.w, *case.geometry, case.groups), y.detach())
    shifted = torch_conv(torch, case, x, w, tensor(torch, np.array(case.bias))).detach()
    same(oracles.conv(case.x, case.w, *case.geometry, case.groups, bias=case.bias), shifted)

    seen = integers(random.Random(seed), tuple(y.shape))
    dx, dw = torch.autograd.grad(y, (x, w), tensor(torch, seen))
    same(oracles.weight_gradient(case.x, seen, case.kernel, *case.geometry, case.groups), dw)

    matrix = oracles.conv_matrix(case.w, case.size, *case.geometry, case.groups)
    flat = case.x.reshape(len(case.x), -1).astype(object)
    same((flat @ matrix.T).reshape(tuple(y.shape)), y.detach())
    back = seen.reshape(len(seen), -1).astype(object) @ matrix
    same(back.reshape(case.x.shape), dx)


@pytest.mark.parametrize("mode", oracles.MODES)
@pytest.mark.parametrize("seed", CASES)
def test_every_boundary_agrees_with_torch_on_an_extended_input(
    torch: Any, seed: int, mode: str
) -> None:
    case = draw(seed, 2, least=-1)
    value = 7 if mode == "constant" else 0
    padded = case.x - value
    for axis, (lo, hi) in enumerate(case.padding, start=2):
        reach = 4
        wide = extend(padded, reach, mode, axis)
        padded = np.take(wide, range(reach - lo, wide.shape[axis] - reach + hi), axis=axis)
    padded = padded + value
    run = torch.nn.functional.conv2d
    w = tensor(torch, case.w).requires_grad_()
    y = run(tensor(torch, padded), w, None, case.stride, 0, case.dilation, case.groups)
    ours = oracles.conv(case.x, case.w, *case.geometry, case.groups, mode, value)
    same(ours, y.detach())

    seen = integers(random.Random(seed), tuple(y.shape))
    (dw,) = torch.autograd.grad(y, w, tensor(torch, seen))
    arguments = (*case.geometry, case.groups, mode, value)
    same(oracles.weight_gradient(case.x, seen, case.kernel, *arguments), dw)

    matrix = oracles.conv_matrix(case.w, case.size, *case.geometry, case.groups, mode)
    linear = oracles.conv(case.x, case.w, *case.geometry, case.groups, mode, 0)
    flat = case.x.reshape(len(case.x), -1).astype(object)
    same((flat @ matrix.T).reshape(linear.shape), linear)


@pytest.mark.parametrize("mode", oracles.MODES)
@pytest.mark.parametrize("seed", CASES)
def test_input_dilation_spreads_the_extended_input(torch: Any, seed: int, mode: str) -> None:
    case = draw(seed, 1)
    b = 1 + seed % 3
    (lo, hi), n = case.padding[0], case.size[0]
    value = 7 if mode == "constant" else 0
    reach = 4
    wide = extend(case.x - value, reach, mode, 2) + value
    spread = np.zeros((*wide.shape[:2], b * (wide.shape[2] - 1) + 1), dtype=np.int64)
    spread[:, :, ::b] = wide
    padded = spread[:, :, b * reach - lo : b * (reach + n - 1) + 1 + hi]
    run = torch.nn.functional.conv1d
    y = run(tensor(torch, padded), tensor(torch, case.w), None, *case.stride, 0, *case.dilation,
            case.groups)  # fmt: skip
    ours = oracles.conv(case.x, case.w, *case.geometry, case.groups, mode, value, [b])
    same(ours, y)
    if mode != "constant":
        matrix = oracles.conv_matrix(case.w, case.size, *case.geometry, case.groups, mode, [b])
        flat = case.x.reshape(len(case.x), -1).astype(object)
        same((flat @ matrix.T).reshape(ours.shape), y)


@pytest.mark.parametrize("mode", ["valid", "same", "full"])
@pytest.mark.parametrize("seed", CASES)
def test_conv_agrees_with_scipy_correlate(seed: int, mode: str) -> None:
    rng = random.Random(seed)
    x = integers(rng, (rng.randint(3, 6), rng.randint(3, 6)))
    w = integers(rng, (rng.randint(1, 3), rng.randint(1, 3)))
    edges = {
        "valid": [(0, 0) for _ in w.shape],
        "same": [(k // 2, k - 1 - k // 2) for k in w.shape],
        "full": [(k - 1, k - 1) for k in w.shape],
    }[mode]
    ours = oracles.conv(x[None, None], w[None, None], [1, 1], [1, 1], edges)
    same(ours[0, 0], signal.correlate(x, w, mode=mode))


# Transposed convolution


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("seed", CASES)
def test_conv_transpose_and_its_gradients_agree_with_torch(
    torch: Any, seed: int, axes: int
) -> None:
    case = draw(seed, axes, transposed=True, least=-1)
    rng = random.Random(seed)
    extra = [rng.randint(0, 3) for _ in case.size]
    x = tensor(torch, case.x).requires_grad_()
    w = tensor(torch, case.w).requires_grad_()
    y = torch_conv_transpose(torch, case, x, w, extra)
    arguments = (*case.geometry, extra, case.groups)
    same(oracles.conv_transpose(case.x, case.w, *arguments), y.detach())
    bias = np.array(case.bias).reshape(-1, *[1] * axes)
    ours = oracles.conv_transpose(case.x, case.w, *arguments, case.bias)
    same(ours, y.detach().numpy() + bias)

    seen = integers(rng, tuple(y.shape))
    dx, dw = torch.autograd.grad(y, (x, w), tensor(torch, seen))
    same(oracles.conv_transpose_weight_gradient(case.x, seen, case.kernel, *arguments), dw)

    matrix = oracles.conv_transpose_matrix(case.w, case.size, *arguments)
    flat = case.x.reshape(len(case.x), -1).astype(object)
    same((flat @ matrix.T).reshape(tuple(y.shape)), y.detach())
    back = seen.reshape(len(seen), -1).astype(object) @ matrix
    same(back.reshape(case.x.shape), dx)


@pytest.mark.parametrize("seed", CASES)
def test_conv_transpose_agrees_with_torchs_own_padding(torch: Any, seed: int) -> None:
    rng = random.Random(seed)
    while True:
        case = draw(rng.randint(0, 10**6), 2, transposed=True)
        pads = [rng.randint(0, 2) for _ in case.size]
        extra = [
            rng.randint(0, max(s, d) - 1) for s, d in zip(case.stride, case.dilation, strict=True)
        ]
        pairs = [(p, p) for p in pads]
        outs = oracles.transpose_out_size(case.size, case.kernel, case.stride, case.dilation, pairs)
        if min(outs) >= 1:
            break
    ours = oracles.conv_transpose(
        case.x, case.w, case.stride, case.dilation, pairs, extra, case.groups
    )
    theirs = torch.nn.functional.conv_transpose2d(
        tensor(torch, case.x),
        tensor(torch, case.w),
        None,
        case.stride,
        pads,
        extra,
        case.groups,
        case.dilation,
    )
    same(ours, theirs)


@pytest.mark.parametrize("seed", CASES)
def test_conv_transpose_is_the_transpose_with_the_high_pad_less_op(seed: int) -> None:
    case = draw(seed, 2, transposed=True, least=-1)
    rng = random.Random(seed)
    extra = [rng.randint(0, s - 1) for s in case.stride]
    ours = oracles.conv_transpose_matrix(case.w, case.size, *case.geometry, extra, case.groups)
    outs = oracles.transpose_out_size(
        case.size, case.kernel, case.stride, case.dilation, case.padding, extra
    )
    forward = [(lo, hi - op) for (lo, hi), op in zip(case.padding, extra, strict=True)]
    other = oracles.conv_matrix(case.w, outs, case.stride, case.dilation, forward, case.groups)
    same(ours, other.T)


# Counting


@pytest.mark.parametrize("mode", oracles.MODES)
@pytest.mark.parametrize("seed", range(10))
def test_counts_agree_with_convolutions_of_ones(torch: Any, seed: int, mode: str) -> None:
    case = draw(seed, 2)
    size, kernel = case.size, case.kernel
    channels_in, channels_out = case.x.shape[1], case.w.shape[0]
    counts = (size, kernel, *case.geometry, mode, channels_in, channels_out, case.groups)
    padded = torch.ones((1, channels_in, *size), dtype=torch.float64).numpy()
    for axis, (lo, hi) in enumerate(case.padding, start=2):
        wide = extend(padded, 4, mode, axis)
        padded = np.take(wide, range(4 - lo, wide.shape[axis] - 4 + hi), axis=axis)
    ones = torch.ones(case.w.shape, dtype=torch.float64)
    y = torch.nn.functional.conv2d(
        tensor(torch, padded), ones, None, case.stride, 0, case.dilation, case.groups
    )
    assert oracles.mac_inside(*counts) == int(y.sum())
    matrix = oracles.conv_matrix(
        np.ones(case.w.shape, dtype=int), size, *case.geometry, case.groups, mode
    )
    assert oracles.stored_entries(*counts) == np.count_nonzero(matrix)
    assert oracles.mac_inside(*counts) == matrix.sum()


@pytest.mark.parametrize("seed", CASES)
def test_transposed_counts_agree_with_a_scatter_of_ones(torch: Any, seed: int) -> None:
    case = draw(seed, 2, transposed=True)
    extra = [seed % 3, seed % 2]
    x, w = torch.ones((1, *case.x.shape[1:])), torch.ones(case.w.shape)
    y = torch_conv_transpose(torch, case, x, w, extra)
    count = oracles.conv_transpose_mac_inside(
        case.size,
        case.kernel,
        *case.geometry,
        extra,
        case.x.shape[1],
        case.w.shape[1] * case.groups,
        case.groups,
    )
    assert count == int(y.sum())


# Pooling


def draw_pool(seed: int, axes: int, dilated: bool) -> tuple[Any, ...]:
    """Draw a pooling that PyTorch accepts: pads at most half a window, at least one output."""
    rng = random.Random(77 * axes + seed)
    while True:
        size = [rng.randint(1, 8 - axes) for _ in range(axes)]
        kernel = [rng.randint(1, 4) for _ in range(axes)]
        stride = [rng.randint(1, 4) for _ in range(axes)]
        dilation = [rng.randint(1, 3) if dilated else 1 for _ in range(axes)]
        pads = [rng.randint(0, k // 2) for k in kernel]
        ceil_mode = rng.random() < 0.6
        pairs = [(p, p) for p in pads]
        outs = oracles.pool_out_size(size, kernel, stride, dilation, pairs, ceil_mode)
        small = any(n < k for n, k in zip(size, kernel, strict=True))
        if min(outs) >= 1 and not (axes == 3 and small):  # avg_pool3d refuses small inputs
            x = integers(rng, (2, 2, *size))
            return size, kernel, stride, dilation, pads, pairs, ceil_mode, x


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("seed", CASES)
def test_avg_pool_and_its_gradient_agree_with_torch(torch: Any, seed: int, axes: int) -> None:
    _, kernel, stride, _, pads, pairs, ceil_mode, x = draw_pool(seed, axes, dilated=False)
    x = x * 5 * 12**axes  # every divisor divides every sum, so float64 stays exact
    include = bool(seed % 2)
    override = [None, 5][seed % 3 == 0] if axes > 1 else None
    f = torch.nn.functional
    run = [f.avg_pool1d, f.avg_pool2d, f.avg_pool3d][axes - 1]
    options = {"ceil_mode": ceil_mode, "count_include_pad": include}
    theirs = {**options, "divisor_override": override} if axes > 1 else options
    leaf = tensor(torch, x).requires_grad_()
    y = run(leaf, kernel, stride, pads, **theirs)
    ours = oracles.avg_pool(x, kernel, stride, pairs, **options, divisor_override=override)
    same(ours, y.detach())

    seen = integers(random.Random(seed), tuple(y.shape)) * 5 * 12**axes
    (dx,) = torch.autograd.grad(y, leaf, tensor(torch, seen))
    shares = oracles.avg_pool_gradient(
        seen, x.shape[2:], kernel, stride, pairs, **options, divisor_override=override
    )
    same(shares, dx)


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("seed", CASES)
def test_max_pool_agrees_with_torch(torch: Any, seed: int, axes: int) -> None:
    size, kernel, stride, dilation, pads, pairs, ceil_mode, x = draw_pool(seed, axes, dilated=True)
    f = torch.nn.functional
    run = [f.max_pool1d, f.max_pool2d, f.max_pool3d][axes - 1]
    y = run(tensor(torch, x), kernel, stride, pads, dilation, ceil_mode)
    outs = oracles.pool_out_size(size, kernel, stride, dilation, pairs, ceil_mode)
    assert outs == tuple(y.shape[2:])
    ours = oracles.max_pool(x, kernel, stride, pairs, dilation, ceil_mode)
    meets_data = np.array([best is not None for best in ours.ravel()]).reshape(ours.shape)
    assert (np.isneginf(y.numpy()) == ~meets_data).all()
    assert (ours[meets_data] == y.numpy()[meets_data]).all()


def test_pool_size_agrees_with_pytorchs_formula() -> None:
    rng = random.Random(9)
    for _ in range(3000):
        n, k, s, d = rng.randint(1, 12), rng.randint(1, 5), rng.randint(1, 5), rng.randint(1, 3)
        lo, hi = rng.randint(0, 4), rng.randint(0, 4)
        slack = n + lo + hi - d * (k - 1) - 1
        ceil = (slack + s - 1) // s + 1
        ceil -= (ceil - 1) * s >= n + lo
        assert oracles.pool_size(n, k, s, d, lo, hi, True) == max(0, ceil)
        assert oracles.pool_size(n, k, s, d, lo, hi, False) == max(0, slack // s + 1)


def test_pooling_by_hand() -> None:
    x = [[1, 0, 3, 5], [3, 4, 2, 2], [1, 3, 3, 9], [5, 7, 8, 4]]
    edges = [(0, 0), (0, 0)]
    assert oracles.max_pool(x, [2, 2], [2, 2], edges).tolist() == [[4, 5], [7, 9]]
    assert oracles.avg_pool(x, [2, 2], [2, 2], edges).tolist() == [[2, 3], [4, 6]]
    alone = oracles.avg_pool([3, 4], [1], [1], [(1, 0)], count_include_pad=False)
    assert alone.tolist() == [None, 3, 4]
    cropped = oracles.avg_pool([1, 2, 3, 4], [2], [2], [(0, -1)], ceil_mode=True)
    assert cropped.tolist() == [Fraction(3, 2), 3]


# Patches


@pytest.mark.parametrize("seed", CASES)
def test_unfold_and_fold_agree_with_torch(torch: Any, seed: int) -> None:
    case = draw(seed, 2)
    pads = [lo for lo, _ in case.padding]
    pairs = [(p, p) for p in pads]
    outs = oracles.out_size(case.size, case.kernel, case.stride, case.dilation, pairs)
    if min(outs) < 1:
        pads = [3, 3]
        pairs = [(3, 3), (3, 3)]
    f = torch.nn.functional
    theirs = f.unfold(tensor(torch, case.x), case.kernel, case.dilation, pads, case.stride)
    ours = oracles.unfold(case.x, case.kernel, case.stride, case.dilation, pairs)
    same(ours, theirs)
    columns = integers(random.Random(seed), ours.shape)
    back = f.fold(tensor(torch, columns), case.size, case.kernel, case.dilation, pads, case.stride)
    geometry = (case.kernel, case.stride, case.dilation, pairs)
    same(oracles.fold(columns, case.size, *geometry), back)


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("mode", oracles.MODES)
def test_fold_is_the_adjoint_of_unfold_and_patches_give_the_convolution(
    axes: int, mode: str
) -> None:
    for seed in range(8):
        case = draw(seed, axes)
        geometry = (case.kernel, *case.geometry, mode)
        columns = oracles.unfold(case.x, *geometry)
        other = integers(random.Random(seed), columns.shape)
        back = oracles.fold(other, case.size, *geometry)
        assert (columns * other).sum() == (case.x * back).sum()

        constant = (5,) if mode == "constant" else ()
        columns = oracles.unfold(case.x, *geometry, *constant)
        dense = integers(random.Random(seed), (3, case.x.shape[1], *case.kernel))
        y = oracles.conv(case.x, dense, *case.geometry, 1, mode, *constant)
        for b in range(len(case.x)):
            same(dense.reshape(3, -1).astype(object) @ columns[b], y[b].reshape(3, -1))


def test_empty_batch_and_symbols_pass_through() -> None:
    assert oracles.conv(np.zeros((0, 1, 3)), [[[1, 2]]], [1], [1], [(0, 0)]).shape == (0, 1, 2)
    sympy = pytest.importorskip("sympy")
    a, b = sympy.symbols("a b")
    matrix = oracles.conv_matrix([[[a, b]]], [2], [1], [1], [(1, 0)], mode="replicate")
    assert matrix.tolist() == [[a + b, 0], [a, b]]
    matrix = oracles.conv_transpose_matrix([[[a, b]]], [2], [2], [1], [(0, 1)], [0])
    assert matrix.tolist() == [[a, 0], [b, 0], [0, a]]
