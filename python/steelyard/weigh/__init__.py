"""How much does each point count: weighting vectors, magnitude and what people do with them."""

from __future__ import annotations

from ._diversity import Diversity, DiversityInfo, max_diversity
from ._enriched import SimilarityInfo, SimilaritySolution, solve_similarity
from ._function import (
    MagnitudeFunction,
    magnitude_area,
    magnitude_difference,
    magnitude_dimension,
    magnitude_function,
)
from ._result import WeighInfo, Weighting
from ._scales import find_scale
from ._simplex_qp import SimplexQPInfo, SimplexQPResult, solve_simplex_qp
from ._size_map import similarity
from ._weighting import magnitude, magnitude_distance, spread, weighting

__all__ = [
    "Diversity",
    "DiversityInfo",
    "MagnitudeFunction",
    "SimilarityInfo",
    "SimilaritySolution",
    "SimplexQPInfo",
    "SimplexQPResult",
    "WeighInfo",
    "Weighting",
    "find_scale",
    "magnitude",
    "magnitude_area",
    "magnitude_difference",
    "magnitude_dimension",
    "magnitude_distance",
    "magnitude_function",
    "max_diversity",
    "similarity",
    "solve_similarity",
    "solve_simplex_qp",
    "spread",
    "weighting",
]
