"""Notes and a table on a terminal, or as plain text anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from .._progress import progress_bar as bar_of_all
from .table import Table
from .text import printable, width
from .usage import OutputError, require


def show(table: Table, notes: list[str], stream: TextIO) -> None:
    """Notes, then the table; on a terminal by rich, elsewhere aligned, neither wrapped nor cut."""
    rows = [tuple(printable(cell, stream) for cell in row) for row in (table.titles, *table.cells)]
    lines = [printable(note, stream) for note in notes]
    try:
        (_show_rich if stream.isatty() else _show_plain)(lines, rows, table.left, stream)
        if table.footer:
            print(table.footer, file=stream)
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"can't write the output: {error.strerror or error}") from None


def _show_plain(notes: list[str], rows: list[tuple[str, ...]], left: frozenset[int], stream: TextIO) -> None:
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    for note in notes:
        print(note, file=stream)
    print(file=stream)
    for row in rows:
        gaps = [" " * (widths[k] - width(cell)) for k, cell in enumerate(row)]
        padded = [cell + gaps[k] if k in left else gaps[k] + cell for k, cell in enumerate(row)]
        print("  ".join(padded).rstrip(), file=stream)


def _show_rich(notes: list[str], rows: list[tuple[str, ...]], left: frozenset[int], stream: TextIO) -> None:
    console = require("rich.console", "cli").Console(file=stream, highlight=False)
    text = require("rich.text", "cli").Text
    table = require("rich.table", "cli").Table(box=require("rich.box", "cli").SIMPLE_HEAD)
    for k, title in enumerate(rows[0]):
        words = k in left
        table.add_column(
            text(title), justify="left" if words else "right", no_wrap=not words, overflow="fold"
        )
    for row in rows[1:]:
        table.add_row(*(text(cell) for cell in row))
    for note in notes:
        console.print(text(note))
    console.print(table)


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[float, float], None] | None]:
    """A callback that moves a bar on the terminal; None where there is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    require("rich.progress", "cli")
    with bar_of_all(what, kind="rich") as bar:
        yield bar
