"""Plackett-Luce in plain NumPy: short and slow, for tests and benchmarks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

Array = npt.NDArray[np.float64]


def log_likelihood(rankings: Sequence[Any], s: Array) -> float:
    """Of rankings of item numbers, best first.

    >>> round(log_likelihood([[0, 1], [0, 1]], np.zeros(2)), 6)  # two coins
    -1.386294
    """
    return float(
        sum(
            s[row[u]] - np.logaddexp.reduce(s[np.asarray(row[u:])])
            for row in rankings
            for u in range(len(row) - 1)
        )
    )


def fit(rankings: Sequence[Any], n: int, prior: float = 0.0, sweeps: int = 1000) -> Array:
    """Hunter's minorise-maximise iteration: strengths after so many sweeps.

    With a prior each item wins and loses `prior` times against an item of strength 0.
    """
    pi = np.ones(n)
    for _ in range(sweeps):
        wins, rates = np.full(n, prior), prior / (pi + 1) * 2
        for row in rankings:
            row = np.asarray(row)
            wins[row[:-1]] += 1
            left = np.cumsum(pi[row][::-1])[::-1][:-1]  # of those who remain at each choice
            rate = np.cumsum(1 / left)
            rates[row] += np.append(rate, rate[-1])
        pi = wins / rates
        if prior == 0:
            pi /= np.exp(np.log(pi).mean())
    return np.asarray(np.log(pi))


def _best_factor(pi: Array) -> float:
    return float(np.exp(brentq(lambda c: np.tanh((np.log(pi) + c) / 2).sum(), -99, 99, xtol=1e-14)))


def newman(
    rankings: Sequence[Any], n: int, prior: float = 0.0, sweeps: int = 100, known: Sequence[int] | None = None
) -> Array:
    """Newman's asynchronous iteration: strengths after so many sweeps.

    Ranking r says who had the first known[r] places, by default all. With a prior each item wins and loses
    `prior` times against an item of strength 0.
    """
    pi = np.ones(n)
    for _ in range(sweeps):
        for i in range(n):
            up, down = prior / (pi[i] + 1), prior / (pi[i] + 1)
            for r, row in enumerate(rankings):
                row = np.asarray(row)
                for u in range(len(row) - 1 if known is None else known[r]):
                    left = pi[row[u:]].sum()  # those who remain at this choice
                    if row[u] == i:
                        up += (left - pi[i]) / left
                    elif i in row[u:]:
                        down += 1 / left
            pi[i] = up / down
        if prior == 0:
            pi /= np.exp(np.log(pi).mean())
        else:  # the common factor that the prior likes best
            pi *= _best_factor(pi)
    return np.asarray(np.log(pi))


def tied_log_likelihood(rankings: Sequence[Any], s: Array, delta: Sequence[float]) -> float:
    """Of rankings of lists of tied items, by all sets that could have been placed next; delta[k - 2] of k.

    >>> round(tied_log_likelihood([[[0, 1]], [[0], [1]]], np.zeros(2), [2.0]), 6)  # ln 1/2 + ln 1/4
    -2.079442
    """
    factor = [1.0, *delta]

    def weight(items: Sequence[int]) -> float:
        return factor[len(items) - 1] * float(np.exp(np.mean(s[list(items)])))

    total = 0.0
    for row in rankings:
        for u, chosen in enumerate(row):
            rest = [item for tied in row[u:] for item in tied]
            if len(rest) > 1:
                sizes = range(1, min(len(factor), len(rest)) + 1)
                all_sets = sum(weight(some) for k in sizes for some in combinations(rest, k))
                total += float(np.log(weight(chosen) / all_sets))
    return total
