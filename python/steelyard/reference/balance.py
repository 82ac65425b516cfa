"""Balancing weights, their diagnostics and sample matching in plain NumPy and SciPy, for few rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.spatial.distance import cdist

Array = npt.NDArray[np.float64]


def kernel(X: Any, Y: Any, name: str = "energy", scale: float = 1.0) -> Array:
    """Similarities: minus the distance, exp(-t r), exp(-(t r)^2 / 2), or Matern's of smoothness 3/2."""
    r = cdist(X, Y)
    if name == "energy":
        return np.asarray(-r)
    if name == "laplacian":
        return np.asarray(np.exp(-scale * r))
    if name == "gaussian":
        return np.asarray(np.exp(-((scale * r) ** 2) / 2))
    return np.asarray((1 + np.sqrt(3) * scale * r) * np.exp(-np.sqrt(3) * scale * r))


def discrepancy(X: Any, w: Any, Y: Any, v: Any, name: str = "energy", scale: float = 1.0) -> float:
    """|sum w phi(x) - sum v phi(y)|^2; 'energy' is the distance 2 E|x - y| - E|x - x'| - E|y - y'|."""
    w, v = np.asarray(w), np.asarray(v)
    within = w @ kernel(X, X, name, scale) @ w + v @ kernel(Y, Y, name, scale) @ v
    return float(within - 2 * (w @ kernel(X, Y, name, scale) @ v))


def match(
    X: Any, Y: Any, v: Any, name: str = "energy", scale: float = 1.0, upper: float = 1.0, ridge: float = 0.0
) -> Array:
    """Weights of X with sum 1, none above upper, of least discrepancy to (Y, v), by SLSQP."""
    n = len(X)
    K, pull = kernel(X, X, name, scale) + ridge * np.eye(n), kernel(X, Y, name, scale) @ np.asarray(v)
    found = minimize(
        lambda w: w @ K @ w / 2 - w @ pull,
        np.full(n, 1 / n),
        jac=lambda w: K @ w - pull,
        bounds=[(0, upper)] * n,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1, "jac": lambda w: np.ones(n)},
        method="SLSQP",
        options={"maxiter": 1000, "ftol": 1e-15},
    )
    return np.asarray(found.x)


def kernel_program(
    K: Any, linear: Any, groups: Any = None, totals: Any = (1.0,), upper: Any = np.inf
) -> Array:
    """Weights of least w'Kw / 2 + linear'w within 0 and upper, each group's sum its total: an active set.

    K is the matrix, with any ridge on its diagonal.
    """
    K, linear, n = np.asarray(K), np.asarray(linear), len(linear)
    groups = np.zeros(n, dtype=int) if groups is None else np.asarray(groups)
    upper, sums = np.broadcast_to(upper, n), np.equal.outer(np.arange(len(totals)), groups) * 1.0
    room = np.where(np.isfinite(upper), upper, 1.0)
    w = np.asarray(totals)[groups] * room / (sums @ room)[groups]
    free = np.ones(n, dtype=bool)
    while True:
        # K_FF d + A_F' nu = -g_F, A_F d = 0
        A, m, slope = sums[:, free], int(free.sum()), K @ w + linear
        system = np.block([[K[np.ix_(free, free)], A.T], [A, np.zeros((len(A), len(A)))]])
        found = np.linalg.lstsq(system, np.r_[-slope[free], np.zeros(len(A))], rcond=None)[0]
        d = np.zeros(n)
        d[free] = found[:m]
        end = np.where(d > 0, upper, 0.0)
        far = np.divide(end - w, d, out=np.full(n, np.inf), where=d != 0)
        step = min(1.0, far.min())
        w = np.clip(w + step * d, 0.0, upper)
        if step < 1.0:
            met = int(far.argmin())
            w[met], free[met] = end[met], False
            continue
        pull = (K @ w + linear + found[m:][groups]) * np.where(w > 0, 1.0, -1.0)
        pull[free] = 0.0
        if pull.max() <= 1e-12 * np.abs(K).max():
            return np.asarray(w)
        free[int(pull.argmax())] = True


def standardised(X: Any) -> Array:
    """Columns with mean 0 and standard deviation 1."""
    X = np.asarray(X, dtype=float)
    return np.asarray((X - X.mean(axis=0)) / X.std(axis=0))


def standardised_difference(x: Any, w: Any, y: Any, v: Any, deviation: float) -> float:
    """Of weighted means, over a standard deviation that weights do not change."""
    return float((np.average(x, weights=w) - np.average(y, weights=v)) / deviation)


def variance_ratio(x: Any, w: Any, y: Any, v: Any) -> float:
    """Of weighted variances, unbiased for equal weights."""

    def variance(x: Any, w: Any) -> float:
        w = np.asarray(w) / np.sum(w)
        return float(w @ (np.asarray(x) - w @ x) ** 2 / (1 - w @ w))

    return variance(x, w) / variance(y, v)


def kolmogorov_smirnov(x: Any, w: Any, y: Any, v: Any) -> float:
    """Largest distance of two weighted distribution functions."""
    x, w, y, v = map(np.asarray, (x, w, y, v))
    return float(max(abs(w[x <= z].sum() / w.sum() - v[y <= z].sum() / v.sum()) for z in [*x, *y]))
