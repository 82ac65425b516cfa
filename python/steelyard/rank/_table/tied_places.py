"""Places that several items share."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..._spelling import row_words
from .labels import given_labels

Values = npt.NDArray[Any]
Places = npt.NDArray[np.int32]

_GROUPS = (list, tuple, set, frozenset, np.ndarray)


def without_groups(rankings: Any) -> tuple[Any, Places | None]:
    """Rankings as sequences of labels, and the place of each label; None where no place is a list."""
    if isinstance(rankings, np.ndarray | str) or not np.iterable(rankings):
        return rankings, None
    if isinstance(rankings, tuple) and len(rankings) == 2 and isinstance(rankings[1], np.ndarray):
        return rankings, None  # (items, indptr)
    rankings = rankings if isinstance(rankings, tuple) else list(rankings)
    if not any(_has_group(row) for row in rankings):
        return rankings, None
    flat, place = [], []
    for k, row in enumerate(rankings):
        own: list[Any] = []
        for number, group in enumerate(row):
            tied = list(group) if isinstance(group, _GROUPS) else [group]
            if not tied:
                raise ValueError(f"rankings must not have an empty place, see {row_words(k)}")
            own += tied
            place += [number] * len(tied)
        flat.append(own)
    return flat, _none_alone(np.array(place, np.int32), np.cumsum([0, *map(len, flat)]))


def _has_group(row: Any) -> bool:
    return isinstance(row, list | tuple) and any(isinstance(group, _GROUPS) for group in row)


def _none_alone(place: Places, starts: Values) -> Places | None:
    """None where no two items of a ranking share a place."""
    same = np.r_[False, place[1:] == place[:-1]]
    same[starts[:-1][starts[:-1] < len(same)]] = False
    return place if same.any() else None


def read_ranks(ranks: Any, items: Any) -> tuple[Values, Values, Places | None]:
    """Starts, labels and places of a table of ranks: a row a ranking, a column an item."""
    try:
        table = np.asarray(ranks, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise TypeError("ranks must hold numbers: 1 is best, 0 or NaN is not ranked") from None
    if table.ndim != 2:
        raise ValueError(f"ranks must have 2 dimensions (rankings x items), got shape {table.shape}")
    labels = given_labels(items, "items")
    if len(labels) != table.shape[1]:
        raise ValueError(f"ranks must have a column for each of {len(labels)} items, got {table.shape[1]}")
    bad = np.isinf(table) | (table < 0)
    if bad.any():
        row = int(np.flatnonzero(bad.any(axis=1))[0])
        raise ValueError(f"ranks must be positive and finite, or 0 or NaN, see {row_words(row)}")
    ranked = table > 0
    value = np.where(ranked, table, np.inf)
    order: Values = np.argsort(value, axis=1, kind="stable")
    lengths = ranked.sum(axis=1)
    kept = np.arange(table.shape[1]) < lengths[:, None]
    column: Values = order[kept]
    of: Values = np.repeat(np.arange(len(table)), lengths)
    given: Values = table[of, column]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    rises = np.zeros(len(given), bool)
    rises[1:] = (given[1:] != given[:-1]) | (of[1:] != of[:-1])
    return starts, labels[column], _none_alone(np.cumsum(rises).astype(np.int32), starts)
