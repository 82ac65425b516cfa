"""Magnitude and weighting vectors in plain NumPy and SciPy.

Similarity is Z = exp(-scale * distance); a weighting solves Z w = 1, and its sum is the magnitude. Every
function works on dense matrices: O(n^2) memory, O(n^3) time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import solve_triangular
from scipy.optimize import nnls
from scipy.spatial.distance import cdist, squareform

Array = npt.NDArray[np.float64]


# ---- distances and similarities


def distances(X: Any, metric: str = "euclidean", p: float = 2.0, Y: Any = None) -> Array:
    """Distances between the rows of X, or from the rows of X to those of Y.

    Cosine is 1 - cos, angular is the angle in radians; both are taken from unit vectors u and v, as |u -
    v|^2 / 2 and 2 atan(|u - v| / |u + v|), which keep their digits when u and v are close. Precomputed
    distances are square or condensed.
    """
    if metric == "precomputed":
        D = np.asarray(X, dtype=np.float64)
        return D if D.ndim == 2 else np.asarray(squareform(D))
    A = np.asarray(X, dtype=np.float64)
    B = A if Y is None else np.asarray(Y, dtype=np.float64)
    if metric in ("cosine", "angular"):
        A, B = (M / np.linalg.norm(M, axis=1, keepdims=True) for M in (A, B))
        apart = cdist(A, B)
        return np.asarray(apart**2 / 2 if metric == "cosine" else 2 * np.arctan2(apart, cdist(A, -B)))
    if metric == "minkowski":
        return np.asarray(cdist(A, B, "minkowski", p=p))
    if metric == "jaccard":
        A, B = A != 0, B != 0
    return np.asarray(cdist(A, B, metric))


def similarity(X: Any, scale: float = 1.0, metric: str = "euclidean", p: float = 2.0, Y: Any = None) -> Array:
    """Z = exp(-scale * distance); an infinite distance gives 0."""
    return np.asarray(np.exp(-scale * distances(X, metric, p, Y)))


def far_field_product(X: Any, v: Any, scale: float, count: int, leaf: int = 8) -> Array:
    """Z v with the similarities of separated cells interpolated at count^d Chebyshev points in either."""
    x, v = np.asarray(X, dtype=np.float64), np.asarray(v, dtype=np.float64)
    k = np.arange(count)
    nodes = np.cos((2 * k + 1) * np.pi / (2 * count))
    grid = np.stack(np.meshgrid(*[nodes] * x.shape[1], indexing="ij"), axis=-1).reshape(-1, x.shape[1])
    out = np.zeros(len(x))

    order = np.indices((count,) * x.shape[1]).reshape(x.shape[1], -1)

    def cardinal(rows: Any, centre: Array, half: float) -> Array:
        out = np.ones((len(rows), len(grid)))
        for column, node in zip(((x[rows] - centre) / half).T, order, strict=True):
            angles = np.arccos(np.clip(column, -1, 1))[:, None] * k
            out *= ((2 * np.cos(angles) @ np.cos(np.arccos(nodes) * k[:, None]) - 1) / count)[:, node]
        return out

    def meet(rows: Any, a: Array, others: Any, b: Array, half: float) -> None:
        if not len(rows) or not len(others):
            return
        if np.abs(a - b).max() > 3 * half:
            Z = similarity(half * grid + a, scale, Y=half * grid + b)
            out[rows] += cardinal(rows, a, half) @ (Z @ (v[others] @ cardinal(others, b, half)))
        elif min(len(rows), len(others)) <= leaf:
            out[rows] += similarity(x[rows], scale, Y=x[others]) @ v[others]
        else:
            for one, p in parts(rows, a, half):
                for two, q in parts(others, b, half):
                    meet(one, p, two, q, half / 2)

    def parts(rows: Any, centre: Array, half: float) -> list[tuple[Any, Array]]:
        side = x[rows] >= centre
        signs = np.array(np.meshgrid(*[[False, True]] * x.shape[1])).reshape(x.shape[1], -1).T
        return [(rows[(side == s).all(axis=1)], centre + half * (s - 0.5)) for s in signs]

    centre = (x.min(axis=0) + x.max(axis=0)) / 2
    half = float(np.ptp(x, axis=0).max()) / 2
    meet(np.arange(len(x)), centre, np.arange(len(x)), centre, half)
    return out


def merge_duplicates(
    D: Array,
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The first of each set of points at distance 0, the set of each point, and how many are in a set."""
    first = ((D == 0) & (D.T == 0)).argmax(axis=1)
    return np.unique(first, return_inverse=True, return_counts=True)


