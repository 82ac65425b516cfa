"""Weightings that need no solver: points on a line, points that fill a grid."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .. import _core
from ._result import WeighInfo, merged_note
from ._spaces import Space

Array = npt.NDArray[np.float64]

_EPS = float(np.finfo(float).eps)


def closed_form(
    space: Space, scale: float, tol: float, method: str, why: str
) -> tuple[Array, float, WeighInfo]:
    """Weights of the points that differ, their sum, and the account."""
    weights, size, share = (_on_a_line if method == "line" else _on_a_grid)(space, scale * space.unit)
    slack = share * size
    info = WeighInfo(
        converged=True,
        iterations=0,
        solver=f"closed form on a {method} ({why})",
        seconds=0.0,
        tol=tol,
        error_bound=2 * slack,
        error_kind="rigorous",
        message=merged_note(space.merged),
        residual=0.0,
        lower_bound=size - slack,
        error_estimate=2 * slack,
        positive_definite="theory",
        weight_error=share * float(np.linalg.norm(weights)),  # each is a product of positive terms
        merged=space.merged,
    )
    return weights, size, info


def _on_a_line(space: Space, scale: float) -> tuple[Array, float, float]:
    """(weights, sum, relative error of that)."""
    assert space.points is not None
    order = np.argsort(space.points[:, 0])
    weights = np.empty(space.n_unique)
    weights[order] = _core.weigh._line_weights(space.points[order, 0], scale)
    return weights, float(weights.sum()), (0.25 * len(weights) + 8) * _EPS


def _on_a_grid(space: Space, scale: float) -> tuple[Array, float, float]:
    """Z is a Kronecker product over the features, and so is its weighting."""
    assert space.points is not None
    assert space.grid is not None
    weights, size, share = np.ones(space.n_unique), 1.0, 4 * _EPS
    for column, values in zip(space.points.T, space.grid, strict=True):
        if space.metric == "hamming":
            alike = math.exp(-scale / len(space.grid))
            own = np.full(len(values), 1.0 / (1.0 + (len(values) - 1) * alike))
        else:
            own = _core.weigh._line_weights(values, scale)
        weights *= own[np.searchsorted(values, column)]
        size *= float(own.sum())
        share += (0.25 * len(own) + 8) * _EPS + len(own) * scale * _EPS / max(1.0, float(own.sum()))
    return weights, size, share
