"""Calling an implementation as a black box: what it may do wrong becomes a `Failure`, never more.

It runs in a thread of its own with a time limit; it gets copies of the probes, so that what it
writes into them is seen and harms nothing; what it returns is looked at before it is copied.
"""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from symconv.checks import shown
from symconv.errors import ParameterTypeError, SymconvError
from symconv.layers import Layer

__all__ = ["Caller", "Factory", "Failure", "Implementation", "UnsupportedError", "built"]

Array = npt.NDArray[Any]
Function = Callable[..., Any]


class UnsupportedError(SymconvError, NotImplementedError):
    """An implementation does not take this geometry: no mistake, and no verdict about it.

    Raised by a `build` (or by the function that it gives), it lets shrinking pass over the
    geometry; at the geometry asked for the verdict is UNDECIDED.
    """


@runtime_checkable
class Implementation(Protocol):
    """An implementation at every geometry: `build` gives the function for one of them.

    It is not callable itself: what is callable is taken for the function of one geometry.
    """

    def build(self, layer: Layer, input_size: tuple[int, ...]) -> Function:
        """The function ``fn(x[, w[, b]])`` of one geometry, or `UnsupportedError`."""


@dataclass(frozen=True)
class Factory:
    """A plain function as an `Implementation`: ``make(layer, input_size) -> fn``.

    Examples
    --------
    >>> import symconv as sc
    >>> exact = Factory(lambda layer, size: layer.operator(size).apply)
    >>> exact.build(sc.Conv1d(1, 1, 2, bias=False), (3,))([[1, 2, 4]], [[[1, 1]]])
    array([[3, 6]])
    """

    make: Callable[[Layer, tuple[int, ...]], Function]

    def build(self, layer: Layer, input_size: tuple[int, ...]) -> Function:
        """The function of one geometry."""
        return self.make(layer, input_size)


@dataclass(frozen=True)
class Failure:
    """One thing that an implementation does wrong.

    Attributes
    ----------
    kind : str
        "values", "batch", "bilinearity", "determinism", "layout", "threads", "shape", "dtype",
        "nan", "mutation", "raises", "hangs", "result" (no array), "unsupported".
    reason : str
    problem : str
        "values", "input gradient" or "weight gradient".
    probe : tuple of arrays
        The arguments that show it, where there are any.
    got : array, optional
        What came back, where it is an array.
    """

    kind: str
    reason: str
    problem: str = "values"
    probe: tuple[Array, ...] = field(default=(), repr=False, compare=False)
    got: Array | None = field(default=None, repr=False, compare=False)


