"""Test vectors of one geometry: distinct small integers in, exact integers out.

Every partial sum is an integer below 2^24, so that float32 holds it whatever the order of the
additions. The inputs of an average are multiples of all its divisors: its outputs are integers.
No two inputs are equal, no two weights of a layer, so that nothing that is exchanged stays hidden.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.errors import ParameterError, TooLargeError, located
from symconv.layers import Layer
from symconv.vectors.parameters import parameters_of
from symconv.verifying import loops
from symconv.verifying.problems import Problem, forward

__all__ = ["Case", "made"]

Array = npt.NDArray[np.int64]

#: Sums of magnitudes that float32 holds exactly, entries of one array, products computed by loops.
EXACT, MAX_ENTRIES, MAX_PRODUCTS = 2**24, 2**20, 2**20

#: The arrays by their names in files, in the order of an implementation's arguments.
NAMES = {"x": "input", "w": "weight", "b": "bias"}

#: What each type computes, and the theorem of symconv's ledger that says it for all sizes.
DEFINITIONS = {
    "conv": (
        "y[o] = bias + sum over taps k of weight[k]*x[s*o + d*k - lo], kernel not flipped",
        "relation.definition",
    ),
    "conv_transpose": (
        "x[i]*weight[k] is added to y[s*i + d*k - lo]; size s*(n-1) + d*(K-1) + 1 + op - lo - hi",
        "transposed.is-a-transpose",
    ),
    "avg_pool": (
        "the sum over the window divided by its cells in the padded input (count_include_pad) or "
        "in the input, or by divisor_override",
        "relation.definition",
    ),
    "max_pool": ("the largest x[s*o + d*k - lo]; padding never is", "relation.definition"),
}


@dataclass(frozen=True, eq=False)
class Case:
    """The vectors of one geometry.

    Attributes
    ----------
    name : str
    layer : Layer
    input_size : tuple of int
    parameters : dict
        As of `symconv.vectors.parameters_of`.
    arrays : dict of str to array of int64
        "input", "weight" and "bias" where there are any, "output".
    by_loops : bool
        Whether integer loops that share no code with symconv gave the same output.
    """

    name: str
    layer: Layer
    input_size: tuple[int, ...]
    parameters: dict[str, Any]
    arrays: dict[str, Array]
    by_loops: bool


def made(number: int, layer: Layer, input_size: Sequence[int], batch: int = 2) -> Case:
    """The vectors of a geometry, the same in every run.

    Parameters
    ----------
    number : int
        Comes first in the name.
    layer : Layer
    input_size : sequence of int
    batch : int

    Raises
    ------
    ParameterTypeError, ParameterError
        If the layer has no plain parameters, or sums of distinct integers that float32 does not
        hold.
    TooLargeError
        If an array has more than 2^20 entries.

    Examples
    --------
    >>> import symconv as sc
    >>> case = made(7, sc.Conv1d(1, 1, 2, bias=False), (3,), batch=1)
    >>> case.name, case.by_loops
    ('007_conv1d', True)
    >>> [case.arrays[name].tolist() for name in ("input", "weight", "output")]
    [[[[1, 3, 2]]], [[[1, 2]]], [[[7, 7]]]]
    """
    with located(lambda: f"{layer.describe()} on {tuple(input_size)}"):
        parameters = parameters_of(layer, input_size)
        problem = forward(layer, input_size)
        each = zip(problem.shapes, problem.batched, strict=True)
        shapes = [(batch, *shape) if batched else shape for shape, batched in each]
        for shape in (*shapes, (batch, *problem.output_shape)):
            if math.prod(shape) > MAX_ENTRIES:
                raise TooLargeError(f"arrays must have at most {MAX_ENTRIES} entries, got {shape}")
        given = [_distinct(shape) for shape in shapes]
        given[0] *= math.lcm(*problem.divisors)
        largest = int(problem.magnitudes(*given).max(initial=0))
        if max(largest, int(np.abs(given[0]).max(initial=0))) > EXACT:
            raise ParameterError(
                f"sums must stay within 2**24, which float32 holds, got {largest}: use fewer "
                f"channels or taps, or a smaller input"
            )
        output = np.asarray(problem.operator.apply(*given))
        arrays = {NAMES[name]: array for name, array in zip(problem.names, given, strict=True)}
        arrays["output"] = _integers(output)
        by_loops = _products(problem, batch) <= MAX_PRODUCTS
        if by_loops:
            _check(parameters, given, arrays["output"])
    rank = len(parameters["kernel_size"])
    name = f"{number:03d}_{parameters['type']}{rank}d"
    return Case(name, layer, problem.size, parameters, arrays, by_loops)


def _distinct(shape: tuple[int, ...]) -> Array:
    """1, 2, 3, … in a fixed disorder, a third of them negative where there are many.

    The step is near the golden section: neighbours are far apart.
    """
    n = math.prod(shape)
    step = next(
        (k for k in range(max(round(n * 0.618), 1), n + 2) if math.gcd(k, max(n, 1)) == 1), 1
    )
    values = np.arange(n, dtype=np.int64) * step % max(n, 1) + 1
    values[values % 3 == 0] *= -1 if n > 8 else 1
    return np.asarray(values.reshape(shape), dtype=np.int64)


def _integers(output: npt.NDArray[Any]) -> Array:
    whole = output.astype(np.int64)
    if not np.array_equal(whole.astype(object), output.astype(object)):
        raise ParameterError("outputs must be integers here")  # pragma: no cover
    return whole


def _products(problem: Problem, batch: int) -> int:
    return max(problem.terms, 1) * math.prod(problem.output_shape) * batch


def _check(parameters: dict[str, Any], given: Sequence[Array], output: Array) -> None:
    again = loops.applied(parameters, *(array.tolist() for array in given))
    if again != output.tolist():
        raise ParameterError("symconv and its loops must agree; please report this")
