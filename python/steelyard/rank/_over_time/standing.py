"""Ratings that stand before the first game: of an earlier result, or of a published board."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._spelling import shown
from ..._validate import check_number, check_positive
from .._table import Games, Values, given_labels, places_in

Floats = npt.NDArray[np.float64]


def read_board(
    board: Mapping[Any, Any], names: tuple[str, ...], usual: tuple[float, ...] = ()
) -> tuple[Values, list[Floats]]:
    """Labels of a board and a column a name; `usual` stands in where any but the first is left out."""
    if not board:
        raise ValueError("initial must name at least one item, got an empty mapping")
    labels = given_labels(list(board), "initial")
    rows = np.array([_numbers(label, value, names, usual) for label, value in board.items()])
    return labels, list(rows.T.copy())


def _numbers(label: Any, value: Any, names: tuple[str, ...], usual: tuple[float, ...]) -> list[float]:
    one = not isinstance(value, tuple | list)
    given = [value] if one else list(value)
    if not 1 <= len(given) <= len(names):
        wanted = names[0] if len(names) == 1 else f"up to {len(names)} numbers ({', '.join(names)})"
        raise ValueError(f"initial must give {wanted} for {shown(label)}, got {shown(value)}")
    found = [check_number(given[0], f"initial's rating of {shown(label)}")]
    for name, number in zip(names[1:], given[1:], strict=False):
        found.append(check_positive(number, f"initial's {name} of {shown(label)}"))
    return found + list(usual[len(found) - 1 :])


def joined(games: Games, known: Values) -> Games:
    """The games over the known items and those that are new."""
    place = places_in(known, games.items)
    new = place < 0
    if new.any() and known.dtype.kind != games.items.dtype.kind:
        raise TypeError("initial must have labels of the same kind as winner and loser")
    place[new] = len(known) + np.arange(int(new.sum()))
    items = np.concatenate([known, games.items[new]]) if new.any() else known
    first, second = (place[side].astype(np.int32) for side in (games.first, games.second))
    return replace(games, items=items, first=first, second=second)


def after_these(known: Floats, n: int, newcomer: float) -> Floats:
    """The known values, and one value for the items after them."""
    return np.concatenate([known, np.full(n - len(known), newcomer)])
