"""How much does each point count: weighting vectors and magnitude."""

from __future__ import annotations

from ._enriched import SimilarityInfo, SimilaritySolution, solve_similarity
from ._size_map import similarity

__all__ = ["SimilarityInfo", "SimilaritySolution", "similarity", "solve_similarity"]
