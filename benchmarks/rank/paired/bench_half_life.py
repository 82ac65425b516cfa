"""Which half-life foretells football best: chosen on 2000 to 2009, judged on 2010 to 2025, a month ahead.

python benchmarks/rank/paired/bench_half_life.py prints the log loss a game of win, draw and loss. Each month
is foretold from all games before it, where both teams have played before: by `bradley_terry` with a
half-life, by `whole_history` (volatility .24 a year, March and September) and by `elo` (all games), which
gives expected scores alone: the second number is the binary loss of expected scores, a draw being half a win.
"""

from __future__ import annotations

import warnings

import numpy as np

from steelyard import datasets
from steelyard.rank import Comparisons, bradley_terry, elo, whole_history

HALF_LIVES = (0.5, 1, 2, 3, 4, 6, 8, 12, 20, 1000)  # years
EPS = 1e-12


def months(first: int, last: int) -> list[np.datetime64]:
    return list(np.arange(f"{first}-01", f"{last + 1}-01", dtype="datetime64[M]"))


def outcome_columns(games: Comparisons, rows: np.ndarray) -> np.ndarray:
    ties = games.ties[rows] if games.ties is not None else np.zeros(rows.sum())
    return np.stack([games.left_wins[rows], ties, games.right_wins[rows]], axis=1)


def loss(chances: np.ndarray, seen: np.ndarray) -> tuple[float, float, float]:
    """Sums of the loss of three outcomes, of the binary loss of expected scores, and games."""
    score = np.clip(chances[:, 0] + chances[:, 1] / 2, EPS, 1 - EPS)
    right = seen[:, 0] + seen[:, 1] / 2
    binary = -(right * np.log(score) + (seen.sum(axis=1) - right) * np.log(1 - score)).sum()
    return -(seen * np.log(np.maximum(chances, EPS))).sum(), binary, seen.sum()


def split(games: Comparisons, month: np.datetime64) -> tuple[np.datetime64, np.ndarray, Comparisons]:
    """The day before the month, its games between teams that have played before, and all games up to then."""
    start, end = month.astype("M8[D]"), (month + 1).astype("M8[D]")
    before = games.filter(until=str(start - 1))
    known = np.isin(games.items, before.items)
    rows = (games.time >= start) & (games.time < end) & known[games.left] & known[games.right]
    return start - 1, rows, before


def foretold(games: Comparisons, month: np.datetime64, half_life: float) -> tuple[float, float, float]:
    start, rows, before = split(games, month)
    fit = bradley_terry(
        before, half_life=half_life, time_unit="year", at=start, prior=1.0, home=True, tol=1e-6
    )
    known = dict(zip(fit.items.tolist(), fit.strengths.tolist(), strict=True))
    x = np.array([known[games.items[i]] for i in games.left[rows]])
    x -= np.array([known[games.items[i]] for i in games.right[rows]])
    x += (games.home[rows] if games.home is not None else 0) * fit.home_advantage
    e, nu = np.exp(x / 2), fit.tie_parameter
    chances = np.stack([e, np.full(len(e), nu), 1 / e], axis=1)
    return loss(chances / chances.sum(axis=1, keepdims=True), outcome_columns(games, rows))


def judged(games: Comparisons, period: list[np.datetime64], half_life: float) -> tuple[float, float]:
    three, two, n = np.sum([foretold(games, month, half_life) for month in period], axis=0)
    return three / n, two / n


def by_history(games: Comparisons, month: np.datetime64) -> tuple[float, float, float]:
    start, rows, before = split(games, month)
    if not rows.any():
        return 0.0, 0.0, 0.0
    history = whole_history(before, volatility=0.24, time_unit="year", home=True, tol=1e-4)
    left, right = games.items[games.left[rows]].tolist(), games.items[games.right[rows]].tolist()
    found = [
        history.predict(a, b, start, home=int(h))
        for a, b, h in zip(left, right, games.home[rows], strict=True)
    ]
    return loss(np.array([[p.win, p.tie, p.loss] for p in found]), outcome_columns(games, rows))


def by_elo(games: Comparisons, period: list[np.datetime64]) -> float:
    """The loss of expected scores before each game of the months, k = 40 and 100 points for the home side."""
    outcomes = ((games.left_wins, False, False), (games.right_wins, True, False), (games.ties, False, True))
    rows = [
        (games.time[k], *((right, left, -h) if turned else (left, right, h)), tie)
        for counts, turned, tie in outcomes
        for k in np.repeat(np.arange(games.n_rows), counts.astype(int))
        for left, right, h in [(games.left[k], games.right[k], games.home[k])]
    ]
    rows.sort(key=lambda row: row[0])
    time, a, b, home, tie = (np.array(column) for column in zip(*rows, strict=True))
    ratings, total, n = 1500.0, 0.0, 0
    for month in months(1870, 2025):
        now = time.astype("M8[M]") == month
        if now.any():
            ratings = elo(
                a[now], b[now], tie=tie[now], home=home[now], home_advantage=100.0, k=40.0, initial=ratings
            )
            if month in period:
                total, n = total + ratings.log_loss * now.sum(), n + now.sum()
    return total / n


def main() -> None:
    warnings.simplefilter("ignore")
    games = datasets.load_football().comparisons()
    print("half-life (years): log loss a game, 2000 to 2009")
    chosen = {h: judged(games, months(2000, 2009)[::3], h) for h in HALF_LIVES}
    for h, (three, two) in chosen.items():
        print(f"{h:8g}  {three:.4f}  {two:.4f}")
    best = min(chosen, key=lambda h: chosen[h][0])
    later = months(2010, 2025)
    for h in (best, 1000):
        print("2010 to 2025, half-life {:g}: {:.4f}  {:.4f}".format(h, *judged(games, later, h)))
    print(f"2010 to 2025, elo:            {by_elo(games, later):.4f}")
    three, two, n = np.sum([by_history(games, month) for month in later[2::6]], axis=0)
    print(f"two months a year, whole_history: {three / n:.4f}  {two / n:.4f}")
    print("two months a year, half-life {:g}: {:.4f}  {:.4f}".format(best, *judged(games, later[2::6], best)))


if __name__ == "__main__":
    main()
