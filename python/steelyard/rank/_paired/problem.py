"""Comparisons as a model counts them: the one place that calls the kernels of paired comparisons."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ... import _core
from ..._validate import Progress
from .._chances import NO_TIES
from .._table import Comparisons, Covariates

Floats = npt.NDArray[np.float64]

TIES = (*NO_TIES, "half", "drop")


class Counts(NamedTuple):
    """Comparisons of each edge of the graph by outcome, one column a class."""

    wins: Floats
    losses: Floats
    ties: Floats | None

    @property
    def total_ties(self) -> float:
        return 0.0 if self.ties is None else float(self.ties.sum())


@dataclass(frozen=True, eq=False)
class PairPoint:
    """Values of all parameters.

    Attributes
    ----------
    strengths : ndarray
        Of the kernels, minus `shift`.
    tie : float
        log nu, or log theta; 0 where none is fitted.
    home_advantage : float
    coefficients : ndarray
        For one root mean square of each covariate.
    shift : float
    tie_parameter : float or None
        As a fit tells it. It and `tie` do not give each other to the last bit.
    """

    strengths: Floats
    tie: float
    home_advantage: float
    coefficients: Floats
    shift: float = 0.0
    tie_parameter: float | None = None


@dataclass(frozen=True, eq=False)
class PairProblem:
    """A table of comparisons and a model of them.

    Attributes
    ----------
    comparisons : Comparisons
    ties : str
        What becomes of ties, one of `TIES`.
    home : bool
    prior : float
    covariates : Covariates
    given : Counts or None
        Instead of those of the table.
    """

    comparisons: Comparisons
    ties: str
    home: bool
    prior: float
    covariates: Covariates = field(default_factory=Covariates)
    given: Counts | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self)}

    # ---- the model

    @cached_property
    def graph(self) -> _core.rank.PairGraph:
        """The pairs that the kernels walk."""
        return self.comparisons._pairs(self.home, self.covariates)

    @cached_property
    def counts(self) -> Counts:
        """Ties kept, counted as half a win each, or dropped."""
        if self.given is not None:
            return self.given
        wins, losses, tied = self.graph.wins, self.graph.losses, self.graph.ties
        if tied is None or len(tied) == 0 or self.ties == "drop":
            return Counts(wins, losses, None)
        if self.ties == "half":
            return Counts(wins + 0.5 * tied, losses + 0.5 * tied, None)
        return Counts(wins, losses, tied)

    @cached_property
    def model(self) -> str:
        """`ties`, or 'none' without a tie parameter: without ties its optimum is nu = 0 (theta = 1)."""
        free = self.ties in NO_TIES and self.counts.total_ties > 0
        return self.ties if free else "none"

    @property
    def n(self) -> int:
        """Number of items."""
        return self.comparisons.n_items

    @property
    def extra_names(self) -> tuple[str, ...]:
        """Parameters beside the strengths and the coefficients, which follow them."""
        tie = ("tie_parameter",) if self.model != "none" else ()
        return tie + (("home_advantage",) if self.home else ())

    @property
    def names(self) -> tuple[str, ...]:
        """All parameters that follow the strengths."""
        return (*self.extra_names, *self.covariates.names)

    @property
    def effects(self) -> int:
        """Home and coefficients: what shifts x by a parameter each."""
        return int(self.home) + len(self.covariates)

    def with_counts(self, counts: Counts) -> PairProblem:
        """The same pairs with other numbers of comparisons."""
        return replace(self, given=counts)

    # ---- points

    def start(self) -> PairPoint:
        """All items equal, and the tie parameter that explains the share of ties among equals."""
        return PairPoint(np.zeros(self.n), self._starting_tie(), 0.0, np.zeros(len(self.covariates)))

    def _starting_tie(self) -> float:
        if self.model == "none":
            return 0.0
        counts = self.counts
        games = float(counts.wins.sum() + counts.losses.sum()) + counts.total_ties
        share = min(max(counts.total_ties / games, 1e-6), 1 - 1e-6)
        if self.model == "davidson":
            return float(np.log(2 * share / (1 - share)))
        return float(np.log((1 + share) / (1 - share)))

    def tie_parameter(self, tie: float) -> float | None:
        """As users have it; None where ties are not modelled."""
        if self.ties not in NO_TIES:
            return None
        if self.model == "none":
            return NO_TIES[self.ties]
        return math.exp(tie)

    def internal_tie(self, parameter: float | None) -> float:
        """The other way round."""
        return 0.0 if self.model == "none" else math.log(parameter or 1.0)

    # ---- the kernels

    @cached_property
    def kernel(self) -> _core.rank.PairProblem:
        """As the kernels have it; made anew after unpickling."""
        wins, losses, ties = self.counts
        return _core.rank.PairProblem(
            self.graph,
            wins,
            losses,
            ties if self.model != "none" else None,
            self.model,
            self.home,
            self.prior,
        )

    def _at(self, point: PairPoint) -> _core.rank.PairPoint:
        return self.kernel.at(
            point.strengths + point.shift, point.tie, point.home_advantage, point.coefficients
        )

    def fit(
        self,
        start: PairPoint,
        *,
        solver: str,
        tol: float,
        max_iter: int,
        linear: str = "auto",
        warm_sweeps: int = 0,
        n_threads: int,
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        """The optimum, with its certificate."""
        return self.kernel.fit(
            self._at(start),
            solver=solver,
            linear=linear,
            tol=tol,
            max_iter=max_iter,
            warm_sweeps=warm_sweeps,
            n_threads=n_threads,
            progress=progress,
        )

    def derivatives(self, at: PairPoint, n_threads: int) -> dict[str, Any]:
        """Gradient and Hessian."""
        return self._at(at).derivatives(n_threads)

    def solve(self, at: PairPoint, right_sides: Floats, accuracy: float, n_threads: int) -> Floats | None:
        """H^+ B; None if H is singular to rounding."""
        found = self._at(at).solve(np.ascontiguousarray(right_sides), accuracy, n_threads, None)
        return None if found is None else np.asarray(found)

    def dependent_column(self, at: PairPoint, n_threads: int) -> int | None:
        """Which of `names` the others determine, if any."""
        found = self._at(at).dependent_column(n_threads)
        return None if found is None else int(found)

    def separation(self) -> dict[str, Any] | None:
        """A parameter of `extra_names` without a finite optimum, and whether the likelihood is flat in it."""
        found: dict[str, Any] | None = self.kernel.separation()
        return found

    def bootstrap(
        self,
        at: PairPoint,
        rows: dict[str, Any],
        *,
        method: str,
        n_rounds: int,
        seed: tuple[int, int],
        tol: float,
        n_threads: int,
        progress: Progress | None,
    ) -> dict[str, Any]:
        """Optima for resampled counts; `rows` has the clusters of the table."""
        return self._at(at).bootstrap(
            method=method,
            tie_use=self.ties if self.ties in ("half", "drop") else "model",
            rounds=n_rounds,
            seed=seed[0],
            stream=seed[1],
            tol=tol,
            **rows,
            n_threads=n_threads,
            progress=progress,
        )
