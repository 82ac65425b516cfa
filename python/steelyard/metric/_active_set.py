"""Small problems of least squares that projections do not end: all triangles at once by an active set."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
from scipy.linalg import lstsq
from scipy.optimize import nnls

from ._pairs import Array

LARGEST = 12  # items: 66 pairs, 660 triangles


def duals_of_all_triangles(
    d: Array, weight: Array | None, n: int
) -> tuple[npt.NDArray[np.int32], Array] | None:
    """Corners i < j, k and duals > 0 of the best point of the dual, to rounding; None where NNLS gives up.

    max z'e - 1/2 |B z|^2 over z >= 0, e = A d, B = W^-1/2 A': the nonnegative least squares of B z = r for
    any r with B'r = e. The shortest such r keeps the digits of a small answer.
    """
    corners = np.array(
        [(i, j, k) for i, j in itertools.combinations(range(n), 2) for k in range(n) if k not in (i, j)],
        np.int32,
    )
    i, j, k = corners.T.astype(np.int64)

    def pair(a: npt.NDArray[np.int64], b: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        low, high = np.minimum(a, b), np.maximum(a, b)
        place: npt.NDArray[np.int64] = low * (2 * n - low - 1) // 2 + high - low - 1
        return place

    excess = d[pair(i, j)] - d[pair(i, k)] - d[pair(j, k)]
    unit = float(excess.max(initial=0.0))
    if unit <= 0:
        return None
    w = np.ones(len(d)) if weight is None else weight
    middle = float(np.exp(np.log(w).mean()))
    B = np.zeros((len(d), len(corners)))
    column = np.arange(len(corners))
    B[pair(i, j), column] = 1.0
    B[pair(i, k), column] = B[pair(j, k), column] = -1.0
    B /= np.sqrt(w / middle)[:, None]
    try:
        right = lstsq(B.T, excess / unit)[0]
        duals = nnls(B, right)[0] * (unit * middle)
    except (RuntimeError, np.linalg.LinAlgError):
        return None
    held = duals > 0
    return corners[held], duals[held]
