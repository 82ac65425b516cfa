"""Rankings as they arrive, as csr rows of item numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _core
from ..._validate import check_vector
from .labels import encode_one, given_labels, hashable, label_column, positions
from .tied_places import read_ranks, without_groups

Values = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rankings:
    """Ranking r lists codes[starts[r] : starts[r + 1]], best first; its first stages[r] places are known."""

    items: Values
    starts: npt.NDArray[np.int64]
    codes: npt.NDArray[np.int32]
    stages: npt.NDArray[np.int32]
    weight: Floats | None
    place: npt.NDArray[np.int32] | None = None  # rises from a set of tied items to the next; None: no ties

    @property
    def n(self) -> int:
        return len(self.items)

    @cached_property
    def kernel(self) -> _core.rank.Rankings:
        """As the kernels walk them."""
        return _core.rank.Rankings(self.starts, self.codes, self.stages, self.n)

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key not in ("kernel", "tied_kernel")}

    @cached_property
    def tie_sizes(self) -> npt.NDArray[np.int64]:
        """How many items the ties hold, rising, each size once."""
        assert self.place is not None
        begins = np.r_[True, self.place[1:] != self.place[:-1]]
        begins[self.starts[:-1]] = True
        sizes = np.unique(np.diff(np.r_[np.flatnonzero(begins), len(self.place)]))
        return np.asarray(sizes[sizes > 1], np.int64)

    @cached_property
    def tied_kernel(self) -> _core.rank.TiedRankings:
        """As the kernels of ties walk them."""
        assert self.place is not None
        return _core.rank.TiedRankings(self.starts, self.codes, self.place, self.tie_sizes.tolist(), self.n)

    def beaten(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Pairs (better, worse) whose chains are all that the rankings say: neighbours (tied ones both ways),
        and the last known place before everything after it.
        """
        if self.place is not None:
            inside = np.ones(len(self.codes), bool)
            inside[self.starts[:-1]] = False
            tied = np.flatnonzero(inside & np.r_[False, self.place[1:] == self.place[:-1]])
            after = np.flatnonzero(inside)
            better, worse = np.r_[after - 1, tied], np.r_[after, tied - 1]
            return self.codes[better], self.codes[worse]
        place = np.arange(len(self.codes)) - np.repeat(self.starts[:-1], np.diff(self.starts))
        stage = np.repeat(self.stages, np.diff(self.starts))
        last = np.repeat(self.starts[:-1] + self.stages - 1, np.diff(self.starts))
        better = np.where(place >= stage, last, np.arange(len(self.codes)) - 1)
        there = place > 0
        return self.codes[better[there]], self.codes[there]


def read_rankings(rankings: Any, choices: Any, items: Any, sample_weight: Any, ranks: Any = None) -> Rankings:
    """One of the three: rankings in any form, (winner, others), or ranks by item."""
    if (rankings is None) + (choices is None) + (ranks is None) != 2:
        raise ValueError("give either rankings or choices=(winner, others) or ranks")
    place = None
    if ranks is not None:
        items = np.arange(np.shape(ranks)[-1]) if items is None and np.ndim(ranks) == 2 else items
        starts, column, place = read_ranks(ranks, items)
        name = "ranks"
    elif rankings is None:
        starts, column = _from_choices(choices)
        name = "choices"
    else:
        rankings, place = without_groups(rankings)
        starts, column = _from_rankings(rankings)
        name = "rankings"
    lengths = np.diff(starts)
    if len(lengths) == 0:
        raise ValueError(f"{name} is empty: there is nothing to compare")
    short = np.flatnonzero(lengths < 2)
    if len(short):
        raise ValueError(
            f"{name} must list at least two items each, got {lengths[short[0]]} in row {short[0]}"
        )
    labels, codes = _encoded(column, items, name)
    starts = starts.astype(np.int64)
    again = _core.rank._repeated_place(starts, codes, len(labels))
    if again >= 0:
        row = int(np.searchsorted(starts, again, side="right")) - 1
        raise ValueError(f"{name} lists {labels[codes[again]]!s} twice in row {row}")
    stages = np.ones(len(lengths), np.int32) if choices is not None else (lengths - 1).astype(np.int32)
    weight = None
    if sample_weight is not None:
        weight = check_vector(sample_weight, "sample_weight", length=len(lengths))
        if not (weight > 0).all():
            raise ValueError(
                f"sample_weight must be positive, got {weight.min()}; leave a ranking without weight out"
            )
    return Rankings(labels, starts, codes, stages, weight, place)


def _encoded(column: Values, items: Any, name: str) -> tuple[Values, npt.NDArray[np.int32]]:
    labels, codes = encode_one(column, name)
    if items is None:
        return labels, codes
    wanted = given_labels(items, "items")
    place = positions(wanted)
    table = np.array([place.get(label, -1) for label in hashable(labels)], dtype=np.int32)
    if (table < 0).any():
        stranger = labels[np.flatnonzero(table < 0)[0]]
        raise ValueError(f"{name} holds {stranger!s}, which is not in items")
    return wanted, table[codes]


def _from_rankings(rankings: Any) -> tuple[Values, Values]:
    if (
        isinstance(rankings, tuple)
        and len(rankings) == 2
        and np.ndim(rankings[1]) == 1
        and _are_starts(rankings)
    ):
        return np.asarray(rankings[1]), label_column(rankings[0], "rankings")
    if isinstance(rankings, np.ndarray) and rankings.ndim == 2:
        return _from_padded(rankings, "rankings")
    try:
        rows = [list(row) for row in rankings]
    except TypeError:
        raise TypeError(
            "rankings must be sequences of labels, a 2-dimensional integer array padded with -1, or "
            "(items, indptr)"
        ) from None
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    flat = [label for row in rows for label in row]
    return starts, label_column(flat, "rankings") if flat else np.zeros(0, np.int64)


def _are_starts(pair: Any) -> bool:
    """(items, indptr) and not two rankings: the second rises from 0 to the length of the first."""
    starts = np.asarray(pair[1])
    if starts.dtype.kind not in "iu" or len(starts) < 2 or np.ndim(pair[0]) != 1:
        return False
    return bool(starts[0] == 0 and starts[-1] == len(pair[0]) and (np.diff(starts) >= 0).all())


def _from_padded(table: Values, name: str) -> tuple[Values, Values]:
    if table.dtype.kind not in "iu":
        raise TypeError(f"{name} must hold integers where it is an array, got dtype {table.dtype}")
    there = table != -1 if table.dtype.kind == "i" else np.ones(table.shape, bool)
    if (~there[:, :-1] & there[:, 1:]).any():
        row = int(np.flatnonzero((~there[:, :-1] & there[:, 1:]).any(axis=1))[0])
        raise ValueError(f"{name} must have its -1 at the end of each row, see row {row}")
    return np.concatenate([[0], np.cumsum(there.sum(axis=1))]), table[there]


def _from_choices(choices: Any) -> tuple[Values, Values]:
    if not isinstance(choices, tuple) or len(choices) != 2:
        raise TypeError("choices must be (winner, others)")
    winner = label_column(choices[0], "choices")
    if isinstance(choices[1], np.ndarray) and choices[1].ndim == 2:
        starts, column = _from_padded(choices[1], "choices")
        rows = [column[a:b].tolist() for a, b in pairwise(starts)]
    else:
        rows = [list(row) for row in choices[1]]
    if len(rows) != len(winner):
        raise ValueError(f"choices must have others for each of {len(winner)} winners, got {len(rows)}")
    return _from_rankings([[best, *rest] for best, rest in zip(winner.tolist(), rows, strict=True)])
