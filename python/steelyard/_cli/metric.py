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
    points = read_points(source, None, gaps=True)
    _require_square(points, source.name, options)
    try:
        if options.action == "repair":
            notes, table, repaired = _repair(points, options)
        else:
            (notes, table), repaired = _check(points, options), {}
    except ValueError as error:
        raise UsageError(re.sub(r"^D (?=has|must)", f"{source.name} ", str(error))) from None
    if options.output:
        write(repaired, options.output)
    show(table, [f"{source.name}: {notes[0]}", *notes[1:]], sys.stdout)


def _refuse_strangers(options: argparse.Namespace) -> None:
    """Options of another action are an error, not ignored."""
    action = options.action
    if action != "repair" and (options.norm != "l2" or options.decrease_only or options.missing != "error"):
        raise UsageError("--norm, --decrease-only and --missing go with steelyard metric repair")
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


def _require_square(points: Points, name: str, options: argparse.Namespace) -> None:
    gaps = 0 if options.missing == "free" else int(np.isnan(points.values).any(axis=1).sum())
    if points.dropped + gaps:
        what = "an infinite distance" if options.missing == "free" else "a missing or infinite distance"
        hint = "fill them in"
        if options.action == "repair" and gaps:
            hint += ", or take empty cells as unknown pairs: --missing free"
        raise UsageError(f"{name} has rows with {what} ({points.dropped + gaps}); {hint}")
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


def _repair(
    points: Points, options: argparse.Namespace
) -> tuple[list[str], Table, dict[str, npt.NDArray[Any]]]:
    from ..metric import nearest_metric

    unknown = int(np.isnan(points.values[np.triu_indices(len(points.values), 1)]).sum())
    notes, table = ([], None) if unknown else _check(points, options)
    with progress_bar("repairing") as progress, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        near = nearest_metric(
            points.values,
            norm=options.norm,
            decrease_only=options.decrease_only,
            tol=1e-6 if options.tol is None else options.tol,
            missing=options.missing,
            progress=progress,
        )
    if table is None:
        notes = [f"{len(points.values)} items, {unknown:,} of {_pairs(points):,} pairs unknown"]
        table = _changes(points, near.distances, options.top)
    moved = np.abs(near.distances - points.values)
    bound = near.info.error_bound
    gap = "not known" if bound is None else f"at most {bound:.1g}"
    line = f"Nearest metric: objective {near.objective:.6g} ({near.norm}), relative gap {gap}, "
    notes += [
        f"{line}largest change {np.nanmax(moved):.6g}",
        *(f"Note: {warning.message}" for warning in caught),
    ]
    texts = {name: values for name, values in points.table.items() if name not in points.names}
    return notes, table, texts | {name: near.distances[:, k] for k, name in enumerate(points.names)}


def _pairs(points: Points) -> int:
    return len(points.values) * (len(points.values) - 1) // 2


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
