"""Products of floats with a proven bound on how far each entry is from the exact result.

The exact result is the map on the floats given, taken as exact numbers (a constant padding value
in the type of the data). Two ways to a bound:

- "a-priori": from Σ|w|·|x|, for whatever order of summation (`symconv.execute.bounds`);
- "computed": from a second evaluation with less error, and its own bound. Floats of 32 bits are
  evaluated in float64. Those of 64 bits are split, w = w₁ + w₂ and x = x₁ + x₂ without error, so
  that w₁·x₁ is summed exactly in float64 by any plan, and what is left is smaller by many digits.
  Where the data are not all finite, or too large for that, the bound is the one a priori.

References
----------
T. Ogita, S. M. Rump, S. Oishi, *Accurate sum and dot product*, SIAM Journal on Scientific
Computing 26 (2005).
K. Ozaki, T. Ogita, S. Oishi, S. M. Rump, *Error-free transformations of matrix multiplication by
using fast routines of matrix multiplication and its applications*, Numerical Algorithms 59 (2012).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from symconv.algebras import Algebra
from symconv.checks import choice
from symconv.errors import ParameterError
from symconv.evaluation import DEFAULT, Number, Oriented, Settings
from symconv.execute.bounds import MARGIN, computed_sum_bound, sum_above, sum_bound, two_sum
from symconv.execute.fast_bounds import plane_bound
from symconv.execute.planner import PLANS
from symconv.execute.sums import largest_row_sum
from symconv.maps import ConvolutionMap
from symconv.memory import require

__all__ = ["METHODS", "Certified", "certified", "plain_product"]

Array = npt.NDArray[Any]

METHODS = ("a-priori", "computed")

#: Numbers that are compared at once, in cache.
CHUNK = 2**14

#: Roundings beyond those of the products: a division and its divisor, a constant, a bias, a spare.
MORE = 5


class Certified(NamedTuple):
    """Values, and how far each may be from the exact one.

    Attributes
    ----------
    values : numpy.ndarray
        As without a certificate.
    bound : numpy.ndarray of float64
        |values − exact| is at most this, entry by entry (the modulus of complex ones); 0 for exact
        data, infinite where a value is not finite or Σ|w|·|x| overflows.
    plan : str
        What computed the values; "exact" for integers, Fractions and symbols.
    method : str
        "a-priori" or "computed".
    """

    values: Array
    bound: Array
    plan: str
    method: str


def certified(
    oriented: Oriented,
    x: Number,
    weight: Number,
    bias: Number | None,
    plan: str,
    settings: Settings,
    method: str,
) -> Certified:
    """A·x + b with a bound.

    Raises
    ------
    ParameterError
        If the method is unknown, or "computed" for an operator without weights.
    """
    choice("certify", method, METHODS)
    oriented.check_plan(plan)
    if method == "computed" and oriented.linear.weight_shape is None:
        raise ParameterError("certify must be 'a-priori' where there are no weights")
    outputs = _batch(oriented, x) * math.prod(oriented.output_shape)
    require(64 * outputs, f"a bound for {outputs} numbers", "use a smaller batch")
    is_exact = x[1].is_exact and weight[1].is_exact
    name = "taps" if plan == "auto" else plan
    if is_exact:
        name = "exact"
    elif _is_planned(oriented, plan):
        dtype, batch = _dtype(x, weight), _batch(oriented, x)
        name = plan = oriented.choice(dtype, batch, plan, settings.budget).name
    carried = None
    if name == "separable":
        # The errors of passes depend on what each of them gave.
        product, carried = _through_passes(oriented, x, weight)
        values = oriented.shifted(product, weight, bias, settings)
    else:
        values = oriented.affine(x, weight, bias, plan, settings)
    if values.dtype.kind not in "fc":
        return Certified(values, np.zeros(values.shape), name, method)
    with np.errstate(over="ignore", invalid="ignore"):
        bound = np.full((), np.inf)
        if method == "computed" and not is_exact and _is_finite(x[0]) and _is_finite(weight[0]):
            bound = _computed(oriented, x, weight, bias, values, settings)
        if method == "a-priori" or not _is_finite(bound):
            before = carried
            if before is None:
                before = _linear_bound(oriented, x, weight, values, plan, settings)
            before = before + _added(oriented, weight, bias, values)
            bound = before if method == "a-priori" else np.fmin(bound, before)
        if bound.shape != values.shape:
            bound = np.broadcast_to(bound, values.shape).copy()
        if not (_is_finite(values) and _is_finite(bound)):
            bound = np.where(np.isfinite(values) & np.isfinite(bound), bound, np.inf)
    return Certified(values, bound, name, method)


def _is_planned(oriented: Oriented, plan: str) -> bool:
    """Whether `plan` is one of the planner's, or its choice."""
    named = plan == "auto" or any(kind.name == plan for kind in PLANS)
    return named and isinstance(oriented.linear, ConvolutionMap)


