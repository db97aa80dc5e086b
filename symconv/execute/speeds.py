"""What the cost models of the plans count in: seconds per byte and per product, as measured.

Only ratios decide which plan is chosen, and they last longer than the absolute numbers:
``python benchmarks/planner.py`` compares the choices with what is fastest on a machine.
"""

from __future__ import annotations

import sys

__all__ = [
    "BLAS",
    "CACHED",
    "CALL",
    "COPY",
    "FOURIER",
    "MIXED",
    "PLACED",
    "PRODUCT",
    "SLACK",
    "STEP",
    "VECTOR",
    "loading",
]

#: Bytes of one vector register, and those that compiled loops may read and write past the end of
#: every buffer.
VECTOR = 64
SLACK = 16 * VECTOR

#: One multiplication and addition at the peak of one core, per byte of the number type.
PRODUCT = 3.2e-12

#: The same by a BLAS library, as NumPy calls it on the shapes that convolutions have.
BLAS = 1.7 * PRODUCT

#: One sample of a Fourier transform, per byte and level (log₂ of the length).
FOURIER = 8e-11

#: One product of complex arrays, per byte of a factor.
MIXED = 2e-10

#: Reading and writing one byte of a large array.
COPY = 1.5e-10

#: Putting one weight where its plan reads it.
PLACED = 1.4e-9

#: Bytes of arrays that stay in the second cache, about.
CACHED = 2**18

#: One step of a compiled loop that is not a vector: a row begun, a tile set up.
STEP = 1e-8

#: One call of a NumPy function.
CALL = 5e-6

#: Seconds that a product must save before it makes Numba load, which takes a good half of one.
LOADING = 5e-4


def loading() -> float:
    """What compiled plans count for loading: small products do not make Numba load."""
    return 0.0 if "symconv.execute.jit.engine" in sys.modules else LOADING
