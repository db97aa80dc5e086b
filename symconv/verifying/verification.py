"""Point symconv at an implementation and get a verdict, not a tolerance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from symconv.checks import choice, concrete, flag, integer, sequence
from symconv.errors import ParameterError, ParameterTypeError, located
from symconv.layers import Layer
from symconv.verdict import PROVED, UNDECIDED
from symconv.verifying.calling import Implementation
from symconv.verifying.examining import Settings, examined
from symconv.verifying.formats import number_format
from symconv.verifying.problems import MAPS, Problem, forward
from symconv.verifying.refuting import Search
from symconv.verifying.sampling import LAYOUTS, Check
from symconv.verifying.verdicts import Verification

__all__ = ["verify"]


def verify(
    fn: Callable[..., Any] | Implementation,
    layer: Layer,
    input_size: Sequence[int],
    *,
    input_gradient: Callable[..., Any] | Implementation | None = None,
    weight_gradient: Callable[..., Any] | Implementation | None = None,
    channels: int | None = None,
    batch: int = 2,
    fixed_batch: bool = False,
    empty_batch: bool = False,
    dtype: str = "float32",
    result_dtype: str | Sequence[str] | None = None,
    growth: float | None = None,
    layouts: Sequence[str] = ("Fortran-ordered", "strided"),
    threads: bool = True,
    error_exponent: int = 20,
    columns: int = 16,
    shrink: bool = True,
    name: bool = True,
    time_limit: float = 60.0,
    search_limit: float = 60.0,
    seed: int = 0,
) -> Verification:
    """Whether an implementation computes a layer, decided exactly.

    Parameters
    ----------
    fn : callable or Implementation
        The implementation of this one geometry, called with NumPy arrays: ``fn(x)``, ``fn(x, w)``
        or ``fn(x, w, b)``, only what the layer has, x of shape (batch, channels, *input_size). Or
        an object with ``build(layer, input_size) -> fn``, the implementation of every geometry
        (`symconv.verifying.Factory` makes one of a function): only then is a failure shrunk, and a
        mistake's name checked at other geometries.
    layer : Layer
        Any layer that is a linear map or a maximum over windows.
    input_size : sequence of int
    input_gradient, weight_gradient : callable or Implementation, optional
        ``fn(y, w)`` (``fn(y)`` without weights) and ``fn(x, y)``, summed over the batch: they must
        be the transposes.
    channels : int, optional
        Of x, for layers that act on each channel alone; 2 unless said.
    batch : int, default 2
        Samples per call of the sampled tests; recovery packs basis vectors into larger batches.
    fixed_batch : bool, default False
        Whether `fn` takes no other batch size.
    empty_batch : bool, default False
        Whether `fn` must take a batch of no samples as well.
    dtype : str, default "float32"
        A name of `symconv.verifying.FORMATS`: "float64", "float32", "tf32", "float16",
        "bfloat16", "int8", "int32" or "int64". Probes are integers so small that every partial sum
        is exact in it.
    result_dtype : str or sequence of str, optional
        NumPy types that a result may have, "any" for all; by default those of the format.
    growth : float, optional
        For Winograd, FFT and the like, which round: ‖C‖·‖B‖·‖G‖ of the transforms (in the maximum
        norm, the product over the axes). Results are then held to the derived absolute bound of
        `symconv.verifying.comparing`, and nothing is proved.
    layouts : sequence of str
        Memory layouts tried: "Fortran-ordered", "strided", "read-only".
    threads : bool, default True
        Whether to run on one thread as well, where threadpoolctl is installed.
    error_exponent : int, default 20
        Of maps too large to recover: random products until the error probability is ≤ 2^−this.
    columns : int, default 16
        Of such maps: sets of disjoint columns to probe.
    shrink, name : bool, default True
        Whether to look for the smallest failing geometry, and for the mistake.
    time_limit : float, default 60
        Seconds per call; a call that takes longer hangs.
    search_limit : float, default 60
        Seconds for shrinking, and again for naming.
    seed : int, default 0

    Returns
    -------
    Verification
        PROVED where all pairs of basis vectors agree, given that `fn` is bilinear, deterministic
        and treats the samples of a batch alike, each of which is tested by samples. UNDECIDED
        (with `agrees` True) where the map is too large for that and nothing differs: the scope
        states the error probability. REFUTED with the smallest counterexample and the mistake's
        name otherwise, also where `fn` raises, hangs, writes into its arguments, or returns a
        wrong shape, a wrong type, NaN or no array: see `kind`.

    Raises
    ------
    ParameterError, ParameterTypeError
        If a parameter breaks its rule. Nothing that `fn` does raises.

    Examples
    --------
    >>> import symconv as sc
    >>> layer = sc.Conv1d(1, 1, 2, bias=False)
    >>> exact = layer.operator((3,)).apply
    >>> bool(verify(exact, layer, (3,)))
    True
    >>> from symconv.verifying import Factory
    >>> flipped = Factory(lambda layer, n: lambda x, w: layer.operator(n).apply(x, w[..., ::-1]))
    >>> verdict = verify(flipped, sc.Conv1d(2, 4, 3, padding=1, bias=False), (7,))
    >>> verdict.mistakes, verdict.counterexample.layer, verdict.counterexample.input_size
    (('kernel flipped',), Conv(1, 1, (2,), bias=False), (2,))
    >>> print(verdict.counterexample.rows[0].written(("x", "w")))
    output [0, 0] is w[0,0,0]·x[0,1] + w[0,0,1]·x[0,0]; it must be w[0,0,0]·x[0,0] + w[0,0,1]·x[0,1]

    References
    ----------
    R. Freivalds (1977) and J. T. Schwartz (1980), on randomised checks of products.
    """
    settings = _settings(
        dtype, result_dtype, growth, batch, fixed_batch, channels, layouts, threads
    )
    settings = replace(
        settings,
        time_limit=_seconds("time_limit", time_limit),
        seed=integer("seed", seed, 0),
        exponent=integer("error_exponent", error_exponent, 1),
        columns=integer("columns", columns, 1),
        empty_batch=flag("empty_batch", empty_batch),
    )
    flag("shrink", shrink)
    flag("name", name)
    limit = _seconds("search_limit", search_limit)
    values = forward(layer, input_size, channels)
    with located(values.describe):
        given = {
            "values": fn,
            "input gradient": input_gradient,
            "weight gradient": weight_gradient,
        }
        return _verified(values, given, settings, limit, shrink=shrink, name=name)


def _seconds(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ParameterTypeError(f"{name} must be a number of seconds, got {type(value).__name__}")
    if not 0 < value < 10**6:
        raise ParameterError(f"{name} must be above 0 and below 10**6 seconds, got {value}")
    return float(value)


def _settings(
    dtype: str,
    result_dtype: str | Sequence[str] | None,
    growth: Any,
    batch: Any,
    fixed_batch: Any,
    channels: Any,
    layouts: Any,
    threads: Any,
) -> Settings:
    number = number_format(dtype)
    results: tuple[str, ...] | None = number.results
    if result_dtype is not None:
        one = isinstance(result_dtype, str)
        results = (str(result_dtype),) if one else sequence("result_dtype", result_dtype)
        results = None if "any" in results else results
    if growth is not None:
        if isinstance(growth, bool) or not isinstance(growth, (int, float)):
            raise ParameterTypeError(f"growth must be a number, got {type(growth).__name__}")
        if not 1 <= growth < float("inf"):
            raise ParameterError(f"growth must be >= 1 and finite, got {growth}")
        if number.unit == 0:
            raise ParameterError(f"growth must be left out for integers, got {growth}")
    return Settings(
        number,
        growth,
        results,
        concrete("batch", integer("batch", batch, 1)),
        flag("fixed_batch", fixed_batch),
        channels,
        tuple(choice("layouts", each, LAYOUTS) for each in sequence("layouts", layouts)),
        flag("threads", threads),
    )


def _verified(
    values: Problem,
    given: dict[str, Any],
    settings: Settings,
    limit: float,
    *,
    shrink: bool,
    name: bool,
) -> Verification:
    checks: list[Check] = []
    missed, calls = 0.0, 0
    for title, implementation in given.items():
        if implementation is None:
            continue
        problem = MAPS[title](values)
        examination = examined(implementation, problem, settings)
        calls += examination.calls
        prefix = "" if title == "values" else f"{title}: "
        checks.extend(Check(prefix + each.name, each.reach) for each in examination.checks)
        missed = max(missed, examination.missed)
        if examination.failure is not None:
            search = Search(implementation, title, settings, limit)
            return search.verdict(problem, examination.failure, tuple(checks), calls, shrink, name)
    return _agreed(values, settings, tuple(checks), missed, calls)


def _given(problem: Problem) -> str:
    """What every verdict about a black box takes for granted, after sampling it."""
    kind = "bilinear" if problem.has_second else "linear"
    if problem.is_maximum:
        kind = "a maximum over fixed inputs per output"
    return f"given that fn is {kind}, deterministic and treats samples alike (each sampled)"


def _agreed(
    values: Problem, settings: Settings, checks: tuple[Check, ...], missed: float, calls: int
) -> Verification:
    where, given = values.describe(), _given(values)
    rounds = settings.growth is not None
    proved = missed == 0 and not rounds
    reason = "all pairs of basis vectors agree"
    if values.is_maximum:
        reason = "every window agrees"
    elif not settings.rules.is_exact(values):
        reason += " within the bound of rounding"
    if proved:
        scope = f"{where}, {given}"
    elif rounds:
        scope = f"{where}, within the bound of growth {settings.growth:g}, sampled"
        reason = "no difference found beyond the bound; rounded results prove nothing"
    elif missed < 1:
        scope = f"{where}, with error probability ≤ {missed:.1e}, {given}"
        reason = "no difference found; the map is too large to compare all basis vectors"
    else:
        scope = f"{where}, sampled"
        reason = "no difference found; the map is too large to compare every window"
    return Verification(
        PROVED if proved else UNDECIDED,
        scope,
        None,
        reason,
        agrees=True,
        checks=checks,
        error_probability=missed,
        calls=calls,
    )
