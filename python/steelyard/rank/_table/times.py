"""A column of times: days or numbers."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._spelling import shown
from ..._times import Form, eight_digits, find_form, year_month_day
from ..._validate import check_number, refuse_masked
from .labels import RowName, as_day, is_missing

Values = npt.NDArray[Any]

_EIGHT = Form("eight digits")


def check_formats(date_format: Any) -> tuple[str, ...]:
    """Formats as `strptime` takes them, to be tried in turn."""
    if date_format is None:
        return ()
    one = isinstance(date_format, str) or not np.iterable(date_format)
    listed = [date_format] if one else list(date_format)
    if not listed or not all(isinstance(one, str) and "%" in one for one in listed):
        raise ValueError(
            f"date_format must be a format such as '%d/%m/%y', or a list of them, got {shown(date_format)}"
        )
    return tuple(listed)


def check_times(
    values: Any,
    name: str,
    n: int,
    row_name: RowName = lambda row: f"row {row}",
    *,
    formats: Sequence[str] = (),
    dates: bool | None = None,
) -> Values:
    """float64, or datetime64[D] for anything that names a day (a time of day is cut off).

    `dates` says that numbers are days of eight digits, or are not, where that is known.
    """
    array = refuse_masked(values, name)
    if array.shape != (n,):
        raise ValueError(f"{name} must have shape ({n},), got {array.shape}")
    if formats and array.dtype.kind != "M":
        array = np.fromiter(map(_as_text, array.tolist()), dtype=object, count=n)
    if array.dtype.kind in "OTU":
        array = _read(array, name, row_name, formats, dates)
    elif array.dtype.kind in "biuf":
        array = _numbers_or_days(_finite(array.astype(np.float64), name, row_name), dates)
    if array.dtype.kind == "f":
        return _finite(array, name, row_name)
    if array.dtype.kind != "M":
        raise TypeError(f"{name} must hold numbers or dates, got dtype {array.dtype}")
    days = array.astype("datetime64[D]")
    missing = np.flatnonzero(np.isnat(days))
    if len(missing):
        raise ValueError(f"{name} has {len(missing)} missing dates (first: {row_name(int(missing[0]))})")
    return days


def moment(value: Any, name: str, time: Values) -> Any:
    """The first day (for "until": the last) that a date, a month or a year names, or a number."""
    if time.dtype.kind == "f":
        return check_number(value, name)
    value = as_day(value)
    try:
        if isinstance(value, str):
            return np.datetime64(year_month_day(value)[name == "until"], "D")
        if isinstance(value, numbers.Integral) and eight_digits(int(value)):
            return np.datetime64(_EIGHT.day(str(value)), "D")
        given = np.datetime64(value)
        day = given.astype("datetime64[D]")
    except (ValueError, TypeError):
        raise _no_date(name, value) from None
    if np.isnat(day):
        raise _no_date(name, value)
    if name == "until" and np.datetime_data(given.dtype)[0] in ("Y", "M"):
        return (given + 1).astype("datetime64[D]") - 1
    return day


def _no_date(name: str, value: Any) -> ValueError:
    return ValueError(f"{name} must be a date such as 2018-07-15, got {shown(value)}")


def _finite(array: npt.NDArray[np.float64], name: str, row_name: RowName) -> npt.NDArray[np.float64]:
    bad = np.flatnonzero(~np.isfinite(array))
    if len(bad):
        raise ValueError(
            f"{name} has {len(bad)} entries that are NaN or infinite (first: {row_name(int(bad[0]))})"
        )
    return array


def _numbers_or_days(array: npt.NDArray[np.float64], dates: bool | None) -> Values:
    """Days where all are whole numbers of eight digits that the calendar has."""
    if dates is False or not len(array) or not 18000101 <= array.min() <= array.max() <= 21001231:
        return array
    distinct, place = np.unique(array, return_inverse=True)
    if not all(map(eight_digits, distinct.tolist())):
        return array
    return np.array([_EIGHT.day(str(int(x))) for x in distinct], dtype="datetime64[D]")[place]


def _as_text(value: Any) -> Any:
    """A whole number as its digits, for formats."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, numbers.Integral) else value


def _read(array: Values, name: str, row_name: RowName, formats: Sequence[str], dates: bool | None) -> Values:
    """Texts, dates or numbers as objects; each distinct one is read once."""
    values = array.tolist()
    try:
        distinct = dict.fromkeys(values)
    except TypeError as error:
        raise TypeError(f"{name} must hold numbers or dates: {error}") from None
    texts = [x for x in distinct if isinstance(x, str) and x.strip()]
    others = [x for x in distinct if not isinstance(x, str) and not is_missing(x)]
    form = find_form(texts, name, lambda text: row_name(values.index(text)), formats)
    if not form.dates or (form.kind == "eight digits" and dates is False):
        if all(isinstance(x, numbers.Real) for x in others) and (texts or others):
            return _numbers_or_days(np.array([_as_number(x, name) for x in values]), dates)
        if texts:
            raise ValueError(f"{name} mixes dates and numbers, such as {others[0]!r} and {texts[0]!r}")
    read: dict[Any, Any] = {x: np.datetime64(form.day(x), "D") for x in texts}
    for other in others:
        try:
            read[other] = np.datetime64(as_day(other)).astype("M8[D]")
        except (ValueError, TypeError):
            row = next(k for k, x in enumerate(values) if x is other)
            raise ValueError(
                f"{name} must hold numbers, or ISO dates such as 2018-07-15, got {shown(other)} "
                f"in {row_name(row)}"
            ) from None
    missing = np.datetime64("NaT", "D")
    return np.array([read.get(x, missing) for x in values], dtype="datetime64[D]")


def _as_number(value: Any, name: str) -> float:
    if isinstance(value, str):
        return float(value) if value.strip() else np.nan
    try:
        return np.nan if is_missing(value) else float(value)
    except OverflowError:
        raise ValueError(f"{name} must hold numbers that float64 holds, got {shown(value)}") from None
