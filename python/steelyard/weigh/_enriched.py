"""Weighting, coweighting and magnitude of any square similarity matrix."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import linalg
from scipy.linalg import lapack

from .._errors import finish, report
from .._info import Info
from .._results import Result
from .._validate import Progress, check_positive, check_progress, real_array

Array = npt.NDArray[np.float64]
_Pair = tuple[Array, Array, str, float]  # weighting, coweighting, solver, reciprocal condition

_EPS = float(np.finfo(np.float64).eps)
_CHOLESKY = "Cholesky: Z is symmetric positive definite"
_UNDETERMINED = 1e-3  # relative error from which on single weights are not worth reading


@dataclass(frozen=True, kw_only=True)
class SimilarityInfo(Info):
    """Info of a solved similarity matrix.

    `error_bound` is the largest relative residual ||Z w - 1|| / sqrt(n) of what exists; None if nothing does.

    Attributes
    ----------
    residual : float
        The same, over weighting and coweighting whether they exist or not.
    backward_error : float or None
        Smallest relative change of Z and of the ones, in the maximum norm, that makes what is returned exact.
    weight_error : float or None
        Estimated relative error of the weights: backward error (or rounding) over `reciprocal_condition`.
    reciprocal_condition : float
        Estimate in the 1-norm, rows and columns scaled to a largest entry near 1; for a singular Z smallest
        over largest of the singular values that count.
    rank : int
        Of Z to rounding.
    symmetric, positive_definite : bool
        To rounding; the latter is proven by a Cholesky factorisation and only looked for if Z is symmetric.
    magnitude_gap : float or None
        |sum of weights - sum of coweights| relative to the magnitude, or to the largest weight where that is
        more: 0 in exact arithmetic.
    """

    residual: float
    backward_error: float | None
    weight_error: float | None
    reciprocal_condition: float
    rank: int
    symmetric: bool
    positive_definite: bool
    magnitude_gap: float | None


@dataclass(frozen=True, repr=False, eq=False)
class SimilaritySolution(Result):
    """Weighting and coweighting of a similarity matrix, as far as they exist.

    Attributes
    ----------
    weighting : ndarray, shape (n,), or None
        w with Z w = 1, of minimum norm if there are many; read-only.
    coweighting : ndarray, shape (n,), or None
        v with v'Z = 1', likewise.
    magnitude : float or None
        sum w = sum v; None unless both exist.
    weighting_exists, coweighting_exists : bool
        Whether Z is nonsingular to rounding or else the residual is at most `info.tol`.
    weighting_residual, coweighting_residual : float
        ||Z w - 1|| / sqrt(n) and ||v'Z - 1'|| / sqrt(n) of the least-squares solutions; between 0 and 1.
    info : SimilarityInfo
        Solver and why, condition, rank, errors.
    """

    weighting: Array | None
    coweighting: Array | None
    magnitude: float | None
    weighting_exists: bool
    coweighting_exists: bool
    weighting_residual: float
    coweighting_residual: float
    info: SimilarityInfo

    def __repr__(self) -> str:
        size = "none" if self.magnitude is None else f"{self.magnitude:.6g}"
        return (
            f"SimilaritySolution: magnitude {size}; "
            f"{_described('weighting', self.weighting, self.weighting_residual)}; "
            f"{_described('coweighting', self.coweighting, self.coweighting_residual)}; {self.info.solver}"
        )

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns ``row``, ``weight`` and ``coweight``, of those that exist, in the order of the rows."""
        found = {"weight": self.weighting, "coweight": self.coweighting}
        columns = {name: column for name, column in found.items() if column is not None}
        n = len(next(iter(columns.values()), ()))
        return {"row": np.arange(n), **columns}


def _described(name: str, w: Array | None, residual: float) -> str:
    if w is None:
        return f"no {name} (residual {residual:.2g})"
    return f"{name} {w.min():.4g} to {w.max():.4g} (residual {residual:.1e})"


@dataclass(frozen=True)
class _Solved:
    """What a factorisation gives for Z w = 1 and Z'v = 1."""

    w: Array
    v: Array
    solver: str
    rcond: float
    rank: int


