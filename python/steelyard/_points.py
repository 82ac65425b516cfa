"""Points, their weights and distances, as select and dask take them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core
from ._errors import interrupted
from ._validate import check_vector, real_array

Points = npt.NDArray[np.floating[Any]]
METRICS = ("euclidean", "cosine")
_ROWS = 65_536
# By bytes of a number: largest entries whose squares, and those of their roundings, are normal numbers.
_USUAL = {2: (0.0, np.inf), 4: (1e-8, 1e17), 8: (1e-100, 1e150)}


def read_points(X: Any, name: str, metric: str, first: int = 0) -> Points:
    """Finite, two dimensions; float16, float32 and float64 as they came, all else as float64.

    Messages count rows from `first`. For 'cosine' a copy with rows of length 1, float32 for float16.
    """
    return _read(X, name, metric, first)[0]


def read_in_range(X: Any, name: str, metric: str) -> tuple[Points, int]:
    """As `read_points`, but x 2^-shift where squares would overflow or vanish; and the shift, 0 as a rule."""
    points, largest = _read(X, name, metric)
    shift = 0 if metric == "cosine" else shift_of(largest, points)
    return shifted(points, -shift), shift


def shift_of(largest: float, points: Points) -> int:
    """The power of two by which to divide points whose entries are at most `largest`."""
    low, high = _USUAL[points.dtype.itemsize]
    return 0 if largest == 0.0 or low <= largest <= high else int(np.frexp(largest)[1])


def shifted(points: Points, shift: int) -> Points:
    """Times 2^shift, which is exact between the ends of the type."""
    with np.errstate(over="ignore", under="ignore"):
        return points if shift == 0 else np.asarray(np.ldexp(points, shift))


def unit_power(shift: int, power: float) -> float:
    """(2^shift)^power: what costs of shifted points are to be multiplied by."""
    with np.errstate(over="ignore", under="ignore"):
        return float(np.exp2(np.float64(shift) * power))


def _read(X: Any, name: str, metric: str, first: int = 0) -> tuple[Points, float]:
    array = real_array(X, name)
    if array.ndim != 2 or array.shape[0] == 0 or array.shape[1] == 0:
        raise ValueError(f"{name} must have shape (n, d), not empty, got {array.shape}")
    kept = array.dtype in (np.float32, np.float16)
    points: Points = np.require(
        array, dtype=array.dtype.newbyteorder("=") if kept else np.float64, requirements=["C", "A"]
    )
    largest = 0.0
    for start in range(0, len(points), _ROWS):
        bad = np.flatnonzero(~np.isfinite(points[start : start + _ROWS]).all(axis=1))
        if len(bad):
            raise ValueError(f"{name} has NaN or infinite entries (first: row {first + start + bad[0]})")
        largest = max(largest, float(np.abs(points[start : start + _ROWS]).max()))
    return (_unit_rows(points, name), 1.0) if metric == "cosine" else (points, largest)


def stored(points: Points) -> npt.NDArray[Any]:
    """As the kernels take them: half precision as the bits of its numbers."""
    return points.view(np.uint16) if points.dtype == np.float16 else points


def computed(points: Points) -> Points:
    """Some of the points in the float type that is computed with."""
    return points.astype(np.float32) if points.dtype == np.float16 else points


def _unit_rows(points: Points, name: str) -> Points:
    points = computed(points)
    largest = np.abs(points).max(axis=1, keepdims=True)
    if not largest.all():
        raise ValueError(
            f"{name} has rows of zeros (first: row {np.argmin(largest)}), which have no direction"
        )
    scaled = points / largest
    scaled /= np.linalg.norm(scaled, axis=1, keepdims=True)
    return np.asarray(scaled)


def read_weights(sample_weight: Any, n: int) -> npt.NDArray[np.float64] | None:
    """Finite, >= 0, not all zero; None for all 1."""
    if sample_weight is None:
        return None
    weights = check_vector(sample_weight, "sample_weight", length=n)
    if (weights < 0).any() or not weights.any():
        raise ValueError(f"sample_weight must be >= 0 and not all zero, got least {weights.min()}")
    if weights.max() > np.finfo(float).max / n:
        raise ValueError(f"sample_weight must have a finite sum, got {weights.max():.3g}: scale it")
    return weights


def own_squared_distances(
    points: Points, centers: Points, labels: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Squared distance of each point to the centre of its cluster, by blocks."""
    centers = computed(centers)
    out = np.empty(len(points))
    for start in range(0, len(points), _ROWS):
        rows = slice(start, start + _ROWS)
        gap = computed(points[rows]) - centers[labels[rows]]
        out[rows] = np.einsum("ij,ij->i", gap, gap)
    return out


def powers(squared: npt.NDArray[np.float64], power: float) -> npt.NDArray[np.float64]:
    """Distances to a power, from their squares; ValueError where a float64 can't hold them and their sum."""
    with np.errstate(over="ignore"):
        out = np.asarray(squared ** (0.5 * power))
        if np.isfinite(out.sum()):
            return out
    raise ValueError(
        f"power={power:g} of distances to {math.sqrt(squared.max()):.3g} overflows; scale X or lower power"
    )


def nearest_centers(
    block: Points, centers: Points, threads: int, shift: int = 0
) -> tuple[npt.NDArray[np.int64], npt.NDArray[Any]]:
    """Nearest centres, and squared distances to them, both x 2^-shift."""
    centers = shifted(centers.astype(computed(block[:1]).dtype, copy=False), -shift)
    block = shifted(block, -shift)
    if shift and not np.isfinite(block).all():
        raise ValueError("X has rows too far from the centers for its float type: scale it")
    out = _core.select._lloyd_step(stored(block), None, centers, "mean", False, threads)
    if out[-1]:
        raise interrupted(None)
    return out[0], out[1]
