"""Points of the data that stand for the rest, with a bound of how much better others can be."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._errors import finish, interrupted, warn
from .._info import Info
from .._points import METRICS, Points, computed, read_in_range, read_weights, unit_power
from .._results import Result
from .._validate import (
    check_choice,
    check_count,
    check_positive,
    check_progress,
    check_rng,
    check_steps,
    check_threads,
    check_vector,
    real_array,
)
from ._seeding import cluster_sizes, seeds

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class MedoidsInfo(Info):
    """Info of medoids and of facility locations.

    `error_bound`: the share of the cost by which the best k points can be cheaper (of the value that no k
    points exceed, by which they can be better), proven, rounding of the distances included; None where
    ``bound_iter=0``. `converged`: no exchange of one medoid for another point lowers the cost (`tol` is 0).
    """


@dataclass(frozen=True, repr=False, eq=False)
class Medoids(Result):
    """Points of the data and whom they stand for.

    Attributes
    ----------
    indices : ndarray of int, shape (k,)
        Rows of the data.
    labels : ndarray of int, shape (n,)
        Position in `indices` of the nearest, the lowest of equals.
    cost : float
        Sum of weight * distance^power to it.
    power : float
    metric : str
    info : MedoidsInfo
    """

    indices: Labels
    labels: Labels
    cost: float
    power: float
    metric: str
    info: MedoidsInfo

    def __repr__(self) -> str:
        bound = self.info.error_bound
        told = "" if bound is None else f", at most {100 * bound:.3g} % above the best"
        return (
            f"Medoids: {len(self.indices):,} of {len(self.labels):,} points, cost {self.cost:.6g} "
            f"({self.metric} distance to the power {self.power:g}){told}"
        )

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns ``row`` and ``points``, how many it stands for."""
        return {"row": self.indices, "points": cluster_sizes(self.labels, len(self.indices))["points"]}

    def transfer_weights(self, weights: Any) -> Floats:
        """Give each point its medoid's weight: few reweighted for many.

        Parameters
        ----------
        weights : array_like, shape (k,)
            One a medoid, in the order of `indices`.

        Returns
        -------
        ndarray, shape (n,)
        """
        return np.asarray(check_vector(weights, "weights", length=len(self.indices))[self.labels])


