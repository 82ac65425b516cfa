"""The nearest metric to a dissimilarity."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from .. import _core
from .._errors import finish
from .._spelling import argument
from .._validate import check_choice, check_flag, check_positive, check_progress, check_steps, check_threads
from ._active_set import LARGEST, duals_of_all_triangles
from ._directed import nearest_directed
from ._l1 import nearest_l1
from ._linf import linf_info, nearest_linf
from ._measured import read_measured, read_measured_weights
from ._missing import nearest_where_measured, refuse_negative
from ._options import Options
from ._pairs import Array, Pairs, read_pairs, read_weights
from ._project_and_forget import SPENT
from ._result import MetricInfo, NearestMetric, exact_info, make_result, objective_of, warn_of_unjoined

_ROUNDS_AFTER = 20  # of projections, after an active set


def nearest_metric(
    D: Any,
    *,
    norm: str = "l2",
    symmetric: bool = True,
    decrease_only: bool = False,
    weights: Any = None,
    tol: float = 1e-6,
    missing: str = "error",
    max_iter: int = 1000,
    init: NearestMetric | None = None,
    n_threads: int | None = None,
    progress: Any = None,
) -> NearestMetric:
    """The pseudometric nearest to a dissimilarity, with a proven gap.

    Parameters
    ----------
    D : array_like, shape (n, n) or (n (n - 1) / 2,), or scipy.sparse
        Symmetric with a zero diagonal, or condensed as by `scipy.spatial.distance.pdist`. Negative entries
        are accepted. Of a sparse matrix only the listed pairs are measured, explicit zeros included; one
        triangle is enough. Never altered.
    norm : {'l2', 'l1', 'linf'}, default 'l2'
        Minimise 1/2 sum w (x - D)^2, sum w |x - D|, or the largest |x - D|.
    symmetric : bool, default True
        False, for norm 'l2': D is square, D_ij and D_ji are two numbers, as travel times are, and the answer
        satisfies x_ij <= x_ik + x_kj and x >= 0, which needs no constraint of its own where D >= 0.
    decrease_only : bool, default False
        Only lower entries: the answer is the shortest-path closure, which is nearest in every norm at once.
        Needs D >= 0.
    weights : array_like, shape of D, optional
        Positive, for norms 'l2' and 'l1'; default all 1. Large ratios slow the solver down.
    tol : float, default 1e-6
        Stop when the relative duality gap and the largest violation (in units of the root mean square of D)
        are both at most this; for 'l1' and 'linf' the relative gap alone. Of up to twelve items what 'l2'
        leaves open is tried by an active set.
    missing : {'error', 'free'}, default 'error'
        What NaN in D means: refused, or an unknown pair, which costs nothing. The answer then is the nearest
        of the metrics on the measured pairs (no pair longer than a path of others), and the unknown
        distances are shortest paths. A sparse D is always read so.
    max_iter : int, default 1000
        Rounds of search, projection and forgetting; for 'l1' proximal steps of four such rounds, or programs.
    init : NearestMetric, optional
        For norm 'l2': an earlier result for the same measured pairs, whose duals are the start: for D that
        has changed a little.
    n_threads : int, optional
        Default: see `steelyard.build_info`. The answer does not depend on it, bit for bit.
    progress : callable, optional
        Called as progress(round, 0.0): the number of rounds is not known.

    Returns
    -------
    NearestMetric
        ``info.trace`` has one row a round: ``gap`` (as last computed), ``violation``, ``active`` and
        ``seconds``.

    Raises
    ------
    ValueError
        If D is asymmetric, has a nonzero diagonal, infinite entries, or NaN without missing='free'; if
        weights are not positive or are given for 'linf'; if D has negative entries and decrease_only is set.

    Warns
    -----
    ConvergenceWarning
        If max_iter rounds do not reach tol. The distances are a metric all the same, and the gap says how
        near.
    DisconnectedWarning
        If measured pairs do not join all items: the distances between the parts are inf.

    Notes
    -----
    Project and Forget [1]_ with the most violated triangle of each pair as oracle: rounds of O(n^3 / 2)
    float32 additions, and Hildreth's projections onto the constraints held, with momentum in late rounds.
    Memory about 40 to 70 bytes a pair and up to 22 a constraint held (one to four a pair). The lower bound is
    computed from the stored duals in float64, the upper one from the closure of the iterate. Data that are
    nearly a metric are the slow case.

    norm 'linf' is exact to rounding: the path that asks for the largest change gives the next one (Newton's
    method), in a few closures of O(n^3 / 2) float64 additions.

    norm 'l1' ends at once where D is a metric to rounding, and is a linear program over broken cycles for up
    to 80 pairs (HiGHS [3]_, its multipliers not trusted but bounded anew). Else it takes
    proximal steps, each solved in the same way; 20 bytes a pair more, and O(n^3) float64 operations a round.
    Where these do not end on up to 800 pairs, the program is tried.

    With symmetric=False the constraints are held by `project_and_forget`: O(n^3) float64 additions a round,
    about 100 bytes a constraint held (up to four a pair and round), and projections on one thread.

    With unknown pairs and norm 'l2' the constraints are cycles, found by Dijkstra's algorithm from every
    item: O(n m log n) a round for m measured pairs, O(m + n^2) memory.

    References
    ----------
    .. [1] R. Sonthalia and A. C. Gilbert, "Project and Forget: Solving Large-Scale Metric Constrained
       Problems", JMLR 23 (2022).
    .. [2] J. Brickell, I. S. Dhillon, S. Sra and J. A. Tropp, "The Metric Nearness Problem", SIAM J. Matrix
       Anal. Appl. 30 (2008).
    .. [3] Q. Huangfu and J. A. J. Hall, "Parallelizing the dual revised simplex method", Math. Prog. Comp. 10
       (2018).

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
    norm = check_choice(norm, "norm", ("l2", "l1", "linf"))
    missing = check_choice(missing, "missing", ("error", "free"))
    options = Options(
        norm,
        check_flag(decrease_only, "decrease_only"),
        check_positive(tol, "tol"),
        check_steps(max_iter, "max_iter"),
        check_threads(n_threads),
        check_progress(progress),
    )
    if weights is not None and norm == "linf":
        raise ValueError("weights go with norm='l2' or norm='l1', got norm='linf'")
    if init is not None and (norm != "l2" or options.decrease_only):
        raise ValueError("init goes with norm='l2' without decrease_only")
    if not check_flag(symmetric, "symmetric"):
        if missing == "free":
            raise ValueError("missing='free' goes with symmetric=True")
        _check_type(init)
        found = nearest_directed(D, weights, options, init)
        return finish(found, "nearest_metric", n_threads=n_threads)
    if missing == "free" or sparse.issparse(D):
        measured = read_measured(D, argument("D"))
        weight = read_measured_weights(weights, measured)
        if not measured.complete:
            _check_init(init, measured.n)
            found = nearest_where_measured(measured, weight, options, init)
            return warn_of_unjoined(finish(found, "nearest_metric", n_threads=n_threads))
        pairs = Pairs(measured.values, measured.n, measured.square)
    else:
        pairs = read_pairs(D, argument("D"), hint="; missing='free' takes NaN as an unknown pair")
        weight = read_weights(weights, pairs)
    _check_init(init, pairs.n)
    return finish(_nearest(pairs, weight, options, init), "nearest_metric", n_threads=n_threads)


