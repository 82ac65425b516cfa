"""What a classifier is worth on rows without labels, by its own probabilities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._errors import report
from .._points import read_weights
from .._results import Result
from .._spelling import shown
from .._validate import (
    Progress,
    check_choice,
    check_level,
    check_progress,
    check_threads,
    check_vector,
)

Floats = npt.NDArray[np.float64]

METRICS = ("accuracy", "precision", "recall", "specificity", "f1", "auc")
CELLS = ("tp", "fp", "fn", "tn", "correct")
_EXACT_AUC = 20_000  # rows up to which the area's mean and variance are exact
_BLOCK = 2_000_000


@dataclass(frozen=True)
class _Law:
    """Chances of the counts first, first + 1, ..."""

    first: int
    chances: Floats

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        return np.arange(self.first, self.first + len(self.chances))

    def mean(self) -> float:
        return float(self.counts @ self.chances)

    def quantile(self, share: float) -> int:
        """The least count that is not exceeded with that chance."""
        place = int(np.searchsorted(np.cumsum(self.chances), share - 1e-14))
        return self.first + min(place, len(self.chances) - 1)


def _options(threads: int, progress: Progress | None) -> dict[str, Any]:
    return {"n_threads": threads, "progress": progress}


class _Laws:
    """Laws of the cells of the confusion matrix, each made when asked for, and once."""

    def __init__(
        self,
        p: Floats,
        decided: npt.NDArray[np.bool_],
        threads: int = 1,
        progress: Progress | None = None,
    ) -> None:
        self._p, self._decided, self._options = p, decided, _options(threads, progress)
        self._made: dict[str, _Law] = {}

    def __getitem__(self, cell: str) -> _Law:
        if cell not in self._made:
            p, decided = self._p, self._decided
            events: dict[str, Callable[[], Floats]] = {
                "tp": lambda: p[decided],
                "fp": lambda: 1 - p[decided],
                "fn": lambda: p[~decided],
                "tn": lambda: 1 - p[~decided],
                "correct": lambda: np.where(decided, p, 1 - p),
            }
            self._made[cell] = _Law(*_core.weigh._count_law(events[cell](), **self._options))
        return self._made[cell]


@dataclass(frozen=True)
class _Ratio:
    """The law of factor i / (fixed + i + j), 0 where i = 0, of independent counts i and j."""

    i: _Law
    j: _Law
    factor: int
    fixed: int

    def mean(self) -> float:
        i, j = self.i.counts, self.j.counts
        total, step = 0.0, max(1, _BLOCK // len(j))
        for start in range(0, len(i), step):
            own = i[start : start + step, None]
            values = self.factor * own / np.maximum(self.fixed + own + j, 1)
            total += float(self.i.chances[start : start + step] @ (values @ self.j.chances))
        return total

    def chance(self, x: float) -> float:
        """That the ratio is at most x."""
        i = self.i.counts
        with np.errstate(divide="ignore", invalid="ignore"):
            least = np.where(i > 0, self.factor * i / x - self.fixed - i, -1.0)
        most = self.j.first + len(self.j.chances)
        place = np.ceil(np.clip(least - 1e-7, self.j.first, most)).astype(int) - self.j.first
        beyond = np.append(np.cumsum(self.j.chances[::-1])[::-1], 0.0)  # chances of at least so many
        return float(self.i.chances @ beyond[place])

    def quantile(self, share: float) -> float:
        if self.chance(0.0) >= share - 1e-14:
            return 0.0
        low, high = 0.0, 1.0
        for _ in range(52):
            middle = 0.5 * (low + high)
            low, high = (low, middle) if self.chance(middle) >= share - 1e-14 else (middle, high)
        return high


@dataclass(frozen=True, repr=False, eq=False)
class ExpectedPerformance(Result):
    """What metrics will come to, should labels come.

    Attributes
    ----------
    metrics : tuple of str
        Names, in the order of the arrays below.
    values : ndarray of float64, shape (metrics,)
        Expected values.
    lower, upper : ndarray of float64, shape (metrics,)
        Interval that holds the metric of the true labels with chance `level`, if the probabilities are right.
    kinds : tuple of str
        'exact', or 'asymptotic' for the interval of the area under the curve.
    level : float
    confusion : ndarray of float64, shape (2, 2)
        Expected counts: rows are true classes 0 and 1, columns predicted ones.
    probabilities : ndarray of float64, shape (n,)
        Of class 1 as they were used, after calibration.
    """

    metrics: tuple[str, ...]
    values: Floats
    lower: Floats
    upper: Floats
    kinds: tuple[str, ...]
    level: float
    confusion: Floats
    probabilities: Floats
    _decided: npt.NDArray[np.bool_]

    def __getitem__(self, metric: str) -> float:
        return float(self.values[self.metrics.index(check_choice(metric, "metric", self.metrics))])

    def __repr__(self) -> str:
        told = (
            f"{name} {value:.4g} [{low:.4g}, {high:.4g}]"
            for name, value, low, high in zip(self.metrics, self.values, self.lower, self.upper, strict=True)
        )
        return f"ExpectedPerformance: {len(self.probabilities)} rows, {self.level:.0%}: " + ", ".join(told)

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns ``metric``, ``value``, ``lower``, ``upper`` and ``kind``, for any data frame."""
        return {
            "metric": np.array(self.metrics, dtype=object),
            "value": self.values,
            "lower": self.lower,
            "upper": self.upper,
            "kind": np.array(self.kinds, dtype=object),
        }

    def law(self, cell: str) -> tuple[npt.NDArray[np.int64], Floats]:
        """Chances of the counts of a cell of the confusion matrix.

        Parameters
        ----------
        cell : {'tp', 'fp', 'fn', 'tn', 'correct'}
            True positives and so on; 'correct' is tp + tn.

        Returns
        -------
        counts : ndarray of int64
            All that have a chance worth naming: together those left out have less than 1e-18.
        chances : ndarray of float64
        """
        law = _Laws(self.probabilities, self._decided)[check_choice(cell, "cell", CELLS)]
        return law.counts, law.chances


