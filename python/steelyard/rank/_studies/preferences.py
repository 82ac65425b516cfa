"""What each metric is worth, from preferences: weights of a logistic model, with a duality gap."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..._errors import finish, report
from ..._info import Info
from ..._results import Result
from ..._validate import check_flag, check_positive, check_progress, check_steps, check_vector, real_array
from .._table import given_labels

Values = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

_BLOCK = 1024  # rows that are added up at once: sums of blocks keep rounding small
_FAR = 1e70  # squares of larger differences, times the number of rows, overflow
_EPS = float(np.finfo(np.float64).eps)
_SLOPE, _LEAST_STEP = 1e-4, 1e-10


@dataclass(frozen=True, repr=False, eq=False)
class PreferenceWeights(Result):
    """Weights of metrics that tell best which of two people preferred.

    Attributes
    ----------
    items : ndarray, shape (n_metrics,)
        Labels of the metrics.
    weights : ndarray, shape (n_metrics,)
        Of the metrics as they came: the log odds of a preference are the weighted sum of their differences.
    effects : ndarray, shape (n_metrics,)
        Weight times the metric's typical difference: what can be compared between metrics.
    log_loss : float
        Mean over preferences; ln 2 where metrics know nothing.
    accuracy : float
        Share of preferences that the weighted sum gets right, equal sums half.
    n_preferences : int
    info : Info
        `error_bound` is the duality gap, rounding included, in units of the objective without metrics.
    """

    items: Values
    weights: Floats
    effects: Floats
    log_loss: float
    accuracy: float
    n_preferences: int
    info: Info = field(repr=False)

    def __repr__(self) -> str:
        return (
            f"PreferenceWeights: {len(self.items):,} metrics from {self.n_preferences:,} preferences, "
            f"{100 * self.accuracy:.1f} % told right, log loss {self.log_loss:.4f}"
        )

    @property
    def tau(self) -> float:
        """Kendall's tau of the weighted sum with the preferences: 2 accuracy - 1."""
        return 2.0 * self.accuracy - 1.0

    def to_frame(self) -> dict[str, Values]:
        """Columns ``item``, ``weight`` and ``effect``, the largest effect first."""
        order = np.argsort(-np.abs(self.effects), kind="stable")
        return {"item": self.items[order], "weight": self.weights[order], "effect": self.effects[order]}

    def score(self, metrics: Any) -> Floats:
        """The weighted sum of each row of metrics, shape (n, n_metrics)."""
        array = real_array(metrics, "metrics")
        if array.ndim != 2 or array.shape[1] != len(self.weights):
            raise ValueError(f"metrics must have shape (n, {len(self.weights)}), got {array.shape}")
        rows = array.astype(np.float64)
        if not (np.abs(rows) <= _FAR).all():
            raise ValueError("metrics has entries that are NaN, infinite or beyond +-1e70")
        return np.asarray(rows @ self.weights)


class _Point(NamedTuple):
    value: float
    upper: float
    lower: float
    gradient: Floats
    hessian: Floats


