"""`WeightingModel`: a weighting that points join and leave without a new solve."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import blas

from .. import _core
from .._results import Result
from .._validate import check_level, check_positive, check_threads, refuse_masked
from ._bounds import rounding
from ._certificate import with_blurred
from ._choice import FACTOR_LIMIT, Request
from ._result import WeighInfo
from ._scales import resolve_scale
from ._spaces import Array, Index, Space, check_space, parse_metric
from ._wide import UNDETERMINED

_BLOCK_ENTRIES = 4_000_000  # of a block of similarities: 32 MB
_PANEL = 32  # columns that one rotation turns
_NEAR = 0.5  # similarity from which a new point is measured from its nearest neighbour


@dataclass(frozen=True, repr=False, eq=False)
class PointScores(Result):
    """What points would be worth to a model, each on its own.

    Attributes
    ----------
    weights : ndarray, shape (m,)
        The weight that each would have. A copy of a point of the model would share its weight.
    gains : ndarray, shape (m,)
        By how much the magnitude would grow (differential magnitude): 0 for a copy, 1 far from all points.
    copies : ndarray of int, shape (m,)
        For a copy, a row of the model that it repeats; -1 for the rest.
    """

    weights: Array
    gains: Array
    copies: Index

    def __len__(self) -> int:
        return len(self.weights)

    def __repr__(self) -> str:
        copies = int((self.copies >= 0).sum())
        gains = "" if not len(self) else f", gains {self.gains.min():.4g} to {self.gains.max():.4g}"
        return f"PointScores: {len(self):,} points, {copies:,} of them copies{gains}"

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns ``row``, ``weight``, ``gain`` and ``copy_of``, in the order of the points."""
        rows = np.arange(len(self))
        return {"row": rows, "weight": self.weights, "gain": self.gains, "copy_of": self.copies}


@dataclass(frozen=True, eq=False)
class _State:
    """Rows as given, and a factor over one row of each set of copies."""

    rows: npt.NDArray[Any]
    basis: Space  # the points of the factor, in its order
    slot: Index  # of each row, its place in the factor
    factor: Array  # lower Cholesky factor, columns contiguous


