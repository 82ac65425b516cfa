"""The leaderboard as a file."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from .board import Board
from .source import duckdb_errors
from .usage import UsageError


def write(board: Board, path: Path) -> None:
    """CSV, JSON (a list of records) or Parquet, by the suffix."""
    try:
        {".csv": _write_csv, ".json": _write_json, ".parquet": _write_parquet}[path.suffix.lower()](
            board, path
        )
    except OSError as error:
        raise UsageError(f"can't write {str(path)!r}: {error.strerror}") from None


def _records(board: Board) -> list[tuple[object, ...]]:
    return list(zip(*(column.tolist() for column in board.columns.values()), strict=True))


def _write_csv(board: Board, path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(board.columns)
        table.writerows(_records(board))


def _write_json(board: Board, path: Path) -> None:
    records = [dict(zip(board.columns, record, strict=True)) for record in _records(board)]
    path.write_text(json.dumps(records, ensure_ascii=False, indent=1, default=str) + "\n", encoding="utf-8")


def _write_parquet(board: Board, path: Path) -> None:
    import duckdb

    columns = board.columns  # DuckDB finds it by this name
    target = str(path).replace("'", "''")
    with duckdb_errors(str(path)):
        duckdb.connect().execute(f"COPY (SELECT * FROM columns) TO '{target}' (FORMAT parquet)")
    del columns
