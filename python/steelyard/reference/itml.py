"""Information-theoretic metric learning in plain NumPy: short and slow, for tests and benchmarks."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def fit(
    differences: Any,
    similar: Any,
    near: float,
    far: float,
    gamma: float = 1.0,
    sweeps: int = 100,
    paper: bool = False,
    seed: int = 0,
    order: Any = None,
) -> tuple[Array, Array]:
    """Matrix and duals after sweeps of random steps, or after those on the pairs in `order`; near and far
    bound the squared distances.

    >>> A, duals = fit([[2.0]], [True], near=1.0, far=9.0)
    >>> print(A.round(6), duals.round(6))  # 1/4 pulls to 1, the slack gives way: p = xi = 8/5
    [[0.4]] [0.375]
    """
    v, is_similar = np.asarray(differences, float), np.asarray(similar, bool)
    A, duals = np.eye(v.shape[1]), np.zeros(len(v))
    rng = np.random.default_rng(seed)
    for c in rng.integers(0, len(v), sweeps * len(v)) if order is None else order:
        p = v[c] @ A @ v[c]
        s = 1.0 if is_similar[c] else -1.0
        inverse_xi = 1 / (near if is_similar[c] else far) - s * duals[c] / gamma
        whole = (
            s / 2 * (1 / p - gamma * inverse_xi) if paper else s * gamma / (gamma + 1) * (1 / p - inverse_xi)
        )
        alpha = min(duals[c], whole)
        duals[c] -= alpha
        A += s * alpha / (1 - s * alpha * p) * np.outer(A @ v[c], A @ v[c])
    return A, duals


def bounds(
    differences: Any, similar: Any, near: float, far: float, gamma: float, duals: Array
) -> tuple[float, float]:
    """Upper and lower bound of the least objective, from duals >= 0 alone."""
    v, is_similar = np.asarray(differences, float), np.asarray(similar, bool)
    s = np.where(is_similar, 1.0, -1.0)
    b = np.where(is_similar, near, far)
    inverse = np.eye(v.shape[1]) + (v * (s * duals)[:, None]).T @ v
    A = np.linalg.inv(inverse)
    log_det = -np.linalg.slogdet(inverse)[1]
    p = np.einsum("ck,kl,cl->c", v, A, v)
    xi = np.where(is_similar, np.maximum(p, b), np.minimum(p, b))
    slack = float((xi / b - np.log(xi / b) - 1).sum())
    upper = float(np.trace(A) - log_det - len(A)) + gamma * slack
    lower = -log_det + gamma * float(np.log1p(-s * duals * b / gamma).sum())
    return upper, lower
