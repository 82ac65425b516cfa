"""Which solver is asked for, or chosen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .. import _core
from .._spelling import argument
from .._validate import Progress
from ._certificate import is_smooth
from ._spaces import FAR_FROM, Space

Array = npt.NDArray[np.float64]

METHODS = ("auto", "line", "grid", "cholesky", "mixed", "cg", "far", "local", "direct")
DENSE_LIMIT = 3000  # points up to which a dense factorisation is quicker than anything else
NEAR_LIMIT = 8000  # up to which it is where single precision can't tell points apart
FACTOR_LIMIT = 30_000  # up to which a dense factor is the way out
LOCAL_FROM = 200_000
_SPREAD_OUT = 0.35  # share of n that the spread must reach for the plain iteration to be the quickest
_FEW_DIMENSIONS = 3
_NEAR = 1e-6  # scale * distance: less makes two rows of Z the same in single precision
_NEAREST = 1e-11  # from which on products in double tell rows apart well enough to iterate
_PRODUCTS = ("cityblock", "hamming", "minkowski")  # kernels that are smooth across axes


@dataclass(frozen=True)
class Request:
    """What one solve is asked for."""

    scale: float
    method: str = "auto"
    tol: float = 1e-8
    jitter: float = 0.0
    threads: int = 1
    progress: Progress | None = None
    stop: str = "residual"
    certify: bool = False
    start: Array | None = None
    who: str = "weighting"


@dataclass(frozen=True)
class Choice:
    """A solver, why, and the size of its preconditioner."""

    method: str
    why: str
    landmarks: int = 0
    neighbours: int = 0
    single: bool = True  # begin in single precision


def choose(space: Space, request: Request) -> Choice:
    """`method`, or for 'auto' the quickest that can be trusted."""
    n, method = space.n_unique, request.method
    if not math.isfinite(request.scale * space.unit):
        raise ValueError(
            f"{argument('scale')} must be smaller for points this far apart, got {request.scale}"
        )
    if method == "line" and not space.on_a_line:
        raise ValueError(
            f"{argument('method', 'line')} needs points with one feature and a metric of vectors"
        )
    if method == "grid" and not (space.grid is not None and request.jitter == 0):
        raise ValueError(
            f"{argument('method', 'grid')} needs cityblock or hamming, points that fill a grid, and no jitter"
        )
    if not space.symmetric:
        if method not in ("auto", "direct"):
            raise ValueError(f"method must be 'auto' or 'direct' for asymmetric distances, got {method!r}")
        return Choice("direct", "asymmetric distances")
    if n == 1 and method == "local":
        return Choice("cholesky", "one point has no neighbours")
    if method == "far":
        if space.points is None or space.metric != "euclidean" or space.points.shape[1] not in FAR_FROM:
            raise ValueError(
                f"{argument('method', 'far')} needs euclidean points with at most {max(FAR_FROM)} features"
            )
        return _by_far_field(space, "asked for")
    if method == "local" and request.certify:
        raise ValueError(
            f"{argument('certify')} must be False for {argument('method', 'local')}, "
            "whose residual is that of a sample"
        )
    if method == "cg":
        return _preconditioned(space, request, "asked for")
    if method != "auto":
        return Choice(method, "asked for")
    if space.on_a_line and request.jitter == 0:
        return Choice("line", "points on a line have a closed form")
    if request.jitter == 0 and space.grid is not None:
        return Choice("grid", "the points fill a grid, over which the similarities are a product")
    if n <= DENSE_LIMIT:
        return Choice("cholesky", f"at most {DENSE_LIMIT} points")
    if not space.positive_definite and n <= FACTOR_LIMIT:
        return Choice("cholesky", "proves whether Z is positive definite, which no theory does here")
    few = (
        space.dimension != 3 or n < LOCAL_FROM or request.certify
    )  # in three dimensions a far field of more takes long
    if space.has_far and few and not _has_near_duplicates(space, request):
        return _by_far_field(space, f"more than {FAR_FROM[space.dimension or 0]} points")
    if (
        not request.certify
        and n >= LOCAL_FROM
        and space.points is not None
        and (space.dimension or 0) <= _FEW_DIMENSIONS
    ):
        return Choice("local", f"at least {LOCAL_FROM} points in {space.dimension} dimensions")
    return _preconditioned(space, request, f"more than {DENSE_LIMIT} points")


def _by_far_field(space: Space, why: str) -> Choice:
    # Nets, the coarse first, see from afar what landmarks would; memory bounds neighbours.
    neighbours = 15 if space.dimension != 3 else 40 if space.n_unique < LOCAL_FROM else 30
    dimensions = "1 dimension" if space.dimension == 1 else f"{space.dimension} dimensions"
    return Choice("far", f"{why}, {dimensions}", neighbours=neighbours)


def _has_near_duplicates(space: Space, request: Request) -> bool:
    """Whether single precision can't tell some points apart, few enough for a dense factor."""
    if request.method != "auto" or space.n_unique > NEAR_LIMIT:
        return False
    return request.scale * space.unit * space.nearest(request.threads) < _NEAR


def _preconditioned(space: Space, request: Request, why: str) -> Choice:
    n = space.n_unique
    sums = row_sums(space, request)
    if float(np.sum(1.0 / sums)) > _SPREAD_OUT * n:
        return Choice("cg", f"{why}, spread out: no preconditioner needed")
    core_scale = request.scale * space.unit
    if request.method == "auto" and n <= NEAR_LIMIT:
        if _has_near_duplicates(space, request):
            return _near_duplicates(space, core_scale, request)
        if is_smooth(space, core_scale, space.nearest(request.threads)):
            return Choice(
                "cholesky", "near points of a smooth kernel, whose eigenvalues iterations don't see"
            )
    few = space.points is not None and (space.dimension or 0) <= _FEW_DIMENSIONS
    if space.metric in _PRODUCTS:  # their small eigenvalues are many, and seen from far
        return Choice(
            "cg", why, landmarks=min(n // 4, max(100, min(n // 10, 2500))), neighbours=30 if few else 7
        )
    if few:
        return Choice("cg", f"{why}, {space.dimension} dimensions", landmarks=min(100, n // 4), neighbours=30)
    return Choice("cg", why, landmarks=min(n // 4, max(100, min(n // 20, 2500))), neighbours=7)


def _near_duplicates(space: Space, core_scale: float, request: Request) -> Choice:
    why = "near-duplicates, which single precision can't tell apart"
    n, apart = space.n_unique, core_scale * space.nearest(request.threads)
    if space.metric not in ("euclidean", "angular") or apart < _NEAREST:
        return Choice("cholesky", why)
    few = (space.dimension or 0) <= _FEW_DIMENSIONS
    return Choice(
        "cg", why, landmarks=min(n // 4, max(100, n // 10)), neighbours=30 if few else 7, single=False
    )


def row_sums(space: Space, request: Request) -> Array:
    """Z 1 in single precision."""
    ones = np.ones((space.n_unique, 1))
    scales = [request.scale * space.unit]
    sums = _core.weigh._similarity_product(space.quick, scales, ones, single=True, n_threads=request.threads)
    return np.asarray(sums[:, 0])
