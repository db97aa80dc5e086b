"""The sampled tests: values, bilinearity, determinism, batch, memory layout, threads.

Every one compares with the exact result, so that additivity in x, say, is tested by three samples
x₁, x₂ and x₁ + x₂. What is sampled is called sampled; only the random trials carry an error
probability (see `symconv.verifying.probes`), given that the implementation is bilinear.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.verifying.calling import Caller, Failure, MisbehaviourError, call
from symconv.verifying.comparing import Rules, checked, first_difference
from symconv.verifying.probes import Draws
from symconv.verifying.problems import Problem

__all__ = ["Check", "Session", "diagnosed", "sampled", "trials"]

Array = npt.NDArray[Any]
Arguments = tuple[Array, ...]


@dataclass(frozen=True)
class Check:
    """One thing that was tested, and how far the test reaches.

    Attributes
    ----------
    name : str
    reach : str
        "exhaustive", "sampled" or "error probability ≤ …".
    """

    name: str
    reach: str = "sampled"

    def __str__(self) -> str:
        return f"{self.name} ({self.reach})"


@dataclass(frozen=True, eq=False)
class Session:
    """One function probed about one problem.

    Attributes
    ----------
    caller, problem, rules, draws
        The function, what it must compute, how it is judged, where probes come from.
    batch : int
        Samples per call of the sampled tests.
    fixed_batch : bool
        Whether no other batch size may be used.
    """

    caller: Caller
    problem: Problem
    rules: Rules
    draws: Draws
    batch: int
    fixed_batch: bool

    def observe(self, arguments: Arguments) -> Array | Failure:
        """The result as float64, or the failure that there is none."""
        value = call(self.caller, arguments)
        if isinstance(value, Failure):
            return Failure(value.kind, value.reason, self.problem.title, value.probe)
        return checked(value, self.problem, self.rules, arguments)

    def test(self, arguments: Arguments) -> Failure | None:
        """What is wrong with the result for these arguments, if anything."""
        result = self.observe(arguments)
        if isinstance(result, Failure):
            return result
        return first_difference(result, self.problem, self.rules, arguments)

    def alone(self, arguments: Arguments, sample: int) -> Arguments:
        """The arguments with one sample of the batch only."""
        each = zip(arguments, self.problem.batched, strict=True)
        return tuple(part[sample : sample + 1] if batched else part for part, batched in each)

    def require(
        self,
        arguments: Arguments,
        kind: str = "values",
        why: str = "",
        known: Array | None = None,
    ) -> Array:
        """The result, if it is right; `known` is a right result of the same arguments.

        Raises
        ------
        MisbehaviourError
            If it is not; a wrong value is of this `kind`.
        """
        result = self.observe(arguments)
        if isinstance(result, Failure):
            raise MisbehaviourError(result)
        if known is not None and np.array_equal(result, known):
            return result
        failure = first_difference(result, self.problem, self.rules, arguments)
        if failure is not None:
            if kind == "values":
                raise MisbehaviourError(diagnosed(self, arguments, failure))
            raise MisbehaviourError(
                Failure(kind, f"{why}: {failure.reason}", failure.problem, arguments, failure.got)
            )
        return result


def sampled(session: Session, layouts: tuple[str, ...], threads: bool) -> Iterator[Check]:
    """The sampled tests, one after the other.

    Raises
    ------
    MisbehaviourError
        With the first failure.
    """
    problem, draws = session.problem, session.draws
    first = draws.random(session.batch)
    result = session.require(first)
    yield Check("random integers")
    session.require(draws.zeros(session.batch))
    yield Check("zeros")
    if problem.is_maximum:
        for sign in (1, -1):
            session.require((draws.ordered(session.batch, sign),))
        yield Check("total orders of positive and of negative values")
    else:
        _additive(session, first)
        yield Check("additive and homogeneous in each argument")
        session.require(draws.largest(session.batch))
        yield Check("values near the limit of exactness")
    if not session.fixed_batch:
        alone, known = session.alone(first, 0), None if problem.is_summed else result[:1]
        session.require(alone, "batch", "a batch of one sample differs", known)
        session.require(draws.random(session.batch + 1))
        yield Check("other batch sizes")
    for layout in layouts:
        changed = tuple(map(LAYOUTS[layout], first))
        session.require(changed, "layout", f"with {layout} arguments results differ", result)
        yield Check(f"{layout} arguments")
    if threads and (limited := _one_thread()) is not None:
        with limited:
            session.require(first, "threads", "with one thread results differ", result)
        yield Check("one thread")
    again = session.require(first, known=result)
    if not np.array_equal(again, result):
        raise MisbehaviourError(_undetermined(session, first))
    yield Check("the same call twice gives the same")


def _additive(session: Session, first: Arguments) -> None:
    """Halves, their sum and a negative, in the first argument and then in the others."""
    problem = session.problem
    other = session.draws.random(session.batch)
    for at in range(len(first)):
        if at == 2:
            # The bias moves together with the weights: affine in both.
            continue
        moved = slice(at, None) if at else slice(0, 1)
        for combine in (lambda a, b: _halved(a) + _halved(b), lambda a, b: -a):
            parts = list(first)
            parts[moved] = [
                np.asarray(combine(a, b), dtype=a.dtype)
                for a, b in zip(first[moved], other[moved], strict=True)
            ]
            if problem.is_maximum:
                continue
            session.require(tuple(parts))


def _halved(array: Array) -> Array:
    """Integers halved towards zero: a sum of two of them is no larger than the larger whole."""
    return np.asarray(np.trunc(array / 2), dtype=array.dtype)


def _gaps(array: Array) -> Array:
    """The same values with gaps between neighbours in memory."""
    if not array.size:
        return array
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), dtype=array.dtype)
    wide[..., ::2] = array
    return wide[..., ::2]


def _read_only(array: Array) -> Array:
    copy = array.copy()
    copy.flags.writeable = False
    return copy


#: Memory layouts by name.
LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "Fortran-ordered": lambda array: np.asarray(array, order="F"),
    "strided": _gaps,
    "read-only": _read_only,
}


def _one_thread() -> AbstractContextManager[Any] | None:
    """Numerical libraries on one thread, where threadpoolctl is there to say so."""
    try:
        limits = importlib.import_module("threadpoolctl").threadpool_limits
    except ImportError:
        return None
    context: AbstractContextManager[Any] = limits(limits=1)
    return context


def _undetermined(session: Session, arguments: Arguments) -> Failure:
    reason = "the same call gives different results"
    return Failure("determinism", reason, session.problem.title, arguments)


def diagnosed(session: Session, arguments: Arguments, failure: Failure) -> Failure:
    """The failure, or what is behind it: chance, the other samples, or no bilinear map at all."""
    if failure.got is None or failure.kind != "values":
        return failure
    again = session.observe(arguments)
    if isinstance(again, Failure) or not np.array_equal(again, failure.got):
        return _undetermined(session, arguments)
    batched = not session.problem.is_summed and len(arguments[0]) > 1
    if batched and not session.fixed_batch:
        samples = range(len(arguments[0]))
        if not any(session.test(session.alone(arguments, sample)) for sample in samples):
            reason = f"each sample alone is right, in a batch of {len(samples)} {failure.reason}"
            return Failure("batch", reason, failure.problem, arguments, failure.got)
    broken = _not_bilinear(session, arguments, failure.got)
    if broken:
        reason = f"{broken}: {failure.reason}"
        return Failure("bilinearity", reason, failure.problem, arguments, failure.got)
    return failure


def _not_bilinear(session: Session, arguments: Arguments, whole: Array) -> str:
    """How the function itself fails to be affine in an argument, or an empty text."""
    problem = session.problem
    if problem.is_maximum or not session.rules.is_exact(problem):
        return ""
    for at, name in enumerate(problem.names[:2]):
        results = []
        half = _halved(arguments[at])
        for part in (half, arguments[at] - half, -arguments[at], np.zeros_like(half)):
            changed = (*arguments[:at], part.astype(half.dtype), *arguments[at + 1 :])
            result = session.observe(changed)
            if isinstance(result, Failure) or result.shape != whole.shape:
                return ""
            results.append(result)
        one, other, negative, nothing = results
        if not np.array_equal(one + other - nothing, whole):
            return f"not affine in {name}, f({name}₁ + {name}₂) + f(0) ≠ f({name}₁) + f({name}₂)"
        if not np.array_equal(whole + negative, 2 * nothing):
            return f"not affine in {name}, f({name}) + f(−{name}) ≠ 2·f(0)"
    return ""


def trials(session: Session, exponent: int, most: int) -> tuple[int, float]:
    """Random trials until a wrong bilinear map would pass with probability ≤ 2^−exponent.

    Returns
    -------
    (number of trials, probability reached)

    Raises
    ------
    MisbehaviourError
        With the first failure.
    """
    missed, count = 1.0, 0
    while missed > 2.0**-exponent and count < most:
        arguments, one = session.draws.weighed(session.batch)
        session.require(arguments)
        missed *= one
        count += 1
    return count, missed
