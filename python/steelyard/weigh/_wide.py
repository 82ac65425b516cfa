"""Weightings that float64 does not determine, in 106 bits."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._validate import Progress
from ._result import WeighInfo, merged_note
from ._spaces import Space

Array = npt.NDArray[np.float64]

LIMIT = 30_000
_WHOLE = 3000  # points up to which all are taken, if they can be told apart
_WORK = 5e9  # beyond, points times the square of those taken: some seconds a core
UNDETERMINED = "not determined in float64"


def wide_answer(
    space: Space,
    scale: float,
    tol: float,
    threads: int,
    progress: Progress | None,
    *,
    why: str,
    partly: bool,
) -> tuple[Array, float, WeighInfo] | None:
    """(weights, magnitude, info); None where Z turns out not to be positive definite to 106 bits.

    `partly`: then the weighting of those points that are told apart will do, which bounds the magnitude.
    """
    began = time.perf_counter()
    n = space.n_unique
    given = space.points is None
    numbers = space.distances if given else space.points
    assert numbers is not None
    out = _core.weigh._wide_weighting(
        numbers,
        None if given else space.low,
        space.pole,
        space.metric,
        space.power,
        scale * space.unit,
        n if n <= _WHOLE else int(math.sqrt(_WORK / n)),
        threads,
        progress,
    )
    whole = out["rank"] == n
    if out["indefinite"] or not (whole or partly or out["stopped"]):
        return None
    weights: Array = out["weights"] if not out["stopped"] else np.full(n, np.nan)
    magnitude, lower = float(out["magnitude"]), float(out["lower_bound"])
    size = float(np.linalg.norm(weights))
    known = whole and magnitude - lower <= 0.5 * abs(magnitude)
    residual = float(out["residual"])
    converged = whole and residual <= tol and not out["stopped"]
    notes = _notes(space, weights, residual, tol, size, out)
    open_by = float(out["weight_error"])
    info = WeighInfo(
        converged=converged,
        interrupted=bool(out["stopped"]),
        iterations=0,
        solver=f"Cholesky in 106 bits ({why})",
        seconds=time.perf_counter() - began,
        tol=tol,
        error_bound=float(out["error_estimate"]) if known else None,
        error_kind="estimate",
        message="; ".join(notes),
        residual=residual,
        lower_bound=lower,
        error_estimate=float(out["error_estimate"]) if known else None,
        weight_error=open_by if whole else None,
        positive_definite="theory" if space.positive_definite else "Cholesky",
        merged=space.merged,
    )
    return weights, magnitude, info


def _notes(
    space: Space, weights: Array, residual: float, tol: float, size: float, out: Mapping[str, Any]
) -> list[str]:
    n, whole, open_by = space.n_unique, out["rank"] == space.n_unique, float(out["weight_error"])
    notes = [merged_note(space.merged)] if space.merged else []
    if not whole:
        notes.append(
            f"{UNDETERMINED}: to 106 bits {out['rank']} of {n} points explain the rest, which have weight 0; "
            "the magnitude is that of these, a lower bound"
        )
    elif residual > tol:
        notes.append(
            f"{UNDETERMINED}: weights up to {float(np.abs(weights).max()):.0e} cancel, rounding them leaves "
            f"a residual of {residual:.1e} > tol = {tol:.1e}; the magnitude is that of weights in 106 bits"
        )
    if whole and open_by > 1e-3 * size:
        notes.append(f"single weights are open by {share_of(open_by, size)}")
    return notes


def share_of(error: float, size: float) -> str:
    """How open single weights are, in words."""
    return "their whole size" if error >= size else f"about {error / size:.1g} of their size"