def preference_weights(
    better: Any,
    worse: Any,
    *,
    ridge: float = 1.0,
    nonnegative: bool = True,
    standardize: bool = True,
    sample_weight: Any = None,
    items: Any = None,
    tol: float = 1e-9,
    max_iter: int = 100,
    progress: Any = None,
) -> PreferenceWeights:
    """Weights of metrics from pairs of which people preferred one, to calibrate metrics to preferences.

    Parameters
    ----------
    better, worse : array_like, shape (n_preferences, n_metrics)
        Metrics of what was preferred, and of what it was preferred to.
    ridge : float, default 1.0
        Weight of half the squared effects, worth about as much as one preference: it keeps weights finite
        where metrics tell every preference.
    nonnegative : bool, default True
        Whether a metric may only count for what it measures, not against it.
    standardize : bool, default True
        Whether each metric is measured in its root mean square difference, so that `ridge` does not depend
        on its unit.
    sample_weight : array_like, shape (n_preferences,), optional
        How often a preference counts.
    items : array_like, shape (n_metrics,), optional
        Labels of the metrics; default 0, 1, ...
    tol : float, default 1e-9
        Largest duality gap, in units of the objective without metrics (ln 2 a preference).
    max_iter : int, default 100
        Newton steps.
    progress : callable, optional
        ``progress(done, total)`` is called after each step; from it KeyboardInterrupt ends the work.

    Returns
    -------
    PreferenceWeights

    Raises
    ------
    ValueError
        If shapes do not fit, or entries are missing, infinite or beyond +-1e70.

    Warns
    -----
    ConvergenceWarning
        If the gap is above `tol`.

    Notes
    -----
    With z = (better - worse) / scale, the least sum of log(1 + exp(-z.w)) + ridge / 2 |w|^2 over w >= 0, by
    projected Newton steps. Any a in [0, 1] bounds it from below: sum H(a) - |max(Z'a, 0)|^2 / (2 ridge), H
    the entropy; a = 1 / (1 + exp(z.w)) is used, and what rounding can add is taken off. The distance of the
    effects from the best ones is at most the square root of 2 gap / ridge. Time O(n d^2) a step, some six
    steps; memory O(d^2) beyond the arrays.

    References
    ----------
    G. Winata et al., "MetaMetrics: Calibrating Metrics for Generation Tasks Using Human Preferences", ICLR
    (2025), whose Bayesian optimisation of a rank correlation this replaces by a convex problem.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> first, second = rng.normal(size=(2, 2000, 3))
    >>> odds = (first - second) @ [2.0, 0.5, 0.0]
    >>> wins = rng.random(2000) < 1 / (1 + np.exp(-odds))
    >>> better, worse = np.where(wins[:, None], (first, second), (second, first))
    >>> found = preference_weights(better, worse, items=["chrF", "BLEU", "length"])
    >>> print(found.weights.round(1))
    [2.  0.5 0. ]
    """
    pairs = _Pairs.read(better, worse, sample_weight, check_flag(standardize, "standardize"))
    lam, tol = check_positive(ridge, "ridge"), check_positive(tol, "tol")
    bounded, most = check_flag(nonnegative, "nonnegative"), check_steps(max_iter, "max_iter")
    progress = check_progress(progress)
    labels = np.arange(pairs.metrics) if items is None else given_labels(items, "items")
    if len(labels) != pairs.metrics:
        raise ValueError(f"items must have one label a metric ({pairs.metrics}), got {len(labels)}")
    start, unit = time.perf_counter(), float(pairs.weight.sum()) * np.log(2.0)
    w = np.zeros(pairs.metrics)
    now, steps, best = pairs.at(w, lam, bounded), 0, -np.inf
    while steps < most:
        best = max(best, now.lower)
        if now.upper - best <= tol * unit:
            break
        steps += 1
        moved = _newton_step(pairs, w, now, lam, bounded)
        if moved is None:
            break
        w, now = moved
        report(progress, steps, most)
    gap = max(now.upper - max(best, now.lower), 0.0) / float(unit)
    accuracy, loss = pairs.told(w)
    info = Info(
        converged=bool(gap <= tol),
        iterations=steps,
        solver="projected Newton" if bounded else "Newton",
        seconds=time.perf_counter() - start,
        tol=tol,
        error_bound=gap,
        error_kind="rigorous",
        message=_words(pairs, labels)
        if gap <= tol
        else f"the duality gap is {gap:.1e}; raise max_iter or ridge",
    )
    found = PreferenceWeights(labels, w / pairs.scale, w, loss, accuracy, pairs.rows, info)
    return finish(found, "preference_weights")


def _words(pairs: _Pairs, labels: Values) -> str:
    """Which metrics cannot tell any pair apart."""
    same = labels[pairs.size == 0]
    if len(same) == len(labels):
        return "better and worse are alike in every pair: nothing is known of any metric"
    if not len(same):
        return ""
    return f"alike in every pair, so without weight: {', '.join(map(str, same[:5]))}" + (
        f" and {len(same) - 5} more" if len(same) > 5 else ""
    )


