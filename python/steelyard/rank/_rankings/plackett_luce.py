"""Plackett and Luce's model of rankings: validate, judge existence, call the kernel, explain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _core
from ..._errors import SeparationError, finish
from ..._validate import (
    check_choice,
    check_count,
    check_nonnegative,
    check_positive,
    check_progress,
    check_steps,
    check_threads,
)
from .._chances import RankInfo
from .._inference import FEW_GAMES, ROUND_STEPS, ROUND_TOL, Refitted, Story
from .._table import Comparisons, ComponentReport, Rankings, read_rankings, refuse_parts
from .information import RankingInformation
from .problem import RankingProblem
from .tied import LARGEST_TIE, MOST_ITEMS, TiedInformation, TiedProblem, first_alone

Values = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

SOLVERS = ("auto", "newton", "newman", "zermelo")
_DEFAULT_ITERATIONS = {"newton": 100, "newman": 20_000, "zermelo": 20_000}

# A Newman sweep costs the known places of a ranking for each of its items, and saves a few Newton steps.
_SHORT = 20


@dataclass(frozen=True, repr=False, eq=False)
class PlackettLuceFit(Refitted):
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
    tie_parameters : ndarray or None
        delta of ties of 2, 3, ... items, 0 for sizes that never occur; None for rankings without ties.
    """

    items: Values
    strengths: Floats
    log_likelihood: float
    prior: float
    info: RankInfo
    _rankings: Rankings = field(repr=False)
    tie_parameters: Floats | None = None

    def __repr__(self) -> str:
        state = "converged" if self.info.converged else "NOT converged"
        unit = "steps" if self.info.solver.startswith("newton") else "sweeps"
        best = ", ".join(f"{self.items[i]} {self.strengths[i]:+.3f}" for i in self.order[:5])
        ties = ""
        if self.tie_parameters is not None:
            ties = ", ties " + " ".join(f"{delta:.3g}" for delta in self.tie_parameters)
        return (
            f"PlackettLuceFit: {len(self.items):,} items, {len(self._rankings.stages):,} rankings{ties}\n"
            f"{state}: Newton decrement {self.info.error_bound:.1e}, {self.info.iterations} {unit}\n"
            f"best: {best}"
        )

    @cached_property
    def scarce(self) -> npt.NDArray[np.bool_]:
        """Items outside the largest group that circles of places join, or in fewer than five rankings."""
        table, report = self._rankings, _components(self._rankings)
        sizes = np.diff(table.starts)
        weight = np.ones(len(sizes)) if table.weight is None else table.weight
        sums, squares = (
            np.bincount(table.codes, np.repeat(w, sizes), minlength=table.n) for w in (weight, weight**2)
        )
        few = (sums**2 < FEW_GAMES * squares) | (squares == 0)
        return np.asarray(few | (report.strong != int(np.argmax(report.strong_sizes))))

    def predict(self, items: Any) -> Floats:
        """Chances of being chosen first among some items.

        Parameters
        ----------
        items : sequence of labels

        Returns
        -------
        ndarray, shape (len(items),)
            Sums to 1; with ties, to the chance that the first place is not shared.
        """
        s = self.strengths[self.positions(items)]
        if self.tie_parameters is not None:
            return first_alone(s, self.tie_parameters)
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

    # ---- for what lies below

    def _refit(self, rng: np.random.Generator, n_threads: int) -> Callable[[], dict[str, Any]]:
        problem, at = self._problem, self._point
        options: dict[str, Any] = {"tol": ROUND_TOL, "max_iter": ROUND_STEPS, "n_threads": n_threads}
        if not isinstance(problem, TiedProblem):
            options["solver"] = "newton"
        return lambda: problem.fit(at, factors=rng.exponential(size=len(problem.rankings.stages)), **options)

    @property
    def _problem(self) -> RankingProblem | TiedProblem:
        return _problem_of(self._rankings, self.prior)

    @property
    def _point(self) -> Floats:
        """The optimum as the kernels have it."""
        strengths, problem = self.strengths + self.info.shift, self._problem
        if isinstance(problem, TiedProblem) and self.tie_parameters is not None:
            return np.concatenate([strengths, problem.logs(self.tie_parameters)])
        return strengths

    def _information(self, n_threads: int) -> RankingInformation | TiedInformation:
        problem = self._problem
        if isinstance(problem, TiedProblem):
            return TiedInformation(problem, self._point, n_threads)
        return RankingInformation(problem, self._point, n_threads)