def solve_similarity(Z: Any, *, tol: float = 1e-8, progress: Progress | None = None) -> SimilaritySolution:
    """Weighting, coweighting and magnitude of a similarity matrix, asymmetric and singular ones included.

    Parameters
    ----------
    Z : array_like, shape (n, n)
        Real similarities, of any sign; in an enriched category Z_ij = s(C(i, j)) with a multiplicative size
        map s, see `similarity`. Worked on in float64.
    tol : float, default 1e-8
        Relative residual up to which a weighting of a singular Z counts as one. A solution with a larger
        residual is warned of. The default lies far above rounding, which leaves about 1e-15.
    progress : callable, optional
        Called as progress(done, total) after each factorisation.

    Returns
    -------
    SimilaritySolution

    Raises
    ------
    TypeError
        If Z does not hold real numbers.
    ValueError
        If Z is not square, is empty, or has masked, NaN or infinite entries, or is so small that its weights
        overflow.

    Warns
    -----
    ConvergenceWarning
        If Z is so close to singular, or so badly scaled, that rounding alone takes a residual above `tol`.

    Notes
    -----
    Symmetric Z: Cholesky, or LDL' if that shows Z not to be positive definite. Asymmetric Z: LU,
    one factorisation for both sides. Rows and columns are first scaled by powers of two; solutions are
    refined once and come with an estimate of the condition number. A reciprocal condition below n * 2.2e-16
    counts as singular: then weighting and coweighting are minimum-norm least-squares solutions, singular
    values below that share of the largest one left out, and exist if their residuals say so. Both existing,
    their sums agree, and the magnitude is taken as 1'w + v'(1 - Zw), whose error is of second order in the
    errors of w and v.

    O(n^3) time (a singular Z five to ten times that of a regular one) and four more matrices of memory
    (seven for a singular asymmetric Z). SciPy's LAPACK does the work: its thread settings apply, and the
    last bits may depend on them.

    References
    ----------
    .. [1] Leinster, "The magnitude of metric spaces", Documenta Mathematica 18 (2013).
    .. [2] Huntsman, "Magnitude of arithmetic scalar and matrix categories", arXiv 2304.08334 (2023).

    Examples
    --------
    >>> solution = solve_similarity([[1.0, 0.5], [0.2, 1.0]])
    >>> solution.weighting.round(4).tolist(), solution.coweighting.round(4).tolist()
    ([0.5556, 0.8889], [0.8889, 0.5556])
    >>> round(solution.magnitude, 4)
    1.4444
    >>> solve_similarity([[1.0, 1.0], [0.5, 0.5]]).weighting_exists  # rows ask for 1 and for 1/2
    False
    """
    found = solution_of(Z, check_positive(tol, "tol"), check_progress(progress))
    return finish(found, "solve_similarity")


def solution_of(Z: Any, tol: float, progress: Progress | None = None) -> SimilaritySolution:
    """`solve_similarity` that does not warn."""
    matrix = check_similarities(Z, "Z")
    start = time.perf_counter()
    exponent = int(np.frexp(np.abs(matrix).max())[1])
    scaled = np.ldexp(matrix, -exponent)  # exact; keeps norms and products in range
    symmetric = _is_symmetric(scaled)
    return _report(scaled, exponent, symmetric, _solve(scaled, symmetric, progress), tol, start)


def check_similarities(Z: Any, name: str) -> Array:
    """A finite square float64 matrix, not empty."""
    array = real_array(Z, name)
    if array.ndim != 2 or array.shape[0] != array.shape[1] or not len(array):
        raise ValueError(f"{name} must be a square matrix with at least one row, got shape {array.shape}")
    result = array.astype(np.float64, copy=False)
    bad = np.argwhere(~np.isfinite(result))
    if len(bad):
        raise ValueError(
            f"{name} has {len(bad)} entries that are NaN or infinite "
            f"(first: row {bad[0][0]}, column {bad[0][1]})"
        )
    return result


def _is_symmetric(Z: Array) -> bool:
    """To rounding of the entries, or of what the diagonal says they are measured against."""
    root = np.sqrt(np.abs(np.diag(Z)))
    size = np.maximum(np.abs(Z), np.outer(root, root))
    return bool((np.abs(Z - Z.T) <= 4 * _EPS * np.maximum(size, size.T)).all())