def _check_type(init: Any) -> None:
    if init is not None and not isinstance(init, NearestMetric):
        raise TypeError(f"init must be a NearestMetric or None, got {type(init).__name__}")


def _check_init(init: Any, n: int) -> None:
    _check_type(init)
    if init is None:
        return
    if init._n != n:
        raise ValueError(f"init must be of {n} items, got {init._n}")
    if not init.symmetric:
        raise ValueError("init must be a result of symmetric=True")


def _nearest(
    pairs: Pairs, weight: Array | None, options: Options, init: NearestMetric | None
) -> NearestMetric:
    if options.decrease_only:
        return _decreased(pairs, weight, options)
    if pairs.n < 3:
        return _exactly(pairs, np.maximum(pairs.values, 0.0), weight, options, "no triangles")
    if options.norm == "linf":
        return _least_change(pairs, options)
    if options.norm == "l1":
        x, objective, info = nearest_l1(pairs.values, weight, pairs.n, options)
        return make_result(pairs, x, objective, "l1", info)
    return _least_squares(pairs, weight, options, init)


def _least_squares(
    pairs: Pairs, weight: Array | None, options: Options, init: NearestMetric | None
) -> NearestMetric:
    problem = _core.metric._Nearness(pairs.n, pairs.values, weight)
    if init is not None and len(init.duals):
        problem.load(pairs.n, init.triangles, init.duals, n_threads=options.threads)
    found = problem.solve(
        options.tol, max_rounds=options.max_iter, n_threads=options.threads, progress=options.progress
    )
    most, first = options.max_iter, problem
    if not (found["converged"] or found["interrupted"]) and pairs.n <= LARGEST:
        problem, found = _by_active_set(pairs, weight, options, problem, found)
        most = most if problem is first else _ROUNDS_AFTER
    x = problem.feasible()
    if len(x) == 0:  # interrupted before the first certificate
        x = _core.metric._metric_closure(pairs.n, problem.solution(), options.threads)
    triangles, duals = problem.duals()
    known = np.isfinite(found["error_bound"])
    info = MetricInfo.from_core(
        found,
        error_bound=found["error_bound"] if known else None,
        lower_bound=problem.dual if known else 0.0,
        violation=problem.violation,
        active=problem.active,
        message="" if found["converged"] else _shortfall(found, problem.violation, most),
    )
    objective = objective_of(x, pairs.values, "l2", weight)
    return make_result(pairs, x, objective, "l2", info, triangles, duals)


