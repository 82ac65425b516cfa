"""Distances that differ by direction: d_ij <= d_ik + d_kj, and nothing about d_ji."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from .. import _core
from .._spelling import argument
from .._validate import real_array
from ._missing import refuse_negative
from ._options import Options
from ._pairs import Array, check_range, digits_of
from ._project_and_forget import _Search, _worst
from ._result import MetricInfo, NearestMetric, exact_info

_GROUPS = 4  # ranges of k: a row of each for every broken pair
_PASSES = 40


def read_directed(D: Any, name: str, *, any_diagonal: bool = False) -> Array:
    """A square array with a zero diagonal; finite."""
    if sparse.issparse(D):
        raise TypeError(f"{name} must be an array for symmetric=False: every pair is needed, both ways")
    array = real_array(D, name)
    digits = digits_of(array)
    array = np.array(array, np.float64, order="C")
    if array.ndim != 2 or array.shape[0] != array.shape[1] or array.size == 0:
        raise ValueError(f"{name} must be square and not empty for symmetric=False, got shape {array.shape}")
    if any_diagonal:
        np.fill_diagonal(array, 0.0)
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        raise ValueError(
            f"{name} has {len(bad)} entries that are NaN or infinite (first: row {bad[0, 0]}, column "
            f"{bad[0, 1]}); symmetric=False needs them all"
        )
    off = np.flatnonzero(np.abs(np.diagonal(array)) > max(1e-12, digits) * np.abs(array).max())
    if len(off):
        raise ValueError(f"{name} must have a zero diagonal, got {array[off[0], off[0]]} in row {off[0]}")
    np.fill_diagonal(array, 0.0)
    check_range(array, name)
    return array


def _read_weights(weights: Any, d: Array) -> Array | None:
    if weights is None:
        return None
    w = read_directed(weights, "weights", any_diagonal=True)
    if w.shape != d.shape:
        raise ValueError(f"weights must be those of {len(d)} items, got {len(w)}")
    np.fill_diagonal(w, 1.0)  # of pairs that nobody asks about
    if not (w > 0).all():
        raise ValueError(f"weights must be positive, got {w.min()}; a pair without weight is not supported")
    return w


class _TriangleOracle:
    """The worst triangles of each pair, broken by more than `slack`; bound by the closure."""

    def __init__(self, d: Array, weight: Array | None, slack: float, threads: int) -> None:
        self.d, self.weight, self.slack, self.threads = d, weight, slack, threads
        self.best, self.upper = d, math.inf

    def __call__(self, x: Array) -> Any:
        n = len(self.d)
        corners, _ = _core.metric._directed_triangles(x.reshape(n, n), self.slack, _GROUPS, self.threads)
        i, j, k = corners.T.astype(np.int64)
        places = np.stack([i * n + j, i * n + k, k * n + j], axis=1)
        signs = np.broadcast_to([1.0, -1.0, -1.0], places.shape)
        order = np.argsort(places, axis=1)
        indices = np.take_along_axis(places, order, axis=1).ravel()
        values = np.take_along_axis(signs, order, axis=1).ravel()
        below = np.flatnonzero(x < -self.slack)  # -x <= 0
        starts = np.r_[3 * np.arange(len(i) + 1), 3 * len(i) + 1 + np.arange(len(below))]
        indices = np.r_[indices, below].astype(np.int32)
        return starts, indices, np.r_[values, np.full(len(below), -1.0)], np.zeros(len(starts) - 1)

    def bound(self, x: Array) -> float:
        """Objective of the best closure so far."""
        closed = _core.metric._directed_closure(x.reshape(self.d.shape), self.threads)
        upper = cost(closed, self.d, self.weight)
        if upper < self.upper:
            self.upper, self.best = upper, closed
        return self.upper


class _TriangleSearch(_Search):
    """Rows come from the oracle as they are held; searches bring many."""

    patient = False

    def take(self, rows: Any, x: Array) -> float:
        self.state.add(*rows)
        return _worst(rows, x)


def cost(x: Array, d: Array, weight: Array | None) -> float:
    """1/2 sum w (x - d)^2 over both directions."""
    squares = np.square(x - d)
    return 0.5 * float(squares.sum() if weight is None else (weight * squares).sum())


def nearest_directed(D: Any, weights: Any, options: Options, init: NearestMetric | None) -> NearestMetric:
    """Nearest in weighted least squares with x_ij <= x_ik + x_kj and x >= 0."""
    if options.norm != "l2":
        raise ValueError(f"symmetric=False goes with norm='l2', got {options.norm!r}")
    d = read_directed(D, argument("D"))
    weight = _read_weights(weights, d)
    n = len(d)
    if init is not None and (init.symmetric or init._n != n):
        raise ValueError(f"init must be a result of symmetric=False for {n} items")
    if options.decrease_only or n < 3:
        if options.decrease_only:
            refuse_negative(d)
        closed = _core.metric._directed_closure(d, options.threads)
        low = cost(closed, d, weight)
        info = exact_info(
            "shortest-path closure" if options.decrease_only else "no triangles", options.tol, low, 1, 0.0
        )
        return _result(closed, low, info)
    unit = float(np.sqrt(np.mean(np.square(d)))) or 1.0
    oracle = _TriangleOracle(d, weight, 0.05 * options.tol * unit, options.threads)
    search = _TriangleSearch(
        d.ravel(), None if weight is None else weight.ravel(), oracle, options.tol, passes=_PASSES
    )
    if init is not None and init._held is not None:
        search.load(init._held[1])
    held = search.run(options.max_iter, options.progress)
    if math.isinf(oracle.upper):  # interrupted before the first closure
        oracle.bound(held.x)
    own = {name: getattr(held.info, name) for name in held.info.__dataclass_fields__}
    return _result(oracle.best, oracle.upper, MetricInfo(**own), held)


def _result(x: Array, objective: float, info: MetricInfo, held: Any = None) -> NearestMetric:
    n = len(x)
    triangles, duals = np.zeros((0, 3), np.int32), np.zeros(0)
    if held is not None:
        triangles, duals = _triangles(held, n)
    for array in (x, triangles, duals):
        array.flags.writeable = False
    kept = None if held is None else (None, held)
    return NearestMetric(x, objective, "l2", info, triangles, duals, n, kept, symmetric=False)


def _triangles(held: Any, n: int) -> tuple[npt.NDArray[np.int32], Array]:
    """i, j, k of the rows held; those of x >= 0 are left out."""
    full = np.diff(held.A.indptr) == 3
    at = held.A.indptr[:-1][full][:, None] + np.arange(3)
    places, values = held.A.indices[at].astype(np.int64), held.A.data[at]
    i, j = np.divmod(places[values > 0], n)
    others = places[values < 0].reshape(-1, 2)
    first = np.where(others[:, 0] // n == i, others[:, 0], others[:, 1])
    return np.stack([i, j, first % n], axis=1).astype(np.int32), np.array(held.duals[full])
