"""How often each input is used, or each output written, as a picture."""

from __future__ import annotations

from typing import Any

from symconv.drawing.base import Drawing, Still
from symconv.drawing.stills import described, themed
from symconv.drawing.subject import subject_of
from symconv.overlap import multiplicities_of

__all__ = ["draw_overlap"]


def draw_overlap(thing: Any, *, input_size: Any = None, side: str | None = None) -> Drawing:
    """The triples that each position is in: bars on one axis, a map on two, bars per axis on more.

    Parameters
    ----------
    thing : Operator, BoundOperator, PoolOperator or Layer
    input_size : sequence of int, optional
        Needed with a layer.
    side : {"input", "output"}, optional
        By default the side on which windows overlap: the inputs, of a transposed layer the
        outputs.

    Examples
    --------
    >>> import symconv as sc
    >>> picture = draw_overlap(sc.ConvTranspose1d(1, 1, 3, stride=2), input_size=(3,))
    >>> picture.alt
    'products in each output: 1, 1, 2, 1, 2, 1, 1'

    References
    ----------
    A. Odena, V. Dumoulin, C. Olah, *Deconvolution and checkerboard artifacts*, Distill (2016).
    """
    found = multiplicities_of(subject_of(thing, input_size).operator)
    svg = found.svg(side)
    title = f"overlap of {found.describe()}"
    return Still(title, described(svg), lambda theme: themed(svg, "overlap", theme))
