"""Which few items must we look at: clusters, seeds, samples that are unbiased."""

from __future__ import annotations

from ._kmeans import KMeansInfo, KMeansResult, kmeans
from ._sample import Estimate, Sample
from ._seeding import Seeding, kmeans_plusplus
from ._sensitivity import SensitivityPlan, plan_sensitivity, sensitivity_sample

__all__ = [
    "Estimate",
    "KMeansInfo",
    "KMeansResult",
    "Sample",
    "Seeding",
    "SensitivityPlan",
    "kmeans",
    "kmeans_plusplus",
    "plan_sensitivity",
    "sensitivity_sample",
]
