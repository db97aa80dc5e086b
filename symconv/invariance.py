"""All permutations of an input that leave an operator unchanged, as a group.

An operator with matrix A, over numbers or over (max, +), gives A·x for the input x. Permuting the
samples permutes the columns of A, and matrices that differ are different functions. So exactly
those permutations leave the output unchanged for every input that send each sample to one with an
equal column. They are a group: all permutations within each class of equal columns. For max
pooling a class is the set of samples that exactly the same windows read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from sympy.combinatorics import Permutation, PermutationGroup

from symconv import checks
from symconv.algebras import Algebra, as_array
from symconv.bound import BoundOperator
from symconv.errors import DTypeError, ParameterError, ParameterTypeError, ShapeError, TooLargeError
from symconv.matrices import integer_entries
from symconv.memory import require
from symconv.operator import Operator
from symconv.rendering import html_summary
from symconv.semiring_matrix import SemiringMatrix
from symconv.semirings import MIN_PLUS
from symconv.verdict import Verdict, proved, refuted

__all__ = ["PermutationInvariance", "unchanged_by"]

Array = npt.NDArray[Any]

#: Samples of the largest class whose factorial is written out, and points of a SymPy group.
MAX_FACTORIAL, MAX_POINTS = 2**20, 1000
#: Classes that a text or a formula lists.
MAX_LISTED = 12


@dataclass(frozen=True, eq=False)
class PermutationInvariance:
    """The group of all permutations of the inputs that leave an operator unchanged.

    Made by `unchanged_by`.

    Attributes
    ----------
    labels : numpy.ndarray of int, shape input_shape
        The class of each input: two may change places iff they have the same one.

    Examples
    --------
    >>> import symconv as sc
    >>> group = unchanged_by(sc.MaxPool1d(3, stride=2).operator((5,)))
    >>> group.labels, group.order
    (array([0, 0, 1, 2, 2]), 4)
    >>> group.contains([1, 0, 2, 4, 3]), group.contains([2, 1, 0, 3, 4])
    (True, False)
    """

    labels: Array
    _described: str
    _apply: Callable[[Array], Array]
    _one: int

    @cached_property
    def classes(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """The classes: positions that may change places, in row-major order."""
        order = np.argsort(self.labels, axis=None, kind="stable")
        places = np.stack(np.unravel_index(order, self.labels.shape), axis=-1).tolist()
        ends = np.cumsum(self.sizes)[:-1].tolist() if len(self.sizes) else []
        starts = [0, *ends, len(places)]
        return tuple(
            tuple(tuple(place) for place in places[start:stop])
            for start, stop in pairwise(starts)
            if stop > start
        )

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """How many positions each class has."""
        return tuple(np.bincount(self.labels.ravel()).tolist())

    @property
    def order(self) -> int:
        """How many permutations there are: the product of the factorials of the sizes."""
        if max(self.sizes, default=0) > MAX_FACTORIAL:
            raise TooLargeError(
                f"classes must have at most {MAX_FACTORIAL} positions for the order to be written "
                f"out, got {max(self.sizes)}; sizes lists them"
            )
        return math.prod(map(math.factorial, (size for size in self.sizes if size > 1)))

    def contains(self, permutation: Sequence[int]) -> bool:
        """Whether a permutation leaves every output unchanged for every input.

        Parameters
        ----------
        permutation : sequence of int
            Of the flat input positions: sample i of the permuted input is sample permutation[i].

        Raises
        ------
        ShapeError, ParameterError
            If it is no permutation of all positions.
        """
        return bool((self._moved(permutation) == self.labels.ravel()).all())

    def decide(self, permutation: Sequence[int]) -> Verdict:
        """`contains` as a verdict: REFUTED with an input, and an output that it changes.

        Examples
        --------
        >>> import symconv as sc
        >>> group = unchanged_by(sc.MaxPool1d(2).operator((4,)))
        >>> print(group.decide([1, 0, 2, 3]))
        PROVED (all values at input size 4): every sample keeps its class
        >>> group.decide([2, 1, 0, 3]).counterexample
        {'x': [0, 0, 1, 0], 'output': (0,), 'before': 0, 'after': 1}
        """
        size = "×".join(map(str, self.labels.shape))
        scope = f"all values at input size {size}"
        wrong = np.flatnonzero(self._moved(permutation) != self.labels.ravel())
        if not len(wrong):
            return proved(scope, "every sample keeps its class")
        taken = np.asarray(permutation)
        # One sample alone shows its column, and the columns differ.
        flat = np.zeros(self.labels.size, dtype=np.int64)
        flat[taken[wrong[0]]] = self._one
        x, shape = flat.reshape(self.labels.shape), self.labels.shape
        before, after = self._apply(x), self._apply(flat[taken].reshape(shape))
        output = tuple(map(int, np.argwhere(before != after)[0]))
        case = {
            "x": x.tolist(),
            "output": output,
            "before": before[output],
            "after": after[output],
        }
        return refuted(scope, _plain(case), "a sample takes the place of one of another class")

    def _moved(self, permutation: Sequence[int]) -> Array:
        """The class of the sample that each position gets."""
        taken = np.asarray(checks.sequence("permutation", permutation))
        n = self.labels.size
        if taken.shape != (n,) or (n and taken.dtype.kind not in "iu"):
            raise ShapeError(f"permutation must list {n} positions, got {checks.shown(taken)}")
        if n and (taken.min() < 0 or taken.max() >= n or len(np.unique(taken)) < n):
            raise ParameterError(f"permutation must hold each of 0 … {n - 1} once")
        return np.asarray(self.labels.ravel()[taken.astype(np.int64)])

    @cached_property
    def generators(self) -> tuple[tuple[int, ...], ...]:
        """Cycles of flat positions that generate the group: of each class two, and all."""
        order = np.argsort(self.labels, axis=None, kind="stable").tolist()
        cycles, start = [], 0
        for size in self.sizes:
            members = tuple(order[start : start + size])
            start += size
            if size > 1:
                cycles.append(members[:2])
            if size > 2:
                cycles.append(members)
        return tuple(cycles)

    def group(self) -> PermutationGroup:
        """SymPy's permutation group of the flat positions, up to 1000 of them.

        Examples
        --------
        >>> import symconv as sc
        >>> unchanged_by(sc.MaxPool1d(3).operator((6,))).group().order()
        36
        """
        n = self.labels.size
        if n > MAX_POINTS:
            raise TooLargeError(f"a SymPy group must have at most {MAX_POINTS} points, got {n}")
        cycles = [Permutation([list(cycle)], size=n) for cycle in self.generators]
        return PermutationGroup(cycles or [Permutation(list(range(n)))])

    def describe(self) -> str:
        """What the group is of."""
        return self._described

    def _powers(self) -> list[tuple[int, int]]:
        """Size and number of the classes with more than one position, the largest first."""
        sizes, counts = np.unique([size for size in self.sizes if size > 1], return_counts=True)
        return [(int(s), int(n)) for s, n in zip(sizes[::-1], counts[::-1], strict=True)]

    def __str__(self) -> str:
        powers = [f"{size}!" + (f"^{n}" if n > 1 else "") for size, n in self._powers()]
        more = f" · … {len(powers) - MAX_LISTED} more" if len(powers) > MAX_LISTED else ""
        return (
            f"{' · '.join(powers[:MAX_LISTED]) or '1'}{more} permutations within {len(self.sizes)} "
            f"classes of {self.labels.size} samples leave {self._described} unchanged"
        )

    def __repr__(self) -> str:
        return f"<PermutationInvariance, {self}>"

    def latex(self) -> str:
        r"""The group as a product of symmetric groups.

        Examples
        --------
        >>> import symconv as sc
        >>> print(unchanged_by(sc.MaxPool2d(2).operator((4, 4))).latex())
        S_{4}^{4}
        """
        powers = [f"S_{{{size}}}" + (f"^{{{n}}}" if n > 1 else "") for size, n in self._powers()]
        more = [r"\cdots"] if len(powers) > MAX_LISTED else []
        return r" \times ".join([*powers[:MAX_LISTED], *more]) or r"\{1\}"

    def _repr_latex_(self) -> str:
        return f"$${self.latex()}$$"

    def _repr_html_(self) -> str:
        return html_summary(repr(self), self._repr_latex_())


def unchanged_by(operator: Any, weight: Any = None) -> PermutationInvariance:
    """All permutations of the inputs that leave an operator's outputs unchanged for every input.

    Parameters
    ----------
    operator : PoolOperator, LpPoolOperator, MorphologyOperator, Operator, BoundOperator or matrix
        A matrix over a semiring is a `SemiringMatrix`.
    weight : array_like, optional
        Integers or Fractions, where an `Operator` has free weights.

    Raises
    ------
    ParameterTypeError
        If it has no matrix.
    DTypeError
        If the weights are not exact.

    Examples
    --------
    >>> import symconv as sc
    >>> print(unchanged_by(sc.AvgPool2d(2).operator((4, 4))))  # doctest: +NORMALIZE_WHITESPACE
    4!^4 permutations within 4 classes of 16 samples leave AvgPool((2, 2), stride=(2, 2)) on
    4×4 unchanged
    >>> unchanged_by(sc.Conv1d(1, 1, 3, bias=False).operator((3,)), [[[1, 5, 1]]]).classes
    (((0, 0), (0, 2)), ((0, 1),))
    """
    if isinstance(operator, BoundOperator):
        if weight is not None:
            raise ParameterError("weight must be left out: the operator is bound")
        operator, weight = operator.operator, operator.weight
    if isinstance(operator, Operator):
        return _of_linear(operator, weight)
    if weight is not None:
        raise ParameterError("weight must be left out: this operator has no free weights")
    matrix = operator if isinstance(operator, SemiringMatrix) else _exact(operator)
    rows, columns, values = matrix.arrays()
    numbers, algebra = as_array("operator", values)
    if algebra > Algebra.RATIONAL:
        raise DTypeError("operator must have integers or Fractions as entries, got expressions")
    distinct, coded = np.unique(numbers, return_inverse=True)
    if matrix is operator:
        shape: tuple[int, ...] = (matrix.shape[1],)
        described, apply = repr(matrix), matrix.__matmul__
    else:
        shape, described, apply = operator.input_shape, operator.describe(), operator.apply
    # Larger than any difference between two entries, so that the sample's own column shows.
    one = 1
    if matrix.semiring.is_tropical and distinct.size:
        one = 1 + 2 * math.ceil(max(abs(distinct[0]), abs(distinct[-1])))
        one = -one if matrix.semiring is MIN_PLUS else one
    labels = _classes(rows, columns, coded, matrix.shape[1])
    return PermutationInvariance(labels.reshape(shape), described, apply, one)


def _exact(operator: Any) -> SemiringMatrix:
    """The matrix of a pooling or a morphological operator; of norms, what is in which window."""
    exact = getattr(operator, "exact", None) or getattr(operator, "overlap", None)
    matrix = exact() if callable(exact) else None
    if not isinstance(matrix, SemiringMatrix):
        raise ParameterTypeError(
            f"operator must be one of a layer, or a SemiringMatrix, got {type(operator).__name__} "
            f"{checks.shown(operator)}"
        )
    return matrix


def _of_linear(operator: Operator, weight: Any) -> PermutationInvariance:
    """The same over the numbers; one positive denominator for all entries changes no class."""
    oriented = operator.oriented
    entries, _ = integer_entries(oriented, oriented.checked_weight(weight))
    kept = np.asarray(entries.data != 0, dtype=bool)
    _, coded = np.unique(entries.data[kept], return_inverse=True)
    labels = _classes(entries.rows[kept], entries.indices[kept], coded, operator.shape[1])

    def apply(x: Array) -> Array:
        bias = np.zeros(operator.output_shape[0], dtype=np.int64) if operator.has_bias else None
        return np.asarray(operator.apply(x, weight, bias))

    return PermutationInvariance(
        labels.reshape(operator.input_shape), operator.describe(), apply, 1
    )


def _classes(rows: Array, columns: Array, codes: Array, n_columns: int) -> Array:
    """Equal columns get equal numbers, counted from the first column on."""
    counts = np.bincount(columns, minlength=n_columns)
    width = int(counts.max(initial=0))
    require(
        40 * n_columns * (width + 1),
        f"{n_columns} columns of up to {width} entries side by side",
        "use a smaller input",
    )
    order = np.lexsort((rows, columns))
    starts = np.cumsum(counts) - counts
    place = np.arange(len(order)) - np.repeat(starts, counts)
    table = np.full((n_columns, 2 * width), -1, dtype=np.int64)
    table[columns[order], 2 * place] = rows[order]
    table[columns[order], 2 * place + 1] = codes[order]
    if not table.size:
        return np.zeros(n_columns, dtype=np.int64)
    _, first, which = np.unique(table, axis=0, return_index=True, return_inverse=True)
    numbers = np.empty(len(first), dtype=np.int64)
    numbers[np.argsort(first)] = np.arange(len(first))
    return np.asarray(numbers[which.ravel()])


def _plain(case: dict[str, Any]) -> dict[str, Any]:
    """NumPy's numbers as Python's, for printing."""
    return {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in case.items()
    }
