"""Label-efficient evaluation in plain NumPy: short and slow, for tests and benchmarks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def entropies_after(predictions: Any, beliefs: Any, gain: float) -> Array:
    """Mean over classes of the beliefs' entropy after each class as label, for every item."""
    predictions, beliefs = np.asarray(predictions), np.asarray(beliefs, float)
    classes = np.unique(predictions)
    out = np.zeros(len(predictions))
    for i, row in enumerate(predictions):
        for c in classes:
            b = beliefs * np.where(row == c, gain, 1.0)
            b = b[b > 0] / b.sum()
            out[i] -= (b * np.log(b)).sum() / len(classes)
    return out


def entropies_by_own_law(predictions: Any, classes: int, beliefs: Any, gain: float) -> Array:
    """The beliefs' entropy after a label, expected under the beliefs: for every item."""
    predictions, beliefs = np.asarray(predictions), np.asarray(beliefs, float)
    out = np.zeros(len(predictions))
    for i, row in enumerate(predictions):
        for c in range(classes):
            joint = beliefs * np.where(row == c, gain, 1.0) / (gain + classes - 1)  # of model and label
            chance, b = joint.sum(), joint[joint > 0] / joint.sum()
            out[i] -= chance * (b * np.log(b)).sum()
    return out


def lure(losses: Sequence[float], probabilities: Sequence[float], n: int) -> float:
    """The levelled unbiased risk estimator, term by term.

    >>> lure([1.0, 3.0], [0.5, 1.0], 2)
    2.0
    """
    m, total = len(losses), 0.0
    for k, (loss, q) in enumerate(zip(losses, probabilities, strict=True), 1):
        left = n - k + 1
        weight = 1.0 if n == m else 1 + (n - m) / (n - k) * (1 / (left * q) - 1)
        total += weight * loss
    return total / m


def leverage_scores(A: Any, ridge: float = 0.0) -> Array:
    """The diagonal of A (A'A + ridge I)^+ A'."""
    A = np.asarray(A, float)
    hat = A @ np.linalg.pinv(A.T @ A + ridge * np.eye(A.shape[1]), hermitian=True, rcond=1e-12) @ A.T
    return np.asarray(np.diag(hat))


def clustered_error(d: Any, labels: Any) -> tuple[float, float]:
    """Standard error of a mean from cluster totals of deviations, and its degrees of freedom, by matrices."""
    d, (_, place) = np.asarray(d, float), np.unique(labels, return_inverse=True)
    member = np.eye(place.max() + 1)[place]  # items by clusters
    share = member.mean(axis=0)
    scale = np.diag(1 / (1 - share))
    totals = member.T @ (d - d.mean())
    centre = member.T - np.outer(share, np.ones(len(d)))
    freedom = []
    for law in (np.eye(len(d)), member @ member.T):
        C = scale @ centre @ law @ centre.T
        freedom.append(np.trace(C) ** 2 / np.trace(C @ C))
    return float(np.sqrt(totals @ scale @ totals) / len(d)), float(min(freedom))


def prediction_powered(y: Any, f: Any, rest: Any) -> tuple[float, float]:
    """Mean of labels moved by a judge's predictions, and its standard error, at the best slope."""
    y, f, rest = (np.asarray(x, float) for x in (y, f, rest))
    n = len(y)
    slope = np.cov(y, f)[0, 1] / f.var(ddof=1) / (1 + n / len(rest))
    left = y - slope * f
    variance = ((left - left.mean()) ** 2).sum() / (n - 2) / n + slope**2 * rest.var(ddof=1) / len(rest)
    return float(left.mean() + slope * rest.mean()), float(np.sqrt(variance))


def missed_square_less(n: int, c: int, k: int) -> float:
    """Unbiased variance of C(n - c, k) / C(n, k), c successes of n attempts."""
    return (math.comb(n - c, k) / math.comb(n, k)) ** 2 - math.comb(n - c, 2 * k) / math.comb(n, 2 * k)


def log_evidence(F: Any, y: Any, alpha: float, beta: float) -> float:
    """Log marginal likelihood an item of y = F w + noise, by the n x n covariance."""
    F, y = np.asarray(F, float), np.asarray(y, float)
    C = F @ F.T / alpha + np.eye(len(y)) / beta
    return float(-0.5 * (np.linalg.slogdet(2 * np.pi * C)[1] + y @ np.linalg.solve(C, y)) / len(y))
