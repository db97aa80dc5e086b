"""Operators beyond one machine: Dask arrays in tiles."""

from symconv.distributed.arrays import apply, apply_windows, in_memory, is_dask

__all__ = ["apply", "apply_windows", "in_memory", "is_dask"]
