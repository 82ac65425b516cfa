"""Clusters around centres: k-means, spherical k-means, k-medians."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._errors import finish, interrupted, report, warn
from .._info import Info
from .._points import (
    METRICS,
    Points,
    computed,
    nearest_centers,
    read_in_range,
    read_points,
    read_weights,
    shift_of,
    shifted,
    stored,
)
from .._results import Result
from .._spelling import shown
from .._validate import (
    check_choice,
    check_count,
    check_nonnegative,
    check_number,
    check_progress,
    check_rng,
    check_steps,
    check_threads,
    real_array,
)
from ._seeding import Seeding, check_trials, cluster_sizes, scaled_cost, seeds

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

_BLOCK = 262_144
_TRACE = np.dtype([("iteration", float), ("cost", float), ("empty", float)])


@dataclass(frozen=True, kw_only=True)
class KMeansInfo(Info):
    """Info of a clustering.

    `error_bound` is the share by which the last step lowered the cost; ``trace`` has the cost and the number
    of clusters left empty of every step.
    """


@dataclass(frozen=True, repr=False, eq=False)
class KMeansResult(Result):
    """Centres and who belongs to them.

    Attributes
    ----------
    centers : ndarray, shape (k, d)
        float32 for data in float32 or float16, else float64; for metric='cosine' of length 1.
    labels : ndarray of int, shape (n,)
        The nearest centre of each point, the lowest of equals.
    cost : float
        Sum of weight * distance^power to it.
    info : KMeansInfo
    power : int
    metric : str
    """

    centers: Points
    labels: Labels
    cost: float
    info: KMeansInfo
    power: int
    metric: str
    _threads: int = field(repr=False)

    def __repr__(self) -> str:
        state = "converged" if self.info.converged else "NOT converged"
        return (
            f"KMeansResult: {len(self.labels):,} points, {len(self.centers):,} centres, cost {self.cost:.6g} "
            f"({self.metric} distance to the power {self.power}); {state} after {self.info.iterations} steps"
        )

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns ``cluster`` and ``points``, how many belong to it, for any data frame."""
        return cluster_sizes(self.labels, len(self.centers))

    def assign(self, X: Any) -> Labels:
        """The nearest centre of each of other points.

        Parameters
        ----------
        X : array_like, shape (n, d)
            As for `kmeans`; read in blocks of 262,144 rows.

        Returns
        -------
        ndarray of int, shape (n,)

        Raises
        ------
        ValueError
            If X is not finite, or has other columns than the centres.
        """
        X = real_array(X, "X")
        shape = X.shape
        if len(shape) != 2 or shape[1] != self.centers.shape[1]:
            raise ValueError(f"X must have shape (n, {self.centers.shape[1]}), got {shape}")
        parts = [np.zeros(0, dtype=np.int64)]
        for start in range(0, shape[0], _BLOCK):
            block = read_points(X[start : start + _BLOCK], "X", self.metric)
            largest = max(float(np.abs(block).max()), float(np.abs(self.centers).max()))
            shift = 0 if self.metric == "cosine" else shift_of(largest, block)
            parts.append(nearest_centers(block, self.centers, self._threads, shift)[0])
        return np.concatenate(parts)


