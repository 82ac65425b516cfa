"""The information matrices of a fit, full or a few columns at a time.

H is the observed information over all parameters (strengths, tie, home, coefficients) with the prior, J the
covariance of the score: per comparison, or per cluster with the factor C / (C - 1). The sandwich is
H^+ J H^+.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _core
from .._chances import outcome_chances
from .._inference import SINGULAR, Information, draw_prior_scores, without_shift
from .problem import PairPoint, PairProblem

Floats = npt.NDArray[np.float64]

_DRAWS = 2**22  # entries of a block of edges x draws
_ROWS = 2**20
_ACCURACY = 1e-10


class PairInformation(Information):
    """H and J of paired comparisons, made when first asked for; `names` of the problem follow strengths."""

    most = 5000

    def __init__(self, problem: PairProblem, at: PairPoint, n_threads: int) -> None:
        self.problem, self.at, self.threads = problem, at, n_threads
        self.n, self.size, self.prior = problem.n, problem.n + len(problem.names), problem.prior
        by_user = {"tie_parameter": at.tie_parameter or 0.0, "home_advantage": 1.0}
        self.extra = {name: by_user[name] for name in problem.extra_names}

    def approximate(self, kind: str) -> bool:
        """The Hessian counts a tie as half a win, or holds a prior."""
        half = self.problem.ties == "half" and self.problem.comparisons.ties is not None
        return super().approximate(kind) or (kind == "hessian" and half)

    # ---- H

    def inverse(self) -> Floats:
        d = self.problem.derivatives(self.at, self.threads)
        graph, n = self.problem.graph, self.n
        matrix = np.zeros((self.size, self.size))
        np.subtract.at(matrix, (graph.right, graph.left), d["cell_curvature"])
        matrix += matrix.T
        matrix[range(n), range(n)] = d["diagonal"]
        matrix[:n, n:] = d["border"]
        matrix[n:, :n] = d["border"].T
        matrix[n:, n:] = d["extra_hessian"]
        if self.prior == 0:
            # The common shift is no parameter of the data: give it a curvature, which no contrast sees.
            matrix[:n, :n] += d["diagonal"].mean() / n
        inverse = _core.linalg._inverse_positive_definite(matrix)
        if inverse is None:
            raise ValueError(SINGULAR)
        if self.prior == 0:
            inverse[:n, :n] -= 1.0 / (n * d["diagonal"].mean())
        return np.asarray(inverse)

    def solve(self, right_sides: Floats) -> Floats:
        found = self.problem.solve(self.at, right_sides, _ACCURACY, self.threads)
        if found is None:
            raise ValueError(SINGULAR)
        return found

    # ---- J

    @cached_property
    def _differences(self) -> tuple[Floats, Floats]:
        """x = s_left - s_right + e . effects of each edge, and e: home and covariates, edges x effects."""
        graph, at = self.problem.graph, self.at
        columns, effects = [], []
        if self.problem.home:
            columns.append(np.zeros(len(graph.left)) if graph.home is None else graph.home.astype(np.float64))
            effects.append(at.home_advantage)
        p = len(at.coefficients)
        if graph.covariates is not None and p:
            columns.extend(graph.covariates.reshape(-1, p).T)
            effects.extend(at.coefficients.tolist())
        e = np.column_stack(columns) if columns else np.zeros((len(graph.left), 0))
        s = at.strengths
        return s[graph.left] - s[graph.right] + e @ np.array(effects), e

    @cached_property
    def _scores(self) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats], tuple[Floats, Floats]]:
        """Derivatives of log p by x and by the tie parameter, for a win, a loss and a tie on each edge."""
        x, _ = self._differences
        win, loss, tie = _core.rank._outcome_scores(self.problem.model, self.at.tie_parameter or 1.0, x)
        return win, loss, tie

    def _tie_column(self, values: npt.NDArray[Any] | None) -> npt.NDArray[Any] | None:
        return None if self.problem.ties == "drop" else values

    @cached_property
    def _squares(self) -> tuple[Floats, Floats, Floats]:
        """Of the scores, summed over outcomes: by x twice, by x and the tie parameter, by that twice."""
        gg, gt, tt = (np.zeros(len(self.problem.graph.left)) for _ in range(3))
        for q, (g, t) in zip(self._weights("sandwich"), self._scores, strict=True):
            if q is not None and len(q):
                gg += q * g * g
                gt += q * g * t
                tt += q * t * t
        return gg, gt, tt

    def _moves(self, x: Floats) -> tuple[Floats, Floats]:
        """What columns over all parameters do to each edge's x, and to the tie parameter."""
        _, e = self._differences
        tie = int(self.problem.model != "none")
        by_x = self._incidence @ x[: self.n] + e @ x[self.n + tie :]
        return np.asarray(by_x), np.asarray(x[self.n : self.n + 1] if tie else np.zeros((1, x.shape[1])))

    def _times_meat(self, x: Floats) -> Floats:
        """J X by differences of strengths: sums over items would lose them beside a large shift."""
        _, e = self._differences
        gg, gt, tt = self._squares
        tie = int(self.problem.model != "none")
        out = np.empty_like(x)
        block = max(1, _DRAWS // max(1, len(gg)))
        for begin in range(0, x.shape[1], block):
            some = slice(begin, begin + block)
            by_x, by_tie = self._moves(x[:, some])
            weighted = gg[:, None] * by_x + gt[:, None] * by_tie
            out[: self.n, some] = self._incidence.T @ weighted
            out[self.n : self.n + tie, some] = (gt @ by_x + tt.sum() * by_tie)[:tie]
            out[self.n + tie :, some] = e.T @ weighted
        return out

    def cluster_scores(self) -> Any:
        """One row a cluster: the sum of its comparisons' scores, scaled so that J = U' U."""
        from scipy import sparse

        cluster = np.asarray(self.problem.comparisons.cluster)
        present = np.count_nonzero(np.bincount(cluster))
        if present < 2:
            raise ValueError("cluster: a sandwich per cluster needs at least 2 clusters, got 1")
        total = sparse.csr_array((int(cluster.max()) + 1, self.size))
        for begin in range(0, len(cluster), _ROWS):  # what each row adds would take 200 bytes a row
            total = total + self._scores_of_rows(slice(begin, begin + _ROWS), total.shape)
        return total * np.sqrt(present / (present - 1))

    def _scores_of_rows(self, rows: slice, shape: tuple[int, int]) -> Any:
        """Scores of some rows of the table, summed by cluster (rows) and parameter (columns)."""
        from scipy import sparse

        table, (_, e) = self.problem.comparisons, self._differences
        edge = self.problem.graph.edge_of_row[rows]
        by_x, by_tie = np.zeros(len(edge)), np.zeros(len(edge))
        counts = (table.left_wins, table.right_wins, self._tie_column(table.ties))
        for count, (g, t) in zip(counts, self._scores, strict=True):
            if count is not None and len(count):
                by_x += count[rows] * g[edge]
                by_tie += count[rows] * t[edge]
        parts = [(table.left[rows], by_x), (table.right[rows], -by_x)]
        values = [by_tie] if self.problem.model != "none" else []
        values.extend(column[edge] * by_x for column in e.T)
        for k, value in enumerate(values, start=self.n):
            parts.append((np.full(len(edge), k, dtype=np.int32), value))
        columns, entries = (np.concatenate(part) for part in zip(*parts, strict=True))
        clusters = np.tile(np.asarray(table.cluster)[rows], len(parts))
        return sparse.csr_array((entries, (clusters, columns)), shape=shape)

    def draw_scores(self, rng: np.random.Generator, draws: int, kind: str) -> Floats:
        if kind == "sandwich" and self._clustered:
            root = self._roots
            return np.asarray(root.T @ rng.standard_normal((root.shape[0], draws)))
        _, e = self._differences
        strengths, by_tie, effects = (np.zeros((m, draws)) for m in (self.n, 1, e.shape[1]))
        block = max(1, _DRAWS // draws)
        for begin in range(0, len(e), block):  # edges x draws would not fit where edges are many
            some = slice(begin, begin + block)
            by_x = np.zeros((len(e[some]), draws))
            for q, (g, t) in zip(self._weights(kind), self._scores, strict=True):
                if q is not None and len(q):
                    noise = np.sqrt(q[some])[:, None] * rng.standard_normal((len(q[some]), draws))
                    by_x += g[some, None] * noise
                    by_tie += t[some] @ noise
            strengths += self._incidence[some].T @ by_x
            effects += e[some].T @ by_x
        if kind == "hessian" and self.prior > 0:
            strengths += draw_prior_scores(self.prior, self.at.strengths + self.at.shift, rng, draws)
        return np.vstack([strengths, by_tie[: self.problem.model != "none"], effects])

    def _weights(self, kind: str) -> tuple[Any, Any, Any]:
        """Of the squared scores of a win, loss and tie: squared weights, or expected counts ('hessian')."""
        graph = self.problem.graph
        if kind == "hessian":
            x, _ = self._differences
            wins, losses, ties = self.problem.counts
            games = wins + losses + (0.0 if ties is None else ties)
            win, tie, loss = outcome_chances(x, self.problem.ties, self.at.tie_parameter)
            return games * win, games * loss, games * tie
        return (
            graph.wins if graph.left_squared is None else graph.left_squared,
            graph.losses if graph.right_squared is None else graph.right_squared,
            self._tie_column(graph.ties if graph.ties_squared is None else graph.ties_squared),
        )

    @cached_property
    def _incidence(self) -> Any:
        """Edges x items, +1 at left and -1 at right."""
        from scipy import sparse

        graph = self.problem.graph
        ends = np.column_stack([graph.left, graph.right]).ravel()
        starts = np.arange(0, len(ends) + 1, 2)
        return sparse.csr_array(
            (np.tile([1.0, -1.0], len(graph.left)), ends, starts), shape=(len(graph.left), self.n)
        )

    @property
    def clusters(self) -> int | None:
        """Number of clusters, where J is per cluster."""
        cluster = self.problem.comparisons.cluster
        return None if cluster is None else len(np.unique(cluster))

    @property
    def _clustered(self) -> bool:
        return self.problem.comparisons.cluster is not None

    @cached_property
    def _roots(self) -> Any:
        return self.cluster_scores()

    def quadratic(self, x: Floats) -> Floats:
        x = without_shift(x, self.n)
        if self._clustered:
            root = self._roots @ x
            return np.asarray(root.T @ root)
        return np.asarray(x.T @ self._times_meat(x))

    def variances(self, x: Floats) -> Floats:
        x = without_shift(x, self.n)
        if self._clustered:
            root = self._roots @ x
            return np.asarray(np.einsum("ij,ij->j", root, root))
        gg, gt, tt = self._squares
        by_x, by_tie = self._moves(x)
        return np.asarray(gg @ by_x**2 + 2 * (gt @ by_x) * by_tie[0] + tt.sum() * by_tie[0] ** 2)
