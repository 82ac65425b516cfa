"""Ratings on the scale that people read: natural log, Elo, or chance against an average item."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..._validate import check_level, check_number

if TYPE_CHECKING:
    from .._paired import BootstrapResult, BradleyTerryFit


def leaderboard(
    fit: BradleyTerryFit,
    scale: str,
    elo_mean: float,
    anchor: Mapping[Any, float] | None,
    level: float,
    uncertainty: str | BootstrapResult | None,
    items: Any = None,
) -> dict[str, npt.NDArray[Any]]:
    """Columns of the leaderboard, strongest first."""
    from .._chances import ELO

    level = check_level(level)
    reference, at = _anchor(fit, anchor)
    rows = fit.order
    if items is not None:
        rows = rows[np.isin(rows, [fit.index(label) for label in items])]
    unit = ELO if scale == "elo" else 1.0
    origin = at if at is not None else (elo_mean if scale == "elo" else 0.0)
    base = 0.0 if reference is None else float(fit.strengths[fit.index(reference)])
    columns: dict[str, npt.NDArray[Any]] = {"rating": fit.strengths[rows] - base}
    if uncertainty is not None:
        error, lower, upper = _intervals(fit, rows, columns["rating"], reference, level, uncertainty)
        if scale != "probability" and error is not None:
            columns["standard_error"] = unit * error
        columns["lower"], columns["upper"] = lower, upper
    for name in ("rating", "lower", "upper"):
        if name not in columns:
            continue
        value = columns[name]
        columns[name] = _chance(fit, value) if scale == "probability" else origin + unit * value
    return {"item": fit.items[rows], **columns}


def _anchor(fit: BradleyTerryFit, anchor: Mapping[Any, float] | None) -> tuple[Any, float | None]:
    if anchor is None:
        return None, None
    if not isinstance(anchor, Mapping) or len(anchor) != 1:
        raise ValueError(f"anchor must be a mapping of one label to its rating, got {anchor!r}")
    ((label, rating),) = anchor.items()
    fit.index(label)
    return label, check_number(rating, "anchor")


def _intervals(
    fit: BradleyTerryFit,
    rows: npt.NDArray[np.intp],
    middle: npt.NDArray[np.float64],
    reference: Any,
    level: float,
    uncertainty: Any,
) -> tuple[npt.NDArray[np.float64] | None, npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    from .._paired import BootstrapResult

    where = "mean" if reference is None else reference
    if isinstance(uncertainty, BootstrapResult):
        lower, upper = uncertainty.intervals(level, reference=where)
        return None, lower[rows], upper[rows]
    some = len(rows) < len(fit)
    error = fit.standard_errors(where, kind=uncertainty, items=fit.items[rows] if some else None)
    error = error if some else error[rows]
    half = NormalDist().inv_cdf(0.5 + level / 2) * error
    return error, middle - half, middle + half


def _chance(fit: BradleyTerryFit, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Expected score (a win, or half a tie) against an item of strength 0."""
    from .._chances import outcome_chances

    win, tie, _ = outcome_chances(x, fit.ties, fit.tie_parameter)
    return np.asarray(win + 0.5 * tie)