# ---- weightings


def weighting(X: Any, scale: float = 1.0, metric: str = "euclidean", p: float = 2.0) -> Array:
    """w with Z w = 1; duplicates share their weight evenly."""
    D = distances(X, metric, p)
    kept, position, count = merge_duplicates(D)
    w = np.linalg.solve(np.exp(-scale * D[np.ix_(kept, kept)]), np.ones(len(kept)))
    return np.asarray((w / count)[position])


def line_weighting(x: Any, scale: float = 1.0) -> Array:
    """Of points on a line: w = (tanh(t left gap / 2) + tanh(t right gap / 2)) / 2, with 1 at open ends."""
    places, position, count = np.unique(np.ravel(x), return_inverse=True, return_counts=True)
    tanh = np.concatenate([[1.0], np.tanh(scale * np.diff(places) / 2), [1.0]])
    return np.asarray(((tanh[:-1] + tanh[1:]) / 2 / count)[position])


def local_weighting(
    X: Any, scale: float = 1.0, k: int = 30, metric: str = "euclidean", p: float = 2.0
) -> Array:
    """w_i from the system of point i and its k nearest others alone. X has no duplicates."""
    D = distances(X, metric, p)
    w = np.empty(len(D))
    for i, row in enumerate(D):
        others = np.argsort(row, kind="stable")
        near = np.concatenate([[i], others[others != i][:k]])
        w[i] = np.linalg.solve(np.exp(-scale * D[np.ix_(near, near)]), np.ones(len(near)))[0]
    return w


def solve_similarity(Z: Any) -> tuple[Array, Array, float, float]:
    """Minimum-norm least-squares w of Z w = 1 and v of Z' v = 1, and their relative residuals.

    A weighting (coweighting) exists exactly if its residual is 0.
    """
    Z = np.asarray(Z, dtype=np.float64)
    one = np.ones(len(Z))
    rcond = len(Z) * np.finfo(np.float64).eps
    w, v = (np.linalg.lstsq(A, one, rcond=rcond)[0] for A in (Z, Z.T))
    left, right = (float(np.linalg.norm(r) / np.linalg.norm(one)) for r in (Z @ w - one, Z.T @ v - one))
    return w, v, left, right


# ---- sizes


def magnitude(X: Any, scale: float = 1.0, metric: str = "euclidean", p: float = 2.0) -> float:
    """Sum of the weighting."""
    return float(weighting(X, scale, metric, p).sum())


def lower_bound(Z: Array, w: Array) -> float:
    """2 * 1'w - w'Zw: at most the magnitude for any w, where Z is positive definite.

    In exact arithmetic it is 1'w for the iterates of conjugate gradients from 0; rounding lets 1'w exceed it.
    """
    return float(2 * w.sum() - w @ Z @ w)


def spread(X: Any, scale: float = 1.0, metric: str = "euclidean", p: float = 2.0) -> float:
    """Willerton's spread, sum_i 1 / sum_j Z_ij."""
    return float(np.sum(1 / similarity(X, scale, metric, p).sum(axis=1)))


def magnitude_distance(
    X: Any, Y: Any, scale: float = 1.0, metric: str = "euclidean", p: float = 2.0
) -> float:
    """2 |X and Y together| - |X| - |Y|."""
    both = magnitude(np.concatenate([X, Y]), scale, metric, p)
    return 2 * both - magnitude(X, scale, metric, p) - magnitude(Y, scale, metric, p)


def magnitude_function(X: Any, scales: Any, metric: str = "euclidean", p: float = 2.0) -> Array:
    """Magnitude at each scale."""
    D = distances(X, metric, p)
    return np.array([magnitude(D, t, "precomputed") for t in scales])


def magnitude_area(scales: Array, values: Array) -> float:
    """Integral of the magnitude function from 0, where it is 1, to the last scale, by the trapezoid rule."""
    return float(np.trapezoid(np.concatenate([[1.0], values]), np.concatenate([[0.0], scales])))


def magnitude_difference(scales: Array, f: Array, g: Array) -> float:
    """Integral of |f - g| from 0, where both are 1, to the last common scale, by the trapezoid rule."""
    return float(np.trapezoid(np.concatenate([[0.0], np.abs(f - g)]), np.concatenate([[0.0], scales])))


