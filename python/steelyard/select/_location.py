"""Points chosen one after the other for what they gain, with a bound of what others can reach."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._errors import finish, interrupted, warn
from .._results import Result
from .._validate import check_count, check_positive, check_steps
from ._standing import Floats, Labels, MedoidsInfo, Standing, given_rows, read_standing


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
        On Ctrl-C; ``.partial`` holds the rows chosen so far, or None.

    Warns
    -----
    UserWarning
        If fewer than k rows gain anything, as where fewer points differ.

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
    problem = read_standing(X, metric, 2.0 if cosine else 1.0, sample_weight, n_threads, progress)
    n = len(problem.points)
    if count > n:
        raise ValueError(f"k must be at most the number of points, {n}, got {count}")
    if reach is not None and metric != "euclidean":
        raise ValueError("reach is for metric='euclidean'")
    if problem.table:  # costs are similarities lost
        problem = replace(problem, points=-problem.points)
    ceiling = 2.0 if cosine else 0.0 if problem.table else _reach(problem, reach)
    unit = 0.5 if cosine else problem.unit  # |x - y|^2 = 2 (1 - cosine)
    start = given_rows(init, n, count)
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
    if stopped and not len(indices):
        raise interrupted(None)
    whole = float(n if problem.weights is None else problem.weights.sum()) * ceiling
    if not problem.table:  # similarities are at most `ceiling`
        bound = min(bound, whole)
    if passes and not stopped:
        below, stopped = problem.bounds(indices, whole - value, ceiling, passes)
        if len(below):
            bound = min(bound, whole - float(below[-1]) + 1e-12 * whole)
    slack = problem.rounding * whole  # of the value and of the best one
    bound += slack
    info = _account(len(indices), count, passes, bool(stopped))
    info = replace(
        info,
        seconds=time.perf_counter() - started,
        error_bound=min(1.0, max(0.0, 1 - (value - slack) / bound)) if bound > 0 else 0.0,
    )
    found = FacilityLocation(indices, gains * unit, labels, value * unit, bound * unit, problem.metric, info)
    if not stopped:
        _warn_of_copies(gains, count, float(np.finfo(problem.points.dtype).eps))
    return finish(found, "facility_location", n_threads=n_threads)


def _account(chosen: int, count: int, passes: int, stopped: bool) -> MedoidsInfo:
    return MedoidsInfo(
        converged=chosen == count,
        iterations=chosen,
        solver="lazy greedy" + (f"; {passes} passes for the bound" if passes else ""),
        seconds=0.0,
        tol=0.0,
        error_bound=None,
        error_kind="rigorous",
        message="" if chosen == count else f"{chosen} of k={count} rows were chosen",
        interrupted=stopped,
    )


def _warn_of_copies(gains: Floats, count: int, eps: float) -> None:
    useful = int((gains > eps * gains.max(initial=0.0)).sum())
    if 0 < useful < len(gains):
        told = f"k={count}, but only {useful} rows gain anything: others are copies or have no weight"
        warn(told, UserWarning)


def _reach(problem: Standing, reach: float | None) -> float:
    """In the unit of the points as computed with."""
    if reach is not None:
        return check_positive(reach, "reach") / problem.unit
    gap = problem.points - problem.points.mean(axis=0, dtype=np.float64)
    return 2.0 * float(np.sqrt(np.einsum("ij,ij->i", gap, gap).max()))
