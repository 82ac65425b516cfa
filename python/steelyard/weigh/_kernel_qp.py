"""Nonnegative weights of points: a convex quadratic program whose matrix is a kernel of the points."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._info import Info
from .._validate import Progress
from ._simplex_qp import solve

Floats = npt.NDArray[np.float64]

KERNELS = ("energy", "laplacian", "gaussian", "matern32", "matern52", "linear")
_DENSE = 20_000  # rows of a matrix that is held as a whole
_ROWS = 2048  # of a product made in pieces


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
    info : Info
        ``error_bound`` is `gap` and ``tol`` what was asked of it: both in the unit of the objective.
    """

    weights: Floats
    objective: float
    lower_bound: float
    gap: float
    info: Info


def kernel_matrix(points_x: Floats, points_y: Floats, kernel: str, scale: float) -> Floats:
    """K(x, y) of all pairs, in float64."""
    if kernel == "linear":
        return np.asarray(points_x @ points_y.T)
    distance = _core.weigh._cross_distances(points_x, points_y, "euclidean")
    if kernel == "energy":
        return np.asarray(-distance)
    distance /= scale
    if kernel == "laplacian":
        return np.asarray(np.exp(-distance))
    if kernel == "gaussian":
        return np.asarray(np.exp(-0.5 * distance**2))
    if kernel == "matern32":
        distance *= np.sqrt(3.0)
        return np.asarray((1.0 + distance) * np.exp(-distance))
    distance *= np.sqrt(5.0)
    return np.asarray((1.0 + distance + distance**2 / 3.0) * np.exp(-distance))


def kernel_product(
    points_x: Floats, points_y: Floats, kernel: str, scale: float, vector: Floats, *, n_threads: int = 1
) -> Floats:
    """K(x, y) @ vector, in float64; no matrix is held. `vector` may have several columns."""
    shape = (len(points_x), *vector.shape[1:])
    out = np.empty(shape)
    for start in range(0, len(points_x), _ROWS):
        rows = slice(start, start + _ROWS)
        out[rows] = kernel_matrix(points_x[rows], points_y, kernel, scale) @ vector
    return out


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
        Of `KERNELS`: ``"energy"`` -r, ``"laplacian"`` exp(-r / scale), ``"gaussian"`` exp(-(r / scale)^2 / 2),
        ``"matern32"`` and ``"matern52"`` with r sqrt(3) / scale and r sqrt(5) / scale, ``"linear"`` x'y.
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
    max_iter : int
        Sweeps; 0 chooses.
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
    if n > _DENSE or 8.0 * n * n > max_memory:
        raise MemoryError(f"the kernel of {n:,} points does not fit into max_memory={max_memory:.3g}")
    K = kernel_matrix(points, points, kernel, scale)
    K = (K + K.T) / 2
    K[np.diag_indices(n)] += ridge
    members = [np.flatnonzero(codes == g) for g in range(len(sums))]
    w = np.zeros(n) if init is None else np.array(init, dtype=np.float64)
    if init is None:
        for g, rows in enumerate(members):
            w[rows] = sums[g] / max(len(rows), 1)
    begin, rounds, interrupted = time.perf_counter(), 0, False
    limit = max_iter or 500
    while True:
        for g, rows in enumerate(members):
            rest = K[rows] @ w - K[np.ix_(rows, rows)] @ w[rows] if len(members) > 1 else 0.0
            found = solve(
                np.ascontiguousarray(K[np.ix_(rows, rows)]),
                np.ascontiguousarray(-linear[rows] - rest),
                np.zeros(len(rows)),
                high[rows],
                float(sums[g]),
                tol=1e-13,
                max_iter=0,
                n_threads=n_threads,
                progress=progress,
            )
            w[rows] = found.x
            interrupted = interrupted or found.info.interrupted
        rounds += 1
        objective, gap, rounding = _measured(K, linear, w, members, sums, high)
        seconds = time.perf_counter() - begin
        done = gap <= max(tol, rounding) or len(members) == 1
        if done or interrupted or rounds >= limit or seconds > max_seconds:
            break
    w.flags.writeable = False
    converged = gap <= max(tol, rounding)
    info = Info(
        converged=converged,
        iterations=rounds,
        solver="dense",
        seconds=seconds,
        tol=tol,
        error_bound=gap + rounding,
        error_kind="rigorous",
        message="" if converged else f"stopped after {rounds} rounds with gap {gap:.3g} > {tol:.3g}",
        interrupted=interrupted,
    )
    return KernelQP(w, objective, objective - gap - rounding, gap + rounding, info)


def _measured(
    K: Floats, linear: Floats, w: Floats, members: list[Any], sums: Floats, high: Floats
) -> tuple[float, float, float]:
    """Objective, Frank-Wolfe gap and what rounding can hide of it."""
    slope = K @ w + linear
    vertex = np.zeros_like(w)
    for rows, total in zip(members, sums, strict=True):
        order = rows[np.argsort(slope[rows], kind="stable")]
        before = np.concatenate([[0.0], np.cumsum(high[order])[:-1]])
        vertex[order] = np.clip(total - before, 0.0, high[order])
    size = np.abs(K) @ np.abs(w) + np.abs(linear)
    rounding = float((len(w) + 8) * 2.0**-53 * (size @ (w + vertex)))
    return float(w @ (slope + linear) / 2), max(0.0, float(slope @ (w - vertex))), rounding
