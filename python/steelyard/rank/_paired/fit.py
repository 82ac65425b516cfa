"""The result of `bradley_terry`."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..._validate import Progress, check_choice, check_number
from .._chances import SCALES, Prediction, RankInfo, outcome_chances
from .._inference import Coefficients
from .._table import shift_of
from .model import Cells, ModelSpec, cells_of, problem_of

if TYPE_CHECKING:
    from ... import _core
    from .._inference import Contrast, Covariance, RankIntervals, Tiers
    from .._table import Comparisons
    from .bootstrap import BootstrapResult

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, repr=False, eq=False)
class BradleyTerryFit:
    """Strengths with their certificate.

    Attributes
    ----------
    strengths : ndarray, shape (n_items,)
        Natural-log strengths with mean 0, in the order of `items`; read-only.
    items : ndarray, shape (n_items,)
        Labels.
    tie_parameter : float or None
        Davidson's nu (0 without ties) or Rao and Kupper's theta (1 without ties); None where ties are not
        modelled.
    home_advantage : float or None
        In natural-log strength; None unless fitted.
    log_likelihood : float
        Of the data at the fit, the prior left out.
    info : RankInfo
        ``info.error_bound`` is the Newton decrement.
    comparisons : Comparisons
        What was fitted.
    prior : float
        Strength of the prior.
    ties : str
        How ties were treated.
    """

    strengths: Array
    items: npt.NDArray[Any]
    tie_parameter: float | None
    home_advantage: float | None
    log_likelihood: float
    info: RankInfo
    comparisons: Comparisons
    prior: float
    ties: str
    _spec: ModelSpec = field(repr=False)
    _coefficients: Array = field(repr=False, default_factory=lambda: np.zeros(0))

    # ---- reading the result

    def __len__(self) -> int:
        return len(self.items)

    @property
    def order(self) -> npt.NDArray[np.intp]:
        """Positions of the items from strongest to weakest; equal strengths keep item order."""
        return np.argsort(-self.strengths, kind="stable")

    def index(self, item: Any) -> int:
        """Position of a label.

        Raises
        ------
        KeyError
            If there is no such item.
        """
        return self.comparisons.index(item)

    @property
    def coefficients(self) -> Coefficients | None:
        """Effects of the covariates; None unless fitted."""
        spec = self._spec.covariates
        if not spec.names:
            return None
        scales = np.array(spec.spreads) if spec.standardize else np.ones(len(spec))
        return Coefficients(spec.names, self._coefficients * spec.units, scales, self)

    def predict(self, a: Any, b: Any, home: Any = 0, covariates: Any = None) -> Prediction:
        """Chances that a beats, ties or loses to b.

        Parameters
        ----------
        a, b : label, or array_like of labels of equal length
            Items of the fit.
        home : int or array_like, default 0
            +1 where a is at home, -1 where b is, 0 neutral.
        covariates : mapping {name: number or array}, data frame, or array_like of shape (..., p), optional
            Of the p covariates, differences a minus b, in the units of the data. Default 0: alike in style.

        Returns
        -------
        Prediction

        Raises
        ------
        KeyError
            If a label is unknown.
        ValueError
            If `home` is not -1, 0 or 1, or not 0 for a fit without home advantage; if `covariates` do not
            fit.

        Examples
        --------
        >>> from steelyard.rank import Comparisons, bradley_terry
        >>> games = Comparisons.from_counts([[0, 3], [1, 0]], items=["ann", "ben"])
        >>> print(round(bradley_terry(games).predict("ann", "ben").win, 6))
        0.75
        """
        i, j = self._positions(a), self._positions(b)
        sign = np.asarray(home)
        if sign.dtype.kind not in "iub" or not np.isin(sign, (-1, 0, 1)).all():
            raise ValueError(f"home must be -1, 0 or +1, got {home!r}")
        if self.home_advantage is None and sign.any():
            raise ValueError("home must be 0 for a fit without home advantage (fit with home=True)")
        x = self.strengths[i] - self.strengths[j] + sign * (self.home_advantage or 0.0)
        x = x + shift_of(self._spec.covariates, self._coefficients, covariates, np.shape(x))
        win, tie, loss = outcome_chances(x, self.ties, self.tie_parameter)
        if np.ndim(x) == 0:
            return Prediction(float(win), float(tie), float(loss))
        return Prediction(win, tie, loss)

    def _positions(self, labels: Any) -> Any:
        if isinstance(labels, list | tuple | np.ndarray) and np.ndim(labels) > 0:
            return np.array([self.index(label) for label in labels], dtype=np.intp)
        return self.index(labels)

    def to_frame(
        self,
        *,
        scale: str = "log",
        elo_mean: float = 1000.0,
        anchor: Mapping[Any, float] | None = None,
        level: float = 0.95,
        uncertainty: str | BootstrapResult | None = "sandwich",
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
        uncertainty : {'sandwich', 'hessian'}, BootstrapResult or None
            Where the intervals come from; None leaves them out.
        items : sequence of labels, optional
            Only these; intervals of few among many items cost little.

        Returns
        -------
        dict
            Columns ``item``, ``rating``, ``lower``, ``upper`` (``standard_error`` on the log and Elo scales):
            ``pandas.DataFrame(fit.to_frame())`` or ``polars.DataFrame(...)``.

        Raises
        ------
        ValueError
            If an argument does not fit.

        Notes
        -----
        Intervals are of contrasts with the mean of all items, or with the anchor. Cost: that of
        `standard_errors`.

        Examples
        --------
        >>> from steelyard.rank import Comparisons, bradley_terry
        >>> games = Comparisons.from_counts([[0, 3], [1, 0]], items=["ann", "ben"])
        >>> table = bradley_terry(games).to_frame(scale="elo")
        >>> table["item"].tolist(), table["rating"].round(1).tolist()
        (['ann', 'ben'], [1095.4, 904.6])
        """
        from .._inference import leaderboard

        scale = check_choice(scale, "scale", SCALES)
        return leaderboard(self, scale, check_number(elo_mean, "elo_mean"), anchor, level, uncertainty, items)

    def plot(self, **options: Any) -> Any:
        """Ratings with intervals, strongest on top; see `steelyard.plotting.plot_strengths`."""
        from ...plotting import plot_strengths

        return plot_strengths(self, **options)

    # ---- how sure

    def covariance(
        self, kind: str = "sandwich", *, items: Any = None, n_threads: int | None = None
    ) -> Covariance:
        """Covariance of the strengths, each taken against the mean of all items.

        Parameters
        ----------
        kind : {'sandwich', 'hessian'}
            'sandwich' holds even if the model is wrong: per comparison, or per cluster with the factor C /
            (C - 1) where the comparisons have clusters. 'hessian' is the inverse of the observed
            information; under a prior or with ties='half' it is marked approximate. The default does not
            trust the model.
        items : sequence of labels, optional
            Default all, up to 5,000 items; a few columns are solved for at any size.
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
        + pairs) memory. Weighted comparisons enter by their squared weights [1]_.

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
        from .._inference import covariance

        return covariance(self, kind=kind, items=items, n_threads=n_threads)

    def standard_errors(
        self,
        reference: Any = "mean",
        *,
        kind: str = "sandwich",
        items: Any = None,
        n_threads: int | None = None,
    ) -> Array:
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
        As `covariance`; above 5,000 items one solve an item, in batches.

        Examples
        --------
        >>> from steelyard.rank import Comparisons, bradley_terry
        >>> games = Comparisons.from_counts([[0, 30], [10, 0]], items=["ann", "ben"])
        >>> bradley_terry(games).standard_errors("ann").round(6).tolist()
        [0.0, 0.365148]
        """
        from .._inference import standard_errors

        return standard_errors(self, reference=reference, kind=kind, items=items, n_threads=n_threads)

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
        from .._inference import contrast

        return contrast(self, a, b, level=level, kind=kind, n_threads=n_threads)

    def bootstrap(
        self,
        rounds: int = 1000,
        *,
        method: str = "bayesian",
        rng: Any = None,
        n_threads: int | None = None,
        progress: Progress | None = None,
    ) -> BootstrapResult:
        """Refits to resampled comparisons.

        Parameters
        ----------
        rounds : int, default 1000
            Number of refits.
        method : {'bayesian', 'multinomial', 'cluster'}
            'bayesian' gives every comparison an exponential weight [1]_, summed per cell as a gamma
            variate: no cell becomes empty, so that a finite optimum stays finite, hence the default.
            'multinomial' draws as many comparisons with replacement and needs whole counts. 'cluster' draws
            whole clusters with replacement.
        rng : None, int, SeedSequence, BitGenerator or Generator
            As SPEC 7 has it.
        n_threads : int, optional
            Default: see `steelyard.build_info`. The result does not depend on it, bit for bit.
        progress : callable, optional
            Called as progress(rounds done, rounds).

        Returns
        -------
        BootstrapResult

        Raises
        ------
        ValueError
            If an argument does not fit: weighted or fractional counts for 'multinomial', no clusters for
            'cluster'.
        KeyboardInterrupt
            On Ctrl-C; ``.partial`` holds the rounds so far.

        Warns
        -----
        DisconnectedWarning
            If more than 1.25 % of the rounds have no finite optimum; names the items.
        ConvergenceWarning
            If a round misses a Newton decrement of 1e-6.

        Notes
        -----
        A round without a finite optimum is kept: items that its largest strong component can't catch are at
        +inf, those that can't catch it at -inf, those without a path either way NaN. Rounds start from the
        fit and run in parallel: O(rounds (pairs + solve)) time, O(rounds n_items) memory.

        References
        ----------
        .. [1] Rubin, "The Bayesian bootstrap", Ann. Statist. 9 (1981).

        Examples
        --------
        >>> from steelyard.rank import Comparisons, bradley_terry
        >>> games = Comparisons.from_counts([[0, 30], [10, 0]], items=["ann", "ben"])
        >>> rounds = bradley_terry(games).bootstrap(200, rng=1)
        >>> rounds.strengths.shape
        (200, 2)
        """
        from .bootstrap import bootstrap

        return bootstrap(self, rounds, method=method, rng=rng, n_threads=n_threads, progress=progress)

    def rank_intervals(
        self,
        level: float = 0.95,
        *,
        method: str = "simultaneous",
        uncertainty: str | BootstrapResult = "sandwich",
        items: Any = None,
        draws: int | None = None,
        rng: Any = 0,
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
        uncertainty : {'sandwich', 'hessian'} or BootstrapResult
            Where the errors come from.
        items : sequence of labels, optional
            Default all, up to 3,000 items. With items named, draws come from the scores and their
            contrasts' standard errors from the draws: no full covariance.
        draws : int, optional
            Simulated draws: default 10,000, fewer (at least 2,000) above 500 items; 2,000 where `items` are
            named, since each takes a solve there.
        rng : default 0
            As SPEC 7 has it, but with a fixed seed by default: the same rank sets every time.
        n_threads : int, optional
            Default: see `steelyard.build_info`. The simulation does not depend on it.

        Returns
        -------
        RankIntervals

        Raises
        ------
        ValueError
            If an argument does not fit, or above 3,000 items without `items`.

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
        from .._inference import rank_intervals

        return rank_intervals(
            self,
            level=level,
            method=method,
            uncertainty=uncertainty,
            items=items,
            draws=draws,
            rng=rng,
            n_threads=n_threads,
        )

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

    # ---- for the other parts of the family

    def _cells(self) -> Cells:
        return cells_of(self.comparisons, self.ties, self._spec.home, self._spec.covariates)

    def _point(self) -> _core.PairPoint:
        """The optimum as the kernels have it."""
        tie = 0.0 if self._spec.ties == "none" else math.log(self.tie_parameter or 1.0)
        return problem_of(self._cells(), self._spec).at(
            self.strengths + self.info.shift, tie, self.home_advantage or 0.0, self._coefficients
        )

    # ---- showing it

    def _lines(self, top: int = 10) -> list[tuple[str, str]]:
        best = self.order[:top]
        rows = [(str(self.items[i]), f"{self.strengths[i]:+.4f}") for i in best]
        if len(self) > top:
            rows.append((f"... {len(self) - top} more", ""))
        return rows

    def _summary(self) -> str:
        parts = [
            f"{len(self)} items",
            f"{self.comparisons.n_comparisons:g} comparisons",
            f"ties={self.ties!r}",
        ]
        if self.prior:
            parts.append(f"prior={self.prior:g}")
        if self.tie_parameter is not None:
            parts.append(f"tie parameter {self.tie_parameter:.4g}")
        if self.home_advantage is not None:
            parts.append(f"home advantage {self.home_advantage:.4g}")
        if self.coefficients is not None:
            parts.append(repr(self.coefficients))
        return ", ".join(parts)

    def _certificate(self) -> str:
        bound = math.inf if self.info.error_bound is None else self.info.error_bound
        state = "converged" if self.info.converged else "NOT converged"
        return f"{state}: within {bound:.2g} standard errors of the optimum ({self.info.solver})"

    def __repr__(self) -> str:
        rows = self._lines()
        width = max(len(name) for name, _ in rows)
        table = "\n".join(f"  {name:<{width}}  {value}" for name, value in rows)
        return f"BradleyTerryFit: {self._summary()}\n{self._certificate()}\n{table}"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td style='text-align:left'>{html.escape(name)}</td><td>{html.escape(value)}</td></tr>"
            for name, value in self._lines()
        )
        return (
            f"<div><b>BradleyTerryFit</b>: {html.escape(self._summary())}<br>"
            f"{html.escape(self._certificate())}"
            f"<table><thead><tr><th>item</th><th>strength</th></tr></thead><tbody>{rows}</tbody></table></div>"
        )
