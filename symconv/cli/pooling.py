"""``symconv pool``: a pooling of numbers, an array or an image, exactly."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt
import sympy

from symconv.algebras import integers_over_denominator
from symconv.cli.options import json_option, layer_argument
from symconv.errors import (
    DTypeError,
    FileError,
    ParameterError,
    ParameterTypeError,
    ShapeError,
    TooLargeError,
)
from symconv.files import (
    check_writable,
    image_format,
    read_array,
    read_image,
    write_atomically,
    write_image,
)
from symconv.filtering import Filtered
from symconv.maxpool import PoolOperator
from symconv.operator import Operator
from symconv.parsing import parse_array
from symconv.rendering import matrix_latex, matrix_text

__all__ = ["pool"]

Array = npt.NDArray[Any]

#: Suffixes that are read as images.
IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm")

#: Rows and columns, planes and ties that are printed; numbers that JSON lists.
MAX_PRINTED, MAX_PLANES, MAX_TIES, MAX_LISTED = 16, 6, 20, 2**16
#: Matrices up to this many places are made in order to print their corners.
MAX_PLACES = 2**24
#: Samples up to which the means of an image's small integers are kept as fractions.
MAX_FRACTIONS = 2**18


@click.command(short_help="Pool numbers, an array or an image.")
@layer_argument
@click.argument("source", metavar="INPUT")
@click.option("--indices", is_flag=True, help="Max pooling: where the largest values stand.")
@click.option("--ties", is_flag=True, help="Max pooling: windows with several largest values.")
@click.option("--matrix", is_flag=True, help="The operator's matrix, a large one's corners.")
@click.option("--latex", "as_latex", is_flag=True, help="Print the result as LaTeX.")
@json_option
@click.option(
    "--out", type=click.Path(path_type=Path),
    help="Write the result instead of printing it: a .npy file or an image.",
)  # fmt: skip
def pool(
    layer: Any,
    source: str,
    indices: bool,
    ties: bool,
    matrix: bool,
    as_latex: bool,
    as_json: bool,
    out: Path | None,
) -> None:
    """Print what the pooling LAYER, such as "MaxPool2d(2)", makes of INPUT.

    INPUT is numbers such as "[[1, 2], [3, 4]]", a .npy file, or an image. Its last axes are the
    layer's; the others, such as the colours of an image, are pooled one by one. Integers and
    fractions are pooled exactly. Indices are positions in the input plane, row after row.
    """
    if as_json and as_latex:
        raise ParameterError("format must be given once: either --json or --latex")
    if out is not None:
        if indices or ties or matrix or as_json or as_latex:
            raise ParameterError("out must stand alone: what is printed is not written")
        # A name that cannot be written is reported before the work.
        check_writable(out)
        if out.suffix.lower() != ".npy":
            image_format(out)
    data, is_image = _samples(source)
    operator = _operator(layer, data, is_image)
    if (indices or ties) and not isinstance(operator, PoolOperator):
        raise ParameterTypeError(
            f"layer must be a max pooling for indices and ties, got {layer.describe()}"
        )
    if out is not None:
        _write(out, _pooled(operator, data))
        return
    parts: dict[str, Array] = {}
    if indices:
        parts["values"], parts["indices"] = operator.apply(data, return_indices=True)
    else:
        parts["values"] = _pooled(operator, data)
    if as_json:
        click.echo(json.dumps(_plain(parts, operator, data, ties=ties, matrix=matrix)))
    else:
        made = _matrix(operator) if matrix else None
        blocks = [_planes(name, values, as_latex) for name, values in parts.items()]
        blocks += [] if made is None else [made.latex() if as_latex else str(made)]
        click.echo("\n".join([*blocks, _ties(operator, data)] if ties else blocks))


def _samples(source: str) -> tuple[Array, bool]:
    """What INPUT spells, and whether it is an image: a file by its suffix, else numbers."""
    suffix = Path(source.strip()).suffix.lower()
    if suffix == ".npy":
        return read_array(Path(source)), False
    if suffix in IMAGES:
        return read_image(Path(source)), True
    return np.atleast_1d(parse_array(source, "input")), False


def _operator(layer: Any, data: Array, is_image: bool) -> Any:
    """The layer on the last axes of the data."""
    rank = _rank(layer)
    if rank is None:
        # Global pooling takes all the axes that there are.
        rank = 2 if is_image else data.ndim
    if is_image and rank != 2:
        raise ShapeError(f"layer must have 2 axes for an image, got {rank} in {layer.describe()}")
    if data.ndim < rank:
        raise ShapeError(f"input must have at least {rank} axes, got shape {data.shape}")
    operator = layer.operator(data.shape[data.ndim - rank :])
    if operator.weight_shape is not None:
        raise ParameterTypeError(
            f"layer must be a pooling, without weights, got {layer.describe()}; see symconv apply"
        )
    return operator


def _rank(layer: Any) -> int | None:
    """The number of the layer's axes, None where it takes any."""
    try:
        return int(layer.rank)
    except ParameterError:
        return None


def _pooled(operator: Any, data: Array) -> Array:
    is_small = data.dtype.kind in "iu" and data.dtype.itemsize <= 4
    if isinstance(operator, Operator) and is_small and data.size > MAX_FRACTIONS:
        # Sums of such integers are exact in float64, and the one division rounds correctly.
        data = data.astype(np.float64)
    return np.asarray(operator.apply(data))


