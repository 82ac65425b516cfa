"""Ratings that move with each game: Elo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _core
from ..._errors import interrupted
from ..._labels import position
from ..._results import Result
from ..._validate import check_flag, check_nonnegative, check_number, check_positive
from ...plotting import plot_estimates
from .._table import Games, Values, positions, read_games
from .standing import after_these, joined, read_board

Floats = npt.NDArray[np.float64]
_TENFOLD = float(np.log(10.0))


@dataclass(frozen=True, repr=False, eq=False)
class EloRatings(Result):
    """Elo ratings after a sequence of games, and how well they foresaw them.

    Attributes
    ----------
    items : ndarray, shape (n,)
        Labels, sorted, or as given; those of an earlier result first.
    ratings : ndarray, shape (n,)
    games : ndarray of int, shape (n,)
        Games of each item in this call.
    log_loss : float
        Mean of -ln of the probability that each outcome had before its game, a draw counted half to each
        side. A coin has 0.693.
    accuracy : float
        Share of the decided games that the higher rated item won; games between equal ratings left out. NaN
        if there are none.
    scale : float
    """

    items: Values
    ratings: Floats
    games: npt.NDArray[np.int64]
    log_loss: float
    accuracy: float
    scale: float
    _rows: Games = field(repr=False)
    _after: tuple[Floats, Floats] | None = field(repr=False)

    def __repr__(self) -> str:
        order = np.argsort(-self.ratings, kind="stable")[:5]
        best = ", ".join(f"{self.items[i]} {self.ratings[i]:.0f}" for i in order)
        return (
            f"EloRatings: {len(self.items):,} items, {len(self._rows.first):,} games, log loss "
            f"{self.log_loss:.4f}, accuracy {self.accuracy:.3f}\nbest: {best}"
        )

    def rating(self, item: Any) -> float:
        """Rating of one item.

        Parameters
        ----------
        item : label

        Returns
        -------
        float

        Raises
        ------
        KeyError
            If there is no such item.
        """
        return float(self.ratings[_place(self.items, item)])

    def predict(self, first: Any, second: Any) -> float:
        """Expected score of `first` against `second`, none at home.

        Parameters
        ----------
        first, second : labels

        Returns
        -------
        float
            Between 0 and 1.
        """
        lead = self.rating(first) - self.rating(second)
        odds = float(np.exp(-_TENFOLD * abs(lead) / self.scale))
        return (1.0 if lead >= 0 else odds) / (1.0 + odds)

    def history(self, item: Any) -> tuple[npt.NDArray[np.intp], Floats]:
        """An item's games and its rating after each.

        Parameters
        ----------
        item : label

        Returns
        -------
        rows : ndarray of int, shape (m,)
            Row numbers of its games.
        ratings : ndarray, shape (m,)

        Raises
        ------
        ValueError
            If the ratings were computed without ``history=True``.
        """
        if self._after is None:
            raise ValueError("there is no history: call elo(..., history=True)")
        at = _place(self.items, item)
        rows = np.flatnonzero((self._rows.first == at) | (self._rows.second == at))
        own_first = self._rows.first[rows] == at
        return rows, np.where(own_first, self._after[0][rows], self._after[1][rows])

    def to_frame(self) -> dict[str, Values]:
        """Columns ``item``, ``rating``, ``games``, best first; any data frame library takes them.

        Returns
        -------
        dict of str to ndarray
        """
        order = np.argsort(-self.ratings, kind="stable")
        return {"item": self.items[order], "rating": self.ratings[order], "games": self.games[order]}

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
        >>> from steelyard.rank import elo
        >>> axes = elo(["ann", "ben"], ["ben", "cat"]).plot(top=2)
        >>> [tick.get_text() for tick in axes.get_yticklabels()]
        ['ann', 'ben']
        """
        return plot_estimates(self.to_frame(), **options)


