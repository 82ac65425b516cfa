"""Comparisons by judge as a model counts them, and what they say of its parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _core
from ..._errors import interrupted, report
from ..._validate import Progress
from .._inference import SINGULAR, Information, without_shift

Floats = npt.NDArray[np.float64]

MOST = 3000  # parameters of a dense Hessian


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

    @property
    def size(self) -> int:
        """Number of parameters."""
        return self.n + self.judges * (1 + self.home) + self.tied

    def with_counts(self, counts: Floats) -> JudgeProblem:
        """The same rows with other counts."""
        return JudgeProblem(**{**self.__dict__, "counts": counts})

    def with_spread(self, which: int, spread: float) -> JudgeProblem:
        """The same with another prior of the reliabilities (0) or the biases (1)."""
        spreads = (spread, self.spreads[1]) if which == 0 else (self.spreads[0], spread)
        return JudgeProblem(**{**self.__dict__, "spreads": spreads})

    def evidence(self, start: Floats) -> float:
        """Log marginal likelihood up to a constant, by Laplace's method."""
        at, account = self.fit(start, 1e-4, 60, None)
        if account["interrupted"]:
            raise interrupted(None)
        value, _, H = self.derivatives(at)
        sign, volume = np.linalg.slogdet(self.anchored(H))
        priors = self.judges * (math.log(self.spreads[0]) + self.home * math.log(self.spreads[1]))
        return value - priors - 0.5 * float(volume) if sign > 0 else -math.inf

    def arguments(self, at: Floats) -> tuple[Floats, Any]:
        """x, and its derivatives by all parameters but nu: rows x parameters, sparse."""
        from scipy import sparse

        rows, n = np.arange(len(self.left)), self.n
        gap, slope = at[self.left] - at[self.right], at[n + self.judge]
        columns, values = [self.left, self.right, n + self.judge], [slope, -slope, gap]
        x = slope * gap
        if self.home:
            place = n + self.judges + self.judge
            x = x + at[place] * self.side
            columns.append(place)
            values.append(self.side)
        ends = (np.tile(rows, len(columns)), np.concatenate(columns))
        return x, sparse.csr_array((np.concatenate(values), ends), shape=(len(rows), self.size))

    def scores(self, at: Floats, x: Floats) -> tuple[Floats, Floats, Floats]:
        """Log chances of win, loss and tie, and their derivatives by x and log nu: rows x 3."""
        up, down, middle = 0.5 * x, -0.5 * x, np.full(len(x), at[-1] if self.tied else -np.inf)
        logits = np.column_stack([up, down, middle])
        log_p = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        win, loss, tie = np.exp(log_p).T  # sums of chances alone: small scores keep their digits
        by_x = np.column_stack([loss + 0.5 * tie, -win - 0.5 * tie, 0.5 * (loss - win)])
        return log_p, by_x, np.column_stack([-tie, -tie, win + loss])

    def derivatives(self, at: Floats) -> tuple[float, Floats, Floats]:
        """Penalised log-likelihood, gradient and negative Hessian."""
        n, k = self.n, self.judges
        x, by = self.arguments(at)
        log_p, by_x, by_tie = self.scores(at, x)
        seen = self.counts > 0
        value = float((self.counts * np.where(seen, log_p, 0.0)).sum())
        slope = (self.counts * np.where(seen, by_x, 0.0)).sum(axis=1)
        games, p = self.counts.sum(axis=1), np.exp(log_p)
        g = np.asarray(by.T @ slope)
        # Davidson's model is an exponential family in (x, log nu): its Hessian is what is expected.
        curved = np.where(p > 0, by_x, 0.0)
        bend = games * (p * curved**2).sum(axis=1)
        H = (by.T @ by.multiply(bend[:, None])).toarray()
        for sign, end in ((-1.0, self.left), (1.0, self.right)):  # x is no linear form of s and r
            np.add.at(H, (n + self.judge, end), sign * slope)
            np.add.at(H, (end, n + self.judge), sign * slope)
        if self.tied:
            g[-1] = (self.counts * by_tie).sum()
            cross = np.asarray(by.T @ (games * (p * by_x * by_tie).sum(axis=1)))
            H[-1, :] += cross
            H[:, -1] += cross
            H[-1, -1] = (games * (p * by_tie**2).sum(axis=1)).sum()
        for begin, middle, spread in ((n, 1.0, self.spreads[0]), (n + k, 0.0, self.spreads[1])):
            if begin == n or self.home:
                some = slice(begin, begin + k)
                away = at[some] - middle
                value -= 0.5 * float(away @ away) / spread**2
                g[some] -= away / spread**2
                H[range(begin, begin + k), range(begin, begin + k)] += spread**-2
        if self.prior > 0:
            s = at[:n]
            win = 0.5 * (1.0 + np.tanh(0.5 * s))
            value -= self.prior * float((np.logaddexp(0, s) + np.logaddexp(0, -s)).sum())
            g[:n] += self.prior * (1.0 - 2.0 * win)
            H[range(n), range(n)] += 2.0 * self.prior * win * (1.0 - win)
        return value, g, H

    def anchored(self, H: Floats) -> Floats:
        """Without a prior, with a curvature for the common shift, which is no parameter."""
        out = H.copy()
        if self.prior == 0:
            out[: self.n, : self.n] += np.trace(H[: self.n, : self.n]) / self.n**2
        return out

    def fit(
        self, start: Floats, tol: float, steps: int, progress: Progress | None
    ) -> tuple[Floats, dict[str, Any]]:
        """Newton's method, lifted to a descent where the Hessian is not positive definite."""
        clock, at, lift, bound, done, stopped = perf_counter(), start.copy(), 0.0, math.inf, False, False
        value, g, H = self.derivatives(at)
        taken = 0
        try:
            while True:
                scale = np.maximum(np.abs(np.diag(self.anchored(H))), 1e-8)
                step = self._step(H, g, lift * scale)
                if step is not None and lift == 0.0:
                    bound = self._bound(at, g, H, step, tol)
                    done = bound <= tol
                if done or taken >= steps:
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
            "solver": "newton, damped (dense Cholesky)",
            "seconds": perf_counter() - clock,
            "tol": tol,
            "error_bound": bound,
            "error_kind": "asymptotic",
            "interrupted": stopped,
        }

    def _bound(self, at: Floats, g: Floats, H: Floats, step: Floats, tol: float) -> float:
        """The Newton decrement with what rounding can add, times how far curvature changes over the step."""
        decrement = math.sqrt(max(float(g @ step), 0.0))
        if decrement > tol:
            return decrement
        _, by = self.arguments(at)
        who = self.n + self.judge
        apart = np.abs(step[self.left] - step[self.right])
        reach = float((np.abs(by @ step) + np.abs(step[who]) * apart).max(initial=0.0))
        return (decrement + self._rounding(at, H)) * math.exp(reach)

    def _rounding(self, at: Floats, H: Floats) -> float:
        """The decrement that errors of float64 in the gradient can make.

        A term of the gradient is off by eps of itself and by its curvature times that of its x; errors e of
        sums make at most e' |H^{-1}| e of the squared decrement.
        """
        x, by = self.arguments(at)
        log_p, by_x, by_tie = self.scores(at, x)
        p, games = np.exp(log_p), self.counts.sum(axis=1)
        size = np.abs(at[self.n + self.judge]) * (np.abs(at[self.left]) + np.abs(at[self.right]))
        if self.home:
            size += np.abs(at[self.n + self.judges + self.judge] * self.side)
        bend = games * (p * np.where(p > 0, by_x, 0.0) ** 2).sum(axis=1) * (4.0 + size)
        seen = self.counts > 0
        gross = (self.counts * np.where(seen, np.abs(by_x), 0.0)).sum(axis=1) + bend
        errors = np.asarray(abs(by).T @ gross)
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
        inverse = _core.linalg._inverse_positive_definite(self.anchored(H))
        if inverse is None:
            return math.inf
        return 2.0 * float(np.finfo(np.float64).eps) * math.sqrt(float(errors @ np.abs(inverse) @ errors))

    def _step(self, H: Floats, g: Floats, lift: Floats) -> Floats | None:
        """(H + lift)^{-1} g; None unless positive definite."""
        from scipy import linalg

        matrix = self.anchored(H)
        matrix[range(self.size), range(self.size)] += lift
        try:
            return np.asarray(linalg.cho_solve(linalg.cho_factor(matrix), g))
        except linalg.LinAlgError:
            return None


