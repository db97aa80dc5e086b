"""Matrices as LaTeX and as text, elided to their corners where they are large."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from typing import Any

import sympy

from symconv.checks import integer

__all__ = ["MAX_WRITTEN", "expression_latex", "html_summary", "matrix_latex", "matrix_text"]

#: Entries up to which a notebook shows a matrix itself, and not only its picture.
MAX_WRITTEN = 2**12


def _shown(n: int, most: int) -> list[int | None]:
    """The indices to show of 0 … n−1, None where the others are left out."""
    if n <= most:
        return list(range(n))
    tail = (most - 1) // 2
    return [*range(most - 1 - tail), None, *range(n - tail, n)]


def _grid(
    matrix: Any, most: tuple[int, int], write: Callable[[Any], str], dots: tuple[str, str, str]
) -> list[list[str]]:
    """The shown entries as text, each looked up by its index; the rest of the matrix is unread."""
    for name, value in zip(("max_rows", "max_columns"), most, strict=True):
        integer(name, value, 3)
    rows, columns = (_shown(n, limit) for n, limit in zip(matrix.shape, most, strict=True))
    across, down, diagonal = dots

    def cell(row: int | None, column: int | None) -> str:
        if row is None:
            return down if column is not None else diagonal
        return across if column is None else write(matrix[row, column])

    return [[cell(row, column) for column in columns] for row in rows]


def expression_latex(expression: Any) -> str:
    """SymPy's LaTeX with the indices of ``w_0_1`` separated by commas."""
    names = {}
    expression = sympy.sympify(expression, strict=True)
    for symbol in expression.free_symbols:
        match = re.fullmatch(r"([^\W\d_]+)((?:_\d+)+)", symbol.name)
        if match:
            indices = ",".join(match[2].split("_")[1:])
            names[symbol] = f"{sympy.latex(sympy.Symbol(match[1]))}_{{{indices}}}"
    return str(sympy.latex(expression, symbol_names=names))


def matrix_latex(matrix: Any, max_rows: int = 12, max_columns: int = 12) -> str:
    r"""LaTeX of a SymPy matrix; a large one keeps its corners and gets its size as a subscript.

    Parameters
    ----------
    matrix : sympy.MatrixBase
        Dense or sparse; only the entries shown are looked up.
    max_rows, max_columns : int, at least 3
        Rows and columns to show, the dots included.

    Examples
    --------
    >>> w = sympy.symbols("w_0_0_0 w_0_0_1")
    >>> print(matrix_latex(sympy.ImmutableSparseMatrix([[*w, 0], [0, *w]])))
    \left[\begin{matrix}w_{0,0,0} & w_{0,0,1} & 0\\0 & w_{0,0,0} & w_{0,0,1}\end{matrix}\right]
    >>> print(matrix_latex(sympy.eye(9), 3, 3))
    \left[\begin{matrix}1 & \cdots & 0\\\vdots & \ddots & \vdots\\0 & \cdots
    & 1\end{matrix}\right]_{9 \times 9}
    """
    dots = (r"\cdots", r"\vdots", r"\ddots")
    grid = _grid(matrix, (max_rows, max_columns), expression_latex, dots)
    body = r"\\".join(" & ".join(row) for row in grid)
    # amsmath's matrix ends at ten columns.
    wide = bool(grid) and len(grid[0]) > 10
    begin = rf"\begin{{array}}{{{'c' * len(grid[0])}}}" if wide else r"\begin{matrix}"
    end = r"\end{array}" if wide else r"\end{matrix}"
    rows, columns = matrix.shape
    whole = 0 < rows <= max_rows and 0 < columns <= max_columns
    return rf"\left[{begin}{body}{end}\right]" + ("" if whole else rf"_{{{rows} \times {columns}}}")


def matrix_text(matrix: Any, max_rows: int = 12, max_columns: int = 12) -> str:
    """A SymPy matrix for the terminal, columns aligned; a large one as in `matrix_latex`.

    Examples
    --------
    >>> print(matrix_text(sympy.SparseMatrix([[1, -20, 0], [0, 1, -20]])))
    [1  -20    0]
    [0    1  -20]
    >>> print(matrix_text(sympy.eye(4096), 4, 5))
    [1  0  …  0  0]
    [0  1  …  0  0]
    [⋮  ⋮  ⋱  ⋮  ⋮]
    [0  0  …  0  1]  4096×4096
    """
    grid = _grid(matrix, (max_rows, max_columns), sympy.sstr, ("…", "⋮", "⋱"))
    widths = [max(map(len, column)) for column in zip(*grid, strict=True)]
    lines = [
        "[" + "  ".join(text.rjust(n) for text, n in zip(row, widths, strict=True)) + "]"
        for row in grid
    ] or ["[]"]
    rows, columns = matrix.shape
    whole = 0 < rows <= max_rows and 0 < columns <= max_columns
    return "\n".join(lines) + ("" if whole else f"  {rows}×{columns}")


def html_summary(summary: str, formula: str | None = None, picture: str = "") -> str:
    """What a notebook shows of an object: a line of text, a ``$$…$$`` formula, an SVG picture.

    Examples
    --------
    >>> html_summary("<Operator>", "$$a & b$$")
    '<div><code>&lt;Operator&gt;</code></div><div>$$a &amp; b$$</div>'
    """
    # MathJax reads the formula from the page's text, after the browser has undone the escapes.
    parts = (f"<code>{escape(summary)}</code>", escape(formula or ""), picture)
    return "".join(f"<div>{part}</div>" for part in parts if part)
