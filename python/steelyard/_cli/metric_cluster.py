"""`steelyard metric cluster`: read weighted pairs, show the clusters that disagree least."""

from __future__ import annotations

import argparse
import sys
import warnings
from typing import Any

import numpy as np

from .command import Command
from .edges import Edges, read_edges
from .inputs import add_files
from .options import add_output, add_top, tolerance
from .show import progress_bar, show
from .source import open_source
from .table import Table
from .usage import UsageError, explained, require
from .write import write

_MEMBERS = 6
_DESCRIPTION = """\
Groups items by who agrees with whom, and proves how good the groups are.

FILE is CSV of any separator, JSON or Parquet, also packed, with one pair a row: two items and, if there is a
column for it, a weight. Without negative weights pairs that are not listed disagree. Millions of rows are
fine; Ctrl-C shows (and writes) the best so far.
"""
_EXAMPLES = """\
examples:
  steelyard metric cluster matches.csv --left record --right other --output clusters.csv
  steelyard metric cluster matches.parquet --weight probability --logit --max-seconds 60
"""


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_files(parser, "files or patterns of pairs of items, - for the standard input")
    add_top(parser, 10, "clusters")
    for option, what in (
        ("--left", "column of one item"),
        ("--right", "column of the other item"),
        ("--weight", "column of weights (default: weight, else each pair counts 1)"),
    ):
        parser.add_argument(option, metavar="COLUMN", help=what)
    parser.add_argument(
        "--formulation",
        choices=("auto", "signed", "graph", "wang"),
        default="auto",
        help="signed: pairs that are not listed say nothing; graph: they disagree; wang: weights from common "
        "neighbours (default: signed where a weight is negative, else graph)",
    )
    parser.add_argument(
        "--resolution",
        metavar="R",
        type=tolerance,
        default=0.5,
        help="of graph: higher makes smaller clusters (default: 0.5)",
    )
    parser.add_argument(
        "--logit",
        action="store_true",
        help="weights are probabilities that the two items are the same: their log-odds count",
    )
    parser.add_argument(
        "--tol",
        metavar="R",
        type=tolerance,
        help="largest relative gap (default: 0.01 with the relaxation of small graphs, else 0.001)",
    )
    parser.add_argument(
        "--max-seconds", metavar="S", type=tolerance, help="take the best that is found in this time"
    )
    add_output(parser, "write the clusters")


def run(options: argparse.Namespace) -> None:
    """From the file to a table of clusters."""
    require("rich", "cli")
    source = open_source(options, {}, "pair")
    edges = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            with explained(source.name, "S"), progress_bar("clustering") as progress:
                edges = read_edges(source, options.left, options.right, options.weight)
                found = _cluster(edges, options, progress)
        except KeyboardInterrupt as error:
            partial = getattr(error, "partial", None)
            if partial is not None and edges is not None:
                _tell(source.name, partial, edges, options, ["Interrupted: the best so far"])
            raise
    _tell(source.name, found, edges, options, [f"Note: {warning.message}" for warning in caught])


def _cluster(edges: Edges, options: argparse.Namespace, progress: Any) -> Any:
    from ..metric import cluster_edges, correlation_clustering

    common = {"rng": 0, "progress": progress, "max_seconds": options.max_seconds}
    if options.logit:
        if options.formulation != "auto":
            raise UsageError("--logit says what weights mean: leave out --formulation")
        u, v = (end.astype(np.int32) for end in edges.matrix.coords)
        tol = {} if options.tol is None else {"tol": options.tol}
        weight = edges.matrix.data
        return cluster_edges(u, v, weight, len(edges.names), formulation="probability", **tol, **common)
    return correlation_clustering(
        edges.matrix,
        formulation=options.formulation,
        resolution=options.resolution,
        tol=options.tol,
        relax=None if options.max_seconds is None else False,
        **common,
    )


def _tell(name: str, found: Any, edges: Edges, options: argparse.Namespace, notes: list[str]) -> None:
    bound = f"no clustering costs less than {found.lower_bound:.6g} (ratio {found.ratio:.4g})"
    lines = [
        f"{name}: {len(found.labels):,} items in {found.n_clusters:,} clusters ({found.formulation})",
        f"Cost {found.cost:.6g}, {bound}",
        *edges.notes,
        *notes,
    ]
    names = np.array(edges.names, dtype=object)
    if options.output:
        write({"item": names, "cluster": found.labels}, options.output, verbatim=options.verbatim)
    show(_table(names, found.labels, options.top), lines, sys.stdout)


def _table(names: np.ndarray, labels: np.ndarray, top: int) -> Table:
    sizes = np.bincount(labels)
    order = np.argsort(-sizes, kind="stable")
    shown = order[: top or None]
    cells = []
    for cluster in shown:
        members = names[labels == cluster]
        more = f", and {len(members) - _MEMBERS} more" if len(members) > _MEMBERS else ""
        cells.append((str(cluster), str(sizes[cluster]), ", ".join(members[:_MEMBERS]) + more))
    hidden = len(order) - len(shown)
    footer = f"{hidden} smaller clusters not shown: --top 0 shows all" if hidden else ""
    return Table(("cluster", "items", "members"), cells, frozenset({2}), footer)


COMMAND = Command(
    name="metric cluster",
    family="metrics",
    says="group items by who agrees with whom",
    description=_DESCRIPTION,
    examples=_EXAMPLES,
    add_options=_add_options,
    run=run,
)