class JudgeInformation(Information):
    """H and J over (strengths, reliabilities, biases, log nu) at a local optimum; J of comparisons."""

    most = MOST

    def __init__(self, problem: JudgeProblem, at: Floats) -> None:
        self.problem, self.at = problem, at
        self.n, self.size, self.prior = problem.n, problem.size, problem.prior
        _, _, self._H = problem.derivatives(at)
        x, self._by = problem.arguments(at)
        self._log_p, self._by_x, self._by_tie = problem.scores(at, x)

    def approximate(self, kind: str) -> bool:
        """The judges have priors."""
        return kind == "hessian"

    def inverse(self) -> Floats:
        found = _core.linalg._inverse_positive_definite(self.problem.anchored(self._H))
        if found is None:
            raise ValueError(SINGULAR)
        return self._centred(np.asarray(found))

    def _centred(self, x: Floats) -> Floats:
        return without_shift(x, self.n) if self.prior == 0 else x

    def solve(self, right_sides: Floats) -> Floats:
        return self._centred(np.asarray(np.linalg.solve(self.problem.anchored(self._H), right_sides)))

    def _moved(self, x: Floats) -> list[Floats]:
        """What columns do to the weighted score of each row, one a class of outcome."""
        shift = np.asarray(self._by @ x)
        out = []
        for k in range(3):
            weight = np.sqrt(self.problem.squared[:, k])
            keep = weight > 0
            moved = np.where(keep, weight * self._by_x[:, k], 0.0)[:, None] * shift
            if self.problem.tied:
                moved = moved + (weight * self._by_tie[:, k])[:, None] * x[-1]
            out.append(moved)
        return out

    def quadratic(self, x: Floats) -> Floats:
        return np.asarray(sum(part.T @ part for part in self._moved(x)))

    def variances(self, x: Floats) -> Floats:
        return np.asarray(sum(np.square(part).sum(axis=0) for part in self._moved(x)))

    def draw_scores(self, rng: np.random.Generator, draws: int, kind: str) -> Floats:
        if kind == "hessian":
            root = np.linalg.cholesky(self.problem.anchored(self._H))
            return np.asarray(root @ rng.standard_normal((self.size, draws)))
        basis = np.eye(self.size)
        values, vectors = np.linalg.eigh(self.quadratic(basis))
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        return np.asarray(root @ rng.standard_normal((self.size, draws)))
