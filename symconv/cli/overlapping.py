"""``symconv overlap``: how often inputs are used and outputs written, and whether equally often."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from symconv.cli.options import json_option, layer_argument, size_option
from symconv.errors import FileError
from symconv.files import check_writable, write_atomically
from symconv.overlap import SIDES, Multiplicities, multiplicities
from symconv.rendering import matrix_text
from symconv.verdict import Verdict

__all__ = ["overlap"]

#: Places of an axis that are printed, and counts that JSON lists.
MAX_PRINTED, MAX_LISTED = 24, 4096


@click.command()
@layer_argument
@size_option(required=True, help="Size of the layer's input, channels left out.")
@click.option(
    "--side", type=click.Choice(SIDES),
    help="Count the uses of each input, or the products in each output. By default the side on "
    "which windows overlap: the inputs, of a transposed layer the outputs.",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path), help="Write a picture of the counts: .svg or .png."
)
@json_option
def overlap(
    layer: Any, size: tuple[int, ...], side: str | None, out: Path | None, as_json: bool
) -> None:
    """Print how often LAYER uses each input, or writes each output, and whether equally often.

    A transposed convolution whose outputs collect from unequally many products draws
    checkerboards; a pooling whose windows overlap reads some samples more often.
    """
    if out is not None:
        if out.suffix.lower() not in (".svg", ".png"):
            raise FileError(f"file name must end in .svg or .png, got {out}")
        # A name that cannot be written is reported before the work.
        check_writable(out)
    found = multiplicities(layer, size)
    chosen = found.overlap_side if side is None else side
    if out is not None:
        picture = found.svg(chosen).encode() if out.suffix.lower() == ".svg" else found.png(chosen)
        write_atomically(out, lambda file: file.write(picture))
    verdicts = {
        "uniform": found.is_uniform(chosen),
        "inside, for all sizes": found.is_uniform_inside(chosen),
    }
    if as_json:
        click.echo(json.dumps(_plain(found, chosen, verdicts)))
        return
    name, counts = found.panels(chosen)[0]
    click.echo(repr(found))
    for number, values in enumerate(_axes(found, chosen)):
        shown = ", ".join(map(str, values[:MAX_PRINTED]))
        more = f", … {len(values) - MAX_PRINTED} more" if len(values) > MAX_PRINTED else ""
        click.echo(f"axis {number}: {shown}{more}")
    if counts.ndim == 2:
        click.echo(f"{name}:")
        click.echo(matrix_text(counts, MAX_PRINTED, MAX_PRINTED))
    for said, verdict in verdicts.items():
        click.echo(f"{said}: {verdict}")
    interior = found.interior(chosen)
    if interior is not None:
        listed = " × ".join(
            f"{part.start}…{part.stop - 1}" if part else "none" for part in interior
        )
        click.echo(f"no border takes from: {listed}")


def _axes(found: Multiplicities, side: str) -> list[list[int]]:
    axes = found.axis_inputs if side == "input" else found.axis_outputs
    return [counts.tolist() for counts in axes]


def _plain(found: Multiplicities, side: str, verdicts: dict[str, Verdict]) -> dict[str, Any]:
    interior = found.interior(side)
    answer: dict[str, Any] = {
        "side": side,
        "total": found.total,
        "axes": _axes(found, side),
        "interior": interior and [[part.start, part.stop] for part in interior],
    }
    for name, verdict in zip(("uniform", "uniform_inside"), verdicts.values(), strict=True):
        answer[name] = {
            "status": verdict.status,
            "scope": verdict.scope,
            "reason": verdict.reason,
            "counterexample": verdict.counterexample,
        }
    counts = found.counts(side)
    if counts.size <= MAX_LISTED:
        answer["counts"] = counts.tolist()
    return answer
