"""Rounds of a bootstrap that are refits, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._errors import interrupted, report
from ..._validate import Progress
from .bootstrap_result import BootstrapInfo

ROUND_TOL = 1e-6


def refit_rounds(
    refit: Callable[[], dict[str, Any]], rounds: int, n: int, progress: Progress | None
) -> tuple[npt.NDArray[np.float64], list[dict[str, Any]], BootstrapInfo]:
    """Strengths of every round, all that `refit` told of it, and the account; those made until Ctrl-C."""
    start, found, stopped = perf_counter(), [], False
    out = np.empty((rounds, n))
    try:  # a round is short: Ctrl-C may come between two of them
        for r in range(rounds):
            one = refit()
            if one["info"]["interrupted"]:
                raise interrupted(None)
            out[r] = one["strengths"] - one["strengths"].mean()
            found.append({**one, "strengths": None})
            report(progress, r + 1, rounds)
    except KeyboardInterrupt:
        stopped = True
    accounts = [one["info"] for one in found]
    missed = sum(not account["converged"] for account in accounts)
    info = BootstrapInfo(
        converged=not (stopped or missed),
        iterations=sum(account["iterations"] for account in accounts),
        solver=f"{accounts[0]['solver']}, warm starts" if accounts else "newton",
        seconds=perf_counter() - start,
        tol=ROUND_TOL,
        error_bound=max((account["error_bound"] for account in accounts), default=None),
        error_kind="asymptotic",
        message=f"stopped by Ctrl-C after {len(found)} rounds" if stopped else "",
        interrupted=stopped,
        unconverged_rounds=missed,
    )
    return out[: len(found)], found, info
