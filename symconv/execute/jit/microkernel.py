"""The register-tiled inner product of the implicit GEMM, and copies by whole vectors.

Emitted as LLVM IR because Numba alone does not keep a tile of accumulators in registers. Memory is
addressed without bounds: every caller leaves `speeds.SLACK` bytes after what it hands in, and the
tests run each kernel at every edge. All of it is ordinary IR with fused multiply-adds; LLVM splits
vectors that a processor does not have.

References
----------
K. Goto, R. van de Geijn, *Anatomy of high-performance matrix multiplication* (2008).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from symconv.execute.speeds import VECTOR

__all__ = [
    "copy_even_vectors",
    "copy_vectors",
    "index",
    "interleave_vectors",
    "load",
    "numbers",
    "store",
    "tile_1x1",
    "tile_1x8",
    "tile_4x1",
    "tile_4x6",
    "tile_8x1",
    "tile_8x3",
]

_INDEX = ir.IntType(64)
_LANE = ir.IntType(32)


def index(value: int) -> ir.Constant:
    """A constant address or count."""
    return ir.Constant(_INDEX, value)


def load(builder: Any, address: Any, kind: Any, align: int) -> Any:
    """What stands at an address."""
    loaded = builder.load(builder.inttoptr(address, kind.as_pointer()))
    loaded.align = align
    return loaded


def store(builder: Any, value: Any, address: Any, align: int) -> None:
    """Put a value at an address."""
    builder.store(value, builder.inttoptr(address, value.type.as_pointer())).align = align


def numbers(kind: Any) -> tuple[Any, int]:
    """LLVM's type of a float type of Numba's, and its bytes."""
    return (ir.FloatType(), 4) if kind == types.float32 else (ir.DoubleType(), 8)


def _tile(rows: int, vectors: int) -> Any:
    """``target[r, v] (+)= Σ_t weight[t, r] · source[offsets[t] + v]`` for one register tile.

    The function takes a number of the type in question, then addresses and counts as integers:
    weight, source, offsets (int64, in numbers), how many taps, target, numbers from one row of
    the target to the next, and whether to add to what is there.
    """

    def generated(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        scalar, size = numbers(signature.args[0])
        lanes = VECTOR // size
        vector = ir.VectorType(scalar, lanes)
        signature_fma = ir.FunctionType(vector, [vector] * 3)
        name = f"llvm.fma.v{lanes}f{8 * size}"
        fma = cgutils.get_or_insert_function(builder.module, signature_fma, name)
        _, weight, source, offsets, count, target, pitch, add = arguments
        undefined = ir.Constant(vector, ir.Undefined)
        everywhere = ir.Constant(ir.VectorType(_LANE, lanes), [0] * lanes)

        before = builder.block
        head, body, done = map(builder.append_basic_block, ("taps", "tap", "done"))
        builder.branch(head)

        builder.position_at_end(head)
        tap = builder.phi(_INDEX)
        tap.add_incoming(index(0), before)
        sums = [builder.phi(vector) for _ in range(rows * vectors)]
        for total in sums:
            total.add_incoming(ir.Constant(vector, None), before)
        builder.cbranch(builder.icmp_signed("<", tap, count), body, done)

        builder.position_at_end(body)
        offset = load(builder, builder.add(offsets, builder.shl(tap, index(3))), _INDEX, 8)
        start = builder.add(source, builder.mul(offset, index(size)))
        read = [
            load(builder, builder.add(start, index(v * VECTOR)), vector, size)
            for v in range(vectors)
        ]
        panel = builder.add(weight, builder.mul(tap, index(rows * size)))
        for r in range(rows):
            one = load(builder, builder.add(panel, index(r * size)), scalar, size)
            first = builder.insert_element(undefined, one, ir.Constant(_LANE, 0))
            factor = builder.shuffle_vector(first, undefined, everywhere)
            for v in range(vectors):
                total = sums[r * vectors + v]
                total.add_incoming(builder.call(fma, [factor, read[v], total]), body)
        tap.add_incoming(builder.add(tap, index(1)), body)
        builder.branch(head)

        builder.position_at_end(done)
        to_next = builder.mul(pitch, index(size))

        def finish(value: Callable[[Any, Any], Any]) -> None:
            row = target
            for r in range(rows):
                for v in range(vectors):
                    address = builder.add(row, index(v * VECTOR))
                    store(builder, value(sums[r * vectors + v], address), address, size)
                row = builder.add(row, to_next)

        with builder.if_else(builder.icmp_signed("!=", add, index(0))) as (adding, setting):
            with adding:
                finish(lambda total, at: builder.fadd(load(builder, at, vector, size), total))
            with setting:
                finish(lambda total, at: total)
        return context.get_dummy_value()

    def tile(
        context: Any, like: Any, weight: Any, source: Any, offsets: Any, count: Any,
        target: Any, pitch: Any, add: Any,
    ) -> Any:  # fmt: skip
        return types.void(like, *(types.intp,) * 7), generated

    return intrinsic(tile)


#: Rows of output times vectors of positions: the accumulators fill the registers.
tile_8x3, tile_8x1 = _tile(8, 3), _tile(8, 1)
tile_4x6, tile_4x1 = _tile(4, 6), _tile(4, 1)
tile_1x8, tile_1x1 = _tile(1, 8), _tile(1, 1)


@intrinsic
def copy_vectors(context: Any, like: Any, target: Any, source: Any, count: Any) -> Any:
    """Copy `count` whole vectors between two addresses."""

    def generated(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, target, source, count = arguments
        scalar, size = numbers(signature.args[0])
        vector = ir.VectorType(scalar, VECTOR // size)
        with cgutils.for_range(builder, count) as loop:
            step = builder.mul(loop.index, index(VECTOR))
            read = load(builder, builder.add(source, step), vector, size)
            store(builder, read, builder.add(target, step), size)
        return context.get_dummy_value()

    return types.void(like, *(types.intp,) * 3), generated


@intrinsic
def copy_even_vectors(context: Any, like: Any, target: Any, source: Any, count: Any) -> Any:
    """Fill `count` whole vectors with every other number from an address on."""

    def generated(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, target, source, count = arguments
        scalar, size = numbers(signature.args[0])
        lanes = VECTOR // size
        vector = ir.VectorType(scalar, lanes)
        even = ir.Constant(ir.VectorType(_LANE, lanes), list(range(0, 2 * lanes, 2)))
        with cgutils.for_range(builder, count) as loop:
            step = builder.mul(loop.index, index(VECTOR))
            start = builder.add(source, builder.mul(step, index(2)))
            first = load(builder, start, vector, size)
            second = load(builder, builder.add(start, index(VECTOR)), vector, size)
            store(
                builder,
                builder.shuffle_vector(first, second, even),
                builder.add(target, step),
                size,
            )
        return context.get_dummy_value()

    return types.void(like, *(types.intp,) * 3), generated


@intrinsic
def interleave_vectors(
    context: Any, like: Any, target: Any, even: Any, odd: Any, count: Any
) -> Any:
    """Write `count` whole vectors from each of two addresses, in turn number by number."""

    def generated(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, target, even, odd, count = arguments
        scalar, size = numbers(signature.args[0])
        lanes = VECTOR // size
        vector = ir.VectorType(scalar, lanes)
        turns = [place for lane in range(lanes) for place in (lane, lanes + lane)]
        halves = [
            ir.Constant(ir.VectorType(_LANE, lanes), part)
            for part in (turns[:lanes], turns[lanes:])
        ]
        with cgutils.for_range(builder, count) as loop:
            step = builder.mul(loop.index, index(VECTOR))
            first = load(builder, builder.add(even, step), vector, size)
            second = load(builder, builder.add(odd, step), vector, size)
            to = builder.add(target, builder.mul(step, index(2)))
            for number, half in enumerate(halves):
                mixed = builder.shuffle_vector(first, second, half)
                store(builder, mixed, builder.add(to, index(number * VECTOR)), size)
        return context.get_dummy_value()

    return types.void(like, *(types.intp,) * 4), generated
