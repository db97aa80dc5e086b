"""Exact matrices against SymPy itself: assembly, and the product with a vector.

Assembly: at most 2× the time SymPy needs to wrap the finished dictionary, once into the mutable
`SparseMatrix` (against our entries alone) and once into the immutable one (against the whole
``op.exact()``). Product: at most 2× DomainMatrix's own for a 64×64 image, results equal.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import sympy
from common import best, finish, report
from sympy.polys.matrices import DomainMatrix

import symconv as sc
from symconv import matrices
from symconv.algebras import Algebra
from symconv.exact import domain_matrix

SIZE = (64, 64)


def assembly(weight: np.ndarray | None, name: str) -> list[bool]:
    op = sc.Conv2d(1, 1, 3, padding=1, bias=False).operator(SIZE)
    exact_time, exact = best(lambda: op.exact(weight), 3)
    dictionary = dict(exact.todok())
    assert len(dictionary) == op.nnz == (3 * 64 - 2) ** 2
    wrap, wrapped = best(lambda: sympy.ImmutableSparseMatrix(*op.shape, dictionary), 3)
    assert wrapped == exact
    mutable, wrapped = best(lambda: sympy.SparseMatrix(*op.shape, dictionary), 3)
    assert wrapped == exact

    def entries() -> DomainMatrix:
        fresh = sc.Conv2d(1, 1, 3, padding=1, bias=False).operator(SIZE)
        given = fresh.weight_symbols() if weight is None else weight
        algebra = Algebra.SYMBOLIC if weight is None else Algebra.INTEGER
        return domain_matrix(*matrices.exact_entries(fresh._oriented, (given, algebra)))

    entries_time, domain = best(entries, 3)
    assert domain.to_Matrix() == exact.as_mutable()
    return [
        report(f"exact matrix, {name}", exact_time, "wrapping into ImmutableSparseMatrix", wrap, 2),
        report(f"its entries, {name}", entries_time, "wrapping into SparseMatrix", mutable, 2),
    ]


def product(weight: np.ndarray, x: np.ndarray, name: str) -> bool:
    op = sc.Conv2d(1, 1, 3, padding=1, bias=False).operator(SIZE)
    domain = op.exact(weight).to_DM()
    column = sympy.Matrix(x.ravel().tolist()).to_DM(domain.domain)
    peer, expected = best(lambda: domain * column.to_sparse(), 5)
    ours, y = best(lambda: op.apply(x[None], weight), 5)
    assert y.ravel().tolist() == [Fraction(str(v)) for v in expected.to_Matrix()]
    return report(f"exact product, {name}", ours, "DomainMatrix's own product", peer, 2)


def main() -> None:
    rng = np.random.default_rng(0)
    weight = rng.integers(1, 10, (1, 1, 3, 3))
    x = rng.integers(-255, 256, SIZE)
    to_fraction = np.vectorize(lambda v: Fraction(int(v), 7), otypes=[object])
    huge = weight.astype(object) * 10**30
    finish(
        [
            *assembly(None, "symbols"),
            *assembly(weight, "integers"),
            product(weight, x, "integers"),
            product(to_fraction(weight), to_fraction(x), "Fractions"),
            product(huge, x, "integers beyond 64 bits"),
        ]
    )


if __name__ == "__main__":
    main()
