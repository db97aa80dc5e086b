"""One axis as a picture: its samples and padding, and what every window reads."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from symconv.errors import ParameterError
from symconv.relation import AxisRelation
from symconv.rendering.spy import CHARACTER, INK, OKABE_ITO, svg_text, xml_escaped

__all__ = ["MAX_COLUMNS", "MAX_ROWS", "axis_svg"]

#: Positions and windows that are drawn; of longer axes the beginning is shown, and said to be.
MAX_COLUMNS, MAX_ROWS = 48, 16
#: Taps of a window that are looked at.
MAX_TAPS = 256

#: Width of the positions, the widest and the narrowest of them, the height of cells and of rows.
WIDTH, WIDEST, NARROWEST, CELL, STEP = 640.0, 26.0, 14.0, 20.0, 20.0
#: The kinds of cells differ in fill, dashes and what is written in them, not only in colour.
STYLES = {
    "sample": f'fill="{OKABE_ITO[0]}" stroke="{OKABE_ITO[0]}"',
    "inserted zero": f'fill="none" stroke="{INK}" stroke-dasharray="1 2"',
    "padding": f'fill="none" stroke="{OKABE_ITO[3]}" stroke-dasharray="3 2"',
    "cropped": f'fill="none" stroke="{OKABE_ITO[0]}" stroke-opacity=".6"',
    "outside": 'fill="none" stroke="none"',
}
#: A tap on a sample is a full dot, one on a zero an open ring.
DOTS = {
    True: f'fill="{OKABE_ITO[0]}" stroke="{OKABE_ITO[0]}"',
    False: f'fill="none" stroke="{OKABE_ITO[3]}" stroke-width="1.5"',
}


@dataclass(frozen=True)
class _Axis:
    """The positions of an axis: which sample lies where, and what the others are."""

    relation: AxisRelation
    n_in: int

    def sample(self, position: int) -> int | None:
        """The number of the sample that lies there."""
        i, rest = divmod(position, self.relation.input_dilation)
        return i if not rest and 0 <= i < self.n_in else None

    def kind(self, position: int) -> str:
        inside = -self.relation.pad_lo <= position < self.relation.end(self.n_in)
        if self.sample(position) is not None:
            return "sample" if inside else "cropped"
        if not inside:
            return "outside"
        between = 0 <= position < self.relation.spread_size(self.n_in)
        return "inserted zero" if between else "padding"

    def ends(self) -> list[int]:
        """Its first and last positions: of the samples, and with the padding."""
        whole = (-self.relation.pad_lo, self.relation.end(self.n_in) - 1)
        stored = (0, self.relation.spread_size(self.n_in) - 1) if self.n_in else ()
        return [*(whole if whole[0] <= whole[1] else ()), *stored]


def axis_svg(
    relation: AxisRelation,
    n_in: int,
    n_out: int | None = None,
    *,
    transposed: bool = False,
    marked: Collection[tuple[int, int]] = (),
    marked_samples: Collection[int] = (),
    title: str = "",
) -> str:
    """What the windows of one axis read, as self-contained SVG with alternative text.

    On top are the positions: samples with their numbers, padding and inserted zeros as 0. Below
    is a row for each output, with a dot at the position that each of its taps reads.

    Parameters
    ----------
    relation : AxisRelation
        With integers.
    n_in : int
        Number of samples on the axis.
    n_out : int, optional
        Number of windows; those that fit the padded axis unless said.
    transposed : bool
        The same triples the other way: the rows are samples, and each writes through its taps to
        the outputs on the axis.
    marked : collection of (o, k)
        Taps to point out.
    marked_samples : collection of int
        Samples of the axis to point out.
    title : str

    Raises
    ------
    ParameterError
        If stride, input dilation or the number of taps is below 1, or a size is negative.

    Examples
    --------
    >>> svg = axis_svg(AxisRelation(2, stride=2, pad_lo=1), 4)
    >>> "2 outputs; output 0 reads −1 (padding), 0; output 1 reads 1, 2" in svg
    True
    """
    if min(relation.stride, relation.input_dilation, relation.n_taps, n_in + 1) < 1:
        raise ParameterError(
            f"an axis needs stride, input dilation and taps of at least 1 and a size of at least "
            f"0, got {relation} on {n_in}"
        )
    total = max(0, relation.output_size(n_in)) if n_out is None else n_out
    if total < 0:
        raise ParameterError(f"n_out must be at least 0, got {n_out}")
    axis, taps = _Axis(relation, n_in), range(min(relation.n_taps, MAX_TAPS))
    rows = range(min(total, MAX_ROWS))
    reads = {o: [(k, int(relation.position(o, k))) for k in taps] for o in rows}
    spots = axis.ends() + [position for row in reads.values() for _, position in row]
    low, high = min(spots, default=0), max(spots, default=-1) + 1
    columns = range(low, min(high, low + MAX_COLUMNS))

    row_name, column_name = ("sample", "output") if transposed else ("output", "sample")
    verb = "writes to" if transposed else "reads"
    unit = max(NARROWEST, min(WIDEST, WIDTH / max(len(columns), 1)))
    left = 16 + CHARACTER * len(f"{row_name} {max(len(rows) - 1, 10)}")
    x = {position: left + unit * (at + 0.5) for at, position in enumerate(columns)}
    top = 34.0
    marks = []
    if columns:
        marks += [svg_text(6, 14, "position"), svg_text(6, top + 4, column_name)]
    marks += [_cell(axis, p, x[p], top, unit, column_name) for p in columns]
    marks += [
        f'<path d="M{x[p]:g} {top + CELL / 2 + 2:g}l4 6h-8z" fill="{OKABE_ITO[1]}"/>'
        for p in columns
        if axis.sample(p) in marked_samples
    ]
    for o, row in reads.items():
        y = top + CELL / 2 + STEP * (o + 0.8)
        seen = [(k, p) for k, p in row if p in x]
        marks.append(svg_text(6, y + 4, f"{row_name} {o}"))
        if seen:
            ends = [x[p] for _, p in seen]
            marks.append(
                f'<path d="M{min(ends):g} {y:g}H{max(ends):g}" stroke="{INK}" stroke-opacity=".5"/>'
            )
        for k, p in seen:
            tip = f"{row_name} {o} {verb} {_said(axis, p, column_name)} through tap {k}"
            if (o, k) in marked:
                marks.append(
                    f'<circle cx="{x[p]:g}" cy="{y:g}" r="8" fill="none" stroke-width="2" '
                    f'stroke="{OKABE_ITO[1]}"/>'
                )
            style = DOTS[axis.kind(p) == "sample"]
            marks.append(
                f'<circle cx="{x[p]:g}" cy="{y:g}" r="4" {style}><title>{tip}</title></circle>'
            )

    foot = top + CELL / 2 + STEP * (len(rows) + 0.8) + 4 if columns else 16.0
    notes = _notes(relation, total, rows, columns, high, row_name)
    for note in notes:
        marks.append(svg_text(6, foot, note))
        foot += 16
    kinds = [kind for kind in STYLES if kind != "outside" and kind in map(axis.kind, columns)]
    key, wide = _key([column_name if kind == "sample" else kind for kind in kinds], kinds, foot)
    across = max(
        left + unit * len(columns) + 8, wide, *(6 + CHARACTER * len(n) for n in notes), 120
    )
    down = foot + 10
    said = "; ".join(
        [
            f"{n_in} {_counted(column_name, n_in)}, {total} {_counted(row_name, total)}",
            *(f"{row_name} {o} {verb} {_listed(axis, row)}" for o, row in reads.items()),
            *notes,
        ]
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{across:g}" height="{down:g}" '
        f'viewBox="0 0 {across:g} {down:g}" role="img" font-family="sans-serif" font-size="11" '
        f'fill="{INK}"><title>{xml_escaped(title or "what each window reads")}</title>'
        f"<desc>{xml_escaped(said)}</desc>{''.join(marks)}{key}</svg>"
    )


def _counted(name: str, n: int) -> str:
    return name if n == 1 else f"{name}s"


def _number(value: int) -> str:
    return str(value).replace("-", "−")


def _said(axis: _Axis, position: int, column_name: str) -> str:
    number = axis.sample(position)
    kind = axis.kind(position)
    if number is not None:
        return f"{column_name} {number}" + (" (cropped)" if kind == "cropped" else "")
    return f"{kind} at {_number(position)}"


def _listed(axis: _Axis, row: list[tuple[int, int]]) -> str:
    """The positions of one window, and what those are that are no samples."""
    parts = []
    for _, position in row[:MAX_COLUMNS]:
        kind = axis.kind(position)
        parts.append(_number(position) + ("" if kind == "sample" else f" ({kind})"))
    return ", ".join(parts) + (", …" if len(row) > MAX_COLUMNS else "")


def _cell(axis: _Axis, position: int, x: float, y: float, unit: float, name: str) -> str:
    kind, number = axis.kind(position), axis.sample(position)
    size = 'font-size="9"'
    text = f'<text x="{x:g}" y="{y - CELL / 2 - 5:g}" text-anchor="middle" {size}>'
    text += f"{_number(position)}</text>"
    if kind == "outside":
        return text
    wide, ink = 0.84 * unit, ' fill="#fff"' if kind == "sample" else ""
    body = number if number is not None else 0
    return (
        f'{text}<rect x="{x - wide / 2:g}" y="{y - CELL / 2:g}" width="{wide:g}" '
        f'height="{CELL:g}" rx="2" {STYLES[kind]}>'
        f"<title>{_said(axis, position, name)}</title></rect>"
        f'<text x="{x:g}" y="{y + 4:g}" text-anchor="middle"{ink} {size} '
        f'class="{"on" if ink else "off"}" pointer-events="none">{body}</text>'
    )


def _notes(
    relation: AxisRelation, total: int, rows: range, columns: range, high: int, row_name: str
) -> list[str]:
    """What is not in the picture."""
    notes = [] if columns else ["the axis is empty"]
    if not total:
        notes.append("no window fits the axis" if row_name == "output" else "there are no samples")
    if len(rows) < total:
        notes.append(f"the first {len(rows)} of {total} {row_name}s are drawn")
    if columns.stop < high or relation.n_taps > MAX_TAPS:
        notes.append(f"drawn up to position {_number(columns.stop - 1)}")
    return notes


def _key(names: list[str], kinds: list[str], y: float) -> tuple[str, float]:
    key, x = "", 6.0
    for name, kind in zip(names, kinds, strict=True):
        key += f'<rect x="{x:g}" y="{y - 9:g}" width="10" height="10" rx="1" {STYLES[kind]}/>'
        key += svg_text(x + 15, y, name)
        x += 30 + CHARACTER * len(name)
    return key, x
