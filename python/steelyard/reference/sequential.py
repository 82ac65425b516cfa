"""Elo and Glicko-2 in plain Python: short and slow, for tests and benchmarks."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable

Game = tuple[Hashable, Hashable, float]  # first, second, score of the first


def elo(
    games: Iterable[Game], k: float = 32.0, scale: float = 400.0, initial: float = 1500.0
) -> dict[Hashable, float]:
    """Ratings after all games.

    >>> elo([("ann", "ben", 1.0)])
    {'ann': 1516.0, 'ben': 1484.0}
    """
    ratings: dict[Hashable, float] = {}
    for a, b, score in games:
        ra, rb = ratings.get(a, initial), ratings.get(b, initial)
        step = k * (score - 1 / (1 + 10 ** (-(ra - rb) / scale)))
        ratings[a], ratings[b] = ra + step, rb - step
    return ratings


def glicko2(
    player: tuple[float, float, float], opponents: list[tuple[float, float, float]], tau: float = 0.5
) -> tuple[float, float, float]:
    """One period of one player (rating, deviation, volatility) against (rating, deviation, score).

    >>> # Glickman's example
    >>> found = glicko2((1500, 200, 0.06), [(1400, 30, 1), (1550, 100, 0), (1700, 300, 0)])
    >>> [round(x, y) for x, y in zip(found, (2, 2, 5))]
    [1464.05, 151.52, 0.06]
    """
    c = 400 / math.log(10)
    mu, phi, sigma = (player[0] - 1500) / c, player[1] / c, player[2]
    slope = gain = 0.0
    for rating, deviation, score in opponents:
        g = 1 / math.sqrt(1 + 3 * (deviation / c) ** 2 / math.pi**2)
        e = 1 / (1 + math.exp(-g * (mu - (rating - 1500) / c)))
        slope += g * g * e * (1 - e)
        gain += g * (score - e)
    v = 1 / slope
    delta = v * gain

    def f(x: float) -> float:
        total = phi**2 + v + math.exp(x)
        return math.exp(x) * (delta**2 - total) / (2 * total**2) - (x - 2 * math.log(sigma)) / tau**2

    low, high = 2 * math.log(sigma) - 40, 2 * math.log(sigma) + 40
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if f(middle) > 0 else (low, middle)
    sigma = math.exp(low / 2)
    new_phi = 1 / math.sqrt(1 / (phi**2 + sigma**2) + slope)
    return 1500 + c * (mu + new_phi**2 * gain), c * new_phi, sigma
