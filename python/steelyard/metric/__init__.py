"""Which distances are consistent: triangle violations and the nearest metric, with a certified gap."""

from __future__ import annotations

from ._nearest_metric import MetricInfo, NearestMetric, nearest_metric
from ._violations import ViolationReport, violations

__all__ = ["MetricInfo", "NearestMetric", "ViolationReport", "nearest_metric", "violations"]
