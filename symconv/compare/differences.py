"""Where two conventions differ: a condition, and its check on every setting of a box."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import sympy

from symconv import checks
from symconv.compare.evaluate import truth
from symconv.compare.stated import stated_condition
from symconv.conventions import Convention, Resolved
from symconv.conventions.elementwise import MAX_ENTRY, all_of, any_of, differ
from symconv.errors import ParameterError, ParameterTypeError, TooLargeError
from symconv.relation import AxisRelation
from symconv.verdict import Verdict, proved, refuted

__all__ = ["DILATION", "MAX_SETTINGS", "N_IN", "N_TAPS", "STRIDE", "Difference"]
__all__ += ["where_conventions_differ"]

#: The parameters of an axis as symbols.
N_IN, N_TAPS, STRIDE, DILATION = sympy.symbols("n K s d", integer=True, positive=True)

#: Settings that a box may hold.
MAX_SETTINGS = 2 * 10**6

#: The box unless told: sizes, taps, strides, dilations, and every other symbol.
_BOX = {N_IN: range(1, 13), N_TAPS: range(1, 6), STRIDE: range(1, 5), DILATION: range(1, 4)}
_OTHERS = range(4)

#: What is compared, from a resolved axis.
BY = {
    "padding": ("pad_lo", "net_hi", "output_size"),
    "windows": ("pad_lo", "output_size"),
    "size": ("output_size",),
}


@dataclass(frozen=True)
class Difference:
    """Where two conventions differ.

    Attributes
    ----------
    first, second : Convention
    by : {"padding", "windows", "size"}
    condition : SymPy Boolean
        They differ exactly where it holds, among the settings of `domain`.
    domain : SymPy Boolean
        Both frameworks take the setting, and at least one gives an output.
    source : {"stated", "derived", "given"}
        From the table of stated conditions, from the conventions' own formulas, or the caller's.
    verdict : Verdict
        Whether the condition agrees with the conventions on every setting of the box.
    example : dict or None
        The smallest setting in which they differ: least sum of its numbers, then least numbers in
        the order of the box; with what each convention gives there.
    n_differ, n_settings : int
        Settings of the box in which they differ, and in the domain.
    box : dict
        Symbol name → its values.
    """

    first: Convention
    second: Convention
    by: str
    condition: Any
    domain: Any
    source: str
    verdict: Verdict
    example: dict[str, Any] | None
    n_differ: int
    n_settings: int
    box: dict[str, tuple[int, ...]]

    def latex(self) -> str:
        """The condition as LaTeX."""
        return str(sympy.latex(self.condition))

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def __str__(self) -> str:
        what = "never differ" if self.condition == sympy.false else f"differ iff {self.condition}"
        text = f"{self.first} and {self.second} {what}\n{self.verdict}"
        return text if self.example is None else f"{text}\nsmallest example: {self.example}"


def where_conventions_differ(
    first: Convention,
    second: Convention,
    *,
    by: str = "padding",
    condition: Any = None,
    box: Mapping[str, Iterable[int]] | None = None,
) -> Difference:
    """The exact set of parameters where two conventions give different results, as a condition.

    Parameters
    ----------
    first, second : Convention
        Their integer parameters may be SymPy symbols: these become parameters of the condition.
        Both are plain or both are transposed convolutions.
    by : {"padding", "windows", "size"}
        Compare (lo, hi, size), with hi − op for transposed convolutions; or (lo, size), which
        decides which inputs each output reads; or the output size alone.
    condition : SymPy Boolean, optional
        A condition to check instead, in n, K, s, d (`N_IN`, `N_TAPS`, `STRIDE`, `DILATION`) and
        the symbols of the conventions.
    box : mapping from symbol name to integers, optional
        By default n 1…12, K 1…5, s 1…4, d 1…3 and any other symbol 0…3 (1…3 if positive).

    Returns
    -------
    Difference
        Its verdict is PROVED for the box, each setting of which is enumerated with the
        conventions' own code; or REFUTED with the smallest setting where the condition is wrong.

    Examples
    --------
    >>> from symconv.conventions import KerasConvTranspose, OnnxConvTranspose
    >>> keras, onnx = KerasConvTranspose("same"), OnnxConvTranspose("SAME_UPPER")
    >>> found = where_conventions_differ(keras, onnx)
    >>> found.condition
    d*(K - 1) + 1 < s
    >>> print(found.verdict)
    PROVED (exhaustive over n 1…12, K 1…5, s 1…4, d 1…3: 720 settings): differ in 156
    >>> found.example
    {'n': 1, 'K': 1, 's': 2, 'd': 1, 'first': (0, -1, 2), 'second': (0, 0, 1)}
    """
    for name, value in (("first", first), ("second", second)):
        if not isinstance(value, Convention):
            raise ParameterTypeError(f"{name} must be a convention, got {type(value).__name__}")
    checks.choice("by", by, BY)
    axis = AxisRelation(N_TAPS, STRIDE, DILATION)
    resolved = first.rule(axis, N_IN), second.rule(axis, N_IN)
    if resolved[0].is_transposed != resolved[1].is_transposed:
        raise ParameterError(
            f"second must be a transposed convolution exactly if first is, got {first}, {second}"
        )
    source = "given"
    if condition is None:
        source = "stated"
        condition = stated_condition(by, first, second, axis, N_IN)
    if condition is None:
        source = "derived"
        condition = _derived(by, *resolved)
    condition = sympy.sympify(condition, strict=True) if isinstance(condition, bool) else condition
    if not isinstance(condition, sympy.logic.boolalg.Boolean):
        raise ParameterTypeError(
            f"condition must be a SymPy condition, got {type(condition).__name__}"
        )
    domain = _domain(first, second, axis, N_IN, *resolved)
    values = _values(box, _parameters(first) | _parameters(second))
    arrays = _grid(values)
    found = _enumerate(by, first, second, arrays)
    return _judge(
        by, (first, second), (condition, sympy.sympify(domain, strict=True), source), values, *found
    )


def _differences(by: str, one: Resolved, other: Resolved) -> Any:
    return any_of(False, *(differ(getattr(one, name), getattr(other, name)) for name in BY[by]))


def _derived(by: str, one: Resolved, other: Resolved) -> Any:
    """The conventions' own formulas, set against each other."""
    names = list(BY[by])
    if one.is_transposed and by != "size":
        # The size is what (lo, hi − op) leave, so these decide alone.
        names = ["pad_lo", "net_hi"]
    parts = []
    for name in names:
        a, b = (sympy.sympify(getattr(result, name), strict=True) for result in (one, other))
        rest = sympy.expand(a - b)
        shorter = len(rest.free_symbols) < len(a.free_symbols | b.free_symbols)
        parts.append(sympy.Ne(rest, 0) if shorter else sympy.Ne(a, b))
    return sympy.Or(*parts)


