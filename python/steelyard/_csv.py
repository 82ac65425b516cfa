"""Columns as CSV that no spreadsheet runs."""

from __future__ import annotations

import csv
from typing import Any, TextIO

import numpy as np
import numpy.typing as npt

Columns = dict[str, npt.NDArray[Any]]

_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")


def rows_of(columns: Columns) -> list[tuple[object, ...]]:
    """One tuple a row."""
    return list(zip(*(column.tolist() for column in columns.values()), strict=True))


def write_csv(columns: Columns, stream: TextIO) -> None:
    """Names, then rows."""
    table = csv.writer(stream)
    table.writerow(columns)
    table.writerows(rows_of(columns))


def defused(columns: Columns) -> Columns:
    """Texts that a spreadsheet would run as formulas get a quote before them, as it writes texts itself."""
    return {
        str(_harmless(name)): np.fromiter(map(_harmless, column.tolist()), object, len(column))
        if column.dtype.kind in "OUT"
        else column
        for name, column in columns.items()
    }


def _harmless(value: object) -> object:
    if not isinstance(value, str) or not value.lstrip(" ").startswith(_FORMULAS):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value
