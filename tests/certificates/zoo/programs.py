"""Quadratic programs: min x'Kx / 2 - q'x over lower <= x <= upper, sum(x) = total (nan: no such)."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from . import points
from .registry import animal, kind, scaled, transformation, unit_of


def _take(data, keep):
    part = {key: data[key][keep] for key in ("q", "lower", "upper")}
    total = data["total"]
    if np.isfinite(total):
        total = float(np.clip(total, part["lower"].sum(), part["upper"].sum()))
    return {"K": data["K"][np.ix_(keep, keep)], **part, "total": total}


def _complete(rng, data):
    n = len(data["q"])
    return {"lower": np.zeros(n), "upper": np.full(n, np.inf), "total": 1.0, **data}


kind("programs", size=lambda data: len(data["q"]), take=_take, complete=_complete)


@animal("programs")
def full_rank(rng, n):
    E = rng.normal(size=(2 * n, n))
    return {"K": E.T @ E, "q": rng.normal(size=n)}


@animal("programs")
def low_rank(rng, n):
    E = rng.normal(size=(max(1, n // 3), n))
    return {"K": E.T @ E, "q": rng.normal(size=n)}


@animal("programs")
def ensemble(rng, n):
    """Errors of models that are much alike."""
    E = rng.normal(size=(50, 1)) + 10.0 ** rng.uniform(-4, 0) * rng.normal(size=(50, n))
    return {"K": E.T @ E / 50, "q": np.zeros(n)}


@animal("programs")
def diagonal_of_all_sizes(rng, n):
    return {"K": np.diag(10.0 ** rng.uniform(-6, 6, n)), "q": rng.normal(size=n)}


@animal("programs")
def columns_of_all_sizes(rng, n):
    E = rng.normal(size=(2 * n, n)) * 10.0 ** rng.uniform(-3, 3, n)
    return {"K": E.T @ E, "q": rng.normal(size=n) * 10.0 ** rng.uniform(-3, 3, n)}


@animal("programs")
def kernel(rng, n):
    X = points.normal(rng, n)["X"]
    return {"K": np.exp(-cdist(X, X) * 10.0 ** rng.uniform(-2, 1)), "q": np.ones(n)}


@animal("programs")
def smooth_kernel(rng, n):
    X = points.normal(rng, n)["X"]
    return {"K": np.exp(-cdist(X, X, "sqeuclidean")), "q": rng.random(n)}


@animal("programs")
def minus_distances(rng, n):
    X = points.normal(rng, n)["X"]
    K = -cdist(X, X)
    return {"K": K, "q": K @ rng.dirichlet(np.ones(n))}


@animal("programs")
def small_integers(rng, n):
    E = rng.integers(-3, 4, (max(1, n // 2), n)).astype(float)
    return {"K": E.T @ E, "q": rng.integers(-3, 4, n).astype(float)}


@animal("programs")
def equal_rows(rng, n):
    E = rng.normal(size=(n, max(1, n // 3)))[:, rng.integers(0, max(1, n // 3), n)]
    return {"K": E.T @ E, "q": np.full(n, rng.normal())}


@animal("programs")
def linear(rng, n):
    return {"K": np.zeros((n, n)), "q": rng.normal(size=n)}


@animal("programs")
def hilbert(rng, n):
    i = np.arange(1.0, n + 1)
    return {"K": 1 / (i[:, None] + i - 1), "q": rng.normal(size=n)}


@animal("programs")
def heavy_tails(rng, n):
    E = rng.standard_cauchy((2 * n, n))
    return {"K": E.T @ E, "q": rng.standard_cauchy(n)}


@animal("programs")
def optimum_inside(rng, n):
    E = rng.normal(size=(2 * n, n))
    K = E.T @ E
    return {"K": K, "q": K @ rng.dirichlet(np.ones(n))}


@transformation("programs")
def matrix_in_another_unit(rng, data):
    K = scaled(data["K"], unit_of(rng))
    return None if K is None else {**data, "K": K}


@transformation("programs")
def all_in_another_unit(rng, data):
    unit = unit_of(rng)
    K, q = scaled(data["K"], unit), scaled(data["q"], unit)
    return None if K is None or q is None else {**data, "K": K, "q": q}


@transformation("programs")
def between_bounds(rng, data):
    n = len(data["q"])
    lower = rng.uniform(-0.3, 0.1, n)
    upper = lower + rng.uniform(0.0, 3.0 / n, n)
    at = rng.random()
    return {**data, "lower": lower, "upper": upper, "total": float((1 - at) * lower.sum() + at * upper.sum())}


@transformation("programs")
def in_a_box(rng, data):
    n = len(data["q"])
    return {**data, "lower": -rng.random(n), "upper": rng.random(n), "total": np.nan}


@transformation("programs")
def another_total(rng, data):
    if "upper" in data:
        return None
    return {**data, "total": unit_of(rng)}
