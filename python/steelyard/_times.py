"""How a column of times is written: one rule for Python and the command line.

ISO dates, and others with the year first, are dates. So are whole numbers, or texts, of eight digits that
are all valid days of 1800 to 2100. Day first and month first need years of four digits, and rows that tell
which it is. Other numbers stay numbers. All else is refused: a year of two digits, rows that disagree, what
can be read in two ways.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from ._spelling import argument

TIME_OF_DAY = (
    r"[0-9]{1,2}:?[0-9]{2}(:?[0-9]{2}([.,][0-9]+)?)? ?([AaPp][Mm])? ?(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)?"
)
_REST = re.compile(TIME_OF_DAY)
_YEAR_FIRST = re.compile(r"([0-9]{4})(?:([-/.])([0-9]{1,2})(?:\2([0-9]{1,2}))?)?")
_YEAR_LAST = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4})")
_SHORT_YEAR = re.compile(r"[0-9]{1,2}([-/. ])[0-9]{1,2}\1[0-9]{1,2}")
_FIRST, _LAST = date(1800, 1, 1), date(2100, 12, 31)


Where = Callable[[str], str]
"""What the row is called that holds a text."""


@dataclass(frozen=True)
class Form:
    """What a column holds: numbers, dates of eight digits, with year, day or month first, or in formats."""

    kind: str
    separator: str = ""
    formats: tuple[str, ...] = ()

    @property
    def dates(self) -> bool:
        return self.kind != "numbers"

    def day(self, text: str) -> date:
        """The day that a text names in this form; ValueError if it names none."""
        if self.formats:
            return _by_formats(text, self.formats)
        part = date_part(text)
        if self.kind == "eight digits":
            return date(int(part[:4]), int(part[4:6]), int(part[6:8]))
        if self.kind == "year first":
            return _year_first(part)
        one, other, year = map(int, part.split(self.separator))
        return date(year, other, one) if self.kind == "day first" else date(year, one, other)


def date_part(text: str) -> str:
    """The text without a time of day; ValueError where what follows the date is none."""
    text = text.strip()
    for mark in (" ", "T"):
        day, found, rest = text.partition(mark)
        if found and day[:1].isdigit():
            if not _REST.fullmatch(rest.strip()):
                raise ValueError(f"{rest!r} is no time of day")
            return day
    return text


def eight_digits(number: float) -> bool:
    """Whether a number is a valid day of 1800 to 2100 as year, month and day without separators."""
    if not 18000101 <= number <= 21001231 or number != math.floor(number):
        return False
    try:
        day = date(int(number) // 10000, int(number) // 100 % 100, int(number) % 100)
    except ValueError:
        return False
    return _FIRST <= day <= _LAST


def find_form(texts: Iterable[str], name: str, where: Where, formats: Sequence[str] = ()) -> Form:
    """The form that all texts of the column `name` agree on; ValueError where there is none."""
    listed = list(texts)
    if formats:
        return _checked(Form("formats", formats=tuple(formats)), listed, name, where)
    numbers = [_number(text) for text in listed]
    if None not in numbers:
        days = all(
            len(text.strip()) == 8 and eight_digits(x or 0) for text, x in zip(listed, numbers, strict=True)
        )
        return Form("eight digits" if days and listed else "numbers")
    return _checked(_of_dates(listed, name, where), listed, name, where)


def year_month_day(text: str) -> tuple[date, date]:
    """First and last day of a year, a month or a day (2018, 2018-07, 2018-07-15, 20180715)."""
    text = text.strip()
    if len(text) == 8 and text.isascii() and text.isdigit():
        text = f"{text[:4]}-{text[4:6]}-{text[6:]}"
    part = date_part(text)
    first = _year_first(part)
    given = _YEAR_FIRST.fullmatch(part)
    if given is None or given[4]:
        return first, first
    month = first.month if given[3] else 12
    end = (
        date(first.year, 12, 31)
        if month == 12
        else date.fromordinal(first.replace(month=month + 1).toordinal() - 1)
    )
    return first, end


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in text else None


def _of_dates(listed: list[str], name: str, where: Where) -> Form:
    """Year first, or the year last with a side that rules one reading out."""
    kinds: dict[str, str] = {}
    sides: list[tuple[int, int, str]] = []
    for text in listed:
        kind = _kind(text)
        if kind == "short year":
            raise ValueError(
                f"{name} holds dates with a year of two digits, such as {text!r} in {where(text)}: "
                f"{_ways(text)}"
            )
        if not kind:
            raise ValueError(
                f"{name} must hold numbers, or ISO dates such as 2018-07-15, got {text!r} in {where(text)} "
                f"(other forms: {argument('date_format', '%d %b %Y')})"
            )
        kinds.setdefault(kind, text)
        last = _YEAR_LAST.fullmatch(date_part(text))
        if last:
            sides.append((int(last[1]), int(last[3]), text))
    if len(kinds) > 1:
        one, other, *_ = kinds.values()
        raise ValueError(
            f"{name} holds dates of different forms, {one!r} in {where(one)} and {other!r} in "
            f"{where(other)}; {_one_form()}"
        )
    (kind,) = kinds
    return Form(kind) if not sides else _day_or_month_first(sides, kind, name, where)


def _kind(text: str) -> str:
    """Year first, eight digits, short year, the separator before a year that comes last, or nothing."""
    try:
        part = date_part(text)
    except ValueError:
        part = text.strip()
    last = _YEAR_LAST.fullmatch(part)
    if last:
        return last[2]
    if _YEAR_FIRST.fullmatch(part):
        return "year first"
    if _SHORT_YEAR.fullmatch(part):
        return "short year"
    return "eight digits" if len(part) == 8 and eight_digits(_number(part) or 0) else ""


def _day_or_month_first(sides: list[tuple[int, int, str]], separator: str, name: str, where: Where) -> Form:
    day_first = next((text for one, _, text in sides if one > 12), None)
    month_first = next((text for _, other, text in sides if other > 12), None)
    if day_first and month_first:
        raise ValueError(
            f"{name} holds dates with the day first, {day_first!r} in {where(day_first)}, and with the month "
            f"first, {month_first!r} in {where(month_first)}; {_one_form()}"
        )
    doubtful = next((text for one, other, text in sides if one != other), None)
    if not day_first and not month_first and doubtful:
        raise ValueError(
            f"{name} holds dates that can be read with the day or the month first, such as {doubtful!r} in "
            f"{where(doubtful)}: {_ways(doubtful)}"
        )
    return Form("month first" if month_first else "day first", separator)


def _ways(text: str) -> str:
    """The options that settle the order of day and month."""
    mark = next((c for c in text.strip() if c in "-/. "), "/")
    year = "Y" if _kind(text) != "short year" else "y"
    day, month = (argument("date_format", f"%{a}{mark}%{b}{mark}%{year}") for a, b in ("dm", "md"))
    return f"say which it is by {day} or {month}"


def _one_form() -> str:
    return f"write them in one form, or give all forms by {argument('date_format', code='FORMAT')}"


def _checked(form: Form, listed: list[str], name: str, where: Where) -> Form:
    for text in listed:
        try:
            form.day(text)
        except ValueError:
            told = " or ".join(argument("date_format", one) for one in form.formats)
            what = f"is not of the form {told}" if told else "is no day of the calendar"
            raise ValueError(f"{name} holds {text!r} in {where(text)}, which {what}") from None
    return form


def _by_formats(text: str, formats: Sequence[str]) -> date:
    for one in formats:
        try:
            return datetime.strptime(text.strip(), one).date()
        except ValueError:
            continue
    raise ValueError(text)


def _year_first(part: str) -> date:
    found = _YEAR_FIRST.fullmatch(part)
    if found is None:
        raise ValueError(part)
    return date(int(found[1]), int(found[3] or 1), int(found[4] or 1))
