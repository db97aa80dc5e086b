"""An operator with free weights as a matrix of linear forms, as small as its rank needs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.boundary import OUTSIDE
from symconv.execute.csr import assemble
from symconv.incidence import Windows
from symconv.memory import require
from symconv.modular.integer_matrix import IntegerMatrix
from symconv.operator import Operator

__all__ = ["Forms"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Forms:
    """One group of channels: its entries as linear forms in the weights, equal rows left out.

    ``A = Σ_k W_k ⊗ T_k``, with free (out, in) matrices W_k and T_k[o, table[k, o]] = 1.
    """

    outs: int
    ins: int
    windows: Windows

    @classmethod
    def of(cls, op: Operator) -> Forms:
        """The forms of an operator; of a transposed one, those of what it transposes."""
        linear = op.oriented.linear
        geometry = linear.geometry
        tables, sizes = [], []
        for table in linear.incidence.reads:
            # Outputs that read the same through every tap are equal rows, per axis and so in all.
            rows = np.unique(table[(table != OUTSIDE).any(axis=1)], axis=0)
            used, place = np.unique(rows, return_inverse=True)
            gap = int(len(used) > 0 and used[0] == OUTSIDE)
            place = place.reshape(rows.shape) - gap
            tables.append(np.where(rows == OUTSIDE, OUTSIDE, place))
            sizes.append(len(used) - gap)
        groups = geometry.groups
        outs, ins = geometry.out_channels // groups, geometry.in_channels // groups
        return cls(outs, ins, Windows(tables, sizes))

    @property
    def shape(self) -> tuple[int, int]:
        """Of the matrix."""
        outputs, inputs = (
            math.prod(size) for size in (self.windows.output_size, self.windows.input_size)
        )
        return self.outs * outputs, self.ins * inputs

    def at(self, weight: Array) -> IntegerMatrix:
        """The matrix at integer weights (out, in, *kernel), every entry of the pattern stored."""
        pattern = self.windows.pattern
        require(
            16 * self.outs * self.ins * pattern.nnz,
            f"the matrix with {self.outs * self.ins * pattern.nnz} entries",
            "use a smaller input",
        )
        entries = assemble(pattern, pattern.merged(weight)[None])
        return IntegerMatrix(
            entries.data, entries.indices, entries.indptr.astype(np.int64), entries.shape
        )

    @property
    def table(self) -> Array:
        """Which input each tap of each output reads, `OUTSIDE` for none: shape (taps, outputs)."""
        return self.windows.gathered().reshape(math.prod(self.windows.kernel_size), -1)

    def images(self, columns: Array) -> Array:
        """[T_0·B | T_1·B | …] for columns B of inputs without channels."""
        table = self.table
        padded = np.vstack([columns, np.zeros((1, columns.shape[1]), dtype=columns.dtype)])
        return np.hstack(list(padded[np.where(table == OUTSIDE, len(columns), table)]))
