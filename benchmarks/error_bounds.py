"""What a certificate costs and how tight it is: both kinds of bound, float32 and float64.

Each bound is compared with the exact error: the data are integers times a power of two, so that
the exact result comes from integers. A bound that does not hold, or a computed one that is above
twice the error in the median, fails the benchmark; costs are ratios to the plain product.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from common import best

import symconv as sc

LAYERS = {
    "1→1 5×5 on 256²": (sc.Conv2d(1, 1, 5, padding=2, bias=False), (256, 256), 2),
    "3→64 7×7 s2 on 112²": (sc.Conv2d(3, 64, 7, stride=2, padding=3, bias=False), (112, 112), 2),
    "64→64 3×3 on 56²": (sc.Conv2d(64, 64, 3, padding=1, bias=False), (56, 56), 4),
    "512→512 3×3 on 7²": (sc.Conv2d(512, 512, 3, padding=1, bias=False), (7, 7), 4),
    "64→128 1×1 on 56²": (sc.Conv2d(64, 128, 1, bias=False), (56, 56), 4),
    "144 depthwise s2 on 56²": (
        sc.Conv2d(144, 144, 3, stride=2, padding=1, groups=144, bias=False), (56, 56), 4,
    ),
}  # fmt: skip
METHODS = ("a-priori", "computed")


def dyadic(seed: int, shape: tuple[int, ...], dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    """Integers of as many bits as the type has, and the same over a power of two as floats."""
    bits = np.finfo(dtype).nmant + 1
    whole = np.random.default_rng(seed).integers(-(2**bits) + 1, 2**bits, shape)
    return whole, whole.astype(dtype) * dtype(2.0**-bits)


def errors(values: np.ndarray, exact: np.ndarray, bits: int) -> np.ndarray:
    """|values − exact·2^−bits| in units of 2^−bits, rounded to doubles at the very end."""
    mantissa, exponent = np.frexp(values.astype(np.float64).ravel())
    whole = (mantissa * 2.0**53).astype(np.int64).astype(object)
    shift = exponent.astype(object) - 53 + bits + 64
    there = np.where(shift >= 0, whole << np.maximum(shift, 0), whole >> np.maximum(-shift, 0))
    apart = np.abs(there - (exact.astype(object).ravel() << 64))
    return apart.astype(np.float64).reshape(values.shape) * 2.0**-64


def main() -> None:
    failures = 0
    print(f"{'':<34}{'plan':>10}{'ms':>9}", *(f"{m:>12}: cost  bound/error" for m in METHODS))
    for name, (layer, size, batch) in LAYERS.items():
        op = layer.operator(size)
        for turned, direction in ((op, ""), (op.T, ", adjoint")):
            for dtype in (np.float32, np.float64):
                whole_x, x = dyadic(1, (batch, *turned.input_shape), dtype)
                whole_w, w = dyadic(2, turned.weight_shape, dtype)
                bits = 2 * (np.finfo(dtype).nmant + 1)
                exact = turned.apply(whole_x, whole_w)
                plain, _ = best(lambda op=turned, x=x, w=w: op.apply(x, w), 3)
                line = ""
                for method in METHODS:
                    seconds, found = best(
                        lambda op=turned, x=x, w=w, m=method: op.apply(x, w, certify=m), 3
                    )
                    error = errors(found.values, exact, bits)
                    bound = found.bound * 2.0**bits
                    holds = bool((error <= bound * (1 + 2.0**-50)).all())
                    ratio = float(np.median(bound[error > 0] / error[error > 0]))
                    within = holds and (method == "a-priori" or ratio <= 2)
                    failures += not within
                    said = "" if within else "  FAILS"
                    line += f"{seconds / plain:>18.1f}×{ratio:>13.4g}{said}"
                label = f"{name}{direction} {np.dtype(dtype).name}"
                print(f"{label:<40}{found.plan:>9}{plain * 1e3:>9.1f}{line}", flush=True)
    sys.exit(failures)


if __name__ == "__main__":
    main()
