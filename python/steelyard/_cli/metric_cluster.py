"""`steelyard metric cluster`: read weighted pairs, show the clusters that disagree least."""

from __future__ import annotations

import argparse
import sys
import warnings

import numpy as np

from .command import Command
from .edges import read_edges
from .inputs import add_files
from .options import add_output, add_top, tolerance
from .show import progress_bar, show
from .source import open_source
from .table import Table
from .usage import explained, require
from .write import write

_MEMBERS = 6
_DESCRIPTION = """\
Groups items by who agrees with whom, and proves how good the groups are.

FILE is CSV of any separator, JSON or Parquet, also packed, with one pair a row: two items and, if there is a
column for it, a weight. Without negative weights pairs that are not listed disagree.
"""
_EXAMPLES = """\
examples:
  steelyard metric cluster matches.csv --left record --right other --output clusters.csv
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
        "--tol", metavar="R", type=tolerance, default=0.01, help="largest relative gap (default: 0.01)"
    )
    add_output(parser, "write the clusters")


def run(options: argparse.Namespace) -> None:
    """From the file to a table of clusters."""
    from ..metric import correlation_clustering

    require("rich", "cli")
    source = open_source(options, {}, "pair")
    with (
        explained(source.name, "S"),
        progress_bar("clustering") as progress,
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        edges = read_edges(source, options.left, options.right, options.weight)
        found = correlation_clustering(
            edges.matrix,
            formulation=options.formulation,
            resolution=options.resolution,
            tol=options.tol,
            rng=0,
            progress=progress,
        )
    bound = f"no clustering costs less than {found.lower_bound:.6g} (ratio {found.ratio:.4g})"
    lines = [
        f"{source.name}: {len(found.labels):,} items in {found.n_clusters:,} clusters ({found.formulation})",
        f"Cost {found.cost:.6g}, {bound}",
        *edges.notes,
        *(f"Note: {warning.message}" for warning in caught),
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
