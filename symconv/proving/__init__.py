"""Theorems about convolutions: declared, decided, and kept in a ledger anyone can check."""

from __future__ import annotations

from symconv.proving.boxed import all_values, exhaustive
from symconv.proving.certified import all_sizes
from symconv.proving.identities import identity, no_claim
from symconv.proving.stating import axis, between, reads, scattered
from symconv.proving.terms import all_of, any_of, iff, implies
from symconv.proving.theorem import Theorem
from symconv.proving.tracing import Trace, lift

__all__ = [
    "Theorem",
    "Trace",
    "all_of",
    "all_sizes",
    "all_values",
    "any_of",
    "axis",
    "between",
    "exhaustive",
    "identity",
    "iff",
    "implies",
    "lift",
    "no_claim",
    "reads",
    "scattered",
]
