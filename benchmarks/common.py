"""Timing and reporting shared by the benchmarks: best of several runs, ratios against a peer."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from typing import Any


def best(run: Callable[[], Any], repeats: int = 5) -> tuple[float, Any]:
    """Shortest wall time of `repeats` runs in seconds, and the last result."""
    times, result = [], None
    for _ in range(repeats):
        result = None
        gc.collect()
        start = time.perf_counter()
        result = run()
        times.append(time.perf_counter() - start)
    return min(times), result


def report(name: str, ours: float, peer_name: str, peer: float, limit: float) -> bool:
    """Print one comparison; True when ours is within `limit` times the peer."""
    ratio = ours / peer
    within = ratio <= limit
    verdict = "within" if within else "ABOVE"
    print(
        f"{name:<46} {ours * 1e3:9.2f} ms   {peer_name:<38} {peer * 1e3:9.2f} ms   "
        f"ratio {ratio:6.3f}, {verdict} {limit:g}"
    )
    return within


def finish(results: list[bool]) -> None:
    """Exit with the number of comparisons above their limit."""
    sys.exit(results.count(False))
