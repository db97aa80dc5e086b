"""``symconv matrix``: the exact matrix of a layer, printed or written."""

from __future__ import annotations

import json
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import click
import numpy as np
import scipy.io
import scipy.sparse
import sympy

from symconv.cli.options import (
    chosen_weight,
    kernel_option,
    layer_argument,
    size_option,
    transpose_option,
    weight_option,
)
from symconv.errors import ParameterError, ParameterTypeError, SymconvError, TooLargeError
from symconv.files import write_atomically
from symconv.filtering import fitted_weight
from symconv.operator import Operator
from symconv.rendering import matrix_latex, matrix_text

__all__ = ["matrix", "matrix_lines"]

#: Rows and columns that stay of a matrix too large to print.
ELIDED = 12


@click.command()
@layer_argument
@size_option(required=True, help="Size of the layer's input, channels left out.")
@kernel_option
@weight_option
@transpose_option
@click.option(
    "--format",
    "kind",
    type=click.Choice(["text", "latex", "json", "mtx", "npz"]),
    default="text",
    show_default=True,
    help="mtx (Matrix Market) and npz (SciPy) need numbers as weights, and --out.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Write to this file.")
@click.option(
    "--max-entries",
    type=click.IntRange(1),
    default=4096,
    show_default=True,
    help="Largest matrix that text and latex print in full (rows times columns; of a larger one "
    "they show the corners), and most stored entries that json lists.",
)
def matrix(
    layer: Any,
    size: tuple[int, ...],
    kernel: str | None,
    weight: Any,
    transpose: bool,
    kind: str,
    out: Path | None,
    max_entries: int,
) -> None:
    """Print the exact matrix of LAYER at one input size.

    Without weights its entries are symbols w_o_c_i_j: output channel, input channel (within the
    group), tap. Rows are outputs and columns inputs, both (channel, position) in C order.
    """
    if not layer.is_linear:
        raise ParameterTypeError(
            f"layer must be linear to have a matrix over numbers, got {layer.describe()}"
        )
    operator = layer.operator(size)
    operator = operator.T if transpose else operator
    numbers, divisor = chosen_weight(kernel, weight)
    if numbers is not None:
        numbers = fitted_weight(numbers, operator)
        if divisor != 1:
            numbers = numbers.astype(object) * Fraction(1, divisor)
    if kind in ("mtx", "npz"):
        if out is None:
            raise ParameterError(f"out must be given for the format {kind}, a file to write")
        stored = _sparse(operator, numbers)
        if kind == "mtx":
            write_atomically(out, lambda file: scipy.io.mmwrite(file, stored))
        else:
            write_atomically(out, lambda file: scipy.sparse.save_npz(file, stored))
        return
    writer = {"text": _text, "latex": _latex, "json": _json}[kind]
    text = writer(operator, numbers, max_entries, None if out else _width())
    if out is None:
        click.echo(text)
    else:
        write_atomically(out, lambda file: file.write(f"{text}\n".encode()))


def _sparse(operator: Operator, weight: Any) -> Any:
    """The SciPy matrix, of int64 where the entries are integers."""
    if operator.weight_shape is not None and weight is None:
        raise ParameterError("weight must be given as numbers for the formats mtx and npz")
    if weight is not None and weight.dtype.kind in "fc":
        return operator.sparse(weight, dtype=weight.dtype)
    try:
        return operator.sparse(weight, dtype=np.int64)
    except SymconvError:
        # Fractions, averages, or integers beyond int64.
        return operator.sparse(weight)


class _Lazy:
    """A matrix of which rows are computed as they are looked at.

    With `short`, the symbols of a single pair of channels lose their channels: w_0_0_1_2 is w12.
    """

    def __init__(
        self, operator: Operator, weight: Any, max_entries: int, *, short: bool = False
    ) -> None:
        self.shape = operator.shape
        self._operator, self._weight = operator, weight
        self._rows: dict[int, Any] = {}
        self.short_names: dict[sympy.Symbol, sympy.Symbol] = {}
        self.is_whole = self.shape[0] * self.shape[1] <= max_entries
        shape = operator.weight_shape
        # Up to ten taps per axis, one digit names each.
        is_single = shape is not None and shape[:2] == (1, 1) and max(shape[2:]) <= 10
        if short and weight is None and is_single:
            for index, symbol in np.ndenumerate(operator.weight_symbols()):
                self.short_names[symbol] = sympy.Symbol("w" + "".join(map(str, index[2:])))
        self._whole = operator.exact(weight) if self.is_whole else None

    def __getitem__(self, at: tuple[int, int]) -> Any:
        row, column = at
        if self._whole is not None:
            entry = self._whole[row, column]
        else:
            if row not in self._rows:
                index = np.unravel_index(row, self._operator.output_shape)
                self._rows[row] = self._operator.row(*map(int, index), weight=self._weight)
            entry = self._rows[row][0, column]
        return self.short_names.get(entry, entry)


def matrix_lines(
    operator: Operator, weight: Any, max_entries: int, width: int | None
) -> tuple[str, list[str]]:
    """The exact matrix as text, its corners only where it is larger than said, with notes."""
    lazy = _Lazy(operator, weight, max_entries, short=True)
    rows, columns = lazy.shape
    most_rows, most_columns = (rows, columns) if lazy.is_whole else (ELIDED, ELIDED)
    while True:
        text = matrix_text(lazy, max(most_rows, 3), max(most_columns, 3))
        longest = max(map(len, text.splitlines()))
        if width is None or longest <= width or most_columns <= 3:
            break
        # In proportion, at least one less; the next round measures again.
        most_columns = max(3, min(most_columns, columns) * width // longest)
    notes = []
    if lazy.short_names:
        short, full = list(lazy.short_names.values())[-1], list(lazy.short_names)[-1]
        notes.append(f"{short} is short for {full}")
    if most_rows < rows or most_columns < columns:
        notes.append(f"corners only; --format json --max-entries {operator.nnz} lists all entries")
    return text, notes


def _text(operator: Operator, weight: Any, max_entries: int, width: int | None) -> str:
    text, notes = matrix_lines(operator, weight, max_entries, width)
    return "\n".join((repr(operator), text, *notes))


def _latex(operator: Operator, weight: Any, max_entries: int, width: int | None) -> str:
    rows, columns = operator.shape
    if rows * columns <= max_entries:
        return matrix_latex(operator.exact(weight), max(rows, 3), max(columns, 3))
    click.echo(f"note: corners only of {rows}×{columns}; see --max-entries", err=True)
    return matrix_latex(_Lazy(operator, weight, max_entries), ELIDED, ELIDED)


def _json(operator: Operator, weight: Any, max_entries: int, width: int | None) -> str:
    if operator.nnz > max_entries:
        raise TooLargeError(
            f"max-entries must be at least {operator.nnz}, the entries of this matrix, "
            f"got {max_entries}"
        )
    entries = operator.exact(weight).todok()
    listed = [[row, column, str(entries[row, column])] for row, column in sorted(entries)]
    return json.dumps({"shape": list(operator.shape), "entries": listed})


def _width() -> int:
    return shutil.get_terminal_size((120, 24)).columns
