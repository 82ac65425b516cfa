"""Rating periods: which games count at once, and how many periods lie between."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._spelling import shown
from ..._validate import check_positive
from .._table import Values, check_times

Numbers = npt.NDArray[np.int64]

_WORDS = {"D": "day", "W": "week", "M": "month", "Y": "year"}
_CODES = {word: code for code, word in _WORDS.items()}
_MOST = 2.0**53


@dataclass(frozen=True)
class Clock:
    """How periods are counted, and the last one that has passed."""

    dates: bool
    length: float | str
    origin: float  # of lengths that are numbers
    last: int

    def count(self, values: Values) -> Numbers:
        """The number of each value's period."""
        if self.length == "week":  # from Monday; the first of 1970 was a Thursday
            return np.asarray((values.astype(np.int64) + 3) // 7)
        if isinstance(self.length, str):
            return np.asarray(values.astype(f"datetime64[{_CODES[self.length]}]").astype(np.int64))
        passed = (values.astype(np.float64) - self.origin) / self.length
        if not np.abs(passed).max() < _MOST:
            raise ValueError(
                f"period must span fewer than 2^53 periods, but does not with period_length={self.length:g}"
            )
        # A quotient that rounding has put just below a whole number is that number.
        return np.floor(passed * (1.0 + 4.0 * np.finfo(float).eps)).astype(np.int64)


@dataclass(frozen=True)
class Calendar:
    """Games of period numbers[p] are rows starts[p] .. starts[p + 1]; `before` had ended before them."""

    starts: Numbers
    numbers: Numbers
    before: int
    _clock: Clock | None

    def clock(self, last: int) -> Clock | None:
        """The clock after a period."""
        return None if self._clock is None else replace(self._clock, last=last)


def read_periods(period: Any, length: Any, n: int, known: Clock | None) -> Calendar:
    """The calendar of some games, after those of an earlier result."""
    if period is None:
        if length is not None:
            raise ValueError("period_length goes with period, which says when the games were")
        last = -1 if known is None else known.last
        return Calendar(np.array([0, n]), np.array([last + 1]), last, known)
    dtype = np.asarray(period).dtype
    values = check_times(period, "period", n)
    falls = np.flatnonzero(values[1:] < values[:-1])
    if len(falls):
        raise ValueError(
            f"period must not fall, as it does from row {falls[0]} to {falls[0] + 1}; sort the games"
        )
    clock = _clock(values, length, known, dtype)
    number = clock.count(values)
    if known is not None and number[0] <= known.last:
        raise ValueError(
            f"period must begin after the last one of initial, but {shown(values[0].item())} does not"
        )
    starts = np.r_[0, np.flatnonzero(number[1:] != number[:-1]) + 1, n].astype(np.int64)
    numbers = number[starts[:-1]]
    return Calendar(starts, numbers, int(numbers[0]) - 1 if known is None else known.last, clock)


def _clock(values: Values, length: Any, known: Clock | None, dtype: np.dtype[Any]) -> Clock:
    dates = values.dtype.kind == "M"
    wanted = None if length is None else _length(length, dates)
    if known is not None:
        if dates != known.dates:
            kind = "dates" if known.dates else "numbers"
            raise TypeError(f"period must hold {kind}, as it did for initial")
        if wanted is not None and wanted != known.length:
            raise ValueError(f"period_length must be that of initial, {known.length!r}, got {shown(length)}")
        return known
    if wanted is None:
        unit = np.datetime_data(dtype)[0] if dtype.kind == "M" else "D"
        wanted = _WORDS.get(unit, "day") if dates else 1.0
    return Clock(dates, wanted, float(values[:1].astype(np.float64)[0]), 0)


def _length(length: Any, dates: bool) -> float | str:
    if not isinstance(length, str):
        return check_positive(length, "period_length")
    if length not in _CODES:
        raise ValueError(
            f"period_length must be one of {', '.join(map(repr, _CODES))} or a number, got {shown(length)}"
        )
    if not dates:
        raise ValueError(
            f"period_length={length!r} needs dates; period holds numbers: give a length in their unit"
        )
    return length
