"""Strengths refitted to resampled data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._errors import ConvergenceWarning, DisconnectedWarning, interrupted, note_threads, warn
from ..._info import Info
from ..._results import Result
from ..._validate import check_level
from .rank_intervals import RankIntervals, Tiers
from .ranked import Ranked
from .uncertainty import Uncertainty, errors_of_draws

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class BootstrapInfo(Info):
    """Info of a bootstrap; `error_bound` is the largest Newton decrement of a round.

    Attributes
    ----------
    infinite_rounds : int
        Rounds whose optimum is infinite. Their items are at +-inf, or NaN where they can't be compared.
    unconverged_rounds : int
        Rounds that missed the tolerance; their last values are kept.
    """

    infinite_rounds: int = 0
    unconverged_rounds: int = 0


@dataclass(frozen=True, repr=False, eq=False)
class BootstrapResult(Uncertainty, Result):
    """Strengths of every round.

    Attributes
    ----------
    strengths : ndarray, shape (n_rounds, n_items)
        Natural-log strengths with mean 0 in each round; +-inf (or NaN) where a round has no finite optimum
        for an item.
    tie_parameters, home_advantages : ndarray, shape (n_rounds,), or None
        Where they were fitted.
    coefficients : ndarray, shape (n_rounds, number of covariates), or None
        Of the covariates, in the units of ``fit.coefficients``; NaN in rounds without a finite optimum for
        them. Where only strengths have none, they are those of the items that can be compared.
    method : str
        How the comparisons were resampled.
    fit : BradleyTerryFit or PlackettLuceFit
        What was resampled.
    info : BootstrapInfo
        Rounds without a finite optimum are counted in ``info.infinite_rounds``.
    """

    strengths: Floats
    tie_parameters: Floats | None
    home_advantages: Floats | None
    coefficients: Floats | None
    method: str
    fit: Ranked
    info: BootstrapInfo = field(repr=False)

    def __len__(self) -> int:
        return len(self.strengths)

    def intervals(self, level: float = 0.95, *, reference: Any = "mean") -> tuple[Floats, Floats]:
        """Percentile intervals of the strengths against the mean of all items, or against one of them.

        Parameters
        ----------
        level : float, default 0.95
            Of each interval.
        reference : 'mean' or label
            What the strengths are taken against.

        Returns
        -------
        lower, upper : ndarray, shape (n_items,)
            May be infinite where rounds without a finite optimum reach into the tails; a round that can't
            tell counts against both ends.

        Notes
        -----
        O(n_rounds n_items log n_rounds) time, one copy of `strengths`.
        """
        mean = isinstance(reference, str) and reference == "mean"
        return self._quantiles(check_level(level), None if mean else self.fit.index(reference))

    def _quantiles(self, level: float, reference: int | None) -> tuple[Floats, Floats]:
        tail = (1 - level) / 2
        values = self.strengths
        if reference is not None:
            with np.errstate(invalid="ignore"):  # inf - inf: the round can't tell
                values = values - values[:, [reference]]
            values[:, reference] = 0.0
        unknown = np.isnan(values)
        lower = np.quantile(np.where(unknown, -np.inf, values), tail, axis=0, method="inverted_cdf")
        upper = np.quantile(np.where(unknown, np.inf, values), 1 - tail, axis=0, method="inverted_cdf")
        return lower, upper

    def rank_intervals(self, level: float = 0.95, **options: Any) -> RankIntervals:
        """The ranks that each item can have, judged by these rounds; see `steelyard.rank.RankIntervals`."""
        return self.fit.rank_intervals(level, uncertainty=self, **options)

    def tiers(self, level: float = 0.95, **options: Any) -> Tiers:
        """Groups of items that these rounds do not tell apart from the best of their group."""
        return self.rank_intervals(level, **options).tiers()

    # ---- as columns and as a picture

    def to_frame(self, **options: Any) -> Mapping[str, npt.NDArray[Any]]:
        """The leaderboard with the intervals of these rounds, strongest first.

        Parameters
        ----------
        **options
            As of `BradleyTerryFit.to_frame`, but for `uncertainty`.

        Returns
        -------
        dict of str to ndarray
            Columns ``item``, ``rating`` (of the fit), ``lower`` and ``upper``.

        Examples
        --------
        >>> from steelyard.rank import Comparisons, bradley_terry
        >>> fit = bradley_terry(Comparisons.from_counts([[0, 30], [10, 0]], items=["ann", "ben"]))
        >>> list(fit.bootstrap(20, rng=0).to_frame(level=0.9))
        ['item', 'rating', 'lower', 'upper', 'provisional']
        """
        return self.fit.to_frame(uncertainty=self, **options)

    def plot(self, **options: Any) -> Any:
        """Ratings with the intervals of these rounds; see `steelyard.plotting.plot_strengths`.

        Parameters
        ----------
        **options
            As of `steelyard.plotting.plot_strengths`, but for `uncertainty`.

        Returns
        -------
        matplotlib.axes.Axes

        Examples
        --------
        >>> from steelyard.rank import Comparisons, bradley_terry
        >>> fit = bradley_terry(Comparisons.from_counts([[0, 30], [10, 0]], items=["ann", "ben"]))
        >>> fit.bootstrap(20, rng=0).plot(scale="elo").get_xlabel()
        'rating (Elo), 95 % intervals'
        """
        return self.fit.plot(uncertainty=self, **options)

    # ---- as an uncertainty

    @property
    def _source(self) -> str:
        """How the rounds came about."""
        return f"{self.method} bootstrap"

    def _refuse_others(self, items: npt.NDArray[Any]) -> None:
        if not np.array_equal(self.fit.items, items):
            raise ValueError("uncertainty is a bootstrap of a fit with other items")

    def _noise(
        self, where: Positions, strengths: Floats, draws: int | None, rng: Any, n_threads: int
    ) -> tuple[Floats, Floats]:
        noise = self.strengths - strengths
        return errors_of_draws(noise, where), noise

    def _intervals(
        self, where: Positions, middle: Floats, reference: int | None, level: float
    ) -> tuple[Floats | None, Floats, Floats]:
        lower, upper = self._quantiles(level, reference)
        return None, lower[where], upper[where]

    def __repr__(self) -> str:
        infinite = (
            f", {self.info.infinite_rounds} without a finite optimum" if self.info.infinite_rounds else ""
        )
        return (
            f"BootstrapResult: {len(self)} {self.method} rounds of {self.strengths.shape[1]} items"
            f"{infinite}, {self.info.seconds:.2g} s"
        )


def finish_rounds(result: BootstrapResult, n_threads: int | None) -> BootstrapResult:
    """The rounds as a caller should get them: Ctrl-C with what there is, or warnings."""
    note_threads(result.info, n_threads)
    if result.info.interrupted:
        raise interrupted(result)
    rounds, info = len(result), result.info
    if info.infinite_rounds > 0.0125 * rounds:  # (1 - level) / 4 at the usual level of .95
        share = (~np.isfinite(result.strengths)).mean(axis=0)
        worst = np.argsort(-share, kind="stable")[:5]
        names = ", ".join(f"{result.fit.items[i]} ({share[i]:.0%})" for i in worst if share[i] > 0)
        warn(
            f"{info.infinite_rounds} of {rounds} rounds have no finite optimum; most often without one: "
            f"{names}. Their intervals may be infinite; method='bayesian' or a prior keeps them finite",
            DisconnectedWarning,
        )
    if info.unconverged_rounds:
        warn(
            f"{info.unconverged_rounds} of {rounds} rounds stopped above a Newton decrement of {info.tol:g} "
            f"(the worst at {info.error_bound:.2g})",
            ConvergenceWarning,
        )
    return result
