"""Means with errors: few judgements by people beside many by a model, and pass@k."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._errors import warn
from .._results import Result
from .._validate import check_choice, check_count, check_level, check_vector, is_one
from ._sample import Floats, student_quantile

_FAR = 1e150
_MOST_K = 100_000


@dataclass(frozen=True, repr=False)
class MeanEstimate(Result):
    """A mean with its error.

    Attributes
    ----------
    mean, standard_error : float
    lower, upper, level : float
        Of the interval, by Student's t.
    degrees_of_freedom : float
        Infinite where the normal law is used.
    relative_efficiency : float
        Times the items that a plain mean would need for this error; 1 for a plain mean.
    """

    mean: float
    standard_error: float
    lower: float
    upper: float
    level: float
    degrees_of_freedom: float
    relative_efficiency: float = 1.0

    def __repr__(self) -> str:
        worth = self.relative_efficiency
        more = f", worth {worth:.2f} x the items of a plain mean" if worth != 1 else ""
        return (
            f"MeanEstimate: {self.mean:.6g} +- {self.standard_error:.3g}, {100 * self.level:g} % interval "
            f"{self.lower:.6g} to {self.upper:.6g}{more}"
        )


def prediction_powered_mean(
    labels: Any, predictions: Any, all_predictions: Any, *, level: float = 0.95
) -> MeanEstimate:
    """The mean of what people would say of many items, from few of their labels and a model's on all.

    Parameters
    ----------
    labels : array_like, shape (n,)
        By people, of items chosen by chance.
    predictions : array_like, shape (n,)
        The model's of the same items.
    all_predictions : array_like, shape (N,)
        The model's of the items without labels.
    level : float, default 0.95

    Returns
    -------
    MeanEstimate

    Raises
    ------
    ValueError
        If there are fewer than three labels or fewer than two further predictions.

    Notes
    -----
    mean(labels) + c (mean(all_predictions) - mean(predictions)), with the c of least variance that the labels
    show, c = cov(labels, predictions) / ((1 + n / N) var(predictions)) [1]_. The variance of what the
    predictions leave is divided by n - 2, one less than that of a plain mean, since c was fitted. Where the
    interval would not be narrower than that of the labels alone, it is that one: predictions that say nothing
    cost nothing.

    References
    ----------
    .. [1] A. Angelopoulos, J. Duchi, T. Zrnic, "PPI++: Efficient Prediction-Powered Inference",
       arXiv:2311.01453 (2023).

    Examples
    --------
    >>> people, judge = [1, 0, 1, 1, 0, 1, 0, 1], [0.9, 0.2, 0.8, 0.9, 0.1, 0.7, 0.3, 0.8]
    >>> found = prediction_powered_mean(people, judge, [0.8, 0.2, 0.9, 0.7] * 100)
    >>> print(round(found.mean, 3), round(found.standard_error, 3))
    0.718 0.053
    """
    y = _values(labels, "labels")
    f = _values(predictions, "predictions")
    rest = _values(all_predictions, "all_predictions")
    n, more, wide = len(y), len(rest), check_level(level)
    if len(f) != n:
        raise ValueError(f"predictions must have length {n}, as labels has, got {len(f)}")
    if n < 3:
        raise ValueError(f"labels must have three entries at least, got {n}")
    if more < 2:
        raise ValueError(f"all_predictions must have two entries at least, got {more}")
    plain = float(y.var(ddof=1) / n)
    best = _interval(float(y.mean()), plain, n - 1.0, wide)
    about = f - f.mean()
    squares = float(about @ about)
    if plain <= 0:
        warn("labels are all equal: they say nothing of the error of their mean, which is not 0", UserWarning)
    if squares <= 0 or plain <= 0:
        return best
    slope = float(about @ y) / squares / (1.0 + n / more)
    left = (y - y.mean()) - slope * about
    variance = float(left @ left) / (n * (n - 2.0)) + slope**2 * float(rest.var(ddof=1)) / more
    mean = float(y.mean()) + slope * float(rest.mean() - f.mean())
    powered = _interval(mean, variance, n - 2.0, wide, plain / variance if variance > 0 else np.inf)
    return powered if powered.upper - powered.lower < best.upper - best.lower else best


def pass_at_k(
    successes: Any, attempts: Any, k: int, *, problems: str = "sample", level: float = 0.95
) -> MeanEstimate:
    """The chance that at least one of k attempts at a problem succeeds, over the problems, with its error.

    Parameters
    ----------
    successes : array_like of int, shape (n_problems,)
    attempts : int or array_like of int, shape (n_problems,)
        At each problem, at least k.
    k : int
    problems : {'sample', 'fixed'}, default 'sample'
        Whether the error is that of problems of this kind, or of these alone, had each been tried without
        end: then each problem needs 2 k attempts at least.
    level : float, default 0.95

    Returns
    -------
    MeanEstimate
        The interval ends at 0 and 1.

    Raises
    ------
    ValueError
        If counts are negative, fractional, or more than the attempts, or attempts are too few.

    Notes
    -----
    A problem of n attempts with c successes has 1 - C(n - c, k) / C(n, k), which is unbiased [1]_. For a
    sample of problems the standard error is that of their mean, which holds the scatter of the attempts. For
    fixed problems it is taken from attempts alone, without bias: the square of the chance of k failures is
    estimated by C(n - c, 2k) / C(n, 2k).

    References
    ----------
    .. [1] M. Chen et al., "Evaluating Large Language Models Trained on Code", arXiv:2107.03374 (2021).

    Examples
    --------
    >>> print(round(pass_at_k([3, 0, 10, 1], 10, 2).mean, 4))
    0.4333
    """
    wanted = check_count(k, "k", most=_MOST_K)
    c = _counts(successes, "successes")
    n = _counts(attempts, "attempts")
    if n.ndim == 0:
        n = np.full(len(c) if c.ndim else 0, float(n))
    check_choice(problems, "problems", ("sample", "fixed"))
    wide = check_level(level)
    if c.ndim != 1 or len(c) < 2:
        raise ValueError(f"successes must be counts of two problems at least, got shape {c.shape}")
    if n.shape != c.shape:
        raise ValueError(f"attempts must have shape {c.shape}, as successes has, got {n.shape}")
    if (c > n).any():
        i = int((c > n).argmax())
        raise ValueError(f"successes must be at most the attempts, got {c[i]:g} of {n[i]:g} at {i}")
    least = wanted if problems == "sample" else 2 * wanted
    if n.min() < least:
        raise ValueError(f"attempts must be at least {least} a problem for this k, got {n.min():g}")
    missed = _all_missed(n, c, wanted)
    each = 1.0 - missed
    if problems == "sample":
        found = _interval(float(each.mean()), float(each.var(ddof=1)) / len(c), len(c) - 1.0, wide)
    else:
        variance = float((missed**2 - _all_missed(n, c, 2 * wanted)).sum()) / len(c) ** 2
        found = _interval(float(each.mean()), max(variance, 0.0), np.inf, wide)
    low, high = max(found.lower, 0.0), min(found.upper, 1.0)
    return MeanEstimate(found.mean, found.standard_error, low, high, wide, found.degrees_of_freedom)


def _all_missed(n: Floats, c: Floats, k: int) -> Floats:
    """C(n - c, k) / C(n, k)."""
    found = np.ones(len(n))
    for i in range(k):
        found *= np.maximum(n - c - i, 0.0) / (n - i)
    return found


def _interval(
    mean: float, variance: float, freedom: float, level: float, efficiency: float = 1.0
) -> MeanEstimate:
    error = float(np.sqrt(variance))
    half = student_quantile(0.5 + 0.5 * level, freedom) * error
    return MeanEstimate(mean, error, mean - half, mean + half, level, freedom, efficiency)


def _values(values: Any, name: str) -> Floats:
    found = check_vector(values, name)
    if np.abs(found).max(initial=0.0) > _FAR:
        raise ValueError(f"{name} must lie within +-1e150, got {np.abs(found).max():.3g}: scale it")
    return found


def _counts(values: Any, name: str) -> Floats:
    if is_one(values, name):
        return np.asarray(float(check_count(values, name, least=0, most=2**31)))
    found = check_vector(values, name)
    odd = np.flatnonzero((found < 0) | (found != np.rint(found)) | (found > 2.0**31))
    if len(odd):
        raise ValueError(f"{name} must be whole numbers from 0 on, got {found[odd[0]]} at {odd[0]}")
    return found
