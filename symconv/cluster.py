"""Tasks shared out on a Dask cluster: results as they come, whoever ends meanwhile."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from importlib import import_module
from pickle import PicklingError
from typing import Any

from symconv.errors import ClusterError, MissingExtraError, ParameterError, ParameterTypeError

__all__ = ["TURN", "check_client", "connected", "results"]

#: Seconds between two looks at a silent cluster, and for which it may be without a worker.
LOOK = 2.0
PATIENCE = 60.0

#: One task at a time in a process: SymPy's caches are not made for threads.
TURN = threading.Lock()


def _distributed() -> Any:
    try:
        return import_module("distributed")
    except ImportError:
        raise MissingExtraError('a cluster needs Dask: pip install "symconv[dask]"') from None


def check_client(client: Any) -> None:
    """Refuse what is no connected `distributed.Client`."""
    if not isinstance(client, _distributed().Client):
        raise ParameterTypeError(
            f"client must be a distributed.Client, got {type(client).__name__}"
        )
    if client.asynchronous:
        raise ParameterError("client must not be asynchronous: results are waited for")
    if client.status != "running":
        raise ParameterError(
            f"client must be connected to a scheduler, got one that is {client.status}"
        )


@contextlib.contextmanager
def connected(scheduler: str) -> Iterator[Any]:
    """A client of the scheduler at an address."""
    made = _distributed().Client
    try:
        client = made(scheduler, timeout="10s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise ParameterError(
            f"scheduler must be the address of a Dask scheduler, got {scheduler!r}: {error}"
        ) from None
    with client:
        yield client


def results(
    client: Any, function: Callable[[Any], Any], tasks: Sequence[Any], what: str, advice: str = ""
) -> Iterator[tuple[int, Any]]:
    """The number of each task with its result, as they come; a dead worker's are done by another.

    Parameters
    ----------
    client : distributed.Client
    function : callable
        Of one task; it and the tasks must be picklable, and no result may be None.
    tasks : sequence
    what : str
        What tasks are called, for messages.
    advice : str
        Ends the message about a lost cluster.

    Yields
    ------
    (int, result)
        None for the result where the workers that had the task ended, one after the other.

    Raises
    ------
    ClusterError
        If the scheduler is lost, or no worker is there for a minute.
    ParameterTypeError
        If a task cannot be pickled.
    ParameterError
        If workers lack symconv or a package that it needs.
    """
    cluster = _distributed()
    seen = time.monotonic()
    pending: dict[Any, int] = {}
    try:
        try:
            futures = client.map(function, tasks, pure=False)
        except (TypeError, AttributeError, PicklingError) as error:
            raise ParameterTypeError(f"client must be given what can be pickled: {error}") from None
        pending = {future: number for number, future in enumerate(futures)}
        while pending:
            try:
                with client.as_current():
                    done, _ = cluster.wait(list(pending), LOOK, "FIRST_COMPLETED")
            except TimeoutError:
                seen = _looked_at(client, seen)
                continue
            for future in done:
                try:
                    result = future.result(timeout=LOOK)
                except TimeoutError:
                    # It went with its worker, and is done again.
                    seen = _looked_at(client, seen)
                    continue
                except cluster.KilledWorker:
                    result = None
                seen = time.monotonic()
                yield pending.pop(future), result
    except ImportError as error:
        raise ParameterError(f"client must have workers with symconv: {error}") from None
    except (CancelledError, OSError) as error:
        why = str(error).partition("\n")[0] or type(error).__name__
        raise ClusterError(
            f"the cluster was lost with {len(pending)} {what} left ({why}){advice}"
        ) from None
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
