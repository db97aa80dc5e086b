"""Formulas as MathML, which browsers draw by themselves: no script, nothing loaded from elsewhere.

The converter is the one of the ledger's page (`symconv.proving.report_text`).
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

from symconv.proving.report_text import mathml

logger = logging.getLogger(__name__)


def formula(self: Any, node: nodes.Node, display: str) -> str:
    """One formula; what the converter does not know is a warning, not a silent gap."""
    text = node.astext()
    found = mathml(text)
    if not found.startswith("<math"):
        logger.warning("formula is not converted: %s", text, location=node)
    return found.replace('display="block"', f'display="{display}"', 1)


def visit_inline(self: Any, node: nodes.math) -> None:
    """A formula in a line."""
    self.body.append(formula(self, node, "inline"))
    raise nodes.SkipNode


def visit_block(self: Any, node: nodes.math_block) -> None:
    """A formula of its own, which scrolls where the page is narrow."""
    self.body.append(f'<div class="math">{formula(self, node, "block")}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Make it the way of writing formulas."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    app.config.html_math_renderer = "mathml"
    return {"parallel_read_safe": True, "parallel_write_safe": True}
