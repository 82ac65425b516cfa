"""Weighting, coweighting and magnitude of any square similarity matrix."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import linalg
from scipy.linalg import lapack

from .._errors import ConvergenceWarning
from .._info import Info
from .._validate import check_positive, refuse_masked

Array = npt.NDArray[np.float64]

_EPS = float(np.finfo(np.float64).eps)
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
        Estimated relative error of the weights in the maximum norm.
    reciprocal_condition : float
        Estimate in the 1-norm; for a singular Z smallest over largest singular value.
    rank : int
        Of Z to rounding.
    symmetric, positive_definite : bool
        To rounding; the latter is proven by a Cholesky factorisation and only looked for if Z is symmetric.
    magnitude_gap : float or None
        |sum of weights - sum of coweights| relative to the magnitude (to 1 where that is smaller): 0 in exact
        arithmetic.
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
class SimilaritySolution:
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
    error: float
    rank: int
    positive_definite: bool = False


def solve_similarity(Z: Any, *, tol: float = 1e-8) -> SimilaritySolution:
    """Weighting, coweighting and magnitude of a similarity matrix, asymmetric and singular ones included.

    Parameters
    ----------
    Z : array_like, shape (n, n)
        Real similarities, of any sign; in an enriched category Z_ij = s(C(i, j)) with a multiplicative size
        map s, see `similarity`. Worked on in float64.
    tol : float, default 1e-8
        Relative residual up to which a weighting of a singular Z counts as one. A solution with a larger
        residual is warned of. The default lies far above rounding and far below the residuals, of order 1 /
        n and more, of matrices that have no weighting.

    Returns
    -------
    SimilaritySolution

    Raises
    ------
    TypeError
        If Z does not hold real numbers.
    ValueError
        If Z is not square, is empty, or has masked, NaN or infinite entries.

    Warns
    -----
    ConvergenceWarning
        If Z is so close to singular that the residual of its weighting is above `tol`.

    Notes ----- Symmetric Z: Cholesky, or LDL' if that shows Z not to be positive definite. Asymmetric Z: LU,
    one factorisation for both sides. Each is equilibrated where LAPACK can, refined, and comes with the
    condition number. A reciprocal condition below n * 2.2e-16 counts as singular: then weighting and
    coweighting are minimum-norm least-squares solutions, singular values below that share of the largest one
    left out, and exist if their residuals say so. Both existing, their sums agree, and the magnitude is
    taken as 1'w + v'(1 - Zw), whose error is of second order in the errors of w and v.

    O(n^3) time (a singular Z some twenty times that of a regular one), about four matrices of memory. SciPy's
    LAPACK does the work: its thread settings apply, and the last bits may depend on them.

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
    tol = check_positive(tol, "tol")
    matrix = check_similarities(Z, "Z")
    start = time.perf_counter()
    exponent = int(np.frexp(np.abs(matrix).max())[1])
    scaled = np.ldexp(matrix, -exponent)  # exact; keeps norms and products in range
    symmetric = bool((np.abs(scaled - scaled.T) <= 4 * _EPS).all())
    return _report(scaled, exponent, symmetric, _solve(scaled, symmetric), tol, start)


def check_similarities(Z: Any, name: str) -> Array:
    """A finite square float64 matrix, not empty."""
    array = refuse_masked(Z, name)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, got dtype {array.dtype}")
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


# ---- the factorisations


def _solve(Z: Array, symmetric: bool) -> _Solved:
    """By the first factorisation that finds Z regular, else by least squares."""
    least = len(Z) * _EPS
    for solved in _symmetric_solutions(Z) if symmetric else _asymmetric_solutions(Z):
        if solved.rcond >= least and np.isfinite(solved.w).all() and np.isfinite(solved.v).all():
            return solved
    return _least_squares(Z, symmetric, least)


def _symmetric_solutions(Z: Array) -> Iterator[_Solved]:
    n, one = len(Z), np.ones((len(Z), 1))
    *_, x, rcond, error, _, info = lapack.dposvx(Z, one)
    if info in (0, n + 1):
        why = "Cholesky: Z is symmetric positive definite"
        yield _Solved(x[:, 0], x[:, 0], why, float(rcond), float(error[0]), n, True)
    work = int(lapack.dsysvx_lwork(n)[0])
    *_, x, rcond, error, _, info = lapack.dsysvx(Z, one, lwork=work)
    if info in (0, n + 1):
        why = "LDL': Z is symmetric, not positive definite"
        yield _Solved(x[:, 0], x[:, 0], why, float(rcond), float(error[0]), n)
    for solved in _asymmetric_solutions(Z):  # equilibrates, which LDL' does not
        why = "LU: Z is symmetric, not positive definite and badly scaled"
        yield _Solved(solved.w, solved.w, why, solved.rcond, solved.error, n)


