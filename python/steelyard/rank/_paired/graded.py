"""`graded`: strengths from outcomes on an ordered scale."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _core
from ..._errors import SeparationError, finish
from ..._spelling import shown
from ..._validate import (
    Progress,
    check_choice,
    check_flag,
    check_nonnegative,
    check_positive,
    check_progress,
    check_steps,
    check_threads,
)
from .._chances import ELO, RankInfo
from .._inference import FEW_GAMES, ROUND_STEPS, ROUND_TOL, Coefficients, Refitted, Story, draw_counts
from .._table import (
    Comparisons,
    ComponentReport,
    GradedComparisons,
    choose_columns,
    home_signs,
    refuse_parts,
    shift_of,
)
from .bradley_terry import require_determined, weighted
from .graded_problem import GradedInformation, GradedPoint, GradedProblem
from .problem import PairProblem
from .separation import rising_grade

Floats = npt.NDArray[np.float64]

LINKS = ("cumulative", "adjacent")
_PROGRAM_LIMIT = 20_000  # edges of a linear program that judges a fit that did not converge


@dataclass(frozen=True, repr=False, eq=False)
class GradedFit(Refitted):
    """Strengths fitted to graded comparisons.

    Attributes
    ----------
    items : ndarray, shape (n_items,)
        Labels.
    strengths : ndarray, shape (n_items,)
        Natural-log strengths with mean 0.
    thresholds : ndarray, shape ((n_levels - 1) // 2,)
        Cumulative: where the levels above the middle begin, rising. Adjacent: log weights of the levels from
        the second to the middle one, against the outermost.
    home_advantage : float or None
        None unless fitted.
    log_likelihood : float
        Of the data, without the prior.
    link : str
    prior : float
    comparisons : GradedComparisons
        What was fitted.
    info : RankInfo
        ``info.error_bound`` is the Newton decrement over all parameters, in standard errors, as for
        `bradley_terry`.
    """

    items: npt.NDArray[Any]
    strengths: Floats
    thresholds: Floats
    home_advantage: float | None
    log_likelihood: float
    link: str
    prior: float
    comparisons: GradedComparisons
    info: RankInfo = field(repr=False)
    _problem: GradedProblem = field(repr=False)
    _coefficients: Floats = field(repr=False)

    @property
    def levels(self) -> tuple[str, ...]:
        """From the best for the left item to the worst."""
        return self.comparisons.levels

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
        """As of `BradleyTerryFit`, where a circle may pass any outcome that bounds a difference."""
        report = _components(self.comparisons)
        apart = report.strong != int(np.argmax(report.strong_sizes))
        return np.asarray(apart | (self.comparisons._effective_games() < FEW_GAMES))

    def predict(self, a: Any, b: Any, home: Any = 0, covariates: Any = None) -> Floats:
        """Chances of all levels for a against b.

        Parameters
        ----------
        a, b : label, or sequence of labels of equal length
        home : int or array_like, default 0
            +1 where a is at home, -1 where b is.
        covariates : mapping {name: number or array}, data frame, or array_like of shape (..., p), optional
            Of the p covariates, differences a minus b, in the units of the data. Default 0.

        Returns
        -------
        ndarray, shape (n_levels,) or (k, n_levels)
            In the order of `levels`; they add up to 1.

        Examples
        --------
        >>> from steelyard.rank import GradedComparisons, graded
        >>> table = GradedComparisons.from_grades(
        ...     ["a", "a", "b"], ["b", "b", "a"], ["win", "tie", "win"], levels=["win", "tie", "loss"]
        ... )
        >>> print(graded(table).predict("a", "b").round(4))
        [0.3333 0.3333 0.3333]
        """
        many = isinstance(a, list | tuple | np.ndarray) or isinstance(b, list | tuple | np.ndarray)
        i, j = self._listed(a, "a"), self._listed(b, "b")
        sign = home_signs(home, self.home_advantage is not None)
        try:
            i, j, sign = np.broadcast_arrays(i, j, sign)
        except ValueError:
            raise ValueError("a, b and home must have equal lengths or be single") from None
        x = self.strengths[i] - self.strengths[j] + sign * (self.home_advantage or 0.0)
        x = x + shift_of(self._problem.covariates, self._coefficients, covariates, np.shape(x))
        chances = self._chances(x)
        return chances if many or len(chances) > 1 else chances[0]

    def _listed(self, labels: Any, name: str) -> npt.NDArray[np.intp]:
        if not isinstance(labels, list | tuple | np.ndarray):
            return np.array([self.index(labels)])
        if np.ndim(labels) != 1 or len(labels) == 0:
            raise ValueError(f"{name} must be a label or a list of them, got {shown(labels)}")
        return self.positions(labels)

    def _chances(self, x: Floats) -> Floats:
        terms = self._problem.terms(self.thresholds, np.ascontiguousarray(x, dtype=np.float64).ravel())
        return np.asarray(np.exp(terms[0])[:, ::-1])

    def _expected_scores(self, x: Floats) -> Floats:
        """Better at all, or half the middle level."""
        chances, half = self._chances(x), len(self.levels) // 2
        middle = chances[:, half] if len(self.levels) % 2 else 0.0
        return np.asarray(chances[:, :half].sum(axis=1) + 0.5 * middle).reshape(np.shape(x))

    def _story(self, level: float) -> Story:
        facts = [("Levels", ", ".join(self.levels))]
        if self.home_advantage is not None:
            facts.append(("Home advantage", f"{self.home_advantage * ELO:+.0f} Elo points"))
        if self.comparisons.cluster is not None:
            facts.append(("Clusters", "errors allow for dependence within them"))
        effects = self.coefficients
        return Story(
            f"{self.comparisons.n_comparisons:,.12g} graded comparisons of {len(self):,} items",
            f"Bradley-Terry of ordered outcomes, {self.link} logits",
            _components(self.comparisons).describe(),
            self.prior,
            tuple(facts),
            None if effects is None else effects.to_frame(level=level),
            expected="chance of a better outcome, and half that of the middle one,",
        )

    # ---- for what lies below

    def _refit(self, rng: np.random.Generator, n_threads: int) -> Callable[[], dict[str, Any]]:
        problem, table, at = self._problem, self.comparisons, self._point
        draw = draw_counts(table.counts, table.squared)

        cluster = _codes(table)

        def refit() -> dict[str, Any]:
            if table.cluster is not None:
                drawn = table.counts * rng.exponential(size=cluster[-1] + 1)[cluster[:-1], None]
            elif table.soft:  # a row is one comparison
                drawn = table.counts * rng.exponential(size=(len(table.counts), 1))
            else:
                drawn = draw(rng)
            counts = np.zeros_like(problem.counts)
            np.add.at(counts, problem.graph.edge_of_row, drawn[:, ::-1])
            return problem.fit(at, tol=ROUND_TOL, max_iter=ROUND_STEPS, counts=counts, n_threads=n_threads)

        return refit

    @property
    def _beside(self) -> int:
        return self._problem.free

    def _further(self, found: list[dict[str, Any]]) -> dict[str, Floats | None]:
        problem = self._problem
        effects = np.array([one["effects"] for one in found]).reshape(len(found), -1)
        return {
            "home_advantages": effects[:, 0] if problem.home else None,
            "coefficients": (
                effects[:, int(problem.home) :] * problem.covariates.units if problem.covariates else None
            ),
        }

    @property
    def _point(self) -> GradedPoint:
        home = [] if self.home_advantage is None else [self.home_advantage]
        effects = np.concatenate([home, self._coefficients])
        return GradedPoint(self.strengths + self.info.shift, self.thresholds, effects)

    def _information(self, n_threads: int) -> GradedInformation:
        return GradedInformation(self._problem, self._point, n_threads)

    def __repr__(self) -> str:
        state = "converged" if self.info.converged else "NOT converged"
        best = ", ".join(f"{self.items[i]} {self.strengths[i]:+.3f}" for i in self.order[:5])
        home = "" if self.home_advantage is None else f", home advantage {self.home_advantage:.3f}"
        thresholds = " ".join(f"{t:.3f}" for t in self.thresholds)
        return (
            f"GradedFit: {len(self):,} items, {self.comparisons.n_comparisons:,g} comparisons, "
            f"{len(self.levels)} levels, {self.link}\n"
            f"{state}: Newton decrement {self.info.error_bound:.1e}, {self.info.iterations} steps\n"
            f"thresholds {thresholds or 'none'}{home}\n"
            + ("" if self.coefficients is None else f"{self.coefficients!r}\n")
            + f"best: {best}"
        )


def graded(
    comparisons: Comparisons | GradedComparisons,
    *,
    link: str = "cumulative",
    home: bool = False,
    covariates: bool | str | Sequence[str] = False,
    standardize: bool = True,
    half_life: float | None = None,
    at: Any = None,
    time_unit: str | float = "day",
    prior: float = 0.0,
    tol: float = 1e-10,
    max_iter: int = 100,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> GradedFit:
    """Fit one strength per item to outcomes on an ordered scale, with a certificate.

    With x = s_left - s_right and K levels the model is symmetric: swapping the sides reverses the scale.
    'cumulative': P(at least as bad as level k) = sigma(t_k - x), thresholds t symmetric about 0; three levels
    are Rao and Kupper's model with t = log theta. 'adjacent': the log chance of the k-th best level is
    (1/2 - (k - 1) / (K - 1)) x + b_k up to a constant, b symmetric; three levels are Davidson's model with
    b = log nu. Two levels are Bradley and Terry's in both.

    Parameters
    ----------
    comparisons : Comparisons or GradedComparisons
        See `Comparisons.from_frame` with `outcome_levels`, `GradedComparisons.from_grades` and `from_chances`
        (soft outcomes).
    link : {'cumulative', 'adjacent'}
    home : bool, default False
        Fit a home advantage h: s_i + h replaces s_i for the side at home.
    covariates, standardize, half_life, at, time_unit
        As for `bradley_terry`; of `Comparisons`, which carry covariates and times.
    prior : float, default 0
        As for `bradley_terry`.
    tol : float, default 1e-10
        Largest Newton decrement to accept, in standard errors.
    max_iter : int, default 100
        Newton steps.
    n_threads : int, optional
        Default: see `steelyard.build_info`. The answer does not depend on it.
    progress : callable, optional
        Called as progress(iteration, max_iter).

    Returns
    -------
    GradedFit

    Raises
    ------
    DisconnectedError
        Without a prior, if the strengths have no finite optimum whatever the thresholds; its ``report`` says
        who can't be compared.
    SeparationError
        If a level and its mirror never occur, a coefficient is not determined, or the optimum is at infinity
        otherwise.
    ValueError, TypeError
        If an argument does not fit; the message names it.
    KeyboardInterrupt
        On Ctrl-C; ``.partial`` holds the fit so far.

    Warns
    -----
    ConvergenceWarning
        If the decrement stays above `tol`.
    DisconnectedWarning
        With a prior, if some items are compared through it alone.

    Notes
    -----
    The log-likelihood is concave in all parameters [1]_. The certificate is `bradley_terry`'s. Time: O(pairs
    levels) a Newton step plus its linear solve. Strengths of fits with different numbers of levels are not on
    one scale where the model does not hold exactly. Clusters of the comparisons enter the errors, as they do
    for `bradley_terry`.

    References
    ----------
    .. [1] Pratt, "Concavity of the log likelihood", JASA 76 (1981).
    .. [2] Agresti, "Analysis of ordinal paired comparison data", Appl. Statist. 41 (1992).

    Examples
    --------
    >>> from steelyard.rank import Comparisons, graded
    >>> votes = {
    ...     "left": ["a", "a", "b", "a", "b"],
    ...     "right": ["b", "b", "a", "b", "a"],
    ...     "outcome": ["much better", "better", "better", "tie", "worse"],
    ... }
    >>> levels = ["much better", "better", "tie", "worse", "much worse"]
    >>> columns = {"left": "left", "right": "right", "outcome": "outcome"}
    >>> fit = graded(Comparisons.from_frame(votes, **columns, outcome_levels=levels))
    >>> bool(fit.predict("a", "b").argmax() < 3)
    True
    """
    table, source = _read(comparisons, half_life, at, time_unit)
    link, home = check_choice(link, "link", LINKS), check_flag(home, "home")
    prior, tol = check_nonnegative(prior, "prior"), check_positive(tol, "tol")
    steps, threads, callback = (
        check_steps(max_iter, "max_iter"),
        check_threads(n_threads),
        check_progress(progress),
    )
    if home and (table.home is None or not table.home.any()):
        raise ValueError("home=True needs comparisons with a home side; give from_grades(home=...)")
    columns = choose_columns(table, covariates, check_flag(standardize, "standardize"))
    problem = GradedProblem(table, link, home, prior, columns)
    _require_levels(table)
    _require_connected(table, prior)
    if columns:
        require_determined(PairProblem(source, "half", home, prior, columns), threads)
    out = problem.fit(problem.start(), tol=tol, max_iter=steps, n_threads=threads, progress=callback)
    stopped = out["info"]["converged"] or out["info"]["interrupted"]
    if not stopped and len(problem.counts) <= _PROGRAM_LIMIT:
        name = rising_grade(problem)
        if name is not None:
            raise SeparationError(
                f"no finite optimum: the likelihood never falls as {name} moves on. Merge levels "
                "that are rare, add comparisons, or set a prior",
                name,
            )
    return finish(_result(problem, out), "graded", n_threads=n_threads)


def _read(comparisons: Any, half_life: Any, at: Any, time_unit: Any) -> tuple[GradedComparisons, Comparisons]:
    """The levels, and the comparisons that carry covariates."""
    if isinstance(comparisons, Comparisons):
        source = weighted(comparisons, half_life, at, time_unit)
        return GradedComparisons._of(source), source
    if not isinstance(comparisons, GradedComparisons):
        raise TypeError(
            "comparisons must be a Comparisons with outcome_levels or a GradedComparisons (see "
            f"Comparisons.from_frame, GradedComparisons.from_grades), got {type(comparisons).__name__}"
        )
    if half_life is not None or at is not None:
        raise ValueError(
            "half_life and at need comparisons with times; give Comparisons.from_frame(outcome_levels=..., "
            "time=...)"
        )
    return comparisons, comparisons.signs()


def _codes(table: GradedComparisons) -> npt.NDArray[np.intp]:
    """The place of each row's cluster among those there, and then the last of all."""
    if table.cluster is None:
        return np.zeros(1, dtype=np.intp)
    _, codes = np.unique(table.cluster, return_inverse=True)
    return np.append(codes, codes.max())


