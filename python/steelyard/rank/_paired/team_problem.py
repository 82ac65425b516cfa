"""Games between sides as a model counts them: the one place that calls their kernels."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _core
from ..._validate import Progress
from .._chances import NO_TIES
from .._inference import SINGULAR, Information, draw_prior_scores, without_shift
from .._table import SideGames

Floats = npt.NDArray[np.float64]

_ACCURACY = 1e-10
_DRAWS = 2**22  # entries of a block of games x draws


@dataclass(frozen=True, eq=False)
class TeamPoint:
    """Values of all parameters, as the kernels have them.

    Attributes
    ----------
    free : ndarray
        Free strengths, beside what features say; empty without them.
    tie : float
        log nu, or log theta.
    effects : ndarray
        Home advantage (if fitted), then coefficients for one root mean square of each feature.
    """

    free: Floats
    tie: float
    effects: Floats


@dataclass(frozen=True, eq=False)
class TeamProblem:
    """Games between sides and a model of them.

    Attributes
    ----------
    games : SideGames
        With ties='drop', without the ties.
    ties : str
    prior, ridge : float
    features : ndarray, shape (n_items, n_features)
        Divided by their root mean squares.
    names, scales : tuple
        Of the features.
    has_free : bool
        Whether each item has a strength of its own.
    weight : ndarray or None
        Instead of those of the games.
    springs : ndarray or None
        Curvatures of normal priors of free strengths, which replace the other prior where they are positive.
    groups : tuple of ndarray, or None
        First columns of groups that meet through a whole alone; each one's column of the whole, or -1.
    """

    games: SideGames
    ties: str
    prior: float
    ridge: float
    features: Floats
    feature_names: tuple[str, ...]
    scales: Floats
    has_free: bool
    weight: Floats | None = None
    springs: Floats | None = None
    groups: tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @property
    def n(self) -> int:
        """Number of items."""
        return len(self.games.items)

    @property
    def home(self) -> bool:
        """Is a home advantage fitted?"""
        return self.games.home is not None

    @cached_property
    def model(self) -> str:
        """`ties`, or 'none' without a tie parameter."""
        return self.ties if self.ties in NO_TIES and (self.games.outcome == 0).any() else "none"

    @property
    def names(self) -> tuple[str, ...]:
        """Parameters that follow the strengths."""
        tie = ("tie_parameter",) if self.model != "none" else ()
        return tie + (("home_advantage",) if self.home else ()) + self.feature_names

    @cached_property
    def balanced(self) -> bool:
        """Does a common shift change nothing?"""
        return self.games.balanced

    @property
    def centred(self) -> bool:
        """Is the common shift of the free strengths no parameter?"""
        return self.has_free and self.prior == 0 and self.springs is None and self.balanced

    # ---- the kernels

    @cached_property
    def effects(self) -> Floats:
        """What shifts x beside the free strengths: games x (home, features)."""
        columns = [] if self.games.home is None else [self.games.home.astype(np.float64)[:, None]]
        columns.append(np.asarray(self.games.matrix @ self.features))
        return np.ascontiguousarray(np.hstack(columns))

    @cached_property
    def sides(self) -> _core.rank.Sides:
        """The games that the kernels walk; none of the items without free strengths."""
        matrix = self.games.matrix
        return sides_of(matrix if self.has_free else matrix[:, :0])

    @cached_property
    def counts(self) -> tuple[Floats, Floats, Floats | None]:
        """Games won, lost and tied, by weight."""
        weight = self.games.weight if self.weight is None else self.weight
        wins, losses, tied = (weight * (self.games.outcome == k) for k in (1, -1, 0))
        if self.model != "none":
            return wins, losses, tied
        return wins + 0.5 * tied, losses + 0.5 * tied, None

    @cached_property
    def kernel(self) -> _core.rank.Teams:
        """As the kernels have it; made anew after unpickling."""
        wins, losses, ties = self.counts
        ridge = np.full(self.effects.shape[1], self.ridge)
        ridge[: int(self.home)] = 0.0
        return _core.rank.Teams(
            self.sides,
            self.effects,
            ridge,
            wins,
            losses,
            ties,
            self.model,
            self.prior,
            self.springs,
            self.centred,
            *(self.groups or (None, None)),
        )

    def with_weight(self, weight: Floats) -> TeamProblem:
        """The same games with other weights."""
        other = replace(self, weight=weight)
        for name in ("effects", "sides", "model", "balanced"):
            other.__dict__[name] = getattr(self, name)
        return other

    def start(self) -> TeamPoint:
        """All items equal, and the tie parameter that explains the share of ties among equals."""
        tie = 0.0
        if self.model != "none":
            share = float(self.games.weight @ (self.games.outcome == 0)) / float(self.games.weight.sum())
            share = min(max(share, 1e-6), 1 - 1e-6)
            tie = math.log(2 * share / (1 - share))
            if self.model == "rao-kupper":
                tie = math.log((1 + share) / (1 - share))
        return TeamPoint(np.zeros(self.n if self.has_free else 0), tie, np.zeros(self.effects.shape[1]))

    def fit(
        self, start: TeamPoint, *, tol: float, max_iter: int, n_threads: int, progress: Progress | None = None
    ) -> dict[str, Any]:
        """The optimum, with its certificate."""
        return self.kernel.fit(
            start.free,
            start.tie,
            start.effects,
            tol=tol,
            max_iter=max_iter,
            n_threads=n_threads,
            progress=progress,
        )

    def hessian(self, at: TeamPoint, n_threads: int) -> Floats:
        """In full: free strengths, tie, effects."""
        d = self.kernel.derivatives(at.free, at.tie, at.effects, n_threads)
        n = len(at.free)
        size = n + len(d["extra_hessian"])
        matrix = np.zeros((size, size))
        if n:
            a = self.games.matrix
            matrix[:n, :n] = (a.T @ a.multiply(d["game_curvature"][:, None])).toarray()
            if len(d["prior_curvature"]):
                matrix[range(n), range(n)] += d["prior_curvature"]
        matrix[:n, n:], matrix[n:, :n], matrix[n:, n:] = d["border"], d["border"].T, d["extra_hessian"]
        return matrix

    def strengths(self, free: Floats, effects: Floats) -> Floats:
        """Of the items: their own, and what features say."""
        told = self.features @ effects[int(self.home) :]
        return np.asarray(free + told if self.has_free else told)

    def arguments(self, at: TeamPoint) -> Floats:
        """x of each game."""
        free = self.games.matrix @ at.free if self.has_free else 0.0
        return np.asarray(free + self.effects @ at.effects)


def sides_of(matrix: Any) -> _core.rank.Sides:
    """A compressed matrix of games x items as the kernels have it."""
    by_item = matrix.tocsc()
    return _core.rank.Sides(
        matrix.indptr.astype(np.int64),
        matrix.indices.astype(np.int32),
        matrix.data,
        by_item.indptr.astype(np.int64),
        by_item.indices.astype(np.int32),
        by_item.data,
    )


class TeamInformation(Information):
    """H and J over (strengths, tie, home, coefficients); J takes games as independent.

    The kernels have free strengths f in the place of s = f + F b: with T from theirs to these,
    H^+ = T H_kernel^+ T'. Scores by (s, tie, home, b) have none by b.
    """

    most = 3000

    def __init__(self, problem: TeamProblem, at: TeamPoint, tie_parameter: float, n_threads: int) -> None:
        self.problem, self.at, self.threads = problem, at, n_threads
        self.n, self.size = problem.n, problem.n + len(problem.names)
        # Where a shift changes x, covariances must take the mean away, as under a prior.
        self.prior = problem.prior if problem.centred else max(problem.prior, 1.0)
        self.extra = dict.fromkeys(problem.names, 1.0)
        if "tie_parameter" in self.extra:
            self.extra["tie_parameter"] = tie_parameter

    @property
    def _features(self) -> int:
        return int(self.problem.features.shape[1])

    def approximate(self, kind: str) -> bool:
        """The Hessian holds a prior, or counts a tie as half a win."""
        problem = self.problem
        half = problem.ties == "half" and bool((problem.games.outcome == 0).any())
        return kind == "hessian" and (problem.prior > 0 or problem.ridge > 0 or half)

    # ---- between the two sets of parameters

    def _to_kernel(self, b: Floats) -> Floats:
        """T' b."""
        out = np.array(b if self.problem.has_free else b[self.n :], dtype=np.float64)
        if self._features:
            out[len(out) - self._features :] += self.problem.features.T @ b[: self.n]
        return out

    def _from_kernel(self, x: Floats) -> Floats:
        """T x."""
        told = self.problem.features @ x[len(x) - self._features :]
        if not self.problem.has_free:
            return np.concatenate([told, x])
        return np.concatenate([x[: self.n] + told, x[self.n :]])

    # ---- H

    def inverse(self) -> Floats:
        problem, at = self.problem, self.at
        matrix, n = problem.hessian(at, self.threads), len(at.free)
        shift = matrix[range(n), range(n)].mean() / n if problem.centred else 0.0
        matrix[:n, :n] += shift
        inverse = _core.linalg._inverse_positive_definite(matrix)
        if inverse is None:
            raise ValueError(SINGULAR)
        if problem.centred:
            inverse[:n, :n] -= 1.0 / (n * n * shift)
        return self._from_kernel(self._from_kernel(np.asarray(inverse)).T)

    def solve(self, right_sides: Floats) -> Floats:
        at = self.at
        b = np.ascontiguousarray(self._to_kernel(right_sides))
        found = self.problem.kernel.solve(at.free, at.tie, at.effects, b, _ACCURACY, self.threads)
        if found is None:
            raise ValueError(SINGULAR)
        return self._from_kernel(np.asarray(found))

    # ---- J

    @cached_property
    def _chances(self) -> tuple[Floats, list[tuple[Floats, Floats]], list[Floats]]:
        """Of win, loss and tie: (score by x, by tie) each, and chances."""
        problem, at = self.problem, self.at
        x = problem.arguments(at)
        parameter = math.exp(at.tie) if problem.model != "none" else 1.0
        win, loss, tie = _core.rank._outcome_scores(problem.model, parameter, x)
        if problem.model == "none":
            tie = tuple(0.5 * (a + b) for a, b in zip(win, loss, strict=True))
        own = parameter if problem.model != "none" else 0.0
        chances = _core.rank._outcome_chances(problem.model, np.array([own]), x)
        p_win, p_tie, p_loss = (np.asarray(part) for part in chances)
        return x, [win, loss, tie], [p_win, p_loss, p_tie]

    @cached_property
    def _scores(self) -> tuple[Floats, Floats]:
        """Of each game, weighted: the score by x and by the tie parameter."""
        games = self.problem.games
        _, (win, loss, tie), _ = self._chances
        pick = [games.outcome == 1, games.outcome == -1]
        by_x, by_tie = (np.select(pick, [win[k], loss[k]], tie[k]) for k in (0, 1))
        return games.weight * by_x, games.weight * by_tie

    def _moved(self, x: Floats) -> Floats:
        """What columns over all parameters do to the weighted score of each game: games x columns."""
        problem, (by_x, by_tie) = self.problem, self._scores
        x = without_shift(x, self.n) if problem.balanced else x
        shift = np.asarray(problem.games.matrix @ x[: self.n])
        place = self.n + (problem.model != "none")
        if problem.games.home is not None:
            shift = shift + problem.games.home[:, None] * x[place]
        moved = by_x[:, None] * shift
        return np.asarray(moved + by_tie[:, None] * x[self.n] if problem.model != "none" else moved)

    def quadratic(self, x: Floats) -> Floats:
        moved = self._moved(x)
        return np.asarray(moved.T @ moved)

    def variances(self, x: Floats) -> Floats:
        return np.asarray(np.square(self._moved(x)).sum(axis=0))

    def draw_scores(self, rng: np.random.Generator, draws: int, kind: str) -> Floats:
        problem, games = self.problem, self.problem.games
        out = np.zeros((self.size, draws))
        if kind == "sandwich":
            units = [(*self._scores, np.ones(len(games.weight)))]
        else:
            _, scores, chances = self._chances
            units = [(*score, np.sqrt(games.weight * p)) for score, p in zip(scores, chances, strict=True)]
        place, block = self.n + (problem.model != "none"), max(1, _DRAWS // draws)
        for begin in range(0, len(games.weight), block):
            some = slice(begin, begin + block)
            by_x = np.zeros((len(games.weight[some]), draws))
            for by, by_tie, size in units:
                noise = size[some, None] * rng.standard_normal(by_x.shape)
                by_x += by[some, None] * noise
                if problem.model != "none":
                    out[self.n] += by_tie[some] @ noise
            out[: self.n] += games.matrix[some].T @ by_x
            if games.home is not None:
                out[place] += games.home[some] @ by_x
        if kind == "hessian":
            self._add_priors(out, rng, draws)
        return out

    def _add_priors(self, out: Floats, rng: np.random.Generator, draws: int) -> None:
        """Of the free strengths and the coefficients, by T'^{-1} over these parameters."""
        problem, q = self.problem, self._features
        if problem.has_free and problem.prior > 0:
            noise = draw_prior_scores(problem.prior, self.at.free, rng, draws)
            out[: self.n] += noise
            if q:
                out[self.size - q :] -= problem.features.T @ noise
        if q and problem.ridge > 0:
            out[self.size - q :] += math.sqrt(problem.ridge) * rng.standard_normal((q, draws))
