"""Smallest assignments, found by going through whole boxes: counterexamples and witnesses.

The order: the largest magnitude first, then the sum of magnitudes, then the values in the order of
the variables, a smaller magnitude first and + before −. A search goes through every assignment
before the one it returns, so what it returns is the smallest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.proving.checker import Atom, Poly, branches, conditions, parse
from symconv.proving.tracing import Path, Statement

__all__ = ["SearchTooLargeError", "counterexample", "order", "witnesses"]

IntArray = npt.NDArray[np.int64]
Columns = dict[str, IntArray]

#: Assignments that are looked at together.
CHUNK = 1 << 18
#: Assignments that a search looks at before it gives up.
MAX_ROWS = 200_000_000


class SearchTooLargeError(Exception):
    """The box has too many assignments."""


def order(values: Sequence[int]) -> tuple[Any, ...]:
    """The key by which assignments are compared.

    Examples
    --------
    >>> sorted([(2, 0), (1, 1), (-1, 0), (1, 0)], key=order)
    [(1, 0), (-1, 0), (1, 1), (2, 0)]
    """
    sizes = [abs(value) for value in values]
    return max(sizes, default=0), sum(sizes), [(abs(value), value < 0) for value in values]


def _value(a: Poly, columns: Columns, length: int) -> IntArray:
    total = np.zeros(length, dtype=np.int64)
    for monomial, coefficient in a.items():
        part: Any = coefficient
        for name in monomial:
            part = part * columns[name]
        total += part
    return total


def _names(a: Poly) -> set[str]:
    return {name for monomial in a for name in monomial}


class _Constraint:
    """A disjunction of conjunctions of atoms."""

    def __init__(self, cases: list[list[Atom]]) -> None:
        self.cases = cases
        self.names = {name for case in cases for _, a in case for name in _names(a)}

    def holds(self, columns: Columns, length: int) -> npt.NDArray[np.bool_]:
        some = np.zeros(length, dtype=bool)
        for case in self.cases:
            every = np.ones(length, dtype=bool)
            for kind, a in case:
                value = _value(a, columns, length)
                every &= (value >= 0) if kind == "ge" else (value == 0)
            some |= every
        return some


class _Division:
    """A definition: columns for quotient and remainder."""

    def __init__(self, pair: list[str], dividend: Poly, divisor: Poly) -> None:
        self.pair, self.dividend, self.divisor = pair, dividend, divisor
        self.names = _names(dividend) | _names(divisor)


class _Search:
    """All assignments within a bound that satisfy constraints, variable by variable."""

    def __init__(self, variables: list[str], parts: list[_Constraint | _Division]) -> None:
        self.variables = variables
        self.plan: list[list[_Constraint | _Division]] = []
        self.solved: list[Poly | None] = []
        left = list(parts)
        equations = [
            part.cases[0]
            for part in parts
            if isinstance(part, _Constraint) and len(part.cases) == 1
        ]
        known: set[str] = set()
        self.start = self._ready(left, known)
        for variable in variables:
            self.solved.append(_solution(variable, known, equations))
            known.add(variable)
            self.plan.append(self._ready(left, known))
        self.rows = 0

    @staticmethod
    def _ready(
        left: list[_Constraint | _Division], known: set[str]
    ) -> list[_Constraint | _Division]:
        ready = []
        progress = True
        while progress:
            progress = False
            for part in list(left):
                if part.names <= known:
                    left.remove(part)
                    ready.append(part)
                    if isinstance(part, _Division):
                        known.update(part.pair)
                        progress = True
        return ready

    def solutions(self, bound: int) -> Iterator[IntArray]:
        """The assignments as arrays of rows, in the order of the variables."""
        first = _applied(self.start, {}, 1)
        if first is not None:
            yield from self._below(0, first[0], first[1], bound)

    def _below(self, depth: int, columns: Columns, length: int, bound: int) -> Iterator[IntArray]:
        if depth == len(self.variables):
            rows = np.empty((length, len(self.variables)), dtype=np.int64)
            for place, name in enumerate(self.variables):
                rows[:, place] = columns[name]
            yield rows
            return
        variable, solved = self.variables[depth], self.solved[depth]
        values = np.arange(-bound, bound + 1) if solved is None else None
        step = max(1, CHUNK // (1 if values is None else len(values)))
        for begin in range(0, length, step):
            part = {name: column[begin : begin + step] for name, column in columns.items()}
            size = min(step, length - begin)
            if values is None:
                assert solved is not None  # noqa: S101 - for the type checker
                column = _value(solved, part, size)
                kept = np.abs(column) <= bound
                part = {name: old[kept] for name, old in part.items()}
                part[variable] = column[kept]
                size = int(kept.sum())
            else:
                part = {name: np.repeat(old, len(values)) for name, old in part.items()}
                part[variable] = np.tile(values, size)
                size *= len(values)
            self.rows += size
            if self.rows > MAX_ROWS:
                raise SearchTooLargeError(f"more than {MAX_ROWS} assignments up to {bound}")
            found = _applied(self.plan[depth], part, size)
            if found is not None:
                yield from self._below(depth + 1, *found, bound)

    def smallest(self, bounds: Iterable[int]) -> dict[str, int] | None:
        """The first solution in `order`."""
        for bound in bounds:
            best: tuple[Any, ...] | None = None
            for rows in self.solutions(bound):
                peaks = np.abs(rows).max(axis=1, initial=0)
                low = rows[peaks == peaks.min()]
                totals = np.abs(low).sum(axis=1)
                least = low[totals == totals.min()]
                # Sorted as `order` does, for all rows of the least sum at once.
                keys = [2 * np.abs(column) + (column < 0) for column in least.T[::-1]]
                row = least[np.lexsort(keys)[0]].tolist() if keys else []
                key = order(row)
                if best is None or key < best[0]:
                    best = key, row
            if best is not None:
                return dict(zip(self.variables, best[1], strict=True))
        return None


def _solution(variable: str, known: set[str], equations: list[list[Atom]]) -> Poly | None:
    """The value of `variable` that an equation in known names forces, if one does."""
    for case in equations:
        for kind, a in case:
            if kind != "eq":
                continue
            containing = [monomial for monomial in a if variable in monomial]
            if containing != [(variable,)] or not _names(a) - {variable} <= known:
                continue
            coefficient = a[variable,]
            if abs(coefficient) == 1:
                return {m: -coefficient * c for m, c in a.items() if m != (variable,)}
    return None


def _applied(
    parts: list[_Constraint | _Division], columns: Columns, length: int
) -> tuple[Columns, int] | None:
    """The rows that satisfy the constraints, with the new columns; None when there is no row."""
    for part in parts:
        if isinstance(part, _Division):
            divisor = _value(part.divisor, columns, length)
            kept = divisor >= 1
            columns = {name: column[kept] for name, column in columns.items()}
            length = int(kept.sum())
            dividend = _value(part.dividend, columns, length)
            divisor = divisor[kept]
            columns[part.pair[0]], columns[part.pair[1]] = np.divmod(dividend, divisor)
        else:
            kept = part.holds(columns, length)
            columns = {name: column[kept] for name, column in columns.items()}
            length = int(kept.sum())
        if not length:
            return None
    return columns, length


def _parts(
    path: Path, variables: list[str], without: frozenset[str] = frozenset()
) -> tuple[list[_Constraint | _Division], list[str]]:
    """Assumptions, answers and definitions of a path, without the kinds named."""
    names = list(variables)
    parts: list[_Constraint | _Division] = []
    for step in path.steps:
        if "define" in step:
            dividend, divisor = parse(step["dividend"], names), parse(step["divisor"], names)
            parts.append(_Division(step["define"], dividend, divisor))
            names += step["define"]
            continue
        for kind in {"assume", "given", "answer"} - without:
            if kind in step:
                cases = branches(step[kind], names)
                # Atoms one by one can be used as soon as their names are known.
                single = [[[atom]] for atom in cases[0]] if len(cases) == 1 else [cases]
                parts += [_Constraint(case) for case in single]
    return parts, names


def counterexample(
    statement: Statement, bounds: Iterable[int], *, near_miss: bool = False
) -> dict[str, int] | None:
    """The smallest assignment that satisfies the assumptions and breaks a conclusion.

    With `near_miss`, the conditions (`Trace.given`) are dropped, and the conclusions are those of
    `Trace.instead` where there are any.
    """
    without = frozenset({"given"}) if near_miss else frozenset()
    searches = []
    for path in statement.paths:
        parts, names = _parts(path, statement.variables, without)
        kind = "show"
        if near_miss and any("instead" in step for step in path.steps):
            kind = "instead"
        for step in path.steps:
            for case in branches(step[kind], names, False) if kind in step else ():
                constraints = [_Constraint([[atom]]) for atom in case]
                searches.append(_Search(statement.variables, [*parts, *constraints]))
    for bound in bounds:
        solutions = [search.smallest([bound]) for search in searches]
        if found := [solution for solution in solutions if solution is not None]:
            return min(found, key=lambda values: order(list(values.values())))
    return None


def witnesses(statement: Statement, bounds: Iterable[int]) -> list[dict[str, int]]:
    """Assignments that reach every conclusion and every left side of an "if" in it."""
    limits = tuple(bounds)
    found: list[dict[str, int]] = []
    for path in statement.paths:
        parts, names = _parts(path, statement.variables)
        for step in path.steps:
            for condition in conditions(step["show"]) if "show" in step else ():
                searches = [
                    _Search(
                        statement.variables,
                        [*parts, *(_Constraint([[atom]]) for atom in case)],
                    )
                    for case in branches(condition, names)
                ]
                # Bound by bound, so that a case that never holds is not searched to the last one.
                for bound in limits:
                    solutions = [search.smallest([bound]) for search in searches]
                    options = [solution for solution in solutions if solution is not None]
                    if options:
                        best = min(options, key=lambda v: order(list(v.values())))
                        if best not in found:
                            found.append(best)
                        break
    return found
