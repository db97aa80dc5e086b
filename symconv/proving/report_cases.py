"""Counterexamples and witnesses of a report: as tables, and drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symconv.proving.report_text import plain, shown
from symconv.relation import AxisRelation
from symconv.rendering import axis_svg, bars_svg

__all__ = ["case_html", "drawing", "table_html"]

#: A table has its names on top up to this many of them, and up to this many characters a value.
MAX_ACROSS, MAX_VALUE = 16, 24
#: Larger parameters make a picture of which nothing would be seen.
MAX_DRAWN = 400
WINDOWS = "What each window reads"
#: The names of `symconv.proving.stating.axis` → those of `AxisRelation`, and their defaults.
PARAMETERS = {
    "s": ("stride", 1),
    "d": ("dilation", 1),
    "lo": ("pad_lo", 0),
    "hi": ("pad_hi", 0),
    "b": ("input_dilation", 1),
}


def case_html(case: Any) -> str:
    """A counterexample as a table with its drawing; nothing for None.

    Examples
    --------
    >>> "What each window reads" in case_html({"s": 2, "K": 2, "n": 4})
    True
    """
    if case is None:
        return ""
    values = case if isinstance(case, dict) else {"case": case}
    return f'<div class="case">{table_html([values])}{drawing(values)}</div>'


def table_html(rows: Sequence[dict[str, Any]]) -> str:
    """Records with the same keys as a table; a single one with long values line by line.

    Examples
    --------
    >>> print(table_html([{"n": -2}]))
    <div class="wide"><table><tr><th scope="col">n</th></tr><tr><td>−2</td></tr></table></div>
    """
    texts = [{plain(name): plain(shown(value)) for name, value in row.items()} for row in rows]
    names, wide = list(texts[0]) if texts else [], [text for row in texts for text in row.values()]
    if len(texts) == 1 and (len(names) > MAX_ACROSS or max(map(len, wide), default=0) > MAX_VALUE):
        body = "".join(
            f'<tr><th scope="row">{name}</th><td>{text}</td></tr>'
            for name, text in texts[0].items()
        )
    else:
        head = "".join(f'<th scope="col">{name}</th>' for name in names)
        cells = ("".join(f"<td>{text}</td>" for text in row.values()) for row in texts)
        body = f"<tr>{head}</tr>" + "".join(f"<tr>{row}</tr>" for row in cells)
    return f'<div class="wide"><table>{body}</table></div>'


def drawing(values: dict[str, Any]) -> str:
    """A picture of a case: the axis that its parameters make, else its integers as bars.

    An axis is drawn where the number of taps K and the size n (or n_in) are among them. A case
    with an output padding op, or with triples (i, k, y) instead of (o, k, i), is about a
    transposed convolution of n samples: the axis is its output, and the rows are the samples.
    (With an output o or an input dilation b, op belongs to an adjoint, and n to the axis.)
    """
    numbers = {
        name: value
        for name, value in values.items()
        if type(value) is int and abs(value) <= MAX_DRAWN
    }
    found = _axis(numbers)
    if found is not None:
        return found
    return f"<figure>{bars_svg(numbers, title='the values')}</figure>" if numbers else ""


def _axis(numbers: dict[str, int]) -> str | None:
    n = numbers.get("n", numbers.get("n_in"))
    if n is None or "K" not in numbers:
        return None
    given = {field: numbers.get(name, usual) for name, (field, usual) in PARAMETERS.items()}
    relation = AxisRelation(numbers["K"], **given)
    names = set(numbers)
    transposed = not names & {"o", "b"} and ("op" in names or {"i", "y"} <= names)
    if min(relation.n_taps, relation.stride, relation.input_dilation, n + 1) < 1:
        return None
    size = relation.input_size(n, numbers.get("op", 0)) if transposed else n
    if size < 0:
        return None
    named = [name for name in ("K", *PARAMETERS, *(["op"] * transposed)) if name in numbers]
    said = ", ".join(f"{name} = {shown(numbers[name])}" for name in named) + f", n = {n}"
    what = "Where each sample of the transposed convolution goes" if transposed else WINDOWS
    row, column = ("i", "y") if transposed else ("o", "i")
    taps = [(numbers[row], numbers["k"])] if {row, "k"} <= names else []
    svg = axis_svg(
        relation,
        size,
        n if transposed else None,
        transposed=transposed,
        marked=taps,
        marked_samples=[numbers[column]] if column in numbers else [],
        title=f"{what}: {said}",
    )
    return f"<figure>{svg}<figcaption>{plain(f'{what}: {said}')}</figcaption></figure>"
