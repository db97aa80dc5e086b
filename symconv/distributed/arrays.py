"""Operators on Dask arrays: batch and space in tiles, each from the samples that it reads.

The tiles follow the chunks of the input; what each one reads is derived from the relation and the
boundary (`symconv.distributed.parts`), whatever the strides, dilations and foldings, forward and
transposed. A task holds one tile with its halo. Weights are one entry of the graph.

References
----------
M. Rocklin, *Dask: parallel computation with blocked algorithms and task scheduling* (2015).
"""

from __future__ import annotations

import itertools
import math
import pickle
from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import getitem
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.algebras import as_array, magnitude
from symconv.distributed.parts import Part, cut, cut_windows, linear_part, window_part
from symconv.distributed.tiles import LinearTiles, Tiles, WindowTiles
from symconv.errors import ParameterError, ShapeError
from symconv.evaluation import Number, Oriented, Settings
from symconv.execute.sums import largest_row_sum
from symconv.incidence import Windows

__all__ = ["apply", "apply_windows"]

Array = npt.NDArray[Any]


def apply(
    oriented: Oriented,
    x: Any,
    weight: Number,
    bias: Number | None,
    plan: str,
    settings: Settings,
    description: str,
    *,
    affine: bool,
) -> Any:
    """A·x, or A·x + b where `affine`, for a Dask array x: a Dask array that computes nothing yet.

    Parameters
    ----------
    oriented : Oriented
    x : dask.array.Array, shape (*batch, *input_shape)
    weight, bias : as the map's own products take them
    plan, settings : as for `Operator.apply`; there is no ``out`` here
    description : str
        The geometry, for messages.

    Returns
    -------
    dask.array.Array, shape (*batch, *output_shape)
        Floats of the type that arrays in memory give. Integers in int64 where Σ|w| times what the
        type of `x` holds is below 2**63, in Python integers otherwise: nothing is known of the
        values before they are computed.

    Raises
    ------
    ShapeError, ParameterError, DTypeError
        As for arrays in memory; and for chunks of unknown size.
    """
    oriented.check_plan(plan)
    if settings.out is not None:
        raise ParameterError("out must be left out for a Dask array, which is computed later")
    axes, boundary = oriented.linear.geometry.axes, oriented.linear.geometry.boundary
    x = _checked(x, oriented.input_shape, len(axes))
    # A map without the tables and plans that it may have made already.
    clean = replace(oriented, linear=replace(oriented.linear))
    starts = _starts(x, len(axes))

    def parts(edges: Sequence[Sequence[int]]) -> tuple[tuple[Part, ...], ...]:
        return tuple(
            tuple(
                linear_part(axis, boundary, oriented.transposed, *ends, begin)
                for ends in itertools.pairwise(at)
            )
            for axis, at, begin in zip(axes, edges, starts, strict=True)
        )

    size = oriented.output_shape[-len(axes) :]
    tiles = LinearTiles(
        oriented=clean,
        weight=weight,
        bias=bias,
        plan=plan,
        budget=settings.budget,
        affine=affine,
        parts=parts([(0, min(n, 1)) for n in size]),
        read=oriented.input_shape[: -len(axes)],
        made=oriented.output_shape[: -len(axes)],
        kind=x.dtype,
        description=description,
    )
    dtype = _result_dtype(tiles)
    edges = [
        [0, *cut(axis, begin, oriented.transposed), n]
        for axis, begin, n in zip(axes, starts, size, strict=True)
    ]
    tiles = replace(tiles, parts=parts(edges), dtype=dtype)
    token = _token(weight, bias, plan, settings.budget)
    return _array(x, replace(tiles, token=token), (dtype,))[0]


def apply_windows(
    windows: Windows,
    x: Any,
    function: Callable[[Array, Windows], Any],
    dtypes: tuple[np.dtype[Any], ...],
    description: str,
) -> tuple[Any, ...]:
    """A function of each window of a Dask array, as one Dask array for each type in `dtypes`.

    Parameters
    ----------
    windows : Windows
    x : dask.array.Array, shape (*leading, *input_size)
    function : callable
        See `symconv.distributed.tiles.WindowTiles`.
    """
    x = _checked(x, windows.input_size, len(windows.input_size))
    starts = _starts(x, len(windows.input_size))
    parts = []
    for table, n_in, begin in zip(windows.reads, windows.input_size, starts, strict=True):
        edges = [0, *cut_windows(table, begin, n_in), len(table)]
        ends = itertools.pairwise(edges)
        parts.append(tuple(window_part(table, *each, begin) for each in ends))
    tiles = WindowTiles(function, windows.input_size, tuple(parts), x.dtype, description)
    return _array(x, tiles, dtypes)


