"""Label-efficient evaluation in plain NumPy: short and slow, for tests and benchmarks."""

from __future__ import annotations

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