class WeightingModel:
    """The weighting of a growing and shrinking set of points at one scale, by Cholesky updates.

    Models do not change: `add` and `remove` return a new one and leave the old one as it was.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Points.
    scale : float or str, default 1.0
        As for `weighting`. A rule is evaluated once, on X; later points do not change the scale.
    metric : str, default 'euclidean'
        As for `weighting`, but not 'precomputed'. Z must be positive definite.
    fraction : float, default 0.3
        For scale='fraction'.
    n_threads : int, optional
        For distances; default: see `steelyard.build_info`.

    Attributes
    ----------
    scale : float
    metric : str

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; if Z is not positive definite to rounding; above 30,000 distinct points.

    Notes
    -----
    Rows whose similarity rounds to 1 count as copies of one point and share its weight. Near-copies are kept
    as they are: their single weights carry a relative error of about 1e-16 / (scale * distance).

    With n points and m that come or go: O(n^3) time to build, O(n^2 m) to `add` (block Cholesky: the new rows
    of the factor, then the Schur complement of the new points) and to `remove` (rotations that fold the
    deleted columns into those behind them, which no subtraction can spoil), O(n^2 m) for
    `score_new`; 8 n^2 bytes a model.

    References
    ----------
    .. [1] Bunch et al., "Practical applications of metric space magnitude and weighting vectors",
       arXiv 2006.14063.

    Examples
    --------
    >>> from steelyard import weigh
    >>> model = weigh.WeightingModel([[0.0], [1.0]])
    >>> print(round(model.magnitude, 4), model.score_new([[10.0]]).gains.round(4))
    1.4621 [0.9998]
    >>> print(model.add([[10.0]]).weights.round(3))
    [0.731 0.731 1.   ]
    """

    scale: float
    metric: str
    _threads: int
    _state: _State

    def __init__(
        self,
        X: Any,
        *,
        scale: float | str = 1.0,
        metric: str = "euclidean",
        fraction: float = 0.3,
        n_threads: int | None = None,
    ) -> None:
        if parse_metric(metric)[0] == "precomputed":
            raise ValueError("metric must be one of points for WeightingModel, got 'precomputed'")
        rows = refuse_masked(X, "X")
        space = check_space(rows, metric)
        self._threads = check_threads(n_threads)
        request = Request(scale=1.0, threads=self._threads)
        if isinstance(scale, str):
            self.scale = resolve_scale(space, scale, check_level(fraction, "fraction"), request).scale
        else:
            self.scale = check_positive(scale, "scale")
        self.metric = metric
        self._state = self._fresh(rows.copy(), space)

    def __len__(self) -> int:
        return len(self._state.rows)

    def __repr__(self) -> str:
        return f"WeightingModel: {len(self)} points, scale {self.scale:.6g}, magnitude {self.magnitude:.6g}"

    @property
    def points(self) -> npt.NDArray[Any]:
        """The rows as given, those added last at the end; read-only."""
        rows = self._state.rows.view()
        rows.flags.writeable = False
        return rows

    @property
    def magnitude(self) -> float:
        """The sum of the weights."""
        return float(self._solved.sum())

    @cached_property
    def weights(self) -> Array:
        """w with Z w = 1, shape (n,); copies share a weight; read-only."""
        weights: Array = (self._solved / self._counts)[self._state.slot]
        weights.flags.writeable = False
        return weights

    @cached_property
    def leave_one_out(self) -> Array:
        """By how much the magnitude would fall without each row, shape (n,); 0 for rows that have copies.

        w_i^2 / (Z^-1)_ii; O(n^3) time and 8 n^2 bytes when first asked for; read-only.
        """
        inverse = _core.linalg._cholesky_inverse(np.ascontiguousarray(self._state.factor))
        drop = self._solved**2 / np.diagonal(inverse)
        fall: Array = np.where(self._counts > 1, 0.0, drop)[self._state.slot]
        fall.flags.writeable = False
        return fall

    @cached_property
    def info(self) -> WeighInfo:
        """Residual and bounds; one pass over all pairs, when first asked for."""
        start = time.perf_counter()
        basis = self._state.basis
        n, w = basis.n, self._solved
        product = _core.weigh._similarity_product(
            basis.core, [self.scale * basis.unit], w[:, None], n_threads=self._threads
        )[:, 0]
        left = 1.0 - product
        residual = float(np.linalg.norm(left) / np.sqrt(n))
        half = solve_lower(self._state.factor, left)
        err = rounding(basis, self.scale * basis.unit, w, residual)
        value = float(2 * w.sum() - w @ product)
        known = err.bound <= 1e-8 * abs(value)
        bound = float(half @ half) + 2 * err.bound if known else None
        if residual > 1e-8:
            message = "the updates have drifted: build a new model from .points"
        else:
            message = "" if known else f"{UNDETERMINED}: rounding can move the magnitude by {err.bound:.1e}"
        info = WeighInfo(
            converged=residual <= 1e-8 and known,
            iterations=0,
            solver="Cholesky factor, updated",
            seconds=time.perf_counter() - start,
            tol=1e-8,
            error_bound=bound,
            error_kind="estimate",
            message=message,
            residual=residual,
            lower_bound=value - err.bound,
            error_estimate=bound,
            positive_definite="theory" if basis.positive_definite else "Cholesky",
            merged=len(self) - n,
        )
        return with_blurred(basis, self.scale, info) if basis.blurred else info

    def add(self, points: Any) -> WeightingModel:
        """The model with more points, at the end.

        Parameters
        ----------
        points : array_like, shape (m, d)

        Returns
        -------
        WeightingModel
            Its weights equal those of a fresh solve up to rounding.

        Raises
        ------
        ValueError, TypeError
            If `points` do not fit; if Z would not be positive definite to rounding.
        """
        state = self._state
        new = refuse_masked(points, "points")
        check_space(new, self.metric, name="points")
        if new.shape[1] != state.rows.shape[1]:
            raise ValueError(f"points must have {state.rows.shape[1]} features, got {new.shape[1]}")
        rows = np.concatenate([state.rows, new])
        space = check_space(rows, self.metric)
        n, before = len(state.factor), len(state.rows)
        leader = _first_rows(state.slot, n)
        assert space.points is not None
        if len(np.unique(space.group[leader])) < n:  # a point so far away that old ones coincide
            return self._with(self._fresh(rows, space))
        old = space.subset(space.group[leader])
        prepared = np.ascontiguousarray(space.points[space.group[before:]])
        across = np.exp(-self.scale * space.unit * old.between(prepared, n_threads=self._threads))
        twin = across.argmax(axis=1)
        is_copy = across.max(axis=1) == 1.0
        slot_of_new = np.where(is_copy, twin, 0)
        fresh = np.flatnonzero(~is_copy)
        if not len(fresh):
            slot = np.concatenate([state.slot, slot_of_new])
            return self._with(_State(rows, old, slot, state.factor))
        part = space.subset(space.group[before + fresh])
        Z = self._similarities(part)
        keep, place = _leaders(Z)
        slot_of_new[fresh] = n + place
        factor = _appended(state.factor, across[fresh[keep]].T, Z[np.ix_(keep, keep)])
        if factor is None:
            return self._with(self._fresh(rows, space))
        basis = space.subset(space.group[np.concatenate([leader, before + fresh[keep]])])
        _check_size(basis.n)
        return self._with(_State(rows, basis, np.concatenate([state.slot, slot_of_new]), factor))

    def remove(self, indices: Any) -> WeightingModel:
        """The model without some rows; those behind them move up.

        Parameters
        ----------
        indices : array_like of int, shape (m,), or int
            Rows of `points`, from 0.

        Returns
        -------
        WeightingModel

        Raises
        ------
        ValueError, TypeError
            If `indices` are not distinct rows of the model, or all of them.
        """
        state = self._state
        gone = _check_rows(indices, len(self))
        rest = np.delete(np.arange(len(self)), gone)
        slots = state.slot[rest]
        used = np.zeros(len(state.factor), bool)
        used[slots] = True
        place = np.cumsum(used) - 1
        factor = state.factor if used.all() else _without(state.factor, np.flatnonzero(~used))
        basis = state.basis.subset(np.flatnonzero(used))
        return self._with(_State(state.rows[rest], basis, place[slots], factor))

    def score_new(self, points: Any) -> PointScores:
        """What each point would be worth if it alone were added.

        Parameters
        ----------
        points : array_like, shape (m, d)

        Returns
        -------
        PointScores
            With k the similarities to the model's points and s = 1 - k'Z^-1 k: the weight (1 - k'w) / s and
            the gain (1 - k'w)^2 / s.

        Raises
        ------
        ValueError, TypeError
            If `points` do not fit.

        Notes
        -----
        O(n^2 m) time, blocks of 32 MB. Near a point j of the model both numerators and s vanish; they are
        then taken from h = k - Z e_j, since 1 - k'w = -h'w and s = 2 (1 - k_j) - h'Z^-1 h.
        """
        new = refuse_masked(points, "points")
        basis = self._state.basis
        distances_to = basis.cross  # checks the points as well
        step = max(1, _BLOCK_ENTRIES // basis.n)
        if new.ndim != 2 or len(new) <= step:
            return self._scores(new, distances_to(new, name="points", n_threads=self._threads))
        parts = [
            self._scores(
                new[i : i + step],
                distances_to(new[i : i + step], name="points", n_threads=self._threads),
            )
            for i in range(0, len(new), step)
        ]
        return PointScores(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("weights", "gains", "copies")
            )
        )

    def _scores(self, new: npt.NDArray[Any], distances: Array) -> PointScores:
        basis = self._state.basis
        assert basis.points is not None
        k = np.exp(-self.scale * distances)
        rows = np.arange(len(k))
        nearest = distances.argmin(axis=1)
        close = distances[rows, nearest]
        is_copy = k[rows, nearest] == 1.0
        near = (k[rows, nearest] >= _NEAR) & ~is_copy
        if near.any():
            anchors = np.ascontiguousarray(basis.points[nearest[near]])
            k[near] -= np.exp(-self.scale * basis.unit * basis.between(anchors, n_threads=self._threads))
        half = solve_lower(self._state.factor, k.T)
        left = np.where(near, -2.0 * np.expm1(-self.scale * close), 1.0) - np.einsum("ij,ij->j", half, half)
        rest = np.where(near, 0.0, 1.0) - k @ self._solved
        left = np.where(is_copy, 1.0, np.maximum(left, np.finfo(float).tiny))
        shared = self._solved[nearest] / (self._counts[nearest] + 1)
        return PointScores(
            np.where(is_copy, shared, rest / left),
            np.where(is_copy, 0.0, rest**2 / left),
            np.where(is_copy, _first_rows(self._state.slot, basis.n)[nearest], -1),
        )

    def _with(self, state: _State) -> WeightingModel:
        other = object.__new__(WeightingModel)
        other.scale, other.metric, other._threads, other._state = (
            self.scale,
            self.metric,
            self._threads,
            state,
        )
        return other

    def _fresh(self, rows: npt.NDArray[Any], space: Space) -> _State:
        _check_size(space.n_unique)
        Z = self._similarities(space)
        keep, place = _leaders(Z)
        if len(keep) < len(Z):
            Z = Z[np.ix_(keep, keep)]
        factor = _cholesky(Z)
        if factor is None and space.positive_definite:
            raise ValueError(
                f"X has points whose similarities at scale {self.scale:.6g} are {UNDETERMINED} (metric="
                f"{self.metric!r}): a larger scale may do, or `weighting`, which goes on in 106 bits"
            )
        if factor is None:
            raise ValueError(
                f"metric={self.metric!r} gives a Z that is not positive definite to rounding at scale "
                f"{self.scale:.6g}; a larger scale, or `weighting` with method='direct', may do"
            )
        return _State(rows, space.subset(keep), place[space.group], factor)

    def _similarities(self, space: Space) -> Array:
        assert space.points is not None
        return np.asarray(
            np.exp(-self.scale * space.unit * space.between(space.points, n_threads=self._threads))
        )

    @cached_property
    def _solved(self) -> Array:
        """Weights of the points of the factor."""
        factor = self._state.factor
        half = solve_lower(factor, np.ones(len(factor)))
        return solve_lower(factor, half, transposed=True)

    @cached_property
    def _counts(self) -> Index:
        return np.bincount(self._state.slot, minlength=len(self._state.factor))


