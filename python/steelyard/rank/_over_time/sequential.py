"""Ratings that move with each game: Elo and Glicko-2."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _core
from ..._errors import interrupted
from ..._labels import position
from ..._results import Result
from ..._validate import check_flag, check_level, check_nonnegative, check_number, check_positive
from ...plotting import plot_estimates
from .._inference import normal_intervals
from .._table import Games, Values, places_in, positions, read_games

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


@dataclass(frozen=True, repr=False, eq=False)
class GlickoRatings(Result):
    """Glicko-2 ratings after a sequence of rating periods.

    Attributes
    ----------
    items : ndarray, shape (n,)
    ratings : ndarray, shape (n,)
    deviations : ndarray, shape (n,)
        Standard deviations of the ratings as the method has them; about 95 % lie within two.
    volatilities : ndarray, shape (n,)
    n_periods : int
    """

    items: Values
    ratings: Floats
    deviations: Floats
    volatilities: Floats
    n_periods: int

    def __repr__(self) -> str:
        order = np.argsort(-self.ratings, kind="stable")[:5]
        best = ", ".join(
            f"{self.items[i]} {self.ratings[i]:.0f} +- {2 * self.deviations[i]:.0f}" for i in order
        )
        return f"GlickoRatings: {len(self.items):,} items, {self.n_periods:,} periods\nbest: {best}"

    def to_frame(self) -> dict[str, Values]:
        """Columns ``item``, ``rating``, ``deviation``, ``volatility``, best first.

        Returns
        -------
        dict of str to ndarray
        """
        order = np.argsort(-self.ratings, kind="stable")
        columns = {
            "item": self.items,
            "rating": self.ratings,
            "deviation": self.deviations,
            "volatility": self.volatilities,
        }
        return {name: column[order] for name, column in columns.items()}

    def plot(self, *, level: float = 0.95, **options: Any) -> Any:
        """Ratings with intervals by their deviations, best on top; see `steelyard.plotting.plot_estimates`.

        Parameters
        ----------
        level : float, default 0.95
            Of the intervals, by the normal approximation.
        **options
            As of `steelyard.plotting.plot_estimates`.

        Returns
        -------
        matplotlib.axes.Axes

        Examples
        --------
        >>> from steelyard.rank import glicko2
        >>> glicko2(["ann", "ben"], ["ben", "cat"]).plot().get_xlabel()
        'rating'
        """
        table = self.to_frame()
        _, lower, upper = normal_intervals(table["rating"], table["deviation"], check_level(level))
        return plot_estimates({**table, "lower": lower, "upper": upper}, **options)


def elo(
    winner: Any,
    loser: Any,
    *,
    tie: Any = None,
    weight: Any = None,
    k: float = 32.0,
    scale: float = 400.0,
    initial: float | EloRatings = 1500.0,
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
    initial : float or EloRatings, default 1500
        Of items that have not played; or an earlier result to go on from, whose items keep their ratings
        (new ones start at the mean of these, and `scale` must be the same).
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
    """Ratings before the first game; an earlier result's items come first."""
    if not isinstance(initial, EloRatings):
        return games, np.full(len(games.items), check_number(initial, "initial"))
    if initial.scale != scale:
        raise ValueError(f"initial has scale {initial.scale:g}, got scale={scale:g}; they must be equal")
    games, _ = _joined(games, initial.items)
    start = np.full(len(games.items), float(initial.ratings.mean()))
    start[: len(initial.items)] = initial.ratings
    return games, start


def _joined(games: Games, known: Values) -> tuple[Games, npt.NDArray[np.intp]]:
    """The games over the known items and those that are new."""
    place = places_in(known, games.items)
    new = place < 0
    if new.any() and known.dtype.kind != games.items.dtype.kind:
        raise TypeError("initial must have labels of the same kind as winner and loser")
    place[new] = len(known) + np.arange(int(new.sum()))
    items = np.concatenate([known, games.items[new]]) if new.any() else known
    first, second = (place[side].astype(np.int32) for side in (games.first, games.second))
    return Games(items, first, second, games.score, games.weight, games.margin, games.home), place


