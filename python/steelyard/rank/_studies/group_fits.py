"""Boards of groups, and how they differ."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _labels
from ..._report import check_page, check_text, save
from ..._results import Columns, Result
from ..._validate import check_choice, check_count, check_level, check_positive, check_rng, check_room
from ...plotting import plot_groups
from .._chances import RankInfo
from .._inference import as_lines
from .._table import positions
from .group_law import GroupLaw
from .group_report import Wishes, groups_page

Floats = npt.NDArray[np.float64]

_BYTES = 160  # a difference: eight columns, as they are collected, joined and sorted


@dataclass(frozen=True, repr=False, eq=False)
class GroupFits(Result):
    """One board a group.

    Attributes
    ----------
    groups : ndarray, shape (n_groups,)
        Labels.
    items : ndarray, shape (n_items,)
        Labels.
    strengths : ndarray, shape (n_groups, n_items)
        Natural-log strengths, in each group with mean 0 over the items that all groups have; NaN where
        ``shrink=False`` and an item is not in a group.
    standard_errors : ndarray, shape (n_groups, n_items)
        Shrunk: of the posterior at `width`. Else of the sandwich.
    games : ndarray, shape (n_groups, n_items)
        Comparisons of each item in each group, by weight.
    whole : ndarray, shape (n_items,)
        Shrunk: what the groups are shrunk to. Else the mean of the groups.
    width : float or None
        Standard deviation of an item's strength in a group around the whole; None with ``shrink=False``.
    tie_parameter, home_advantage : float or None
        Those that shrunk groups share; None where there is none, and with ``shrink=False``.
    info : RankInfo
        ``info.error_bound`` is the largest Newton decrement of a fit.
    """

    groups: npt.NDArray[Any]
    items: npt.NDArray[Any]
    strengths: Floats
    standard_errors: Floats
    games: Floats
    whole: Floats
    width: float | None
    tie_parameter: float | None
    home_advantage: float | None
    info: RankInfo = field(repr=False)
    _covariances: tuple[Floats, ...] = field(repr=False)  # of all groups in one, one a group's own, or none
    _law: GroupLaw | None = field(default=None, repr=False)  # instead, of many

    def __len__(self) -> int:
        return len(self.groups)

    def board(self, group: Any, *, level: float = 0.95) -> dict[str, npt.NDArray[Any]]:
        """The leaderboard of one group, strongest first.

        Parameters
        ----------
        group : label
        level : float, default 0.95
            Of the intervals, each by itself.

        Returns
        -------
        dict of str to ndarray
            Columns ``item``, ``rating``, ``standard_error``, ``lower``, ``upper`` and ``games``.

        Raises
        ------
        KeyError
            If there is no such group.

        Examples
        --------
        >>> from steelyard.rank import Comparisons, fit_groups
        >>> games = Comparisons.from_pairs(["a", "b"] * 4, ["b", "a"] * 4, group=[1, 1, 1, 1, 2, 2, 2, 2])
        >>> fit_groups(games).board(1)["games"].tolist()
        [4.0, 4.0]
        """
        g = _labels.position(positions(self.groups), group, "group")
        half = NormalDist().inv_cdf(0.5 + check_level(level) / 2)
        rows = np.argsort(-self.strengths[g], kind="stable")
        rows = rows[np.isfinite(self.strengths[g, rows])]
        rating, error = self.strengths[g, rows], self.standard_errors[g, rows]
        return {
            "item": self.items[rows],
            "rating": rating,
            "standard_error": error,
            "lower": rating - half * error,
            "upper": rating + half * error,
            "games": self.games[g, rows],
        }

    def to_frame(self, *, level: float = 0.95) -> dict[str, npt.NDArray[Any]]:
        """All boards under each other: ``group`` and the columns of `board`.

        Parameters
        ----------
        level : float, default 0.95

        Returns
        -------
        dict of str to ndarray
        """
        boards = [self.board(label, level=level) for label in self.groups]
        sizes = [len(board["item"]) for board in boards]
        columns = {name: np.concatenate([board[name] for board in boards]) for name in boards[0]}
        return {"group": np.repeat(self.groups, sizes), **columns}

    def differences(
        self, level: float = 0.95, *, draws: int = 2000, rng: Any = 0, max_memory: float = 4e9
    ) -> dict[str, npt.NDArray[Any]]:
        """Which items stand higher in one group than in another: all statements hold together.

        Parameters
        ----------
        level : float, default 0.95
            Chance that all intervals hold together.
        draws : int, default 2000
            Simulated errors behind the critical value.
        rng : default 0
            As SPEC 7 has it, with a fixed seed by default.
        max_memory : float, default 4e9
            Bytes that the draws, and the differences, may take; more ends in a MemoryError before any work.

        Returns
        -------
        dict of str to ndarray
            Columns ``item``, ``group_a``, ``group_b``, ``difference`` (a minus b, of strengths against the
            mean of their group), ``standard_error``, ``lower``, ``upper`` and ``real``: whether the interval
            leaves out 0. Of the items that both groups have, the surest first.

        Notes
        -----
        The critical value is the `level`-quantile of the largest |t| over all items and pairs of groups,
        simulated from the covariance. Beyond 3,000 parameters, so are the standard errors.

        Examples
        --------
        >>> from steelyard.rank import Comparisons, fit_groups
        >>> winner = ["a"] * 60 + ["b"] * 20 + ["a"] * 30 + ["b"] * 90
        >>> loser = ["b" if label == "a" else "a" for label in winner]
        >>> games = Comparisons.from_pairs(winner, loser, group=["x"] * 80 + ["y"] * 120)
        >>> found = fit_groups(games, shrink=False, prior=1).differences()
        >>> found["item"].tolist(), found["real"].tolist()
        (['a', 'b'], [True, True])
        """
        level, count = (
            check_level(level),
            check_room(check_count(draws, "draws"), "draws", self.strengths.size, max_memory=max_memory),
        )
        generator = check_rng(rng)
        self._require_room(check_positive(max_memory, "max_memory"))
        pairs, largest = list(itertools.combinations(range(len(self)), 2)), np.zeros(count)
        own = [np.flatnonzero(games > 0) for games in self.games]
        noise = self._noise(own, count, generator)
        columns: list[list[Any]] = [[], [], [], [], []]
        for a, b in pairs:
            both, i, j = np.intersect1d(own[a], own[b], assume_unique=True, return_indices=True)
            apart = noise[a][:, i] - noise[b][:, j]
            error = np.sqrt((apart**2).mean(axis=0)) if self._law else self._errors_between(a, b)[both]
            t = np.divide(np.abs(apart), error, out=np.zeros_like(apart), where=error > 0)
            largest = np.maximum(largest, t.max(axis=1, initial=0.0))
            gap = self.strengths[a, both] - self.strengths[b, both]
            groups = (np.full(len(both), k) for k in (a, b))
            for column, part in zip(columns, (both, *groups, gap, error), strict=True):
                column.append(part)
        kinds = (np.intp, np.intp, np.intp, np.float64, np.float64)
        item, first, second, gap, error = (
            np.concatenate([np.zeros(0), *column]).astype(kind)
            for column, kind in zip(columns, kinds, strict=True)
        )
        critical = float(np.quantile(largest, level, method="higher"))
        with np.errstate(divide="ignore", invalid="ignore"):
            surest = np.argsort(-np.abs(gap / error), kind="stable")
        middle, half = gap[surest], critical * error[surest]
        return {
            "item": self.items[item[surest]],
            "group_a": self.groups[first[surest]],
            "group_b": self.groups[second[surest]],
            "difference": middle,
            "standard_error": error[surest],
            "lower": middle - half,
            "upper": middle + half,
            "real": np.abs(middle) > half,
        }

    def _require_room(self, most: float) -> None:
        met = (self.games > 0).sum(axis=0, dtype=np.int64)
        found = int((met * (met - 1) // 2).sum())
        if _BYTES * found > most:
            raise MemoryError(
                f"{found:,} differences between {len(self):,} groups ask for {_BYTES * found / 1e9:.3g} GB "
                f"(max_memory is {most / 1e9:.3g} GB); fit fewer groups or items, or raise max_memory"
            )

    def _noise(self, own: list[Any], count: int, rng: np.random.Generator) -> list[Floats]:
        """Draws of the errors of each group's own items."""
        if self._law is not None:
            return self._law.draws(count, rng)
        if self.width is None:
            return [_gaussian(matrix, count, rng) for matrix in self._covariances]
        every = _gaussian(self._covariances[0], count, rng).reshape(count, *self.strengths.shape)
        return [every[:, g, items] for g, items in enumerate(own)]

    def _errors_between(self, a: int, b: int) -> Floats:
        """Standard errors of an item's difference between two groups."""
        n = len(self.items)
        variance = self.standard_errors[a] ** 2 + self.standard_errors[b] ** 2
        if self.width is not None:
            both = self._covariances[0][a * n : (a + 1) * n, b * n : (b + 1) * n]
            variance = variance - 2.0 * np.diag(both)
        return np.asarray(np.sqrt(np.maximum(variance, 0.0)))

    def _head(self, rows: int) -> tuple[Columns, int]:
        order = np.argsort(-self.whole, kind="stable")[:rows]
        columns = {str(label): self.strengths[g, order] for g, label in enumerate(self.groups)}
        return {"item": self.items[order], **columns}, len(self.items)

    def plot(self, **options: Any) -> Any:
        """A heat map of items by groups; see `steelyard.plotting.plot_groups`.

        Parameters
        ----------
        **options
            As of `steelyard.plotting.plot_groups`.

        Returns
        -------
        matplotlib.axes.Axes
        """
        return plot_groups(self, **options)

    def report(
        self,
        path: str | os.PathLike[str],
        *,
        title: str | None = None,
        data: str | None = None,
        notes: Sequence[str] = (),
        scale: str = "elo",
        level: float = 0.95,
    ) -> Path:
        """Write the boards as one page of HTML, a tab each, with the differences between them.

        Parameters
        ----------
        path : str or path
            Ends in .html; a file that is there is replaced.
        title, data : str, optional
            As of `BradleyTerryFit.report`.
        notes : sequence of str, optional
            Further sentences for its head.
        scale : {'elo', 'log'}
            Elo points about 1000, or natural-log strengths.
        level : float, default 0.95
            Of intervals; those of differences hold together.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        ImportError
            If Jinja2 or matplotlib is missing: the extra `report` has both.
        ValueError, TypeError
            If an argument does not fit.

        Examples
        --------
        >>> import tempfile
        >>> from steelyard.rank import Comparisons, fit_groups
        >>> games = Comparisons.from_pairs(["a", "b"] * 4, ["b", "a"] * 4, group=[1, 1, 1, 1, 2, 2, 2, 2])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     page = fit_groups(games).report(f"{folder}/boards.html", title="Languages")
        ...     "Languages" in page.read_text(encoding="utf-8")
        True
        """
        target = check_page(path)
        wishes = Wishes(
            check_text(title, "title"),
            check_text(data, "data"),
            as_lines(notes),
            check_choice(scale, "scale", ("elo", "log")),
            check_level(level),
        )
        return save(groups_page(self, self.differences(wishes.level), wishes), target)

    def __repr__(self) -> str:
        how = "fitted apart" if self.width is None else f"shrunk to the whole, width {self.width:.3g}"
        state = "converged" if self.info.converged else "NOT converged"
        return (
            f"GroupFits: {len(self.items)} items in {len(self)} groups, {how}\n"
            f"{state}: Newton decrement {self.info.error_bound:.1e}"
        )


def _gaussian(matrix: Floats, count: int, rng: np.random.Generator) -> Floats:
    """Draws with this covariance; the directions of means have none."""
    values, vectors = np.linalg.eigh(matrix)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    return np.asarray(rng.standard_normal((count, len(matrix))) @ root.T)
