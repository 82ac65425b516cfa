"""Plackett and Luce's model of rankings: validate, judge existence, call the kernel, explain."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _core
from ..._errors import ConvergenceWarning, DisconnectedError, DisconnectedWarning, interrupted
from ..._validate import (
    check_choice,
    check_count,
    check_nonnegative,
    check_positive,
    check_progress,
    check_room,
    check_threads,
)
from .._chances import RankInfo
from .._inference import KINDS
from .._table import Comparisons, Rankings, positions, read_rankings

Values = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

SOLVERS = ("auto", "newton", "newman", "zermelo")
_DEFAULT_ITERATIONS = {"newton": 100, "newman": 20_000, "zermelo": 20_000}

# A full covariance is a dense matrix and its inverse.
FULL_LIMIT = 10_000
_BATCH = 32

# A Newman sweep costs the known places of a ranking for each of its items, and saves a few Newton steps.
_SHORT = 20


@dataclass(frozen=True, repr=False, eq=False)
class PlackettLuceFit:
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

    @property
    def order(self) -> npt.NDArray[np.intp]:
        """Positions of the items, best first."""
        return np.argsort(-self.strengths, kind="stable")

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
        s = self.strengths[self._positions(items)]
        chances = np.exp(s - s.max())
        return np.asarray(chances / chances.sum())

    def covariance(
        self, kind: str = "sandwich", *, items: Any = None, n_threads: int | None = None
    ) -> Floats:
        """Covariance of the strengths, each against the mean of all.

        Parameters
        ----------
        kind : {'sandwich', 'hessian'}, default 'sandwich'
            'hessian' trusts the model, 'sandwich' only the independence of the rankings. Under a prior both
            are rough.
        items : sequence of labels, optional
            Default all, up to 10,000 items.
        n_threads : int, optional
            Default: see `steelyard.build_info`.

        Returns
        -------
        ndarray, shape (k, k)
            In the order of `items`.

        Raises
        ------
        ValueError
            Above 10,000 items without `items`, or if the information is singular to rounding.
        KeyError
            If `items` names an unknown one.

        Notes
        -----
        All: O(n^3) time, 24 n^2 bytes. Named items: a solve each, O((rankings + n) k) memory; where
        `info.solver` speaks of conjugate gradients a solve is some passes over the rankings.

        Examples
        --------
        >>> fit = plackett_luce([["a", "b", "c"], ["b", "a", "c"], ["c", "a"], ["c", "b"]])
        >>> fit.covariance("hessian", items=["a"]).shape
        (1, 1)
        """
        kind = check_choice(kind, "kind", KINDS)
        threads = check_threads(n_threads)
        n = len(self.items)
        if items is None:
            if n > FULL_LIMIT:
                raise ValueError(
                    f"items: a full covariance of {n:,} items takes {8 * n * n / 1e9:.0f} GB; "
                    f"name the items wanted, up to {FULL_LIMIT:,}"
                )
            inverse = self._inverse(threads)
            if kind == "hessian":
                return inverse
            scores = self._scores(threads)
            return np.asarray(inverse @ (scores.T @ scores).toarray() @ inverse)
        place = self._positions(items)
        parts = [self._solve(part, threads) for part in _batches(place)]
        if kind == "hessian":
            return np.hstack([x[place] - x.mean(axis=0) for x in parts])
        moved = self._scores(threads) @ np.hstack(parts)
        return np.asarray(moved.T @ moved)

    def standard_errors(
        self, kind: str = "sandwich", *, items: Any = None, n_threads: int | None = None
    ) -> Floats:
        """Standard errors of the strengths, each against the mean of all.

        Parameters
        ----------
        kind : {'sandwich', 'hessian'}, default 'sandwich'
            As for `covariance`.
        items : sequence of labels, optional
            Default all: from the full covariance up to 10,000 items, by a solve each beyond.
        n_threads : int, optional
            Default: see `steelyard.build_info`.

        Returns
        -------
        ndarray, shape (k,)

        Raises
        ------
        ValueError
            If the information is singular to rounding.
        KeyError
            If `items` names an unknown one.

        Notes
        -----
        Named items: a solve each, 32 at a time, in O(total length + n) memory.

        Examples
        --------
        >>> fit = plackett_luce([["a", "b"]] * 3 + [["b", "a"]])
        >>> print(fit.standard_errors("hessian", items=["b"]).round(4))  # half of sqrt(1/3 + 1)
        [0.5774]
        """
        kind = check_choice(kind, "kind", KINDS)
        threads = check_threads(n_threads)
        if items is None and len(self.items) <= FULL_LIMIT:
            variances = np.diag(self.covariance(kind, n_threads=threads))
            return np.sqrt(np.maximum(variances, 0.0))
        place = np.arange(len(self.items)) if items is None else self._positions(items)
        scores = self._scores(threads) if kind == "sandwich" else None
        found = []
        for part in _batches(place):
            x = self._solve(part, threads)
            found.append(
                x[part, np.arange(len(part))] - x.mean(axis=0)
                if scores is None
                else np.square(scores @ x).sum(axis=0)
            )
        return np.asarray(np.sqrt(np.maximum(np.concatenate(found), 0.0)))

    def bootstrap(self, n_rounds: int = 200, *, rng: Any = None, n_threads: int | None = None) -> Floats:
        """Strengths refitted to resampled rankings.

        Parameters
        ----------
        n_rounds : int, default 200
        rng : None, int, SeedSequence, BitGenerator or Generator, optional
        n_threads : int, optional
            Default: see `steelyard.build_info`.

        Returns
        -------
        ndarray, shape (n_rounds, n)

        Raises
        ------
        KeyboardInterrupt
            On Ctrl-C; ``.partial`` holds the rounds so far.

        Notes
        -----
        The Bayesian bootstrap: rankings get independent exponential weights, so that each round has an
        optimum where the fit has one. A few Newton steps a round, from the fit.
        """
        rounds = check_room(check_count(n_rounds, "n_rounds"), "n_rounds", len(self.items))
        threads = check_threads(n_threads)
        generator = np.random.default_rng(rng)
        table, point = self._rankings, self._point(threads)
        out, done = np.empty((rounds, len(self.items))), 0
        try:  # a round is short: Ctrl-C may come between two of them
            for done in range(rounds):
                weight = generator.exponential(size=len(table.stages))
                point["weight"] = weight if table.weight is None else weight * table.weight
                found = _core.rank._fit_plackett_luce(**point, **_ROUND)
                if found["info"]["interrupted"]:
                    raise interrupted(out[:done])
                out[done] = found["strengths"] - found["strengths"].mean()
        except KeyboardInterrupt:
            raise interrupted(out[:done]) from None
        return out

    def to_frame(self) -> dict[str, Values]:
        """Columns ``item``, ``strength``, ``standard_error``, best first; any data frame library takes them.

        Returns
        -------
        dict of str to ndarray
            Without ``standard_error`` above 10,000 items, where all of them would take a solve each.
        """
        columns = {"item": self.items, "strength": self.strengths}
        if len(self.items) <= FULL_LIMIT:
            columns["standard_error"] = self.standard_errors()
        return {name: column[self.order] for name, column in columns.items()}

    # ---- the information matrices

    def _positions(self, items: Any) -> npt.NDArray[np.intp]:
        if isinstance(items, str) or not np.iterable(items):
            raise TypeError(f"items must be a sequence of labels, got {items!r}")
        place = positions(self.items)
        try:
            found = np.array([place[item] for item in items], dtype=np.intp)
        except KeyError as error:
            raise KeyError(f"no item {error.args[0]!r} among the {len(self.items)} items") from None
        if len(found) == 0:
            raise ValueError("items must name at least one item, got none")
        return found

    def _point(self, threads: int) -> dict[str, Any]:
        """The optimum as the kernels have it."""
        return {
            "rankings": self._rankings.kernel,
            "weight": self._rankings.weight,
            "prior": self.prior,
            "strengths": self.strengths + self.info.shift,
            "n_threads": threads,
        }

    def _inverse(self, threads: int) -> Floats:
        """H^+ in full, centred."""
        n = len(self.items)
        matrix = _core.rank._ranking_derivatives(**self._point(threads), hessian=True, x=None)["hessian"]
        if self.prior == 0:  # singular along 1, which the centring takes out again
            matrix = matrix + float(np.trace(matrix)) / n**2
        inverse = _core.linalg._inverse_positive_definite(matrix)
        if inverse is None:
            raise ValueError(_SINGULAR)
        inverse -= inverse.mean(axis=0, keepdims=True)
        inverse -= inverse.mean(axis=1, keepdims=True)
        return np.asarray(inverse)

    def _solve(self, part: npt.NDArray[np.intp], threads: int) -> Floats:
        """H^+ (e_i - 1/n) for each of some items."""
        n = len(self.items)
        right = np.full((n, len(part)), -1.0 / n)
        right[part, np.arange(len(part))] += 1.0
        found = _core.rank._solve_ranking_system(
            **self._point(threads), right_sides=right, linear="auto", accuracy=1e-10
        )
        if found is None:
            raise ValueError(_SINGULAR)
        return np.asarray(found)

    def _scores(self, threads: int) -> Any:
        """The gradient of each ranking, as a sparse matrix with a row a ranking."""
        from scipy import sparse

        table = self._rankings
        scores = _core.rank._ranking_derivatives(**self._point(threads), hessian=False, x=None)["scores"]
        return sparse.csr_array((scores, table.codes, table.starts), shape=(len(table.stages), table.n))


_ROUND: dict[str, Any] = {
    "solver": "newton",
    "linear": "auto",
    "tol": 1e-6,
    "max_iter": 50,
    "warm_sweeps": 0,
    "progress": None,
}
_SINGULAR = "the information matrix is singular to rounding; covariances need a prior"


def _batches(place: npt.NDArray[np.intp]) -> list[npt.NDArray[np.intp]]:
    return [place[begin : begin + _BATCH] for begin in range(0, len(place), _BATCH)]


def plackett_luce(
    rankings: Any = None,
    *,
    choices: Any = None,
    items: Any = None,
    weights: Any = None,
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
    weights : array_like, shape (n_rankings,), optional
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
    iterations = _DEFAULT_ITERATIONS[method] if max_iter is None else check_count(max_iter, "max_iter")
    threads = check_threads(n_threads)
    callback = check_progress(progress)
    table = read_rankings(rankings, choices, items, weights)
    _require_optimum(table, prior)
    out = _core.rank._fit_plackett_luce(
        rankings=table.kernel,
        weight=table.weight,
        prior=prior,
        solver=method,
        linear="auto",
        tol=tol,
        max_iter=iterations,
        warm_sweeps=int(solver == "auto" and table.stages.mean() <= _SHORT),
        strengths=np.zeros(table.n),
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
    if info.interrupted:
        raise interrupted(fit)
    if not info.converged:
        warnings.warn(
            f"plackett_luce did not reach tol={tol:g}: {info.message}", ConvergenceWarning, stacklevel=2
        )
    return fit


def _advice(info: RankInfo) -> str:
    ways = "raise max_iter or tol" if info.solver.startswith("newton") else "raise max_iter, or solver='auto'"
    return f"Newton decrement {info.error_bound:.1e} after {info.iterations} iterations; {ways}"


def _require_optimum(table: Rankings, prior: float) -> None:
    better, worse = table.beaten()
    one = np.ones(len(better))
    if _core.rank._strong_components(better, worse, one, np.zeros_like(one), table.n)[1] == 1:
        return
    report = Comparisons.from_pairs(table.items[better], table.items[worse], items=table.items).components()
    words = report.describe()
    if prior == 0:
        raise DisconnectedError(
            f"the strengths have no finite optimum: {words} Ways out: a prior (prior=1), or fewer items",
            report,
        )
    warnings.warn(
        f"some items are compared through the prior alone: {words}", DisconnectedWarning, stacklevel=3
    )
