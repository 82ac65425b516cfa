"""Games in the order they were played, as the sequential ratings read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._spelling import row_words
from .comparisons import _outcome_of_ties
from .labels import hashable, positions
from .votes import _amounts, encode_items, home_signs

Values = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Games:
    """One row a game."""

    items: Values
    first: npt.NDArray[np.int32]
    second: npt.NDArray[np.int32]
    score: npt.NDArray[np.int8] | None
    weight: Floats | None
    margin: Floats | None
    home: npt.NDArray[np.int8] | None


def read_games(
    winner: Any,
    loser: Any,
    tie: Any,
    weight: Any = None,
    margin: Any = None,
    home: Any = None,
    items: Any = None,
) -> Games:
    """Validates the columns."""
    labels, first, second = encode_items(winner, loser, items, ("winner", "loser"))
    n = len(first)
    return Games(
        labels,
        first,
        second,
        None if tie is None else _outcome_of_ties(tie, n),
        None if weight is None else _amounts(weight, "weight", n, row_words),
        None if margin is None else _amounts(margin, "margin", n, row_words),
        None if home is None else home_signs(home, n, row_words),
    )


def places_in(known: Values, labels: Values) -> npt.NDArray[np.intp]:
    """Where each label stands among the known ones; -1 where it is new."""
    place = positions(known)
    return np.array([place.get(label, -1) for label in hashable(labels)], dtype=np.intp)
