"""Compiled loops: the only rooms that import Numba."""
