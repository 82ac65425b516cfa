"""Symmetric matrices of a dense core and small blocks that meet it alone, as Hessians by judge are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _core

Floats = npt.NDArray[np.float64]

_DENSE = 2**24  # entries of the scaled cross part, above which its square is taken sparsely


@dataclass(frozen=True, eq=False)
class Arrow:
    """Parameters: the first `n` of the core, those of the blocks kind by kind, and the rest of the core.

    Attributes
    ----------
    n : int
    core : ndarray, shape (m, m)
    cross : scipy.sparse.csr_array, shape (q k, m)
        Row t k + j: parameter t of block j.
    blocks : ndarray, shape (k, q, q)
    """

    n: int
    core: Floats
    cross: Any
    blocks: Floats

    @property
    def size(self) -> int:
        """Number of parameters."""
        return len(self.core) + int(self.cross.shape[0])

    def split(self, x: Floats) -> tuple[Floats, Floats]:
        """Entries (rows) of the core and of the blocks."""
        end = self.n + int(self.cross.shape[0])
        return np.concatenate([x[: self.n], x[end:]]), x[self.n : end]

    def join(self, core: Floats, own: Floats) -> Floats:
        """The other way round."""
        return np.concatenate([core[: self.n], own, core[self.n :]])

    def diagonal(self) -> Floats:
        """Of all parameters."""
        return self.join(np.diag(self.core), np.diagonal(self.blocks, axis1=1, axis2=2).T.ravel())

    def plus(self, diagonal: Floats, core: float = 0.0) -> Arrow:
        """With more on the diagonal, and everywhere among the first `n`."""
        of_core, own = self.split(diagonal)
        matrix, (k, q, _) = self.core + np.diag(of_core), self.blocks.shape
        matrix[: self.n, : self.n] += core
        blocks = self.blocks.copy()
        blocks[:, range(q), range(q)] += own.reshape(q, k).T
        return replace(self, core=matrix, blocks=blocks)

    def times(self, x: Floats) -> Floats:
        """The product with columns."""
        of_core, own = self.split(x)
        k, q, _ = self.blocks.shape
        within = np.einsum("jab,bjc->ajc", self.blocks, own.reshape(q, k, -1)).reshape(own.shape)
        return self.join(self.core @ of_core + self.cross.T @ own, self.cross @ of_core + within)

    def toarray(self) -> Floats:
        """All entries."""
        return self.times(np.eye(self.size))

    def factor(self) -> ArrowFactor | None:
        """None unless positive definite."""
        from scipy import linalg

        try:
            roots = np.linalg.inv(np.linalg.cholesky(self.blocks))
            scaled = _block_diagonal(roots) @ self.cross
            if scaled.shape[0] * scaled.shape[1] <= _DENSE:
                dense = scaled.toarray()
                square = dense.T @ dense
            else:
                square = (scaled.T @ scaled).toarray()
            schur = self.core - square
            return ArrowFactor(self, roots, schur, np.asarray(linalg.cholesky(schur, lower=True)))
        except np.linalg.LinAlgError:  # SciPy raises NumPy's
            return None


@dataclass(frozen=True, eq=False)
class ArrowFactor:
    """Inverses of the blocks' Cholesky factors, and the Schur complement of the core with its own."""

    arrow: Arrow
    roots: Floats
    schur: Floats
    lower: Floats

    @cached_property
    def _inverse_blocks(self) -> Any:
        return _block_diagonal(np.einsum("jca,jcb->jab", self.roots, self.roots))

    @cached_property
    def _reach(self) -> Any:
        """D^{-1} C."""
        return self._inverse_blocks @ self.arrow.cross

    @property
    def log_volume(self) -> float:
        """Log determinant."""
        own = np.log(np.diagonal(self.roots, axis1=1, axis2=2)).sum()
        return 2.0 * float(np.log(np.diag(self.lower)).sum() - own)

    def solve(self, right: Floats) -> Floats:
        """Columns x with H x = right."""
        from scipy import linalg

        of_core, own = self.arrow.split(right)
        x = np.asarray(linalg.cho_solve((self.lower, True), of_core - self._reach.T @ own))
        return self.arrow.join(x, self._inverse_blocks @ own - self._reach @ x)

    @cached_property
    def _core_inverse(self) -> Floats | None:
        found = _core.linalg._inverse_positive_definite(self.schur)
        return None if found is None else np.asarray(found)

    def most(self, errors: Floats) -> float:
        """At least e' |H^{-1}| e, for e >= 0."""
        inverse = self._core_inverse
        if inverse is None:
            return float("inf")
        of_core, own = self.arrow.split(errors)
        moved = of_core + abs(self._reach).T @ own
        return float(moved @ np.abs(inverse) @ moved + own @ (abs(self._inverse_blocks) @ own))

    def own_variances(self) -> Floats:
        """The diagonal of H^{-1} at the blocks' parameters."""
        inverse = self._core_inverse
        if inverse is None:
            return np.full(self._reach.shape[0], np.inf)
        out = np.array(self._inverse_blocks.diagonal())
        step = max(1, _DENSE // max(1, len(inverse)))
        for begin in range(0, len(out), step):
            rows = self._reach[begin : begin + step]
            out[begin : begin + step] += np.asarray(rows.multiply(rows @ inverse).sum(axis=1)).ravel()
        return out

    def draw(self, noise: Floats) -> Floats:
        """Columns of covariance H from standard normal ones."""
        of_core, own = self.arrow.split(noise)
        k, q, _ = self.roots.shape
        lower = np.linalg.inv(self.roots)
        spread = np.einsum("jab,bjc->ajc", lower, own.reshape(q, k, -1)).reshape(own.shape)
        turned = _block_diagonal(np.swapaxes(self.roots, 1, 2)) @ own
        return self.arrow.join(self.arrow.cross.T @ turned + self.lower @ of_core, spread)


def _block_diagonal(blocks: Floats) -> Any:
    """As a sparse matrix, kind by kind."""
    from scipy import sparse

    k, q, _ = blocks.shape
    row, column = (np.broadcast_to(part, (q, q, k)) for part in np.ogrid[:q, :q, :k][:2])
    place = np.arange(k)
    ends = ((row * k + place).ravel(), (column * k + place).ravel())
    return sparse.csr_array((np.moveaxis(blocks, 0, 2).ravel(), ends), shape=(q * k, q * k))
