"""Which distances are consistent: violations, the nearest metric, clusters; with certified gaps."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .._naming import claim
from ._cluster_edges import cluster_edges
from ._clustering import correlation_clustering
from ._clustering_result import ConflictCycles, CorrelationClustering
from ._grid_edges import grid_edges
from ._nearest_metric import nearest_metric
from ._project_and_forget import ProjectAndForget, ProjectionInfo, project_and_forget
from ._random_rows import RandomRows
from ._result import MetricInfo, NearestMetric
from ._violations import ViolationReport, violations

if TYPE_CHECKING:
    from ._clusterer import CorrelationClusterer
    from ._itml import ITML, ITMLSupervised, MetricLearningInfo

__all__ = [
    "ITML",
    "ConflictCycles",
    "CorrelationClusterer",
    "CorrelationClustering",
    "ITMLSupervised",
    "MetricInfo",
    "MetricLearningInfo",
    "NearestMetric",
    "ProjectAndForget",
    "ProjectionInfo",
    "RandomRows",
    "ViolationReport",
    "cluster_edges",
    "correlation_clustering",
    "grid_edges",
    "nearest_metric",
    "project_and_forget",
    "violations",
]

_ESTIMATORS = ("ITML", "ITMLSupervised", "MetricLearningInfo")
_CLUSTERERS = ("CorrelationClusterer",)


def __getattr__(name: str) -> Any:
    """The estimators need scikit-learn, which is imported with the first of them."""
    if name in _ESTIMATORS:
        late = importlib.import_module(f"{__name__}._itml")
        claim(__name__, _ESTIMATORS, vars(late))
        return getattr(late, name)
    if name in _CLUSTERERS:
        late = importlib.import_module(f"{__name__}._clusterer")
        claim(__name__, _CLUSTERERS, vars(late))
        return getattr(late, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_ESTIMATORS, *_CLUSTERERS})


claim(__name__, __all__, globals())
