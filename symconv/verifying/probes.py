"""Probe data: integers small enough for every partial sum to be exact, random enough to tell.

Each entry is drawn uniformly from −m … m, m as large as the number format allows: terms·m_x·m_w
plus the bias stays within what the accumulator holds exactly (see `symconv.verifying.formats`).
Where even m = 1 is too much, entries are zeros but for a random few, and the magnitudes are summed
to see that they fit.

A wrong bilinear map agrees with the right one on such data only by chance: the difference is a
polynomial of degree one in each variable, and is zero with probability at most p_w + p_x^B for B
samples that share their weights, where p is the probability of an entry's most frequent value.

References
----------
J. T. Schwartz, *Fast probabilistic algorithms for verification of polynomial identities*, J. ACM
27 (1980); R. Freivalds, *Probabilistic machines can use less running time* (1977).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.errors import ParameterError
from symconv.verifying.formats import Format
from symconv.verifying.problems import Problem

__all__ = ["Draws"]

Array = npt.NDArray[Any]

#: How often sparse probes are thinned out before the geometry is refused.
MAX_THINNINGS = 24


@dataclass(frozen=True, eq=False)
class Draws:
    """Probes for one problem in one number format.

    Attributes
    ----------
    problem : Problem
    number : Format
    rng : numpy.random.Generator

    Examples
    --------
    >>> import symconv as sc
    >>> from symconv.verifying.formats import FORMATS
    >>> from symconv.verifying.problems import forward
    >>> problem = forward(sc.Conv2d(3, 4, 3, bias=False), (5, 5))
    >>> draws = Draws(problem, FORMATS["float32"], np.random.default_rng(0))
    >>> draws.limits(2)
    (788, 788)
    >>> int(problem.magnitudes(*draws.random(2)).max()) < 2**24
    True
    """

    problem: Problem
    number: Format
    rng: np.random.Generator

    @cached_property
    def scale(self) -> int:
        """What inputs are multiples of: every division of an average then leaves an integer."""
        scale = math.lcm(*self.problem.divisors)
        total, operand = self.number.total, self.number.operand
        return scale if self.problem.terms * scale <= total and scale <= operand else 1

    @property
    def _outside(self) -> int:
        """The magnitude of what constant padding reads."""
        return abs(int(getattr(self.problem.layer, "padding_value", 0)))

    def limits(self, batch: int) -> tuple[int, ...]:
        """Largest magnitude of each argument's entries, all zeros excluded only where sparse."""
        problem, number = self.problem, self.number
        terms = max(problem.terms, 1) * (max(batch, 1) if problem.is_summed else 1)
        if not problem.has_second:
            return (min(number.total // (terms * self.scale), number.operand // self.scale),)
        bias = min(number.operand, number.total // 4, 2**10) if problem.has_bias else 0
        left = (number.total - bias) // terms
        first = min(math.isqrt(left), number.operand)
        second = min(left // max(first, self._outside, 1), number.operand)
        return (first, second, bias)[: len(problem.names)]

    def shapes(self, batch: int) -> list[tuple[int, ...]]:
        """Shapes of the arguments for a batch."""
        problem = self.problem
        each = zip(problem.shapes, problem.batched, strict=True)
        return [(batch, *shape) if batched else shape for shape, batched in each]

    def random(self, batch: int) -> tuple[Array, ...]:
        """Random arguments for a batch, exact in every partial sum."""
        return self.weighed(batch)[0]

    def weighed(self, batch: int) -> tuple[tuple[Array, ...], float]:
        """Random arguments, and the probability that a wrong map agrees with the right one."""
        shapes, limits = self.shapes(batch), self.limits(batch)
        if self.problem.is_maximum:
            return (self.ordered(batch, 0),), 1.0
        if min(limits) >= 1:
            drawn = [self._integers(shape, m) for shape, m in zip(shapes, limits, strict=True)]
            drawn[0] *= self.scale
            frequent = [1 / (2 * m + 1) for m in limits]
        else:
            drawn, frequent = self._sparse(shapes)
        return tuple(map(self.typed, drawn)), min(1.0, self._missed(frequent, batch))

    def _missed(self, frequent: Sequence[float], batch: int) -> float:
        if self.problem.is_summed:
            return sum(frequent)
        # Several samples are independent of one another; they share the weights and the bias.
        return max(frequent[1:], default=0.0) + frequent[0] ** batch

    def _integers(self, shape: tuple[int, ...], limit: int) -> Array:
        return self.rng.integers(-limit, limit + 1, size=shape)

    def _sparse(self, shapes: Sequence[tuple[int, ...]]) -> tuple[list[Array], list[float]]:
        """Zeros, and ±1 in a few places: as many as leave every sum of magnitudes exact."""
        density = min(1.0, self.number.total / (2 * self.problem.terms))
        for _ in range(MAX_THINNINGS):
            drawn = [self._integers(shape, 1) for shape in shapes]
            drawn[0] *= self.rng.random(drawn[0].shape) < density
            drawn[0] *= self.scale
            if self.problem.magnitudes(*drawn).max(initial=0) <= self.number.total:
                zero = 1 - density * 2 / 3
                return drawn, [max(zero, 1 / 3), *[1 / 3] * (len(shapes) - 1)]
            density /= 2
        raise ParameterError(
            f"dtype must hold the sums of {self.problem.terms} products exactly, got "
            f"{self.number.name}, exact up to {self.number.total} ({self.problem.describe()})"
        )

    def typed(self, array: Array) -> Array:
        """An array of integers in the type that the implementation is called with."""
        return array.astype(self.number.dtype)

    def zeros(self, batch: int) -> tuple[Array, ...]:
        """All arguments zero."""
        return tuple(np.zeros(shape, dtype=self.number.dtype) for shape in self.shapes(batch))

    def largest(self, batch: int, headroom: int = 1) -> tuple[Array, ...]:
        """One sample entry 1 and weights as large as the operands hold: near the exact limit.

        A `headroom` above 1 leaves a wrong map room to add up so many of them exactly.
        """
        if not self.problem.has_second or self.problem.is_summed or self._outside:
            return self.random(batch)
        drawn = [array.astype(np.int64) for array in self.zeros(batch)]
        ones = np.ones(self.problem.shapes[1], dtype=np.int64)
        # Where no window reads, nothing would show.
        everywhere = np.ones(self.problem.output_shape, dtype=np.int64)
        read = np.flatnonzero(self.problem.operator.T.apply_linear(everywhere, ones))
        for sample in drawn[0].reshape(batch, -1) if len(read) else ():
            sample[self.rng.choice(read)] = self.scale
        nothing = drawn[2:]
        together = int(self.problem.run(drawn[0], ones, *nothing).max(initial=1))
        limit = min(self.number.operand, self.number.total // max(together, 1)) // headroom
        limit = max(limit, 1)
        # Odd integers near the limit need every bit that the format has.
        drawn[1] = limit - 1 - 2 * self._integers(ones.shape, min(limit // 8, 2**10)) % limit
        drawn[1] = np.clip(np.abs(drawn[1]) | 1, 1, limit)
        return tuple(map(self.typed, drawn))

    def ordered(self, batch: int, sign: int) -> Array:
        """A random total order in each plane: of both signs (0), all positive or all negative."""
        shape = self.problem.shapes[0]
        n = math.prod(shape[1:])
        ranks = np.argsort(self.rng.random((batch, shape[0], n)), axis=-1) % self.number.operand
        offset = {0: n // 2, 1: -1, -1: n + 1}[sign]
        values = np.clip(ranks - offset, -self.number.operand, self.number.operand)
        return self.typed(values.reshape(batch, *shape))