def _result(problem: GradedProblem, out: dict[str, Any]) -> GradedFit:
    raw = out["strengths"]
    shift = float(raw.mean())
    info = RankInfo.from_core(out["info"], shift=shift)
    if not info.converged:
        way = (
            "a larger tol accepts it"
            if (info.error_bound or 1.0) < 1e-5
            else "raise max_iter, or set a prior"
        )
        info = replace(
            info,
            message=f"Newton decrement {info.error_bound:.1e} after {info.iterations} steps; {way}",
        )
    strengths, thresholds = raw - shift, out["thresholds"]
    strengths.flags.writeable = thresholds.flags.writeable = False
    return GradedFit(
        problem.comparisons.items,
        strengths,
        thresholds,
        float(out["effects"][0]) if problem.home else None,
        float(out["log_likelihood"]),
        problem.link,
        problem.prior,
        problem.comparisons,
        info,
        problem,
        out["effects"][int(problem.home) :],
    )


def _require_levels(table: GradedComparisons) -> None:
    total = table.counts.sum(axis=0)
    missing = np.flatnonzero(total + total[::-1] == 0)
    if len(missing):
        one, other = table.levels[missing[0]], table.levels[len(total) - 1 - missing[0]]
        who = f"{one!r} never occurs" if one == other else f"{one!r} and {other!r} never occur"
        raise SeparationError(
            f"a threshold has no finite optimum: {who}. Leave that level out, or merge it with its neighbour",
            f"level {one}",
        )


def _components(table: GradedComparisons) -> ComponentReport:
    """At fixed thresholds an outermost level holds x from one side, every other from both."""
    up, down = table.counts[:, :-1].sum(axis=1) > 0, table.counts[:, 1:].sum(axis=1) > 0
    better = np.concatenate([table.left[up], table.right[down]])
    worse = np.concatenate([table.right[up], table.left[down]])
    return Comparisons.from_pairs(table.items[better], table.items[worse], items=table.items).components()


def _require_connected(table: GradedComparisons, prior: float) -> None:
    forward, backward = table.counts[:, :-1].sum(axis=1), table.counts[:, 1:].sum(axis=1)
    found = _core.rank._strong_components(table.left, table.right, forward, backward, table.n_items)
    if found[1] == 1:
        return
    refuse_parts(_components(table), prior, "fewer items")
