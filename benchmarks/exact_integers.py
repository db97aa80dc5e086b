"""Exact integers at full size against the same product in float64, answers asserted.

int32 data whose sums stay below 2⁵³ take at most twice the time of float64. Wider ones run in
several products of their digits; Python integers, which hold anything, are timed on one image.
"""

from __future__ import annotations

import numpy as np
from common import best, finish, report

import symconv as sc

LAYERS = {
    "1→1 5×5 on 1024²": (sc.Conv2d(1, 1, 5, padding=2, bias=False), (1024, 1024), 1),
    "64→64 3×3 on 56²": (sc.Conv2d(64, 64, 3, padding=1, bias=False), (56, 56), 8),
    "64→128 1×1 on 56²": (sc.Conv2d(64, 128, 1, bias=False), (56, 56), 8),
    "32 depthwise on 112²": (sc.Conv2d(32, 32, 3, padding=1, groups=32, bias=False), (112, 112), 8),
    "256→512 3×3 s2 on 14²": (
        sc.Conv2d(256, 512, 3, stride=2, padding=1, bias=False), (14, 14), 8,
    ),
}  # fmt: skip
#: Bits of data and weights, and how many times float64 they may take (None: shown only).
WIDTHS = {
    "16 by 8 bits": (15, 7, 2.0),
    "32 by 8 bits": (31, 7, None),
    "32 by 32 bits": (31, 31, None),
}


def main() -> None:
    results = []
    rng = np.random.default_rng(0)
    for name, (layer, size, batch) in LAYERS.items():
        forward = layer.operator(size)
        for op, direction in ((forward, ""), (forward.T, ", adjoint")):
            for bits, (x_bits, w_bits, limit) in WIDTHS.items():
                x = rng.integers(-(2**x_bits), 2**x_bits, (batch, *op.input_shape)).astype(np.int32)
                w = rng.integers(-(2**w_bits), 2**w_bits, op.weight_shape).astype(np.int32)
                xf, wf = x.astype(float), w.astype(float)
                # In turns, so that what else the machine does meets both.
                double = exact = float("inf")
                for _ in range(3 if limit is None else 15):
                    seconds, rounded = best(lambda op=op, x=xf, w=wf: op.apply(x, w), 1)
                    double = min(double, seconds)
                    seconds, y = best(lambda op=op, x=x, w=w: op.apply(x, w), 1)
                    exact = min(exact, seconds)
                if limit is not None:
                    assert y.dtype == np.int64
                    assert np.array_equal(y, op.apply(x, w, plan="taps"))
                    assert np.allclose(rounded, y, rtol=0, atol=2.0 ** (x_bits + w_bits - 30))
                else:
                    # Modulo a prime every sum is small.
                    p = 1048573
                    small = op.apply(x.astype(np.int64) % p, w.astype(np.int64) % p)
                    assert np.array_equal((y % p).astype(np.int64), small % p)
                within = report(
                    f"{name}{direction}, {bits}", exact, "float64", double, limit or float("inf")
                )
                results.append(within)
    x = np.full((1, 16, 16, 16), 2**40, dtype=object)
    op = sc.Conv2d(16, 16, 3, bias=False).operator((16, 16))
    w = np.full(op.weight_shape, 2**40, dtype=object)
    parts, y = best(lambda: op.apply(x, w), 3)
    objects, z = best(lambda: op.oriented.linear.forward(x, w), 1)
    assert np.array_equal(y, z)
    results.append(report("16→16 3×3 on 16², 41 by 41 bits", parts, "Python integers", objects, 1))
    finish(results)


if __name__ == "__main__":
    main()
