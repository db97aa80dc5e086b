"""A lattice of small geometries: every parameter of every axis chosen by itself.

Point number i of a kind is a function of i and the seed alone, so that a sweep goes on where it
stopped, and another machine sees the same points. Parameters are plain about half of the time:
what fails on its own is met on its own. Those that are not plain differ from axis to axis where
there are values enough: equal ones hide what is exchanged.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from symconv.checks import choice
from symconv.errors import ParameterError, SymconvError
from symconv.layers import AvgPool, Conv, ConvTranspose, Layer, MaxPool

__all__ = ["KINDS", "Point", "point"]

#: Kinds of sweeps.
KINDS = ("conv", "transpose", "avg", "max", "all")

#: Drawings for one point until there is an output.
MAX_DRAWINGS = 200

STRIDES, DILATIONS, KERNELS = (1, 2, 3, 4), (1, 2, 3), (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Point:
    """One geometry of a sweep.

    Attributes
    ----------
    number : int
    layer : Layer
    input_size : tuple of int
    batch : int
        Samples per call.
    dtype : str
    empty_batch : bool
        Whether a batch of no samples is tried as well.
    """

    number: int
    layer: Layer
    input_size: tuple[int, ...]
    batch: int
    dtype: str
    empty_batch: bool


def point(
    number: int, kind: str = "all", seed: int = 0, dtypes: Sequence[str] = ("float32",)
) -> Point:
    """The point of a number.

    Parameters
    ----------
    number : int
    kind : {"conv", "transpose", "avg", "max", "all"}
        "all" takes the others in turn.
    seed : int
        Another seed gives other points, the same one always the same.
    dtypes : sequence of str
        Number formats, as of `symconv.verify`.

    Raises
    ------
    ParameterError
        If there is no such kind.

    Examples
    --------
    >>> point(5) == point(5), point(5) == point(6)
    (True, False)
    >>> [type(point(n).layer).__name__ for n in range(4)]
    ['Conv', 'ConvTranspose', 'AvgPool', 'MaxPool']
    """
    choice("kind", kind, KINDS)
    if kind == "all":
        kind = KINDS[number % 4]
    # A text as seed goes through SHA-512: the same numbers in every process and version.
    rng = random.Random(f"symconv sweep {seed} {kind} {number}")  # noqa: S311 - no secret
    for _ in range(MAX_DRAWINGS):
        rank = rng.choices((1, 2, 3), (7, 11, 2))[0]
        largest = 9 if rank < 3 else 5
        size = tuple(_per_axis(rng, rank, range(1, largest + 1), plain=0.0))
        try:
            layer = MAKERS[kind](rng, rank)
            layer.operator(size)
        except SymconvError:
            continue
        return Point(
            number, layer, size, rng.choice((1, 2, 2, 3)), rng.choice(tuple(dtypes)),
            rng.random() < 0.1,
        )  # fmt: skip
    raise ParameterError(f"number must have a point, got {number} of {kind}")  # pragma: no cover


def _per_axis(
    rng: random.Random, rank: int, options: Sequence[int], plain: float = 0.5
) -> list[int]:
    """A value per axis, different ones where there are enough; the first on all with `plain`."""
    if rng.random() < plain:
        return [options[0]] * rank
    return rng.sample(options, rank) if len(options) >= rank else rng.choices(options, k=rank)


def _padding(rng: random.Random, most: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """None, the same on both sides, another on each side, or a crop."""
    style = rng.choices(("none", "equal", "asymmetric", "crop"), (6, 7, 6, 1))[0]
    pairs = []
    for limit in most:
        lo, hi = rng.randint(0, limit), rng.randint(0, limit)
        pairs.append({"none": (0, 0), "equal": (lo, lo), "asymmetric": (lo, hi)}.get(style)
                     or (rng.randint(-1, limit), rng.randint(-1, limit)))  # fmt: skip
    return tuple(pairs)


def _window(rng: random.Random, rank: int, dilation: float = 0.5) -> dict[str, Any]:
    return {
        "kernel_size": tuple(_per_axis(rng, rank, KERNELS, plain=0.05)),
        "stride": tuple(_per_axis(rng, rank, STRIDES)),
        "dilation": tuple(_per_axis(rng, rank, DILATIONS, plain=dilation)),
    }


def _channels(rng: random.Random) -> dict[str, Any]:
    groups = rng.choice((1, 1, 2, 3))
    return {
        "groups": groups,
        "in_channels": groups * rng.choice((1, 1, 2)),
        "out_channels": groups * rng.choice((1, 2)),
        "bias": rng.random() < 0.5,
    }


def _extents(window: dict[str, Any]) -> list[int]:
    pairs = zip(window["kernel_size"], window["dilation"], strict=True)
    return [d * (k - 1) + 1 for k, d in pairs]


def _conv(rng: random.Random, rank: int) -> Layer:
    window = _window(rng, rank)
    padding = _padding(rng, _extents(window))
    modes = ("zeros", "circular", "reflect", "replicate")
    mode = rng.choices(modes, (12, 1, 1, 1))[0]
    spread = tuple(_per_axis(rng, rank, (1, 2, 3), plain=0.9))
    given = window | _channels(rng)
    return Conv(padding=padding, padding_mode=mode, input_dilation=spread, **given)


def _transpose(rng: random.Random, rank: int) -> Layer:
    window = _window(rng, rank)
    padding = _padding(rng, [extent - 1 for extent in _extents(window)])
    # Mostly below the stride, where it says which of the sizes is meant; then beyond.
    beyond = rng.random() < 0.2
    limits = [s + beyond * 2 for s in window["stride"]]
    extra = tuple(rng.randrange(limit) for limit in limits) if rng.random() < 0.5 else 0
    return ConvTranspose(padding=padding, output_padding=extra, **window, **_channels(rng))


def _avg(rng: random.Random, rank: int) -> Layer:
    window = _window(rng, rank, dilation=0.85)
    return AvgPool(
        padding=_pool_padding(rng, window),
        ceil_mode=rng.random() < 0.5,
        count_include_pad=rng.random() < 0.5,
        divisor_override=rng.choice((None, None, None, None, 1, 5)),
        **window,
    )


def _max(rng: random.Random, rank: int) -> Layer:
    window = _window(rng, rank)
    return MaxPool(padding=_pool_padding(rng, window), ceil_mode=rng.random() < 0.5, **window)


def _pool_padding(rng: random.Random, window: dict[str, Any]) -> tuple[tuple[int, int], ...]:
    """Mostly up to half of the kernel, which frameworks ask for."""
    halves = [k // 2 for k in window["kernel_size"]]
    return _padding(rng, halves if rng.random() < 0.8 else [e - 1 for e in _extents(window)])


#: Kind → what draws a layer of it.
MAKERS = {"conv": _conv, "transpose": _transpose, "avg": _avg, "max": _max}
