"""The verdict about an implementation, and the smallest case that refutes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from symconv.geometry import by_axis
from symconv.layers import Layer
from symconv.verdict import PROVED, REFUTED, Verdict
from symconv.verifying.recovering import Row
from symconv.verifying.sampling import Check

__all__ = ["Counterexample", "Verification"]


@dataclass(frozen=True)
class Counterexample:
    """The smallest failing geometry, and what differs there.

    Attributes
    ----------
    layer, input_size, batch
        Where it fails: as given, or shrunk.
    kind : str
        As of `symconv.verifying.Failure`.
    reason : str
        What is wrong at this geometry.
    rows : tuple of Row
        The first wrong outputs with what they must be and what they are.
    wrong_outputs : int
        How many outputs are wrong.
    picture : str
        Both matrices as text, where they are small.
    probe : tuple of arrays
        Arguments that show it.
    """

    layer: Layer
    input_size: tuple[int, ...]
    batch: int
    kind: str
    reason: str
    rows: tuple[Row, ...] = ()
    wrong_outputs: int = 0
    picture: str = ""
    probe: tuple[Any, ...] = field(default=(), repr=False, compare=False)
    names: tuple[str, ...] = ("x", "w", "b")

    def __str__(self) -> str:
        lines = [f"{self.layer!r} on {by_axis(self.input_size)}, batch {self.batch}"]
        lines.append(f"  {self.reason}")
        lines.extend(f"  {row.written(self.names)}" for row in self.rows)
        if self.wrong_outputs > len(self.rows) > 0:
            lines.append(f"  … and {self.wrong_outputs - len(self.rows)} more outputs")
        if self.picture:
            lines.extend("  " + line for line in self.picture.splitlines())
        return "\n".join(lines)


@dataclass(frozen=True)
class Verification(Verdict):
    """A verdict about an implementation.

    PROVED only where all pairs of basis vectors were compared, and then given what the scope says.
    A map too large for that is UNDECIDED even where nothing differs: its scope states the error
    probability, `agrees` is True, and ``bool`` raises, as of every undecided verdict.

    Attributes
    ----------
    kind : str
        What failed (as of `symconv.verifying.Failure`), empty where nothing did.
    agrees : bool
        Whether nothing was found to differ: PROVED, or UNDECIDED for its size alone.
    mistakes : tuple of str
        The known mistakes that explain all that was seen; several where they cannot be told apart,
        none where no known mistake fits.
    checks : tuple of Check
        What was tested, and how far each test reaches.
    error_probability : float
        That a wrong bilinear map was not noticed; 0 where all basis vectors were compared.
    calls : int
        Calls of the implementation, those for shrinking and naming included.
    """

    kind: str = ""
    agrees: bool = False
    mistakes: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    error_probability: float = 1.0
    calls: int = 0

    def __str__(self) -> str:
        text = f"{self.status} ({self.scope})"
        if self.reason:
            text += f": {self.reason}"
        if self.status == REFUTED:
            text += f"\nmistake: {' or '.join(self.mistakes) or 'no known mistake fits'}"
        if self.counterexample is not None:
            text += f"\nsmallest case: {self.counterexample}"
        return text

    @property
    def is_proved(self) -> bool:
        """Whether all pairs of basis vectors agree."""
        return self.status == PROVED
