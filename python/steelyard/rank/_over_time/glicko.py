"""Glicko-2: ratings with deviations that shrink with games and grow with rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _core
from ..._errors import interrupted
from ..._results import Result
from ..._validate import check_level, check_number, check_positive
from ...plotting import plot_estimates
from .._inference import normal_intervals
from .._table import Values, read_games
from .periods import Clock, read_periods
from .standing import after_these, joined, read_board

Floats = npt.NDArray[np.float64]


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
        Those that passed in this call, periods without games included.
    """

    items: Values
    ratings: Floats
    deviations: Floats
    volatilities: Floats
    n_periods: int
    _newcomer: float = field(default=1500.0, repr=False)
    _clock: Clock | None = field(default=None, repr=False)

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


def glicko2(
    winner: Any,
    loser: Any,
    *,
    tie: Any = None,
    period: Any = None,
    period_length: float | str | None = None,
    tau: float = 0.5,
    initial: float | GlickoRatings | Mapping[Any, Any] = 1500.0,
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
        When each game was: numbers or dates that do not fall. Default: all games are one period.
    period_length : float or {'day', 'week', 'month', 'year'}, optional
        How long a rating period is: a word (calendar days, weeks from Monday, months or years) or a number of
        days for dates, counted from the first game; for numbers, in their unit. Default: one unit of the
        numbers; of dates the unit of ``datetime64[Y]``, ``[M]`` or ``[W]``, else a day; on from an earlier
        result, its length. Glickman advises ten to fifteen games an item in a period.
    tau : float, default 0.5
        How fast volatilities may change; 0.3 to 1.2 is usual.
    initial : float, GlickoRatings or mapping, default 1500
        Rating of items that have not played; or an earlier result to go on from, also through the periods
        that have passed since; or a published board, {label: rating}, {label: (rating, deviation)} or
        {label: (rating, deviation, volatility)}, after which new items start at the mean of its ratings.
    deviation, volatility : float, defaults 350 and 0.06
        Of items that have not played, or for which a board has none. Resting does not raise a deviation above
        `deviation`.
    items : array_like, optional
        All labels, in the order wanted.

    Returns
    -------
    GlickoRatings

    Raises
    ------
    ValueError
        If columns are not equally long, a label is missing, an item meets itself, or periods fall or start
        before those of `initial` have ended.

    Notes
    -----
    O(games) time. Who rests for a period keeps rating and volatility, and the variance grows by the square of
    the volatility (Glickman's step 6); periods in which nobody plays are periods too. The deviation treats
    opponents' ratings as known up to their own deviations; it is not the joint uncertainty that
    `bradley_terry` gives.

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

    Ben has rested since January:

    >>> import numpy as np
    >>> when = np.array(["2024-01-10", "2024-01-20", "2024-12-05"], "datetime64[D]")
    >>> found = glicko2(["ann", "ben", "ann"], ["ben", "cat", "cat"], period=when, period_length="month")
    >>> found.n_periods, found.deviations.round(1)
    (12, array([261.9, 255.8, 261.9]))
    """
    games = read_games(winner, loser, tie, items=items)
    tau = check_positive(tau, "tau")
    most, sigma = check_positive(deviation, "deviation"), check_positive(volatility, "volatility")
    before = initial._clock if isinstance(initial, GlickoRatings) else None
    calendar = read_periods(period, period_length, len(games.first), before)
    if isinstance(initial, GlickoRatings):
        known = [initial.ratings, initial.deviations, initial.volatilities]
        games, newcomer = joined(games, initial.items), initial._newcomer
    elif isinstance(initial, Mapping):
        labels, known = read_board(initial, ("rating", "deviation", "volatility"), (most, sigma))
        games, newcomer = joined(games, labels), float(known[0].mean())
    else:
        known, newcomer = [np.zeros(0)] * 3, check_number(initial, "initial")
    rating, spread, change = (
        after_these(part, len(games.items), usual)
        for part, usual in zip(known, (newcomer, most, sigma), strict=True)
    )
    starts, numbers, last = calendar.starts, calendar.numbers, calendar.before
    rating, spread, change, done = _core.rank._glicko2(
        games.first, games.second, games.score, starts, numbers, last, rating, spread, change, tau, most
    )
    ended = int(numbers[done - 1]) if done else last
    clock = calendar.clock(ended)
    result = GlickoRatings(games.items, rating, spread, change, ended - last, newcomer, clock)
    if done < len(numbers):
        raise interrupted(result)
    return result
