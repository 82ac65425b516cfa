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
