"""The nearest metric where only some pairs are measured."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from .. import _core
from .._errors import DisconnectedWarning, interrupted
from .._validate import refuse_masked
from ._project_and_forget import ProjectAndForget, ProjectionInfo, _Search

Array = npt.NDArray[np.float64]
Nodes = npt.NDArray[np.int32]


@dataclass(frozen=True)
class MeasuredPairs:
    """Measured pairs rows < cols of n items, in row-major order, and their values."""

    n: int
    rows: Nodes
    cols: Nodes
    values: Array


@dataclass(frozen=True)
class NearestOnGraph:
    """`edges` are the measured pairs' new lengths, `distances` (n, n) the shortest paths along them."""

    edges: Array
    distances: Array
    objective: float
    info: ProjectionInfo
    held: ProjectAndForget  # for a warm start


class CycleOracle:
    """For each measured pair the shortest path that undercuts it; bound by the closure."""

    def __init__(self, graph: Any, target: Array, weights: Array | None, slack: float, threads: int) -> None:
        self.graph, self.target, self.weights = graph, target, weights
        self.slack, self.threads = slack, threads
        self.upper, self.best = math.inf, np.maximum(target, 0.0)

    def __call__(self, x: Array) -> tuple[Any, Array]:
        starts, edges, closed, _ = self.graph.find_cycles(x, self.slack, self.threads)
        moved = np.square(closed - self.target)
        upper = 0.5 * float(moved.sum() if self.weights is None else (self.weights * moved).sum())
        if upper < self.upper:
            self.upper, self.best = upper, closed
        data = np.full(len(edges), -1.0)
        lengths = np.diff(starts)
        data[starts[:-1][lengths > 1]] = 1.0  # a row of one edge is -x <= 0
        matrix = sparse.csr_array((data, edges, starts), shape=(len(lengths), len(x)))
        return matrix, np.zeros(len(lengths))

    def bound(self, x: Array) -> float:
        """Objective of the best closure so far."""
        return self.upper


def nearest_on_graph(
    n: int,
    rows: Nodes,
    cols: Nodes,
    values: Array,
    weights: Array | None = None,
    *,
    tol: float = 1e-6,
    max_iter: int = 1000,
    passes: int = 60,
    warm_start: ProjectAndForget | None = None,
    n_threads: int = 1,
    progress: Any = None,
) -> NearestOnGraph:
    """min 1/2 sum w (x - values)^2 with x >= 0 and no pair longer than a path of others; arguments checked.

    O(n (m + n) log n) a round at worst, which is why many passes pay; O(m) memory, the constraints held and
    n^2 for the distances. Raises KeyboardInterrupt with ``.partial``; the caller warns where
    ``info.converged`` is False.
    """
    graph = _core._MeasuredGraph(n, rows, cols)
    unit = float(np.sqrt(np.mean(np.square(values)))) if len(values) else 0.0
    oracle = CycleOracle(graph, values, weights, 0.05 * tol * (unit or 1.0), n_threads)
    search = _Search(values, weights, oracle, tol, passes)
    if warm_start is not None:
        search.load(warm_start)
    held = search.run(max_iter, progress)
    edges = oracle.best
    if math.isinf(oracle.upper):  # interrupted before the first closure
        edges = graph.find_cycles(edges, 0.0, n_threads)[2]
    distances = graph.distances(edges, n_threads)
    moved = np.square(edges - values)
    objective = 0.5 * float(moved.sum() if weights is None else (weights * moved).sum())
    result = NearestOnGraph(edges, distances, objective, held.info, held)
    if held.info.interrupted:
        raise interrupted(result)
    apart = np.isinf(distances[0]).sum() if n else 0
    if apart:
        warnings.warn(
            f"{apart} of {n} items are not joined to item 0 by measured pairs: their distances are inf",
            DisconnectedWarning,
            stacklevel=3,
        )
    return result