def _asymmetric_solutions(Z: Array) -> Iterator[_Solved]:
    n, one = len(Z), np.ones((len(Z), 1))
    a, lu, pivots, equilibrated, rows, columns, _, w, rcond, w_error, _, info = lapack.dgesvx(Z, one)
    if info not in (0, n + 1):
        return
    *_, v, _, v_error, _, _ = lapack.dgesvx(
        a, one, fact="F", trans="T", af=lu, ipiv=pivots, equed=equilibrated, r=rows, c=columns
    )
    error = float(max(w_error[0], v_error[0]))
    yield _Solved(w[:, 0], v[:, 0], "LU: Z is asymmetric", float(rcond), error, n)


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
    error = len(Z) * _EPS * s.max() / s[kept].min() if rank else 0.0
    rcond = float(s.min() / s.max()) if rank else 0.0
    why = f"minimum-norm least squares: Z is singular to rounding, rank {rank} of {len(Z)}"
    return _Solved(w, v, why, rcond, float(error), rank)


# ---- what they are worth


def _residual(Z: Array, w: Array) -> tuple[float, float]:
    """||Z w - 1|| / sqrt(n), and the backward error of w in the maximum norm."""
    r = Z @ w - 1.0
    change = np.abs(r).max() / (np.abs(Z).sum(axis=1).max() * np.abs(w).max() + 1.0)
    return float(np.linalg.norm(r) / np.sqrt(len(w))), float(change)


def _report(
    Z: Array, exponent: int, symmetric: bool, solved: _Solved, tol: float, start: float
) -> SimilaritySolution:
    """Z and its solutions are scaled by 2^exponent, which residuals do not see."""
    residuals, changes = zip(_residual(Z, solved.w), _residual(Z.T, solved.v), strict=True)
    regular = solved.rank == len(Z)
    exists = [regular or r <= tol for r in residuals]
    found = [r for r, e in zip(residuals, exists, strict=True) if e]
    w, v = (np.ldexp(x, -exponent) if e else None for x, e in zip((solved.w, solved.v), exists, strict=True))
    magnitude = gap = None
    if w is not None and v is not None:
        magnitude = float(np.ldexp(solved.w.sum() + solved.v @ (1.0 - Z @ solved.w), -exponent))
        gap = float(abs(w.sum() - v.sum()) / max(abs(magnitude), 1.0))
    for x in (w, v):
        if x is not None:
            x.flags.writeable = False
    info = SimilarityInfo(
        converged=not found or max(found) <= tol,
        iterations=1,
        solver=solved.solver,
        seconds=time.perf_counter() - start,
        tol=tol,
        error_bound=max(found) if found else None,
        error_kind="rigorous",
        message=_message(solved, exists, gap, residuals, tol),
        residual=max(residuals),
        backward_error=max(c for c, e in zip(changes, exists, strict=True) if e) if found else None,
        weight_error=solved.error if found else None,
        reciprocal_condition=solved.rcond,
        rank=solved.rank,
        symmetric=symmetric,
        positive_definite=solved.positive_definite,
        magnitude_gap=gap,
    )
    if not info.converged:
        warnings.warn(info.message, ConvergenceWarning, stacklevel=3)
    return SimilaritySolution(w, v, magnitude, exists[0], exists[1], residuals[0], residuals[1], info)


def _message(
    solved: _Solved, exists: list[bool], gap: float | None, residuals: tuple[float, ...], tol: float
) -> str:
    parts = []
    for name, there, residual in zip(("weighting", "coweighting"), exists, residuals, strict=True):
        if not there:
            parts.append(f"no {name} exists: the least-squares residual is {residual:.2g}, above tol={tol:g}")
        elif residual > tol:
            parts.append(
                f"the {name} has residual {residual:.1e}, above tol={tol:g}, since Z is close to singular "
                f"(reciprocal condition {solved.rcond:.1e}); change the scale or merge near-duplicates"
            )
    if solved.rank < len(solved.w) and any(exists):
        parts.append("what exists is not unique: the one of minimum norm is given")
    if any(exists) and solved.error > _UNDETERMINED:
        parts.append(f"single weights are not determined: relative error about {solved.error:.1g}")
    if gap is not None and gap > _UNDETERMINED:
        parts.append(f"weights and coweights have sums that differ by {gap:.1g} of the magnitude")
    return "; ".join(parts)
