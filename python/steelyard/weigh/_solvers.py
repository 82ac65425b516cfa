"""Which solver, and its answer as a Weighting."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._errors import finish, interrupted
from .._spelling import argument
from ._bounds import product_of_gaps, rounding
from ._certificate import (
    OPEN,
    hides_eigenvalues,
    is_smooth,
    notes_on_weights,
    open_by_how_much,
    proven_eigenvalue,
    stated_bounds,
    with_blurred,
)
from ._choice import FACTOR_LIMIT, NEAR_LIMIT, Choice, Request, choose
from ._closed_form import closed_form
from ._enriched import solution_of
from ._far import EXACT, deviation
from ._iterations import MAX_ITER, certified, iterated
from ._local import local_answer
from ._result import WeighInfo, Weighting, merged_note
from ._spaces import Space
from ._wide import LIMIT as WIDE_LIMIT
from ._wide import UNDETERMINED, wide_answer

Array = npt.NDArray[np.float64]

_EXACT_LIMIT = 1000  # points up to which 106 bits cost nothing to speak of
_LEAST_TOL = 1e-10  # relative error of the magnitude that is never worth 106 bits
_SINGULAR = "Z is singular to the rounding of float64"
_LOST = (
    1e-3  # of the magnitude: what rounding can move for many points without the tolerance counting as missed
)
_CLOSER = 1e-3  # of the tolerance, where points are near-duplicates
_POLISH = 3  # rounds of smaller residuals for weights that are open
_EPS = float(np.finfo(float).eps)


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


def _closed(space: Space, request: Request, choice: Choice) -> Weighting:
    weights, size, info = closed_form(space, request.scale, request.tol, choice.method, choice.why)
    if choice.method == "grid":
        info = replace(info, smallest_eigenvalue=product_of_gaps(space, request.scale * space.unit) or None)
    return _weighting(space, request, weights, info, size)


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
    stopped = bool(out["info"]["interrupted"])
    failed = not column["converged"] and not stopped
    if column["indefinite"] and space.positive_definite:
        found = _wide(space, request, _SINGULAR)
        if found is None and request.method != "auto":
            found = _wide(space, request, _SINGULAR, partly=True)
        if found is not None:
            return found
    if request.method == "auto" and failed and (column["indefinite"] or not space.positive_definite):
        return _direct(space, request, Choice("direct", "Cholesky found Z not positive definite"))
    if column["indefinite"] and space.positive_definite:
        raise ValueError(
            f"{argument('X')} has a Z that is singular to the rounding of float64 at scale "
            f"{request.scale:.6g}: use a larger scale, or more {argument('jitter')}"
        )
    if column["indefinite"]:
        raise ValueError(
            f"{argument('method', request.method)} needs a positive definite Z, which it is not to rounding "
            f"at scale {request.scale:.6g}; use {argument('method', 'auto')} or 'direct'"
        )
    return _finished(space, request, choice, out, proof="Cholesky")


def _gradients(space: Space, request: Request, choice: Choice) -> Weighting:
    apart = choice.single or request.stop != "residual"
    # Near-duplicates lie along eigenvalues so small that their single weights want more than the residual.
    tol = request.tol if apart else max(_CLOSER * request.tol, _LEAST_TOL * 1e-2)
    out = iterated(space, request, choice, tol, None if request.start is None else request.start[:, None])
    if not apart:
        out["columns"][0]["converged"] |= bool(out["columns"][0]["residual"] <= request.tol)
        out["info"]["tol"] = request.tol
    column, info = out["columns"][0], out["info"]
    gave_up = not column["converged"] and not info["interrupted"]
    if hides_eigenvalues(space):
        _look(space, request, choice, out)
    if not info["interrupted"] and request.stop == "residual" and _is_open(space, request, choice, out):
        if request.method == "auto" and space.n_unique <= NEAR_LIMIT:
            return _cholesky(
                space, request, Choice("cholesky", "single weights are open to smaller residuals")
            )
        out = _polished(space, request, choice, out)
    if request.certify and choice.method == "far" and not column["rigorous"] and not info["interrupted"]:
        out = certified(space, request, choice, out)
    if gave_up and request.method == "auto" and space.n_unique <= FACTOR_LIMIT:
        again = "mixed" if choice.single else "cholesky"
        return _cholesky(space, request, Choice(again, "conjugate gradients gained nothing more"))
    return _finished(space, request, choice, out, proof="theory" if space.positive_definite else None)


def _local(space: Space, request: Request, choice: Choice) -> Weighting:
    weights, info = local_answer(space, request.scale, request.threads, request.progress)
    info = replace(info, solver=f"{info.solver} ({choice.why})", merged=space.merged)
    return _weighting(space, request, weights, info, float(weights.sum()))


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
    if space.positive_definite and not found.info.positive_definite:
        there = found.weighting is not None and found.weighting_exists
        wide = _wide(space, request, _SINGULAR, partly=None if there else True)
        if wide is not None:
            return wide
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
    size = float(2 * w.sum() - w @ Z @ w) if proof else float(w.sum())
    err = rounding(space, request.scale * space.unit, w, found.weighting_residual)
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
        lower_bound=size - err.bound if proof else None,
        positive_definite=proof,
        merged=space.merged,
        jitter=request.jitter,
    )
    coweights = None if space.symmetric else found.coweighting
    return _weighting(space, request, w, info, size, coweights)


_SOLVERS = {
    "line": _closed,
    "grid": _closed,
    "cholesky": _cholesky,
    "mixed": _cholesky,
    "cg": _gradients,
    "far": _gradients,
    "local": _local,
    "direct": _direct,
}


def _finished(
    space: Space, request: Request, choice: Choice, out: Mapping[str, Any], proof: str | None
) -> Weighting:
    column, stopped = out["columns"][0], bool(out["info"]["interrupted"])
    weights = out["weights"][:, 0] if len(out["weights"]) else np.full(space.n_unique, np.nan)
    core_scale = request.scale * space.unit
    mu, nearest = (0.0, math.inf) if stopped else proven_eigenvalue(space, core_scale, request.threads)
    mu += request.jitter
    off = deviation(space, core_scale, out, request.threads) if choice.method == "far" else EXACT
    column = column | {"residual": column["residual"] + off.rms}
    err = rounding(space, core_scale, weights, column["residual"])
    size, value = float(np.linalg.norm(weights)), float(column["lower_bound"])
    open_by = (
        None if stopped else open_by_how_much(space, request.jitter, column, err, core_scale, nearest, size)
    )
    vague = not stopped and not err.bound <= max(request.tol, _LEAST_TOL) * abs(value)
    unseen = proof == "theory" and mu <= 0.0 and is_smooth(space, core_scale, nearest)
    vague = vague or (unseen and not stopped)
    few = space.n_unique <= _EXACT_LIMIT
    blurred = few and open_by is not None and open_by > OPEN * size
    exactly = few or space.metric == "cosine"  # else 106 bits cost more than they tell
    if (vague and exactly) or (blurred and proof == "Cholesky"):
        wide = _wide(space, request, "float64 does not tell the magnitude" if vague else "nor single weights")
        bounded = 0.0 if wide is None or wide.info.lower_bound is None else wide.info.lower_bound
        if wide is not None and (wide.info.error_bound is not None or bounded >= value - err.bound):
            return wide
    bound, estimate, proven = stated_bounds(space, column, err, off, mu, None if unseen else proof)
    notes = notes_on_weights(space, open_by, size, nearest)
    if "certified" in out:
        notes.append(f"residual proven by all pairs in {out['certified']:.1f} s")
    lost = vague and (exactly or not err.bound <= _LOST * abs(value))
    if unseen:
        notes.append(f"{UNDETERMINED}: conjugate gradients don't see small eigenvalues of a smooth kernel")
    elif vague:
        words = f"{UNDETERMINED}: rounding alone" if lost else "rounding"
        notes.append(f"{words} can move the magnitude by {err.bound:.1e}")
    if proof is None:
        notes.append("nothing proves Z positive definite: the lower bound may not hold")
    info = WeighInfo.from_core(
        out["info"],
        solver=f"{out['info']['solver']} ({choice.why})",
        converged=bool(column["converged"]) and not stopped and not lost,
        error_bound=bound,
        error_kind="rigorous" if proven else "estimate",
        message="; ".join(notes),
        residual=float(out["columns"][0]["residual"]),
        residual_error=off.rms,
        residual_kind=off.kind,
        lower_bound=value - err.bound - off.weighted if proof is not None else None,
        error_estimate=estimate,
        weight_error=None if unseen else open_by,  # by eigenvalues that were seen
        smallest_eigenvalue=mu if proof is not None and mu > 0.0 else None,
        positive_definite=("theory" if space.positive_definite else proof) if proof else None,
        merged=space.merged,
        jitter=request.jitter,
    )
    if not column["converged"] and not info.interrupted:
        indefinite = column["indefinite"] and not space.positive_definite
        info = replace(info, message=_missed(info, indefinite))
    return _weighting(space, request, weights, info, value)


def _look(space: Space, request: Request, choice: Choice, out: dict[str, Any]) -> None:
    """The least quotient from a random side, where theory leaves weights open, else none.

    What the symmetries of the points keep from 1 is not seen on the way to its solution.
    """
    column, info = out["columns"][0], out["info"]
    column["seen"] = 0.0
    asked = request.stop == "residual" and not info["interrupted"]
    if not asked or not _is_open(space, request, choice, out, unseen=True):
        return
    column["seen"] = _core.weigh._least_quotient(
        space.core,
        request.scale * space.unit,
        landmarks=choice.landmarks,
        neighbours=choice.neighbours,
        max_iter=MAX_ITER,
        jitter=request.jitter,
        n_threads=request.threads,
    )
    info["interrupted"] = column["seen"] < 0.0


def _is_open(
    space: Space, request: Request, choice: Choice, out: Mapping[str, Any], *, unseen: bool = False
) -> bool:
    """Whether conjugate gradients left single weights open that a smaller residual would settle.

    Asked of kernels that are smooth across axes, where weights of either sign can hide, and of
    near-duplicates that a factor would tell apart; elsewhere a note says it, and `tol` is for the caller to
    lower. `unseen`: whether they may be, by theory alone.
    """
    if not hides_eigenvalues(space) and choice.single:
        return False
    column, w = out["columns"][0], out["weights"][:, 0]
    core_scale = request.scale * space.unit
    size = float(np.linalg.norm(w))
    if column["inverse_of_residual"] > 0.0 and not hides_eigenvalues(space):
        return float(column["inverse_of_residual"]) > OPEN * size
    nearest = space.nearest(request.threads) if space.n_unique > 1 else math.inf
    err = rounding(space, core_scale, w, float(column["residual"]))
    open_by = open_by_how_much(space, request.jitter, column, err, core_scale, nearest, size)
    return open_by > OPEN * size and (unseen or column["residual"] > 100 * err.usual)


def _polished(space: Space, request: Request, choice: Choice, out: dict[str, Any]) -> dict[str, Any]:
    """The answer of conjugate gradients, gone on with where single weights are open."""
    for _ in range(_POLISH):
        if not _is_open(space, request, choice, out):
            break
        column, w = out["columns"][0], out["weights"][:, 0]
        err = rounding(space, request.scale * space.unit, w, float(column["residual"]))
        tol = max(1e-3 * float(column["residual"]), 20 * err.usual)
        more, before = iterated(space, request, choice, tol, w[:, None]), column
        if more["info"]["interrupted"] or not more["columns"][0]["residual"] < before["residual"]:
            break
        new = more["columns"][0]
        new |= {
            "seen": min(before["seen"], new["seen"]) if new["seen"] else before["seen"],
            "converged": before["converged"] or new["converged"],
            "iterations": before["iterations"] + new["iterations"],
            "error_estimate": min(before["error_estimate"], new["error_estimate"]),
        }
        more["info"] |= {
            "iterations": out["info"]["iterations"] + more["info"]["iterations"],
            "seconds": out["info"]["seconds"] + more["info"]["seconds"],
            "tol": request.tol,
        }
        out = more
    return out


def _wide(space: Space, request: Request, why: str, *, partly: bool | None = None) -> Weighting | None:
    """The answer in 106 bits, where that can be had; that of some points only for a smooth kernel.

    Points that 106 bits don't tell apart are copies of one another for the other kernels, which least squares
    shares a weight out to.
    """
    if request.jitter > 0.0 or space.n_unique > WIDE_LIMIT:
        return None
    found = wide_answer(
        space,
        request.scale,
        request.tol,
        request.threads,
        request.progress,
        why=why,
        partly=space.metric == "cosine" if partly is None else partly,
    )
    if found is None:
        return None
    weights, size, info = found
    return _weighting(space, request, weights, info, size)


def _missed(info: WeighInfo, indefinite: bool) -> str:
    why = (
        f"Z is not positive definite: try {argument('method', 'direct')}"
        if indefinite
        else f"accept it by a larger {argument('tol')}"
    )
    text = f"{info.solver} stopped at a residual of {info.residual:.1e} > tol = {info.tol:.1e}; {why}"
    return f"{text}; {info.message}" if info.message else text


def _weighting(
    space: Space,
    request: Request,
    weights: Array,
    info: WeighInfo,
    magnitude: float,
    coweights: Array | None = None,
) -> Weighting:
    all_weights = space.spread_out(weights)
    all_weights.flags.writeable = False
    if coweights is not None:
        coweights = space.spread_out(coweights)
        coweights.flags.writeable = False
    if space.blurred:
        info = with_blurred(space, request.scale, info)
    return Weighting(
        weights=all_weights,
        magnitude=magnitude,
        scale=request.scale,
        metric=space.metric,
        info=info,
        coweights=coweights,
        _space=space,
    )
