"""Rankings with ties: the one place that calls their kernels, and their information."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _core
from ..._validate import Progress
from .._inference import SINGULAR, Information, without_shift
from .._table import Rankings

Floats = npt.NDArray[np.float64]

MOST_ITEMS = 5000  # of a dense Hessian
LARGEST_TIE = 16


@dataclass(frozen=True, eq=False)
class TiedProblem:
    """The model of Turner and others on some rankings; a point is strengths, then log delta of each size."""

    rankings: Rankings
    prior: float

    @property
    def n(self) -> int:
        """Number of items."""
        return self.rankings.n

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """Of the ties that have a parameter."""
        return self.rankings.tie_sizes

    def start(self) -> Floats:
        """No item before another, a tie of any size as rare as one item's win."""
        return np.zeros(self.n + len(self.sizes))

    def _kernel(self, factors: Floats | None) -> dict[str, Any]:
        weight = self.rankings.weight
        if factors is not None:
            weight = factors if weight is None else factors * weight
        return {"rankings": self.rankings.tied_kernel, "weight": weight, "prior": self.prior}

    def fit(
        self,
        start: Floats,
        *,
        tol: float,
        max_iter: int,
        factors: Floats | None = None,
        n_threads: int,
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        """The optimum, with its certificate; `factors` multiply the weights of the rankings."""
        found = _core.rank._fit_tied_rankings(
            **self._kernel(factors),
            point=start,
            tol=tol,
            max_iter=max_iter,
            n_threads=n_threads,
            progress=progress,
        )
        point = found.pop("point")
        return {**found, "strengths": point[: self.n], "ties": point[self.n :]}

    def derivatives(self, at: Floats, n_threads: int) -> dict[str, Any]:
        """Gradient, Hessian, and the scores of the rankings."""
        return _core.rank._tied_derivatives(**self._kernel(None), point=at, n_threads=n_threads)

    def parameters(self, ties: Floats) -> Floats:
        """Delta of ties of 2, 3, ... items; 0 where no tie has that size."""
        out = np.zeros(int(self.sizes.max()) - 1)
        out[self.sizes - 2] = np.exp(ties)
        return out

    def logs(self, parameters: Floats) -> Floats:
        """The point's part of `parameters`."""
        return np.asarray(np.log(parameters[self.sizes - 2]))


def first_alone(strengths: Floats, parameters: Floats) -> Floats:
    """Chances that each of some items has the first place for itself."""
    m, high = len(strengths), float(strengths.max())
    total = np.exp(strengths - high).sum()
    for k in range(2, min(m, len(parameters) + 1) + 1):
        if parameters[k - 2] > 0:
            polynomial = np.zeros(k + 1)
            polynomial[0] = 1.0
            for x in np.exp((strengths - high) / k):
                polynomial[1:] += x * polynomial[:-1]
            total += parameters[k - 2] * polynomial[k]
    return np.asarray(np.exp(strengths - high) / total)


class TiedInformation(Information):
    """H and J of rankings with ties; J takes rankings as independent."""

    most = MOST_ITEMS

    def __init__(self, problem: TiedProblem, at: Floats, n_threads: int) -> None:
        self.problem, self.at, self.threads = problem, at, n_threads
        self.n, self.size, self.prior = problem.n, len(at), problem.prior
        self.extra = {f"log delta {k}": 1.0 for k in problem.sizes.tolist()}

    @cached_property
    def _derivatives(self) -> dict[str, Any]:
        return self.problem.derivatives(self.at, self.threads)

    @cached_property
    def _lifted(self) -> Floats:
        """H; without a prior regular along the common shift."""
        lower = np.tril(self._derivatives["hessian"])
        matrix = lower + np.tril(lower, -1).T
        matrix[: self.n, : self.n] += self._shift
        return np.asarray(matrix)

    @cached_property
    def _shift(self) -> float:
        diagonal = np.diagonal(self._derivatives["hessian"])[: self.n]
        return float(diagonal.mean()) / self.n if self.prior == 0 else 0.0

    @cached_property
    def _inverse(self) -> Floats:
        inverse = _core.linalg._inverse_positive_definite(self._lifted)
        if inverse is None:
            raise ValueError(SINGULAR)
        if self.prior == 0:
            inverse[: self.n, : self.n] -= 1.0 / (self.n * self.n * self._shift)
        return np.asarray(inverse)

    def inverse(self) -> Floats:
        return self._inverse

    def solve(self, right_sides: Floats) -> Floats:
        return np.asarray(self._inverse @ right_sides)

    # ---- J

    @cached_property
    def _scores(self) -> tuple[Any, Floats]:
        from scipy import sparse

        table, found = self.problem.rankings, self._derivatives
        shape = (len(table.starts) - 1, self.n)
        return sparse.csr_array((found["scores"], table.codes, table.starts), shape=shape), found[
            "order_scores"
        ]

    def _moved(self, x: Floats) -> Floats:
        x = without_shift(x, self.n)
        items, orders = self._scores
        return np.asarray(items @ x[: self.n] + orders @ x[self.n :])

    def quadratic(self, x: Floats) -> Floats:
        moved = self._moved(x)
        return np.asarray(moved.T @ moved)

    def variances(self, x: Floats) -> Floats:
        return np.asarray(np.square(self._moved(x)).sum(axis=0))

    def draw_scores(self, rng: np.random.Generator, draws: int, kind: str) -> Floats:
        if kind == "sandwich":
            items, orders = self._scores
            noise = rng.standard_normal((items.shape[0], draws))
            return np.concatenate([items.T @ noise, orders.T @ noise])
        out = np.linalg.cholesky(self._lifted) @ rng.standard_normal((self.size, draws))
        if self.prior == 0:
            out[: self.n] -= out[: self.n].mean(axis=0)
        return np.asarray(out)
