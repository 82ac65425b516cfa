"""Is one model better than another: paired differences, and how many items that takes to see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .._errors import warn
from .._results import Result
from .._spelling import shown
from .._validate import (
    check_count,
    check_level,
    check_nonnegative,
    check_number,
    check_positive,
    real_array,
    refuse_masked,
)
from ._sample import Floats, student_quantile

_FAR = 1e150  # squares of larger scores overflow
_MOST_ITEMS = 2**53
_LEAST_SPREAD = 1e-12  # of the scores' size: below, differences are equal but for rounding


@dataclass(frozen=True, repr=False)
class PairedDifference(Result):
    """How much one model scores above another on the same items.

    Attributes
    ----------
    difference, standard_error : float
        The error is infinite where all items differ by the same, which says nothing of their scatter.
    lower, upper, level : float
        Of the interval, by Student's t.
    p_value : float
        Two-sided, that there is no difference.
    degrees_of_freedom : float
    n_items, n_clusters : int
    variance_items : float
        Of the items' true differences: what remains however often each is answered.
    variance_repeats : float
        Of the difference of one answer of each model to the same item; 0 where no item has several.
    design_effect : float
        Squared standard error over that of as many items without clusters.
    """

    difference: float
    standard_error: float
    lower: float
    upper: float
    level: float
    p_value: float
    degrees_of_freedom: float
    n_items: int
    n_clusters: int
    variance_items: float
    variance_repeats: float
    design_effect: float

    def __repr__(self) -> str:
        groups = f" in {self.n_clusters:,} clusters" if self.n_clusters < self.n_items else ""
        return (
            f"PairedDifference: {self.difference:.6g} +- {self.standard_error:.3g}, {100 * self.level:g} % "
            f"interval {self.lower:.6g} to {self.upper:.6g}, p = {self.p_value:.3g}, from {self.n_items:,} "
            f"items{groups}"
        )


class _Items(NamedTuple):
    """Mean scores and counts of answers of the items, and the squares about the means."""

    means: Floats
    counts: Floats
    within: float  # sum of squares of answers about the means of their items


def paired_difference(
    a: Any, b: Any, *, clusters: Any = None, repeats: Any = None, level: float = 0.95
) -> PairedDifference:
    """The difference of two models' mean scores on the same items, with its error.

    Parameters
    ----------
    a, b : array_like, shape (n_items,) or (n_items, n_repeats)
        Scores, right or wrong as 1 and 0, or any numbers. A row holds repeated answers to an item; NaN where
        there are fewer. `a` and `b` may have different numbers of repeats.
    clusters : array_like, shape (n_items,), optional
        Labels of items that belong together, such as questions on the same text.
    repeats : array_like, shape (n,), optional
        The item that each entry answers, where `a` and `b` list several answers one after the other.
        `clusters` then has one label an entry too.
    level : float, default 0.95

    Returns
    -------
    PairedDifference

    Raises
    ------
    ValueError
        If an item has no answer of a model, or a cluster label differs within an item, or there are fewer
        than two clusters.

    Warns
    -----
    UserWarning
        If the models differ by the same on all items: the error is then infinite.

    Notes
    -----
    Items count alike, whatever their answers. The variance is that of cluster totals of deviations, each
    divided by 1 minus the cluster's share of the items, which is unbiased where items are uncorrelated. The
    degrees of freedom are the smaller of Satterthwaite's for uncorrelated items and for items that are alike
    within clusters [1]_: both are the number of clusters less 1 where these are of one size, and less where a
    few are large. Scores of items are compared with one another and not with thresholds, so answers of 0 and
    1 need no model; with fewer than about 30 items, or differences on a handful only, take the interval as
    rough [2]_.

    References
    ----------
    .. [1] R. Bell, D. McCaffrey, "Bias Reduction in Standard Errors for Linear Regression with Multi-Stage
       Samples", Survey Methodology 28 (2002).
    .. [2] E. Miller, "Adding Error Bars to Evals", arXiv:2411.00640 (2024).

    Examples
    --------
    >>> found = paired_difference([1, 1, 0, 1, 1, 0], [1, 0, 0, 1, 0, 0])
    >>> print(found)
    PairedDifference: 0.333333 +- 0.211, 95 % interval -0.208593 to 0.87526, p = 0.175, from 6 items
    """
    wide = check_level(level)
    labels = None if clusters is None else _labels_of(clusters, "clusters")
    if repeats is not None:
        items = _labels_of(repeats, "repeats")
        first, second = _listed(a, "a", items), _listed(b, "b", items)
        labels = None if labels is None else _of_items(labels, items)
    else:
        first, second = _rows(a, "a"), _rows(b, "b")
    n = len(first.means)
    if len(second.means) != n:
        raise ValueError(f"b must have the items of a, {n:,}, got {len(second.means):,}")
    if labels is not None and len(labels) != n:
        raise ValueError(f"clusters must have {n:,} labels, one an item, got {len(labels):,}")
    group = np.arange(n) if labels is None else labels
    return _compared(first, second, group, wide)


def _compared(first: _Items, second: _Items, group: npt.NDArray[np.intp], level: float) -> PairedDifference:
    n, sizes = len(group), np.bincount(group)
    if len(sizes) < 2:
        raise ValueError(
            "a and b need two items at least" if n < 2 else "clusters must have two labels at least, got one"
        )
    each = first.means - second.means
    difference = float(each.mean())
    size = max(np.abs(first.means).max(), np.abs(second.means).max())
    away = each - difference
    share = sizes / n
    squares = np.bincount(group, away) ** 2 / (1.0 - share)
    plain = float((away**2).sum() / (n * (n - 1.0)))
    repeated, added = _of_repeats(first, second)
    spread = max(plain * n - added, 0.0)
    if np.abs(away).max() <= _LEAST_SPREAD * size:
        warn(
            "a and b differ by the same on all items: that says nothing of the error, which is infinite; "
            "give more items",
            UserWarning,
        )
        inf = float("inf")
        return PairedDifference(
            difference, inf, -inf, inf, level, 1.0, len(sizes) - 1.0, n, len(sizes), 0.0, repeated, 1.0
        )
    error = float(np.sqrt(squares.sum()) / n)
    freedom = _freedom(share)
    half = student_quantile(0.5 + 0.5 * level, freedom) * error
    from scipy import special

    tail = float(2.0 * special.stdtr(freedom, -abs(difference) / error)) if error > 0 else 0.0
    return PairedDifference(
        difference,
        error,
        difference - half,
        difference + half,
        level,
        tail,
        freedom,
        n,
        len(sizes),
        spread,
        repeated,
        error**2 / plain,
    )


def _of_repeats(first: _Items, second: _Items) -> tuple[float, float]:
    """Variance of one answer of each about its item, and what that adds to the items' differences."""
    single = added = 0.0
    for side in (first, second):
        freedom = float(side.counts.sum() - len(side.counts))
        variance = side.within / freedom if freedom > 0 else 0.0
        single += variance
        added += variance * float((1.0 / side.counts).mean())
    return single, added


