"""`find_scale`: the number behind scale='fraction' and its like."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._errors import report
from .._spelling import argument
from .._validate import (
    Progress,
    check_choice,
    check_level,
    check_positive,
    check_progress,
    check_threads,
)
from ._choice import Request
from ._local import NEIGHBOURS, has_tree, without_self
from ._solvers import attempt
from ._spaces import Space, check_space

Array = npt.NDArray[np.float64]

RULES = ("fraction", "convergence", "median", "positive_cutoff", "strong_cutoff")
CONVERGENCE = 0.95
_ALL_PAIRS = 3000  # points up to which medians look at all pairs
_SAMPLED_FROM = 100_000  # points from which the magnitude is estimated from neighbourhoods of some
_SAMPLE = 2000
_SOLVED_UP_TO = {
    1: 5_000_000,
    2: 1_000_000,
    3: 200_000,
}  # by dimension: a far field solves in a minute or two
_CUTOFF_POINTS = 60
_CUTOFF_LIMIT = 5000
GRID_NOTE = (
    f"the cutoff was found on a grid of {_CUTOFF_POINTS} scales: between its points nothing is verified"
)


def find_scale(
    X: Any,
    rule: str = "fraction",
    *,
    fraction: float = 0.3,
    metric: str = "euclidean",
    tol: float = 1e-3,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> float:
    """A scale chosen by what it does to the space.

    Parameters
    ----------
    X, metric, n_threads
        As for `weighting`.
    rule : str, default 'fraction'
        - 'fraction': the magnitude is `fraction` times the number of distinct points;
        - 'convergence': the same with .95;
        - 'median': 1 / median distance (of all pairs up to 3,000 points, else of 3,000 sampled ones);
        - 'positive_cutoff': the smallest scale found such that all weights are nonnegative from there on;
        - 'strong_cutoff': the same, and Z is positive semidefinite: w / |X| is then the distribution of
          greatest diversity of every order.
    fraction : float, default 0.3
    tol : float, default 1e-3
        Largest relative error of the magnitude that 'fraction' and 'convergence' aim at, and of the scale
        at a cutoff.
    progress : callable, optional
        Called as progress(step, 0).

    Returns
    -------
    float
        In units of 1 / distance.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; if there is no such scale (fewer than 2 distinct points).

    Notes
    -----
    'fraction' and 'convergence' search log scale for a root, starting each solve from the weights of the
    one before; the magnitude of a positive definite Euclidean space is assumed to rise there. From 100,000
    points in up to 12 dimensions the magnitude is estimated from the local weights of 2,000 points. Cutoffs
    scan 60 scales down from log(n - 1) / (smallest distance), above which nothing can fail, to the first
    that fails, and bisect there: what lies between two points of the grid is not verified. Each takes a
    dense solve, up to 5,000 points.

    References
    ----------
    .. [1] Huntsman, "Diversity enhancement via magnitude", arXiv 2201.10037.

    Examples
    --------
    >>> from steelyard import weigh
    >>> print(round(weigh.find_scale([[0.0], [1.0]], fraction=0.75), 2))  # 1 + tanh(t/2) = 1.5
    1.1
    """
    space = check_space(X, metric)
    request = Request(scale=1.0, threads=check_threads(n_threads), progress=check_progress(progress))
    check_choice(rule, "rule", RULES)
    return scale_by_rule(space, rule, check_level(fraction, "fraction"), check_positive(tol, "tol"), request)


def resolve_scale(space: Space, scale: object, fraction: float, request: Request) -> Request:
    """The request with its scale as a number."""
    if isinstance(scale, str):
        number = scale_by_rule(space, check_choice(scale, "scale", RULES), fraction, 1e-3, request)
    else:
        number = check_positive(scale, "scale")
    return replace(request, scale=number)


def scale_by_rule(space: Space, rule: str, fraction: float, tol: float, request: Request) -> float:
    """One of RULES on a checked space."""
    if space.n_unique < 2:
        raise ValueError(
            f"{argument('X')} must have at least 2 distinct points for {argument('scale', rule)}, "
            f"got {space.n_unique}"
        )
    if not space.symmetric:
        raise ValueError(f"X must be a symmetric distance for scale={rule!r}; give scale as a number")
    if rule == "median":
        return 1.0 / median_distance(space)
    if rule in ("positive_cutoff", "strong_cutoff"):
        return _cutoff(space, rule == "strong_cutoff", tol, request)
    share = CONVERGENCE if rule == "convergence" else fraction
    if share * space.n_unique <= 1.0:
        raise ValueError(
            f"{argument('fraction')} must be above 1 / {space.n_unique}: the magnitude is at least 1, "
            f"got {share}; or give {argument('scale')} a number"
        )
    if not _is_sampled(space):
        return _root(_solved_share(space, request, tol), share, 1.0 / median_distance(space), tol)
    sampled = _sampled_share(space, request)
    near = _root(sampled, share, 1.0 / median_distance(space), tol)
    if not space.has_far or space.n_unique > _SOLVED_UP_TO[space.dimension or 0]:
        return near
    slope = math.log(sampled(1.05 * near) / sampled(near)) / math.log(1.05)
    return _corrected(_solved_share(space, request, tol), share, near, slope, tol)


def median_distance(space: Space) -> float:
    """Of the pairs of points that differ; some of them where there are many."""
    n = space.n_unique
    index = np.arange(n)
    if n > _ALL_PAIRS:
        index = np.sort(np.random.default_rng(n).choice(n, _ALL_PAIRS, replace=False))
    part = space.subset(index)
    D = part.distances if part.points is None else part.unit * part.between(part.points)
    assert D is not None
    pairs = D[np.triu_indices(len(D), 1)]
    finite = pairs[np.isfinite(pairs) & (pairs > 0)]
    if not len(finite):
        raise _no_distance()
    return float(np.median(finite))


def _no_distance() -> ValueError:
    return ValueError(
        f"{argument('X')} has no two points at a finite positive distance: no scale can be found"
    )


def _is_sampled(space: Space) -> bool:
    return space.n_unique >= _SAMPLED_FROM and has_tree(space)


def _solved_share(space: Space, request: Request, tol: float) -> Callable[[float], float]:
    """scale -> magnitude / n, each solve starting from the one before."""
    state: dict[str, Any] = {"start": None, "step": 0}

    def share(scale: float) -> float:
        state["step"] += 1
        report(request.progress, state["step"], 0)
        # A scale on the way need not be met exactly, nor is it worth a warning.
        found = attempt(
            space,
            replace(
                request,
                method="auto",
                scale=scale,
                tol=0.1 * tol,
                stop="magnitude",
                start=state["start"],
                progress=None,
                jitter=0.0,
            ),
        )
        state["start"] = found.weights[space.first] if not space.merged else None
        return found.magnitude / space.n_unique

    return share


def _sampled_share(space: Space, request: Request) -> Callable[[float], float]:
    """scale -> mean local weight of some points among their neighbours in the whole space."""
    from scipy.spatial import cKDTree

    points = space.points
    assert points is not None
    n = len(points)
    rows = np.sort(np.random.default_rng(n).choice(n, _SAMPLE, replace=False))
    p = {"euclidean": 2.0, "cityblock": 1.0, "chebyshev": np.inf}.get(space.metric, space.power)
    _, near = cKDTree(points).query(points[rows], k=NEIGHBOURS + 1, p=p, workers=request.threads)
    near = without_self(near, rows)
    # The sampled points first, each with its neighbours behind them.
    everyone, place = np.unique(np.concatenate([rows, near.ravel()]), return_inverse=True)
    order = np.concatenate([place[:_SAMPLE], np.setdiff1d(np.arange(len(everyone)), place[:_SAMPLE])])
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    part = space.subset(everyone[order])
    local = np.ascontiguousarray(back[place[_SAMPLE:]].reshape(near.shape), dtype=np.int32)

    def share(scale: float) -> float:
        weights = _core.weigh._local_weights(part.core, scale * part.unit, 0, local, request.threads)
        return float(np.nanmean(np.clip(weights, 0.0, 1.0)))

    return share


def _root(measure: Callable[[float], float], share: float, start: float, tol: float) -> float:
    """measure(scale) = share by bracketing, then the Illinois rule on log measure over log scale."""

    def height(x: float) -> float:
        return math.log(max(measure(math.exp(x)), 1e-12) / share)

    x = math.log(start)
    y = height(x)
    other = x
    for _ in range(80):
        if abs(y) <= tol:
            return math.exp(x)
        other = x - math.copysign(math.log(4.0), y)
        value = height(other)
        if value * y <= 0:
            break
        x, y = other, value
    else:
        raise ValueError(
            f"{argument('X')} has no scale at which the magnitude is {share:.3g} of the number of points"
        )
    low, high = (x, other), (y, value)
    for _ in range(60):
        middle = (low[0] * high[1] - low[1] * high[0]) / (high[1] - high[0])
        z = height(middle)
        if abs(z) <= tol or abs(low[1] - low[0]) <= 1e-12:
            return math.exp(middle)
        if z * high[1] < 0:
            low, high = (low[1], middle), (high[1], z)
        else:
            low, high = (low[0], middle), (0.5 * high[0], z)
    return math.exp(middle)


def _corrected(
    measure: Callable[[float], float], share: float, scale: float, slope: float, tol: float
) -> float:
    """measure(scale) = share from a scale near by: secants of log measure over log scale."""
    x, y = math.log(scale), math.log(measure(scale) / share)
    for _ in range(20):
        if abs(y) <= tol:
            break
        further = x - min(max(y / max(slope, 1e-3), -0.7), 0.7)
        value = math.log(measure(math.exp(further)) / share)
        if further != x and value != y:
            slope = (value - y) / (further - x)
        x, y = further, value
    return math.exp(x)


def _cutoff(space: Space, strong: bool, tol: float, request: Request) -> float:
    n = space.n_unique
    if n > _CUTOFF_LIMIT:
        raise ValueError(
            f"{argument('X')} has {n} distinct points; cutoffs solve dense systems, at most "
            f"{_CUTOFF_LIMIT} points"
        )
    nearest = space.unit * _core.weigh._smallest_distance(space.core, request.threads)
    if not 0 < nearest < math.inf:
        raise _no_distance()
    high = max(math.log(n - 1), 1e-3) / nearest if n > 2 else 1e-3 / nearest
    low = 1e-3 / median_distance(space)
    grid = np.geomspace(high, min(low, 1e-2 * high), _CUTOFF_POINTS)
    good = float(grid[0])
    for step, t in enumerate(grid[1:].tolist()):
        report(request.progress, step, _CUTOFF_POINTS)
        if not _is_nonnegative(space, t, strong, request):
            return _bisected(lambda s: _is_nonnegative(space, s, strong, request), t, good, tol)
        good = t
    return good


def _bisected(is_good: Callable[[float], bool], bad: float, good: float, tol: float) -> float:
    while good - bad > tol * good:
        middle = math.sqrt(bad * good)
        bad, good = (bad, middle) if is_good(middle) else (middle, good)
    return good


def _is_nonnegative(space: Space, scale: float, strong: bool, request: Request) -> bool:
    try:
        found = attempt(
            space, replace(request, scale=scale, tol=1e-10, method="auto", progress=None, jitter=0.0)
        )
    except ValueError:  # singular
        return False
    if strong and found.info.positive_definite is None:
        return False
    return bool(found.weights.min() >= -1e-9)
