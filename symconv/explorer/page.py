"""The page of an explorer: its sliders, the places that its script fills, and the first setting."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from symconv.drawing.page import page
from symconv.explorer.box import Box, Range
from symconv.explorer.state import View
from symconv.explorer.texts import facts_html, figure_html, formula_html
from symconv.proving.report_text import attribute, plain

__all__ = ["asset", "explorer_html", "places"]

#: The places that one setting fills, in the order of the page; the steps come after the formula.
HEAD, PICTURES = ("layer", "formula", "facts"), ("matrix", "overlap", "receptive_field")


@cache
def asset(name: str) -> str:
    """A file of ``symconv/explorer/assets``."""
    return files("symconv.explorer").joinpath("assets", name).read_text("utf-8")


def places(view: View) -> dict[str, str]:
    """What the places of a page hold, as HTML, the steps left out."""
    return {
        "layer": plain(view.layer),
        "formula": formula_html(view.formula),
        "facts": facts_html(view.facts),
        **{picture.name: figure_html(picture) for picture in view.others},
    }


def explorer_html(box: Box, opened: View | str, data: Any) -> str:
    """The document; without scripts it shows the setting at which it opens.

    Parameters
    ----------
    box : Box
    opened : View or str
        What the first setting shows, or the words in which it is refused.
    data : object of JSON
        What the script looks settings up in.
    """
    is_refused = isinstance(opened, str)
    held = dict.fromkeys((*HEAD, *PICTURES, "steps"), "")
    if isinstance(opened, View):
        held |= places(opened) | {"steps": figure_html(opened.steps)}
    kind = box.settings.kind
    body = (
        f"<header><h1>{plain(kind)} explorer</h1>"
        '<p class="soft">Every setting of these ranges, computed beforehand by symconv: formula, '
        "numbers and pictures are read from one index relation.</p></header>"
        f'<form id="controls" hidden>{"".join(map(_control, range(len(box.ranges)), box.ranges))}'
        "</form>"
        "<noscript><p>The sliders need JavaScript; this is the setting at which they start."
        "</p></noscript>"
        f'<p id="message" role="alert"{"" if is_refused else " hidden"}>'
        f"{plain(opened) if isinstance(opened, str) else ''}</p>"
        f'<main id="shown"{" class=stale" if is_refused else ""}>'
        f'<p><code id="place-layer">{held["layer"]}</code></p>'
        f'<div id="place-formula" class="wide">{held["formula"]}</div>'
        f'<div class="columns"><div class="steps"><div id="place-steps">{held["steps"]}</div>'
        '<p class="stepper" id="stepper" hidden><button type="button" id="play">play</button>'
        '<input type="range" id="step" min="0" max="0" value="0" aria-label="step">'
        '<output id="step-value" for="step"></output></p></div>'
        f'<div id="place-facts">{held["facts"]}</div></div>'
        '<div class="pictures">'
        + "".join(f'<div id="place-{name}">{held[name]}</div>' for name in PICTURES)
        + "</div></main>"
    )
    title, script = f"symconv: {kind} explorer", asset("explorer.js")
    return page(title, body, script, data, style=asset("explorer.css"))


def _control(number: int, item: Range) -> str:
    """One setting as a slider, or as a list where its values are no numbers."""
    label = f'<span id="label-{number}">{plain(item.label)}</span>'
    names = f'id="control-{number}" data-name="{attribute(item.name)}" autocomplete="off"'
    if item.is_ordered:
        return (
            f'<label>{label}<input type="range" {names} min="0" max="{len(item.values) - 1}" '
            f'aria-labelledby="label-{number}" value="0"><output id="value-{number}" '
            f'for="control-{number}"></output></label>'
        )
    options = "".join(
        f'<option value="{at}">{plain(said)}</option>' for at, said in enumerate(item.spelled)
    )
    return f"<label>{label}<select {names}>{options}</select></label>"
