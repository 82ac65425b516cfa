"""Games between random items, as Comparisons and as the cells of the reference."""

from __future__ import annotations

import numpy as np

from steelyard.rank import Comparisons
from steelyard.reference import rank as reference

MODELS = ("davidson", "rao-kupper", "half", "drop")


def random_cells(seed: int, n: int, *, most: int = 6) -> reference.Cells:
    """Every pair has met, with wins both ways: the optimum is finite for every model."""
    rng = np.random.default_rng(seed)
    left, right = np.triu_indices(n, 1)
    wins, losses = rng.integers(1, most, (2, len(left))).astype(float)
    ties = rng.integers(0, most, len(left)).astype(float)
    ties[0] += 1
    home = rng.integers(-1, 2, len(left)).astype(float)
    home[:3] = -1, 0, 1
    return reference.Cells(left, right, wins, losses, ties, home)


def to_comparisons(cells: reference.Cells) -> Comparisons:
    """One row a cell and outcome, winner first."""
    first = np.concatenate([cells.left, cells.right, cells.left])
    second = np.concatenate([cells.right, cells.left, cells.right])
    home = np.concatenate([cells.home, -cells.home, cells.home]).astype(int)
    count = np.concatenate([cells.wins, cells.losses, cells.ties]).astype(int)
    tie = np.repeat([False, False, True], len(cells.left))
    kept = count > 0
    return Comparisons.from_pairs(
        first[kept],
        second[kept],
        tie=tie[kept],
        home=home[kept],
        count=count[kept],
        items=range(max(cells.left.max(), cells.right.max()) + 1),
    )


def as_modelled(cells: reference.Cells, ties: str) -> tuple[reference.Cells, str]:
    """The cells and the reference's model for a value of bradley_terry's `ties`."""
    if ties == "half":
        return reference.half_ties(cells), "none"
    if ties == "drop":
        return reference.Cells(cells.left, cells.right, cells.wins, cells.losses, home=cells.home), "none"
    return cells, ties


def simulate(seed: int, strengths: np.ndarray, games: int, *, nu: float = 0.0) -> Comparisons:
    """`games` games of each pair, with Davidson's ties."""
    rng = np.random.default_rng(seed)
    left, right = np.triu_indices(len(strengths), 1)
    x = strengths[left] - strengths[right]
    chances = np.exp(np.column_stack([x / 2, -x / 2, np.zeros_like(x)])) * [1, 1, nu]
    wins, losses, ties = rng.multinomial(games, chances / chances.sum(axis=1, keepdims=True)).T
    return to_comparisons(reference.Cells(left, right, wins, losses, ties, np.zeros(len(left))))


def ladder(seed: int, n: int, reach: int, *, spread: float, times: int = 4) -> Comparisons:
    """Each item plays the `reach` next ones; strengths rise by `spread` in all. Largest strong component."""
    rng = np.random.default_rng(seed)
    first = np.repeat(np.arange(n), reach)
    second = first + np.tile(np.arange(1, reach + 1), n)
    first, second = (np.repeat(a[second < n], times) for a in (first, second))
    x = spread * (first - second) / n
    won = rng.random(len(x)) < 1 / (1 + np.exp(-x))
    return Comparisons.from_pairs(
        np.where(won, first, second), np.where(won, second, first)
    ).largest_component()
