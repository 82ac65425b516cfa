"""Coresets: a few weighted points whose clustering cost is that of all, for any centres."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from .. import _core
from .._points import (
    METRICS,
    Points,
    computed,
    own_squared_distances,
    powers,
    read_in_range,
    read_points,
    read_weights,
    shifted,
    stored,
)
from .._results import Result
from .._validate import (
    check_choice,
    check_count,
    check_flag,
    check_positive,
    check_rng,
    check_room,
    check_threads,
    real_array,
)
from ._sample import Floats, draw
from ._sensitivity import clusters_of

_COST_SHARE = 10.0


@dataclass(frozen=True, eq=False, repr=False)
class Coreset(Result):
    """Weighted points that stand for a larger set.

    Attributes
    ----------
    points : ndarray, shape (m, d)
    weights : ndarray, shape (m,)
        Sums of weight * f(point) estimate the sum of f over all points without bias.
    indices : ndarray of int, shape (m,)
        Rows of the data (or the `ids` that were given); they may repeat.
    power : float
    clusters : int
        How many clusters the sensitivities came from; what `reduce` uses again.
    """

    points: Points
    weights: Floats
    indices: npt.NDArray[np.int64]
    power: float
    clusters: int

    def __len__(self) -> int:
        return len(self.points)

    def __repr__(self) -> str:
        return f"Coreset: {len(self):,} points of total weight {self.weights.sum():,.6g}"

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns ``row`` (of the data, or what `ids` says) and ``weight``, for any data frame."""
        return {"row": self.indices, "weight": self.weights}

    def merge(self, other: Coreset) -> Coreset:
        """Both together: a coreset of the union of the two sets.

        Parameters
        ----------
        other : Coreset
            Of points of as many dimensions, for the same power.

        Returns
        -------
        Coreset
        """
        if not isinstance(other, Coreset):
            raise TypeError(f"other must be a Coreset, got {type(other).__name__}")
        if other.points.shape[1] != self.points.shape[1] or other.power != self.power:
            raise ValueError(
                f"other must have {self.points.shape[1]} columns and power {self.power:g}, got "
                f"{other.points.shape[1]} and {other.power:g}"
            )
        return Coreset(
            np.concatenate([self.points, other.points]),
            np.concatenate([self.weights, other.weights]),
            np.concatenate([self.indices, other.indices]),
            self.power,
            max(self.clusters, other.clusters),
        )

    def reduce(self, size: int, *, rng: Any = None, n_threads: int | None = None) -> Coreset:
        """A coreset of this coreset, drawn without replacement; itself if it has no more than `size` points.

        Halving twice so adds no more variance than quartering at once.

        Parameters
        ----------
        size : int
        rng : None, int, SeedSequence, BitGenerator or Generator, optional
        n_threads : int, optional

        Returns
        -------
        Coreset
        """
        if len(self) <= check_count(size, "size"):
            return self
        return coreset(
            self.points,
            size,
            clusters=min(self.clusters, len(self)),
            power=self.power,
            sample_weight=self.weights,
            replace=False,
            ids=self.indices,
            rng=rng,
            n_threads=n_threads,
        )


