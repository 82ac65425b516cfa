"""`team_strengths`: strengths of items that play in sides."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._errors import DisconnectedWarning, SeparationError, finish, warn
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
from .._chances import ELO, NO_TIES, Prediction, RankInfo, outcome_chances
from .._inference import FEW_GAMES, ROUND_STEPS, ROUND_TOL, Coefficients, Refitted, Story
from .._table import SideGames, home_signs, read_features, read_sides, side_matrix
from .problem import TIES
from .team_problem import TeamInformation, TeamPoint, TeamProblem
from .team_rank import in_words, rising, undetermined

Floats = npt.NDArray[np.float64]

_PROGRAM_LIMIT = 20_000  # games of a linear program that judges a fit that did not converge


@dataclass(frozen=True, repr=False, eq=False)
class TeamFit(Refitted):
    """Strengths of items that play in sides, with their certificate.

    Attributes
    ----------
    items : ndarray, shape (n_items,)
        Labels.
    strengths : ndarray, shape (n_items,)
        Natural-log strengths with mean 0: of the items' own and what their features say.
    tie_parameter : float or None
        As of `BradleyTerryFit`.
    home_advantage : float or None
        None unless fitted.
    log_likelihood : float
        Of the data, without priors.
    undetermined : tuple of tuple
        Groups of labels that the games do not tell apart, and the prior alone does; see `team_strengths`.
    ties : str
    prior, ridge : float
    info : RankInfo
        ``info.error_bound`` is the Newton decrement over all parameters, in standard errors, as for
        `bradley_terry`.

    Examples
    --------
    >>> from steelyard.rank import team_strengths
    >>> left = [("ann", "ben"), ("ann", "cat"), ("ann", "dan")]
    >>> right = [("cat", "dan"), ("ben", "dan"), ("ben", "cat")]
    >>> fit = team_strengths(left, right, [1, -1, 1], prior=1)
    >>> print(fit.items[fit.order[0]])
    ann
    """

    items: npt.NDArray[Any]
    strengths: Floats
    tie_parameter: float | None
    home_advantage: float | None
    log_likelihood: float
    undetermined: tuple[tuple[Any, ...], ...]
    ties: str
    prior: float
    ridge: float
    info: RankInfo = field(repr=False)
    _problem: TeamProblem = field(repr=False)
    _point: TeamPoint = field(repr=False)

    @property
    def coefficients(self) -> Coefficients | None:
        """Of the features, for one root mean square of each over the items; None without features."""
        problem = self._problem
        if not problem.feature_names:
            return None
        values = self._point.effects[int(problem.home) :]
        return Coefficients(problem.feature_names, values, problem.scales, self, np.ones(len(values)))

    @cached_property
    def scarce(self) -> npt.NDArray[np.bool_]:
        """Items that the prior alone tells from others, or with fewer than five effective games."""
        matrix, weight = abs(self._problem.games.matrix), self._problem.games.weight[:, None]
        games = np.asarray((matrix * weight).sum(axis=0)).ravel()
        squares = np.asarray((matrix * weight).power(2).sum(axis=0)).ravel()
        few = (games**2 < FEW_GAMES * squares) | (squares == 0)
        open_ = {label for group in self.undetermined for label in group}
        return np.asarray(few | np.array([label in open_ for label in self.items.tolist()], dtype=bool))

    def predict(self, left: Any, right: Any, home: Any = 0) -> Prediction:
        """Chances that sides beat, tie or lose to others.

        Parameters
        ----------
        left, right : sequence of sides
            As of `team_strengths`: a side a game.
        home : int or array_like, default 0
            +1 where the left side is at home, -1 where the right one is, 0 neutral.

        Returns
        -------
        Prediction
            One entry a game.

        Raises
        ------
        ValueError
            If a label is unknown, or `home` does not fit.

        Examples
        --------
        >>> from steelyard.rank import team_strengths
        >>> left, right = [["a", "b"], ["a"], ["b"]], [["c"], ["b", "c"], ["a"]]
        >>> fit = team_strengths(left, right, [1, -1, 1], prior=1)
        >>> print(fit.predict([["b"]], [["a"]]).win > 0.5)
        [ True]
        """
        _, matrix = side_matrix(left, right, self.items)
        sign = home_signs(home, self.home_advantage is not None, "home=")
        if sign.ndim > 1 or (sign.ndim == 1 and len(sign) != matrix.shape[0]):
            raise ValueError(f"home must be one number, or one a game ({matrix.shape[0]}), got {shown(home)}")
        x = matrix @ (self.strengths + self.info.shift) + sign * (self.home_advantage or 0.0)
        return Prediction(*outcome_chances(x, self.ties, self.tie_parameter))

    # ---- for what lies below

    def _refit(self, rng: np.random.Generator, n_threads: int) -> Callable[[], dict[str, Any]]:
        problem, at, weight = self._problem, self._point, self._problem.games.weight

        def refit() -> dict[str, Any]:
            drawn = problem.with_weight(weight * rng.standard_exponential(len(weight)))
            one = drawn.fit(at, tol=ROUND_TOL, max_iter=ROUND_STEPS, n_threads=n_threads)
            return {**one, "strengths": problem.strengths(one["strengths"], one["effects"])}

        return refit

    @property
    def _beside(self) -> int:
        return len(self._problem.names)

    def _further(self, found: list[dict[str, Any]]) -> dict[str, Floats | None]:
        problem = self._problem
        effects = np.array([one["effects"] for one in found]).reshape(len(found), -1)
        return {
            "tie_parameters": np.exp([one["tie"] for one in found]) if problem.model != "none" else None,
            "home_advantages": effects[:, 0] if problem.home else None,
            "coefficients": effects[:, int(problem.home) :] if problem.feature_names else None,
        }

    def _story(self, level: float) -> Story:
        effects, apart = self.coefficients, self.undetermined
        facts = [] if self.tie_parameter is None else [("Tie parameter", f"{self.tie_parameter:.4g}")]
        if self.home_advantage is not None:
            facts.append(("Home advantage", f"{self.home_advantage * ELO:+.0f} Elo points"))
        names = "; ".join(", ".join(map(str, group[:10])) for group in apart[:3])
        return Story(
            f"{len(self._problem.games.weight):,} games between sides of {len(self):,} items",
            f"sums of strengths a side, ties {self.ties}",
            f"Told apart by the prior alone: {names}" if apart else "The games tell all items apart.",
            self.prior,
            tuple(facts),
            None if effects is None else effects.to_frame(level=level),
            "chance to win alone, and half that of a tie,",
        )

    def _information(self, n_threads: int) -> TeamInformation:
        return TeamInformation(self._problem, self._point, self.tie_parameter or 1.0, n_threads)

    def _expected_scores(self, x: Floats) -> Floats:
        win, tie, _ = outcome_chances(x, self.ties, self.tie_parameter)
        return np.asarray(win + 0.5 * tie)

    def __repr__(self) -> str:
        state = "converged" if self.info.converged else "NOT converged"
        best = ", ".join(f"{self.items[i]} {self.strengths[i]:+.3f}" for i in self.order[:5])
        home = "" if self.home_advantage is None else f", home advantage {self.home_advantage:.3f}"
        told = "" if self.coefficients is None else f"\n{self.coefficients!r}"
        return (
            f"TeamFit: {len(self):,} items, {len(self._problem.games.weight):,} games, ties={self.ties!r}"
            f"{home}\n{state}: Newton decrement {self.info.error_bound:.1e} ({self.info.solver})\n"
            f"best: {best}{told}"
        )


def team_strengths(
    left: Any,
    right: Any,
    outcome: npt.ArrayLike,
    *,
    items: npt.ArrayLike | None = None,
    features: Any = None,
    free: bool = True,
    weight: npt.ArrayLike | None = None,
    home: npt.ArrayLike | None = None,
    ties: str = "davidson",
    prior: float = 0.0,
    ridge: float = 0.0,
    tol: float = 1e-8,
    max_iter: int = 100,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> TeamFit:
    """Fit strengths of items that play in sides: doubles, line-ups, partial play, ensembles, prompt x model.

    In each game x is the sum of the left side's strengths, by weight, minus that of the right side (plus the
    home advantage); chances of x are `bradley_terry`'s. Sides of one item each are its model.

    Parameters
    ----------
    left, right : sequence of sides, 2-D array of labels, or scipy.sparse matrix, shape (n_games, n_items)
        A side is a list, tuple or set of labels, a mapping {label: weight} (half a game played: 0.5), or one
        label. A matrix holds weights >= 0. An item on both sides counts by the difference.
    outcome : array_like, shape (n_games,)
        1 left won, 0 tie, -1 right won; or booleans (left won); or 'left', 'right', 'tie'.
    items : array_like, optional
        All labels, in the order wanted; others are refused. Of matrices, the labels of the columns.
    features : mapping, data frame or array_like with one row an item, optional
        Columns of numbers, in the order of `items`, which must be given.
    free : bool, default True
        A strength of its own for each item, beside what features say. False: features alone.
    weight : array_like, shape (n_games,), or float, optional
        Sampling weight of a game, >= 0. Sandwich errors account for it.
    home : array_like of {-1, 0, 1}, shape (n_games,), or int, optional
        +1 the left side is at home, -1 the right one. Given, a home advantage is fitted.
    ties : {'davidson', 'rao-kupper', 'half', 'drop'}
        As of `bradley_terry`.
    prior : float, default 0
        As of `bradley_terry`, on each free strength. Beside features it must be positive.
    ridge : float, default 0
        Normal prior of the coefficients: ridge / 2 times the square, for one root mean square of a feature.
    tol : float, default 1e-8
        Largest Newton decrement to accept, in standard errors.
    max_iter : int, default 100
        Newton steps.
    n_threads : int, optional
        Default: see `steelyard.build_info`. The answer does not depend on it.
    progress : callable, optional
        Called as progress(iteration, max_iter).

    Returns
    -------
    TeamFit

    Raises
    ------
    SeparationError
        If the games do not tell some items apart (``flat``), or the optimum is at infinity; the message names
        whom.
    ValueError, TypeError
        If an argument does not fit; the message names it.
    KeyboardInterrupt
        On Ctrl-C; ``.partial`` holds the fit so far.

    Warns
    -----
    ConvergenceWarning
        If the decrement stays above `tol`.
    DisconnectedWarning
        With a prior, if it alone tells some items apart.

    Notes
    -----
    Partners who always play together are known by their sum alone; in mixed doubles women and men are never
    against each other, so that how high the two groups stand is open: without a prior both are refused by
    name, with one they are told and kept in `undetermined`. Whether something is open is found from the null
    space of the games, beyond 600 items by conjugate gradients.

    The log-likelihood is concave. Newton steps are solved by dense or sparse Cholesky, or by conjugate
    gradients where items meet in too many ways. With these and a prior, or with Cholesky,
    ``info.error_bound`` bounds the decrement; with these and no prior what they leave is estimated by their
    smallest Ritz value, and ``info.error_kind`` is 'estimate'. Time: O(entries of the sides) a pass.

    Examples
    --------
    >>> from steelyard.rank import team_strengths
    >>> left = [["ann", "ben"], ["ann", "cat"], ["ann", "dan"]] * 3
    >>> right = [["cat", "dan"], ["ben", "dan"], ["ben", "cat"]] * 3
    >>> fit = team_strengths(left, right, [1, 1, 1, 1, -1, -1, -1, 1, 1])
    >>> print(fit.predict([["ann", "cat"]], [["ben", "dan"]]).win.round(3))  # two of three
    [0.667]
    """
    prior, ridge = check_nonnegative(prior, "prior"), check_nonnegative(ridge, "ridge")
    ties, free = check_choice(ties, "ties", TIES), check_flag(free, "free")
    tol, steps = check_positive(tol, "tol"), check_steps(max_iter, "max_iter")
    threads, callback = check_threads(n_threads), check_progress(progress)
    if features is not None and items is None:
        raise ValueError("features needs items: the labels that its rows belong to, in their order")
    if features is None and not free:
        raise ValueError("free must be True without features")
    if features is not None and free and prior == 0:
        raise ValueError("prior must be positive for free strengths beside features; or free=False")
    games = read_sides(left, right, outcome, weight, home, items)
    if games.home is not None and not games.home.any():
        raise ValueError("home must be +1 or -1 somewhere")
    if ties == "drop" and (games.outcome == 0).any():
        if not games.outcome.any():
            raise ValueError("outcome holds ties alone: with ties='drop' there is nothing to compare")
        games = games.take(np.flatnonzero(games.outcome))
    problem = _problem(games, features, free, ties, prior, ridge)
    _require_decided(problem)
    groups = _require_determined(problem, threads)
    out = problem.fit(problem.start(), tol=tol, max_iter=steps, n_threads=threads, progress=callback)
    if not (out["info"]["converged"] or out["info"]["interrupted"]) and len(games.weight) <= _PROGRAM_LIMIT:
        names = rising(problem)
        if names:
            more = f" and {len(names) - 5} more" if len(names) > 5 else ""
            raise SeparationError(
                f"no finite optimum: the likelihood never falls as {', '.join(names[:5])}{more} move on. Add "
                "games, or set a prior (and a ridge for features)",
                names[0],
            )
    return finish(_result(problem, out, groups), "team_strengths", n_threads=n_threads)


def _problem(
    games: SideGames, features: Any, free: bool, ties: str, prior: float, ridge: float
) -> TeamProblem:
    n = len(games.items)
    matrix, names = read_features(features, n) if features is not None else (np.zeros((n, 0)), ())
    largest = np.abs(matrix).max(axis=0, initial=0.0)
    scales = largest * np.sqrt(np.square(matrix / np.where(largest > 0, largest, 1.0)).mean(axis=0))
    return TeamProblem(games, ties, prior, ridge, matrix / scales, names, scales, free)


def _require_decided(problem: TeamProblem) -> None:
    if problem.model != "none" and not problem.games.outcome.any():
        raise SeparationError(
            "tie_parameter has no finite optimum: all games are ties. Give ties='half'", "tie_parameter"
        )
    idle = np.flatnonzero(np.bincount(problem.games.matrix.indices, minlength=problem.n) == 0)
    if problem.has_free and problem.prior == 0 and len(idle):
        raise SeparationError(
            f"{problem.games.items[idle[0]]!s} plays no game (and {len(idle) - 1} others): leave them out of "
            "items, or set a prior",
            str(problem.games.items[idle[0]]),
            True,
        )


def _require_determined(problem: TeamProblem, threads: int) -> tuple[tuple[Any, ...], ...]:
    """Groups that the prior alone tells apart; raises without one."""
    found = undetermined(problem, threads)
    if not found:
        return ()
    words = in_words(found, problem.games.items)
    held = problem.prior if problem.has_free else problem.ridge
    if held == 0 or "home_advantage" in found.names:
        first = found.names or [
            str(problem.games.items[k]) for group in found.partners + found.groups for k in group
        ]
        way = "a prior (prior=1)" if problem.has_free else "a ridge, or leave a feature out"
        raise SeparationError(
            f"the games do not determine all strengths: {words}. Ways out: {way}", first[0], True
        )
    warn(f"the prior alone tells some apart: {words}", DisconnectedWarning)
    groups = [tuple(problem.games.items[group].tolist()) for group in found.partners + found.groups]
    return (*groups, *((tuple(found.names),) if found.names else ()))


def _result(problem: TeamProblem, out: dict[str, Any], groups: tuple[tuple[Any, ...], ...]) -> TeamFit:
    raw = problem.strengths(out["strengths"], out["effects"])
    shift = float(raw.mean())
    info = RankInfo.from_core(out["info"], shift=shift)
    if not info.converged:
        way = (
            "a larger tol accepts it"
            if (info.error_bound or 1.0) < 1e-5
            else "raise max_iter, or set a prior"
        )
        told = f"Newton decrement {info.error_bound:.1e} after {info.iterations} steps; {way}"
        info = replace(info, message=told)
    strengths = raw - shift
    strengths.flags.writeable = False
    tie = None
    if problem.ties in NO_TIES:
        tie = math.exp(out["tie"]) if problem.model != "none" else NO_TIES[problem.ties]
    return TeamFit(
        items=problem.games.items,
        strengths=strengths,
        tie_parameter=tie,
        home_advantage=float(out["effects"][0]) if problem.home else None,
        log_likelihood=float(out["log_likelihood"]),
        undetermined=groups,
        ties=problem.ties,
        prior=problem.prior,
        ridge=problem.ridge,
        info=info,
        _problem=problem,
        _point=TeamPoint(out["strengths"], float(out["tie"]), out["effects"]),
    )