def kmeans(
    X: Any,
    k: int,
    *,
    init: Any = "k-means++",
    max_iter: int = 100,
    tol: float = 1e-4,
    sample_weight: Any = None,
    metric: str = "euclidean",
    power: int = 2,
    n_local_trials: int | None = None,
    train_size: int | None = None,
    rng: Any = None,
    n_threads: int | None = None,
    progress: Any = None,
) -> KMeansResult:
    """Find k centres such that the points lie near them (Lloyd's algorithm).

    Parameters
    ----------
    X : array_like, shape (n, d)
        Finite. float32 stays float32; float16 is read as float32 in blocks, without a copy of all; all else
        becomes float64; numbers whose squares would overflow or vanish are scaled as for `kmeans_plusplus`. A
        memory-mapped file is read where it lies: a pass to check it (two if seeds are to
        be drawn), one a step, one to assign in the end, and for the seeding k (2 + ln k) / 512 and up to some
        twenty more, or k / 128 and some more with n_local_trials=1.
    k : int
        Centres, 1 to n.
    init : {'k-means++', 'random'}, array_like of shape (k, d), or Seeding, default 'k-means++'
        Where the centres start: seeds by `kmeans_plusplus`, points drawn uniformly, or those given.
    max_iter : int, default 100
        Steps.
    tol : float, default 1e-4
        Stop when a step lowers the cost by no more than this share. 0: when it does not fall.
    sample_weight : array_like, shape (n,), optional
        >= 0; default all 1.
    metric : {'euclidean', 'cosine'}, default 'euclidean'
        'cosine': spherical k-means, on a copy of X with rows of length 1.
    power : {2, 1}, default 2
        Of the distance: k-means, or k-medians (centres are geometric medians, by a Weiszfeld step each time).
    n_local_trials : int or None, default None
        Candidates a seed for init='k-means++', as for `kmeans_plusplus`; None: 2 + ln k. 1 seeds faster, and
        ends at higher costs where clusters are apart.
    train_size : int, optional
        Fit on so many points, drawn uniformly without replacement, and assign all to the centres found.
        Default: all. Never done unasked.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
    n_threads : int, optional
        Default: see `steelyard.build_info`. The result does not depend on it, bit for bit.
    progress : callable, optional
        Called as progress(step, max_iter).

    Returns
    -------
    KMeansResult
        With fewer than k centres where fewer points differ.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.
    KeyboardInterrupt
        On Ctrl-C; ``.partial`` holds the result of the last whole step, or None.

    Warns
    -----
    ConvergenceWarning
        If the cost still falls by more than `tol` after `max_iter` steps.
    UserWarning
        If there are fewer than k centres.

    Notes
    -----
    O(n d k) time a step, by products of blocks; where rounding leaves two centres within its reach, distances
    are taken from differences, so that data far from the origin is clustered rightly too. 24 bytes a point
    beside X, and k d numbers; while seeds are drawn up to some 200, or 48 with n_local_trials=1. A cluster
    that loses all its points starts again at the point that costs most.

    References
    ----------
    S. P. Lloyd, "Least squares quantization in PCM", IEEE Trans. Inf. Theory 28 (1982). E. Weiszfeld (1937);
    Y. Vardi and C.-H. Zhang, "The multivariate L1-median and associated data depth", PNAS 97 (2000).

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0, 0.0], [0.2, 0.0], [9.0, 9.0], [9.0, 9.2]])
    >>> found = kmeans(X, 2, rng=0)
    >>> print(np.sort(found.centers, axis=0).round(1).tolist())
    [[0.1, 0.0], [9.0, 9.1]]
    """
    metric = check_choice(metric, "metric", METRICS)
    if isinstance(power, bool) or check_number(power, "power") not in (1.0, 2.0):
        raise ValueError(f"power must be 1 or 2, got {shown(power)}")
    if power == 1 and metric == "cosine":
        raise ValueError("power=1 needs metric='euclidean'")
    count, steps = check_count(k, "k"), check_steps(max_iter, "max_iter")
    tol, threads, callback = check_nonnegative(tol, "tol"), check_threads(n_threads), check_progress(progress)
    points, shift = read_in_range(X, "X", metric)
    weights = read_weights(sample_weight, len(points))
    generator = check_rng(rng)
    chosen, note = _training(points, weights, train_size, generator)
    if count > len(chosen[0]):
        raise ValueError(f"k must be at most the number of points, {len(chosen[0])}, got {count}")
    trials = check_trials(n_local_trials, count)
    centers = _start(init, (*chosen, shift), (count, trials), metric, int(power), generator, threads)
    update = "median" if power == 1 else "direction" if metric == "cosine" else "mean"
    task = _Task(*chosen, update, threads, shift)
    found = _iterate(task, centers, (steps, tol), callback, metric, note)
    if note:
        found = _for_all(found, points, weights, task)
    if len(found.centers) < count:
        warn(
            f"k={count}, but only {len(found.centers)} points differ and have weight: fewer centres",
            UserWarning,
        )
    return finish(found, "kmeans", n_threads=n_threads)


@dataclass(frozen=True)
class _Task:
    points: Points
    weights: Floats | None
    update: str
    threads: int
    shift: int  # points are divided by 2^shift, and so are the centres of a step

    def step(self, centers: Points, move: bool = True) -> Any:
        return _core.select._lloyd_step(
            stored(self.points), self.weights, centers, self.update, move, self.threads
        )

    def masses(self, squared: npt.NDArray[Any]) -> Floats:
        each = np.sqrt(squared) if self.update == "median" else squared
        return np.asarray(each if self.weights is None else each * self.weights, dtype=np.float64)


def _training(
    points: Points, weights: Floats | None, train_size: Any, rng: np.random.Generator
) -> tuple[tuple[Points, Floats | None], str]:
    if train_size is None:
        return (points, weights), ""
    size = check_count(train_size, "train_size")
    if size >= len(points):
        return (points, weights), ""
    rows = np.sort(rng.choice(len(points), size, replace=False))
    some = None if weights is None else weights[rows]
    if some is not None and not some.any():
        raise ValueError("train_size drew no point with weight; raise it")
    return (points[rows], some), f"fitted on {size:,} of {len(points):,} points, drawn uniformly"


