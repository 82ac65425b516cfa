"""From a file to points: its numeric columns, as DuckDB reads them."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .readers import quoted
from .separated import DECIMAL_COMMA
from .source import Source
from .text import listed
from .usage import UsageError

# Words for a missing number, in lower case.
MISSING = ("", "na", "n/a", "nan", "null", "none", "?")
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL", "BOOLEAN")


@dataclass(frozen=True)
class Points:
    """Rows without gaps (NaN where they were asked for), and what was left out."""

    values: npt.NDArray[np.float64]  # (n, d)
    names: tuple[str, ...]  # of the d columns
    rows: npt.NDArray[np.intp]  # in the file, from 0
    table: dict[str, npt.NDArray[Any]]  # all columns of these rows, as the file has them
    ignored: tuple[str, ...]
    dropped: int


def read_points(source: Source, asked: list[str] | None, *, gaps: bool = False, hint: str = "") -> Points:
    """The columns asked for, else those that hold nothing but numbers; with `gaps` rows may miss some."""
    with source.reading():
        names = number_columns(source, hint) if asked is None else _checked(source, asked)
        numbers = set(names)
        texts = [c for c in source.columns if c not in numbers]
        chosen = [f"{as_number(source, c)} AS {quoted(c)}" for c in names]
        chosen += [f"CAST({quoted(c)} AS VARCHAR) AS {quoted(c)}" for c in texts]
        found = source.relation.project(", ".join(chosen)).fetchnumpy()
    values = columns_of(found, names, np.dtype(np.float64))
    whole = ~np.isinf(values).any(axis=1) if gaps else np.isfinite(values).all(axis=1)
    rows = np.flatnonzero(whole)
    if len(rows) < 2:
        how = "without infinite numbers in" if gaps else "with all of"
        raise UsageError(f"{source.name} has {len(rows)} rows {how} {', '.join(names)}; give at least two")
    values = values[rows]
    place = {c: k for k, c in enumerate(names)}
    table = {c: values[:, place[c]] if c in place else _text(found[c], rows) for c in source.columns}
    return Points(values, tuple(names), rows, table, tuple(texts), int(len(whole) - len(rows)))


def number_columns(source: Source, hint: str = "") -> list[str]:
    """Those that hold nothing but numbers; an error, which ends in `hint`, where there are none."""
    names = _numeric(source)
    if not names:
        raise UsageError(f"{source.name} has no column of numbers ({listed(source.columns, 12)}){hint}")
    return names


def columns_of(found: Any, names: list[str], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Columns that DuckDB read, side by side, NaN for a gap."""
    return np.column_stack([np.ma.filled(found[c].astype(dtype), np.nan) for c in names])


def _numeric(source: Source) -> list[str]:
    columns = [c for c in source.columns if as_number(source, c)]
    if not columns:
        return []
    texts = [c for c in columns if type_of(source, c) == "VARCHAR"]
    others = [c for c in columns if type_of(source, c) != "VARCHAR"]
    found = dict.fromkeys(columns, (0, 0))  # numbers there are, and words that are neither a number nor a gap
    if others:
        counts = ", ".join(f"count({as_number(source, c)})" for c in others)
        found |= {
            c: (n, 0) for c, n in zip(others, source.relation.aggregate(counts).fetchall()[0], strict=True)
        }
    found |= _texts(source, texts)
    for column in columns:
        if found[column][1]:
            refuse_decimal_commas(source, column)
    return [c for c in columns if found[c][0] and not found[c][1]]


def _texts(source: Source, columns: list[str]) -> dict[str, tuple[int, int]]:
    """Of each that holds any: numbers, and words that are neither a number nor a gap."""
    if not columns:
        return {}
    # Below each other: aggregates side by side take DuckDB the cube of their number.
    cells = ", ".join(map(quoted, columns))
    counts = f"count({_number('cell')}), count(*) FILTER ({_word('cell')})"
    below = f"UNPIVOT (SELECT {cells} FROM wide) ON {cells} INTO NAME place VALUE cell"
    found = source.relation.query("wide", f"SELECT place, {counts} FROM ({below}) GROUP BY place").fetchall()
    return {place: (numbers, words) for place, numbers, words in found}


def refuse_decimal_commas(source: Source, column: str) -> None:
    """A column of numbers with decimal commas would be taken for one of texts."""
    text, comma = f"trim({quoted(column)})", DECIMAL_COMMA.replace("'", "''")
    matches = f"regexp_full_match({text}, '{comma}')"
    others = f"count(*) FILTER ({_is_word(source, column)} AND NOT {matches})"
    if source.relation.aggregate(others).fetchall()[0][0]:
        return
    rows = source.relation.project(f"{text} AS cell, {matches} AS comma, row_number() OVER () - 1 AS place")
    ((cell, _, place),) = rows.filter("comma").limit(1).fetchall()
    raise UsageError(
        f"column {column!r} holds numbers with a decimal comma, such as {cell!r} in {source.row(place)}: "
        "--decimal comma reads them"
    )


def _checked(source: Source, asked: list[str]) -> list[str]:
    for column in asked:
        if column not in source.columns:
            near = difflib.get_close_matches(column, source.columns, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {listed(source.columns, 12)}"
            raise UsageError(f"--columns: {source.name} has no column {column!r}; {hint}")
        if asked.count(column) > 1:
            raise UsageError(f"--columns names {column!r} twice")
        if not as_number(source, column):
            raise UsageError(
                f"--columns: {column!r} of {source.name} holds no numbers but {type_of(source, column)}"
            )
        word = source.relation.aggregate(
            f"any_value({quoted(column)}) FILTER ({_is_word(source, column)})"
        ).fetchall()[0][0]
        if word is not None:
            refuse_decimal_commas(source, column)
            raise UsageError(f"--columns: {column!r} of {source.name} holds {word!r}, which is no number")
    return asked


def type_of(source: Source, column: str) -> str:
    return source.types[column]


def as_number(source: Source, column: str) -> str:
    """SQL for a column as numbers, NULL where it has none; '' where its type holds none."""
    kind = type_of(source, column)
    if kind == "VARCHAR":
        return _number(quoted(column))
    is_number = kind.partition("(")[0].lstrip("U") in _NUMBERS and not kind.endswith("]")
    return f"CAST({quoted(column)} AS DOUBLE)" if is_number else ""


def _is_word(source: Source, column: str) -> str:
    return _word(quoted(column)) if type_of(source, column) == "VARCHAR" else "false"


def _number(text: str) -> str:
    return f"TRY_CAST(trim({text}) AS DOUBLE)"


def _word(text: str) -> str:
    gaps = ", ".join(f"'{word}'" for word in MISSING)
    return f"{_number(text)} IS NULL AND lower(trim({text})) NOT IN ({gaps})"


def _text(column: Any, rows: npt.NDArray[np.intp]) -> npt.NDArray[Any]:
    """None for a missing text."""
    texts = np.ma.getdata(column).astype(object)
    texts[np.ma.getmaskarray(column)] = None
    chosen: npt.NDArray[Any] = texts[rows]
    return chosen
