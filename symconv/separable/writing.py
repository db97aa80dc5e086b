"""Separations as text and LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import sympy

from symconv.rendering.text import expression_latex

__all__ = ["MAX_TERMS", "sum_latex", "sum_lines"]

#: Terms that are written.
MAX_TERMS = 6

#: Entries of a vector that are written as text.
MAX_ENTRIES = 16

#: Vectors, one per axis, whose outer product is a separable kernel.
Term = tuple[tuple[Any, ...], ...]


def sum_lines(terms: Sequence[Term]) -> list[str]:
    """A line for each term, vectors joined by ⊗.

    Examples
    --------
    >>> sum_lines([((1, 2), (3, 4))])
    ['  (1, 2) ⊗ (3, 4)']
    """
    lines: list[str] = []
    for term in terms[:MAX_TERMS]:
        vectors = " ⊗ ".join(f"({', '.join(_listed(vector))})" for vector in term)
        lines.append(f"{'+ ' if lines else '  '}{vectors}")
    if len(terms) > MAX_TERMS:
        lines.append(f"+ {len(terms) - MAX_TERMS} more")
    return lines


def _listed(vector: Sequence[Any]) -> list[str]:
    """The entries as text; of a long vector the ends."""
    if len(vector) <= MAX_ENTRIES:
        return [_written(entry) for entry in vector]
    ends = [*vector[: MAX_ENTRIES - 2], *vector[-1:]]
    return [*map(_written, ends[:-1]), "…", _written(ends[-1])]


def _written(entry: Any) -> str:
    return f"{entry:.6g}" if isinstance(entry, float) else str(entry)


def sum_latex(kernel: Any, terms: Sequence[Term], relation: str) -> str:
    r"""The kernel (its rows, or None for K) as a sum of columns times rows; on more axes of ⊗.

    Examples
    --------
    >>> print(sum_latex(None, [((1, 2), (3, 4))], "="))
    K = \left[\begin{matrix}1\\2\end{matrix}\right] \left[\begin{matrix}3 & 4\end{matrix}\right]
    """
    written = [_term_latex(term) for term in terms[:MAX_TERMS]] or ["0"]
    if len(terms) > MAX_TERMS:
        written.append(r"\cdots")
    return f"{'K' if kernel is None else _matrix(kernel)} {relation} {' + '.join(written)}"


def _entry(entry: Any) -> str:
    if isinstance(entry, float):
        return str(sympy.latex(sympy.N(entry, 6)))
    if isinstance(entry, Fraction):
        entry = sympy.Rational(entry.numerator, entry.denominator)
    return expression_latex(entry)


def _matrix(rows: Sequence[Sequence[Any]]) -> str:
    body = r"\\".join(" & ".join(map(_entry, row)) for row in rows)
    if len(rows[0]) > 10:
        # amsmath's matrix ends at ten columns.
        return rf"\left[\begin{{array}}{{{'c' * len(rows[0])}}}{body}\end{{array}}\right]"
    return rf"\left[\begin{{matrix}}{body}\end{{matrix}}\right]"


def _term_latex(term: Term) -> str:
    if len(term) != 2:
        return r" \otimes ".join(_matrix([vector]) for vector in term)
    column, row = term
    return f"{_matrix([[entry] for entry in column])} {_matrix([row])}"
