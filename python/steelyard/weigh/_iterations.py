"""Conjugate gradients, and what proves their residual where a far field only estimates it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from ._choice import Choice, Request
from ._spaces import Space

Array = npt.NDArray[np.float64]

MAX_ITER = 1500


def iterated(
    space: Space,
    request: Request,
    choice: Choice,
    tol: float,
    start: Array | None,
    *,
    core: Any = None,
    max_iter: int = MAX_ITER,
) -> dict[str, Any]:
    """Conjugate gradients."""
    own = space.far if choice.method == "far" else space.core
    return dict(
        _core.weigh._weights_by_gradients(
            own if core is None else core,
            [request.scale * space.unit],
            tol,
            stop=request.stop,
            landmarks=choice.landmarks,
            neighbours=choice.neighbours,
            single=choice.single,
            max_iter=max_iter,
            jitter=request.jitter,
            start=start,
            n_threads=request.threads,
            progress=request.progress,
        )
    )


def certified(space: Space, request: Request, choice: Choice, out: dict[str, Any]) -> dict[str, Any]:
    """The same answer with the residual of all pairs, gone on with where that is above the tolerance."""
    began, core = time.perf_counter(), space.far_by_all_pairs()
    column, start = out["columns"][0], np.ascontiguousarray(out["weights"])
    alone = replace(choice, landmarks=0, neighbours=0)
    more = iterated(space, request, alone, request.tol, start, core=core, max_iter=0)
    if not more["columns"][0]["converged"] and not more["info"]["interrupted"]:
        more = iterated(space, request, choice, request.tol, start, core=core)
    new = more["columns"][0]
    new["iterations"] += column["iterations"]
    new["error_estimate"] = min(column["error_estimate"], new["error_estimate"])
    more["info"] |= {
        "iterations": out["info"]["iterations"] + more["info"]["iterations"],
        "seconds": out["info"]["seconds"] + time.perf_counter() - began,
        "solver": out["info"]["solver"],
    }
    more["certified"] = time.perf_counter() - began
    return more
