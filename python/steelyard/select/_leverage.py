"""Rows that a regression depends on: leverage scores, and a fit on few labelled rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._points import own_squared_distances, read_in_range
from .._results import Result
from .._validate import (
    check_choice,
    check_count,
    check_level,
    check_nonnegative,
    check_number,
    check_rng,
    check_room,
    check_vector,
    real_array,
)
from ._sample import Floats, draw, student_quantile
from ._sensitivity import cluster_sensitivities, clusters_of, mixed

_PROJECTIONS = 64
_TIED = 1e-10  # 1 - leverage of a draw that counts as 0


def leverage_scores(A: Any, *, method: str = "exact", ridge: float = 0.0, rng: Any = None) -> Floats:
    """The diagonal of A (A'A + ridge I)^+ A': how much each row alone can move a least-squares fit.

    Parameters
    ----------
    A : array_like, or scipy.sparse matrix for method='sketch', shape (n, d)
        Finite.
    method : {'exact', 'sketch'}, default 'exact'
        QR and SVD, O(n d^2); or from a random sketch, O(n d log d + d^3), each score within about 40 % (its
        relative standard deviation is 18 %).
    ridge : float, default 0
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Of the sketch.

    Returns
    -------
    ndarray, shape (n,)
        Between 0 and 1 (sketched ones are cut there). Without ridge exact ones add up to the rank of A, where
        singular values below max(n, d) machine epsilons of the largest count as 0.

    References
    ----------
    P. Drineas, M. Magdon-Ismail, M. W. Mahoney, D. P. Woodruff, "Fast approximation of matrix coherence and
    statistical leverage", JMLR 13 (2012).

    Examples
    --------
    >>> print(leverage_scores([[1.0, 0.0], [0.0, 2.0], [0.0, 2.0]]).round(6))
    [1.  0.5 0.5]
    """
    penalty = check_nonnegative(ridge, "ridge")
    if check_choice(method, "method", ("exact", "sketch")) == "exact":
        return _exact(_matrix(A, "A"), penalty)
    return _sketched(A, penalty, check_rng(rng))


def _matrix(A: Any, name: str) -> Floats:
    array = real_array(A, name)
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"{name} must have shape (n, d), not empty, got {array.shape}")
    matrix = array.astype(np.float64, copy=False)
    bad = np.flatnonzero(~np.isfinite(matrix).all(axis=1))
    if len(bad):
        raise ValueError(f"{name} has NaN or infinite entries (first: row {bad[0]})")
    return matrix


def _exact(A: Floats, ridge: float) -> Floats:
    from scipy import linalg

    q, r = linalg.qr(A, mode="economic", check_finite=False)
    left, values, _ = linalg.svd(r, full_matrices=False, check_finite=False)
    shares = _shares(values, max(A.shape), ridge)
    return np.asarray(((q @ left) ** 2) @ shares)


def _shares(values: Floats, size: int, ridge: float) -> Floats:
    """s^2 / (s^2 + ridge), 0 where s counts as 0."""
    real = values > size * np.finfo(np.float64).eps * values.max(initial=0.0)
    safe = np.where(real, values, 1.0)
    with np.errstate(over="ignore"):
        return np.where(real, 1.0 / (1.0 + ridge / safe / safe), 0.0)


def _sketched(A: Any, ridge: float, rng: np.random.Generator) -> Floats:
    from scipy import linalg, sparse

    if sparse.issparse(A):
        matrix = sparse.csr_array(A).astype(np.float64)
        if 0 in matrix.shape or not np.isfinite(matrix.data).all():
            raise ValueError(f"A must be finite and not empty, got shape {matrix.shape}")
    else:
        matrix = _matrix(A, "A")
    n, d = matrix.shape
    rows = min(n, 20 * d + 100)
    if rows == n:
        small = matrix.toarray() if sparse.issparse(matrix) else matrix
    else:  # each row of A goes to eight rows of the sketch with random signs
        where = rng.integers(0, rows, 8 * n)
        signs = rng.choice([-1.0, 1.0], 8 * n) / np.sqrt(8.0)
        embedding = sparse.csr_array((signs, (where, np.repeat(np.arange(n), 8))), shape=(rows, n))
        small = embedding @ matrix
        small = small.toarray() if sparse.issparse(small) else small
    _, values, right = linalg.svd(small, full_matrices=False, check_finite=False)
    shares = _shares(values, max(n, d), ridge)
    scale = np.sqrt(shares) / np.where(shares > 0, values, 1.0)
    projection = rng.standard_normal((len(values), _PROJECTIONS)) / np.sqrt(_PROJECTIONS)
    scores = matrix @ (right.T @ (scale[:, None] * projection))
    return np.asarray(np.minimum((scores**2).sum(axis=1), 1.0))


@dataclass(frozen=True, eq=False, repr=False)
class RegressionSample(Result):
    """A least-squares fit on some rows.

    Attributes
    ----------
    indices : ndarray of int, shape (size,)
        Rows drawn, with replacement.
    weights : ndarray, shape (size,)
        1 / (size * probability).
    coefficients : ndarray, shape (d,)
        Minimise sum of weight * (a'x - b)^2 over the rows drawn.
    standard_errors : ndarray, shape (d,)
        Of the coefficients as estimates of the fit to all rows: the error of sampling alone. A residual is
        divided by sqrt(1 - the draw's leverage among the draws), for what was fitted to it [1]_; infinite for
        coefficients that hang on one draw alone, whose residual is 0 by force.
    residual : float
        Estimated sum of squares of the residuals over all rows, at these coefficients. Too small by what was
        fitted; compare fits by it only with size much larger than d.

    References
    ----------
    .. [1] J. G. MacKinnon and H. White, "Some heteroskedasticity-consistent covariance matrix estimators",
       J. Econometrics 29 (1985), HC2.
    """

    indices: npt.NDArray[np.int64]
    weights: Floats
    coefficients: Floats
    standard_errors: Floats
    residual: float

    def __repr__(self) -> str:
        return f"RegressionSample: {len(self.indices):,} rows, {len(self.coefficients)} coefficients"

    def intervals(self, level: float = 0.95) -> Floats:
        """Of each coefficient, by Student's t with size - d degrees of freedom.

        Parameters
        ----------
        level : float, default 0.95

        Returns
        -------
        ndarray, shape (d, 2)
            Lower and upper ends.
        """
        wide = student_quantile(0.5 + 0.5 * check_level(level), len(self.indices) - len(self.coefficients))
        return np.stack([self.coefficients + s * wide * self.standard_errors for s in (-1.0, 1.0)], axis=1)

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns ``column`` (of A), ``coefficient`` and ``standard_error``, for any data frame."""
        return {
            "column": np.arange(len(self.coefficients)),
            "coefficient": self.coefficients,
            "standard_error": self.standard_errors,
        }


def regression_sample(
    A: Any,
    b: Any,
    size: int,
    *,
    method: str = "leverage",
    clusters: Any = 20,
    mix: float = 0.1,
    ridge: float = 0.0,
    rng: Any = None,
    n_threads: int | None = None,
    progress: Any = None,
) -> RegressionSample:
    """Fit least squares to few rows, drawn by how much they matter.

    Parameters
    ----------
    A : array_like, shape (n, d)
    b : array_like, shape (n,), or callable
        Targets; a callable is asked once, b(rows), for the distinct rows drawn.
    size : int
        Draws, at least d + 1.
    method : {'leverage', 'sensitivity', 'uniform'}, default 'leverage'
        By leverage scores; by the clustering's sensitivities (distance^2 over its sum, and even shares of
        clusters); or evenly.
    clusters : int, KMeansResult, Seeding, or (centers, labels), default 20
        For 'sensitivity'.
    mix : float, default 0.1
        Share of the probability that is spread evenly.
    ridge : float, default 0
        Of the leverage scores; the fit is not penalised.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
    n_threads, progress
        For 'sensitivity', as for `sensitivity_sample`.

    Returns
    -------
    RegressionSample

    Raises
    ------
    ValueError
        If an argument does not fit, or the rows drawn do not determine the coefficients.

    References
    ----------
    P. Drineas, M. W. Mahoney, S. Muthukrishnan, "Sampling algorithms for l2 regression and applications",
    SODA (2006).

    Examples
    --------
    >>> import numpy as np
    >>> A = np.random.default_rng(0).normal(size=(5000, 3))
    >>> fit = regression_sample(A, A @ [1.0, 2.0, 3.0], 50, rng=0)
    >>> print(fit.coefficients.round(6))
    [1. 2. 3.]
    """
    matrix = _matrix(A, "A")
    n, d = matrix.shape
    count = check_room(check_count(size, "size", least=d + 1), "size")
    share = check_number(mix, "mix")
    if not 0 <= share <= 1:
        raise ValueError(f"mix must lie between 0 and 1, got {share}")
    penalty = check_nonnegative(ridge, "ridge")
    generator = check_rng(rng)
    kind = check_choice(method, "method", ("leverage", "sensitivity", "uniform"))
    everywhere = np.ones(n, dtype=bool)
    if kind == "leverage":
        scores = _exact(matrix, penalty)
    elif kind == "sensitivity":
        points = read_in_range(matrix, "A", "euclidean")
        centers, labels = clusters_of(
            points, clusters, 2.0, "euclidean", generator, n_threads, progress=progress
        )
        squared = own_squared_distances(points[0], centers, labels)
        total, k = squared.sum(), len(centers)
        even = cluster_sensitivities(labels, np.zeros(n), k) / k
        scores = even + (squared / total if total > 0 else 0.0)
    else:
        scores = np.ones(n)
    rows, weights, _ = draw(mixed(scores, everywhere, share), count, True, generator)
    if isinstance(b, Callable):  # type: ignore[arg-type]
        asked, place = np.unique(rows, return_inverse=True)
        targets = check_vector(b(asked), "b", length=len(asked))[place]
    else:
        targets = check_vector(b, "b", length=n)[rows]
    return _fitted(matrix[rows], targets, rows, weights)


def _fitted(A: Floats, b: Floats, rows: npt.NDArray[np.int64], weights: Floats) -> RegressionSample:
    from scipy import linalg

    root = np.sqrt(weights)[:, None]
    q, r = linalg.qr(root * A, mode="economic", check_finite=False)
    diagonal = np.abs(np.diag(r))
    if len(r) < A.shape[1] or diagonal.min() <= max(A.shape) * np.finfo(np.float64).eps * diagonal.max():
        raise ValueError("the rows drawn do not determine all coefficients; raise size, or drop columns of A")
    x = linalg.solve_triangular(r, q.T @ (root[:, 0] * b), check_finite=False)
    residuals = A @ x - b
    inverse = linalg.solve_triangular(r, np.eye(len(r)), check_finite=False)
    pulls = weights[:, None] * A @ (inverse @ inverse.T)  # by which a draw's target moves x
    free = 1.0 - (q**2).sum(axis=1)
    tied = free <= _TIED
    moves = pulls * (residuals / np.sqrt(np.where(tied, 1.0, free)))[:, None]
    errors = np.sqrt((moves**2).sum(axis=0))
    alone = np.abs(q[tied] @ inverse.T) > _TIED * np.abs(inverse).max(axis=1)
    errors[alone.any(axis=0)] = np.inf
    return RegressionSample(rows, weights, x, errors, float(weights @ residuals**2))
