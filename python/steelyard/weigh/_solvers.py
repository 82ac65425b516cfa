"""Which solver, and its answer as a Weighting."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._errors import finish, interrupted
from .._spelling import argument, shown
from .._validate import Progress
from ._bounds import gershgorin, narcowich_ward
from ._enriched import solution_of
from ._local import local_answer
from ._result import WeighInfo, Weighting, merged_note
from ._spaces import Space

Array = npt.NDArray[np.float64]

METHODS = ("auto", "line", "cholesky", "mixed", "cg", "local", "direct")
DENSE_LIMIT = 3000  # points up to which a dense factorisation is quicker than anything else
NEAR_LIMIT = 8000  # up to which it is where single precision can't tell points apart
FACTOR_LIMIT = 30_000  # up to which a dense factor is the way out
LOCAL_FROM = 200_000
_MAX_ITER = 1500
_SPREAD_OUT = 0.35  # share of n that the spread must reach for the plain iteration to be the quickest
_FEW_DIMENSIONS = 3
_NEAR = 1e-6  # scale * distance: less makes two rows of Z the same in single precision
_EPS = float(np.finfo(float).eps)


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
    start: Array | None = None
    who: str = "weighting"


@dataclass(frozen=True)
class Choice:
    """A solver, why, and the size of its preconditioner."""

    method: str
    why: str
    landmarks: int = 0
    neighbours: int = 0


def solve(space: Space, request: Request, n_threads: int | None = None) -> Weighting:
    """The weighting of a space; warns where it misses the tolerance, raises what Ctrl-C asks for."""
    return finish(_answer(space, request), request.who, n_threads=n_threads)


def attempt(space: Space, request: Request) -> Weighting:
    """A weighting on the way to something else, which need not meet its tolerance."""
    found = _answer(space, request)
    if found.info.interrupted:
        raise interrupted(found)
    return found


def _answer(space: Space, request: Request) -> Weighting:
    choice = choose(space, request)
    return _SOLVERS[choice.method](space, request, choice)


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
    if not space.symmetric:
        if method not in ("auto", "direct"):
            raise ValueError(
                f"method must be 'auto' or 'direct' for asymmetric distances, got {shown(method)}"
            )
        return Choice("direct", "asymmetric distances")
    if n == 1 and method == "local":
        return Choice("cholesky", "one point has no neighbours")
    if method == "cg":
        return _preconditioned(space, request, "asked for")
    if method != "auto":
        return Choice(method, "asked for")
    if space.on_a_line and request.jitter == 0:
        return Choice("line", "points on a line have a closed form")
    if n <= DENSE_LIMIT:
        return Choice("cholesky", f"at most {DENSE_LIMIT} points")
    if not space.positive_definite and n <= FACTOR_LIMIT:
        return Choice("cholesky", "proves whether Z is positive definite, which no theory does here")
    if n >= LOCAL_FROM and space.points is not None and (space.dimension or 0) <= _FEW_DIMENSIONS:
        return Choice("local", f"at least {LOCAL_FROM} points in {space.dimension} dimensions")
    return _preconditioned(space, request, f"more than {DENSE_LIMIT} points")


def _preconditioned(space: Space, request: Request, why: str) -> Choice:
    n = space.n_unique
    sums = row_sums(space, request)
    if float(np.sum(1.0 / sums)) > _SPREAD_OUT * n:
        return Choice("cg", f"{why}, spread out: no preconditioner needed")
    core_scale = request.scale * space.unit
    if request.method == "auto" and n <= NEAR_LIMIT and core_scale * space.nearest(request.threads) < _NEAR:
        return Choice("cholesky", "near-duplicates, which single precision can't tell apart")
    if space.points is not None and (space.dimension or 0) <= _FEW_DIMENSIONS:
        return Choice("cg", f"{why}, {space.dimension} dimensions", landmarks=min(100, n // 4), neighbours=30)
    return Choice("cg", why, landmarks=min(n // 4, max(100, min(n // 20, 2500))), neighbours=7)


def row_sums(space: Space, request: Request) -> Array:
    """Z 1 in single precision."""
    ones = np.ones((space.n_unique, 1))
    scales = [request.scale * space.unit]
    sums = _core.weigh._similarity_product(space.core, scales, ones, single=True, n_threads=request.threads)
    return np.asarray(sums[:, 0])


def _line(space: Space, request: Request, choice: Choice) -> Weighting:
    assert space.points is not None
    order = np.argsort(space.points[:, 0])
    weights = np.empty(space.n_unique)
    weights[order] = _core.weigh._line_weights(space.points[order, 0], request.scale * space.unit)
    info = WeighInfo(
        converged=True,
        iterations=0,
        solver=f"closed form on a line ({choice.why})",
        seconds=0.0,
        tol=request.tol,
        error_bound=0.0,
        error_kind="rigorous",
        message=merged_note(space.merged),
        residual=0.0,
        lower_bound=float(weights.sum()),
        error_estimate=0.0,
        positive_definite="theory",
        merged=space.merged,
    )
    return _weighting(space, request, weights, info)


def _cholesky(space: Space, request: Request, choice: Choice) -> Weighting:
    out = _core.weigh._weights_by_cholesky(
        space.core,
        request.scale * space.unit,
        mixed=choice.method == "mixed",
        tol=request.tol,
        jitter=request.jitter,
        n_threads=request.threads,
        progress=request.progress,
    )
    column = out["columns"][0]
    failed = not column["converged"] and not out["info"]["interrupted"]
    if request.method == "auto" and failed and (column["indefinite"] or not space.positive_definite):
        return _direct(space, request, Choice("direct", "Cholesky found Z not positive definite"))
    if column["indefinite"]:
        raise ValueError(
            f"{argument('method', request.method)} needs a positive definite Z, which it is not to rounding "
            f"at scale {request.scale:.6g}; use {argument('method', 'auto')} or 'direct'"
        )
    return _finished(space, request, choice, out, proof="Cholesky")


def _gradients(space: Space, request: Request, choice: Choice) -> Weighting:
    out = _core.weigh._weights_by_gradients(
        space.core,
        [request.scale * space.unit],
        request.tol,
        stop=request.stop,
        landmarks=choice.landmarks,
        neighbours=choice.neighbours,
        max_iter=_MAX_ITER,
        jitter=request.jitter,
        start=None if request.start is None else request.start[:, None],
        n_threads=request.threads,
        progress=request.progress,
    )
    column, info = out["columns"][0], out["info"]
    gave_up = not column["converged"] and not info["interrupted"]
    if gave_up and request.method == "auto" and space.n_unique <= FACTOR_LIMIT:
        return _cholesky(space, request, Choice("mixed", "conjugate gradients gained nothing more"))
    return _finished(space, request, choice, out, proof="theory" if space.positive_definite else None)


def _local(space: Space, request: Request, choice: Choice) -> Weighting:
    weights, info = local_answer(space, request.scale, request.threads, request.progress)
    info = replace(info, solver=f"{info.solver} ({choice.why})", merged=space.merged)
    return _weighting(space, request, weights, info)


def _direct(space: Space, request: Request, choice: Choice) -> Weighting:
    """LDL', LU or least squares on the whole Z."""
    if space.n_unique > FACTOR_LIMIT:
        raise ValueError(
            f"{argument('X')} has {space.n_unique} points: {argument('method', 'direct')} stores all "
            f"similarities, at most {FACTOR_LIMIT} points"
        )
    D = space.distances if space.points is None else space.unit * space.between(space.points)
    assert D is not None
    Z = np.exp(-request.scale * D)
    Z[np.diag_indices_from(Z)] += request.jitter
    found = solution_of(Z, max(request.tol, 1e-12))
    if found.weighting is None or not found.weighting_exists:
        raise ValueError(
            f"no weighting exists at scale {request.scale:.6g}: Z is singular and the least-squares "
            f"residual is {found.weighting_residual:.1e}; another scale has one, and solve_similarity "
            "shows more"
        )
    notes = [found.info.message] if found.info.message else []
    proof = "Cholesky" if found.info.positive_definite else None
    if proof is None and space.symmetric:
        notes.append("Z is not positive definite: the magnitude has no lower bound and can be negative")
    w = found.weighting
    info = WeighInfo(
        converged=found.weighting_residual <= request.tol,
        iterations=found.info.iterations,
        solver=f"{found.info.solver} ({choice.why})",
        seconds=found.info.seconds,
        tol=request.tol,
        error_bound=None,
        error_kind="estimate",
        message="; ".join(notes) or merged_note(space.merged),
        residual=found.weighting_residual,
        lower_bound=float(2 * w.sum() - w @ Z @ w) if proof else None,
        positive_definite=proof,
        merged=space.merged,
        jitter=request.jitter,
    )
    coweights = None if space.symmetric else found.coweighting
    return _weighting(space, request, w, info, coweights)