def _check_probabilities(values: Any, name: str) -> Floats:
    p = check_vector(values, name)
    if not len(p):
        raise ValueError(f"{name} must have at least one entry")
    outside = np.flatnonzero((p < 0) | (p > 1))
    if len(outside):
        raise ValueError(f"{name} must lie between 0 and 1, got {p[outside[0]]} at {outside[0]}")
    return p


def _check_classes(values: Any, name: str, n: int) -> npt.NDArray[np.bool_]:
    labels = check_vector(values, name, length=n)
    if not ((labels == 0) | (labels == 1)).all():
        raise ValueError(f"{name} must hold 0 and 1 alone, got {labels[(labels != 0) & (labels != 1)][0]:g}")
    return np.asarray(labels == 1)


def _calibrated(p: Floats, reference: Any, weights: Any) -> Floats:
    """Probabilities that the reference teaches: increasing in the given ones, linear between its own."""
    if not isinstance(reference, tuple | list) or len(reference) != 2:
        raise TypeError(f"reference must be a pair (probabilities, labels), got {shown(reference)}")
    given = _check_probabilities(reference[0], "reference[0]")
    labels = _check_classes(reference[1], "reference[1]", len(given))
    weight = np.ones(len(given))
    if weights is not None:
        try:
            weight = np.asarray(read_weights(weights, len(given)))
        except (TypeError, ValueError) as error:
            raise type(error)(str(error).replace("sample_weight", "weights")) from None
    kept = weight > 0
    points, place = np.unique(given[kept], return_inverse=True)
    mass = np.bincount(place, weights=weight[kept])
    share = np.bincount(place, weights=weight[kept] * labels[kept]) / mass
    fitted = _core.weigh._pool_neighbours(share, mass)
    return np.clip(np.interp(p, points, fitted), 0.0, 1.0)


