"""Similarities as they arrive, and what a pair costs under each formulation of correlation clustering."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from .. import _core
from .._spelling import argument
from .._validate import real_array
from ._measured import MeasuredPairs, from_sparse
from ._pairs import Array, check_range
from ._probability import logit

FORMULATIONS = ("auto", "signed", "graph", "wang", "probability")
Nodes = npt.NDArray[np.int32]
Paid = tuple[Nodes, Nodes, Array, npt.NDArray[np.bool_]]
# Wang et al.'s constants, as in the papers that use these weights.
_DELTA, _EPSILON = 0.05, 0.01


@dataclass(frozen=True)
class SignedPairs:
    """Pairs rows < cols of n items with c = value - background; all others have c = -background."""

    n: int
    rows: Nodes
    cols: Nodes
    values: Array
    background: float
    formulation: str

    def paid(self, labels: npt.NDArray[Any]) -> Paid:
        """The pairs that labels pay for: both ends, c, and whether they are together."""
        c = self.values - self.background
        together = labels[self.rows] == labels[self.cols]
        at = np.flatnonzero(np.where(together, c < 0, c > 0))
        left, right, c, joined = self.rows[at], self.cols[at], c[at], together[at]
        if self.background > 0:
            more = self._unlisted(labels)
            left, right = np.r_[left, more[0]], np.r_[right, more[1]]
            c = np.r_[c, np.full(len(more[0]), -self.background)]
            joined = np.r_[joined, np.ones(len(more[0]), bool)]
        return left, right, c, joined

    def _unlisted(self, labels: npt.NDArray[Any]) -> tuple[Nodes, Nodes]:
        """Pairs that share a cluster without being listed."""
        order = np.argsort(labels, kind="stable").astype(np.int64)
        sizes = np.bincount(labels)
        listed = self.rows.astype(np.int64) * self.n + self.cols
        keys = []
        for start, size in zip(np.cumsum(sizes) - sizes, sizes, strict=True):
            i, j = np.triu_indices(int(size), 1)
            members = order[start : start + size]
            keys.append(members[i] * self.n + members[j])
        kept = np.setdiff1d(np.concatenate(keys), listed)
        return (kept // self.n).astype(np.int32), (kept % self.n).astype(np.int32)


def read_similarities(
    S: Any, name: str, *, zeros: bool = False
) -> tuple[MeasuredPairs, Mapping[Hashable, int] | None]:
    """The listed pairs, each once, and the place of each node where S is a graph with named nodes.

    With `zeros` an array lists all of its pairs, those at 0 among them.
    """
    if _is_graph(S):
        return _from_graph(S, name)
    if hasattr(S, "get_edgelist") and hasattr(S, "vcount"):
        return _from_igraph(S, name), None
    if not sparse.issparse(S):
        S = _from_array(S, name, zeros)
    matrix = sparse.coo_array(S)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.shape[0] == 0:
        raise ValueError(f"{name} must be square and not empty, got shape {matrix.shape}")
    off = matrix.coords[0] != matrix.coords[1]
    coords = tuple(part[off] for part in matrix.coords)
    return _listed(sparse.coo_array((matrix.data[off], coords), shape=matrix.shape), name), None


def _listed(matrix: Any, name: str) -> MeasuredPairs:
    pairs = from_sparse(matrix, name)
    check_range(pairs.values, name)
    return pairs


def _is_graph(S: Any) -> bool:
    return hasattr(S, "is_directed") and hasattr(S, "nodes") and hasattr(S, "edges")


def _from_graph(graph: Any, name: str) -> tuple[MeasuredPairs, Mapping[Hashable, int]]:
    """A networkx graph, without importing networkx."""
    if graph.is_directed() or graph.is_multigraph():
        raise ValueError(
            f"{name} must be an undirected graph without parallel edges, got {type(graph).__name__}"
        )
    place = {node: k for k, node in enumerate(graph.nodes)}
    if not place:
        raise ValueError(f"{name} must have at least one node")
    edges = [(place[u], place[v], w) for u, v, w in graph.edges(data="weight", default=1) if u != v]
    rows, cols, weights = zip(*edges, strict=True) if edges else ((), (), ())
    values = np.asarray(weights, dtype=None if weights else float)
    if values.dtype.kind not in "fiub":
        raise TypeError(f"{name} must have numbers as weights of its edges, got dtype {values.dtype}")
    matrix = sparse.coo_array(
        (values, (np.array(rows, np.int64), np.array(cols, np.int64))), shape=(len(place), len(place))
    )
    return _listed(matrix, name), place


def _from_igraph(graph: Any, name: str) -> MeasuredPairs:
    """An igraph graph, without importing igraph; items go by the number of their vertex."""
    if graph.is_directed() or graph.has_multiple():
        raise ValueError(f"{name} must be an undirected graph without parallel edges")
    if graph.vcount() == 0:
        raise ValueError(f"{name} must have at least one node")
    ends = np.array(graph.get_edgelist(), np.int64).reshape(-1, 2).T
    weighted = "weight" in graph.es.attributes()
    values = np.asarray(graph.es["weight"] if weighted else np.ones(ends.shape[1]), float)
    other = ends[0] != ends[1]
    shape = (graph.vcount(), graph.vcount())
    return _listed(sparse.coo_array((values[other], (ends[0][other], ends[1][other])), shape=shape), name)


def _from_array(S: Any, name: str, zeros: bool) -> Any:
    array = real_array(S, name)
    if array.ndim != 2:
        raise ValueError(
            f"{name} must be a square array, a scipy.sparse matrix or a graph, got shape {array.shape}"
        )
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        raise ValueError(
            f"{name} has {len(bad)} entries that are NaN or infinite (first: row {bad[0, 0]}, column "
            f"{bad[0, 1]}); write 0 where nothing is known"
        )
    if array.shape[0] == array.shape[1] and not np.array_equal(array, array.T):
        _refuse_asymmetric(array, name)
    if zeros and array.shape[0] == array.shape[1]:
        above = np.triu_indices(len(array), 1)
        return sparse.coo_array((array[above].astype(np.float64), above), shape=array.shape)
    return sparse.coo_array(array.astype(np.float64))


def _refuse_asymmetric(array: npt.NDArray[Any], name: str) -> None:
    """Zeros are not stored in a sparse matrix, which would hide an entry that is listed on one side only."""
    i, j = np.argwhere(array != array.T)[0]
    if abs(float(array[i, j]) - float(array[j, i])) > 1e-12 * float(np.abs(array).max()):
        raise ValueError(
            f"{name} must be symmetric, got {array[i, j]} at ({i}, {j}) and {array[j, i]} at ({j}, {i}); "
            "(S + S.T) / 2 is"
        )


def signed_pairs(
    pairs: MeasuredPairs, formulation: str, resolution: float, threads: int, shift: float = 0.0
) -> SignedPairs:
    """What the pairs cost under a formulation; `shift` is added to logits."""
    values = pairs.values
    binary = bool(np.isin(values, (0.0, 1.0)).all())
    if formulation == "auto":
        if not binary and not (values < 0).any():
            raise ValueError(
                f"{argument('S')} has weights other than 0 and 1 and none below 0; say what an absent pair "
                f"means: {argument('formulation', 'signed')} (nothing) or "
                f"{argument('formulation', 'graph')} (disagreement)"
            )
        formulation = "graph" if binary else "signed"
    if resolution != 0.5 and formulation != "graph":
        raise ValueError(
            f"{argument('resolution')} goes with {argument('formulation', 'graph')}, "
            f"got {argument('formulation', formulation)}"
        )
    if formulation == "wang":
        if not binary:
            raise ValueError(
                f"{argument('S')} must hold zeros and ones for {argument('formulation', 'wang')}"
            )
        return _from_common_neighbours(pairs, threads)
    if formulation == "graph":
        if (values < 0).any():
            raise ValueError(
                f"{argument('S')} must have no entry below 0 for {argument('formulation', 'graph')}"
            )
        values, background = 2.0 * values, 2.0 * resolution
    else:
        if formulation == "probability":
            values = logit(values, argument("S")) + shift
        background = 0.0
    kept = values != 0
    return SignedPairs(pairs.n, pairs.rows[kept], pairs.cols[kept], values[kept], background, formulation)


def _from_common_neighbours(pairs: MeasuredPairs, threads: int) -> SignedPairs:
    edge = pairs.values != 0
    offsets, neighbours, _ = symmetric_rows(pairs.n, pairs.rows[edge], pairs.cols[edge], pairs.values[edge])
    rows, cols, jaccard = _core.metric._common_neighbours(offsets, neighbours, threads)
    c = np.log((1.0 + jaccard - _DELTA) / (1.0 - jaccard + _DELTA))
    c += _EPSILON * np.sign(c)
    background = float(np.log((1.0 + _DELTA) / (1.0 - _DELTA)))
    return SignedPairs(pairs.n, rows, cols, c + background, background, "wang")


def symmetric_rows(
    n: int, rows: npt.NDArray[Any], cols: npt.NDArray[Any], values: Array
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], Array]:
    """Sorted csr rows of both directions of each pair."""
    left, right, sums = _core.metric._merge_pairs(
        n, rows.astype(np.int32, copy=False), cols.astype(np.int32, copy=False), np.asarray(values, float)
    )
    return _core.metric._symmetric_rows(n, left, right, sums)