def coreset(
    X: Any,
    size: int,
    *,
    clusters: Any,
    power: float = 2.0,
    sample_weight: Any = None,
    metric: str = "euclidean",
    replace: bool = False,
    ids: Any = None,
    rng: Any = None,
    n_threads: int | None = None,
    progress: Any = None,
) -> Coreset:
    """Draw points by how much of their cluster's cost they carry.

    Parameters
    ----------
    X : array_like, shape (n, d)
        As for `kmeans`.
    size : int
        Points to draw.
    clusters : int, KMeansResult, Seeding, or (centers, labels)
        As for `sensitivity_sample`: as many clusters as will be looked for, or more.
    power : float, default 2
        Of the distance: 2 for k-means, 1 for k-medians.
    sample_weight : array_like, shape (n,), optional
        >= 0; default all 1.
    metric : {'euclidean', 'cosine'}, default 'euclidean'
        'cosine': of the rows scaled to length 1, which the coreset then holds.
    replace : bool, default False
        False: distinct points by systematic sampling from a random order, x with probability min(1, c p); all
        that can be drawn, with their own weights, if they are no more than `size`. True: independent draws,
        as the method is analysed; points that must not be missed are then drawn many times.
    ids : array_like of int, shape (n,), optional
        What `indices` says of the rows; default their numbers.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
    n_threads : int, optional
        Default: see `steelyard.build_info`. The draws do not depend on it, bit for bit.
    progress : callable, optional
        Called as progress(drawn, clusters) while seeds are drawn.

    Returns
    -------
    Coreset
        Weights are w / inclusion probability, or w / (size * probability) with replacement, never scaled
        afterwards: sums are unbiased.

    Notes
    -----
    Point x of cluster C is drawn with probability proportional to w (10 D^z / cost(C) + 1 / weight(C)), D its
    distance to the centre; or to 11 w / weight(C) where all of C lies in one place. O(n d k) time for a
    number of clusters, O(n) memory beside X.

    References
    ----------
    A. Draganov, D. Saulpic, C. Schwiegelshohn, "Settling Time vs. Accuracy Tradeoffs for Clustering Big
    Data", SIGMOD (2024).

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(10_000, 2))
    >>> small = coreset(X, 500, clusters=10, rng=0)
    >>> print(len(small), abs(small.weights.sum() / 10_000 - 1) < 0.1)
    500 True
    """
    metric = check_choice(metric, "metric", METRICS)
    exponent, count = check_positive(power, "power"), check_room(check_count(size, "size"), "size")
    points, shift = read_in_range(X, "X", metric)
    weights = read_weights(sample_weight, len(points))
    again, generator = check_flag(replace, "replace"), check_rng(rng)
    centers, labels = clusters_of(
        (points, shift), clusters, exponent, metric, generator, n_threads, weights, progress
    )
    cost = powers(own_squared_distances(points, centers, labels), exponent)
    mass = np.ones(len(points)) if weights is None else weights
    sums = np.bincount(labels, weights=cost * mass, minlength=len(centers))
    sizes = np.bincount(labels, weights=mass, minlength=len(centers))
    with np.errstate(divide="ignore", invalid="ignore"):
        by_cost = np.where(sums > 0, _COST_SHARE / sums, 0.0)
        # A cluster of one place has no cost to share out, and must not be missed for it.
        even = np.where(sizes > 0, np.where(sums > 0, 1.0, 1.0 + _COST_SHARE) / sizes, 0.0)
    scores = mass * (cost * by_cost[labels] + even[labels])
    return _drawn((points, shift), scores, mass, count, again, ids, exponent, len(centers), generator)


def lightweight_coreset(
    X: Any,
    size: int,
    *,
    sample_weight: Any = None,
    ids: Any = None,
    rng: Any = None,
    n_threads: int | None = None,
) -> Coreset:
    """Draw points half evenly and half by their squared distance to the mean: two passes over the data.

    Parameters
    ----------
    X, size, sample_weight, ids, rng, n_threads
        As for `coreset`.

    Returns
    -------
    Coreset
        For k-means. Cheap, but with an error that goes with the variance of all the data: small far clusters
        are missed.

    References
    ----------
    O. Bachem, M. Lucic, A. Krause, "Scalable k-Means Clustering via Lightweight Coresets", KDD (2018).

    Examples
    --------
    >>> import numpy as np
    >>> print(lightweight_coreset(np.eye(4), 3, rng=0).weights.shape)
    (3,)
    """
    points, shift = read_in_range(X, "X", "euclidean")
    count, weights = check_room(check_count(size, "size"), "size"), read_weights(sample_weight, len(points))
    mass = np.ones(len(points)) if weights is None else weights
    none = np.zeros(len(points), dtype=np.int64)
    start = computed(points[:1])
    threads = check_threads(n_threads)
    mean = _core.select._lloyd_step(stored(points), weights, start, "mean", True, threads)[2]
    squared = mass * own_squared_distances(points, mean, none)
    total = squared.sum()
    scores = 0.5 * mass / mass.sum() + (0.5 * squared / total if total > 0 else 0.0)
    return _drawn((points, shift), scores, mass, count, True, ids, 2.0, 1, check_rng(rng))


def _drawn(
    shifted_points: tuple[Points, int],
    scores: Floats,
    mass: Floats,
    size: int,
    replace: bool,
    ids: Any,
    power: float,
    clusters: int,
    rng: np.random.Generator,
) -> Coreset:
    points, shift = shifted_points
    names = np.arange(len(points)) if ids is None else np.asarray(ids)
    if names.shape != (len(points),) or names.dtype.kind not in "iu":
        raise ValueError(
            f"ids must hold {len(points)} integers, got dtype {names.dtype}, shape {names.shape}"
        )
    possible = int(np.count_nonzero(scores))
    rows, weights, _ = draw(scores / scores.sum(), size if replace else min(size, possible), replace, rng)
    chosen = shifted(computed(points[rows]), shift)
    return Coreset(chosen, mass[rows] * weights, names[rows].astype(np.int64), power, clusters)


