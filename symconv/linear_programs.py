"""One exact linear program: how high the hull of some points stands over a place.

maximise Σ λ_i·h_i  subject to  Σ λ_i·p_i = q,  Σ λ_i = 1,  λ ≥ 0

over the rationals, by the simplex method with Bland's rule (which never cycles) in a table of
integers over one denominator (J. Edmonds' integer pivoting: every division is exact). The dual
solution comes with it: the slope and offset of a supporting plane, or of one that separates q.
Weights and plane together prove the answer, whoever found it.

(SymPy 1.14's `lpmax` is not used: it answers some of these programs with points that violate their
constraints.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Height", "hull_height"]

Array = npt.NDArray[Any]


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
    scale = math.lcm(*(value.denominator for row in (*points, place) for value in row))
    raised = math.lcm(*(height.denominator for height in heights))
    n, m = len(points), len(place) + 1
    program = np.zeros((m, n + m + 1), dtype=object)
    for axis in range(m - 1):
        program[axis, :n] = [int(point[axis] * scale) for point in points]
        program[axis, -1] = int(place[axis] * scale)
    program[-1, :n] = program[-1, -1] = 1
    signs = [-1 if row[-1] < 0 else 1 for row in program]
    program = program * np.array(signs, dtype=object)[:, None]
    # One artificial variable per row, all of them basic at first; its column is the inverse basis.
    program[:, n : n + m] = np.eye(m, dtype=int).astype(object)
    table = _Table(program, [n + at for at in range(m)])

    def dual(costs: Array, unit: int) -> tuple[tuple[Fraction, ...], Fraction]:
        prices = costs[table.basis] @ table.rows[:, n : n + m]
        exact = [
            Fraction(sign * price, unit * table.denominator)
            for sign, price in zip(signs, prices, strict=True)
        ]
        return tuple(price * scale for price in exact[:-1]), exact[-1]

    missing = np.array([0] * n + [-1] * m, dtype=object)
    table.maximise(missing, n + m)
    if missing[table.basis] @ table.rows[:, -1]:
        return Height(None, *dual(missing, 1), {})
    table.leave(n)
    costs = np.array([int(height * raised) for height in heights] + [0] * m, dtype=object)
    table.maximise(costs, n)
    reached = int(costs[table.basis] @ table.rows[:, -1])
    value = Fraction(reached, raised * table.denominator)
    weights = {
        b: Fraction(row[-1], table.denominator)
        for b, row in zip(table.basis, table.rows, strict=True)
        if row[-1]
    }
    return Height(value, *dual(costs, raised), weights)


class _Table:
    """The simplex table: rows over one denominator, and which variable each row stands for."""

    def __init__(self, rows: Array, basis: list[int]) -> None:
        self.rows, self.basis, self.denominator = rows, basis, 1

    def maximise(self, costs: Array, usable: int) -> None:
        """Pivot until no usable column raises the objective."""
        while True:
            used = costs[self.basis] @ self.rows[:, :usable]
            gains = np.flatnonzero(costs[:usable] * self.denominator > used)
            if not len(gains):
                return
            entering = int(gains[0])
            ratios = [
                (Fraction(row[-1], row[entering]), self.basis[at], at)
                for at, row in enumerate(self.rows)
                if row[entering] > 0
            ]
            # The weights sum to 1: nothing is unbounded, so some row always limits the step.
            self.pivot(min(ratios)[2], entering)

    def pivot(self, at: int, entering: int) -> None:
        """Let a variable enter the basis in one row."""
        if self.rows[at, entering] < 0:
            self.rows[at] = -self.rows[at]
        pivot = self.rows[at].copy()
        moved = self.rows * pivot[entering] - np.multiply.outer(self.rows[:, entering], pivot)
        self.rows = moved // self.denominator
        self.rows[at] = pivot
        self.denominator = pivot[entering]
        self.basis[at] = entering

    def leave(self, n: int) -> None:
        """Artificial variables that stand at 0 leave where a point can take their place.

        Where none can, the row is 0 on every point and stays so: it says nothing.
        """
        for at, b in enumerate(self.basis):
            usable = np.flatnonzero(self.rows[at, :n] != 0)
            if b >= n and len(usable):
                self.pivot(at, int(usable[0]))