def _start(
    init: Any,
    chosen: tuple[Points, Floats | None, int],
    counts: tuple[int, int],
    metric: str,
    power: int,
    rng: np.random.Generator,
    threads: int,
) -> Points:
    (points, weights, shift), (k, trials) = chosen, counts
    kind = computed(points[:1]).dtype
    if isinstance(init, str):
        if check_choice(init, "init", ("k-means++", "random")) == "random":
            usable = len(points) if weights is None else np.flatnonzero(weights)
            if not isinstance(usable, int) and len(usable) < k:
                return computed(points[usable])
            return computed(points[rng.choice(usable, k, replace=False)])
        return seeds(  # fewer points than k: said at the end
            points,
            k,
            sample_weight=weights,
            power=power,
            metric=metric,
            n_local_trials=trials,
            rng=rng,
            n_threads=threads,
            progress=None,
        ).centers
    centers = init.centers if isinstance(init, Seeding) else read_points(init, "init", metric)
    if (
        centers.shape[1] != points.shape[1]
        or len(centers) > k
        or (not isinstance(init, Seeding) and len(centers) < k)
    ):
        raise ValueError(f"init must have shape ({k}, {points.shape[1]}), got {centers.shape}")
    centers = np.ascontiguousarray(shifted(centers, -shift), dtype=kind)
    if not np.isfinite(centers).all():
        raise ValueError("init is too far from X for its float type")
    return centers


def _iterate(
    task: _Task, centers: Points, limits: tuple[int, float], progress: Any, metric: str, note: str
) -> KMeansResult:
    started, (steps, tol) = time.perf_counter(), limits
    power = 1 if task.update == "median" else 2
    trace: list[tuple[float, float, float]] = []
    last: KMeansResult | None = None
    repaired, fall, before = True, np.inf, None
    for number in range(1, steps + 2):
        labels, squared, moved, weights, cost, stopped = task.step(centers, move=number <= steps)
        if stopped:
            raise interrupted(last)
        empty = np.flatnonzero(np.bincount(labels, minlength=len(centers)) == 0)
        if before is not None:
            fall = (before - cost) / before if before > 0 else 0.0
        before, total = cost, scaled_cost(float(cost), task.shift, power)
        trace.append((number, total, len(empty)))
        converged = not repaired and fall <= tol
        info = KMeansInfo(
            converged=bool(converged),
            iterations=min(number, steps),
            solver="lloyd" if power == 2 else "lloyd with weiszfeld steps",
            seconds=time.perf_counter() - started,
            tol=tol,
            error_bound=float(max(fall, 0.0)),
            error_kind="estimate",
            message="; ".join(filter(None, [note, _shortfall(converged, number, limits, fall)])),
            trace=np.array(trace, dtype=_TRACE),
        )
        own = shifted(centers, task.shift)
        last = KMeansResult(own, labels, total, info, power, metric, task.threads)
        if converged or number > steps:
            break
        report(progress, number, steps, last)
        centers, repaired = _repaired(moved, weights <= 0, task, squared)
    assert last is not None
    return _without_empty(last)


def _shortfall(converged: bool, number: int, limits: tuple[int, float], fall: float) -> str:
    steps, tol = limits
    if converged or number <= steps:
        return ""
    share = f"{max(fall, 0.0):.1e}"
    return f"the cost still fell by {share} of itself in step {steps} (tol = {tol:g}); raise max_iter"


def _repaired(moved: Points, empty: npt.NDArray[np.bool_], task: _Task, squared: Any) -> tuple[Points, bool]:
    """Empty clusters start again at the points that cost most, as far as those differ."""
    if not empty.any():
        return moved, False
    masses = task.masses(squared)
    costly = np.argsort(-masses, kind="stable")[: 4 * int(empty.sum()) + 16]
    rows = computed(task.points[costly[masses[costly] > 0]])
    _, first = np.unique(rows, axis=0, return_index=True)
    fresh = rows[np.sort(first)][: int(empty.sum())]
    moved = moved.copy()
    moved[np.flatnonzero(empty)[: len(fresh)]] = fresh
    return moved, len(fresh) > 0


def _without_empty(found: KMeansResult) -> KMeansResult:
    sizes = np.bincount(found.labels, minlength=len(found.centers))
    if sizes.all():
        return found
    kept = np.flatnonzero(sizes)
    labels = np.searchsorted(kept, found.labels)
    return KMeansResult(
        found.centers[kept], labels, found.cost, found.info, found.power, found.metric, found._threads
    )


def _for_all(found: KMeansResult, points: Points, weights: Floats | None, task: _Task) -> KMeansResult:
    """The centres of a subsample, with every point assigned to them."""
    whole = _Task(points, weights, task.update, task.threads, task.shift)
    labels, _, _, _, cost, stopped = whole.step(shifted(found.centers, -task.shift), move=False)
    if stopped:
        raise interrupted(found)
    total = scaled_cost(float(cost), task.shift, found.power)
    return KMeansResult(found.centers, labels, total, found.info, found.power, found.metric, found._threads)