def _is_finite(array: Array) -> bool:
    """Whether all entries are finite; their sum is not where one is not."""
    if array.dtype.kind not in "fc":
        return True
    return bool(np.isfinite(array.sum()) or np.isfinite(array).all())


def _dtype(*numbers: Number) -> np.dtype[Any]:
    """The type that the products of some numbers are computed in."""
    kinds = [array.dtype for array, _ in numbers if array.dtype.kind in "fc"]
    return np.result_type(*kinds)


def _batch(oriented: Oriented, x: Number) -> int:
    return math.prod(x[0].shape[: x[0].ndim - len(oriented.input_shape)])


def _terms(oriented: Oriented) -> int:
    linear = oriented.linear
    return (linear.adjoint_terms if oriented.transposed else linear.forward_terms) + MORE


def _magnitudes(number: Number, dtype: np.dtype[Any]) -> Number:
    """|·|, real, in the precision of `dtype`; integers may be rounded once."""
    array = number[0] if number[0].dtype.kind in "fc" else number[0].astype(dtype)
    return np.abs(array).astype(np.finfo(dtype).dtype, copy=False), Algebra.REAL


def plain_product(oriented: Oriented, x: Number, weight: Number, settings: Settings) -> Array:
    """A·x by a plan that does nothing but add up the products."""
    plan = "auto"
    if isinstance(oriented.linear, ConvolutionMap):
        dtype, batch = _dtype(x, weight), _batch(oriented, x)
        plan = oriented.choice(dtype, batch, "auto", settings.budget, exact=True).name
    own = replace(settings, out=None, packed=None)
    return oriented.apply_linear(x, weight, plan, own)[0]


def _sizes(oriented: Oriented, x: Number, weight: Number, settings: Settings) -> Array:
    """Σ|w|·|x| as computed in the precision of the data."""
    dtype = _dtype(x, weight)
    weights = weight if oriented.linear.weight_shape is None else _magnitudes(weight, dtype)
    return plain_product(oriented, _magnitudes(x, dtype), weights, settings)


def _linear_bound(
    oriented: Oriented, x: Number, weight: Number, y: Array, plan: str, settings: Settings
) -> Array:
    """|ŷ − A·x| for the plan that computed ŷ; of `y` it is asked only whether it is finite."""
    if x[1].is_exact and weight[1].is_exact:
        return np.zeros(())
    dtype = _dtype(x, weight)
    planes = np.zeros(())
    if _is_planned(oriented, plan):
        n_batch = _batch(oriented, x)
        ran = oriented.choice(dtype, n_batch, plan, settings.budget).plan
        if not ran.is_exact:
            flat = x[0].reshape(n_batch, *oriented.input_shape)
            planes = np.broadcast_to(
                plane_bound(ran, flat, weight[0]), (n_batch, *oriented.output_shape)
            ).reshape(*y.shape)
            # Where sums are not finite such a plan lets a plain one run.
            if _is_finite(y):
                return planes.copy()
    sums = _sizes(oriented, x, weight, settings)
    bound = computed_sum_bound(sums, _terms(oriented), dtype)
    return np.maximum(planes, bound) if planes.ndim else bound


def _through_passes(oriented: Oriented, x: Number, weight: Number) -> tuple[Number, Array]:
    """A·x by passes, and the errors of each carried through the next: |A|·e plus its own."""
    y, error = x, np.zeros(x[0].shape)
    for step, part in oriented.exact_passes(weight):
        sizes = _sizes(step, (error, Algebra.REAL), part, DEFAULT)
        name = step.choice(_dtype(y, part), _batch(step, y)).name
        passed = step.apply_linear(y, part, name)
        error = sum_above(sizes, _terms(step), sizes.dtype)
        error += _linear_bound(step, y, part, passed[0], name, DEFAULT)
        y = passed
    return y, error


def _constant(oriented: Oriented, weight: Number, like: np.dtype[Any]) -> tuple[Array, Array]:
    """What a constant boundary adds, as computed, and how far that is; zeros where it adds none."""
    constant = oriented.offset(weight, like)
    if constant is None:
        return np.zeros(()), np.zeros(())
    dtype = constant[0].dtype if constant[0].dtype.kind in "fc" else like
    sizes = oriented.offset(_magnitudes(weight, dtype), like) or constant
    above = sum_above(np.abs(sizes[0]), _terms(oriented), np.finfo(dtype).dtype)
    return constant[0], sum_bound(above, _terms(oriented), dtype)


def _added(oriented: Oriented, weight: Number, bias: Number | None, values: Array) -> Array:
    """What adding a constant boundary and a bias rounds, and computing the former."""
    constant, error = _constant(oriented, weight, values.dtype)
    if bias is None and not constant.ndim:
        return error
    sizes = np.abs(values).astype(np.float64) + np.abs(constant)
    if bias is not None:
        sizes = sizes + _magnitudes(bias, values.dtype)[0]
    # Two results, each the exact one of what it adds times (1 + δ), |δ| ≤ u.
    return error + sum_bound(sizes * MARGIN, 3, values.dtype)


