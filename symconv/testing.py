"""Assertions for other people's test suites: an implementation, two operators, an adjoint, a size.

Usable with pytest, unittest or alone: each raises `AssertionError` with the smallest difference in
its message, and returns the verdict where it passes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy

from symconv.checks import integer, sequence
from symconv.compare.operators import same_operator
from symconv.errors import ParameterError, ParameterTypeError
from symconv.layers import Layer
from symconv.memory import require
from symconv.verdict import UNDECIDED, Verdict, proved, refuted, undecided
from symconv.verifying import Factory, Verification, verify

__all__ = [
    "Factory",
    "assert_adjoint",
    "assert_implements",
    "assert_same_operator",
    "assert_same_shape_formula",
]

#: Entries of the matrices that an adjoint is recovered as.
MAX_ENTRIES = 2**24

#: Random vectors that linearity is sampled with, each of both signs.
SAMPLES = 3

#: Cases of a box that shape formulas are compared over.
MAX_CASES = 10**6


def assert_implements(
    fn: Any, layer: Layer, input_size: Sequence[int], *, proof: bool = False, **options: Any
) -> Verification:
    """Fail unless an implementation computes a layer (see `symconv.verify`).

    Parameters
    ----------
    fn : callable or Implementation
        ``fn(x[, w[, b]])`` for this geometry, or an object with ``build(layer, input_size)``, whose
        failures are shrunk (`Factory` makes one of a function).
    layer : Layer
    input_size : sequence of int
    proof : bool, default False
        Whether maps too large to compare all basis vectors fail as well; otherwise their error
        probability is found in the verdict returned.
    **options
        As of `symconv.verify`.

    Raises
    ------
    AssertionError
        If it does not, or if nothing was decided; the message shows the smallest case.

    Examples
    --------
    >>> import symconv as sc
    >>> layer = sc.MaxPool1d(2)
    >>> assert_implements(lambda x: x.reshape(*x.shape[:2], 2, 2).max(-1), layer, (4,)).status
    'PROVED'
    >>> assert_implements(lambda x: x[..., ::2], layer, (4,))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    AssertionError: REFUTED (MaxPool((2,), stride=(2,)) on 4): values differ in 3 of 8 entries, ...
    """
    __tracebackhide__ = True
    verdict = verify(fn, layer, input_size, **options)
    if not (verdict.is_proved if proof else verdict.agrees):
        raise AssertionError(str(verdict))
    return verdict


def assert_same_operator(first: Any, second: Any) -> Verdict:
    """Fail unless two operators are one matrix for all values of their weights.

    Parameters
    ----------
    first, second : Operator, BoundOperator or SymPy matrix

    Raises
    ------
    AssertionError
        With the first entry that differs, or the entries that have no canonical form.

    Examples
    --------
    >>> import symconv as sc
    >>> conv = sc.Conv1d(1, 1, 3, stride=2, bias=False).operator((5,))
    >>> layer = sc.ConvTranspose1d(1, 1, 3, stride=2, bias=False)
    >>> assert_same_operator(layer.operator((2,)), conv.T).status
    'PROVED'
    """
    __tracebackhide__ = True
    return _held(same_operator(first, second))


def assert_adjoint(
    forward: Callable[[Any], Any],
    adjoint: Callable[[Any], Any],
    input_shape: Sequence[int],
    output_shape: Sequence[int],
    *,
    dtype: str = "float64",
) -> Verdict:
    """Fail unless ⟨forward(x), y⟩ = ⟨x, adjoint(y)⟩ for all x and y.

    Both are called with one basis vector after the other: their matrices must be transposes of one
    another, bit for bit, which is all a pair of linear maps can be asked. That they are linear is
    tested with random integers.

    Parameters
    ----------
    forward, adjoint : callable
        Arrays of `input_shape` to arrays of `output_shape`, and back.
    input_shape, output_shape : sequence of int
    dtype : str, default "float64"
        Of the arrays they are called with.

    Raises
    ------
    AssertionError
        With the first pair of entries that differ.

    Examples
    --------
    >>> import numpy as np
    >>> assert_adjoint(np.cumsum, lambda y: np.cumsum(y[::-1])[::-1], (3,), (3,)).status
    'PROVED'
    >>> assert_adjoint(np.cumsum, np.cumsum, (2,), (2,))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    AssertionError: REFUTED (2×2, given that both are linear (sampled)): entries differ; ...
    """
    __tracebackhide__ = True
    shapes = []
    for name, value in (("input_shape", input_shape), ("output_shape", output_shape)):
        shapes.append(tuple(integer(name, n, 0) for n in sequence(name, value)))
    sizes = [int(np.prod(shape)) for shape in shapes]
    if sizes[0] * sizes[1] > MAX_ENTRIES:
        raise ParameterError(
            f"input_shape and output_shape must have at most {MAX_ENTRIES} pairs of entries, got "
            f"{sizes[0]} and {sizes[1]}"
        )
    require(16 * sizes[0] * sizes[1], "both matrices", "use smaller shapes")
    scope = f"{sizes[1]}×{sizes[0]}, given that both are linear (sampled)"
    there = _matrix("forward", forward, shapes[0], shapes[1], dtype)
    back = _matrix("adjoint", adjoint, shapes[1], shapes[0], dtype)
    places = np.argwhere(there != back.T)
    if len(places):
        row, column = (int(n) for n in places[0])
        case = {
            "output": tuple(int(n) for n in np.unravel_index(row, shapes[1])),
            "input": tuple(int(n) for n in np.unravel_index(column, shapes[0])),
            "forward": float(there[row, column]),
            "adjoint": float(back[column, row]),
        }
        return _held(refuted(scope, case, f"entries differ; {len(places)} of {there.size} do"))
    return _held(proved(scope, "the matrices are transposes of one another"))


def _matrix(
    name: str, fn: Any, given: tuple[int, ...], expected: tuple[int, ...], dtype: str
) -> np.ndarray[Any, Any]:
    """The matrix of a linear map, column after column, and a sample of its linearity."""
    __tracebackhide__ = True
    columns = int(np.prod(given))
    matrix = np.empty((int(np.prod(expected)), columns))
    for column in range(columns):
        unit = np.zeros(given, dtype=dtype)
        unit.flat[column] = 1
        matrix[:, column] = _result(name, fn, unit, expected)
    drawn = np.random.default_rng(0).integers(-8, 9, size=(SAMPLES, *given)).astype(dtype)
    for x in (*drawn, *-drawn):
        if not np.array_equal(_result(name, fn, x, expected), matrix @ x.ravel().astype(float)):
            raise AssertionError(f"{name} is not linear on random integers, or rounds them")
    return matrix


def _result(name: str, fn: Any, x: Any, expected: tuple[int, ...]) -> Any:
    __tracebackhide__ = True
    result = np.asarray(fn(x))
    if result.shape != expected:
        raise AssertionError(f"{name} returns shape {result.shape}; it must be {expected}")
    return result.ravel()


def assert_same_shape_formula(
    first: Any, second: Any, box: Mapping[Any, Sequence[int]] | None = None
) -> Verdict:
    """Fail unless two shape formulas agree: for all sizes as expressions, or over a box.

    Parameters
    ----------
    first, second : SymPy expressions, tuples of them, or callables
        Callables are called with one keyword argument per name of the box.
    box : mapping of name or symbol to sequence of int, optional
        The values to compare over, every combination; needed for callables, and where expressions
        are equal for some sizes only.

    Raises
    ------
    AssertionError
        With the first case that differs, smallest values first; or, without a box, where equality
        of the expressions is not decided by their canonical forms.

    Examples
    --------
    >>> import sympy
    >>> n = sympy.Symbol("n", integer=True, positive=True)
    >>> assert_same_shape_formula((n - 1) // 2 + 1, sympy.floor((n + 1) / 2)).scope
    'all sizes'
    >>> ours = lambda n, s: -(-n // s)
    >>> box = {"n": range(1, 9), "s": range(1, 4)}
    >>> assert_same_shape_formula(ours, lambda n, s: (n + s - 1) // s, box).status
    'PROVED'
    >>> assert_same_shape_formula(ours, lambda n, s: n // s, box)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    AssertionError: REFUTED (exhaustive over n 1…8, s 1…3): formulas differ; counterexample ...
    """
    __tracebackhide__ = True
    if box is None:
        return _held(_same_expressions(first, second))
    return _held(_same_over(first, second, box))


def _same_expressions(first: Any, second: Any) -> Verdict:
    pairs = list(zip(_entries("first", first), _entries("second", second), strict=False))
    if len(_entries("first", first)) != len(_entries("second", second)):
        return refuted("all sizes", {"first": first, "second": second}, "ranks differ")
    for one, other in pairs:
        difference = _canonical(one) - _canonical(other)
        if sympy.expand(difference) != 0:
            reason = f"the canonical forms of {one} and {other} differ; give a box"
            return undecided("all sizes", reason)
    return proved("all sizes", "the canonical forms agree")


def _entries(name: str, value: Any) -> tuple[Any, ...]:
    entries = value if isinstance(value, (tuple, list)) else (value,)
    for entry in entries:
        if not isinstance(entry, (int, sympy.Expr)) or isinstance(entry, bool):
            raise ParameterTypeError(
                f"{name} must be a SymPy expression or a tuple of them without a box, got "
                f"{type(entry).__name__}"
            )
    return tuple(sympy.Integer(entry) if isinstance(entry, int) else entry for entry in entries)


def _canonical(expression: Any) -> Any:
    """Integer parts moved out of every floor, arguments expanded."""
    return expression.replace(
        lambda part: isinstance(part, sympy.floor),
        lambda part: _floor(sympy.expand(part.args[0])),
    )


def _floor(argument: Any) -> Any:
    whole = sympy.S.Zero
    for term in sympy.Add.make_args(argument):
        if term.is_Rational:
            whole += sympy.floor(term)
    return whole + sympy.floor(argument - whole, evaluate=False)


def _same_over(first: Any, second: Any, box: Mapping[Any, Sequence[int]]) -> Verdict:
    names = [str(name) for name in box]
    cases = math.prod(len(given) for given in box.values())
    if cases > MAX_CASES:
        raise ParameterError(f"box must have at most {MAX_CASES} cases, got {cases}")
    values = []
    for name, given in zip(names, box.values(), strict=True):
        listed = tuple(given) if isinstance(given, range) else sequence(name, given)
        values.append([integer(name, n) for n in listed])
    ranges = ", ".join(
        f"{name} {min(each)}…{max(each)}" for name, each in zip(names, values, strict=True) if each
    )
    scope = f"exhaustive over {ranges}"
    run = [_callable(formula, box, names) for formula in (first, second)]
    order = sorted(np.ndindex(*map(len, values)), key=sum)
    for place in order:
        case = {name: each[at] for name, each, at in zip(names, values, place, strict=True)}
        one, other = (_plain(formula(**case)) for formula in run)
        if one != other:
            return refuted(scope, case | {"first": one, "second": other}, "formulas differ")
    return proved(scope, f"{cases} cases agree")


def _callable(formula: Any, box: Mapping[Any, Any], names: list[str]) -> Callable[..., Any]:
    if callable(formula) and not isinstance(formula, sympy.Basic):
        return formula  # type: ignore[no-any-return]
    entries = _entries("formula", formula)
    by_name = {symbol.name: symbol for entry in entries for symbol in entry.free_symbols}
    missing = sorted(set(by_name) - set(names))
    if missing:
        raise ParameterError(f"box must name every symbol, got none for {missing[0]}")

    def run(**case: int) -> Any:
        values = {by_name[name]: n for name, n in case.items() if name in by_name}
        found = tuple(entry.subs(values) for entry in entries)
        return found if isinstance(formula, (tuple, list)) else found[0]

    return run


def _plain(value: Any) -> Any:
    """A size or a tuple of sizes, as Python ints where they are whole."""
    if isinstance(value, (tuple, list)):
        return tuple(map(_plain, value))
    return int(value) if isinstance(value, (int, np.integer, sympy.Integer)) else value


def _held(verdict: Verdict) -> Verdict:
    """The verdict, if it is proved."""
    __tracebackhide__ = True
    if verdict.status == UNDECIDED or not verdict:
        raise AssertionError(str(verdict))
    return verdict
