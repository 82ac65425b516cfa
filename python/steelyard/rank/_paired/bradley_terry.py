"""`bradley_terry`: validate, judge existence, call the kernel, explain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _core
from ..._errors import (
    ConvergenceWarning,
    SeparationError,
    finish,
    warn,
)
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
from .._chances import RankInfo
from .._table import Comparisons, choose_columns, decayed, refuse_parts, require_comparisons
from .fit import BradleyTerryFit
from .problem import TIES, Counts, PairPoint, PairProblem
from .separation import require_finite_extras, rising_direction, separation_message

Floats = npt.NDArray[np.float64]

SOLVERS = ("auto", "newton", "newman", "zermelo")
_PROGRAM_LIMIT = 20_000  # edges of a linear program that judges a fit that did not converge
_DEFAULT_ITERATIONS = {"newton": 100, "newman": 20_000, "zermelo": 20_000}


def bradley_terry(
    comparisons: Comparisons,
    *,
    prior: float = 0.0,
    ties: str = "davidson",
    home: bool = False,
    covariates: bool | str | Sequence[str] = False,
    standardize: bool = True,
    half_life: float | None = None,
    at: Any = None,
    time_unit: str | float = "day",
    solver: str = "auto",
    tol: float = 1e-10,
    max_iter: int | None = None,
    init: BradleyTerryFit | None = None,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> BradleyTerryFit:
    """Fit one strength per item to paired comparisons, with a certificate.

    The chance that i beats j depends on x = s_i - s_j alone. With ties, Davidson's model (the default) has
    p_win : p_tie : p_loss = exp(x/2) : nu : exp(-x/2), that is p_tie proportional to nu sqrt(pi_i pi_j) with
    pi = exp(s): nu is Davidson's own; some authors write 2 nu for it. Rao and Kupper's has
    p_win = pi_i / (pi_i + theta pi_j).

    Parameters
    ----------
    comparisons : Comparisons
        Who beat whom; see `Comparisons.from_pairs`, `from_frame`, `from_counts`.
    prior : float, default 0
        Strength a of a logistic prior, a [log sigma(s) + log sigma(-s)] per item: as if each item had won
        and lost a times against an item of strength 0. 0 is maximum likelihood, which is finite only if
        every item can be reached from every other through wins.
    ties : {'davidson', 'rao-kupper', 'half', 'drop'}
        A model with a tie parameter; or half a win to each side; or ties left out.
    home : bool, default False
        Fit a home advantage h: s_i + h replaces s_i for the side at home. Needs a `home` column.
    covariates : bool or sequence of str, default False
        Fit a coefficient b for covariates that the comparisons carry (True: all; or names): z . b is added
        to x, with z left minus right. Strengths are then net of them ("style control" where z are lengths
        and formatting of two answers). Coefficients are not shrunk by `prior`.
    standardize : bool, default True
        Give coefficients for one root mean square of a covariate over the comparisons; else for one of its
        units. No mean is subtracted: which item is left is arbitrary. Strengths are the same either way.
    half_life : float, optional
        Weight of a comparison: 2^(-age / half_life), with its age at `at`; needs a `time` column. Errors
        count the squared weights. Later comparisons, and those older than 60 half-lives, are left out.
        Default: all count alike.
    at : date, str or float, optional
        The moment to rate at, with `half_life`; a month or a year means its first day. Default: the last
        comparison's.
    time_unit : {'day', 'week', 'month', 'year'} or float, default 'day'
        Unit of `half_life`, as in `whole_history`.
    solver : {'auto', 'newton', 'newman', 'zermelo'}
        Newton's method on all parameters (dense, sparse Cholesky or conjugate gradients by size and
        predicted fill); Newman's asynchronous iteration, with the exact common shift under a prior;
        Zermelo's classical (minorise-maximise) iteration. 'auto' makes a few Newman sweeps, then Newton.
        Each fits every model here, but covariates need Newton's.
    tol : float, default 1e-10
        Largest Newton decrement to accept, in standard errors (see Notes).
    max_iter : int, optional
        Default 100 Newton steps or 20,000 sweeps.
    init : BradleyTerryFit, optional
        Start from an earlier fit, matched by label; new items enter at 0.
    n_threads : int, optional
        Default: see `steelyard.build_info`. The answer does not depend on it.
    progress : callable, optional
        Called as progress(iteration, max_iter).

    Returns
    -------
    BradleyTerryFit

    Raises
    ------
    DisconnectedError
        Without a prior, if the optimum is infinite or not unique; its ``report`` says who can't be compared
        and why.
    SeparationError
        If the tie parameter, the home advantage or a coefficient has no finite optimum, or none that the
        data determines; ``parameter`` names it.
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
    The certificate ``info.error_bound`` (also ``info.newton_decrement``) is sqrt(g' H^+ g) over all
    parameters, prior included: to first order, no contrast of them is further than that many of its
    inverse-Hessian standard errors from the optimum. With conjugate gradients it is an upper bound, not an
    estimate.

    Time: O(pairs) a Newton step plus its linear solve; memory O(pairs), and items^2 where the dense solver is
    chosen (up to 512 items always, up to 6,000 where the data is dense). With p covariates, rows take the
    place of pairs: O(rows p^2) a step, 8 p bytes a row more. Beyond 512 items the dense solver
    calls LAPACK, whose last bits depend on the BLAS thread count.

    References
    ----------
    .. [1] Zermelo, "Die Berechnung der Turnier-Ergebnisse", Math. Z. 29 (1929).
    .. [2] Newman, "Efficient computation of rankings from pairwise comparisons", JMLR 24(238), 2023.
    .. [3] Davidson, "On extending the Bradley-Terry model to accommodate ties", JASA 65 (1970).
    .. [4] Rao and Kupper, "Ties in paired-comparison experiments", JASA 62 (1967).
    .. [5] Hunter, "MM algorithms for generalized Bradley-Terry models", Ann. Statist. 32 (2004).

    Examples
    --------
    >>> from steelyard.rank import Comparisons, bradley_terry
    >>> games = Comparisons.from_pairs(["ann", "ann", "ben"], ["ben", "ben", "ann"])
    >>> fit = bradley_terry(games)
    >>> print(round(float(fit.strengths[0] - fit.strengths[1]), 6))  # log(2 / 1)
    0.693147
    """
    comparisons = weighted(comparisons, half_life, at, time_unit)
    prior = check_nonnegative(prior, "prior")
    ties = check_choice(ties, "ties", TIES)
    home = check_flag(home, "home")
    solver = check_choice(solver, "solver", SOLVERS)
    tol = check_positive(tol, "tol")
    threads = check_threads(n_threads)
    callback = check_progress(progress)
    method = "newton" if solver == "auto" else solver
    iterations = _DEFAULT_ITERATIONS[method] if max_iter is None else check_steps(max_iter, "max_iter")
    if init is not None and not isinstance(init, BradleyTerryFit):
        raise TypeError(f"init must be a BradleyTerryFit or None, got {type(init).__name__}")

    if home:
        _require_sides(comparisons)
    columns = choose_columns(comparisons, covariates, check_flag(standardize, "standardize"))
    if columns and method != "newton":
        raise ValueError(f"solver must be 'auto' or 'newton' with covariates, got {shown(solver)}")
    problem = PairProblem(comparisons, ties, home, prior, columns)
    _require_optimum(problem, threads)
    out = problem.fit(
        problem.start() if init is None else _start_from(init, problem),
        solver=method,
        tol=tol,
        max_iter=iterations,
        warm_sweeps=3 if solver == "auto" and init is None else 0,
        n_threads=threads,
        progress=callback,
    )
    if len(out["away"]):
        raise _separated(problem, out["away"])
    fit = _result(problem, out)
    if columns and not (fit.info.converged or fit.info.interrupted):
        away = rising_direction(problem) if len(problem.counts.wins) <= _PROGRAM_LIMIT else None
        if away is not None:
            raise _separated(problem, away)
    if out["info"]["converged"] and not fit.info.converged:
        warn(fit.info.message, ConvergenceWarning)  # within tol, which proves too little
        return fit
    return finish(fit, "bradley_terry", n_threads=n_threads)


def weighted(comparisons: Any, half_life: float | None, at: Any, time_unit: Any) -> Comparisons:
    """By age, where that is asked for."""
    table = require_comparisons(comparisons)
    if half_life is not None:
        return decayed(table, half_life, at, time_unit)
    if at is not None:
        raise ValueError("at goes with half_life: give half_life, or comparisons.filter(until=...)")
    return table


def _require_sides(comparisons: Comparisons) -> None:
    if comparisons.home is None or not comparisons.home.any():
        raise ValueError(
            "home=True needs comparisons with a home side; give from_pairs(home=...) a +1 or -1 somewhere"
        )


def _start_from(init: BradleyTerryFit, problem: PairProblem) -> PairPoint:
    """An earlier fit, matched by label; new items enter at 0."""
    known = dict(zip(init.items.tolist(), (init.strengths + init.info.shift).tolist(), strict=True))
    start = problem.start()
    start.strengths[:] = [known.get(item, 0.0) for item in problem.comparisons.items.tolist()]
    tie, advantage = start.tie, start.home_advantage
    if problem.model != "none" and problem.model == init._problem.model:
        tie = problem.internal_tie(init.tie_parameter)
    if problem.home and init.home_advantage is not None:
        advantage = init.home_advantage
    before, chosen = init._problem.covariates, problem.covariates
    slopes = dict(zip(before.names, (init._coefficients / np.array(before.spreads)).tolist(), strict=True))
    for k, (name, spread) in enumerate(zip(chosen.names, chosen.spreads, strict=True)):
        start.coefficients[k] = slopes.get(name, 0.0) * spread
    return replace(start, tie=tie, home_advantage=advantage)


def _result(problem: PairProblem, out: dict[str, Any]) -> BradleyTerryFit:
    raw = out["strengths"]
    shift = float(raw.mean())
    strengths = raw - shift
    strengths.flags.writeable = False
    info = RankInfo.from_core(out["info"], shift=shift)
    if not info.converged:
        info = _with_message(info)
    elif not out["finite"]:
        info = _unproven(info, out["proving_decrement"])
    return BradleyTerryFit(
        strengths=strengths,
        items=problem.comparisons.items,
        tie_parameter=problem.tie_parameter(out["tie"]),
        home_advantage=float(out["home"]) if problem.home else None,
        log_likelihood=float(out["log_likelihood"]),
        info=info,
        comparisons=problem.comparisons,
        prior=problem.prior,
        ties=problem.ties,
        _problem=problem,
        _coefficients=out["coefficients"],
    )


def _with_message(info: RankInfo) -> RankInfo:
    what = "stopped by Ctrl-C" if info.interrupted else f"stopped after {info.iterations} iterations"
    advice = (
        "a larger max_iter or solver='auto' may help"
        if not info.solver.startswith("newton")
        else "tol is near the floor of float64 for this data: accept it with a larger tol"
        if info.error_bound is not None and info.error_bound < 1e-5
        else "a prior or largest_component() makes the problem better posed"
    )
    decrement = f"at a Newton decrement of {info.error_bound:.2g} > tol = {info.tol:.2g}"
    return replace(info, message=f"{info.solver} {what} {decrement}; {advice}")


def _unproven(info: RankInfo, proving: float) -> RankInfo:
    message = (
        f"a finite optimum is not proven: that takes a Newton decrement below {proving:.2g}, it is "
        f"{info.error_bound:.2g}; a smaller tol, or leaving out a covariate, may help"
    )
    return replace(info, converged=False, message=message)


def _separated(problem: PairProblem, away: Floats) -> SeparationError:
    """Names the parameters that move along the direction in which the likelihood never falls."""
    moving = [problem.names[k] for k in np.flatnonzero(np.abs(away) > 1e-3 * np.abs(away).max())]
    return SeparationError(separation_message(_listed(moving), False), ", ".join(moving))


def _listed(names: list[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def require_determined(problem: PairProblem, threads: int) -> None:
    """Raises where a coefficient is confounded with strengths or other parameters."""
    rows, names = len(problem.counts.wins), problem.covariates.names
    if len(names) > rows:  # seen without the O(rows p^2 + p^3) of pivots
        raise SeparationError(separation_message(names[rows], True), names[rows], True)
    even = _evenly_weighted(problem)
    column = even.dependent_column(even.start(), threads)
    if column is not None:
        name = problem.names[column]
        raise SeparationError(separation_message(name, True), name, True)


def _evenly_weighted(problem: PairProblem) -> PairProblem:
    """Cells of which none outweighs the others by counts or outlying covariates.

    They determine the same parameters, and those that hang on typical cells are not lost to rounding.
    """
    z = np.asarray(problem.graph.covariates).reshape(-1, len(problem.covariates))
    far = np.ones(len(z))
    for signed in z.T:
        column = np.abs(signed)
        column /= np.median(column[column > 0])
        np.maximum(far, column, out=far)
    share, (wins, losses, ties) = far**-2.0, problem.counts
    return problem.with_counts(
        Counts((wins > 0) * share, (losses > 0) * share, None if ties is None else (ties > 0) * share)
    )


def _strong_components(problem: PairProblem) -> int:
    graph, (forward, backward, ties) = problem.graph, problem.counts
    if ties is not None:
        forward, backward = forward + ties, backward + ties
    return int(_core.rank._strong_components(graph.left, graph.right, forward, backward, problem.n)[1])


def _require_optimum(problem: PairProblem, threads: int) -> None:
    """Raises where the optimum is infinite or not unique; warns where the prior alone makes it finite."""
    if _strong_components(problem) > 1:
        report = problem.comparisons.components(ties="drop" if problem.ties == "drop" else "keep")
        refuse_parts(report, problem.prior, "comparisons.largest_component()")
    require_finite_extras(problem)
    if len(problem.covariates):
        require_determined(problem, threads)