def _computed(
    oriented: Oriented,
    x: Number,
    weight: Number,
    bias: Number | None,
    values: Array,
    settings: Settings,
) -> Array:
    """|values − better|, and how far the better ones are."""
    single = np.finfo(_dtype(x, weight)).dtype
    if single == np.float32:
        wide = np.complex128 if values.dtype.kind == "c" else np.float64
        sizes = sum_above(_sizes(oriented, x, weight, settings), _terms(oriented), single)
        error = sum_bound(sizes, _terms(oriented), wide)
        better = [plain_product(oriented, _wide(x), _wide(weight), settings)]
    else:
        better, error = _split_products(oriented, x, weight, settings)
    constant, of_constant = _constant(oriented, _wide(weight), values.dtype)
    addends = [constant, *better] if bias is None else [bias[0], constant, *better]
    return _distance(values, addends, error + of_constant)


def _distance(values: Array, addends: Sequence[Array], error: Array) -> Array:
    """Not below |values − Σ addends| + error, a part at a time that stays in cache."""
    wide = np.dtype(np.complex128 if values.dtype.kind == "c" else np.float64)
    used = [part for part in addends if part.ndim]
    lines = [np.broadcast_to(part, values.shape).reshape(-1) for part in used]
    flat, margin = values.reshape(-1), np.broadcast_to(error, values.shape).reshape(-1)
    bound = np.empty(values.size)
    for start in range(0, values.size, CHUNK):
        here = slice(start, start + CHUNK)
        left, rest = flat[here].astype(wide), np.zeros(())
        lines_here = (line[here].astype(wide, copy=False) for line in lines)
        total = margin[here]
        for addend in lines_here:
            left, lost = two_sum(left, -addend)
            rest = rest + lost
            # The sum of what was lost is rounded itself.
            total = total + 2.0**-50 * np.abs(rest)
        bound[here] = (np.abs(left + rest) + total) * MARGIN
    return bound.reshape(values.shape)


def _wide(number: Number) -> Number:
    array = number[0]
    return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64), number[1]


def _split_products(
    oriented: Oriented, x: Number, weight: Number, settings: Settings
) -> tuple[list[Array], Array]:
    """Addends of A·x, the largest first, the first of them exact; and how far their sum is."""
    linear, dtype = oriented.linear, _dtype(x, weight)
    is_complex = dtype.kind == "c"
    terms = _terms(oriented) * (2 if is_complex else 1)
    n_bits = 53 - terms.bit_length()
    # The residue of the weights meets the largest inputs in its bound: it gets the more bits.
    weight_grid = _grid(weight[0], n_bits // 2 + 3)
    w1, w2 = _split(weight[0].astype(dtype), weight_grid)
    if not np.isfinite(w1).all():
        return [np.zeros(())], np.full((), np.inf)
    units = np.abs(w1.real / weight_grid) + np.abs(w1.imag / weight_grid)
    row = largest_row_sum(linear.incidence, units.astype(np.int64), oriented.transposed)
    x_grid = _grid(x[0], 53 - max(row, 1).bit_length())
    x1, x2 = _split(x[0].astype(dtype), x_grid)

    def times(weights: Array, inputs: Array) -> Array:
        kind = Algebra.COMPLEX if is_complex else Algebra.REAL
        return plain_product(oriented, (inputs, kind), (weights, kind), settings)

    parts = [times(w1, x1), times(w1, x2), times(w2, x[0].astype(dtype))]
    # |x₂| is half a unit of the grid at most, |w₂| as well; of complex numbers each component.
    largest = float(np.abs(x[0]).max(initial=0))
    halves = row * weight_grid * x_grid / 2 + _terms(oriented) * weight_grid * largest / 2
    sizes = np.asarray(halves * (1.5 if is_complex else 1) * MARGIN)
    return parts, sum_bound(sizes, _terms(oriented), dtype)


def _grid(array: Array, bits: int) -> float:
    """The power of two in units of which every entry is at most 2^bits."""
    parts = np.array([np.abs(array.real).max(initial=0), np.abs(array.imag).max(initial=0)])
    exponent = int(np.frexp(parts.astype(np.float64).max())[1])
    return max(math.ldexp(1.0, max(exponent - bits, -1074)), 2.0**-1074)


def _split(array: Array, grid: float) -> tuple[Array, Array]:
    """`array` as multiples of the grid and what is left, exactly; the former may overflow."""
    # As real numbers, for a complex quotient takes more than one rounding.
    components = np.ascontiguousarray(array).view(np.float64)
    first = (np.rint(components / grid) * grid).view(array.dtype)
    return first, array - first
