"""`steelyard metric`: what breaks the triangle inequality, its repair; clusters go to their own module."""

from __future__ import annotations

import argparse
import re
import sys
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from . import cluster
from .points import Points, read_points
from .show import progress_bar, show
from .source import open_source
from .table import Table
from .usage import UsageError, require
from .write import write


def run(options: argparse.Namespace) -> None:
    """From the file to a report; with repair, to the nearest metric in a file."""
    require("rich", "cli")
    _refuse_strangers(options)
    if options.action == "cluster":
        cluster.run(options)
        return
    source = open_source(options.file, {}, "item")
    points = read_points(source, None)
    _require_square(points, source.name)
    try:
        notes, table = _check(points, options)
        repaired = _repair(points, options) if options.action == "repair" else None
    except ValueError as error:
        raise UsageError(re.sub(r"^D (?=has|must)", f"{source.name} ", str(error))) from None
    if repaired is not None:
        notes += repaired[0]
        if options.output:
            write(repaired[1], options.output)
    show(table, [f"{source.name}: {notes[0]}", *notes[1:]], sys.stdout)


def _refuse_strangers(options: argparse.Namespace) -> None:
    """Options of another action are an error, not ignored."""
    action = options.action
    if action != "repair" and (options.norm != "l2" or options.decrease_only):
        raise UsageError("--norm and --decrease-only go with steelyard metric repair")
    if action == "check" and (options.output or options.tol is not None):
        raise UsageError("--output and --tol go with steelyard metric repair or cluster")
    if action != "cluster" and any(
        (
            options.left,
            options.right,
            options.weight,
            options.formulation != "auto",
            options.resolution != 0.5,
        )
    ):
        raise UsageError(
            "--left, --right, --weight, --formulation and --resolution go with steelyard metric cluster"
        )
    if action == "cluster" and options.slack:
        raise UsageError("--slack goes with steelyard metric check or repair")


def _require_square(points: Points, name: str) -> None:
    if points.dropped:
        raise UsageError(
            f"{name} has rows with a missing or infinite distance ({points.dropped}); fill them in"
        )
    rows, cols = points.values.shape
    if rows != cols:
        raise UsageError(
            f"{name} must be a square table with one column and one row an item, got {rows} rows and {cols} "
            "columns of numbers"
        )


def _check(points: Points, options: argparse.Namespace) -> tuple[list[str], Table]:
    from ..metric import violations

    with progress_bar("checking") as progress:
        report = violations(points.values, tol=options.slack, top=options.top, progress=progress)
    notes = repr(report).splitlines()
    notes = [
        notes[0].removeprefix("ViolationReport: "),
        *(line for line in notes[1:] if line[:6] != "worst:"),
    ]
    names = points.names
    cells = [(names[i], names[j], names[k], f"{excess:.6g}") for i, j, k, excess in report.worst.tolist()]
    footer = (
        "Each pair is longer than the way over the third item by the excess"
        if cells
        else "No triangle is broken"
    )
    return notes, Table(("from", "to", "over", "excess"), cells, frozenset({0, 1, 2}), footer)


def _repair(points: Points, options: argparse.Namespace) -> tuple[list[str], dict[str, npt.NDArray[Any]]]:
    from ..metric import nearest_metric

    with progress_bar("repairing") as progress, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        near = nearest_metric(
            points.values,
            norm=options.norm,
            decrease_only=options.decrease_only,
            tol=1e-6 if options.tol is None else options.tol,
            progress=progress,
        )
    moved = np.abs(near.distances - points.values)
    bound = near.info.error_bound
    gap = "not known" if bound is None else f"at most {bound:.1g}"
    line = f"Nearest metric: objective {near.objective:.6g} ({near.norm}), relative gap {gap}, "
    notes = [f"{line}largest change {moved.max():.6g}", *(f"Note: {warning.message}" for warning in caught)]
    texts = {name: values for name, values in points.table.items() if name not in points.names}
    return notes, texts | {name: near.distances[:, k] for k, name in enumerate(points.names)}
