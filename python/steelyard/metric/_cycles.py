"""The nearest metric where only some pairs are measured."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from .. import _core
from .._errors import interrupted
from ._project_and_forget import ProjectAndForget, ProjectionInfo, _Search

Array = npt.NDArray[np.float64]
Nodes = npt.NDArray[np.int32]


@dataclass(frozen=True)
class NearestOnGraph:
    """`edges` are the measured pairs' new lengths, `distances` (n, n) the shortest paths along them."""

    edges: Array
    distances: Array
    objective: float
    info: ProjectionInfo
    held: ProjectAndForget  # for a warm start


class CycleOracle:
    """For each measured pair the shortest paths that undercut it; bound by the closure."""

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


class _CycleSearch(_Search):
    """Every search brings new cycles: more passes between two of them do not pay."""

    patient = False


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
    init: ProjectAndForget | None = None,
    n_threads: int = 1,
    progress: Any = None,
) -> NearestOnGraph:
    """min 1/2 sum w (x - values)^2 with x >= 0 and no pair longer than a path of others; arguments checked.

    O(n (m + n) log n) a round at worst, which is why many passes pay; O(m) memory, the constraints held and
    n^2 for the distances. Raises KeyboardInterrupt with ``.partial``; the caller warns where
    ``info.converged`` is False.
    """
    graph = _core.metric._MeasuredGraph(n, rows, cols)
    unit = float(np.sqrt(np.mean(np.square(values)))) if len(values) else 0.0
    oracle = CycleOracle(graph, values, weights, 0.05 * tol * (unit or 1.0), n_threads)
    search = _CycleSearch(values, weights, oracle, tol, passes)
    if init is not None:
        search.load(init)
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
    return result
