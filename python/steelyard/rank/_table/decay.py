"""Comparisons that count for less the older they are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..._spelling import shown
from ..._validate import check_positive
from .comparisons import Comparisons
from .timelines import unit_length
from .times import moment

_HALVINGS = 60  # what has been halved more often tells nothing that float64 would notice


def decayed(comparisons: Comparisons, half_life: float, at: Any, time_unit: Any) -> Comparisons:
    """The comparisons up to `at` (default: the last), weighted by 2^(-age / half_life).

    Squared weights follow, so that errors count them; items that lose all comparisons stay.
    """
    time = comparisons.time
    if time is None:
        raise ValueError(
            "half_life needs comparisons with times; give from_pairs(time=...) or from_frame(time=...)"
        )
    dates = time.dtype.kind == "M"
    length = check_positive(half_life, "half_life") * unit_length(time_unit, dates)
    if not 0 < length < np.inf:
        raise ValueError(f"half_life={shown(half_life)} in units of {shown(time_unit)} is beyond float64")
    end = time.max() if at is None else moment(at, "at", time)
    age = (end - time).astype(np.float64) / length
    rows = (age >= 0) & (age <= _HALVINGS)
    if not rows.any():
        where = "before" if (age < 0).all() else f"more than {_HALVINGS} half-lives after"
        raise ValueError(f"at={shown(at)} is {where} all comparisons, which end at {time.max()}")
    part = comparisons._part(rows, np.ones(comparisons.n_items, dtype=bool))
    share = np.exp2(-age[rows])
    columns: dict[str, Any] = {}
    for name in ("left", "right", "ties"):
        wins, squares = ("ties", "ties_squared") if name == "ties" else (f"{name}_wins", f"{name}_squared")
        count, squared = getattr(part, wins), getattr(part, squares)
        if count is not None:
            columns[wins] = count * share
            columns[squares] = (count if squared is None else squared) * share**2
    return replace(part, **columns)
