"""What DuckDB is told of a file, and which line one of its rows stands in."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from . import pgn, separated
from .inputs import Input, Inputs
from .separated import Dialect
from .usage import UsageError


@dataclass
class Reader:
    """One file."""

    file: Input
    inputs: Inputs = field(repr=False)

    note: str = ""

    @property
    def alike(self) -> object:
        """Neighbours that are equal in this are read by one call."""
        return id(self)

    def relation(self, connection: Any, names: list[str]) -> Any:
        raise NotImplementedError

    def mend(self) -> bool:
        """After an error of DuckDB: raises what is wrong, or says whether a clean copy was made just now."""
        return False

    def count(self, connection: Any) -> int:
        """Number of rows."""
        return int(self.relation(connection, [_pattern(self)]).aggregate("count(*)").fetchall()[0][0])

    def row(self, place: int) -> str:
        return f"{self.file.name} row {place} (from 0)"


@dataclass
class ParquetReader(Reader):
    """Parquet; objects inside become columns by names with points."""

    @property
    def alike(self) -> object:
        return "parquet"

    def relation(self, connection: Any, names: list[str]) -> Any:
        return _unnested(connection.read_parquet(names, union_by_name=True))


@dataclass
class CsvReader(Reader):
    """CSV. A file that DuckDB refuses gets a clean copy."""

    dialect: Dialect = field(default=None, kw_only=True)  # type: ignore[assignment]
    copy: str = ""
    commas: bool = False

    @property
    def alike(self) -> object:
        return self.dialect.separator, self.dialect.columns, self.file.packed and not self.copy

    def relation(self, connection: Any, names: list[str]) -> Any:
        # As text: labels keep their leading zeros, and a stray word can't change what a column is.
        files = ", ".join(map(_literal, names))
        columns = ", ".join(f"{_literal(name)}: 'VARCHAR'" for name in self.dialect.columns)
        packed = "gzip" if self.file.packed and not self.copy else "none"
        taken = ", ".join(map(_with_point, self.dialect.columns)) if self.commas else "*"
        # By SQL: the oldest DuckDB supported has no auto_detect in Python.
        return connection.sql(
            f"SELECT {taken} FROM read_csv([{files}], header = true, auto_detect = false, "
            f"columns = {{{columns}}}, delim = {_literal(self.dialect.separator)}, "
            f"quote = '\"', escape = '\"', compression = '{packed}')"
        )

    def mend(self) -> bool:
        if self.copy:
            return False
        target = self.inputs.copy(".csv")
        separated.clean_copy(self.file, self.dialect, target)
        self.copy = str(target)
        return True

    def row(self, place: int) -> str:
        for line, _ in itertools.islice(separated.records(self.file, self.dialect), place, None):
            return f"{self.file.name} line {line}"
        return super().row(place)


@dataclass
class PgnReader(CsvReader):
    """Games of chess, by way of a copy as CSV."""

    def row(self, place: int) -> str:
        for line, _ in itertools.islice(pgn.games(self.file), place, None):
            return f"{self.file.name} line {line}"
        return super().row(place)


@dataclass
class JsonReader(Reader):
    """A list of objects, or one object a line; objects inside become columns by names with points."""

    def relation(self, connection: Any, names: list[str]) -> Any:
        compression = "gzip" if self.file.packed else "uncompressed"
        return _unnested(connection.read_json(names, sample_size=-1, compression=compression))

    def mend(self) -> bool:
        """Names the first line that is no object, where there is one object a line."""
        for number, line in enumerate(separated.lines(self.file), 1):
            if number == 1 and line.lstrip("\ufeff \t\r\n")[:1] != "{":
                return False
            try:
                if line.strip():
                    json.loads(line)
            except ValueError as error:
                raise UsageError(f"{self.file.name} line {number} is no JSON: {error}") from None
        return False

    def row(self, place: int) -> str:
        filled = (k for k, line in enumerate(separated.lines(self.file), 1) if line.strip())
        first = next(separated.lines(self.file), "").lstrip("\ufeff \t")
        line = next(itertools.islice(filled, place, None), None)
        if line is None or not (first.startswith("{") and first.rstrip().endswith("}")):
            return super().row(place)
        return f"{self.file.name} line {line}"


def quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _with_point(column: str) -> str:
    """SQL for a column of texts in which numbers with a decimal comma have a point."""
    name = quoted(column)
    number = f"regexp_full_match(trim({name}), {_literal(separated.DECIMAL_COMMA)})"
    return f"CASE WHEN {number} THEN replace(replace({name}, '.', ''), ',', '.') ELSE {name} END AS {name}"


def reader_of(file: Input, inputs: Inputs, separator: str | None, commas: bool = False) -> Reader:
    """By the kind of the file."""
    if file.kind == "parquet":
        return ParquetReader(file, inputs)
    if file.kind == "json":
        return JsonReader(file, inputs)
    if file.kind == "pgn":
        target = inputs.copy(".csv")
        columns = pgn.write_games(file, target)
        return PgnReader(file, inputs, dialect=Dialect(",", columns, True), copy=str(target))
    reader = CsvReader(file, inputs, dialect=separated.find_dialect(file, separator), commas=commas)
    if not reader.dialect.clean:
        reader.mend()
    return reader


def joined(connection: Any, readers: Sequence[Reader]) -> Any:
    """The rows of all, in the order given; columns are matched by name."""
    views: list[str] = []
    for _, alike in itertools.groupby(readers, key=lambda reader: reader.alike):
        some = list(alike)
        relation = some[0].relation(connection, [_pattern(reader) for reader in some])
        if len(some) == len(readers):
            return relation
        views.append(f"steelyard_{len(views)}")
        relation.create_view(views[-1])
    return connection.sql(" UNION ALL BY NAME ".join(f"SELECT * FROM {view}" for view in views))


def _pattern(reader: Reader) -> str:
    """The path; an own name may hold what DuckDB takes for a pattern."""
    path = getattr(reader, "copy", "") or str(reader.file.path)
    return "".join(f"[{c}]" if c in "*?[" else c for c in path)


def _unnested(relation: Any) -> Any:
    """Objects inside as columns by names with points."""
    kinds = list(zip(relation.columns, relation.types, strict=True))
    if not any(getattr(kind, "id", "") == "struct" or str(kind) == "JSON" for _, kind in kinds):
        return relation
    return relation.project(", ".join(part for name, kind in kinds for part in _flat([name], kind)))


def _flat(path: list[str], kind: Any) -> list[str]:
    """SQL of a column, or of the fields of an object in it."""
    code = ".".join('"' + name.replace('"', '""') + '"' for name in path)
    name = '"' + ".".join(path).replace('"', '""') + '"'
    if getattr(kind, "id", "") == "struct":
        return [part for field, inner in kind.children for part in _flat([*path, field], inner)]
    if str(kind) == "JSON":
        return [f"{code} ->> '$' AS {name}"]
    return [f"{code} AS {name}"]


def _literal(text: str) -> str:
    """A string as SQL spells it."""
    return "'" + text.replace("'", "''") + "'"
