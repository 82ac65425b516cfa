"""Rows by the day, or the number, that a column of times gives them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from .._times import TIME_OF_DAY, Form, eight_digits, find_form, year_month_day
from .columns import Roles
from .options import as_number
from .readers import quoted
from .source import Source
from .usage import UsageError

_SAYS = {
    "day first": "day first",
    "month first": "month first",
    "eight digits": "from eight digits",
    "numbers": "numbers",
}
_MOST = 2_000_000  # different texts to look at one by one


@dataclass(frozen=True)
class Clock:
    """How a column of times is read: SQL for its days or numbers, and what to call the reading."""

    sql: str
    dates: bool
    says: str

    def literal(self, moment: Any) -> str:
        return f"DATE '{moment}'" if self.dates else f"{float(moment)!r}"


def read_clock(source: Source, roles: Roles, formats: tuple[str, ...]) -> Clock:
    """One form for all rows of all files; refuses what the library refuses in Python."""
    column = roles.time or ""
    kind = str(source.relation.types[source.columns.index(column)])
    raw = quoted(column)
    if kind.startswith(("DATE", "TIMESTAMP")):
        return Clock(f"CAST({raw} AS DATE)", True, "")
    text = f"nullif(trim(CAST({raw} AS VARCHAR)), '')"
    if kind not in ("VARCHAR", "JSON") and not formats:
        return _of_numbers(source, raw)
    with source.reading():
        words, numbers, plain = source.relation.aggregate(
            f"count({text}), count(*) FILTER (isfinite(TRY_CAST({text} AS DOUBLE))), "
            f"count(*) FILTER ({_is_iso(text)})"
        ).fetchall()[0]
        if not words:
            raise UsageError(f"the column {column!r} of {source.name} holds no dates")
        if numbers == words and not formats:
            return _of_numbers(source, text)
        if plain == words and not formats:  # most files, and the fastest way
            return Clock(f"TRY_CAST(left({text}, 10) AS DATE)", True, "")
        part = text if formats else _date_part(text)
        found = source.relation.project(f"{part} AS part").filter("part IS NOT NULL").distinct().limit(_MOST)
        parts = [row[0] for row in found.fetchall()]
    try:
        form = find_form(sorted(parts), f"column {column!r}", _finder(source, part), formats)
    except ValueError as error:
        raise UsageError(error) from None
    # What follows the date has been looked at: from here on it is cut off without a look.
    short = text if formats else f"split_part(split_part({text}, ' ', 1), 'T', 1)"
    return Clock(_day(short, form), True, _SAYS.get(form.kind, "") or " or ".join(form.formats))


def select_period(
    source: Source, roles: Roles, since: str | None, until: str | None, formats: tuple[str, ...]
) -> Source:
    """The rows from `since` to `until`; a data set's own period where nothing was asked."""
    years = source.preset.years
    if since is None and until is None and years is None:
        return source
    if roles.time is None:
        raise UsageError(f"--since and --until need a column of dates in {source.name}: name it by --time")
    clock = read_clock(source, roles, formats)
    first, last = _ends(since, until, clock)
    with source.reading():
        missing, latest = source.relation.aggregate(
            f"count(*) - count({clock.sql}), max({clock.sql}) FILTER ({_played(roles)})"
        ).fetchall()[0]
        if latest is None:
            raise UsageError(f"the column {roles.time!r} of {source.name} holds no dates")
        if since is None and years is not None:
            first = _years_before(min(latest, last) if last else latest, years)
        ends = [
            f"{clock.sql} {sign} {clock.literal(end)}"
            for sign, end in ((">=", first), ("<=", last))
            if end is not None
        ]
        chosen = source.then(lambda relation: relation.filter(" AND ".join(ends or ["true"])))
        start, end = (
            chosen.relation.filter(_played(roles))
            .aggregate(f"min({clock.sql}), max({clock.sql})")
            .fetchall()[0]
        )
    if start is None:
        raise UsageError(
            f"{source.name} has no rows from {first or 'the start'} to {last or latest}; try another period"
        )
    left_out = f"{missing} rows without a date left out" if missing else ""
    return chosen.noted(_period(start, end, clock), left_out)


def with_times(source: Source, roles: Roles, formats: tuple[str, ...]) -> tuple[Source, Clock]:
    """Rows with a time, the column of times read as days or numbers."""
    if roles.time is None:
        raise UsageError(f"a history needs a column of dates in {source.name}: name it by --time")
    clock = read_clock(source, roles, formats)
    with source.reading():
        missing, there = source.relation.aggregate(
            f"count(*) - count({clock.sql}), count({clock.sql})"
        ).fetchall()[0]
    if not there:
        raise UsageError(f"the column {roles.time!r} of {source.name} holds no dates")
    column = quoted(roles.time)
    read = source.then(
        lambda relation: relation.filter(f"{clock.sql} IS NOT NULL").project(
            f"* REPLACE ({clock.sql} AS {column})"
        ),
        f"{missing} rows without a date left out" if missing else "",
    )
    return read, clock


