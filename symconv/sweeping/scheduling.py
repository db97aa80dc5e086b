"""Where the points of a sweep are tried: here one after the other, or on a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

from symconv.errors import MissingExtraError, ParameterError
from symconv.lattice import Point
from symconv.sweeping.trying import Trial, tried

__all__ = ["outcomes"]

Outcome = tuple[Point, dict[str, Any]]

#: Points that wait on a cluster, for each of its threads.
AHEAD = 2


def outcomes(
    trial: Trial, points: Iterator[Point], scheduler: Any, started: Callable[[Point], None]
) -> Iterator[Outcome]:
    """Points with what came of them, as they are done.

    Parameters
    ----------
    trial : Trial
    points : iterator of Point
        Asked for the next one only when there is room for it; where it ends, so does the sweep.
    scheduler : str, distributed.Client or None
        The address of a Dask scheduler or a client of one; None for here and now.
    started : callable
        Told each point before it is tried.

    Raises
    ------
    MissingExtraError
        If a scheduler is given and ``distributed`` is not installed.
    ParameterError
        If no scheduler answers at the address.
    """
    if scheduler is None:
        for each in points:
            started(each)
            yield each, tried(trial, each)
        return
    yield from _on_cluster(trial, points, scheduler, started)


def _on_cluster(
    trial: Trial, points: Iterator[Point], scheduler: Any, started: Callable[[Point], None]
) -> Iterator[Outcome]:
    try:
        # Dask is optional.
        dask = import_module("distributed")
    except ImportError as error:
        raise MissingExtraError(
            f'scheduler needs Dask: pip install "symconv[dask]" ({error})'
        ) from None
    own = isinstance(scheduler, str)
    try:
        client = dask.Client(scheduler, timeout=10) if own else scheduler
    except (OSError, ValueError) as error:
        raise ParameterError(
            f"scheduler must be the address of a Dask scheduler, got {scheduler}: {error}"
        ) from None
    running: dict[Any, Point] = {}
    try:
        room = AHEAD * max(sum(client.nthreads().values()), 1)
        # Not pure: the same point twice is two trials.
        [shared] = client.scatter([trial], broadcast=True, hash=False)
        done = dask.as_completed()

        def submit() -> bool:
            point = next(points, None)
            if point is None:
                return False
            started(point)
            future = client.submit(tried, shared, point, pure=False)
            running[future] = point
            done.add(future)
            return True

        for _ in range(room):
            if not submit():
                break
        while running:
            future = next(done)
            point = running.pop(future)
            yield point, future.result()
            submit()
    finally:
        client.cancel(list(running))
        if own:
            client.close()