def _by_active_set(
    pairs: Pairs, weight: Array | None, options: Options, problem: Any, found: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """What projections left open, from the duals of an active set; the better of the two."""
    held = duals_of_all_triangles(pairs.values, weight, pairs.n)
    if held is None:
        return problem, found
    other = _core.metric._Nearness(pairs.n, pairs.values, weight)
    other.load(pairs.n, *held, n_threads=options.threads)
    again = other.solve(options.tol, max_rounds=_ROUNDS_AFTER, n_threads=options.threads)
    if again["error_bound"] > found["error_bound"]:
        return problem, found
    return other, {**again, "solver": "project and forget, active set"}


def _shortfall(found: dict[str, Any], violation: float, most: int) -> str:
    spent = found["iterations"] < most and not found["interrupted"]
    return (
        f"relative gap {found['error_bound']:.1e} and violation {violation:.1e} after {found['iterations']} "
        f"rounds; {SPENT if spent else 'raise max_iter or tol'}"
    )


def _least_change(pairs: Pairs, options: Options) -> NearestMetric:
    x, low, steps, seconds, stopped = nearest_linf(pairs.values, pairs.n, options.tol, options.threads)
    objective = objective_of(x, pairs.values, "linf", None)
    info = linf_info(pairs.values, pairs.n, objective, low, steps, seconds, stopped, options.tol)
    return make_result(pairs, x, objective, "linf", info)


def _decreased(pairs: Pairs, weight: Array | None, options: Options) -> NearestMetric:
    refuse_negative(pairs.values)
    x = _core.metric._metric_closure(pairs.n, pairs.values, options.threads)
    return _exactly(pairs, x, weight, options, "shortest-path closure")


def _exactly(pairs: Pairs, x: Array, weight: Array | None, options: Options, solver: str) -> NearestMetric:
    objective = objective_of(x, pairs.values, options.norm, weight)
    return make_result(pairs, x, objective, options.norm, exact_info(solver, options.tol, objective, 1, 0.0))