_SOLVERS = {
    "line": _line,
    "cholesky": _cholesky,
    "mixed": _cholesky,
    "cg": _gradients,
    "local": _local,
    "direct": _direct,
}


def _finished(
    space: Space, request: Request, choice: Choice, out: Mapping[str, Any], proof: str | None
) -> Weighting:
    column = out["columns"][0]
    weights = out["weights"][:, 0] if len(out["weights"]) else np.full(space.n_unique, np.nan)
    residual = float(column["residual"])
    squared = space.n_unique * residual**2
    core_scale = request.scale * space.unit
    estimate = float(column["error_estimate"])
    mu, nearest = 0.0, math.inf
    if not out["info"]["interrupted"]:
        mu, nearest = _proven(space, core_scale, request.threads)
        mu += request.jitter
    proven = proof is not None and mu > 0.0
    rounding = space.n_unique * _EPS * abs(float(column["lower_bound"]))
    bound = (squared / mu if proven else estimate) + rounding
    if proof is None or not math.isfinite(bound) or bound >= 1e299:
        bound, estimate = None, None  # type: ignore[assignment]
    size = float(np.linalg.norm(weights))
    # The residual, and the last digits of coordinates up to 1, over the smallest eigenvalue of a near pair.
    doubt = residual * math.sqrt(space.n_unique) / max(-math.expm1(-core_scale * nearest), _EPS)
    doubt += 4 * _EPS / max(nearest, _EPS) * size
    notes = [merged_note(space.merged)] if space.merged else []
    if doubt > 0.01 * size:
        notes.append(
            f"points as near as {space.unit * nearest:.1e} to each other: their single weights are not "
            f"determined to 1 %, their sum is (merge them, or lower {argument('tol')})"
        )
    if proof is None:
        notes.append("nothing proves Z positive definite: the lower bound may not hold")
    info = WeighInfo.from_core(
        out["info"],
        solver=f"{out['info']['solver']} ({choice.why})",
        converged=bool(column["converged"]) and not out["info"]["interrupted"],
        error_bound=bound,
        error_kind="rigorous" if proven else "estimate",
        message="; ".join(notes),
        residual=residual,
        lower_bound=float(column["lower_bound"]) if proof is not None else None,
        error_estimate=estimate,
        smallest_eigenvalue=mu if proven else None,
        positive_definite=("theory" if space.positive_definite else proof) if proof else None,
        merged=space.merged,
        jitter=request.jitter,
    )
    if not info.converged and not info.interrupted:
        info = replace(info, message=_missed(info, column["indefinite"]))
    return _weighting(space, request, weights, info)


