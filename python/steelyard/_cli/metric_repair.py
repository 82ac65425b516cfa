"""`steelyard metric repair`: the nearest distances that are a metric."""

from __future__ import annotations

import argparse
import sys
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .command import Command
from .options import add_output, add_report, add_top, tolerance
from .pages import require_pages, rows_wanted, write_page
from .points import Points
from .show import progress_bar, show
from .square import FILE, add_table, check, read_square
from .table import Table
from .usage import explained, require
from .write import write

if TYPE_CHECKING:
    from ..metric import NearestMetric

_DESCRIPTION = f"""\
The nearest distances that satisfy the triangle inequality, and a proof of how near they are.

{FILE}"""
_EXAMPLES = """\
examples:
  steelyard metric repair judgements.csv --output repaired.csv
  steelyard metric repair measured.csv --missing free --output complete.csv
"""


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_table(parser)
    add_top(parser, 10, "pairs")
    parser.add_argument(
        "--norm",
        choices=("l2", "l1", "linf"),
        default="l2",
        help="least squares, least sum of changes, or the least largest change (default: l2)",
    )
    parser.add_argument("--decrease-only", action="store_true", help="only lower distances")
    parser.add_argument(
        "--missing",
        choices=("error", "free"),
        default="error",
        help="free: an empty cell is an unknown pair, which costs nothing and becomes a shortest path",
    )
    parser.add_argument(
        "--tol", metavar="R", type=tolerance, default=1e-6, help="largest relative gap (default: 1e-6)"
    )
    add_output(parser, "write the distances")
    add_report(parser, "write what changes, and the distances,")


def run(options: argparse.Namespace) -> None:
    """From the file to the nearest metric, told and in a file."""
    require("rich", "cli")
    require_pages(options)
    hint = ", or take empty cells as unknown pairs: --missing free"
    name, points = read_square(options, gaps=options.missing == "free", hint=hint)
    unknown = int(np.isnan(points.values[np.triu_indices(len(points.values), 1)]).sum())
    with explained(name, "D"), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        broken = None if unknown else check(points, options.slack, options.top)
        near = _nearest(points, options)
    if broken is None:
        n = len(points.values)
        notes = [f"{n} items, {unknown:,} of {n * (n - 1) // 2:,} pairs unknown"]
        table = _changes(points, near.distances, options.top)
    else:
        notes, table = broken
    notes += [_found(near, points), *(f"Note: {warning.message}" for warning in caught)]
    if options.output:
        write(_columns(near, points), options.output, verbatim=options.verbatim)
    notes[0] = f"{name}: {notes[0]}"
    show(table, notes, sys.stdout)
    if options.report:
        changes = _changes(points, near.distances, rows_wanted(options, options.top))
        columns = _columns(near, points)
        write_page(options.report, f"Repair of {name}", changes, notes, name="distances", columns=columns)


def _nearest(points: Points, options: argparse.Namespace) -> NearestMetric:
    from ..metric import nearest_metric

    with progress_bar("repairing") as progress:
        return nearest_metric(
            points.values,
            norm=options.norm,
            decrease_only=options.decrease_only,
            tol=options.tol,
            missing=options.missing,
            progress=progress,
        )


def _found(near: NearestMetric, points: Points) -> str:
    bound = near.info.error_bound
    gap = "not known" if bound is None else f"at most {bound:.1g}"
    return (
        f"Nearest metric: objective {near.objective:.6g} ({near.norm}), relative gap {gap}, "
        f"largest change {np.nanmax(np.abs(near.distances - points.values)):.6g}"
    )


def _columns(near: NearestMetric, points: Points) -> dict[str, npt.NDArray[Any]]:
    """Words first, then the distances."""
    texts = {name: values for name, values in points.table.items() if name not in points.names}
    return texts | {name: near.distances[:, k] for k, name in enumerate(points.names)}


def _changes(points: Points, distances: npt.NDArray[np.float64], top: int) -> Table:
    """The known pairs that change most; what is broken says little where pairs are unknown."""
    i, j = np.triu_indices(len(distances), 1)
    change = np.nan_to_num(distances[i, j] - points.values[i, j])
    order = np.argsort(-np.abs(change), kind="stable")[:top]
    cells = [
        (points.names[i[k]], points.names[j[k]], f"{points.values[i[k], j[k]]:.6g}", f"{change[k]:+.6g}")
        for k in order
        if change[k] != 0
    ]
    footer = "The known pairs that change most" if cells else "No known pair changes"
    return Table(("from", "to", "was", "change"), cells, frozenset({0, 1}), footer)


COMMAND = Command(
    name="metric repair",
    family="metrics",
    says="find the nearest distances that are a metric",
    description=_DESCRIPTION,
    examples=_EXAMPLES,
    add_options=_add_options,
    run=run,
)
