"""Stated conditions: where two conventions differ, one entry per pair of rules.

An entry says in the fewest words what the conventions' own formulas say at length. Nothing here
is believed: `where_conventions_differ` enumerates a box with the conventions' code and refutes an
entry that disagrees anywhere. The key is `Convention.spelling`, what the rules *are*, so that one
entry serves every framework that shares them.

Notation: n, K, s, d as in `AxisRelation`, E = d(K−1) + 1, N = n + lo + hi.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy

from symconv.conventions import Convention, TorchConvTranspose, TorchPool
from symconv.relation import AxisRelation

__all__ = ["STATED", "STATED_SIZES", "stated_condition"]

Pads = tuple[Any, Any]
Entry = Callable[[AxisRelation, Any, Convention, Convention], Any]


def _pads(convention: Any) -> Pads:
    """The given padding of one axis, whichever parameter holds it."""
    value = convention.padding if hasattr(convention, "padding") else convention.pads or (0, 0)
    return value if isinstance(value, tuple) else (value, value)


def _given(axis: AxisRelation, n: Any, first: Any, second: Any) -> Any:
    """The given amounts themselves."""
    (a, b), (lo, hi) = _pads(first), _pads(second)
    return sympy.Or(sympy.Ne(a, lo), sympy.Ne(b, hi))


def _never(axis: AxisRelation, n: Any, first: Any, second: Any) -> Any:
    return sympy.false


def _same_total(axis: AxisRelation, n: Any) -> Any:
    """SAME's total: what E − 1 leaves after the inputs past the last stride, (n−1) mod s."""
    return sympy.Max(axis.extent - 1 - sympy.Mod(n - 1, axis.stride), 0)


def _odd_total(axis: AxisRelation, n: Any, first: Any, second: Any) -> Any:
    """The odd unit goes to the end or to the start; an even total splits alike."""
    return sympy.Eq(sympy.Mod(_same_total(axis, n), 2), 1)


def _odd_extent(axis: AxisRelation, n: Any, first: Any, second: Any) -> Any:
    """At stride 1, where PyTorch's 'same' exists, the total is E − 1."""
    return sympy.Eq(sympy.Mod(axis.extent - 1, 2), 1)


