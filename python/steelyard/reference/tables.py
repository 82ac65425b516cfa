"""Tables of models by samples in plain NumPy: comparisons, the Rasch model, rankings of resamples.

One row a model (or person), one column a sample (or item); NaN is not scored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def compare(table: Any, higher: Any = True, tolerance: float = 0.0) -> tuple[Any, Any]:
    """Who beat whom where, as wins[i, j, k] and ties[i, j, k] of models i and j on sample k.

    >>> wins, ties = compare([[0.9, np.nan], [0.7, 12.0], [0.7, 15.0]])
    >>> wins.sum(axis=2)
    array([[0, 1, 1],
           [0, 0, 0],
           [0, 1, 0]])
    >>> print(ties[1, 2])
    [ True False]
    """
    table = np.asarray(table, dtype=np.float64)
    lead = (table[:, None] - table) * np.where(higher, 1.0, -1.0)  # NaN is neither won nor tied
    others = ~np.eye(len(table), dtype=bool)[:, :, None]
    return lead > tolerance, (np.abs(lead) <= tolerance) & others


def rasch(answers: Any, prior: float = 0.0, tol: float = 1e-12) -> tuple[Array, Array]:
    """Abilities a and difficulties d at the maximum over all of them, the mean of d at 0.

    The maximum of sum x (a - d) - log(1 + exp(a - d)) over the answers x, 0 or 1, by Newton's method. A prior
    adds prior * (log sigma(z) + log sigma(-z)) for each ability and difficulty z.

    >>> a, d = rasch([[1, 0, 1], [0, 1, 0], [1, 1, 0]])
    >>> print(a.round(3))
    [ 0.768 -0.797  0.768]
    """
    table = np.asarray(answers, dtype=np.float64)
    known = ~np.isnan(table)
    persons, z = len(table), np.zeros(sum(table.shape))
    for _ in range(1000):
        p = 1 / (1 + np.exp(z[persons:] - z[:persons, None]))
        rest, weight = np.where(known, table - p, 0), np.where(known, p * (1 - p), 0)
        gradient = np.r_[rest.sum(axis=1), -rest.sum(axis=0)] - prior * np.tanh(z / 2)
        curvature = np.block(
            [[np.diag(weight.sum(axis=1)), -weight], [-weight.T, np.diag(weight.sum(axis=0))]]
        ) + np.diag(prior / 2 / np.cosh(z / 2) ** 2)
        step = np.linalg.lstsq(curvature, gradient)[0]  # without a prior the common shift is free
        z += step / max(1.0, np.abs(step).max())
        if np.abs(step).max() < tol:
            break
    centre = z[persons:].mean()
    return z[:persons] - centre, z[persons:] - centre


def item_response(
    answers: Any, slopes: Any, intercepts: Any, guesses: Any = 0.0, prior: float = 0.0, points: int = 2001
) -> float:
    """Log-likelihood of answers, 0 or 1, averaged over standard normal abilities t, and the log prior.

    P(right) = g + (1 - g) / (1 + exp(-(a t + c))). A prior adds `prior` times the log densities, up to
    constants, of log a ~ N(0, 1), c ~ N(0, 9) and, where g > 0, g ~ Beta(5, 17).

    >>> round(item_response([[1, 0], [1, 1]], [1.0, 1.0], [0.0, 0.0]), 6)
    -2.803159
    """
    y = np.asarray(answers, dtype=np.float64)
    a, c = np.asarray(slopes, dtype=np.float64), np.asarray(intercepts, dtype=np.float64)
    g = np.broadcast_to(np.asarray(guesses, dtype=np.float64), a.shape)
    t = np.linspace(-10, 10, points)
    x = np.multiply.outer(t, a) + c
    least = np.log(g, out=np.full(len(g), -np.inf), where=g > 0)
    yes, no = np.logaddexp(least, x) - np.logaddexp(0, x), np.log1p(-g) - np.logaddexp(0, x)
    right, wrong = np.nan_to_num(y), np.nan_to_num(1 - y)
    logs = right @ yes.T + wrong @ no.T - t**2 / 2 - np.log(2 * np.pi) / 2
    top = logs.max(axis=1)
    value = float((top + np.log(np.exp(logs - top[:, None]).sum(axis=1) * (t[1] - t[0]))).sum())
    value -= prior * float((np.log(a) ** 2 / 2 + c**2 / 18).sum())
    known = g > 0
    return value + prior * float((4 * np.log(g[known]) + 16 * np.log1p(-g[known])).sum())


def mean_scores(table: Any) -> Array:
    """Of the scores that there are; -inf without any.

    >>> print(mean_scores([[1.0, 2.0], [np.nan, 3.0], [np.nan, np.nan]]))
    [ 1.5  3.  -inf]
    """
    table = np.asarray(table, dtype=np.float64)
    count = (~np.isnan(table)).sum(axis=1)
    return np.where(count > 0, np.nansum(table, axis=1) / np.maximum(count, 1), -np.inf)


def ranks(scores: Any) -> npt.NDArray[np.int64]:
    """1 and the number of those who are better.

    >>> print(ranks(np.array([0.5, 2.0, 0.5])))
    [2 1 2]
    """
    return np.asarray(1 + (scores > scores[:, None]).sum(axis=1))


def kendall_tau(x: Any, y: Any) -> float:
    """Kendall's tau-b; 0 if one of the two is constant.

    >>> round(kendall_tau(np.array([1, 2, 3]), np.array([1, 3, 2])), 6)
    0.333333
    """
    one, other = ((v > v[:, None]).astype(int) - (v < v[:, None]) for v in (x, y))
    most = np.sqrt((one != 0).sum() * (other != 0).sum())
    return float((one * other).sum() / most) if most > 0 else 0.0


def stability(
    table: Any, times: Iterable[Any], score: Callable[[Any], Array] = mean_scores
) -> tuple[Array, Array, npt.NDArray[np.int64], Array]:
    """Scores, and those of each resample with their ranks and taus.

    `times` says for each resample how often each sample is in it.

    >>> scores, rounds, places, taus = stability(np.array([[1.0, 4.0], [2.0, 2.0]]), [[2, 0], [1, 1]])
    >>> print(places.tolist(), taus)
    [[2, 1], [1, 2]] [-1.  1.]
    """
    scores = score(table)
    rounds = [score(np.repeat(table, copies, axis=1)) for copies in times]
    places = [ranks(one) for one in rounds]
    taus = [kendall_tau(scores, one) for one in rounds]
    return scores, np.array(rounds), np.array(places), np.array(taus)
