"""Coresets of blocks, merged."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._points import METRICS, computed, read_points
from .._validate import check_choice, check_count, check_positive
from ..select import Coreset
from ._blocks import Blocks, entropy_of


def coreset(
    X: Any,
    size: int,
    *,
    clusters: int,
    power: float = 2.0,
    metric: str = "euclidean",
    rng: Any = None,
) -> Coreset:
    """A coreset of all rows: one of each block, merged in pairs.

    Parameters
    ----------
    X : dask.array, shape (n, d)
        In blocks of whole rows (columns are joined).
    size : int
        Points, of the result and of each block's.
    clusters : int
        For the sensitivities.
    power : float, default 2
    metric : {'euclidean', 'cosine'}
    rng : None, int, SeedSequence, BitGenerator or Generator, optional

    Returns
    -------
    Coreset
        `indices` are row numbers of X.

    Examples
    --------
    >>> import dask.array as da
    >>> X = da.random.default_rng(0).normal(size=(10_000, 3), chunks=(2_500, 3))
    >>> print(len(coreset(X, 200, clusters=5, rng=0)))
    200
    """
    blocks = Blocks(X)
    count, k = check_count(size, "size"), check_count(clusters, "clusters")
    if k > count:
        raise ValueError(f"clusters must be at most size = {count}, got {k}")
    exponent = check_positive(power, "power")
    kind = check_choice(metric, "metric", METRICS)
    return merged(blocks, count, k, exponent, kind, entropy_of(rng))


def merged(blocks: Blocks, size: int, k: int, power: float, metric: str, entropy: list[int]) -> Coreset:
    import dask

    parts = [
        dask.delayed(_block_coreset)(part, int(first), size, k, power, metric, [*entropy, 3, number])
        for number, (part, first) in enumerate(zip(blocks.parts, blocks.first, strict=False))
    ]
    level = 4
    while len(parts) > 1:
        pairs = [parts[j : j + 2] for j in range(0, len(parts), 2)]
        parts = [
            dask.delayed(_joined)(*pair, size, [*entropy, level, number]) if len(pair) == 2 else pair[0]
            for number, pair in enumerate(pairs)
        ]
        level += 1
    (found,) = dask.compute(parts[0])
    return found  # type: ignore[no-any-return]


def _block_coreset(
    block: Any, first: int, size: int, k: int, power: float, metric: str, entropy: list[int]
) -> Coreset | None:
    if len(block) == 0:
        return None
    points = computed(read_points(np.asarray(block), "X", metric, first))
    whole = Coreset(points, np.ones(len(points)), first + np.arange(len(points)), power, k)
    return whole.reduce(size, rng=np.random.default_rng(entropy), n_threads=1)


def _joined(a: Coreset | None, b: Coreset | None, size: int, entropy: list[int]) -> Coreset | None:
    if a is None or b is None:
        return b if a is None else a
    return a.merge(b).reduce(size, rng=np.random.default_rng(entropy), n_threads=1)
