"""Graded comparisons and a model of them: the one place that calls their kernels; its information."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _core
from ..._validate import Progress
from .._inference import SINGULAR, Information, draw_prior_scores, without_shift
from .._table import GradedComparisons

Floats = npt.NDArray[np.float64]

_ACCURACY = 1e-10
_DRAWS = 2**22  # entries of a block of rows x draws


@dataclass(frozen=True, eq=False)
class GradedPoint:
    """Values of all parameters, as the kernels have them.

    Attributes
    ----------
    strengths, thresholds : ndarray
    home_advantage : float
    """

    strengths: Floats
    thresholds: Floats
    home_advantage: float


@dataclass(frozen=True, eq=False)
class GradedProblem:
    """A table of graded comparisons and a model of it.

    Attributes
    ----------
    comparisons : GradedComparisons
    link : str
    home : bool
    prior : float
    """

    comparisons: GradedComparisons
    link: str
    home: bool
    prior: float

    @property
    def n(self) -> int:
        """Number of items."""
        return self.comparisons.n_items

    @property
    def free(self) -> int:
        """Number of thresholds to fit."""
        return (len(self.comparisons.levels) - 1) // 2

    @property
    def names(self) -> tuple[str, ...]:
        """Parameters that follow the strengths."""
        thresholds = tuple(f"threshold_{k + 1}" for k in range(self.free))
        return thresholds + (("home_advantage",) if self.home else ())

    @property
    def graph(self) -> _core.rank.PairGraph:
        """The pairs that the kernels walk."""
        return self.comparisons._pairs(self.home)[0]

    @property
    def counts(self) -> Floats:
        """Comparisons of each edge, from the lowest level to the highest."""
        return self.comparisons._pairs(self.home)[1]

    def start(self) -> GradedPoint:
        """All items equal, and the thresholds that explain the shares of the levels among equals."""
        total = self.counts.sum(axis=0)
        total = total + total[::-1]
        share, size = total / total.sum(), len(total)
        if self.link == "adjacent":
            thresholds = np.log(share[1 : self.free + 1] / share[0])
        else:
            above = np.cumsum(share)[size // 2 : size - 1]
            thresholds = np.log(above / (1.0 - above))
        return GradedPoint(np.zeros(self.n), thresholds, 0.0)

    def _kernel(self, at: GradedPoint, counts: Floats | None = None) -> dict[str, Any]:
        return {
            "graph": self.graph,
            "counts": self.counts if counts is None else counts,
            "link": self.link,
            "home": self.home,
            "prior": self.prior,
            "strengths": at.strengths,
            "thresholds": at.thresholds,
            "home_advantage": at.home_advantage,
        }

    def fit(
        self,
        start: GradedPoint,
        *,
        tol: float,
        max_iter: int,
        counts: Floats | None = None,
        n_threads: int,
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        """The optimum, with its certificate; `counts` instead of those of the table."""
        return _core.rank._fit_graded(
            **self._kernel(start, counts), tol=tol, max_iter=max_iter, n_threads=n_threads, progress=progress
        )

    def derivatives(self, at: GradedPoint, n_threads: int) -> dict[str, Any]:
        """Gradient and Hessian."""
        return _core.rank._graded_derivatives(**self._kernel(at), n_threads=n_threads)

    def solve(self, at: GradedPoint, right_sides: Floats, n_threads: int) -> Floats | None:
        """H^+ B; None if H is singular to rounding."""
        found = _core.rank._solve_graded(
            **self._kernel(at),
            right_sides=np.ascontiguousarray(right_sides),
            accuracy=_ACCURACY,
            n_threads=n_threads,
        )
        return None if found is None else np.asarray(found)

    def terms(self, thresholds: Floats, x: Floats) -> tuple[Floats, Floats, Floats]:
        """Log chances by level, lowest first, and their derivatives by x and by each threshold."""
        levels = len(self.comparisons.levels)
        log_chance, by_x, by_threshold = _core.rank._grade_terms(self.link, levels, thresholds, x)
        shape = (len(x), levels, self.free)
        return np.asarray(log_chance), np.asarray(by_x), np.asarray(by_threshold).reshape(shape)


class GradedInformation(Information):
    """H and J of graded comparisons, made when first asked for; J takes comparisons as independent."""

    most = 5000

    def __init__(self, problem: GradedProblem, at: GradedPoint, n_threads: int) -> None:
        self.problem, self.at, self.threads = problem, at, n_threads
        self.n, self.size, self.prior = problem.n, problem.n + len(problem.names), problem.prior
        self.extra = dict.fromkeys(problem.names, 1.0)

    # ---- H

    def inverse(self) -> Floats:
        d, graph, n = self.problem.derivatives(self.at, self.threads), self.problem.graph, self.n
        matrix = np.zeros((self.size, self.size))
        np.subtract.at(matrix, (graph.right, graph.left), d["cell_curvature"])
        matrix += matrix.T
        matrix[range(n), range(n)] = d["diagonal"]
        matrix[:n, n:], matrix[n:, :n], matrix[n:, n:] = d["border"], d["border"].T, d["extra_hessian"]
        shift = d["diagonal"].mean() / n if self.prior == 0 else 0.0  # the common shift is no parameter
        matrix[:n, :n] += shift
        inverse = _core.linalg._inverse_positive_definite(matrix)
        if inverse is None:
            raise ValueError(SINGULAR)
        if self.prior == 0:
            inverse[:n, :n] -= 1.0 / (n * n * shift)
        return np.asarray(inverse)

    def solve(self, right_sides: Floats) -> Floats:
        found = self.problem.solve(self.at, right_sides, self.threads)
        if found is None:
            raise ValueError(SINGULAR)
        return found

    # ---- J

    @cached_property
    def _rows(self) -> tuple[Any, Floats, Floats]:
        """Rows x items (+1 left, -1 right); the columns of home; squared weights, lowest level first."""
        from scipy import sparse

        table = self.problem.comparisons
        size = len(table.left)
        ends = np.column_stack([table.left, table.right]).ravel()
        incidence = sparse.csr_array(
            (np.tile([1.0, -1.0], size), ends, np.arange(0, 2 * size + 1, 2)), shape=(size, self.n)
        )
        side = np.zeros(size) if table.home is None or not self.problem.home else table.home
        return incidence, np.asarray(side, dtype=np.float64), table.squared[:, ::-1]

    @cached_property
    def _scores(self) -> list[tuple[Floats, Floats]]:
        """Units that are independent: of each the derivatives by x (rows) and thresholds, and its weights.

        Of hard outcomes a unit a level, weighted by its squared counts; of soft ones a row is one unit.
        """
        table, at = self.problem.comparisons, self.at
        _, side, squared = self._rows
        x = at.strengths[table.left] - at.strengths[table.right] + side * at.home_advantage
        _, by_x, by_threshold = self.problem.terms(at.thresholds, x)
        whole = np.concatenate([by_x[:, :, None], by_threshold], axis=2)  # rows x levels x (1 + free)
        if not table.soft:
            return [(whole[:, k], squared[:, k]) for k in range(whole.shape[1])]
        share = table.counts[:, ::-1] / table.counts.sum(axis=1, keepdims=True)
        return [(np.einsum("rk,rkc->rc", share, whole), squared[:, 0])]

    @cached_property
    def _expected(self) -> list[tuple[Floats, Floats]]:
        """As `_scores`, with counts as the model has them: their sum of squares is H without the prior."""
        table, at = self.problem.comparisons, self.at
        _, side, _ = self._rows
        x = at.strengths[table.left] - at.strengths[table.right] + side * at.home_advantage
        log_chance, by_x, by_threshold = self.problem.terms(at.thresholds, x)
        games = table.counts.sum(axis=1)
        whole = np.concatenate([by_x[:, :, None], by_threshold], axis=2)
        return [(whole[:, k], games * np.exp(log_chance[:, k])) for k in range(whole.shape[1])]

    def _moved(self, x: Floats) -> Iterator[Floats]:
        """What columns over all parameters do to each unit's score, weighted: rows x columns."""
        incidence, side, _ = self._rows
        by_x = incidence @ x[: self.n]
        if self.problem.home:
            by_x = by_x + side[:, None] * x[-1]
        thresholds = x[self.n : self.n + self.problem.free]
        for score, square in self._scores:
            yield np.sqrt(square)[:, None] * (score[:, :1] * by_x + score[:, 1:] @ thresholds)

    def quadratic(self, x: Floats) -> Floats:
        moved = without_shift(x, self.n)
        return np.asarray(sum(part.T @ part for part in self._moved(moved)))

    def variances(self, x: Floats) -> Floats:
        moved = without_shift(x, self.n)
        return np.asarray(sum(np.square(part).sum(axis=0) for part in self._moved(moved)))

    def draw_scores(self, rng: np.random.Generator, draws: int, kind: str) -> Floats:
        incidence, side, _ = self._rows
        out = np.zeros((self.size, draws))
        units = self._scores if kind == "sandwich" else self._expected
        block = max(1, _DRAWS // draws)
        for begin in range(0, len(side), block):
            some = slice(begin, begin + block)
            by_x = np.zeros((len(side[some]), draws))
            for score, square in units:
                noise = np.sqrt(square[some])[:, None] * rng.standard_normal((len(square[some]), draws))
                by_x += score[some, :1] * noise
                out[self.n : self.n + self.problem.free] += score[some, 1:].T @ noise
            out[: self.n] += incidence[some].T @ by_x
            if self.problem.home:
                out[-1] += side[some] @ by_x
        if kind == "hessian" and self.prior > 0:
            out[: self.n] += draw_prior_scores(self.prior, self.at.strengths, rng, draws)
        return out

    def approximate(self, kind: str) -> bool:
        """The Hessian of soft outcomes takes them as seen."""
        return super().approximate(kind) or (kind == "hessian" and self.problem.comparisons.soft)
