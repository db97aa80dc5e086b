"""Verdicts: proved, refuted with a counterexample, undecided with a reason; always with scope."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

__all__ = ["PROVED", "REFUTED", "UNDECIDED", "Verdict", "proved", "refuted", "undecided"]

PROVED, REFUTED, UNDECIDED = "PROVED", "REFUTED", "UNDECIDED"


@dataclass(frozen=True)
class Verdict:
    """What was decided, and how far it reaches.

    ``bool(verdict)`` is True for PROVED, False for REFUTED, and raises for UNDECIDED, so that
    ``assert verdict`` can neither pass nor fail on something that was not decided.

    Attributes
    ----------
    status : {"PROVED", "REFUTED", "UNDECIDED"}
    scope : str
        All sizes, all values at stated sizes, or exhaustive over a stated box.
    counterexample : object
        For REFUTED: the smallest case in which the claim fails.
    reason : str
        What was compared, how it fails, or why nothing was decided.

    Examples
    --------
    >>> bool(proved("all values at input size 4", "entries agree as linear forms"))
    True
    >>> print(refuted("all values at input size 4", {"row": 0, "column": 1}, "entries differ"))
    REFUTED (all values at input size 4): entries differ; counterexample {'row': 0, 'column': 1}
    """

    status: str
    scope: str
    counterexample: Any = None
    reason: str = ""

    def __bool__(self) -> bool:
        if self.status == UNDECIDED:
            raise ValueError(f"the verdict is UNDECIDED, neither true nor false: {self.reason}")
        return self.status == PROVED

    def __str__(self) -> str:
        text = f"{self.status} ({self.scope})"
        if self.reason:
            text += f": {self.reason}"
        if self.counterexample is not None:
            text += f"; counterexample {self.counterexample}"
        return text

    def _repr_html_(self) -> str:
        rows = [("status", self.status), ("scope", self.scope), ("reason", self.reason)]
        if self.counterexample is not None:
            rows.append(("counterexample", str(self.counterexample)))
        cells = "".join(f"<tr><th>{name}</th><td>{escape(text)}</td></tr>" for name, text in rows)
        return f"<table>{cells}</table>"


def proved(scope: str, reason: str = "") -> Verdict:
    """A claim that holds throughout `scope`."""
    return Verdict(PROVED, scope, None, reason)


def refuted(scope: str, counterexample: Any, reason: str = "") -> Verdict:
    """A claim that fails, with the smallest case found to break it."""
    return Verdict(REFUTED, scope, counterexample, reason)


def undecided(scope: str, reason: str) -> Verdict:
    """A claim that this method does not decide."""
    return Verdict(UNDECIDED, scope, None, reason)
