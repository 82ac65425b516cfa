"""The result of `bradley_terry`."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._validate import Progress, check_choice, check_count, check_progress, check_room, check_threads
from .._chances import ELO, Prediction, RankInfo, outcome_chances
from .._inference import FEW_GAMES, BootstrapResult, Coefficients, Ranked, Story, finish_rounds
from .._table import Comparisons, home_signs, shift_of
from .information import PairInformation
from .problem import PairPoint, PairProblem
from .resampling import METHODS, resample

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, repr=False, eq=False)
class BradleyTerryFit(Ranked):
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
        What was fitted: with a half-life, weighted.
    prior : float
        Strength of the prior.
    ties : str
        How ties were treated.
    """

    strengths: Floats
    items: npt.NDArray[Any]
    tie_parameter: float | None
    home_advantage: float | None
    log_likelihood: float
    info: RankInfo
    comparisons: Comparisons
    prior: float
    ties: str
    _problem: PairProblem = field(repr=False)
    _coefficients: Floats = field(repr=False)

    # ---- reading the result

    @property
    def coefficients(self) -> Coefficients | None:
        """Effects of the covariates; None unless fitted."""
        chosen = self._problem.covariates
        if not chosen.names:
            return None
        scales = np.array(chosen.spreads) if chosen.standardize else np.ones(len(chosen))
        return Coefficients(chosen.names, self._coefficients * chosen.units, scales, self, chosen.units)

    @cached_property
    def scarce(self) -> npt.NDArray[np.bool_]:
        """Items outside the largest group that circles of wins join, or with fewer than five effective games.

        An interval that is far wider than others makes an item provisional too: see `to_frame`.
        """
        return scarce_items(self.comparisons, self.ties)

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
        i, j = self._place(a), self._place(b)
        sign = home_signs(home, self.home_advantage is not None)
        shapes = {np.shape(part) for part in (i, j, sign)} - {()}
        if len(shapes) > 1:
            raise ValueError(f"a, b and home must have equal lengths or be single, got {sorted(shapes)}")
        x = self.strengths[i] - self.strengths[j] + sign * (self.home_advantage or 0.0)
        x = x + shift_of(self._problem.covariates, self._coefficients, covariates, np.shape(x))
        win, tie, loss = outcome_chances(x, self.ties, self.tie_parameter)
        if np.ndim(x) == 0:
            return Prediction(float(win), float(tie), float(loss))
        return Prediction(win, tie, loss)

    def _place(self, labels: Any) -> Any:
        if isinstance(labels, list | tuple | np.ndarray) and np.ndim(labels) > 0:
            return np.array([self.index(label) for label in labels], dtype=np.intp)
        return self.index(labels)

    # ---- how sure

    def bootstrap(
        self,
        n_rounds: int = 1000,
        *,
        method: str = "bayesian",
        rng: Any = None,
        max_memory: float = 4e9,
        n_threads: int | None = None,
        progress: Progress | None = None,
    ) -> BootstrapResult:
        """Refits to resampled comparisons.

        Parameters
        ----------
        n_rounds : int, default 1000
            Number of refits.
        method : {'bayesian', 'multinomial', 'cluster'}
            'bayesian' gives every comparison an exponential weight [1]_, summed per cell as a gamma
            variate: no cell becomes empty, so that a finite optimum stays finite, hence the default.
            'multinomial' draws as many comparisons with replacement and needs whole counts. 'cluster' draws
            whole clusters with replacement.
        rng : None, int, SeedSequence, BitGenerator or Generator
            As SPEC 7 has it.
        max_memory : float, default 4e9
            Bytes that the rounds may take; more is refused before any work.
        n_threads : int, optional
            Default: see `steelyard.build_info`. The result does not depend on it, bit for bit.
        progress : callable, optional
            Called as progress(rounds done, n_rounds).

        Returns
        -------
        BootstrapResult

        Raises
        ------
        ValueError
            If an argument does not fit: weighted or fractional counts for 'multinomial', no clusters for
            'cluster'.
        MemoryError
            If the rounds would take more than `max_memory` bytes.
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
        fit and run in parallel: O(n_rounds (pairs + solve)) time, O(n_rounds n_items) memory.

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
        n_rounds = check_room(
            check_count(n_rounds, "n_rounds"),
            "n_rounds",
            len(self) + len(self._problem.names),
            max_memory=max_memory,
        )
        method = check_choice(method, "method", METHODS)
        threads, callback = check_threads(n_threads), check_progress(progress)
        columns, info = resample(self._problem, self._point, method, n_rounds, rng, threads, callback)
        return finish_rounds(BootstrapResult(**columns, method=method, fit=self, info=info), n_threads)

    # ---- for what lies below

    @property
    def _point(self) -> PairPoint:
        """The optimum."""
        return PairPoint(
            strengths=self.strengths,
            tie=self._problem.internal_tie(self.tie_parameter),
            home_advantage=self.home_advantage or 0.0,
            coefficients=self._coefficients,
            shift=self.info.shift,
            tie_parameter=self.tie_parameter,
        )

    def _information(self, n_threads: int) -> PairInformation:
        return PairInformation(self._problem, self._point, n_threads)

    def _story(self, level: float) -> Story:
        table, effects = self.comparisons, self.coefficients
        facts = []
        if table.ties is not None and self.tie_parameter is not None:
            facts.append(("Tie parameter", f"{self.tie_parameter:.4g}"))
        if self.home_advantage is not None:
            facts.append(("Home advantage", f"{self.home_advantage * ELO:+.0f} Elo points"))
        if table.cluster is not None:
            facts.append(("Clusters", "errors allow for dependence within them"))
        return Story(
            f"{table.n_comparisons:,.12g} comparisons of {len(self):,} items",
            "Bradley-Terry" if table.ties is None else f"Bradley-Terry, ties {self.ties}",
            table.components(ties="drop" if self.ties == "drop" else "keep").describe(),
            self.prior,
            tuple(facts),
            None if effects is None else effects.to_frame(level=level),
            "chance to win" if table.ties is None else "chance to win, and half that of a tie,",
        )

    def _expected_scores(self, x: Floats) -> Floats:
        """A win, or half a tie."""
        win, tie, _ = outcome_chances(x, self.ties, self.tie_parameter)
        return np.asarray(win + 0.5 * tie)

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

    def _words(self) -> str:
        return f"BradleyTerryFit: {self._summary()}\n{self._certificate()}"

    def __repr__(self) -> str:
        rows = self._lines()
        width = max(len(name) for name, _ in rows)
        table = "\n".join(f"  {name:<{width}}  {value}" for name, value in rows)
        return f"{self._words()}\n{table}"


def scarce_items(table: Comparisons, ties: str) -> npt.NDArray[np.bool_]:
    """Outside the largest group that circles of wins join, or with few effective games."""
    report = table.components(ties="drop" if ties == "drop" else "keep")
    apart = report.strong != int(np.argmax(report.strong_sizes))
    return np.asarray(apart | (table.effective_games() < FEW_GAMES))