def magnitude_dimension(scales: Array, values: Array) -> float:
    """Largest slope of log magnitude on log scale between neighbouring scales."""
    return float(np.max(np.diff(np.log(values)) / np.diff(np.log(scales))))


# ---- scales


def _bisect(low: float, high: float, is_low: Callable[[float], bool]) -> float:
    """Where is_low turns from true to false, by bisection in log t."""
    for _ in range(60):
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if is_low(middle) else (low, middle)
    return high


def median_scale(X: Any, metric: str = "euclidean", p: float = 2.0) -> float:
    """1 / median distance between different positions of the list."""
    D = distances(X, metric, p)
    return float(1 / np.median(D[~np.eye(len(D), dtype=bool)]))


def find_scale_fraction(X: Any, fraction: float = 0.3, metric: str = "euclidean", p: float = 2.0) -> float:
    """The scale at which the magnitude is fraction * n, for 1 < fraction * n < number of distinct points.

    With fraction = 0.95 it is the scale of convergence.
    """
    D = distances(X, metric, p)

    def is_low(t: float) -> bool:
        return magnitude(D, t, "precomputed") < fraction * len(D)

    low = high = 1 / float(np.median(D[(D > 0) & np.isfinite(D)]))
    while not is_low(low):
        low /= 2
    while is_low(high):
        high *= 2
    return _bisect(low, high, is_low)


def _cutoff(D: Array, is_good: Callable[[Array], bool], points: int) -> float:
    """Last scale on a log grid where Z(t) is not good, refined by bisection to the next; 0 if all are good.

    Beyond log(n - 1) / min d every row of Z has a sum below 2, and Z is good. What lies between grid points
    is not looked at.
    """
    n = len(D)
    apart = D[~np.eye(n, dtype=bool)]
    if n <= 2:
        return 0.0
    grid = np.geomspace(1e-3 / apart.max(), np.log(n - 1) / apart.min(), points)
    bad = [k for k, t in enumerate(grid) if not is_good(np.exp(-t * D))]
    if not bad:
        return 0.0
    if bad[-1] + 1 == points:
        return float(grid[-1])
    return _bisect(grid[bad[-1]], grid[bad[-1] + 1], lambda t: not is_good(np.exp(-t * D)))


def _is_nonnegative(Z: Array) -> bool:
    return bool(np.linalg.solve(Z, np.ones(len(Z))).min() >= -1e-9)


def positive_cutoff(X: Any, metric: str = "euclidean", p: float = 2.0, points: int = 200) -> float:
    """The smallest t such that the weighting is nonnegative at all larger scales. X has no duplicates."""
    return _cutoff(distances(X, metric, p), _is_nonnegative, points)


def strong_cutoff(X: Any, metric: str = "euclidean", p: float = 2.0, points: int = 200) -> float:
    """As `positive_cutoff`, with Z positive semidefinite too: w / sum w then has the largest diversity."""

    def is_good(Z: Array) -> bool:
        return _is_nonnegative(Z) and bool(np.linalg.eigvalsh(Z)[0] >= -1e-12 * len(Z))

    return _cutoff(distances(X, metric, p), is_good, points)


# ---- iterative solution


def conjugate_gradients(
    Z: Array,
    b: Array,
    precondition: Callable[[Array], Array] = lambda r: r,
    tol: float = 1e-8,
    max_iter: int = 1000,
) -> tuple[Array, int]:
    """x with |b - Z x| <= tol |b|, and the iterations that it took."""
    x = np.zeros_like(b)
    r = b - Z @ x
    z = precondition(r)
    direction, rz = z, r @ z
    for iteration in range(max_iter):
        if np.linalg.norm(r) <= tol * np.linalg.norm(b):
            return x, iteration
        image = Z @ direction
        step = rz / (direction @ image)
        x = x + step * direction
        r = r - step * image
        z = precondition(r)
        direction, rz = z + (r @ z) / rz * direction, r @ z
    return x, max_iter


def maximin_order(D: Array) -> npt.NDArray[np.intp]:
    """Points such that each is the farthest from all before it, from the first row on."""
    order, gap = [0], D[0].copy()
    for _ in range(len(D) - 1):
        gap[order[-1]] = -1.0
        order.append(int(gap.argmax()))
        gap = np.minimum(gap, D[order[-1]])
    return np.array(order)


