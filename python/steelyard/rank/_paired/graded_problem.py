"""Graded comparisons and a model of them: the one place that calls their kernels; its information."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _core
from ..._validate import Progress
from .._inference import SINGULAR, Information, draw_prior_scores, without_shift
from .._table import Covariates, GradedComparisons

Floats = npt.NDArray[np.float64]

_ACCURACY = 1e-10
_DRAWS = 2**22  # entries of a block of rows x draws


@dataclass(frozen=True, eq=False)
class GradedPoint:
    """Values of all parameters, as the kernels have them.

    Attributes
    ----------
    strengths, thresholds : ndarray
    effects : ndarray
        The home advantage, if fitted, and a coefficient for one root mean square of each covariate.
    """

    strengths: Floats
    thresholds: Floats
    effects: Floats


@dataclass(frozen=True, eq=False)
class GradedProblem:
    """A table of graded comparisons and a model of it.

    Attributes
    ----------
    comparisons : GradedComparisons
    link : str
    home : bool
    prior : float
    covariates : Covariates
    """

    comparisons: GradedComparisons
    link: str
    home: bool
    prior: float
    covariates: Covariates = field(default_factory=Covariates)

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
        return thresholds + (("home_advantage",) if self.home else ()) + self.covariates.names

    @property
    def graph(self) -> _core.rank.PairGraph:
        """The pairs that the kernels walk."""
        return self.comparisons._pairs(self.home, self.covariates)[0]

    @property
    def counts(self) -> Floats:
        """Comparisons of each edge, from the lowest level to the highest."""
        return self.comparisons._pairs(self.home, self.covariates)[1]

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
        return GradedPoint(np.zeros(self.n), thresholds, np.zeros(self.home + len(self.covariates)))

    def _kernel(self, at: GradedPoint, counts: Floats | None = None) -> dict[str, Any]:
        return {
            "graph": self.graph,
            "counts": self.counts if counts is None else counts,
            "link": self.link,
            "home": self.home,
            "prior": self.prior,
            "strengths": at.strengths,
            "thresholds": at.thresholds,
            "effects": at.effects,
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
    """H and J of graded comparisons, made when first asked for; J is of comparisons, or of clusters."""

    most = 5000

    def __init__(self, problem: GradedProblem, at: GradedPoint, n_threads: int) -> None:
        self.problem, self.at, self.threads = problem, at, n_threads
        self.n, self.size, self.prior = problem.n, problem.n + len(problem.names), problem.prior
        fitted = problem.names[: len(problem.names) - len(problem.covariates)]
        self.extra = dict.fromkeys(fitted, 1.0)

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
        """Rows x items (+1 left, -1 right); home and covariates; squared weights, lowest level first."""
        from scipy import sparse

        table = self.problem.comparisons
        size = len(table.left)
        ends = np.column_stack([table.left, table.right]).ravel()
        incidence = sparse.csr_array(
            (np.tile([1.0, -1.0], size), ends, np.arange(0, 2 * size + 1, 2)), shape=(size, self.n)
        )
        columns = []
        if self.problem.home:
            columns.append(np.zeros((size, 1)) if table.home is None else table.home[:, None])
        if self.problem.covariates:
            scaled = self.problem.covariates.scaled(table)
            columns.append(np.asarray(scaled).reshape(size, -1))
        effects: Floats = np.hstack([np.zeros((size, 0)), *columns]).astype(np.float64)
        return incidence, effects, table.squared[:, ::-1]

    @cached_property
    def _terms(self) -> tuple[Floats, Floats]:
        """Log chances by level, lowest first, and their derivatives by x and each threshold: a row each."""
        table, at = self.problem.comparisons, self.at
        x = at.strengths[table.left] - at.strengths[table.right] + self._rows[1] @ at.effects
        log_chance, by_x, by_threshold = self.problem.terms(at.thresholds, x)
        return log_chance, np.concatenate([by_x[:, :, None], by_threshold], axis=2)

    @cached_property
    def _scores(self) -> list[tuple[Floats, Floats]]:
        """Units that are independent: of each the derivatives by x (rows) and thresholds, and its weights.

        Of hard outcomes a unit a level, weighted by its squared counts; of soft ones a row is one unit.
        """
        table, squared, whole = self.problem.comparisons, self._rows[2], self._terms[1]
        if not table.soft:
            return [(whole[:, k], squared[:, k]) for k in range(whole.shape[1])]
        share = table.counts[:, ::-1] / table.counts.sum(axis=1, keepdims=True)
        return [(np.einsum("rk,rkc->rc", share, whole), squared[:, 0])]

    @cached_property
    def _expected(self) -> list[tuple[Floats, Floats]]:
        """As `_scores`, with counts as the model has them: their sum of squares is H without the prior."""
        games, (log_chance, whole) = self.problem.comparisons._games(), self._terms
        return [(whole[:, k], games * np.exp(log_chance[:, k])) for k in range(whole.shape[1])]

    def _moved(self, x: Floats) -> Iterator[Floats]:
        """What columns over all parameters do to each unit's score, weighted: rows x columns."""
        incidence, effects, _ = self._rows
        late = self.n + self.problem.free
        by_x, thresholds = incidence @ x[: self.n] + effects @ x[late:], x[self.n : late]
        for score, square in self._scores:
            yield np.sqrt(square)[:, None] * (score[:, :1] * by_x + score[:, 1:] @ thresholds)

    @cached_property
    def _roots(self) -> Any:
        """One row a cluster: the sum of its comparisons' scores, scaled so that J = U' U."""
        from scipy import sparse

        table, (incidence, effects, _) = self.problem.comparisons, self._rows
        present, codes = np.unique(np.asarray(table.cluster), return_inverse=True)
        if len(present) < 2:
            raise ValueError("cluster: a sandwich per cluster needs at least 2 clusters, got 1")
        whole = np.where(table.counts[:, ::-1, None] > 0, self._terms[1], 0.0)
        sums = np.einsum("rk,rkc->rc", table.counts[:, ::-1], whole)
        scores = [incidence.multiply(sums[:, :1]), sparse.csr_array(sums[:, 1:])]
        scores.append(sparse.csr_array(effects * sums[:, :1]))
        ends = (codes, np.arange(len(codes)))
        member = sparse.csr_array((np.ones(len(codes)), ends), shape=(len(present), len(codes)))
        total = member @ sparse.csr_array(sparse.hstack(scores))
        return total * np.sqrt(len(present) / (len(present) - 1))

    @property
    def clusters(self) -> int | None:
        """Number of clusters, where J is per cluster."""
        cluster = self.problem.comparisons.cluster
        return None if cluster is None else len(np.unique(cluster))

    def quadratic(self, x: Floats) -> Floats:
        if self.problem.comparisons.cluster is not None:
            root = self._roots @ without_shift(x, self.n)
            return np.asarray(root.T @ root)
        moved = without_shift(x, self.n)
        return np.asarray(sum(part.T @ part for part in self._moved(moved)))

    def variances(self, x: Floats) -> Floats:
        if self.problem.comparisons.cluster is not None:
            return np.asarray(np.square(self._roots @ without_shift(x, self.n)).sum(axis=0))
        moved = without_shift(x, self.n)
        return np.asarray(sum(np.square(part).sum(axis=0) for part in self._moved(moved)))

    def draw_scores(self, rng: np.random.Generator, draws: int, kind: str) -> Floats:
        if kind == "sandwich" and self.problem.comparisons.cluster is not None:
            root = self._roots
            return np.asarray(root.T @ rng.standard_normal((root.shape[0], draws)))
        incidence, effects, _ = self._rows
        out, late = np.zeros((self.size, draws)), self.n + self.problem.free
        units = self._scores if kind == "sandwich" else self._expected
        block = max(1, _DRAWS // draws)
        for begin in range(0, len(effects), block):
            some = slice(begin, begin + block)
            by_x = np.zeros((len(effects[some]), draws))
            for score, square in units:
                noise = np.sqrt(square[some])[:, None] * rng.standard_normal((len(square[some]), draws))
                by_x += score[some, :1] * noise
                out[self.n : late] += score[some, 1:].T @ noise
            out[: self.n] += incidence[some].T @ by_x
            out[late:] += effects[some].T @ by_x
        if kind == "hessian" and self.prior > 0:
            out[: self.n] += draw_prior_scores(self.prior, self.at.strengths, rng, draws)
        return out

    def approximate(self, kind: str) -> bool:
        """The Hessian of soft outcomes takes them as seen."""
        return super().approximate(kind) or (kind == "hessian" and self.problem.comparisons.soft)
