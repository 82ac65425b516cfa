"""A clustering problem as the kernels see it: must-links contracted, cannot-links forbidden."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from .. import _core
from ._pairs import Array
from ._signed_pairs import SignedPairs, symmetric_rows

Labels = npt.NDArray[np.int32]
Links = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ClusteringProblem:
    """The kernels' graph, and what its labels cost."""

    graph: Any
    costs: Array  # what each entry of the graph costs; differs from its weights where a pair is forbidden
    ends: npt.NDArray[np.int64]  # (2, m), the listed pairs low < high
    c: Array  # (m,), of these
    sizes: Array  # (nodes,), items of each contracted node
    background: float
    group: npt.NDArray[np.int32] | None  # contracted node of each item; None: nothing contracted
    offset: float  # what every clustering pays within and between contracted nodes
    unavoidable: float  # sum of the positive c on forbidden pairs
    merged: float = 0.0  # sum of |c| over pairs that were added up

    @property
    def exact(self) -> bool:
        """Are `offset` and the sums of parallel pairs free of rounding?"""
        return self.merged == 0.0 or bool((self.c == np.floor(self.c)).all())

    @property
    def nodes(self) -> int:
        return len(self.sizes)

    def cost(self, labels: Labels) -> float:
        """Summed without differences: nothing paid is exactly `offset`."""
        low, high = self.ends
        together = labels[low] == labels[high]
        listed = np.where(together, np.maximum(-self.c, 0.0), np.maximum(self.c, 0.0)).sum()
        totals = np.bincount(labels, weights=self.sizes)
        # Whole numbers: exact.
        joined = 0.5 * (np.square(totals).sum() - np.square(self.sizes).sum())
        unlisted = joined - (self.sizes[low] * self.sizes[high])[together].sum()
        return float(self.offset + listed + self.background * unlisted)

    def less_rounding(self, bound: float, whole_is_exact: bool) -> float:
        """A sum of as many weights as there are, less what rounding may have added to it."""
        half_eps = 0.5 * float(np.finfo(float).eps)
        largest = float(np.abs(self.c).sum() + self.background * np.square(self.sizes.sum()))
        whole = largest < 2**50 and bool((self.c == np.rint(self.c)).all()) and self.background % 1 == 0
        if whole and whole_is_exact and self.offset % 1 == 0:
            return bound
        error = (self.nodes + len(self.c) + 8) * abs(bound)
        if self.group is not None:  # the offset is a difference
            error += 64 * (largest + abs(self.offset))
        return bound - half_eps * error

    def expand(self, labels: Labels) -> npt.NDArray[np.intp]:
        """Labels of the items, numbered by first appearance."""
        own = labels if self.group is None else labels[self.group]
        _, first, inverse = np.unique(own, return_index=True, return_inverse=True)
        rank = np.empty(len(first), np.intp)
        rank[np.argsort(first)] = np.arange(len(first))
        return rank[inverse]

    def expand_distances(self, x: Array) -> Array:
        """Condensed distances of the items from those of the contracted nodes."""
        if self.group is None:
            return x
        n, rows = self.nodes, []
        for i, a in enumerate(self.group[:-1].astype(np.int64)):
            b = self.group[i + 1 :].astype(np.int64)
            low, high = np.minimum(a, b), np.maximum(a, b)
            same = low == high
            places = low * (2 * n - low - 1) // 2 + high - low - 1
            rows.append(np.where(same, 0.0, x[np.where(same, 0, places)] if len(x) else 0.0))
        return np.concatenate(rows) if rows else np.zeros(0)


def read_links(links: Any, name: str, n: int, place: Mapping[Hashable, int] | None) -> Links:
    """Pairs of different items; of a graph by the names of its nodes."""
    if links is None:
        return np.zeros((0, 2), np.int64)
    if place is not None:
        listed = list(links)
        try:
            named = [(place[a], place[b]) for a, b in listed]
        except KeyError as error:
            raise ValueError(f"{name} names {error.args[0]!r}, which is no node of S") from None
        except (TypeError, ValueError):
            raise ValueError(f"{name} must be pairs of nodes") from None
        array = np.array(named, np.int64).reshape(-1, 2)
    else:
        array = np.asarray(links)
        if array.size == 0:
            return np.zeros((0, 2), np.int64)
        if array.dtype.kind not in "iu" or array.ndim != 2 or array.shape[1] != 2:
            raise ValueError(f"{name} must be pairs of item numbers, shape (m, 2), got shape {array.shape}")
        if array.min() < 0 or array.max() >= n:
            raise ValueError(f"{name} must lie in 0 .. {n - 1}, got {array.min()} to {array.max()}")
        array = array.astype(np.int64)
    same = np.flatnonzero(array[:, 0] == array[:, 1])
    if len(same):
        raise ValueError(f"{name} must join different items, got {links[same[0]]!r}")
    return array


