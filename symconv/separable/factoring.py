"""Rank factorizations: a matrix as columns times rows, exactly, with small entries.

``M = C·R`` with as many columns in C (rows in R) as the rank of M. Integers stay integers: R is a
short basis of *all* integer vectors in the row space of M (a saturated lattice), so that C is
integral too. For rank 1 that is the primitive vector and its multiples, the notes' column × row.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import sympy

from symconv.dense import (
    field_rank,
    field_rank_factors,
    integer_rank,
    specialised,
)
from symconv.errors import TooLargeError
from symconv.modular.elimination import prime_at
from symconv.modular.integer_matrix import IntegerMatrix
from symconv.modular.ranks import column_basis, eliminated, prove_rank

__all__ = ["MAX_LATTICE", "field_factors", "integer_factors", "matrix_rank"]

Rows = list[list[Any]]

#: Rank and side up to which rows come from a lattice, whose integers grow; beyond, from
#: elimination modulo primes, as fractions.
MAX_LATTICE = 24

#: Side × side × rank up to which the terms of a large matrix without full rank are computed; what
#: their integers take grows faster.
MAX_PRODUCTS = 2**25

#: Side up to which dependent rational functions are eliminated: numerators and denominators grow.
MAX_SYMBOLIC = 8

#: A prime whose residues multiply within int64.
PRIME = 2**31 - 1


def matrix_rank(rows: Rows) -> int:
    """The exact rank of a matrix of integers.

    Modulo a prime first: that rank is a lower bound, which decides full rank.

    Examples
    --------
    >>> matrix_rank([[3, 6], [4, 8]]), matrix_rank([[2**31 - 1, 0], [0, 1]])
    (1, 2)
    """
    core, _, _ = _distinct(rows)
    if not core:
        return 0
    full = min(len(core), len(core[0]))
    if full == 1 or _rank_modulo(core) == full:
        return full
    return integer_rank(core) if full <= MAX_LATTICE else prove_rank(*_modular(core)).rank


def _modular(rows: Rows) -> tuple[IntegerMatrix, tuple[int], tuple[int]]:
    """The matrix with the shapes that its columns and rows index."""
    array = np.array(rows, dtype=object)
    return IntegerMatrix.of(array), (array.shape[1],), (array.shape[0],)


def _distinct(rows: Rows) -> tuple[Rows, list[int], list[int]]:
    """The matrix of its different rows and columns without zero ones, and where each stands.

    Kernels are often mirror images of themselves; the number of a zero row or column is −1.
    """
    rows, row_at = _different(rows)
    if not rows:
        return [], row_at, []
    columns, column_at = _different(_transposed(rows))
    return _transposed(columns), row_at, column_at


def _different(rows: Rows) -> tuple[Rows, list[int]]:
    found: dict[tuple[Any, ...], int] = {}
    at = [found.setdefault(row, len(found)) if any(row) else -1 for row in map(tuple, rows)]
    return [list(row) for row in found], at


def _rank_modulo(rows: Rows) -> int:
    residues = [[int(entry) % PRIME for entry in row] for row in rows]
    matrix, rank = np.array(residues, dtype=np.int64), 0
    for column in range(matrix.shape[1]):
        at = rank + int(np.argmax(matrix[rank:, column] != 0))
        if not matrix[at, column]:
            continue
        matrix[[rank, at]] = matrix[[at, rank]]
        inverse = pow(int(matrix[rank, column]), -1, PRIME)
        factors = matrix[rank + 1 :, column] * inverse % PRIME
        below = matrix[rank + 1 :, column:]
        below -= factors[:, None] * matrix[rank, column:] % PRIME
        below %= PRIME
        rank += 1
        if rank == len(rows):
            break
    return rank


def integer_factors(rows: Rows) -> tuple[Rows, Rows]:
    """C and R with C·R = M and the fewest columns, for a matrix of integers.

    Parameters
    ----------
    rows : list of list of int

    Returns
    -------
    columns, rows : list of list
        The vectors whose outer products sum to M; the second of each pair is primitive (its
        integers have no common divisor), the first carries the rest. All are integers up to rank
        and sides of `MAX_LATTICE`; beyond, the columns of a deficient matrix may be Fractions.

    Examples
    --------
    >>> integer_factors([[3, 6, 9], [4, 8, 12], [5, 10, 15]])
    ([[3, 4, 5]], [[1, 2, 3]])
    >>> integer_factors([[0, 1, 0], [1, -4, 1], [0, 1, 0]])
    ([[1, 0, 1], [0, 1, 0]], [[0, 1, 0], [1, -4, 1]])
    """
    core, row_at, column_at = _distinct(rows)
    columns, others = _core_factors(core) if core else ([], [])
    return [_placed(c, row_at) for c in columns], [_placed(r, column_at) for r in others]


def _placed(vector: Sequence[Any], at: list[int]) -> list[Any]:
    return [vector[number] if number >= 0 else 0 for number in at]


def _core_factors(rows: Rows) -> tuple[Rows, Rows]:
    m, n = len(rows), len(rows[0])
    if max(m, n) > MAX_LATTICE:
        return _large_factors(rows)
    rank = matrix_rank(rows)
    if rank == m:
        return _tidied(_identity(m), rows)
    if rank == n:
        return _tidied(_transposed(rows), _identity(n))
    # From the rows or from the columns, whichever gives the smaller integers.
    by_rows = _tidied(*_lattice(rows))
    columns, others = _lattice(_transposed(rows))
    by_columns = _tidied(others, columns)
    return min(by_rows, by_columns, key=_size)


def _large_factors(rows: Rows) -> tuple[Rows, Rows]:
    """Independent columns, and every column as a combination of them; rows where they are fewer."""
    m, n = len(rows), len(rows[0])
    if m < n:
        columns, others = _large_factors(_transposed(rows))
        pairs = [_cleared_pair(*pair) for pair in zip(others, columns, strict=True)]
        return _tidied(*map(list, zip(*pairs, strict=True)))
    matrix, shape, _ = _modular(rows)
    # Modulo a prime it is no larger, which decides full rank.
    rank = eliminated(matrix, shape, prime_at(0), keep=False).rank
    if rank == n:
        return _tidied(_transposed(rows), _identity(n))
    if m * n * rank > MAX_PRODUCTS:
        raise TooLargeError(
            f"kernel must have rank at most {MAX_PRODUCTS // (m * n)} at {m}×{n} for exact terms "
            f"where rows are dependent, got at least {rank}; crop it"
        )
    basis, free, vectors = column_basis(matrix)
    columns, others = [], []
    for at in basis.tolist():
        # What one basic column gives to each of the others.
        row: list[Any] = [0] * n
        row[at] = 1
        for j, f in enumerate(free.tolist()):
            row[f] = Fraction(-int(vectors[at, j]), int(vectors[f, j]))
        column, row = _cleared_pair([line[at] for line in rows], row)
        columns.append(column)
        others.append(row)
    return _tidied(columns, others)


def _cleared_pair(column: Sequence[Any], row: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """The same outer product with integers in the row."""
    below = math.lcm(*(Fraction(entry).denominator for entry in row))
    return [Fraction(entry) / below for entry in column], [int(entry * below) for entry in row]


def _size(factors: tuple[Rows, Rows]) -> int:
    return sum(abs(entry) for part in factors for vector in part for entry in vector)


def _identity(n: int) -> Rows:
    return [[int(i == j) for j in range(n)] for i in range(n)]


def _transposed(rows: Rows) -> Rows:
    return [list(column) for column in zip(*rows, strict=True)]


def _lattice(rows: Rows) -> tuple[Rows, Rows]:
    """Integer C (as columns) and a short R spanning every integer vector of the row space.

    Euclid's algorithm on the columns of M: M·V = [H | 0] with a unimodular V, so M = H·R with R
    the first rows of V⁻¹.
    """
    columns, inverse, done = _transposed(rows), _identity(len(rows[0])), 0
    for row in range(len(rows)):
        live = [at for at in range(done, len(columns)) if columns[at][row]]
        while len(live) > 1:
            least = min(live, key=lambda at: abs(columns[at][row]))
            pivot = columns[least]
            for at in live:
                if at != least:
                    times = columns[at][row] // pivot[row]
                    columns[at] = _plus(columns[at], -times, pivot)
                    inverse[least] = _plus(inverse[least], times, inverse[at])
            live = [at for at in live if columns[at][row]]
        if live:
            for part in (columns, inverse):
                part[done], part[live[0]] = part[live[0]], part[done]
            done += 1
    return _shortened(columns[:done], inverse[:done])


def _shortened(columns: Rows, rows: Rows) -> tuple[Rows, Rows]:
    """The rows made a short basis of their lattice, the columns changed to keep the product.

    A. Lenstra, H. Lenstra, L. Lovász (1982) with δ = 3/4, in integers: H. Cohen, *A Course in
    Computational Algebraic Number Theory* (1993), algorithm 2.6.7. (SymPy 1.14's own fails an
    assertion on plain Python ints.) `minors` are the Gram determinants of the first rows, and
    `along` the Gram–Schmidt coefficients times those.
    """
    n = len(rows)
    minors, along = [1] * (n + 1), [[0] * n for _ in range(n)]
    known, k = -1, 0

    def reduce(below: int) -> None:
        times = (2 * along[k][below] + minors[below + 1]) // (2 * minors[below + 1])
        if times:
            rows[k] = _plus(rows[k], -times, rows[below])
            columns[below] = _plus(columns[below], times, columns[k])
            along[k][below] -= times * minors[below + 1]
            for i in range(below):
                along[k][i] -= times * along[below][i]

    while k < n:
        if k > known:
            known = k
            for j in range(k + 1):
                value = sum(a * b for a, b in zip(rows[k], rows[j], strict=True))
                for i in range(j):
                    value = (minors[i + 1] * value - along[k][i] * along[j][i]) // minors[i]
                along[k][j] = value
            minors[k + 1] = along[k][k]
        if not k:
            k = 1
            continue
        reduce(k - 1)
        last = along[k][k - 1]
        if 4 * (minors[k + 1] * minors[k - 1] + last**2) >= 3 * minors[k] ** 2:
            for below in reversed(range(k - 1)):
                reduce(below)
            k += 1
            continue
        for part in (rows, columns):
            part[k - 1], part[k] = part[k], part[k - 1]
        for j in range(k - 1):
            along[k - 1][j], along[k][j] = along[k][j], along[k - 1][j]
        minor = (minors[k - 1] * minors[k + 1] + last**2) // minors[k]
        for i in range(k + 1, known + 1):
            value = along[i][k]
            along[i][k] = (minors[k + 1] * along[i][k - 1] - last * value) // minors[k]
            along[i][k - 1] = (minor * value + last * along[i][k]) // minors[k + 1]
        minors[k] = minor
        k = max(k - 1, 1)
    return columns, rows


def _plus(vector: Sequence[Any], times: Any, other: Sequence[Any]) -> list[Any]:
    return [a + times * b for a, b in zip(vector, other, strict=True)]


def _tidied(columns: Rows, rows: Rows) -> tuple[Rows, Rows]:
    """Each row primitive and each pair with as few minus signs as can be, the column's before."""
    heads, tails = [], []
    for column, row in zip(columns, rows, strict=True):
        content = math.gcd(*row)
        head = [plain(entry * content) for entry in column]
        tail = [entry // content for entry in row]
        if _signs(head, tail) > _signs(_negated(head), _negated(tail)):
            head, tail = _negated(head), _negated(tail)
        heads.append(head)
        tails.append(tail)
    return heads, tails


def _negated(vector: Sequence[Any]) -> list[Any]:
    return [-entry for entry in vector]


def _signs(head: Sequence[Any], tail: Sequence[Any]) -> tuple[int, bool]:
    """Negative entries of both; where that decides nothing, whether the column begins with one."""
    first = next((entry for entry in head if entry), 0)
    return sum(entry < 0 for entry in (*head, *tail)), first < 0


def plain(entry: Any) -> Any:
    """A whole Fraction as an int."""
    return int(entry) if isinstance(entry, Fraction) and entry.denominator == 1 else entry


def field_factors(rows: Rows, domain: Any) -> tuple[Rows, Rows]:
    """C and R with C·R = M and the fewest columns, for elements of a SymPy field.

    For rank 1 over rational functions the row is a primitive polynomial vector where the kernel
    is polynomial, and so is the column (Gauss's lemma); over QQ(α) the row is rational where it
    can be, and then primitive integers.

    Examples
    --------
    >>> QQ = sympy.QQ
    >>> field_factors([[QQ(1), QQ(2)], [QQ(2), QQ(4)]], QQ) == ([[1, 2]], [[1, 2]])
    True
    """
    core, row_at, column_at = _distinct(rows)
    columns, others = _core_field_factors(core, domain) if core else ([], [])
    return (
        [_filled(column, row_at, domain) for column in columns],
        [_filled(row, column_at, domain) for row in others],
    )


def _filled(vector: Sequence[Any], at: list[int], domain: Any) -> list[Any]:
    return [vector[number] if number >= 0 else domain.zero for number in at]


def _core_field_factors(rows: Rows, domain: Any) -> tuple[Rows, Rows]:
    m, n = len(rows), len(rows[0])
    # At numbers in place of the symbols the rank is never larger, which decides full rank.
    least = field_rank(*specialised(rows, domain))
    if least == 1 and _is_proportional(rows):
        # Without zero rows and columns every entry of a matrix of rank 1 differs from 0.
        row = [entry / rows[0][0] for entry in rows[0]]
        factor = _row_factor(row, domain)
        head = [line[0] / factor for line in rows]
        return [head], [[entry * factor for entry in row]]
    if least < min(m, n):
        if domain.is_FractionField and min(m, n) > MAX_SYMBOLIC:
            raise TooLargeError(
                f"kernel must have at most {MAX_SYMBOLIC} different rows or columns where symbols "
                f"make them dependent, got {min(m, n)}; substitute numbers"
            )
        pivots, found = field_rank_factors(rows, domain)
        least = len(pivots)
    unit = [[domain.one if i == j else domain.zero for j in range(least)] for i in range(least)]
    if least == m:
        return unit, rows
    if least == n:
        return _transposed(rows), unit
    return [[line[at] for line in rows] for at in pivots], found


def _is_proportional(rows: Rows) -> bool:
    """Whether all 2×2 minors with the first entry vanish."""
    first, pivot = rows[0], rows[0][0]
    if not pivot:
        return False
    # A difference is 0 in one way only; fractions over QQ(α) are not always in lowest terms.
    return not any(
        pivot * entry - row[0] * above
        for row in rows[1:]
        for entry, above in zip(row, first, strict=True)
    )


def _row_factor(row: list[Any], domain: Any) -> Any:
    """What makes a row that begins with 1 primitive: polynomials or integers without a divisor."""
    if not domain.is_FractionField:
        rational = [domain.to_sympy(entry) for entry in row]
        if not all(entry.is_Rational for entry in rational):
            return domain.one
        return domain.from_sympy(_cleared(rational))
    ring = domain.field.ring
    try:
        # The row begins with 1, so the least common denominator leaves no common divisor.
        common = _accumulated(ring.one, [entry.denom for entry in row], lambda a, b: a.lcm(b))
    except (NotImplementedError, AttributeError):
        # Several symbols over an algebraic field have no greatest common divisor in SymPy.
        return domain.one
    cleared = [entry * domain.field(common) for entry in row]
    scale = domain.one
    if ring.domain.is_QQ:
        ground = [c / entry.denom.LC for entry in cleared for c in entry.numer.coeffs()]
        scale = domain.from_sympy(_cleared([ring.domain.to_sympy(c) for c in ground]))
    return domain.field(common) * scale


def _accumulated(start: Any, values: list[Any], join: Callable[[Any, Any], Any]) -> Any:
    for value in values:
        start = join(start, value)
    return start


def _cleared(values: Sequence[Any]) -> Any:
    """The rational that makes rational numbers integers without a common divisor."""
    denominator = math.lcm(*(int(value.q) for value in values))
    whole = math.gcd(*(int(value * denominator) for value in values))
    return sympy.Rational(denominator, whole or 1)
