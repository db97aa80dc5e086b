"""``symconv summary``: a table of a network in an ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from symconv.adapters.onnx import from_onnx
from symconv.cli.options import symbolic_size_option
from symconv.errors import ParameterError
from symconv.files import write_atomically

__all__ = ["summary"]


@click.command()
@click.argument("model", metavar="MODEL.onnx", type=click.Path(path_type=Path))
@symbolic_size_option(
    "--input", "input_shape", help="Channels and size, as 3x224x224; the file's own by default."
)
@click.option("--json", "kind", flag_value="json", help="Print JSON.")
@click.option("--csv", "kind", flag_value="csv", help="Print comma-separated values.")
@click.option("--out", type=click.Path(path_type=Path), help="Write to this file.")
def summary(model: Path, input_shape: Any, kind: str | None, out: Path | None) -> None:
    """Print a table of MODEL: shapes, parameters, MACs and receptive fields, layer by layer.

    The file is read and never run. MACs are per tap, for one input; the field is the receptive
    field's size, with jump, start and padding in input samples.
    """
    network = from_onnx(model, input_shape)
    shape = input_shape if input_shape is not None else network.input_shape
    if shape is None:
        raise ParameterError("input must be given: the file states no input shape")
    table = network.table(shape)
    text = {"json": table.json, "csv": table.csv, None: table.__str__}[kind]().rstrip("\n")
    if out is None:
        click.echo(text)
    else:
        write_atomically(out, lambda file: file.write(f"{text}\n".encode()))
