"""Rows by the day that a column of dates gives them."""

from __future__ import annotations

import calendar
from dataclasses import replace
from datetime import date
from typing import Any

from .columns import Roles
from .source import Source, duckdb_errors, quoted
from .usage import UsageError


def select_period(source: Source, roles: Roles, since: str | None, until: str | None) -> Source:
    """The rows from `since` to `until`; a data set's own period where nothing was asked."""
    years = source.preset.years
    if since is None and until is None and years is None:
        return source
    if roles.time is None:
        raise UsageError(f"--since and --until need a column of dates in {source.name}: name it by --time")
    day = _day(roles.time, str(source.relation.types[source.columns.index(roles.time)]))
    first, last = day_range(since, "--since")[0], day_range(until, "--until")[1]
    relation = source.relation
    with duckdb_errors(source.name):
        missing, latest = _days_of(source, roles, day, "--since and --until need dates")
        if since is None and years is not None:
            end = min(latest, last) if last else latest
            first = _years_before(end, years)
        if first:
            relation = relation.filter(f"{day} >= DATE '{first}'")
        if last:
            relation = relation.filter(f"{day} <= DATE '{last}'")
        played = relation.filter(_played(roles))
        start, end = played.aggregate(f"min({day}), max({day})").fetchall()[0]
    if start is None:
        raise UsageError(
            f"{source.name} has no rows from {first or 'the start'} to {last or latest}; try another period"
        )
    note = f"{start} to {end}"
    if missing:
        note += f", {missing} rows without a date left out"
    return replace(source, relation=relation, note=note)


def with_days(source: Source, roles: Roles) -> Source:
    """Rows with a date, the column of times read as days."""
    if roles.time is None:
        raise UsageError(f"a history needs a column of dates in {source.name}: name it by --time")
    day = _day(roles.time, str(source.relation.types[source.columns.index(roles.time)]))
    with duckdb_errors(source.name):
        missing, _ = _days_of(source, roles, day, "a history needs dates")
        column = quoted(roles.time)
        relation = source.relation.filter(f"{day} IS NOT NULL").select(f"* REPLACE ({day} AS {column})")
    note = f"{missing} rows without a date left out" if missing else ""
    return replace(source, relation=relation, note=note)


def day_range(text: str | None, option: str) -> tuple[date | None, date | None]:
    """First and last day of a year, a month or a day."""
    if text is None:
        return None, None
    try:
        parts = [int(part) for part in text.split("-")]
        if len(parts) == 1:
            return date(parts[0], 1, 1), date(parts[0], 12, 31)
        if len(parts) == 2:
            year, month = parts
            first = date(year, month, 1)
            return first, first.replace(day=calendar.monthrange(year, month)[1])
        whole = date.fromisoformat(text)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{option} must be a year, a month or a day such as 2018, 2018-07 or 2018-07-15, got {text!r}"
        ) from None
    return whole, whole


def _years_before(day: date, years: int) -> date:
    """The day after the same day some years earlier: the period is that many years long."""
    if day.year <= years:
        return date.min
    try:
        same = day.replace(year=day.year - years)
    except ValueError:  # 29 February
        same = day.replace(year=day.year - years, day=28)
    return date.fromordinal(same.toordinal() + 1)


def _days_of(source: Source, roles: Roles, day: str, why: str) -> tuple[int, date]:
    """Number of rows without a date, and the latest day."""
    wrong, missing, latest = _look(source.relation, roles, day)
    if wrong is not None:
        raise UsageError(f"{why}, but the column {roles.time!r} holds {wrong!r}")
    if latest is None:
        raise UsageError(f"the column {roles.time!r} of {source.name} holds no dates")
    return missing, latest


def _day(column: str, kind: str) -> str:
    """SQL that reads a date, a moment or a year as a day."""
    text = f"CAST({quoted(column)} AS VARCHAR)"
    if kind.startswith(("DATE", "TIMESTAMP")):
        return f"CAST({quoted(column)} AS DATE)"
    return f"coalesce(CAST(TRY_CAST({text} AS TIMESTAMP) AS DATE), TRY_CAST({text} || '-01-01' AS DATE))"


def _played(roles: Roles) -> str:
    if roles.left_score is None or roles.right_score is None:
        return "true"
    scores = (
        f"TRY_CAST({quoted(score)} AS DOUBLE) IS NOT NULL" for score in (roles.left_score, roles.right_score)
    )
    return " AND ".join(scores)


def _look(relation: Any, roles: Roles, day: str) -> tuple[Any, int, date | None]:
    """(a value that is no date, number of missing dates, day of the last game that was played)."""
    column = quoted(roles.time or "")
    given = f"nullif(trim(CAST({column} AS VARCHAR)), '')"
    wrong, missing, latest = relation.aggregate(
        f"any_value({given}) FILTER ({given} IS NOT NULL AND {day} IS NULL), "
        f"count(*) FILTER ({given} IS NULL), max({day}) FILTER ({_played(roles)})"
    ).fetchall()[0]
    return wrong, missing, latest
