"""Mistakes in how the kernel is laid over the input."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np

from symconv.errors import SymconvError
from symconv.layers import Conv
from symconv.verifying.mistakes.base import (
    Array,
    Case,
    Predictor,
    Variants,
    choices,
    mistake,
    permutations,
)


def _with_weight(case: Case, change: Any) -> Predictor:
    """The right map on changed weights."""

    def predict(x: Array, w: Array, *rest: Array) -> Array:
        return case.problem.run(x, change(np.asarray(w)), *rest)

    return predict


@mistake("kernel flipped")
def flipped(case: Case) -> Variants:
    """Convolution in the mathematical sense, or its opposite in a transposed layer."""
    if not case.is_convolution:
        return
    for chosen in itertools.product((False, True), repeat=case.rank):
        axes = tuple(2 + axis for axis, is_chosen in enumerate(chosen) if is_chosen)
        if axes:
            yield f"axes {axes}", _with_weight(case, lambda w, axes=axes: np.flip(w, axes))


@mistake("axes of the kernel exchanged")
def exchanged(case: Case) -> Variants:
    """Height and width of the kernel swapped."""
    if not case.is_convolution:
        return
    for order in permutations(case.rank):
        kernel: Any = case.layer.kernel_size  # type: ignore[attr-defined]
        moved = tuple(kernel[axis] for axis in order)
        axes = (0, 1, *(2 + axis for axis in order))
        run = case.problem.run if moved == kernel else case.like(kernel_size=moved)
        if run is not None:
            yield str(order), _transposed_then(run, axes)
        if moved != kernel:
            yield f"{order} as read", _reread(case, moved, axes)


def _transposed_then(run: Predictor, axes: tuple[int, ...]) -> Predictor:
    def predict(x: Array, w: Array, *rest: Array) -> Array:
        return run(x, np.transpose(w, axes), *rest)

    return predict


def _reread(case: Case, moved: tuple[int, ...], axes: tuple[int, ...]) -> Predictor:
    """The memory of the kernel read as one of the exchanged shape, then turned back."""

    def predict(x: Array, w: Array, *rest: Array) -> Array:
        other = np.asarray(w).reshape(*w.shape[:2], *moved)
        return case.problem.run(x, np.transpose(other, np.argsort(axes)), *rest)

    return predict


def _without(case: Case, chosen: tuple[bool, ...], at: int) -> Predictor:
    def change(w: Array) -> Array:
        w = w.copy()
        for axis, is_chosen in enumerate(chosen):
            if is_chosen:
                np.moveaxis(w, 2 + axis, 0)[at] = 0
        return w

    return _with_weight(case, change)


@mistake("last tap left out")
def without_last_tap(case: Case) -> Variants:
    """A loop over the taps that ends too early."""
    if case.is_convolution:
        for name, chosen in choices(case.rank):
            yield name, _without(case, chosen, -1)


@mistake("first tap left out")
def without_first_tap(case: Case) -> Variants:
    """A loop over the taps that starts too late."""
    if case.is_convolution:
        for name, chosen in choices(case.rank):
            yield name, _without(case, chosen, 0)


@mistake("operands rounded")
def rounded(case: Case) -> Variants:
    """Operands in TF32 or float16 (11 bits) or bfloat16 (8 bits)."""
    for bits in (11, 8):
        for which, places in (("all", (0, 1)), ("inputs", (0,)), ("weights", (1,))):

            def predict(
                *arguments: Array, bits: int = bits, places: tuple[int, ...] = places
            ) -> Array:
                given = [
                    _to_bits(argument, bits) if at in places else argument
                    for at, argument in enumerate(arguments)
                ]
                return case.problem.run(*given)

            yield f"{which} to {bits} bits", predict


def _to_bits(array: Array, bits: int) -> Array:
    mantissa, exponent = np.frexp(np.asarray(array, dtype=np.float64))
    return np.asarray(np.ldexp(np.rint(np.ldexp(mantissa, bits)), exponent - bits))


@mistake("forward convolution instead of the transposed one")
def not_transposed(case: Case) -> Variants:
    """The weights' first two axes exchanged and a convolution run."""
    if not case.is_transposed:
        return
    layer: Any = case.layer
    try:
        conv = Conv(
            layer.in_channels,
            layer.out_channels,
            layer.kernel_size,
            stride=layer.stride,
            padding=layer.padding,
            dilation=layer.dilation,
            groups=layer.groups,
            bias=layer.bias,
        )
    except SymconvError:
        return
    run = case.as_layer(conv)
    if run is None:
        return
    inputs, outputs, groups = layer.in_channels, layer.out_channels, layer.groups

    def predict(x: Array, w: Array, *rest: Array) -> Array:
        split = np.asarray(w).reshape(groups, inputs // groups, outputs // groups, *w.shape[2:])
        swapped = np.swapaxes(split, 1, 2).reshape(outputs, inputs // groups, *w.shape[2:])
        return run(x, swapped, *rest)

    yield "as it stands", predict


@mistake("stride of a transposed convolution applied without zeros between the inputs")
def not_spread(case: Case) -> Variants:
    """Stride 1 inside, and the last outputs missing or zero."""
    if not case.is_transposed:
        return
    layer: Any = case.layer
    run = case.as_layer(replace(layer, stride=1))
    if run is None:
        return

    def predict(*arguments: Array) -> Array:
        y = run(*arguments)
        out = np.zeros((len(y), *case.problem.output_shape))
        common = tuple(slice(0, min(a, b)) for a, b in zip(y.shape, out.shape, strict=True))
        out[common] = y[common]
        return out

    yield "filled with zeros", predict
