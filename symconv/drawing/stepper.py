"""The page of a step diagram: one picture, its frames as pieces of it, and a slider over them."""

from __future__ import annotations

from html import escape

from symconv.drawing.page import asset, page
from symconv.drawing.scene import Frame
from symconv.drawing.svg import Picture

__all__ = ["stepper_page"]


def stepper_page(
    picture: Picture, title: str, alt: str, frames: tuple[list[Frame], list[Frame]], reason: str
) -> str:
    """A self-contained page. The script only exchanges pieces of SVG that were made here."""
    tracks = [
        {
            "direction": track[0].direction,
            "frames": [[picture.overlay(frame), frame.caption] for frame in track],
        }
        for track in frames
        if track
    ]
    first = frames[0][0]
    svg = picture.svg(first, "auto").replace("<svg ", '<svg id="picture" ', 1)
    toggle = (
        '<button type="button" id="direction" aria-pressed="false">forward ⇄ transposed</button>'
        if len(tracks) > 1
        else f'<button type="button" id="direction" disabled title="{escape(reason)}">'
        "one direction only</button>"
    )
    last = len(frames[0]) - 1
    body = f"""<main><h1>{escape(title)}</h1>
<figure>{svg}</figure>
<div id="controls" role="group" aria-label="steps">
<button type="button" id="previous" aria-label="previous step">◀</button>
<button type="button" id="play" aria-label="play">play</button>
<button type="button" id="next" aria-label="next step">▶</button>
<input type="range" id="step" min="0" max="{last}" value="0" aria-label="step">
<output id="count" for="step">1 of {last + 1}</output>
{toggle}
</div>
<p id="caption" aria-live="polite">{escape(first.caption)}</p>
<details><summary>About this picture</summary><p>{escape(alt)}</p>
<p>Arrow keys step, Home and End go to the ends, the space bar plays, and T turns the direction:
what an output reads, or where an input writes.</p></details>
<noscript><p>Without scripts this page shows the first step alone.</p></noscript></main>"""
    return page(title, body, asset("stepper.js"), {"tracks": tracks})