def glicko2(
    winner: Any,
    loser: Any,
    *,
    tie: Any = None,
    period: Any = None,
    tau: float = 0.5,
    initial: float | GlickoRatings = 1500.0,
    deviation: float = 350.0,
    volatility: float = 0.06,
    items: Any = None,
) -> GlickoRatings:
    """Glicko-2: ratings with deviations and volatilities, one rating period after the other.

    Parameters
    ----------
    winner, loser : array_like, shape (n,)
        Labels, as for `Comparisons.from_pairs`.
    tie : array_like of bool, shape (n,), optional
        Where True the two drew.
    period : array_like, shape (n,), optional
        Rating period of each game: numbers or dates that do not fall; all values in between that have no game
        are no periods. Default: all games are one period. Glickman advises ten to fifteen games an item.
    tau : float, default 0.5
        How fast volatilities may change; 0.3 to 1.2 is usual.
    initial : float or GlickoRatings, default 1500
        Rating of items that have not played, or an earlier result to go on from.
    deviation, volatility : float, defaults 350 and 0.06
        Of items that have not played. Resting does not raise a deviation above `deviation`.
    items : array_like, optional
        All labels, in the order wanted.

    Returns
    -------
    GlickoRatings

    Raises
    ------
    ValueError
        If columns are not equally long, a label is missing, an item meets itself, or periods fall.

    Notes
    -----
    O(games) time. The deviation treats opponents' ratings as known up to their own deviations; it is not the
    joint uncertainty that `bradley_terry` gives.

    References
    ----------
    M. E. Glickman, "Example of the Glicko-2 system" (2013); "Dynamic paired comparison models with stochastic
    variances", J. Appl. Statist. 28 (2001).

    Examples
    --------
    >>> ratings = glicko2(["ann", "ann", "ben"], ["ben", "cat", "cat"])
    >>> print(ratings)
    GlickoRatings: 3 items, 1 periods
    best: ann 1747 +- 507, ben 1500 +- 507, cat 1253 +- 507
    """
    games = read_games(winner, loser, tie, items=items)
    tau = check_positive(tau, "tau")
    most, sigma = check_positive(deviation, "deviation"), check_positive(volatility, "volatility")
    starts = _periods(period, len(games.first))
    if isinstance(initial, GlickoRatings):
        games, _ = _joined(games, initial.items)
        new = len(games.items) - len(initial.items)
        rating = np.r_[initial.ratings, np.full(new, 1500.0)]
        spread = np.r_[initial.deviations, np.full(new, most)]
        change = np.r_[initial.volatilities, np.full(new, sigma)]
    else:
        n = len(games.items)
        rating = np.full(n, check_number(initial, "initial"))
        spread, change = np.full(n, most), np.full(n, sigma)
    rating, spread, change, done = _core.rank._glicko2(
        games.first, games.second, games.score, starts, rating, spread, change, tau, most
    )
    result = GlickoRatings(games.items, rating, spread, change, done)
    if done < len(starts) - 1:
        raise interrupted(result)
    return result


def _periods(period: Any, n: int) -> npt.NDArray[np.int64]:
    if period is None:
        return np.array([0, n])
    values = np.asarray(period)
    if values.shape != (n,):
        raise ValueError(f"period must have shape ({n},), got {values.shape}")
    if values.dtype.kind not in "iufM":
        raise TypeError(f"period must hold numbers or dates, got dtype {values.dtype}")
    if values.dtype.kind in "fM" and (values != values).any():
        raise ValueError("period has missing entries")
    falls = np.flatnonzero(values[1:] < values[:-1])
    if len(falls):
        raise ValueError(
            f"period must not fall, as it does from row {falls[0]} to {falls[0] + 1}; sort the games"
        )
    return np.asarray(np.r_[0, np.flatnonzero(values[1:] != values[:-1]) + 1, n], np.int64)


def _place(items: Values, item: Any) -> int:
    return position(positions(items), item)
