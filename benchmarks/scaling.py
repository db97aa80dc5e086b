"""Time per pixel and memory of one 5×5 convolution from 512² to 8192², and within a budget.

The time per pixel must not grow: at most 1.5 times the least. The memory next to input and output
must stay below what the plan says it wants. A crop of each answer is checked by naive sums.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from common import best, finish

import symconv as sc

SIDES = (512, 1024, 2048, 4096, 8192)
TAPS, GROWTH = 5, 1.5


def high_water() -> int:
    """Largest resident size of this program so far in bytes (Linux)."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def crop_is_right(x: np.ndarray, weight: np.ndarray, y: np.ndarray) -> bool:
    """The last 3×3 outputs, summed window by window."""
    n = len(y)
    return all(
        y[i, j] == (x[i : i + TAPS, j : j + TAPS] * weight).sum()
        for i in range(n - 3, n)
        for j in range(n - 3, n)
    )


def main() -> None:
    layer = sc.Conv2d(1, 1, TAPS, bias=False)
    random = np.random.default_rng(0)
    weight = random.integers(-4, 5, (1, 1, TAPS, TAPS)).astype(np.float32)
    each: list[float] = []
    results = []
    layer.operator((64, 64)).apply(np.ones((1, 64, 64), np.float32), weight, plan="implicit")
    for side in SIDES:
        op = layer.operator((side, side))
        x = random.integers(-4, 5, (1, side, side)).astype(np.float32)
        out = np.zeros(op.output_shape, np.float32)
        choice = op.explain(np.float32)
        wants = next(o.working_bytes for o in choice.offers if o.name == choice.name)
        before = high_water()
        seconds, y = best(lambda op=op, x=x, out=out: op.apply(x, weight, out=out), 5)
        grown = high_water() - before
        assert crop_is_right(x[0], weight[0, 0], y[0])
        each.append(seconds / side**2)
        within = grown <= wants + 2**21
        results.append(within and each[-1] <= GROWTH * min(each))
        print(
            f"{side:5}²  {1000 * seconds:8.2f} ms  {1e9 * each[-1]:6.3f} ns a pixel  plan "
            f"{choice.name}, wants {wants / 2**20:.1f} MiB, grew {grown / 2**20:.1f} MiB"
        )
    finish(results)


if __name__ == "__main__":
    main()
