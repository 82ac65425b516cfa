"""Differences between a weighted arm and what it should be like, column by column."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def moments(x: Floats, w: Floats) -> tuple[Floats, Floats]:
    """Means and unbiased variances of columns under weights with sum 1; NaN for one row alone."""
    mean = w @ x
    room = 1.0 - float(w @ w)
    spread = w @ (x - mean) ** 2
    return mean, spread / room if room > 1e-12 else np.full(x.shape[1], np.nan)


def largest_step(x: Floats, w: Floats, y: Floats, v: Floats) -> float:
    """Kolmogorov-Smirnov distance of two weighted samples."""
    values = np.concatenate([x, y])
    jumps = np.concatenate([w, -v])
    order = np.argsort(values, kind="stable")
    steps = np.abs(np.cumsum(jumps[order]))
    last = np.append(np.diff(values[order]) > 0, True)
    return min(1.0, float(steps[last].max()))


def compared(
    x: Floats, before: Floats, after: Floats, y: Floats, then: Floats, now: Floats, unit: Floats
) -> dict[str, Any]:
    """A row each column of x: with its weights before and after, against y with its weights then and now."""
    columns: dict[str, Any] = {"mean_target": now @ y}
    for name, w, target in (("before", before, then), ("after", after, now)):
        (mean, spread), (goal, wide) = moments(x, w), moments(y, target)
        with np.errstate(divide="ignore", invalid="ignore"):
            columns[f"mean_{name}"] = mean
            columns[f"smd_{name}"] = _ratio(mean - goal, unit)
            columns[f"variance_ratio_{name}"] = np.where(wide > 0, spread / wide, np.nan)
        columns[f"ks_{name}"] = np.array(
            [largest_step(x[:, k], w, y[:, k], target) for k in range(x.shape[1])]
        )
    columns["denominator"] = unit
    return columns


def _ratio(difference: Floats, unit: Floats) -> Floats:
    """0 where nothing differs, infinite where the unit is zero and something does."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(difference == 0, 0.0, difference / unit)
