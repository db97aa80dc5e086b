"""Mistakes in channels, groups, bias and batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symconv.verifying.mistakes.base import Array, Case, Predictor, Variants, arrays, mistake


def _layer(case: Case) -> Any:
    return case.layer if case.is_convolution else None


def _interleaved(channels: int, groups: int) -> Array:
    """Position in the right order of each channel: of c = g·(C/G) + r, r·G + g."""
    return np.arange(channels).reshape(channels // groups, groups).T.ravel()


@mistake("groups interleaved")
def interleaved(case: Case) -> Variants:
    """Channel c belongs to group c mod G instead of c div (C/G)."""
    layer = _layer(case)
    if layer is None or layer.groups == 1:
        return
    taken = _interleaved(layer.in_channels, layer.groups)
    given = _interleaved(layer.out_channels, layer.groups)

    def predictor(inputs: bool, outputs: bool, bias: bool) -> Predictor:
        def predict(*arguments: Array) -> Array:
            x, w, *b = arrays(arguments)
            x = x[:, taken] if inputs else x
            if inputs and case.is_transposed:
                # Its weights are numbered by input channel: each stays with its own.
                w = w[taken]
            if not outputs:
                return case.problem.run(x, w, *b)
            if not case.is_transposed:
                w = w[given]
            y = case.problem.run(x, w, *(part[given] if bias else part for part in b))
            back = np.empty_like(y)
            back[:, given] = y
            return back

        return predict

    yield "inputs", predictor(True, False, False)
    for bias in (False, True):
        at = "" if bias else ", bias in order"
        yield f"outputs{at}", predictor(False, True, bias)
        yield f"inputs and outputs{at}", predictor(True, True, bias)
    # The result written in interleaved order: weights and bias of the right order.
    for inverse in (False, True):
        order = np.argsort(given) if inverse else given

        def shuffled(*arguments: Array, order: Array = order) -> Array:
            return case.problem.run(*arguments)[:, order]

        yield f"result{' inverse' if inverse else ''}", shuffled
        other = np.argsort(taken) if inverse else taken

        def mixed(x: Array, *rest: Array, other: Array = other) -> Array:
            return case.problem.run(np.asarray(x)[:, other], *rest)

        yield f"input{' inverse' if inverse else ''}", mixed


@mistake("every group reads the first group's channels")
def first_inputs(case: Case) -> Variants:
    """The offset of the group is forgotten in the input."""
    layer = _layer(case)
    if layer is None or layer.groups == 1:
        return
    per = layer.in_channels // layer.groups

    def predict(x: Array, *rest: Array) -> Array:
        return case.problem.run(np.tile(np.asarray(x)[:, :per], _times(x, layer.groups)), *rest)

    yield "inputs", predict


def _times(x: Array, groups: int) -> tuple[int, ...]:
    return (1, groups, *(1,) * (np.ndim(x) - 2))


@mistake("every group has the first group's weights")
def first_weights(case: Case) -> Variants:
    """The offset of the group is forgotten in the weights."""
    layer = _layer(case)
    if layer is None or layer.groups == 1:
        return

    def predict(x: Array, w: Array, *rest: Array) -> Array:
        w = np.asarray(w)
        first = w[: len(w) // layer.groups]
        return case.problem.run(x, np.concatenate([first] * layer.groups), *rest)

    yield "weights", predict


@mistake("input and output channels of the weights exchanged")
def weights_exchanged(case: Case) -> Variants:
    """Weights read as (in, out), or in the layout of the other kind of layer."""
    layer = _layer(case)
    if layer is None:
        return

    def predictor(reread: bool) -> Predictor:
        def predict(x: Array, w: Array, *rest: Array) -> Array:
            w = np.asarray(w)
            groups, (rows, columns) = layer.groups, (len(w) // layer.groups, w.shape[1])
            shape = (columns, rows) if reread else (rows, columns)
            split = np.swapaxes(w.reshape(groups, *shape, *w.shape[2:]), 1, 2)
            return case.problem.run(x, split.reshape(w.shape), *rest)

        return predict

    yield "as read", predictor(True)
    if layer.in_channels == layer.out_channels:
        yield "as they stand", predictor(False)


@mistake("only one input channel of each group read")
def one_input(case: Case) -> Variants:
    """No sum over the channels."""
    layer = _layer(case)
    if layer is None or layer.in_channels == layer.groups:
        return
    for name, at in (("the first", 0), ("the last", -1)):

        def predict(x: Array, *rest: Array, at: int = at) -> Array:
            x = np.asarray(x)
            split = x.reshape(len(x), layer.groups, -1, *x.shape[2:])
            kept = np.zeros_like(split)
            kept[:, :, at] = split[:, :, at]
            return case.problem.run(kept.reshape(x.shape), *rest)

        yield name, predict


def _biased(case: Case, change: Callable[[Array], Array]) -> Predictor:
    def predict(x: Array, w: Array, b: Array) -> Array:
        return case.problem.run(x, w, change(np.asarray(b, dtype=np.float64)))

    return predict


@mistake("bias forgotten")
def bias_forgotten(case: Case) -> Variants:
    """Never added."""
    if case.problem.has_bias:
        yield "all channels", _biased(case, np.zeros_like)


@mistake("bias added twice")
def bias_twice(case: Case) -> Variants:
    """By two stages that each add it."""
    if case.problem.has_bias:
        yield "all channels", _biased(case, lambda b: 2 * b)


@mistake("bias added for every input channel")
def bias_per_channel(case: Case) -> Variants:
    """Added inside the sum over the channels of a group."""
    layer = _layer(case)
    if layer is not None and case.problem.has_bias:
        times = layer.in_channels // layer.groups
        yield "all channels", _biased(case, lambda b: times * b)


@mistake("bias of the first channel added to all")
def bias_of_first(case: Case) -> Variants:
    """One number is read."""
    if case.problem.has_bias:
        yield "all channels", _biased(case, lambda b: np.full_like(b, b[0]))


def _batched(case: Case, change: Callable[[Array], Array]) -> Predictor:
    def predict(*arguments: Array) -> Array:
        return change(np.array(case.problem.run(*arguments)))

    return predict


def _zeroed(y: Array, where: slice) -> Array:
    y[where] = 0
    return y


@mistake("only the first sample of the batch computed")
def first_sample(case: Case) -> Variants:
    """The others are zero, or the first again."""
    yield "others zero", _batched(case, lambda y: _zeroed(y, slice(1, None)))
    yield "first repeated", _batched(case, lambda y: np.repeat(y[:1], len(y), axis=0))


@mistake("last sample of the batch not computed")
def last_sample(case: Case) -> Variants:
    """A loop over the batch that ends too early."""
    yield "zero", _batched(case, lambda y: _zeroed(y, slice(max(len(y) - 1, 1), None)))


@mistake("samples of the batch out of order")
def samples_moved(case: Case) -> Variants:
    """Reversed or rotated."""
    yield "reversed", _batched(case, lambda y: y[::-1])
    for step in (1, -1):
        yield f"rotated {step:+d}", _batched(case, lambda y, step=step: np.roll(y, step, axis=0))  # type: ignore[misc]


@mistake("samples of the batch added up")
def samples_added(case: Case) -> Variants:
    """Each result is the sum over the batch, or over the samples before it."""

    def linear(x: Array, *rest: Array, running: bool) -> Array:
        x = np.asarray(x)
        summed = np.cumsum(x, axis=0) if running else np.repeat(x.sum(0, keepdims=True), len(x), 0)
        return case.problem.run(summed, *rest)

    if not case.problem.is_maximum:
        yield "all", lambda *arguments: linear(*arguments, running=False)
        yield "those before", lambda *arguments: linear(*arguments, running=True)
