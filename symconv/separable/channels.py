"""Kernels with channels: slices, depthwise separable factors, and one pass per axis.

Weights are (out, in/groups, *kernel).

References
----------
A. Howard et al., *MobileNets* (2017), arXiv:1704.04861: depthwise separable convolutions.
M. Jaderberg, A. Vedaldi, A. Zisserman (2014), arXiv:1405.3866: a pass per axis, channels between.
I. Oseledets, *Tensor-train decomposition* (2011): splitting off one axis after the other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.algebras import Algebra
from symconv.checks import concrete, integer
from symconv.errors import ParameterError
from symconv.separable.arrays import MAX_WEIGHTS, ExactArray, checked_kernel, exact_array
from symconv.separable.splitting import as_floats, exact_terms

__all__ = [
    "DepthwiseFactors",
    "depthwise_factorization",
    "exact_passes",
    "float_passes",
    "slice_ranks",
]

Array = npt.NDArray[Any]


def _checked(weight: Any, groups: Any) -> tuple[ExactArray, Array, Algebra, int]:
    array, algebra = checked_kernel("weight", weight, 3, MAX_WEIGHTS)
    parts = concrete("groups", integer("groups", groups, 1))
    if array.shape[0] % parts:
        raise ParameterError(
            f"groups must divide the output channels {array.shape[0]}, got {parts}"
        )
    return exact_array("weight", array, algebra), array, algebra, parts


def slice_ranks(weight: Any) -> npt.NDArray[np.int64]:
    """The exact rank of each slice, shape (out, in/groups); floats by their binary values.

    Of slices with three axes and more the largest rank of an unfolding, which is at most 1 iff
    the slice is separable.

    Examples
    --------
    >>> slice_ranks([[[[1, 2], [2, 4]], [[1, 0], [0, 1]]]])
    array([[1, 2]])
    """
    numbers, array, _, _ = _checked(weight, 1)
    ranks = np.zeros(array.shape[:2], dtype=np.int64)
    for place in np.ndindex(*array.shape[:2]):
        part = ExactArray(numbers.elements[place], numbers.denominator, numbers.domain)
        ranks[place] = max(exact_terms(part)[0])
    return ranks


@dataclass(frozen=True, eq=False)
class DepthwiseFactors:
    """A dense kernel as a depthwise one followed by a pointwise one, exactly.

    ``W[o, c, k] = Σ_j P[o, c, j]·D[c, j, k]``, with as few kernels D per input channel as there
    can be.

    Attributes
    ----------
    multipliers : tuple of int
        Kernels of each input channel: the rank of the matrix (outputs × taps) of that channel.
    depthwise : tuple of tuples of arrays
        D[c][j], kernels without channels.
    pointwise : tuple of tuples of vectors
        P[c][j], one number per output channel of the group.
    groups : int
    weight_shape : tuple of int

    Examples
    --------
    >>> factors = depthwise_factorization([[[[1, 2]]], [[[2, 4]]]])
    >>> factors.multipliers, factors.depthwise, factors.pointwise
    ((1,), ((array([[1, 2]], dtype=object),),), (((1, 2),),))
    """

    multipliers: tuple[int, ...]
    depthwise: tuple[tuple[Array, ...], ...]
    pointwise: tuple[tuple[tuple[Any, ...], ...], ...]
    groups: int
    weight_shape: tuple[int, ...]

    @property
    def multiplier(self) -> int:
        """The least depth multiplier that serves every channel."""
        return max(self.multipliers)

    @property
    def is_separable(self) -> bool:
        """Whether one kernel per input channel does."""
        return self.multiplier <= 1

    @property
    def weights(self) -> int:
        """Numbers in D and P: per kernel its taps and the outputs of its group.

        They are also the multiplications per output where every stride is 1.
        """
        outputs = self.weight_shape[0] // self.groups
        return sum(self.multipliers) * (math.prod(self.weight_shape[2:]) + outputs)

    @property
    def dense_weights(self) -> int:
        """Numbers in W."""
        return math.prod(self.weight_shape)

    def uniform(self) -> tuple[Array, Array]:
        """The two weights of layers with one multiplier m for all channels, zeros filled in.

        Depthwise (in·m, 1, *kernel) for ``groups=in``, and pointwise (out, in·m/groups, 1, …).

        Examples
        --------
        >>> depthwise, pointwise = depthwise_factorization([[[[1, 2]]], [[[2, 4]]]]).uniform()
        >>> depthwise.shape, pointwise.shape
        ((1, 1, 1, 2), (2, 1, 1, 1))
        """
        out, _, *kernel = self.weight_shape
        m, channels = max(self.multiplier, 1), len(self.multipliers)
        per_group, outputs = channels // self.groups, out // self.groups
        depthwise = np.zeros((channels * m, 1, *kernel), dtype=object)
        pointwise = np.zeros((out, per_group * m, *(1,) * len(kernel)), dtype=object)
        for c, (kernels, vectors) in enumerate(zip(self.depthwise, self.pointwise, strict=True)):
            group, inside = divmod(c, per_group)
            for j, (taps, vector) in enumerate(zip(kernels, vectors, strict=True)):
                depthwise[c * m + j, 0] = taps
                rows = slice(group * outputs, (group + 1) * outputs)
                pointwise[rows, inside * m + j].reshape(outputs)[:] = vector
        return depthwise, pointwise

    def product(self) -> Array:
        """The dense kernel that they make, for checking."""
        out, per_group, *kernel = self.weight_shape
        dense = np.zeros((out, per_group, *kernel), dtype=object)
        outputs = out // self.groups
        for c, (kernels, vectors) in enumerate(zip(self.depthwise, self.pointwise, strict=True)):
            group, inside = divmod(c, per_group)
            for taps, vector in zip(kernels, vectors, strict=True):
                rows = slice(group * outputs, (group + 1) * outputs)
                dense[rows, inside] += np.multiply.outer(np.array(vector, dtype=object), taps)
        return dense


def depthwise_factorization(weight: Any, *, groups: int = 1) -> DepthwiseFactors:
    """The depthwise separable form of a dense kernel with the fewest kernels per input channel.

    The outputs of one input channel are combinations of j kernels iff the matrix (outputs × taps)
    of that channel has rank at most j, so its rank is the minimal multiplier.

    Parameters
    ----------
    weight : array_like, shape (out, in/groups, *kernel)
        Numbers as in `separate`; floats by their exact binary values.
    groups : int, default 1

    Raises
    ------
    ParameterError
        If groups does not divide the output channels.

    Examples
    --------
    >>> import numpy as np
    >>> pointwise, depthwise = np.array([[1, 2], [3, 4], [5, 6]]), np.array([[1, 0, -1], [1, 2, 1]])
    >>> dense = pointwise[:, :, None] * depthwise
    >>> factors = depthwise_factorization(dense)
    >>> factors.is_separable, factors.weights, factors.dense_weights
    (True, 12, 18)

    References
    ----------
    A. Howard et al. (2017), arXiv:1704.04861, section 3.1.
    """
    numbers, array, _, parts = _checked(weight, groups)
    outputs, kernel = array.shape[0] // parts, array.shape[2:]
    kernels, vectors = [], []
    for group in range(parts):
        for inside in range(array.shape[1]):
            rows = numbers.elements[group * outputs : (group + 1) * outputs, inside]
            matrix = ExactArray(rows.reshape(outputs, -1), numbers.denominator, numbers.domain)
            terms = exact_terms(matrix)[1]
            vectors.append(tuple(column for column, _ in terms))
            kernels.append(tuple(np.array(row, dtype=object).reshape(kernel) for _, row in terms))
    return DepthwiseFactors(
        tuple(map(len, vectors)), tuple(kernels), tuple(vectors), parts, array.shape
    )


def exact_passes(weight: Array, algebra: Algebra, groups: int) -> tuple[Array, ...]:
    """Weights of one pass per axis, the first axis first, whose composition is the dense kernel.

    Pass a takes the channels of the pass before and has taps along its axis alone: shape
    (channels, channels before/groups, 1, …, taps, …, 1). As many channels lie between two axes as
    the rank of the matrix that has all earlier axes as rows and all later ones as columns.

    Raises
    ------
    ParameterError
        If floats do not hold the factors of the binary numbers stored, or weights are symbols or
        complex.

    Examples
    --------
    >>> passes = exact_passes(np.array([[[[1, 2], [3, 6]]]]), Algebra.INTEGER, 1)
    >>> [weight.ravel().tolist() for weight in passes]
    [[1, 3], [1, 2]]
    """
    if algebra in (Algebra.SYMBOLIC, Algebra.COMPLEX):
        raise ParameterError(
            f"plan 'separable' needs weights that are real numbers, got {algebra.name.lower()} ones"
        )
    array, algebra = checked_kernel("weight", weight, 3)
    numbers = exact_array("weight", array, algebra)
    outputs = array.shape[0] // groups
    trains = [
        _train(numbers.elements[group * outputs : (group + 1) * outputs]) for group in range(groups)
    ]
    weights = _joined(trains, array.shape, groups)
    last = [Fraction(int(e), numbers.denominator) for e in weights[-1].ravel()]
    if numbers.denominator != 1:
        weights[-1] = _objects(last, weights[-1].shape)
    if algebra is not Algebra.REAL:
        return tuple(_narrowed(part) for part in weights)
    converted = as_floats([tuple(tuple(part.ravel()) for part in weights)], array.dtype)
    if converted is None:
        raise ParameterError(
            f"weight must be separable as stored for the plan 'separable': its factors are no "
            f"{array.dtype} numbers; state a tolerance with apply_separable, or use the plan 'taps'"
        )
    shapes = [part.shape for part in weights]
    return tuple(
        np.array(values, dtype=array.dtype).reshape(shape)
        for values, shape in zip(converted[0], shapes, strict=True)
    )


def _objects(values: list[Any], shape: tuple[int, ...]) -> Array:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array.reshape(shape)


def _narrowed(array: Array) -> Array:
    """Python integers as int64 where they fit, which is faster."""
    fits = all(isinstance(e, int) and -(2**63) <= e < 2**63 for e in array.ravel())
    return array.astype(np.int64) if fits else array


def _train(weight: Array) -> list[Array]:
    """Cores (channels before, taps, channels after) of one group's integers."""
    out, channels, *kernel = weight.shape
    rest = np.moveaxis(weight, 0, -1).reshape(channels, -1)
    cores, before = [], channels
    for number, taps in enumerate(kernel):
        if number == len(kernel) - 1:
            cores.append(rest.reshape(before, taps, out))
            break
        matrix = ExactArray(rest.reshape(before * taps, -1))
        columns, rows = matrix.factors()
        if not columns:
            columns, rows = [[0] * matrix.shape[0]], [[0] * matrix.shape[1]]
        core = np.array(columns, dtype=object).T.reshape(before, taps, len(columns))
        cores.append(core)
        before, rest = len(columns), np.array(rows, dtype=object)
    return cores


