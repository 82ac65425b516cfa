"""The logarithm of a large determinant, by Gauss quadrature of Lanczos."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._paired import TeamPoint, TeamProblem

Floats = npt.NDArray[np.float64]

_PROBES, _STEPS = 2, 40


def estimated_log_volume(problem: TeamProblem, at: TeamPoint, base: int, width: float, threads: int) -> float:
    """log det of the Hessian over (m, d, extras), to about the square root of their number.

    With probes that stay the same, what it is off by hardly depends on the width: differences between widths
    are far better known than the value. Scaled to a diagonal of 1 first.
    """
    d = problem.kernel.derivatives(at.free, at.tie, at.effects, threads)
    matrix, curvature, border, corner = (
        problem.games.matrix,
        d["game_curvature"],
        d["border"],
        d["extra_hessian"],
    )
    size = len(at.free)
    own = np.full(size, width**-2)
    own[:base] = d["prior_curvature"][:base] if len(d["prior_curvature"]) else 0.0
    back = matrix.T.tocsr()
    diagonal = np.concatenate([own + back.power(2) @ curvature, np.diag(corner)])
    scale = 1.0 / np.sqrt(diagonal)

    def times(x: Floats) -> Floats:
        y = scale[:, None] * x
        free, extras = y[:size], y[size:]
        top = back @ (curvature[:, None] * (matrix @ free)) + own[:, None] * free + border @ extras
        return np.asarray(scale[:, None] * np.concatenate([top, border.T @ free + corner @ extras]))

    return float(np.log(diagonal).sum()) + _trace_of_log(times, size + len(corner))


def _trace_of_log(times: object, size: int) -> float:
    """Of a positive definite matrix that is near the identity, given by its products."""
    z = np.random.default_rng(0).choice([-1.0, 1.0], size=(size, _PROBES)) / np.sqrt(size)
    before, beta = np.zeros_like(z), np.zeros(_PROBES)
    diagonals, beside = [], []
    for _ in range(min(_STEPS, size)):
        w = times(z) - beta * before  # type: ignore[operator]
        alpha = np.einsum("ij,ij->j", w, z)
        w -= alpha * z
        beta = np.linalg.norm(w, axis=0)
        diagonals.append(alpha)
        beside.append(beta)
        if (beta < 1e-12).any():
            break
        before, z = z, w / beta
    total = 0.0
    for k in range(_PROBES):
        off = np.array([b[k] for b in beside[:-1]])
        ritz = np.diag([a[k] for a in diagonals]) + np.diag(off, 1) + np.diag(off, -1)
        values, vectors = np.linalg.eigh(ritz)
        total += float(vectors[0] ** 2 @ np.log(np.maximum(values, 1e-300)))
    return size * total / _PROBES
