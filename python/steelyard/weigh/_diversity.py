"""Maximum diversity: the distribution over points that is as spread out as it can be."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._errors import finish
from .._results import Result
from .._validate import (
    Progress,
    check_flag,
    check_positive,
    check_progress,
    check_threads,
)
from ._choice import Request
from ._far_diversity import Spread, far_diversity
from ._scales import resolve_scale
from ._simplex_qp import Floats, Rows, SimplexQPInfo, SimplexQPResult, solve
from ._spaces import Space, check_space

_STORED = 8000  # points up to which the similarities are held: 512 MB
_TOL, _FAR_TOL = 1e-10, 1e-6


@dataclass(frozen=True, kw_only=True)
class DiversityInfo(SimplexQPInfo):
    """`Info` of a maximum diversity; ``error_bound`` is gap / (p'Zp / 2).

    Attributes
    ----------
    definite : str
        How Z is known to be positive semidefinite: ``'theory'``, ``'cholesky'`` or ``'eigenvalues'``;
        ``'no'`` if it isn't.
    merged : int
        Points that were merged with an exact duplicate.
    """

    definite: str
    merged: int


@dataclass(frozen=True, repr=False, eq=False)
class Diversity(Result):
    """The distribution of maximum diversity.

    Attributes
    ----------
    distribution : ndarray of float64, shape (n,)
        p >= 0 with sum 1; exact duplicates share their mass evenly.
    magnitude : float
        1 / (p'Zp): the maximum diversity, an effective number of points between 1 and n. It is the magnitude
        of the support.
    support : ndarray of intp, shape (k,)
        Points of positive mass.
    gap : float
        p'Zp - min_i (Zp)_i, zero exactly at the optimum. The true maximum is at most
        ``magnitude / (1 - gap * magnitude) ** 2``.
    scale : float
        The scale that was used.
    info : DiversityInfo
        How it was found.
    """

    distribution: Floats
    magnitude: float
    support: npt.NDArray[np.intp]
    gap: float
    scale: float
    info: DiversityInfo

    def __repr__(self) -> str:
        state = "converged" if self.info.converged else "NOT converged"
        return (
            f"Diversity: {self.magnitude:.6g} effective points of {len(self.distribution)}, "
            f"{len(self.support)} with mass, scale={self.scale:g}\n"
            f"{state}: gap {self.gap:.2g} ({self.info.solver})"
        )

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns ``row`` and ``mass`` of all points, largest mass first, for any data frame."""
        order = np.argsort(-self.distribution, kind="stable")
        return {"row": order, "mass": self.distribution[order]}


def _similarity_rows(space: Space, scale: float, n_threads: int) -> Rows:
    """Rows of Z between the points that differ, made on demand."""

    def rows(index: npt.NDArray[np.intp]) -> Floats:
        if space.points is None:
            assert space.distances is not None
            return np.exp(-scale * space.distances[index])
        chosen = np.ascontiguousarray(space.points[index])
        return np.exp(-scale * space.unit * space.between(chosen, n_threads=n_threads))

    return rows


def _definite(Z: Floats) -> tuple[str, float]:
    """How a matrix is known to be positive semidefinite and its least eigenvalue if that was needed."""
    if _core.linalg._is_positive_definite(Z):
        return "cholesky", 0.0
    values = np.linalg.eigvalsh(Z)
    least, largest = float(values[0]), float(values[-1])
    return ("eigenvalues" if least >= -8 * len(Z) * np.finfo(float).eps * largest else "no"), least


def _refuse(least: float, scale: float) -> None:
    raise ValueError(
        f"X must have positive semidefinite similarities exp(-scale * distance) at scale={scale:g}, got a "
        f"least eigenvalue of {least:.3g}; raise scale, or set local=True for a point that satisfies the "
        "first-order conditions"
    )


def max_diversity(
    X: npt.ArrayLike,
    *,
    scale: float | str = 1.0,
    metric: str = "euclidean",
    local: bool = False,
    tol: float | None = None,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> Diversity:
    """Distribution over points that maximises diversity, for all orders q at once.

    Minimises p'Zp over the distributions p, Z = exp(-scale * distance). By a theorem of Leinster and Meckes
    [1]_ the minimiser has the largest diversity of every order, and on its support it is the weighting
    divided by the magnitude. If the weighting of all points is nonnegative, so is the maximum diversity their
    magnitude.

    Parameters
    ----------
    X : array_like, shape (n, n_features), or (n, n) with metric='precomputed'
        Points, or symmetric distances with a zero diagonal (+inf: similarity 0). Computed in float64.
    scale : float or str, default 1.0
        As for `weighting`: a number in units of 1 / distance, or a rule of `find_scale`.
    metric : str, default 'euclidean'
        As for `weighting`. Where theory does not make Z positive definite it is checked.
    local : bool, default False
        Accept an indefinite Z, for which only a point that satisfies the first-order conditions is found, and
        ``info.convex`` or ``info.definite`` say so.
    tol : float, optional
        Of the relative gap, gap / (p'Zp / 2). Default 1e-10; 1e-6 where products go through a far field.
    n_threads : int or None, default None
        Threads; None means the default of `steelyard.build_info`.
    progress : callable or None, default None
        Called as ``progress(done, total)``.

    Returns
    -------
    Diversity

    Raises
    ------
    TypeError
        If an argument is of the wrong kind.
    ValueError
        If X has NaN or is no matrix of points or distances, scale isn't positive, or Z is indefinite and
        `local` isn't set.
    KeyboardInterrupt
        On Ctrl-C, with the best result so far as ``.partial`` (None before there is one).

    Warns
    -----
    ConvergenceWarning
        If the relative gap misses `tol`.

    Notes
    -----
    Exact duplicates are merged. From 8001 points in 1 or 2 dimensions (15,001 in 3), Euclidean, by weightings
    of a support that changes until none of its weights is negative and no other point is wanted: each round a
    solve and products by a far field, O(n) (see `weighting`). ``info.error_kind`` says whether what the far
    field is off by, which is part of the gap, is proven. Elsewhere: up to 8000 points Z is held (8 n^2
    bytes), beyond that its rows are made on demand: O(n d) each, one pass over all of them, then two for each
    step of SMO. The solver and the rest of its cost: `solve_simplex_qp`. The check of distances that no
    theory makes positive definite is a Cholesky, n^3 / 3 flops, and eigenvalues if that fails.

    References
    ----------
    .. [1] Leinster, Meckes, "Maximizing diversity in biology and beyond", Entropy 18 (2016).

    Examples
    --------
    Two points close together count little more than one:

    >>> from steelyard.weigh import max_diversity
    >>> best = max_diversity([[0.0], [0.1], [5.0]])
    >>> best.distribution.round(3)
    array([0.258, 0.254, 0.488])
    >>> round(best.magnitude, 3)
    2.035
    """
    space = check_space(X, metric)
    if not space.symmetric:
        raise ValueError("X must be a symmetric distance")
    accept_local = check_flag(local, "local")
    asked = None if tol is None else check_positive(tol, "tol")
    threads = check_threads(n_threads)
    callback = check_progress(progress)
    n = space.n_unique
    t = resolve_scale(space, scale, 0.3, Request(scale=1.0, threads=threads)).scale
    if n > _STORED and space.has_far:
        spread = far_diversity(space, t, _FAR_TOL if asked is None else asked, threads, callback)
        best = _of_far_field(spread, space.group, t, _FAR_TOL if asked is None else asked)
        return finish(best, "max_diversity", n_threads=n_threads)
    rows: Floats | Rows = _similarity_rows(space, t, threads)
    definite = "theory"
    if n <= _STORED or space.points is None:
        rows = rows(np.arange(n))  # type: ignore[operator]
    if not space.positive_definite:
        if callable(rows):
            raise ValueError(
                f"X has {n} distinct points: whether Z is indefinite for metric={metric!r} is looked at "
                f"up to {_STORED} points"
            )
        definite, least = _definite(rows)
        if definite == "no" and not accept_local:
            _refuse(least, t)
    found = solve(
        rows,
        np.zeros(n),
        np.zeros(n),
        np.full(n, np.inf),
        1.0,
        tol=_TOL if asked is None else asked,
        max_iter=0,
        n_threads=threads,
        progress=callback,
        ways="raise tol",
    )
    return finish(_spread_out(found, space.group, t, definite), "max_diversity", n_threads=n_threads)


def _spread_out(
    found: SimplexQPResult, place: npt.NDArray[np.intp], scale: float, definite: str
) -> Diversity:
    """The solution over the distinct points as one over all points."""
    distribution = (found.x / np.bincount(place))[place]
    distribution.flags.writeable = False
    info = {f.name: getattr(found.info, f.name) for f in fields(found.info)}
    if definite == "no":
        local = "Z is indefinite: p satisfies the first-order conditions only"
        info |= {"message": "; ".join(filter(None, [local, info["message"]])), "error_kind": "estimate"}
    return Diversity(
        distribution=distribution,
        magnitude=0.5 / found.objective if found.objective > 0 else float("nan"),
        support=np.flatnonzero(distribution > 0),
        gap=found.gap,
        scale=scale,
        info=DiversityInfo(**info, definite=definite, merged=len(place) - len(found.x)),
    )


def _of_far_field(spread: Spread, place: npt.NDArray[np.intp], scale: float, tol: float) -> Diversity:
    """The solution over the distinct points, by products through a far field, as one over all points."""
    info = SimplexQPInfo(
        converged=spread.gap <= tol * spread.objective,
        iterations=spread.rounds,
        solver=spread.solver,
        seconds=spread.seconds,
        tol=tol,
        error_bound=spread.gap / spread.objective,
        error_kind="rigorous" if spread.proven else "estimate",
        message=spread.message,
    )
    found = SimplexQPResult(spread.x, spread.objective, spread.gap, np.flatnonzero(spread.x > 0), info)
    return _spread_out(found, place, scale, "theory")
