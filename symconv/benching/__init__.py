"""Speeds side by side: the same products by symconv and by other libraries, answers compared."""

from __future__ import annotations

from symconv.benching.cases import CASES as CASES, IMAGES as IMAGES, Case as Case
from symconv.benching.engines import ENGINES as ENGINES
from symconv.benching.running import Measurement as Measurement, bench as bench

__all__ = ["CASES", "ENGINES", "IMAGES", "Case", "Measurement", "bench"]
