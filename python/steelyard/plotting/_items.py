"""Pictures of items: ratings, ranks, groups, lines over time, rows of a table."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from .._drawing import (
    add_legend,
    axes_of,
    check_offers,
    count_on,
    distinguish,
    draw_rows,
    name_columns,
    name_rows,
    rows_of,
    short,
)
from .._labels import label_list
from .._spelling import shown
from .._validate import check_count, check_level, refuse_masked

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LABELS = {
    "log": "strength (natural log, mean 0)",
    "elo": "rating (Elo)",
    "probability": "expected score against an average item",
}

_Array = npt.NDArray[Any]


class _Strengths(Protocol):
    """A strength an item: `steelyard.rank.BradleyTerryFit` and its relatives."""

    @property
    def items(self) -> _Array: ...
    @property
    def order(self) -> _Array: ...
    def to_frame(self, *, scale: str, level: float, uncertainty: Any, items: Any) -> Mapping[str, _Array]: ...


class _RankSets(Protocol):
    """`steelyard.rank.RankIntervals`."""

    @property
    def items(self) -> _Array: ...
    @property
    def rank(self) -> _Array: ...
    @property
    def lower(self) -> _Array: ...
    @property
    def upper(self) -> _Array: ...
    @property
    def level(self) -> float: ...
    @property
    def method(self) -> str: ...


class _Boards(Protocol):
    """Strengths of items in groups."""

    @property
    def items(self) -> Any: ...
    @property
    def groups(self) -> Any: ...
    @property
    def strengths(self) -> Any: ...
    @property
    def whole(self) -> Any: ...


class _Lines(Protocol):
    """Strengths over time: `steelyard.rank.History`."""

    def latest(self, count: int, /) -> list[Any]: ...
    def to_frame(
        self, *, items: Any, scale: str, elo_mean: float, uncertainty: bool
    ) -> Mapping[str, _Array]: ...


def plot_strengths(
    fit: _Strengths,
    *,
    top: int = 30,
    scale: str = "log",
    level: float = 0.95,
    uncertainty: Any = "sandwich",
    anchor: Mapping[Any, float] | None = None,
    items: Any = None,
    ax: Axes | None = None,
) -> Axes:
    """Ratings with their intervals, strongest on top; provisional ones hollow, below the others if few.

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
    anchor : mapping {label: rating}, optional
        As in `BradleyTerryFit.to_frame`.
    items : sequence of labels, optional
        These instead of the strongest.
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
    check_offers(fit, "fit", "items", "order", "to_frame")
    some = fit.items[fit.order[: check_count(top, "top")]] if items is None else items
    fixed = {} if anchor is None else {"anchor": anchor}
    table = fit.to_frame(scale=scale, level=level, uncertainty=uncertainty, items=some, **fixed)
    doubtful = table.get("provisional", np.zeros(len(table["item"]), dtype=bool))
    most = 2 * np.count_nonzero(doubtful) >= len(doubtful)
    place = np.arange(len(doubtful)) if most else np.argsort(doubtful, kind="stable")
    rating = table["rating"][place]
    lower, upper = (table[name][place] if name in table else rating for name in ("lower", "upper"))
    axes = draw_rows(table["item"][place], rating, lower, upper, ax)
    hollow = np.flatnonzero(doubtful[place])
    if len(hollow):
        axes.plot(
            rating[hollow],
            hollow,
            "o",
            markersize=4,
            color="C0",
            markerfacecolor="white",
            label="provisional",
        )
        axes.legend(loc="lower right", frameon=False)
    with_level = f", {100 * level:g} % intervals" if "lower" in table else ""
    axes.set_xlabel(_LABELS[scale] + with_level)
    return axes


def plot_rank_intervals(intervals: _RankSets, *, top: int = 30, ax: Axes | None = None) -> Axes:
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
    check_offers(intervals, "intervals", "items", "rank", "lower", "upper", "level", "method")
    order = np.argsort(intervals.rank, kind="stable")[: check_count(top, "top")]
    axes = draw_rows(
        intervals.items[order], intervals.rank[order], intervals.lower[order], intervals.upper[order], ax
    )
    axes.set_xlabel(f"rank ({100 * intervals.level:g} % {intervals.method})")
    count_on(axes)
    axes.set_xlim(0.5, max(1.5, float(np.max(intervals.upper[order], initial=1)) + 0.5))
    return axes


def plot_estimates(table: Mapping[str, Any], *, top: int = 30, ax: Axes | None = None) -> Axes:
    """The rows of a table, each with its interval, the first on top.

    Parameters
    ----------
    table : mapping of str to array_like
        The first column names the rows, the second is drawn; ``lower`` and ``upper``, where there are such
        columns, are the ends of the intervals.
    top : int, default 30
        How many of the first rows.
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
    >>> axes = plot_estimates({"item": ["ann", "ben"], "rating": [1600, 1500]})
    >>> axes.get_xlabel(), [tick.get_text() for tick in axes.get_yticklabels()]
    ('rating', ['ann', 'ben'])
    """
    count = check_count(top, "top")
    if not isinstance(table, Mapping):
        raise TypeError(f"table must map names to columns, got {shown(table)}")
    head = {
        str(name): np.atleast_1d(refuse_masked(column, f"table[{name!r}]")) for name, column in table.items()
    }
    head = {name: column[:count] for name, column in head.items()}
    if len(head) < 2:
        raise ValueError(f"table must have a column of labels and one of numbers, got {', '.join(head)}")
    (_, items), (label, middle) = list(head.items())[:2]
    axes = draw_rows(items, middle, head.get("lower", middle), head.get("upper", middle), ax)
    axes.set_xlabel(label)
    return axes


