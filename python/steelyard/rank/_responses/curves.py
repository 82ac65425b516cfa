"""Chances and information of items at an ability, and the posterior of a person's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Curves:
    """P(right) = g + (1 - g) sigma(a t + c)."""

    slopes: Floats
    intercepts: Floats
    guesses: Floats

    def _sigma(self, theta: Any, where: Positions) -> Floats:
        x = np.multiply.outer(theta, self.slopes[where]) + self.intercepts[where]
        e = np.exp(-np.abs(x))
        return np.asarray(np.where(x < 0, e, 1.0) / (1.0 + e))

    def chances(self, theta: Any, where: Positions) -> Floats:
        """Of right answers: abilities x items."""
        g = self.guesses[where]
        return np.asarray(g + (1 - g) * self._sigma(theta, where))

    def information(self, theta: float, where: Positions) -> Floats:
        """Of each item about the ability."""
        s, g, a = self._sigma(theta, where), self.guesses[where], self.slopes[where]
        return np.asarray(a**2 * s * (1 - s) * (1 - g) * s / np.maximum(g + (1 - g) * s, 1e-300))

    def posterior(self, where: Positions, right: npt.NDArray[np.bool_]) -> tuple[float, float]:
        """Mean and standard deviation under a standard normal prior, on a lattice where it lies."""
        mean, sd = 0.0, 1.0
        for reach in (8.0, 8.0, 8.0):
            t = mean + sd * np.linspace(-reach, reach, 161)
            x = np.multiply.outer(t, self.slopes[where]) + self.intercepts[where]
            g = self.guesses[where]
            with np.errstate(divide="ignore"):
                known = np.logaddexp(np.log(g), x) - np.logaddexp(0, x)
            logs = np.where(right, known, np.log1p(-g) - np.logaddexp(0, x)).sum(axis=1) - t**2 / 2
            p = np.exp(logs - logs.max())
            p /= p.sum()
            mean = float(p @ t)
            sd = max(float(np.sqrt(p @ (t - mean) ** 2)), 0.1 * sd)
        return mean, sd