def solve_lower(factor: Array, right: Array, *, transposed: bool = False) -> Array:
    """L^-1 b or L'^-1 b. BLAS itself: LAPACK's dtrtrs wakes all threads for the smallest system."""
    found = blas.dtrsm(1.0, factor, right, lower=1, trans_a=int(transposed))
    return np.asarray(found).reshape(right.shape)


def _cholesky(Z: Array) -> Array | None:
    """The lower factor with contiguous columns; None where Z is not positive definite."""
    factor = _core.linalg._cholesky_large(Z)
    return None if factor is None else np.asfortranarray(np.tril(factor))


def _check_size(n: int) -> None:
    if n > FACTOR_LIMIT:
        raise ValueError(f"X has {n} distinct points; a model holds a dense factor of at most {FACTOR_LIMIT}")


def _check_rows(indices: Any, n: int) -> Index:
    array = np.atleast_1d(refuse_masked(indices, "indices"))
    if array.dtype.kind not in "iu" and array.size:
        raise TypeError(f"indices must be integers, got dtype {array.dtype}")
    if array.ndim != 1:
        raise ValueError(f"indices must be 1-dimensional, got shape {array.shape}")
    gone = np.unique(array).astype(np.intp)
    if len(gone) < array.size:
        raise ValueError("indices must be distinct rows")
    if len(gone) and not 0 <= gone[0] <= gone[-1] < n:
        bad = gone[0] if gone[0] < 0 else gone[-1]
        raise ValueError(f"indices must lie in 0..{n - 1}, got {bad}")
    if len(gone) == n:
        raise ValueError(f"indices must leave at least one of {n} points")
    return gone


