"""Mistakes in the output size, the last window and the layout of the result."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
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


def _then(run: Predictor, change: Callable[[Array], Array]) -> Predictor:
    def predict(*arguments: Array) -> Array:
        return change(run(*arguments))

    return predict


@mistake("output size rounded the other way")
def rounded_other_way(case: Case) -> Variants:
    """Up instead of down, down instead of up."""
    layer: Any = case.layer
    if hasattr(layer, "ceil_mode"):
        yield from present(iter([("every axis", case.like(ceil_mode=not layer.ceil_mode))]))
        return
    if case.is_transposed or not hasattr(layer, "stride"):
        return
    for name, chosen in choices(case.rank):
        pads = []
        for axis, (lo, hi) in enumerate(case.pads):
            relation = layer.relation(axis, case.size[axis])
            left = relation.padded_size(case.size[axis]) - relation.extent
            pads.append((lo, hi + (-left % relation.stride if chosen[axis] else 0)))
        yield from present(iter([(name, case.padded(pads))]))


@mistake("size of another convention")
def other_convention(case: Case) -> Variants:
    """SAME, full or causal padding in the place of the layer's own."""
    if hasattr(case.layer, "padding") and not case.is_transposed:
        for amount in ("same_upper", "same_lower", "full", "causal"):
            yield from present(iter([(amount, case.like(padding=amount))]))


def _last(chosen: tuple[bool, ...]) -> Any:
    return (..., *(slice(0, -1) if on else slice(None) for on in chosen))


@mistake("last window left out")
def last_left_out(case: Case) -> Variants:
    """The result is one shorter."""
    for name, chosen in choices(case.rank):
        kept = _last(chosen)
        yield name, _then(case.problem.run, lambda y, kept=kept: y[kept])  # type: ignore[misc]


@mistake("last window not computed")
def last_not_computed(case: Case) -> Variants:
    """The result has the right size and zeros at its end."""
    for name, chosen in choices(case.rank):
        for with_bias in (False, True) if case.problem.has_bias else (False,):

            def predict(
                *arguments: Array,
                chosen: tuple[bool, ...] = chosen,
                with_bias: bool = with_bias,
            ) -> Array:
                y = np.array(case.problem.run(*arguments))
                rank = case.rank
                at_end: Any = 0.0
                if with_bias:
                    at_end = np.asarray(arguments[-1]).reshape(1, -1, *(1,) * rank)
                for axis, on in enumerate(chosen):
                    if on:
                        index = (slice(None), slice(None), *(slice(None),) * axis, slice(-1, None))
                        y[index] = at_end
                return y

            yield f"{name}{' but for the bias' if with_bias else ''}", predict


@mistake("a window too many")
def one_too_many(case: Case) -> Variants:
    """One more window, over padding that is not there."""
    layer: Any = case.layer
    if not hasattr(layer, "stride") or case.is_transposed:
        return
    for name, chosen in choices(case.rank):
        pads = [
            (lo, hi + s) if on else (lo, hi)
            for (lo, hi), s, on in zip(case.pads, layer.stride, chosen, strict=True)
        ]
        yield from present(iter([(name, case.padded(pads))]))


@mistake("channels at the end of the result")
def channels_last(case: Case) -> Variants:
    """The result in the layout (batch, *size, channels)."""
    yield "moved", _then(case.problem.run, lambda y: np.moveaxis(y, 1, -1))
    yield (
        "as read",
        _then(case.problem.run, lambda y: np.moveaxis(y, 1, -1).reshape(y.shape)),
    )


@mistake("axes of the result exchanged")
def result_exchanged(case: Case) -> Variants:
    """Height and width of the result swapped."""
    for order in permutations(case.rank):
        axes = (0, 1, *(2 + axis for axis in order))
        turn = partial(np.transpose, axes=axes)
        yield str(order), _then(case.problem.run, turn)


@mistake("axes of the input exchanged")
def input_exchanged(case: Case) -> Variants:
    """Height and width of the input swapped, the result swapped back or not."""
    for order in permutations(case.rank):
        if tuple(case.size[axis] for axis in order) != case.size:
            continue
        axes = (0, 1, *(2 + axis for axis in order))

        def predict(x: Array, *rest: Array, axes: tuple[int, ...] = axes) -> Array:
            return case.problem.run(np.transpose(x, axes), *rest)

        yield str(order), predict
