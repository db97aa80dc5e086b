"""The page around a report: head, styles and script in one file, nothing loaded from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

from symconv.proving.report_text import plain

__all__ = ["asset", "page"]


@cache
def asset(name: str) -> str:
    """A file of ``symconv/proving/assets``."""
    return files("symconv.proving").joinpath("assets", name).read_text("utf-8")


def page(title: str, body: str) -> str:
    """A whole HTML document that loads nothing and runs no script but its own.

    Examples
    --------
    >>> page("A < B", "<p>text</p>").startswith("<!doctype html>")
    True
    """
    script = asset("report.js")
    # The hash lets this script run and no other, should one ever get into the page.
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{plain(title)}</title><style>{asset('report.css')}</style></head>\n"
        f"<body>{body}\n<script>{script}</script></body></html>\n"
    )
