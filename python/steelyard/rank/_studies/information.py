"""Which pairs tell most about the ranks that are still in doubt."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._validate import real_array
from .._chances import outcome_chances
from .._paired import BradleyTerryFit

Floats = npt.NDArray[np.float64]
Pairs = npt.NDArray[np.intp]

GOALS = ("ranks", "top", "all")
MOST_ITEMS = 3000
_SPARE = 6.0  # keeps pairs that are all but settled from outweighing the rest
_STEP = 1e-4


def check_fit(fit: Any) -> BradleyTerryFit:
    """A fit of pairs of at most so many items."""
    if not isinstance(fit, BradleyTerryFit):
        raise TypeError(f"fit must be a BradleyTerryFit for kind='information', got {type(fit).__name__}")
    if not 2 <= len(fit) <= MOST_ITEMS:
        raise ValueError(f"fit must have 2 to {MOST_ITEMS} items for kind='information', got {len(fit)}")
    return fit


def check_costs(costs: Any, n: int) -> Floats | None:
    """Positive and symmetric; infinite where the two can't meet. The diagonal says nothing."""
    if costs is None:
        return None
    found = np.array(real_array(costs, "costs"), dtype=np.float64)
    if found.shape != (n, n):
        raise ValueError(f"costs must have shape ({n}, {n}), got {found.shape}")
    np.fill_diagonal(found, 1.0)
    if not (found > 0).all() or not (found == found.T).all():
        raise ValueError("costs must be positive, infinite where two can't meet, and symmetric")
    return found


def most_telling(
    fit: BradleyTerryFit, among: Pairs, size: int, goal: str, top: int, costs: Floats | None
) -> Pairs:
    """The pairs of a batch, the most telling first: positions, n_pairs x 2."""
    s, n = fit.strengths, len(fit)
    v = fit.covariance("hessian").matrix.copy()
    allowed = np.zeros((n, n), dtype=bool)
    allowed[np.ix_(among, among)] = True
    allowed &= np.triu(np.ones((n, n), dtype=bool), 1)
    if costs is not None:
        allowed &= np.isfinite(costs)
    able = int(allowed.sum())
    if size > able:
        raise ValueError(f"size must be at most the number of pairs that can meet, {able}, got {size}")
    tells = _vote_information(fit, s[:, None] - s)
    return _greedy(v, _doubt(s, v, goal, top), tells, allowed, size, costs)


def _vote_information(fit: BradleyTerryFit, x: Floats) -> Floats:
    """Fisher's information on a strength difference in one vote at x."""
    at = [np.array(outcome_chances(x + e, fit.ties, fit.tie_parameter)) for e in (-_STEP, 0.0, _STEP)]
    slope = (at[2] - at[0]) / (2 * _STEP)
    return np.asarray(np.divide(slope**2, at[1], out=np.zeros_like(slope), where=at[1] > 1e-12).sum(axis=0))


def _differences(v: Floats) -> Floats:
    d = np.diag(v)
    return np.asarray(np.maximum(d[:, None] + d - 2 * v, 0.0))


def _doubt(s: Floats, v: Floats, goal: str, top: int) -> Floats:
    """How much each contrast's variance matters, as the Laplacian of a graph with these weights.

    A contrast at z standard errors is settled at q, the simultaneous quantile. It takes a precision of
    q^2 / z^2 - 1 times its own to get there: those that are near count most, the hopeless little, the
    settled no more.
    """
    n = len(s)
    if goal == "all":
        weight = np.ones((n, n))
    else:
        q = NormalDist().inv_cdf(1 - 0.025 / (n * (n - 1) / 2))
        variance = _differences(v)
        np.fill_diagonal(variance, 1.0)
        variance = np.maximum(variance, 1e-300)
        z = np.abs(s[:, None] - s) / np.sqrt(variance)
        weight = z / (variance * np.sqrt(np.maximum(q * q - z * z, 0.0) + _SPARE))
        weight *= np.exp(-2.0 * np.maximum(z - q, 0.0))
        if goal == "top":
            inside = np.zeros(n, dtype=bool)
            inside[np.argsort(-s, kind="stable")[:top]] = True
            weight = np.where(inside[:, None] != inside, weight, 0.0)
    np.fill_diagonal(weight, 0.0)
    return np.asarray(np.diag(weight.sum(axis=1)) - weight)


def _greedy(
    v: Floats,
    laplacian: Floats,
    tells: Floats,
    allowed: npt.NDArray[np.bool_],
    size: int,
    costs: Floats | None,
) -> Pairs:
    """One pair after the other, each as if the votes on those before had come.

    A vote on d = e_i - e_j takes c u u' from V, u = V d, c = h / (1 + h d'u): of the weighted variances
    tr(L V) it takes c u'L u, which is c times a difference of M = V L V.
    """
    found: Pairs = np.empty((size, 2), dtype=np.intp)
    m = v @ laplacian @ v
    for k in range(size):
        gain = tells * _differences(m) / (1.0 + tells * _differences(v))
        gain = np.where(allowed, gain if costs is None else gain / costs, -1.0)
        i, j = np.unravel_index(int(gain.argmax()), gain.shape)
        found[k] = i, j
        allowed[i, j] = False
        u = v[:, i] - v[:, j]
        c = tells[i, j] / (1.0 + tells[i, j] * (u[i] - u[j]))
        pulled = laplacian @ u
        across = np.outer(v @ pulled, u)
        m += c * (c * float(u @ pulled) * np.outer(u, u) - across - across.T)
        v -= c * np.outer(u, u)
    return found
