"""Dissimilarities of which only some pairs are measured: NaN, or not listed in a sparse matrix."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from .._validate import real_array
from ._pairs import Pairs, check_range, digits_of

Array = npt.NDArray[np.float64]
Nodes = npt.NDArray[np.int32]


@dataclass(frozen=True)
class MeasuredPairs:
    """Measured pairs rows < cols of n items, in row-major order, and their values."""

    n: int
    rows: Nodes
    cols: Nodes
    values: Array
    square: bool = True  # how they arrived; a sparse matrix counts as square

    @property
    def complete(self) -> bool:
        return 2 * len(self.values) == self.n * (self.n - 1)

    def as_pairs(self, values: Array) -> Pairs:
        """Numbers of all pairs in condensed order."""
        return Pairs(values, self.n, self.square)

    def spread(self, values: Array, fill: float) -> Array:
        """One number a measured pair, in condensed order with `fill` for the others."""
        out = np.full(self.n * (self.n - 1) // 2, fill)
        out[self._places()] = values
        return out

    def pick(self, condensed: Array) -> Array:
        """The numbers of the measured pairs."""
        return condensed[self._places()]

    def _places(self) -> npt.NDArray[np.int64]:
        i = self.rows.astype(np.int64)
        return i * (2 * self.n - i - 1) // 2 + (self.cols - i - 1)

    def same_pairs(self, other: MeasuredPairs) -> bool:
        return (
            self.n == other.n
            and np.array_equal(self.rows, other.rows)
            and np.array_equal(self.cols, other.cols)
        )


def read_measured(D: Any, name: str, *, any_diagonal: bool = False) -> MeasuredPairs:
    """Square or condensed with NaN, or scipy.sparse."""
    if any_diagonal and np.ndim(D) == 2:
        D = _without_diagonal(D, name)
    if sparse.issparse(D):
        measured = from_sparse(D, name)
    elif np.ndim(D) == 1:
        measured = from_condensed_with_nan(D, name)
    else:
        measured = from_square_with_nan(D, name)
    check_range(measured.values, name)
    return measured


def _without_diagonal(D: Any, name: str) -> Any:
    if sparse.issparse(D):
        listed = sparse.coo_array(D)
        off = listed.coords[0] != listed.coords[1]
        return sparse.coo_array((listed.data[off], tuple(part[off] for part in listed.coords)), shape=D.shape)
    array = np.array(real_array(D, name))
    np.fill_diagonal(array, 0)
    return array


def read_measured_weights(weights: Any, measured: MeasuredPairs) -> Array | None:
    """Positive weights of the measured pairs, or None; those of other pairs are not looked at."""
    if weights is None:
        return None
    read = read_measured(weights, "weights", any_diagonal=True)
    if read.n != measured.n:
        raise ValueError(f"weights must be those of {measured.n} items, got {read.n}")
    full = measured.pick(read.spread(read.values, np.nan))
    if np.isnan(full).any():
        raise ValueError(
            f"weights must have a number for each measured pair, {np.isnan(full).sum()} have none"
        )
    if not (full > 0).all():
        raise ValueError(f"weights must be positive, got {full.min()}; leave a pair without weight out of D")
    return full


def from_square_with_nan(D: Any, name: str = "D") -> MeasuredPairs:
    """The pairs that are not NaN of a symmetric array with a zero diagonal."""
    array = _real(D, name)
    n = len(array)
    if array.ndim != 2 or array.shape != (n, n) or n == 0:
        raise ValueError(f"{name} must be square and not empty, got shape {array.shape}")
    diagonal = np.diagonal(array)
    largest = np.nanmax(np.abs(array), initial=0.0)
    digits = max(1e-12, digits_of(D))
    if (np.abs(diagonal) > digits * largest).any():
        raise ValueError(f"{name} must have a zero diagonal")
    apart = (np.isnan(array) != np.isnan(array.T)) | (np.abs(array - array.T) > digits * largest)
    if apart.any():
        i, j = np.argwhere(apart)[0]
        raise ValueError(
            f"{name} must be symmetric, got {array[i, j]} at ({i}, {j}) and {array[j, i]} at ({j}, {i})"
        )
    rows, cols = np.triu_indices(n, 1)
    return _measured(n, rows, cols, array[rows, cols])


def from_condensed_with_nan(d: Any, name: str = "D") -> MeasuredPairs:
    """The pairs that are not NaN of a condensed array."""
    array = _real(d, name)
    n = (1 + math.isqrt(1 + 8 * array.size)) // 2
    if array.ndim != 1 or n * (n - 1) // 2 != array.size:
        raise ValueError(f"{name} must have n (n - 1) / 2 entries where it is condensed, got {array.shape}")
    rows, cols = np.triu_indices(n, 1)
    return _measured(n, rows, cols, array, square=False)


def from_sparse(D: Any, name: str = "D") -> MeasuredPairs:
    """The listed pairs of a scipy.sparse matrix; explicit zeros are measured, duplicates refused."""
    if D.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, got dtype {D.dtype}")
    if D.ndim != 2 or D.shape[0] != D.shape[1] or D.shape[0] == 0:
        raise ValueError(f"{name} must be square and not empty, got shape {D.shape}")
    coo = sparse.coo_array(D)
    values = coo.data.astype(np.float64)
    rows, cols = (part.astype(np.int64) for part in coo.coords)
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must list finite numbers only: leave out the pairs that are not measured")
    if (np.abs(values[rows == cols]) > max(1e-12, digits_of(D)) * np.abs(values).max(initial=0.0)).any():
        raise ValueError(f"{name} must have a zero or empty diagonal")
    n = D.shape[0]
    entries = np.sort(rows * n + cols)
    if (entries[1:] == entries[:-1]).any():
        raise ValueError(f"{name} lists an entry twice; call sum_duplicates() if their sum is meant")
    off = rows != cols
    rows, cols, values = rows[off], cols[off], values[off]
    key = np.minimum(rows, cols) * n + np.maximum(rows, cols)
    order = np.argsort(key, kind="stable")
    key, values = key[order], values[order]
    twice = np.flatnonzero(key[1:] == key[:-1])
    largest = np.abs(values).max(initial=0.0)
    clash = twice[np.abs(values[twice] - values[twice + 1]) > max(1e-12, digits_of(D)) * largest]
    if len(clash):
        i, j = divmod(int(key[clash[0]]), n)
        one, other = values[clash[0]], values[clash[0] + 1]
        raise ValueError(f"{name} must be symmetric, got {one} and {other} for the pair ({i}, {j})")
    key, values = np.delete(key, twice + 1), np.delete(values, twice + 1)
    return _measured(n, key // n, key % n, values)


def _real(values: Any, name: str) -> Array:
    array = real_array(values, name)
    if np.isinf(array).any():
        raise ValueError(f"{name} has infinite entries; write NaN where a pair is unknown")
    return array.astype(np.float64, copy=False)


def _measured(n: int, rows: Any, cols: Any, values: Array, square: bool = True) -> MeasuredPairs:
    known = ~np.isnan(values)
    return MeasuredPairs(
        n,
        np.ascontiguousarray(rows[known], np.int32),
        np.ascontiguousarray(cols[known], np.int32),
        np.ascontiguousarray(values[known]),
        square,
    )
