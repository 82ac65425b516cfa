"""Quadratic programs over a box or a simplex: the solver behind nonnegative weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._errors import finish
from .._info import Info
from .._results import Result
from .._validate import (
    Progress,
    check_choice,
    check_number,
    check_positive,
    check_progress,
    check_steps,
    check_threads,
    check_vector,
    is_one,
    real_array,
)
from ._kernel_qp import KERNELS, minimise_kernel_qp

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]
_FARTHEST = 1e15  # coordinates whose distances single precision can hold squared
Rows = Callable[[npt.NDArray[np.int64]], Any]


@dataclass(frozen=True, kw_only=True)
class SimplexQPInfo(Info):
    """`Info` of a quadratic program; ``error_bound`` is gap / (x'Kx / 2 + abs(q'x)), what `tol` is held to.

    Attributes
    ----------
    convex : bool
        False once the solver met negative curvature: `x` is then a point that satisfies the first-order
        conditions, and the gap bounds nothing. True says only that none was met.
    """

    convex: bool = True


@dataclass(frozen=True, repr=False, eq=False)
class SimplexQPResult(Result):
    """Solution of ``min x'Kx / 2 - q'x``.

    Attributes
    ----------
    x : ndarray of float64, shape (n,)
        Feasible: within the bounds exactly, its sum within rounding of `total`.
    objective : float
        x'Kx / 2 - q'x.
    gap : float
        Duality gap: g'x - min(g's over feasible s), g = Kx - q, with what rounding can hide of it. If K is
        positive semidefinite, the objective at `x` is at most that far above the minimum.
    support : ndarray of intp, shape (k,)
        Where `x` lies above its lower bound.
    info : SimplexQPInfo
        How it was found.
    """

    x: Floats
    objective: float
    gap: float
    support: npt.NDArray[np.intp]
    info: SimplexQPInfo

    def __repr__(self) -> str:
        state = "converged" if self.info.converged else "NOT converged"
        return (
            f"SimplexQPResult: {len(self.support)} of {len(self.x)} coordinates above their lower bound, "
            f"objective {self.objective:.6g}\n{state}: gap {self.gap:.2g} ({self.info.solver})"
        )

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns ``row`` and ``x`` of all coordinates, largest first, for any data frame."""
        order = np.argsort(-self.x, kind="stable")
        return {"row": order, "x": self.x[order]}


def check_matrix(K: Any, name: str) -> Floats:
    """A finite symmetric matrix in float64."""
    array = real_array(K, name)
    if array.ndim != 2 or array.shape[0] != array.shape[1]:
        raise ValueError(f"{name} must be a square matrix, got shape {array.shape}")
    if not len(array):
        raise ValueError(f"{name} must have at least one row")
    result = np.ascontiguousarray(array, dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(result).all(axis=1))
    if len(bad):
        raise ValueError(f"{name} has {len(bad)} rows with NaN or infinite entries (first: row {bad[0]})")
    difference = np.abs(result - result.T)
    worst = int(difference.argmax())
    if difference.flat[worst] > 1e-12 * np.abs(result).max():
        i, j = divmod(worst, len(result))
        raise ValueError(
            f"{name} must be symmetric, got {result[i, j]} at ({i}, {j}) and {result[j, i]} at ({j}, {i}); "
            f"({name} + {name}.T) / 2 has the same quadratic form"
        )
    return result


def _checked_rows(K: Rows, ridge: float) -> Rows:
    def rows(indices: npt.NDArray[np.int64]) -> Floats:
        found = real_array(K(indices), "K(indices)").astype(np.float64, copy=ridge != 0.0)
        if ridge and found.ndim == 2 and len(found) == len(indices):
            found[np.arange(len(indices)), indices] += ridge
        return found

    return rows


def _bound(value: Any, name: str, n: int, *, infinite: bool = False) -> Floats:
    array = real_array(value, name)
    if array.ndim > 1 or (array.ndim == 1 and len(array) != n):
        raise ValueError(f"{name} must be a number or have shape ({n},), got shape {array.shape}")
    result: Floats = np.broadcast_to(array.astype(np.float64), (n,)).copy()
    refused = np.isnan(result) | (np.isneginf(result) if infinite else np.isinf(result))
    if refused.any():
        kind = "NaN or -inf" if infinite else "NaN or infinite"
        raise ValueError(f"{name} has entries that are {kind} (first: {np.flatnonzero(refused)[0]})")
    return result