class StreamingCoreset:
    """A coreset of data that comes in batches, in bounded memory (merge and reduce).

    Rows are collected to twice `size`, then reduced; two coresets of one level make one of the next. At most
    one coreset a level is held: O(size log(n / size)) points.

    Parameters
    ----------
    size : int
        Points of each coreset.
    clusters : int
        For the sensitivities.
    power : float, default 2
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
    n_threads : int, optional
        Default: see `steelyard.build_info`. The draws do not depend on it, bit for bit.

    Attributes
    ----------
    n_seen : int
        Rows so far.

    Notes
    -----
    Every reduction is unbiased, so the expected total weight is the number of rows whatever the order and
    size of the batches. It draws without replacement, so that variances do not add up over the log2(n / size)
    levels: points that were halved twice vary as those that were quartered.

    References
    ----------
    J. L. Bentley and J. B. Saxe, "Decomposable searching problems I", J. Algorithms 1 (1980); S. Har-Peled
    and S. Mazumdar, "On coresets for k-means and k-median clustering", STOC (2004).

    Examples
    --------
    >>> import numpy as np
    >>> stream = StreamingCoreset(200, clusters=5, rng=0)
    >>> for batch in np.random.default_rng(1).normal(size=(10, 500, 3)):
    ...     _ = stream.partial_fit(batch)
    >>> print(stream.n_seen, len(stream.result()))
    5000 200
    """

    def __init__(
        self,
        size: int,
        *,
        clusters: int,
        power: float = 2.0,
        rng: Any = None,
        n_threads: int | None = None,
    ) -> None:
        self.size = check_count(size, "size")
        self.clusters = check_count(clusters, "clusters")
        if self.clusters > self.size:
            raise ValueError(f"clusters must be at most size = {self.size}, got {self.clusters}")
        self.power = check_positive(power, "power")
        self.n_seen = 0
        self._rng, self._threads = check_rng(rng), check_threads(n_threads)
        self._levels: list[Coreset | None] = []
        self._pending: Coreset | None = None

    def partial_fit(self, X: Any, sample_weight: Any = None) -> Self:
        """Take in a batch.

        Parameters
        ----------
        X : array_like, shape (n, d)
            An empty batch is allowed.
        sample_weight : array_like, shape (n,), optional

        Returns
        -------
        StreamingCoreset
            Itself.
        """
        X = real_array(X, "X")
        if X.ndim == 2 and len(X) == 0:
            return self
        points = computed(read_points(X, "X", "euclidean"))
        weights = read_weights(sample_weight, len(points))
        held = next((c for c in (self._pending, *self._levels) if c is not None), None)
        if held is not None and held.points.shape[1] != points.shape[1]:
            raise ValueError(f"X must have {held.points.shape[1]} columns, got {points.shape[1]}")
        mass = np.ones(len(points)) if weights is None else weights
        ids = self.n_seen + np.arange(len(points))
        self.n_seen += len(points)
        for start in range(0, len(points), self.size):
            rows = slice(start, start + self.size)
            self._take(Coreset(points[rows].copy(), mass[rows], ids[rows], self.power, self.clusters))
        return self

    def _take(self, batch: Coreset) -> None:
        waiting = batch if self._pending is None else self._pending.merge(batch)
        if len(waiting) < 2 * self.size:
            self._pending = waiting
            return
        self._pending = None
        carried = self._reduced(waiting)
        for level in range(len(self._levels)):
            other = self._levels[level]
            if other is None:
                self._levels[level] = carried
                return
            self._levels[level] = None
            carried = self._reduced(other.merge(carried))
        self._levels.append(carried)

    def _reduced(self, whole: Coreset) -> Coreset:
        # Rows of weight 0 would only be seeds that stand for nothing.
        kept = whole.weights > 0
        if not kept.any():
            return Coreset(whole.points[:0], whole.weights[:0], whole.indices[:0], self.power, self.clusters)
        if not kept.all():
            whole = Coreset(
                whole.points[kept], whole.weights[kept], whole.indices[kept], self.power, self.clusters
            )
        return whole.reduce(self.size, rng=self._rng, n_threads=self._threads)

    def result(self) -> Coreset:
        """The coreset of all rows so far, of at most `size` points; taking it changes nothing.

        Raises
        ------
        ValueError
            If there were no rows.
        """
        parts = [part for part in (self._pending, *self._levels) if part is not None]
        if not parts:
            raise ValueError("no rows were given to partial_fit")
        whole = parts[0]
        for part in parts[1:]:
            whole = whole.merge(part)
        state = self._rng.bit_generator.state
        found = self._reduced(whole)
        self._rng.bit_generator.state = state
        return found
