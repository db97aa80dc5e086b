"""What a theorem is, and the verdict on one, whatever the method that decides it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from symconv.errors import ParameterError
from symconv.verdict import PROVED, REFUTED, UNDECIDED, Verdict

__all__ = ["ALL_SIZES", "ALL_VALUES", "BOX", "CONCLUSIONS", "NO_SCOPE", "Decision", "Theorem"]

ALL_SIZES = "all sizes"
ALL_VALUES = "all values at stated sizes"
BOX = "exhaustive over a stated box"
NO_SCOPE = "none"

#: What a theorem can conclude: equality of sets of triples (operators), sizes, counts, …
CONCLUSIONS = ("triples", "sizes", "counts", "fields", "values", "words")


@dataclass(frozen=True)
class Decision:
    """The verdict on a theorem with what supports it.

    Attributes
    ----------
    verdict : Verdict
    near_miss : Verdict or None
        The verdict on the near miss, which must be REFUTED; None where the theorem itself is.
    certificate : dict or None
        The checked certificate.
    checked : dict or None
        What the checker says of it.
    """

    verdict: Verdict
    near_miss: Verdict | None = None
    certificate: dict[str, Any] | None = None
    checked: dict[str, Any] | None = None


class Method(Protocol):
    """A way to decide: its name, its scope, and the decision."""

    @property
    def name(self) -> str:
        """What the ledger calls it."""

    @property
    def scope(self) -> str:
        """How far its verdicts reach."""

    def decide(self, theorem: Theorem) -> Decision:
        """Decide, with nothing taken on trust from earlier runs."""


@dataclass(frozen=True)
class Theorem:
    """A statement about convolutions, with the method that decides it.

    Attributes
    ----------
    identifier : str
        ``subject.name``, the subject being the file that declares it.
    words, latex : str
        The statement, twice.
    source : str
        Author, year, equation or section; "symconv" for our own.
    method : Method
    near_miss : str
        In words, the false statement next to it that is refuted along with it.
    concludes : str
        One of `CONCLUSIONS`.
    expected : {"PROVED", "REFUTED", "UNDECIDED"}
        REFUTED for a claim that is wrong as its source states it; UNDECIDED for what is no
        mathematical claim.
    corollary_of : str
        The theorem that this one specialises or renames; empty for one in its own right.
    remark : str
        What holds instead, or what the claim's words must mean for it to hold.
    """

    identifier: str
    words: str
    latex: str
    source: str
    method: Method
    near_miss: str = ""
    concludes: str = "values"
    expected: str = PROVED
    corollary_of: str = ""
    remark: str = ""
    definition: Any = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.expected not in (PROVED, REFUTED, UNDECIDED):
            raise ParameterError(f"expected must be a verdict, got {self.expected!r}")
        if self.concludes not in CONCLUSIONS:
            raise ParameterError(f"concludes must be one of {CONCLUSIONS}, got {self.concludes!r}")
        for name in ("identifier", "words", "latex", "source"):
            if not getattr(self, name):
                raise ParameterError(f"{name} must not be empty ({self.identifier})")
        if self.expected == PROVED and not self.near_miss:
            raise ParameterError(f"near_miss must say what is refuted ({self.identifier})")
        if self.identifier.count(".") != 1:
            raise ParameterError(f"identifier must be subject.name, got {self.identifier!r}")

    @property
    def subject(self) -> str:
        """The first part of the identifier."""
        return self.identifier.partition(".")[0]

    def decide(self) -> Decision:
        """The decision of the method."""
        return self.method.decide(self)

    def is_as_expected(self, decision: Decision) -> bool:
        """Whether the verdict is the expected one, and the near miss refuted."""
        if decision.verdict.status != self.expected:
            return False
        if self.expected != PROVED:
            return bool(decision.verdict.reason)
        return decision.near_miss is not None and decision.near_miss.status == REFUTED