# ---- the factorisations


def _solve(Z: Array, symmetric: bool, progress: Progress | None) -> _Solved:
    """By the first factorisation that finds Z regular, else by least squares."""
    least = len(Z) * _EPS
    rows, columns = _equilibration(Z, symmetric)
    solutions = _symmetric_solutions if symmetric else _asymmetric_solutions
    steps = 3 if symmetric else 2  # factorisations at most; least squares is the last
    report(progress, 0, steps)
    for step, (w, v, solver, rcond) in enumerate(solutions(Z * rows[:, None] * columns, rows, columns)):
        report(progress, step + 1, steps)
        if rcond >= least and np.isfinite(w).all() and np.isfinite(v).all():
            return _Solved(w * columns, v * rows, solver, rcond, len(Z))
    found = _least_squares(Z, symmetric, least)
    report(progress, steps, steps)
    return found


def _equilibration(Z: Array, symmetric: bool) -> tuple[Array, Array]:
    """Powers of two that bring the largest entry of each row and column near 1 (Ruiz's iteration)."""
    rows, columns = np.ones(len(Z)), np.ones(len(Z))
    for _ in range(10):
        size = np.abs(Z * rows[:, None] * columns)
        by_row, by_column = size.max(axis=1), size.max(axis=0)
        if min(by_row.min(), by_column.min()) >= 0.25 and max(by_row.max(), by_column.max()) <= 1.0:
            break
        rows = rows * _inverse_root(by_row)
        columns = rows if symmetric else columns * _inverse_root(by_column)
    return rows, columns


