"""Theorems shared out among processes or a cluster: rows as they come, whoever ends meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from symconv.cluster import TURN, results
from symconv.proving.collecting import theorems
from symconv.proving.rows import Row, decided, given_up

__all__ = ["decided_all", "decided_by_name", "decided_on"]


def decided_by_name(identifier: str) -> Row:
    """The row of one theorem, decided here."""
    with TURN:
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


def decided_on(client: Any, decide: Callable[[str], Row], identifiers: list[str]) -> Iterator[Row]:
    """Rows as they come from a Dask cluster (see `symconv.cluster.results`)."""
    advice = "; a journal keeps the others"
    for number, row in results(client, decide, identifiers, "theorems", advice):
        if row is None:
            reason = "the workers that decided it ended, one after the other"
            yield given_up(theorems()[identifiers[number]], reason)
        else:
            yield row


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