def _joined(trains: list[list[Array]], shape: tuple[int, ...], groups: int) -> list[Array]:
    """The weights of grouped layers; a group with fewer channels between gets zeros."""
    rank, weights = len(shape) - 2, []
    for number in range(rank):
        cores = [train[number] for train in trains]
        before, after = (max(core.shape[at] for core in cores) for at in (0, 2))
        taps = shape[2 + number]
        spatial = [1] * rank
        spatial[number] = taps
        joined = np.zeros((groups, after, before, taps), dtype=cores[0].dtype)
        for group, core in enumerate(cores):
            joined[group, : core.shape[2], : core.shape[0]] = core.transpose(2, 0, 1)
        weights.append(joined.reshape(groups * after, before, *spatial))
    return weights


def float_passes(weight: Array, groups: int, tolerance: float) -> tuple[Array, ...]:
    """The same in floats by singular value decompositions, values up to a share left out.

    Examples
    --------
    >>> weight = np.outer([1.0, 3.0], [1.0, 2.0])[None, None]
    >>> [part.shape for part in float_passes(weight, 1, 1e-12)]
    [(1, 1, 2, 1), (1, 1, 1, 2)]
    """
    out, channels, *kernel = weight.shape
    outputs, trains = out // groups, []
    for group in range(groups):
        part = weight[group * outputs : (group + 1) * outputs].astype(float)
        rest, before, cores = np.moveaxis(part, 0, -1).reshape(channels, -1), channels, []
        for number, taps in enumerate(kernel):
            if number == len(kernel) - 1:
                cores.append(rest.reshape(before, taps, outputs))
                break
            left, values, right = np.linalg.svd(rest.reshape(before * taps, -1), False)
            kept = max(1, int(np.sum(values > tolerance * values[0])))
            cores.append(left[:, :kept].reshape(before, taps, kept))
            before, rest = kept, values[:kept, None] * right[:kept]
        trains.append(cores)
    return tuple(part.astype(weight.dtype) for part in _joined(trains, weight.shape, groups))