def _domain(
    first: Convention, second: Convention, axis: AxisRelation, n: Any, *resolved: Resolved
) -> Any:
    """Both frameworks take the setting, and one of them gives an output."""
    outputs = any_of(*(result.output_size >= 1 for result in resolved))
    return all_of(first.allows(axis, n), second.allows(axis, n), outputs)


def _parameters(convention: Convention) -> set[Any]:
    """The symbols among a convention's parameters."""
    found: set[Any] = set()
    for field in fields(convention):
        value = getattr(convention, field.name)
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, sympy.Symbol):
                found.add(part)
            elif isinstance(part, sympy.Basic):
                raise ParameterError(
                    f"{field.name} must be an integer or a plain symbol here, got {part}"
                )
    clash = {symbol for symbol in found if symbol.name in {own.name for own in _BOX}}
    if clash - set(_BOX):
        raise ParameterError(f"symbols must not be called n, K, s or d, got {clash - set(_BOX)}")
    return found


def _at(convention: Convention, arrays: Mapping[Any, Any]) -> Convention:
    """The convention with arrays for its symbols."""

    def part(value: Any) -> Any:
        return arrays.get(value, value) if isinstance(value, sympy.Symbol) else value

    changed = {}
    for field in fields(convention):
        value = getattr(convention, field.name)
        changed[field.name] = tuple(map(part, value)) if isinstance(value, tuple) else part(value)
    return replace(convention, **changed)


def _values(box: Mapping[str, Iterable[int]] | None, extra: set[Any]) -> dict[Any, tuple[int, ...]]:
    """Symbol → its values, in the order of the box."""
    asked = dict(box or {})
    symbols = [*_BOX, *sorted(extra - set(_BOX), key=str)]
    result = {}
    for symbol in symbols:
        # A value that the symbol's assumptions exclude would make its formulas wrong.
        least = 1 if symbol.is_positive else 0 if symbol.is_nonnegative else None
        entries = asked.pop(symbol.name, _BOX.get(symbol, _OTHERS[least or 0 :]))
        if isinstance(entries, range) and len(entries) > MAX_SETTINGS:
            raise TooLargeError(f"box must hold up to {MAX_SETTINGS} settings, got {entries}")
        numbers = tuple(
            checks.concrete(
                f"box[{symbol.name!r}]", checks.integer(f"box[{symbol.name!r}]", e, least)
            )
            for e in entries
        )
        if not numbers or len(set(numbers)) != len(numbers) or max(map(abs, numbers)) > MAX_ENTRY:
            raise ParameterError(
                f"box[{symbol.name!r}] must list different integers up to {MAX_ENTRY}, "
                f"got {checks.shown(numbers)}"
            )
        result[symbol] = tuple(sorted(numbers))
    if asked:
        known = ", ".join(symbol.name for symbol in symbols)
        raise ParameterError(f"box must name the parameters {known}, got {sorted(asked)}")
    count = math.prod(map(len, result.values()))
    if count > MAX_SETTINGS:
        raise TooLargeError(f"box must hold up to {MAX_SETTINGS} settings, got {count}")
    return result


