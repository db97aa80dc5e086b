"""The ledger as one HTML page: every theorem with its formula, proof and counterexamples."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any
from urllib.parse import quote

from symconv.errors import ParameterError
from symconv.proving.ledger import FORMAT
from symconv.proving.report_cases import case_html
from symconv.proving.report_page import page
from symconv.proving.report_proof import proof_html
from symconv.proving.report_text import attribute, mathml, plain
from symconv.proving.rows import Row
from symconv.proving.theorem import ALL_SIZES, ALL_VALUES, BOX, NO_SCOPE
from symconv.verdict import PROVED, REFUTED, UNDECIDED

__all__ = ["report_html"]

#: A row of the ledger as JSON holds it.
Json = Mapping[str, Any]

#: Scopes, the strongest first, and verdicts; what is neither comes after them.
SCOPES = (ALL_SIZES, ALL_VALUES, BOX, NO_SCOPE)
VERDICTS = {PROVED: "✓", REFUTED: "✗", UNDECIDED: "?"}
FIELDS = frozenset(field.name for field in fields(Row))

HOW = """<details class="how"><summary>How to read a proof</summary>
<p>A conclusion is proved by refuting its negation. The negation and everything known before it
are written as <em>branches</em>: lists of facts a ≥ 0 and a = 0 about integers. For each branch
there is a sum of products of its facts, so a number that cannot be negative, which comes to a
negative number when it is multiplied out. Facts are numbered as in the certificate; H is a
hypothesis, D a definition (a division with remainder), C an earlier conclusion, F the condition
of a case; a fact is <em>negated</em> if it comes from the negation of what is shown.</p>
<p>Save a certificate to a file to check it with nothing but Python and the one file
<code>symconv/proving/checker.py</code>: <code>python -I -S checker.py FILE</code>.</p></details>"""


def report_html(ledger: Mapping[str, Any]) -> str:
    """A ledger as a self-contained HTML page, readable offline and without JavaScript.

    Certificates are checked again while the page is made. The same ledger makes the same page.

    Parameters
    ----------
    ledger : mapping
        As JSON: ``format``, ``version`` and ``theorems``, a list of rows.

    Raises
    ------
    ParameterError
        If this is no ledger, or a row lacks a field.
    MissingExtraError
        If there are formulas and latex2mathml is not installed (the extra ``cli``).

    Examples
    --------
    >>> empty = {"format": "symconv ledger 1", "version": "0.1.0", "theorems": []}
    >>> "<b>0</b> theorems" in report_html(empty)
    True
    """
    rows = _rows(ledger)
    subjects: dict[str, list[Json]] = {}
    for row in rows:
        subjects.setdefault(row["subject"], []).append(row)
    sections = "".join(
        f'<section class="subject"><h2>{plain(subject)} <span class="soft">{len(found)}</span></h2>'
        f"{''.join(map(_row, found))}</section>"
        for subject, found in subjects.items()
    )
    body = (
        f"<header><h1>Theorems about convolutions</h1>"
        f'<p class="soft">The ledger of symconv {plain(ledger["version"])}: what is claimed, how '
        f"far it reaches, why it holds, and the false claim next to it.</p></header>"
        f"<main>{_summary(rows)}{HOW}{_controls(rows, subjects)}{sections}</main>"
    )
    return page("symconv: theorems", body)


def _rows(ledger: Mapping[str, Any]) -> list[Json]:
    if ledger.get("format") != FORMAT:
        raise ParameterError(f"a ledger has the format {FORMAT!r}, got {ledger.get('format')!r}")
    for number, row in enumerate(ledger["theorems"]):
        if missing := sorted(FIELDS - set(row)):
            name = row.get("identifier", number)
            raise ParameterError(f"theorem {name} of the ledger lacks {', '.join(missing)}")
    return list(ledger["theorems"])


def _ordered(found: Iterable[str], usual: Iterable[str]) -> list[str]:
    """What is found, in the usual order, anything unusual after it."""
    order = list(usual)
    names = set(found)
    return [name for name in order if name in names] + sorted(names - set(order))


def _summary(rows: list[Json]) -> str:
    """Numbers at the top: corollaries are counted apart, so that no theorem counts twice."""
    own = [row for row in rows if not row["corollary_of"]]
    n_corollaries = len(rows) - len(own)
    everywhere = [row for row in own if row["verdict"] == PROVED and row["scope"] == ALL_SIZES]
    triples = sum(row["concludes"] == "triples" for row in own if row["verdict"] == PROVED)
    certificates = [row["certificate"]["bytes"] for row in rows if row["certificate"]]
    others = [row for row in rows if not row["as_expected"]]
    tiles = [
        (str(len(own)), _plural(len(own), "theorem")),
        (str(n_corollaries), "corollary" if n_corollaries == 1 else "corollaries"),
        (str(len(everywhere)), "proved for all sizes"),
        (str(triples), "proved equal as triples"),
        (
            str(len(certificates)),
            f"{_plural(len(certificates), 'certificate')}"
            + (f", {_bytes(sum(certificates))}" if certificates else ""),
        ),
        (f"{len(rows) - len(others)} of {len(rows)}", "as expected"),
    ]
    body = "".join(f"<div><b>{number}</b> {name}</div>" for number, name in tiles)
    warning = ""
    if others:
        links = ", ".join(_link(row["identifier"]) for row in others)
        warning = f'<p class="bad">Not as expected: {links}.</p>'
    return f'<div class="tiles">{body}</div>{warning}{_by_scope(rows)}'


def _by_scope(rows: list[Json]) -> str:
    """How many of each verdict and scope, with corollaries after a plus sign."""
    if not rows:
        return ""
    counts = Counter((row["scope"], row["verdict"], bool(row["corollary_of"])) for row in rows)
    verdicts = _ordered((row["verdict"] for row in rows), VERDICTS)

    def cell(scope: str, verdict: str) -> str:
        own, more = counts[scope, verdict, False], counts[scope, verdict, True]
        if not own + more:
            return '<td class="soft">–</td>'
        return f"<td>{own}" + (f' <span class="soft">+ {more}</span>' if more else "") + "</td>"

    head = "".join(f'<th scope="col">{plain(verdict)}</th>' for verdict in verdicts)
    body = "".join(
        f'<tr><th scope="row">{plain(scope)}</th>'
        f"{''.join(cell(scope, verdict) for verdict in verdicts)}</tr>"
        for scope in _ordered((row["scope"] for row in rows), SCOPES)
    )
    note = "corollaries after the plus sign" if any(row["corollary_of"] for row in rows) else ""
    return (
        f'<div class="wide"><table class="scopes"><caption>By scope and verdict'
        f"{f'; {note}' if note else ''}</caption>"
        f"<tr><th></th>{head}</tr>{body}</table></div>"
    )


def _controls(rows: list[Json], subjects: Iterable[str]) -> str:
    """Filters; they are shown by the script that makes them work."""
    choices = (
        ("subject", list(subjects)),
        ("verdict", _ordered((row["verdict"] for row in rows), VERDICTS)),
        ("scope", _ordered((row["scope"] for row in rows), SCOPES)),
    )
    selects = "".join(
        f'<select id="{name}" aria-label="{name}"><option value="">all {name}s</option>'
        + "".join(f'<option value="{attribute(v)}">{plain(v)}</option>' for v in values)
        + "</select>"
        for name, values in choices
    )
    return (
        f'<form id="controls" hidden>{selects}<input id="text" type="search" aria-label="text" '
        'placeholder="search in the text" autocomplete="off" spellcheck="false">'
        '<span class="buttons"><button type="button" id="expand">expand all</button>'
        '<button type="button" id="collapse">collapse all</button>'
        '<button type="reset">reset</button></span>'
        f'<output id="count" aria-live="polite">shown {len(rows)} of {len(rows)}</output></form>'
    )


def _row(row: Json) -> str:
    verdict, certificate = row["verdict"], row["certificate"]
    tags = ""
    if row["corollary_of"]:
        tags += '<span class="tag">corollary</span>'
    if not row["as_expected"]:
        tags += '<span class="tag bad">not as expected</span>'
    prefix, _, name = row["identifier"].rpartition(".")
    weight = _bytes(certificate["bytes"]) if certificate else ""
    return (
        f'<details class="row" id="{attribute(row["identifier"])}" '
        f'data-subject="{attribute(row["subject"])}" data-verdict="{attribute(verdict)}" '
        f'data-scope="{attribute(row["scope"])}"><summary>'
        f'<span class="name q"><span class="soft">{plain(prefix)}.</span>{plain(name)}</span>{tags}'
        f'<span class="verdict">{_badge(verdict)}</span>'
        f'<span class="scope">{plain(row["scope"])}</span>'
        f'<span class="bytes">{weight}</span><span class="time">{_seconds(row["seconds"])}</span>'
        f'</summary><div class="inside">{_inside(row)}</div></details>\n'
    )


def _inside(row: Json) -> str:
    """Statement, facts about it, proof, near miss and sources of one theorem."""
    parts = [
        f'<p class="words q">{plain(row["words"])}</p>',
        f'<div class="formula wide">{mathml(row["latex"])}</div>',
        _facts(row),
        _proof(row),
    ]
    if row["counterexample"] is not None:
        parts.append(f"<h3>Counterexample</h3>{case_html(row['counterexample'])}")
    near = row["near_miss"]
    if near:
        parts.append(
            f"<h3>Near miss {_badge(near['verdict'])}</h3>"
            f'<p class="q">{plain(near["words"])}</p>{_soft(near.get("reason"))}'
            f"{case_html(near['counterexample'])}"
        )
    parts.append(_sources(row))
    return "".join(parts)


def _soft(text: str | None) -> str:
    return f'<p class="soft">{plain(text)}</p>' if text else ""


def _facts(row: Json) -> str:
    entries = [
        ("Source", f'<span class="q">{plain(row["source"])}</span>'),
        ("Remark", f'<span class="q">{plain(row["remark"])}</span>' if row["remark"] else ""),
        ("Concludes", plain(row["concludes"])),
        ("Corollary of", _link(row["corollary_of"]) if row["corollary_of"] else ""),
        ("Method", f"{plain(row['method'])}; scope: {plain(row['scope'])}"),
    ]
    unexpected = "" if row["as_expected"] else ' <b class="bad">This is not as expected.</b>'
    entries.append(
        ("Verdict", f"{plain(row['verdict'])}, expected {plain(row['expected'])}.{unexpected}")
    )
    body = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in entries if text)
    return f"<dl>{body}</dl>"


#: What is said above the reason of a verdict, by method.
HEADINGS = {
    "cases": "Case by case",
    "ring identity": "In a polynomial ring",
    "no claim": "No claim",
}


def _proof(row: Json) -> str:
    reason = f'<span class="q">{plain(row["reason"])}</span>.' if row["reason"] else ""
    if row["certificate"]:
        return f"<h3>Proof</h3>{proof_html(row['certificate']['document'], reason)}"
    if not reason:
        return ""
    return f"<h3>{HEADINGS.get(row['method'], 'Reason')}</h3><p>{reason}</p>"


def _sources(row: Json) -> str:
    """What was declared and stored, as it stands: to read, to copy, to check elsewhere."""
    parts = [
        ("The formula as LaTeX", row["latex"]),
        ("The declaration in Python", row["definition"]),
    ]
    if row["certificate"]:
        # As `symconv.proving.store` writes it.
        text = json.dumps(row["certificate"]["document"], separators=(",", ":"), ensure_ascii=False)
        size = row["certificate"]["bytes"]
        parts.append((f"The certificate as JSON ({size} bytes)", text))
    return (
        '<div class="sources">'
        + "".join(
            f'<details class="copy"><summary>{name}</summary>'
            f"<pre><code{' class=q' if number < 2 else ''}>{plain(text)}</code></pre></details>"
            for number, (name, text) in enumerate(parts)
            if text
        )
        + "</div>"
    )


def _badge(verdict: str) -> str:
    known = verdict if verdict in VERDICTS else UNDECIDED
    return (
        f'<span class="badge {known.lower()}"><span aria-hidden="true">{VERDICTS[known]}</span> '
        f"{plain(verdict)}</span>"
    )


def _link(identifier: str) -> str:
    return f'<a href="#{attribute(quote(identifier))}">{plain(identifier)}</a>'


def _plural(n: int, name: str) -> str:
    return name if n == 1 else f"{name}s"


def _bytes(size: int) -> str:
    """A size in decimal kilobytes from 1000 bytes on, in whole tenths."""
    number, unit = (size, "B") if size < 1000 else (f"{size // 1000}.{size % 1000 // 100}", "kB")
    return f"{number}\N{NO-BREAK SPACE}{unit}"


def _seconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