def _pads_against_same(axis: AxisRelation, n: Any, first: Any, second: Any) -> Any:
    """Both halves of the total must be the given ones."""
    lo, hi = _pads(first)
    total = _same_total(axis, n)
    if lo == hi:
        return sympy.Ne(2 * lo, total)
    return sympy.Or(sympy.Ne(lo + hi, total), sympy.Ne(lo, total // 2))


def _ceil_against_floor(axis: AxisRelation, n: Any, first: Any, second: Any) -> Any:
    """The stride does not divide N − E, and the extra window starts before n + lo.

    Where hi ≥ E, ceil mode drops even a window that fits, and has one *less* if s divides N − E;
    PyTorch, whose padding is at most K/2, never gets there.
    """
    lo, hi = _pads(second)
    rest = n + lo + hi - axis.extent
    missing = sympy.Mod(-rest, axis.stride)
    more = sympy.And(missing > 0, missing < axis.extent - hi)
    if isinstance(second, TorchPool):
        return more
    return sympy.Or(more, sympy.And(sympy.Eq(missing, 0), hi >= axis.extent))


def _every_window_against_floor(axis: AxisRelation, n: Any, first: Any, second: Any) -> Any:
    """The stride does not divide N − E."""
    lo, hi = _pads(second)
    return sympy.Ne(sympy.Mod(n + lo + hi - axis.extent, axis.stride), 0)


def _every_window_against_ceil(axis: AxisRelation, n: Any, first: Any, second: Any) -> Any:
    """The last window starts past the input: at N − E + ((E − N) mod s) ≥ n + lo."""
    lo, hi = _pads(second)
    return sympy.Mod(axis.extent - n - lo - hi, axis.stride) >= axis.extent - hi


def _ceil_before_46558(axis: AxisRelation, n: Any, first: Any, second: Any) -> Any:
    """Only without padding did the last window stay where it starts past the input."""
    amount = second.padding
    past = sympy.Mod(axis.extent - n, axis.stride) >= axis.extent
    return sympy.And(sympy.Eq(amount, 0), past)


def _every_window_against_before_46558(axis: AxisRelation, n: Any, first: Any, second: Any) -> Any:
    """With padding, the last window starts past the input; without, both keep it."""
    lo, _ = _pads(second)
    return sympy.And(sympy.Ne(lo, 0), _every_window_against_ceil(axis, n, first, second))


def _before_46558_against_floor(axis: AxisRelation, n: Any, first: Any, second: Any) -> Any:
    """Without padding every window counts, with padding those that start before n + lo."""
    lo, _ = _pads(second)
    unpadded = sympy.And(sympy.Eq(lo, 0), _every_window_against_floor(axis, n, first, second))
    return sympy.Or(
        unpadded, sympy.And(sympy.Ne(lo, 0), _ceil_against_floor(axis, n, first, second))
    )


def _truncated(axis: AxisRelation, n: Any, first: Any, second: Any) -> Any:
    """Truncation makes a size of 1 out of N − E between −s and 0."""
    lo, hi = _pads(second)
    rest = n + lo + hi - axis.extent
    return sympy.And(rest < 0, rest > -axis.stride)


def _odd_transposed_total(axis: AxisRelation, n: Any, first: Any, second: Any) -> Any:
    """The total E − s is positive and odd."""
    rest = axis.extent - axis.stride
    return sympy.And(rest > 0, sympy.Eq(sympy.Mod(rest, 2), 1))


def _odd_signed_total(axis: AxisRelation, n: Any, first: Any, second: Any) -> Any:
    """The total E − s, of either sign, is odd."""
    return sympy.Eq(sympy.Mod(axis.extent - axis.stride, 2), 1)


def _short(axis: AxisRelation, n: Any, first: Any, second: Any) -> Any:
    """Where E < s the transposed total is negative, and only there do the rules part."""
    return axis.extent < axis.stride


def _short_or_odd(axis: AxisRelation, n: Any, first: Any, second: Any) -> Any:
    """E < s, or an odd total."""
    return sympy.Or(_short(axis, n, first, second), _odd_transposed_total(axis, n, first, second))


def _border(axis: AxisRelation, n: Any, first: Any, second: Any) -> Any:
    """The border of the spread input and the forward padding are rests of each other to E − 1."""
    (a, b), (lo, hi) = _pads(first), _pads(second)
    if hasattr(second, "output_padding"):
        hi = hi - second.output_padding
    return sympy.Or(sympy.Ne(a + lo, axis.extent - 1), sympy.Ne(b + hi, axis.extent - 1))


def _torch_against_transposed_same(axis: AxisRelation, n: Any, first: Any, second: Any) -> Any:
    """PyTorch reaches n·s with Keras's positions by 2p = E − s, or by op = s − E with p = 0."""
    if not isinstance(first, TorchConvTranspose):
        return None
    p, extra = first.padding, first.output_padding
    rest = axis.extent - axis.stride
    return sympy.Not(
        sympy.Or(
            sympy.And(sympy.Eq(2 * p, rest), sympy.Eq(extra, 0)),
            sympy.And(sympy.Eq(p, 0), sympy.Eq(extra, -rest)),
        )
    )


#: The `spelling` of both → the condition under which padding or output size differ.
STATED: dict[tuple[str, str], Entry] = {
    ("same upper", "same lower"): _odd_total,
    ("same torch", "same upper"): _never,
    ("same torch", "same lower"): _odd_extent,
    ("pads", "pads"): _given,
    ("pads", "same upper"): _pads_against_same,
    ("ceil", "pads"): _ceil_against_floor,
    ("ceil, all windows", "pads"): _every_window_against_floor,
    ("ceil, all windows", "ceil"): _every_window_against_ceil,
    ("ceil, drops where padded", "ceil"): _ceil_before_46558,
    ("ceil, drops where padded", "pads"): _before_46558_against_floor,
    ("ceil, all windows", "ceil, drops where padded"): _every_window_against_before_46558,
    ("truncated", "pads"): _truncated,
    ("transposed same upper, clamp", "transposed same lower, clamp"): _odd_transposed_total,
    ("transposed same upper, signed", "transposed same lower, signed"): _odd_signed_total,
    ("transposed same upper, clamp", "transposed same upper, signed"): _short,
    ("transposed same lower, clamp", "transposed same lower, signed"): _short,
    ("transposed same", "transposed same upper, clamp"): _short,
    ("transposed same", "transposed same upper, signed"): _short,
    ("transposed same", "transposed same lower, clamp"): _short_or_odd,
    ("transposed border", "transposed pads"): _border,
    ("transposed pads", "transposed same"): _torch_against_transposed_same,
}

#: The same for the output size alone.
STATED_SIZES: dict[tuple[str, str], Entry] = {
    ("same upper", "same lower"): _never,
    ("same torch", "same upper"): _never,
    ("same torch", "same lower"): _never,
    ("transposed same upper, clamp", "transposed same lower, clamp"): _never,
    ("transposed same upper, signed", "transposed same lower, signed"): _never,
    ("transposed same upper, clamp", "transposed same upper, signed"): _short,
    ("transposed same lower, clamp", "transposed same lower, signed"): _short,
    ("transposed same", "transposed same upper, clamp"): _short,
    ("transposed same", "transposed same lower, clamp"): _short,
    ("transposed same", "transposed same upper, signed"): _never,
}

#: Pairs whose high padding can differ without moving a window: no entry by windows.
_NOT_WINDOWS = {("pads", "pads"), ("pads", "same upper")}

#: Rules that are the same in every framework that has them: two of one spelling never differ.
_SAME_RULE = {
    "valid",
    "same torch",
    "same upper",
    "same lower",
    "causal",
    "transposed same",
    "transposed valid",
}

#: Pairs whose entry takes for granted that both are given the same padding.
_SHARE_PADS = {
    ("ceil", "pads"),
    ("ceil, all windows", "pads"),
    ("ceil, all windows", "ceil"),
    ("ceil, drops where padded", "ceil"),
    ("ceil, drops where padded", "pads"),
    ("ceil, all windows", "ceil, drops where padded"),
    ("truncated", "pads"),
}


def stated_condition(
    by: str, first: Convention, second: Convention, axis: AxisRelation, n_in: Any
) -> Any | None:
    """The entry of a pair, in either order; None where there is none."""
    if first.spelling == second.spelling and first.spelling in _SAME_RULE:
        return _never(axis, n_in, first, second)
    for a, b in ((first, second), (second, first)):
        key = a.spelling, b.spelling
        shared = key in _SHARE_PADS
        if shared and _pads(a) != _pads(b):
            continue
        # With one padding for both, padding, windows and size differ together.
        table = STATED_SIZES if by == "size" and not shared else STATED
        if key in table and not (by == "windows" and key in _NOT_WINDOWS):
            return table[key](axis, n_in, a, b)
    return None
