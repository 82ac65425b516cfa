"""Weights of points: maximum diversity, and quadratic programs over nonnegative weights."""

from ._diversity import Diversity, DiversityInfo, max_diversity
from ._simplex_qp import SimplexQPInfo, SimplexQPResult, solve_simplex_qp

__all__ = [
    "Diversity",
    "DiversityInfo",
    "SimplexQPInfo",
    "SimplexQPResult",
    "max_diversity",
    "solve_simplex_qp",
]
