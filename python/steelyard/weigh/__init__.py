"""How much does each point count: weighting vectors, magnitude and what people do with them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .._naming import claim
from ._balance import Balance, balance
from ._boundary import Boundary, boundary
from ._diversity import Diversity, DiversityInfo, max_diversity
from ._effect import Effect
from ._enriched import SimilarityInfo, SimilaritySolution, solve_similarity
from ._function import (
    MagnitudeFunction,
    magnitude_area,
    magnitude_difference,
    magnitude_dimension,
    magnitude_function,
)
from ._match import SampleMatch, match_samples
from ._model import PointScores, WeightingModel
from ._query import Query, query
from ._result import WeighInfo, Weighting
from ._scales import find_scale
from ._simplex_qp import SimplexQPInfo, SimplexQPResult, solve_simplex_qp
from ._size_map import similarity
from ._weighting import magnitude, magnitude_distance, spread, weighting

if TYPE_CHECKING:
    from ._estimators import MagnitudeOutlierDetector, WeightingClassifier
    from ._shift_estimators import BalancingWeights, SampleMatcher

__all__ = [
    "Balance",
    "BalancingWeights",
    "Boundary",
    "Diversity",
    "DiversityInfo",
    "Effect",
    "MagnitudeFunction",
    "MagnitudeOutlierDetector",
    "PointScores",
    "Query",
    "SampleMatch",
    "SampleMatcher",
    "SimilarityInfo",
    "SimilaritySolution",
    "SimplexQPInfo",
    "SimplexQPResult",
    "WeighInfo",
    "Weighting",
    "WeightingClassifier",
    "WeightingModel",
    "balance",
    "boundary",
    "find_scale",
    "magnitude",
    "magnitude_area",
    "magnitude_difference",
    "magnitude_dimension",
    "magnitude_distance",
    "magnitude_function",
    "match_samples",
    "max_diversity",
    "query",
    "similarity",
    "solve_similarity",
    "solve_simplex_qp",
    "spread",
    "weighting",
]

_ESTIMATORS = ("MagnitudeOutlierDetector", "WeightingClassifier")
_OF_SHIFT = ("BalancingWeights", "SampleMatcher")


def __getattr__(name: str) -> Any:
    """The estimators need scikit-learn, which is imported with the first of them."""
    if name in _ESTIMATORS:
        late = importlib.import_module(f"{__name__}._estimators")
        claim(__name__, _ESTIMATORS, vars(late))
        return getattr(late, name)
    if name in _OF_SHIFT:
        late = importlib.import_module(f"{__name__}._shift_estimators")
        claim(__name__, _OF_SHIFT, vars(late))
        return getattr(late, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_ESTIMATORS, *_OF_SHIFT})


claim(__name__, __all__, globals())
