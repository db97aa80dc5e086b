"""A page with sliders that works without Python: every setting of a box, computed beforehand.

The page looks up what was computed here; the relation is not stated in its script.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from symconv.errors import SymconvError, TooLargeError
from symconv.explorer.box import Box, usual_ranges
from symconv.explorer.page import explorer_html, places
from symconv.explorer.settings import Settings
from symconv.explorer.state import Refusal, Subject, look
from symconv.explorer.texts import figure_html
from symconv.files import check_writable, write_atomically
from symconv.proving.report_text import plain

__all__ = ["page_html", "write_page"]

#: Bytes of text that a page may hold before it is compressed, and from which on it is.
MAX_TEXT, PLAIN_TEXT = 96 * 2**20, 2**15

#: Where the steps of one setting, and of others, begin to be alike: styles, and groups of marks.
STARTS = ("<style>", "<g ")


class Texts:
    """Texts by number, each stored once."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.size = 0

    def number(self, text: str) -> int:
        """The number of a text."""
        if text not in self.numbers:
            self.numbers[text] = len(self.numbers)
            self.size += len(text)
            if self.size > MAX_TEXT:
                raise TooLargeError(
                    f"the page would hold more than {MAX_TEXT >> 20} MiB of pictures; give fewer "
                    f"values or smaller inputs, or write several pages"
                )
        return self.numbers[text]


def page_html(settings: Settings, ranges: Mapping[str, Any] | None = None) -> str:
    """One HTML file with sliders over a box of settings.

    Parameters
    ----------
    settings : Settings
        Where the page opens; what is not varied stays as it is there.
    ranges : mapping of str to sequence, optional
        Setting → its values, by the names of `Settings.changed`.

    Returns
    -------
    str
        The same settings make the same page.

    Raises
    ------
    ParameterError, ParameterTypeError
        If a range is none.
    TooLargeError
        If the box is too large, before anything is drawn.
    """
    box = Box.of(settings, ranges or usual_ranges(settings))
    texts = Texts()
    records = [_record(each, texts) for each in box]
    data = {
        "controls": [{"name": item.name, "values": list(item.spelled)} for item in box.ranges],
        "start": list(box.start),
        "texts": list(texts.numbers),
        "settings": records,
    }
    opened = look(box.opened)
    said = opened.reason if isinstance(opened, Refusal) else opened
    return explorer_html(box, said, _packed(data))


def write_page(path: Path, settings: Settings, ranges: Mapping[str, Any] | None = None) -> Path:
    """`page_html` as a file, whole or not at all.

    Raises
    ------
    FileError
        If the file cannot be written; before anything is computed where that can be seen.
    """
    check_writable(path)
    text = page_html(settings, ranges)
    write_atomically(path, lambda file: file.write(text.encode()))
    return path


def _record(settings: Settings, texts: Texts) -> dict[str, Any]:
    """One setting by the numbers of its texts: what each place of the page shows."""
    try:
        subject = Subject.of(settings)
    except SymconvError as error:
        return {"refusal": texts.number(plain(error))}
    figures = [figure_html(subject.steps(step)) for step in range(subject.n_steps)]
    return {
        "places": {name: texts.number(html) for name, html in places(subject.view()).items()},
        "steps": [[texts.number(part) for part in _parts(figure)] for figure in figures],
    }


def _parts(figure: str) -> list[str]:
    """A figure in parts, of which steps share most.

    Examples
    --------
    >>> _parts('<svg><style>s</style><g a>x</g></svg>')
    ['<svg>', '<style>s</style>', '<g a>x</g></svg>']
    """
    # No page holds the mark. (A regular expression takes as long as all the drawing.)
    for start in STARTS:
        figure = figure.replace(start, f"\0{start}")
    return figure.split("\0")


def _packed(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The data as it is where it is small, else compressed for DecompressionStream."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    if len(text) < PLAIN_TEXT:
        return data
    # Without a time stamp the same data gives the same page.
    return {"packed": base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()}
