"""What the explorer shows, read back from its pictures and compared with naive loops.

Nothing of symconv is imported here: the loops are those of `oracles`.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from itertools import product
from xml.etree import ElementTree

import oracles

#: One axis of every parameter, where a test does not say more.
PLAIN = {
    "stride": 1, "dilation": 1, "input_dilation": 1, "padding": (0, 0), "output_padding": 0,
    "mode": "zeros", "ceil_mode": False,
}  # fmt: skip


def axes_of(settings):
    """The parameters that the oracles take, from `Settings`; everything per axis."""
    names = ("stride", "dilation", "input_dilation", "output_padding")
    return {
        "kind": settings.kind,
        "size": tuple(settings.input_size),
        "kernel": tuple(settings.kernel_size),
        "padding": tuple(settings.padding),
        "mode": settings.padding_mode if settings.kind == "Conv" else "zeros",
        "ceil_mode": settings.ceil_mode,
        **{name: tuple(getattr(settings, name)) for name in names},
    }


def places(size):
    return list(product(*map(range, size)))


def out_size(case):
    common = case["size"], case["kernel"], case["stride"], case["dilation"], case["padding"]
    if case["kind"] == "ConvTranspose":
        return oracles.transpose_out_size(*common, case["output_padding"])
    if case["kind"] == "Conv":
        return oracles.out_size(*common, case["input_dilation"])
    return oracles.pool_out_size(*common, case["ceil_mode"])


def triples(case):
    """(output, tap, input) of every product, by loops."""
    outs, found = out_size(case), set()
    for tap in places(case["kernel"]):
        if case["kind"] == "ConvTranspose":
            for i in places(case["size"]):
                o = oracles._targets(
                    i, tap, outs, case["stride"], case["dilation"], case["padding"]
                )
                if o is not None:
                    found.add((o, tap, i))
            continue
        for o in places(outs):
            spread = case["input_dilation"] if case["kind"] == "Conv" else None
            at = oracles.source(
                o, tap, case["size"], case["stride"], case["dilation"], case["padding"],
                case["mode"], spread,
            )  # fmt: skip
            if not isinstance(at, str) and not _overhangs(case, o, tap):
                found.add((o, tap, at))
    return found


def _overhangs(case, o, tap):
    """Whether a tap lies past the padded axis, where ceil mode lets windows end."""
    if case["kind"] not in ("AvgPool", "MaxPool"):
        return False
    rows = zip(o, tap, case["size"], case["stride"], case["dilation"], case["padding"], strict=True)
    return any(s * at + d * k - lo >= n + hi for at, k, n, s, d, (lo, hi) in rows)


def _place(text):
    return tuple(map(int, text.split(",")))


def marks_of(svg):
    """The attributes of everything that takes part in the step of an SVG."""
    return [attributes for attributes in svg_elements(svg) if "data-role" in attributes]


def step_of(marks):
    """(grid and index of the current cell, triples of the step) of a step's marks."""
    (current,) = [mark for mark in marks if mark["data-role"] == "current"]
    here = _place(current["data-index"])
    is_output = current["data-grid"] == "output"
    found = set()
    for mark in marks:
        if mark["data-role"] in ("read", "write"):
            there = _place(mark["data-index"])
            for tap in map(_place, mark["data-tap"].split()):
                found.add((here, tap, there) if is_output else (there, tap, here))
    return (current["data-grid"], here), found


def wrong_step(marks, case):
    """What is wrong with the drawn step of a setting; empty if nothing is."""
    (grid, here), found = step_of(marks)
    at = 0 if grid == "output" else 2
    expected = {triple for triple in triples(case) if triple[at] == here}
    if found != expected:
        return f"{grid} {here}: drawn {sorted(found)}, by loops {sorted(expected)}"
    return ""


def matrix_cells(elements):
    """(row, column) of each drawn entry, from elements' attributes."""
    return {
        (int(each["data-row"]), int(each["data-column"])) for each in elements if "data-row" in each
    }


def wrong_matrix(elements, case):
    """What is wrong with the drawn matrix of one pair of channels; empty if nothing is."""
    outs, ins = places(out_size(case)), places(case["size"])
    expected = {(outs.index(o), ins.index(i)) for o, _, i in triples(case)}
    found = matrix_cells(elements)
    return "" if found == expected else f"drawn {sorted(found)}, by loops {sorted(expected)}"


def svg_elements(svg):
    root = ElementTree.fromstring(svg)  # noqa: S314 - symconv's own picture
    return [element.attrib for element in root.iter()]


_DATA = re.compile('<script type="application/json" id="data">(.*?)</script>', re.S)
_SVG = re.compile("<svg.*?</svg>", re.S)
_FACT = re.compile("<dt>(.*?)</dt><dd>(.*?)</dd>")


class Page:
    """An exported page, its settings looked up as its script does."""

    def __init__(self, html):
        self.html = html
        data = json.loads(_DATA.search(html)[1])
        if "packed" in data:
            data = json.loads(gzip.decompress(base64.b64decode(data["packed"])))
        self.data = data

    def record(self, *chosen):
        """The texts of one setting, by the positions of the sliders."""
        place = 0
        for at, control in zip(chosen, self.data["controls"], strict=True):
            place = place * len(control["values"]) + at
        found, texts = self.data["settings"][place], self.data["texts"]
        if "refusal" in found:
            return {"refusal": texts[found["refusal"]]}
        shown = {name: texts[number] for name, number in found["places"].items()}
        shown["steps"] = ["".join(texts[part] for part in parts) for parts in found["steps"]]
        shown["values"] = dict(_FACT.findall(shown["facts"]))
        return shown


def drawn(html):
    """The SVG of a figure."""
    return _SVG.search(html)[0]


def wrong_record(record, case):
    """What a page shows wrongly of a setting: sizes, every step, the matrix."""
    outs = out_size(case)
    if record["values"]["output size"] != "×".join(map(str, outs)):
        return f"output size {record['values']['output size']}, by loops {outs}"
    steps = [marks_of(drawn(html)) for html in record["steps"]]
    seen = [step_of(marks)[0] for marks in steps]
    grid = "input" if case["kind"] == "ConvTranspose" else "output"
    everything = [(grid, at) for at in places(case["size"] if grid == "input" else outs)]
    if seen != everything:
        return f"steps over {seen}"
    for marks in steps:
        if said := wrong_step(marks, case):
            return said
    return wrong_matrix(svg_elements(drawn(record["matrix"])), case)