def from_square_with_nan(D: Any, name: str = "D") -> MeasuredPairs:
    """The pairs that are not NaN of a symmetric array with a zero diagonal."""
    array = _real(D, name)
    n = len(array)
    if array.ndim != 2 or array.shape != (n, n) or n == 0:
        raise ValueError(f"{name} must be square and not empty, got shape {array.shape}")
    diagonal = np.diagonal(array)
    if not ((diagonal == 0) | np.isnan(diagonal)).all():
        raise ValueError(f"{name} must have a zero diagonal")
    apart = (np.isnan(array) != np.isnan(array.T)) | (
        np.abs(array - array.T) > 1e-12 * np.nanmax(np.abs(array), initial=0.0)
    )
    if apart.any():
        i, j = np.argwhere(apart)[0]
        raise ValueError(
            f"{name} must be symmetric, got {array[i, j]} at ({i}, {j}) and {array[j, i]} at ({j}, {i})"
        )
    rows, cols = np.triu_indices(n, 1)
    return _measured(n, rows, cols, array[rows, cols])


def from_condensed_with_nan(d: Any, name: str = "D") -> MeasuredPairs:
    """The pairs that are not NaN of a condensed array."""
    array = _real(d, name)
    n = (1 + math.isqrt(1 + 8 * array.size)) // 2
    if array.ndim != 1 or n * (n - 1) // 2 != array.size or n < 2:
        raise ValueError(f"{name} must have n (n - 1) / 2 entries where it is condensed, got {array.shape}")
    rows, cols = np.triu_indices(n, 1)
    return _measured(n, rows, cols, array)


def from_sparse(D: Any, name: str = "D") -> MeasuredPairs:
    """The listed pairs of a scipy.sparse matrix; explicit zeros are measured, duplicates refused."""
    if D.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, got dtype {D.dtype}")
    if D.ndim != 2 or D.shape[0] != D.shape[1] or D.shape[0] == 0:
        raise ValueError(f"{name} must be square and not empty, got shape {D.shape}")
    coo = sparse.coo_array(D)
    values = coo.data.astype(np.float64)
    rows, cols = (part.astype(np.int64) for part in coo.coords)
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must list finite numbers only: leave out the pairs that are not measured")
    if (values[rows == cols] != 0).any():
        raise ValueError(f"{name} must have a zero or empty diagonal")
    n = D.shape[0]
    if len(np.unique(rows * n + cols)) < len(rows):
        raise ValueError(f"{name} lists an entry twice; call sum_duplicates() if their sum is meant")
    off = rows != cols
    rows, cols, values = rows[off], cols[off], values[off]
    key = np.minimum(rows, cols) * n + np.maximum(rows, cols)
    order = np.argsort(key, kind="stable")
    key, values = key[order], values[order]
    twice = np.flatnonzero(key[1:] == key[:-1])
    largest = np.abs(values).max(initial=0.0)
    clash = twice[np.abs(values[twice] - values[twice + 1]) > 1e-12 * largest]
    if len(clash):
        i, j = divmod(int(key[clash[0]]), n)
        one, other = values[clash[0]], values[clash[0] + 1]
        raise ValueError(f"{name} must be symmetric, got {one} and {other} for the pair ({i}, {j})")
    key, first = np.unique(key, return_index=True)
    return _measured(n, key // n, key % n, values[first])


def _real(values: Any, name: str) -> Array:
    array = refuse_masked(values, name)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, got dtype {array.dtype}")
    if np.isinf(array).any():
        raise ValueError(f"{name} has infinite entries; write NaN where a pair is not measured")
    return array.astype(np.float64, copy=False)


def _measured(n: int, rows: Any, cols: Any, values: Array) -> MeasuredPairs:
    known = ~np.isnan(values)
    return MeasuredPairs(
        n,
        np.ascontiguousarray(rows[known], np.int32),
        np.ascontiguousarray(cols[known], np.int32),
        np.ascontiguousarray(values[known]),
    )
