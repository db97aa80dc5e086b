"""Grey-scale morphology: dilation and erosion, the convolutions over (max, +) and (min, +)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from symconv.errors import located
from symconv.geometry import by_axis
from symconv.incidence import Incidence, check_table
from symconv.layers.base import any_size, store
from symconv.layers.windows import WindowLayer
from symconv.morphology import MorphologyOperator, structure_array
from symconv.rendering import relation_latex
from symconv.semirings import MAX_PLUS, MIN_PLUS, Semiring

__all__ = ["Dilation", "Erosion"]


class MorphologyLayer(WindowLayer):
    """Base of dilation and erosion: windows whose taps carry the structuring element."""

    #: They are linear over (max, +) and (min, +), not over numbers.
    is_linear = False

    structure: Any
    semiring: Semiring

    def _normalise_structure(self) -> None:
        array = structure_array(self.structure)
        store(self, "structure", _nested(array.tolist()))
        store(self, "kernel_size", array.shape)
        self._normalise_window()

    def latex(self) -> str:
        relations = [self.relation(axis, any_size(axis)) for axis in range(self.rank)]
        taps = ", ".join(f"k_{{{axis}}}" for axis in range(self.rank))
        sign, name = ("+", "max") if self.semiring is MAX_PLUS else ("-", "min")
        formula = relation_latex(relations, weighted=False).replace(r"\sum", rf"\{name}")
        return rf"{formula} {sign} b_{{{taps}}}"

    def operator(self, input_size: Sequence[int]) -> MorphologyOperator:  # type: ignore[override]
        geometry = self._geometry(input_size)
        name = f"{self.describe()} on {by_axis(geometry.input_size)}"
        with located(lambda: name):
            for axis in geometry.axes:
                check_table(axis)
        weights = structure_array(self.structure)
        return MorphologyOperator(Incidence(geometry), weights, self.semiring, name)


@dataclass(frozen=True, repr=False)
class Dilation(MorphologyLayer):
    """The largest value of each window after adding the structuring element, per channel.

    ``y[o] = max over k of x[s·o + d·k − p] + structure[k]``: cross-correlation over (max, +), so
    that a flat structuring element (zeros) is max pooling. The dilation of image processing
    (``scipy.ndimage.grey_dilation``) mirrors its structuring element first.

    Parameters
    ----------
    structure : nested tuples, lists or array
        One exact number per tap; `MINUS_INFINITY` for a tap that is left out.
    stride, padding, dilation : as for `Conv`; outside lies −∞

    Examples
    --------
    >>> layer = Dilation((0, 2, 0), padding=1)
    >>> layer.operator((4,)).apply([1, 5, 0, 0])
    array([5, 7, 5, 2])
    >>> print(layer.operator((3,)).exact())
    [ 2   0  −∞]
    [ 0   2   0]
    [−∞   0   2]

    References
    ----------
    S. R. Sternberg, *Grayscale morphology* (1986).
    """

    structure: Any
    stride: Any = field(default=1, kw_only=True)
    padding: Any = field(default=0, kw_only=True)
    dilation: Any = field(default=1, kw_only=True)

    semiring = MAX_PLUS

    def __post_init__(self) -> None:
        with located(self.describe):
            self._normalise_structure()


@dataclass(frozen=True, repr=False)
class Erosion(MorphologyLayer):
    """The smallest value of each window after subtracting the structuring element, per channel.

    ``y[o] = min over k of x[s·o + d·k − p] − structure[k]``, over (min, +); outside lies ∞. Its
    matrix is the negative of the dilation's, its transpose the dilation's adjoint:
    D·x ≤ y iff x ≤ (−Dᵀ)·y (`MorphologyOperator.adjoint`).

    Parameters
    ----------
    structure, stride, padding, dilation : as for `Dilation`

    Examples
    --------
    >>> Erosion((0, 2, 0), padding=1).operator((4,)).apply([1, 5, 0, 0])
    array([-1,  0, -2, -2])

    References
    ----------
    S. R. Sternberg, *Grayscale morphology* (1986).
    """

    structure: Any
    stride: Any = field(default=1, kw_only=True)
    padding: Any = field(default=0, kw_only=True)
    dilation: Any = field(default=1, kw_only=True)

    semiring = MIN_PLUS

    def __post_init__(self) -> None:
        with located(self.describe):
            self._normalise_structure()


def _nested(values: Any) -> Any:
    """Lists as tuples: hashable, and printed as they are written."""
    return tuple(map(_nested, values)) if isinstance(values, list) else values
