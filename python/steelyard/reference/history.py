"""Strengths over time in plain NumPy: dense and slow, for tests and benchmarks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Model:
    """Games (first, second, outcome, time, home): outcome +1, 0 or -1 for the first, home likewise.

    Parameters are the strengths of `nodes`, (item, time) sorted, then log nu if `ties`, then the home
    advantage if `home`. With ties the chances are Davidson's; without, a tie is half a win to each.
    """

    games: Sequence[tuple[Any, Any, int, float, int]]
    volatility: float
    prior: float = 1.0
    ties: bool = False
    home: bool = False

    @property
    def nodes(self) -> list[tuple[Any, float]]:
        """An item on a date."""
        return sorted({(side, game[3]) for game in self.games for side in game[:2]})

    def derivatives(self, at: Array) -> tuple[float, Array, Array]:
        """Log posterior, gradient and negative Hessian.

        Each outcome o has a log chance linear in the parameters but for the normaliser, f_o'at - log sum exp:
        the gradient is f of what happened minus its mean, the curvature the covariance of f.
        """
        place = {node: k for k, node in enumerate(self.nodes)}
        value, gradient, curvature = 0.0, np.zeros(len(at)), np.zeros((len(at), len(at)))

        def observe(features: Array, weights: Array) -> None:
            nonlocal value
            logs = features @ at
            logs -= np.logaddexp.reduce(logs)
            chances = np.exp(logs)
            mean = chances @ features
            value += float(weights @ logs)
            gradient[:] += weights @ features - weights.sum() * mean
            centred = features - mean
            curvature[:] += weights.sum() * (centred.T * chances) @ centred

        for first, second, outcome, time, home in self.games:
            lead = np.zeros(len(at))
            lead[place[first, time]], lead[place[second, time]] = 1.0, -1.0
            if self.home:
                lead[-1] = home
            rows = [lead / 2, -lead / 2]
            weights = np.array([outcome == 1, outcome == -1]) + (0.5 if outcome == 0 else 0.0)
            if self.ties:
                rows.append(np.zeros(len(at)))
                rows[2][len(place)] = 1.0
                weights = np.array([outcome == 1, outcome == -1, outcome == 0])
            observe(np.array(rows), weights.astype(float))
        for k, (item, time) in enumerate(self.nodes):
            unit = np.zeros(len(at))
            unit[k] = 1.0
            if k == 0 or self.nodes[k - 1][0] != item:
                observe(np.array([unit / 2, -unit / 2]), np.full(2, self.prior))
                continue
            unit[k - 1] = -1.0
            precision = 1 / (self.volatility**2 * (time - self.nodes[k - 1][1]))
            step = unit @ at
            value += 0.5 * float(np.log(precision) - precision * step**2)
            gradient -= precision * step * unit
            curvature += precision * np.outer(unit, unit)
        return value, gradient, curvature

    def fit(self) -> tuple[Array, Array]:
        """The maximum by Newton's method with halved steps, and the covariance there."""
        at = np.zeros(len(self.nodes) + self.ties + self.home)
        for _ in range(100):
            value, gradient, curvature = self.derivatives(at)
            step = np.linalg.solve(curvature, gradient)
            if gradient @ step < 1e-24:
                break
            while self.derivatives(at + step)[0] < value - 1e-12 * abs(value):
                step /= 2
            at = at + step
        covariance: Array = np.linalg.inv(self.derivatives(at)[2]).astype(float)
        return at, covariance

    def gibbs(self, sweeps: int, rng: np.random.Generator, *, by_item: bool = True) -> Array:
        """Draws of the strengths by Polya and Gamma's augmentation; without tie and home parameters.

        A game of weight n between strengths that differ by x has a Polya-Gamma variable PG(n, x); given
        those, strengths are jointly normal. `by_item`: one item's history after the other (forward filter,
        backward sample, here by a dense solve); else all at once. Shape (sweeps, nodes).
        """
        if self.ties or self.home:
            raise ValueError("the augmentation is for wins and losses alone")
        nodes = self.nodes
        place = {node: k for k, node in enumerate(nodes)}
        first = [k for k, node in enumerate(nodes) if k == 0 or nodes[k - 1][0] != node[0]]
        rows = np.zeros((len(self.games) + len(first), len(nodes)))
        for row, (a, b, _, time, _) in zip(rows, self.games, strict=False):
            row[place[a, time]], row[place[b, time]] = 1.0, -1.0
        rows[range(len(self.games), len(rows)), first] = 1.0
        weight = np.append(np.ones(len(self.games)), np.full(len(first), 2 * self.prior))
        right = rows.T @ np.append([game[2] / 2 for game in self.games], np.zeros(len(first)))
        wiener = np.zeros((len(nodes), len(nodes)))
        for k in set(range(len(nodes))) - set(first):
            gap = self.volatility**2 * (nodes[k][1] - nodes[k - 1][1])
            wiener[k - 1 : k + 1, k - 1 : k + 1] += np.array([[1.0, -1.0], [-1.0, 1.0]]) / gap
        blocks = np.split(np.arange(len(nodes)), first[1:]) if by_item else [np.arange(len(nodes))]
        at, out = np.zeros(len(nodes)), np.empty((sweeps, len(nodes)))
        for sweep in range(sweeps):
            omega = _polya_gamma(weight, rows @ at, rng)
            precision = wiener + rows.T @ (omega[:, None] * rows)
            for block in blocks:
                root = np.linalg.cholesky(precision[np.ix_(block, block)])
                pull = right[block] - precision[block] @ at + precision[np.ix_(block, block)] @ at[block]
                mean = np.linalg.solve(root.T, np.linalg.solve(root, pull))
                at[block] = mean + np.linalg.solve(root.T, rng.standard_normal(len(block)))
            out[sweep] = at
        return out


def _polya_gamma(weight: Array, x: Array, rng: np.random.Generator, terms: int = 200) -> Array:
    """PG(weight, x) by its sum of gamma variables; the mean stands for what comes after `terms`."""
    poles = (np.arange(terms) + 0.5) ** 2 + (x[:, None] / (2 * np.pi)) ** 2
    drawn = (rng.gamma(weight[:, None], size=poles.shape) / poles).sum(axis=1) / (2 * np.pi**2)
    mean = weight * np.where(np.abs(x) < 1e-4, 0.25, np.tanh(x / 2) / (2 * np.where(x == 0, 1.0, x)))
    tail = mean - weight * (1 / poles).sum(axis=1) / (2 * np.pi**2)
    return np.asarray(drawn + tail, dtype=np.float64)
