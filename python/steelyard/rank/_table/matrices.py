"""Matrices of counts, dense or sparse, to the grouped table."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..._validate import refuse_masked
from .labels import given_labels
from .votes import Columns, Extras, merge_rows


class Entries(NamedTuple):
    """The entries of a matrix that are not zero."""

    row: npt.NDArray[np.int32]
    col: npt.NDArray[np.int32]
    value: npt.NDArray[np.float64]


def count_matrices(wins: Any, ties: Any, items: Any) -> Columns:
    """wins[i, j] times i beat j; ties symmetric."""
    won, n = _entries(wins, "wins")
    drawn = Entries(won.row[:0], won.col[:0], won.value[:0])
    if ties is not None:
        drawn, m = _entries(ties, "ties")
        if m != n:
            raise ValueError(f"ties must have the shape of wins, ({n}, {n}), got ({m}, {m})")
        drawn = _upper_half(drawn, n)
    labels: npt.NDArray[Any] = np.arange(n) if items is None else given_labels(items, "items")
    if len(labels) != n:
        raise ValueError(f"items must have {n} labels, one a row of wins, got {len(labels)}")
    if len(won.row) + len(drawn.row) == 0:
        raise ValueError("wins has no positive entry: there is nothing to compare")
    nothing = np.zeros(len(drawn.row)), np.zeros(len(won.row))
    sums = {
        "wins": np.concatenate([won.value, nothing[0]]),
        "losses": np.zeros(len(won.row) + len(drawn.row)),
        "ties": np.concatenate([nothing[1], drawn.value]) if len(drawn.row) else None,
        "wins_squared": None,
        "losses_squared": None,
        "ties_squared": None,
    }
    first, second = np.concatenate([won.row, drawn.row]), np.concatenate([won.col, drawn.col])
    return merge_rows(labels, first, second, sums, None, Extras())


def _entries(matrix: Any, name: str) -> tuple[Entries, int]:
    sparse = sys.modules.get("scipy.sparse")  # whoever has a sparse matrix has imported it
    if sparse is not None and sparse.issparse(matrix):
        entries = matrix.tocoo()
        if entries is matrix:
            entries = matrix.copy()
        entries.sum_duplicates()
        shape, values = entries.shape, entries.data
    else:
        entries, values = None, refuse_masked(matrix, name)
        shape = values.shape
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ValueError(f"{name} must be a square matrix, got shape {shape}")
    if values.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold real numbers, got dtype {values.dtype}")
    if entries is None:
        row, col = np.nonzero(values)
        value = values[row, col].astype(np.float64)
    else:
        stored = values != 0
        row, col, value = entries.row[stored], entries.col[stored], values[stored].astype(np.float64)
    _refuse_wrong(row, col, value, name)
    return Entries(row.astype(np.int32), col.astype(np.int32), value), int(shape[0])


def _refuse_wrong(row: Any, col: Any, value: npt.NDArray[np.float64], name: str) -> None:
    wrong = np.flatnonzero(~((value > 0) & np.isfinite(value)))
    if len(wrong):
        k = wrong[0]
        raise ValueError(f"{name} must hold finite numbers >= 0, got {value[k]} at ({row[k]}, {col[k]})")
    own = np.flatnonzero(row == col)
    if len(own):
        k = own[0]
        raise ValueError(f"{name} must have an empty diagonal, got {value[k]} at ({row[k]}, {col[k]})")


def _upper_half(ties: Entries, n: int) -> Entries:
    """Each tie once, after a check that both halves agree."""
    upper, lower = ties.row < ties.col, ties.row > ties.col
    above = ties.row[upper].astype(np.int64) * n + ties.col[upper]
    below = ties.col[lower].astype(np.int64) * n + ties.row[lower]
    a, b = np.argsort(above), np.argsort(below)
    half = Entries(ties.row[upper], ties.col[upper], ties.value[upper])
    if not (np.array_equal(above[a], below[b]) and np.array_equal(half.value[a], ties.value[lower][b])):
        raise ValueError("ties must be symmetric: ties[i, j] == ties[j, i] is how often i and j drew")
    return half
