"""Metric nearness in plain NumPy: closures, violations, triangle fixing, Project and Forget.

Everything works on square symmetric matrices: O(n^2) memory, and loops over triangles in Python.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Triangle = tuple[int, int, int]  # i < j, k: x_ij <= x_ik + x_jk


def closure(D: Any) -> Array:
    """Lengths of shortest paths over max(D, 0), by Floyd and Warshall: the largest pseudometric below."""
    x = np.maximum(np.asarray(D, dtype=np.float64), 0.0)
    for k in range(len(x)):
        x = np.minimum(x, x[:, [k]] + x[[k], :])
    return x


def triangles(n: int) -> list[Triangle]:
    """All inequalities of n items."""
    return [(i, j, k) for i in range(n) for j in range(i + 1, n) for k in range(n) if k not in (i, j)]


def violations(D: Any, tol: float = 0.0) -> dict[Triangle, float]:
    """The broken inequalities and by how much."""
    d = np.asarray(D, dtype=np.float64)
    return {
        (i, j, k): float(d[i, j] - (d[i, k] + d[j, k]))
        for i, j, k in triangles(len(d))
        if d[i, k] + d[j, k] < d[i, j] - tol
    }


def project(x: Array, inverse: Array, duals: dict[Triangle, float], triangle: Triangle) -> None:
    """Hildreth's step on one triangle: onto its plane, or back by what is left of its dual."""
    i, j, k = triangle
    excess = x[i, j] - x[i, k] - x[j, k]
    step = max(excess / (inverse[i, j] + inverse[i, k] + inverse[j, k]), -duals.get(triangle, 0.0))
    duals[triangle] = duals.get(triangle, 0.0) + step
    for p, q, sign in ((i, j, -1.0), (i, k, 1.0), (j, k, 1.0)):
        x[p, q] += sign * step * inverse[p, q]
        x[q, p] = x[p, q]


def certificate(D: Any, duals: dict[Triangle, float], weights: Any = None) -> tuple[float, float]:
    """Upper and lower bound of the least 1/2 ||x - D||_W^2, from duals >= 0 alone.

    x = D - W^-1 A' duals; the value of closure(x) is an upper bound, g'D - 1/2 g' W^-1 g with g = A' duals a
    lower one.
    """
    d = np.asarray(D, dtype=np.float64)
    w = np.ones_like(d) if weights is None else np.asarray(weights, dtype=np.float64)
    g = np.zeros_like(d)
    for (i, j, k), dual in duals.items():
        for p, q, sign in ((i, j, 1.0), (i, k, -1.0), (j, k, -1.0)):
            g[p, q] += sign * dual
            g[q, p] = g[p, q]
    upper = np.triu_indices(len(d), 1)
    inverse = 1.0 / w[upper]
    x = d.copy()
    x[upper] -= inverse * g[upper]
    x.T[upper] = x[upper]
    moved = (closure(x) - d)[upper]
    low = g[upper] @ d[upper] - 0.5 * (inverse * g[upper]) @ g[upper]
    return float(0.5 * (w[upper] * moved) @ moved), float(low)


def triangle_fixing(D: Any, weights: Any = None, sweeps: int = 100) -> tuple[Array, dict[Triangle, float]]:
    """Brickell et al.: cyclic projections onto all triangles, each with its dual. x and the duals."""
    x = np.array(D, dtype=np.float64)
    inverse = np.ones_like(x) if weights is None else 1.0 / (np.asarray(weights) + np.eye(len(x)))
    duals: dict[Triangle, float] = {}
    everything = triangles(len(x))
    for _ in range(sweeps):
        for triangle in everything:
            project(x, inverse, duals, triangle)
    return x, {t: dual for t, dual in duals.items() if dual > 0}


def project_and_forget(
    D: Any, weights: Any = None, tol: float = 1e-6, rounds: int = 1000, passes: int = 10
) -> tuple[Array, dict[Triangle, float]]:
    """Rounds of: the most violated triangle of each pair, passes over those held, forgetting. x and the
    duals.

    Stops when the relative gap of the certificate and the largest violation over rms(D) are at most tol.
    """
    x = np.array(D, dtype=np.float64)
    n = len(x)
    inverse = np.ones_like(x) if weights is None else 1.0 / (np.asarray(weights) + np.eye(n))
    unit = float(np.sqrt(np.mean(x[np.triu_indices(n, 1)] ** 2)))
    duals: dict[Triangle, float] = {}
    for _ in range(rounds):
        way = x + np.diag(np.full(n, np.inf))
        worst = 0.0
        for i in range(n):
            for j in range(i + 1, n):
                k = int(np.argmin(way[i] + way[j]))
                excess = float(x[i, j] - way[i, k] - way[j, k])
                worst = max(worst, excess)
                if excess > 0.05 * tol * unit:
                    duals.setdefault((i, j, k), 0.0)
        if worst <= tol * unit:
            high, low = certificate(D, duals, weights)
            if high - low <= tol * max(high, 1e-300):
                break
        for _ in range(passes):
            for triangle in sorted(duals):
                project(x, inverse, duals, triangle)
        duals = {t: dual for t, dual in duals.items() if dual > 0}
    return x, duals


def nearest_linf(D: Any, tol: float = 1e-9) -> Array:
    """A pseudometric with the least largest change: bisection on t with closure(D + t) >= D - t.

    Exact to the rounding of closures, 4 n eps max|D|.
    """
    d = np.asarray(D, dtype=np.float64)
    slack = 4 * len(d) * np.finfo(float).eps * float(np.abs(d).max(initial=0.0))
    off = ~np.eye(len(d), dtype=bool)
    low, high = 0.0, 2.0 * float(np.abs(d).max()) + 1e-300
    while high - low > max(tol * high, slack):
        t = 0.5 * (low + high)
        x = closure(np.where(off, d + t, 0.0))
        if (np.abs(x - d)[off] <= t + slack).all():
            high = t
        else:
            low = t
    return closure(np.where(off, d + high, 0.0))
