"""What the cost models of the plans count in: seconds per byte and per product, as measured.

Only ratios decide which plan is chosen, and they last longer than the absolute numbers:
``python benchmarks/planner.py`` compares the choices with what is fastest on a machine.
"""

from __future__ import annotations

__all__ = ["CALL", "COPY", "PRODUCT", "STEP"]

#: One multiplication and addition at the peak of one core, per byte of the number type.
PRODUCT = 3.2e-12

#: Reading and writing one byte of a large array.
COPY = 1.5e-10

#: One step of a compiled loop that is not a vector: a row begun, a tile set up.
STEP = 1e-8

#: One call of a NumPy function.
CALL = 5e-6
