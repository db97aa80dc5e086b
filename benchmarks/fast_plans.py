"""The plans of fewer products against the implicit GEMM: Winograd on 3×3, Fourier on large kernels.

Both plans of a comparison run in turn in one process, weights packed once (bound) for Winograd and
per call for Fourier. The answers are asserted within the plans' own error bounds, Winograd's on
small integers exactly.
"""

from __future__ import annotations

import numpy as np
from common import best, finish, report

import symconv as sc
from symconv.execute.fourier import Fourier
from symconv.execute.implicit import ImplicitGemm
from symconv.execute.winograd import Winograd

ROUNDS = 7

#: Channels, size, batch.
THREES = ((64, 56, 8), (128, 28, 8), (256, 14, 8))

#: Kernel sizes with the ratio that is to be kept to.
LARGE = ((31, 1.2), (63, 0.7))


def compared(name: str, ours: tuple, peer: tuple, limit: float) -> bool:
    """Both (label, run) in turn, each at its best."""
    times = {label: float("inf") for label, _ in (ours, peer)}
    for _ in range(ROUNDS):
        for label, run in (ours, peer):
            times[label] = min(times[label], best(run, 1)[0])
    return report(name, times[ours[0]], peer[0], times[peer[0]], limit)


def winograd(channels: int, size: int, batch: int, dtype: type) -> bool:
    layer = sc.Conv2d(channels, channels, 3, padding=1, bias=False)
    op = layer.operator((size, size))
    incidence = op.oriented.linear.incidence
    fast, direct = (kind(incidence, False, dtype) for kind in (Winograd, ImplicitGemm))
    rng = np.random.default_rng(0)
    x = rng.integers(-9, 10, (batch, *op.input_shape)).astype(dtype)
    w = rng.integers(-9, 10, op.weight_shape).astype(dtype)
    ours, peer = fast.pack(w), direct.pack(w)
    out = np.empty((batch, *op.output_shape), dtype)
    assert np.array_equal(fast.run(x, ours), direct.run(x, peer))
    name = f"{channels}→{channels} 3×3 on {size}² ×{batch} {np.dtype(dtype)}"
    return compared(
        name,
        ("winograd", lambda: fast.run(x, ours, out)),
        ("implicit", lambda: direct.run(x, peer, out)),
        1 / 1.3 if size == THREES[0][1] else 1.0,
    )


def fourier(kernel: int, limit: float, dtype: type) -> bool:
    op = sc.Conv2d(1, 1, kernel, padding=kernel // 2, bias=False).operator((512, 512))
    incidence = op.oriented.linear.incidence
    fast, direct = (kind(incidence, False, dtype) for kind in (Fourier, ImplicitGemm))
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1, *op.input_shape)).astype(dtype)
    w = rng.standard_normal(op.weight_shape).astype(dtype)
    y = fast.run(x, fast.pack(w))
    exact = ImplicitGemm(incidence, False, np.float64)
    expected = exact.run(x.astype(float), exact.pack(w.astype(float)))
    bound = (fast.error_factor + 1e-13) * np.abs(w).sum() * np.linalg.norm(x)
    assert np.abs(y - expected).max() <= bound
    name = f"{kernel}×{kernel} on 512² {np.dtype(dtype)}"
    return compared(
        name,
        ("fourier", lambda: fast.run(x, fast.pack(w))),
        ("implicit", lambda: direct.run(x, direct.pack(w))),
        limit,
    )


def main() -> None:
    dtypes = np.float32, np.float64
    results = [winograd(*case, dtype) for case in THREES for dtype in dtypes]
    results += [fourier(*case, dtype) for case in LARGE for dtype in dtypes]
    finish(results)


if __name__ == "__main__":
    main()
