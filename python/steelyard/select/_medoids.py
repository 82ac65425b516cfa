"""Points of the data that stand for the rest, with a bound of how much better others can be."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._errors import finish, interrupted, warn
from .._results import Result
from .._validate import check_choice, check_count, check_rng, check_steps, check_vector
from ._seeding import cluster_sizes, seeds
from ._standing import Floats, Labels, MedoidsInfo, Standing, given_rows, read_standing


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


def _drawn(problem: Standing, chosen: Labels, k: int, rng: np.random.Generator) -> Labels:
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


def _start(problem: Standing, init: Any, k: int, rng: Any) -> Labels:
    if not isinstance(init, str):
        rows = given_rows(init, len(problem.points), k)
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
    problem = read_standing(X, metric, power, sample_weight, n_threads, progress)
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
