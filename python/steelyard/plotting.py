"""Pictures of results, drawn by matplotlib (the extra `plot`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._validate import check_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .rank import BootstrapResult, BradleyTerryFit, RankIntervals

__all__ = ["plot_rank_intervals", "plot_strengths"]

_LABELS = {
    "log": "strength (natural log, mean 0)",
    "elo": "rating (Elo)",
    "probability": "expected score against an average item",
}


def plot_strengths(
    fit: BradleyTerryFit,
    *,
    top: int = 30,
    scale: str = "log",
    level: float = 0.95,
    uncertainty: str | BootstrapResult | None = "sandwich",
    ax: Axes | None = None,
) -> Axes:
    """Ratings with their intervals, strongest on top.

    Parameters
    ----------
    fit : BradleyTerryFit
        What to draw.
    top : int, default 30
        How many of the strongest items.
    scale : {'log', 'elo', 'probability'}
        As in `BradleyTerryFit.to_frame`.
    level : float, default 0.95
        Of the intervals.
    uncertainty : {'sandwich', 'hessian'}, BootstrapResult or None
        Where the intervals come from; None draws none.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ImportError
        If matplotlib is missing.
    ValueError, TypeError
        If an argument does not fit.

    Notes
    -----
    Infinite ends of intervals are drawn to the edge of the finite ones.

    Examples
    --------
    >>> from steelyard.rank import Comparisons, bradley_terry
    >>> fit = bradley_terry(Comparisons.from_counts([[0, 3], [1, 0]], items=["ann", "ben"]))
    >>> axes = plot_strengths(fit)
    >>> [tick.get_text() for tick in axes.get_yticklabels()]
    ['ann', 'ben']
    """
    some = fit.items[fit.order[: check_count(top, "top")]]
    table = fit.to_frame(scale=scale, level=level, uncertainty=uncertainty, items=some)
    rating = table["rating"]
    lower, upper = table.get("lower", rating), table.get("upper", rating)
    axes = _draw(table["item"], rating, lower, upper, ax)
    axes.set_xlabel(_LABELS[scale])
    return axes


def plot_rank_intervals(intervals: RankIntervals, *, top: int = 30, ax: Axes | None = None) -> Axes:
    """The ranks that each item can have, strongest on top.

    Parameters
    ----------
    intervals : RankIntervals
        Of `BradleyTerryFit.rank_intervals`.
    top : int, default 30
        How many of the strongest items.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ImportError
        If matplotlib is missing.
    ValueError, TypeError
        If an argument does not fit.

    Examples
    --------
    >>> from steelyard.rank import Comparisons, bradley_terry
    >>> fit = bradley_terry(Comparisons.from_counts([[0, 30], [10, 0]], items=["ann", "ben"]))
    >>> plot_rank_intervals(fit.rank_intervals()).get_xlabel()
    'rank (95 % simultaneous)'
    """
    order = np.argsort(intervals.rank, kind="stable")[: check_count(top, "top")]
    axes = _draw(
        intervals.items[order], intervals.rank[order], intervals.lower[order], intervals.upper[order], ax
    )
    axes.set_xlabel(f"rank ({100 * intervals.level:g} % {intervals.method})")
    return axes


def _draw(items: Any, middle: Any, lower: Any, upper: Any, ax: Axes | None) -> Axes:
    """One point and one bar an item, first item on top."""
    place = np.arange(len(items))
    axes = _new_axes(len(items)) if ax is None else ax
    finite = np.concatenate([x[np.isfinite(x)] for x in (middle, lower, upper)])
    low, high = (finite.min(), finite.max()) if len(finite) else (0.0, 1.0)
    ends = [np.clip(np.nan_to_num(x, nan=0.0), low, high) for x in (lower, upper)]
    axes.hlines(place, ends[0], ends[1], color="0.6", linewidth=1.5)
    axes.plot(middle, place, "o", markersize=4, color="C0")
    axes.set_yticks(place, [str(item).replace("$", r"\$") for item in items])
    axes.set_ylim(len(items) - 0.5, -0.5)
    axes.grid(axis="x", alpha=0.3)
    return axes


def _new_axes(rows: int) -> Axes:
    try:
        from matplotlib import pyplot
    except ImportError:
        raise ImportError('plotting needs matplotlib: pip install "steelyard[plot]"') from None
    figure = pyplot.figure(figsize=(7, 1.2 + 0.24 * rows), layout="constrained")
    axes: Axes = figure.add_subplot()
    return axes
