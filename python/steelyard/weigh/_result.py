"""What the solvers of weigh return."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._info import ErrorKind, Info
from .._results import Result
from ..plotting import plot_weights
from ._spaces import Space

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class WeighInfo(Info):
    """Info of a weighting. `converged` says that `residual` is at most `tol`.

    `error_bound` bounds how far `lower_bound` can lie below the magnitude: ||1 - Zw||^2 / mu and rounding,
    which is of order 1e-16 (sum |w|)^2. It is 'rigorous' where `smallest_eigenvalue` is a proven mu <=
    lambda_min(Z), else an 'estimate': r'Z^{-1}r from the Cholesky factor, or from the Lanczos matrix of the
    iteration. None where Z is not positive definite, or the magnitude is not determined.

    Attributes
    ----------
    residual : float
        ||1 - Zw||_2 / ||1||_2, computed in float64 (from sampled rows with method 'local').
    residual_error : float
        How far `residual` can lie below the true one, beside rounding: by the far field, whose products are
        approximate, in the root mean square; `converged` counts it. 0 elsewhere.
    residual_kind : {'rigorous', 'estimate'}
        Whether that is proven, row by row, or seen in sampled rows (in 3 features, and with 'local'); then
        `lower_bound`, which is lowered by it, is an estimate too.
    lower_bound : float or None
        2 * 1'w - w'Zw less what rounding can have added to it: a lower bound of the magnitude where Z is
        positive definite, else None.
    error_estimate : float or None
        The estimate also where a proven bound is given; it is often far smaller.
    weight_error : float or None
        ||w - Z^{-1} 1||_2, estimated; None where it was not looked at, or rests on eigenvalues that conjugate
        gradients don't see.
    smallest_eigenvalue : float or None
        The proven mu: from the row sums (Gershgorin), from the smallest distance between points of a
        Euclidean space (Narcowich and Ward), or from the smallest gaps of features (cityblock, hamming).
    positive_definite : str or None
        'theory', 'Cholesky' or None: what says that Z is positive definite.
    merged : int
        Rows that repeat another; they share its weight.
    jitter : float
        What was added to the diagonal of Z: what you asked for, never more.
    """

    residual: float
    residual_error: float = 0.0
    residual_kind: ErrorKind = "rigorous"
    lower_bound: float | None
    error_estimate: float | None = None
    weight_error: float | None = None
    smallest_eigenvalue: float | None = None
    positive_definite: str | None = None
    merged: int = 0
    jitter: float = 0.0

    @property
    def remark(self) -> str:
        """`message` but for the count of rows that repeat another, which is `merged`."""
        note = merged_note(self.merged)
        return "; ".join(part for part in self.message.split("; ") if part != note)


@dataclass(frozen=True, repr=False, eq=False)
class Weighting(Result):
    """The weighting of a finite metric space at one scale.

    Attributes
    ----------
    weights : ndarray, shape (n,)
        w with Z w = 1, Z_ij = exp(-scale d_ij); read-only. Large at the boundary and for outliers, near 0
        inside, 1 for a point far from all others. Copies of a point share its weight.
    magnitude : float
        Their sum: the effective number of points.
    scale : float
        As used.
    metric : str
    info : WeighInfo
    coweights : ndarray, shape (n,), or None
        v with v'Z = 1', for asymmetric distances only.
    """

    weights: Array
    magnitude: float
    scale: float
    metric: str
    info: WeighInfo
    coweights: Array | None = None
    _space: Space | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.weights)

    def __repr__(self) -> str:
        state = "converged" if self.info.converged else "NOT converged"
        bound, estimate = self.info.error_bound, self.info.error_estimate
        kind: str = self.info.error_kind
        if bound is not None and estimate is not None and estimate < bound > 1e-6 * abs(self.magnitude):
            bound, kind = estimate, f"estimate; proven: {bound:.1e}"
        lines = [
            f"Weighting: {len(self)} points, scale {self.scale:.6g}, magnitude {self.magnitude:.6g}",
            f"{state}: residual {self.info.residual:.1e}"
            + (f", magnitude within {bound:.1e} ({kind})" if bound is not None else "")
            + f" ({self.info.solver})",
        ]
        order = self.order[:3]
        lines.append(
            "largest weights: " + ", ".join(f"{self.weights[i]:.4g} (row {i})" for i in order.tolist())
        )
        if self.info.message:
            lines.append(f"note: {self.info.message}")
        return "\n".join(lines)

    @property
    def order(self) -> npt.NDArray[np.intp]:
        """Rows by falling weight."""
        return np.argsort(-self.weights, kind="stable")

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns ``row`` and ``weight`` (and ``coweight``), largest weight first, for any data frame."""
        order = self.order
        table: dict[str, npt.NDArray[Any]] = {"row": order, "weight": self.weights[order]}
        if self.coweights is not None:
            table["coweight"] = self.coweights[order]
        return table

    def places(self) -> Array | None:
        """The points that were weighed, to rounding.

        Returns
        -------
        ndarray, shape (n, d), or None
            None where the metric is not one of vectors (euclidean, cityblock, chebyshev, minkowski).
        """
        return None if self._space is None else self._space.vectors()

    def plot(self, X: Any = None, *, ax: Axes | None = None) -> Axes:
        """The points (their first two features, or `X`) with areas and colours by weight; see
        `steelyard.plotting.plot_weights`.
        """
        return plot_weights(self, X, ax=ax)


def merged_note(merged: int) -> str:
    """What is said of rows that repeat another."""
    if not merged:
        return ""
    rows = "1 row repeats another and shares" if merged == 1 else f"{merged} rows repeat another and share"
    return f"{rows} its weight"


def with_note(weighting: Weighting, note: str) -> Weighting:
    """The same with one note more."""
    text = "; ".join(filter(None, [weighting.info.message, note]))
    return replace(weighting, info=replace(weighting.info, message=text))
