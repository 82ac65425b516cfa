"""What a column of outcomes, or two of scores, says about who won."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._spelling import argument, shown
from .labels import Coded, Encoded, RowName, is_missing, positions
from .wanted import Wanted

Values = npt.NDArray[Any]
Outcomes = tuple[npt.NDArray[np.int8], npt.NDArray[np.bool_]]
"""+1 left won, 0 tie, -1 right won; and which rows have an outcome at all."""

MOST_LEVELS = 32
_DROP, _LABEL = 2, 3
_NOT_PLAYED = ("", "NA")
_WORDS = {
    "left": 1,
    "right": -1,
    "1-0": 1,
    "0-1": -1,
    "1/2-1/2": 0,
    "½-½": 0,
    "0.5-0.5": 0,  # chess
}
_TRUE, _FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")


def read_outcomes(
    values: Values | Coded,
    encoded: Encoded,
    wanted: Wanted,
    outcome_map: Mapping[Any, int | None] | None,
    row_name: RowName,
) -> Outcomes:
    """Each distinct value is understood once; the winner's label row by row."""
    column = f"column {wanted.outcome!r}"
    coded = values if isinstance(values, Coded) and values.whole else None
    if isinstance(values, Coded):
        values = values.labels if coded else values.objects()
    listed = _without_nan(values)
    try:
        meaning = dict.fromkeys(listed, _LABEL)
    except TypeError as error:
        raise TypeError(f"{column} must hold strings or numbers: {error}") from None
    mapped = _checked_map(outcome_map)
    sides, place = {wanted.left: 1, wanted.right: -1}, positions(encoded.labels)
    for value in meaning:
        if value in mapped:
            meaning[value] = mapped[value]
        elif value is None:
            row = row_name(listed.index(None))
            raise ValueError(
                f"{column} has missing outcomes (first: {row}); drop them, "
                f"or give {argument('outcome_map', {None: None})}"
            )
        else:
            meaning[value] = _understand(value, sides, place, column)
    _refuse_zeros_and_ones(meaning, mapped, column)
    code = np.fromiter(map(meaning.__getitem__, listed), dtype=np.int8, count=len(listed))
    if coded:
        code = code[coded.codes]
        listed = coded.objects().tolist() if (code == _LABEL).any() else []
    rows = np.flatnonzero(code == _LABEL)
    if len(rows):
        code[rows] = _winner(listed, rows, encoded, place, column, row_name)
    return code, code != _DROP


def check_levels(levels: Any, name: str) -> tuple[str, ...]:
    """All levels as texts, from the best for the left item to the worst."""
    one = isinstance(levels, str) or (isinstance(levels, np.ndarray) and levels.ndim == 0)
    if one or not isinstance(levels, Sequence | np.ndarray):
        raise TypeError(f"{name} must be a sequence, best first, got {shown(levels)}")
    names = tuple(str(level) for level in levels)
    if not 2 <= len(names) <= MOST_LEVELS or len(set(names)) < len(names):
        raise ValueError(f"{name} must be 2 to {MOST_LEVELS} different ones, got {shown(list(names))}")
    return names


def read_grades(values: Values | Coded, wanted: Wanted, row_name: RowName) -> npt.NDArray[np.int32]:
    """Of each row the place of its outcome among the levels, which go by what they spell."""
    listed = _without_nan(values.objects() if isinstance(values, Coded) else values)
    column, place = f"column {wanted.outcome!r}", {level: k for k, level in enumerate(wanted.levels)}
    try:
        meaning = dict.fromkeys(listed, -1)
    except TypeError as error:
        raise TypeError(f"{column} must hold strings or numbers: {error}") from None
    for value in meaning:
        if value is None:
            first = row_name(listed.index(None))
            raise ValueError(f"{column} has missing outcomes (first: {first}); drop them")
        whole = isinstance(value, float) and value.is_integer()  # of a column of whole numbers with gaps
        meaning[value] = place.get(str(value), place.get(str(int(value)), -1) if whole else -1)
        if meaning[value] < 0:
            raise ValueError(
                f"{column} must hold {argument('outcome_levels')} alone, got {shown(value)} in "
                f"{row_name(_first(listed, value))}; they are {', '.join(wanted.levels)}"
            )
    return np.fromiter(map(meaning.__getitem__, listed), dtype=np.int32, count=len(listed))


def _without_nan(values: Values) -> list[Any]:
    """As objects, None where missing; looks at each distinct object only once."""
    listed: list[Any] = values.tolist()
    try:
        if not any(map(is_missing, dict.fromkeys(listed))):
            return listed
    except TypeError:  # not hashable, which the caller reports
        return listed
    return [None if is_missing(x) else x for x in listed]


def _checked_map(outcome_map: Mapping[Any, int | None] | None) -> dict[Any, int]:
    if outcome_map is None:
        return {}
    if not isinstance(outcome_map, Mapping):
        raise TypeError(f"outcome_map must be a mapping, got {type(outcome_map).__name__}")
    for key, value in outcome_map.items():
        if value not in (1, 0, -1, None):
            raise ValueError(f"outcome_map must map to 1, 0, -1 or None, got {shown(value)} for {key!r}")
    return {
        None if is_missing(key) else key: _DROP if value is None else int(value)
        for key, value in outcome_map.items()
    }


