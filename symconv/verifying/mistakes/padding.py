"""Mistakes at the border: how much padding, on which side, and what it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from symconv.boundary import MODES
from symconv.verifying.mistakes.base import (
    Array,
    Case,
    Predictor,
    Variants,
    choices,
    mistake,
    present,
)

Pair = tuple[int, int]


def _each(case: Case, change: Callable[[int, int], Pair]) -> Iterator[tuple[str, Predictor | None]]:
    """The padding changed on every axis, or on one."""
    if not hasattr(case.layer, "padding") or not hasattr(case.layer, "kernel_size"):
        return
    for name, chosen in choices(case.rank):
        yield (
            name,
            case.padded(
                [change(*pad) if on else pad for pad, on in zip(case.pads, chosen, strict=True)]
            ),
        )


@mistake("padding split on the wrong side")
def sides_exchanged(case: Case) -> Variants:
    """Low and high exchanged: SAME_LOWER for SAME_UPPER is one case of it."""
    yield from present(_each(case, lambda lo, hi: (hi, lo)))


@mistake("padding of the low end used at both ends")
def low_twice(case: Case) -> Variants:
    """One number per axis is read of two."""
    yield from present(_each(case, lambda lo, hi: (lo, lo)))


@mistake("padding of the high end used at both ends")
def high_twice(case: Case) -> Variants:
    """One number per axis is read of two."""
    yield from present(_each(case, lambda lo, hi: (hi, hi)))


@mistake("padding ignored")
def padding_ignored(case: Case) -> Variants:
    """Nothing is padded, or nothing cut from a transposed convolution."""
    yield from present(_each(case, lambda lo, hi: (0, 0)))


@mistake("all padding at the start")
def all_at_start(case: Case) -> Variants:
    """The total on the low side, as a causal layer has it."""
    yield from present(_each(case, lambda lo, hi: (lo + hi, 0)))


@mistake("all padding at the end")
def all_at_end(case: Case) -> Variants:
    """The total on the high side."""
    yield from present(_each(case, lambda lo, hi: (0, lo + hi)))


@mistake("padding of the wrong amount")
def wrong_amount(case: Case) -> Variants:
    """One more or less at one end or at both."""
    for more in ((1, 1), (-1, -1), (0, 1), (0, -1), (1, 0), (-1, 0)):
        for name, run in _each(case, lambda lo, hi, more=more: (lo + more[0], hi + more[1])):  # type: ignore[misc]
            if run is not None:
                yield f"{name} {more}", run


@mistake("shifted by one sample")
def shifted(case: Case) -> Variants:
    """Alignment: the same size, every window one sample further."""
    for step in (1, -1):
        for name, run in _each(case, lambda lo, hi, step=step: (lo + step, hi - step)):  # type: ignore[misc]
            if run is not None:
                yield f"{name} {step:+d}", run


@mistake("padding multiplied by the dilation")
def padding_dilated(case: Case) -> Variants:
    """Padding counted in taps instead of samples."""
    dilation = getattr(case.layer, "dilation", None)
    if dilation is None:
        return
    for name, chosen in choices(case.rank):
        pads = [
            (lo * d, hi * d) if on else (lo, hi)
            for (lo, hi), d, on in zip(case.pads, dilation, chosen, strict=True)
        ]
        yield from present(iter([(name, case.padded(pads))]))


def _border(mode: str) -> None:
    @mistake(f"border read as {mode}")
    def border(case: Case) -> Variants:
        if hasattr(case.layer, "padding_mode"):
            run = case.like(padding_mode=mode, padding_value=0)
            yield from present(iter([("every axis", run)]))


for _mode in MODES:
    # Constant padding is no mode of its own here: its value would have to be known.
    if _mode != "constant":
        _border(_mode)


def _op(case: Case) -> tuple[int, ...]:
    return tuple(getattr(case.layer, "output_padding", ()))


@mistake("output padding appended as zeros")
def output_padding_of_zeros(case: Case) -> Variants:
    """The additional outputs are not computed; with or without the bias."""
    extra = _op(case)
    if not any(extra):
        return
    run = case.like(output_padding=0)
    if run is None:
        return
    width = [(0, 0), (0, 0), *((0, n) for n in extra)]

    def after(*arguments: Array) -> Array:
        return np.pad(run(*arguments), width)

    def before(x: Array, w: Array, *bias: Array) -> Array:
        y = np.pad(run(x, w, *(np.zeros_like(b) for b in bias)), width)
        for b in bias:
            y = y + np.asarray(b).reshape(-1, *(1,) * case.rank)
        return y

    yield "after the bias", after
    yield "before the bias", before


@mistake("output padding at the low end")
def output_padding_low(case: Case) -> Variants:
    """The additional outputs computed on the wrong side."""
    extra = _op(case)
    if any(extra):
        pads = [(lo - n, hi) for (lo, hi), n in zip(case.pads, extra, strict=True)]
        yield from present(iter([("every axis", case.like(padding=tuple(pads), output_padding=0))]))


@mistake("output padding ignored")
def output_padding_ignored(case: Case) -> Variants:
    """The smallest of the sizes."""
    for name, chosen in choices(case.rank) if _op(case) else ():
        left: Any = tuple(0 if on else n for n, on in zip(_op(case), chosen, strict=True))
        yield from present(iter([(name, case.like(output_padding=left))]))
