"""Totals of few answers with source models as control variates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ._sample import Floats

_RIDGES = np.geomspace(0.03, 300.0, 9)  # times the mean of the kernel's diagonal
_FEWEST = 1.05  # units left to chance below which nothing is known of their scatter
_PLAIN = 0.97  # of the plain variance: what sources must undercut to be used


@dataclass(frozen=True)
class Drawn:
    """What was drawn and how: items, the units that they came in, and the units' strata.

    `sources` holds scores about each model's mean over all items, models by items; `shares` of the items in
    the score; `unit` of each item, `chance` and `stratum` of each unit.
    """

    sources: Floats
    shares: Floats
    unit: npt.NDArray[np.intp]
    chance: Floats
    stratum: npt.NDArray[np.intp]

    @property
    def alone(self) -> bool:
        """Whether each item is a unit of its own."""
        return len(self.chance) == len(self.unit)


def controlled(drawn: Drawn, answers: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Means, their variances, variances without sources, ridges (infinite: no sources); one a model.

    The ridge regression on source models has an intercept, and items weigh by share over chance. A model of
    the items not drawn is corrected by residuals of the items drawn, each (with its cluster) left out of the
    regression in closed form, and weighed by 1 / chance - 1.
    """
    chance = drawn.chance[drawn.unit]
    weight = drawn.shares / chance
    weight = weight / weight.sum()
    root = np.sqrt(weight * len(weight))
    average = drawn.sources @ weight
    B = (drawn.sources - average[:, None]) * root
    value, U = _factored(B)
    middle = answers @ weight
    R = (answers - middle[:, None]) * root
    Z, ahead = R @ U, -(average @ B) @ U
    unit = float(value.sum() / len(weight))
    best: list[Floats] = []
    for ridge in (np.inf, *(_RIDGES if unit > 0 else ())):
        gain = value / (value + ridge * unit) if ridge < np.inf else np.zeros_like(value)
        slope = gain / np.where(value > 0, value, 1.0)
        left = R - (Z * gain) @ U.T
        out = _left_out(drawn, left, weight, U, gain) / root
        total = middle + (Z * slope) @ ahead + (left / root) @ drawn.shares
        total += out @ (drawn.shares * (1.0 / chance - 1.0))
        variance = _variance(drawn, out)
        if not best:
            best = [total, variance, variance, np.full(len(total), np.inf)]
            least = _PLAIN * variance
            continue
        better = variance < least
        least = np.where(better, variance, least)
        best[0] = np.where(better, total, best[0])
        best[1] = np.where(better, variance, best[1])
        best[3] = np.where(better, ridge, best[3])
    return best[0], best[1], best[2], best[3]


def _factored(B: Floats) -> tuple[Floats, Floats]:
    """Eigenvalues and vectors of B'B, those of no account left out."""
    wide = B.shape[0] >= B.shape[1]
    value, V = np.linalg.eigh(B.T @ B if wide else B @ B.T)
    keep = value > 1e-12 * max(float(value[-1]), 0.0)
    value, V = value[keep], V[:, keep]
    return value, V if wide else B.T @ V / np.sqrt(value)


def _left_out(drawn: Drawn, left: Floats, weight: Floats, U: Floats, gain: Floats) -> Floats:
    """Residuals of a regression without the item, or without its cluster."""
    if drawn.alone:
        return np.asarray(left / (1.0 - weight - (U**2) @ gain))
    root = np.sqrt(weight)
    found = np.empty_like(left)
    for k in range(len(drawn.chance)):
        own = np.flatnonzero(drawn.unit == k)
        hat = np.outer(root[own], root[own]) + (U[own] * gain) @ U[own].T
        found[:, own] = np.linalg.solve(np.eye(len(own)) - hat, left[:, own].T).T
    return found


def _variance(drawn: Drawn, out: Floats) -> Floats:
    """Deville's, stratum by stratum."""
    count = len(drawn.chance)
    totals = np.zeros((len(out), count))
    np.add.at(totals.T, drawn.unit, (out * drawn.shares).T)
    share, size, open_ = _openness(drawn)
    if (size[open_ > 0] < _FEWEST).any():
        return np.full(len(out), np.inf)
    each = totals / drawn.chance
    member = np.eye(int(drawn.stratum.max()) + 1)[drawn.stratum]
    away = each - ((each * share) @ member) @ member.T
    scale = np.where(open_ > 0, open_ * size / np.maximum(size - 1.0, 1e-9), 0.0)
    return np.asarray(away**2 @ scale)


def _openness(drawn: Drawn) -> tuple[Floats, Floats, Floats]:
    """Of each unit: its share of what its stratum leaves to chance, the units that this is worth, its own."""
    open_ = 1.0 - drawn.chance
    whole = np.bincount(drawn.stratum, open_)[drawn.stratum]
    share = np.divide(open_, whole, out=np.zeros_like(open_), where=whole > 0)
    squares = np.bincount(drawn.stratum, share**2)[drawn.stratum]
    return share, np.divide(1.0, squares, out=np.zeros_like(squares), where=squares > 0), open_


def freedom_of(drawn: Drawn) -> float:
    """Degrees of freedom of the variance."""
    share, size, open_ = _openness(drawn)
    some = open_ > 0
    return float((share[some] * (size[some] - 1.0)).sum())
