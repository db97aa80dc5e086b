"""Vector packs: exact, float-free test vectors with provenance."""

from symconv.vectors.parameters import parameters_of
from symconv.vectors.writing import Pack, write_vectors

__all__ = ["Pack", "parameters_of", "write_vectors"]
