"""Everybody who fits Bradley-Terry strengths, as fit(games) -> strengths, from integer arrays.

With ties="half" a tie is half a win each, which all of them can do. Peers run with their default tolerances
and limits (100 iterations for evalica and choix), L-BFGS for at most 300 iterations: the error beside the
time says how far that got. What a peer wants as input beside the arrays (evalica's list of winners) is made
before its clock starts.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

import numpy as np
from generators import Games
from scipy.optimize import minimize

from steelyard.rank import Comparisons, bradley_terry
from steelyard.reference import rank as reference

Fit = Callable[[], np.ndarray]

PEERS = {name: importlib.util.find_spec(name) is not None for name in ("evalica", "choix")}
DENSE_LIMIT = 6000  # items: evalica and choix hold n x n matrices


def to_comparisons(games: Games, *, home: bool = False) -> Comparisons:
    return Comparisons.from_pairs(games.winner, games.loser, tie=games.tie, home=games.home if home else None)


def cells_of(games: Games, ties: str, *, home: bool = False) -> reference.Cells:
    """Games grouped by pair, in NumPy."""
    low, high = np.minimum(games.winner, games.loser), np.maximum(games.winner, games.loser)
    forth = games.winner < games.loser
    host = (
        np.where(forth, games.home, -games.home)
        if home and games.home is not None
        else np.zeros(len(games), int)
    )
    tied = np.zeros(len(games), bool) if games.tie is None else games.tie
    key, cell = np.unique((low * games.n + high) * 3 + host + 1, return_inverse=True)
    wins, losses, draws = (
        np.bincount(cell, weights=part, minlength=len(key)) for part in (forth & ~tied, ~forth & ~tied, tied)
    )
    cells = reference.Cells(key // 3 // games.n, key // 3 % games.n, wins, losses, draws, key % 3 - 1.0)
    return reference.half_ties(cells) if ties == "half" else cells


def steelyard(games: Games, ties: str, home: bool) -> Fit:
    return lambda: bradley_terry(to_comparisons(games, home=home), ties=ties, home=home).strengths


def lbfgs(games: Games, ties: str, home: bool) -> Fit:
    """SciPy's L-BFGS-B on the grouped cells, with its gradient, as far as it goes."""

    def fit() -> np.ndarray:
        cells = cells_of(games, ties, home=home)
        n, total = games.n, cells.wins + cells.losses + cells.ties

        def loss(p: np.ndarray) -> tuple[float, np.ndarray]:
            x = p[cells.left] - p[cells.right] + p[n + 1] * cells.home
            tie = p[n] if ties == "davidson" else -np.inf
            rest = np.logaddexp(np.logaddexp(x / 2, -x / 2), tie)
            value = (cells.wins - cells.losses) @ x / 2 + (
                cells.ties.sum() * p[n] if ties == "davidson" else 0
            )
            slope = (cells.wins - cells.losses) / 2 - total * np.exp(-rest) * np.sinh(x / 2)
            gradient = np.zeros(n + 2)
            gradient[:n] = np.bincount(cells.left, slope, n) - np.bincount(cells.right, slope, n)
            gradient[n] = cells.ties.sum() - total @ np.exp(tie - rest) if ties == "davidson" else 0
            gradient[n + 1] = slope @ cells.home if home else 0
            return -(value - total @ rest), -gradient

        options = {"maxiter": 300, "maxfun": 600, "ftol": 0, "gtol": 1e-9, "maxcor": 20}
        return minimize(loss, np.zeros(n + 2), jac=True, method="L-BFGS-B", options=options).x[:n]

    return fit


def evalica(games: Games, ties: str, home: bool, solver: str = "bradley_terry") -> Fit:
    import evalica as package

    tied = np.zeros(len(games), bool) if games.tie is None else games.tie
    winners = [package.Winner.Draw if t else package.Winner.X for t in tied]

    def fit() -> np.ndarray:
        scores = getattr(package, solver)(games.winner, games.loser, winners, tie_weight=0.5).scores
        return np.log(scores.loc[range(games.n)].to_numpy())

    return fit


def choix(games: Games, ties: str, home: bool) -> Fit:
    import choix as package

    def fit() -> np.ndarray:
        tied = np.zeros(len(games), bool) if games.tie is None else games.tie
        wins = np.bincount(games.winner * games.n + games.loser, 1 - 0.5 * tied, games.n**2)
        if tied.any():
            wins += np.bincount(
                (games.loser * games.n + games.winner)[tied], np.full(tied.sum(), 0.5), games.n**2
            )
        return package.ilsr_pairwise_dense(wins.reshape(games.n, games.n), alpha=0.0)

    return fit


def reference_newton(games: Games, ties: str, home: bool) -> Fit:
    model = "davidson" if ties == "davidson" else "none"
    return lambda: reference.newton(cells_of(games, ties, home=home), games.n, model=model, home=home)[0].s


def reference_zermelo(games: Games, ties: str, home: bool) -> Fit:
    """Plain NumPy where the dense Newton would not fit: 100 sweeps, as many peers stop by default."""
    return lambda: reference.zermelo(cells_of(games, ties), games.n, 100).s


def contenders(games: Games, *, home: bool = False) -> dict[str, Callable[[Games, str, bool], Fit]]:
    """Who can take these games."""
    found = {"steelyard": steelyard, "scipy L-BFGS-B": lbfgs}
    found["reference Newton" if games.n <= 500 else "reference Zermelo, 100 sweeps"] = (
        reference_newton if games.n <= 500 else reference_zermelo
    )
    if games.n <= DENSE_LIMIT and not home:
        if PEERS["evalica"]:
            found["evalica bradley_terry"] = evalica
        if PEERS["choix"]:
            found["choix ilsr_pairwise_dense"] = choix
    return found
