"""Strengths that change over time, fitted jointly."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..._errors import ConvergenceWarning, finish, interrupted, warn
from ..._validate import (
    Progress,
    check_choice,
    check_flag,
    check_positive,
    check_progress,
    check_steps,
    check_threads,
)
from .._paired import TIES, PairProblem, require_finite_extras
from .._table import Comparisons, Timelines, make_timelines, require_comparisons
from .history import History, HistoryInfo
from .problem import HistoryProblem, Laws

_WIDEST = (1e-3, 1e2)  # drift over the whole period that an estimate may have, as a standard deviation


def whole_history(
    comparisons: Comparisons,
    *,
    volatility: float | str,
    prior: float = 1.0,
    ties: str = "davidson",
    home: bool = False,
    time_unit: str | float = "day",
    constant: Iterable[Any] | None = None,
    known: Mapping[Any, float] | None = None,
    posterior: str = "laplace",
    tol: float = 1e-8,
    max_iter: int = 100,
    max_memory: float = 4e9,
    rng: Any = None,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> History:
    """Strengths as Wiener processes in time, from all comparisons at once (Whole-History Rating).

    Between two dates an item's natural-log strength changes by a normal amount of variance volatility^2 times
    the time between them; on a date, chances are those of `bradley_terry`. The result is the joint maximum of
    the posterior, every item and date together, with a certificate.

    Parameters
    ----------
    comparisons : Comparisons
        With a `time` column, of dates or numbers.
    volatility : float or 'estimate'
        Standard deviation of the change of a natural-log strength over one time unit (Elo points times
        ln(10) / 400). 'estimate' maximises the Laplace approximation of the marginal likelihood; each of its
        some 15 steps costs a fit and a sparse factorisation.
    prior : float, default 1
        Strength a of the logistic prior on each item's first strength: as if it had won and lost a times
        against strength 0 on its first date. Positive, since without it nothing ties items to each other.
    ties : {'davidson', 'rao-kupper', 'half', 'drop'}
        As for `bradley_terry`.
    home : bool, default False
        Fit a home advantage that is the same at all times. Needs a `home` column.
    time_unit : {'day', 'week', 'month', 'year'} or float, default 'day'
        The unit of `volatility`: 30.436875 and 365.2425 days for month and year; a number is a length in
        days, or in the unit of a numeric time column (where the default is 1). Comparisons are never merged
        over days.
    constant : iterable of labels, optional
        Items whose strength does not change but is estimated, such as routes or questions.
    known : mapping of labels to float, optional
        Items whose strength is given and constant, such as routes of known grade. They fix the scale.
    posterior : {'laplace', 'mcmc'}
        The normal law at the maximum, found when it is first asked for; or that and 4 chains of 1,000 draws
        by `History.sample`, which has more to choose.
    tol : float, default 1e-8
        Largest Newton decrement to accept, in standard errors of the posterior.
    max_iter : int, default 100
        Newton steps.
    max_memory : float, default 4e9
        Bytes that the joint posterior may take (about 160 MB for 100,000 nodes of international football), or
        draws with what their chains work in; above it standard errors are refused, strengths are not.
    rng : None, int, SeedSequence, BitGenerator or Generator
        Of the draws.
    n_threads : int, optional
        Default: see `steelyard.build_info`. The answer does not depend on it.
    progress : callable, optional
        Called as progress(iteration, max_iter).

    Returns
    -------
    History

    Raises
    ------
    SeparationError
        If the tie parameter or the home advantage has no finite optimum.
    ValueError, TypeError
        If an argument does not fit; the message names it.
    KeyboardInterrupt
        On Ctrl-C; ``.partial`` holds the fit so far.

    Warns
    -----
    ConvergenceWarning
        If the decrement stays above `tol`, or the estimated volatility lies at the end of its range.

    Notes
    -----
    Newton's method on all nodes (an item on a date) together; conjugate gradients, preconditioned by each
    item's own tridiagonal block, solve its systems. O(comparisons + nodes) memory and time a pass; some 300
    passes for a century of football. Item by item, as in Coulom's paper, thousands of sweeps leave visible
    errors where groups of items meet seldom.

    ``info.error_bound`` bounds the Newton decrement from above: no contrast of strengths is, to first order,
    further from the optimum than that many of its posterior standard deviations.

    References
    ----------
    R. Coulom, "Whole-History Rating: a Bayesian rating system for players of time-varying strength",
    Computers and Games (2008). M. E. Glickman, "Parameter estimation in large dynamic paired comparison
    experiments", Appl. Statist. 48 (1999).

    Examples
    --------
    >>> from steelyard.rank import Comparisons, whole_history
    >>> games = Comparisons.from_pairs(
    ...     ["ann", "ann", "ben", "ben"], ["ben", "ben", "ann", "ann"], time=[0, 1, 20, 21]
    ... )
    >>> fit = whole_history(games, volatility=0.3)
    >>> print([round(float(fit.strength("ann", t).mean), 3) for t in (0, 10, 21)])
    [0.345, -0.079, -0.555]
    """
    require_comparisons(comparisons)
    estimate = isinstance(volatility, str)
    if estimate:
        check_choice(volatility, "volatility", ("estimate",))
    rate = 0.0 if isinstance(volatility, str) else check_positive(volatility, "volatility")
    laws = Laws(prior=check_positive(prior, "prior"))
    ties, home = check_choice(ties, "ties", TIES), check_flag(home, "home")
    tol, iterations = check_positive(tol, "tol"), check_steps(max_iter, "max_iter")
    memory, threads = check_positive(max_memory, "max_memory"), check_threads(n_threads)
    callback = check_progress(progress)
    sampled = check_choice(posterior, "posterior", ("laplace", "mcmc")) == "mcmc"
    if home and (comparisons.home is None or not comparisons.home.any()):
        raise ValueError(
            "home=True needs comparisons with a home side; give from_pairs(home=...) a +1 or -1 somewhere"
        )
    lines = make_timelines(comparisons, time_unit, constant, known)
    solver = Solver(lines, ties, home, laws, (tol, iterations, memory, threads), callback)
    message = ""
    start = None
    if estimate:
        rate, start, message = estimated(solver)
    fit = solver.fit(rate, start, message)
    finish(fit, "whole_history", n_threads=n_threads)
    if fit.info.converged and fit.info.message:
        warn(fit.info.message, ConvergenceWarning)
    return fit.sample(rng=rng, progress=callback) if sampled else fit


class Solver:
    """One model on one set of timelines, at any volatility."""

    def __init__(
        self,
        lines: Timelines,
        ties: str,
        home: bool,
        laws: Laws,
        limits: tuple[float, int, float, int],
        progress: Progress | None,
    ) -> None:
        self.lines, self.laws, self.progress = lines, laws, progress
        self.tol, self.max_iter, self.memory, self.threads = limits
        self.games = PairProblem(lines.games, ties, home, laws.prior)
        require_finite_extras(self.games)  # a prior holds the strengths; so do the chains

    def fit(self, volatility: float, start: History | None = None, message: str = "") -> History:
        """The joint maximum, from an earlier one if there is one."""
        known, games = self.lines.known, self.games
        problem = HistoryProblem(games, self.lines, self.laws, volatility)
        if start is None:
            at = replace(games.start(), strengths=np.where(np.isnan(known), 0.0, known))
        else:
            at = start._point
        out = problem.fit(
            at,
            tol=self.tol,
            max_iter=self.max_iter,
            n_threads=self.threads,
            progress=self.progress,
        )
        info = HistoryInfo.from_core(out["info"])
        if not info.converged:
            why = "stopped by Ctrl-C" if info.interrupted else f"stopped after {info.iterations} steps"
            if not info.interrupted and info.iterations < self.max_iter:
                why += ", when no step gained any more,"
            text = (
                f"{info.solver} {why} at a Newton decrement of {info.error_bound:.2g} > tol = {info.tol:.2g}"
            )
            message = f"{message}; {text}" if message else text
        values = out["strengths"]
        values.flags.writeable = False
        return History(
            strengths=values,
            items=self.lines.items,
            tie_parameter=games.tie_parameter(out["tie"]),
            home_advantage=float(out["home"]) if games.home else None,
            volatility=volatility,
            log_likelihood=float(out["log_likelihood"]),
            info=replace(info, message=message),
            ties=games.ties,
            _problem=problem,
            _point=replace(at, strengths=values, tie=float(out["tie"]), home_advantage=float(out["home"])),
            _limits=(self.memory, self.threads),
        )


def estimated(solver: Solver) -> tuple[float, History | None, str]:
    """The volatility of the greatest marginal likelihood, the fit there, and what to know of it."""
    from scipy import optimize  # loads much of SciPy

    gaps = solver.lines.gaps
    if not np.isfinite(gaps).any():
        raise ValueError("volatility='estimate' needs an item that was compared on two dates")
    span = float(np.nanmax(solver.lines.time) - np.nanmin(solver.lines.time))
    low, high = (math.log(x / math.sqrt(span)) for x in _WIDEST)
    best: History | None = None

    def loss(log_volatility: float) -> float:
        nonlocal best
        fit = solver.fit(math.exp(log_volatility), best)
        if fit.info.interrupted:
            raise interrupted(fit)
        value = fit.log_evidence
        if best is None or value > best.log_evidence:
            best = fit
        return -value

    try:
        found = optimize.minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-3})
    except KeyboardInterrupt as error:
        if getattr(error, "partial", None) is not None:
            raise
        raise interrupted(best) from None  # between two fits
    message = ""
    if min(found.x - low, high - found.x) < 0.01:
        side = "no change over time" if found.x - low < 0.01 else "changes without limit"
        message = f"the estimated volatility lies at the end of its range: the data shows {side}"
    return math.exp(float(found.x)), best, message
