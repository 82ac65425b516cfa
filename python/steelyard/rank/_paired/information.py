"""The information matrices of a fit, full or a few columns at a time.

H is the observed information over all parameters (strengths, tie, home, coefficients) with the prior, J the
covariance of the score: per comparison, or per cluster with the factor C / (C - 1). The sandwich is
H^+ J H^+.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
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
_EDGES = 2**18  # of which x, scores and effects are held at once
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
        first = self._first_edges
        matrix[graph.right[first], graph.left[first]] = -np.add.reduceat(d["cell_curvature"], first)
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

    def _part(self, edges: slice) -> tuple[Floats, Floats]:
        """x = s_left - s_right + e . effects of some edges, and e: home and covariates, edges x effects."""
        graph, at = self.problem.graph, self.at
        left, right = graph.left[edges], graph.right[edges]
        columns, effects = [], []
        if self.problem.home:
            columns.append(np.zeros(len(left)) if graph.home is None else graph.home[edges].astype(float))
            effects.append(at.home_advantage)
        p = len(at.coefficients)
        if graph.covariates is not None and p:
            columns.extend(graph.covariates.reshape(-1, p)[edges].T)
            effects.extend(at.coefficients.tolist())
        e = np.column_stack(columns) if columns else np.zeros((len(left), 0))
        s = at.strengths
        return s[left] - s[right] + e @ np.array(effects), e

    def _scores(self, x: Floats) -> tuple[tuple[Floats, Floats], ...]:
        """Derivatives of log p by x and by the tie parameter, for a win, a loss and a tie."""
        return _core.rank._outcome_scores(self.problem.model, self.at.tie_parameter or 1.0, x)

    def _tie_column(self, values: npt.NDArray[Any] | None) -> npt.NDArray[Any] | None:
        return None if self.problem.ties == "drop" else values

    @cached_property
    def _first_edges(self) -> npt.NDArray[np.intp]:
        """Where the edges of each pair begin: those of one lie together."""
        graph = self.problem.graph
        fresh = (graph.left[1:] != graph.left[:-1]) | (graph.right[1:] != graph.right[:-1])
        return np.concatenate([[0], 1 + np.flatnonzero(fresh)])

    @cached_property
    def _squares(self) -> _Squares:
        """J, a block of edges at a time: a row for each pair however many edges it has."""
        starts, size = self._first_edges, len(self.problem.graph.left)
        tie = int(self.problem.model != "none")
        sums = _Squares.empty(len(starts), self.size - self.n)
        for begin in range(0, size, _EDGES):
            edges = slice(begin, min(begin + _EDGES, size))
            x, e = self._part(edges)
            gg, gt, tt = (np.zeros(len(x)) for _ in range(3))
            seen = list(zip(self._weights("sandwich", edges, x), self._scores(x), strict=True))
            for q, (g, t) in seen:
                if q is not None and len(q):
                    gg += q * g * g
                    gt += q * g * t
            by_tie = np.divide(gt, gg, out=np.zeros_like(gt), where=gg > 0)
            for q, (g, t) in seen:
                if q is not None and len(q):
                    tt += q * np.square(t - g * by_tie)
            first = int(np.searchsorted(starts, begin, side="right")) - 1
            last = int(np.searchsorted(starts, edges.stop, side="left"))
            others = np.column_stack([by_tie, e]) if tie else e
            sums.add(slice(first, last), np.maximum(starts[first:last] - begin, 0), gg, others)
            if tie:
                sums.rest(np.eye(1, others.shape[1]) * math.sqrt(tt.sum()))
        return sums

    def _parts(self, x: Floats) -> tuple[Floats, Floats]:
        """Of columns over all parameters: what they do to each pair's score, and to what is beside it."""
        j, others = self._squares, x[self.n :]
        return self._incidence @ x[: self.n] + j.mean @ others, j.root @ others

    def _times_meat(self, x: Floats) -> Floats:
        """J X by differences of strengths: sums over items would lose them beside a large shift."""
        j = self._squares
        out = np.empty_like(x)
        block = max(1, _DRAWS // max(1, len(j.gg)))
        for begin in range(0, x.shape[1], block):
            some = slice(begin, begin + block)
            by_pair, beside = self._parts(x[:, some])
            weighted = j.gg[:, None] * by_pair
            out[: self.n, some] = self._incidence.T @ weighted
            out[self.n :, some] = j.mean.T @ weighted + j.root.T @ beside
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

        table = self.problem.comparisons
        edge = self.problem.graph.edge_of_row[rows]
        first = int(edge[0])  # rows are in the order of their edges
        x, e = self._part(slice(first, int(edge[-1]) + 1))
        edge = edge - first
        by_x, by_tie = np.zeros(len(edge)), np.zeros(len(edge))
        counts = (table.left_wins, table.right_wins, self._tie_column(table.ties))
        for count, (g, t) in zip(counts, self._scores(x), strict=True):
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
        graph, n_effects = self.problem.graph, self.problem.effects
        strengths, by_tie, effects = (np.zeros((m, draws)) for m in (self.n, 1, n_effects))
        block = max(1, _DRAWS // draws)
        for begin in range(0, len(graph.left), block):  # edges x draws would not fit where edges are many
            some = slice(begin, begin + block)
            x, e = self._part(some)
            by_x = np.zeros((len(x), draws))
            for q, (g, t) in zip(self._weights(kind, some, x), self._scores(x), strict=True):
                if q is not None and len(q):
                    noise = np.sqrt(q)[:, None] * rng.standard_normal((len(q), draws))
                    by_x += g[:, None] * noise
                    by_tie += t @ noise
            strengths += _ends(graph.left[some], graph.right[some], self.n).T @ by_x
            effects += e.T @ by_x
        if kind == "hessian" and self.prior > 0:
            strengths += draw_prior_scores(self.prior, self.at.strengths + self.at.shift, rng, draws)
        return np.vstack([strengths, by_tie[: self.problem.model != "none"], effects])

    def _weights(self, kind: str, edges: slice, x: Floats) -> list[Any]:
        """Of the squared scores of a win, loss and tie: squared weights, or expected counts ('hessian')."""
        graph = self.problem.graph
        if kind == "hessian":
            wins, losses, ties = self.problem.counts
            games = wins[edges] + losses[edges] + (0.0 if ties is None else ties[edges])
            win, tie, loss = outcome_chances(x, self.problem.ties, self.at.tie_parameter)
            return [games * win, games * loss, games * tie]
        columns = (
            graph.wins if graph.left_squared is None else graph.left_squared,
            graph.losses if graph.right_squared is None else graph.right_squared,
            self._tie_column(graph.ties if graph.ties_squared is None else graph.ties_squared),
        )
        return [None if column is None else column[edges] for column in columns]

    @cached_property
    def _incidence(self) -> Any:
        """Pairs x items, +1 at left and -1 at right."""
        graph, first = self.problem.graph, self._first_edges
        return _ends(graph.left[first], graph.right[first], self.n)

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
        by_pair, beside = self._parts(x)
        return np.asarray(self._squares.gg @ by_pair**2 + np.square(beside).sum(axis=0))


@dataclass
class _Squares:
    """Sums of squared scores, as X' J X = sum of gg (x of each pair + mean . others)^2 + |root others|^2.

    The others are the tie parameter and the effects; their mean over a pair's scores goes with its x, and
    `root` holds what varies around it. Squares of x and of the others each would cancel: where a pair is
    always played at home, strengths and home may be known badly, and their sum well.
    """

    gg: Floats
    mean: Floats  # pairs x others
    root: Floats  # at most others x others

    @classmethod
    def empty(cls, pairs: int, others: int) -> _Squares:
        """Nothing added yet."""
        return cls(np.zeros(pairs), np.zeros((pairs, others)), np.zeros((0, others)))

    def add(self, pairs: slice, starts: npt.NDArray[np.intp], gg: Floats, others: Floats) -> None:
        """A block of edges, of pairs that begin at `starts`; the first may have begun before."""
        weight, before = np.add.reduceat(gg, starts), self.gg[pairs].copy()
        total = before + weight
        self.gg[pairs] = total
        if not others.shape[1]:
            return
        sums = np.add.reduceat(gg[:, None] * others, starts, axis=0)
        mean = np.divide(sums, weight[:, None], out=np.zeros_like(sums), where=weight[:, None] > 0)
        edges = np.diff(np.append(starts, len(gg)))
        several = np.repeat(edges > 1, edges)
        if several.any():
            around = others[several] - np.repeat(mean, edges, axis=0)[several]
            self.rest(np.sqrt(gg[several])[:, None] * around)
        share = np.divide(weight, total, out=np.zeros_like(total), where=total > 0)
        moved = mean - self.mean[pairs]
        self.mean[pairs] += share[:, None] * moved
        if before[0] > 0:
            self.rest(np.sqrt(before[:1] * share[:1])[:, None] * moved[:1])

    def rest(self, rows: Floats) -> None:
        """Further rows beside the pairs'."""
        self.root = np.asarray(np.linalg.qr(np.concatenate([self.root, rows]), mode="r"))


def _ends(left: npt.NDArray[np.int32], right: npt.NDArray[np.int32], n: int) -> Any:
    """Rows x items, +1 at left and -1 at right."""
    from scipy import sparse

    ends = np.column_stack([left, right]).ravel()
    starts = np.arange(0, len(ends) + 1, 2)
    return sparse.csr_array((np.tile([1.0, -1.0], len(left)), ends, starts), shape=(len(left), n))