def _freedom(share: Floats) -> float:
    """Degrees of freedom of the sum of squared totals, `share` of the items in each cluster.

    With D = diag(1 / (1 - share)) and C the covariance of the totals of deviations, tr(DC)^2 / tr(DCDC): for
    uncorrelated items, and for items that are equal within clusters.
    """
    w, d = share, 1.0 / (1.0 - share)
    apart = 1.0 / float((d**2 * w**2 * (1 - 2 * w)).sum() + (d * w**2).sum() ** 2)
    v = w**2
    total = float(v.sum())
    trace = float((d * (v - 2 * w * v + total * w**2)).sum())
    a, b, c = float((d * w**2).sum()), float((d * w * v).sum()), float((d * v**2).sum())
    square = float((d**2 * (v**2 + 2 * v * (total * w**2 - 2 * w * v))).sum())
    square += total**2 * a**2 + 2 * a * c - 4 * total * a * b + 2 * b**2
    return max(1.0, min(apart, trace**2 / square))


# ---- reading


def _rows(values: Any, name: str) -> _Items:
    array = real_array(values, name)
    if array.ndim not in (1, 2) or array.size == 0:
        raise ValueError(f"{name} must have shape (n_items,) or (n_items, n_repeats), got {array.shape}")
    table = array.astype(np.float64).reshape(len(array), -1)
    there = ~np.isnan(table)
    counts = there.sum(axis=1).astype(np.float64)
    if not counts.all():
        raise ValueError(f"{name} has no answer to item {int(counts.argmin())}; leave the item out of both")
    filled = np.where(there, table, 0.0)
    _check_size(filled, name)
    means = filled.sum(axis=1) / counts
    return _Items(means, counts, float((np.where(there, table - means[:, None], 0.0) ** 2).sum()))


def _listed(values: Any, name: str, items: npt.NDArray[np.intp]) -> _Items:
    array = real_array(values, name)
    if array.shape != items.shape:
        raise ValueError(f"{name} must have shape {items.shape}, one entry a label, got {array.shape}")
    table = array.astype(np.float64)
    there = ~np.isnan(table)
    place, known = items[there], table[there]
    _check_size(known, name)
    counts = np.bincount(place, minlength=int(items.max()) + 1).astype(np.float64)
    if not counts.all():
        raise ValueError(f"{name} has no answer to item {int(counts.argmin())} of repeats; leave it out")
    means = np.bincount(place, known, len(counts)) / counts
    return _Items(means, counts, float(((known - means[place]) ** 2).sum()))


def _check_size(values: Floats, name: str) -> None:
    if not np.isfinite(values).all():
        raise ValueError(f"{name} has entries that are infinite; scores must be finite, or NaN where missing")
    if np.abs(values).max(initial=0.0) > _FAR:
        raise ValueError(f"{name} must lie within +-1e150, got {np.abs(values).max():.3g}: scale it")


