"""How many threads to use, and a pool that shares pieces of work among them.

The number follows the settings that users know: Numba's and the BLAS libraries' (threadpoolctl's
limits included), whichever is less. Plain threads run compiled code that releases the interpreter
lock, and sleep between calls: no pool spins beside another library's.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

__all__ = ["share", "thread_count"]


@cache
def _controllers() -> tuple[Any, ...]:
    """The BLAS libraries of this process, where threadpoolctl is there to name them."""
    try:
        from threadpoolctl import ThreadpoolController  # noqa: PLC0415 - optional
    except ImportError:
        return ()
    found = ThreadpoolController().lib_controllers
    return tuple(library for library in found if library.user_api == "blas")


def thread_count() -> int:
    """Threads that one call may use."""
    counts = [len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()]
    numba = sys.modules.get("numba")
    if numba is not None:
        counts.append(numba.get_num_threads())
    counts += [library.num_threads for library in _controllers()]
    return max(1, min(count for count in counts if count))


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="symconv")


if hasattr(os, "register_at_fork"):
    # Threads do not survive a fork: the child makes its own.
    os.register_at_fork(after_in_child=_pool.cache_clear)


def share(work: Callable[[int, int], None], n_pieces: int, threads: int) -> None:
    """Call ``work(first, last)`` for ranges that make up ``range(n_pieces)``, on several threads.

    Ranges are handed out as threads come free; an exception of one is raised after all have ended.

    Examples
    --------
    >>> seen = []
    >>> share(lambda first, last: seen.extend(range(first, last)), 10, 3)
    >>> sorted(seen) == list(range(10))
    True
    """
    threads = min(threads, n_pieces)
    if threads <= 1:
        if n_pieces:
            work(0, n_pieces)
        return
    # A few ranges for each thread, so that one that is held up costs little.
    piece = max(1, n_pieces // (threads * 4))
    lock = threading.Lock()
    left = iter(range(0, n_pieces, piece))

    def run() -> None:
        while True:
            with lock:
                first = next(left, None)
            if first is None:
                return
            work(first, min(first + piece, n_pieces))

    others = [_pool(threads - 1).submit(run) for _ in range(threads - 1)]
    try:
        run()
    finally:
        for other in others:
            other.result()
