"""Estimates before allocations: a result that cannot fit is refused, with the way out."""

from __future__ import annotations

import psutil

from symconv.errors import TooLargeError

__all__ = ["require"]

#: Share of the memory available now that one result may take.
SHARE = 0.8


def available() -> int:
    """Bytes that can be allocated now without swapping."""
    return int(psutil.virtual_memory().available)


def readable(n_bytes: int) -> str:
    """A byte count as people write it."""
    size, unit = float(n_bytes), "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB", "PiB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"


def require(n_bytes: int, what: str, way_out: str, limit: int | None = None) -> None:
    """Refuse `what` when it would take more than `limit` bytes (default: 80 % of what is free)."""
    if limit is None:
        # The look at the machine is skipped where the answer cannot matter.
        if n_bytes < 2**24:
            return
        limit = int(SHARE * available())
    if n_bytes > limit:
        raise TooLargeError(
            f"{what} would take {readable(n_bytes)} and {readable(limit)} may be used; {way_out}"
        )
