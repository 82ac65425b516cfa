"""The normal law of strengths by group: blocks that the whole alone ties together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._paired import TeamPoint, TeamProblem

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

_BLOCK = 256

SINGULAR = "the information matrix is singular to rounding; set a prior"


@dataclass(frozen=True, eq=False)
class GroupLaw:
    """Strengths m of the whole, and s_g = m + d_g of each group's own items, with d normal of width w.

    Given (m, extras), groups are independent: d_g has the precision C_g = L_g + I / w^2, where L_g is what
    the group's comparisons say. What is left of (m, extras) is the Schur complement S. Memory: n^2 and the
    sum of n_g^2 numbers; time n^3 and the sum of n_g^3.

    Attributes
    ----------
    n : int
        Number of items.
    first : int
        1 where the first item's m is 0 for want of a prior.
    tension : float
        1 / w^2.
    active : tuple of ndarray
        Items of each group.
    factors : tuple of ndarray
        Lower Cholesky factors of C_g.
    borders : tuple of ndarray
        Cross derivatives of d_g and (tie, home).
    root : ndarray
        Lower Cholesky factor of S.
    """

    n: int
    first: int
    tension: float
    active: tuple[Places, ...]
    factors: tuple[Floats, ...]
    borders: tuple[Floats, ...]
    root: Floats

    @classmethod
    def at(
        cls,
        problem: TeamProblem,
        point: TeamPoint,
        active: tuple[Places, ...],
        n: int,
        width: float,
        threads: int,
    ) -> GroupLaw:
        """At a point of the joint problem, whose columns are m and then each group's d."""
        from scipy import linalg

        d = problem.kernel.derivatives(point.free, point.tie, point.effects, threads)
        curvature, border = d["game_curvature"], d["border"]
        base = len(point.free) - sum(map(len, active))
        first, tension, columns = n - base, width**-2, problem.games.matrix.tocsc()
        S = np.zeros((base + border.shape[1],) * 2)
        if len(d["prior_curvature"]):
            S[range(base), range(base)] = d["prior_curvature"][:base]
        S[base:, base:] = d["extra_hessian"]
        factors, borders, begin = [], [], base
        for items in active:
            own = columns[:, begin : begin + len(items)]
            C = (own.T @ own.multiply(curvature[:, None])).toarray()
            C[range(len(items)), range(len(items))] += tension
            cross = border[begin : begin + len(items)]
            factor = linalg.cholesky(C, lower=True)
            inverse = _inverse(factor)
            there = items >= first
            places = items[there] - first
            S[np.ix_(places, places)] -= tension**2 * inverse[np.ix_(there, there)]
            S[places, places] += tension
            told = inverse @ cross
            S[places, base:] += tension * told[there]
            S[base:, base:] -= cross.T @ told
            factors.append(factor)
            borders.append(cross)
            begin += len(items)
        S[base:, :base] = S[:base, base:].T
        try:
            root = linalg.cholesky(S, lower=True, overwrite_a=True)
        except linalg.LinAlgError:
            raise ValueError(SINGULAR) from None
        return cls(n, first, tension, active, tuple(factors), tuple(borders), root)

    @property
    def log_volume(self) -> float:
        """log det of the whole matrix, of the items that are in a group."""
        diagonals = [self.root, *self.factors]
        return 2.0 * float(sum(np.log(np.diag(factor)).sum() for factor in diagonals))

    def standard_errors(self) -> Floats:
        """Of s_g against its mean over all items: groups x items."""
        n, base, loose = self.n, self.n - self.first, 1.0 / self.tension
        sigma = _inverse(self.root)
        alone = np.zeros(n)
        alone[self.first :] = np.diag(sigma)[:base]
        out = np.empty((len(self.active), n))
        for g, (items, factor, cross) in enumerate(zip(self.active, self.factors, self.borders, strict=True)):
            inverse = _inverse(factor)
            there = items >= self.first
            places = np.concatenate([items[there] - self.first, np.arange(base, len(self.root))])
            # s_g = told (m, extras) + noise of its own
            told = np.hstack([self.tension * inverse[:, there], -inverse @ cross])
            outside = np.setdiff1d(np.arange(self.first, n), items) - self.first
            mean = np.zeros(len(self.root))
            mean[places] = told.sum(axis=0) / n
            mean[outside] += 1.0 / n
            pulled = sigma @ mean
            variance, with_mean = alone + loose, np.full(n, loose / n)
            with_mean[self.first :] += pulled[:base]
            variance[items] = np.einsum("ij,ij->i", told @ sigma[np.ix_(places, places)], told) + np.diag(
                inverse
            )
            with_mean[items] = told @ pulled[places] + inverse.sum(axis=1) / n
            own = (float(inverse.sum()) + loose * (n - len(items))) / n**2
            variance += float(mean @ pulled) + own - 2.0 * with_mean
            out[g] = np.sqrt(np.maximum(variance, 0.0))
        return out

    def draws(self, count: int, rng: np.random.Generator) -> list[Floats]:
        """Errors of s_g against its mean over all items: for each group, count x its items."""
        from scipy import linalg

        base = self.n - self.first
        z = linalg.solve_triangular(
            self.root, rng.standard_normal((len(self.root), count)), trans=1, lower=True
        )
        m, extras = np.zeros((self.n, count)), z[base:]
        m[self.first :] = z[:base]
        total, out = m.sum(axis=0), []
        for items, factor, cross in zip(self.active, self.factors, self.borders, strict=True):
            s = linalg.cho_solve((factor, True), self.tension * m[items] - cross @ extras)
            s += linalg.solve_triangular(factor, rng.standard_normal(s.shape), trans=1, lower=True)
            outside = total - m[items].sum(axis=0)
            outside += np.sqrt((self.n - len(items)) / self.tension) * rng.standard_normal(count)
            out.append((s - (s.sum(axis=0) + outside) / self.n).T)
        return out


def _inverse(root: Floats) -> Floats:
    """Of L L', a third of the work of solving for the identity."""
    from scipy.linalg import lapack

    out, info = lapack.dpotri(root, lower=1)
    if info != 0:
        raise ValueError(SINGULAR)
    for begin in range(0, len(out), _BLOCK):  # LAPACK fills the lower half
        block = slice(begin, begin + _BLOCK)
        out[block, begin + _BLOCK :] = out[begin + _BLOCK :, block].T
        corner = np.tril(out[block, block])
        out[block, block] = corner + np.tril(corner, -1).T
    return np.asarray(out)


def require_room(active: Any, n: int, most: int) -> None:
    """Refuses groups whose blocks would not fit into memory."""
    numbers = n * n + sum(len(items) ** 2 for items in active)
    if numbers > most:
        largest = max(map(len, active))
        raise ValueError(
            f"comparisons has {len(active)} groups of up to {largest:,} of {n:,} items: their blocks would "
            f"take {8e-9 * numbers:.0f} GB, up to {8e-9 * most:.0f} are allowed; keep fewer items "
            "(filter(min_games=...)), or give shrink=False"
        )
