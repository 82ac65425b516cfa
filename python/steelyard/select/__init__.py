"""Which few items must we look at: clusters, seeds, samples that are unbiased."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .._naming import claim
from ._active_test import ActiveTest, active_test
from ._coreset import Coreset, StreamingCoreset, coreset, lightweight_coreset
from ._difference import PairedDifference, items_needed, paired_difference
from ._item_plan import ItemEstimate, ItemPlan, plan_items
from ._item_utility import ItemChoice, ItemUtility, item_utility
from ._kmeans import KMeansInfo, KMeansResult, kmeans
from ._leverage import RegressionSample, leverage_scores, regression_sample
from ._location import FacilityLocation, facility_location
from ._logme import Evidence, logme
from ._means import MeanEstimate, pass_at_k, prediction_powered_mean
from ._medoids import Medoids, medoids
from ._model_selector import ModelSelector
from ._sample import Estimate, Sample
from ._seeding import Seeding, kmeans_plusplus
from ._sensitivity import SensitivityPlan, plan_sensitivity, sensitivity_sample
from ._standing import MedoidsInfo

if TYPE_CHECKING:
    from ._estimators import KMeans, KMedoids

__all__ = [
    "ActiveTest",
    "Coreset",
    "Estimate",
    "Evidence",
    "FacilityLocation",
    "ItemChoice",
    "ItemEstimate",
    "ItemPlan",
    "ItemUtility",
    "KMeans",
    "KMeansInfo",
    "KMeansResult",
    "KMedoids",
    "MeanEstimate",
    "Medoids",
    "MedoidsInfo",
    "ModelSelector",
    "PairedDifference",
    "RegressionSample",
    "Sample",
    "Seeding",
    "SensitivityPlan",
    "StreamingCoreset",
    "active_test",
    "coreset",
    "facility_location",
    "item_utility",
    "items_needed",
    "kmeans",
    "kmeans_plusplus",
    "leverage_scores",
    "lightweight_coreset",
    "logme",
    "medoids",
    "paired_difference",
    "pass_at_k",
    "plan_items",
    "plan_sensitivity",
    "prediction_powered_mean",
    "regression_sample",
    "sensitivity_sample",
]

_ESTIMATORS = ("KMeans", "KMedoids")


def __getattr__(name: str) -> Any:
    """The estimators need scikit-learn, which is imported with the first of them."""
    if name in _ESTIMATORS:
        late = importlib.import_module(f"{__name__}._estimators")
        claim(__name__, _ESTIMATORS, vars(late))
        return getattr(late, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_ESTIMATORS})


claim(__name__, __all__, globals())