def elo(
    winner: Any,
    loser: Any,
    *,
    tie: Any = None,
    weight: Any = None,
    k: float = 32.0,
    scale: float = 400.0,
    initial: float | EloRatings | Mapping[Any, float] = 1500.0,
    margin: Any = None,
    home: Any = None,
    home_advantage: float = 0.0,
    history: bool = False,
    items: Any = None,
) -> EloRatings:
    """Elo ratings of a sequence of games, in row order.

    Parameters
    ----------
    winner, loser : array_like, shape (n,)
        Labels, as for `Comparisons.from_pairs`.
    tie : array_like of bool, shape (n,), optional
        Where True the two drew.
    weight : array_like, shape (n,), or float, optional
        Multiplies k, >= 0: the importance of a game.
    k : float, default 32
        Points that change hands when the outcome was certain to be the other.
    scale : float, default 400
        A lead of `scale` points means odds of 10 to 1.
    initial : float, EloRatings or mapping {label: rating}, default 1500
        Of items that have not played; or an earlier result (of the same `scale`) or a published board to go
        on from, whose items keep their ratings. New ones then start at the mean of these.
    margin : array_like, shape (n,), optional
        By how much the winner won, >= 0: multiplies k by 1 up to 1, 1.5 for 2, (11 + margin) / 8 beyond, as
        in the World Football Elo Ratings.
    home : array_like of {-1, 0, 1}, shape (n,), or int, optional
        +1 the winner (the first of a draw) was at home, -1 the loser, 0 neither.
    home_advantage : float, default 0
        Points added to the rating of who is at home, for the expectation only.
    history : bool, default False
        Keep the ratings after each game: 16 bytes a game.
    items : array_like, optional
        All labels, in the order wanted.

    Returns
    -------
    EloRatings

    Raises
    ------
    ValueError
        If the columns are not equally long, a label is missing, an item meets itself, or a number is out of
        its range.

    Notes
    -----
    One pass, O(n) time. Elo follows form and forgets: the result depends on the order of the games, and its
    noise does not vanish with more of them. For strengths that do not move, `bradley_terry` uses every game
    in full and says how uncertain it is.

    References
    ----------
    A. E. Elo, "The Rating of Chessplayers, Past and Present" (1978).

    Examples
    --------
    >>> ratings = elo(["ann", "ben", "ann"], ["ben", "cat", "cat"])
    >>> print(ratings.items, ratings.ratings.round(1))
    ['ann' 'ben' 'cat'] [1530.5 1500.7 1468.8]

    From a published board:

    >>> elo(["ben"], ["ann"], initial={"ann": 1210, "ben": 1190}).ratings.round(1)
    array([1193.1, 1206.9])
    """
    games = read_games(winner, loser, tie, weight, margin, home, items)
    k, scale = check_nonnegative(k, "k"), check_positive(scale, "scale")
    advantage = check_number(home_advantage, "home_advantage")
    keep = check_flag(history, "history")
    if advantage != 0.0 and games.home is None:
        raise ValueError("home_advantage needs home, which says who was at home")
    games, start = _start(games, initial, scale)
    ratings, after_first, after_second, loss, right, decided, done, played = _core.rank._elo(
        games.first,
        games.second,
        games.score,
        games.weight,
        games.margin,
        games.home,
        start,
        k,
        scale,
        advantage,
        keep,
    )
    result = EloRatings(
        games.items,
        ratings,
        played,
        loss / max(done, 1),
        right / decided if decided else float("nan"),
        scale,
        games,
        (after_first, after_second) if keep else None,
    )
    if done < len(games.first):
        raise interrupted(result)
    return result


def _start(games: Games, initial: Any, scale: float) -> tuple[Games, Floats]:
    """Ratings before the first game; an earlier result's items, or a board's, come first."""
    if isinstance(initial, EloRatings):
        if initial.scale != scale:
            raise ValueError(f"initial has scale {initial.scale:g}, got scale={scale:g}; they must be equal")
        known, ratings = initial.items, initial.ratings
    elif isinstance(initial, Mapping):
        known, columns = read_board(initial, ("rating",))
        ratings = columns[0]
    else:
        return games, np.full(len(games.items), check_number(initial, "initial"))
    games = joined(games, known)
    return games, after_these(ratings, len(games.items), float(ratings.mean()))


def _place(items: Values, item: Any) -> int:
    return position(positions(items), item)
