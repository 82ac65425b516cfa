"""The sum of two tables of comparisons."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .labels import encode
from .stored import Stored
from .votes import Columns, Extras, merge_rows


def add_tables(a: Stored, b: Stored) -> Columns:
    """Items in sorted order if both tables have them so; else those of `a`, then the new ones of `b`."""
    _require_equal_columns(a, b)
    items, from_a, from_b = union(a.items, b.items, "items")
    clusters, cluster = None, None
    if a.cluster_labels is not None and b.cluster_labels is not None:
        clusters, codes_a, codes_b = union(a.cluster_labels, b.cluster_labels, "clusters")
        cluster = np.concatenate([codes_a[a.cluster], codes_b[b.cluster]])
    groups, group = None, None
    if a.group_labels is not None and b.group_labels is not None:
        groups, codes_a, codes_b = union(a.group_labels, b.group_labels, "groups")
        group = np.concatenate([codes_a[a.group], codes_b[b.group]])
    judges, judge = None, None
    if a.judge_labels is not None and b.judge_labels is not None:
        judges, codes_a, codes_b = union(a.judge_labels, b.judge_labels, "judges")
        judge = np.concatenate([codes_a[a.judge], codes_b[b.judge]])
    extras = Extras(
        cluster,
        clusters,
        _join(a.time, b.time),
        _join(a.covariates, b.covariates),
        a.covariate_names,
        group,
        groups,
        judge,
        judges,
        _join(a.grade, b.grade),
        a.outcome_levels,
    )
    return merge_rows(
        items,
        np.concatenate([from_a[a.left], from_b[b.left]]),
        np.concatenate([from_a[a.right], from_b[b.right]]),
        _sums(a, b),
        _join(a.home, b.home),
        extras,
    )


def _require_equal_columns(a: Stored, b: Stored) -> None:
    for name in ("home", "cluster", "group", "judge", "time", "covariates", "grade"):
        if (getattr(a, name) is None) != (getattr(b, name) is None):
            with_it, without = ("left", "right") if getattr(b, name) is None else ("right", "left")
            raise ValueError(
                "tables to be added must have the same columns: "
                f"the {with_it} one has {name}, the {without} one has not"
            )
    if a.covariate_names != b.covariate_names:
        raise ValueError(
            "tables to be added must have the same covariates, "
            f"got {a.covariate_names} and {b.covariate_names}"
        )
    if a.outcome_levels != b.outcome_levels:
        raise ValueError(
            "tables to be added must have the same outcome levels, "
            f"got {a.outcome_levels} and {b.outcome_levels}"
        )
    if a.time is not None and b.time is not None and a.time.dtype != b.time.dtype:
        raise ValueError(
            f"tables to be added must have times of one kind, got {a.time.dtype} and {b.time.dtype}"
        )


def union(
    a: npt.NDArray[Any], b: npt.NDArray[Any], name: str
) -> tuple[npt.NDArray[Any], npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """All labels, and where those of `a` and of `b` stand among them."""
    labels, x, y = encode(a, b, (f"{name} of the left table", f"{name} of the right table"))
    if np.all(np.diff(x) > 0) and np.all(np.diff(y) > 0):
        return labels, x, y
    new = y[~np.isin(y, x)]
    order = np.concatenate([x, new])
    place = np.empty(len(labels), dtype=np.int32)
    place[order] = np.arange(len(labels), dtype=np.int32)
    return labels[order], place[x], place[y]


def _join(a: Any, b: Any) -> Any:
    return None if a is None else np.concatenate([a, b])


def _sums(a: Stored, b: Stored) -> dict[str, npt.NDArray[np.float64] | None]:
    """Columns of sums one after the other; weights of 1 have their counts as squares."""
    out: dict[str, npt.NDArray[np.float64] | None] = {
        "wins": np.concatenate([a.left_wins, b.left_wins]),
        "losses": np.concatenate([a.right_wins, b.right_wins]),
        "ties": None if a.ties is None and b.ties is None else np.concatenate([_ties(a), _ties(b)]),
    }
    weighted = a.left_squared is not None or b.left_squared is not None
    for squared, name in (("wins_squared", "left"), ("losses_squared", "right"), ("ties_squared", "ties")):
        absent = not weighted or (name == "ties" and out["ties"] is None)
        out[squared] = None if absent else np.concatenate([_squares(a, name), _squares(b, name)])
    return out


def _ties(table: Stored) -> npt.NDArray[np.float64]:
    return np.zeros(table.n_rows) if table.ties is None else table.ties


def _squares(table: Stored, name: str) -> npt.NDArray[np.float64]:
    squares: npt.NDArray[np.float64] | None = getattr(table, f"{name}_squared")
    if squares is not None:
        return squares
    if name == "ties":
        return _ties(table)
    counts: npt.NDArray[np.float64] = getattr(table, f"{name}_wins")
    return counts
