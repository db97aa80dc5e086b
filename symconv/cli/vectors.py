"""``symconv vectors``: exact test vectors for projects that do not have symconv."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from symconv.cli.options import parsed
from symconv.errors import ParseError
from symconv.lattice import KINDS
from symconv.parsing import parse_layer, parse_size
from symconv.vectors import write_vectors
from symconv.vectors.formats import FORMATS

__all__ = ["vectors"]


def _geometry(text: str) -> Any:
    """A layer and its size: ``Conv2d(1, 1, 3) on 4x4``."""
    layer, separator, size = text.rpartition(" on ")
    if not separator:
        raise ParseError(f"layer must be followed by its size, as in Conv2d(1, 1, 3) on 4x4, "
                         f"got {text[:80]}")  # fmt: skip
    return parse_layer(layer), parse_size(size)


@click.command("vectors")
@click.argument("out_dir", type=click.Path(path_type=Path))
@click.option(
    "--layer",
    "layers",
    multiple=True,
    type=parsed("geometry", _geometry),
    metavar="'LAYER on SIZE'",
    help='As in "Conv2d(1, 1, 3) on 4x4"; repeat for several. Without it the geometries of sweeps.',
)
@click.option("--kind", type=click.Choice(KINDS), default="all", show_default=True)
@click.option("--count", type=click.IntRange(min=1), default=20, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Other geometries.")
@click.option("--batch", type=click.IntRange(min=1), default=2, show_default=True)
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="json",
              show_default=True, help="JSON and npz, or ONNX's node tests.")  # fmt: skip
def vectors(
    out_dir: Path,
    layers: tuple[Any, ...],
    kind: str,
    count: int,
    seed: int,
    batch: int,
    form: str,
) -> None:
    """Write exact test vectors into the new folder OUT_DIR.

    All numbers are integers and exact in float32; every file is listed with its SHA-256.
    """
    pack = write_vectors(
        out_dir, layers or None, kind=kind, count=count, seed=seed, batch=batch, format=form
    )
    cases = "case" if len(pack.names) == 1 else "cases"
    click.echo(f"{len(pack.names)} {cases} in {pack.path}; sha256 of the manifest {pack.sha256}")
