"""Nonnegative weights of points: a convex quadratic program whose matrix is a kernel of the points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._info import Info
from .._validate import Progress

Floats = npt.NDArray[np.float64]

KERNELS = ("energy", "laplacian", "gaussian", "matern32", "matern52", "linear")
_DENSE = 3000  # points whose matrix is held as a whole


@dataclass(frozen=True, eq=False)
class KernelQP:
    """Weights, and how far their objective can be from the least.

    Attributes
    ----------
    weights : ndarray of float64, shape (n,)
        Feasible: within the bounds exactly, the sum of a group within rounding of its total.
    objective : float
        w'Kw / 2 + linear'w + ridge w'w / 2.
    lower_bound : float
        ``objective - gap``: no feasible weights go below it.
    gap : float
        Frank-Wolfe gap from all rows in float64, with what rounding can hide of it.
    terms : float
        w'Kw / 2 + abs(linear'w), what a relative gap is a share of.
    info : Info
        ``error_bound`` is `gap` and ``tol`` what was asked of it: both in the unit of the objective.
    """

    weights: Floats
    objective: float
    lower_bound: float
    gap: float
    terms: float
    info: Info


def kernel_matrix(
    points_x: Floats, points_y: Floats, kernel: str, scale: float, *, n_threads: int = 1
) -> Floats:
    """K(x, y) of all pairs, in float64."""
    if kernel == "linear":
        return np.asarray(points_x @ points_y.T)
    return np.asarray(_core.linalg._kernel_matrix(points_x, points_y, kernel, scale, n_threads=n_threads))


def kernel_product(
    points_x: Floats,
    points_y: Floats,
    kernel: str,
    scale: float,
    vector: Floats,
    *,
    n_threads: int = 1,
    progress: Progress | None = None,
) -> Floats:
    """K(x, y) @ vector in float64, without the matrix. `vector` may have several columns."""
    if kernel == "linear":
        return np.asarray(points_x @ (points_y.T @ vector))
    columns = np.ascontiguousarray(vector, dtype=np.float64).reshape(len(points_y), -1)
    found = _core.linalg._kernel_product(
        points_x, points_y, kernel, scale, columns, n_threads=n_threads, progress=progress
    )
    return np.asarray(found).reshape(len(points_x), *vector.shape[1:])


def minimise_kernel_qp(
    points: Floats,
    kernel: str,
    scale: float,
    linear: Floats,
    *,
    groups: npt.NDArray[np.int64] | None = None,
    totals: Floats | None = None,
    upper: Floats | None = None,
    ridge: float = 0.0,
    init: Floats | None = None,
    tol: float,
    gap_tol: float | None = None,
    max_iter: int = 0,
    n_threads: int = 1,
    progress: Progress | None = None,
    max_seconds: float = np.inf,
    max_memory: float = 4e9,
) -> KernelQP:
    """Least ``w'Kw / 2 + linear'w + ridge w'w / 2`` over 0 <= w <= upper, the sum of each group its total.

    Arguments are checked by the caller. Neither warns nor raises KeyboardInterrupt: see ``info``, and end
    with ``finish``.

    Parameters
    ----------
    points : ndarray of float64, shape (n, d)
        Finite.
    kernel : str
        Of `KERNELS`: ``"energy"`` -r, ``"laplacian"`` exp(-r / scale), ``"gaussian"``
        exp(-(r / scale)^2 / 2), ``"matern32"`` and ``"matern52"`` with r sqrt(3) / scale and
        r sqrt(5) / scale, ``"linear"`` x'y.
    scale : float
        Of distances; energy and linear have none.
    linear : ndarray of float64, shape (n,)
        Linear term.
    groups : ndarray of int, shape (n,), or None
        Codes 0, 1, ...; None is one group.
    totals : ndarray of float64, one a group, or None
        None: 1 each.
    upper : ndarray of float64, shape (n,), or None
        May be infinite.
    ridge : float
        At least zero.
    init : ndarray of float64, shape (n,), or None
        Where to begin; brought into the bounds and to the totals.
    tol : float
        Of the gap, in the unit of the objective (a caller with an imbalance to compare with multiplies). A
        gap at the level of rounding counts as reached.
    gap_tol : float or None
        Given: it is what `tol` says above, and `tol` a share of `terms`; the larger one is enough.
    max_iter : int
        Sweeps; 0 means 100.
    n_threads : int
        Threads.
    progress : callable or None
        Called as ``progress(done, total)``.
    max_seconds, max_memory : float
        Of wall time, after which the best so far is returned; of bytes.

    Returns
    -------
    KernelQP
    """
    n = len(points)
    codes = np.zeros(n, np.int64) if groups is None else np.asarray(groups, dtype=np.int64)
    sums = np.ones(int(codes.max()) + 1) if totals is None else np.asarray(totals, dtype=np.float64)
    high = np.full(n, np.inf) if upper is None else np.asarray(upper, dtype=np.float64)
    first, place, count = _merged(points, codes, linear, high)
    start = None if init is None else np.bincount(place, weights=init)
    found = _core.linalg._kernel_qp(
        points if len(first) == n else np.ascontiguousarray(points[first]),
        kernel,
        float(scale),
        np.ascontiguousarray(linear[first], dtype=np.float64),
        high[first] * count,
        ridge / count if ridge else None,
        sums,
        codes[first].astype(np.int32) if len(sums) > 1 else None,
        start,
        tol if gap_tol is None else gap_tol,
        0.0 if gap_tol is None else tol,
        max_sweeps=max_iter or 100,
        max_seconds=0.0 if max_seconds == np.inf else float(max_seconds),
        memory=int(min(max_memory, 1e18)),
        dense=int(min(_DENSE, (max_memory / 20) ** 0.5)),
        n_threads=n_threads,
        progress=progress,
    )
    weights = np.minimum((found["w"] / count)[place], high)
    weights.flags.writeable = False
    info = Info.from_core(found["info"], message=_message(found["info"], len(first), n))
    least = found["objective"] - found["gap"]
    return KernelQP(weights, found["objective"], least, found["gap"], found["terms"], info)


def _merged(
    points: Floats, codes: npt.NDArray[np.int64], linear: Floats, upper: Floats
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Floats]:
    """Of rows that nothing tells apart: the first, whose place each has, and how many there are.

    Their weights are equal at an optimum (the objective is convex), so one stands for them.
    """
    n = len(points)
    table = np.column_stack([points, codes, linear, upper]) + 0.0  # -0 is 0
    order = np.lexsort(table.T)
    fresh = np.ones(n, dtype=bool)
    fresh[1:] = (table[order[1:]] != table[order[:-1]]).any(axis=1)
    if fresh.all():
        return np.arange(n), np.arange(n), np.ones(n)
    run = np.cumsum(fresh) - 1
    smallest = np.minimum.reduceat(order, np.flatnonzero(fresh))
    rank = np.argsort(np.argsort(smallest))
    place = np.empty(n, dtype=np.intp)
    place[order] = rank[run]
    return np.sort(smallest), place, np.bincount(place).astype(np.float64)


def _message(info: Any, distinct: int, n: int) -> str:
    parts = []
    if distinct < n:
        parts.append(f"{n - distinct:,} of {n:,} rows are copies and share a weight")
    if not info["converged"] and not info["interrupted"]:
        parts.append(
            f"stopped after {info['iterations']} iterations with gap {info['error_bound']:.3g} > "
            f"{info['tol']:.3g}"
        )
    return "; ".join(parts)
