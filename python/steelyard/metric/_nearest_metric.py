"""The nearest metric to a dissimilarity."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._errors import ConvergenceWarning, interrupted
from .._info import Info
from .._validate import check_choice, check_count, check_flag, check_positive, check_progress, check_threads
from ._linf import nearest_linf
from ._pairs import Array, Pairs, read_pairs, read_weights


@dataclass(frozen=True, kw_only=True)
class MetricInfo(Info):
    """Info of a nearest metric. `error_bound` is (objective - lower_bound) / max(objective, 1e-12 ||D||^2),
    proven up to rounding; `converged` says that it and `violation` are at most `tol`.

    Attributes
    ----------
    lower_bound : float
        No metric has an objective below this.
    violation : float
        Largest violation of a triangle inequality by the iterate that the bound comes from, in units of the
        root mean square of D. The distances returned are its closure and violate none but by rounding.
    active : int
        Triangle inequalities held with a positive dual.
    """

    lower_bound: float
    violation: float = 0.0
    active: int = 0


@dataclass(frozen=True, repr=False, eq=False)
class NearestMetric:
    """The nearest pseudometric and how near it is proven to be.

    Attributes
    ----------
    distances : ndarray, shape of the input
        Satisfies all triangle inequalities up to rounding; zeros between different items are allowed.
        Read-only.
    objective : float
        norm 'l2': 1/2 sum over pairs of weight * (distance - D)^2; 'linf': the largest |distance - D|.
    norm : str
    info : MetricInfo
    triangles : ndarray, shape (m, 3)
        norm 'l2': i < j and k of the inequalities d_ij <= d_ik + d_jk that hold the solution.
    duals : ndarray, shape (m,)
        Their multipliers, > 0.
    """

    distances: Array
    objective: float
    norm: str
    info: MetricInfo
    triangles: npt.NDArray[np.int32]
    duals: Array
    _n: int

    def __repr__(self) -> str:
        state = "converged" if self.info.converged else "NOT converged"
        bound = self.info.error_bound
        gap = "" if bound is None else f": relative gap {bound:.1e} ({self.info.error_kind})"
        lines = [
            f"NearestMetric: {self._n:,} items, norm {self.norm}, objective {self.objective:.6g}",
            f"{state}{gap}, {self.info.iterations} rounds ({self.info.solver})",
        ]
        if self.info.message:
            lines.append(f"note: {self.info.message}")
        return "\n".join(lines)


def nearest_metric(
    D: Any,
    *,
    norm: str = "l2",
    decrease_only: bool = False,
    weights: Any = None,
    tol: float = 1e-6,
    max_iter: int = 1000,
    warm_start: NearestMetric | None = None,
    n_threads: int | None = None,
    progress: Any = None,
) -> NearestMetric:
    """The pseudometric nearest to a dissimilarity, with a proven gap.

    Parameters
    ----------
    D : array_like, shape (n, n) or (n (n - 1) / 2,)
        Symmetric with a zero diagonal, or condensed as by `scipy.spatial.distance.pdist`. Negative entries
        are accepted. Never altered.
    norm : {'l2', 'linf'}, default 'l2'
        Minimise 1/2 sum w (x - D)^2, or the largest |x - D|.
    decrease_only : bool, default False
        Only lower entries: the answer is the shortest-path closure, which is nearest in every norm at once.
        Needs D >= 0.
    weights : array_like, shape of D, optional
        Positive, for norm 'l2'; default all 1. Large ratios slow the solver down.
    tol : float, default 1e-6
        Stop when the relative duality gap and the largest violation (in units of the root mean square of D)
        are both at most this; for 'linf' the relative gap alone.
    max_iter : int, default 1000
        Rounds of search, projection and forgetting.
    warm_start : NearestMetric, optional
        An earlier result for as many items, whose duals are the start: for D that has changed a little.
    n_threads : int, optional
        Default: see `steelyard.build_info`. The answer does not depend on it, bit for bit.
    progress : callable, optional
        Called as progress(round, 0.0): the number of rounds is not known.

    Returns
    -------
    NearestMetric
        ``info.trace`` has one row a round: ``gap`` (NaN where it was not computed), ``violation``, ``active``
        and ``seconds``.

    Raises
    ------
    ValueError
        If D is asymmetric, has a nonzero diagonal, NaN or infinite entries; if weights are not positive or
        are given for another norm; if D has negative entries and decrease_only is set.

    Warns
    -----
    ConvergenceWarning
        If max_iter rounds do not reach tol. The distances are a metric all the same, and the gap says how
        near.

    Notes
    -----
    Project and Forget [1]_ with the most violated triangle of each pair as oracle: rounds of O(n^3 / 2)
    float32 additions, and Hildreth's projections onto the constraints held. Memory about 30 to 60 bytes a
    pair and 14 a constraint held (one to four a pair). The lower bound is computed from the stored duals in
    float64, the upper one from the closure of the iterate. Data that are nearly a metric are the slow case.

    References
    ----------
    .. [1] R. Sonthalia and A. C. Gilbert, "Project and Forget: Solving Large-Scale Metric Constrained
       Problems", JMLR 23 (2022).
    .. [2] J. Brickell, I. S. Dhillon, S. Sra and J. A. Tropp, "The Metric Nearness Problem", SIAM J. Matrix
       Anal. Appl. 30 (2008).

    Examples
    --------
    >>> near = nearest_metric([[0.0, 1.0, 5.0], [1.0, 0.0, 1.0], [5.0, 1.0, 0.0]])
    >>> near.distances.round(6)
    array([[0., 2., 4.],
           [2., 0., 2.],
           [4., 2., 0.]])
    >>> round(near.objective, 6)
    1.5
    """
    pairs = read_pairs(D, "D")
    norm = check_choice(norm, "norm", ("l2", "linf"))
    decrease_only = check_flag(decrease_only, "decrease_only")
    weight = read_weights(weights, pairs)
    if weight is not None and norm != "l2":
        raise ValueError(f"weights go with norm='l2', got norm={norm!r}")
    tol = check_positive(tol, "tol")
    max_iter = check_count(max_iter, "max_iter")
    threads = check_threads(n_threads)
    callback = check_progress(progress)
    _check_warm_start(warm_start, pairs)
    if decrease_only:
        return _decreased(pairs, norm, weight, tol, threads)
    if pairs.n < 3:
        return _without_triangles(pairs, norm, weight, tol)
    if norm == "linf":
        return _least_change(pairs, tol, threads)
    return _least_squares(pairs, weight, tol, max_iter, warm_start, threads, callback)


def _check_warm_start(warm_start: Any, pairs: Pairs) -> None:
    if warm_start is None:
        return
    if not isinstance(warm_start, NearestMetric):
        raise TypeError(f"warm_start must be a NearestMetric or None, got {type(warm_start).__name__}")
    if warm_start._n != pairs.n:
        raise ValueError(f"warm_start must be of {pairs.n} items, got {warm_start._n}")


def _least_squares(
    pairs: Pairs,
    weight: Array | None,
    tol: float,
    max_iter: int,
    warm_start: NearestMetric | None,
    threads: int,
    callback: Any,
) -> NearestMetric:
    problem = _core._Nearness(pairs.n, pairs.values, weight)
    if warm_start is not None and len(warm_start.duals):
        problem.load(pairs.n, warm_start.triangles, warm_start.duals, n_threads=threads)
    found = problem.solve(tol, max_rounds=max_iter, n_threads=threads, progress=callback)
    x = problem.feasible()
    if len(x) == 0:  # interrupted before the first certificate
        x = _core._metric_closure(pairs.n, problem.solution(), threads)
    triangles, duals = problem.duals()
    known = np.isfinite(found["error_bound"])
    info = MetricInfo.from_core(
        found,
        error_bound=found["error_bound"] if known else None,
        lower_bound=problem.dual if known else 0.0,
        violation=problem.violation,
        active=problem.active,
        message="" if found["converged"] else _shortfall(found, problem.violation),
    )
    result = _result(pairs, x, _half_squares(x, pairs, weight), "l2", info, triangles, duals)
    if info.interrupted:
        raise interrupted(result)
    if not info.converged:
        warnings.warn(
            f"nearest_metric did not reach tol={tol:g}: {info.message}", ConvergenceWarning, stacklevel=3
        )
    return result


def _shortfall(found: dict[str, Any], violation: float) -> str:
    return (
        f"relative gap {found['error_bound']:.1e} and violation {violation:.1e} after {found['iterations']} "
        "rounds; raise max_iter or tol"
    )


def _least_change(pairs: Pairs, tol: float, threads: int) -> NearestMetric:
    x, low, steps, seconds = nearest_linf(pairs.values, pairs.n, tol, threads)
    objective = float(np.abs(x - pairs.values).max(initial=0.0))
    gap = (objective - low) / objective if objective > 0 else 0.0
    info = _exact_info("bisection on the largest change", tol, low, steps, seconds, gap)
    return _result(pairs, x, objective, "linf", info)


def _decreased(pairs: Pairs, norm: str, weight: Array | None, tol: float, threads: int) -> NearestMetric:
    negative = np.flatnonzero(pairs.values < 0)
    if len(negative):
        raise ValueError(
            f"D has {len(negative)} negative entries: decrease_only can't raise them to a metric"
        )
    x = _core._metric_closure(pairs.n, pairs.values, threads)
    objective = (
        _half_squares(x, pairs, weight) if norm == "l2" else float(np.abs(x - pairs.values).max(initial=0.0))
    )
    return _result(
        pairs, x, objective, norm, _exact_info("shortest-path closure", tol, objective, 1, 0.0, 0.0)
    )


def _without_triangles(pairs: Pairs, norm: str, weight: Array | None, tol: float) -> NearestMetric:
    x = np.maximum(pairs.values, 0.0)
    objective = (
        _half_squares(x, pairs, weight) if norm == "l2" else float(np.abs(x - pairs.values).max(initial=0.0))
    )
    return _result(pairs, x, objective, norm, _exact_info("no triangles", tol, objective, 0, 0.0, 0.0))


def _half_squares(x: Array, pairs: Pairs, weight: Array | None) -> float:
    squares = np.square(x - pairs.values)
    return 0.5 * float(squares.sum() if weight is None else (weight * squares).sum())


def _exact_info(solver: str, tol: float, low: float, steps: int, seconds: float, gap: float) -> MetricInfo:
    return MetricInfo(
        converged=gap <= tol,
        iterations=steps,
        solver=solver,
        seconds=seconds,
        tol=tol,
        error_bound=gap,
        error_kind="rigorous",
        lower_bound=low,
    )


def _result(
    pairs: Pairs,
    x: Array,
    objective: float,
    norm: str,
    info: MetricInfo,
    triangles: npt.NDArray[np.int32] | None = None,
    duals: Array | None = None,
) -> NearestMetric:
    triangles = np.zeros((0, 3), np.int32) if triangles is None else triangles
    duals = np.zeros(0) if duals is None else duals
    for array in (triangles, duals):
        array.flags.writeable = False
    return NearestMetric(pairs.like_input(x), objective, norm, info, triangles, duals, pairs.n)
