"""k-means of a coreset, and the nearest centre of every row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._points import METRICS, unit_power
from .._validate import check_choice, check_count
from ..select import KMeansInfo
from ..select import kmeans as kmeans_of_points
from ._blocks import Blocks, assigned, entropy_of, shift_for
from ._coreset import merged


@dataclass(frozen=True, eq=False)
class DaskKMeans:
    """Centres, and labels that are computed block by block.

    Attributes
    ----------
    centers : ndarray, shape (k, d)
    labels : dask.array of int64, shape (n,)
    cost : float
        Sum of distance^2 over all rows.
    info : KMeansInfo
        Of the clustering of the coreset.
    """

    centers: Any
    labels: Any
    cost: float
    info: KMeansInfo


def kmeans(
    X: Any,
    k: int,
    *,
    size: int | None = None,
    max_iter: int = 100,
    tol: float = 1e-4,
    metric: str = "euclidean",
    rng: Any = None,
) -> DaskKMeans:
    """k-means of a coreset, and the nearest centre of every row.

    Parameters
    ----------
    X : dask.array, shape (n, d)
    k : int
    size : int, optional
        Points of the coreset. Default 40 k, at least 1,000.
    max_iter, tol, metric, rng
        As for `steelyard.select.kmeans`.

    Returns
    -------
    DaskKMeans

    Notes
    -----
    Two passes: block coresets, and labels with their cost.
    """
    count = check_count(k, "k")
    points = max(40 * count, 1000) if size is None else check_count(size, "size", least=count)
    entropy = entropy_of(rng)
    blocks = Blocks(X)
    kind = check_choice(metric, "metric", METRICS)
    small = merged(blocks, points, count, 2.0, kind, entropy)
    found = kmeans_of_points(
        small.points,
        count,
        sample_weight=small.weights,
        max_iter=max_iter,
        tol=tol,
        metric=kind,
        rng=np.random.default_rng([*entropy, 1]),
    )
    import dask
    import dask.array as da

    parts = [dask.delayed(assigned)(block, found.centers, kind) for block in blocks.parts]
    labels = [
        da.from_delayed(dask.delayed(_first)(part), shape=(length,), dtype=np.int64)
        for part, length in zip(parts, blocks.lengths, strict=True)
    ]
    costs = dask.compute(*(dask.delayed(_cost)(part) for part in parts))
    cost = float(sum(costs)) * unit_power(shift_for(found.centers, kind), 2.0)
    return DaskKMeans(found.centers, da.concatenate(labels), cost, found.info)


def _first(part: Any) -> Any:
    return part[0]


def _cost(part: Any) -> float:
    return float(np.sum(part[1], dtype=np.float64))
