"""Leaderboards over time: duels of scores, and ratings over many boards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._results import Result
from ..._validate import check_each, check_flag, check_nonnegative, check_vector, real_array
from ...plotting import plot_estimates
from .._over_time import EloRatings, elo
from .._table import encode_one, given_labels

Values = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]


def score_duels(
    table: Any,
    items: Any = None,
    *,
    margin: float = 0.05,
    k: float = 40.0,
    initial: float | EloRatings = 1500.0,
    higher_is_better: bool = True,
    history: bool = False,
    published: bool = False,
) -> EloRatings:
    """Elo ratings from scores: in every round each pair of models meets once, in the order of the table.

    Parameters
    ----------
    table : array_like, shape (n_models,) or (n_models, n_rounds)
        Scores such as F1; NaN where a model did not take part. Rounds are played from left to right.
    items : array_like, shape (n_models,), optional
        Labels; default 0 .. n_models - 1.
    margin : float, default 0.05
        Scores that differ by no more are a draw: as decimal numbers, so that .93 and .88 differ by .05.
    k : float, default 40
    initial : float or EloRatings, default 1500
        Or an earlier result to go on from.
    higher_is_better : bool, default True
    history : bool, default False
        Keep the ratings after each duel.
    published : bool, default False
        Compare differences with the margin as float64 has them, as the published boards of the TextClass
        benchmark do: there .93 - .88 is more than .05, a win, and .85 - .80 a draw.

    Returns
    -------
    EloRatings

    Raises
    ------
    ValueError
        If the table has infinite entries, or no two models share a round.

    Notes
    -----
    By default this is the benchmark's rule as it is written, which gives other ratings than its boards where
    a difference is the margin but for rounding: 16 of their 5,318 ratings, by up to 19 points.
    ``published=True`` gives the boards'.

    O(n_models^2) duels a round. Elo depends on the order of the rows; to be free of it, compare by
    `bradley_terry`.

    References
    ----------
    The rules of the TextClass benchmark: B. Gonzalez-Bustamante, "TextClass Benchmark", arXiv 2412.00539.

    Examples
    --------
    >>> ratings = score_duels([0.91, 0.88, 0.70], ["a", "b", "c"])
    >>> print(ratings.ratings.round(1))
    [1520.  1518.8 1461.2]
    """
    scores = _read_table(table)
    margin = check_nonnegative(margin, "margin")
    slack = 0.0 if check_flag(published, "published") else margin * 1e-12 + 1e-15
    labels = np.arange(len(scores)) if items is None else given_labels(items, "items")
    if len(labels) != len(scores):
        raise ValueError(f"items must have one label a model ({len(scores)}), got {len(labels)}")
    higher = check_flag(higher_is_better, "higher_is_better")
    winners, losers, ties = [], [], []
    for column in scores.T:
        there = np.flatnonzero(~np.isnan(column))
        i, j = np.triu_indices(len(there), 1)
        i, j = there[i], there[j]
        lead = column[i] - column[j] if higher else column[j] - column[i]
        winners.append(np.where(lead < 0, j, i))
        losers.append(np.where(lead < 0, i, j))
        ties.append(np.abs(lead) <= margin + slack)
    winner, loser, tie = (np.concatenate(part) for part in (winners, losers, ties))
    if len(winner) == 0:
        raise ValueError("table has no round with two models: there is nothing to compare")
    return elo(labels[winner], labels[loser], tie=tie, k=k, initial=initial, history=history, items=labels)


def _read_table(table: Any) -> Floats:
    array = real_array(table, "table")
    if array.ndim not in (1, 2) or len(array) == 0:
        raise ValueError(f"table must have shape (n_models,) or (n_models, n_rounds), got {array.shape}")
    if np.isinf(array).any():
        raise ValueError("table has infinite entries; write NaN where a model did not take part")
    scores = array.astype(np.float64)
    return scores[:, None] if scores.ndim == 1 else scores


@dataclass(frozen=True, repr=False, eq=False)
class MetaElo(Result):
    """Ratings over many leaderboards.

    Attributes
    ----------
    items : ndarray, shape (n,)
    ratings : ndarray, shape (n,)
        Weighted means of the ratings on the boards.
    weights : ndarray, shape (n,)
        Sums of the weights.
    n_boards : ndarray of int, shape (n,)
        Rows of each item.
    """

    items: Values
    ratings: Floats
    weights: Floats
    n_boards: npt.NDArray[np.int64]

    def __repr__(self) -> str:
        order = np.argsort(-self.ratings, kind="stable")[:5]
        best = ", ".join(f"{self.items[i]} {self.ratings[i]:.0f}" for i in order)
        return f"MetaElo: {len(self.items):,} items, {self.n_boards.sum():,} ratings\nbest: {best}"

    def to_frame(self) -> dict[str, Values]:
        """Columns ``item``, ``rating``, ``weight``, ``boards``, best first.

        Returns
        -------
        dict of str to ndarray
        """
        order = np.argsort(-self.ratings, kind="stable")
        columns = {
            "item": self.items,
            "rating": self.ratings,
            "weight": self.weights,
            "boards": self.n_boards,
        }
        return {name: column[order] for name, column in columns.items()}

    def plot(self, **options: Any) -> Any:
        """Ratings, best on top; see `steelyard.plotting.plot_estimates`.

        Parameters
        ----------
        **options
            As of `steelyard.plotting.plot_estimates`.

        Returns
        -------
        matplotlib.axes.Axes

        Examples
        --------
        >>> from steelyard.rank import meta_elo
        >>> found = meta_elo(["ann", "ben"], [1600, 1500], f1=[0.9, 0.8], board=[0, 0], categories=[2, 2])
        >>> found.plot().get_xlabel()
        'rating'
        """
        return plot_estimates(self.to_frame(), **options)


def meta_elo(
    model: Any,
    rating: Any,
    *,
    f1: Any,
    board: Any,
    categories: Any,
    language: Any = 1.0,
    cycle: Any = 1,
    active: Any = None,
) -> MetaElo:
    """One rating from those on many leaderboards.

    The mean of a model's ratings with weights ln(categories + 1) * language * f1 / max f1 * (1 + ln(cycle +
    1)), the largest f1 being that of the active models on the same board.

    Parameters
    ----------
    model : array_like, shape (n,)
        Labels, one row a model and board.
    rating : array_like, shape (n,)
        Elo rating on that board.
    f1 : array_like, shape (n,)
        Score on that board, >= 0.
    board : array_like, shape (n,)
        Labels of the leaderboards.
    categories : array_like, shape (n,), or int
        Categories that the board's task tells apart, at least 1.
    language : array_like, shape (n,), or float, default 1
        Weight of the board's language, >= 0.
    cycle : array_like, shape (n,), or int, default 1
        Cycle that the board is in, >= 0.
    active : array_like of bool, shape (n,), optional
        Rows to use; default all.

    Returns
    -------
    MetaElo

    Raises
    ------
    ValueError
        If columns are not equally long or out of range, or a model's weights are all zero.

    References
    ----------
    B. Gonzalez-Bustamante, "TextClass Benchmark", arXiv 2412.00539.

    Examples
    --------
    >>> found = meta_elo(
    ...     ["a", "b", "a"], [1600, 1500, 1400], f1=[0.9, 0.8, 0.6], board=[0, 0, 1], categories=[2, 2, 5]
    ... )
    >>> print(found.ratings.round(1))
    [1476. 1500.]
    """
    labels, code = encode_one(model, "model")
    n = len(code)
    _, where = encode_one(board, "board")
    if len(where) != n:
        raise ValueError(f"board must have length {n}, got {len(where)}")
    ratings = check_vector(rating, "rating", length=n)
    score = _column(f1, "f1", n, 0.0)
    size = _column(categories, "categories", n, 1.0)
    tongue = _column(language, "language", n, 0.0)
    turn = _column(cycle, "cycle", n, 0.0)
    used = np.ones(n, dtype=bool) if active is None else np.asarray(active)
    if used.dtype.kind != "b" or used.shape != (n,):
        raise ValueError(f"active must hold {n} booleans, got shape {used.shape} of {used.dtype}")
    best = np.zeros(int(where.max(initial=-1)) + 1)
    np.maximum.at(best, where[used], score[used])
    share = np.divide(score, best[where], out=np.zeros(n), where=best[where] > 0)
    with np.errstate(over="ignore", invalid="ignore"):
        weight = np.where(used, np.log(size + 1) * tongue * share * (1 + np.log(turn + 1)), 0.0)
        if not np.isfinite(np.abs(weight * ratings).sum()):
            raise ValueError("language times rating overflows: scale them")
    there = np.unique(code[used])
    place = np.full(len(labels), -1)
    place[there] = np.arange(len(there))
    rows = place[code[used]]
    total = np.bincount(rows, weights=weight[used], minlength=len(there))
    idle = np.flatnonzero(~(total > 0))
    if len(idle):
        raise ValueError(f"the weights of {labels[there[idle[0]]]!s} are all zero: it has no rating")
    mean = np.bincount(rows, weights=(weight * ratings)[used], minlength=len(there)) / total
    counts = np.bincount(rows, minlength=len(there))
    return MetaElo(labels[there], np.asarray(mean), np.asarray(total, np.float64), counts)


def _column(values: Any, name: str, n: int, least: float) -> Floats:
    array = check_each(values, name, n)
    if (array < least).any():
        raise ValueError(f"{name} must be at least {least:g}, got {array.min()}")
    return array
