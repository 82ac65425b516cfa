"""The normal law of strengths by group: blocks that the whole alone ties together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _core
from .._paired import TeamPoint, TeamProblem

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[Any]

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
    begins : ndarray
        First place of each group in `items`.
    items : ndarray
        Of the groups, one after the other.
    blocks : ndarray
        Lower Cholesky factors of C_g, one after the other; what lies above diagonals is not read.
    border : ndarray, shape (n_items of groups, n_extras)
        Cross derivatives of d and (tie, home).
    root : ndarray
        Lower Cholesky factor of S.
    """

    n: int
    first: int
    tension: float
    begins: Places
    items: Places
    blocks: Floats
    border: Floats
    root: Floats

    @classmethod
    def at(cls, problem: TeamProblem, point: TeamPoint, n: int, width: float, threads: int) -> GroupLaw:
        """At a point of the joint problem, whose columns are m and then each group's d."""
        from scipy import linalg

        assert problem.groups is not None
        begins, items = problem.groups
        base, tension = int(begins[0]), width**-2
        first = n - base
        found = problem.kernel.group_factors(point.free, point.tie, point.effects, threads)
        if found is None:
            raise ValueError(SINGULAR)
        d = problem.kernel.derivatives(point.free, point.tie, point.effects, threads)
        law = cls(n, first, tension, begins - base, items + first, found[0], d["border"][base:], found[1])
        extras = law.border.shape[1]
        if extras == 0:
            return law
        told = np.concatenate(
            [linalg.cho_solve((factor, True), cross) for _, factor, cross in law.groups()] or [law.border]
        )
        beside = np.zeros((n, extras))
        np.add.at(beside, law.items, tension * told)
        corner = d["extra_hessian"] - law.border.T @ told
        across = linalg.solve_triangular(law.root, beside[first:], lower=True)
        root = np.zeros((base + extras, base + extras))
        root[:base, :base], root[base:, :base] = np.tril(law.root), across.T
        try:
            root[base:, base:] = linalg.cholesky(corner - across.T @ across, lower=True)
        except linalg.LinAlgError:
            raise ValueError(SINGULAR) from None
        return replace(law, root=root)

    def groups(self) -> Iterator[tuple[Places, Floats, Floats]]:
        """Of each: items, factor, border."""
        sizes, place = np.diff(self.begins), 0
        for begin, size in zip(self.begins.tolist(), sizes.tolist(), strict=False):
            own = slice(begin, begin + size)
            factor = self.blocks[place : place + size * size].reshape(size, size)
            place += size * size
            yield self.items[own], factor, self.border[own]

    def standard_errors(self, threads: int) -> Floats:
        """Of s_g against its mean over all items: groups x items."""
        sigma = _inverse(self.root)
        return np.asarray(
            _core.rank.Teams.group_errors(
                self.n, self.tension, self.begins, self.items, self.blocks, self.border, sigma, threads
            )
        )

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
        for items, factor, cross in self.groups():
            s = linalg.cho_solve((factor, True), self.tension * m[items] - cross @ extras)
            s += linalg.solve_triangular(factor, rng.standard_normal(s.shape), trans=1, lower=True)
            outside = total - m[items].sum(axis=0)
            outside += np.sqrt((self.n - len(items)) / self.tension) * rng.standard_normal(count)
            out.append((s - (s.sum(axis=0) + outside) / self.n).T)
        return out


def _inverse(root: Floats) -> Floats:
    """Of L L'."""
    from scipy.linalg import lapack

    out, info = lapack.dpotri(np.asfortranarray(root), lower=1, overwrite_c=1)
    if info != 0:
        raise ValueError(SINGULAR)
    for begin in range(0, len(out), _BLOCK):  # LAPACK fills the lower half
        block = slice(begin, begin + _BLOCK)
        out[block, begin + _BLOCK :] = out[begin + _BLOCK :, block].T
        corner = np.tril(out[block, block])
        out[block, block] = corner + np.tril(corner, -1).T
    return np.ascontiguousarray(out)


def require_room(sizes: Places, n: int, most: int) -> None:
    """Refuses groups whose blocks would not fit into memory."""
    numbers = n * n + int((sizes.astype(np.int64) ** 2).sum())
    if numbers > most:
        raise ValueError(
            f"comparisons has {len(sizes)} groups of up to {sizes.max():,} of {n:,} items: their blocks "
            f"would take {8e-9 * numbers:.0f} GB, up to {8e-9 * most:.0f} are allowed; keep fewer items "
            "(filter(min_games=...)), or give shrink=False"
        )