def nystrom_preconditioner(
    Z: Array, landmarks: npt.NDArray[np.intp], shift: float | None = None
) -> Callable[[Array], Array]:
    """r -> (Z_nm Z_mm^-1 Z_mn + shift I)^-1 r, by default shifted by the mean of what the diagonal misses."""
    factor = np.linalg.cholesky(Z[np.ix_(landmarks, landmarks)])
    F = solve_triangular(factor, Z[landmarks], lower=True).T
    mu = float(np.mean(np.diag(Z) - (F**2).sum(axis=1))) if shift is None else shift
    inner = mu * np.eye(F.shape[1]) + F.T @ F
    return lambda r: np.asarray((r - F @ np.linalg.solve(inner, F.T @ r)) / mu)


def fsai(Z: Array, order: npt.NDArray[np.intp], k: int = 20) -> Array:
    """G with G'G near Z^-1: row i solves the system of point i and its k most similar predecessors.

    With S those points and Z_SS y = e_i, the row is y / sqrt(y_i). With all predecessors G'G is Z^-1.
    """
    G = np.zeros_like(Z)
    for place, i in enumerate(order):
        before = order[:place]
        S = np.concatenate([[i], before[np.argsort(-Z[i, before], kind="stable")[:k]]])
        y = np.linalg.solve(Z[np.ix_(S, S)], np.eye(len(S))[0])
        G[i, S] = y / np.sqrt(y[0])
    return G


# ---- nonnegative weights


def max_diversity(Z: Array) -> Array:
    """p >= 0 with sum 1 and the least p'Zp, for a positive definite Z.

    The multiple w of p minimises w'Zw / 2 - 1'w over w >= 0: with Z = L L', it is the nonnegative
    least-squares solution of L' w = L^-1 1.
    """
    L = np.linalg.cholesky(Z)
    w, _ = nnls(L.T, solve_triangular(L, np.ones(len(Z)), lower=True))
    return np.asarray(w / w.sum())


# ---- one point more


def _against(
    X: Any, new: Any, scale: float, metric: str, p: float
) -> tuple[Array, npt.NDArray[np.intp], Array, Array, Array]:
    """Of X without duplicates: w, multiplicities, similarities k to new points, 1 - k'w, 1 - k'Z^-1 k."""
    points = np.asarray(X, dtype=np.float64)
    D = distances(points, metric, p)
    kept, _, count = merge_duplicates(D)
    Z = np.exp(-scale * D[np.ix_(kept, kept)])
    k = similarity(points[kept], scale, metric, p, new)
    w = np.linalg.solve(Z, np.ones(len(Z)))
    left = 1 - np.sum(k * np.linalg.solve(Z, k), axis=0)
    return np.asarray(w), count, k, 1 - w @ k, np.asarray(left)


def new_weights(X: Any, new: Any, scale: float = 1.0, metric: str = "euclidean", p: float = 2.0) -> Array:
    """The weight of each new x in X with x: (1 - k'w) / (1 - k'Z^-1 k), or its share if x is a duplicate."""
    w, count, k, gain, left = _against(X, new, scale, metric, p)
    twin, exact = k.argmax(axis=0), k.max(axis=0) == 1
    return np.asarray(np.where(exact, w[twin] / (count[twin] + 1), gain / np.where(exact, 1, left)))


def differential_magnitude(
    X: Any, new: Any, scale: float = 1.0, metric: str = "euclidean", p: float = 2.0
) -> Array:
    """What each new point adds to the magnitude of X: (1 - k'w)^2 / (1 - k'Z^-1 k)."""
    _, _, k, gain, left = _against(X, new, scale, metric, p)
    exact = k.max(axis=0) == 1
    return np.asarray(np.where(exact, 0, gain**2 / np.where(exact, 1, left)))


def classify(
    X: Any,
    y: Any,
    new: Any,
    scale: float = 1.0,
    rule: str = "abs",
    metric: str = "euclidean",
    p: float = 2.0,
) -> npt.NDArray[Any]:
    """The class in which each new point would have the smallest |weight|.

    With rule = 'cdf', the class with the smallest share of members whose |weight| is below that of the new
    point; equal shares go by 'abs'.
    """
    X, y = np.asarray(X), np.asarray(y)
    classes = np.unique(y)
    size = np.array([np.abs(new_weights(X[y == c], new, scale, metric, p)) for c in classes])
    if rule == "abs":
        return np.asarray(classes[size.argmin(axis=0)])
    own = [np.abs(weighting(X[y == c], scale, metric, p)) for c in classes]
    share = np.array([(a[:, None] < s).mean(axis=0) for a, s in zip(own, size, strict=True)])
    return np.asarray(classes[np.lexsort((size, share), axis=0)[0]])
