"""How much does each point count: weighting vectors, magnitude and what people do with them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .._naming import claim
from ._balance import Balance, balance
from ._boundary import Boundary, boundary
from ._density_ratio import DensityRatio, density_ratio
from ._diversity import Diversity, DiversityInfo, max_diversity
from ._effect import Effect
from ._enriched import SimilarityInfo, SimilaritySolution, solve_similarity
from ._ensembles import EnsembleWeights, ensemble_weights
from ._expected import ExpectedPerformance, expected_performance
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
    from ._weighted_ensemble import WeightedEnsemble

__all__ = [
    "Balance",
    "BalancingWeights",
    "Boundary",
    "DensityRatio",
    "Diversity",
    "DiversityInfo",
    "Effect",
    "EnsembleWeights",
    "ExpectedPerformance",
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
    "WeightedEnsemble",
    "Weighting",
    "WeightingClassifier",
    "WeightingModel",
    "balance",
    "boundary",
    "density_ratio",
    "ensemble_weights",
    "expected_performance",
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
_ENSEMBLES = ("WeightedEnsemble",)


def __getattr__(name: str) -> Any:
    """Estimators need scikit-learn, which is imported with the first of them."""
    if name in _ESTIMATORS:
        late = importlib.import_module(f"{__name__}._estimators")
        claim(__name__, _ESTIMATORS, vars(late))
    elif name in _OF_SHIFT:
        late = importlib.import_module(f"{__name__}._shift_estimators")
        claim(__name__, _OF_SHIFT, vars(late))
    elif name in _ENSEMBLES:
        late = importlib.import_module(f"{__name__}._weighted_ensemble")
        claim(__name__, _ENSEMBLES, vars(late))
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(late, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_ESTIMATORS, *_OF_SHIFT, *_ENSEMBLES})


claim(__name__, __all__, globals())
