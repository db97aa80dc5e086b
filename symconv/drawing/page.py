"""The page around a picture: head, styles and script in one file, nothing loaded from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

__all__ = ["asset", "page", "still_page"]


@cache
def asset(name: str) -> str:
    """A file of ``symconv/drawing/assets``."""
    return files("symconv.drawing").joinpath("assets", name).read_text("utf-8")


def page(
    title: str, body: str, script: str = "", data: Any = None, *, style: str | None = None
) -> str:
    """A whole HTML document that loads nothing and runs no script but the one given.

    Parameters
    ----------
    title : str
        Plain text.
    body : str
        HTML.
    script : str
        JavaScript; the page's policy names its hash.
    data : object of JSON, optional
        What the script reads from the element ``data``.
    style : str, optional
        CSS; that of pictures unless given.

    Examples
    --------
    >>> page("A < B", "<p>text</p>").startswith("<!doctype html>")
    True
    >>> "&lt;" in page("A < B", "") and "</b>" not in page("", "", data="</b>")
    True
    """
    # The hash lets this script run and no other, should one ever get into the page.
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    runs = f"script-src 'sha256-{digest}'; " if script else ""
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; {runs}img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )
    stored = ""
    if data is not None:
        # Inside a script element only "</script" and "<!--" matter: no "<" is left at all.
        text = json.dumps(data, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
        stored = f'<script type="application/json" id="data">{text}</script>\n'
    css = asset("page.css") if style is None else style
    run = f"<script>{script}</script>" if script else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title><style>{css}</style></head>\n"
        f"<body>{body}\n{stored}{run}</body></html>\n"
    )


def still_page(title: str, svg: str, alt: str) -> str:
    """A page with one picture and its words."""
    return page(title, f"<main><figure>{svg}<figcaption>{escape(alt)}</figcaption></figure></main>")
