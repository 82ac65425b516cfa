"""Proven lower bounds of the smallest eigenvalue of Z."""

from __future__ import annotations

import math

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
