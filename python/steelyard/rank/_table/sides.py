"""Games between sides of several items: sides of any kind to a matrix of games x items."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._spelling import row_words, shown
from ..._validate import check_each, check_number, check_vector, refuse_masked
from .labels import encode, encode_into, given_labels
from .votes import by_name, home_signs

Floats = npt.NDArray[np.float64]

_SIDES = ("left", "right")
_WORDS = {"left": 1, "right": -1, "tie": 0, "draw": 0}


@dataclass(frozen=True, eq=False)
class SideGames:
    """Games between sides.

    Attributes
    ----------
    items : ndarray
        Labels.
    matrix : scipy.sparse.csr_array, shape (n_games, n_items)
        Weights of the left side minus those of the right one.
    outcome : ndarray of int8, shape (n_games,)
        1 left won, 0 tie, -1 right won.
    weight : ndarray, shape (n_games,)
    home : ndarray of int8, shape (n_games,), or None
    """

    items: npt.NDArray[Any]
    matrix: Any
    outcome: npt.NDArray[np.int8]
    weight: Floats
    home: npt.NDArray[np.int8] | None

    @property
    def balanced(self) -> bool:
        """Whether the two sides weigh the same in every game, so that a common shift changes nothing."""
        sums = np.asarray(self.matrix.sum(axis=1)).ravel()
        size = np.asarray(abs(self.matrix).sum(axis=1)).ravel()
        return bool((np.abs(sums) <= 1e-12 * size).all())

    def take(self, rows: Any) -> SideGames:
        """Some of the games."""
        home = None if self.home is None else self.home[rows]
        return SideGames(self.items, self.matrix[rows], self.outcome[rows], self.weight[rows], home)


def read_sides(left: Any, right: Any, outcome: Any, weight: Any, home: Any, items: Any) -> SideGames:
    """Checks and encodes; games of weight 0 are left out."""
    labels, matrix = side_matrix(left, right, items)
    n = matrix.shape[0]
    results = read_results(outcome, n)
    amounts = np.ones(n)
    if weight is not None:
        amounts = check_each(weight, "weight", n)
        if (amounts < 0).any():
            row = int(np.argmax(amounts < 0))
            raise ValueError(f"weight must be zero or positive, got {amounts[row]} in {row_words(row)}")
    signs = None if home is None else home_signs(home, n, row_words)
    games = SideGames(labels, matrix, results, amounts, signs)
    empty = np.flatnonzero((np.diff(matrix.indptr) == 0) & (amounts > 0))
    if len(empty):
        raise ValueError(
            f"left and right are the same side in {len(empty)} games (first: {row_words(int(empty[0]))})"
        )
    if amounts.min() > 0:
        return games
    if not amounts.any():
        raise ValueError("weight is zero in every game: there is nothing to compare")
    return games.take(np.flatnonzero(amounts))


def side_matrix(left: Any, right: Any, items: Any) -> tuple[npt.NDArray[Any], Any]:
    """Labels, and left minus right as a compressed matrix without zeros."""
    from scipy import sparse

    if _is_sparse(left) != _is_sparse(right):
        raise TypeError("left and right must both be sparse matrices, or both sequences of sides")
    if _is_sparse(left):
        parts = [_checked_matrix(part, name) for part, name in ((left, "left"), (right, "right"))]
        if parts[0].shape != parts[1].shape:
            raise ValueError(f"left and right must have one shape, got {parts[0].shape} and {parts[1].shape}")
        n = parts[0].shape[1]
        labels = np.arange(n) if items is None else given_labels(items, "items")
        if len(labels) != n:
            raise ValueError(f"items must have length {n}, one a column of left, got {len(labels)}")
    else:
        sides = [_flat(part, name) for part, name in ((left, "left"), (right, "right"))]
        if len(sides[0].sizes) != len(sides[1].sizes):
            raise ValueError(
                f"left and right must have one side a game each, got {len(sides[0].sizes)} and "
                f"{len(sides[1].sizes)}"
            )
        a, b = (side.labels for side in sides)
        encoded = encode(a, b, _SIDES) if items is None else encode_into(items, a, b, _SIDES)
        labels = encoded.labels
        parts = [
            side.matrix(codes, len(labels))
            for side, codes in zip(sides, (encoded.first, encoded.second), strict=True)
        ]
    if parts[0].shape[0] == 0:
        raise ValueError("left and right must hold at least one game, got none")
    matrix = sparse.csr_array(parts[0] - parts[1])
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return labels, matrix


def _is_sparse(values: Any) -> bool:
    return hasattr(values, "tocsr") and hasattr(values, "nnz")


def _checked_matrix(values: Any, name: str) -> Any:
    from scipy import sparse

    matrix = sparse.csr_array(values, dtype=np.float64) if values.ndim == 2 else None
    if matrix is None:
        raise ValueError(f"{name} must be 2-dimensional, got {values.ndim} dimensions")
    matrix.sum_duplicates()
    _check_weights(matrix.data, name)
    return matrix


def _check_weights(values: Floats, name: str) -> None:
    bad = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if len(bad):
        raise ValueError(f"{name} must hold weights that are finite and >= 0, got {values[bad[0]]}")


@dataclass(frozen=True, eq=False)
class _Flat:
    """Sides one after the other: how long each is, the labels, and their weights (None: 1 each)."""

    sizes: npt.NDArray[np.int64]
    labels: Any
    weights: Floats | None

    def matrix(self, codes: npt.NDArray[np.int32], n: int) -> Any:
        from scipy import sparse

        values = np.ones(len(codes)) if self.weights is None else self.weights
        offsets = np.concatenate([[0], np.cumsum(self.sizes)])
        if offsets[-1] < 2**31:
            offsets = offsets.astype(np.int32)  # SciPy then keeps 32 bits throughout
        out = sparse.csr_array((values, codes, offsets), shape=(len(self.sizes), n))
        out.sum_duplicates()
        return out


def _flat(sides: Any, name: str) -> _Flat:
    if isinstance(sides, str | bytes | Mapping) or not hasattr(sides, "__iter__"):
        raise TypeError(f"{name} must be a sequence of sides, one a game, got {shown(sides)}")
    if isinstance(sides, np.ndarray) and sides.ndim == 2:
        table = refuse_masked(sides, name)
        return _Flat(np.full(len(table), table.shape[1]), table.ravel(), None)
    if isinstance(sides, np.ndarray) and sides.ndim != 1:
        raise ValueError(f"{name} must have one row a game, got shape {sides.shape}")
    try:
        listed = [_members(side) for side in sides]
    except TypeError:
        raise
    except Exception:
        raise TypeError(f"{name} must be a sequence of sides, one a game, got {shown(sides)}") from None
    sizes = np.fromiter(map(len, listed), dtype=np.int64, count=len(listed))
    labels = list(itertools.chain.from_iterable(listed))
    weights = None
    if any(isinstance(side, Mapping) for side in listed):
        weights = np.array(
            [
                check_number(side[label], f"{name} weight") if isinstance(side, Mapping) else 1.0
                for side in listed
                for label in side
            ]
        )
        _check_weights(weights, name)
    return _Flat(sizes, labels, weights)


def _members(side: Any) -> Any:
    """A side of one may be its label."""
    if isinstance(side, list | tuple | set | frozenset | Mapping):
        return side
    return side.tolist() if isinstance(side, np.ndarray) and side.ndim == 1 else [side]


def read_results(outcome: Any, n: int) -> npt.NDArray[np.int8]:
    """1, 0 or -1 a game: from numbers, booleans (left won) or words."""
    array = refuse_masked(outcome, "outcome")
    if array.shape != (n,):
        raise ValueError(f"outcome must have length {n}, one a game, got shape {array.shape}")
    if array.dtype.kind == "b":
        return np.where(array, np.int8(1), np.int8(-1))
    if array.dtype.kind in "iuf":
        out = np.zeros(n, dtype=np.int8)
        out[array == 1], out[array == -1] = 1, -1
        wrong = np.flatnonzero(out != array)
        if len(wrong):
            row = int(wrong[0])
            raise ValueError(f"outcome must be 1, 0 or -1, got {array[row]} in {row_words(row)}")
        if (out == 0).any() and (out == 1).any() and not (out == -1).any():
            raise ValueError(
                "outcome holds 0 and 1 but never -1: is 0 a tie or a win of the right side? Give booleans "
                "(True: left won), or words ('left', 'right', 'tie')"
            )
        return out
    read: dict[Any, int] = {}
    listed = array.tolist()
    for row, value in enumerate(listed):
        if isinstance(value, str) and value in read:
            continue
        word = value.lower() if isinstance(value, str) else None
        meaning = 0 if word is not None and word.startswith("tie") else _WORDS.get(word or "")
        if meaning is None:
            raise ValueError(
                f"outcome must hold 1, 0 and -1, booleans, or 'left', 'right' and 'tie', got {shown(value)} "
                f"in {row_words(row)}"
            )
        read[value] = meaning
    return np.fromiter(map(read.__getitem__, listed), dtype=np.int8, count=n)


def read_features(features: Any, n: int) -> tuple[Floats, tuple[str, ...]]:
    """A row an item, with names."""
    values = by_name(features)
    if isinstance(values, Mapping):
        if not values:
            raise ValueError("features must name at least one column")
        names = tuple(map(str, values))
        columns = [check_vector(x, f"features[{k!r}]", length=n) for k, x in values.items()]
        matrix = np.column_stack(columns)
    else:
        array = refuse_masked(values, "features")
        if array.dtype.kind not in "biuf":
            raise TypeError(f"features must hold real numbers, got dtype {array.dtype}")
        if array.ndim != 2 or array.shape[0] != n or array.shape[1] == 0:
            raise ValueError(f"features must have shape ({n}, number of features), got {array.shape}")
        matrix = array.astype(np.float64)
        if not np.isfinite(matrix).all():
            row = int(np.argmin(np.isfinite(matrix).all(axis=1)))
            raise ValueError(f"features must be finite, got NaN or infinity in {row_words(row)}")
        names = tuple(f"x{k}" for k in range(matrix.shape[1]))
    if len(set(names)) < len(names):
        raise ValueError(f"features must have distinct names, got {names}")
    zero = [name for name, column in zip(names, matrix.T, strict=True) if not column.any()]
    if zero:
        raise ValueError(f"features: {zero[0]!r} is zero for every item")
    return matrix, names
