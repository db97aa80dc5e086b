"""Verifying anybody's implementation: exact probes, shrinking, naming the mistake."""

from symconv.verifying.calling import Factory, Failure, Implementation, UnsupportedError
from symconv.verifying.formats import FORMATS, Format
from symconv.verifying.mistakes import MISTAKES
from symconv.verifying.verdicts import Counterexample, Verification
from symconv.verifying.verification import verify

__all__ = [
    "FORMATS",
    "MISTAKES",
    "Counterexample",
    "Factory",
    "Failure",
    "Format",
    "Implementation",
    "UnsupportedError",
    "Verification",
    "verify",
]
