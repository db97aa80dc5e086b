"""Two padded max poolings as one: up to the border, and where the border breaks it.

The largest of unknown numbers is told by which numbers they are, so two poolings are one for all
values exactly when the samples behind each output are the same.
"""

from __future__ import annotations

from typing import Any

from symconv.errors import GeometryError
from symconv.proving import Trace, all_sizes, all_values, any_of, between
from symconv.proving.claims import windows
from symconv.receptive import composed
from symconv.relation import AxisRelation


@all_sizes(
    "pooling_borders.two-strided-padded-pools",
    words="Max-pooling K₁ with stride s₁ ≤ K₁ and then K₂ composes up to the border if the second "
    "padding is below K₂ and, where it pads the high side, the first windows leave unread only "
    "padding, r ≤ q₁ with r = (N₁−K₁) mod s₁: every sample that the composed window holds is read "
    "through a stored intermediate.",
    latex=r"p_2,q_2<K_2,\ (q_2\le 0\text{ or } r\le q_1) \Rightarrow "
    r"\mathrm{pool}_2\circ\mathrm{pool}_1 = "
    r"\mathrm{maxpool}_{K_1+s_1(K_2-1),\,s_1 s_2}^{p_1+s_1p_2,\,q_1+s_1q_2}",
    source="symconv",
    near_miss="whatever the first windows leave unread",
    concludes="triples",
)
def two_strided_padded_pools(t: Trace) -> None:
    K1, s1, K2, n, lo1, hi1, hi2 = t.integers("K1 s1 K2 n lo1 hi1 hi2")  # noqa: N806
    start, j = t.integers("start j")
    t.assume(s1 >= 1, s1 <= K1, K2 >= 1, n >= 0, lo1 >= 0, hi1 >= 0, between(0, hi2, K2))
    first, window = AxisRelation(K1, s1, 1, lo1, hi1), AxisRelation(K2)
    one = composed([first, window])
    middle = first.output_size(n)
    left = (first.padded_size(n) - first.extent) % s1
    # Any window of the second: less than K2 before the first intermediate, hi2 after the last.
    t.assume(middle >= 1, start > -K2, start + K2 <= middle + hi2)
    t.given(any_of(hi2 == 0, left <= hi1))
    last, i = middle - 1, one.position(0, j) + s1 * start
    t.assume(between(0, j, one.n_taps), between(0, i, n))
    t.show(s1 * last == first.padded_size(n) - K1 - left)
    # The last intermediate that starts at or before the sample, kept in the window and stored.
    before = (i + lo1) // s1
    t.hint(before - start)
    t.show(before >= start)
    through = min(before, start + K2 - 1, last)
    rest = i + lo1 - s1 * through
    t.show(s1 * (before - through) >= 0)
    tap = through - start
    t.show(between(0, tap, K2), between(0, through, middle))
    t.show(first.position(window.position(start, tap), rest) == i)
    t.show(between(0, rest, K1))


@all_values(
    "pooling_borders.two-pools",
    words="Two padded max poolings (s₁ ≤ K₁; every window with a sample) are one, with the "
    "paddings composed, exactly when no window of the second loses a sample: one that lies before "
    "the first intermediate, or after the last, reaches none; one across the end reaches none "
    "beyond those of the last intermediate.",
    latex=r"\mathrm{pool}_2\circ\mathrm{pool}_1 = \mathrm{maxpool}_{R,\,s_1s_2}^{P,Q}\;\forall x "
    r"\iff \text{no window loses a sample to the padding between}",
    source="symconv; where borders break the composition",
    near_miss="exactly when the second padding is below K₂",
    box={
        "K1": (1, 2, 3),
        "s1": (1, 2, 3),
        "p1": ((0, 0), (1, 0), (0, 1), (1, 1)),
        "K2": (1, 2, 3),
        "s2": (1, 2),
        "p2": ((0, 0), (1, 0), (0, 1), (0, 2)),
        "n": (3, 4, 5, 6),
    },
    concludes="triples",
)
def border_of_two_pools(**setting: Any) -> bool | None:
    made = two_and_one(setting)
    return None if made is None else made[0] == made[1]


@border_of_two_pools.near_miss_claim()
def padding_below_the_window(**setting: Any) -> bool | None:
    made = two_and_one(setting)
    return None if made is None else made[0] == (max(setting["p2"]) < setting["K2"])


def two_and_one(setting: dict[str, Any]) -> tuple[bool, bool] | None:
    """Whether two max poolings are the composed one, and whether no border should spoil it."""
    K1, s1, K2, s2 = (setting[name] for name in ("K1", "s1", "K2", "s2"))  # noqa: N806
    if s1 > K1:
        return None
    first = AxisRelation(K1, s1, 1, *setting["p1"])
    second = AxisRelation(K2, s2, 1, *setting["p2"])
    one, n = composed([first, second]), setting["n"]
    middle = first.output_size(n)
    try:
        inner = windows((n,), (K1,), stride=s1, padding=(setting["p1"],))
        outer = windows((middle,), (K2,), stride=s2, padding=(setting["p2"],))
        edges = ((one.pad_lo, one.pad_hi),)
        whole = windows((n,), (one.n_taps,), stride=one.stride, padding=edges)
    except GeometryError:
        return None
    if not (all(inner) and all(whole)):
        return None
    # What the second reads through the first, as sets of samples.
    twice = [set().union(*(inner[m] for m in window)) for window in outer]
    # The last sample that a stored intermediate reads.
    end = min(first.position(middle - 1, K1 - 1), n - 1)
    kept = True
    for o in range(len(outer)):
        low, high = second.position(o, 0), second.position(o, K2 - 1)
        if low < 0 and high < 0:
            # What it wants lies before the samples, or is lost.
            kept = kept and first.position(high, K1 - 1) < 0
        if high >= middle:
            wanted = first.position(high, K1 - 1)
            lost = first.position(low, 0) <= n - 1 if low >= middle else end < min(wanted, n - 1)
            kept = kept and not lost
    return twice == [set(window) for window in whole], kept
