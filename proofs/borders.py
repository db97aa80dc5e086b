"""Boundary modes: what a virtual position reads beyond the stored samples.

What the modes do to a layer is in `bordered`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symconv.boundary import MODES, OUTSIDE
from symconv.proving import Trace, all_of, all_sizes, any_of, between, exhaustive
from symconv.proving.terms import Formula, Term
from symconv.relation import AxisRelation

STRANG = "G. Strang, The Discrete Cosine Transform (1999), SIAM Review 41, sections 1-2"


def read(mode: str, j: Any, n: Any) -> Any:
    """What position j reads on n samples."""
    rule: Callable[..., Any] = MODES[mode]
    return rule(j, n)


def samples(t: Trace, names: str) -> list[Term]:
    """The number n of samples, at least 1, and other integers."""
    n, *others = t.integers("n " + names)
    t.assume(n >= 1)
    return [n, *others]


def any_mode(t: Trace) -> str:
    """One mode of all, by its place in `MODES`: what is shown holds for each."""
    (mode,) = t.integers("mode")
    t.assume(between(0, mode, len(MODES)))
    *most, last = MODES
    return next((name for place, name in enumerate(most) if mode <= place), last)


def outside(value: Any) -> Formula:
    """Whether a reading is of no sample; a formula also where that is known."""
    return any_of(value == OUTSIDE)


def quotient(t: Trace, found: Any, expected: Any) -> None:
    """A lemma on a quotient, with the case distinctions that show it."""
    gap = found - expected
    t.hint(gap, gap - 1, -gap - 1)
    t.show(found == expected)


def turn(t: Trace, gap: Any) -> None:
    """A lemma on quotients whose sum or difference is 0 or −1."""
    t.hint(gap, gap + 1, -gap - 2)
    t.show(any_of(gap == 0, gap == -1))


@all_sizes(
    "borders.stored",
    words="Every mode reads stored sample j at position j, for 0 ≤ j < n.",
    latex=r"0\le j<n\Rightarrow\mathrm{read}(j)=j",
    source="symconv; torch.nn.functional.pad, every mode",
    near_miss="also at the first position after the end",
    concludes="triples",
)
def stored(t: Trace) -> None:
    n, j = samples(t, "j")
    t.given(between(0, j, n))
    mode = any_mode(t)
    t.hint(j // n, j // n - 1, j // (2 * n), j // (2 * n) - 1)
    t.show(read(mode, j, n) == j)


@all_sizes(
    "borders.landing",
    words="Circular, reflect, symmetric and replicate read a stored sample at every position, "
    "however far out; zeros and constant read one at stored positions only.",
    latex=r"0\le\mathrm{read}(j)<n;\qquad "
    r"\mathrm{zeros}(j)\text{ outside}\iff j<0\text{ or }j\ge n",
    source="symconv; padding wider than the input, which PyTorch refuses for circular and reflect",
    near_miss="every mode reads a stored sample at every position",
    concludes="triples",
)
def landing(t: Trace) -> None:
    n, j = samples(t, "j")
    mode = any_mode(t)
    inside, found = between(0, j, n), read(mode, j, n)
    if mode in ("zeros", "constant"):
        t.show(any_of(all_of(inside, found == j), all_of(~inside, outside(found))))
    else:
        t.show(between(0, found, n))
    t.instead(between(0, found, n))


@all_sizes(
    "borders.circular",
    words="Circular padding reads sample i at i + n·c for every integer c, and nowhere else: "
    "position j is read(j) + n·⌊j/n⌋.",
    latex=r"\mathrm{circular}(i+nc)=i,\quad j=\mathrm{circular}(j)+n\lfloor j/n\rfloor",
    source="P. J. Davis, Circulant Matrices (1979), section 3.1",
    near_miss="also at n·c − i",
    concludes="triples",
)
def circular(t: Trace) -> None:
    n, i, c, j = samples(t, "i c j")
    t.assume(between(0, i, n))
    quotient(t, (i + n * c) // n, c)
    t.show(read("circular", i + n * c, n) == i)
    t.show(j == read("circular", j, n) + n * (j // n))
    t.instead(read("circular", n * c - i, n) == i)


@all_sizes(
    "borders.reflect",
    words="Reflecting padding on n ≥ 2 samples reads sample i at ±i + 2(n − 1)c for every integer "
    "c, and nowhere else: its mirrors are the first and the last sample, which are not repeated.",
    latex=r"\mathrm{reflect}(\pm i+2(n-1)c)=i,\quad j=\pm\,\mathrm{reflect}(j)+2(n-1)c_j",
    source=STRANG + " (whole-sample symmetry, DCT-1)",
    near_miss="at −1 − i + 2(n − 1)c, as if a mirror stood before the first sample",
    concludes="triples",
)
def reflect(t: Trace) -> None:
    n, i, c, j = samples(t, "i c j")
    t.assume(n >= 2, between(0, i, n))
    period = 2 * (n - 1)
    quotient(t, (i + period * c) // period, c)
    turn(t, (period * c - i) // period - c)
    t.show(read("reflect", i + period * c, n) == i)
    t.show(read("reflect", period * c - i, n) == i)
    found, turns = read("reflect", j, n), j // period
    t.show(any_of(j == period * turns + found, j == period * (turns + 1) - found))
    other = read("reflect", period * c - 1 - i, n)
    t.show(between(0, other, n))
    t.instead(other == i)


@all_sizes(
    "borders.symmetric",
    words="Symmetric padding reads sample i at i + 2n·c and at −1 − i + 2n·c for every integer c, "
    "and nowhere else: its mirrors stand half a sample before the first and after the last, "
    "which are repeated.",
    latex=r"\mathrm{symmetric}(i+2nc)=\mathrm{symmetric}(-1-i+2nc)=i,\quad "
    r"j=\mathrm{symmetric}(j)+2nc_j\text{ or }j=-1-\mathrm{symmetric}(j)+2nc_j",
    source=STRANG + " (half-sample symmetry, DCT-2)",
    near_miss="at −i + 2n·c, as if a mirror stood on the first sample",
    concludes="triples",
)
def symmetric(t: Trace) -> None:
    n, i, c, j = samples(t, "i c j")
    t.assume(between(0, i, n))
    period = 2 * n
    quotient(t, (i + period * c) // period, c)
    quotient(t, (period * c - 1 - i) // period, c - 1)
    t.show(read("symmetric", i + period * c, n) == i)
    t.show(read("symmetric", period * c - 1 - i, n) == i)
    found, turns = read("symmetric", j, n), j // period
    t.show(any_of(j == period * turns + found, j == period * (turns + 1) - 1 - found))
    other = read("symmetric", period * c - i, n)
    t.show(between(0, other, n))
    t.instead(other == i)


@all_sizes(
    "borders.replicate",
    words="Replicating padding reads the nearest sample: for every stored i, what it reads at j "
    "lies between j and i.",
    latex=r"0\le i<n\Rightarrow i\le\mathrm{replicate}(j)\le j\;\text{ or }\;"
    r"j\le\mathrm{replicate}(j)\le i",
    source="symconv; torch.nn.ReplicationPad1d",
    near_miss="strictly before j",
    concludes="triples",
)
def replicate(t: Trace) -> None:
    n, j, i = samples(t, "j i")
    t.assume(between(0, i, n))
    found = read("replicate", j, n)
    t.show(between(0, found, n))
    t.show(any_of(all_of(i <= found, found <= j), all_of(j <= found, found <= i)))
    t.instead(any_of(all_of(i <= found, found < j), all_of(j <= found, found <= i)))


@all_sizes(
    "borders.reflect-mirrors",
    words="Reflecting padding on n ≥ 2 samples is even, reads the same at −j as at j, and has the "
    "period 2(n − 1).",
    latex=r"\mathrm{reflect}(-j)=\mathrm{reflect}(j)=\mathrm{reflect}(j+2(n-1))",
    source=STRANG,
    near_miss="the period 2n",
    concludes="triples",
    corollary_of="borders.reflect",
)
def reflect_mirrors(t: Trace) -> None:
    n, j = samples(t, "j")
    t.assume(n >= 2)
    period = 2 * (n - 1)
    quotient(t, (j + period) // period, j // period + 1)
    turn(t, (-j) // period + j // period)
    here = read("reflect", j, n)
    t.show(read("reflect", j + period, n) == here)
    t.show(read("reflect", -j, n) == here)
    other = read("reflect", j + 2 * n, n)
    t.show(between(0, other, n))
    t.instead(other == here)


@all_sizes(
    "borders.symmetric-mirrors",
    words="Symmetric padding reads the same at −1 − j as at j, and has the period 2n.",
    latex=r"\mathrm{symmetric}(-1-j)=\mathrm{symmetric}(j)=\mathrm{symmetric}(j+2n)",
    source=STRANG,
    near_miss="at −1 − j it reads sample n − 1 − i where it reads sample i at j",
    concludes="triples",
    corollary_of="borders.symmetric",
)
def symmetric_mirrors(t: Trace) -> None:
    n, j = samples(t, "j")
    period = 2 * n
    # Remainders are whole: less than n means at most n − 1.
    t.hint(n - 1 - j % period, n - 1 - (-1 - j) % period)
    quotient(t, (-1 - j) // period, -1 - j // period)
    quotient(t, (j + period) // period, j // period + 1)
    here = read("symmetric", j, n)
    t.show(read("symmetric", j + period, n) == here)
    mirrored = read("symmetric", -1 - j, n)
    t.show(mirrored == here)
    t.instead(mirrored == n - 1 - here)


@all_sizes(
    "borders.half-samples",
    words="Symmetric padding of n samples is reflecting padding on an axis twice as fine: with "
    "sample i at 2i + 1 of 2n + 1 places, it reads at j what reflection reads at 2j + 1.",
    latex=r"\mathrm{reflect}_{2n+1}(2j+1)=2\,\mathrm{symmetric}_n(j)+1",
    source="symconv; " + STRANG + " (half-sample and whole-sample symmetry)",
    near_miss="the same of reflecting padding of n samples",
    concludes="triples",
)
def half_samples(t: Trace) -> None:
    n, j = samples(t, "j")
    quotient(t, (2 * j + 1) // (4 * n), j // (2 * n))
    fine, coarse = read("reflect", 2 * j + 1, 2 * n + 1), read("symmetric", j, n)
    t.show(fine == 2 * coarse + 1)
    other = read("reflect", j, n)
    t.show(between(0, other, n))
    t.instead(fine == 2 * other + 1)


@all_sizes(
    "borders.reversal",
    words="Every mode looks the same from the far end: at n − 1 − j it reads sample n − 1 − i if "
    "it reads sample i at j, and none if none.",
    latex=r"\mathrm{read}(n-1-j)=n-1-\mathrm{read}(j)",
    source="symconv",
    near_miss="it reads sample i itself there",
    concludes="triples",
)
def reversal(t: Trace) -> None:
    n, j = samples(t, "j")
    mode, far = any_mode(t), n - 1 - j
    if mode == "circular":
        quotient(t, far // n, -(j // n))
    elif mode == "symmetric":
        turn(t, far // (2 * n) + j // (2 * n))
    elif mode == "reflect" and n > 1:
        turn(t, far // (2 * n - 2) + j // (2 * n - 2))
    here, there = read(mode, j, n), read(mode, far, n)
    if mode in ("zeros", "constant"):
        none = outside(here), outside(there)
        t.show(any_of(all_of(*none), all_of(*(~part for part in none))))
    t.show(any_of(outside(here), there == n - 1 - here))
    t.instead(any_of(outside(here), there == here))


@all_sizes(
    "borders.circular-shift",
    words="A circular layer with m outputs whose strides go round the n inputs a whole number c of "
    "times, s·m = c·n, reads at output o + a (modulo m), tap k, what it reads at output o, moved "
    "by s·a: its matrix is block circulant, circulant for stride 1 and m = n.",
    latex=r"sm=cn\Rightarrow\mathrm{circular}\bigl(s((o+a)\bmod m)+dk-p\bigr)="
    r"\bigl(\mathrm{circular}(so+dk-p)+sa\bigr)\bmod n",
    source="P. J. Davis, Circulant Matrices (1979), chapters 3 and 5, with stride and dilation",
    near_miss="any number of outputs",
    concludes="triples",
)
def circular_shift(t: Trace) -> None:
    n, s, d, p, n_out, c, o, k, a = samples(t, "s d p m c o k a")
    t.assume(n_out >= 1, s >= 1, d >= 1)
    t.given(s * n_out == c * n)
    layer = AxisRelation(1, s, d, p)
    later, here = layer.position((o + a) % n_out, k), layer.position(o, k)
    moved = read("circular", here, n) + s * a
    # The two differ by a multiple of n, which is 0 between two residues.
    turns = later // n - moved // n - here // n + c * ((o + a) // n_out)
    t.hint(turns, turns - 1, -turns - 1)
    t.show(read("circular", later, n) == read("circular", moved, n))


@exhaustive(
    "borders.one-period",
    box={"n": range(1, 7), "start": range(-14, 15)},
    words="Wherever a window of one period starts, circular padding reads each sample once in it "
    "(period n), symmetric padding twice (2n), reflecting padding (2(n − 1), n ≥ 2) the first and "
    "the last once and the others twice.",
    latex=r"\#\{j\in[a,a+n):\mathrm{circular}(j)=i\}=1,\quad "
    r"\#\{j\in[a,a+2n):\mathrm{symmetric}(j)=i\}=2",
    source="symconv",
    near_miss="reflecting padding reads every sample twice",
    concludes="counts",
)
def one_period(n: int, start: int) -> bool:
    inner = [1, *[2] * (n - 2), 1]
    return (
        times_read("circular", n, start, n) == [1] * n
        and times_read("symmetric", n, start, 2 * n) == [2] * n
        and (n == 1 or times_read("reflect", n, start, 2 * (n - 1)) == inner)
    )


def times_read(mode: str, n: int, start: int, length: int) -> list[int]:
    """How often each sample is read by a window of positions."""
    found = read(mode, np.arange(start, start + length), n)
    return [int(count) for count in np.bincount(found, minlength=n)]


@one_period.near_miss_claim()
def _each_twice(n: int, start: int) -> bool | None:
    return None if n == 1 else times_read("reflect", n, start, 2 * (n - 1)) == [2] * n
