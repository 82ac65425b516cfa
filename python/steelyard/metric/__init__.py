"""Which distances are consistent: violations, the nearest metric, clusters; with certified gaps."""

from __future__ import annotations

from ._clustering import CorrelationClustering, correlation_clustering
from ._nearest_metric import nearest_metric
from ._project_and_forget import ProjectAndForget, ProjectionInfo, project_and_forget
from ._result import MetricInfo, NearestMetric
from ._violations import ViolationReport, violations

__all__ = [
    "CorrelationClustering",
    "MetricInfo",
    "NearestMetric",
    "ProjectAndForget",
    "ProjectionInfo",
    "ViolationReport",
    "correlation_clustering",
    "nearest_metric",
    "project_and_forget",
    "violations",
]
