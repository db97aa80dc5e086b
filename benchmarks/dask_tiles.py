"""A 16384² float32 image that is nowhere whole, 5×5, in tiles: threads, and two processes.

Time per pixel against the same operator on one tile in memory, with the time that making and
adding up the blocks alone takes; and the most memory that a process had. Sums and a crop across
tiles are asserted: pixels and weights are small integers, so every sum is exact.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import dask
import dask.array as da
import numpy as np
from common import best, finish, report
from distributed import Client, LocalCluster

import symconv as sc

N, CHUNK = 16384, 2048
WEIGHT = np.arange(-12, 13, dtype=np.float32).reshape(1, 1, 5, 5) + 1
#: Bytes that a worker may have; the image has as many, and so has the result.
LIMIT = 2**30


def block(block_info: Any = None) -> np.ndarray:
    """Pixels by their places."""
    _, _, (top, bottom), (left, right) = block_info[None]["array-location"]
    rows = np.arange(top, bottom, dtype=np.float32)[:, None] % 7
    return (rows + np.arange(left, right, dtype=np.float32) % 11)[None, None]


def image(n: int) -> da.Array:
    chunks = ((1,), (1,), (CHUNK,) * (n // CHUNK), (CHUNK,) * (n // CHUNK))
    return da.map_blocks(block, chunks=chunks, meta=np.empty((0,) * 4, np.float32))


def operator(n: int) -> sc.Operator:
    return sc.Conv2d(1, 1, 5, padding="full", bias=False).operator((n, n))


def check(x: da.Array, y: da.Array, total: float) -> None:
    """Σy = Σx·Σw, and 64 pixels on each side of a corner of four tiles."""
    assert total == float(x.sum(dtype=np.float64).compute()) * float(WEIGHT.sum())
    at, near = slice(CHUNK - 64, CHUNK + 64), slice(CHUNK - 68, CHUNK + 64)
    part = sc.Conv2d(1, 1, 5, bias=False).operator((132, 132))
    expected = part.apply(x[:, :, near, near].compute(), WEIGHT)
    assert np.array_equal(y[:, :, at, at].compute(), expected)


def peak() -> int:
    """Most memory that this process has had, in bytes (Linux; `getrusage` counts the parent's)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def main() -> None:
    tile = np.asarray(image(CHUNK).compute())
    one, _ = best(lambda: operator(CHUNK).apply(tile, WEIGHT).sum(dtype=np.float64))
    one *= (N / CHUNK) ** 2
    x = image(N)
    y = operator(N).apply(x, WEIGHT)
    sums, results = y.sum(dtype=np.float64), []
    given = x.sum(dtype=np.float64)

    with dask.config.set(scheduler="threads"):
        blocks, _ = best(lambda: float(given.compute()), 2)
        threads, total = best(lambda: float(sums.compute()), 2)
        check(x, y, total)
    print(f"making and adding up {N}² pixels: {blocks:.2f} s; most memory {peak() / 2**20:.0f} MiB")
    results.append(report(f"{N}², threads", threads, "in memory, tile by tile", one + blocks, 1.5))

    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            memory_limit=LIMIT,
            dashboard_address=":0",
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        spent, _ = best(lambda: client.compute(given).result(), 2)
        processes, total = best(lambda: client.compute(sums).result(), 2)
        with dask.config.set(scheduler=client):
            check(x, y, float(total))
        most = max(client.run(peak).values())
    print(f"the same by two processes: {spent:.2f} s; most memory of one {most / 2**20:.0f} MiB")
    results.append(
        report(f"{N}², two processes", processes, "in memory, tile by tile", one + spent, 2)
    )
    assert most < LIMIT
    finish(results)


if __name__ == "__main__":
    sys.exit(main())