def _proven(space: Space, core_scale: float, threads: int) -> tuple[float, float]:
    """(mu <= lambda_min(Z), or 0; smallest distance), in the kernels' unit."""
    n = space.n_unique
    if n == 1:
        return 1.0, math.inf
    nearest = space.nearest(threads)
    mu = 0.0
    if -core_scale * nearest < -math.log(n):  # else the sums can't be small enough
        sums = _core.weigh._similarity_product(space.core, [core_scale], np.ones((n, 1)), n_threads=threads)
        mu = gershgorin(float(sums.max()))
    if space.metric == "euclidean" and space.dimension is not None:
        # A distance is known to some ulps of the coordinates, which are at most 1.
        mu = max(mu, narcowich_ward(nearest - 8 * _EPS, space.dimension, core_scale))
    return mu, nearest


def _missed(info: WeighInfo, indefinite: bool) -> str:
    why = (
        f"Z is not positive definite: try {argument('method', 'direct')}"
        if indefinite
        else f"accept it by a larger {argument('tol')}"
    )
    text = f"{info.solver} stopped at a residual of {info.residual:.1e} > tol = {info.tol:.1e}; {why}"
    return f"{text}; {info.message}" if info.message else text


def _weighting(
    space: Space, request: Request, weights: Array, info: WeighInfo, coweights: Array | None = None
) -> Weighting:
    all_weights = space.spread_out(weights)
    all_weights.flags.writeable = False
    if coweights is not None:
        coweights = space.spread_out(coweights)
        coweights.flags.writeable = False
    # The residual tells how much of the magnitude the sum still misses.
    magnitude = info.lower_bound if info.lower_bound is not None else float(weights.sum())
    return Weighting(
        weights=all_weights,
        magnitude=magnitude,
        scale=request.scale,
        metric=space.metric,
        info=info,
        coweights=coweights,
        _space=space,
    )
