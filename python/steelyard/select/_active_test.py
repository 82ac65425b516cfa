"""The mean loss over a pool from items that were chosen one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._results import Result
from .._validate import check_count, check_level, check_vector
from ._sample import Floats, student_quantile


@dataclass(frozen=True, repr=False, eq=False)
class ActiveTest(Result):
    """An unbiased estimate of a mean loss.

    Attributes
    ----------
    risk, standard_error : float
    lower, upper : float
        Of the interval, by Student's t.
    weights : ndarray, shape (m,)
        Of the losses in ``risk = mean(weights * losses)``.
    level : float
    """

    risk: float
    standard_error: float
    lower: float
    upper: float
    weights: Floats
    level: float

    def __repr__(self) -> str:
        return (
            f"ActiveTest: risk {self.risk:.6g} +- {self.standard_error:.3g} from {len(self.weights):,} "
            f"losses, {100 * self.level:g} % interval {self.lower:.6g} to {self.upper:.6g}"
        )

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns ``draw`` and ``weight``, in the order of the draws."""
        return {"draw": np.arange(len(self.weights)), "weight": self.weights}


def active_test(losses: Any, probabilities: Any, n_pool: int, *, level: float = 0.95) -> ActiveTest:
    """Estimate the mean loss over a pool from items drawn one after the other without replacement (LURE).

    Parameters
    ----------
    losses : array_like, shape (m,)
        Of the items drawn, in the order of the draws.
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
    """
    y = check_vector(losses, "losses")
    q = check_vector(probabilities, "probabilities", length=len(y))
    m, n, wide = len(y), check_count(n_pool, "n_pool"), check_level(level)
    if m == 0:
        raise ValueError("losses is empty: draw an item first")
    if n < m:
        raise ValueError(f"n_pool must be at least the number of losses, {m}, got {n}")
    if (q <= 0).any() or (q > 1).any():
        raise ValueError(f"probabilities must lie in (0, 1], got {q.min()} to {q.max()}")
    if n == m:
        mean = float(y.mean())
        return ActiveTest(mean, 0.0, mean, mean, np.ones(m), wide)
    left = float(n) - np.arange(m)  # at each turn
    with np.errstate(over="ignore"):
        weights = 1.0 + (n - m) / (left - 1.0) * (1.0 / (left * q) - 1.0)
        far = np.flatnonzero(~(np.isfinite(weights * y) & np.isfinite((y / q) ** 2)))
    if len(far):
        i = far[0]
        raise ValueError(
            f"probabilities are too small for the losses: {y[i]} / {q[i]} overflows at {i}; an item drawn "
            f"with such a probability says nothing of a mean"
        )
    risk = float((weights * y).mean())
    if m == 1:
        return ActiveTest(risk, float("inf"), -float("inf"), float("inf"), weights, wide)
    share = float(n) * (n - m) / ((left - 1.0) * left)
    each = (y / q + np.cumsum(y) - y) / n
    error = float(np.sqrt((share**2 * (each - risk) ** 2).sum() / (m * (m - 1))))
    half = student_quantile(0.5 + 0.5 * wide, m - 1) * error
    return ActiveTest(risk, error, risk - half, risk + half, weights, wide)
