"""One score from performance and what it costs, each metric in the unit of performance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._results import Result
from ..._spelling import shown
from ..._validate import check_nonnegative, check_vector, real_array
from .._table import given_labels

Values = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

_FAR = 1e100


@dataclass(frozen=True, repr=False, eq=False)
class Dynascore(Result):
    """Scores of models from several metrics, each exchanged for performance.

    Attributes
    ----------
    items : ndarray, shape (n_models,)
    scores : ndarray, shape (n_models,)
    exchange_rates : ndarray, shape (n_metrics,)
        How much of a metric is worth a unit of performance: the mean of |change of the metric| / change of
        performance, over neighbours in the order of performance. 0 where a metric never changes.
    weights : ndarray, shape (1 + n_metrics,)
        Of performance, then of the metrics; they add up to 1.
    parts : ndarray, shape (n_models, 1 + n_metrics)
        What performance and each metric add to the score.
    n_steps : int
        Neighbours whose performance differs by more than the cutoff, from which the rates are.
    """

    items: Values
    scores: Floats
    exchange_rates: Floats
    weights: Floats
    parts: Floats
    n_steps: int

    def __repr__(self) -> str:
        best = self.items[int(self.scores.argmax())]
        return (
            f"Dynascore: {len(self.items):,} models by performance and {len(self.exchange_rates):,} metrics, "
            f"best {best} with {self.scores.max():.4g}"
        )

    def to_frame(self) -> dict[str, Values]:
        """Columns ``item``, ``score``, ``performance`` and ``metric_0`` ..., best first."""
        order = np.argsort(-self.scores, kind="stable")
        metrics = {f"metric_{k}": self.parts[order, 1 + k] for k in range(len(self.exchange_rates))}
        return {
            "item": self.items[order],
            "score": self.scores[order],
            "performance": self.parts[order, 0],
            **metrics,
        }


def dynascore(
    metrics: Any,
    performance: Any,
    weights: Any = None,
    *,
    lower_is_better: Any = None,
    items: Any = None,
    cutoff: float = 1e-4,
) -> Dynascore:
    """One score a model from performance, throughput, memory, fairness and the like (Dynascore).

    Parameters
    ----------
    metrics : array_like, shape (n_models, n_metrics)
        Beside performance. A constant added to a metric moves all scores alike.
    performance : array_like, shape (n_models,)
        Larger is better.
    weights : array_like, shape (1 + n_metrics,), optional
        Of performance, then of the metrics, divided by their sum; default 1/2 for performance, the other half
        shared by the metrics.
    lower_is_better : array_like of bool, shape (n_metrics,), optional
        Metrics to be turned around, such as memory; default none.
    items : array_like, shape (n_models,), optional
        Labels of the models; default 0, 1, ...
    cutoff : float, default 1e-4
        Neighbours whose performance differs by at most this share of the largest |performance| tell no rate.

    Returns
    -------
    Dynascore

    Raises
    ------
    ValueError
        If there are fewer than two models, all performances are equal, or entries are missing or infinite.

    Notes
    -----
    Models in the order of performance; the rate of a metric is the mean over neighbours of |change of the
    metric| / change of performance; score = sum of weight times metric / rate [1]_. The rate of performance
    itself is 1. A metric that never changes counts for nothing. Of models with equal performance the one that
    comes first in the input is first. A rate is a property of the models that were entered: another entry
    changes all scores, their order too.

    References
    ----------
    .. [1] Z. Ma et al., "Dynaboard: An Evaluation-As-A-Service Platform for Holistic Next-Generation
       Benchmarking", NeurIPS (2021).

    Examples
    --------
    >>> import numpy as np
    >>> performance = [69.5, 69.1, 67.3]
    >>> memory = [[5.7], [4.8], [2.2]]
    >>> found = dynascore(memory, performance, lower_is_better=[True], items=["large", "base", "small"])
    >>> print(found.to_frame()["item"])
    ['base' 'large' 'small']
    """
    perf = check_vector(performance, "performance")
    table = real_array(metrics, "metrics")
    if table.ndim != 2 or table.shape[1] < 1:
        raise ValueError(f"metrics must have shape (n_models, n_metrics), got {table.shape}")
    if len(perf) != len(table) or len(perf) < 2:
        raise ValueError(
            f"performance must have one value a model of at least two ({len(table)} rows of metrics), "
            f"got {len(perf)}"
        )
    values = table.astype(np.float64)
    if not (np.abs(values) <= _FAR).all() or not (np.abs(perf) <= _FAR).all():
        name = "performance" if (np.abs(values) <= _FAR).all() else "metrics"
        raise ValueError(f"{name} has entries that are NaN, infinite or beyond +-1e100")
    k = values.shape[1]
    share = _shares(weights, k)
    if lower_is_better is not None:
        turned = np.asarray(lower_is_better)
        if turned.dtype != np.bool_ or turned.shape != (k,):
            raise ValueError(
                f"lower_is_better must be {k} booleans, one a metric, got {shown(lower_is_better)}"
            )
        values = np.where(turned, -values, values)
    labels = np.arange(len(perf)) if items is None else given_labels(items, "items")
    if len(labels) != len(perf):
        raise ValueError(f"items must have one label a model ({len(perf)}), got {len(labels)}")
    order = np.argsort(perf, kind="stable")
    change = np.diff(perf[order])
    told = change > check_nonnegative(cutoff, "cutoff") * np.abs(perf).max()
    if not told.any():
        raise ValueError("performance does not differ by more than cutoff anywhere: metrics have no rate")
    rates = (np.abs(np.diff(values[order], axis=0))[told] / change[told, None]).mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        exchanged = np.where(rates > 0, values / rates, 0.0)
    parts = share * np.column_stack([perf, exchanged])
    if not np.isfinite(parts).all():
        raise ValueError("metrics have values beyond what their changes can be exchanged for; leave such out")
    return Dynascore(labels, parts.sum(axis=1), rates, share, parts, int(told.sum()))


def _shares(weights: Any, k: int) -> Floats:
    if weights is None:
        return np.concatenate([[0.5], np.full(k, 0.5 / k)])
    given = check_vector(weights, "weights", length=1 + k)
    if given.min() < 0 or not 0 < given.max() <= _FAR:
        raise ValueError("weights must be nonnegative, some of them positive, at most 1e100")
    return np.asarray(given / given.sum())
