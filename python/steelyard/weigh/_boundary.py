"""`boundary`: the points at the edge of a set."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._results import Result
from .._validate import Progress, check_count, check_level
from ._result import Weighting
from ._weighting import weighting


@dataclass(frozen=True, repr=False, eq=False)
class Boundary(Result):
    """Boundary points of a set.

    Attributes
    ----------
    indices : ndarray of int, shape (k,)
        Rows, largest weight first; read-only.
    threshold : float
        The smallest weight among them.
    weighting : Weighting
        Of all rows.
    """

    indices: npt.NDArray[np.intp]
    threshold: float
    weighting: Weighting

    def __len__(self) -> int:
        return len(self.indices)

    def __repr__(self) -> str:
        return (
            f"Boundary: {len(self):,} of {len(self.weighting):,} points, weights from {self.threshold:.4g} "
            f"up, scale {self.weighting.scale:.6g}"
        )

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns ``row`` and ``weight`` of the points on the boundary, largest weight first."""
        return {"row": self.indices, "weight": self.weighting.weights[self.indices]}

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        """True for the rows on the boundary, shape (n,)."""
        mask = np.zeros(len(self.weighting), bool)
        mask[self.indices] = True
        return mask


def boundary(
    X: Any,
    *,
    n_points: int | None = None,
    share: float = 0.1,
    scale: float | str = "fraction",
    fraction: float = 0.3,
    metric: str = "euclidean",
    method: str = "auto",
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> Boundary:
    """Boundary points of a set: the rows of largest weight.

    Parameters
    ----------
    X : array_like, shape (n, d), or distances if metric="precomputed"
    n_points : int, optional
        How many rows; default: `share` of them, rounded up.
    share : float, default 0.1
        Ignored if `n_points` is given.
    scale : float or str, default 'fraction'
        As for `weighting`. The smaller the scale, the more the weights concentrate on the outer edge; the
        larger, the more do points at holes and in thin places count as well.
    fraction : float, default 0.3
        For scale='fraction': the magnitude as a fraction of the number of distinct points.
    metric, method, n_threads, progress
        As for `weighting`.

    Returns
    -------
    Boundary

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; if all points coincide and `scale` is a rule.

    Notes
    -----
    The rule: rows by falling weight, equal weights by row, the first `n_points`. Copies share a weight, so
    that a point given twice counts half as much a row. Why the edge: on an interval filled ever more densely
    the weights tend to scale / 2 times the length inside and 1/2 at either end. Cost: that of `weighting`.

    References
    ----------
    .. [1] Bunch et al., "Weighting vectors for machine learning: numerical harmonic analysis applied to
       boundary detection", arXiv 2106.00827.

    Examples
    --------
    >>> import numpy as np
    >>> from steelyard import weigh
    >>> grid = np.stack(np.meshgrid(range(5), range(5)), axis=-1).reshape(-1, 2)
    >>> print(sorted(weigh.boundary(grid, n_points=4).indices.tolist()))  # the corners
    [0, 4, 20, 24]
    """
    share = check_level(share, "share")
    wanted = None if n_points is None else check_count(n_points, "n_points")
    found = weighting(
        X,
        scale=scale,
        metric=metric,
        method=method,
        fraction=fraction,
        n_threads=n_threads,
        progress=progress,
    )
    n = len(found)
    if wanted is not None and wanted > n:
        raise ValueError(f"n_points must be at most the number of rows, {n}, got {wanted}")
    indices = found.order[: math.ceil(share * n) if wanted is None else wanted].copy()
    indices.flags.writeable = False
    return Boundary(indices, float(found.weights[indices[-1]]), found)
