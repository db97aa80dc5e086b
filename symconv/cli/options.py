"""What the commands share: errors as messages, and options read by the parsers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import click

from symconv.errors import ParameterError, SymconvError
from symconv.files import read_array
from symconv.kernels import KERNELS, named_kernel
from symconv.parsing import parse_array, parse_layer, parse_size

__all__ = ["Commands"]


class Reported(click.ClickException):
    """An error of symconv, as ``error: …`` on stderr with exit status 2."""

    exit_code = 2

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"error: {self.message}", file=file, err=True)


class Commands(click.Group):
    """The one place where errors become messages."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; symconv's errors and Ctrl-C end in an exit status."""
        try:
            return super().invoke(ctx)
        except SymconvError as error:
            raise Reported(str(error)) from None
        except MemoryError as error:
            raise Reported(f"out of memory: {error}") from None
        except KeyboardInterrupt:
            # Quietly: click would print "Aborted!".
            ctx.exit(130)


def parsed(name: str, parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """A parser as a click type called `name`: its own errors are reported as they are."""

    def convert(text: str) -> Any:
        try:
            return parse(text)
        except SymconvError as error:
            raise Reported(str(error)) from None

    convert.__name__ = name
    return convert


def numbers_from(name: str) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        return read_array(Path(text)) if text.endswith(".npy") else parse_array(text, name)

    return read


layer_argument = click.argument("layer", type=parsed("layer", parse_layer))
kernel_option = click.option(
    "--kernel", metavar="NAME", help=f"A named kernel: {', '.join(KERNELS)}."
)
weight_option = click.option(
    "--weight",
    type=parsed("numbers", numbers_from("weight")),
    metavar="TEXT|FILE.npy",
    help='Weights: "[[1, 2], [1/3, 4]]" or a .npy file, of the layer\'s weight shape, or one '
    "kernel without channels for every channel.",
)


def size_option(**settings: Any) -> Callable[[Any], Any]:
    """``--input``, the size of the layer's input."""
    return click.option(
        "--input", "size", type=parsed("size", parse_size), metavar="4x4", **settings
    )


def symbolic_size_option(flag: str, name: str, **settings: Any) -> Callable[[Any], Any]:
    """A size in which letters stand for any number."""

    def read(text: str) -> Any:
        return parse_size(text, symbols=True)

    return click.option(flag, name, type=parsed("size", read), metavar="32x32|nx32", **settings)


scheduler_option = click.option(
    "--scheduler", metavar="ADDRESS", help="Share the work with a Dask cluster (extra: dask)."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
transpose_option = click.option("--transpose", is_flag=True, help="The transposed operator.")


def chosen_weight(kernel: str | None, weight: Any) -> tuple[Any, int]:
    """The weights with what divides them."""
    if kernel is not None and weight is not None:
        raise ParameterError("weight must be given once: either --kernel or --weight")
    if kernel is not None:
        found = named_kernel(kernel)
        return found.array(), found.divisor
    return weight, 1
