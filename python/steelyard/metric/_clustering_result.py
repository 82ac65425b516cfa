"""What a clustering costs, what any must cost, and the cycles that prove it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .._info import Info
from .._results import Result
from ..plotting import plot_cluster_sizes
from ._pairs import Array
from ._signed_pairs import SignedPairs


@dataclass(frozen=True, repr=False, eq=False)
class ConflictCycles(Result):
    """Multipliers of cycles and stars that prove what any clustering must cost.

    Along each cycle every pair agrees but the one that closes it: whatever the labels, one of its pairs is
    paid for. The centre of a star agrees with its leaves, which disagree with each other: of k leaves k - 1
    pairs are paid for. Through no pair go multipliers of more than its weight in sum, so that all
    multipliers, each times the right side of its row, are a lower bound;
    `steelyard.reference.clustering.cycle_bound` checks it in exact arithmetic.

    Attributes
    ----------
    multipliers : ndarray, shape (rows,)
        At least 0. Read-only.
    starts : ndarray, shape (rows + 1,)
        Where each row begins in `nodes`. Read-only.
    nodes : ndarray
        Items along each cycle, of which first and last are the disagreeing pair; or the centre of a star and
        its leaves. Items that must be linked go by the first of them. Read-only.
    right_sides : ndarray, shape (rows,)
        How many pairs of a row are paid for at least: 1 for a cycle, the leaves less 1, at least 2, for a
        star. Read-only.
    unavoidable : float
        What every clustering pays because of links, beside the rows.
    """

    multipliers: Array
    starts: npt.NDArray[np.int64]
    nodes: npt.NDArray[np.int32]
    right_sides: npt.NDArray[np.int32]
    unavoidable: float = 0.0

    def __len__(self) -> int:
        return len(self.multipliers)

    def __iter__(self) -> Iterator[tuple[float, npt.NDArray[np.int32]]]:
        """Pairs of a multiplier and the items of its row: a cycle or a star, as the signs of pairs tell."""
        for k, y in enumerate(self.multipliers.tolist()):
            yield y, self.nodes[self.starts[k] : self.starts[k + 1]]

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns of the rows, for any data frame.

        Returns
        -------
        dict of ndarray
            Columns ``kind`` ('cycle' or 'star'), ``multiplier``, ``right_side``, ``length`` (items), ``left``
            and ``right``: the pair that closes a cycle, or the centre of a star and its last leaf.
        """
        return {
            "kind": np.where(self.right_sides > 1, "star", "cycle"),
            "multiplier": self.multipliers,
            "right_side": self.right_sides,
            "length": np.diff(self.starts),
            "left": self.nodes[self.starts[:-1]],
            "right": self.nodes[self.starts[1:] - 1],
        }

    def __repr__(self) -> str:
        proven = float(self.multipliers @ self.right_sides) + self.unavoidable
        stars = int((self.right_sides > 1).sum())
        rows = f"{len(self) - stars:,} cycles" + (f" and {stars:,} stars" if stars else "")
        return f"ConflictCycles: {rows} that prove a cost of at least {proven:.6g}"


@dataclass(frozen=True, repr=False, eq=False)
class CorrelationClustering(Result):
    """A clustering, what it costs, and what any clustering must cost.

    Attributes
    ----------
    labels : ndarray, shape (n,)
        Cluster of each item, numbered by first appearance. Read-only.
    cost : float
        Weight of the agreeing pairs that are separated and of the disagreeing pairs that are together.
    lower_bound : float
        Proven: no clustering costs less.
    lp_ratio : float
        Upper over lower bound of the linear relaxation; inf where it was not solved. What it bounds is the
        relaxation, whose value may be below `lower_bound`.
    relaxation : ndarray, shape (n (n - 1) / 2,), or None
        The relaxation's distances in condensed order: 0 together, 1 apart. Read-only.
    formulation : {'signed', 'graph', 'wang', 'probability'}
    info : Info
        `error_bound` is lp_ratio - 1 (without the relaxation ratio - 1), in ``info.trace`` one row a proximal
        step, or a stage of the search and the packing.
    cycles : ConflictCycles or None
        What proves `lower_bound` where the relaxation was not solved, or is weaker.
    items : ndarray or None
        Names of the items, where they came with names.
    """

    labels: npt.NDArray[np.intp]
    cost: float
    lower_bound: float
    lp_ratio: float
    relaxation: Array | None
    formulation: str
    info: Info
    cycles: ConflictCycles | None = None
    items: npt.NDArray[Any] | None = None
    _pairs: SignedPairs | None = field(default=None, repr=False)

    @property
    def ratio(self) -> float:
        """cost / lower_bound: this clustering is at most so many times as costly as the best one."""
        return ratio(self.cost, self.lower_bound)

    @property
    def n_clusters(self) -> int:
        """Number of clusters."""
        return int(self.labels.max()) + 1

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns ``item`` (by name or number) and ``cluster``, for any data frame."""
        items = np.arange(len(self.labels)) if self.items is None else self.items
        return {"item": items, "cluster": self.labels}

    def disagreements(self) -> dict[str, npt.NDArray[Any]]:
        """The pairs that are paid for, worst first.

        Returns
        -------
        dict of ndarray
            Columns ``left`` and ``right`` (items by name or number), ``cost``, and ``together``: whether the
            pair disagrees and shares a cluster, or agrees and is separated. The costs add up to `cost`.
        """
        assert self._pairs is not None
        left, right, c, together = self._pairs.paid(self.labels)
        order = np.argsort(-np.abs(c), kind="stable")
        ends = [end[order] if self.items is None else self.items[end[order]] for end in (left, right)]
        return {"left": ends[0], "right": ends[1], "cost": np.abs(c[order]), "together": together[order]}

    def plot(self, *, ax: Any = None) -> Any:
        """Sizes of the clusters, largest first.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure if left out.

        Returns
        -------
        matplotlib.axes.Axes
        """
        return plot_cluster_sizes(self, ax=ax)

    def __repr__(self) -> str:
        clusters = f"{self.n_clusters:,} clusters ({self.formulation})"
        bound = f"no clustering costs less than {self.lower_bound:.6g} (ratio {self.ratio:.4g})"
        lines = [
            f"CorrelationClustering: {len(self.labels):,} items in {clusters}",
            f"cost {self.cost:.6g}, {bound}",
        ]
        return "\n".join([*lines, f"note: {self.info.message}"] if self.info.message else lines)


def ratio(upper: float, lower: float) -> float:
    """upper / lower of a cost and its bound; 1 where nothing is paid."""
    if upper <= lower:
        return 1.0
    return upper / lower if lower > 0 else float("inf")
