"""``symconv separate``: what a kernel is made of."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import click
import numpy as np

from symconv.checks import shown
from symconv.cli.options import json_option
from symconv.errors import FileError, ParameterError
from symconv.files import check_writable, grey, read_array, read_image, write_atomically
from symconv.kernels import KERNELS, SAMPLED, named_kernel, sampled_kernel
from symconv.parsing import parse_array
from symconv.rendering import factors_png
from symconv.separable import Separation, separate

__all__ = ["separate_command"]

#: What may be asked for by name.
NAMES = (*KERNELS, *SAMPLED)

#: Suffixes that are read as images.
IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm")

#: Singular values that are printed, and terms of which JSON lists the vectors.
MAX_VALUES = 24
MAX_LISTED = 64


@click.command("separate", epilog=f"Names: {', '.join(NAMES)}.")
@click.argument("kernel", metavar="KERNEL")
@click.option(
    "--tolerance", type=float,
    help="For floats: singular values up to this share of the largest count as 0.",
)  # fmt: skip
@json_option
@click.option("--latex", "as_latex", is_flag=True, help="Print the sum as LaTeX.")
@click.option(
    "--out", type=click.Path(path_type=Path),
    help="Write a picture of the terms and the singular values: .svg or .png.",
)  # fmt: skip
def separate_command(
    kernel: str, tolerance: float | None, as_json: bool, as_latex: bool, out: Path | None
) -> None:
    """Print the rank of KERNEL, the separable kernels it is a sum of, and its singular values.

    KERNEL is a name from the list below, numbers such as "[[1, 2], [2, 4]]" or "1/2, 1/3", a .npy
    file, or an image, read as grey. Integers and fractions are decided exactly; floats within a
    tolerance, and beside it by the binary numbers stored.
    """
    if as_json and as_latex:
        raise ParameterError("format must be given once: either --json or --latex")
    if out is not None:
        if out.suffix.lower() not in (".svg", ".png"):
            raise FileError(f"file name must end in .svg or .png, got {out}")
        # A name that cannot be written is reported before the work.
        check_writable(out)
    found = separate(_numbers(kernel), tolerance=tolerance)
    if out is not None:
        picture = _picture(found, out.suffix.lower())
        write_atomically(out, lambda file: file.write(picture))
    if as_json:
        click.echo(json.dumps(_plain(found)))
    elif as_latex:
        click.echo(found.latex())
    else:
        click.echo("\n".join(_lines(found)))


def _numbers(text: str) -> Any:
    """What KERNEL spells: a name first, then a file by its suffix, then numbers."""
    name = text.strip()
    if name in KERNELS:
        found = named_kernel(name)
        if found.divisor == 1:
            return found.array()
        return found.array().astype(object) * Fraction(1, found.divisor)
    if name in SAMPLED:
        return sampled_kernel(name)
    suffix = Path(name).suffix.lower()
    if suffix == ".npy":
        return read_array(Path(name))
    if suffix in IMAGES:
        image = read_image(Path(name))
        return grey(image) if image.ndim == 3 else image
    if re.fullmatch(r"[A-Za-z_]\w*", name):
        raise ParameterError(
            f"kernel must be one of {', '.join(NAMES)}, numbers, a .npy file or an image, got "
            f"{shown(name)}"
        )
    return np.atleast_1d(parse_array(text, "kernel"))


def _lines(found: Separation) -> list[str]:
    lines = [str(found)]
    rank = found.rank
    if found.shape != (found.shape[0],):
        verdict = found.is_separable
        said = str(verdict) if found.is_exact else f"{verdict.status} ({verdict.scope})"
        lines.append(f"separable: {said}")
    if len(found.shape) > 2:
        lines.append(f"multilinear rank: {' × '.join(map(str, found.multilinear_rank))}")
    if len(found.shape) <= 2 or rank in (0, 1):
        values = found.singular_values
        shown = ", ".join(map(str, values[:MAX_VALUES]))
        more = f", … {len(values) - MAX_VALUES} more" if len(values) > MAX_VALUES else ""
        lines.append(f"singular values: {shown}{more}")
    savings = found.savings
    sign = "<" if savings.saves else "≥"
    lines.append(f"weights: {savings.separable} {sign} {savings.dense} dense")
    if not found.is_exact:
        lines.append(f"terms differ from the kernel by at most {float(found.residual):.3g} in norm")
    return lines


def _plain(found: Separation) -> dict[str, Any]:
    """Numbers as JSON has them: integers, floats, and everything else as text."""
    verdict = found.is_separable
    answer: dict[str, Any] = {
        "shape": list(found.shape),
        "exact": found.is_exact,
        "scope": found.scope,
        "tolerance": found.tolerance,
        "rank": found.rank,
        "exact_rank": found.exact_rank,
        "rank_bounds": list(found.rank_bounds),
        "multilinear_rank": list(found.multilinear_rank),
        "separable": verdict.status,
        "weights": {"dense": found.savings.dense, "separable": found.savings.separable},
        "residual_at_most": float(found.residual),
    }
    if len(found.terms) <= MAX_LISTED:
        answer["terms"] = [[list(map(_entry, vector)) for vector in term] for term in found.terms]
    if len(found.shape) <= 2 or found.rank in (0, 1):
        answer["singular_values"] = [
            {
                "value": float(value),
                "lower": str(value.lower),
                "upper": str(value.upper),
                "multiplicity": value.multiplicity,
                "exact": None if value.exact is None else str(value.exact),
            }
            for value in found.singular_values
        ]
    return answer


def _entry(entry: Any) -> Any:
    return entry if isinstance(entry, (int, float)) else str(entry)


def _picture(found: Separation, suffix: str) -> bytes:
    if len(found.shape) > 2:
        raise ParameterError(f"a picture needs a kernel of 1 or 2 axes, got {len(found.shape)}")
    if suffix == ".svg":
        return found.svg().encode()
    return factors_png(*found.panels(), found.value_list(), title=repr(found)[1:-1])
