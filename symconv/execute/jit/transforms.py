"""Winograd's transforms as vector code, emitted from the exact matrices.

Vectors run along the tiles; shuffles pick the samples of neighbouring tiles out of packed rows and
put their outputs side by side. Memory is addressed without bounds, as in the microkernel.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from symconv.execute.jit.microkernel import index, load, numbers, store
from symconv.execute.speeds import VECTOR
from symconv.toomcook import Transforms, winograd_transforms

__all__ = ["ROWS", "evaluation_of", "interpolation_of", "probe", "weighing_of"]

#: Output channels whose weights are transformed at once: the rows of the largest register tile.
ROWS = 8

Rows = Sequence[Sequence[Fraction]]


def _transforms(outputs: int) -> Transforms:
    """F(outputs, 3); one output stands for an axis that is not transformed."""
    return winograd_transforms(outputs, 3 if outputs > 1 else 1)


def _combined(builder: Any, rows: Rows, values: list[Any]) -> list[Any]:
    """Matrix times a column of vectors, with additions only where entries are ±1."""
    results = []
    for row in rows:
        # A positive entry first, so that nothing has to be negated.
        terms = sorted(zip(row, values, strict=True), key=lambda term: -term[0])
        terms = [term for term in terms if term[0]]
        total: Any = None
        for factor, value in terms:
            size = abs(factor)
            term = value
            if size != 1:
                entry = ir.Constant(value.type, [float(size)] * value.type.count)
                term = builder.fmul(entry, value)
            if total is None:
                total = term if factor > 0 else builder.fneg(term)
            else:
                total = (builder.fadd if factor > 0 else builder.fsub)(total, term)
        results.append(total)
    return results


def _nested(builder: Any, high: Rows, wide: Rows, grid: list[list[Any]]) -> list[list[Any]]:
    """``wide`` along the rows of a grid of vectors, then ``high`` along its columns."""
    grid = [_combined(builder, wide, row) for row in grid]
    columns = [_combined(builder, high, list(column)) for column in zip(*grid, strict=True)]
    return [list(row) for row in zip(*columns, strict=True)]


def _shuffled(builder: Any, one: Any, other: Any, order: Sequence[int]) -> Any:
    lanes = ir.Constant(ir.VectorType(ir.IntType(32), len(order)), list(order))
    return builder.shuffle_vector(one, other, lanes)


def _interlaced(builder: Any, vectors: list[Any]) -> Any:
    """Lane 0 of every vector, then lane 1 of every vector, …; one vector, or a power of two."""
    count = len(vectors)
    while len(vectors) > 1:
        vectors = [
            _shuffled(builder, a, b, range(2 * a.type.count))
            for a, b in zip(vectors[::2], vectors[1::2], strict=True)
        ]
    whole = vectors[0]
    lanes = whole.type.count // count
    return _shuffled(
        builder, whole, whole, [v * lanes + j for j in range(lanes) for v in range(count)]
    )


def evaluation_of(high: int, wide: int) -> Any:
    """``target[product, v] = B_T·samples`` for tiles of high × wide outputs, tile by tile.

    The function takes a number of the type in question, then addresses and counts as integers:
    source, numbers from one packed row to the next, target, numbers from one product to the next,
    and how many vectors of tiles.
    """
    high_b, wide_b = _transforms(high).B_T, _transforms(wide).B_T

    def generated(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        scalar, size = numbers(signature.args[0])
        lanes = VECTOR // size
        spread = ir.VectorType(scalar, lanes * wide)
        _, source, pitch, target, step, count = arguments
        pitch, step = (builder.mul(each, index(size)) for each in (pitch, step))
        with cgutils.for_range(builder, count) as loop:
            row = builder.add(source, builder.mul(loop.index, index(VECTOR * wide)))
            grid = []
            for _ in range(len(high_b)):
                samples: list[Any] = []
                while len(samples) < len(wide_b):
                    at = builder.add(row, index(len(samples) * size))
                    read = load(builder, at, spread, size)
                    samples += [
                        _shuffled(builder, read, read, range(first, lanes * wide, wide))
                        for first in range(min(wide, len(wide_b) - len(samples)))
                    ]
                grid.append(samples)
                row = builder.add(row, pitch)
            to = builder.add(target, builder.mul(loop.index, index(VECTOR)))
            for value in itertools.chain(*_nested(builder, high_b, wide_b, grid)):
                store(builder, value, to, size)
                to = builder.add(to, step)
        return context.get_dummy_value()

    def evaluation(
        context: Any, like: Any, source: Any, pitch: Any, target: Any, step: Any, count: Any
    ) -> Any:
        return types.void(like, *(types.intp,) * 5), generated

    return intrinsic(evaluation)


def interpolation_of(high: int, wide: int) -> Any:
    """``target[row, column] = A_T·products``: the outputs of neighbouring tiles side by side.

    The function takes a number of the type in question, then addresses and counts as integers:
    source, numbers from one product to the next, target, numbers from one row of outputs to the
    next, and how many vectors of tiles.
    """
    high_a, wide_a = _transforms(high).A_T, _transforms(wide).A_T

    def generated(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        scalar, size = numbers(signature.args[0])
        vector = ir.VectorType(scalar, VECTOR // size)
        _, source, step, target, pitch, count = arguments
        pitch, step = (builder.mul(each, index(size)) for each in (pitch, step))
        with cgutils.for_range(builder, count) as loop:
            at = builder.add(source, builder.mul(loop.index, index(VECTOR)))
            grid = []
            for _ in high_a[0]:
                row = []
                for _ in wide_a[0]:
                    row.append(load(builder, at, vector, size))
                    at = builder.add(at, step)
                grid.append(row)
            to = builder.add(target, builder.mul(loop.index, index(VECTOR * wide)))
            for outputs in _nested(builder, high_a, wide_a, grid):
                store(builder, _interlaced(builder, outputs), to, size)
                to = builder.add(to, pitch)
        return context.get_dummy_value()

    def interpolation(
        context: Any, like: Any, source: Any, step: Any, target: Any, pitch: Any, count: Any
    ) -> Any:
        return types.void(like, *(types.intp,) * 5), generated

    return intrinsic(interpolation)


def weighing_of(high: int, wide: int) -> Any:
    """``target[product] = G·taps`` for `ROWS` output channels, summed in float64.

    The function takes a number of the type in question, then addresses and counts as integers:
    source (the taps one after the other), target, and numbers from one product to the next.
    """
    high_g, wide_g = _transforms(high).G, _transforms(wide).G

    def generated(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        scalar, size = numbers(signature.args[0])
        vector, double = (ir.VectorType(kind, ROWS) for kind in (scalar, ir.DoubleType()))
        _, source, target, step = arguments
        step = builder.mul(step, index(size))
        grid = []
        for _ in high_g[0]:
            row = []
            for _ in wide_g[0]:
                read = load(builder, source, vector, size)
                row.append(builder.fpext(read, double) if size == 4 else read)
                source = builder.add(source, index(ROWS * size))
            grid.append(row)
        for value in itertools.chain(*_nested(builder, high_g, wide_g, grid)):
            narrow = builder.fptrunc(value, vector) if size == 4 else value
            store(builder, narrow, target, size)
            target = builder.add(target, step)
        return context.get_dummy_value()

    def weighing(context: Any, like: Any, source: Any, target: Any, step: Any) -> Any:
        return types.void(like, *(types.intp,) * 3), generated

    return intrinsic(weighing)


@intrinsic
def probe(context: Any, like: Any, mark: Any, source: Any, count: Any) -> Any:
    """Add 0·v to the vector at `mark` for `count` vectors v: NaN where one is not finite."""

    def generated(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, mark, source, count = arguments
        scalar, size = numbers(signature.args[0])
        vector = ir.VectorType(scalar, VECTOR // size)
        with cgutils.for_range(builder, count) as loop:
            at = builder.add(source, builder.mul(loop.index, index(VECTOR)))
            nothing = builder.fmul(ir.Constant(vector, None), load(builder, at, vector, size))
            held = load(builder, mark, vector, size)
            store(builder, builder.fadd(held, nothing), mark, size)
        return context.get_dummy_value()

    return types.void(like, *(types.intp,) * 3), generated
