"""Draws with known probabilities, as select and dask make them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ._validate import check_choice, check_vector

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

CERTAIN = 1.0 - 1e-12  # inclusion probabilities from here on count as 1
_QUANTILE = 0.9


def systematic(lengths: Floats, count: int, rng: np.random.Generator) -> tuple[Indices, Floats]:
    """Where `count` evenly spaced marks fall on stretches laid end to end, the first mark at random.

    Returns the stretch of each mark, and how far into it the mark lies.
    """
    ends = np.cumsum(lengths)
    marks = (rng.random() + np.arange(count)) * (ends[-1] / max(count, 1))
    last = int(np.flatnonzero(lengths).max(initial=0))  # rounding can put a mark at the very end
    place = stretch_of(ends, marks, last)
    return place, marks - (ends - lengths)[place]


def stretch_of(ends: Floats, marks: Floats, last: int) -> Indices:
    """The stretches, of which `ends` are the running sums, that the marks fall on."""
    return np.asarray(np.minimum(np.searchsorted(ends, marks, side="right"), last), dtype=np.int64)


def by_inversion(chances: Floats, u: Floats) -> Indices:
    """Rows drawn in proportion to `chances` by uniform numbers."""
    ends = np.cumsum(chances)
    return stretch_of(ends, u * ends[-1], int(np.flatnonzero(chances)[-1]))


def losses_of(losses: Any, name: str, length: int) -> Floats:
    """Finite and >= 0."""
    values = check_vector(losses, name, length=length)
    if (values < 0).any():
        raise ValueError(f"{name} must be >= 0, got {values.min()}")
    if len(values) and values.max() > np.finfo(float).max / len(values):
        raise ValueError(f"{name} must have a finite sum, got values to {values.max():.3g}; scale them")
    return values


def slopes_of(holder: Any, gaps: Floats, distances: Floats, mean: float, k: int) -> Floats:
    """Hoelder constants of the k clusters from the probes' loss differences; `mean` of all distances."""
    if not isinstance(holder, str):
        return np.broadcast_to(np.asarray(holder, dtype=np.float64), k)
    if len(gaps) == 0 or not distances.any():
        return np.zeros(k)
    # Distances count as the mean of all at least: near copies alone among the probes say nothing of far
    # items, and so the scores have no more than n times a typical difference from distances.
    if check_choice(holder, "holder", ("pooled", "quantile")) == "pooled":
        return np.full(k, gaps.sum() / max(distances.sum(), len(distances) * mean))
    return np.full(k, float(np.quantile(gaps / np.maximum(distances, mean), _QUANTILE)))
