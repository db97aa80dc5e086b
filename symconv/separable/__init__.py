"""What kernels are made of: exact ranks, separable terms, singular values that are certain."""

from symconv.separable.approximating import (
    Approximation as Approximation,
    best_approximation as best_approximation,
)
from symconv.separable.channels import (
    DepthwiseFactors as DepthwiseFactors,
    depthwise_factorization as depthwise_factorization,
    exact_passes as exact_passes,
    float_passes as float_passes,
    slice_ranks as slice_ranks,
)
from symconv.separable.separation import (
    Savings as Savings,
    Separation as Separation,
    separate as separate,
)
from symconv.separable.singular import SingularValue as SingularValue
