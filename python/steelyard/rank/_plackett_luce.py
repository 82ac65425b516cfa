"""Plackett and Luce's model of rankings, by Newton's method with a certificate."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._errors import ConvergenceWarning, DisconnectedError, DisconnectedWarning, interrupted
from .._validate import check_choice, check_count, check_nonnegative, check_positive, check_progress
from ._comparisons import Comparisons
from ._covariance import KINDS
from ._fit import RankInfo
from ._labels import positions
from ._rankings import Rankings, read_rankings

Values = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

# The curvature is a full matrix.
_MOST_ITEMS = 10_000


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
        `error_bound` is the Newton decrement over all strengths, in standard errors, as for `bradley_terry`.
    """

    items: Values
    strengths: Floats
    log_likelihood: float
    prior: float
    info: RankInfo
    _rankings: Rankings = field(repr=False)
    _curvature: Floats = field(repr=False)

    def __repr__(self) -> str:
        state = "converged" if self.info.converged else "NOT converged"
        best = ", ".join(f"{self.items[i]} {self.strengths[i]:+.3f}" for i in self.order[:5])
        return (
            f"PlackettLuceFit: {len(self.items):,} items, {len(self._rankings.stages):,} rankings\n"
            f"{state}: Newton decrement {self.info.error_bound:.1e}, {self.info.iterations} steps\n"
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
        place = positions(self.items)
        try:
            s = self.strengths[[place[item] for item in items]]
        except KeyError as error:
            raise KeyError(f"no item {error.args[0]!r} among the {len(self.items)} items") from None
        chances = np.exp(s - s.max())
        return np.asarray(chances / chances.sum())

    def covariance(self, kind: str = "sandwich") -> Floats:
        """Covariance of the strengths, each against the mean of all.

        Parameters
        ----------
        kind : {'sandwich', 'hessian'}, default 'sandwich'
            'hessian' trusts the model, 'sandwich' only the independence of the rankings. Under a prior both
            are rough.

        Returns
        -------
        ndarray, shape (n, n)

        Notes
        -----
        O(n^3) time, 8 n^2 bytes.
        """
        kind = check_choice(kind, "kind", KINDS)
        n = len(self.items)
        from scipy.linalg import cho_factor, cho_solve

        matrix = self._curvature
        if self.prior == 0:  # singular along 1, which the centring takes out again
            matrix = matrix + float(np.trace(matrix)) / n**2
        inverse = cho_solve(cho_factor(matrix), np.eye(n))
        inverse -= inverse.mean(axis=0, keepdims=True)
        inverse -= inverse.mean(axis=1, keepdims=True)
        if kind == "hessian":
            return np.asarray(inverse)
        at = self.strengths + self.info.shift
        outer = _derivatives(self._rankings, at, curvature=False, outer=True)[3]
        return np.asarray(inverse @ outer @ inverse)

    def standard_errors(self, kind: str = "sandwich") -> Floats:
        """Standard errors of the strengths, each against the mean of all.

        Parameters
        ----------
        kind : {'sandwich', 'hessian'}, default 'sandwich'
            As for `covariance`.

        Returns
        -------
        ndarray, shape (n,)
        """
        return np.asarray(np.sqrt(np.maximum(np.diag(self.covariance(kind)), 0.0)))

    def bootstrap(self, n_rounds: int = 200, *, rng: Any = None) -> Floats:
        """Strengths refitted to resampled rankings.

        Parameters
        ----------
        n_rounds : int, default 200
        rng : None, int, SeedSequence, BitGenerator or Generator, optional

        Returns
        -------
        ndarray, shape (n_rounds, n)

        Notes
        -----
        The Bayesian bootstrap: rankings get independent exponential weights, so that each round has an
        optimum where the fit has one. A few Newton steps a round, from the fit.
        """
        rounds = check_count(n_rounds, "n_rounds")
        generator = np.random.default_rng(rng)
        start = self.strengths + self.info.shift
        out = np.empty((rounds, len(self.items)))
        for k in range(rounds):
            weight = generator.exponential(size=len(self._rankings.stages))
            found = _newton(self._rankings.reweighted(weight), start, self.prior, 1e-6, 50, None)
            if found.interrupted:
                raise interrupted(out[:k])
            out[k] = found.strengths - found.strengths.mean()
        return out

    def to_frame(self) -> dict[str, Values]:
        """Columns ``item``, ``strength``, ``standard_error``, best first; any data frame library takes them.

        Returns
        -------
        dict of str to ndarray
        """
        columns = {"item": self.items, "strength": self.strengths, "standard_error": self.standard_errors()}
        return {name: column[self.order] for name, column in columns.items()}


def plackett_luce(
    rankings: Any = None,
    *,
    choices: Any = None,
    items: Any = None,
    weights: Any = None,
    prior: float = 0.0,
    tol: float = 1e-10,
    max_iter: int = 100,
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
    tol : float, default 1e-10
        Largest Newton decrement to accept, in standard errors.
    max_iter : int, default 100
        Newton steps.
    progress : callable, optional
        Called as progress(step, max_iter).

    Returns
    -------
    PlackettLuceFit

    Raises
    ------
    DisconnectedError
        Without a prior, if the optimum is infinite or not unique; its ``report`` says who can't be compared.
    ValueError, TypeError
        If a ranking lists an item twice or fewer than two items, labels are missing, or there are more than
        10,000 items.

    Warns
    -----
    ConvergenceWarning
        If the decrement stays above `tol`.
    DisconnectedWarning
        With a prior, if some items are compared through it alone.

    Notes
    -----
    Newton's method on all strengths, halving steps that lower the likelihood: O(sum of squared lengths + n^3)
    a step and 24 n^2 bytes. The last bits depend on the BLAS thread count.

    References
    ----------
    .. [1] R. L. Plackett, "The Analysis of Permutations", Appl. Statist. 24 (1975).
    .. [2] D. R. Hunter, "MM algorithms for generalized Bradley-Terry models", Ann. Statist. 32 (2004).

    Examples
    --------
    >>> fit = plackett_luce([["ann", "ben", "cat"], ["ben", "ann", "cat"], ["cat", "ann"]])
    >>> print(fit.items[fit.order])
    ['ben' 'ann' 'cat']
    """
    table = read_rankings(rankings, choices, items, weights)
    prior = check_nonnegative(prior, "prior")
    tol = check_positive(tol, "tol")
    steps = check_count(max_iter, "max_iter")
    callback = check_progress(progress)
    if table.n > _MOST_ITEMS:
        raise ValueError(f"rankings must be of at most {_MOST_ITEMS:,} items, got {table.n:,}")
    _require_optimum(table, prior)
    found = _newton(table, np.zeros(table.n), prior, tol, steps, callback)
    shift = float(found.strengths.mean())
    message = (
        "" if found.decrement <= tol else f"Newton decrement {found.decrement:.1e}; raise max_iter or tol"
    )
    info = RankInfo(
        converged=found.decrement <= tol,
        iterations=found.steps,
        solver="newton (dense)",
        seconds=found.seconds,
        tol=tol,
        error_bound=found.decrement,
        error_kind="asymptotic",
        message=message,
        trace=found.trace,
        interrupted=found.interrupted,
        shift=shift,
    )
    fit = PlackettLuceFit(
        table.items,
        found.strengths - shift,
        found.log_likelihood,
        prior,
        info,
        table,
        found.curvature,
    )
    if info.interrupted:
        raise interrupted(fit)
    if not info.converged:
        warnings.warn(f"plackett_luce did not reach tol={tol:g}: {message}", ConvergenceWarning, stacklevel=2)
    return fit


def _require_optimum(table: Rankings, prior: float) -> None:
    better, worse = table.beaten()
    report = Comparisons.from_pairs(table.items[better], table.items[worse], items=table.items).components()
    if report.n_strong == 1:
        return
    words = report.describe()
    if prior == 0:
        raise DisconnectedError(
            f"the strengths have no finite optimum: {words} Ways out: a prior (prior=1), or fewer items",
            report,
        )
    warnings.warn(
        f"some items are compared through the prior alone: {words}", DisconnectedWarning, stacklevel=3
    )


@dataclass(frozen=True)
class _Found:
    strengths: Floats
    log_likelihood: float
    decrement: float
    curvature: Floats
    steps: int
    seconds: float
    trace: Values
    interrupted: bool


def _derivatives(
    table: Rankings, s: Floats, curvature: bool = True, outer: bool = False
) -> tuple[float, Floats, Floats, Floats]:
    return _core._rankings(table.starts, table.codes, table.stages, table.weight, s, curvature, outer)


def _prior_terms(s: Floats, prior: float) -> tuple[float, Floats, Floats]:
    """Log density, its slope, minus its curvature."""
    soft = np.logaddexp(0.0, -np.abs(s))  # -log of the larger sigma
    slope = np.tanh(0.5 * s)
    return float(-prior * (2 * soft + np.abs(s)).sum()), -prior * slope, 0.5 * prior * (1 - slope**2)


def _newton(table: Rankings, start: Floats, prior: float, tol: float, most: int, progress: Any) -> _Found:
    began = time.perf_counter()
    s, rows, stopped = start.copy(), [], False
    decrement, step, value = np.inf, 0, -np.inf
    curvature = np.zeros((len(s), len(s)))
    while True:
        try:
            value, gradient, curvature, _ = _derivatives(table, s)
        except KeyboardInterrupt:
            stopped = True
            break
        if prior:
            extra, slope, bend = _prior_terms(s, prior)
            gradient = gradient + slope
            curvature[np.diag_indices(len(s))] += bend
        else:
            extra = 0.0
        direction = _direction(curvature, gradient, prior)
        decrement = float(np.sqrt(max(0.0, float(gradient @ direction))))
        rows.append((step, decrement, value + extra, time.perf_counter() - began))
        if decrement <= tol or step >= most:
            break
        if progress is not None:
            progress(float(step), float(most))
        try:
            s = _ascend(table, s, direction, value + extra, decrement, prior)
        except KeyboardInterrupt:
            stopped = True
            break
        step += 1
    names: Any = [("step", float), ("decrement", float), ("log_posterior", float), ("seconds", float)]
    trace = np.array(rows, dtype=names)
    trace.flags.writeable = False
    return _Found(s, value, decrement, curvature, step, time.perf_counter() - began, trace, stopped)


def _direction(curvature: Floats, gradient: Floats, prior: float) -> Floats:
    from scipy.linalg import LinAlgError, cho_factor, cho_solve

    n = len(gradient)
    try:
        if prior:
            return np.asarray(cho_solve(cho_factor(curvature), gradient))
        scale = float(np.trace(curvature)) / n**2
        found = cho_solve(cho_factor(curvature + scale), gradient - gradient.mean())
    except LinAlgError:
        # Far from the optimum chances can round to 0 and 1.
        lift = 1e-8 * float(np.trace(curvature)) / n
        found = cho_solve(cho_factor(curvature + lift * np.eye(n) + lift), gradient)
    return np.asarray(found - found.mean())


def _ascend(
    table: Rankings, s: Floats, direction: Floats, value: float, decrement: float, prior: float
) -> Floats:
    """A step that does not lower the log posterior; full ones near the optimum, where its digits end."""
    factor = min(1.0, 5.0 / max(float(np.abs(direction).max()), 1e-300))
    for _ in range(40):
        there = s + factor * direction
        now = _derivatives(table, there, curvature=False)[0]
        if prior:
            now += _prior_terms(there, prior)[0]
        if now >= value - 1e-12 * abs(value) or decrement < 1e-6:
            return there
        factor *= 0.5
    return s
