"""``symconv shape``: output sizes, their inverse, and what padding a wanted size takes."""

from __future__ import annotations

import json
from typing import Any

import click
import sympy

from symconv.cli.options import json_option, layer_argument, symbolic_size_option
from symconv.errors import ParameterError
from symconv.geometry import by_axis
from symconv.layers import Conv, ConvTranspose
from symconv.roundtrip import solve_output_padding, solve_padding

__all__ = ["shape"]


@click.command()
@layer_argument
@symbolic_size_option("--input", "input_size", help="Input size; letters give the closed form.")
@symbolic_size_option("--output", "output_size", help="Output size: print the inputs that give it.")
@json_option
def shape(layer: Any, input_size: Any, output_size: Any, as_json: bool) -> None:
    """Print the output size of LAYER, or the input sizes of an output size.

    Without sizes the closed form is printed. With both --input and --output: the least padding,
    or for a transposed convolution the output padding, that makes the one of the other.
    """
    if input_size is None and output_size is None:
        input_size = _letters(layer.rank)
    if input_size is not None and output_size is not None:
        answer = _solved(layer, input_size, output_size)
    elif output_size is not None:
        answer = {"output_size": output_size, "input_sizes": layer.input_sizes(output_size)}
    else:
        answer = {"input_size": input_size, "output_size": layer.output_size(input_size)}
    if as_json:
        click.echo(json.dumps({name: _plain(value) for name, value in answer.items()}))
        return
    for name, value in answer.items():
        click.echo(f"{name.replace('_', ' ')}: {_written(name, value)}")


def _letters(rank: int) -> tuple[sympy.Symbol, ...]:
    names = ("n",) if rank == 1 else tuple(f"n_{axis}" for axis in range(rank))
    return tuple(sympy.Symbol(name, integer=True, positive=True) for name in names)


def _solved(layer: Any, input_size: Any, output_size: Any) -> dict[str, Any]:
    if isinstance(layer, ConvTranspose):
        solved = solve_output_padding(layer, input_size, output_size)
        return {"output_padding": solved}
    if isinstance(layer, Conv):
        return {"padding": solve_padding(layer, input_size, output_size)}
    raise ParameterError(
        f"input and output together solve for the padding of a convolution, got {layer.describe()}"
    )


def _written(name: str, value: Any) -> str:
    if name == "input_sizes":
        return " × ".join(_range(sizes) for sizes in value)
    if name.endswith("padding"):
        return str(value)
    return by_axis(value) if all(isinstance(n, int) for n in value) else " × ".join(map(str, value))


def _range(sizes: Any) -> str:
    if isinstance(sizes, sympy.Range):
        return f"{sizes.start} … {sizes.stop - 1}"
    if not sizes:
        return "none"
    return str(sizes[0]) if len(sizes) == 1 else f"{sizes[0]} … {sizes[-1]}"


def _plain(value: Any) -> Any:
    """Integers as numbers, formulas as text, a symbolic run of sizes as its first and last."""
    if isinstance(value, sympy.Range):
        return {"from": str(value.start), "to": str(value.stop - 1)}
    if isinstance(value, (tuple, list)):
        return [_plain(entry) for entry in value]
    return int(value) if isinstance(value, (int, sympy.Integer)) else str(value)
