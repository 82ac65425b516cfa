"""Ratings on the scale that people read: natural log, Elo, or chance against an average item."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._spelling import shown
from ..._validate import check_number
from .._chances import ELO
from .strengths import Strengths
from .uncertainty import Uncertainty

Positions = npt.NDArray[np.intp]

FEW_GAMES = 5.0  # effective ones, below which an item is provisional
_WIDE = 3.0  # times the median width of intervals


def leaderboard(
    fit: Strengths,
    rows: Positions,
    scale: str,
    elo_mean: float,
    anchor: Mapping[Any, float] | None,
    level: float,
    uncertainty: Uncertainty | None,
) -> dict[str, npt.NDArray[Any]]:
    """Columns of the leaderboard, for the items at some positions."""
    reference, at = _anchor(fit, anchor)
    unit = ELO if scale == "elo" else 1.0
    origin = at if at is not None else (elo_mean if scale == "elo" else 0.0)
    base = 0.0 if reference is None else float(fit.strengths[reference])
    columns: dict[str, npt.NDArray[Any]] = {"rating": fit.strengths[rows] - base}
    provisional = None if fit.scarce is None else fit.scarce[rows]
    if uncertainty is not None:
        error, lower, upper = uncertainty._intervals(rows, columns["rating"], reference, level)
        if scale != "probability" and error is not None:
            columns["standard_error"] = unit * error
        columns["lower"], columns["upper"] = lower, upper
        if provisional is not None:
            provisional = _or_wide(provisional, lower, upper)
    for name in ("rating", "lower", "upper"):
        if name not in columns:
            continue
        value = columns[name]
        columns[name] = fit._expected_scores(value) if scale == "probability" else origin + unit * value
    marks = {} if provisional is None else {"provisional": provisional}
    return {"item": fit.items[rows], **columns, **marks}


def _or_wide(
    provisional: npt.NDArray[np.bool_], lower: npt.NDArray[np.float64], upper: npt.NDArray[np.float64]
) -> npt.NDArray[np.bool_]:
    """Also where the interval is far wider than those of items that are compared well, or has no finite end.

    An anchor, whose interval has no width, is not among those.
    """
    with np.errstate(invalid="ignore"):  # both ends of a bootstrap's interval may be infinite
        width = upper - lower
    usual = width[~provisional & np.isfinite(width) & (width > 0)]
    return provisional | ~(width <= _WIDE * np.median(usual)) if len(usual) else provisional


def _anchor(fit: Strengths, anchor: Mapping[Any, float] | None) -> tuple[int | None, float | None]:
    if anchor is None:
        return None, None
    label, rating = read_anchor(anchor)
    return fit.index(label), rating


def read_anchor(anchor: Mapping[Any, float]) -> tuple[Any, float]:
    """The label of an anchor and its rating."""
    if not isinstance(anchor, Mapping) or len(anchor) != 1:
        raise ValueError(f"anchor must be a mapping of one label to its rating, got {shown(anchor)}")
    ((label, rating),) = anchor.items()
    return label, check_number(rating, "anchor")