def expected_performance(
    probabilities: npt.ArrayLike,
    predictions: npt.ArrayLike | None = None,
    *,
    reference: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    metrics: Sequence[str] = ("accuracy", "precision", "recall", "f1", "auc"),
    weights: npt.ArrayLike | None = None,
    level: float = 0.95,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> ExpectedPerformance:
    """What a binary classifier is worth on rows whose labels nobody knows yet.

    All of it holds if two things do: the probabilities are calibrated on these very rows (of those with .7,
    seven in ten are of class 1), and labels are independent given them. Nothing here can check that; if the
    relation of the features to the label has changed, the answer is wrong, however exact.

    Parameters
    ----------
    probabilities : array_like, shape (n,)
        The classifier's probability of class 1. With `reference` they need not be calibrated.
    predictions : array_like of 0 and 1, shape (n,), or None
        What it decided; None: 1 where its probability is at least 1/2.
    reference : tuple (probabilities, labels) or None
        Rows with labels, on which probabilities are calibrated: the nearest increasing function [1]_, linear
        in between.
    metrics : sequence of str
        Of 'accuracy', 'precision', 'recall', 'specificity', 'f1', 'auc'.
    weights : array_like, shape of reference[0], or None
        Importance weights of the reference, the density of the new rows over that of the reference
        (`density_ratio`): calibration for a population that has shifted (PAPE [2]_).
    level : float, default 0.95
        Of the intervals.
    n_threads : int or None, default None
        Threads; None means the default of `steelyard.build_info`.
    progress : callable or None, default None
        Called as ``progress(done, total)`` after each metric.

    Returns
    -------
    ExpectedPerformance

    Raises
    ------
    TypeError
        If an argument is of the wrong kind.
    ValueError
        If probabilities lie outside 0 to 1, classes are not 0 and 1, or 'auc' is asked for where both
        classes can't occur.
    KeyboardInterrupt
        On Ctrl-C.

    Notes
    -----
    True positives, and each other cell of the confusion matrix, are sums of independent events: their law
    (Poisson-binomial) is computed by convolution, and 'accuracy' and 'precision' follow it. 'recall',
    'specificity' and 'f1' are ratios of two such counts, whose joint law gives mean and interval. An
    undefined ratio counts as 0. Expected ratios are not ratios of expectations: on few rows the difference is
    large.

    'auc' ranks by the given probabilities, ties half. Up to 20,000 rows its mean and variance, given that
    both classes occur, are exact; beyond, it is the ratio of expected pairs of different rows, off by O(1/n).
    Its interval is that of a normal law with that variance: asymptotic.

    Time: O(n + n s) with s the standard deviation of a count, at most sqrt(n) / 2, times a logarithm; 'auc'
    O(n log n), below the limit O(n s).

    References
    ----------
    .. [1] Zadrozny, Elkan, "Transforming classifier scores into accurate multiclass probability estimates",
       KDD 2002.
    .. [2] Bialek et al., "Estimating model performance under covariate shift without labels",
       arXiv 2401.08348.

    Examples
    --------
    >>> from steelyard.weigh import expected_performance
    >>> found = expected_performance([0.9, 0.8, 0.3, 0.1], metrics=["accuracy", "auc"])
    >>> found.values.round(3)
    array([0.825, 0.919])
    """
    given = _check_probabilities(probabilities, "probabilities")
    names = _check_metrics(metrics)
    share = check_level(level)
    threads = check_threads(n_threads)
    callback = check_progress(progress)
    decided = given >= 0.5 if predictions is None else _check_classes(predictions, "predictions", len(given))
    if reference is None and weights is not None:
        raise ValueError("weights must be None without a reference: they are those of its rows")
    p = given.copy() if reference is None else _calibrated(given, reference, weights)

    laws = _Laws(p, decided, threads, callback)
    counted = [name for name in names if name != "auc"]
    found = []
    for name in counted:
        found.append(_estimate(name, laws, int(decided.sum()), len(p), share))
        report(callback, len(found), len(names))
    if "auc" in names:
        found.insert(names.index("auc"), _auc(p, given, share, callback))
    values, lower, upper = (np.array([row[k] for row in found]) for k in range(3))
    sums = [[float(x[~decided].sum()), float(x[decided].sum())] for x in (1 - p, p)]
    confusion = np.array(sums)
    for array in (values, lower, upper, confusion, p, decided):
        array.flags.writeable = False
    kinds = tuple("asymptotic" if name == "auc" else "exact" for name in names)
    return ExpectedPerformance(names, values, lower, upper, kinds, share, confusion, p, decided)


def _check_metrics(metrics: Any) -> tuple[str, ...]:
    if isinstance(metrics, str):
        metrics = (metrics,)
    try:
        names = tuple(check_choice(name, "metrics", METRICS) for name in metrics)
    except TypeError:
        raise TypeError(f"metrics must be names of metrics, got {shown(metrics)}") from None
    if not names or len(set(names)) < len(names):
        raise ValueError(f"metrics must name at least one, each but once, got {shown(metrics)}")
    return names


def _estimate(name: str, laws: _Laws, predicted: int, n: int, level: float) -> tuple[float, float, float]:
    """Mean and ends of the interval of a metric that depends on counts alone."""
    low, high = (1 - level) / 2, (1 + level) / 2
    if name in ("accuracy", "precision"):
        law, size = (laws["correct"], n) if name == "accuracy" else (laws["tp"], max(predicted, 1))
        return law.mean() / size, law.quantile(low) / size, law.quantile(high) / size
    ratio = {
        "recall": _Ratio(laws["tp"], laws["fn"], 1, 0),
        "specificity": _Ratio(laws["tn"], laws["fp"], 1, 0),
        "f1": _Ratio(laws["tp"], laws["fn"], 2, predicted),
    }[name]
    return ratio.mean(), ratio.quantile(low), ratio.quantile(high)


def _auc(p: Floats, scores: Floats, level: float, progress: Progress | None) -> tuple[float, float, float]:
    value, deviation, _ = _core.weigh._expected_auc(p, scores, _EXACT_AUC, progress=progress)
    if not np.isfinite(value):
        raise ValueError("probabilities must leave both classes possible for 'auc': leave it out of metrics")
    half = NormalDist().inv_cdf((1 + level) / 2) * deviation
    return value, max(value - half, 0.0), min(value + half, 1.0)
