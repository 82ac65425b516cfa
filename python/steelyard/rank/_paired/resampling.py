"""Refits to resampled comparisons."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..._validate import Progress, seed_words
from .._inference import BootstrapInfo
from .._table import Comparisons
from .problem import PairPoint, PairProblem

METHODS = ("bayesian", "multinomial", "cluster")
_TOL = 1e-6
_INFINITE, _UNCONVERGED = 2, 3
_NO_ROWS = {"cluster": None, "row_wins": None, "row_losses": None, "row_ties": None, "clusters": 0}


def resample(
    problem: PairProblem,
    at: PairPoint,
    method: str,
    n_rounds: int,
    rng: Any,
    n_threads: int,
    progress: Progress | None,
) -> tuple[dict[str, Any], BootstrapInfo]:
    """Parameters of every round by the names of `BootstrapResult`, from the optimum `at`."""
    if method == "multinomial":
        _require_whole_counts(problem.comparisons)
    rows = _cluster_rows(problem.comparisons) if method == "cluster" else _NO_ROWS
    out = problem.bootstrap(
        at,
        rows,
        method=method,
        n_rounds=n_rounds,
        seed=seed_words(rng),
        tol=_TOL,
        n_threads=n_threads,
        progress=progress,
    )
    state, units = out["state"], problem.covariates.units
    done = state > 0
    info = BootstrapInfo.from_core(
        out["info"],
        infinite_rounds=int((state == _INFINITE).sum()),
        unconverged_rounds=int((state == _UNCONVERGED).sum()),
    )
    if info.interrupted:
        info = replace(info, converged=False, message=f"stopped by Ctrl-C after {int(done.sum())} rounds")
    columns = {
        "strengths": out["strengths"][done] if not done.all() else out["strengths"],
        "tie_parameters": np.exp(out["tie"][done]) if problem.model != "none" else None,
        "home_advantages": out["home"][done] if problem.home else None,
        "coefficients": out["coefficients"][done] * units if len(problem.covariates) else None,
    }
    return columns, info


def _require_whole_counts(table: Comparisons) -> None:
    columns = [table.left_wins, table.right_wins, *([] if table.ties is None else [table.ties])]
    if table.left_squared is not None or any((c != np.floor(c)).any() for c in columns):
        raise ValueError(
            "method='multinomial' needs comparisons counted in whole numbers, without weights; "
            "use method='bayesian' (or 'cluster')"
        )


def _cluster_rows(table: Comparisons) -> dict[str, Any]:
    if table.cluster is None:
        raise ValueError("method='cluster' needs comparisons with clusters; give from_pairs(cluster=...)")
    present, codes = np.unique(table.cluster, return_inverse=True)
    return {
        "cluster": codes.astype(np.int32),
        "row_wins": table.left_wins,
        "row_losses": table.right_wins,
        "row_ties": table.ties,
        "clusters": len(present),
    }
