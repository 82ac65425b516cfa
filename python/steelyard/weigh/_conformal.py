"""Quantiles that don't cross, and offsets that make them keep their word."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_SAME = 1e-9  # levels tau and 1 - tau, as people write them


def isotonic(values: Floats) -> Floats:
    """Nearest increasing rows in least squares: max over i <= l of min over j >= l of mean(i..j)."""
    count = values.shape[1]
    sums = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
    out = np.full_like(values, -np.inf)
    for first in range(count):
        means = (sums[:, first + 1 :] - sums[:, first : first + 1]) / np.arange(1, count - first + 1)
        least = np.minimum.accumulate(means[:, ::-1], axis=1)[:, ::-1]
        np.maximum(out[:, first:], least, out=out[:, first:])
    return np.maximum.accumulate(out, axis=1)  # but for rounding they are


def widened(values: Floats, levels: Floats) -> Floats:
    """Quantiles moved outwards from the middle until none crosses its inner neighbour."""
    out = values.copy()
    low, high = np.flatnonzero(levels <= 0.5), np.flatnonzero(levels >= 0.5)
    if len(low) and len(high):
        crossed = out[:, low[-1]] > out[:, high[0]]
        middle = 0.5 * (out[crossed, low[-1]] + out[crossed, high[0]])
        out[crossed, low[-1]] = np.minimum(out[crossed, low[-1]], middle)
        out[crossed, high[0]] = np.maximum(out[crossed, high[0]], middle)
    out[:, low] = np.minimum.accumulate(out[:, low[::-1]], axis=1)[:, ::-1]
    out[:, high] = np.maximum.accumulate(out[:, high], axis=1)
    return out


def conformal_offsets(quantiles: Floats, y: Floats, levels: Floats) -> Floats:
    """What to add to each quantile, from rows held out."""
    offsets = np.zeros(len(levels))
    for k, level in enumerate(levels):
        if abs(level - 0.5) < _SAME:
            continue
        mirror = int(np.abs(levels + level - 1).argmin())
        paired = abs(levels[mirror] + level - 1) < _SAME
        if paired and level > 0.5:
            continue
        if paired:
            scores = np.maximum(quantiles[:, k] - y, y - quantiles[:, mirror])
            amount = _conformal_quantile(scores, 1 - 2 * level, level)
            offsets[k], offsets[mirror] = -amount, amount
        elif level > 0.5:
            offsets[k] = _conformal_quantile(y - quantiles[:, k], level, level)
        else:
            offsets[k] = -_conformal_quantile(quantiles[:, k] - y, 1 - level, level)
    return offsets


def _conformal_quantile(scores: Floats, coverage: float, level: float) -> float:
    """The ceil(coverage (m + 1))-th smallest score, which a new one is at most with that probability."""
    place = int(np.ceil(coverage * (len(scores) + 1) - 1e-9))
    if place > len(scores):
        least = int(np.ceil(coverage / (1 - coverage) - 1e-9))
        raise ValueError(f"y must have at least {least} rows to calibrate level {level:g}, got {len(scores)}")
    return float(np.partition(scores, place - 1)[place - 1])