def _inverse_root(size: Array) -> Array:
    exponent = np.where(size > 0, np.frexp(size)[1], 0)
    return np.asarray(np.ldexp(1.0, -((exponent + 1) // 2)))


def _symmetric_solutions(Z: Array, rows: Array, columns: Array) -> Iterator[_Pair]:
    """Refined by LAPACK's expert drivers; columns are rows."""
    n, b = len(Z), rows[:, None]
    x, rcond, info = itemgetter(5, 6, 9)(lapack.dposvx(Z, b, fact="N"))
    if info in (0, n + 1):
        yield x[:, 0], x[:, 0], _CHOLESKY, float(rcond)
    work = max(3 * n, int(lapack.dsysvx_lwork(n)[0]))
    x, rcond, info = itemgetter(4, 5, 8)(lapack.dsysvx(Z, b, lwork=work))
    if info in (0, n + 1):
        yield x[:, 0], x[:, 0], "LDL': Z is symmetric, not positive definite", float(rcond)


def _asymmetric_solutions(Z: Array, rows: Array, columns: Array) -> Iterator[_Pair]:
    """One factorisation, refined once on either side."""
    lu, pivots, info = lapack.dgetrf(Z)
    if info != 0:
        return
    rcond, _ = lapack.dgecon(lu, np.abs(Z).sum(axis=0).max())

    def refined(A: Array, b: Array, trans: int) -> Array:
        x = lapack.dgetrs(lu, pivots, b, trans=trans)[0]
        return np.asarray(x + lapack.dgetrs(lu, pivots, b - A @ x, trans=trans)[0])

    yield refined(Z, rows, 0), refined(Z.T, columns, 1), "LU: Z is asymmetric", float(rcond)


def _least_squares(Z: Array, symmetric: bool, least: float) -> _Solved:
    """Minimum-norm least squares from Z = U S V', by eigenvectors where Z is symmetric."""
    if symmetric:
        signed, U = linalg.eigh((Z + Z.T) / 2)
        s, V = np.abs(signed), U * np.where(signed < 0, -1.0, 1.0)
    else:
        U, s, Vt = linalg.svd(Z)
        V = Vt.T
    kept = s > least * s.max()
    inverse = np.where(kept, 1 / np.where(kept, s, 1.0), 0.0)
    w, v = V @ (inverse * U.sum(axis=0)), U @ (inverse * V.sum(axis=0))
    rank = int(kept.sum())
    rcond = float(s[kept].min() / s.max()) if rank else 0.0
    why = f"minimum-norm least squares: Z is singular to rounding, rank {rank} of {len(Z)}"
    return _Solved(w, v, why, rcond, rank)


# ---- what they are worth


def _residual(Z: Array, w: Array) -> tuple[float, float]:
    """||Z w - 1|| / sqrt(n), and the backward error of w in the maximum norm."""
    r = Z @ w - 1.0
    largest = float(np.abs(r).max())
    change = largest / (np.abs(Z).sum(axis=1).max() * np.abs(w).max() + 1.0)
    mean_square = np.mean((r / (largest or 1.0)) ** 2)  # a badly scaled Z can have residuals that overflow
    return largest * float(np.sqrt(mean_square)), float(change)


def _report(
    Z: Array, exponent: int, symmetric: bool, solved: _Solved, tol: float, start: float
) -> SimilaritySolution:
    """Z and its solutions are scaled by 2^exponent, which residuals do not see."""
    sides = [_residual(Z, solved.w)]
    sides.append(sides[0] if symmetric else _residual(Z.T, solved.v))
    residuals = [residual for residual, _ in sides]
    exists = [solved.rank == len(Z) or residual <= tol for residual in residuals]
    found = [side for side, there in zip(sides, exists, strict=True) if there]
    bound = max((residual for residual, _ in found), default=None)
    backward = max((change for _, change in found), default=None)
    # The residual itself is a sum of n terms in float64, and the condition number an estimate from below.
    first = None if backward is None else (backward + math.sqrt(len(Z)) * _EPS) / solved.rcond
    error = None if first is None else first / (1.0 - min(first, 0.9))
    w, v = (
        _scaled_back(x, exponent) if e else None for x, e in zip((solved.w, solved.v), exists, strict=True)
    )
    magnitude = gap = None
    if all(exists):
        stationary = solved.w.sum() + solved.v @ (1.0 - Z @ solved.w)
        magnitude = float(_scaled_back(np.array(stationary), exponent))
        gap = float(abs(solved.w.sum() - solved.v.sum()) / max(abs(stationary), np.abs(solved.w).max()))
    info = SimilarityInfo(
        converged=bound is None or bound <= tol,
        iterations=1,
        solver=solved.solver,
        seconds=time.perf_counter() - start,
        tol=tol,
        error_bound=bound,
        error_kind="rigorous",
        message="; ".join(_remarks(solved, symmetric, exists, residuals, tol, error, gap)),
        residual=max(residuals),
        backward_error=backward,
        weight_error=error,
        reciprocal_condition=solved.rcond,
        rank=solved.rank,
        symmetric=symmetric,
        positive_definite=solved.solver == _CHOLESKY,
        magnitude_gap=gap,
    )
    return SimilaritySolution(w, v, magnitude, exists[0], exists[1], residuals[0], residuals[1], info)


def _scaled_back(x: Array, exponent: int) -> Array:
    with np.errstate(over="ignore"):
        result = np.asarray(np.ldexp(x, -exponent))
    if not np.isfinite(result).all():
        raise ValueError("Z has weights beyond the range of float64; multiply Z by a large number")
    result.flags.writeable = False
    return result


def _remarks(
    solved: _Solved,
    symmetric: bool,
    exists: list[bool],
    residuals: list[float],
    tol: float,
    error: float | None,
    gap: float | None,
) -> Iterator[str]:
    names = ("weighting",) if symmetric else ("weighting", "coweighting")
    for name, there, residual in zip(names, exists, residuals, strict=False):
        if not there:
            yield f"no {name} exists: the least-squares residual is {residual:.2g}, above tol={tol:g}"
        elif residual > tol:
            yield (
                f"the {name} has residual {residual:.1e}, above tol={tol:g}, by rounding alone: Z is close "
                f"to singular or badly scaled (reciprocal condition {solved.rcond:.1e}); change the scale or "
                f"merge near-duplicates"
            )
    if solved.rank < len(solved.w) and any(exists):
        yield "what exists is not unique: the one of minimum norm is given"
    if error is not None and error > _UNDETERMINED:
        yield f"single weights are not determined: relative error about {error:.1g}"
    if gap is not None and gap > _UNDETERMINED:
        yield f"weights and coweights have sums that differ, relatively by {gap:.1g}"
