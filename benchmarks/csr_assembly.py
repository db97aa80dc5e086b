"""CSR assembly of 64→64 channels, 3×3 on 56², against writing the same bytes to fresh memory.

Time at most 2× the writing (by one thread, and by as many threads as the assembly uses), peak
memory at most 1.1× the result. The entries are checked through an exact product and by formula.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from common import best, finish, report

import symconv as sc

CHANNELS, SIZE = 64, 56


def write_fresh(n_entries: int, n_rows: int, n_threads: int) -> tuple[np.ndarray, ...]:
    """The bytes of a CSR array of this size, written once."""
    arrays = np.empty(n_entries), np.empty(n_entries, np.int32), np.empty(n_rows + 1, np.int32)
    bounds = [n_entries * part // n_threads for part in range(n_threads + 1)]

    def write(part: int) -> None:
        for array in arrays[:2]:
            array[bounds[part] : bounds[part + 1]] = 1

    if n_threads == 1:
        write(0)
    else:
        with ThreadPoolExecutor(n_threads) as executor:
            list(executor.map(write, range(n_threads)))
    return arrays


def high_water() -> int:
    """Largest resident size of this program so far in bytes (Linux; getrusage would inherit)."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def peak() -> float:
    """Growth of the largest resident size over one assembly, by the result's bytes."""
    op = sc.Conv2d(CHANNELS, CHANNELS, 3, padding=1, bias=False).operator((SIZE, SIZE))
    weight = np.ones(op.weight_shape)
    before = high_water()
    matrix = op.sparse(weight)
    after = high_water()
    return (after - before) / (matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes)


def main() -> None:
    op = sc.Conv2d(CHANNELS, CHANNELS, 3, padding=1, bias=False).operator((SIZE, SIZE))
    rng = np.random.default_rng(0)
    weight = rng.integers(-9, 10, op.weight_shape).astype(float)
    n_threads = os.cpu_count() or 1

    ours, matrix = best(lambda: op.sparse(weight))
    assert matrix.nnz == op.nnz == (CHANNELS * (3 * SIZE - 2)) ** 2 == 112_869_376
    assert matrix.indices.dtype == np.int32
    x = rng.integers(-9, 10, (CHANNELS, SIZE, SIZE)).astype(float)
    assert np.array_equal(matrix @ x.ravel(), op.apply(x, weight).ravel())
    ones = matrix @ np.ones(matrix.shape[1])
    middle = ones.reshape(CHANNELS, SIZE, SIZE)[:, SIZE // 2, SIZE // 2]
    assert np.array_equal(middle, weight.sum(axis=(1, 2, 3)))
    n_bytes = matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes
    del matrix

    alone, _ = best(lambda: write_fresh(op.nnz, op.shape[0], 1))
    shared, _ = best(lambda: write_fresh(op.nnz, op.shape[0], n_threads))
    results = [
        report(
            "CSR assembly, 112,869,376 entries", ours, "writing the bytes, one thread", alone, 2
        ),
        report("", ours, f"writing the bytes, {n_threads} threads", shared, 2),
    ]

    # In a program of its own, so that nothing else has been resident before.
    command = [sys.executable, __file__, "--peak"]
    ratio = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    print(f"peak resident memory {ratio:.4f} of the result's {n_bytes / 2**20:.0f} MiB, limit 1.1")
    results.append(0.9 < ratio <= 1.1)
    finish(results)


if __name__ == "__main__":
    if "--peak" in sys.argv:
        print(peak())
    else:
        main()
