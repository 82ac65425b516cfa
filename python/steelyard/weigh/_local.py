"""Weights from neighbourhoods: linear time, and refused where neighbourhoods don't tell."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from .. import _core
from .._errors import report
from .._spelling import argument
from .._validate import Progress
from ._result import WeighInfo
from ._spaces import Space

Array = npt.NDArray[np.float64]

NEIGHBOURS = 100
LIMIT = 0.1  # residual above which local weights are refused
_SAMPLE = 256
_ROWS = 20_000
_TREE_NORMS = {"euclidean": 2.0, "cityblock": 1.0, "chebyshev": np.inf}
_TREE_DIMENSIONS = 12


def local_answer(
    space: Space, scale: float, threads: int, progress: Progress | None = None
) -> tuple[Array, WeighInfo]:
    """Weights of the points that differ, with the residual of sampled rows."""
    began = time.perf_counter()
    weights = np.concatenate(list(local_parts(space, scale, threads, progress)))
    n = space.n_unique
    rows = np.random.default_rng(n).choice(n, min(n, _SAMPLE), replace=False).astype(np.int32)
    sampled = np.full(len(rows), np.inf)
    if np.isfinite(weights).all():
        sampled = 1.0 - _core.weigh._chosen_products(space.core, scale * space.unit, rows, weights, threads)
    residual = float(np.sqrt(np.mean(sampled**2)))
    if not residual <= LIMIT:
        raise ValueError(
            f"{argument('method', 'local')} is wrong here: the residual of {len(rows)} sampled rows is "
            f"{residual:.2g}, above {LIMIT}. {NEIGHBOURS} neighbours reach too little of the space at scale "
            f"{scale:.6g}: use a larger scale, or {argument('method', 'cg')}"
        )
    info = WeighInfo(
        converged=True,
        iterations=0,
        solver=f"local, {min(NEIGHBOURS, n - 1)} neighbours",
        seconds=time.perf_counter() - began,
        tol=LIMIT,
        error_bound=None,
        error_kind="estimate",
        message=f"approximate: the residual of {len(rows)} sampled rows is {residual:.1e}",
        residual=residual,
        residual_kind="estimate",
        lower_bound=None,
        positive_definite="theory" if space.positive_definite else None,
    )
    return weights, info


def local_parts(
    space: Space, scale: float, threads: int, progress: Progress | None = None
) -> Iterator[Array]:
    """Weights, some rows at a time."""
    k = min(NEIGHBOURS, space.n_unique - 1)
    done = 0
    for near in _neighbours(space, k, threads):
        yield _core.weigh._local_weights(space.core, scale * space.unit, done, near, threads)
        done += len(near)
        report(progress, done, space.n_unique)


def has_tree(space: Space) -> bool:
    """Whether a k-d tree finds neighbours faster than looking at all pairs."""
    return (
        space.points is not None
        and (space.metric in _TREE_NORMS or space.metric == "minkowski")
        and space.points.shape[1] <= _TREE_DIMENSIONS
    )


def _neighbours(space: Space, k: int, threads: int) -> Iterator[npt.NDArray[np.int32]]:
    if not has_tree(space):
        yield _core.weigh._nearest_neighbours(space.core, k, threads)
        return
    from scipy.spatial import cKDTree

    points = space.points
    assert points is not None
    tree = cKDTree(points)
    p = _TREE_NORMS.get(space.metric, space.power)
    for start in range(0, len(points), _ROWS):
        rows = np.arange(start, min(start + _ROWS, len(points)))
        _, near = tree.query(points[rows], k=k + 1, p=p, workers=threads)
        yield without_self(near, rows)


def without_self(near: npt.NDArray[np.intp], rows: npt.NDArray[np.intp]) -> npt.NDArray[np.int32]:
    """A point is among its own neighbours, mostly first; else the farthest goes."""
    own = near == rows[:, None]
    own[~own.any(axis=1), -1] = True
    return np.asarray(near[~own].reshape(len(rows), near.shape[1] - 1), dtype=np.int32)
