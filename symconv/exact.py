"""Exact sparse matrices: the only room that touches SymPy's domain matrices.

Entries are converted once per distinct weight and placed by index arrays, so that a matrix costs
little more than SymPy itself needs to hold it.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy
from sympy.polys.matrices import DomainMatrix

from symconv.algebras import Algebra
from symconv.execute.csr import Entries

__all__ = ["ENTRY_BYTES", "ROW_BYTES", "domain_elements", "domain_matrix", "to_sympy"]

Array = npt.NDArray[Any]

#: Memory of one entry of a SymPy sparse matrix, measured (dictionary, keys, wrapped index pairs).
ENTRY_BYTES = 1200

#: Memory of one row on the way to it, empty or not.
ROW_BYTES = 64


def domain_elements(array: Array, algebra: Algebra) -> tuple[Array, Any]:
    """The entries as elements of ZZ, QQ or EXRAW (plain SymPy expressions), with that domain."""
    if algebra is Algebra.INTEGER:
        domain, convert = sympy.ZZ, sympy.ZZ
    elif algebra is Algebra.RATIONAL:
        domain = sympy.QQ

        def convert(value: Any) -> Any:
            return domain(value.numerator, value.denominator)
    else:
        domain, convert = sympy.EXRAW, partial(sympy.sympify, strict=True)
    elements = np.empty(array.size, dtype=object)
    for at, value in enumerate(array.ravel().tolist()):
        elements[at] = convert(value)
    return elements.reshape(array.shape), domain


def domain_matrix(entries: Entries, domain: Any) -> DomainMatrix:
    """The sparse domain matrix; entries that are zero are left out, so that equality is exact."""
    columns, data, ends = entries.indices.tolist(), entries.data.tolist(), entries.indptr.tolist()
    rows = {}
    for row, (start, end) in enumerate(pairwise(ends)):
        pairs = zip(columns[start:end], data[start:end], strict=True)
        stored = {column: value for column, value in pairs if value}
        if stored:
            rows[row] = stored
    return DomainMatrix(rows, entries.shape, domain)


def to_sympy(matrix: DomainMatrix) -> sympy.ImmutableSparseMatrix:
    """The immutable SymPy matrix with the same entries."""
    return sympy.ImmutableSparseMatrix(matrix.to_Matrix())
