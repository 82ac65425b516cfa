"""Which distances are consistent: triangle violations and the nearest metric, with a certified gap."""

from __future__ import annotations

from ._nearest_metric import nearest_metric
from ._project_and_forget import ProjectAndForget, ProjectionInfo, project_and_forget
from ._result import MetricInfo, NearestMetric
from ._violations import ViolationReport, violations

__all__ = [
    "MetricInfo",
    "NearestMetric",
    "ProjectAndForget",
    "ProjectionInfo",
    "ViolationReport",
    "nearest_metric",
    "project_and_forget",
    "violations",
]
