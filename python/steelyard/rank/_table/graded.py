"""Paired comparisons whose outcomes are grades of an ordered scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _core
from ..._results import Result
from ..._spelling import shown
from ..._validate import check_vector, real_array, refuse_masked
from .addition import union
from .comparisons import Comparisons
from .covariates import Covariates
from .frames import columns_of
from .labels import encode, encode_into
from .outcomes import check_levels

Values = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

_SIDES = ("left", "right")


@dataclass(frozen=True, repr=False, eq=False)
class GradedComparisons(Result):
    """Paired comparisons with outcomes on an ordered scale, symmetric between the sides.

    Rows are sorted by pair, left before right in the order of `items`; rows that are alike are counted
    together unless they are soft. ``a + b`` adds tables that were counted apart. For clusters, times,
    covariates or a DuckDB relation see `Comparisons.from_frame`, which takes `outcome_levels` too.

    Attributes
    ----------
    items : ndarray, shape (n_items,)
        Labels.
    left, right : ndarray of int, shape (n_rows,)
        Positions in `items`.
    levels : tuple of str
        From the best for the left item to the worst.
    counts : ndarray, shape (n_rows, n_levels)
        Comparisons by level, weighted.
    squared : ndarray, shape (n_rows, n_levels)
        Sums of squared weights; of soft rows the squared weight of the row in each.
    home : ndarray of int8, shape (n_rows,), or None
        +1 left at home, -1 right.
    soft : bool
        Whether each row is one comparison, spread over the levels by its chances.
    cluster : ndarray of int32, shape (n_rows,), or None
        Which rows depend on each other.
    covariates : ndarray, shape (n_rows, n_covariates), or None
        Differences, left minus right.
    covariate_names : tuple of str
        Empty without covariates.
    """

    items: Values
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    levels: tuple[str, ...]
    counts: Floats
    squared: Floats
    home: npt.NDArray[np.int8] | None
    soft: bool
    cluster: npt.NDArray[np.int32] | None = None
    covariates: Floats | None = None
    covariate_names: tuple[str, ...] = ()
    _cache: dict[Any, Any] = field(default_factory=dict, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_cache": {}}

    @classmethod
    def from_grades(
        cls,
        left: Any,
        right: Any,
        outcome: Any,
        *,
        levels: Sequence[str],
        weight: Any = None,
        home: Any = None,
        items: Any = None,
    ) -> GradedComparisons:
        """Comparisons with one level each.

        Parameters
        ----------
        left, right : array_like of labels
        outcome : array_like
            One of `levels` each, as the left item did.
        levels : sequence
            All levels, from the best for the left item to the worst; 2 to 32. The first mirrors the last, the
            second the last but one; an odd number has a tie in the middle.
        weight : array_like, optional
            Positive; default all 1.
        home : array_like of int, optional
            +1 where the left item is at home, -1 where the right one is, 0 neutral.
        items : array_like, optional
            All labels, in the order wanted.

        Returns
        -------
        GradedComparisons

        Examples
        --------
        >>> from steelyard.rank import GradedComparisons
        >>> levels = ["much better", "better", "tie", "worse", "much worse"]
        >>> GradedComparisons.from_grades(["a", "b"], ["b", "a"], ["better", "much worse"], levels=levels)
        GradedComparisons: 2 items, 2 comparisons, 5 levels
        """
        names = check_levels(levels, "levels")
        place = {name: k for k, name in enumerate(names)}
        column = refuse_masked(outcome, "outcome")
        if column.ndim != 1:
            raise ValueError(f"outcome must be 1-dimensional, got shape {column.shape}")
        given = [str(value) for value in column.tolist()]
        codes = np.array([place.get(value, -1) for value in given], dtype=np.intp)
        unknown = np.flatnonzero(codes < 0)
        if len(unknown):
            raise ValueError(
                f"outcome must hold levels alone, got {shown(given[unknown[0]])} (row {unknown[0]}); "
                f"levels are {', '.join(names)}"
            )
        w = _read_weight(weight, len(codes))
        counts = np.zeros((len(codes), len(names)))
        counts[np.arange(len(codes)), codes] = w
        squared = np.zeros_like(counts)
        squared[np.arange(len(codes)), codes] = w * w
        return cls._made(left, right, names, counts, squared, home, items, soft=False)

    @classmethod
    def from_chances(
        cls,
        left: Any,
        right: Any,
        chances: Any,
        *,
        levels: Sequence[str] = ("win", "loss"),
        weight: Any = None,
        home: Any = None,
        items: Any = None,
    ) -> GradedComparisons:
        """Soft outcomes: a judge's chance for each level, or that the left item is better.

        Parameters
        ----------
        left, right : array_like of labels
        chances : array_like, shape (n,) or (n, n_levels)
            In [0, 1]; of the first of two levels, or of all of them, which add up to 1.
        levels, weight, home, items
            As for `from_grades`.

        Returns
        -------
        GradedComparisons

        Notes
        -----
        Each row stays one comparison for sandwich errors: its score is the mean over its chances, squared
        once. Two half rows would count the judge's doubt as noise that has been seen.

        Examples
        --------
        >>> from steelyard.rank import GradedComparisons
        >>> GradedComparisons.from_chances(["a", "b"], ["b", "a"], [0.9, 0.3])
        GradedComparisons: 2 items, 2 comparisons, 2 levels, soft
        """
        names = check_levels(levels, "levels")
        p = real_array(chances, "chances").astype(np.float64)
        if p.ndim == 1 and len(names) == 2:
            p = np.column_stack([p, 1.0 - p])
        if p.ndim != 2 or p.shape[1] != len(names):
            raise ValueError(f"chances must have shape (n, {len(names)}), got {p.shape}")
        if not ((p >= 0) & (p <= 1)).all() or (np.abs(p.sum(axis=1) - 1.0) > 1e-6).any():
            raise ValueError("chances must lie in [0, 1] and add up to 1 in each row")
        w = _read_weight(weight, len(p))
        squared = np.broadcast_to((w * w)[:, None], p.shape)
        return cls._made(left, right, names, p * w[:, None], squared, home, items, soft=True)

    @classmethod
    def from_frame(
        cls,
        df: Any,
        *,
        left: str = "left",
        right: str = "right",
        outcome: str = "outcome",
        outcome_levels: Sequence[str],
        weight: str | None = None,
        home: str | None = None,
        items: Any = None,
    ) -> GradedComparisons:
        """Columns of a data frame of any kind, as `from_grades` takes them.

        Parameters
        ----------
        df : mapping or data frame
        left, right, outcome : str
            Names of columns.
        outcome_levels : sequence
            `levels` of `from_grades`.
        weight, home : str, optional
            Names of columns.
        items : array_like, optional

        Returns
        -------
        GradedComparisons

        Examples
        --------
        >>> from steelyard.rank import GradedComparisons
        >>> votes = {"left": ["a", "b"], "right": ["b", "a"], "outcome": ["win", "tie"]}
        >>> GradedComparisons.from_frame(votes, outcome_levels=["win", "tie", "loss"])
        GradedComparisons: 2 items, 2 comparisons, 3 levels
        """
        given = {"left": left, "right": right, "outcome": outcome, "weight": weight, "home": home}
        for part, name in given.items():
            if not isinstance(name, str) and (name is not None or part in ("left", "right", "outcome")):
                raise TypeError(f"{part} must be a column name, got {shown(name)}")
        found = columns_of(df, {name: part for part, name in reversed(given.items()) if name is not None})
        return cls.from_grades(
            found[left],
            found[right],
            found[outcome],
            levels=check_levels(outcome_levels, "outcome_levels"),
            weight=None if weight is None else found[weight],
            home=None if home is None else found[home],
            items=items,
        )

    @classmethod
    def _made(
        cls,
        left: Any,
        right: Any,
        levels: tuple[str, ...],
        counts: Floats,
        squared: Floats,
        home: Any,
        items: Any,
        soft: bool,
    ) -> GradedComparisons:
        coded = encode(left, right, _SIDES) if items is None else encode_into(items, left, right, _SIDES)
        if not len(coded.first) == len(coded.second) == len(counts):
            raise ValueError(
                f"left, right and outcomes must have equal length, got {len(coded.first)}, "
                f"{len(coded.second)} and {len(counts)}"
            )
        if len(counts) == 0:
            raise ValueError("left, right and outcomes must have at least one row")
        same = np.flatnonzero(coded.first == coded.second)
        if len(same):
            raise ValueError(f"an item can't meet itself (row {same[0]})")
        side = None if home is None else _read_home(home, len(counts))
        return cls._merged(coded.labels, coded.first, coded.second, levels, counts, squared, soft, side)

    @classmethod
    def _merged(
        cls,
        labels: Values,
        first: npt.NDArray[np.int32],
        second: npt.NDArray[np.int32],
        levels: tuple[str, ...],
        counts: Floats,
        squared: Floats,
        soft: bool,
        side: npt.NDArray[np.int8] | None = None,
        cluster: npt.NDArray[np.int32] | None = None,
        covariates: Floats | None = None,
        covariate_names: tuple[str, ...] = (),
    ) -> GradedComparisons:
        """Turned, sorted, and what is alike counted together."""
        turned = first > second
        a, b = np.where(turned, second, first), np.where(turned, first, second)
        counts = np.where(turned[:, None], counts[:, ::-1], counts)
        squared = np.where(turned[:, None], squared[:, ::-1], squared)
        columns: dict[str, Any] = {"side": side, "cluster": cluster, "covariates": covariates}
        for name in ("side", "covariates"):
            if columns[name] is not None:
                flip = turned if columns[name].ndim == 1 else turned[:, None]
                columns[name] = np.where(flip, -columns[name], columns[name]) + 0
        keys = [np.atleast_2d(column.T) for column in columns.values() if column is not None]
        keyed = np.concatenate([np.stack([a, b]), *keys])
        order = np.lexsort(keyed[::-1])
        starts: Any = slice(None)
        keyed, counts, squared = keyed[:, order], counts[order], squared[order]
        if not soft:
            new = (np.diff(keyed, axis=1) != 0).any(axis=0)
            starts = np.flatnonzero(np.concatenate([[True], new]))
            counts, squared = np.add.reduceat(counts, starts), np.add.reduceat(squared, starts)
        kept = order[starts]
        there = {name: None if x is None else x[kept] for name, x in columns.items()}
        made = cls(
            labels,
            a[kept].astype(np.int32),
            b[kept].astype(np.int32),
            levels,
            np.ascontiguousarray(counts),
            squared,
            None if side is None else np.asarray(there["side"]).astype(np.int8),
            soft,
            there["cluster"],
            there["covariates"],
            covariate_names,
        )
        for column in (made.left, made.right, made.counts, made.squared):
            column.flags.writeable = False
        return made

    @classmethod
    def _of(cls, table: Comparisons) -> GradedComparisons:
        """What comparisons with levels say; times, groups and judges are left behind."""
        if table.grade is None:
            raise ValueError(
                "comparisons must have outcomes on a scale; give Comparisons.from_frame(outcome_levels=...)"
            )
        size, rows = len(table.outcome_levels), np.arange(table.n_rows)
        counts, squared = np.zeros((table.n_rows, size)), np.zeros((table.n_rows, size))
        for place, name in (
            (table.grade, "left_wins"),
            (size - 1 - table.grade, "right_wins"),
            (None, "ties"),
        ):
            count = getattr(table, name)
            if count is None:
                continue
            square = getattr(table, name.replace("wins", "squared") if place is not None else "ties_squared")
            where = np.full(table.n_rows, size // 2) if place is None else place
            np.add.at(counts, (rows, where), count)
            np.add.at(squared, (rows, where), count if square is None else square)
        return cls._merged(
            table.items,
            table.left,
            table.right,
            table.outcome_levels,
            counts,
            squared,
            False,
            table.home,
            table.cluster,
            table.covariates,
            table.covariate_names,
        )

    def __add__(self, other: GradedComparisons) -> GradedComparisons:
        """Both tables counted together: items are matched by label."""
        if not isinstance(other, GradedComparisons):
            return NotImplemented
        for name in ("levels", "soft"):
            one, two = getattr(self, name), getattr(other, name)
            if one != two:
                raise ValueError(f"tables to be added must have the same {name}, got {one} and {two}")
        if (self.home is None) != (other.home is None):
            raise ValueError("tables to be added must have the same columns: one has home, the other has not")
        if self._columns or other._columns:
            raise ValueError("tables with clusters or covariates are added as Comparisons, before the fit")
        labels, here, there = union(self.items, other.items, "items")
        parts: dict[str, Any] = {
            name: np.concatenate([getattr(self, name), getattr(other, name)])
            for name in ("counts", "squared")
        }
        side = None
        if self.home is not None and other.home is not None:
            side = np.concatenate([self.home, other.home])
        first = np.concatenate([here[self.left], there[other.left]])
        second = np.concatenate([here[self.right], there[other.right]])
        return self._merged(labels, first, second, self.levels, soft=self.soft, side=side, **parts)

    @property
    def _columns(self) -> bool:
        return self.cluster is not None or self.covariates is not None

    @property
    def n_items(self) -> int:
        """Number of items."""
        return len(self.items)

    @cached_property
    def n_comparisons(self) -> float:
        """Number of comparisons, by their weights."""
        return float(self.counts.sum())

    def signs(self) -> Comparisons:
        """Who was better alone: wins, losses and, of the middle level, ties.

        Returns
        -------
        Comparisons

        Examples
        --------
        >>> from steelyard.rank import GradedComparisons
        >>> levels = ["much better", "better", "worse", "much worse"]
        >>> table = GradedComparisons.from_grades(["a"], ["b"], ["much better"], levels=levels)
        >>> table.signs().left_wins.tolist()
        [1.0]
        """
        squared = self.counts**2 if self.soft else self.squared
        wins, weights = _folded(self.counts), _folded(squared)
        new = (np.diff(self.left) != 0) | (np.diff(self.right) != 0)
        if self.home is not None:
            new |= np.diff(self.home) != 0
        starts = np.flatnonzero(np.concatenate([[True], new]))
        wins, weights = (np.add.reduceat(part, starts) for part in (wins, weights))
        tied = wins.shape[1] == 3 and bool(wins[:, 2].any())
        plain = bool((wins == weights).all())
        columns = [np.ascontiguousarray(part) for part in (*wins.T, *weights.T)]
        width = wins.shape[1]
        return Comparisons(
            items=self.items,
            left=self.left[starts],
            right=self.right[starts],
            left_wins=columns[0],
            right_wins=columns[1],
            ties=columns[2] if tied else None,
            left_squared=None if plain else columns[width],
            right_squared=None if plain else columns[width + 1],
            ties_squared=None if plain or not tied else columns[width + 2],
            home=None if self.home is None else self.home[starts],
        )

    def to_frame(self) -> dict[str, Values]:
        """Columns ``left``, ``right``, one a level and, if given, ``home``; a row a pair.

        Returns
        -------
        dict of str to ndarray
        """
        out: dict[str, Values] = {"left": self.items[self.left], "right": self.items[self.right]}
        for k, level in enumerate(self.levels):
            out[level] = self.counts[:, k]
        return out if self.home is None else {**out, "home": self.home}

    def __repr__(self) -> str:
        soft = ", soft" if self.soft else ""
        return (
            f"GradedComparisons: {self.n_items:,} items, {self.n_comparisons:,g} comparisons, "
            f"{len(self.levels)} levels{soft}"
        )

    def _games(self) -> Floats:
        """Comparisons of each row, by weight."""
        return np.asarray(self.counts.sum(axis=1))

    def _effective_games(self) -> Floats:
        """As `Comparisons.effective_games`."""
        games, squares = self._games(), self.squared[:, 0] if self.soft else self.squared.sum(axis=1)
        n = self.n_items
        total, square = (
            np.bincount(self.left, part, minlength=n) + np.bincount(self.right, part, minlength=n)
            for part in (games, squares)
        )
        return np.asarray(np.divide(total**2, square, out=np.zeros(n), where=square > 0))

    def _pairs(self, home: bool, covariates: Covariates | None = None) -> tuple[_core.rank.PairGraph, Floats]:
        """The graph that the solvers walk, and counts of each edge from the lowest level to the highest."""
        key = (home, covariates)
        if key not in self._cache:
            forward, backward = self.counts[:, :-1].sum(axis=1), self.counts[:, 1:].sum(axis=1)
            scaled = covariates.scaled(self) if covariates else None
            graph = _core.rank.PairGraph(
                self.left, self.right, forward, backward, None, None, None, None, self.home, scaled,
                items=self.n_items, keep_home=home,
            )  # fmt: skip
            counts = np.zeros((len(graph.left), len(self.levels)))
            np.add.at(counts, graph.edge_of_row, self.counts[:, ::-1])
            self._cache[key] = graph, counts
        return self._cache[key]  # type: ignore[no-any-return]


def _folded(values: Floats) -> Floats:
    """Sums over the levels above the middle, below it and, if there is one, of the middle."""
    half = values.shape[1] // 2
    parts = [values[:, :half].sum(axis=1), values[:, ::-1][:, :half].sum(axis=1)]
    return np.column_stack(parts + ([values[:, half]] if values.shape[1] % 2 else []))


def _read_weight(weight: Any, size: int) -> Floats:
    if weight is None:
        return np.ones(size)
    w = check_vector(weight, "weight")
    if len(w) != size or not (np.isfinite(w) & (w > 0)).all():
        raise ValueError(f"weight must be {size} positive numbers")
    return np.asarray(w, dtype=np.float64)


def _read_home(home: Any, size: int) -> npt.NDArray[np.int8]:
    side = refuse_masked(home, "home")
    if side.shape != (size,) or side.dtype.kind not in "iuf" or not np.isin(side, (-1, 0, 1)).all():
        raise ValueError(f"home must be {size} numbers -1, 0 or +1")
    return side.astype(np.int8)
