"""Separations against SymPy's rank and singular value decomposition, and NumPy's; separable passes.

Every answer is asserted: the terms sum to the kernel, the enclosures contain NumPy's values, the
ranks are SymPy's. SymPy's decomposition of a generic kernel is given 20 seconds in a process of
its own. NumPy's decomposition is the other end: doubles, without a proof, in microseconds.
"""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import sympy
from common import best, finish, report

import symconv as sc
from symconv.separable import separate

TIMEOUT = 20


def generic(side: int) -> np.ndarray:
    """A kernel of integers that has full rank and no structure."""
    return np.random.default_rng(side).integers(-9, 10, (side, side))


def rank_and_terms(side: int) -> bool:
    kernel = generic(side)
    ours, found = best(lambda: separate(kernel))
    assert found.rank == side
    assert np.array_equal(sum(np.outer(u, v) for u, v in found.terms), kernel)
    matrix = sympy.Matrix(kernel.tolist())
    peer, rank = best(matrix.rank, 3)
    assert rank == side
    return report(f"rank and terms, generic {side}×{side}", ours, "SymPy's Matrix.rank", peer, 1)


def values(side: int) -> list[bool]:
    kernel = generic(side)
    ours, found = best(lambda: separate(kernel).singular_values)
    numpy_time, expected = best(lambda: np.linalg.svd(kernel, compute_uv=False))
    assert np.allclose([float(v) for v in found], expected, rtol=1e-12)
    assert all(v.upper - v.lower < v.upper / 2**50 for v in found)
    code = (
        f"import sympy; sympy.Matrix({kernel.tolist()}).singular_value_decomposition(); "
        f"print('done')"
    )
    start = time.perf_counter()
    try:
        subprocess.run([sys.executable, "-c", code], timeout=TIMEOUT, check=True, stdout=-3)
    except subprocess.TimeoutExpired:
        print(f"SymPy's singular_value_decomposition, generic {side}×{side}: over {TIMEOUT} s")
    peer = time.perf_counter() - start
    name = f"proved singular values, generic {side}×{side}"
    print(f"{name:<46} {ours * 1e3:9.2f} ms   NumPy's, unproved {numpy_time * 1e6:9.1f} µs")
    return [report(name, ours, "SymPy's SVD, or its timeout", peer, 0.05)]


def passes(dtype: type) -> bool:
    line = np.array([1, 8, 28, 56, 70, 56, 28, 8, 1])
    op = sc.Conv2d(1, 1, 9, padding=4, bias=False).operator((1024, 1024))
    x = np.random.default_rng(0).integers(0, 256, (1, 1024, 1024)).astype(dtype)
    weight = np.outer(line, line)[None, None].astype(dtype)
    dense, expected = best(lambda: op.apply(x, weight, plan="taps"))
    ours, y = best(lambda: op.apply(x, weight, plan="separable"))
    # Integers, whose sums stay below 2**53 here: equal in doubles as well.
    assert np.array_equal(y, expected)
    name = f"9×9 binomial on 1024², {np.dtype(dtype).name}, separable"
    return report(name, ours, 'plan="taps"', dense, 0.5)


def main() -> None:
    finish(
        [
            *(rank_and_terms(side) for side in (3, 5, 9)),
            *values(3),
            *values(5),
            passes(np.int64),
            passes(np.float64),
        ]
    )


if __name__ == "__main__":
    main()
