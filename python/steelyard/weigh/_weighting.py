"""`weighting` and what needs one number of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _core
from .._spelling import argument
from .._validate import (
    Progress,
    check_choice,
    check_flag,
    check_level,
    check_nonnegative,
    check_positive,
    check_progress,
    check_threads,
)
from ._choice import METHODS, Request
from ._result import Weighting, with_note
from ._scales import GRID_NOTE, resolve_scale
from ._solvers import solve
from ._spaces import check_scale, check_space, parse_metric


def weighting(
    X: Any,
    *,
    scale: float | str = 1.0,
    metric: str = "euclidean",
    method: str = "auto",
    tol: float = 1e-8,
    fraction: float = 0.3,
    jitter: float = 0.0,
    certify: bool = False,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> Weighting:
    """How much each point counts: w with Z w = 1 for the similarities Z_ij = exp(-scale d_ij).

    Parameters
    ----------
    X : array_like, shape (n, d), or distances if metric="precomputed"
        Points. Distances are a square matrix or a condensed vector; +inf means similarity 0; an asymmetric
        matrix also gives `coweights`.
    scale : float or str, default 1.0
        t in exp(-t d), in units of 1 / distance; kernel libraries often call 1 / t the length scale. Or a
        rule: 'fraction' (the magnitude is `fraction` times the number of distinct points), 'convergence'
        (.95 of it), 'median' (1 / median distance), 'positive_cutoff', 'strong_cutoff'; see `find_scale`.
    metric : str, default 'euclidean'
        'euclidean', 'cityblock', 'chebyshev', 'minkowski(p)' such as 'minkowski(1.5)', 'cosine' (1 - cos),
        'angular' (the angle in radians), 'hamming' (share of features that differ), 'jaccard' (of booleans),
        'precomputed'.
    method : str, default 'auto'
        'line' (closed form, one feature), 'grid' (closed form, cityblock or hamming on all combinations of
        some values of each feature), 'cholesky' (float64), 'mixed' (Cholesky in float32, refined in
        float64), 'cg' (preconditioned conjugate gradients, Z never stored), 'far' (the same with products by
        a far field, in linear time: euclidean, up to 3 features), 'local' (100 nearest neighbours each),
        'direct' (LDL', LU or least squares: indefinite, asymmetric or singular Z). 'auto' chooses and says
        what and why in ``info.solver``.
    tol : float, default 1e-8
        Largest residual ||1 - Z w|| / sqrt(n) to accept.
    fraction : float, default 0.3
        For scale='fraction'; .3 served best for finding outliers.
    jitter : float, default 0
        Added to the diagonal of Z. Nothing is ever added that you did not ask for.
    certify : bool, default False
        Prove the residual where 'far' only estimates it, with three features: one product over all pairs in
        float64, n^2 / 2 of them (about 20 CPU seconds for 100,000 points); ``info.message`` says how long it
        took. With one or two features the residual is always proven.
    n_threads : int, optional
        Default: see `steelyard.build_info`.
    progress : callable, optional
        Called as progress(done, total); total is 0 where it is not known.

    Returns
    -------
    Weighting

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it. If method='local' would be wrong, or Z is
        singular and no weighting exists at this scale (never where theory makes Z positive definite).
    KeyboardInterrupt
        On Ctrl-C; ``.partial`` holds the weights so far where there are any.

    Warns
    -----
    ConvergenceWarning
        If the residual stays above `tol`, or weights to it are not determined in float64.

    Notes
    -----
    Copies of a point are merged and share its weight. Near-copies are solved as they are: ``info.message``
    says how far single weights are open (their sum is not).

    Where Z is positive definite (by theory for euclidean, cityblock, minkowski up to 2, cosine, angular,
    hamming and jaccard; by a successful Cholesky factorisation else) the magnitude lies between
    ``info.lower_bound`` and that plus ``info.error_bound``; `magnitude` is 2 * 1'w - w'Zw, whose error is
    quadratic in the residual, and the lower bound is that less rounding. Where float64 does not determine
    it (many directions in a narrow cone, for the smooth kernel of cosine), Z is factored in 106 bits, up
    to 30,000 points; what still is not determined is said.

    Time and memory: O(n^3), 8 n^2 bytes by Cholesky (auto: up to 3,000 points); O(n^2 d) an iteration, O(n
    (d + 100)) to O(n (d + 1500)) numbers by conjugate gradients; O(n) an iteration and O(n) memory by
    'far' (auto: euclidean, beyond 3,000 points of 1 or 2 features, from 15,000 to 200,000 of 3); O(n k^3)
    and O(n d) for 'local' with k = 100 (auto: from 200,000 points in up to 3 dimensions if none of these),
    whose residual is sampled, and which is refused where that is above .1. Up to 512 points and with 'cg',
    'far' or 'local' the same bits for any number of threads; beyond, LAPACK's last bits depend on the BLAS
    thread count. LAPACK calls of 'direct' can't be interrupted.

    References
    ----------
    .. [1] Leinster, "The magnitude of metric spaces", Doc. Math. 18 (2013).
    .. [2] Bunch, Kline, Dickinson, Bhat, Fung, "Weighting vectors for machine learning: numerical harmonic
       analysis applied to boundary detection", arXiv 2106.00827; "Practical applications of metric space
       magnitude and weighting vectors", arXiv 2006.14063.

    Examples
    --------
    >>> from steelyard import weigh
    >>> w = weigh.weighting([[0.0], [1.0], [10.0]])
    >>> print(w.weights.round(4), round(w.magnitude, 4))
    [0.7311 0.7309 0.9999] 2.4619
    """
    space = check_space(X, metric, name=argument("X"))
    request = Request(
        scale=1.0,
        method=check_choice(method, "method", METHODS),
        tol=check_positive(tol, "tol"),
        jitter=check_nonnegative(jitter, "jitter"),
        certify=check_flag(certify, "certify"),
        threads=check_threads(n_threads),
        progress=check_progress(progress),
    )
    found = solve(space, resolve_scale(space, scale, check_level(fraction, "fraction"), request), n_threads)
    return with_note(found, GRID_NOTE) if scale in ("positive_cutoff", "strong_cutoff") else found


def magnitude(
    X: Any,
    *,
    scale: float | str = 1.0,
    metric: str = "euclidean",
    tol: float = 1e-8,
    fraction: float = 0.3,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> float:
    """The effective number of points: the sum of the weighting.

    Parameters
    ----------
    X, scale, metric, fraction, n_threads, progress
        As for `weighting`.
    tol : float, default 1e-8
        Largest relative error, estimated, of the magnitude; its error is quadratic in the residual, so this
        is much cheaper than weights to the same tolerance.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        As `weighting`.

    Examples
    --------
    >>> from steelyard import weigh
    >>> print(round(weigh.magnitude([[0.0], [2.0]]), 6))  # 1 + tanh(1)
    1.761594
    """
    space = check_space(X, metric)
    request = Request(
        scale=1.0,
        tol=check_positive(tol, "tol"),
        threads=check_threads(n_threads),
        progress=check_progress(progress),
        stop="magnitude",
        who="magnitude",
    )
    return solve(space, resolve_scale(space, scale, check_level(fraction, "fraction"), request)).magnitude


def spread(
    X: Any,
    *,
    scale: float = 1.0,
    metric: str = "euclidean",
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> float:
    """Effective number of points by Willerton's spread, sum_i 1 / sum_j exp(-scale d_ij).

    Parameters
    ----------
    X, metric, n_threads, progress
        As for `weighting`.
    scale : float, default 1.0
        In units of 1 / distance.

    Returns
    -------
    float
        Between 1 and n, and at most the magnitude of a positive definite space. Copies of a point count.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    Notes
    -----
    One pass over the pairs: O(n^2 d) time, O(n d) memory; where `weighting` takes a far field, O(n) time
    and a relative error of about 1e-8. Willerton, "Spread: a measure of the size of
    metric spaces", IJCGA 25 (2015).

    Examples
    --------
    >>> from steelyard import weigh
    >>> print(round(weigh.spread([[0.0], [1.0]]), 6))  # 2 / (1 + exp(-1))
    1.462117
    """
    space = check_space(X, metric)
    t = check_scale(scale)
    counts = np.bincount(space.group, minlength=space.n_unique).astype(float)
    sums = _core.weigh._similarity_product(
        space.quick,
        [t * space.unit],
        counts[:, None],
        n_threads=check_threads(n_threads),
        progress=check_progress(progress),
    )
    return float(np.sum(counts / sums[:, 0]))


def magnitude_distance(
    X: Any,
    Y: Any,
    *,
    scale: float = 1.0,
    metric: str = "euclidean",
    tol: float = 1e-8,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> float:
    """How far two sets of points lie apart: 2 |X u Y| - |X| - |Y|.

    Parameters
    ----------
    X, Y : array_like, shapes (n, d) and (m, d)
    scale, metric, tol, n_threads, progress
        As for `magnitude`; not precomputed distances.

    Returns
    -------
    float
        0 for equal sets.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    References
    ----------
    .. [1] "Magnitude distance", arXiv 2602.08859.

    Examples
    --------
    >>> from steelyard import weigh
    >>> print(round(weigh.magnitude_distance([[0.0]], [[1.0]]), 6))  # 2 (1 + tanh(1/2)) - 2
    0.924234
    """
    if parse_metric(metric)[0] == "precomputed":
        raise ValueError("metric must be one of points for magnitude_distance, got 'precomputed'")
    x, y = check_space(X, metric), check_space(Y, metric, name="Y")
    if x.dimension != y.dimension:
        raise ValueError(f"Y must have {x.dimension} features as X has, got {y.dimension}")
    t = check_scale(scale)
    both = np.concatenate([np.asarray(X, dtype=float), np.asarray(Y, dtype=float)])
    sizes = [
        magnitude(points, scale=t, metric=metric, tol=tol, n_threads=n_threads, progress=progress)
        for points in (both, X, Y)
    ]
    return 2 * sizes[0] - sizes[1] - sizes[2]