def _problem_of(rankings: Rankings, prior: float) -> RankingProblem | TiedProblem:
    return (RankingProblem if rankings.place is None else TiedProblem)(rankings, prior)


def plackett_luce(
    rankings: Any = None,
    *,
    choices: Any = None,
    ranks: Any = None,
    items: Any = None,
    sample_weight: Any = None,
    prior: float = 0.0,
    max_tie: int | None = None,
    solver: str = "auto",
    tol: float = 1e-10,
    max_iter: int | None = None,
    n_threads: int | None = None,
    progress: Any = None,
) -> PlackettLuceFit:
    """Fit one strength per item to rankings, with a certificate.

    Item i is chosen first among those that remain with probability exp(s_i) / sum exp(s_j). On rankings of
    two items this is Bradley and Terry's model. Tied items are chosen together (see Notes); on pairs that is
    Davidson's model.

    Parameters
    ----------
    rankings : sequence of sequences of labels, or ndarray of int, or (items, indptr)
        Each best first: sequences of any length; a 2-dimensional integer array, one ranking a row, padded
        with -1; or all labels one after the other and where each ranking starts. A ranking speaks of the
        items that it lists alone. In sequences a place may be a list of tied items: ``["a", ["b", "c"]]``.
    choices : (winner, others), optional
        Instead of rankings: who was chosen, and from which others, as sequences of labels or a 2-dimensional
        integer array padded with -1.
    ranks : array_like, shape (n_rankings, n_items), optional
        Instead of rankings: the rank of each item, 1 the best, equal for ties, 0 or NaN where it is not
        ranked. Only their order counts: 1, 2, 2, 4 and 1, 2, 2, 3 are the same.
    items : array_like, optional
        All labels, in the order wanted; others are refused. Of `ranks` the labels of the columns (default 0,
        1, ...).
    sample_weight : array_like, shape (n_rankings,), optional
        Positive; default all 1.
    prior : float, default 0
        Strength a of a logistic prior, a [log sigma(s) + log sigma(-s)] per item, as for `bradley_terry`.
    max_tie : int, optional
        Largest number of items in a tie to allow, at most 16 (the default). A tie costs as much as its size
        squared.
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
    SeparationError
        With ties, if their parameters have no finite optimum.
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

    With ties [5]_, those placed next from the items A that remain are a set S with probability f(S) / sum of
    f over all sets of A of at most the largest size seen, f(S) = delta_k exp(mean of s over S), k = size of
    S, delta_1 = 1. The sums are elementary symmetric polynomials of exp(s / k). The log-likelihood is concave
    in the strengths and log delta together; Newton's method by dense Cholesky (at most 5,000 items), under
    the same certificate; no prior on delta. A choice from m items costs O(m^2 D) with ties of up to D.

    Where rankings mix the items well each solver needs few iterations, and Zermelo's are the cheapest;
    where strengths lie far apart it may need thousands, Newman dozens, Newton ten.

    References
    ----------
    .. [1] R. L. Plackett, "The Analysis of Permutations", Appl. Statist. 24 (1975).
    .. [2] D. R. Hunter, "MM algorithms for generalized Bradley-Terry models", Ann. Statist. 32 (2004).
    .. [3] M. E. J. Newman, "Efficient computation of rankings from pairwise comparisons", JMLR 24(238), 2023.
    .. [4] J. Yeung, D. Kaiser, F. Radicchi, "Efficient inference of rankings from multi-body comparisons",
       arXiv:2501.16565 (2025).
    .. [5] H. L. Turner, J. van Etten, D. Firth, I. Kosmidis, "Modelling rankings in R: the PlackettLuce
       package", Comput. Statist. 35 (2020).

    Examples
    --------
    >>> fit = plackett_luce([["ann", "ben", "cat"], ["ben", "ann", "cat"], ["cat", "ann"]])
    >>> print(fit.items[fit.order])
    ['ben' 'ann' 'cat']

    With ties, as lists and as ranks:

    >>> fit = plackett_luce([["ann", ["ben", "cat"]], [["ann", "ben"], "cat"], ["cat", "ann"]])
    >>> ranks = [[1, 2, 2], [1, 1, 2], [2, 0, 1]]
    >>> same = plackett_luce(ranks=ranks, items=["ann", "ben", "cat"])
    >>> print(fit.tie_parameters.round(3), bool((fit.strengths == same.strengths).all()))
    [1.493] True
    """
    prior = check_nonnegative(prior, "prior")
    solver = check_choice(solver, "solver", SOLVERS)
    tol = check_positive(tol, "tol")
    method = "newton" if solver == "auto" else solver
    iterations = _DEFAULT_ITERATIONS[method] if max_iter is None else check_steps(max_iter, "max_iter")
    threads = check_threads(n_threads)
    callback = check_progress(progress)
    most = LARGEST_TIE if max_tie is None else check_count(max_tie, "max_tie")
    table = read_rankings(rankings, choices, items, sample_weight, ranks)
    problem = _problem_of(table, prior)
    if isinstance(problem, TiedProblem):
        _require_ties(problem, most, solver)
    _require_optimum(table, prior)
    if isinstance(problem, TiedProblem):
        out = problem.fit(problem.start(), tol=tol, max_iter=iterations, n_threads=threads, progress=callback)
        if out["hopeless"]:
            raise SeparationError(_NO_TIES, "tie_parameters")
        ties = problem.parameters(out["ties"])
        ties.flags.writeable = False
        return finish(_result(out, table, prior, ties), "plackett_luce", n_threads=n_threads)
    out = problem.fit(
        np.zeros(table.n),
        solver=method,
        tol=tol,
        max_iter=iterations,
        warm_sweeps=int(solver == "auto" and table.stages.mean() <= _SHORT),
        n_threads=threads,
        progress=callback,
    )
    return finish(_result(out, table, prior, None), "plackett_luce", n_threads=n_threads)