def _understand(value: Any, sides: Mapping[str, int], labels: Container[Any], column: str) -> int:
    """What a value means by itself; _LABEL if it can only be a label."""
    if isinstance(value, bool):
        means = argument("outcome_map", code="{True: 1, ...}")
        raise ValueError(f"{column} holds booleans; say what they mean by {means}")
    readings = set()
    if isinstance(value, str):
        if value in _WORDS:
            readings.add(_WORDS[value])
        if value.lower() in ("draw", "drawn"):
            readings.add(0)
        if value in sides:
            readings.add(sides[value])
        if value.lower().startswith("tie"):
            readings.add(0)
    elif value in (1, 0, -1):
        readings.add(int(value))
    if len(readings) > 1 or (readings and value in labels):
        means = argument("outcome_map", code=f"{{{value!r}: 1 (left won), 0 (tie), -1 or None (drop)}}")
        raise ValueError(
            f"{value!r} in {column} can be read in two ways, as a word and as a label or a column's name; "
            f"say what it means by {means}"
        )
    return readings.pop() if readings else _LABEL


def _refuse_zeros_and_ones(meaning: Mapping[Any, int], mapped: Mapping[Any, int], column: str) -> None:
    """0 beside 1 without any -1 may be a tie or a defeat."""
    if 0 in meaning and 0 not in mapped and 1 in meaning and -1 not in meaning:
        raise ValueError(
            f"{column} holds 0 and 1 but never -1: say whether 0 is a tie or a win of the right side, by "
            f"{argument('outcome_map', {0: 0})} or {argument('outcome_map', {0: -1})}"
        )


def _winner(
    listed: list[Any],
    rows: npt.NDArray[np.intp],
    encoded: Encoded,
    place: Mapping[Any, int],
    column: str,
    row_name: RowName,
) -> npt.NDArray[np.int8]:
    """Where the outcome is the label of one of the two."""
    first, second = encoded.first[rows], encoded.second[rows]
    named = np.fromiter((place.get(listed[k], -1) for k in rows), dtype=np.int32, count=len(rows))
    unknown = np.flatnonzero((named != first) & (named != second))
    if len(unknown):
        k = unknown[0]
        pair = f"{encoded.labels[first[k]]!s} nor {encoded.labels[second[k]]!s}"
        raise ValueError(
            f"{listed[rows[k]]!r} in {column} ({row_name(int(rows[k]))}) is neither {pair}, nor "
            f"'left', 'right', 'tie' or a column's name; say what it means by {argument('outcome_map')}"
        )
    return np.where(named == first, np.int8(1), np.int8(-1))


def outcomes_of_scores(
    left_score: Values, right_score: Values, wanted: Wanted, row_name: RowName
) -> Outcomes:
    """The higher score wins. Rows without both scores have not been played."""
    left = _numbers(left_score, str(wanted.left_score), row_name)
    right = _numbers(right_score, str(wanted.right_score), row_name)
    played = ~np.isnan(left)
    half = np.flatnonzero(played != ~np.isnan(right))
    if len(half):
        row = int(half[0])
        missing, other = (
            (wanted.right_score, wanted.left_score)
            if played[row]
            else (wanted.left_score, wanted.right_score)
        )
        raise ValueError(f"column {missing!r} has no score in {row_name(row)}, but column {other!r} has")
    return (left > right).astype(np.int8) - (left < right).astype(np.int8), played


def _numbers(values: Values, column: str, row_name: RowName) -> npt.NDArray[np.float64]:
    """NaN where missing."""
    if values.dtype.kind in "biuf":
        return values.astype(np.float64)
    listed = values.tolist()
    read: dict[Any, float] = {}
    for value in dict.fromkeys(listed):
        try:
            read[value] = np.nan if is_missing(value) or value in _NOT_PLAYED else float(value)
        except (TypeError, ValueError):
            raise ValueError(
                f"column {column!r} must hold numbers, got {shown(value)} in "
                f"{row_name(_first(listed, value))}"
            ) from None
    return np.fromiter(map(read.__getitem__, listed), dtype=np.float64, count=len(listed))


def read_booleans(values: Values, column: str, row_name: RowName) -> npt.NDArray[np.bool_]:
    """Booleans, or words and numbers for them."""
    if values.dtype.kind == "b":
        return values
    listed = values.tolist()
    read: dict[Any, bool] = {}
    for value in dict.fromkeys(listed):
        word = str(value if is_missing(value) or value not in (0, 1) else int(value)).lower()
        if word not in _TRUE + _FALSE:
            raise ValueError(
                f"column {column!r} must hold booleans (or TRUE, FALSE), got {shown(value)} in "
                f"{row_name(_first(listed, value))}"
            )
        read[value] = word in _TRUE
    return np.fromiter(map(read.__getitem__, listed), dtype=bool, count=len(listed))


def _first(listed: list[Any], value: Any) -> int:
    """Where the very object stands; pandas.NA has no truth value, so that list.index can't tell."""
    return next(k for k, x in enumerate(listed) if x is value)
