"""The mean loss over a pool from items that were chosen one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._results import Result
from .._validate import check_count, check_level, check_vector, real_array
from ._sample import Floats, student_quantile


@dataclass(frozen=True, repr=False, eq=False)
class ActiveTest(Result):
    """An unbiased estimate of a mean loss.

    Attributes
    ----------
    risk, standard_error : float, or ndarray of shape (n_models,)
    lower, upper : float, or ndarray of shape (n_models,)
        Of the interval, by Student's t.
    weights : ndarray, shape (m,)
        Of the losses in ``risk = mean(weights * losses)``.
    level : float
    """

    risk: Any
    standard_error: Any
    lower: Any
    upper: Any
    weights: Floats
    level: float

    def __repr__(self) -> str:
        count = np.size(self.risk)
        first = [float(np.ravel(x)[0]) for x in (self.risk, self.standard_error, self.lower, self.upper)]
        more = f"; and {count - 1:,} more models" if count > 1 else ""
        return (
            f"ActiveTest: risk {first[0]:.6g} +- {first[1]:.3g} from {len(self.weights):,} losses, "
            f"{100 * self.level:g} % interval {first[2]:.6g} to {first[3]:.6g}{more}"
        )

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns ``draw`` and ``weight``, in the order of the draws."""
        return {"draw": np.arange(len(self.weights)), "weight": self.weights}


def active_test(losses: Any, probabilities: Any, n_pool: int, *, level: float = 0.95) -> ActiveTest:
    """Estimate the mean loss over a pool from items drawn one after the other without replacement (LURE).

    Parameters
    ----------
    losses : array_like, shape (m,) or (n_models, m)
        Of the items drawn, in the order of the draws; of several models on the same items. The difference of
        two models' losses gives their difference, in which what makes items hard for both cancels.
    probabilities : array_like, shape (m,)
        With which each was drawn from those left at its turn; they may depend on all that was seen before. An
        item left must never have probability 0 unless its loss is 0.
    n_pool : int
        Items in the pool, at least m.
    level : float, default 0.95

    Returns
    -------
    ActiveTest

    Raises
    ------
    ValueError
        If probabilities do not lie in (0, 1], or n_pool is less than m.

    Notes
    -----
    risk = (1 / m) sum_i c_i a_i with a_i = loss_i / (N q_i) + (1 / N) sum of the losses before, each unbiased
    given the past, and c_i = N (N - m) / ((N - i)(N - i + 1)), which add up to m; drawing evenly gives the
    sample's mean. The a_i are uncorrelated, so the variance is estimated by the sum of c_i^2 (a_i - risk)^2
    over m (m - 1). With the whole pool drawn the risk is its mean, without error.

    References
    ----------
    S. Farquhar, Y. Gal, T. Rainforth, "On Statistical Bias In Active Learning: How and When To Fix It", ICLR
    (2021); J. Kossen et al., "Active Testing", ICML (2021).

    Examples
    --------
    >>> found = active_test([1.0, 0.0, 2.0], [1 / 4, 1 / 3, 1 / 2], 4)  # drawn evenly
    >>> print(round(found.risk, 9))
    1.0
    >>> two = active_test([[1.0, 0.0, 2.0], [1.0, 1.0, 1.0]], [1 / 4, 1 / 3, 1 / 2], 4)
    >>> print(two.risk)
    [1. 1.]
    """
    y, single = _losses(losses)
    q = check_vector(probabilities, "probabilities", length=y.shape[1])
    m, n, wide = y.shape[1], check_count(n_pool, "n_pool"), check_level(level)
    if m == 0:
        raise ValueError("losses is empty: draw an item first")
    if n < m:
        raise ValueError(f"n_pool must be at least the number of losses, {m}, got {n}")
    if (q <= 0).any() or (q > 1).any():
        raise ValueError(f"probabilities must lie in (0, 1], got {q.min()} to {q.max()}")
    if n == m:
        mean = y.mean(axis=1)
        return _made(single, mean, np.zeros(len(y)), 0.0, np.ones(m), wide)
    left = float(n) - np.arange(m)  # at each turn
    with np.errstate(over="ignore"):
        weights = 1.0 + (n - m) / (left - 1.0) * (1.0 / (left * q) - 1.0)
        far = np.argwhere(~(np.isfinite(weights * y) & np.isfinite((y / q) ** 2)))
    if len(far):
        model, i = far[0]
        raise ValueError(
            f"probabilities are too small for the losses: {y[model, i]} / {q[i]} overflows at {i}; an item "
            f"drawn with such a probability says nothing of a mean"
        )
    risk = (weights * y).mean(axis=1)
    if m == 1:
        return _made(single, risk, np.full(len(y), np.inf), 1.0, weights, wide)
    share = float(n) * (n - m) / ((left - 1.0) * left)
    each = (y / q + np.cumsum(y, axis=1) - y) / n
    error = np.sqrt((share**2 * (each - risk[:, None]) ** 2).sum(axis=1) / (m * (m - 1)))
    return _made(single, risk, error, student_quantile(0.5 + 0.5 * wide, m - 1), weights, wide)


def _losses(losses: Any) -> tuple[Floats, bool]:
    """Models x draws, and whether there was one model alone."""
    array = real_array(losses, "losses")
    if array.ndim == 1:
        return check_vector(array, "losses")[None], True
    if array.ndim != 2 or len(array) == 0:
        raise ValueError(f"losses must have shape (m,) or (n_models, m), got {array.shape}")
    check_vector(array.ravel(), "losses")
    return array.astype(np.float64), False


def _made(
    single: bool, risk: Floats, error: Floats, reach: float, weights: Floats, level: float
) -> ActiveTest:
    half = reach * error
    values: tuple[Any, ...] = (risk, error, risk - half, risk + half)
    mean, spread, lower, upper = (float(x[0]) for x in values) if single else values
    return ActiveTest(mean, spread, lower, upper, weights, level)
