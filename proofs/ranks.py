"""Rank of a kernel: minors, singular values, and the separable passes it splits into."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from itertools import combinations, product
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

import symconv as sc
from symconv.matrices import symbols
from symconv.proving import all_values, exhaustive, identity
from symconv.verdict import Verdict

Array = npt.NDArray[Any]
#: Pairs of polynomials that must be equal.
Pairs = Iterator[tuple[Any, Any]]

#: Shapes of kernels whose entries are symbols.
SHAPES = tuple((m, n) for m in range(1, 4) for n in range(1, 4))


def _kernel(rank: int, shape: tuple[int, int]) -> sympy.Matrix:
    """The sum of that many outer products of symbolic columns and rows."""
    m, n = shape
    total = sympy.zeros(m, n)
    for term in range(rank):
        column = sympy.Matrix(sympy.symbols(f"u{term}_:{m}"))
        total += column * sympy.Matrix(sympy.symbols(f"v{term}_:{n}")).T
    return total


def _minors(kernel: sympy.Matrix) -> list[Any]:
    rows, columns = (list(combinations(range(length), 2)) for length in kernel.shape)
    return [
        kernel[i, j] * kernel[p, q] - kernel[i, q] * kernel[p, j]
        for (i, p), (j, q) in product(rows, columns)
    ]


def _minors_of_two() -> Pairs:
    for minor in _minors(_kernel(2, (2, 2))):
        yield minor, 0


@identity(
    "ranks.outer-products",
    near=_minors_of_two,
    words="All 2×2 minors of an outer product vanish. Conversely K[i,j]·K[p,q] − K[p,j]·K[i,q] is "
    "a minor: where all vanish and K[i,j] ≠ 0, the kernel is its column j times its row i over "
    "K[i,j]. So rank at most 1 is exactly what 2×2 minors say, over any field; a minor touches "
    "two rows and two columns, whatever the size.",
    latex=r"\mathrm{rank}\,K\le 1 \iff K_{ij}K_{pq}=K_{pj}K_{iq},\qquad "
    r"K=\frac{K_{\cdot j}\,K_{i\cdot}}{K_{ij}}",
    source="the source notes (spatially separable kernels, N12); symconv",
    near_miss="the minors of a sum of two outer products vanish",
    concludes="values",
)
def outer_products() -> Pairs:
    for shape in SHAPES:
        for minor in _minors(_kernel(1, shape)):
            yield minor, 0
    kernel = sympy.Matrix(3, 3, sympy.symbols("k:9"))
    for i, j, p, q in product(range(3), repeat=4):
        cleared = kernel[i, j] * kernel[p, q] - kernel[p, j] * kernel[i, q]
        yield cleared, kernel.extract([i, p], [j, q]).det()


@exhaustive(
    "ranks.all-minors",
    box={f"k{at}": (0, 1, -1) for at in range(9)},
    grid=True,
    words="Of the 3×3 kernels with entries −1, 0 and 1, those whose nine 2×2 minors vanish are "
    "exactly those of which a column times a row, over their common entry, is the kernel.",
    latex=r"\text{all minors vanish} \iff K=0 \text{ or } "
    r"K_{ij}\,K=K_{\cdot j}K_{i\cdot} \text{ for a } K_{ij}\ne 0",
    source="symconv",
    near_miss="the four minors of neighbouring rows and columns are enough",
    concludes="values",
)
def all_minors(**entries: Array) -> Array:
    return _say_the_same(entries, list(combinations(range(3), 2)))


@all_minors.near_miss_claim()
def _neighbouring_minors(**entries: Array) -> Array:
    return _say_the_same(entries, [(0, 1), (1, 2)])


def _say_the_same(entries: dict[str, Array], pairs: list[tuple[int, int]]) -> Array:
    """Whether these minors vanish exactly for the kernels that a pivot factors."""
    kernel = np.stack(list(entries.values())).reshape(3, 3, -1)
    vanish = np.ones(kernel.shape[2], dtype=bool)
    for (i, p), (j, q) in product(pairs, repeat=2):
        vanish &= kernel[i, j] * kernel[p, q] == kernel[i, q] * kernel[p, j]
    factors = ~kernel.any(axis=(0, 1))
    for i, j in product(range(3), repeat=2):
        outer = kernel[:, None, j] * kernel[None, i, :]
        factors |= (kernel[i, j] != 0) & (kernel[i, j] * kernel == outer).all(axis=(0, 1))
    return np.asarray(vanish == factors)


def _characteristic(kernel: sympy.Matrix, value: Any) -> Pairs:
    """The characteristic polynomial of KᵀK against one with a single non-zero root."""
    n = kernel.cols
    z = sympy.Symbol("z")
    yield (z * sympy.eye(n) - kernel.T * kernel).det(method="berkowitz"), z ** (n - 1) * (z - value)


def _sum_of_entries() -> Pairs:
    kernel = _kernel(1, (2, 2))
    yield from _characteristic(kernel, sum(kernel) ** 2)


@identity(
    "ranks.one-singular-value",
    near=_sum_of_entries,
    words="A kernel of rank 1 has one singular value that is not 0, the square root of the sum of "
    "its squared entries: the characteristic polynomial of KᵀK is z^(n−1)(z − Σk²).",
    latex=r"\det(zI-K^{T}K)=z^{n-1}\left(z-\sum k^{2}\right)\quad (K=u\,v^{T})",
    source="symconv; G. Golub, C. Van Loan, Matrix Computations, section 2.4",
    near_miss="it is the sum of the entries",
    concludes="values",
)
def one_singular_value() -> Pairs:
    for shape in SHAPES:
        kernel = _kernel(1, shape)
        yield from _characteristic(kernel, sum(entry**2 for entry in kernel))


def _squares(factor: int) -> Pairs:
    for m, n in SHAPES:
        kernel = sympy.Matrix(m, n, sympy.symbols(f"k:{m * n}"))
        squares = sum(entry**2 for entry in kernel)
        gram = sum(entry**2 for entry in kernel.T * kernel)
        yield squares**2 - gram, factor * sum(minor**2 for minor in _minors(kernel))


@identity(
    "ranks.minors-and-singular-values",
    near=lambda: _squares(1),
    words="(Σσ²)² − Σσ⁴, over the singular values of any kernel, is twice the sum of its squared "
    "2×2 minors. So over the reals the minors vanish exactly when one singular value at most is "
    "not 0.",
    latex=r"\left(\sum k^{2}\right)^{2}-\lVert K^{T}K\rVert^{2}=2\sum_{i<p,\,j<q} "
    r"(K_{ij}K_{pq}-K_{iq}K_{pj})^{2}",
    source="A.-L. Cauchy, J. Binet (1812), the formula for KᵀK",
    near_miss="it is the sum of the squared minors",
    concludes="values",
)
def minors_and_singular_values() -> Pairs:
    return _squares(2)


MODES = ("zeros", "circular", "reflect", "replicate")


def _axis(kernel: Any, mode: str, axis: int) -> Any:
    """The matrix of one axis: its own stride, dilation and padding."""
    layer = sc.Conv(1, 1, (len(kernel),), bias=False, **_settings(mode, axis, 1))
    return layer.operator((3 - axis % 2,)).exact([[list(kernel)]])


def _settings(mode: str, first: int, rank: int) -> dict[str, Any]:
    """Parameters of `rank` axes from `first` on, different on each."""
    axes = range(first, first + rank)
    return {
        "stride": tuple(1 + axis % 2 for axis in axes),
        "padding": tuple((1, axis % 2) for axis in axes),
        "padding_mode": mode,
    }


def _dense(kernel: Array, mode: str) -> Any:
    rank = kernel.ndim
    layer = sc.Conv(1, 1, kernel.shape, bias=False, **_settings(mode, 0, rank))
    return layer.operator(tuple(3 - axis % 2 for axis in range(rank))).exact(kernel[None, None])


def _kronecker(*matrices: Any) -> Any:
    return reduce(lambda one, other: sympy.KroneckerProduct(one, other).doit(), matrices)


@all_values(
    "ranks.sum-of-separable",
    box={"rank": (1, 2), "mode": MODES},
    words="A kernel that is a sum of r outer products makes the sum of r Kronecker products of "
    "the matrices of its axes, borders included, for any boundary that acts on each axis alone.",
    latex=r"K=\sum_t u_t v_t^{T} \;\Rightarrow\; A(K)=\sum_t A_h(u_t)\otimes A_w(v_t)",
    source="symconv; the source notes (spatially separable kernels) for r = 1",
    near_miss="the same with the factors exchanged",
    concludes="triples",
)
def sum_of_separable(rank: int, mode: str) -> Verdict:
    return _summed(rank, mode, exchanged=False)


@sum_of_separable.near_miss_claim()
def _factors_exchanged(rank: int, mode: str) -> Verdict:
    return _summed(rank, mode, exchanged=True)


def _summed(rank: int, mode: str, *, exchanged: bool) -> Verdict:
    columns, rows = symbols("u", (rank, 2)), symbols("v", (rank, 2))
    kernel = np.add.reduce([np.multiply.outer(u, v) for u, v in zip(columns, rows, strict=True)])
    terms = []
    for u, v in zip(columns, rows, strict=True):
        factors = [_axis(u, mode, 0), _axis(v, mode, 1)]
        terms.append(_kronecker(*(factors[::-1] if exchanged else factors)))
    return sc.same_operator(_dense(kernel, mode), reduce(lambda a, b: a + b, terms))


@all_values(
    "ranks.passes",
    box={"rank": (2, 3), "mode": MODES},
    words="A kernel that is an outer product of one kernel per axis, on two or three axes, is one "
    "pass along each axis after the other: A = (A₁ ⊗ I ⊗ I)(I ⊗ A₂ ⊗ I)(I ⊗ I ⊗ A₃).",
    latex=r"A(u\otimes v)=(A_1(u)\otimes I)\,(I\otimes A_2(v))",
    source="symconv; the source notes (spatially separable kernels)",
    near_miss="with padding by a constant that is not 0, in each pass",
    concludes="triples",
)
def passes(rank: int, mode: str) -> Verdict:
    kernels = [symbols(letter, (2,)) for letter in "uvw"[:rank]]
    matrices = [_axis(kernel, mode, axis) for axis, kernel in enumerate(kernels)]
    # The last axis first; each pass leaves the later axes at their output sizes.
    result = None
    for axis in reversed(range(rank)):
        before = [sympy.eye(matrices[earlier].cols) for earlier in range(axis)]
        after = [sympy.eye(matrices[later].rows) for later in range(axis + 1, rank)]
        step = _kronecker(*before, matrices[axis], *after)
        result = step if result is None else step * result
    return sc.same_operator(_dense(reduce(np.multiply.outer, kernels), mode), result)


@passes.near_miss_claim({"value": (0, 1)})
def _passes_with_constant(value: int) -> bool:
    u, v = symbols("u", (2,)), symbols("v", (2,))
    x = symbols("x", (1, 2, 2))

    def run(kernel: Array, x: Any, padding: tuple[int, int]) -> Any:
        layer = sc.Conv(
            1,
            1,
            kernel.shape,
            padding=padding,
            padding_mode="constant",
            padding_value=value,
            bias=False,
        )
        return layer.operator(x.shape[1:]).apply(x, kernel[None, None])

    at_once = run(np.multiply.outer(u, v), x, (1, 1))
    in_turn = run(u[:, None], run(v[None, :], x, (0, 1)), (1, 0))
    differences = (at_once - in_turn).ravel()
    return all(sympy.expand(difference) == 0 for difference in differences)
