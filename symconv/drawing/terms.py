"""A kernel as the sum of the separable kernels that it is made of."""

from __future__ import annotations

from typing import Any

from symconv.drawing.base import Drawing, Still
from symconv.drawing.stills import described, themed
from symconv.errors import ParameterTypeError
from symconv.separable import Separation

__all__ = ["draw_terms"]


def draw_terms(thing: Any) -> Drawing:
    """The kernel of a `Separation`, its terms (a column times a row each), its singular values.

    Parameters
    ----------
    thing : Separation
        Of a kernel of numbers on one or two axes (see `symconv.separate`).

    Raises
    ------
    ParameterTypeError
        If it is something else.
    ParameterError
        If the kernel has more axes or symbols.

    Examples
    --------
    >>> import symconv as sc
    >>> draw_terms(sc.separate([[1, 2], [2, 4]])).alt.partition(".")[0]
    'K = 1, 2; 2, 4'
    """
    if not isinstance(thing, Separation):
        raise ParameterTypeError(
            f"thing must be a Separation, as symconv.separate gives, got {type(thing).__name__}"
        )
    svg = thing.svg()
    return Still(repr(thing)[1:-1], described(svg), lambda theme: themed(svg, "terms", theme))
