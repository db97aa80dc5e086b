"""Sweeps: an engine tried at many small geometries, each distinct defect reported once."""

from symconv.sweeping.findings import Finding
from symconv.sweeping.rechecking import Recheck, rechecked
from symconv.sweeping.report import Sweep
from symconv.sweeping.running import sweep

__all__ = ["Finding", "Recheck", "Sweep", "rechecked", "sweep"]
