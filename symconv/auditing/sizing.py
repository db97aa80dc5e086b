"""A smaller map with the same borders, for layers too large to be run many times."""

from __future__ import annotations

import math
from typing import Any

from symconv.layers import ConvTranspose, Layer

__all__ = ["reduced"]

#: Windows that a reduced axis keeps at least, besides those that touch a border.
WINDOWS = 4


def reduced(layer: Layer, size: tuple[int, ...], limit: int) -> tuple[int, ...]:
    """The largest size with at most `limit` MACs per sample and the same relation on each axis.

    Each axis keeps its remainder modulo the stride, and with it the padding of "same" and what the
    last window leaves over; it keeps every window that touches a border. Poolings, and layers
    whose smallest such size is above the limit, may keep their size.

    Examples
    --------
    >>> import symconv as sc
    >>> layer = sc.Conv2d(64, 64, 3, stride=2, padding="same_upper")
    >>> reduced(layer, (225, 224), 2**24)
    (41, 42)
    >>> reduced(layer, (225, 224), 2**30)
    (225, 224)
    """
    given: Any = layer
    if not hasattr(layer, "mac_count"):
        return size
    macs = given.mac_count(size)
    if macs <= limit:
        return size
    factor = (limit / macs) ** (1 / len(size))
    return tuple(_axis(layer, axis, n, math.floor(n * factor)) for axis, n in enumerate(size))


def _axis(layer: Any, axis: int, n: int, wanted: int) -> int:
    relation = layer.relation(axis, n)
    step = 1 if isinstance(layer, ConvTranspose) else int(relation.stride)
    borders = abs(int(relation.pad_lo)) + abs(int(relation.pad_hi))
    least = int(relation.extent) + borders + WINDOWS * int(relation.stride)
    smaller = max(wanted, least)
    smaller += (n - smaller) % step
    # The largest of this remainder that is no larger than wanted, unless the borders need more.
    while smaller - step >= least and smaller > wanted:
        smaller -= step
    if smaller >= n or layer.relation(axis, smaller) != relation:
        return n
    return smaller