def _check_feasible(lower: Floats, upper: Floats, totals: Floats | None, codes: Codes | None) -> None:
    crossed = np.flatnonzero(lower > upper)
    if len(crossed):
        i = crossed[0]
        raise ValueError(f"lower must be at most upper, got {lower[i]} > {upper[i]} at {i}")
    if totals is None:
        return
    where = np.zeros(len(lower), np.int32) if codes is None else codes
    for group, total in enumerate(totals.tolist()):
        rows = where == group
        with np.errstate(over="ignore"):  # what overflows here overflows in the objective: refused there
            least, most = float(lower[rows].sum()), float(upper[rows].sum())
            slack = 1e-12 * (abs(total) + float(np.abs(lower[rows]).sum()))
        of = "" if codes is None else f" of group {group}"
        if total < least - slack:
            raise ValueError(f"total{of} must be at least the sum of lower, {least}, got {total}")
        if total > most + slack:
            raise ValueError(f"total{of} must be at most the sum of upper, {most}, got {total}")


def check_groups(groups: Any, n: int) -> tuple[Codes | None, int]:
    """Codes of the groups in the order of their sorted labels, and how many; None for one."""
    if groups is None:
        return None, 1
    labels = np.asarray(groups)
    if labels.shape != (n,):
        raise ValueError(f"groups must have shape ({n},), one entry a row, got shape {labels.shape}")
    if labels.dtype.kind not in "biuUSO" and not np.isfinite(labels).all():
        raise ValueError("groups must not hold NaN or infinite entries")
    try:
        found, codes = np.unique(labels, return_inverse=True)
    except TypeError:
        raise TypeError("groups must hold labels of one kind that can be sorted") from None
    return codes.reshape(n).astype(np.int32), len(found)


def _totals(total: Any, groups: int, grouped: bool) -> Floats | None:
    if total is None:
        if grouped:
            raise ValueError("total must be given with groups: a number for each group")
        return None
    if grouped and not is_one(total, "total"):
        return check_vector(total, "total", length=groups)
    return np.full(groups, check_number(total, "total"))


def _check_ridge(ridge: Any) -> float:
    value = check_number(ridge, "ridge")
    if value < 0:
        raise ValueError(f"ridge must be at least 0, got {value}")
    return value


def solve(
    K: Floats | Rows,
    q: Floats,
    lower: Floats,
    upper: Floats,
    total: float | Floats | None,
    *,
    groups: Codes | None = None,
    init: Floats | None = None,
    tol: float,
    max_iter: int,
    n_threads: int,
    progress: Progress | None,
    ways: str = "raise max_iter or tol",
    near: bool = False,
) -> SimplexQPResult:
    """Checked arguments to a result; neither warns nor raises KeyboardInterrupt.

    `near`: `init` is almost the answer, so that the active set begins there.
    """
    found = _core.linalg._simplex_qp(
        K,
        q,
        lower,
        upper,
        total,
        tol,
        max_iter=max_iter,
        groups=groups,
        init=init,
        rough=np.inf if near else 1e-4,
        n_threads=n_threads,
        progress=progress,
    )
    if found["unbounded"]:
        raise ValueError("upper must be finite or total given: the objective falls without end")
    x = found["x"]
    x.flags.writeable = False
    info = SimplexQPInfo.from_core(found["info"], convex=found["convex"], message=_message(found, ways))
    return SimplexQPResult(x, found["objective"], found["gap"], np.flatnonzero(x > lower), info)


def _message(found: dict[str, Any], ways: str) -> str:
    parts = []
    if not found["convex"]:
        parts.append("K has negative curvature: x satisfies the first-order conditions only")
    if not np.isfinite(found["objective"]):
        parts.append("the objective is beyond float64: give K, q and total in other units")
    elif not found["info"]["converged"]:
        info = found["info"]
        parts.append(
            f"stopped after {info['iterations']} iterations with relative gap {info['error_bound']:.2g} > "
            f"tol={info['tol']:.2g}; {ways}"
        )
    return "; ".join(parts)


