"""`steelyard metric check`: what breaks the triangle inequality."""

from __future__ import annotations

import argparse
import sys

from .command import Command
from .options import add_report, add_top
from .pages import require_pages, rows_wanted, shortened, write_page
from .show import show
from .square import FILE, add_table, check, read_square
from .usage import explained, require

_DESCRIPTION = f"""\
Do distances satisfy the triangle inequality? Says how many triangles are broken, by how much, and by which
pairs.

{FILE}"""
_EXAMPLES = """\
examples:
  steelyard metric check judgements.csv --top 5
  steelyard metric check measured.csv --slack 1e-9
"""


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_table(parser)
    add_top(parser, 10, "broken pairs")
    add_report(parser, "write the broken pairs")


def run(options: argparse.Namespace) -> None:
    """From the file to a report."""
    require("rich", "cli")
    require_pages(options)
    name, points = read_square(options, gaps=False)
    with explained(name, "D"):
        notes, table = check(points, options.slack, rows_wanted(options, options.top))
    notes[0] = f"{name}: {notes[0]}"
    show(shortened(table, options.top), notes, sys.stdout)
    if options.report:
        write_page(options.report, f"Triangles of {name}", table, notes, name="broken pairs")


COMMAND = Command(
    name="metric check",
    family="metrics",
    says="find what breaks the triangle inequality",
    description=_DESCRIPTION,
    examples=_EXAMPLES,
    add_options=_add_options,
    run=run,
)
