"""One exact linear program: how high the hull of some points stands over a place.

maximise Σ λ_i·h_i  subject to  Σ λ_i·p_i = q,  Σ λ_i = 1,  λ ≥ 0

over the rationals, by the simplex method with Bland's rule (which never cycles). The dual solution
comes with it: the slope and offset of a supporting plane, or of one that separates q. Weights and
plane together prove the answer, whoever found it.

(SymPy 1.14's `lpmax` is not used: it answers some of these programs with points that violate their
constraints.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

__all__ = ["Height", "hull_height"]

Row = list[Fraction]


@dataclass(frozen=True)
class Height:
    """The height of the upper hull over a place.

    Attributes
    ----------
    value : Fraction or None
        None where the place is outside the hull of the points.
    slope, offset : tuple of Fraction, Fraction
        With a value: slope·p_i + offset >= h_i for all i, and slope·q + offset = value. Without:
        slope·p_i + offset >= 0 for all i and slope·q + offset < 0.
    weights : dict
        i → λ_i of the points that carry the height, none where there is no value.
    """

    value: Fraction | None
    slope: tuple[Fraction, ...]
    offset: Fraction
    weights: dict[int, Fraction]


def hull_height(
    points: Sequence[Sequence[Fraction]], heights: Sequence[Fraction], place: Sequence[Fraction]
) -> Height:
    """Solve the program.

    Examples
    --------
    >>> corners, zero, one = [(Fraction(0),), (Fraction(2),)], Fraction(0), Fraction(1)
    >>> hull_height(corners, [zero, one], (one,)).value
    Fraction(1, 2)
    >>> hull_height(corners, [zero, one], (-one,)).value is None
    True

    References
    ----------
    G. B. Dantzig, *Linear programming and extensions* (1963); R. G. Bland, *New finite pivoting
    rules for the simplex method* (1977).
    """
    rows = [[*(point[axis] for point in points), place[axis]] for axis in range(len(place))]
    rows.append([Fraction(1)] * (len(points) + 1))
    signs = [Fraction(-1 if row[-1] < 0 else 1) for row in rows]
    n, m = len(points), len(rows)
    # One artificial variable per row, all of them basic at first; its column is the inverse basis.
    table = [
        [sign * entry for entry in row[:-1]]
        + [Fraction(int(i == at)) for i in range(m)]
        + [sign * row[-1]]
        for at, (row, sign) in enumerate(zip(rows, signs, strict=True))
    ]
    basis = [n + at for at in range(m)]
    feasible = [Fraction(0)] * n + [Fraction(-1)] * m
    _maximise(table, basis, feasible, n + m)
    if sum((table[at][-1] for at in range(m) if basis[at] >= n), Fraction(0)):
        return Height(None, *_dual(table, basis, feasible, signs, n), {})
    costs = [*heights, *[Fraction(0)] * m]
    _leave(table, basis, n)
    _maximise(table, basis, costs, n)
    value = sum((costs[b] * row[-1] for b, row in zip(basis, table, strict=True)), Fraction(0))
    weights = {b: row[-1] for b, row in zip(basis, table, strict=True) if row[-1]}
    return Height(value, *_dual(table, basis, costs, signs, n), weights)


def _maximise(table: list[Row], basis: list[int], costs: Row, usable: int) -> None:
    """Pivot until no usable column raises the objective."""
    while True:
        entering = next(
            (j for j in range(usable) if j not in basis and _gain(table, basis, costs, j) > 0), None
        )
        if entering is None:
            return
        ratios = [
            (row[-1] / row[entering], basis[at], at)
            for at, row in enumerate(table)
            if row[entering] > 0
        ]
        # The weights sum to 1: nothing is unbounded, so some row always limits the step.
        _pivot(table, basis, min(ratios)[2], entering)


def _gain(table: list[Row], basis: list[int], costs: Row, column: int) -> Fraction:
    below = (costs[b] * row[column] for b, row in zip(basis, table, strict=True) if row[column])
    return costs[column] - sum(below, Fraction(0))


def _pivot(table: list[Row], basis: list[int], at: int, entering: int) -> None:
    factor = table[at][entering]
    table[at] = pivot = [entry / factor for entry in table[at]]
    for other, row in enumerate(table):
        if other != at and row[entering]:
            scale = row[entering]
            table[other] = [
                entry - scale * by if by else entry for entry, by in zip(row, pivot, strict=True)
            ]
    basis[at] = entering


def _leave(table: list[Row], basis: list[int], n: int) -> None:
    """Artificial variables that stand at 0 leave the basis where a point can take their place.

    Where none can, the row is 0 on every point and stays so: it says nothing.
    """
    for at, b in enumerate(basis):
        if b >= n:
            entering = next((j for j in range(n) if table[at][j]), None)
            if entering is not None:
                _pivot(table, basis, at, entering)


def _dual(
    table: list[Row], basis: list[int], costs: Row, signs: Row, n: int
) -> tuple[tuple[Fraction, ...], Fraction]:
    """Costs of the basis times its inverse, which stands in the artificial columns."""
    prices = [
        sign
        * sum((costs[b] * row[n + i] for b, row in zip(basis, table, strict=True)), Fraction(0))
        for i, sign in enumerate(signs)
    ]
    return tuple(prices[:-1]), prices[-1]