def _first_rows(slot: Index, n: int) -> Index:
    """Of each place in the factor, its first row."""
    first = np.full(n, len(slot))
    np.minimum.at(first, slot, np.arange(len(slot)))
    return first


def _leaders(Z: Array) -> tuple[Index, Index]:
    """(points that no earlier one is similar to by 1, of each point its place among them)."""
    first = (Z == 1.0).argmax(axis=1)
    while (first[first] != first).any():
        first = first[first]
    keep, place = np.unique(first, return_inverse=True)
    return keep, place


def _appended(factor: Array, across: Array, corner: Array) -> Array | None:
    """The factor of [[L L', across], [across', corner]]; None where that is not positive definite."""
    n, m = across.shape
    below = solve_lower(factor, across)
    last = _cholesky(corner - below.T @ below)
    if last is None:
        return None
    out = np.zeros((n + m, n + m), order="F")
    out[:n, :n] = factor
    out[n:, :n] = below.T
    out[n:, n:] = last
    return out


def _without(factor: Array, gone: Index) -> Array:
    """The factor of L L' less some rows and columns.

    Deleting rows of L leaves a matrix whose deleted columns B stick out: L22 L22' + B B' = L~ L~'. Panel by
    panel, a rotation found by QR folds B's rows into the columns of L22 and turns all rows below likewise.
    """
    n, first = len(factor), int(gone[0])
    behind = np.setdiff1d(np.arange(first, n), gone)
    kept = np.concatenate([np.arange(first), behind])
    if 4 * len(gone) >= len(behind):
        quick = _refactored(factor, first, behind, kept)
        if quick is not None:
            return quick
    out: Array = factor.T[kept].take(kept, axis=1).T  # columns stay contiguous
    extra = factor[np.ix_(behind, gone)]
    width = max(_PANEL, len(gone))
    for j in range(0, len(behind), width):
        head = np.hstack([out[first + j :, first + j :][:width, :width], extra[j : j + width]])
        end = len(head)
        turn, upper = np.linalg.qr(head.T, mode="complete")
        signs = np.where(np.diagonal(upper) < 0, -1.0, 1.0)
        turn[:, :end] *= signs
        panel = out[first + j :, first + j : first + j + end]
        below = np.hstack([panel[end:], extra[j + end :]]) @ turn
        panel[:end] = np.tril(upper[:end].T * signs)
        panel[end:], extra[j + end :] = below[:, :end], below[:, end:]
    return out


def _refactored(factor: Array, first: int, behind: Index, kept: Index) -> Array | None:
    """The same by factoring what lies behind the first deleted row: quicker when much is deleted.

    None where rounding spoils that.
    """
    tail = factor[behind, first:]
    out = np.zeros((len(kept), len(kept)), order="F")
    out[:first, :first] = factor[:first, :first]
    out[first:, :first] = factor[np.ix_(behind, np.arange(first))]
    if len(behind):
        last = _cholesky(tail @ tail.T)
        if last is None:
            return None
        out[first:, first:] = last
    return out