def _grid(values: Mapping[Any, tuple[int, ...]]) -> dict[Any, Any]:
    """Every setting, smallest first: by the sum of its numbers, then in the order of the box."""
    axes = [np.array(numbers, dtype=np.int64) for numbers in values.values()]
    columns = [grid.ravel() for grid in np.meshgrid(*axes, indexing="ij")]
    order = np.argsort(sum(columns), kind="stable")
    return {symbol: column[order] for symbol, column in zip(values, columns, strict=True)}


def _enumerate(
    by: str, first: Convention, second: Convention, arrays: Mapping[Any, Any]
) -> tuple[Mapping[Any, Any], Any, tuple[Resolved, Resolved]]:
    """The settings in the domain, whether the conventions differ there, and what they give."""
    axis = AxisRelation(arrays[N_TAPS], arrays[STRIDE], arrays[DILATION])
    # What a convention refuses by itself (a sign, say) is refused here, not skipped.
    one, other = _at(first, arrays), _at(second, arrays)
    resolved = one.rule(axis, arrays[N_IN]), other.rule(axis, arrays[N_IN])
    inside = np.broadcast_to(_domain(one, other, axis, arrays[N_IN], *resolved), arrays[N_IN].shape)
    arrays = {symbol: column[inside] for symbol, column in arrays.items()}
    axis = AxisRelation(arrays[N_TAPS], arrays[STRIDE], arrays[DILATION])
    one, other = _at(first, arrays), _at(second, arrays)
    resolved = one.rule(axis, arrays[N_IN]), other.rule(axis, arrays[N_IN])
    differs = np.broadcast_to(_differences(by, *resolved), arrays[N_IN].shape)
    return arrays, differs, resolved


def _judge(
    by: str,
    pair: tuple[Convention, Convention],
    said: tuple[Any, Any, str],
    values: Mapping[Any, tuple[int, ...]],
    arrays: Mapping[Any, Any],
    differs: Any,
    resolved: tuple[Resolved, Resolved],
) -> Difference:
    condition, domain, source = said
    n_settings = int(differs.size)

    def case(position: int) -> dict[str, Any]:
        setting: dict[str, Any] = {s.name: int(column[position]) for s, column in arrays.items()}
        for name, result in zip(("first", "second"), resolved, strict=True):
            parts = (getattr(result, part) for part in BY[by])
            setting[name] = tuple(
                int(np.broadcast_to(part, differs.shape)[position]) for part in parts
            )
        return setting

    listed = ", ".join(f"{symbol.name} {_listed(numbers)}" for symbol, numbers in values.items())
    scope = f"exhaustive over {listed}: {n_settings} settings"
    if n_settings == 0:
        raise ParameterError(f"box must hold a setting that both conventions take, got {listed}")
    predicted = np.broadcast_to(truth(condition, arrays), differs.shape)
    wrong = np.flatnonzero(predicted != differs)
    n_differ = int(differs.sum())
    if wrong.size:
        place = int(wrong[0])
        said_here = "holds" if predicted[place] else "does not hold"
        verdict = refuted(
            scope, case(place), f"the condition {said_here} where they {_does(differs[place])}"
        )
    else:
        verdict = proved(scope, f"differ in {n_differ}")
    example = case(int(np.flatnonzero(differs)[0])) if n_differ else None
    names = {symbol.name: numbers for symbol, numbers in values.items()}
    return Difference(
        *pair, by, condition, domain, source, verdict, example, n_differ, n_settings, names
    )


def _does(differs: Any) -> str:
    return "differ" if differs else "agree"


def _listed(numbers: tuple[int, ...]) -> str:
    if numbers == tuple(range(numbers[0], numbers[-1] + 1)):
        return f"{numbers[0]}…{numbers[-1]}" if len(numbers) > 1 else str(numbers[0])
    return "{" + ", ".join(map(str, numbers)) + "}"
