"""What statements are made of: triples of an axis as formulas, matrices that must agree."""

from __future__ import annotations

from typing import Any

from symconv.proving.terms import Formula, Term, all_of
from symconv.proving.tracing import Trace
from symconv.relation import AxisRelation

__all__ = ["axis", "between", "reads", "scattered"]


def between(low: Any, value: Any, high: Any) -> Formula:
    """Whether low ≤ value < high."""
    return all_of(low <= value, value < high)


def axis(t: Trace, *, input_dilation: bool = False) -> tuple[AxisRelation, Term]:
    """An axis with every parameter unknown, named s, d, K, lo, hi (and b), and its input size n.

    Assumed are s, d, K (and b) ≥ 1 and n ≥ 0; paddings may be negative.
    """
    s, d, K, n, lo, hi = t.integers("s d K n lo hi")  # noqa: N806 - the field's letter
    t.assume(s >= 1, d >= 1, K >= 1, n >= 0)
    if not input_dilation:
        return AxisRelation(K, s, d, lo, hi), n
    (b,) = t.integers("b")
    t.assume(b >= 1)
    return AxisRelation(K, s, d, lo, hi, b), n


def reads(
    relation: AxisRelation, o: Any, k: Any, i: Any, *, n_in: Any, n_out: Any = None
) -> Formula:
    """(o, k, i) is a triple: output o reads the stored input i through tap k, zero padding.

    `n_out` is what the relation gives for `n_in` unless said.
    """
    if n_out is None:
        n_out = relation.output_size(n_in)
    return all_of(
        between(0, o, n_out),
        between(0, k, relation.n_taps),
        between(0, i, n_in),
        relation.position(o, k) == relation.input_dilation * i,
    )


def scattered(
    relation: AxisRelation, n_in: Any, output_padding: Any, i: Any, k: Any, y: Any
) -> Formula:
    """Input i of `n_in` reaches output y through tap k of the transposed convolution."""
    return all_of(
        between(0, i, n_in),
        between(0, k, relation.n_taps),
        between(0, y, relation.input_size(n_in, output_padding)),
        relation.position(i, k) == y,
    )
