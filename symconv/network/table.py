"""Tables of networks: rows of plain values, as text, HTML, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from html import escape
from typing import Any

import sympy

__all__ = ["Table"]

#: Key of a row → heading in text and HTML.
COLUMNS = {
    "name": "name",
    "kind": "kind",
    "output_shape": "output shape",
    "parameters": "parameters",
    "macs": "MACs",
    "field": "field",
    "jump": "jump",
    "start": "start",
    "padding": "padding",
}

#: Columns with words, aligned to the left.
WORDS = ("name", "kind")

#: Bits above which an integer is shown by its size alone.
LONGEST = 4096

#: What stands in for a field that does not exist.
MISALIGNED = "misaligned"


@dataclass(frozen=True)
class Table:
    """One row per layer of a network at one input shape.

    Attributes
    ----------
    rows : tuple of dict
        Keys name, kind, output_shape, parameters, macs, field (size of the receptive field),
        jump, start, padding; the last four are tuples per spatial axis, or None where branches
        are misaligned, and then `notes` says why.
    totals : dict
        parameters and macs of the whole network.
    notes : tuple of str

    Examples
    --------
    >>> import symconv as sc
    >>> from symconv.network import Network
    >>> print(Network([sc.Conv2d(3, 8, 3), sc.MaxPool2d(2)]).table((3, 32, 32)))
    name   kind     output shape  parameters    MACs  field  jump  start  padding
    0      Conv     8×30×30              224  194400      3     1      0        0
    1      MaxPool  8×15×15                0       0      4     2      0        0
    total                                224  194400
    """

    rows: tuple[dict[str, Any], ...]
    totals: dict[str, Any]
    notes: tuple[str, ...] = ()

    def _cells(self) -> list[list[str]]:
        lines = [[_text(key, row[key]) for key in COLUMNS] for row in self.rows]
        total = {"name": "total", **self.totals}
        lines.append([_text(key, total[key]) if key in total else "" for key in COLUMNS])
        return lines

    def __str__(self) -> str:
        cells = [list(COLUMNS.values()), *self._cells()]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        left = [key in (*WORDS, "output_shape") for key in COLUMNS]
        lines = [
            "  ".join(
                text.ljust(width) if is_left else text.rjust(width)
                for text, width, is_left in zip(line, widths, left, strict=True)
            ).rstrip()
            for line in cells
        ]
        return "\n".join((*lines, *map(_printable, self.notes)))

    def __repr__(self) -> str:
        return f"<Table of {len(self.rows)} layers: {_named(self.totals)}>"

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(title)}</th>" for title in COLUMNS.values())
        lines = []
        for line in self._cells():
            cells = (
                f'<td style="text-align:{"left" if key in WORDS else "right"}">{escape(text)}</td>'
                for key, text in zip(COLUMNS, line, strict=True)
            )
            lines.append(f"<tr>{''.join(cells)}</tr>")
        notes = "".join(f"<p>{escape(_printable(note))}</p>" for note in self.notes)
        return (
            f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>{notes}"
        )

    def csv(self) -> str:
        """Comma-separated values, one line per layer, under the keys of `rows`."""
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in self.rows:
            writer.writerow([_text(key, row[key]) for key in COLUMNS])
        return file.getvalue()

    def json(self, indent: int | None = None) -> str:
        """An object with rows, totals and notes; formulas and fractions are text."""
        whole = {"rows": self.rows, "totals": self.totals, "notes": self.notes}
        return json.dumps(_plain(whole), indent=indent)


def _named(values: dict[str, Any]) -> str:
    return ", ".join(f"{value} {COLUMNS[key]}" for key, value in values.items())


def _text(key: str, value: Any) -> str:
    if value is None:
        return MISALIGNED if key == "field" else ""
    if isinstance(value, tuple):
        # One number where all axes agree.
        if key != "output_shape" and value and all(entry == value[0] for entry in value):
            return _number(value[0])
        return "×".join(_factor(entry) for entry in value)
    return _number(value)


def _factor(value: Any) -> str:
    text = _number(value)
    return f"({text})" if isinstance(value, sympy.Add) else text


def _is_long(value: Any) -> bool:
    """Whether a number has more digits than Python writes (a hostile file can ask for them)."""
    parts = (value.numerator, value.denominator) if isinstance(value, (int, Fraction)) else ()
    return any(part.bit_length() > LONGEST for part in parts)


def _number(value: Any) -> str:
    if _is_long(value):
        return f"about 2**{value.numerator.bit_length() - value.denominator.bit_length()}"
    return _printable(str(value))


def _printable(text: str) -> str:
    """Names come from files: what would move a terminal's cursor is spelled out."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _plain(value: Any) -> Any:
    """Values as JSON has them."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(entry) for entry in value]
    if _is_long(value):
        return _number(value)
    if isinstance(value, (Fraction, sympy.Basic)):
        return int(value) if isinstance(value, sympy.Integer) else str(value)
    return value
