"""How a node reads one axis of what it is given: through windows, as a whole, or a slice of it.

An axis that no reading names is read position by position. Receptive fields compose these
readings forward, the exact sets of inputs follow them backward.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from symconv.adaptive import AdaptiveRelation
from symconv.boundary import ZEROS, Boundary
from symconv.relation import AxisRelation

__all__ = ["Reading", "Slice", "Uneven", "Whole", "Window"]


@dataclass(frozen=True, slots=True)
class Window:
    """Every output reads the taps of a relation; a transposed layer's is the adjoint one."""

    relation: AxisRelation
    boundary: Boundary = ZEROS


@dataclass(frozen=True, slots=True)
class Whole:
    """Every output reads all `n` samples of the axis."""

    n: Any


@dataclass(frozen=True, slots=True)
class Slice:
    """Output ``o`` reads sample ``o − start`` where there is one: a part of a concatenation."""

    start: Any
    n: Any


@dataclass(frozen=True, slots=True)
class Uneven:
    """Every output reads its own run of samples: windows of different sizes, on no affine map."""

    rule: AdaptiveRelation


Reading = Window | Whole | Slice | Uneven
