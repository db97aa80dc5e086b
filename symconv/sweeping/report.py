"""What a sweep says: counts, each distinct defect, as text, JSON and one page of HTML."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from symconv import __version__
from symconv.sweeping.findings import Finding

__all__ = ["Sweep"]

#: Reasons of one status that are printed.
MAX_REASONS = 8

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse}th,td{text-align:left;vertical-align:top;padding:.2rem .8rem "
    ".2rem 0;border-bottom:1px solid #8886}pre{overflow:auto;padding:.6rem;background:#8881}"
)


@dataclass(frozen=True)
class Sweep:
    """How an engine did; true where no defect was found.

    Attributes
    ----------
    engine, version, kind, seed, dtypes
        What was swept.
    statuses : dict of str to int
        Points by what came of them: "agrees", "failed", "unsupported" (the engine does not take the
        geometry), "undecided", "died" (the process ended, twice).
    reasons : dict of str to dict of str to int
        Why, for "unsupported", "undecided" and "died": wordings with how often.
    findings : tuple of Finding
        Each distinct defect, in the order in which they were met.
    seconds : float
    """

    engine: str
    version: str
    kind: str
    seed: int
    dtypes: tuple[str, ...]
    statuses: Mapping[str, int]
    reasons: Mapping[str, Mapping[str, int]]
    findings: tuple[Finding, ...]
    seconds: float

    @property
    def tried(self) -> int:
        """Points in all."""
        return sum(self.statuses.values())

    @property
    def confirmed(self) -> tuple[Finding, ...]:
        """The findings that integer loops confirm."""
        return tuple(each for each in self.findings if each.recheck.confirmed)

    def __bool__(self) -> bool:
        return not self.confirmed and not self.statuses.get("died")

    def summary(self) -> str:
        """The numbers in one line."""
        counts = [
            f"{self.statuses[status]} {status}"
            for status in ("agrees", "failed", "unsupported", "undecided", "died")
            if self.statuses.get(status)
        ]
        name = f"{self.engine} {self.version}".strip()
        points = f"{self.tried} geometries" if self.tried != 1 else "1 geometry"
        text = f"{name}: {points} in {self.seconds:.0f} s: {', '.join(counts) or 'none tried'}"
        defects = len(self.confirmed)
        text += f"; {defects or 'no'} distinct defect{'s' * (defects != 1)}"
        others = len(self.findings) - defects
        return text + (f", {others} not confirmed" if others else "")

    def __str__(self) -> str:
        parts = [*map(str, self.findings), *self._reasons(), self.summary()]
        return "\n\n".join(parts)

    def _reasons(self) -> Iterable[str]:
        for status, found in self.reasons.items():
            lines = [f"{status}:"]
            shown = list(found.items())[:MAX_REASONS]
            lines.extend(f"  {times}× {reason}" for reason, times in shown)
            if len(found) > len(shown):
                lines.append(f"  … and {len(found) - len(shown)} other reasons")
            yield "\n".join(lines)

    def data(self) -> dict[str, Any]:
        """As plain data, as `json` writes it."""
        plain = asdict(self) | {"findings": [each.data() for each in self.findings]}
        return {"format": "symconv sweep 1", "symconv": __version__, **plain}

    def json(self) -> str:
        """As JSON."""
        return json.dumps(self.data(), indent=1, ensure_ascii=False) + "\n"

    def _repr_html_(self) -> str:
        heads = ("layer", "defect", "smallest reproduction", "integer loops", "times")
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in _cells(each)) + "</tr>"
            for each in self.findings
        )
        head = "".join(f"<th>{name}</th>" for name in heads)
        table = f"<table><tr>{head}</tr>{rows}</table>" if rows else ""
        return f"<p>{escape(self.summary())}</p>{table}"

    def html(self) -> str:
        """One page that loads nothing and runs no script."""
        title = escape(f"Sweep of {self.engine}")
        details = "".join(f"<pre>{escape(str(each))}</pre>" for each in self.findings)
        reasons = "".join(f"<pre>{escape(text)}</pre>" for text in self._reasons())
        policy = "default-src 'none'; style-src 'unsafe-inline'"
        return (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<meta name="color-scheme" content="light dark">'
            f"<title>{title}</title><style>{STYLE}</style></head>\n"
            f"<body><h1>{title}</h1>{self._repr_html_()}{details}{reasons}</body></html>\n"
        )


def _cells(found: Finding) -> tuple[str, ...]:
    size = "×".join(map(str, found.input_size))
    confirmed = "confirmed" if found.recheck.confirmed else "not confirmed"
    return (
        type(found.layer).__name__,
        found.title,
        f"{found.layer!r} on {size}, batch {found.batch}, {found.dtype}",
        f"{confirmed}: {found.recheck.text}",
        f"{found.times} (+ {found.like})",
    )