@dataclass(frozen=True, repr=False, eq=False)
class FacilityLocation(Result):
    """Points chosen one after the other, each for what it gains.

    Attributes
    ----------
    indices : ndarray of int, shape (k,)
        Rows of the data, in the order of the choice.
    gains : ndarray, shape (k,)
        By how much each raised the value.
    labels : ndarray of int, shape (n,)
        Position in `indices` of the most similar; -1 where all similarities are 0.
    value : float
        Sum of weight * largest similarity to a chosen point.
    bound : float
        No k points reach more.
    metric : str
    info : MedoidsInfo
    """

    indices: Labels
    gains: Floats
    labels: Labels
    value: float
    bound: float
    metric: str
    info: MedoidsInfo

    @property
    def share(self) -> float:
        """Share of the best value that is reached at least."""
        assert self.info.error_bound is not None
        return 1 - self.info.error_bound

    def __repr__(self) -> str:
        return (
            f"FacilityLocation: {len(self.indices):,} of {len(self.labels):,} points, "
            f"value {self.value:.6g}, at least {100 * self.share:.3g} % of the best"
        )

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns ``row`` and ``gain``, in the order of the choice."""
        return {"row": self.indices, "gain": self.gains}


@dataclass(frozen=True)
class _Problem:
    points: Points
    shift: int  # points are divided by 2^shift
    metric: str
    power: float
    weights: Floats | None
    threads: int
    progress: Any

    @property
    def table(self) -> bool:
        return self.metric == "precomputed"

    @property
    def unit(self) -> float:
        return 1.0 if self.table else unit_power(self.shift, self.power)

    @property
    def rounding(self) -> float:
        """Share by which a cost can be off: sums of squares in the direct form, a root, a power."""
        if self.table:
            return 0.0
        half = float(np.finfo(self.points.dtype).eps) / 2
        return float(1.01 * half * (0.5 * self.power * (self.points.shape[1] + 4) + 4))

    def row(self, i: int) -> Floats:
        """What it costs to let point i stand for each, in float64."""
        if self.table:
            return np.asarray(self.points[i], dtype=np.float64)
        gap = self.points - self.points[i]
        squared = np.einsum("ij,ij->i", gap, gap, dtype=np.float64)
        return np.asarray(squared ** (0.5 * self.power))

    def bounds(self, indices: Labels, cost: float, ceiling: float, passes: int) -> tuple[Floats, bool]:
        found, stopped = _core.select._medoid_bounds(
            self.points,
            self.power,
            self.table,
            self.weights,
            indices,
            cost,
            ceiling,
            passes,
            self.threads,
            self.progress,
        )
        return found, bool(stopped)


def _read(X: Any, metric: Any, power: Any, sample_weight: Any, n_threads: Any, progress: Any) -> _Problem:
    metric = check_choice(metric, "metric", (*METRICS, "precomputed"))
    power = check_positive(power, "power")
    if metric == "precomputed":
        table = real_array(X, "X")
        if table.ndim != 2 or table.shape[0] != table.shape[1] or table.shape[0] == 0:
            raise ValueError(f"X must be square where metric='precomputed', got {table.shape}")
        kind = np.float32 if table.dtype in (np.float16, np.float32) else np.float64
        points: Points = np.require(table, dtype=kind, requirements=["C", "A"])
        if not np.isfinite(points).all():
            raise ValueError("X has NaN or infinite entries")
        if (points < 0).any():
            raise ValueError(f"X must be >= 0 where metric='precomputed', got {points.min():g}")
        points, shift = (points, 0) if power == 1 else (np.asarray(points**power), 0)
        if not np.isfinite(points).all():
            raise ValueError(f"power={power:g} of X overflows its float type: scale X")
    else:
        points, shift = read_in_range(X, "X", metric)
        points = np.ascontiguousarray(computed(points))
    weights = read_weights(sample_weight, len(points))
    return _Problem(points, shift, metric, power, weights, check_threads(n_threads), check_progress(progress))


def _given(init: Any, n: int, k: int) -> Labels:
    """Rows that somebody chose: whole numbers, none twice."""
    rows = np.asarray(init)
    if rows.ndim != 1 or len(rows) > k or not (np.issubdtype(rows.dtype, np.integer) or not len(rows)):
        raise ValueError(f"init must be a list of at most k={k} row numbers, got shape {rows.shape}")
    rows = rows.astype(np.int64)
    if len(rows) and (rows.min() < 0 or rows.max() >= n or len(np.unique(rows)) < len(rows)):
        raise ValueError(f"init must hold different rows in 0 .. {n - 1}")
    return rows


def _drawn(problem: _Problem, chosen: Labels, k: int, rng: np.random.Generator) -> Labels:
    """More rows, each with probability proportional to what it costs now; fewer where nothing costs."""
    out = list(chosen)
    weights = np.ones(len(problem.points)) if problem.weights is None else problem.weights
    near = np.full(len(weights), np.inf)
    for i in out:
        near = np.minimum(near, problem.row(i))
    while len(out) < k:
        mass = weights * near if out else weights
        total = mass.sum()
        if not total > 0:
            break
        out.append(int(rng.choice(len(mass), p=mass / total)))
        near = np.minimum(near, problem.row(out[-1]))
    return np.array(out, dtype=np.int64)


def _start(problem: _Problem, init: Any, k: int, rng: Any) -> Labels:
    if not isinstance(init, str):
        rows = _given(init, len(problem.points), k)
        return rows if len(rows) == k else _drawn(problem, rows, k, check_rng(rng))
    if check_choice(init, "init", ("k-means++", "random")) == "random":
        return np.asarray(check_rng(rng).choice(len(problem.points), k, replace=False), dtype=np.int64)
    if problem.table:
        return _drawn(problem, np.zeros(0, dtype=np.int64), k, check_rng(rng))
    return seeds(
        problem.points,
        k,
        sample_weight=problem.weights,
        power=problem.power,
        metric="euclidean",  # rows are of length 1 already
        n_local_trials=1,
        rng=rng,
        n_threads=problem.threads,
        progress=None,
    ).indices


def medoids(
    X: Any,
    k: int,
    *,
    metric: str = "euclidean",
    power: float = 1.0,
    init: Any = "k-means++",
    max_iter: int = 100,
    bound_iter: int = 0,
    sample_weight: Any = None,
    rng: Any = None,
    n_threads: int | None = None,
    progress: Any = None,
) -> Medoids:
    """Find k points of the data such that all lie near them (k-medoids), and how good they are.

    Parameters
    ----------
    X : array_like, shape (n, d), or (n, n) if metric='precomputed'
        Finite. float32 stays float32, float16 becomes float32, all else float64. Precomputed: X[i, j] >= 0 is
        what it costs to let i stand for j, to be raised to `power`; it need not be symmetric.
    k : int
        Medoids, 1 to n.
    metric : {'euclidean', 'cosine', 'precomputed'}, default 'euclidean'
        'cosine': Euclidean distance of the rows scaled to length 1, whose square is twice the cosine
        distance.
    power : float, default 1
        Of the distance in the cost.
    init : {'k-means++', 'random'} or array_like of int, default 'k-means++'
        Where the swaps start. Row numbers, fewer than k too: the rest is drawn as by k-means++.
    max_iter : int, default 100
        Times that all points are tried.
    bound_iter : int, default 0
        Passes for the lower bound of ``info.error_bound``, each n^2 d operations. 50 certify 1 to 2 % as a
        rule.
    sample_weight : array_like, shape (n,), optional
        >= 0; default all 1.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
    n_threads : int, optional
        Default: see `steelyard.build_info`. The result does not depend on it, bit for bit.
    progress : callable, optional
        Called as progress(points tried without gain, n), then as progress(pass, bound_iter).

    Returns
    -------
    Medoids
        With fewer than k medoids where fewer points differ.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.
    KeyboardInterrupt
        On Ctrl-C; ``.partial`` holds the best medoids so far, or None.

    Warns
    -----
    ConvergenceWarning
        If swaps still help after `max_iter` rounds.
    UserWarning
        If fewer than k points differ.

    Notes
    -----
    Eager swaps [1]_ to a local optimum, without an n x n matrix: O(n k) memory. The lower bound is the
    Lagrangian dual of the k-median problem [2]_, L(b) = sum w b - (the k largest of sum_j w_j max(0, b_j -
    c_ij)), by subgradient steps; it holds for every b, and what rounding can do is taken off. With
    metric='cosine' it speaks of the rows as scaled to length 1 in their float type.

    References
    ----------
    .. [1] E. Schubert and P. J. Rousseeuw, "Fast and eager k-medoids clustering", Information Systems 101
       (2021).
    .. [2] G. Cornuejols, M. L. Fisher, G. L. Nemhauser, "Location of bank accounts to optimize float",
       Management Science 23 (1977).

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [2.0], [9.0], [10.0], [11.0]])
    >>> found = medoids(X, 2, bound_iter=50, rng=0)
    >>> print(np.sort(found.indices), found.cost, found.info.error_bound < 0.01)
    [1 4] 4.0 True
    """
    started = time.perf_counter()
    count, steps = check_count(k, "k"), check_steps(max_iter, "max_iter")
    passes = check_steps(bound_iter, "bound_iter", least=0)
    problem = _read(X, metric, power, sample_weight, n_threads, progress)
    n = len(problem.points)
    if count > n:
        raise ValueError(f"k must be at most the number of points, {n}, got {count}")
    start = _start(problem, init, count, rng)
    indices, labels, cost, swaps, tried, optimal, stopped = _core.select._swap_medoids(
        problem.points,
        problem.power,
        problem.table,
        problem.weights,
        start,
        steps * n,
        problem.threads,
        problem.progress,
    )
    if stopped and not len(indices):
        raise interrupted(None)
    if not np.isfinite(cost):
        raise ValueError(f"power={problem.power:g} of distances overflows; scale X or lower power")
    error = None
    if passes and not stopped:
        below, stopped = problem.bounds(indices, cost, np.inf, passes)
        error = _shortfall(cost, below, problem.rounding)
    info = MedoidsInfo(
        converged=bool(optimal),
        iterations=-(-int(tried) // n),
        solver=f"eager swaps: {swaps:,} of {tried:,} points tried"
        + (f"; {passes} passes for the bound" if passes else ""),
        seconds=time.perf_counter() - started,
        tol=0.0,
        error_bound=error,
        error_kind="rigorous",
        message="" if optimal else f"swaps still helped after {steps} rounds; raise max_iter",
        interrupted=bool(stopped),
    )
    found = Medoids(indices, labels, float(cost) * problem.unit, problem.power, problem.metric, info)
    if len(indices) < count:
        told = f"k={count}, but only {len(indices)} points differ and have weight: fewer medoids"
        warn(told, UserWarning)
    return finish(found, "medoids", n_threads=n_threads)


def _shortfall(cost: float, below: Floats, rounding: float) -> float | None:
    """(cost - lower bound) / cost: true costs lie within a share `rounding` of those computed."""
    if not len(below):
        return None
    least = max(float(below[-1]), 0.0) / (1 + rounding)
    return max(0.0, (cost * (1 + rounding) - least) / cost) if cost > 0 else 0.0


def facility_location(
    X: Any,
    k: int,
    *,
    metric: str = "cosine",
    reach: float | None = None,
    init: Any = (),
    bound_iter: int = 0,
    sample_weight: Any = None,
    n_threads: int | None = None,
    progress: Any = None,
) -> FacilityLocation:
    """Choose k points greedily that are similar to all, and say what share of the best value they reach.

    Parameters
    ----------
    X : array_like, shape (n, d), or (n, n) if metric='precomputed'
        As for `medoids`. Precomputed: X[i, j] >= 0 is the *similarity* of point j to candidate i.
    k : int
        Points to choose, 1 to n.
    metric : {'cosine', 'euclidean', 'precomputed'}, default 'cosine'
        Similarity: the cosine, or 0 where that is negative; max(0, `reach` - distance); as given.
    reach : float, optional
        Distance from which on points are not similar, for metric='euclidean'. Default: twice the largest
        distance from the mean, which no two points exceed.
    init : array_like of int, optional
        Rows chosen before, at most k: the choice goes on from there.
    bound_iter : int, default 0
        Passes to sharpen ``bound``, each n^2 d operations. The bound of 0 costs nothing.
    sample_weight : array_like, shape (n,), optional
        >= 0; default all 1.
    n_threads : int, optional
        Default: see `steelyard.build_info`. The result does not depend on it, bit for bit.
    progress : callable, optional
        Called as progress(chosen, k), then as progress(pass, bound_iter).

    Returns
    -------
    FacilityLocation

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.
    KeyboardInterrupt
        On Ctrl-C.

    Notes
    -----
    Lazy greedy [1]_, at least 1 - 1/e of the best value by theory; gains that are out of date bound what is
    possible, which proves more as a rule [2]_. No n x n matrix: O(n d) memory.

    References
    ----------
    .. [1] M. Minoux, "Accelerated greedy algorithms for maximizing submodular set functions" (1978).
    .. [2] G. L. Nemhauser, L. A. Wolsey, M. L. Fisher, "An analysis of approximations for maximizing
       submodular set functions", Math. Programming 14 (1978).

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0], [0.0, 2.0]])
    >>> found = facility_location(X, 2, bound_iter=20)
    >>> print(sorted(found.indices.tolist()), found.share > 0.9)
    [0, 3] True
    """
    started = time.perf_counter()
    count, passes = check_count(k, "k"), check_steps(bound_iter, "bound_iter", least=0)
    cosine = metric == "cosine"
    problem = _read(X, metric, 2.0 if cosine else 1.0, sample_weight, n_threads, progress)
    n = len(problem.points)
    if count > n:
        raise ValueError(f"k must be at most the number of points, {n}, got {count}")
    if reach is not None and metric != "euclidean":
        raise ValueError("reach is for metric='euclidean'")
    if problem.table:  # costs are similarities lost
        problem = _Problem(-problem.points, 0, problem.metric, 1.0, *_rest(problem))
    ceiling = 2.0 if cosine else 0.0 if problem.table else _reach(problem, reach)
    unit = 0.5 if cosine else problem.unit  # |x - y|^2 = 2 (1 - cosine)
    start = _given(init, n, count)
    indices, gains, labels, value, bound, stopped = _core.select._greedy_location(
        problem.points,
        problem.power,
        problem.table,
        problem.weights,
        ceiling,
        start,
        count,
        problem.threads,
        problem.progress,
    )
    if stopped:
        raise interrupted(None)
    whole = float(n if problem.weights is None else problem.weights.sum()) * ceiling
    if passes:
        below, stopped = problem.bounds(indices, whole - value, ceiling, passes)
        if len(below):
            bound = min(bound, whole - float(below[-1]) + 1e-12 * whole)
    slack = problem.rounding * whole  # of the value and of the best one
    bound += slack
    info = MedoidsInfo(
        converged=True,
        iterations=len(indices),
        solver="lazy greedy" + (f"; {passes} passes for the bound" if passes else ""),
        seconds=time.perf_counter() - started,
        tol=0.0,
        error_bound=min(1.0, max(0.0, 1 - (value - slack) / bound)) if bound > 0 else 0.0,
        error_kind="rigorous",
        interrupted=bool(stopped),
    )
    found = FacilityLocation(indices, gains * unit, labels, value * unit, bound * unit, problem.metric, info)
    return finish(found, "facility_location", n_threads=n_threads)


def _rest(problem: _Problem) -> tuple[Floats | None, int, Any]:
    return problem.weights, problem.threads, problem.progress


def _reach(problem: _Problem, reach: float | None) -> float:
    """In the unit of the points as computed with."""
    if reach is not None:
        return check_positive(reach, "reach") / problem.unit
    gap = problem.points - problem.points.mean(axis=0, dtype=np.float64)
    return 2.0 * float(np.sqrt(np.einsum("ij,ij->i", gap, gap).max()))
