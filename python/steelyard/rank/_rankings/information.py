"""The information matrices of rankings, in full or a few columns at a time."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _core
from .._inference import SINGULAR, Information, draw_prior_scores, without_shift
from .problem import RankingProblem

Floats = npt.NDArray[np.float64]

_DRAWS = 2**22  # entries of a block of rankings x draws or places
_ACCURACY = 1e-10


class RankingInformation(Information):
    """H and J of rankings, made when first asked for; J takes rankings as independent."""

    most = 10_000

    def __init__(self, problem: RankingProblem, at: Floats, n_threads: int) -> None:
        self.problem, self.at, self.threads = problem, at, n_threads
        self.n = self.size = problem.n
        self.prior = problem.prior

    # ---- H

    def inverse(self) -> Floats:
        matrix = self.problem.hessian(self.at, self.threads)
        if self.prior == 0:  # singular along 1, which the centring takes out again
            matrix = matrix + float(np.trace(matrix)) / self.n**2
        inverse = _core.linalg._inverse_positive_definite(matrix)
        if inverse is None:
            raise ValueError(SINGULAR)
        if self.prior == 0:
            inverse -= inverse.mean(axis=0, keepdims=True)
            inverse -= inverse.mean(axis=1, keepdims=True)
        return np.asarray(inverse)

    def solve(self, right_sides: Floats) -> Floats:
        found = self.problem.solve(self.at, np.ascontiguousarray(right_sides), _ACCURACY, self.threads)
        if found is None:
            raise ValueError(SINGULAR)
        return found

    # ---- J

    @cached_property
    def _scores(self) -> Any:
        return self.problem.scores(self.at, self.threads)

    def quadratic(self, x: Floats) -> Floats:
        x = without_shift(x, self.n)
        if x.shape[1] < self.n:
            moved = self._scores @ x
            return np.asarray(moved.T @ moved)
        out = np.empty_like(x)
        block = max(1, _DRAWS // self._scores.shape[0])  # rankings x items would not fit
        for begin in range(0, self.n, block):
            some = slice(begin, begin + block)
            out[:, some] = self._scores.T @ (self._scores @ x[:, some])
        return np.asarray(x.T @ out)

    def variances(self, x: Floats) -> Floats:
        return np.asarray(np.square(self._scores @ without_shift(x, self.n)).sum(axis=0))

    def draw_scores(self, rng: np.random.Generator, draws: int, kind: str) -> Floats:
        if kind == "sandwich":
            return np.asarray(self._scores.T @ rng.standard_normal((self._scores.shape[0], draws)))
        out = np.zeros((self.n, draws))
        lengths = np.diff(self.problem.rankings.starts)
        order = np.argsort(-lengths, kind="stable")
        block = max(1, _DRAWS // max(draws, int(lengths.max())))
        for begin in range(0, len(order), block):
            self._draw_choices(order[begin : begin + block], rng, out)
        if self.prior > 0:
            out += draw_prior_scores(self.prior, self.at, rng, draws)
        return out

    def _draw_choices(self, rows: npt.NDArray[Any], rng: np.random.Generator, out: Floats) -> None:
        """Adds the scores of choices as the model has them, of rankings from the longest to the shortest.

        The score of choosing from the places t, t + 1, ... is that of deciding place by place whether it is
        taken: with e = exp(strength) and S_k the sum of e over k, k + 1, ..., place k adds a variance
        e_k S_{k+1} / (S_k S_t) along the direction that is 1 at k and -e_l / S_{k+1} at each later place l.
        The direction is the same for each t, so that the variances of a place add up over the stages.
        """
        from scipy import sparse

        table = self.problem.rankings
        starts, lengths = table.starts[rows], np.diff(table.starts)[rows]
        weight = np.ones(len(rows)) if table.weight is None else table.weight[rows]
        # How many of the rankings, the longest first, have a place k.
        alive = np.searchsorted(-lengths, -np.arange(lengths[0]), side="left")
        best = np.maximum.reduceat(self.at[table.codes], table.starts[:-1])[rows]
        tails = [np.zeros(len(rows))]
        for k in range(lengths[0] - 1, -1, -1):
            tail = tails[-1].copy()
            m = alive[k]
            tail[:m] += np.exp(self.at[table.codes[starts[:m] + k]] - best[:m])
            tails.append(tail)
        tails.reverse()
        moved, stages = np.zeros((len(rows), out.shape[1])), np.zeros(len(rows))
        with np.errstate(divide="ignore", invalid="ignore"):
            for k in range(lengths[0]):
                m = alive[k]
                codes = table.codes[starts[:m] + k]
                e = np.exp(self.at[codes] - best[:m])
                stages[:m] += np.where(k < table.stages[rows[:m]], 1.0 / tails[k][:m], 0.0)
                later = tails[k + 1][:m]
                variance = np.nan_to_num(weight[:m] * e * later / tails[k][:m] * stages[:m], posinf=0.0)
                own = np.sqrt(variance)[:, None] * rng.standard_normal((m, out.shape[1]))
                place = sparse.csr_array((np.ones(m), codes, np.arange(m + 1)), shape=(m, self.n))
                out += place.T @ (own - e[:, None] * moved[:m])
                moved[:m] += np.where(later > 0, 1.0 / later, 0.0)[:, None] * own
