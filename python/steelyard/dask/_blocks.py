"""Blocks of rows: their clusters, distances and sums, computed where the blocks are."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._points import (
    nearest_centers,
    own_squared_distances,
    powers,
    read_points,
    shift_of,
    shifted,
    unit_power,
)
from .._validate import check_rng

Floats = npt.NDArray[np.float64]


class Blocks:
    """Delayed blocks of rows, their lengths and first row numbers."""

    def __init__(self, X: Any) -> None:
        import dask

        if not hasattr(X, "to_delayed") or not hasattr(X, "rechunk") or X.ndim != 2:
            hint = "; X.to_dask_array(lengths=True) is one" if hasattr(X, "to_dask_array") else ""
            raise TypeError(f"X must be a two-dimensional dask.array, got {type(X).__name__}{hint}")
        X = X.rechunk({1: -1})
        self.parts = X.to_delayed().ravel().tolist()
        lengths = X.chunks[0]
        if np.isnan(lengths).any():
            lengths = dask.compute(*(dask.delayed(len)(part) for part in self.parts))
        self.lengths = [int(length) for length in lengths]
        self.first = np.concatenate([[0], np.cumsum(self.lengths)]).astype(np.int64)
        if self.first[-1] == 0:
            raise ValueError("X has no rows")


class States:
    """Blocks with the clusters of their rows and the distances to the centre points, these over `unit`."""

    def __init__(self, blocks: Blocks, centers: Any, power: float, metric: str) -> None:
        import dask

        self.blocks, self.k = blocks, len(centers)
        self.unit = unit_power(shift_for(centers, metric), power)
        self.parts = dask.persist(
            *(
                dask.delayed(assigned)(part, centers, metric, int(first))
                for part, first in zip(blocks.parts, blocks.first, strict=False)
            )
        )
        found = dask.compute(
            *(
                dask.delayed(_candidates)(block, part, self.k)
                for block, part in zip(blocks.parts, self.parts, strict=True)
            )
        )
        best = np.stack([f[0] for f in found]).argmin(axis=0)
        self.speakers = np.array([blocks.first[b] + found[b][1][c] for c, b in enumerate(best)])
        points = np.stack([found[b][2][c] for c, b in enumerate(best)])
        self.distances = dask.persist(
            *(
                dask.delayed(_to_speakers)(block, part, points, power, metric, shift_for(centers, metric))
                for block, part in zip(blocks.parts, self.parts, strict=True)
            )
        )
        sums = self.on_blocks(_sums, self.k)
        self.sizes = np.stack([s[0] for s in sums])  # blocks x clusters
        self.spreads = np.stack([s[1] for s in sums])

    def on_blocks(self, function: Any, *same: Any, each: Any = None, keep: bool = False) -> list[Any]:
        """function(labels, distances, *same, *each[block]) for every block; `keep`: left where made."""
        import dask

        own = [()] * len(self.parts) if each is None else each
        tasks = (
            dask.delayed(function)(p, d, *same, *e)
            for p, d, e in zip(self.parts, self.distances, own, strict=True)
        )
        return list((dask.persist if keep else dask.compute)(*tasks))

    def look_up(self, rows: Any) -> tuple[Any, Floats]:
        """Clusters and distances of some rows."""
        block = np.searchsorted(self.blocks.first, rows, side="right") - 1
        wanted = [rows[block == b] - self.blocks.first[b] for b in range(len(self.parts))]
        found = self.on_blocks(_told, each=[(w,) for w in wanted])
        labels, distances = np.empty(len(rows), dtype=np.int64), np.empty(len(rows))
        for b, (own_labels, own_distances) in enumerate(found):
            labels[block == b], distances[block == b] = own_labels, own_distances
        return labels, distances


def entropy_of(rng: Any) -> list[int]:
    return [int(word) for word in check_rng(rng).integers(0, 2**63, 2)]


def shift_for(centers: Any, metric: str) -> int:
    """The power of two by which blocks are divided: one for all of them."""
    return 0 if metric == "cosine" else shift_of(float(np.abs(centers).max()), centers)


def assigned(block: Any, centers: Any, metric: str, first: int = 0) -> tuple[Any, Any]:
    """Nearest centres of a block, and squared distances to them over 2^(2 shift)."""
    if len(block) == 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    points = read_points(np.asarray(block), "X", metric, first)
    return nearest_centers(points, centers, 1, shift_for(centers, metric))


def _candidates(block: Any, part: Any, k: int) -> tuple[Any, Any, Any]:
    """Nearest row to each centre in the block: squared distances, rows, points."""
    labels, squared = part
    best, row = np.full(k, np.inf), np.full(k, -1, dtype=np.int64)
    order = np.lexsort((squared, labels))
    there, first = np.unique(labels[order], return_index=True)
    row[there] = order[first]
    best[there] = squared[order[first]]
    return best, row, np.asarray(block)[np.maximum(row, 0)] if len(block) else np.zeros((k, 0))


def _to_speakers(block: Any, part: Any, points: Any, power: float, metric: str, shift: int) -> Floats:
    if len(block) == 0:
        return np.zeros(0)
    own = shifted(read_points(np.asarray(block), "X", metric), -shift)
    speakers = shifted(read_points(points, "X", metric), -shift)
    return powers(own_squared_distances(own, speakers, part[0]), power)


def _sums(part: Any, distances: Floats, k: int) -> tuple[Floats, Floats]:
    labels = part[0]
    sizes = np.bincount(labels, minlength=k).astype(np.float64)
    return sizes, np.bincount(labels, weights=distances, minlength=k).astype(np.float64)


def _told(part: Any, distances: Floats, rows: Any) -> tuple[Any, Floats]:
    return part[0][rows], distances[rows]