class MisbehaviourError(SymconvError):
    """Carries a `Failure` up to where it is handled."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


def is_built(implementation: Any) -> bool:
    """Whether there is an implementation of every geometry: a `build`, and nothing to call itself.

    What can be called is a function of its own geometry, also where it has a `build` of its own
    kind (a Keras layer has).
    """
    return not callable(implementation) and hasattr(implementation, "build")


def built(implementation: Any, layer: Layer, size: tuple[int, ...]) -> Function:
    """The function of one geometry; a plain callable is its own.

    Raises
    ------
    MisbehaviourError
        If building fails: "unsupported" or "raises".
    ParameterTypeError
        If `implementation` is neither callable nor has a `build`.
    """
    if not is_built(implementation):
        if not callable(implementation):
            raise ParameterTypeError(
                f"fn must be callable, or have a method build(layer, input_size), got "
                f"{type(implementation).__name__}"
            )
        return implementation  # type: ignore[no-any-return]
    try:
        fn = implementation.build(layer, size)
    except UnsupportedError as error:
        raise MisbehaviourError(Failure("unsupported", str(error))) from None
    except Exception as error:
        raise MisbehaviourError(Failure("raises", f"build raises {_named(error)}")) from None
    if not callable(fn):
        raise MisbehaviourError(
            Failure("result", f"build returned {type(fn).__name__}, not a function")
        )
    return fn  # type: ignore[no-any-return]


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {shown(str(error))}"


class Caller:
    """A function called in a thread of its own, each call within a time limit.

    Parameters
    ----------
    fn : callable
    time_limit : float
        Seconds per call; a function that takes longer is left behind in its daemon thread.
    """

    def __init__(self, fn: Function, time_limit: float) -> None:
        self._fn, self._time_limit = fn, time_limit
        self._asked: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._answered: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._context = contextvars.copy_context()
        self._thread: threading.Thread | None = None
        self._is_hung = False
        self.calls = 0

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread is not None:
            self._asked.put(None)

    def __call__(self, *arguments: Array) -> Any:
        """What the function returns, as an array where it is one (see `_as_array`).

        Raises
        ------
        MisbehaviourError
            If it raises, hangs, writes into an argument or returns no array.
        """
        if self._is_hung:
            raise MisbehaviourError(Failure("hangs", "an earlier call has not come back"))
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, daemon=True)
            self._thread.start()
        self.calls += 1
        given = tuple(argument.copy(order="K") for argument in arguments)
        for copy, argument in zip(given, arguments, strict=True):
            copy.flags.writeable = argument.flags.writeable
        # A copy keeps the order of the axes and not gaps between entries: strided stays strided.
        given = tuple(map(_like, given, arguments))
        self._asked.put(given)
        try:
            value, failure = self._answered.get(timeout=self._time_limit)
        except queue.Empty:
            self._is_hung = True
            reason = f"does not come back within {self._time_limit:g} seconds"
            raise MisbehaviourError(Failure("hangs", reason, probe=arguments)) from None
        if failure is not None:
            kind, reason = failure
            raise MisbehaviourError(Failure(kind, reason, probe=arguments))
        for at, (copy, argument) in enumerate(zip(given, arguments, strict=True)):
            if not np.array_equal(copy, argument):
                reason = f"writes into its argument number {at}"
                raise MisbehaviourError(Failure("mutation", reason, probe=arguments))
        return value

    def _serve(self) -> None:
        while (arguments := self._asked.get()) is not None:
            try:
                value = self._context.run(self._fn, *arguments)
            except UnsupportedError as error:
                self._answered.put((None, ("unsupported", str(error))))
            except BaseException as error:
                self._answered.put((None, ("raises", f"raises {_named(error)}")))
            else:
                self._answered.put(_as_array(value))


def _like(copy: Array, argument: Array) -> Array:
    """`copy` with the strides of `argument` where that one has gaps between its entries."""
    if argument.flags.c_contiguous or argument.flags.f_contiguous or not argument.size:
        return copy
    wide = np.zeros((*argument.shape[:-1], 2 * argument.shape[-1]), dtype=argument.dtype)
    wide[..., ::2] = copy
    return wide[..., ::2]


def _as_array(value: Any) -> tuple[Any, tuple[str, str] | None]:
    """A result as a NumPy array, or a pair of arrays (values and places) of a maximum."""
    if isinstance(value, tuple) and len(value) == 2:
        pair = [_as_array(part) for part in value]
        bad = next((failure for _, failure in pair if failure is not None), None)
        return tuple(array for array, _ in pair), bad
    if not hasattr(value, "__array__") and not hasattr(value, "__dlpack__"):
        rule = "an array (anything with __array__ or __dlpack__)"
        return None, ("result", f"returns {type(value).__name__}, not {rule}")
    try:
        array = np.asarray(value) if hasattr(value, "__array__") else np.from_dlpack(value)
    except BaseException as error:
        return None, ("result", f"returns {type(value).__name__} that is no array: {_named(error)}")
    return array, None


def call(caller: Caller, arguments: Sequence[Array]) -> Any:
    """What comes back, or the `Failure`."""
    try:
        return caller(*arguments)
    except MisbehaviourError as misbehaved:
        return misbehaved.failure