def _write(out: Path, values: Array) -> None:
    """A .npy file of int64, or of floats where there are fractions; or an image, rounded."""
    if values.dtype.kind == "O" and any(isinstance(v, sympy.Expr) for v in values.ravel()):
        # Radicals, of norms.
        values = values.astype(np.float64)
    if values.dtype.kind == "O":
        filtered = Filtered(*integers_over_denominator(values))
    else:
        filtered = Filtered(values)
    if out.suffix.lower() == ".npy":
        numbers = filtered.numbers()
        write_atomically(out, lambda file: np.save(file, numbers, allow_pickle=False))
        return
    samples = filtered.samples("clip")
    shape = samples.shape
    if not samples.size or not (len(shape) == 2 or (len(shape) == 3 and shape[0] in (1, 3))):
        raise FileError(
            f"output must have 1 or 3 channels for an image, got shape {shape}; write a .npy file"
        )
    write_image(out, samples[0] if shape[0] == 1 and len(shape) == 3 else samples)
    share = filtered.outside()
    if share:
        click.echo(f"note: {share:.1%} of the values were outside 0…255 and were cut", err=True)


class _Plane:
    """One plane of a result as the printers look it up."""

    def __init__(self, values: Array) -> None:
        self._values = values.reshape(1, -1) if values.ndim == 1 else values
        self.shape = self._values.shape

    def __getitem__(self, place: tuple[int, int]) -> Any:
        value = self._values[place]
        if isinstance(value, (float, np.floating)):
            # As it is written in Python; SymPy would round it or give it fifteen digits.
            return sympy.Symbol(str(value))
        return sympy.Rational(value.numerator, value.denominator) if _is_exact(value) else value


def _is_exact(value: Any) -> bool:
    return isinstance(value, (int, np.integer, Fraction))


def _planes(name: str, values: Array, as_latex: bool) -> str:
    """What the last two axes span, plane below plane; the first ones where there are many."""
    if not values.size:
        raise ShapeError(f"input must have planes to print, got an output of shape {values.shape}")
    lead = values.shape[:-2]
    planes = values.reshape(math.prod(lead), *values.shape[-2:])
    lines = [] if name == "values" else [f"{name}:"]
    for at in range(min(len(planes), MAX_PLANES)):
        if lead:
            lines.append(f"[{', '.join(str(int(part)) for part in np.unravel_index(at, lead))}]")
        write = matrix_latex if as_latex else matrix_text
        lines.append(write(_Plane(planes[at]), MAX_PRINTED, MAX_PRINTED))
    if len(planes) > MAX_PLANES:
        lines.append(f"… {len(planes) - MAX_PLANES} more planes; --out writes all")
    return "\n".join(lines)


def _matrix(operator: Any) -> Any:
    """The operator's matrix: over (max, +), or over the rationals."""
    rows, columns = operator.shape
    if rows * columns > MAX_PLACES:
        raise TooLargeError(
            f"matrix must have at most {MAX_PLACES} places to be printed, got {rows}×{columns}"
        )
    if not hasattr(operator, "exact"):
        raise ParameterTypeError(f"layer must have a matrix, got {operator.describe()}")
    made = operator.exact()
    return _Exact(made) if isinstance(operator, Operator) else made


class _Exact:
    """A SymPy matrix that writes itself as those over (max, +) do."""

    def __init__(self, matrix: Any) -> None:
        self.matrix = matrix

    def latex(self) -> str:
        return matrix_latex(self.matrix)

    def __str__(self) -> str:
        return matrix_text(self.matrix)

    @property
    def shape(self) -> tuple[int, int]:
        rows, columns = self.matrix.shape
        return int(rows), int(columns)

    def entries(self) -> Any:
        stored = self.matrix.todok()
        return ((row, column, stored[row, column]) for row, column in sorted(stored))

    @property
    def nnz(self) -> int:
        return len(self.matrix.todok())


def _ties(operator: PoolOperator, data: Array) -> str:
    found = operator.ties(data)
    if not found:
        return "ties: none"
    lines = [f"ties: {len(found)} window{'s' * (len(found) != 1)}"]
    for output, places in islice(found.items(), MAX_TIES):
        lines.append(f"  output {_place(output)}: inputs {', '.join(map(_place, places))}")
    if len(found) > MAX_TIES:
        lines.append(f"  … {len(found) - MAX_TIES} more; --json lists them")
    return "\n".join(lines)


def _place(place: tuple[int, ...]) -> str:
    return f"({', '.join(str(int(part)) for part in place)})"


def _check_listed(count: int) -> None:
    if count > MAX_LISTED:
        raise TooLargeError(
            f"output must have at most {MAX_LISTED} numbers for JSON, got {count}; --out writes a "
            f".npy file"
        )


def _plain(
    parts: dict[str, Array], operator: Any, data: Array, *, ties: bool, matrix: bool
) -> dict[str, Any]:
    """Numbers as JSON has them; fractions, radicals and what is not finite as text."""
    _check_listed(parts["values"].size)
    answer: dict[str, Any] = {"shape": list(parts["values"].shape)}
    for name, values in parts.items():
        answer[name] = _nested(values.tolist())
    if ties:
        found = operator.ties(data)
        _check_listed(len(found))
        answer["ties"] = [
            {"output": _numbers(output), "inputs": [_numbers(place) for place in places]}
            for output, places in found.items()
        ]
    if matrix:
        made = _matrix(operator)
        _check_listed(made.nnz)
        listed = [[row, column, _number(value)] for row, column, value in made.entries()]
        answer["matrix"] = {"shape": list(made.shape), "entries": listed}
    return answer


def _numbers(place: tuple[int, ...]) -> list[int]:
    return [int(part) for part in place]


def _nested(values: Any) -> Any:
    return [_nested(entry) for entry in values] if isinstance(values, list) else _number(values)


def _number(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, (Fraction, sympy.Rational)) and value.denominator == 1:
        return int(value)
    if isinstance(value, complex):
        raise DTypeError("output must be real for JSON, got complex numbers")
    return str(value)
