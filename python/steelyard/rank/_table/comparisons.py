"""`Comparisons`: who beat whom, counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ... import _core
from ..._labels import label_list, position
from ..._results import Result
from ..._validate import check_choice, check_flag, check_nonnegative, refuse_masked
from .addition import add_tables
from .components import ComponentReport, find_components
from .covariates import Covariates
from .frames import count_frame
from .labels import positions
from .matrices import count_matrices
from .outcomes import check_levels
from .score_table import count_score_table
from .times import check_formats, moment
from .votes import Columns, Extras, count_votes, encode_items
from .wanted import Wanted

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Comparisons(Result):
    """Paired comparisons as an immutable table of counts.

    One row per distinct (left, right, home, cluster, group, judge, time, covariates, grade) with left < right
    as positions in `items`; a comparison given the other way round is turned: wins swapped, home and
    covariates negated. Columns that were not given are None and cost nothing. Make one with `from_pairs`,
    `from_frame` or `from_counts`; ``a + b`` adds tables that were counted apart. Arrays are read-only.

    Attributes
    ----------
    items : ndarray, shape (n_items,)
        Labels, sorted unless their order was given.
    left, right : ndarray of int32, shape (n_rows,)
        Positions in `items`.
    left_wins, right_wins : ndarray of float64, shape (n_rows,)
        Sums of count * weight.
    ties : ndarray of float64, shape (n_rows,), or None
        Sums of count * weight of the ties; None if there are none.
    left_squared, right_squared, ties_squared : ndarray of float64, shape (n_rows,), or None
        Sums of count * weight^2; None if every weight was 1.
    home : ndarray of int8, shape (n_rows,), or None
        +1 where left is at home, -1 where right is, 0 neutral.
    cluster : ndarray of int32, shape (n_rows,), or None
        Positions in `cluster_labels`.
    cluster_labels : ndarray or None
        Sorted labels of the clusters.
    time : ndarray of float64 or datetime64[D], shape (n_rows,), or None
        When.
    covariates : ndarray of float64, shape (n_rows, n_covariates), or None
        Differences, left minus right.
    covariate_names : tuple of str
        Empty without covariates.
    group : ndarray of int32, shape (n_rows,), or None
        Positions in `group_labels`; see `fit_groups`.
    group_labels : ndarray or None
        Sorted labels of the groups.
    judge : ndarray of int32, shape (n_rows,), or None
        Positions in `judge_labels`; see `fit_judges`.
    judge_labels : ndarray or None
        Sorted labels of the judges.
    grade : ndarray of int32, shape (n_rows,), or None
        How clear the outcomes are: a win is at `outcome_levels` [grade], a loss at that from the end.
    outcome_levels : tuple of str
        From the best for the left item to the worst; see `graded`, which alone looks at them. Empty without.

    Examples
    --------
    >>> from steelyard.rank import Comparisons
    >>> monday = Comparisons.from_pairs(winner=["ann", "ann", "ben"], loser=["ben", "cat", "cat"])
    >>> tuesday = Comparisons.from_pairs(winner=["ben"], loser=["ann"])
    >>> monday + tuesday
    Comparisons(3 items, 4 comparisons in 3 rows)
    """

    items: npt.NDArray[Any]
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    left_wins: Floats
    right_wins: Floats
    ties: Floats | None = None
    left_squared: Floats | None = None
    right_squared: Floats | None = None
    ties_squared: Floats | None = None
    home: npt.NDArray[np.int8] | None = None
    cluster: npt.NDArray[np.int32] | None = None
    cluster_labels: npt.NDArray[Any] | None = None
    time: npt.NDArray[Any] | None = None
    covariates: Floats | None = None
    covariate_names: tuple[str, ...] = ()
    group: npt.NDArray[np.int32] | None = None
    group_labels: npt.NDArray[Any] | None = None
    judge: npt.NDArray[np.int32] | None = None
    judge_labels: npt.NDArray[Any] | None = None
    grade: npt.NDArray[np.int32] | None = None
    outcome_levels: tuple[str, ...] = ()
    _cache: dict[Any, Any] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_cache": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__post_init__()

    # ---- making one

    @classmethod
    def from_pairs(
        cls,
        winner: npt.ArrayLike,
        loser: npt.ArrayLike,
        *,
        tie: npt.ArrayLike | None = None,
        weight: npt.ArrayLike | None = None,
        count: npt.ArrayLike | None = None,
        home: npt.ArrayLike | None = None,
        cluster: npt.ArrayLike | None = None,
        time: npt.ArrayLike | None = None,
        date_format: str | Iterable[str] | None = None,
        covariates: npt.ArrayLike | Mapping[str, npt.ArrayLike] | None = None,
        group: npt.ArrayLike | None = None,
        judge: npt.ArrayLike | None = None,
        items: npt.ArrayLike | None = None,
    ) -> Self:
        """Count pairs of winner and loser.

        Parameters
        ----------
        winner, loser : array_like, shape (n,)
            Labels: integers (fastest), strings, or anything that can be hashed and sorted.
        tie : array_like of bool, shape (n,), optional
            Where True, the two drew, and which of them is called the winner does not matter.
        weight : array_like, shape (n,), or float, optional
            Sampling (importance) weight of a vote, >= 0. Standard errors account for it.
        count : array_like, shape (n,), or float, optional
            How often the row occurred, >= 0.
        home : array_like of {-1, 0, 1}, shape (n,), optional
            +1 the winner (the first item) was at home, -1 the loser, 0 neither. Also serves position bias.
        cluster : array_like, shape (n,), optional
            Labels of groups of dependent votes, such as the judge.
        time : array_like, shape (n,), optional
            Dates, of which a time of day is cut off, or numbers: see Notes.
        date_format : str or list of str, optional
            How the strings of `time` are written, as `datetime.strptime` takes it: ``'%d/%m/%y'``. Of several
            the first that fits a string reads it.
        covariates : array_like, shape (n, p), or mapping or data frame of named columns, optional
            Differences, winner (first item) minus loser.
        group : array_like, shape (n,), optional
            Labels of the boards that `fit_groups` makes, such as languages. Other fits take all together.
        judge : array_like, shape (n,), optional
            Labels of who judged, for `fit_judges`. Other fits take all alike.
        items : array_like, optional
            All labels, in the order wanted; others are refused.

        Returns
        -------
        Comparisons

        Raises
        ------
        ValueError
            If lengths differ, labels are missing, an item meets itself, weights or counts are negative or not
            finite, home is none of -1, 0, 1, dates are missing, a label is not among `items`, or nothing is
            left to compare.
        TypeError
            If labels can't be hashed or sorted together, or a column has the wrong type.

        Notes
        -----
        O(n log(n / n_items)) time, O(n) with few items and no more columns than `home`; 8 bytes a row are
        needed beside the encoded columns. Rows of weight or count 0 count as never given, but their labels
        are items.

        Times are dates where they are datetime64, date objects, ISO strings or other strings with the year
        first (2018/7/15), or whole numbers or strings of eight digits that are all days of 1800 to 2100
        (20180715). Strings with the day or the month first (15.7.2018) are read where the years have four
        digits and the rows tell, all together, which comes first. All other numbers, as numbers or strings,
        stay numbers. The rest is refused, years of two digits above all, unless `date_format` reads it.

        Examples
        --------
        >>> from steelyard.rank import Comparisons
        >>> table = Comparisons.from_pairs([0, 0, 1], [1, 1, 0], tie=[False, False, True])
        >>> print(table.left_wins, table.right_wins, table.ties)
        [2.] [0.] [1.]
        """
        encoded = encode_items(winner, loser, items, ("winner", "loser"))
        columns = count_votes(
            encoded,
            outcome=None if tie is None else _outcome_of_ties(tie, len(encoded.first)),
            weight=weight,
            count=count,
            home=home,
            cluster=cluster,
            time=time,
            formats=check_formats(date_format),
            covariates=covariates,
            group=group,
            judge=judge,
        )
        return cls._of(columns)

    @classmethod
    def from_frame(
        cls,
        df: Any,
        *,
        left: str,
        right: str,
        outcome: str | None = None,
        outcome_map: Mapping[Any, int | None] | None = None,
        left_score: str | None = None,
        right_score: str | None = None,
        neutral: str | None = None,
        home: str | bool | None = None,
        weight: str | None = None,
        count: str | None = None,
        cluster: str | None = None,
        time: str | None = None,
        date_format: str | Iterable[str] | None = None,
        covariates: str | Iterable[str] | None = None,
        group: str | None = None,
        judge: str | None = None,
        outcome_levels: Sequence[str] | None = None,
        items: npt.ArrayLike | None = None,
    ) -> Self:
        """Count the rows of a data frame.

        Parameters
        ----------
        df : data frame
            Anything narwhals knows (pandas, polars, pyarrow, ...), a mapping of column names to arrays, or a
            DuckDB relation, which is counted inside DuckDB: a file larger than memory works.
        left, right : str
            Columns with the labels of the two items.
        outcome : str, optional
            Column that says who won: 'left' or 'right', the name of the left or right column, the winner's
            label, 1 or -1, anything that starts with 'tie' (case ignored), 'draw', or 0; or a result of
            chess, '1-0', '0-1' or '1/2-1/2'. Give this or the two scores.
        outcome_map : mapping of values to 1, 0, -1 or None, optional
            What other values mean: left won, tie, right won, drop the row. A key None is for missing
            outcomes. Needed where a value can be read in two ways, such as a label 'left', labels that are
            -1, 0 or 1, or 0 in a column of zeros and ones.
        left_score, right_score : str, optional
            Columns of numbers; the higher wins. A row without both (missing, '' or 'NA') is a game not yet
            played, and dropped; a row without one of them is refused.
        neutral : str, optional
            Column of booleans (or 'TRUE', 'FALSE'): whether neither was at home. Elsewhere left was.
        home : str or True, optional
            Column of +1 (left at home), -1 (right) or 0; or True: left always was.
        weight, count, cluster, time : str, optional
            Columns as in `from_pairs`.
        date_format : str or list of str, optional
            As in `from_pairs`.
        covariates : str or list of str, optional
            Columns of differences, left minus right.
        group, judge : str, optional
            Columns as in `from_pairs`. With judges and no word on `home`, left stands for the side shown
            first.
        outcome_levels : sequence of str, optional
            All values of `outcome`, an ordered scale from the best for the left item to the worst, 2 to 32:
            the first mirrors the last. `graded` fits them; other fits see who was better.
        items : array_like, optional
            All labels, in the order wanted; others are refused.

        Returns
        -------
        Comparisons

        Raises
        ------
        ValueError
            If a column is not there, a score is no number, an outcome can't be understood or in two ways, or
            as in `from_pairs`.
        TypeError
            If `df` is no data frame, or as in `from_pairs`.

        Examples
        --------
        >>> from steelyard.rank import Comparisons
        >>> votes = {"model_a": ["x", "x"], "model_b": ["y", "z"], "winner": ["model_a", "tie (bothbad)"]}
        >>> Comparisons.from_frame(votes, left="model_a", right="model_b", outcome="winner")
        Comparisons(3 items, 2 comparisons in 2 rows, 50.0 % ties)

        >>> votes = {"left": ["x", "y"], "right": ["y", "x"], "outcome": ["much better", "worse"]}
        >>> levels = ["much better", "better", "tie", "worse", "much worse"]
        >>> columns = {"left": "left", "right": "right", "outcome": "outcome"}
        >>> Comparisons.from_frame(votes, **columns, outcome_levels=levels)
        Comparisons(2 items, 2 comparisons in 2 rows, 5 levels)
        """
        if judge is not None and home is None and neutral is None:
            home = True
        wanted = Wanted(
            left=left,
            right=right,
            outcome=outcome,
            left_score=left_score,
            right_score=right_score,
            neutral=neutral,
            home=home,
            weight=weight,
            count=count,
            cluster=cluster,
            group=group,
            judge=judge,
            time=time,
            formats=check_formats(date_format),
            covariates=(covariates,)
            if isinstance(covariates, str)
            else tuple(label_list(() if covariates is None else covariates, "covariates")),
            levels=() if outcome_levels is None else check_levels(outcome_levels, "outcome_levels"),
        )
        return cls._of(count_frame(df, wanted, outcome_map, items))

    @classmethod
    def from_counts(cls, wins: Any, ties: Any = None, items: npt.ArrayLike | None = None) -> Self:
        """Take a matrix of counts.

        Parameters
        ----------
        wins : array_like or scipy.sparse matrix, shape (n, n)
            ``wins[i, j]``: how often i beat j, >= 0 with an empty diagonal. A sparse matrix is not made
            dense.
        ties : array_like or scipy.sparse matrix, shape (n, n), optional
            ``ties[i, j] == ties[j, i]``: how often i and j drew.
        items : array_like, shape (n,), optional
            Labels; default 0 .. n - 1.

        Returns
        -------
        Comparisons

        Raises
        ------
        ValueError
            If a matrix is not square, has entries that are negative or not finite or lie on the diagonal,
            `ties` is not symmetric, or nothing is left to compare.

        Examples
        --------
        >>> from steelyard.rank import Comparisons
        >>> Comparisons.from_counts([[0, 3], [1, 0]], items=["ann", "ben"])
        Comparisons(2 items, 4 comparisons in 1 rows)
        """
        return cls._of(count_matrices(wins, ties, items))

    @classmethod
    def from_scores(
        cls,
        table: Any,
        *,
        higher_is_better: bool | npt.ArrayLike = True,
        tolerance: float = 0.0,
        items: npt.ArrayLike | None = None,
        cluster: bool | npt.ArrayLike = False,
    ) -> Self:
        """Compare models by their scores on samples, each sample for itself.

        Parameters
        ----------
        table : array_like or scipy.sparse matrix, shape (n_models, n_samples)
            Scores; NaN, or not listed in a sparse matrix, where a model was not scored. Explicit zeros are
            scores. Samples may have different metrics: only scores of one sample are compared.
        higher_is_better : bool, or array_like of bool with shape (n_samples,), default True
        tolerance : float, default 0
            Scores that differ by no more are a tie.
        items : array_like, shape (n_models,), optional
            Labels; default 0 .. n_models - 1.
        cluster : bool, or array_like of labels with shape (n_samples,), default False
            Which comparisons depend on each other. True: those of one sample, a cluster labelled by its
            column. Labels join samples (of one document, one task) into clusters. Rows are then kept by
            cluster: sandwich errors, rank intervals and ``bootstrap(method="cluster")`` take the clusters as
            independent. False merges all samples, and takes every comparison as independent.

        Returns
        -------
        Comparisons
            Every pair of models scored on a sample counts once for it.

        Raises
        ------
        ValueError
            If scores are infinite, no sample has scores of two models, or clusters would keep more than 2^26
            rows (67,108,864: 116 models, all scored on 10,000 samples).

        Notes
        -----
        A model's luck on a sample is in all its comparisons there, so that standard errors without clusters
        are too small. The strengths are the same with and without.

        O(sum over samples of (models scored)^2) time. Without clusters 16 n_models^2 bytes; with clusters a
        row for each pair of models in each cluster where they met, at most one a comparison, of 28 bytes (36
        with ties) and about 75 while they are made (240 with only two models). A sum of tables joins clusters
        of equal labels: give labels of your own if the tables have other samples.

        Where each sample has most models, the plain mean is as good a ranking. The gain is on sparse tables
        of mixed metrics (docs/rank.md has a measurement).

        Examples
        --------
        >>> import numpy as np
        >>> from steelyard.rank import Comparisons, bradley_terry
        >>> table = Comparisons.from_scores([[0.9, np.nan], [0.7, 12.0], [0.7, 15.0]])
        >>> print(table.n_comparisons, table.has_ties)
        4.0 True

        Scores that are noise alone; the comparisons are not independent:

        >>> scores = np.random.default_rng(0).normal(size=(5, 300))
        >>> for cluster in (False, True):
        ...     fit = bradley_terry(Comparisons.from_scores(scores, cluster=cluster))
        ...     print(fit.standard_errors().mean().round(3))
        0.046
        0.065
        """
        return cls._of(count_score_table(table, higher_is_better, tolerance, items, cluster))

    @classmethod
    def _of(cls, columns: Columns) -> Self:
        values = columns._asdict()
        return cls(**values.pop("extras")._asdict(), **values)

    # ---- reading it

    @property
    def n_items(self) -> int:
        """Number of items."""
        return len(self.items)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.left)

    def __len__(self) -> int:
        return len(self.left)

    @property
    def n_comparisons(self) -> float:
        """Number of comparisons, by weight."""
        return float(self._games().sum())

    @property
    def has_ties(self) -> bool:
        """Whether any comparison was a tie."""
        return self.ties is not None

    def index(self, label: Any) -> int:
        """Position of a label in `items`.

        Parameters
        ----------
        label : object
            One of `items`.

        Returns
        -------
        int

        Raises
        ------
        KeyError
            If there is no such item.

        Examples
        --------
        >>> from steelyard.rank import Comparisons
        >>> Comparisons.from_pairs(["ann"], ["ben"]).index("ben")
        1
        """
        if "positions" not in self._cache:
            self._cache["positions"] = positions(self.items)
        return position(self._cache["positions"], label)

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """The rows as columns, with labels; ready for the constructor of any data frame.

        Returns
        -------
        dict of str to ndarray
            ``left``, ``right``, ``left_wins``, ``right_wins``, and those of ``ties``, ``home``, ``cluster``,
            ``group``, ``judge``, ``time``, ``grade`` (the level of a win) and the covariates that are there.

        Examples
        --------
        >>> from steelyard.rank import Comparisons
        >>> list(Comparisons.from_pairs(["ann"], ["ben"]).to_frame())
        ['left', 'right', 'left_wins', 'right_wins']
        """
        return self._table(slice(None))

    def _table(self, rows: slice) -> dict[str, npt.NDArray[Any]]:
        columns: dict[str, Any] = {
            "left": self.left,
            "right": self.right,
            "left_wins": self.left_wins,
            "right_wins": self.right_wins,
            "ties": self.ties,
            "home": self.home,
            "cluster": self.cluster,
            "group": self.group,
            "judge": self.judge,
            "time": self.time,
        }
        table = {name: column[rows] for name, column in columns.items() if column is not None}
        labels: dict[str, Any] = {"left": self.items, "right": self.items}
        labels |= {"cluster": self.cluster_labels, "group": self.group_labels, "judge": self.judge_labels}
        for name in labels.keys() & table.keys():
            table[name] = labels[name][table[name]]
        if self.grade is not None:
            table["grade"] = np.array(self.outcome_levels)[self.grade[rows]]
        if self.covariates is not None:
            table.update(zip(self.covariate_names, self.covariates[rows].T, strict=True))
        return table

    def _head(self, rows: int) -> tuple[Mapping[str, npt.NDArray[Any]], int]:
        return self._table(slice(rows)), self.n_rows

    def __repr__(self) -> str:
        total = self.n_comparisons
        parts = [f"{self.n_items:,} items", f"{_number(total)} comparisons in {self.n_rows:,} rows"]
        if self.ties is not None:
            parts.append(f"{100 * self.ties.sum() / total:.1f} % ties")
        if self.left_squared is not None:
            parts.append("weighted")
        if self.home is not None:
            parts.append("home")
        if self.cluster_labels is not None:
            parts.append(f"{len(self.cluster_labels):,} clusters")
        if self.group_labels is not None:
            parts.append(f"{len(self.group_labels):,} groups")
        if self.judge_labels is not None:
            parts.append(f"{len(self.judge_labels):,} judges")
        if self.outcome_levels:
            parts.append(f"{len(self.outcome_levels)} levels")
        if self.time is not None:
            parts.append(f"time {self.time.min()} to {self.time.max()}")
        if self.covariates is not None:
            parts.append(f"covariates {', '.join(self.covariate_names)}")
        return f"Comparisons({', '.join(parts)})"

    def _games(self) -> Floats:
        """Comparisons of each row, by weight."""
        games = self.left_wins + self.right_wins
        return games if self.ties is None else games + self.ties

    def _games_of_items(self) -> Floats:
        games, n = self._games(), self.n_items
        left, right = (np.bincount(side, games, minlength=n) for side in (self.left, self.right))
        return np.asarray(left + right, dtype=np.float64)

    def effective_games(self) -> Floats:
        """Of each item, the number of comparisons of equal weight that tell as much: (sum w)^2 / sum w^2.

        Returns
        -------
        ndarray, shape (n_items,)
            Without weights, the number of its comparisons.

        Examples
        --------
        >>> from steelyard.rank import Comparisons
        >>> table = Comparisons.from_pairs(["ann", "ann"], ["ben", "cat"], weight=[1.0, 0.5])
        >>> table.effective_games().tolist()
        [1.8, 1.0, 1.0]
        """
        games = self._games_of_items()
        if self.left_squared is None or self.right_squared is None:
            return games
        squares = self.left_squared + self.right_squared
        if self.ties_squared is not None:
            squares = squares + self.ties_squared
        sides = (np.bincount(side, squares, minlength=self.n_items) for side in (self.left, self.right))
        total = np.asarray(sum(sides), dtype=np.float64)
        return np.divide(games * games, total, out=np.zeros(self.n_items), where=total > 0)

    def _pairs(self, home: bool, covariates: Covariates | None = None) -> _core.rank.PairGraph:
        """The graph that the solvers walk: rows merged by pair, and by home sign if asked for.

        With covariates, rows as they are.
        """
        keep_home = home and self.home is not None
        key = (keep_home, covariates) if covariates else keep_home
        if key not in self._cache:
            self._cache[key] = _core.rank.PairGraph(
                self.left,
                self.right,
                self.left_wins,
                self.right_wins,
                self.ties,
                self.left_squared,
                self.right_squared,
                self.ties_squared,
                self.home,
                covariates.scaled(self) if covariates else None,
                items=self.n_items,
                keep_home=keep_home,
            )
        return self._cache[key]  # type: ignore[no-any-return]

    # ---- who can be compared

    def components(self, ties: str = "keep") -> ComponentReport:
        """Which items can be compared, and in words, which can't and why.

        Parameters
        ----------
        ties : {'keep', 'drop'}
            Whether a tie joins the two items, or counts for nothing.

        Returns
        -------
        ComponentReport

        Notes
        -----
        O(n_items + pairs) time. Without a prior, strengths are finite and unique only if there is one strong
        component: a chain of wins (or ties) leads from each item to each other.

        Examples
        --------
        >>> from steelyard.rank import Comparisons
        >>> report = Comparisons.from_pairs(["ann", "ben", "cat"], ["ben", "ann", "ann"]).components()
        >>> print(report.describe())
        The 3 items fall into 2 strong components, the largest of 2 items. cat never lost.
        """
        drop = check_choice(ties, "ties", ("keep", "drop")) == "drop"
        graph = self._pairs(False)
        forward, backward = graph.wins, graph.losses
        if graph.ties is not None and not drop:
            forward, backward = forward + graph.ties, backward + graph.ties
        return find_components(self.items, graph.left, graph.right, forward, backward)

    def largest_component(self, strong: bool = True, ties: str = "keep") -> Self:
        """The comparisons among the items of the largest component.

        Parameters
        ----------
        strong : bool, default True
            Strong component (all joined by chains of wins), or weak (joined by comparisons).
        ties : {'keep', 'drop'}
            As in `components`.

        Returns
        -------
        Comparisons

        Raises
        ------
        ValueError
            If no two items are joined.

        Examples
        --------
        >>> from steelyard.rank import Comparisons
        >>> table = Comparisons.from_pairs(["ann", "ben", "cat"], ["ben", "ann", "ann"])
        >>> table.largest_component()
        Comparisons(2 items, 2 comparisons in 1 rows)
        """
        report = self.components(ties)
        labels, sizes = (
            (report.strong, report.strong_sizes)
            if check_flag(strong, "strong")
            else (report.weak, report.weak_sizes)
        )
        largest = int(np.argmax(sizes))
        if sizes[largest] < 2:
            raise ValueError(f"no component has two items: {report.describe()}")
        return self._only(labels == largest)

    # ---- parts

    def filter(self, *, min_games: float | None = None, since: Any = None, until: Any = None) -> Self:
        """Some of the comparisons; items without any are dropped.

        Parameters
        ----------
        min_games : float, optional
            Keep items with at least so many comparisons (by weight, after `since` and `until`). Applied once:
            an item kept may fall below it when its opponents are dropped.
        since, until : number, date or str, optional
            Keep comparisons from `since` to `until`, both included. Dates may be ISO strings; a year or month
            means its first day in `since` and its last in `until`. Needs the `time` column.

        Returns
        -------
        Comparisons

        Raises
        ------
        ValueError
            If there is no time column, a date can't be read, or nothing is left.

        Examples
        --------
        >>> from steelyard.rank import Comparisons
        >>> years = [2001, 2002, 2003]
        >>> table = Comparisons.from_pairs(["ann", "ann", "ben"], ["ben", "ben", "cat"], time=years)
        >>> table.filter(since=2002)
        Comparisons(3 items, 2 comparisons in 2 rows, time 2002.0 to 2003.0)
        >>> table.filter(min_games=2)
        Comparisons(2 items, 2 comparisons in 2 rows, time 2001.0 to 2002.0)
        """
        rows = np.ones(self.n_rows, dtype=bool)
        if since is not None or until is not None:
            if self.time is None:
                raise ValueError(
                    "since and until need a time column; give from_pairs(time=...) or from_frame(time=...)"
                )
            if since is not None:
                rows &= self.time >= moment(since, "since", self.time)
            if until is not None:
                rows &= self.time <= moment(until, "until", self.time)
        part = self._part(rows, None)
        if min_games is None:
            return part
        return part._only(part._games_of_items() >= check_nonnegative(min_games, "min_games"), drop_idle=True)

    def subset(self, items: npt.ArrayLike) -> Self:
        """The comparisons among some items; all of them stay, in the order of the table.

        Parameters
        ----------
        items : array_like
            Labels.

        Returns
        -------
        Comparisons

        Raises
        ------
        KeyError
            If one of them is no item.
        ValueError
            If they never met.

        Examples
        --------
        >>> from steelyard.rank import Comparisons
        >>> Comparisons.from_pairs(["ann", "ann"], ["ben", "cat"]).subset(["ann", "ben"])
        Comparisons(2 items, 1 comparisons in 1 rows)
        """
        wanted = np.zeros(self.n_items, dtype=bool)
        for label in label_list(refuse_masked(items, "items"), "items"):
            wanted[self.index(label)] = True
        return self._only(wanted)

    def _only(self, wanted: npt.NDArray[np.bool_], drop_idle: bool = False) -> Self:
        return self._part(wanted[self.left] & wanted[self.right], None if drop_idle else wanted)

    def _part(self, rows: npt.NDArray[np.bool_], wanted: npt.NDArray[np.bool_] | None) -> Self:
        """Some rows, and the items wanted (None: those that occur); the rows stay sorted."""
        if not rows.any():
            raise ValueError("no comparisons are left: items, min_games, since or until leave none")
        left, right = self.left[rows], self.right[rows]
        if wanted is None:
            wanted = np.zeros(self.n_items, dtype=bool)
            wanted[left] = wanted[right] = True
        if rows.all() and wanted.all():
            return self
        place = (np.cumsum(wanted) - 1).astype(np.int32)
        extras = self._extras.take(rows)
        for name in ("cluster", "group", "judge"):
            places, names = getattr(extras, name), getattr(extras, f"{name}_labels")
            if places is not None:
                used, codes = np.unique(places, return_inverse=True)
                extras = extras._replace(**{name: codes.astype(np.int32), f"{name}_labels": names[used]})
        columns: dict[str, Any] = extras._asdict()
        counts: dict[str, Any] = {name: None if x is None else x[rows] for name, x in self._counts().items()}
        if counts["ties"] is not None and not counts["ties"].any():
            counts["ties"] = counts["ties_squared"] = None
        return type(self)(
            items=self.items[wanted],
            left=place[left],
            right=place[right],
            home=None if self.home is None else self.home[rows],
            **counts,
            **columns,
        )

    def _counts(self) -> dict[str, Any]:
        names = ("left_wins", "right_wins", "ties", "left_squared", "right_squared", "ties_squared")
        return {name: getattr(self, name) for name in names}

    @property
    def _extras(self) -> Extras:
        return Extras(**{name: getattr(self, name) for name in Extras._fields})

    # ---- sums

    def __add__(self, other: Comparisons) -> Self:
        """Both tables counted together: items, clusters and times are matched by label."""
        if not isinstance(other, Comparisons):
            return NotImplemented
        return self._of(add_tables(self, other))


def _outcome_of_ties(tie: npt.ArrayLike, n: int) -> npt.NDArray[np.int8]:
    array = refuse_masked(tie, "tie")
    if array.dtype.kind != "b":
        raise TypeError(f"tie must hold booleans, got dtype {array.dtype}")
    if array.shape != (n,):
        raise ValueError(f"tie must have shape ({n},), got {array.shape}")
    return np.asarray(np.logical_not(array).view(np.int8))


def _number(total: float) -> str:
    return f"{total:,.0f}" if total == round(total) else f"{total:,.6g}"
