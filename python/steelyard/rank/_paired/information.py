"""The information matrices of a fit, full or a few columns at a time.

H is the observed information over all parameters (strengths, tie, home, coefficients) with the prior, J the
covariance of the score: per comparison, or per cluster with the factor C / (C - 1). The sandwich is
H^+ J H^+.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ... import _core
from .._chances import outcome_chances

if TYPE_CHECKING:
    from .fit import BradleyTerryFit

Array = npt.NDArray[np.float64]

_DRAWS = 2**22  # entries of a block of edges x draws
_ROWS = 2**20


class Information:
    """H and J of one fit, made when first asked for."""

    def __init__(self, fit: BradleyTerryFit, n_threads: int) -> None:
        self.fit = fit
        self.cells = fit._cells()
        self.threads = n_threads
        self.at = fit._point()
        self.n = len(fit)
        self.size = self.n + fit._spec.extra

    # ---- H

    def inverse(self) -> Array:
        """H^+ in full, orthogonal to the common shift without a prior."""
        d = self.at.derivatives(self.threads)
        graph, n = self.cells.graph, self.n
        matrix = np.zeros((self.size, self.size))
        np.subtract.at(matrix, (graph.right, graph.left), d["cell_curvature"])
        matrix += matrix.T
        matrix[range(n), range(n)] = d["diagonal"]
        matrix[:n, n:] = d["border"]
        matrix[n:, :n] = d["border"].T
        matrix[n:, n:] = d["extra_hessian"]
        if self.fit.prior == 0:
            # The common shift is no parameter of the data: give it a curvature, which no contrast sees.
            matrix[:n, :n] += d["diagonal"].mean() / n
        inverse = _core._inverse_positive_definite(matrix)
        if inverse is None:
            raise ValueError("the information matrix is singular to rounding; covariances need a prior")
        if self.fit.prior == 0:
            inverse[:n, :n] -= 1.0 / (n * d["diagonal"].mean())
        return np.asarray(inverse)

    def solve(self, right_sides: Array) -> Array:
        """H^+ B for a few columns."""
        out = self.at.solve(
            right_sides=np.ascontiguousarray(right_sides),
            accuracy=1e-10,
            n_threads=self.threads,
            progress=None,
        )
        if out is None:
            raise ValueError("the information matrix is singular to rounding; covariances need a prior")
        return np.asarray(out)

    # ---- J

    @cached_property
    def _differences(self) -> tuple[Array, Array]:
        """x = s_left - s_right + e . effects of each edge, and e: home and covariates, edges x effects."""
        graph, fit = self.cells.graph, self.fit
        columns, effects = [], []
        if fit.home_advantage is not None:
            columns.append(np.zeros(len(graph.left)) if graph.home is None else graph.home.astype(np.float64))
            effects.append(fit.home_advantage)
        p = len(fit._coefficients)
        if graph.covariates is not None and p:
            columns.extend(graph.covariates.reshape(-1, p).T)
            effects.extend(fit._coefficients.tolist())
        e = np.column_stack(columns) if columns else np.zeros((len(graph.left), 0))
        s = fit.strengths
        return s[graph.left] - s[graph.right] + e @ np.array(effects), e

    @cached_property
    def _scores(self) -> tuple[tuple[Array, Array], tuple[Array, Array], tuple[Array, Array]]:
        """Derivatives of log p by x and by the tie parameter, for a win, a loss and a tie on each edge."""
        x, _ = self._differences
        ties = self.fit._spec.ties
        parameter = self.fit.tie_parameter if ties != "none" else None
        return _core._outcome_scores(ties, parameter or 0.0, x)

    def _tie_column(self, values: npt.NDArray[Any] | None) -> npt.NDArray[Any] | None:
        return None if self.fit.ties == "drop" else values

    def meat(self) -> Any:
        """J as a sparse matrix over all parameters, per comparison; None if it is per cluster."""
        from scipy import sparse

        gg, gt, tt = (np.zeros(len(self.cells.graph.left)) for _ in range(3))
        for q, (g, t) in zip(self._weights("sandwich"), self._scores, strict=True):
            if q is not None and len(q):
                gg += q * g * g
                gt += q * g * t
                tt += q * t * t
        _, e = self._differences
        incidence = self._incidence
        weighted = incidence.T @ sparse.diags_array(gg)
        top = weighted @ incidence
        if self.size == self.n:
            return sparse.csr_array(top)
        border, corner = weighted @ e, e.T @ (gg[:, None] * e)
        if self.fit._spec.ties != "none":
            border = np.column_stack([incidence.T @ gt, border])
            by_tie = (e.T @ gt)[:, None]
            corner = np.block([[np.array([[tt.sum()]]), by_tie.T], [by_tie, corner]])
        blocks = [[top, sparse.csr_array(border)], [sparse.csr_array(border.T), sparse.csr_array(corner)]]
        return sparse.csr_array(sparse.block_array(blocks))

    def cluster_scores(self) -> Any:
        """One row a cluster: the sum of its comparisons' scores, scaled so that J = U' U."""
        from scipy import sparse

        cluster = np.asarray(self.fit.comparisons.cluster)
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

        table, (_, e) = self.fit.comparisons, self._differences
        edge = self.cells.graph.edge_of_row[rows]
        by_x, by_tie = np.zeros(len(edge)), np.zeros(len(edge))
        counts = (table.left_wins, table.right_wins, self._tie_column(table.ties))
        for count, (g, t) in zip(counts, self._scores, strict=True):
            if count is not None and len(count):
                by_x += count[rows] * g[edge]
                by_tie += count[rows] * t[edge]
        parts = [(table.left[rows], by_x), (table.right[rows], -by_x)]
        values = [by_tie] if self.fit._spec.ties != "none" else []
        values.extend(column[edge] * by_x for column in e.T)
        for k, value in enumerate(values, start=self.n):
            parts.append((np.full(len(edge), k, dtype=np.int32), value))
        columns, entries = (np.concatenate(part) for part in zip(*parts, strict=True))
        clusters = np.tile(np.asarray(table.cluster)[rows], len(parts))
        return sparse.csr_array((entries, (clusters, columns)), shape=shape)

    def draw_scores(self, rng: np.random.Generator, draws: int, kind: str) -> Array:
        """Gaussian draws of the score over all parameters, one a column: covariance J ('hessian': H)."""
        if kind == "sandwich" and self.clustered:
            root = self._meat
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
        if kind == "hessian" and self.fit.prior > 0:
            win, _, loss = outcome_chances(self.fit.strengths + self.fit.info.shift, "drop", None)
            strengths += np.sqrt(2 * self.fit.prior * win * loss)[:, None] * rng.standard_normal(
                (self.n, draws)
            )
        return np.vstack([strengths, by_tie[: self.fit._spec.ties != "none"], effects])

    def _weights(self, kind: str) -> tuple[Any, Any, Any]:
        """Of the squared scores of a win, loss and tie: squared weights, or expected counts ('hessian')."""
        graph = self.cells.graph
        if kind == "hessian":
            x, _ = self._differences
            games = (
                self.cells.wins + self.cells.losses + (0.0 if self.cells.ties is None else self.cells.ties)
            )
            win, tie, loss = outcome_chances(x, self.fit.ties, self.fit.tie_parameter)
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

        graph = self.cells.graph
        ends = np.column_stack([graph.left, graph.right]).ravel()
        starts = np.arange(0, len(ends) + 1, 2)
        return sparse.csr_array(
            (np.tile([1.0, -1.0], len(graph.left)), ends, starts), shape=(len(graph.left), self.n)
        )

    @cached_property
    def clustered(self) -> bool:
        """Whether J is per cluster."""
        return self.fit.comparisons.cluster is not None

    @cached_property
    def _meat(self) -> Any:
        return self.cluster_scores() if self.clustered else self.meat()

    def quadratic(self, x: Array) -> Array:
        """X' J X for columns x over all parameters."""
        if self.clustered:
            root = self._meat @ x
            return np.asarray(root.T @ root)
        return np.asarray(x.T @ (self._meat @ x))

    def variances(self, x: Array) -> Array:
        """Its diagonal."""
        if self.clustered:
            root = self._meat @ x
            return np.asarray(np.einsum("ij,ij->j", root, root))
        return np.asarray(np.einsum("ij,ij->j", x, self._meat @ x))
