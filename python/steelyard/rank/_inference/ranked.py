"""The base of every fit with one strength an item."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._info import Info
from ..._report import check_page, check_text, save
from ..._results import Columns, Result
from ..._validate import check_choice, check_count, check_level, check_number, check_room, check_threads
from ...plotting import plot_strengths
from .._chances import SCALES
from .covariance import Contrast, Covariance, contrast, covariance, standard_errors
from .information import KINDS, Information
from .leaderboard import leaderboard
from .rank_intervals import FULL_LIMIT, METHODS, RankIntervals, Tiers, rank_intervals
from .report import Story, Wishes, as_lines, ranking_page
from .strengths import Strengths
from .uncertainty import FEWEST_DRAWS, Solved, Uncertainty, checked_source

Floats = npt.NDArray[np.float64]


class Ranked(Strengths, Result, ABC):
    """Strengths by label, and how sure they are; a model adds `_information` and `bootstrap`."""

    info: Info

    # ---- what a model adds

    @abstractmethod
    def _information(self, n_threads: int) -> Information:
        """The information matrices at the optimum."""

    @abstractmethod
    def _story(self, level: float) -> Story:
        """What a page tells of the model."""

    @abstractmethod
    def bootstrap(self, n_rounds: int, *, rng: Any = None, n_threads: int | None = None) -> Uncertainty:
        """Refits to resampled data."""

    # ---- how sure

    def _uncertainty(self, uncertainty: str | Uncertainty, whole: bool, threads: int) -> Uncertainty:
        """What was given, or what its name stands for: of the whole, or by solves of some items."""
        found = checked_source(uncertainty, self.items)
        if isinstance(found, Uncertainty):
            return found
        information = self._information(threads)
        if whole and len(self) <= information.most:
            return covariance(information, self.items, found)
        return Solved(information, found)

    def covariance(
        self, kind: str = "sandwich", *, items: Any = None, n_threads: int | None = None
    ) -> Covariance:
        """Covariance of the strengths, each taken against the mean of all items.

        Parameters
        ----------
        kind : {'sandwich', 'hessian'}
            'sandwich' holds even if the model is wrong: per comparison (or ranking), or per cluster with the
            factor C / (C - 1) where the comparisons have clusters. 'hessian' is the inverse of the observed
            information; under a prior or with ties='half' it is marked approximate. The default does not
            trust the model.
        items : sequence of labels, optional
            Default all, up to 5,000 items (10,000 of rankings); a few columns are solved for at any size.
        n_threads : int, optional
            Default: see `steelyard.build_info`.

        Returns
        -------
        Covariance

        Raises
        ------
        ValueError
            If an argument does not fit, or the information is singular to rounding.

        Notes
        -----
        All items: O(n^3) time through LAPACK, O(n^2) memory. k items: k solves of the Newton system, O(n k
        + pairs) memory (O((n + rankings) k) for rankings). Weighted comparisons enter by their squared
        weights [1]_.

        References
        ----------
        .. [1] White, "Maximum likelihood estimation of misspecified models", Econometrica 50 (1982).

        Examples
        --------
        >>> from steelyard.rank import Comparisons, bradley_terry
        >>> games = Comparisons.from_counts([[0, 30], [10, 0]], items=["ann", "ben"])
        >>> v = bradley_terry(games).covariance("hessian")
        >>> print(v.contrast_errors()[0, 1].round(6))  # sqrt(1 / 30 + 1 / 10)
        0.365148
        """
        kind, where = check_choice(kind, "kind", KINDS), None if items is None else self.positions(items)
        return covariance(self._information(check_threads(n_threads)), self.items, kind, where)

    def standard_errors(
        self,
        reference: Any = "mean",
        *,
        kind: str = "sandwich",
        items: Any = None,
        n_threads: int | None = None,
    ) -> Floats:
        """Standard errors of strengths taken against the mean of all items, or against one of them.

        Parameters
        ----------
        reference : 'mean' or label
            What the strengths are taken against; the reference item itself has standard error 0.
        kind, items, n_threads
            As in `covariance`.

        Returns
        -------
        ndarray, shape (n_items,) or (len(items),)

        Raises
        ------
        KeyError
            If a label is unknown.
        ValueError
            If an argument does not fit.

        Notes
        -----
        As `covariance`; above 5,000 items (10,000 of rankings) one solve an item, in batches.

        Examples
        --------
        >>> from steelyard.rank import Comparisons, bradley_terry
        >>> games = Comparisons.from_counts([[0, 30], [10, 0]], items=["ann", "ben"])
        >>> bradley_terry(games).standard_errors("ann").round(6).tolist()
        [0.0, 0.365148]
        """
        kind, where = check_choice(kind, "kind", KINDS), None if items is None else self.positions(items)
        base = None if isinstance(reference, str) and reference == "mean" else self.index(reference)
        return standard_errors(self._information(check_threads(n_threads)), kind, where, base)

    def contrast(
        self, a: Any, b: Any, *, level: float = 0.95, kind: str = "sandwich", n_threads: int | None = None
    ) -> Contrast:
        """Strength of a minus strength of b, with interval and p-value.

        Parameters
        ----------
        a, b : label
            Items of the fit.
        level : float, default 0.95
            Of the interval.
        kind, n_threads
            As in `covariance`.

        Returns
        -------
        Contrast

        Raises
        ------
        KeyError
            If a label is unknown.
        ValueError
            If an argument does not fit.

        Notes
        -----
        One solve of the Newton system. Of one contrast chosen beforehand; for all of them see
        `rank_intervals`.

        Examples
        --------
        >>> from steelyard.rank import Comparisons, bradley_terry
        >>> games = Comparisons.from_counts([[0, 30], [10, 0]], items=["ann", "ben"])
        >>> c = bradley_terry(games).contrast("ann", "ben")
        >>> print(round(c.lower, 3), round(c.upper, 3))
        0.383 1.814
        """
        level, kind = check_level(level), check_choice(kind, "kind", KINDS)
        i, j = self.index(a), self.index(b)
        information = self._information(check_threads(n_threads))
        error = float(standard_errors(information, kind, np.array([i]), j)[0]) if i != j else 0.0
        estimate = float(self.strengths[i] - self.strengths[j])
        return contrast(estimate, error, level, kind, information.approximate(kind))

    def rank_intervals(
        self,
        level: float = 0.95,
        *,
        method: str = "simultaneous",
        uncertainty: str | Uncertainty = "sandwich",
        items: Any = None,
        draws: int | None = None,
        rng: Any = 0,
        max_memory: float = 4e9,
        n_threads: int | None = None,
    ) -> RankIntervals:
        """The ranks that each item can have: [1 + number surely better, n - number surely worse].

        Item i is surely better than j if their strengths differ by more than q standard errors of that
        contrast, with q the `level`-quantile of max |t| over the contrasts in question, simulated from the
        covariance [1]_.

        Parameters
        ----------
        level : float, default 0.95
            Confidence.
        method : {'simultaneous', 'marginal'}
            All rank sets hold together (contrasts of all pairs with an item asked for), or each by itself
            (contrasts of that item alone).
        uncertainty : {'sandwich', 'hessian'}, Covariance or BootstrapResult
            Where the errors come from.
        items : sequence of labels, optional
            Default all, up to 3,000 items. With items named and `uncertainty` a name, draws come from the
            scores and their contrasts' standard errors from the draws: no full covariance.
        draws : int, optional
            Simulated draws: default 10,000, fewer (at least 2,000) above 500 items; 2,000 where `items` are
            named, since each takes a solve there.
        rng : default 0
            As SPEC 7 has it, but with a fixed seed by default: the same rank sets every time.
        max_memory : float, default 4e9
            Bytes that the draws may take.
        n_threads : int, optional
            Default: see `steelyard.build_info`. The simulation does not depend on it.

        Returns
        -------
        RankIntervals

        Raises
        ------
        ValueError
            If an argument does not fit, or above 3,000 items without `items`.
        MemoryError
            If the draws would take more than `max_memory` bytes; before any work.

        Notes
        -----
        O(draws n^2) time and O(n^2 + draws n) memory for all items. Rounds of a bootstrap without a finite
        optimum count as infinite max |t|: beyond a share of 1 - level of them nothing is sure.

        References
        ----------
        .. [1] Mogstad, Romano, Shaikh, Wilhelm, "Inference for ranks with applications to mobility across
           neighbourhoods and academic achievement across countries", Rev. Econ. Stud. 91 (2024).

        Examples
        --------
        >>> from steelyard.rank import Comparisons, bradley_terry
        >>> wins = [[0, 60, 70], [40, 0, 52], [30, 48, 0]]
        >>> games = Comparisons.from_counts(wins, items=["ann", "ben", "cat"])
        >>> sets = bradley_terry(games).rank_intervals()
        >>> sets.lower.tolist(), sets.upper.tolist()
        ([1, 2, 2], [1, 3, 3])
        """
        level, method = check_level(level), check_choice(method, "method", METHODS)
        threads = check_threads(n_threads)
        if items is None and len(self) > FULL_LIMIT:
            raise ValueError(
                f"items: rank sets of all {len(self)} items take all pairs; name the items you want (up to "
                f"{FULL_LIMIT} items the default is all)"
            )
        where = self.positions(items)
        count = FEWEST_DRAWS if draws is None else check_count(draws, "draws")
        check_room(count, "draws", len(self), max_memory=max_memory)
        judge = self._uncertainty(uncertainty, items is None, threads)
        return rank_intervals(self, where, judge, level, method, draws, rng, threads)

    def tiers(self, level: float = 0.95, **options: Any) -> Tiers:
        """Groups of items that are not surely worse than the best of their group.

        Parameters
        ----------
        level : float, default 0.95
            Confidence of the statements behind the tiers.
        **options
            As in `rank_intervals`.

        Returns
        -------
        Tiers

        Raises
        ------
        ValueError
            If an argument does not fit.

        Notes
        -----
        Cost: that of `rank_intervals`.

        Examples
        --------
        >>> from steelyard.rank import Comparisons, bradley_terry
        >>> wins = [[0, 60, 70], [40, 0, 52], [30, 48, 0]]
        >>> games = Comparisons.from_counts(wins, items=["ann", "ben", "cat"])
        >>> [group.tolist() for group in bradley_terry(games).tiers().groups]
        [['ann'], ['ben', 'cat']]
        """
        return self.rank_intervals(level, **options).tiers()

    # ---- as columns and as a picture

    def to_frame(
        self,
        *,
        scale: str = "log",
        elo_mean: float = 1000.0,
        anchor: Mapping[Any, float] | None = None,
        level: float = 0.95,
        uncertainty: str | Uncertainty | None = "sandwich",
        items: Any = None,
    ) -> Mapping[str, npt.NDArray[Any]]:
        """The leaderboard, strongest first, as a mapping of columns that any frame library takes.

        Parameters
        ----------
        scale : {'log', 'elo', 'probability'}
            Natural-log strengths; Elo points (400 / ln 10 of them per unit); or the chance to beat an
            average item.
        elo_mean : float, default 1000
            Mean rating of the Elo scale.
        anchor : mapping {label: rating}, optional
            One item whose rating is fixed instead of the mean; intervals are then relative to that item.
        level : float, default 0.95
            Of the intervals.
        uncertainty : {'sandwich', 'hessian'}, Covariance, BootstrapResult or None
            Where the intervals come from; None leaves them out. ``fit.covariance()`` made once serves this,
            `rank_intervals` and `plot`.
        items : sequence of labels, optional
            Only these; intervals of few among many items cost little.

        Returns
        -------
        dict
            Columns ``item``, ``rating``, ``lower``, ``upper`` (``standard_error`` on the log and Elo scales)
            and, of paired comparisons, ``provisional``: see Notes. ``pandas.DataFrame(fit.to_frame())`` or
            ``polars.DataFrame(...)`` takes it.

        Raises
        ------
        ValueError
            If an argument does not fit.

        Notes
        -----
        Intervals are of contrasts with the mean of all items, or with the anchor. Cost: that of
        `standard_errors`.

        Provisional is an item outside the largest group that circles of wins join (the prior alone bounds its
        rating), with fewer than five effective games (`Comparisons.effective_games`), or with an interval
        more than three times as wide as the median of the others asked for.

        Examples
        --------
        >>> from steelyard.rank import Comparisons, bradley_terry
        >>> games = Comparisons.from_counts([[0, 3], [1, 0]], items=["ann", "ben"])
        >>> table = bradley_terry(games).to_frame(scale="elo")
        >>> table["item"].tolist(), table["rating"].round(1).tolist()
        (['ann', 'ben'], [1095.4, 904.6])
        """
        scale, elo_mean = check_choice(scale, "scale", SCALES), check_number(elo_mean, "elo_mean")
        level, rows = check_level(level), self.order
        if items is not None:
            rows = rows[np.isin(rows, self.positions(items))]
        judge = None
        if uncertainty is not None:
            judge = self._uncertainty(uncertainty, len(rows) == len(self), check_threads(None))
        return leaderboard(self, rows, scale, elo_mean, anchor, level, judge)

    def report(
        self,
        path: str | os.PathLike[str],
        *,
        title: str | None = None,
        data: str | None = None,
        notes: Sequence[str] = (),
        scale: str = "elo",
        elo_mean: float = 1000.0,
        anchor: Mapping[Any, float] | None = None,
        level: float = 0.95,
        uncertainty: str | Uncertainty = "sandwich",
        items: Any = None,
        n_threads: int | None = None,
    ) -> Path:
        """Write the ranking as one page of HTML that can be published as it is.

        Parameters
        ----------
        path : str or path
            Ends in .html; a file that is there is replaced.
        title : str, optional
            Default the number of items.
        data : str, optional
            What was ranked, in a sentence.
        notes : sequence of str, optional
            Further sentences for its head.
        scale, elo_mean, anchor
            As in `to_frame`.
        level : float, default 0.95
            Of intervals, rank sets and tiers.
        uncertainty : {'sandwich', 'hessian'}, Covariance or BootstrapResult
            Where intervals and rank sets come from.
        items : sequence of labels, optional
            Only these; default all, up to 3,000.
        n_threads : int, optional
            Default: see `steelyard.build_info`. The page does not depend on it.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        ImportError
            If Jinja2 or matplotlib is missing: the extra `report` has both.
        ValueError, TypeError
            If an argument does not fit; above 3,000 items without `items`.

        Notes
        -----
        The page asks for nothing from outside: a table to sort and search with intervals drawn, rank sets
        and tiers, a matrix of expected wins of the strongest 50, who can be compared, effects of covariates,
        how it was made, and the numbers as CSV. Labels can't act in it. The same fit gives the same bytes.
        Cost: that of `rank_intervals`.

        Examples
        --------
        >>> import tempfile
        >>> from steelyard.rank import Comparisons, bradley_terry
        >>> wins = [[0, 60, 70], [40, 0, 52], [30, 48, 0]]
        >>> games = Comparisons.from_counts(wins, items=["ann", "ben", "cat"])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     page = bradley_terry(games).report(f"{folder}/board.html", title="Tennis")
        ...     "Tennis" in page.read_text(encoding="utf-8")
        True
        """
        target = check_page(path)
        level, wishes = check_level(level), as_lines(notes)
        wanted = Wishes(
            check_text(title, "title"),
            check_text(data, "data"),
            wishes,
            check_choice(scale, "scale", SCALES),
            level,
        )
        threads = check_threads(n_threads)
        judge = uncertainty
        if items is None and len(self) <= FULL_LIMIT:  # of all items one covariance serves both
            judge = self._uncertainty(uncertainty, True, threads)
        sets = self.rank_intervals(level, uncertainty=judge, items=items, n_threads=threads)
        table = self.to_frame(
            scale=scale, elo_mean=elo_mean, anchor=anchor, level=level, uncertainty=judge, items=items
        )
        return save(ranking_page(self, table, sets, self._story(level), wanted), target)

    def _head(self, rows: int) -> tuple[Columns, int]:
        """Without intervals, which take solves."""
        best = self.order[:rows]
        return {"item": self.items[best], "strength": self.strengths[best]}, len(self)

    def plot(self, **options: Any) -> Any:
        """Ratings with intervals, strongest on top; see `steelyard.plotting.plot_strengths`.

        Parameters
        ----------
        **options
            As of `steelyard.plotting.plot_strengths`.

        Returns
        -------
        matplotlib.axes.Axes
        """
        return plot_strengths(self, **options)
