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
from symconv.reach import trace
from symconv.receptive import field_of
from symconv.rendering import field_svg
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
    rank = layers[0].rank
    for layer in layers:
        if layer.rank != rank:
            raise ParameterError(f"layers must have one rank, got {rank} and {layer.rank}")
    for name, value in (("input", input_size), ("position", position)):
        if value is not None and len(value) != rank:
            raise ParameterError(f"{name} must have {rank} entries, got {len(value)}")
    if axis >= rank:
        raise ParameterError(f"axis must be below the rank {rank}, got {axis}")
    # Sizes of every level, where they are known: ceil mode and "same" padding need them.
    sizes = [] if input_size is None else [input_size]
    stacks: list[list[Any]] = [[] for _ in range(rank)]
    for layer in layers:
        for number, stack in enumerate(stacks):
            relation = layer.relation(number, sizes[-1][number] if sizes else None)
            stack.append(relation.adjoint() if layer.is_transposed else relation)
        if sizes:
            sizes.append(layer.output_size(sizes[-1]))
    levels = [[size[number] for size in sizes] for number in range(rank)]
    composed = [field_of(stack) for stack in stacks]
    names = ("size", "jump", "start", "padding")
    answer = {name: [_plain(getattr(field, name)) for field in composed] for name in names}
    if position is not None:
        read = [
            _traced(stack, o, known).levels[0]
            for stack, o, known in zip(stacks, position, levels, strict=True)
        ]
        answer["inputs"] = [list(map(int, positions)) for positions in read]
    if out is not None:
        place = position[axis] if position else 0
        _write_figure(out, stacks[axis], place, levels[axis], layers)
    if as_json:
        click.echo(json.dumps(answer))
        return
    for name, values in answer.items():
        click.echo(f"{name:<8} {' × '.join(map(str, values))}")


def _plain(number: Any) -> Any:
    """Integers as numbers; the fractions of transposed layers and formulas as text."""
    return int(number) if number == int(number) else str(number)


def _traced(stack: list[Any], position: int, sizes: list[int]) -> Any:
    """What a position reads at every level, truncated by padding where sizes are known."""
    return trace(stack, position, sizes[0], sizes=sizes) if sizes else trace(stack, position)


def _write_figure(
    out: Path, stack: list[Any], position: int, sizes: list[int], layers: tuple[Any, ...]
) -> None:
    whole = trace(stack, position)
    svg = field_svg(
        whole.levels,
        whole.places,
        whole.links,
        stored=_traced(stack, position, sizes).levels if sizes else None,
        names=["input", *(type(layer).__name__ for layer in layers)],
        title=f"what output {position} reads",
    )
    write_atomically(out, lambda file: file.write(svg.encode()))
