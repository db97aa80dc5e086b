"""The ledger as pages: every theorem with its verdict, decided when the site is built.

The rows are kept in `docs/_build` under a digest of all that they depend on, so that a second
build does not decide them again.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from generated import DOCS, write_files, write_folder
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from symconv.files import write_atomically
from symconv.proving.collecting import theorems
from symconv.proving.ledger import Ledger, fingerprint, prove
from symconv.proving.report import report_html
from symconv.proving.report_text import shown
from symconv.proving.rows import Row

VERDICTS = {"PROVED": "✓", "REFUTED": "✗", "UNDECIDED": "?"}
KEPT = DOCS / "_build" / "ledgers"
IDENTIFIER = re.compile(r"\b[a-z_]+\.[a-z0-9][a-z0-9-]*\b")


@cache
def ledger(path: str = "") -> Ledger:
    """All rows: those of a file, or kept ones if nothing changed since, otherwise decided now."""
    kept = Path(path) if path else KEPT / f"{fingerprint()}.json"
    if path or kept.exists():
        rows = json.loads(kept.read_text(encoding="utf-8"))["theorems"]
        found = Ledger(tuple(Row(**row) for row in rows))
    else:
        found = prove(workers=os.cpu_count() or 1)
    if not found or [row.identifier for row in found] != list(theorems()):
        raise ExtensionError(f"this is not the ledger, all as expected: {found.summary()}")
    if not kept.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        for old in KEPT.glob("*.json"):
            old.unlink()
        data = found.json().encode()
        write_atomically(kept, lambda file: file.write(data))
    return found


def by_subject(rows: Ledger) -> dict[str, list[Row]]:
    """Rows of each subject, in the order of the ledger."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.subject, []).append(row)
    return found


def about(subject: str) -> str:
    """What the file of a subject says of itself, in one line."""
    theorems()
    text = sys.modules[f"symconv._proofs.{subject}"].__doc__ or ""
    return " ".join(text.partition("\n\n")[0].split())


def write_theorems(app: Sphinx) -> None:
    """Write `docs/generated/theorems`, and the ledger's own page and data beside the site."""
    found = ledger(app.config.ledger)
    pages = {
        f"{name}.md": f"# {name}\n\n```{{theorems}} {name}\n```\n" for name in by_subject(found)
    }
    write_folder("theorems", pages)
    write_files({"ledger.html": report_html(found.data()), "ledger.json": found.json()})


class Theorems(SphinxDirective):
    """The theorems of one subject, each a section of its own."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The sections."""
        name = self.arguments[0]
        rows = by_subject(ledger(self.config.ledger))[name]
        return [nodes.paragraph("", about(name)), *map(section, rows)]


class Summary(SphinxDirective):
    """The ledger in numbers: a line, and a table with a row for each subject."""

    def run(self) -> list[nodes.Node]:
        """The line and the table."""
        found = ledger(self.config.ledger)
        rows = [
            [link(f"generated/theorems/{name}.html", name), about(name), *counts(part)]
            for name, part in by_subject(found).items()
        ]
        heads = ["subject", "what it is about", *(verdict.lower() for verdict in VERDICTS)]
        return [nodes.paragraph("", found.summary() + "."), table(heads, rows)]


def counts(rows: list[Row]) -> list[str]:
    """How many of each verdict."""
    found = Counter(row.verdict for row in rows)
    return [str(found[verdict] or "–") for verdict in VERDICTS]


def section(row: Row) -> nodes.section:
    """One theorem: statement, formula, verdict, and what belongs to it."""
    title = row.identifier.partition(".")[2]
    made = nodes.section("", nodes.title("", title), ids=[row.identifier], classes=["theorem"])
    kind = " · corollary" if row.corollary_of else ""
    made += nodes.paragraph(
        "", "", badge(row.verdict), nodes.inline("", f" {row.scope}{kind}", classes=["scope"])
    )
    made += nodes.paragraph("", "", *linked(row.words))
    made += nodes.math_block(row.latex, row.latex, nowrap=False)
    made += facts(
        {
            "Reason": linked(row.reason) if row.verdict != "PROVED" else [],
            "Counterexample": case(row.counterexample),
            "Remark": linked(row.remark),
            "Near miss": near_miss(row.near_miss),
            "Corollary of": linked(row.corollary_of),
            "Method": [nodes.Text(row.method + certificate(row))],
            "Source": [nodes.Text(row.source)],
            "In full": [link(f"../../ledger.html#{row.identifier}", "proof and declaration")],
        }
    )
    return made


def badge(verdict: str) -> nodes.inline:
    """The verdict, which shape and word tell as well as colour."""
    return nodes.inline("", f"{VERDICTS[verdict]} {verdict}", classes=["verdict", verdict.lower()])


def certificate(row: Row) -> str:
    """The size of the certificate."""
    return f", certificate of {row.certificate['bytes']} bytes" if row.certificate else ""


def near_miss(near: Mapping[str, Any] | None) -> list[nodes.Node]:
    """The false statement beside it, with its counterexample."""
    if not near:
        return []
    found: list[nodes.Node] = [*linked(near["words"])]
    if near["counterexample"]:
        found += [nodes.Text("; refuted at "), *case(near["counterexample"])]
    return found


def case(values: Any) -> list[nodes.Node]:
    """A counterexample in one line."""
    if values is None:
        return []
    if isinstance(values, Mapping):
        return [nodes.literal(text=", ".join(f"{name} = {shown(v)}" for name, v in values.items()))]
    return [nodes.literal(text=shown(values))]


def linked(text: str) -> list[nodes.Node]:
    """Text in which the names of theorems are links to them."""
    found: list[nodes.Node] = []
    end = 0
    for match in IDENTIFIER.finditer(text):
        name = match.group()
        if name in theorems():
            found += [nodes.Text(text[end : match.start()])]
            found += [link(f"{name.partition('.')[0]}.html#{name}", name)]
            end = match.end()
    return [*found, nodes.Text(text[end:])] if text else []


def link(address: str, text: str) -> nodes.reference:
    """A link to a page of this site; the tests follow all of them."""
    return nodes.reference("", text, refuri=address, internal=True)


def facts(entries: Mapping[str, list[nodes.Node]]) -> nodes.field_list:
    """Names with what is said to them; those with nothing are left out."""
    made = nodes.field_list()
    for name, body in entries.items():
        if body:
            text = nodes.field_body("", nodes.paragraph("", "", *body))
            made += nodes.field("", nodes.field_name("", name), text)
    return made


def table(heads: list[str], rows: list[list[Any]]) -> nodes.table:
    """A table of texts and links."""
    group = nodes.tgroup(cols=len(heads))
    group += [nodes.colspec(colwidth=1) for _ in heads]
    group += nodes.thead("", line(heads))
    group += nodes.tbody("", *map(line, rows))
    return nodes.table("", group)


def line(cells: list[Any]) -> nodes.row:
    """A row of a table."""
    made = nodes.row()
    for cell in cells:
        text = nodes.Text(cell) if isinstance(cell, str) else cell
        made += nodes.entry("", nodes.paragraph("", "", text))
    return made


def setup(app: Sphinx) -> dict[str, bool]:
    """Decide and write the pages before Sphinx looks for sources."""
    # A ledger written by `symconv prove --json`: `sphinx-build -D ledger=FILE` decides nothing.
    app.add_config_value("ledger", "", "env", str)
    app.add_directive("theorems", Theorems)
    app.add_directive("ledger-summary", Summary)
    app.connect("builder-inited", write_theorems)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