def solve_simplex_qp(
    K: npt.ArrayLike | Rows,
    q: npt.ArrayLike,
    *,
    lower: npt.ArrayLike = 0,
    upper: npt.ArrayLike | None = None,
    total: npt.ArrayLike | None = 1,
    groups: npt.ArrayLike | None = None,
    ridge: float = 0.0,
    init: npt.ArrayLike | None = None,
    kernel: str | None = None,
    scale: float = 1.0,
    tol: float = 1e-10,
    max_iter: int | None = None,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> SimplexQPResult:
    """Minimise ``x'Kx / 2 - q'x`` over ``lower <= x <= upper``, ``sum(x) == total``.

    One solver for nonnegative weights: maximum diversity, kernel mean matching and covariate balancing (K a
    kernel, q its mean against the target sample), ensemble weights (K = E'E of out-of-fold errors), support
    vectors.

    Parameters
    ----------
    K : array_like, shape (n, n), or callable
        Symmetric. A callable gets an int64 array of k row numbers and returns those rows, shape (k, n); it is
        called on the calling thread, and must give the same rows when asked again. K need be positive
        semidefinite only on the feasible directions: with a `total`, on vectors of sum zero, so that
        -distance matrices (energy balancing) are welcome. With a `kernel`: the points, shape (n, d), and no
        matrix of them is held.
    q : array_like, shape (n,)
        Linear term.
    lower : float or array_like, shape (n,), default 0
        Lower bounds, finite.
    upper : float or array_like, shape (n,), or None, default None
        Upper bounds; None and +inf mean that there is none.
    total : float, array_like or None, default 1
        What `x` sums to, or each of the `groups` (an array: one by one, in the order of their sorted labels);
        None drops that constraint.
    groups : array_like, shape (n,), or None, default None
        Labels: each group has its own sum.
    ridge : float, default 0
        Adds ``ridge * x'x / 2``.
    init : array_like, shape (n,), or None, default None
        Where to begin, brought into the bounds and to the total; None is an even share.
    kernel : {'energy', 'laplacian', 'gaussian', 'matern32', 'matern52', 'linear'} or None, default None
        With r = ``norm(x - y)`` and s = r / scale: -r, exp(-s), exp(-s^2 / 2), (1 + a) exp(-a) with
        a = sqrt(3) s, (1 + a + a^2 / 3) exp(-a) with a = sqrt(5) s, and x'y. `lower` must then be 0 and
        `total` given.
    scale : float, default 1
        Of distances, with a `kernel`.
    tol : float, default 1e-10
        Of the relative gap, gap / (x'Kx / 2 + abs(q'x)). A gap at the level of rounding counts as reached.
    max_iter : int or None, default None
        Steps of SMO plus changes of the active set. None: 1000 + 200 n.
    n_threads : int or None, default None
        Threads; None means the default of `steelyard.build_info`.
    progress : callable or None, default None
        Called as ``progress(done, total)`` with steps of the current stage.

    Returns
    -------
    SimplexQPResult

    Raises
    ------
    TypeError
        If an argument is of the wrong kind.
    ValueError
        If K isn't square, symmetric and finite, the bounds leave no feasible point, or the objective falls
        without end (total=None with an infinite upper bound).
    KeyboardInterrupt
        On Ctrl-C, with the best result so far as ``.partial``.

    Warns
    -----
    ConvergenceWarning
        If the relative gap misses `tol`.

    Notes
    -----
    SMO with the second-order choice of the pair [1]_ (coordinate descent if total=None) makes about four
    digits; an active-set method whose Cholesky factor follows the free coordinates makes the rest. The result
    carries its certificate, the Frank-Wolfe gap [2]_. With total=None, coordinates with an infinite upper
    bound enter the gap with a cap instead, and ``info.error_kind`` is ``'estimate'``. If K has negative
    curvature the objective falls to a point of zero gap, ``info.convex`` is False and nothing global is
    claimed.

    Time: one pass over K, O(n) and two rows a step of SMO, |F|^3 / 3 flops for the |F| free coordinates, then
    O(|F|^2) for each change. Beyond 8000 free coordinates, conjugate gradients replace the factor: accurate
    where K is well conditioned, and the warning tells where it isn't. Memory: 256 MB of cached rows of a
    callable, 8 |F|^2 bytes, O(n); an array that isn't C-contiguous float64 is copied. The result is the same
    for any n_threads (above 512 free coordinates: for a given thread count of SciPy's BLAS).

    With a `kernel` the same solver takes up to 1200 points, and more where few coordinates are free.
    Beyond, sweeps: kd blocks of at most 400 points, split anew at random each time, are solved exactly,
    then a program of some 500 variables shares mass among the blocks and the last iterates [3]_. The gap
    falls by two to three a sweep for energy and Laplacian kernels, more slowly for smooth ones (Gaussian,
    Matern 5/2), where the active set finishes if at most 3000 weights matter; a sweep makes each entry of
    the matrix once, in single precision, and the gap comes from all of them in double. Rows that are copies
    of one another, their `q`, `upper` and group too, share a weight evenly. `max_iter` is then a number of
    sweeps, 100 if None. Memory: about 2.5 kB a point.

    References
    ----------
    .. [1] Fan, Chen, Lin, "Working set selection using second order information for training support vector
       machines", JMLR 6 (2005).
    .. [2] Jaggi, "Revisiting Frank-Wolfe: projection-free sparse convex optimization", ICML 2013.
    .. [3] Badea, "Convergence rate of a Schwarz multilevel method for the constrained minimization of
       nonquadratic functionals", SIAM J. Numer. Anal. 44 (2006).

    Examples
    --------
    The mixture of two errors with the least mean square, their covariance known:

    >>> from steelyard.weigh import solve_simplex_qp
    >>> solve_simplex_qp([[1.0, 0.0], [0.0, 3.0]], [0.0, 0.0]).x
    array([0.75, 0.25])
    """
    vector = check_vector(q, "q")
    n = len(vector)
    codes, many = check_groups(groups, n)
    added = _check_ridge(ridge)
    matrix = _read_matrix(K, n, added) if kernel is None else _read_points(K, n, kernel, lower, total)
    low = _bound(lower, "lower", n)
    high = np.full(n, np.inf) if upper is None else _bound(upper, "upper", n, infinite=True)
    sums = _totals(total, many, codes is not None)
    _check_feasible(low, high, sums, codes)
    how: dict[str, Any] = {
        "groups": codes,
        "init": None if init is None else check_vector(init, "init", length=n),
        "tol": check_positive(tol, "tol"),
        "max_iter": 0 if max_iter is None else check_steps(max_iter, "max_iter"),
        "n_threads": check_threads(n_threads),
        "progress": check_progress(progress),
    }
    width = check_positive(scale, "scale")
    if kernel is None:
        result = solve(matrix, vector, low, high, sums, **how)
    else:
        result = _with_kernel(matrix, kernel, width, vector, totals=sums, upper=high, ridge=added, **how)
    return finish(result, "solve_simplex_qp", n_threads=n_threads)


def _read_matrix(K: Any, n: int, ridge: float) -> Floats | Rows:
    if callable(K):
        if not n:
            raise ValueError("q must have at least one entry")
        return _checked_rows(K, ridge)
    matrix = check_matrix(K, "K")
    if n != len(matrix):
        raise ValueError(f"q must have length {len(matrix)}, one entry a row of K, got {n}")
    return matrix + ridge * np.eye(n) if ridge else matrix


def _read_points(X: Any, n: int, kernel: Any, lower: Any, total: Any) -> Floats:
    """Finite points in float64 whose squared distances are finite."""
    check_choice(kernel, "kernel", KERNELS)
    if total is None:
        raise ValueError("total must be given with a kernel")
    if np.any(_bound(lower, "lower", n) != 0):
        raise ValueError("lower must be 0 with a kernel")
    array = real_array(X, "K")
    if array.ndim != 2 or not array.shape[0] or not array.shape[1]:
        raise ValueError(
            f"K must hold points with a kernel, shape (n, d), not empty, got shape {array.shape}"
        )
    points = np.ascontiguousarray(array, dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if len(bad):
        raise ValueError(f"K has {len(bad)} rows with NaN or infinite entries (first: row {bad[0]})")
    if np.abs(points).max() > _FARTHEST:
        raise ValueError(f"K must hold points within {_FARTHEST:g} of zero, got {np.abs(points).max():.3g}")
    if len(points) != n:
        raise ValueError(f"q must have length {len(points)}, one entry a row of K, got {n}")
    return points


def _with_kernel(
    points: Any, kernel: str, scale: float, q: Floats, *, tol: float, **how: Any
) -> SimplexQPResult:
    found = minimise_kernel_qp(points, kernel, scale, -q, tol=tol, gap_tol=0.0, **how)
    account = {f.name: getattr(found.info, f.name) for f in fields(found.info)}
    account["tol"] = tol
    if found.terms > 0 and np.isfinite(found.terms):
        account["error_bound"] = found.gap / found.terms
    info = SimplexQPInfo(**account, convex=True)
    return SimplexQPResult(found.weights, found.objective, found.gap, np.flatnonzero(found.weights), info)
