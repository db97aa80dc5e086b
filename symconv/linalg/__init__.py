"""Exact linear algebra on operators: rank, null space, determinant, solutions, verdicts.

The arithmetic runs modulo word-sized primes; what comes out is proved over the integers.
"""

from symconv.linalg.generic import GenericRank, generic_rank
from symconv.linalg.questions import (
    determinant,
    is_injective,
    is_invertible,
    is_surjective,
    null_space,
    nullity,
    rank,
    rank_proof,
)
from symconv.linalg.solving import inverse, least_squares, orthogonality, solve
from symconv.modular.ranks import RankProof

__all__ = [
    "GenericRank",
    "RankProof",
    "determinant",
    "generic_rank",
    "inverse",
    "is_injective",
    "is_invertible",
    "is_surjective",
    "least_squares",
    "null_space",
    "nullity",
    "orthogonality",
    "rank",
    "rank_proof",
    "solve",
]
