"""Sizes through stacks of layers: solving for padding, and which sizes survive a round trip."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy

from symconv import checks
from symconv.errors import GeometryError, ParameterError, TooLargeError, located
from symconv.layers import Conv, ConvTranspose, Layer
from symconv.layers.base import checked_layers
from symconv.shapes import padding_interval

__all__ = ["Congruence", "solve_output_padding", "solve_padding", "surviving_sizes"]

#: Largest period that is searched for residues.
MAX_PERIOD = 10**6


@dataclass(frozen=True)
class Congruence:
    """A set of sizes: {n ≥ minimum : n mod modulus ∈ residues}, or finitely many.

    Attributes
    ----------
    modulus : int
        The period; 0 when the set is finite.
    residues : tuple of int
        Residues below `modulus`, or the sizes themselves when the set is finite.
    minimum : int
        The smallest size at which every layer has an output.

    Examples
    --------
    >>> even = Congruence(2, (0,), 4)
    >>> 6 in even, 7 in even, 2 in even
    (True, False, False)
    >>> even.condition(sympy.Symbol("n", integer=True))
    (n >= 4) & Eq(Mod(n, 2), 0)
    """

    modulus: int
    residues: tuple[int, ...]
    minimum: int

    def __contains__(self, n: object) -> bool:
        if not isinstance(n, int) or n < self.minimum:
            return False
        return (n % self.modulus if self.modulus else n) in self.residues

    def condition(self, n: sympy.Symbol) -> Any:
        """The set as a SymPy condition on `n`."""
        if not self.modulus:
            return sympy.Or(*(sympy.Eq(n, size) for size in self.residues))
        inside = (sympy.Eq(sympy.Mod(n, self.modulus), r) for r in self.residues)
        if len(self.residues) == self.modulus:
            return n >= self.minimum
        return sympy.And(n >= self.minimum, sympy.Or(*inside))

    def _repr_latex_(self) -> str:
        return f"${sympy.latex(self.condition(sympy.Symbol('n', integer=True)))}$"

    def __str__(self) -> str:
        listed = ", ".join(map(str, self.residues))
        if not self.modulus:
            return f"n in {{{listed}}}"
        return f"n ≡ {listed} (mod {self.modulus}), n ≥ {self.minimum}"


def surviving_sizes(
    layers: Sequence[Layer], condition: str = "restored", axis: int = 0
) -> Congruence:
    """The input sizes that a stack of layers gives back, or divides without loss: all of them.

    Parameters
    ----------
    layers : sequence of Layer
        With concrete parameters; an encoder followed by its decoder, say.
    condition : {"restored", "nothing_dropped"}
        "restored": the last output size equals the input size. "nothing_dropped": on no strided
        layer does a sample fall behind the last window.
    axis : int, default 0

    Returns
    -------
    Congruence
        Exact for all sizes: each layer's size grows by M/s when its input grows by a multiple M
        of its stride s, so the answer is periodic with the product of the strides (or finite,
        when input and output grow at different rates).

    Examples
    --------
    >>> import symconv as sc
    >>> down, up = sc.MaxPool2d(2), sc.ConvTranspose2d(1, 1, 2, stride=2)
    >>> print(surviving_sizes([down] * 4 + [up] * 4))
    n ≡ 0 (mod 16), n ≥ 16
    >>> conv = sc.Conv2d(1, 1, 3)
    >>> print(surviving_sizes([conv, conv, down, conv, conv, up], "nothing_dropped"))
    n ≡ 0 (mod 2), n ≥ 14
    """
    checks.choice("condition", condition, ("restored", "nothing_dropped"))
    stack = _checked_stack(layers, axis)
    period, rate = _period(stack, axis)
    if period > MAX_PERIOD:
        raise TooLargeError(f"period {period} of the strides is above the limit of {MAX_PERIOD}")
    minimum = _smallest(stack, axis)
    window = range(minimum, minimum + period)
    if condition == "nothing_dropped":
        kept = {n % period for n in window if not _drops(stack, axis, n)}
        return Congruence(period, tuple(sorted(kept)), minimum)
    if rate == period:
        restored = {n % period for n in window if _through(stack, axis, n)[-1] == n}
        return Congruence(period, tuple(sorted(restored)), minimum)
    # n + t·period comes out as f(n) + t·rate: at most one t per residue.
    found = []
    for n in window:
        steps, remainder = divmod(_through(stack, axis, n)[-1] - n, period - rate)
        if remainder == 0 and steps >= 0:
            found.append(n + steps * period)
    return Congruence(0, tuple(sorted(found)), minimum)


def _checked_stack(layers: Sequence[Layer], axis: int) -> tuple[Layer, ...]:
    stack = checked_layers(layers)
    for layer in stack:
        with located(layer.describe):
            layer._check_concrete()
            if checks.integer("axis", axis, 0) >= layer.rank:
                raise ParameterError(f"axis must be below the rank {layer.rank}, got {axis}")
    return stack


def _period(stack: tuple[Layer, ...], axis: int) -> tuple[int, int]:
    """Growth of the input, a multiple of every stride it meets, and of the output with it."""
    period = rate = 1
    for layer in stack:
        relation = layer.relation(axis, 1)
        up, down = relation.input_dilation, relation.stride
        if layer.is_transposed:
            up, down = down, up
        # The growth that reaches this layer must be a multiple of its stride.
        needed = down // math.gcd(down, rate * up)
        period, rate = period * needed, rate * needed * up // down
    return period, rate


def _through(stack: tuple[Layer, ...], axis: int, n: int) -> list[int]:
    """The size after each layer; stops after the first that is not legal."""
    sizes = [n]
    for layer in stack:
        if sizes[-1] < layer._least_input(axis):
            return [*sizes, 0]
        sizes.append(int(layer._output_on(axis, sizes[-1])))
        if sizes[-1] < 1:
            return sizes
    return sizes


def _smallest(stack: tuple[Layer, ...], axis: int) -> int:
    """The smallest input at which every layer has an output: sizes are monotone."""
    high = 1
    while _through(stack, axis, high)[-1] < 1:
        high *= 2
    low = 0
    while low < high:
        middle = (low + high) // 2
        if _through(stack, axis, middle)[-1] >= 1:
            high = middle
        else:
            low = middle + 1
    return low


def _drops(stack: tuple[Layer, ...], axis: int, n: int) -> bool:
    """Whether a sample falls behind the last window of some layer."""
    sizes = _through(stack, axis, n)
    for layer, n_in, n_out in zip(stack, sizes, sizes[1:], strict=False):
        if layer.is_transposed or n_out < 1:
            continue
        relation = layer.relation(axis, n_in)
        if relation.padded_size(n_in) > relation.reach(n_out):
            return True
    return False


def solve_padding(
    layer: Conv, input_size: Sequence[int], output_size: Sequence[int]
) -> tuple[tuple[int, int], ...]:
    """The least padding per axis, as (lo, hi), that gives a wanted output size.

    The layer's own padding plays no part. An odd unit goes to the end; a negative amount crops.

    Examples
    --------
    >>> import symconv as sc
    >>> solve_padding(sc.Conv2d(1, 1, 3, stride=2), (32, 31), (16, 16))
    ((0, 1), (1, 1))
    """
    with located(layer.describe):
        layer._check_concrete(skip=("in_channels", "out_channels", "groups"))
        sizes = zip(
            checks.per_axis("input_size", tuple(input_size), layer.rank, 0),
            checks.per_axis("output_size", tuple(output_size), layer.rank, 1),
            strict=True,
        )
        totals = [
            padding_interval(layer.relation(axis, n), n, wanted)[0]
            for axis, (n, wanted) in enumerate(sizes)
        ]
        return tuple((total // 2, total - total // 2) for total in totals)


def solve_output_padding(
    layer: ConvTranspose, input_size: Sequence[int], output_size: Sequence[int]
) -> tuple[int, ...]:
    """The output padding per axis that gives a wanted output size.

    The layer's own output padding plays no part.

    Raises
    ------
    GeometryError
        If the size is below what output padding 0 gives: no output padding is negative; the
        message says by how much to crop (as padding at the high end) instead.

    Examples
    --------
    >>> import symconv as sc
    >>> solve_output_padding(sc.ConvTranspose2d(1, 1, 3, stride=2, padding=1), (16, 16), (32, 31))
    (1, 0)
    """
    with located(layer.describe):
        layer._check_concrete(skip=("in_channels", "out_channels", "groups"))
        n_in = checks.per_axis("input_size", tuple(input_size), layer.rank, 1)
        wanted = checks.per_axis("output_size", tuple(output_size), layer.rank, 1)
        result = []
        for axis in range(layer.rank):
            without = layer._output_on(axis, n_in[axis]) - layer.output_padding[axis]
            if wanted[axis] < without:
                raise GeometryError(
                    f"output_size must be >= {without} on axis {axis} with output padding 0, got "
                    f"{wanted[axis]}; crop {without - wanted[axis]} more by padding at the high end"
                )
            result.append(wanted[axis] - without)
        return tuple(result)
