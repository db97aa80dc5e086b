"""The two matrices of a small counterexample as text, side by side."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from symconv.verifying.recovering import Coefficient, Responses, coefficients_of
from symconv.verifying.sampling import Session

__all__ = ["picture"]

#: Rows and columns up to which the matrices are drawn.
MAX_ROWS, MAX_COLUMNS = 8, 10


def picture(session: Session, found: Responses) -> str:
    """What each output reads of each input: right on the left, found on the right.

    Entries are flat weight numbers (``w2``) or factors; empty where nothing is asked for or the
    matrices are large.
    """
    problem = session.problem
    rows, columns = math.prod(problem.output_shape), math.prod(problem.shapes[0])
    if rows > MAX_ROWS or columns > MAX_COLUMNS or problem.is_summed:
        return ""
    sides = [_texts(session, found, right) for right in (True, False)]
    blocks = []
    for title, grid in zip(("right", "found"), sides, strict=True):
        width = max((len(text) for row in grid for text in row), default=1)
        lines = ["[" + "  ".join(text.rjust(width) for text in row) + "]" for row in grid]
        blocks.append([title, *lines])
    width = max(map(len, blocks[0]))
    pairs = zip(*blocks, strict=True)
    return "\n".join(f"{left.ljust(width)}   {right}".rstrip() for left, right in pairs)


def _texts(session: Session, found: Responses, right: bool) -> list[list[str]]:
    problem = session.problem
    rows, columns = math.prod(problem.output_shape), math.prod(problem.shapes[0])
    cells: list[list[list[str]]] = [[[] for _ in range(columns)] for _ in range(rows)]
    for row, output in enumerate(np.ndindex(*problem.output_shape)):
        for each in coefficients_of(session, found, output, right):
            if each.input is not None:
                column = int(np.ravel_multi_index(each.input, problem.shapes[0]))
                cells[row][column].append(_cell(each, problem.shapes))
    return [["+".join(cell) or "·" for cell in line] for line in cells]


def _cell(each: Coefficient, shapes: tuple[tuple[int, ...], ...]) -> str:
    fraction = Fraction(each.value).limit_denominator(10**4)
    if each.weight is None:
        return str(fraction)
    factor = {"1": "", "-1": "−"}.get(str(fraction), str(fraction))
    return f"{factor}w{int(np.ravel_multi_index(each.weight, shapes[1]))}"
