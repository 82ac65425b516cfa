"""Columns as a file."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .files import written_beside
from .options import as_number
from .source import duckdb_errors

Columns = dict[str, npt.NDArray[Any]]


def write(columns: Columns, path: Path, *, verbatim: bool = False) -> None:
    """CSV, JSON (a list of records) or Parquet, by the suffix; CSV defused unless `verbatim`."""
    with written_beside(path) as beside:
        if path.suffix.lower() == ".parquet":
            _write_parquet(columns, beside, path)
        else:
            if path.suffix.lower() == ".csv" and not verbatim:
                columns = _defused(columns)
            {".csv": _write_csv, ".json": _write_json}[path.suffix.lower()](columns, beside)


def _defused(columns: Columns) -> Columns:
    """Texts that a spreadsheet would run as formulas get a quote before them, as it writes texts itself."""
    return {
        str(_harmless(name)): np.array([_harmless(x) for x in column.tolist()], dtype=object)
        if column.dtype.kind in "OUT"
        else column
        for name, column in columns.items()
    }


def _harmless(value: object) -> object:
    if not isinstance(value, str) or not value.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n")):
        return value
    return value if isinstance(as_number(value), float) else f"'{value}"


def _records(columns: Columns) -> list[tuple[object, ...]]:
    return list(zip(*(column.tolist() for column in columns.values()), strict=True))


def _write_csv(columns: Columns, path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(columns)
        table.writerows(_records(columns))


def _write_json(columns: Columns, path: Path) -> None:
    records = [dict(zip(columns, record, strict=True)) for record in _records(columns)]
    path.write_text(json.dumps(records, ensure_ascii=False, indent=1, default=str) + "\n", encoding="utf-8")


def _write_parquet(columns: Columns, path: Path, name: Path) -> None:
    import duckdb

    target = str(path).replace("'", "''")
    with duckdb_errors(f"{str(name)!r}", "write"):
        # Beside that file DuckDB would put one more of its own.
        duckdb.connect().register("board", columns).execute(
            f"COPY (SELECT * FROM board) TO '{target}' (FORMAT parquet, USE_TMP_FILE false)"
        )
