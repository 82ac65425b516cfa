"""Comparisons by judge as a model counts them, and what they say of its parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._errors import interrupted, report
from ..._validate import Progress
from .._inference import SINGULAR, Information, without_shift
from .arrow import Arrow, ArrowFactor

Floats = npt.NDArray[np.float64]

MOST = 3000  # items of a dense core
_FAR = 300.0  # lead that no finite optimum is expected to have


@dataclass(frozen=True, eq=False)
class Meetings:
    """Which judge saw which item: the pattern of what their parameters have to do with each other."""

    starts: npt.NDArray[np.int64]
    items: npt.NDArray[np.int64]
    left: npt.NDArray[np.intp]  # the place of each row's judge and item
    right: npt.NDArray[np.intp]

    @classmethod
    def of(cls, judge: Any, left: Any, right: Any, n: int, judges: int) -> Meetings:
        """From rows of comparisons."""
        codes = np.concatenate([judge.astype(np.int64) * n + end for end in (left, right)])
        seen, place = np.unique(codes, return_inverse=True)
        starts = np.searchsorted(seen, np.arange(judges + 1, dtype=np.int64) * n)
        return cls(starts, seen % n, place[: len(left)], place[len(left) :])


@dataclass(frozen=True, eq=False)
class JudgeProblem:
    """Rows of comparisons by judge: x = r_j (s_left - s_right) + b_j e; parameters (s, r, b, log nu).

    Priors: r_j normal about 1, b_j about 0, and `bradley_terry`'s of the strengths.
    """

    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    judge: npt.NDArray[np.int32]
    side: Floats
    counts: Floats  # rows x (win, loss, tie)
    squared: Floats
    n: int
    judges: int
    home: bool
    tied: bool  # nu is a parameter
    prior: float
    spreads: tuple[float, float]
    meetings: Meetings

    @property
    def size(self) -> int:
        """Number of parameters."""
        return self.n + self.judges * (1 + self.home) + self.tied

    def with_counts(self, counts: Floats) -> JudgeProblem:
        """The same rows with other counts."""
        return replace(self, counts=counts)

    def with_spread(self, which: int, spread: float) -> JudgeProblem:
        """The same with another prior of the reliabilities (0) or the biases (1)."""
        spreads = (spread, self.spreads[1]) if which == 0 else (self.spreads[0], spread)
        return replace(self, spreads=spreads)

    def evidence(self, start: Floats) -> float:
        """Log marginal likelihood up to a constant, by Laplace's method."""
        at, account = self.fit(start, 1e-4, 60, None)
        if account["interrupted"]:
            raise interrupted(None)
        value, _, H = self.derivatives(at)
        factor = self.anchored(H).factor()
        priors = self.judges * (math.log(self.spreads[0]) + self.home * math.log(self.spreads[1]))
        return -math.inf if factor is None else value - priors - 0.5 * factor.log_volume

    # ---- x and its derivatives by all parameters but nu

    def parts(self, at: Floats) -> tuple[Floats, Floats, Floats]:
        """Of each row x, the judge's reliability and the gap of the strengths."""
        gap, slope = at[self.left] - at[self.right], at[self.n + self.judge]
        x = slope * gap
        if self.home:
            x = x + at[self.n + self.judges + self.judge] * self.side
        return x, slope, gap

    def along(self, at: Floats, v: Floats) -> Floats:
        """How x changes along columns v: rows x columns."""
        _, slope, gap = self.parts(at)
        out = slope[:, None] * (v[self.left] - v[self.right]) + gap[:, None] * v[self.n + self.judge]
        if self.home:
            out += self.side[:, None] * v[self.n + self.judges + self.judge]
        return np.asarray(out)

    def gathered(self, at: Floats, weight: Floats, absolute: bool = False) -> Floats:
        """Sums over the rows of weight times the derivatives of x; of their sizes where `absolute`."""
        _, slope, gap = self.parts(at)
        side, sign = self.side, -1.0
        if absolute:
            slope, gap, side, sign = np.abs(slope), np.abs(gap), np.abs(side), 1.0
        out, n = np.zeros(self.size), self.n
        out[:n] = np.bincount(self.left, weight * slope, n) + sign * np.bincount(
            self.right, weight * slope, n
        )
        out[n : n + self.judges] = np.bincount(self.judge, weight * gap, self.judges)
        if self.home:
            begin = n + self.judges
            out[begin : begin + self.judges] = np.bincount(self.judge, weight * side, self.judges)
        return out

    def gram(
        self, at: Floats, weight: Floats, by_tie: Floats, tie: float, slope: Floats | None = None
    ) -> Arrow:
        """Sum over the rows of weight d d' for the derivatives d of x, with the row of log nu.

        `slope`, of each row by x, adds what x is no linear form of: - slope times its second derivatives.
        """
        from scipy import sparse

        _, r, gap = self.parts(at)
        n, k, w = self.n, self.judges, weight * r
        core = np.zeros((n + self.tied, n + self.tied))
        pair = self.left.astype(np.int64) * n + self.right
        core[:n, :n] = -np.bincount(pair, w * r, n * n).reshape(n, n)
        core[:n, :n] += core[:n, :n].T
        ends = np.bincount(self.left, w * r, n) + np.bincount(self.right, w * r, n)
        core[range(n), range(n)] += ends
        kinds = [gap, self.side] if self.home else [gap]
        extra = np.zeros(len(w)) if slope is None else slope
        meet, values, columns = self.meetings, [], []
        for place, own in enumerate(kinds):
            given = w * own - (extra if place == 0 else 0.0)
            size = len(meet.items)
            values.append(np.bincount(meet.left, given, size) - np.bincount(meet.right, given, size))
            columns.append(np.bincount(self.judge, by_tie * own, k))
        starts = np.concatenate([meet.starts[:-1] + t * len(meet.items) for t in range(len(kinds))])
        starts = np.append(starts, len(kinds) * len(meet.items))
        cross = sparse.csr_array(
            (np.concatenate(values), np.tile(meet.items, len(kinds)), starts), shape=(k * len(kinds), n)
        )
        if self.tied:
            border = sparse.csr_array(np.concatenate(columns)[:, None])
            cross = sparse.csr_array(sparse.hstack([cross, border]))
            core[:n, n] = core[n, :n] = np.bincount(self.left, by_tie * r, n) - np.bincount(
                self.right, by_tie * r, n
            )
            core[n, n] = tie
        blocks = np.empty((k, len(kinds), len(kinds)))
        for a, one in enumerate(kinds):
            for b, other in enumerate(kinds):
                blocks[:, a, b] = np.bincount(self.judge, weight * one * other, k)
        return Arrow(n, core, cross, blocks)

    def scores(self, at: Floats, x: Floats) -> tuple[Floats, Floats, Floats]:
        """Log chances of win, loss and tie, and their derivatives by x and log nu: rows x 3."""
        up, down, middle = 0.5 * x, -0.5 * x, np.full(len(x), at[-1] if self.tied else -np.inf)
        logits = np.column_stack([up, down, middle])
        most = logits.max(axis=1, keepdims=True)
        log_p = logits - (most + np.log(np.exp(logits - most).sum(axis=1, keepdims=True)))
        win, loss, tie = np.exp(log_p).T  # sums of chances alone: small scores keep their digits
        by_x = np.column_stack([loss + 0.5 * tie, -win - 0.5 * tie, 0.5 * (loss - win)])
        return log_p, by_x, np.column_stack([-tie, -tie, win + loss])

    def derivatives(self, at: Floats) -> tuple[float, Floats, Arrow]:
        """Penalised log-likelihood, gradient and negative Hessian."""
        n, k = self.n, self.judges
        x = self.parts(at)[0]
        log_p, by_x, by_tie = self.scores(at, x)
        seen = self.counts > 0
        value = float((self.counts * np.where(seen, log_p, 0.0)).sum())
        slope = (self.counts * np.where(seen, by_x, 0.0)).sum(axis=1)
        games, p = self.counts.sum(axis=1), np.exp(log_p)
        g = self.gathered(at, slope)
        # Davidson's model is an exponential family in (x, log nu): its Hessian is what is expected.
        curved = np.where(p > 0, by_x, 0.0)
        bend = games * (p * curved**2).sum(axis=1)
        tie = (games * (p * by_tie**2).sum(axis=1)).sum() if self.tied else 0.0
        H = self.gram(at, bend, games * (p * curved * by_tie).sum(axis=1), tie, slope)
        if self.tied:
            g[-1] = (self.counts * by_tie).sum()
        priors = np.zeros(self.size)
        for begin, middle, spread in ((n, 1.0, self.spreads[0]), (n + k, 0.0, self.spreads[1])):
            if begin == n or self.home:
                some = slice(begin, begin + k)
                away = at[some] - middle
                value -= 0.5 * float(away @ away) / spread**2
                g[some] -= away / spread**2
                priors[some] = spread**-2
        if self.prior > 0:
            s = at[:n]
            win = 0.5 * (1.0 + np.tanh(0.5 * s))
            value -= self.prior * float((np.logaddexp(0, s) + np.logaddexp(0, -s)).sum())
            g[:n] += self.prior * (1.0 - 2.0 * win)
            priors[:n] = 2.0 * self.prior * win * (1.0 - win)
        return value, g, H.plus(priors)

    def anchored(self, H: Arrow) -> Arrow:
        """Without a prior, with a curvature for the common shift, which is no parameter."""
        if self.prior > 0:
            return H
        return H.plus(np.zeros(self.size), float(np.trace(H.core[: self.n, : self.n])) / self.n**2)

    def fit(
        self, start: Floats, tol: float, steps: int, progress: Progress | None
    ) -> tuple[Floats, dict[str, Any]]:
        """Newton's method, lifted to a descent where the Hessian is not positive definite.

        It ends early where judges are `foretold` throughout, whom the account then names.
        """
        clock, at, lift, bound, done, stopped = perf_counter(), start.copy(), 0.0, math.inf, False, False
        value, g, H = self.derivatives(at)
        taken, endless = 0, np.zeros(0, np.intp)
        try:
            while True:
                held = self.anchored(H)
                lifted = held.plus(lift * np.maximum(np.abs(held.diagonal()), 1e-8)) if lift > 0 else held
                factor = lifted.factor()
                step = None if factor is None else factor.solve(g)
                if step is not None and factor is not None and lift == 0.0:
                    bound = self._bound(at, g, factor, step, tol)
                    done = bound <= tol
                endless = endless if done else self.foretold(at)
                if done or len(endless) or taken >= steps:
                    break
                taken += 1
                if step is not None:
                    new = self.derivatives(at + step)
                    if new[0] >= value - 1e-12 * abs(value):
                        at, (value, g, H) = at + step, new
                        lift = 0.1 * lift if lift > 1e-6 else 0.0
                        report(progress, taken, steps)
                        continue
                lift = max(10.0 * lift, 1e-4)
        except KeyboardInterrupt:
            stopped = True
        return at, {
            "converged": done,
            "iterations": taken,
            "solver": "newton, damped (Cholesky, judges eliminated)",
            "seconds": perf_counter() - clock,
            "tol": tol,
            "error_bound": bound,
            "error_kind": "asymptotic",
            "interrupted": stopped,
            "endless": endless,
        }

    def foretold(self, at: Floats) -> npt.NDArray[np.intp]:
        """Judges whose votes across a wide gap all go one way, where no prior holds the strengths.

        The gap then grows without bound: at an optimum the sum of r (r - 1) would be 0, for nothing else
        holds the scale that r and s share, and no other judge could stand beside one who sees so much more.
        """
        s = np.sort(at[: self.n])
        wide = int(np.diff(s).argmax()) if self.n > 1 else 0
        lead = np.abs(at[self.n : self.n + self.judges]) * (s[min(wide + 1, self.n - 1)] - s[wide])
        if self.prior > 0 or lead.max() < _FAR:
            return np.zeros(0, np.intp)
        above = at[: self.n] > s[wide]
        across = above[self.left] != above[self.right]
        seen = np.where(across[:, None], self.counts, 0.0) > 0
        ahead = self.parts(at)[0] > 0
        wrong = seen[:, 2] | np.where(ahead, seen[:, 1], seen[:, 0])
        met, missed = (np.bincount(self.judge, rows, self.judges) > 0 for rows in (seen.any(axis=1), wrong))
        return np.flatnonzero((lead >= _FAR) & met & ~missed)

    def _bound(self, at: Floats, g: Floats, factor: ArrowFactor, step: Floats, tol: float) -> float:
        """The Newton decrement with what rounding can add, times how far curvature changes over the step."""
        decrement = math.sqrt(max(float(g @ step), 0.0))
        if decrement > tol:
            return decrement
        who = self.n + self.judge
        apart = np.abs(step[self.left] - step[self.right])
        change = np.abs(self.along(at, step[:, None])[:, 0]) + np.abs(step[who]) * apart
        return (decrement + self._rounding(at, factor)) * math.exp(float(change.max(initial=0.0)))

    def _rounding(self, at: Floats, factor: ArrowFactor) -> float:
        """The decrement that errors of float64 in the gradient can make.

        A term of the gradient is off by eps of itself and by its curvature times that of its x; errors e of
        sums make at most e' |H^{-1}| e of the squared decrement.
        """
        log_p, by_x, by_tie = self.scores(at, self.parts(at)[0])
        p, games = np.exp(log_p), self.counts.sum(axis=1)
        size = np.abs(at[self.n + self.judge]) * (np.abs(at[self.left]) + np.abs(at[self.right]))
        if self.home:
            size += np.abs(at[self.n + self.judges + self.judge] * self.side)
        bend = games * (p * np.where(p > 0, by_x, 0.0) ** 2).sum(axis=1) * (4.0 + size)
        seen = self.counts > 0
        gross = (self.counts * np.where(seen, np.abs(by_x), 0.0)).sum(axis=1) + bend
        errors = self.gathered(at, gross, absolute=True)
        if self.tied:
            errors[-1] += (self.counts * np.where(seen, np.abs(by_tie), 0.0)).sum() + bend.sum()
        errors[: self.n] += self.prior
        for place, middle, spread in (
            (self.n, 1.0, self.spreads[0]),
            (self.n + self.judges, 0.0, self.spreads[1]),
        ):
            if place == self.n or self.home:
                errors[place : place + self.judges] += (
                    np.abs(at[place : place + self.judges] - middle) / spread**2
                )
        return 2.0 * float(np.finfo(np.float64).eps) * math.sqrt(factor.most(errors))


