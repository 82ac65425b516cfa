"""`graded`: strengths from outcomes on an ordered scale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
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
from .._inference import ROUND_STEPS, ROUND_TOL, Refitted, Story, draw_counts
from .._table import Comparisons, ComponentReport, GradedComparisons, home_signs, refuse_parts, require_graded
from .graded_problem import GradedInformation, GradedPoint, GradedProblem
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

    @property
    def levels(self) -> tuple[str, ...]:
        """From the best for the left item to the worst."""
        return self.comparisons.levels

    def predict(self, a: Any, b: Any, home: Any = 0) -> Floats:
        """Chances of all levels for a against b.

        Parameters
        ----------
        a, b : label, or sequence of labels of equal length
        home : int or array_like, default 0
            +1 where a is at home, -1 where b is.

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
        chances = self._chances(self.strengths[i] - self.strengths[j] + sign * (self.home_advantage or 0.0))
        return chances if many else chances[0]

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
        return Story(
            f"{self.comparisons.n_comparisons:,.12g} graded comparisons of {len(self):,} items",
            f"Bradley-Terry of ordered outcomes, {self.link} logits",
            _components(self.comparisons).describe(),
            self.prior,
            tuple(facts),
            expected="chance of a better outcome, and half that of the middle one,",
        )

    # ---- for what lies below

    def _refit(self, rng: np.random.Generator, n_threads: int) -> Callable[[], dict[str, Any]]:
        problem, table, at = self._problem, self.comparisons, self._point
        draw = draw_counts(table.counts, table.squared)

        def refit() -> dict[str, Any]:
            # A soft row is one comparison.
            drawn = table.counts * rng.exponential(size=(len(table.counts), 1)) if table.soft else draw(rng)
            counts = np.zeros_like(problem.counts)
            np.add.at(counts, problem.graph.edge_of_row, drawn[:, ::-1])
            return problem.fit(at, tol=ROUND_TOL, max_iter=ROUND_STEPS, counts=counts, n_threads=n_threads)

        return refit

    @property
    def _beside(self) -> int:
        return self._problem.free

    def _further(self, found: list[dict[str, Any]]) -> dict[str, Floats | None]:
        home = None if self.home_advantage is None else np.array([one["home"] for one in found])
        return {"home_advantages": home}

    @property
    def _problem(self) -> GradedProblem:
        return GradedProblem(self.comparisons, self.link, self.home_advantage is not None, self.prior)

    @property
    def _point(self) -> GradedPoint:
        return GradedPoint(self.strengths + self.info.shift, self.thresholds, self.home_advantage or 0.0)

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
            f"thresholds {thresholds or 'none'}{home}\nbest: {best}"
        )


def graded(
    comparisons: GradedComparisons,
    *,
    link: str = "cumulative",
    home: bool = False,
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
    comparisons : GradedComparisons
        See `GradedComparisons.from_grades`, `from_frame`, `from_chances` (soft outcomes).
    link : {'cumulative', 'adjacent'}
    home : bool, default False
        Fit a home advantage h: s_i + h replaces s_i for the side at home.
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
        If a level and its mirror never occur, or the optimum is at infinity otherwise.
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
    one scale where the model does not hold exactly.

    References
    ----------
    .. [1] Pratt, "Concavity of the log likelihood", JASA 76 (1981).
    .. [2] Agresti, "Analysis of ordinal paired comparison data", Appl. Statist. 41 (1992).

    Examples
    --------
    >>> from steelyard.rank import GradedComparisons, graded
    >>> votes = {
    ...     "left": ["a", "a", "b", "a", "b"],
    ...     "right": ["b", "b", "a", "b", "a"],
    ...     "outcome": ["much better", "better", "better", "tie", "worse"],
    ... }
    >>> levels = ["much better", "better", "tie", "worse", "much worse"]
    >>> fit = graded(GradedComparisons.from_frame(votes, outcome_levels=levels))
    >>> bool(fit.predict("a", "b").argmax() < 3)
    True
    """
    require_graded(comparisons)
    link, home = check_choice(link, "link", LINKS), check_flag(home, "home")
    prior, tol = check_nonnegative(prior, "prior"), check_positive(tol, "tol")
    steps, threads, callback = (
        check_steps(max_iter, "max_iter"),
        check_threads(n_threads),
        check_progress(progress),
    )
    if home and (comparisons.home is None or not comparisons.home.any()):
        raise ValueError("home=True needs comparisons with a home side; give from_grades(home=...)")
    problem = GradedProblem(comparisons, link, home, prior)
    _require_levels(comparisons)
    _require_connected(comparisons, prior)
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
        float(out["home"]) if problem.home else None,
        float(out["log_likelihood"]),
        problem.link,
        problem.prior,
        problem.comparisons,
        info,
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
