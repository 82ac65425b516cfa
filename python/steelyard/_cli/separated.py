"""CSV as people write it: its separator, its header, its lines, and a clean copy where it is not clean."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .inputs import Input, not_utf8, writing
from .usage import UsageError

_SEPARATORS = ",;\t|"
MOST_COLUMNS = 10_000
_LOOKED_AT = 100  # records
csv.field_size_limit(2**31 - 1)


# Numbers with a decimal comma, maybe with points between thousands; as SQL has it.
DECIMAL_COMMA = r"[+-]?([0-9]*|[0-9]{1,3}(\.[0-9]{3})+),[0-9]+([eE][+-]?[0-9]+)?"


@dataclass
class Dialect:
    """Separator, names of the columns, and whether the header stands in the first line."""

    separator: str
    columns: tuple[str, ...]
    clean: bool


def decimal_hint(word: object) -> str:
    """The option for a cell that holds a number with a decimal comma."""
    if not isinstance(word, str) or word.count(",") != 1:
        return ""
    try:
        float(word.replace(".", "").replace(",", "."))
    except ValueError:
        return ""
    return "; --decimal comma reads numbers with a decimal comma"


def too_wide(name: str, columns: int | None) -> UsageError:
    """A column takes a millisecond and more of SQL, whatever its length."""
    many = f"more than {MOST_COLUMNS:,}" if columns is None else f"{columns:,}"
    return UsageError(
        f"{name} has {many} columns; up to {MOST_COLUMNS:,} are read from a file (in Python, arrays may have "
        "any number of columns)"
    )


def find_dialect(file: Input, separator: str | None) -> Dialect:
    """The separator that splits most rows into as many fields as the header has, and the header."""
    head = file.head.lstrip("\ufeff")
    found = [_split(head, one) for one in ([separator] if separator else _SEPARATORS)]
    rows = max(found, key=_agreement)
    if not rows:
        raise UsageError(f"{file.name!r} is empty; give a file with a header and one row a line")
    if len(rows[0]) > MOST_COLUMNS:
        raise too_wide(file.name, len(rows[0]) if len(rows) > 1 else None)
    clean = not head[:1].isspace()
    return Dialect(separator or _SEPARATORS[found.index(rows)], _unique(rows[0]), clean)


def _split(text: str, separator: str) -> list[list[str]]:
    """The first records; the last one may be cut."""
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            if any(cell.strip() for cell in row):
                rows.append(row)
            if len(rows) > _LOOKED_AT:
                break
    except csv.Error:
        pass
    return rows


def _agreement(rows: list[list[str]]) -> tuple[float, int]:
    wide = len(rows[0]) if rows else 0
    body = rows[1:-1] or rows[1:] or rows
    return (sum(len(row) == wide for row in body) / len(body) if wide > 1 else -1.0), wide


def _unique(names: list[str]) -> tuple[str, ...]:
    """Names without spaces at their ends; empty and repeated ones get a number (DuckDB ignores case)."""
    taken: dict[str, None] = {}
    found = []
    for k, cell in enumerate(names):
        base = name = cell.strip() or f"column{k + 1}"
        again = 0
        while name.casefold() in taken:
            again += 1
            name = f"{base}_{again}"
        taken[name.casefold()] = None
        found.append(name)
    return tuple(found)


def lines(file: Input) -> Iterator[str]:
    """Lines of UTF-8 text, unpacked; the first that is not UTF-8 is named."""
    with (
        (gzip.open if file.packed else open)(file.path, "rb") as raw,
        io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline="") as stream,
    ):
        for number, line in enumerate(stream, 1):
            if not line.isascii():
                wrong = next((c for c in line if "\udc80" <= c <= "\udcff"), None)
                if wrong is not None:
                    raise not_utf8(file.name, number, ord(wrong) & 0xFF)
            yield line


def records(file: Input, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line in which it begins, as many fields as the header has; blank lines left out.

    Fields too many are let pass where they are empty; too few are filled up with nothing.
    """
    reader = csv.reader(lines(file), delimiter=dialect.separator, strict=True)
    wide, header = len(dialect.columns), True
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UsageError(
                f"{file.name} line {line}: a quoted field is not closed as it should ({error})"
            ) from None
        if not any(cell.strip() for cell in row) and len(row) < 2:
            continue
        if header:
            header = False
            continue
        if any(cell.strip() for cell in row[wide:]):
            raise UsageError(
                f"{file.name} line {line} has {len(row)} fields, the header {wide}; put a field that holds "
                f"{dialect.separator!r} in quotes, or name the separator by --separator"
            )
        yield line, row[:wide] + [""] * (wide - len(row))


def clean_copy(file: Input, dialect: Dialect, target: Path) -> None:
    """The rows as CSV that any reader takes."""
    with writing(target) as raw, io.TextIOWrapper(raw, encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, delimiter=dialect.separator, lineterminator="\n")
        table.writerow(dialect.columns)
        table.writerows(row for _, row in records(file, dialect))
