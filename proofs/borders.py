"""Boundary modes: what each reads beyond the stored samples, and what that does to a layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symconv.boundary import MODES, OUTSIDE
from symconv.proving import Trace, all_of, all_sizes, any_of, between, iff, implies
from symconv.proving.terms import Term
from symconv.relation import AxisRelation

H = dict(words="x", latex="x", source="x", near_miss="x")

def read(mode: str, j: Any, n: Any) -> Any:
    """What the virtual position j reads on n samples."""
    rule: Callable[..., Any] = MODES[mode]
    return rule(j, n)

def samples(t: Trace, names: str = "j") -> list[Term]:
    """n, at least 1, and positions."""
    n, *places = t.integers("n " + names)
    t.assume(n >= 1)
    return [n, *places]

FOLDING = ("circular", "reflect", "symmetric", "replicate")


def same(one: Any, other: Any) -> Any:
    return any_of(all_of(one, other), all_of(~one, ~other))

def near(t, *quotients):
    for q in quotients:
        t.hint(q, q - 1, -q - 1)

@all_sizes("borders.stored", **H, concludes="triples")
def stored(t: Trace) -> None:
    n, j = samples(t)
    t.given(between(0, j, n))
    near(t, j // n, j // (2*n))
    for mode in MODES:
        t.show(read(mode, j, n) == j)

@all_sizes("borders.landing", **H, concludes="triples")
def landing(t: Trace) -> None:
    n, j = samples(t)
    for mode in FOLDING:
        t.show(between(0, read(mode, j, n), n))
    inside = between(0, j, n)
    for mode in ("zeros", "constant"):
        t.show(any_of(all_of(inside, read(mode, j, n) == j), all_of(~inside, read(mode, j, n) == OUTSIDE)))
    t.instead(between(0, read("zeros", j, n), n))

@all_sizes("borders.circular", **H, concludes="triples")
def circular(t: Trace) -> None:
    n, i, c, j = samples(t, "i c j")
    t.assume(between(0, i, n))
    near(t, (i + n*c)//n - c)
    t.show(read("circular", i + n*c, n) == i)
    t.show(j == read("circular", j, n) + n * (j // n))
    t.instead(read("circular", n*c - i, n) == i)

@all_sizes("borders.reflect", **H, concludes="triples")
def reflect(t: Trace) -> None:
    n, i, c, j = samples(t, "i c j")
    t.assume(n >= 2, between(0, i, n))
    m = 2 * (n - 1)
    near(t, (i + m*c)//m - c, (m*c - i)//m - c, (m*c - i)//m - c + 1)
    t.show(read("reflect", i + m*c, n) == i)
    t.show(read("reflect", m*c - i, n) == i)
    f, q = read("reflect", j, n), j // m
    t.show(any_of(j == m*q + f, j == m*(q+1) - f))
    t.instead(read("reflect", m*c - 1 - i, n) == i)

@all_sizes("borders.symmetric", **H, concludes="triples")
def symmetric(t: Trace) -> None:
    n, i, c, j = samples(t, "i c j")
    t.assume(between(0, i, n))
    m = 2 * n
    near(t, (i + m*c)//m - c, (m*c - 1 - i)//m - c, (m*c - 1 - i)//m - c + 1)
    t.show(read("symmetric", i + m*c, n) == i)
    t.show(read("symmetric", m*c - 1 - i, n) == i)
    f, q = read("symmetric", j, n), j // m
    t.show(any_of(j == m*q + f, j == m*(q+1) - 1 - f))
    t.instead(read("symmetric", m*c - i, n) == i)

@all_sizes("borders.reflect-mirrors", **H, concludes="triples")
def reflect_mirrors(t: Trace) -> None:
    n, j = samples(t, "j")
    m = 2 * (n-1)
    t.assume(n >= 2)
    near(t, (-j)//m + j//m, (-j)//m + j//m + 1, (j+m)//m - j//m-1)
    t.show(read("reflect", -j, n) == read("reflect", j, n))
    t.show(read("reflect", j+m, n) == read("reflect", j, n))
    t.instead(read("reflect", j+m+2, n) == read("reflect", j, n))

@all_sizes("borders.symmetric-mirrors", **H, concludes="triples")
def symmetric_mirrors(t: Trace) -> None:
    n, j = samples(t, "j")
    m = 2 * n
    near(t, (-1-j)//m + j//m, (-1-j)//m + j//m + 1, (j+m)//m - j//m-1)
    t.show(read("symmetric", -1-j, n) == read("symmetric", j, n))
    t.show(read("symmetric", j+2*n, n) == read("symmetric", j, n))
    t.instead(read("symmetric", j+n, n) == read("symmetric", j, n))

@all_sizes("borders.replicate", **H, concludes="triples")
def replicate_nearest(t: Trace) -> None:
    n, j, i = samples(t, "j i")
    t.assume(between(0, i, n))
    r = read("replicate", j, n)
    t.show(between(0, r, n))
    t.show(any_of(i <= r, r <= j))
    t.show(any_of(i >= r, r >= j))
    t.instead(any_of(i >= r, r > j))

@all_sizes("borders.halves", **H, concludes="triples")
def halves(t: Trace) -> None:
    n, j = samples(t, "j")
    near(t, (2*j+1)//(4*n) - j//(2*n))
    t.show(read("reflect", 2*j+1, 2*n+1) == 2*read("symmetric", j, n) + 1)
    t.instead(read("reflect", 2*j+1, 2*n+1) == 2*read("reflect", j, n) + 1)

@all_sizes("borders.reversal", **H, concludes="triples")
def reversal(t: Trace) -> None:
    n, j = samples(t, "j")
    for mode in ("circular", "reflect", "symmetric"):
        m = n if mode=="circular" else 2*n if mode == "symmetric" else 2*n-2
        if mode == "reflect" and n == 1:
            continue
        near(t, (n-1-j)//m + j//m,  (n-1-j)//m + j//m + 1)
        t.show(read(mode, n-1-j, n) == n - 1 - read(mode, j, n))
    t.instead(read("circular", n-j, n) == n - 1 - read("circular", j, n))

@all_sizes("borders.reversal-edges", **H, concludes="triples")
def reversal_edges(t: Trace) -> None:
    n, j = samples(t, "j")
    r = read("replicate", j, n)
    t.show(read("replicate", n-1-j, n) == n - 1 - r)
    outside = read("zeros", j, n) == OUTSIDE
    t.show(same(read("zeros", n-1-j, n) == OUTSIDE, outside))
    t.instead(read("replicate", -j, n) == -r)

@all_sizes("borders.circular-shift", **H, concludes="triples")
def circular_shift(t: Trace) -> None:
    n, s, d, p, n_out, c, o, k, a = samples(t, "s d p m c o k a")
    t.assume(n_out >= 1, s >= 1, d >= 1)
    t.given(s * n_out == c * n)
    layer = AxisRelation(1, s, d, p)
    x, y = layer.position((o + a) % n_out, k), layer.position(o, k) 
    z = read("circular", y, n) + s*a
    rest = x // n - z//n - y//n + c*((o+a)//n_out)
    t.hint(rest, rest-1, -rest-1)
    t.show(read("circular", x, n) == read("circular", z, n))