def _checked(x: Any, shape: tuple[int, ...], rank: int) -> Any:
    """`x` of known chunks, whole on the axes between batch and space."""
    if any(math.isnan(n) for n in x.shape):
        raise ShapeError(
            f"x must have chunks of known sizes, got shape {x.shape}; x.compute_chunk_sizes() "
            f"finds them"
        )
    first = x.ndim - len(shape)
    if first < 0 or x.shape[first:] != shape:
        listed = ", ".join(map(str, shape))
        raise ShapeError(f"x must have shape (*batch, {listed}), got {x.shape}")
    # Numbers that no operator takes are refused now.
    as_array("x", np.empty(0, dtype=x.dtype))
    return x.rechunk(dict.fromkeys(range(first, x.ndim - rank), -1))


def _starts(x: Any, rank: int) -> list[list[int]]:
    """Where the chunks of the last axes begin."""
    return [[0, *itertools.accumulate(sizes[:-1])] for sizes in x.chunks[x.ndim - rank :]]


def _result_dtype(tiles: LinearTiles) -> np.dtype[Any]:
    """The type of every part: found from one output for zeros, and a bound for integers."""
    parts = [axis[0] for axis in tiles.parts]
    zeros = np.zeros((*tiles.read, *(part.width for part in parts)), dtype=tiles.kind)
    dtype = tiles.compute(zeros, parts).dtype
    if dtype.kind in "fc":
        return dtype
    if "O" in (dtype.kind, tiles.kind.kind):
        return np.dtype(object)
    held = np.iinfo(tiles.kind)
    # In Python integers throughout.
    largest = _row_sum(tiles.oriented, tiles.weight) * max(-int(held.min), int(held.max))
    boundary = tiles.oriented.linear.geometry.boundary
    if tiles.affine and boundary.mode == "constant":
        value, _ = as_array("padding_value", boundary.value)
        largest += _row_sum(tiles.oriented, tiles.weight) * magnitude(value)
    if tiles.bias is not None:
        largest += magnitude(tiles.bias[0])
    return np.dtype(np.int64 if largest < 2**63 else object)


def _row_sum(oriented: Oriented, weight: Number) -> int:
    """At least Σ|w| over the products of any output."""
    linear = oriented.linear
    if linear.weight_shape is not None:
        return largest_row_sum(linear.incidence, weight[0], oriented.transposed)
    return linear.adjoint_terms if oriented.transposed else linear.forward_terms


def _token(*values: Any) -> str:
    from dask.base import tokenize  # noqa: PLC0415 - a Dask array was given

    return str(tokenize(pickle.dumps(values)))


def _run(tiles: Tiles, index: tuple[int, ...], batch: tuple[int, ...], given: list[Array]) -> Any:
    """One tile, where it is computed."""
    return tiles.run(index, batch, given)


def _array(x: Any, tiles: Tiles, dtypes: tuple[np.dtype[Any], ...]) -> tuple[Any, ...]:
    """The graph: tiles by batch and space, as one array for each type."""
    from dask.array import Array as DaskArray  # noqa: PLC0415
    from dask.highlevelgraph import HighLevelGraph  # noqa: PLC0415

    array: Any = DaskArray
    rank = len(tiles.parts)
    lead = x.ndim - rank - len(tiles.read)
    token = _token(x.name, tiles)
    name = f"symconv-tile-{token}"
    # One entry of the graph, that tasks name.
    operator, whole = f"symconv-operator-{token}", (0,) * len(tiles.read)
    graph: dict[Any, Any] = {operator: tiles}
    makes = (0,) * len(tiles.made)
    counts = [len(parts) for parts in tiles.parts]
    for batch in itertools.product(*(range(len(sizes)) for sizes in x.chunks[:lead])):
        lengths = tuple(sizes[at] for sizes, at in zip(x.chunks[:lead], batch, strict=True))
        for index in itertools.product(*map(range, counts)):
            given = []
            for chunk, hull in tiles.hulls(index):
                block = (x.name, *batch, *whole, *chunk)
                sizes = [of[at] for of, at in zip(x.chunks[x.ndim - rank :], chunk, strict=True)]
                if all(h == slice(0, n) for h, n in zip(hull, sizes, strict=True)):
                    given.append(block)
                    continue
                ends = (each for at in hull for each in (at.start, at.stop))
                key = (f"symconv-halo-{token}", *batch, *chunk, *ends)
                graph[key] = (getitem, block, (..., *hull))
                given.append(key)
            graph[(name, *batch, *makes, *index)] = (_run, operator, index, lengths, given)
    chunks = (*x.chunks[:lead], *((n,) for n in tiles.made), *tiles.chunks)
    tile_layer = HighLevelGraph.from_collections(name, graph, dependencies=[x])
    if len(dtypes) == 1:
        meta = np.empty((0,) * len(chunks), dtype=dtypes[0])
        return (array(tile_layer, name, chunks, meta=meta),)
    found = []
    for number, dtype in enumerate(dtypes):
        own = f"symconv-result-{number}-{token}"
        layer: Any = {(own, *key[1:]): (getitem, key, number) for key in graph if key[0] == name}
        result = HighLevelGraph(
            {**tile_layer.layers, own: layer}, {**tile_layer.dependencies, own: {name}}
        )
        meta = np.empty((0,) * len(chunks), dtype=dtype)
        found.append(array(result, own, chunks, meta=meta))
    return tuple(found)
