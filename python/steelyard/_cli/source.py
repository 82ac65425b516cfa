"""From a file to a table of counts; DuckDB reads, filters and counts."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .columns import Roles
from .usage import UsageError, require

if TYPE_CHECKING:
    from ..rank import Comparisons


@dataclass(frozen=True)
class Preset:
    """What differs between a file and the data that comes with the package."""

    item: str = "item"
    comparison: str = "comparison"
    prior: float | None = None
    years: int | None = None
    cluster: str | None = None


PRESETS = {
    "football": Preset(item="team", comparison="match", prior=1.0, years=8),
    "llmfao": Preset(item="model", comparison="vote", cluster="worker"),
}


@dataclass(frozen=True)
class Source:
    """Rows that DuckDB reads when they are needed."""

    name: str
    preset: Preset
    connection: Any  # DuckDB 1.1 closes it under the relation once nothing holds it
    relation: Any
    note: str = ""

    @property
    def columns(self) -> list[str]:
        return list(self.relation.columns)


@contextmanager
def duckdb_errors(name: str, deed: str = "read") -> Iterator[None]:
    """DuckDB's errors run over many lines; the first says what is wrong."""
    duckdb = require("duckdb", "cli")
    try:
        yield
    except duckdb.InterruptException:
        raise KeyboardInterrupt from None
    except duckdb.Error as error:
        text = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise UsageError(f"can't {deed} {name}: {' '.join(text[:2])}") from None


def open_source(file: str, presets: Mapping[str, Preset], row: str) -> Source:
    """A data set by its name, or a file; `row` is what a row should be."""
    duckdb = require("duckdb", "cli")
    if file in presets:
        from .. import datasets

        name, path = file, Path(datasets.path(file))
    else:
        name, path = file, Path(file)
        _require_readable(path, presets, row)
    connection = duckdb.connect()
    with duckdb_errors(name):
        return Source(name, presets.get(file, Preset()), connection, _relation(connection, path))


def _require_readable(path: Path, presets: Mapping[str, Preset], row: str) -> None:
    if not path.exists():
        kinds = ", or ".join(["a CSV, Parquet or JSON file", *presets])
        raise UsageError(f"there is no file {str(path)!r}; give {kinds}")
    if path.is_dir():
        raise UsageError(f"{str(path)!r} is a folder; give a CSV, Parquet or JSON file")
    try:
        with path.open("rb") as stream:
            empty = not stream.read(1)
    except OSError as error:
        raise UsageError(f"can't read {str(path)!r}: {error.strerror}") from None
    if empty:
        raise UsageError(f"{str(path)!r} is empty; give a file with a header and one {row} a row")


def _relation(connection: Any, path: Path) -> Any:
    # An own name may hold what DuckDB takes for a pattern.
    name = "".join(f"[{c}]" if c in "*?[" else c for c in str(path))
    suffixes = {suffix.lower() for suffix in path.suffixes[-2:]}
    if ".parquet" in suffixes:
        return connection.read_parquet(name)
    if suffixes & {".json", ".jsonl", ".ndjson"}:
        return connection.read_json(name)
    # As text: labels keep their leading zeros, and a stray word can't change what a column is.
    return connection.read_csv(name, header=True, all_varchar=True)


def asked(options: argparse.Namespace, source: Source) -> Roles:
    """The columns that the options name."""
    names = ("left", "right", "outcome", "left_score", "right_score", "neutral", "time", "cluster")
    given = {name: getattr(options, name, None) for name in names}
    given["cluster"] = given["cluster"] or source.preset.cluster
    return Roles(**given)  # type: ignore[arg-type]


def quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def select_period(source: Source, roles: Roles, since: str | None, until: str | None) -> Source:
    """The rows from `since` to `until`; a data set's own period where nothing was asked."""
    years = source.preset.years
    if since is None and until is None and years is None:
        return source
    if roles.time is None:
        raise UsageError(f"--since and --until need a column of dates in {source.name}: name it by --time")
    day = _day(roles.time, str(source.relation.types[source.columns.index(roles.time)]))
    first, last = _day_range(since, "--since")[0], _day_range(until, "--until")[1]
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


def _day_range(text: str | None, option: str) -> tuple[date | None, date | None]:
    """First and last day of a year, a month or a day."""
    if text is None:
        return None, None
    try:
        parts = [int(part) for part in text.split("-")]
        if len(parts) == 1:
            return date(parts[0], 1, 1), date(parts[0], 12, 31)
        if len(parts) == 2:
            year, month = parts
            after = date(year + month // 12, month % 12 + 1, 1)
            return date(year, month, 1), date.fromordinal(after.toordinal() - 1)
        whole = date.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{option} must be a year, a month or a day such as 2018, 2018-07 or 2018-07-15, got {text!r}"
        ) from None
    return whole, whole


def _years_before(day: date, years: int) -> date:
    """The day after the same day some years earlier: the period is that many years long."""
    try:
        same = day.replace(year=day.year - years)
    except ValueError:  # 29 February
        same = day.replace(year=day.year - years, day=28)
    return date.fromordinal(same.toordinal() + 1)


def count(
    source: Source,
    roles: Roles,
    home: bool,
    outcome_map: dict[object, int | None] | None,
    *,
    dated: bool = False,
    covariates: tuple[str, ...] = (),
) -> Comparisons:
    """The grouped table, counted in DuckDB; `dated`: by day too (see `with_days`), not by cluster."""
    from ..rank import Comparisons

    with duckdb_errors(source.name):
        return Comparisons.from_frame(
            source.relation,
            left=roles.left or "",
            right=roles.right or "",
            outcome=roles.outcome,
            outcome_map=outcome_map,
            left_score=roles.left_score,
            right_score=roles.right_score,
            neutral=roles.neutral if home else None,
            home=True if home and roles.neutral is None else None,
            cluster=None if dated else roles.cluster,
            time=roles.time if dated else None,
            covariates=covariates or None,
        )
