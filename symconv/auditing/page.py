"""An audit as a page: one file, nothing loaded from elsewhere, no script."""

from __future__ import annotations

from symconv.auditing.results import AGREES, Audit, AuditedNode
from symconv.proving.report_page import asset
from symconv.proving.report_text import plain
from symconv.verdict import PROVED, REFUTED

__all__ = ["html"]

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

#: Verdict → class of its badge.
BADGES = {PROVED: "proved", AGREES: "proved", REFUTED: "refuted"}


def html(audit: Audit) -> str:
    """The whole document; every text of the file is escaped.

    Examples
    --------
    >>> "<script>" in html(Audit("<script>", {}, ()))
    False
    """
    engines = ", ".join(f"{name} {version}" for name, version in audit.engines.items())
    rows = "\n".join(map(_row, audit.rows))
    heads = ["node", "engine", "verdict", "layer", "input", "scope", "seconds"]
    head = "".join(f"<th>{name}</th>" for name in heads)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>Audit of {plain(audit.model)}</title><style>{asset('report.css')}</style></head>\n"
        f"<body><main><h1>Audit of {plain(audit.model)}</h1>"
        f"<p>{plain(audit.summary())}</p><p>Engines: {plain(engines)}</p>"
        f'<div class="wide"><table><tr>{head}</tr>\n{rows}</table></div></main></body></html>\n'
    )


def _row(row: AuditedNode) -> str:
    size = "×".join(map(str, row.input_size))
    badge = f'<span class="badge {BADGES.get(row.status, "undecided")}">{plain(row.status)}</span>'
    detail = plain(f"as {row.same_as}" if row.same_as else row.scope)
    if row.status not in (PROVED, AGREES) and not row.same_as:
        detail += f"<pre>{plain(row.reason)}"
        if row.status == REFUTED:
            names = " or ".join(row.mistakes) or "no known mistake fits"
            detail += plain(f"\nmistake: {names}\n{row.counterexample}")
        detail += "</pre>"
    layer = f"<code>{plain(row.layer or row.operator)}</code>"
    seconds = f"{row.seconds:.2f}"
    cells = (plain(row.node), plain(row.engine), badge, layer, plain(size), detail, seconds)
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
