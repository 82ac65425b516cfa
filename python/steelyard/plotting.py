"""Pictures of results, drawn by matplotlib (the extra `plot`).

What is drawn is named by what it must offer, not by its class: the families lie above and draw with this.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from ._drawing import (
    add_legend,
    axes_of,
    check_offers,
    colours,
    count_on,
    distinguish,
    draw_rows,
    name_columns,
    name_rows,
    rows_of,
    short,
)
from ._labels import label_list
from ._spelling import shown
from ._validate import check_count, check_level, check_vector, refuse_masked

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "plot_balance",
    "plot_cluster_sizes",
    "plot_estimates",
    "plot_groups",
    "plot_history",
    "plot_magnitude_function",
    "plot_rank_intervals",
    "plot_strengths",
    "plot_weights",
]

_LABELS = {
    "log": "strength (natural log, mean 0)",
    "elo": "rating (Elo)",
    "probability": "expected score against an average item",
}


_FEW = 1000  # dots that a figure holds at full size
_VECTORS = 20_000  # dots above which a PDF or SVG gets pixels
_ROUNDING = 1e-9  # of the largest weight, below which a negative one is zero

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


class _Weights(Protocol):
    """A weight a point: `steelyard.weigh.Weighting`."""

    @property
    def weights(self) -> _Array: ...
    @property
    def magnitude(self) -> float: ...
    @property
    def scale(self) -> float: ...
    def places(self) -> _Array | None: ...


class _Magnitudes(Protocol):
    """`steelyard.weigh.MagnitudeFunction`."""

    @property
    def scales(self) -> _Array: ...
    @property
    def magnitudes(self) -> _Array: ...
    @property
    def n(self) -> int: ...


class _Differences(Protocol):
    """`steelyard.weigh.Balance`."""

    def table(self) -> Mapping[str, _Array]: ...


class _Clusters(Protocol):
    """`steelyard.metric.CorrelationClustering`."""

    @property
    def labels(self) -> _Array: ...


def plot_balance(balance: _Differences, *, top: int = 30, ax: Axes | None = None) -> Axes:
    """Standardised mean differences before and after balancing (love plot), with a line at .1.

    Parameters
    ----------
    balance : Balance
        Of `steelyard.weigh.balance`.
    top : int, default 30
        How many covariates, those that differed most.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Absolute differences, the largest before on top: hollow before, filled after. Where several arms were
        compared, their labels stand behind the covariate.

    Raises
    ------
    ImportError
        If matplotlib is missing.
    ValueError, TypeError
        If an argument does not fit.

    Examples
    --------
    >>> from steelyard import weigh
    >>> axes = plot_balance(weigh.balance([[0.0], [1.0], [0.5], [2.0]], [0, 1, 1, 0]))
    >>> axes.get_xlabel()
    'absolute standardised mean difference'
    """
    check_offers(balance, "balance", "table")
    table, count = balance.table(), check_count(top, "top")
    before, after = np.abs(table["smd_before"]), np.abs(table["smd_after"])
    pairs = [f"{a}, {b}" for a, b in zip(table["arm"], table["against"], strict=True)]
    several = len(set(pairs)) > 1
    names = [
        f"{short(name)} ({pair})" if several else short(name)
        for name, pair in zip(table["variable"], pairs, strict=True)
    ]
    order = np.argsort(-np.nan_to_num(before), kind="stable")[:count]
    axes, room = rows_of(ax, len(order), 0.24)
    place = np.arange(len(order))
    axes.plot(before[order], place, "o", markerfacecolor="none", color="C1", label="before")
    axes.plot(after[order], place, "o", color="C0", label="after")
    axes.axvline(0.1, linestyle="--", linewidth=0.8, color="0.5")
    name_rows(axes, [names[k] for k in order], room)
    axes.set_ylim(len(order) - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.set_xlabel("absolute standardised mean difference")
    axes.grid(axis="x", alpha=0.3)
    axes.legend(frameon=False)
    return axes


def plot_cluster_sizes(clustering: _Clusters, *, ax: Axes | None = None) -> Axes:
    """Number of items in each cluster, largest first, both axes logarithmic.

    Parameters
    ----------
    clustering : CorrelationClustering
        Of `steelyard.metric.correlation_clustering` or `steelyard.metric.cluster_edges`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ImportError
        If matplotlib is missing.

    Examples
    --------
    >>> from steelyard import metric
    >>> found = metric.cluster_edges([0, 1, 2], [1, 2, 3], [1.0, 1.0, -1.0])
    >>> plot_cluster_sizes(found).get_ylabel()
    'items'
    """
    axes = axes_of(ax, 4.8)
    sizes = np.sort(np.bincount(clustering.labels))[::-1]
    # A step is as wide as its cluster: a single one is drawn too.
    axes.stairs(sizes, np.arange(len(sizes) + 1) + 0.5, baseline=None)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.tick_params(axis="x", which="minor", labelbottom=False)
    axes.set_xlabel("cluster, largest first")
    axes.set_ylabel("items")
    return axes


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


def plot_weights(weighting: _Weights, X: Any = None, *, ax: Axes | None = None) -> Axes:
    """The points of a space with their weights.

    Parameters
    ----------
    weighting : Weighting
        Of `steelyard.weigh.weighting`.
    X : array_like, shape (n,) or (n, d), optional
        Where to draw the points; the first two columns are used. Default: the points that were weighed, where
        the metric is one of vectors (euclidean, cityblock, chebyshev, minkowski).
    ax : matplotlib.axes.Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Two features: a dot a point, whose area (at least that of a small dot) and colour go with its weight,
        the heaviest on top; where some weights are negative, colours part at zero. One feature: weight over
        feature. Neither features nor `X`: the weights, largest first.

    Raises
    ------
    ImportError
        If matplotlib is missing.
    ValueError, TypeError
        If an argument does not fit.

    Examples
    --------
    >>> from steelyard import weigh
    >>> w = weigh.weighting([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    >>> plot_weights(w).get_xlabel()
    'feature 0'
    """
    check_offers(weighting, "weighting", "places", "weights", "magnitude", "scale")
    points = weighting.places() if X is None else _places(X, len(weighting.weights))
    axes = axes_of(ax, 4.8)
    if points is None:
        _draw_sorted(weighting.weights, axes)
    elif points.shape[1] == 1:
        order = np.argsort(points[:, 0], kind="stable")
        axes.plot(points[order, 0], weighting.weights[order], "o-", markersize=4, linewidth=0.8)
        axes.set_xlabel("feature 0")
        axes.set_ylabel("weight")
    else:
        _draw_areas(points, weighting.weights, axes)
    axes.set_title(f"magnitude {weighting.magnitude:.4g} at scale {weighting.scale:.4g}", fontsize="medium")
    return axes


def plot_magnitude_function(f: _Magnitudes, *, ax: Axes | None = None) -> Axes:
    """Magnitude over scale, both logarithmic, below the number of points that it tends to.

    Parameters
    ----------
    f : MagnitudeFunction
        Of `steelyard.weigh.magnitude_function`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        With a linear axis of magnitudes if some are not positive, as those of an indefinite space can be.

    Raises
    ------
    ImportError
        If matplotlib is missing.

    Examples
    --------
    >>> from steelyard import weigh
    >>> f = weigh.magnitude_function([[0.0], [1.0]], [0.1, 1.0, 10.0])
    >>> plot_magnitude_function(f).get_xlabel()
    'scale (1 / distance)'
    """
    check_offers(f, "f", "scales", "magnitudes", "n")
    axes = axes_of(ax, 4.8)
    axes.plot(f.scales, f.magnitudes, "o-", markersize=4)
    axes.axhline(f.n, linestyle="--", color="0.5", label=f"{f.n:,} points")
    axes.set_xscale("log")
    if (f.magnitudes > 0).all():
        axes.set_yscale("log")
    axes.set_xlabel("scale (1 / distance)")
    axes.set_ylabel("magnitude (effective number of points)")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    return axes


def _places(X: Any, n: int) -> Any:
    array = refuse_masked(X, "X")
    table = array[:, None] if array.ndim == 1 else array
    if table.ndim != 2 or len(table) != n or not table.shape[1]:
        raise ValueError(f"X must have a row for each of the {n} weights, got shape {array.shape}")
    return np.column_stack([check_vector(column, "X") for column in table.T[:2]])


def _draw_areas(points: Any, weights: Any, axes: Axes) -> None:
    order = np.argsort(weights, kind="stable")
    largest = max(float(weights.max()), np.finfo(float).tiny)
    least = float(weights.min())
    parted = least < -_ROUNDING * largest
    end = max(largest, -least) if parted else largest
    crowd = min(1.0, max(_FEW / len(weights), 0.03))  # many dots are small ones
    dots = axes.scatter(
        points[order, 0],
        points[order, 1],
        s=crowd * (8 + 80 * np.clip(weights[order] / largest, 0, None)),
        c=weights[order],
        cmap=colours(parted),
        vmin=-end if parted else 0.0,
        vmax=end,
        edgecolors="white",
        linewidths=0.4 * crowd,
        rasterized=len(weights) > _VECTORS,
    )
    axes.set_xlabel("feature 0")
    axes.set_ylabel("feature 1")
    bar = axes.figure.colorbar(dots, ax=axes, label="weight")
    if parted:
        bar.ax.set_ylim(least, max(largest, 0.0))


def _draw_sorted(weights: Any, axes: Axes) -> None:
    place = np.arange(1, len(weights) + 1)
    axes.fill_between(place, np.sort(weights)[::-1], step="mid", alpha=0.4, linewidth=0)
    axes.plot(place, np.sort(weights)[::-1], drawstyle="steps-mid", marker="o", markersize=3, linewidth=1)
    axes.set_xlabel("rank by weight")
    axes.set_ylabel("weight")
