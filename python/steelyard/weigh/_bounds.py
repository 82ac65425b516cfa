"""What rounding does to w'Zw and Zw; lower bounds of Z's smallest eigenvalue, proven ones and a guess."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ._spaces import Space

Array = npt.NDArray[np.float64]

_UNIT = 0.5 * float(np.finfo(float).eps)
_FAR = 40.0  # scale * distance beyond which similarities are below rounding
_SUM_ERROR = 1e-5  # of row sums in single precision


def gershgorin(largest_sum: float) -> float:
    """lambda_min >= 1 - max_i sum_{j != i} z_ij, from the largest row sum (z_ii = 1)."""
    return 2.0 - largest_sum * (1.0 + _SUM_ERROR)


def narcowich_ward(smallest_distance: float, d: int, scale: float) -> float:
    """For exp(-scale |x - y|) in R^d and points no nearer than `smallest_distance` to each other.

    With q half that distance, M = 12 (pi Gamma(d/2 + 1)^2 / 9)^(1/(d+1)) and Phi^ the (unitary) Fourier
    transform of exp(-scale |x|), lambda_min >= M^d Phi^(2 M / q) / (2 Gamma(d/2 + 1) 2^(3d/2) q^d):
    Wendland, "Scattered data approximation" (2005), theorem 12.3, after Narcowich and Ward (1991, 1992).
    """
    if not 0.0 < smallest_distance < math.inf:
        return 0.0
    q = 0.5 * smallest_distance
    log_gamma = math.lgamma(d / 2 + 1)
    log_m = math.log(12.0) + (math.log(math.pi) + 2 * log_gamma - math.log(9.0)) / (d + 1)
    omega = 2.0 * math.exp(log_m) / q
    log_transform = (
        0.5 * d * math.log(2.0)
        + math.lgamma((d + 1) / 2)
        - 0.5 * math.log(math.pi)
        + math.log(scale)
        - 0.5 * (d + 1) * 2.0 * math.log(math.hypot(scale, omega))
    )
    log_bound = d * (log_m - 1.5 * math.log(2.0) - math.log(q)) + log_transform - math.log(2.0) - log_gamma
    return math.exp(log_bound)


def product_of_gaps(space: Space, scale: float) -> float:
    """For cityblock and hamming, whose Z is part of a Kronecker product over the features.

    The least eigenvalue of one factor is at least tanh(scale * smallest gap / 2) for points on a line (rows
    of the tridiagonal inverse), and 1 - exp(-scale / d) for values that differ or not. By interlacing that of
    Z is at least their product: lattices reach it, and fall like (scale * gap)^d.
    """
    assert space.points is not None
    values = [np.unique(column) for column in space.points.T]
    varied = [known for known in values if len(known) > 1]
    if space.metric == "hamming":
        return float((-math.expm1(-scale / len(values))) ** len(varied))
    gaps = np.array([np.diff(known).min() for known in varied])
    # A coordinate of at most 1 is known to half an ulp.
    return float(np.prod(np.tanh(0.5 * scale * np.maximum(gaps - 4 * _UNIT, 0.0))))


def likely(space: Space, scale: float, nearest: float) -> float:
    """How small the smallest eigenvalue can be expected to be, from how smooth the kernel is.

    A similarity that falls from 1 like the distance itself leaves about scale * q to points q apart, in any
    number of dimensions; one that is smooth across axes (sums over features) its power d, a smooth one
    (cosine) any.
    """
    apart = -math.expm1(-scale * nearest)
    if space.metric in ("euclidean", "angular", "precomputed") or space.on_a_line:
        return 0.1 * apart
    if space.metric in ("cityblock", "hamming", "minkowski"):
        return min(0.1 * apart, product_of_gaps(space, scale))
    return 0.0 if space.metric == "cosine" else 0.1 * apart**2


@dataclass(frozen=True)
class Rounding:
    """What rounding can have done: to 2 * 1'w - w'Zw, to a component of Zw, and to that as a rule."""

    bound: float
    component: float
    usual: float


def rounding(space: Space, scale: float, w: Array, residual: float) -> Rounding:
    """Of weights with sum_i |1 - Zw|_i^2 = n residual^2, at the kernels' scale.

    Coordinates of at most 1 carry half an ulp, distances are sums of d terms, exp multiplies their errors by
    scale * distance, and sums of n products add theirs: each z_ij is off by at most e z_ij. So w'Zw is off by
    e |w|'Z|w|, and with v the negative part of w, |w|'Z|w| = w'Zw + 4 v'Zw + 4 v'Zv: of order e |w|_1^2 where
    weights of both signs cancel, and no more than e times the magnitude where none is negative.
    """
    n = space.n_unique
    d = space.dimension or 0
    reach, absolute, relative = _distance_errors(space, d)
    e = scale * absolute + _UNIT * ((relative + 3.0) * min(scale * reach, _FAR) + 7.0)
    terms = min(float(n), n / 4 + 300.0)
    negative = float(np.maximum(-w, 0.0).sum())
    size, largest = float(np.abs(w).sum()), residual * math.sqrt(n)
    energy = min(size * size, abs(float(w.sum())) + 4.0 * negative * (1.0 + largest + negative))
    row = min(size, 1.0 + largest + 2.0 * negative)
    return Rounding(
        bound=(e + _UNIT * terms) * energy + n * _UNIT * size,
        component=(e + _UNIT * terms) * row,
        usual=(scale * absolute + _UNIT * (4.0 + math.sqrt(n))) * row,
    )


def _distance_errors(space: Space, d: int) -> tuple[float, float, float]:
    """(largest distance, absolute error from coordinates, relative one in units), in the kernels' unit."""
    root = math.sqrt(d)
    # From products of coordinates, where the kernels take these.
    squares = 8.0 * (d + 2) if d >= 8 else d + 4.0
    if space.metric == "euclidean":
        return 2.0 * root, 2.0 * _UNIT * root, squares
    if space.metric in ("cosine", "angular"):
        narrow = space.pole is not None and bool(space.pole.any())
        radius = 1.0 if not narrow or space.points is None else _radius(space.points)
        if space.metric == "cosine":
            return 2.0 * radius**2, 4.0 * _UNIT * radius**2, squares
        return min(math.pi, 3.0 * radius), 6.0 * _UNIT * radius, d + 8.0
    if space.metric == "cityblock":
        return 2.0 * d, 2.0 * _UNIT * d, d + 4.0
    if space.metric == "chebyshev":
        return 2.0, 2.0 * _UNIT, 4.0
    if space.metric == "minkowski":
        side = float(d) ** (1.0 / space.power)
        return 2.0 * side, 2.0 * _UNIT * side, d + 200.0
    if space.metric == "precomputed":
        return math.inf, 0.0, 2.0
    return 1.0, 0.0, 4.0


def _radius(points: Array) -> float:
    return math.sqrt(float((points**2).sum(axis=1).max()))
