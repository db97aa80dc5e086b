"""``symconv count`` and ``symconv receptive-field``: the numbers people look up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from symconv.cli.options import json_option, layer_argument, parsed, symbolic_size_option
from symconv.errors import ParameterError
from symconv.files import write_atomically
from symconv.layers import Conv, ConvTranspose
from symconv.parsing import parse_layer, parse_size
from symconv.pictures import receptive_field_svg, stacks_of
from symconv.receptive import field_of
from symconv.shapes import canonical

__all__ = ["count", "receptive_field"]

#: Count → what it counts, in the order of printing.
DEFINITIONS = {
    "parameters": "weights and biases",
    "weights": "pairs of joined channels × taps",
    "biases": "one per output channel",
    "outputs": "values computed",
    "macs_per_tap": "multiply-accumulates, padding included",
    "macs_inside": "multiply-accumulates with a stored sample",
    "flops_per_tap": "2 per MAC per tap, 1 per bias addition",
    "flops_inside": "2 per MAC inside, 1 per bias addition",
}


@click.command()
@layer_argument
@symbolic_size_option("--input", "input_size", required=True, help="Input size; letters allowed.")
@json_option
def count(layer: Any, input_size: Any, as_json: bool) -> None:
    """Print parameters, MACs and FLOPs of LAYER for one input."""
    if not isinstance(layer, (Conv, ConvTranspose)):
        raise ParameterError(f"layer must have weights to count, got {layer.describe()}")
    counts = layer.counts(input_size)
    numbers = {name: canonical(getattr(counts, name)) for name in DEFINITIONS}
    if as_json:
        plain = {name: n if isinstance(n, int) else str(n) for name, n in numbers.items()}
        click.echo(json.dumps(plain))
        return
    width = max(len(_written(number)) for number in numbers.values())
    for name, number in numbers.items():
        said = DEFINITIONS[name]
        click.echo(f"{name.replace('_', ' '):<14} {_written(number):>{width}}  {said}")


def _written(number: Any) -> str:
    return f"{number:,}" if isinstance(number, int) else str(number)


@click.command("receptive-field")
@click.argument(
    "layers", metavar="LAYER...", nargs=-1, required=True, type=parsed("layer", parse_layer)
)
@click.option(
    "--input", "input_size", type=parsed("size", parse_size), metavar="32x32",
    help="Input size: the inputs that padding leaves, and sizes for padding that depends on them.",
)  # fmt: skip
@click.option(
    "--position", type=parsed("size", parse_size), metavar="3x3",
    help="An output position: list exactly the inputs it reads, per axis.",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path),
    help="Write a figure of one axis (SVG) for the output at --position, 0 by default.",
)  # fmt: skip
@click.option("--axis", type=click.IntRange(0), default=0, show_default=True, help="Of the figure.")
@json_option
def receptive_field(
    layers: tuple[Any, ...],
    input_size: Any,
    position: Any,
    out: Path | None,
    axis: int,
    as_json: bool,
) -> None:
    """Print the receptive field of a stack of LAYERs, the one next to the input first.

    Size, jump between neighbouring outputs, start (of output 0's field) and effective padding, in
    input samples per axis.
    """
    stacks = stacks_of(layers, input_size)
    if position is not None and len(position) != len(stacks):
        raise ParameterError(f"position must have {len(stacks)} entries, got {len(position)}")
    composed = [field_of(stack.relations) for stack in stacks]
    names = ("size", "jump", "start", "padding")
    answer = {name: [_plain(getattr(field, name)) for field in composed] for name in names}
    if position is not None:
        read = [stack.traced(o).levels[0] for stack, o in zip(stacks, position, strict=True)]
        answer["inputs"] = [list(map(int, positions)) for positions in read]
    if out is not None:
        place = position[axis] if position and axis < len(stacks) else 0
        svg = receptive_field_svg(layers, place, axis=axis, input_size=input_size)
        write_atomically(out, lambda file: file.write(svg.encode()))
    if as_json:
        click.echo(json.dumps(answer))
        return
    for name, values in answer.items():
        click.echo(f"{name:<8} {' × '.join(map(str, values))}")


def _plain(number: Any) -> Any:
    """Integers as numbers; the fractions of transposed layers and formulas as text."""
    return int(number) if number == int(number) else str(number)
