"""`steelyard metric check`: what breaks the triangle inequality."""

from __future__ import annotations

import argparse
import sys

from .command import Command
from .options import add_top
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


def run(options: argparse.Namespace) -> None:
    """From the file to a report."""
    require("rich", "cli")
    name, points = read_square(options, gaps=False)
    with explained(name, "D"):
        notes, table = check(points, options.slack, options.top)
    show(table, [f"{name}: {notes[0]}", *notes[1:]], sys.stdout)


COMMAND = Command(
    name="metric check",
    family="metrics",
    says="find what breaks the triangle inequality",
    description=_DESCRIPTION,
    examples=_EXAMPLES,
    add_options=_add_options,
    run=run,
)