def read_labels(labels: Any, problem: ClusteringProblem) -> Labels | None:
    """Labels of the contracted nodes, from those of the items."""
    if labels is None:
        return None
    array = np.asarray(labels)
    n = problem.nodes if problem.group is None else len(problem.group)
    if array.shape != (n,):
        raise ValueError(f"labels must have one label for each of {n} items, got shape {array.shape}")
    _, numbered = np.unique(array, return_inverse=True)
    if problem.group is not None:
        _, first = np.unique(problem.group, return_index=True)
        numbered = numbered[first]
        _, numbered = np.unique(numbered, return_inverse=True)
    return numbered.astype(np.int32)


def make_problem(pairs: SignedPairs, must: Links, cannot: Links) -> ClusteringProblem:
    """Contracts, forbids and counts."""
    nodes, group = _contract(pairs.n, must)
    sizes = np.ones(pairs.n) if group is None else np.bincount(group, minlength=nodes).astype(float)
    ends = [part.astype(np.int64) for part in (pairs.rows, pairs.cols)]
    barred = cannot.T
    if group is not None:
        ends = [group[part].astype(np.int64) for part in ends]
        barred = group[barred].astype(np.int64)
    clash = np.flatnonzero(barred[0] == barred[1])
    if len(clash):
        a, b = cannot[clash[0]]
        raise ValueError(f"cannot_link has the pair ({a}, {b}), which must_link puts together")
    if group is None and not len(cannot):
        low, high, values = ends[0], ends[1], pairs.values  # each pair once, in order
    else:
        low, high, values = _merged(nodes, ends, pairs.values, barred)
    c = values - pairs.background * sizes[low] * sizes[high]
    positive = float(np.maximum(c, 0.0).sum())
    offset = 0.0 if group is None else _offset(pairs, ends, sizes, positive)
    forbidden, weights, unavoidable = 0.0, values, 0.0
    if len(cannot):
        forbidden = 2.0 * float(np.abs(values).sum()) + (pairs.background or 1.0)
        keys = np.minimum(*barred) * nodes + np.maximum(*barred)
        at = np.searchsorted(low * nodes + high, np.unique(keys))
        weights = values.copy()
        weights[at] = -forbidden
        unavoidable = float(np.maximum(c[at], 0.0).sum())
    offsets, indices, entries = symmetric_rows(nodes, low, high, weights)
    costs = symmetric_rows(nodes, low, high, values)[2]
    graph = _core.metric._SignedGraph(offsets, indices, entries, sizes, pairs.background, forbidden)
    return ClusteringProblem(
        graph,
        costs,
        np.stack([low, high]),
        c,
        sizes,
        pairs.background,
        group,
        offset,
        unavoidable,
        0.0 if group is None and not len(cannot) else float(np.abs(pairs.values).sum() + np.abs(c).sum()),
    )


def _contract(n: int, must: Links) -> tuple[int, npt.NDArray[np.int32] | None]:
    if len(must) == 0:
        return n, None
    from scipy.sparse.csgraph import connected_components  # loads scipy.linalg in older versions

    links = sparse.coo_array((np.ones(len(must)), (must[:, 0], must[:, 1])), shape=(n, n))
    nodes, group = connected_components(links, directed=False)
    return int(nodes), group.astype(np.int32)


def _merged(
    nodes: int, ends: list[npt.NDArray[np.int64]], values: Array, barred: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Array]:
    """Pairs of contracted nodes in order, with the sum of what joins them; barred pairs are always listed."""
    low = np.r_[np.minimum(*ends), np.minimum(*barred)]
    high = np.r_[np.maximum(*ends), np.maximum(*barred)]
    all_values = np.r_[values, np.zeros(barred.shape[1])]
    between = low != high
    keys, inverse = np.unique(low[between] * nodes + high[between], return_inverse=True)
    sums = np.bincount(inverse, weights=all_values[between], minlength=len(keys))
    return keys // nodes, keys % nodes, np.asarray(sums, np.float64)


def _offset(pairs: SignedPairs, ends: list[npt.NDArray[np.int64]], sizes: Array, positive: float) -> float:
    """cost(labels) - (positive - agreement of the contracted labels), the same for all labels."""
    within = ends[0] == ends[1]
    if pairs.background == 0.0:
        agreeing = float(np.maximum(np.where(within, 0.0, pairs.values), 0.0).sum())
        return float(np.maximum(-pairs.values[within], 0.0).sum()) + max(0.0, agreeing - positive)
    together = 0.5 * float((sizes * (sizes - 1)).sum())
    agreed = float(pairs.values[within].sum()) - pairs.background * together
    return float(np.maximum(pairs.values - pairs.background, 0.0).sum()) - agreed - positive