def day_range(text: str | None, option: str) -> tuple[date | None, date | None]:
    """First and last day of a year, a month or a day."""
    if text is None:
        return None, None
    try:
        return year_month_day(text)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{option} must be a year, a month or a day such as 2018, 2018-07 or 2018-07-15, got {text!r}"
        ) from None


def number_of(text: str | None, option: str) -> float | None:
    """A time of a column of numbers."""
    if text is None:
        return None
    value = as_number(text)
    if isinstance(value, str) or value - value != 0:
        raise UsageError(f"{option} must be a number, as the column of times holds, got {text!r}")
    return value


def _ends(since: str | None, until: str | None, clock: Clock) -> tuple[Any, Any]:
    if clock.dates:
        return day_range(since, "--since")[0], day_range(until, "--until")[1]
    return number_of(since, "--since"), number_of(until, "--until")


def _period(start: Any, end: Any, clock: Clock) -> str:
    ends = f"{start} to {end}" if clock.dates else f"times {start:.12g} to {end:.12g}"
    return f"{ends} ({clock.says})" if clock.says else ends


def _of_numbers(source: Source, raw: str) -> Clock:
    """Days where all are whole numbers of eight digits that the calendar has."""
    number = f"TRY_CAST({raw} AS DOUBLE)"
    with source.reading():
        numbers = source.relation.project(f"{number} AS x").filter("x IS NOT NULL")
        fit = "count(*) FILTER (NOT isfinite(x) OR x <> floor(x) OR x NOT BETWEEN 18000101 AND 21001231)"
        wrong, there = numbers.aggregate(f"{fit}, count(*)").fetchall()[0]
        days = not wrong and there and all(eight_digits(row[0]) for row in numbers.distinct().fetchall())
    if not days:
        return Clock(f"CASE WHEN isfinite({number}) THEN {number} END", False, "numbers")
    digits = f"CAST(CAST({number} AS BIGINT) AS VARCHAR)"
    return Clock(_day(digits, Form("eight digits")), True, _SAYS["eight digits"])


def _is_iso(text: str) -> str:
    """SQL: YYYY-MM-DD, alone or with a time of day."""
    dashes = f"substr({text}, 5, 1) = '-' AND substr({text}, 8, 1) = '-'"
    day = f"TRY_CAST(left({text}, 10) AS DATE) IS NOT NULL"
    return f"{dashes} AND {day} AND (length({text}) = 10 OR TRY_CAST({text} AS TIMESTAMP) IS NOT NULL)"


def _date_part(text: str) -> str:
    """SQL for the text without its time of day, whole where what follows the date is none."""
    day = f"regexp_extract({text}, '^([0-9][^ T]*)[ T] ?({TIME_OF_DAY})$', 1)"
    return f"coalesce(nullif({day}, ''), {text})"


def _day(part: str, form: Form) -> str:
    """SQL for the day that a text of this form names."""
    if form.formats:
        listed = ", ".join("'" + one.replace("'", "''") + "'" for one in form.formats)
        return f"CAST(try_strptime({part}, [{listed}]) AS DATE)"
    if form.kind == "eight digits":
        return f"CAST(try_strptime({part}, '%Y%m%d') AS DATE)"
    if form.kind == "year first":
        dashes = f"replace(replace({part}, '/', '-'), '.', '-')"
        whole = [f"TRY_CAST({dashes} || '{end}' AS DATE)" for end in ("", "-01", "-01-01")]
        return f"coalesce({', '.join(whole)})"
    one, other = "dm" if form.kind == "day first" else "md"
    return f"CAST(try_strptime({part}, '%{one}{form.separator}%{other}{form.separator}%Y') AS DATE)"


def _finder(source: Source, part: str) -> Any:
    """Where the first row with a text stands."""

    def find(text: str) -> str:
        with source.reading():
            numbered = source.relation.project(f"{part} AS part, row_number() OVER () - 1 AS place")
            same = f"part = '{text.replace(chr(39), chr(39) * 2)}'"
            return source.row(numbered.filter(same).aggregate("min(place)").fetchall()[0][0])

    return find


def _years_before(day: date, years: int) -> date:
    """The day after the same day some years earlier: the period is that many years long."""
    if day.year <= years:
        return date.min
    try:
        same = day.replace(year=day.year - years)
    except ValueError:  # 29 February
        same = day.replace(year=day.year - years, day=28)
    return date.fromordinal(same.toordinal() + 1)


def _played(roles: Roles) -> str:
    if roles.left_score is None or roles.right_score is None:
        return "true"
    scores = (
        f"TRY_CAST({quoted(score)} AS DOUBLE) IS NOT NULL" for score in (roles.left_score, roles.right_score)
    )
    return " AND ".join(scores)
