"""A square table of distances, and what breaks its triangles."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import numpy as np

from .inputs import add_files
from .options import number
from .points import Points, read_points
from .show import progress_bar
from .source import open_source
from .table import Table
from .usage import UsageError

if TYPE_CHECKING:
    from ..metric import ViolationReport

FILE = """\
FILE is CSV of any separator, JSON or Parquet, also packed: a square symmetric table with a header of
item names, one row an item in the same order, zeros on the diagonal. A column of words (names again) is kept.
"""


def add_table(parser: argparse.ArgumentParser) -> None:
    """The file, and what is let pass."""
    add_files(parser, "a square table of distances, - for the standard input")
    parser.add_argument(
        "--slack", metavar="S", type=number(0), default=0.0, help="excess to let pass (default: 0)"
    )


def read_square(options: argparse.Namespace, *, gaps: bool, hint: str = "") -> tuple[str, Points]:
    """The file's name, and one row and one column an item; `hint` is what may be done about empty cells."""
    source = open_source(options, {}, "item")
    points = read_points(source, None, gaps=True)
    empty = 0 if gaps else int(np.isnan(points.values).any(axis=1).sum())
    if points.dropped + empty:
        what = "an infinite distance" if gaps else "a missing or infinite distance"
        way = f"fill them in{hint if empty else ''}"
        raise UsageError(f"{source.name} has rows with {what} ({points.dropped + empty}); {way}")
    rows, cols = points.values.shape
    if rows != cols:
        raise UsageError(
            f"{source.name} must be a square table with one column and one row an item, got {rows} rows and "
            f"{cols} columns of numbers"
        )
    return source.name, points


def check(points: Points, slack: float, top: int) -> tuple[list[str], Table]:
    """What the report says, and the most broken pairs."""
    from ..metric import violations

    with progress_bar("checking") as progress:
        report = violations(points.values, tol=slack, top=top, progress=progress)
    names = points.names
    cells = [(names[i], names[j], names[k], f"{excess:.6g}") for i, j, k, excess in report.worst.tolist()]
    footer = (
        "Each pair is longer than the way over the third item by the excess"
        if cells
        else "No triangle is broken"
    )
    return _notes(report), Table(("from", "to", "over", "excess"), cells, frozenset({0, 1, 2}), footer)


def _notes(report: ViolationReport) -> list[str]:
    kind = "metric" if report.is_metric else "pseudometric" if report.is_pseudometric else "not a metric"
    notes = [f"{report.n:,} items, {kind}"]
    if report.n_broken:
        share = 100 * report.n_broken / report.n_triangles
        notes.append(
            f"{report.n_broken:,} of {report.n_triangles:,} triangle inequalities broken ({share:.2g} %), in "
            f"{_pairs(report.n_pairs)}; largest excess {report.largest:.6g}"
        )
    if report.n_negative:
        notes.append(f"{_pairs(report.n_negative)} below zero")
    if report.n_zero:
        notes.append(f"{_pairs(report.n_zero)} of different items at distance zero")
    return notes


def _pairs(count: int) -> str:
    return f"{count:,} pair" if count == 1 else f"{count:,} pairs"
