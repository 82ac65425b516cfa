"""Rank sets and tiers by inverting simultaneous contrast intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _core
from ..._errors import interrupted
from ..._results import Result
from ...plotting import plot_rank_intervals
from .strengths import Strengths
from .uncertainty import Uncertainty

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]

METHODS = ("simultaneous", "marginal")
FULL_LIMIT = 3000


@dataclass(frozen=True, repr=False, eq=False)
class Tiers(Result):
    """Items in groups, best first: a tier starts at the first item surely worse than the best above.

    Attributes
    ----------
    groups : tuple of ndarray
        Labels of each tier, strongest first.
    tier : ndarray of int, shape (n_items,)
        Tier of each item, from 1, in the order of the fit's items.
    level : float
        Of the statements behind them.
    """

    groups: tuple[npt.NDArray[Any], ...]
    tier: npt.NDArray[np.int64]
    level: float

    def __len__(self) -> int:
        return len(self.groups)

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns ``item`` and ``tier``, strongest first.

        Returns
        -------
        dict of str to ndarray

        Examples
        --------
        >>> from steelyard.rank import Comparisons, bradley_terry
        >>> wins = [[0, 60, 70], [40, 0, 52], [30, 48, 0]]
        >>> fit = bradley_terry(Comparisons.from_counts(wins, items=["ann", "ben", "cat"]))
        >>> fit.tiers().to_frame()["tier"].tolist()
        [1, 2, 2]
        """
        sizes = [len(group) for group in self.groups]
        return {
            "item": np.concatenate(self.groups),
            "tier": np.repeat(np.arange(1, len(sizes) + 1), sizes),
        }

    def __repr__(self) -> str:
        lines = [f"Tiers: {len(self)} at level {self.level:g}"]
        for k, group in enumerate(self.groups[:10], 1):
            names = ", ".join(str(label) for label in group[:6])
            lines.append(f"  {k}: {names}{f' and {len(group) - 6} more' if len(group) > 6 else ''}")
        if len(self) > 10:
            lines.append(f"  ... {len(self) - 10} more tiers")
        return "\n".join(lines)


@dataclass(frozen=True, repr=False, eq=False)
class RankIntervals(Result):
    """The ranks that each item can have: [1 + number surely better, n - number surely worse].

    Attributes
    ----------
    items : ndarray, shape (k,)
        Labels of the items asked for (default all).
    lower, upper : ndarray of int, shape (k,)
        Best and worst rank, 1 = strongest.
    rank : ndarray of int, shape (k,)
        Rank by estimated strength.
    level : float
        With which all rank sets hold together ('simultaneous'), or each by itself ('marginal').
    method : {'simultaneous', 'marginal'}
    uncertainty : str
        Where the error of the contrasts comes from.
    critical_value : float or ndarray, shape (k,)
        Quantile of max |t| that a contrast had to pass; one an item for 'marginal'.
    draws : int
        Simulated draws (or bootstrap rounds) behind it.
    """

    items: npt.NDArray[Any]
    lower: npt.NDArray[np.int64]
    upper: npt.NDArray[np.int64]
    rank: npt.NDArray[np.int64]
    level: float
    method: str
    uncertainty: str
    critical_value: float | Floats
    draws: int
    _of: Strengths
    _errors: Floats  # k x n standard errors of contrasts

    def tiers(self) -> Tiers:
        """Groups of items not surely worse than the best of their group. Needs the rank sets of all items."""
        fit = self._of
        row = np.full(len(fit), -1)
        row[fit.positions(self.items)] = np.arange(len(self.items))
        if (row < 0).any():
            raise ValueError(f"tiers needs rank sets of all {len(fit)} items, got {len(self.items)}")
        critical = np.broadcast_to(self.critical_value, len(self.items))
        tier = np.zeros(len(fit), dtype=np.int64)
        order = fit.order
        leader, current = order[0], 1
        starts = [0]
        for place, i in enumerate(order):
            gap, k = fit.strengths[leader] - fit.strengths[i], row[leader]
            if _beyond(gap, critical[k], self._errors[k, i]):
                leader, current = i, current + 1
                starts.append(place)
            tier[i] = current
        groups = tuple(fit.items[part] for part in np.split(order, starts[1:]))
        return Tiers(groups, tier, self.level)

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns item, rank, lower, upper, strongest first."""
        order = np.argsort(self.rank, kind="stable")
        return {
            "item": self.items[order],
            "rank": self.rank[order],
            "lower": self.lower[order],
            "upper": self.upper[order],
        }

    def plot(self, **options: Any) -> Any:
        """The ranks that each item can have, strongest on top; see `steelyard.plotting.plot_rank_intervals`.

        Parameters
        ----------
        **options
            As of `steelyard.plotting.plot_rank_intervals`.

        Returns
        -------
        matplotlib.axes.Axes

        Examples
        --------
        >>> from steelyard.rank import Comparisons, bradley_terry
        >>> fit = bradley_terry(Comparisons.from_counts([[0, 30], [10, 0]], items=["ann", "ben"]))
        >>> fit.rank_intervals(level=0.9).plot().get_xlabel()
        'rank (90 % simultaneous)'
        """
        return plot_rank_intervals(self, **options)

    def __repr__(self) -> str:
        order = np.argsort(self.rank, kind="stable")
        width = max(len(str(self.items[i])) for i in order[:10])
        how = f"{self.method} at level {self.level:g}"
        lines = [
            f"RankIntervals: {len(self.items)} items, {how}, {self.uncertainty}",
        ]
        lines += [
            f"  {self.items[i]!s:<{width}}  {self.rank[i]}  [{self.lower[i]}, {self.upper[i]}]"
            for i in order[:10]
        ]
        if len(order) > 10:
            lines.append(f"  ... {len(order) - 10} more")
        return "\n".join(lines)


def rank_intervals(
    fit: Strengths,
    where: Positions,
    uncertainty: Uncertainty,
    level: float,
    method: str,
    draws: int | None,
    rng: Any,
    threads: int,
) -> RankIntervals:
    """Rank sets of the items at some positions."""
    n = len(fit)
    errors, noise = uncertainty._noise(where, fit.strengths, draws, rng, threads)
    scale = np.divide(1.0, errors, out=np.zeros_like(errors), where=errors > 0)
    marginal = method == "marginal"
    maxima = _core.rank._contrast_maxima(noise, where.astype(np.int32), scale, marginal, threads)
    if maxima is None:
        raise interrupted(None)
    critical = np.quantile(maxima, level, axis=1, method="higher")
    gap = fit.strengths[where][:, None] - fit.strengths[None, :]
    better = _beyond(-gap, critical[:, None], errors).sum(axis=1)
    worse = _beyond(gap, critical[:, None], errors).sum(axis=1)
    place = np.empty(n, dtype=np.int64)
    place[fit.order] = np.arange(1, n + 1)
    return RankIntervals(
        items=fit.items[where],
        lower=1 + better,
        upper=n - worse,
        rank=place[where],
        level=level,
        method=method,
        uncertainty=uncertainty._source,
        critical_value=critical if marginal else float(critical[0]),
        draws=len(noise),
        _of=fit,
        _errors=errors,
    )


def _beyond(gap: Any, critical: Any, error: Any) -> Any:
    """Is a contrast surely positive? Never where its error is unknown or zero."""
    with np.errstate(invalid="ignore"):  # inf * 0
        return (error > 0) & (gap > critical * error)
