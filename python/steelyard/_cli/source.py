"""Files and the data that comes with the package, as DuckDB reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .usage import UsageError, require


@dataclass(frozen=True)
class Preset:
    """What differs between a file and the data that comes with the package."""

    item: str = "item"
    comparison: str = "comparison"
    prior: float | None = None
    years: int | None = None
    cluster: str | None = None


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


def open_source(file: str, presets: Mapping[str, Preset], row: str, others: Sequence[str] = ()) -> Source:
    """A data set by its name, or a file; `row` is what a row should be, `others` what else may be given."""
    duckdb = require("duckdb", "cli")
    if file in presets:
        from .. import datasets

        name, path = file, Path(datasets.path(file))
    else:
        name, path = file, Path(file)
        _require_readable(path, [*others, *presets], row)
    connection = duckdb.connect()
    with duckdb_errors(name):
        return Source(name, presets.get(file, Preset()), connection, _relation(connection, path))


def _require_readable(path: Path, others: Sequence[str], row: str) -> None:
    if not path.exists():
        kinds = ", or ".join(["a CSV, Parquet or JSON file", *others])
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


def quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'
