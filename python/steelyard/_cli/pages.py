"""Pages to publish, from what a command shows."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from .._csv import Columns
from .._report import Column, Grid, Page, Picture, Section, check_page, save
from .files import written_beside
from .table import Table
from .usage import require

ROWS = 1000  # of a table on a page


def require_pictures(options: argparse.Namespace) -> None:
    """The packages that pictures and pages take, before any work."""
    if options.plot:
        require("matplotlib", "plot")
    require_pages(options)


def require_pages(options: argparse.Namespace) -> None:
    """The packages that pages take."""
    if options.report:
        require("jinja2", "report")
        require("matplotlib", "report")


def rows_wanted(options: argparse.Namespace, top: int) -> int:
    """How many rows to make where a terminal shows `top`."""
    return max(top, ROWS) if options.report and top else top


def shortened(table: Table, top: int) -> Table:
    """The rows that a terminal shows."""
    return replace(table, cells=table.cells[: top or None])


def write_with(path: Path, report: Callable[[Path], object]) -> None:
    """A page that a result writes, whole or not at all."""
    with written_beside(path) as beside:
        report(beside)


def write_page(
    path: Path,
    title: str,
    table: Table,
    notes: Sequence[str],
    *,
    name: str,
    pictures: Sequence[Picture] = (),
    columns: Columns | None = None,
) -> None:
    """The table of a command with what it says; `columns` are offered as a file, else what is shown."""
    shown = replace(table, cells=table.cells[:ROWS])
    sections: list[Section] = [_grid(shown, name), *pictures] if shown.cells else list(pictures)
    data, *account = notes
    made = [("Data", data), *(("Account", line) for line in account)]
    file = _columns(shown) if columns is None else columns
    lead = list(notes) if shown.cells else [*notes, *filter(None, [table.footer])]
    page = Page(title, lead, sections, made, {f"{name.replace(' ', '_')}.csv": file} if file else {})
    write_with(path, lambda beside: save(page, check_page(beside)))


def _grid(table: Table, name: str) -> Grid:
    columns = [
        Column(title, [row[k] for row in table.cells], kind="label")
        if k in table.left
        else Column(title, [_number(row[k]) for row in table.cells], [row[k] for row in table.cells])
        for k, title in enumerate(table.titles)
    ]
    return Grid(name.capitalize(), columns, table.footer)


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")


def _columns(table: Table) -> Columns:
    found: dict[str, Any] = {
        title: [row[k] if k in table.left else _number(row[k]) for row in table.cells]
        for k, title in enumerate(table.titles)
    }
    return {title: np.fromiter(cells, object, len(cells)) for title, cells in found.items() if cells}
