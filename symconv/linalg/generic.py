"""The rank that an operator with free weights has for almost all of them.

Below: a minor that is not zero at one setting of the weights is a polynomial that is not zero.
Above: equal rows count once; the pattern's largest matching; null vectors that are forms in the
weights; and a subspace of inputs that *every* weight takes into a smaller one, so that at least the
difference goes to zero.

References
----------
M. Fortin, C. Reutenauer (2004), Rang commutatif et non commutatif, Sém. Lothar. Combin. 52.
G. Ivanyos, M. Karpinski, Y. Qiao, M. Santha (2015), Generalized Wong sequences and their
applications to Edmonds' problems, J. Comput. Syst. Sci. 81.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.errors import ParameterError, located
from symconv.linalg.commuting import commuting_nullity
from symconv.linalg.forms import Forms
from symconv.modular.elimination import dense_null, dense_product, dense_span, prime_at
from symconv.modular.integer_matrix import IntegerMatrix
from symconv.modular.lifting import rational_columns
from symconv.modular.ranks import eliminated, matching, prove_rank
from symconv.operator import Operator
from symconv.verdict import Verdict, proved, undecided

__all__ = ["GenericRank", "generic_rank"]

Array = npt.NDArray[Any]

#: What a bound from above comes from.
PATTERN = "the pattern allows"
COMMUTING = "null vectors of kernels that commute allow"
SHRUNK = "a subspace that every weight shrinks allows"

#: Multiplications of one dense elimination up to which shrunk subspaces are looked for.
MOST_PRODUCTS = 3 * 10**8


@dataclass(frozen=True)
class GenericRank:
    """The rank for almost all weights, as far as it was decided.

    Attributes
    ----------
    lower, upper : int
        The rank modulo a prime at one setting of the weights, and what no weights exceed.
    verdict : Verdict
        PROVED where they meet: then the rank is `lower` for all weights outside the zeros of some
        polynomial, and no weights have a larger one.

    Examples
    --------
    >>> import symconv as sc
    >>> generic_rank(sc.Conv2d(2, 3, 3, padding=1, groups=1).operator((4, 4))).rank
    32
    """

    lower: int
    upper: int
    verdict: Verdict

    @property
    def rank(self) -> int:
        """The generic rank, an error where it was not decided."""
        return self.lower if self.verdict else self.upper


def generic_rank(op: Any) -> GenericRank:
    """The rank that an operator with free weights has for almost all of them.

    Parameters
    ----------
    op : Operator
        With free weights. Entries that several taps share are sums of them.

    Returns
    -------
    GenericRank
        From below the rank modulo a prime at one fixed setting of the weights: a minor that is
        not zero there is no zero polynomial. From above what the pattern of the different rows
        allows, null vectors of kernels that commute, and a subspace that every weight shrinks,
        found modulo the prime and verified over the integers. UNDECIDED where they do not meet.

    Raises
    ------
    ParameterError
        If the operator has its weights, or none to give.
    TooLargeError
        If elimination would not fit into memory, or would take hours.

    Examples
    --------
    >>> import symconv as sc
    >>> print(generic_rank(sc.Conv1d(1, 1, 3, bias=False).operator((8,))).verdict)
    PROVED (almost all weights at 6×8): rank 6, and the pattern allows no more

    Two outputs on the left read the first sample alone, and three on the right the last:

    >>> far = sc.Conv1d(1, 1, 1, padding=((2, 3),), padding_mode="replicate", bias=False)
    >>> print(generic_rank(far.operator((4,))).verdict)
    PROVED (almost all weights at 9×4): rank 4, and the pattern allows no more

    Two input channels with kernels u and v: (v∗g, −u∗g) goes to 0 for each of four g.

    >>> generic_rank(sc.Conv2d(2, 1, 3, padding=2, bias=False).operator((4, 4))).rank
    28

    References
    ----------
    J. T. Schwartz (1980), Fast probabilistic algorithms for verification of polynomial identities,
    J. ACM 27. L. Lovász, M. D. Plummer, Matching Theory (1986), ch. 4. M. Fortin, C. Reutenauer
    (2004), Rang commutatif et non commutatif.
    """
    if not isinstance(op, Operator) or op.weight_shape is None:
        raise ParameterError("op must be an Operator with free weights; rank(op) is about others")
    with located(op.describe):
        rows, columns = op.shape
        scope = f"almost all weights at {rows}×{columns}"
        # Groups have weights of their own, so that their ranks add.
        groups = op.oriented.linear.geometry.groups
        lower, upper, why = _one_group(Forms.of(op))
        lower, upper = groups * lower, groups * upper
        if lower == upper:
            return GenericRank(lower, upper, proved(scope, f"rank {lower}, and {why} no more"))
        reason = f"rank {lower} at one setting of the weights, and {why} {upper}"
        return GenericRank(lower, upper, undecided(scope, reason))


def _one_group(forms: Forms) -> tuple[int, int, str]:
    """The bounds from below and from above, and what gives the second."""
    if not min(forms.shape):
        return 0, 0, PATTERN
    prime = prime_at(0)
    # Weights that look random; sums of up to the kernel's taps stay far below 2⁶³.
    kernel = forms.windows.kernel_size
    weight = np.random.default_rng(20240229).integers(1, prime, (forms.outs, forms.ins, *kernel))
    matrix = forms.at(weight)
    shape = forms.ins, *forms.windows.input_size
    lower = eliminated(matrix.without_zeros(), shape, prime, keep=False).rank
    if lower == min(forms.shape):
        return lower, lower, PATTERN
    bounds = [(matching(matrix), PATTERN)]
    if lower < bounds[0][0]:
        null, left = commuting_nullity(forms, weight, prime)
        bounds.append((forms.shape[1] - null, COMMUTING))
        bounds.append((forms.shape[0] - left, COMMUTING))
    if lower < min(bounds)[0] and math.prod(forms.shape) * min(forms.shape) <= MOST_PRODUCTS:
        basis = _shrunk_subspace(forms, matrix, prime)
        if basis is not None:
            bounds.append((_allowed(forms, basis), SHRUNK))
    upper, why = min(bounds, key=lambda bound: bound[0])
    return lower, upper, why


def _shrunk_subspace(forms: Forms, matrix: IntegerMatrix, prime: int) -> Array | None:
    """Integer columns B without channels, of which every T_k makes as little as can be.

    Wong's sequence: W ← Σ_k T_k·(what A takes into W), from W = 0 until it stays. With free
    matrices W_k between the channels all of these are spaces of positions, times all channels.
    """
    rows, columns = forms.shape
    dense = np.zeros((rows, columns))
    dense[matrix.rows, matrix.indices] = matrix.residues(prime)
    by_channel = dense.reshape(forms.outs, rows // forms.outs, columns)
    reached = np.zeros((rows // forms.outs, 0))
    while True:
        # What annihilates `reached` annihilates A·x exactly where A takes x into it.
        tests = dense_null(reached.T, prime).T
        tested = np.vstack([dense_product(tests, part, prime) for part in by_channel])
        inside = dense_null(tested, prime)
        positions = columns // forms.ins
        slices = inside.reshape(forms.ins, positions, -1).swapaxes(0, 1).reshape(positions, -1)
        span = dense_span(slices, prime)
        wider = dense_span(forms.images(span), prime)
        if wider.shape[1] == reached.shape[1]:
            break
        reached = wider
    # The same span with an identity in it, whose entries are small where the space is simple.
    echelon = dense_null(dense_null(span.T, prime).T, prime)
    found = rational_columns(echelon.astype(np.int64), prime)
    return None if found is None else found[0]


def _allowed(forms: Forms, basis: Array) -> int:
    """The rank that a subspace allows: what is not in it, and what every weight makes of it.

    True for any basis: inputs (all channels) × span B have images in (all channels) × Σ_k T_k·B.
    """
    images = prove_rank(*_one_axis(IntegerMatrix.of(forms.images(basis)))).rank
    kept = prove_rank(*_one_axis(IntegerMatrix.of(basis))).rank
    return forms.shape[1] - forms.ins * kept + forms.outs * images


def _one_axis(matrix: IntegerMatrix) -> tuple[IntegerMatrix, tuple[int, ...], tuple[int, ...]]:
    return matrix, matrix.shape[1:], matrix.shape[:1]