class _Pairs(NamedTuple):
    """Differences of metrics, read a block at a time, in units of `scale`."""

    better: Values
    worse: Values
    weight: Floats
    scale: Floats
    size: Floats  # weighted sum of each metric's absolute differences, in units of scale

    @classmethod
    def read(cls, better: Any, worse: Any, sample_weight: Any, standardize: bool) -> _Pairs:
        first, second = real_array(better, "better"), real_array(worse, "worse")
        if first.ndim != 2 or 0 in first.shape:
            raise ValueError(f"better must have shape (n_preferences, n_metrics), got {first.shape}")
        if second.shape != first.shape:
            raise ValueError(f"worse must have the shape of better, {first.shape}, got {second.shape}")
        for name, array in (("better", first), ("worse", second)):
            if not (np.abs(array.astype(np.float64)) <= _FAR).all():
                raise ValueError(f"{name} has entries that are NaN, infinite or beyond +-1e70")
        weight = np.ones(len(first))
        if sample_weight is not None:
            weight = check_vector(sample_weight, "sample_weight", length=len(first))
            if weight.min() < 0 or not 0 < weight.max() <= _FAR:
                raise ValueError("sample_weight must be nonnegative, some of it positive, at most 1e70")
        one = np.ones(first.shape[1])
        pairs, share = cls(first, second, weight, one, one), weight / weight.max()
        if standardize:
            top = np.max([np.abs(z).max(axis=0) for _, z in pairs.blocks()], axis=0)
            top[top == 0] = 1.0
            squares = sum(share[rows] @ (z / top) ** 2 for rows, z in pairs.blocks())
            size = np.sqrt(squares / share.sum()) * top
            pairs = pairs._replace(scale=np.where(size > 0, size, 1.0))
        return pairs._replace(size=np.sum([weight[rows] @ np.abs(z) for rows, z in pairs.blocks()], axis=0))

    @property
    def rows(self) -> int:
        return len(self.better)

    @property
    def metrics(self) -> int:
        return int(self.better.shape[1])

    def blocks(self) -> Iterator[tuple[slice, Floats]]:
        for start in range(0, self.rows, _BLOCK):
            rows = slice(start, start + _BLOCK)
            z = self.better[rows].astype(np.float64)
            z -= self.worse[rows]
            z /= self.scale
            yield rows, z

    def at(self, w: Floats, ridge: float, bounded: bool) -> _Point:
        """Objective and lower bound at w, each moved outwards by what rounding can do."""
        from scipy import special

        d = len(w)
        value = slack = 0.0  # H(a) = log(1 + exp(-x)) + a x at the slope a of x
        pull, hessian = np.zeros(d), np.zeros((d, d))
        for rows, z in self.blocks():
            weight, x = self.weight[rows], z @ w
            slope = special.expit(-x)
            a = weight * slope
            value -= float(weight @ special.log_expit(x))
            slack += float(a @ x)
            pull += a @ z
            slope *= -a
            slope += a
            hessian += (z * slope[:, None]).T @ z
        few, many = (d + 8) * _EPS, (_BLOCK + self.rows / _BLOCK + 8) * _EPS
        doubt = (few + many) * float(self.size @ np.abs(w)) + many * value
        penalty = 0.5 * ridge * float(w @ w)
        kept = (np.maximum(pull, 0.0) if bounded else np.abs(pull)) + many * self.size
        shrunk = 0.5 / ridge * float(kept @ kept)
        upper = value + penalty + doubt + few * penalty
        lower = value + slack - doubt - shrunk * (1 + few)
        return _Point(value + penalty, upper, lower, ridge * w - pull, hessian + ridge * np.eye(d))

    def told(self, w: Floats) -> tuple[float, float]:
        """Share of preferences told right, and log loss."""
        right = loss = 0.0
        for rows, z in self.blocks():
            x, weight = z @ w, self.weight[rows]
            right += float(weight @ (0.5 * (np.sign(x) + 1.0)))
            loss += float(weight @ np.logaddexp(0.0, -x))
        total = float(self.weight.sum())
        return right / total, loss / total


def _newton_step(
    pairs: _Pairs, w: Floats, now: _Point, ridge: float, bounded: bool
) -> tuple[Floats, _Point] | None:
    """Where a step with less value leads; None where rounding leaves none.

    Bertsekas' two sets: a weight near 0 whose gradient presses it there goes by its own gradient alone.
    """
    g, h = now.gradient, now.hessian
    free = np.ones(len(w), dtype=bool)
    if bounded:
        moved = np.maximum(w - g / np.diag(h), 0.0)
        near = min(1e-3, float(np.abs(w - moved).max()))
        free = ~((w <= near) & (g > 0))
    step = -g / np.diag(h)
    if free.any():
        step[free] = -np.linalg.solve(h[np.ix_(free, free)], g[free])
    t = 1.0
    while t >= _LEAST_STEP:
        moved = w + t * step
        if bounded:
            moved = np.maximum(moved, 0.0)
        if (moved == w).all():
            break
        then = pairs.at(moved, ridge, bounded)
        if then.value <= now.value + _SLOPE * float(g @ (moved - w)):
            return (moved, then) if then.value < now.value or then.lower > now.lower else None
        t *= 0.5
    return None
