"""Operators beyond one machine: Dask arrays in tiles."""

from symconv.distributed.arrays import apply, apply_windows

__all__ = ["apply", "apply_windows"]
