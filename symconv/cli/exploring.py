"""``symconv explore``: a page with sliders for a layer's parameters, to open without Python."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from symconv.cli.options import layer_argument, parsed, size_option
from symconv.errors import FileError, ParameterError, ParseError
from symconv.explorer import Settings
from symconv.explorer.export import write_page
from symconv.parsing import parse_array

__all__ = ["explore_command"]

#: Longest text of one range, and the numbers of ``a..b``: more digits than any parameter needs.
MAX_LENGTH = 400
_SPAN = re.compile(r"(-?\d{1,6})\.\.(-?\d{1,6})")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_WORDS = {"true": True, "false": False}


def read_range(text: str) -> tuple[str, Sequence[Any]]:
    """A setting and its values: ``stride=1..3``, ``way=scatter,zero_insertion``, ``padding=0,2``.

    Examples
    --------
    >>> read_range("stride=1..3"), read_range("ceil_mode=false,true")
    (('stride', range(1, 4)), ('ceil_mode', (False, True)))
    """
    if len(text) > MAX_LENGTH:
        raise ParseError(f"range must have at most {MAX_LENGTH} characters, got {len(text)}")
    name, equals, listed = text.partition("=")
    if not equals or not _NAME.fullmatch(name):
        raise ParseError(f"range must be NAME=VALUES, such as stride=1..3, got {text!r}")
    span = _SPAN.fullmatch(listed)
    if span:
        first, last = map(int, span.groups())
        return name, range(first, last + 1)
    words = listed.split(",")
    if all(_NAME.fullmatch(word) for word in words):
        return name, tuple(_WORDS.get(word, word) for word in words)
    numbers = parse_array(f"[{listed}]", name)
    return name, tuple(numbers.tolist())


@click.command("explore")
@layer_argument
@size_option(required=True, help="Size of the layer's input, channels left out.")
@click.option(
    "--range", "ranges", multiple=True, type=parsed("range", read_range), metavar="NAME=VALUES",
    help="A slider: stride=1..3, padding_lo=0,2, way=scatter,zero_insertion, for one axis "
    "stride_1=1..3. May be repeated. The usual parameters of the kind of layer unless given.",
)  # fmt: skip
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="The page to write: .html."
)
def explore_command(
    layer: Any, size: tuple[int, ...], ranges: tuple[tuple[str, Any], ...], out: Path
) -> None:
    """Write a page with sliders for the parameters of LAYER; it works without Python.

    Every setting is computed beforehand, so that ranges must be small; settings that no layer has
    are explained in place.
    """
    if out.suffix.lower() not in (".html", ".htm"):
        raise FileError(f"file name must end in .html, got {out}")
    names = [name for name, _ in ranges]
    for name in names:
        if names.count(name) > 1:
            raise ParameterError(f"range must be given once for each setting, got {name} again")
    write_page(out, Settings.of(layer, size), dict(ranges))
    click.echo(f"wrote {out}")
