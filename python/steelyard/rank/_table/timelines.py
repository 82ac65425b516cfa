"""Comparisons with dates as a graph of nodes, one for each item on each date on which it was compared."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._labels import label_list, position
from ..._spelling import shown
from ..._validate import check_number, check_positive, refuse_masked
from .comparisons import Comparisons
from .labels import positions
from .times import check_times

Floats = npt.NDArray[np.float64]

UNITS = {"day": 1.0, "week": 7.0, "month": 30.436875, "year": 365.2425}


@dataclass(frozen=True, eq=False)
class Timelines:
    """Nodes sorted by item, then time.

    `games` has the nodes as its items. Times are in time units; NaN for an item whose strength is constant,
    which has one node.
    """

    items: npt.NDArray[Any]
    games: Comparisons
    item: npt.NDArray[np.int32]
    time: Floats
    starts: npt.NDArray[np.int64]
    known: Floats  # NaN unless the node's strength is given
    dates: bool
    unit: float

    @property
    def n_nodes(self) -> int:
        return len(self.item)

    @property
    def gaps(self) -> Floats:
        """From the item's node before; NaN at its first."""
        out = np.full(self.n_nodes, np.nan)
        out[1:] = np.diff(self.time)
        firsts = self.starts[:-1]
        out[firsts[firsts < self.n_nodes]] = np.nan
        return out

    @property
    def held(self) -> npt.NDArray[np.int8] | None:
        held = ~np.isnan(self.known)
        return held.astype(np.int8) if held.any() else None

    def nodes_of(self, item: Any) -> slice:
        """Where the item's nodes are; KeyError if it has none."""
        k = position(positions(self.items), item)
        first, end = int(self.starts[k]), int(self.starts[k + 1])
        if first == end:
            raise KeyError(f"{shown(item)} has no comparisons")
        return slice(first, end)

    def in_units(self, times: Any) -> Floats:
        """Dates or numbers as the caller writes them."""
        given = np.atleast_1d(refuse_masked(times, "time"))
        values = check_times(given, "time", len(given), dates=self.dates)
        if (values.dtype.kind == "M") != self.dates:
            kind = "dates" if self.dates else "numbers"
            raise TypeError(f"time must hold {kind}, as the comparisons do; got {shown(times)}")
        return _numbers(values, self.unit)

    def as_given(self, times: Floats) -> npt.NDArray[Any]:
        """Times in the kind of the comparisons' column; NaT or NaN for constant items."""
        if not self.dates:
            return times * self.unit
        days = np.full(len(times), np.datetime64("NaT", "D"))
        real = ~np.isnan(times)
        days[real] = np.rint(times[real] * self.unit).astype(np.int64).astype("datetime64[D]")
        return days


def _numbers(times: npt.NDArray[Any], unit: float) -> Floats:
    raw = times.astype(np.int64) if times.dtype.kind == "M" else times
    return np.asarray(raw, dtype=np.float64) / unit


def unit_length(unit: Any, dates: bool) -> float:
    """One time unit in days, or in the units of a numeric column."""
    if isinstance(unit, str):
        if unit not in UNITS:
            raise ValueError(
                f"time_unit must be one of {', '.join(map(repr, UNITS))} or a number, got {shown(unit)}"
            )
        if not dates and unit != "day":
            raise ValueError(
                f"time_unit={unit!r} needs dates; the times are numbers: give a length in their unit"
            )
        return UNITS[unit]
    return check_positive(unit, "time_unit")


def make_timelines(
    comparisons: Comparisons, time_unit: Any, constant: Iterable[Any] | None, known: Mapping[Any, Any] | None
) -> Timelines:
    """Validates the arguments and builds the nodes: O(rows log rows)."""
    if comparisons.time is None:
        raise ValueError("comparisons must have times; give from_pairs(time=...) or from_frame(time=...)")
    dates = comparisons.time.dtype.kind == "M"
    unit = unit_length(time_unit, dates)
    still, strengths = _constant_items(comparisons, constant, known)
    times, code = np.unique(comparisons.time, return_inverse=True)
    code = code.astype(np.int64)
    ends = [side.astype(np.int64) for side in (comparisons.left, comparisons.right)]
    keys = [end * len(times) + np.where(still[end], 0, code) for end in ends]
    nodes, place = np.unique(np.concatenate(keys), return_inverse=True)
    item = (nodes // len(times)).astype(np.int32)
    time = _numbers(times, unit)[nodes % len(times)]
    time[still[item]] = np.nan
    left, right = (place[: len(code)].astype(np.int32), place[len(code) :].astype(np.int32))
    return Timelines(
        items=comparisons.items,
        games=_on_nodes(comparisons, left, right, len(nodes)),
        item=item,
        time=time,
        starts=np.searchsorted(item, np.arange(comparisons.n_items + 1)).astype(np.int64),
        known=strengths[item],
        dates=dates,
        unit=unit,
    )


def _constant_items(
    comparisons: Comparisons, constant: Iterable[Any] | None, known: Mapping[Any, Any] | None
) -> tuple[npt.NDArray[np.bool_], Floats]:
    still = np.zeros(comparisons.n_items, dtype=bool)
    strengths = np.full(comparisons.n_items, np.nan)
    if known is not None and not isinstance(known, Mapping):
        raise TypeError(f"known must map labels to strengths, got {type(known).__name__}")
    place = positions(comparisons.items)
    for name, labels in (("constant", constant), ("known", known)):
        for label in [] if labels is None else label_list(labels, name):
            if not isinstance(label, Hashable) or label not in place:
                raise ValueError(f"{name} holds {shown(label)}, which is no item of the comparisons")
            still[place[label]] = True
    if known is not None:
        for label, value in known.items():
            strengths[place[label]] = check_number(value, f"known[{shown(label)}]")
    if still.any() and not np.isnan(strengths).any():
        raise ValueError("known must leave at least one item to be rated")
    return still, strengths


def _on_nodes(
    comparisons: Comparisons, left: npt.NDArray[np.int32], right: npt.NDArray[np.int32], nodes: int
) -> Comparisons:
    keys: list[npt.NDArray[Any]] = [right, left]
    if comparisons.home is not None:
        keys.insert(0, comparisons.home)
    order = np.lexsort(keys)

    def taken(column: npt.NDArray[Any] | None) -> Any:
        return None if column is None else column[order]

    return Comparisons(
        items=np.arange(nodes),
        left=left[order],
        right=right[order],
        left_wins=taken(comparisons.left_wins),
        right_wins=taken(comparisons.right_wins),
        ties=taken(comparisons.ties),
        home=taken(comparisons.home),
    )
