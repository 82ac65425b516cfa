"""What a solve is worth: bounds, proven eigenvalues, how far single weights are open."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from .. import _core
from .._spelling import argument
from ._bounds import Rounding, gershgorin, likely, narcowich_ward, product_of_gaps
from ._far import Deviation
from ._result import WeighInfo, merged_note
from ._spaces import Space
from ._wide import share_of

OPEN = 1e-3  # error of single weights, as a share of their size, that is spoken of
_APART = 0.1  # 1 - similarity of all points from which a smooth kernel is taken to be regular
_SEEN = 0.1  # of a Rayleigh quotient that may have missed the smallest eigenvalue
_ALIGNED = 3.0  # times that rounding of one component, as little of it lies along the smallest eigenvector
_NEARLY = 1.5  # an inverse of points that are near each other alone: right to a fifth, where it was tried
_BLURRED = 1e-6  # 1 - similarity below which float32 may not see two points
_UNSEEN = 0.01  # of what a random vector has of the nearest pair
_EPS = float(np.finfo(float).eps)


def is_smooth(space: Space, core_scale: float, nearest: float) -> bool:
    """Whether Z can have eigenvalues below all rounding: points near one another to a smooth kernel."""
    return space.metric == "cosine" and -math.expm1(-core_scale * nearest) < _APART


def error_bounds(
    space: Space, column: Mapping[str, Any], err: Rounding, off: Deviation, mu: float, proof: str | None
) -> tuple[float | None, float | None]:
    """(bound, estimate) of how far the magnitude can lie above the lower bound."""
    n = space.n_unique
    if proof is None:
        return None, None
    estimate = float(column["error_estimate"]) + 2.0 * (err.bound + off.weighted)
    if column["smallest"] > 0.0:
        estimate += n * err.usual**2 / float(column["smallest"])
    known = math.isfinite(estimate) and estimate < 1e299
    if mu > 0.0:
        left = math.sqrt(n) * (float(column["residual"]) + err.component)
        return left * left / mu + 2.0 * (err.bound + off.weighted), estimate if known else None
    return (estimate, estimate) if known else (None, None)


def stated_bounds(
    space: Space,
    column: Mapping[str, Any],
    err: Rounding,
    off: Deviation,
    mu: float,
    proof: str | None,
) -> tuple[float | None, float | None, bool]:
    """(bound, estimate, whether the bound is proven): an estimate where a proof says next to nothing."""
    bound, estimate = error_bounds(space, column, err, off, mu, proof)
    proven = bound is not None and mu > 0.0 and off.kind == "rigorous"
    if bound is None or estimate is None or bound <= estimate:
        return bound, estimate, proven
    if off.kind == "estimate" or estimate < abs(float(column["lower_bound"])) < bound:
        return estimate, estimate, False
    return bound, estimate, proven


def hides_eigenvalues(space: Space) -> bool:
    """Whether eigenvalues can be far below what two points apart tell, and out of sight of 1."""
    return space.metric in ("cityblock", "hamming", "minkowski") and not space.on_a_line


def _guessed(space: Space, jitter: float, seen: float, core_scale: float, nearest: float) -> float:
    """The smallest eigenvalue of Z + jitter, from theory and the least Rayleigh quotient seen, if any."""
    theory = likely(space, core_scale, nearest) + jitter
    if space.metric in ("euclidean", "angular", "precomputed") or space.on_a_line:
        return min(theory, seen) if seen > 0.0 else theory
    apart = -math.expm1(-core_scale * nearest)  # a Rayleigh quotient too: of the two nearest points
    return max(theory, min(_SEEN * seen, apart + jitter))


def open_by_how_much(
    space: Space,
    jitter: float,
    column: Mapping[str, Any],
    err: Rounding,
    core_scale: float,
    nearest: float,
    size: float,
) -> float:
    """||w - Z^-1 1||: from a factor or preconditioner, else from how small eigenvalues can be."""
    n = space.n_unique
    known = 0.0
    if column["inverse_of_residual"] > 0.0:  # as the preconditioner has it, which knows what is near what
        known = _of_neighbours(n, jitter, column, err, core_scale * nearest) + _EPS * size
        if not hides_eigenvalues(space):
            return known
    smallest = float(column["smallest"]) or _guessed(
        space, jitter, float(column["seen"]), core_scale, nearest
    )
    if smallest <= 0.0:
        return math.inf
    if column["smallest"] > 0.0:
        left = float(column["weight_error"])
    else:
        left = float(column["residual"]) * math.sqrt(n) / smallest
    return max(known, left + min(math.sqrt(n), _ALIGNED) * err.usual / smallest + _EPS * size)


def _of_neighbours(n: int, jitter: float, column: Mapping[str, Any], err: Rounding, gap: float) -> float:
    """What the preconditioner's inverse makes of residual and rounding, or the nearest pair does.

    That pair alone has an eigenvalue of 1 less its similarity. The preconditioner works in float32: what
    it does not tell apart it does not stretch.
    """
    root, apart = math.sqrt(n), jitter - math.expm1(-gap)
    if apart <= 0.0:
        return math.inf
    stretch = float(column["inverse_of_rounding"])
    left = _NEARLY * float(column["inverse_of_residual"])
    if apart < _BLURRED and stretch * root * apart < _UNSEEN:
        left = max(left, 10.0 * float(column["residual"]) * root / apart)
    return left + err.usual * max(root * stretch, 1.0 / apart)


def notes_on_weights(space: Space, open_by: float | None, size: float, nearest: float) -> list[str]:
    notes = [merged_note(space.merged)] if space.merged else []
    if open_by is not None and open_by > OPEN * size:
        notes.append(
            f"single weights are open by {share_of(open_by, size)}, their sum is not: points as near as "
            f"{space.unit * nearest:.1e} to each other, in a space where that tells little (merge them, or "
            f"lower {argument('tol')})"
        )
    return notes


def proven_eigenvalue(space: Space, core_scale: float, threads: int) -> tuple[float, float]:
    """(mu <= lambda_min(Z), or 0; smallest distance), in the kernels' unit."""
    n = space.n_unique
    if n == 1:
        return 1.0, math.inf
    nearest = space.nearest(threads)
    mu = 0.0
    if -core_scale * nearest < -math.log(n):  # else the sums can't be small enough
        sums = _core.weigh._similarity_product(space.quick, [core_scale], np.ones((n, 1)), n_threads=threads)
        mu = gershgorin(float(sums.max()))
    if space.metric in ("cityblock", "hamming"):
        mu = max(mu, product_of_gaps(space, core_scale))
    if space.metric == "euclidean" and space.dimension is not None:
        # A distance is known to some ulps of the coordinates, which are at most 1.
        mu = max(mu, narcowich_ward(nearest - 8 * _EPS, space.dimension, core_scale))
    return mu, nearest


def with_blurred(space: Space, scale: float, info: WeighInfo) -> WeighInfo:
    """The account with what rows add that count as copies, though they are not."""
    if space.metric == "cosine":
        # A smooth kernel sees the direction in which a copy was moved, however little.
        rows = (
            "1 row differs from another" if space.blurred == 1 else f"{space.blurred} rows differ from others"
        )
        note = f"{rows} by less than float64 holds, as copies: the magnitude may be larger"
        text = "; ".join(filter(None, [info.message, note]))
        return replace(info, converged=False, message=text, error_bound=None, error_estimate=None)
    # For the others a point adds at most about scale times its distance from the next.
    more = 4 * _EPS * (space.dimension or 1) * space.blurred * scale * space.unit

    def raised(bound: float | None) -> float | None:
        return None if bound is None else bound + more

    return replace(info, error_bound=raised(info.error_bound), error_estimate=raised(info.error_estimate))
