"""A failure computed again by loops that share no code with symconv: no false alarm.

The implementation is called once more with the arguments that showed the failure, and what it
gives is compared with `symconv.verifying.loops`, entry by entry, in fractions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.errors import SymconvError
from symconv.layers import Layer
from symconv.vectors.parameters import parameters_of
from symconv.verifying import loops
from symconv.verifying.calling import Caller, Failure, MisbehaviourError, built
from symconv.verifying.formats import FORMATS
from symconv.verifying.problems import Problem, forward

__all__ = ["Recheck", "rechecked"]

Array = npt.NDArray[Any]

#: Calls in which a result that changes from call to call must be seen to be wrong.
CALLS = 20

#: Entries up to which both results are kept.
MAX_KEPT = 64


@dataclass(frozen=True)
class Recheck:
    """What the loops say about a failure.

    Attributes
    ----------
    confirmed : bool
        Whether the implementation is wrong by the loops as well.
    text : str
    arguments : tuple of nested lists
        The integers that it was called with; empty where they are many.
    right, found : nested lists
        The result by the loops and the implementation's; empty where they are large or missing.
    """

    confirmed: bool
    text: str
    arguments: tuple[Any, ...] = ()
    right: Any = ()
    found: Any = ()


def rechecked(
    implementation: Any,
    layer: Layer,
    size: Sequence[int],
    kind: str,
    probe: Sequence[Array] = (),
    *,
    dtype: str = "float32",
    channels: int | None = None,
    growth: float | None = None,
    time_limit: float = 60.0,
) -> Recheck:
    """Whether an implementation fails at a geometry by the loops' account, too.

    Parameters
    ----------
    implementation : callable or Implementation
    layer, size
        The geometry.
    kind : str
        What failed, as of `symconv.verifying.Failure`.
    probe : sequence of arrays of whole numbers
        Arguments that showed it; small integers where there are none.
    dtype, channels, growth, time_limit
        As of `symconv.verify`.

    Examples
    --------
    >>> import symconv as sc
    >>> layer = sc.Conv1d(1, 1, 2, bias=False)
    >>> found = rechecked(lambda x, w: x[..., 1:] * 2, layer, (3,), "values")
    >>> found.confirmed, found.text, found.right, found.found
    (True, 'entry (0, 0, 0) is 4; the loops give 5', [[[5, 8]]], [[[4, 6]]])
    >>> right = layer.operator((3,)).apply
    >>> rechecked(right, layer, (3,), "values").confirmed
    False
    """
    problem = forward(layer, size, channels)
    if not probe:
        probe = _small(problem, dtype)
    try:
        parameters = parameters_of(layer, size)
        right = _by_loops(parameters, probe)
    except SymconvError as error:
        return Recheck(False, f"not rechecked: {error}")
    if not _agree(problem, probe, right):
        return Recheck(False, "not rechecked: symconv and the loops disagree; please report this")
    given = tuple(_whole(array) for array in probe)
    kept = given if sum(array.size for array in probe) <= MAX_KEPT else ()
    try:
        fn = built(implementation, layer, tuple(size))
        with Caller(fn, time_limit) as caller:
            for _ in range(CALLS if kind in ("determinism", "threads") else 1):
                value = caller(*probe)
                allowed = _allowed(parameters, problem, probe, dtype, growth)
                found = _compared(value, right, kind, allowed, probe)
                if found.confirmed:
                    break
    except MisbehaviourError as misbehaved:
        return _misbehaved(misbehaved.failure, kind, kept, right)
    return Recheck(found.confirmed, found.text, kept, found.right, found.found)


def _small(problem: Problem, dtype: str) -> tuple[Array, ...]:
    """1, 2, 3, … in every argument."""
    each = zip(problem.shapes, problem.batched, strict=True)
    shapes = [(1, *shape) if batched else shape for shape, batched in each]
    arrays = [np.arange(1, math.prod(shape) + 1).reshape(shape) for shape in shapes]
    return tuple(array.astype(FORMATS[dtype].dtype) for array in arrays)


def _whole(array: Array) -> Any:
    """Nested lists of the integers that an array holds."""
    return np.asarray(array, dtype=np.float64).astype(np.int64).tolist()


def _by_loops(parameters: dict[str, Any], probe: Sequence[Array]) -> Array:
    """The result as an array of integers and fractions; empty without samples."""
    if len(probe[0]) == 0:
        outs = loops.output_size(parameters, probe[0].shape[2:])
        channels = int(parameters.get("out_channels") or probe[0].shape[1])
        return np.empty((0, channels, *outs), dtype=object)
    return _objects(loops.applied(parameters, *map(_whole, probe)))


def _objects(nested: Any) -> Array:
    return np.array(nested, dtype=object)


def _agree(problem: Problem, probe: Sequence[Array], right: Array) -> bool:
    """Whether symconv gives what the loops give, exactly."""
    given = [np.asarray(array, dtype=np.float64).astype(np.int64) for array in probe]
    ours = _objects(np.asarray(problem.operator.apply(*given)).tolist())
    if not len(probe[0]):
        return bool(right.shape[1:] == problem.output_shape)
    return ours.shape == right.shape and bool((ours == right).all())


def _allowed(
    parameters: dict[str, Any],
    problem: Problem,
    probe: Sequence[Array],
    dtype: str,
    growth: float | None,
) -> Any:
    """How far each entry may be off: an average is rounded, a fast algorithm by its growth."""
    terms = problem.terms + 4
    unit = terms * FORMATS[dtype].unit
    gamma = unit / (1 - unit)
    if growth is not None:
        sizes = [int(np.abs(array).max(initial=0)) for array in probe]
        return Fraction(growth) * gamma * problem.terms * math.prod(sizes[:2]) + gamma * sum(sizes)
    if parameters["type"] != "avg_pool" or set(problem.divisors) == {1} or not len(probe[0]):
        return 0
    return _by_loops(parameters, [np.abs(array) for array in probe]) * gamma


def _compared(value: Any, right: Array, kind: str, allowed: Any, probe: Sequence[Array]) -> Recheck:
    value = value[0] if isinstance(value, tuple) else value
    if value.shape != right.shape:
        text = f"the shape is {value.shape}; the loops give {right.shape}"
        return Recheck(True, text, (), _kept(right), _kept(value))
    if kind == "dtype":
        confirmed = value.dtype != probe[0].dtype
        return Recheck(confirmed, f"{probe[0].dtype} in, {value.dtype} out")
    given = np.array(value, dtype=np.float64)
    allowances = np.broadcast_to(_objects(allowed), right.shape)
    for at in product(*map(range, right.shape)):
        entry = float(given[at])
        if not math.isfinite(entry) or abs(Fraction(entry) - right[at]) > allowances[at]:
            text = f"entry {at} is {_number(entry)}; the loops give {right[at]}"
            return Recheck(True, text, (), _kept(right), _kept(given))
    return Recheck(False, "the loops give the same")


def _kept(array: Array) -> Any:
    """Nested lists of numbers, fractions as text; empty where they are many."""
    if array.size > MAX_KEPT:
        return ()
    plain = [_plain(entry) for entry in array.ravel().tolist()]
    return np.array(plain, dtype=object).reshape(array.shape).tolist()


def _plain(entry: Any) -> Any:
    if isinstance(entry, Fraction) and entry.denominator > 1:
        return str(entry)
    return int(entry) if math.isfinite(entry) and entry == int(entry) else str(entry)


def _number(entry: float) -> str:
    return str(int(entry)) if entry.is_integer() else repr(entry)


def _misbehaved(failure: Failure, kind: str, kept: tuple[Any, ...], right: Array) -> Recheck:
    """A call that gives no result, of a geometry of which the loops do give one."""
    same = failure.kind == kind and min(right.shape[1:], default=1) >= 1
    text = failure.reason + ("; the loops give a result" if same else "")
    return Recheck(same, text, kept, _kept(right))