class JudgeInformation(Information):
    """H and J over (strengths, reliabilities, biases, log nu) at a local optimum; J of comparisons."""

    most = MOST

    def __init__(self, problem: JudgeProblem, at: Floats) -> None:
        self.problem, self.at = problem, at
        self.n, self.size, self.prior = problem.n, problem.size, problem.prior
        _, self._by_x, self._by_tie = problem.scores(at, problem.parts(at)[0])
        self._by_x = np.where(problem.squared > 0, self._by_x, 0.0)

    def approximate(self, kind: str) -> bool:
        """The judges have priors."""
        return kind == "hessian"

    @cached_property
    def _factor(self) -> ArrowFactor:
        found = self.problem.anchored(self.problem.derivatives(self.at)[2]).factor()
        if found is None:
            raise ValueError(SINGULAR)
        return found

    @cached_property
    def _meat(self) -> Arrow:
        square, by_x, by_tie = self.problem.squared, self._by_x, self._by_tie
        weight, cross = (square * by_x**2).sum(axis=1), (square * by_x * by_tie).sum(axis=1)
        return self.problem.gram(self.at, weight, cross, float((square * by_tie**2).sum()))

    def inverse(self) -> Floats:
        """The columns of the strengths, which are all that is asked for."""
        return self.solve(np.eye(self.size, self.n))

    def solve(self, right_sides: Floats) -> Floats:
        found = self._factor.solve(right_sides)
        return without_shift(found, self.n) if self.prior == 0 else found

    def quadratic(self, x: Floats) -> Floats:
        return np.asarray(x.T @ self._meat.times(x))

    def variances(self, x: Floats) -> Floats:
        return np.asarray(np.maximum(np.einsum("ij,ij->j", x, self._meat.times(x)), 0.0))

    def draw_scores(self, rng: np.random.Generator, draws: int, kind: str) -> Floats:
        if kind == "hessian":
            return self._factor.draw(rng.standard_normal((self.size, draws)))
        out = np.zeros((self.size, draws))
        for column in range(draws):
            noise = np.sqrt(self.problem.squared) * rng.standard_normal(self.problem.squared.shape)
            out[:, column] = self.problem.gathered(self.at, (noise * self._by_x).sum(axis=1))
            if self.problem.tied:
                out[-1, column] = (noise * self._by_tie).sum()
        return out
