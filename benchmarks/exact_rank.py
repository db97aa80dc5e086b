"""Exact ranks of operators against python-flint and SymPy in the same run; every answer asserted.

``rank_proof`` is timed whole: assembling the integer matrix, elimination modulo a prime, and the
proof that the rank is no larger. The peers get the finished dense matrix. Deficient operators are
among them: there a plain integer rank has to work with large numbers.
"""

from __future__ import annotations

import numpy as np
import sympy
from common import best, finish, report
from sympy.polys.matrices import DomainMatrix

import symconv as sc
from symconv.kernels import named_kernel
from symconv.linalg import determinant, null_space, rank_proof

try:
    import flint
except ImportError:
    flint = None


def kernel(name: str) -> np.ndarray:
    return named_kernel(name).array()[None, None]


def conv(name: str, n: int, mode: str = "zeros") -> sc.BoundOperator:
    weight = kernel(name)
    padding = weight.shape[-1] // 2
    layer = sc.Conv2d(1, 1, weight.shape[-1], padding=padding, padding_mode=mode, bias=False)
    return layer.operator((n, n)).bind(weight)


def channels(n: int, rows: int) -> sc.BoundOperator:
    """4 → 4 channels, the last one a combination of two others: n·n dependent rows."""
    op = sc.Conv2d(4, 4, 3, padding=1, bias=False).operator((n, n))
    weight = np.random.default_rng(0).integers(-9, 10, op.weight_shape)
    weight[3] = weight[0] - 2 * weight[2]
    assert rows == n * n
    return op.bind(weight)


#: Name → operator, nullity that theory gives.
CASES = {
    "laplacian3, 32×32": (conv("laplacian3", 32), 0),
    "gaussian5, 32×32": (conv("gaussian5", 32), 0),
    "sobel_x, 33×33": (conv("sobel_x", 33), 33),
    "sobel_x circular, 32×32": (conv("sobel_x", 32, "circular"), 94),
    "laplacian3 circular, 32×32": (conv("laplacian3", 32, "circular"), 1),
    "4 channels, 144 dependent rows, 12×12": (channels(12, 144), 144),
}

#: 4096×4096, symconv alone.
LARGE = {
    "sobel_x, 64×64": (conv("sobel_x", 64), 0),
    "laplacian3 circular, 64×64": (conv("laplacian3", 64, "circular"), 1),
    "sobel_x circular, 64×64": (conv("sobel_x", 64, "circular"), 190),
    "4 channels, 1024 dependent rows, 32×32": (channels(32, 1024), 1024),
    "gaussian5, 128×128": (conv("gaussian5", 128), 0),
}


def against_flint(name: str, op: sc.BoundOperator, nullity: int) -> list[bool]:
    ours, proof = best(lambda: rank_proof(op), 3)
    assert proof.rank == op.shape[1] - nullity, (name, proof)
    if flint is None:
        print(f"{name:<46} {ours * 1e3:9.2f} ms   {proof.reason}")
        return []
    dense = flint.fmpz_mat(op.sparse(np.int64).toarray().tolist())
    peer, rank = best(dense.rank, 1)
    assert rank == proof.rank
    return [report(name, ours, "fmpz_mat.rank, dense matrix given", peer, 6)]


def against_sympy(name: str, n: int) -> bool:
    op = conv(name, n)
    ours, proof = best(lambda: rank_proof(op), 3)
    matrix: DomainMatrix = op.exact().to_DM(sympy.ZZ)
    peer, rank = best(matrix.convert_to(sympy.QQ).rank, 1)
    assert rank == proof.rank
    return report(f"{name}, {n}×{n}", ours, "sparse DomainMatrix.rank over QQ", peer, 1)


def main() -> None:
    results = [within for name, case in CASES.items() for within in against_flint(name, *case)]
    results.append(against_sympy("sobel_x", 17))
    results.append(against_sympy("gaussian5", 16))
    for name, (op, nullity) in LARGE.items():
        seconds, proof = best(lambda op=op: rank_proof(op), 1)
        assert proof.rank == op.shape[1] - nullity
        size = f"{op.shape[0]}×{op.shape[1]}"
        print(f"{name:<46} {seconds * 1e3:9.2f} ms   {size}: {proof.reason}")
    op = CASES["sobel_x circular, 32×32"][0]
    seconds, basis = best(lambda: null_space(op), 3)
    assert basis.shape == (94, 1, 32, 32)
    assert not np.any(op.operator.apply(basis, op.weight))
    print(f"{'null space of it, 94 vectors':<46} {seconds * 1e3:9.2f} ms")
    op = conv("laplacian3", 16)
    seconds, value = best(lambda: determinant(op), 1)
    if flint is not None:
        peer, expected = best(flint.fmpz_mat(op.sparse(np.int64).toarray().tolist()).det, 1)
        assert value == int(expected)
        results.append(
            report("determinant of laplacian3, 16×16", seconds, "fmpz_mat.det", peer, 10)
        )
    finish(results)


if __name__ == "__main__":
    main()