def _labels_of(labels: Any, name: str) -> npt.NDArray[np.intp]:
    """Positions of labels among the distinct ones, by their first appearance."""
    array = refuse_masked(labels, name)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"{name} must be a list of labels, got {shown(labels)}")
    listed = array.tolist()
    if any(x is None or x != x for x in listed):
        raise ValueError(f"{name} has missing labels")
    places: dict[Any, int] = {}
    try:
        found = [places.setdefault(label, len(places)) for label in listed]
    except TypeError:
        raise TypeError(f"{name} must hold numbers or texts, got {shown(labels)}") from None
    return np.array(found, dtype=np.intp)


def _of_items(labels: npt.NDArray[np.intp], items: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """The cluster of each item, from the cluster of each entry."""
    if len(labels) != len(items):
        raise ValueError(f"clusters must have {len(items):,} labels, as repeats has, got {len(labels):,}")
    found = np.zeros(int(items.max()) + 1, dtype=np.intp)
    found[items] = labels
    odd = np.flatnonzero(found[items] != labels)
    if len(odd):
        raise ValueError(f"clusters has two labels for the item of entry {odd[0]}; an item lies in one")
    return found


# ---- how many


def items_needed(
    difference: float,
    pilot: PairedDifference | None = None,
    *,
    variance_items: float | None = None,
    variance_repeats: float | None = None,
    n_repeats: int = 1,
    design_effect: float | None = None,
    power: float = 0.8,
    level: float = 0.95,
) -> int:
    """How many items it takes to see a difference of two models.

    Parameters
    ----------
    difference : float
        To be seen, in the unit of the scores.
    pilot : PairedDifference, optional
        From a first run; it says what is not given otherwise.
    variance_items : float, optional
        Of the items' true differences. Needed without a pilot: models of 0 and 1 that disagree on a share d
        of the items have d at most.
    variance_repeats : float, optional
        Of the difference of one answer of each model to the same item. Default: 0 without a pilot.
    n_repeats : int, default 1
        Answers of each model to each item.
    design_effect : float, optional
        By how much clusters raise the variance. Default: 1 without a pilot.
    power : float, default 0.8
        Chance of an interval without 0 where the difference is as large as said.
    level : float, default 0.95
        Of the interval.

    Returns
    -------
    int
        At least 2.

    Raises
    ------
    ValueError
        If the difference is 0, a variance is negative, or more than 2^53 items are needed.

    Notes
    -----
    The smallest n at which Student's t with n - 1 degrees of freedom rejects with the power asked for, by its
    noncentral law, at the variance design_effect * (variance_items + variance_repeats / n_repeats) / n. A
    pilot's variances have an error of their own, about sqrt(2 / items) of themselves.

    Examples
    --------
    >>> items_needed(0.02, variance_items=0.1)  # models that disagree on one item in ten
    1965
    """
    seen = abs(check_number(difference, "difference"))
    if seen == 0:
        raise ValueError("difference must not be 0: no number of items shows that")
    if pilot is not None and not isinstance(pilot, PairedDifference):
        raise TypeError(f"pilot must be a PairedDifference, got {shown(pilot)}")
    if pilot is None and variance_items is None:
        raise ValueError("variance_items must be given where there is no pilot")

    def of(given: Any, name: str, default: float) -> float:
        if given is not None:
            return check_nonnegative(given, name)
        return default if pilot is None else float(getattr(pilot, name))

    repeated = of(variance_repeats, "variance_repeats", 0.0) / check_count(n_repeats, "n_repeats")
    effect = of(design_effect, "design_effect", 1.0)
    check_positive(effect, "design_effect")
    variance = effect * (of(variance_items, "variance_items", 0.0) + repeated)
    wide, wanted = check_level(level), check_level(power, "power")
    if not np.isfinite(variance):
        raise ValueError(f"variance_items must be smaller, got a variance of {variance}")
    unit = seen / np.sqrt(variance) if variance > 0 else np.inf
    return _smallest(float(unit), wide, wanted)


def _smallest(unit: float, level: float, power: float) -> int:
    """The smallest n of enough power, by doubling and halving."""
    from scipy import special

    def enough(n: int) -> bool:
        shift = unit * float(np.sqrt(n))
        least = student_quantile(0.5 + 0.5 * level, n - 1.0)
        above = 1.0 - float(special.nctdtr(n - 1.0, shift, least)) if n <= 1000 and shift < 30 else np.nan
        if np.isnan(above):  # too far out for the series: the normal approximation
            spread = float(np.sqrt(1.0 + least**2 / (2.0 * (n - 1.0))))
            above = float(special.ndtr((shift - least * (1.0 - 0.25 / (n - 1.0))) / spread))
        below = float(special.nctdtr(n - 1.0, shift, -least)) if shift < 5 else 0.0
        return above + below >= power

    high = 2
    while not enough(high):
        high *= 2
        if high > _MOST_ITEMS:
            raise ValueError(f"difference is too small for its variance: more than {high // 2:,} items")
    low = high // 2
    while high - low > 1 and high > 2:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
