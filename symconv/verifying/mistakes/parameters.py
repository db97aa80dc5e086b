"""Mistakes in stride and dilation, and parameters given to the wrong axis."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from symconv.verifying.mistakes.base import (
    Array,
    Case,
    Predictor,
    Variants,
    choices,
    mistake,
    permutations,
    present,
)


def _value(case: Case, name: str) -> Any:
    value = getattr(case.layer, name, None)
    return case.pads if isinstance(value, str) else value


def _exchanged(case: Case, name: str) -> Iterator[tuple[str, Predictor | None]]:
    value = _value(case, name)
    if isinstance(value, tuple):
        for order in permutations(case.rank):
            yield str(order), case.like(**{name: tuple(value[axis] for axis in order)})


def _one_for_all(case: Case, name: str) -> Iterator[tuple[str, Predictor | None]]:
    value = _value(case, name)
    if isinstance(value, tuple) and case.rank > 1:
        for axis in range(case.rank):
            yield f"of axis {axis}", case.like(**{name: (value[axis],) * case.rank})


@mistake("stride of the axes exchanged")
def strides_exchanged(case: Case) -> Variants:
    """Given in the order of the other convention."""
    yield from present(_exchanged(case, "stride"))


@mistake("dilation of the axes exchanged")
def dilations_exchanged(case: Case) -> Variants:
    """Given in the order of the other convention."""
    yield from present(_exchanged(case, "dilation"))


@mistake("padding of the axes exchanged")
def paddings_exchanged(case: Case) -> Variants:
    """Pairs of the last axis first."""
    yield from present(_exchanged(case, "padding"))


@mistake("output padding of the axes exchanged")
def output_paddings_exchanged(case: Case) -> Variants:
    """Given in the order of the other convention."""
    yield from present(_exchanged(case, "output_padding"))


@mistake("stride of one axis used for every axis")
def one_stride(case: Case) -> Variants:
    """The others are never read."""
    yield from present(_one_for_all(case, "stride"))


@mistake("dilation of one axis used for every axis")
def one_dilation(case: Case) -> Variants:
    """The others are never read."""
    yield from present(_one_for_all(case, "dilation"))


@mistake("padding of one axis used for every axis")
def one_padding(case: Case) -> Variants:
    """The others are never read."""
    yield from present(_one_for_all(case, "padding"))


@mistake("stride and dilation exchanged")
def stride_for_dilation(case: Case) -> Variants:
    """Two parameters of the same kind in the wrong order."""
    stride, dilation = _value(case, "stride"), _value(case, "dilation")
    if stride is not None and dilation is not None:
        yield from present(iter([("both", case.like(stride=dilation, dilation=stride))]))


def _on(value: tuple[int, ...], chosen: tuple[bool, ...], change: Any) -> tuple[int, ...]:
    return tuple(
        change(entry) if is_chosen else entry
        for entry, is_chosen in zip(value, chosen, strict=True)
    )


@mistake("dilation off by one")
def dilation_off(case: Case) -> Variants:
    """Gaps counted instead of steps, or the other way round."""
    value = _value(case, "dilation")
    if value is None:
        return
    for name, chosen in choices(case.rank):
        for step in (1, -1):
            changed = _on(value, chosen, lambda d, step=step: d + step)
            yield from present(iter([(f"{name} {step:+d}", _resized(case, dilation=changed))]))
            if step < 0:
                # Only where there is a dilation: 1 stays 1.
                changed = _on(value, chosen, lambda d: max(d - 1, 1))
                yield from present(iter([(f"{name} down to 1", _resized(case, dilation=changed))]))
            yield from present(
                iter([(f"{name} {step:+d}, size kept", _kept(case, dilation=changed))])
            )


@mistake("dilation ignored")
def dilation_ignored(case: Case) -> Variants:
    """Taps next to one another."""
    value = _value(case, "dilation")
    if value is None:
        return
    for name, chosen in choices(case.rank):
        changed = _on(value, chosen, lambda _: 1)
        yield from present(iter([(name, _resized(case, dilation=changed))]))
        yield from present(iter([(f"{name}, size kept", _kept(case, dilation=changed))]))


@mistake("stride ignored")
def stride_ignored(case: Case) -> Variants:
    """Windows one apart."""
    value = _value(case, "stride")
    if value is None:
        return
    for name, chosen in choices(case.rank):
        changed = _on(value, chosen, lambda _: 1)
        yield from present(iter([(name, _resized(case, stride=changed))]))
        yield from present(iter([(f"{name}, size kept", _kept(case, stride=changed))]))


@mistake("input dilation ignored")
def input_dilation_ignored(case: Case) -> Variants:
    """No zeros between the inputs."""
    value = _value(case, "input_dilation")
    if value is not None:
        for name, chosen in choices(case.rank):
            changed = _on(value, chosen, lambda _: 1)
            yield from present(iter([(name, _resized(case, input_dilation=changed))]))


def _resized(case: Case, **changes: Any) -> Predictor | None:
    return case.like(**changes)


def _kept(case: Case, **changes: Any) -> Predictor | None:
    """The changed layer with the right output size: cut, or filled with zero padding to read."""
    layer: Any = case.layer
    if case.is_transposed or isinstance(getattr(layer, "padding", ""), str):
        run = case.like(**changes)
        return None if run is None else _cut(case, run)
    # More padding at the end gives the outputs that are missing; those too many are cut.
    pads = []
    for axis, n in enumerate(case.size):
        lo, hi = case.pads[axis]
        spread = tuple(changes.get("dilation", layer.dilation))[axis]
        step = tuple(changes.get("stride", layer.stride))[axis]
        extent = spread * (layer.kernel_size[axis] - 1) + 1
        n_out = case.problem.output_shape[1 + axis]
        pads.append((lo, max(hi, step * (n_out - 1) + extent - n - lo)))
    if getattr(layer, "padding_mode", "zeros") != "zeros" or hasattr(layer, "count_include_pad"):
        run = case.like(**changes)
    else:
        run = case.like(padding=tuple(pads), **changes)
    return None if run is None else _cut(case, run)


def _cut(case: Case, run: Predictor) -> Predictor:
    def predict(*arguments: Array) -> Array:
        y = run(*arguments)
        return np.asarray(y[(slice(None), *(slice(0, n) for n in case.problem.output_shape))])

    return predict
