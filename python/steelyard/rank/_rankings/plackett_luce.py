"""Plackett and Luce's model of rankings: validate, judge existence, call the kernel, explain."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _core
from ..._errors import DisconnectedError, DisconnectedWarning, finish, warn
from ..._validate import (
    Progress,
    check_choice,
    check_count,
    check_nonnegative,
    check_positive,
    check_progress,
    check_rng,
    check_room,
    check_steps,
    check_threads,
)
from .._chances import RankInfo
from .._inference import (
    ROUND_TOL,
    BootstrapInfo,
    BootstrapResult,
    Ranked,
    Story,
    finish_rounds,
    refit_rounds,
)
from .._table import Comparisons, ComponentReport, Rankings, read_rankings
from .information import RankingInformation
from .problem import RankingProblem

Values = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

SOLVERS = ("auto", "newton", "newman", "zermelo")
_DEFAULT_ITERATIONS = {"newton": 100, "newman": 20_000, "zermelo": 20_000}

# A Newman sweep costs the known places of a ranking for each of its items, and saves a few Newton steps.
_SHORT = 20


@dataclass(frozen=True, repr=False, eq=False)
class PlackettLuceFit(Ranked):
    """Strengths fitted to rankings.

    Attributes
    ----------
    items : ndarray, shape (n,)
        Labels.
    strengths : ndarray, shape (n,)
        Natural-log strengths with mean 0.
    log_likelihood : float
        At the strengths, without the prior.
    prior : float
    info : RankInfo
        `error_bound` is the Newton decrement over all strengths, in standard errors, as for `bradley_terry`:
        up to rounding with a direct solver, an upper bound with conjugate gradients.
    """

    items: Values
    strengths: Floats
    log_likelihood: float
    prior: float
    info: RankInfo
    _rankings: Rankings = field(repr=False)

    def __repr__(self) -> str:
        state = "converged" if self.info.converged else "NOT converged"
        unit = "steps" if self.info.solver.startswith("newton") else "sweeps"
        best = ", ".join(f"{self.items[i]} {self.strengths[i]:+.3f}" for i in self.order[:5])
        return (
            f"PlackettLuceFit: {len(self.items):,} items, {len(self._rankings.stages):,} rankings\n"
            f"{state}: Newton decrement {self.info.error_bound:.1e}, {self.info.iterations} {unit}\n"
            f"best: {best}"
        )

    def predict(self, items: Any) -> Floats:
        """Chances of being chosen first among some items.

        Parameters
        ----------
        items : sequence of labels

        Returns
        -------
        ndarray, shape (len(items),)
            Sums to 1.
        """
        s = self.strengths[self.positions(items)]
        chances = np.exp(s - s.max())
        return np.asarray(chances / chances.sum())

    def _story(self, level: float) -> Story:
        return Story(
            f"{len(self._rankings.stages):,} rankings of {len(self):,} items",
            "Plackett-Luce",
            _components(self._rankings).describe(),
            self.prior,
            expected="chance to be chosen before the other,",
        )

    def bootstrap(
        self,
        n_rounds: int = 200,
        *,
        rng: Any = None,
        n_threads: int | None = None,
        progress: Progress | None = None,
    ) -> BootstrapResult:
        """Refits to resampled rankings.

        Parameters
        ----------
        n_rounds : int, default 200
            Number of refits.
        rng : None, int, SeedSequence, BitGenerator or Generator, optional
        n_threads : int, optional
            Default: see `steelyard.build_info`.
        progress : callable, optional
            Called as progress(rounds done, n_rounds).

        Returns
        -------
        BootstrapResult

        Raises
        ------
        KeyboardInterrupt
            On Ctrl-C; ``.partial`` holds the rounds so far.

        Warns
        -----
        ConvergenceWarning
            If a round misses a Newton decrement of 1e-6.

        Notes
        -----
        The Bayesian bootstrap: rankings get independent exponential weights, so that each round has an
        optimum where the fit has one. A few Newton steps a round, from the fit.

        Examples
        --------
        >>> from steelyard.rank import plackett_luce
        >>> fit = plackett_luce([["a", "b", "c"], ["b", "a", "c"], ["c", "a"], ["c", "b"]])
        >>> fit.bootstrap(50, rng=0).strengths.shape
        (50, 3)
        """
        rounds = check_room(check_count(n_rounds, "n_rounds"), "n_rounds", len(self))
        threads, callback = check_threads(n_threads), check_progress(progress)
        strengths, info = _resampled(self._problem, self._point, rounds, rng, threads, callback)
        return finish_rounds(BootstrapResult(strengths, None, None, None, "bayesian", self, info), n_threads)

    # ---- for what lies below

    @property
    def _problem(self) -> RankingProblem:
        return RankingProblem(self._rankings, self.prior)

    @property
    def _point(self) -> Floats:
        """The optimum as the kernels have it."""
        return self.strengths + self.info.shift

    def _information(self, n_threads: int) -> RankingInformation:
        return RankingInformation(self._problem, self._point, n_threads)


def _resampled(
    problem: RankingProblem, at: Floats, rounds: int, rng: Any, threads: int, progress: Progress | None
) -> tuple[Floats, BootstrapInfo]:
    """Strengths of every round from the optimum `at`; those made until Ctrl-C."""
    generator = check_rng(rng)

    def refit() -> dict[str, Any]:
        factors = generator.exponential(size=len(problem.rankings.stages))
        return problem.fit(
            at, solver="newton", tol=ROUND_TOL, max_iter=50, factors=factors, n_threads=threads
        )

    strengths, _, info = refit_rounds(refit, rounds, problem.n, progress)
    return strengths, info


def plackett_luce(
    rankings: Any = None,
    *,
    choices: Any = None,
    items: Any = None,
    sample_weight: Any = None,
    prior: float = 0.0,
    solver: str = "auto",
    tol: float = 1e-10,
    max_iter: int | None = None,
    n_threads: int | None = None,
    progress: Any = None,
) -> PlackettLuceFit:
    """Fit one strength per item to rankings, with a certificate.

    Item i is chosen first among those that remain with probability exp(s_i) / sum exp(s_j). On rankings of
    two items this is Bradley and Terry's model.

    Parameters
    ----------
    rankings : sequence of sequences of labels, or ndarray of int, or (items, indptr)
        Each best first: sequences of any length; a 2-dimensional integer array, one ranking a row, padded
        with -1; or all labels one after the other and where each ranking starts. A ranking speaks of the
        items that it lists alone.
    choices : (winner, others), optional
        Instead of rankings: who was chosen, and from which others, as sequences of labels or a 2-dimensional
        integer array padded with -1.
    items : array_like, optional
        All labels, in the order wanted; others are refused.
    sample_weight : array_like, shape (n_rankings,), optional
        Positive; default all 1.
    prior : float, default 0
        Strength a of a logistic prior, a [log sigma(s) + log sigma(-s)] per item, as for `bradley_terry`.
    solver : {'auto', 'newton', 'newman', 'zermelo'}
        Newton's method on all strengths (by dense Cholesky up to 512 items where that is cheaper, else by
        conjugate gradients, else, where those take many passes, by sparse or dense Cholesky); Newman's
        asynchronous iteration, with the exact common shift under a prior; Hunter's minorise-maximise
        iteration, which is Zermelo's for pairs. 'auto' is Newton, after one Newman sweep where rankings are
        short.
    tol : float, default 1e-10
        Largest Newton decrement to accept, in standard errors.
    max_iter : int, optional
        Default 100 Newton steps or 20,000 sweeps.
    n_threads : int, optional
        Default: see `steelyard.build_info`. The answer does not depend on it.
    progress : callable, optional
        Called as progress(iteration, max_iter).

    Returns
    -------
    PlackettLuceFit

    Raises
    ------
    DisconnectedError
        Without a prior, if the optimum is infinite or not unique; its ``report`` says who can't be compared.
    ValueError, TypeError
        If a ranking lists an item twice or fewer than two items, labels are missing, or another argument
        does not fit; the message names it.
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
    The certificate ``info.error_bound`` is sqrt(g' H^+ g), prior included, whatever the solver: to first
    order no contrast of the strengths is further than that many of its inverse-Hessian standard errors from
    the optimum. With conjugate gradients it is an upper bound.

    Time, with L the total length of the rankings and m that of one: conjugate gradients O(L) a pass,
    Zermelo O(L) a sweep, Newman O(sum of m^2) at most (O(L) for choices), dense Cholesky
    O(sum of m^2 + n^3) a step. Memory O(L + n); 8 n^2 bytes more where the dense solver is chosen, never
    above 10,000 items; up to 40 times the rankings and the factor where the sparse one is. `info.solver`
    says which. Beyond 512 items the dense one calls LAPACK, whose last bits depend on the BLAS thread count.

    Where rankings mix the items well each solver needs few iterations, and Zermelo's are the cheapest;
    where strengths lie far apart it may need thousands, Newman dozens, Newton ten.

    References
    ----------
    .. [1] R. L. Plackett, "The Analysis of Permutations", Appl. Statist. 24 (1975).
    .. [2] D. R. Hunter, "MM algorithms for generalized Bradley-Terry models", Ann. Statist. 32 (2004).
    .. [3] M. E. J. Newman, "Efficient computation of rankings from pairwise comparisons", JMLR 24(238), 2023.
    .. [4] J. Yeung, D. Kaiser, F. Radicchi, "Efficient inference of rankings from multi-body comparisons",
       arXiv:2501.16565 (2025).

    Examples
    --------
    >>> fit = plackett_luce([["ann", "ben", "cat"], ["ben", "ann", "cat"], ["cat", "ann"]])
    >>> print(fit.items[fit.order])
    ['ben' 'ann' 'cat']
    """
    prior = check_nonnegative(prior, "prior")
    solver = check_choice(solver, "solver", SOLVERS)
    tol = check_positive(tol, "tol")
    method = "newton" if solver == "auto" else solver
    iterations = _DEFAULT_ITERATIONS[method] if max_iter is None else check_steps(max_iter, "max_iter")
    threads = check_threads(n_threads)
    callback = check_progress(progress)
    table = read_rankings(rankings, choices, items, sample_weight)
    problem = RankingProblem(table, prior)
    _require_optimum(table, prior)
    out = problem.fit(
        np.zeros(table.n),
        solver=method,
        tol=tol,
        max_iter=iterations,
        warm_sweeps=int(solver == "auto" and table.stages.mean() <= _SHORT),
        n_threads=threads,
        progress=callback,
    )
    shift = float(out["strengths"].mean())
    info = RankInfo.from_core(out["info"], shift=shift)
    if not info.converged:
        info = replace(info, message=_advice(info))
    strengths = out["strengths"] - shift
    strengths.flags.writeable = False
    fit = PlackettLuceFit(table.items, strengths, float(out["log_likelihood"]), prior, info, table)
    return finish(fit, "plackett_luce", n_threads=n_threads)


def _advice(info: RankInfo) -> str:
    ways = "raise max_iter or tol" if info.solver.startswith("newton") else "raise max_iter, or solver='auto'"
    return f"Newton decrement {info.error_bound:.1e} after {info.iterations} iterations; {ways}"


def _components(table: Rankings) -> ComponentReport:
    better, worse = table.beaten()
    return Comparisons.from_pairs(table.items[better], table.items[worse], items=table.items).components()


def _require_optimum(table: Rankings, prior: float) -> None:
    better, worse = table.beaten()
    one = np.ones(len(better))
    if _core.rank._strong_components(better, worse, one, np.zeros_like(one), table.n)[1] == 1:
        return
    report = _components(table)
    words = report.describe()
    if prior == 0:
        raise DisconnectedError(
            f"the strengths have no finite optimum: {words} Ways out: a prior (prior=1), or fewer items",
            report,
        )
    warn(f"some items are compared through the prior alone: {words}", DisconnectedWarning)
