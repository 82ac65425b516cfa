"""Columns as a file."""

from __future__ import annotations

import json
from pathlib import Path

from .._csv import Columns, defused, rows_of, write_csv
from .files import written_beside
from .source import duckdb_errors


def write(columns: Columns, path: Path, *, verbatim: bool = False) -> None:
    """CSV, JSON (a list of records) or Parquet, by the suffix; CSV defused unless `verbatim`."""
    with written_beside(path) as beside:
        if path.suffix.lower() == ".parquet":
            _write_parquet(columns, beside, path)
        else:
            if path.suffix.lower() == ".csv" and not verbatim:
                columns = defused(columns)
            {".csv": _write_csv, ".json": _write_json}[path.suffix.lower()](columns, beside)


def _write_csv(columns: Columns, path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        write_csv(columns, stream)


def _write_json(columns: Columns, path: Path) -> None:
    records = [dict(zip(columns, record, strict=True)) for record in rows_of(columns)]
    path.write_text(json.dumps(records, ensure_ascii=False, indent=1, default=str) + "\n", encoding="utf-8")


def _write_parquet(columns: Columns, path: Path, name: Path) -> None:
    import duckdb

    target = str(path).replace("'", "''")
    with duckdb_errors(f"{str(name)!r}", "write"):
        # Beside that file DuckDB would put one more of its own.
        duckdb.connect().register("board", columns).execute(
            f"COPY (SELECT * FROM board) TO '{target}' (FORMAT parquet, USE_TMP_FILE false)"
        )
