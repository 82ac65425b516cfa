"""Clusters, coresets, samples and counts over Dask collections (the extra `dask`).

Every block is worked on where it is, by one thread; only weighted points, sums and the rows that were drawn
travel. Random numbers belong to blocks, not to workers: the same seed gives the same answer for any number of
workers and any scheduler. Blocks may be empty.
"""

from __future__ import annotations

from .._naming import claim
from ._comparisons import comparisons
from ._coreset import coreset
from ._kmeans import DaskKMeans, kmeans
from ._sample import sensitivity_sample

__all__ = ["DaskKMeans", "comparisons", "coreset", "kmeans", "sensitivity_sample"]

claim(__name__, __all__, globals(), functions=True)
