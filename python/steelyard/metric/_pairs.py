"""Dissimilarities as they arrive, square or condensed, and back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import squareform

from .._validate import real_array

Array = npt.NDArray[np.float64]

# Beyond these a square over- or underflows.
_LARGEST, _SMALLEST = 1e150, 1e-150


@dataclass(frozen=True)
class Pairs:
    """One number for each pair i < j of n items, in SciPy's condensed order."""

    values: Array
    n: int
    square: bool  # how they arrived

    def square_matrix(self) -> Array:
        if self.n == 1:
            return np.zeros((1, 1))
        return np.asarray(squareform(self.values, checks=False))

    def like_input(self, values: Array) -> Array:
        """Other numbers of the same pairs in the shape of the input, read-only."""
        out = Pairs(values, self.n, True).square_matrix() if self.square else values
        out.flags.writeable = False
        return out


def read_pairs(D: Any, name: str, hint: str = "", *, any_diagonal: bool = False) -> Pairs:
    """A symmetric square array with a zero diagonal, or a condensed one; finite. `hint`: about NaN."""
    array = real_array(D, name)
    digits = digits_of(array)
    array = array.astype(np.float64, copy=False)
    if array.ndim == 1:
        pairs = _condensed(array, name, hint)
    elif array.ndim == 2:
        if any_diagonal and array.shape[0] == array.shape[1]:
            array = array.copy()
            np.fill_diagonal(array, 0.0)
        pairs = _square(array, name, max(1e-12, digits), hint)
    else:
        raise ValueError(f"{name} must be a square or condensed array, got shape {array.shape}")
    check_range(pairs.values, name)
    return pairs


def digits_of(array: Any) -> float:
    """How far from symmetric a D of this type may be: distances computed in float32 have its digits."""
    dtype = getattr(array, "dtype", np.dtype(float))
    return 8 * float(np.finfo(dtype).eps) if dtype.kind == "f" else 0.0


def check_range(values: Array, name: str) -> None:
    """Refuses what would over- or underflow when squared."""
    largest = float(np.abs(values).max(initial=0.0))
    if largest > _LARGEST or 0 < largest < _SMALLEST:
        raise ValueError(
            f"{name} must have its largest entry between 1e-150 and 1e150, got {largest}; rescale it"
        )


def _condensed(array: Array, name: str, hint: str) -> Pairs:
    n = (1 + math.isqrt(1 + 8 * len(array))) // 2
    if n * (n - 1) // 2 != len(array):
        raise ValueError(f"{name} must have n (n - 1) / 2 entries where it is condensed, got {len(array)}")
    bad = np.flatnonzero(~np.isfinite(array))
    if len(bad):
        raise ValueError(
            f"{name} has {len(bad)} entries that are NaN or infinite (first: entry {bad[0]}, "
            f"{array[bad[0]]}){_hint(array, hint)}"
        )
    return Pairs(np.ascontiguousarray(array), n, False)


def _hint(array: Array, hint: str) -> str:
    """`hint` says how NaN can be taken; inf is first to become NaN."""
    return f"{hint}, written as NaN and not as inf" if hint and np.isinf(array).any() else hint


def _square(array: Array, name: str, digits: float, hint: str) -> Pairs:
    n = len(array)
    if array.shape != (n, n) or n == 0:
        raise ValueError(f"{name} must be square and not empty, got shape {array.shape}")
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        raise ValueError(
            f"{name} has {len(bad)} entries that are NaN or infinite "
            f"(first: row {bad[0, 0]}, column {bad[0, 1]}, {array[tuple(bad[0])]}){_hint(array, hint)}"
        )
    diagonal = np.flatnonzero(np.abs(np.diagonal(array)) > digits * np.abs(array).max())
    if len(diagonal):
        i = diagonal[0]
        raise ValueError(f"{name} must have a zero diagonal, got {array[i, i]} in row {i}")
    apart = np.abs(array - array.T)
    i, j = np.unravel_index(np.argmax(apart), apart.shape)
    if apart[i, j] > digits * np.abs(array).max():
        raise ValueError(
            f"{name} must be symmetric, got {array[i, j]} at ({i}, {j}) and {array[j, i]} at ({j}, {i}); "
            f"(D + D.T) / 2 is the nearest symmetric one"
        )
    return Pairs(array[np.triu_indices(n, 1)], n, True)


def read_weights(weights: Any, pairs: Pairs) -> Array | None:
    """Positive weights of the same pairs, or None."""
    if weights is None:
        return None
    read = read_pairs(weights, "weights", any_diagonal=True)
    if read.n != pairs.n:
        raise ValueError(f"weights must be those of {pairs.n} items, got {read.n}")
    if not (read.values > 0).all():
        raise ValueError(
            f"weights must be positive, got {read.values.min()}; a pair without weight is not supported"
        )
    return read.values
