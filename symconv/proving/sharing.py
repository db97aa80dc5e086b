"""Theorems shared out among processes or a cluster: rows as they come, whoever ends meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from typing import Any

from symconv.errors import (
    MissingExtraError,
    ParameterError,
    ParameterTypeError,
    SymconvError,
)
from symconv.proving.collecting import theorems
from symconv.proving.rows import Row, decided, given_up

__all__ = ["ClusterError", "check_client", "decided_all", "decided_on"]

#: Seconds between two looks at a silent cluster, and for which it may be without a worker.
LOOK = 2.0
PATIENCE = 60.0

#: One theorem at a time in a process: SymPy's caches are not made for threads.
_turn = threading.Lock()


class ClusterError(SymconvError, ConnectionError):
    """A cluster was lost before all was done."""


def decided_by_name(identifier: str) -> Row:
    """The row of one theorem, decided here."""
    with _turn:
        return decided(theorems()[identifier])


def decided_all(identifiers: list[str], workers: int) -> Iterator[Row]:
    """Rows as they come."""
    if workers == 1:
        yield from map(decided_by_name, identifiers)
        return
    left, found = queue.SimpleQueue[str](), queue.SimpleQueue[Row]()
    for identifier in identifiers:
        left.put(identifier)
    processes: list[subprocess.Popen[str]] = []
    threads = [
        threading.Thread(target=_serve, args=(processes, left, found), daemon=True)
        for _ in range(workers)
    ]
    try:
        for thread in threads:
            thread.start()
        for _ in identifiers:
            yield found.get()
    finally:
        # After an interruption too: no process goes on for nobody.
        with contextlib.suppress(queue.Empty):
            while True:
                left.get_nowait()
        for process in tuple(processes):
            process.kill()
        for thread in threads:
            thread.join()
        for process in processes:
            process.kill()
            # Closing a pipe to a process that is gone may find unsent text.
            with contextlib.suppress(OSError), process:
                pass


def check_client(client: Any) -> None:
    """Refuse what is no connected `distributed.Client`."""
    try:
        from distributed import Client  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtraError('a cluster needs Dask: pip install "symconv[dask]"') from None
    if not isinstance(client, Client):
        raise ParameterTypeError(
            f"client must be a distributed.Client, got {type(client).__name__}"
        )
    if client.asynchronous:
        raise ParameterError("client must not be asynchronous: rows are waited for")
    if client.status != "running":
        raise ParameterError(
            f"client must be connected to a scheduler, got one that is {client.status}"
        )


def decided_on(client: Any, decide: Callable[[str], Row], identifiers: list[str]) -> Iterator[Row]:
    """Rows as they come from a Dask cluster; what a dead worker had is decided by another.

    Raises
    ------
    ClusterError
        If the scheduler is lost, or no worker is there for a minute.
    """
    import distributed  # noqa: PLC0415

    cluster: Any = distributed

    seen = time.monotonic()
    pending: dict[Any, str] = {}
    try:
        futures = client.map(decide, identifiers, pure=False)
        pending = dict(zip(futures, identifiers, strict=True))
        while pending:
            try:
                with client.as_current():
                    done, _ = cluster.wait(list(pending), LOOK, "FIRST_COMPLETED")
            except TimeoutError:
                seen = _looked_at(client, seen)
                continue
            for future in done:
                try:
                    row = future.result(timeout=LOOK)
                except TimeoutError:
                    # It went with its worker, and is decided again.
                    seen = _looked_at(client, seen)
                    continue
                except cluster.KilledWorker:
                    reason = "the workers that decided it ended, one after the other"
                    row = given_up(theorems()[pending[future]], reason)
                seen = time.monotonic()
                del pending[future]
                yield row
    except ImportError as error:
        raise ParameterError(f"client must have workers with symconv: {error}") from None
    except (CancelledError, OSError) as error:
        raise _lost(pending, error) from None
    finally:
        # After an interruption too: no worker goes on for nobody.
        if client.status == "running":
            with contextlib.suppress(CancelledError, OSError):
                client.cancel(list(pending))


def _looked_at(client: Any, seen: float) -> float:
    """When a worker was last there."""
    if client.status == "running" and client.nthreads():
        return time.monotonic()
    if client.status != "running" or time.monotonic() - seen > PATIENCE:
        raise OSError("no worker is left")
    return seen


def _lost(pending: dict[Any, str], error: Exception) -> ClusterError:
    what = str(error).partition("\n")[0] or type(error).__name__
    return ClusterError(
        f"the cluster was lost with {len(pending)} theorems left ({what}); a journal keeps the "
        f"others"
    )


def _worker() -> subprocess.Popen[str]:
    """A process of `symconv.proving.worker`."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    environment["PYTHONIOENCODING"] = "utf-8"
    return subprocess.Popen(
        [sys.executable, "-m", "symconv.proving.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=environment,
        # Ctrl-C is for the caller, who ends them.
        start_new_session=True,
    )


def _serve(
    processes: list[subprocess.Popen[str]],
    left: queue.SimpleQueue[str],
    found: queue.SimpleQueue[Row],
) -> None:
    """Hand theorems to one process as long as there are any; a dead one is replaced."""
    process = None
    while True:
        try:
            identifier = left.get_nowait()
        except queue.Empty:
            return
        if process is None:
            process = _worker()
            processes.append(process)
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - pipes
        try:
            print(identifier, file=process.stdin, flush=True)
            line = process.stdout.readline()
        except (OSError, ValueError):
            line = ""
        if line:
            found.put(Row(**json.loads(line)))
            continue
        reason = f"the process that decided it ended (exit status {process.wait()})"
        found.put(given_up(theorems()[identifier], reason))
        process = None
