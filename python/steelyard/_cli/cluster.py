"""`steelyard metric cluster`: read weighted pairs, show the clusters that disagree least."""

from __future__ import annotations

import argparse
import re
import sys
import warnings

import numpy as np

from .edges import read_edges
from .show import progress_bar, show
from .source import open_source
from .table import Table
from .usage import UsageError
from .write import write

_MEMBERS = 6


def run(options: argparse.Namespace) -> None:
    """From the file to a table of clusters."""
    from ..metric import correlation_clustering

    source = open_source(options.file, {}, "pair")
    edges = read_edges(source, options.left, options.right, options.weight)
    try:
        with progress_bar("clustering") as progress, warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = correlation_clustering(
                edges.matrix,
                formulation=options.formulation,
                resolution=options.resolution,
                tol=0.01 if options.tol is None else options.tol,
                rng=0,
                progress=progress,
            )
    except ValueError as error:
        text = re.sub(r"^S (?=has|must|lists)", f"{source.name} ", str(error))
        raise UsageError(re.sub(r"formulation='(\w+)'", r"--formulation \1", text)) from None
    notes = repr(found).removeprefix("CorrelationClustering: ").splitlines()
    lines = [f"{source.name}: {notes[0]}", notes[1].capitalize(), *edges.notes]
    lines += [f"Note: {warning.message}" for warning in caught]
    names = np.array(edges.names, dtype=object)
    if options.output:
        write({"item": names, "cluster": found.labels}, options.output)
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