_NO_TIES = (
    "the tie parameters have no finite optimum, or none that float64 resolves: the likelihood keeps rising "
    "as where every choice is a tie. Add rankings without ties, or break ties"
)


def _result(out: dict[str, Any], table: Rankings, prior: float, ties: Floats | None) -> PlackettLuceFit:
    shift = float(out["strengths"].mean())
    info = RankInfo.from_core(out["info"], shift=shift)
    if not info.converged:
        info = replace(info, message=_advice(info))
    strengths = out["strengths"] - shift
    strengths.flags.writeable = False
    value = float(out["log_likelihood"])
    return PlackettLuceFit(table.items, strengths, value, prior, info, table, ties)


def _require_ties(problem: TiedProblem, most: int, solver: str) -> None:
    if most > LARGEST_TIE:
        raise ValueError(f"max_tie must be at most {LARGEST_TIE}, got {most}")
    largest = int(problem.sizes.max())
    if largest > most:
        raise ValueError(
            f"rankings has a tie of {largest} items, more than max_tie={most}; leave items out of a ranking "
            "that does not order them"
        )
    if solver not in ("auto", "newton"):
        raise ValueError(f"solver must be 'auto' or 'newton' for rankings with ties, got {solver!r}")
    if problem.n > MOST_ITEMS:
        raise ValueError(f"rankings with ties must have at most {MOST_ITEMS} items, got {problem.n}")


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
    refuse_parts(_components(table), prior, "fewer items")