def plot_groups(fits: _Boards, *, top: int = 30, ax: Axes | None = None) -> Axes:
    """A heat map of ratings: items, the strongest of the whole on top, by groups.

    Parameters
    ----------
    fits : GroupFits
        Of `steelyard.rank.fit_groups`.
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
    >>> from steelyard.rank import Comparisons, fit_groups
    >>> games = Comparisons.from_pairs(["a", "b"] * 4, ["b", "a"] * 4, group=[1, 1, 1, 1, 2, 2, 2, 2])
    >>> [tick.get_text() for tick in plot_groups(fit_groups(games)).get_xticklabels()]
    ['1', '2']
    """
    check_offers(fits, "fits", "items", "groups", "strengths", "whole")
    order = np.argsort(-fits.whole, kind="stable")[: check_count(top, "top")]
    axes, room = rows_of(ax, max(len(order), 4), 0.3)
    values = fits.strengths[:, order].T
    largest = float(np.nanmax(np.abs(values), initial=0.0)) or 1.0
    image = axes.imshow(values, cmap="RdBu_r", vmin=-largest, vmax=largest, aspect="auto")
    width = name_columns(axes, [short(label) for label in fits.groups])
    name_rows(axes, [short(fits.items[i]) for i in order], room)
    size = min(10.0, width / 3.2, 0.8 * room)
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value) and size >= 4:  # smaller numbers are not read: the colour tells
            ink = "w" if abs(value) > 0.6 * largest else "k"
            axes.text(column, row, f"{value:+.2f}", ha="center", va="center", color=ink, fontsize=size)
    axes.figure.colorbar(image, ax=axes, label="natural-log strength")
    return axes


def plot_history(
    history: _Lines,
    items: Any = None,
    *,
    scale: str = "log",
    elo_mean: float = 1500.0,
    anchor: Mapping[Any, float] | None = None,
    level: float = 0.95,
    uncertainty: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Strengths over time, each with a band.

    Parameters
    ----------
    history : History
        Of `steelyard.rank.whole_history`.
    items : sequence of labels, optional
        Whose; default the five that are strongest at their last date.
    scale : {'log', 'elo'}
        As in `History.to_frame`.
    elo_mean : float, default 1500
        As in `History.to_frame`.
    anchor : mapping {label: rating}, optional
        As in `History.to_frame`.
    level : float, default 0.95
        Of the bands, from posterior standard deviations.
    uncertainty : bool, default True
        Whether to draw bands, which need the joint posterior.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ImportError
        If matplotlib is missing.
    KeyError, ValueError, TypeError
        If an argument does not fit.

    Examples
    --------
    >>> from steelyard.rank import Comparisons, whole_history
    >>> games = Comparisons.from_pairs(["ann", "ben"], ["ben", "ann"], time=[0, 9])
    >>> axes = plot_history(whole_history(games, volatility=0.1))
    >>> [line.get_label() for line in axes.get_lines()]
    ['ann', 'ben']
    """
    check_offers(history, "history", "latest", "to_frame")
    wide = NormalDist().inv_cdf(0.5 + 0.5 * check_level(level))
    chosen = history.latest(5) if items is None else label_list(items, "items")
    axes = axes_of(ax, 4.2)
    distinguish(axes, len(chosen))
    fixed = {} if anchor is None else {"anchor": anchor}
    for item in chosen:
        table = history.to_frame(
            items=[item], scale=scale, elo_mean=elo_mean, uncertainty=uncertainty, **fixed
        )
        time, middle = table["time"], table["strength"]
        if np.isnan(time).all():  # a constant item
            axes.axhline(middle[0], linewidth=0.8, linestyle="--", label=short(item))
            continue
        alone = "o" if len(time) == 1 else None  # one date is no line
        (line,) = axes.plot(time, middle, linewidth=1.2, marker=alone, markersize=4, label=short(item))
        if uncertainty:
            half = wide * table["standard_error"]
            style = {"color": line.get_color(), "alpha": 0.15}
            if alone:
                axes.vlines(time, middle - half, middle + half, **style, linewidth=3)
            else:
                axes.fill_between(time, middle - half, middle + half, **style, linewidth=0)
    bands = f", {100 * level:g} % bands" if uncertainty else ""
    axes.set_ylabel(("rating (Elo)" if scale == "elo" else "strength (natural log)") + bands)
    axes.set_xlabel("time")
    add_legend(axes, len(chosen))
    return axes
