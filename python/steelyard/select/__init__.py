"""Which few items must we look at: clusters, seeds, samples that are unbiased."""

from __future__ import annotations

from ._coreset import Coreset, StreamingCoreset, coreset, lightweight_coreset
from ._kmeans import KMeansInfo, KMeansResult, kmeans
from ._sample import Estimate, Sample
from ._seeding import Seeding, kmeans_plusplus
from ._sensitivity import SensitivityPlan, plan_sensitivity, sensitivity_sample

__all__ = [
    "Coreset",
    "Estimate",
    "KMeansInfo",
    "KMeansResult",
    "Sample",
    "Seeding",
    "SensitivityPlan",
    "StreamingCoreset",
    "coreset",
    "kmeans",
    "kmeans_plusplus",
    "lightweight_coreset",
    "plan_sensitivity",
    "sensitivity_sample",
]
