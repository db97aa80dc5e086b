"""One entry to all pictures: which view a thing has, and the room that draws it."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

from symconv import checks
from symconv.drawing.base import Drawing
from symconv.errors import ParameterError
from symconv.network import Network
from symconv.separable import Separation

__all__ = ["VIEWS", "draw"]

#: View → the room of this package that draws it; its function is ``draw_<view>(thing, **options)``.
VIEWS: dict[str, str] = {
    "steps": "stepping",
    "matrix": "matrix",
    "overlap": "overlap",
    "receptive_field": "receptive_field",
    "gridding": "gridding",
    "terms": "terms",
    "network": "network",
}


def draw(thing: Any, view: str | None = None, **options: Any) -> Drawing:
    """A picture of an operator, a layer, a network or a separation.

    Parameters
    ----------
    thing : Operator, BoundOperator, PoolOperator, Layer, Network, Separation, or layers
        A layer needs ``input_size=``.
    view : str, optional
        "steps" shows what each output reads, one after the other: the default of operators and
        layers. "matrix", "overlap", "receptive_field" and "gridding" show an operator or a stack
        of layers (a sequence: "receptive_field" unless said); "terms" a `Separation`, "network"
        a `Network`.
    **options
        Of the view: see ``draw_steps`` and its like in ``symconv.drawing``.

    Returns
    -------
    Drawing

    Raises
    ------
    ParameterError
        If there is no such view, or the view has no such option.

    Examples
    --------
    >>> import symconv as sc
    >>> draw(sc.Conv2d(1, 1, 3, stride=2), input_size=(5, 5))
    <StepDrawing, 4 frames: Conv(1, 1, (3, 3), stride=(2, 2)) on 5×5>

    References
    ----------
    V. Dumoulin, F. Visin, *A guide to convolution arithmetic for deep learning* (2016),
    arXiv:1603.07285, whose figures these follow.
    """
    name = _default(thing) if view is None else checks.choice("view", view, VIEWS)
    function = getattr(import_module(f"symconv.drawing.{VIEWS[name]}"), f"draw_{name}")
    known = [
        parameter.name
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY
    ]
    for option in options:
        if option not in known:
            raise ParameterError(
                f"option must be one of {', '.join(known)} for the view {name!r}, got {option!r}"
            )
    drawn: Drawing = function(thing, **options)
    return drawn


def _default(thing: Any) -> str:
    """The view of a thing that says most about it."""
    if isinstance(thing, Separation):
        return "terms"
    if isinstance(thing, Network):
        return "network"
    return "receptive_field" if isinstance(thing, (list, tuple)) else "steps"
