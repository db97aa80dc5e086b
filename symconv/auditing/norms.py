"""Verifying a p-norm: its windows by one-hot probes, its powers by samples within rounding.

A single ±1 is its own p-norm exactly, so that one-hot inputs show, entry by entry, which inputs
each output reads. Sums of powers have no cancellation: the relative error of the root of a sum of
k terms stays below (k + 2·16)·u, each power and root taken to cost 16 units at most.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from symconv.geometry import by_axis
from symconv.layers import Layer
from symconv.verdict import PROVED, REFUTED, UNDECIDED
from symconv.verifying import FORMATS, Failure, Verification
from symconv.verifying.calling import Caller, MisbehaviourError, built
from symconv.verifying.sampling import Check

__all__ = ["verify_norm"]

#: Entries of all one-hot results together; larger maps are sampled.
MAX_ENTRIES = 2**22

#: Random inputs, and rounding units of a power or a root.
SAMPLES, UNITS = 8, 16


def verify_norm(
    implementation: Any, layer: Layer, size: tuple[int, ...], *, dtype: str, time_limit: float
) -> Verification:
    """Whether an implementation computes the p-norms of a layer's windows.

    Returns
    -------
    Verification
        PROVED where every window was probed, given that each output is a p-norm of fixed inputs
        (sampled).

    Examples
    --------
    >>> import symconv as sc
    >>> layer = sc.LpPool(2, (2,))
    >>> right = lambda x: np.sqrt((x**2).reshape(*x.shape[:2], -1, 2).sum(-1))
    >>> verify_norm(right, layer, (4,), dtype="float32", time_limit=9).status
    'PROVED'
    >>> verify_norm(lambda x: abs(x[..., ::2]), layer, (4,), dtype="float32", time_limit=9).kind
    'values'
    """
    where = f"{layer.describe()} on {by_axis(size)}"
    operator, number = layer.operator(size), FORMATS[dtype]
    checks = []
    try:
        fn = built(implementation, layer, size)
        with Caller(fn, time_limit) as caller:
            samples = np.random.default_rng(0).integers(-8, 9, (SAMPLES, 2, *size))
            error = (math.prod(size) + 2 * UNITS) * float(number.unit)
            _compare(caller, operator, samples.astype(number.dtype), error)
            checks.append(Check("random integers within rounding"))
            whole = math.prod(size) * math.prod(operator.output_shape) <= MAX_ENTRIES
            if whole:
                units = np.eye(math.prod(size), dtype=number.dtype).reshape(-1, 1, *size)
                _compare(caller, operator, np.concatenate([units, -units], axis=1), 0.0)
                checks.append(Check("every window", "exhaustive"))
    except MisbehaviourError as misbehaved:
        failure = misbehaved.failure
        status = UNDECIDED if failure.kind == "unsupported" else REFUTED
        return Verification(status, where, None, failure.reason, kind=failure.kind)
    given = "given that fn is a p-norm of fixed inputs per output (sampled)"
    if whole:
        return Verification(
            PROVED, f"{where}, {given}", None, "every window agrees", agrees=True,
            checks=tuple(checks), error_probability=0.0, calls=caller.calls,
        )  # fmt: skip
    reason = "no difference found; the map is too large to compare every window"
    return Verification(
        UNDECIDED, f"{where}, sampled", None, reason, agrees=True, checks=tuple(checks),
        calls=caller.calls,
    )  # fmt: skip


def _compare(caller: Caller, operator: Any, x: Any, error: float) -> None:
    """One call held to the exact norms within a relative error."""
    result = caller(x)
    right = np.asarray(operator.apply(x.astype(np.float64)), dtype=np.float64)
    if isinstance(result, tuple) or result.shape != right.shape:
        shape = "a pair" if isinstance(result, tuple) else f"shape {result.shape}"
        raise MisbehaviourError(Failure("shape", f"returns {shape}; it must be {right.shape}"))
    wrong = ~(np.abs(result.astype(np.float64) - right) <= error * right)
    if wrong.any():
        at = tuple(int(n) for n in np.argwhere(wrong)[0])
        reason = f"values differ in {int(wrong.sum())} of {wrong.size} entries, first at {at}: "
        reason += f"{result[at]} where {right[at]} is right"
        raise MisbehaviourError(Failure("values", reason))
