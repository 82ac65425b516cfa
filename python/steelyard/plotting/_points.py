"""Pictures of points: weights, magnitudes, balance, sizes of clusters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from .._drawing import axes_of, check_offers, colours, name_rows, rows_of, short
from .._validate import check_count, check_vector, refuse_masked

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FEW = 1000  # dots that a figure holds at full size
_VECTORS = 20_000  # dots above which a PDF or SVG gets pixels
_ROUNDING = 1e-9  # of the largest weight, below which a negative one is zero

_Array = npt.NDArray[Any]


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
