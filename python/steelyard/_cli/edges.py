"""From a file to a graph: two columns of items and one of weights."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from .._labels import warn_of_twins
from .readers import quoted
from .source import Source
from .text import listed
from .usage import UsageError

_NAMES = "SELECT name FROM (SELECT a AS name FROM p UNION SELECT b FROM p) ORDER BY name"
_NUMBERED = f"""
WITH named AS (SELECT name, row_number() OVER (ORDER BY name) - 1 AS k FROM ({_NAMES}))
SELECT x.k AS i, y.k AS j, p.w AS w
FROM p JOIN named x ON p.a = x.name JOIN named y ON p.b = y.name ORDER BY i, j, w
"""
_ENDS = (("left", "right"), ("source", "target"), ("from", "to"), ("a", "b"), ("u", "v"))


@dataclass(frozen=True)
class Edges:
    """A symmetric matrix of the pairs listed, the names of its items, and what was left out."""

    matrix: Any  # coordinates in order, each pair once
    names: tuple[str, ...]
    notes: tuple[str, ...]


def read_edges(source: Source, left: str | None, right: str | None, weight: str | None) -> Edges:
    """Each unordered pair once; a pair that comes with two weights is refused."""
    one, other, heavy = _columns(source, left, right, weight)
    with source.reading():
        value = "1.0" if heavy is None else f"TRY_CAST({quoted(heavy)} AS DOUBLE)"
        ends = ", ".join(f"CAST({quoted(c)} AS VARCHAR) AS {name}" for c, name in ((one, "a"), (other, "b")))
        rows = source.relation.project(f"{ends}, {value} AS w")
        whole = "a IS NOT NULL AND b IS NOT NULL AND w IS NOT NULL AND isfinite(w)"
        total, kept, loops = rows.aggregate(
            f"count(*), count(*) FILTER ({whole}), count(*) FILTER ({whole} AND a = b)"
        ).fetchall()[0]
        # A loop is kept as an item: it may have no other row.
        pairs = rows.filter(whole).project("least(a, b) AS a, greatest(a, b) AS b, w").distinct()
        names = pairs.query("p", _NAMES).fetchnumpy()["name"]
        found = pairs.query("p", _NUMBERED).fetchnumpy()
    if not kept:
        raise UsageError(f"{source.name} has no row with two items{'' if heavy is None else ' and a weight'}")
    notes = [f"{total - kept} rows without two items or a weight left out"] if total > kept else []
    notes += [f"{loops} rows join an item to itself and say nothing"] if loops else []
    names = np.ma.getdata(names)
    warn_of_twins(names.tolist(), "items")
    i, j, w = (np.ma.getdata(found[name]) for name in ("i", "j", "w"))
    other_item = i != j
    i, j, w = i[other_item], j[other_item], w[other_item].astype(float)
    twice = np.flatnonzero((np.diff(i) == 0) & (np.diff(j) == 0))
    if len(twice):
        k = twice[0]
        raise UsageError(
            f"{source.name} gives the pair {str(names[i[k]])!r}, {str(names[j[k]])!r} two weights, "
            f"{w[k]:g} and {w[k + 1]:g}"
        )
    matrix = sparse.coo_array((w, (i, j)), shape=(len(names), len(names)))
    return Edges(matrix, tuple(names.tolist()), tuple(notes))


def _columns(
    source: Source, left: str | None, right: str | None, weight: str | None
) -> tuple[str, str, str | None]:
    columns = source.columns
    for option, column in (("--left", left), ("--right", right), ("--weight", weight)):
        if column is not None and column not in columns:
            near = difflib.get_close_matches(column, columns, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {listed(columns, 12)}"
            raise UsageError(f"{option}: there is no column {column!r} in {source.name}; {hint}")
    known = {column.casefold(): column for column in reversed(columns)}
    if weight is None:
        weight = known.get("weight")
    if left is None and right is None:
        for pair in _ENDS:
            if all(name in known for name in pair):
                return known[pair[0]], known[pair[1]], weight
        if len([c for c in columns if c != weight]) == 2:
            left, right = (c for c in columns if c != weight)
    if left is None or right is None or left == right:
        raise UsageError(
            f"can't tell which columns of {source.name} hold the two items: name them by --left and --right "
            f"(it has {listed(columns, 12)})"
        )
    return left, right, weight
