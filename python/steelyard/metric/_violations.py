"""Is it a metric, and if not, by how much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._results import Result
from .._spelling import argument
from .._validate import check_count, check_flag, check_nonnegative, check_progress, check_threads
from ._directed import read_directed
from ._pairs import read_pairs


@dataclass(frozen=True, repr=False, eq=False)
class ViolationReport(Result):
    """The triangle inequalities that a dissimilarity breaks.

    Attributes
    ----------
    n : int
        Items.
    n_triangles : int
        Inequalities d_ij <= d_ik + d_kj: three for each set of three items, six where D is directed.
    n_broken : int
        Those broken by more than `tol`.
    n_pairs : int
        Pairs (i, j) that are longer than a way over some k; directed, (i, j) and (j, i) are two.
    largest, total : float
        The largest excess d_ij - d_ik - d_jk, and the sum over pairs of the largest excess of each.
    n_negative, n_zero : int
        Pairs below zero (never a metric), and pairs of different items at distance zero (a pseudometric).
    tol : float
    worst : ndarray
        Structured: the most broken pairs ``i`` < ``j`` (directed: any), each with the ``k`` that breaks it
        most, and ``excess``.
    symmetric : bool
    """

    n: int
    n_triangles: int
    n_broken: int
    n_pairs: int
    largest: float
    total: float
    n_negative: int
    n_zero: int
    tol: float
    worst: npt.NDArray[Any]
    symmetric: bool = True

    @property
    def is_pseudometric(self) -> bool:
        """No triangle is broken by more than `tol`, no distance is negative."""
        return self.n_broken == 0 and self.n_negative == 0

    @property
    def is_metric(self) -> bool:
        """A pseudometric without zeros between different items."""
        return self.is_pseudometric and self.n_zero == 0

    def __repr__(self) -> str:
        what = "metric" if self.is_metric else "pseudometric" if self.is_pseudometric else "not a metric"
        what = what if self.symmetric else f"directed, {what}"
        lines = [f"ViolationReport: {self.n:,} items, {what}"]
        if self.n_broken:
            share = 100 * self.n_broken / self.n_triangles
            lines.append(
                f"{self.n_broken:,} of {self.n_triangles:,} triangle inequalities broken ({share:.2g} %), in "
                f"{_pairs(self.n_pairs)}; largest excess {self.largest:.6g}"
            )
            if len(self.worst):
                i, j, k, excess = self.worst[0]
                second = f"d({j}, {k})" if self.symmetric else f"d({k}, {j})"
                lines.append(f"worst: d({i}, {j}) exceeds d({i}, {k}) + {second} by {excess:.6g}")
        if self.n_negative:
            lines.append(f"{_pairs(self.n_negative)} below zero")
        if self.n_zero:
            lines.append(f"{_pairs(self.n_zero)} of different items at distance zero")
        return "\n".join(lines)

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns ``i``, ``j``, ``k`` and ``excess`` of the worst pairs, for any data frame."""
        return {name: self.worst[name].copy() for name in ("i", "j", "k", "excess")}


def _pairs(count: int) -> str:
    return f"{count:,} pair" if count == 1 else f"{count:,} pairs"


def violations(
    D: Any,
    *,
    symmetric: bool = True,
    tol: float = 0.0,
    top: int = 10,
    n_threads: int | None = None,
    progress: Any = None,
) -> ViolationReport:
    """Which triangle inequalities a dissimilarity breaks.

    Parameters
    ----------
    D : array_like, shape (n, n) or (n (n - 1) / 2,)
        Symmetric with a zero diagonal, or condensed as by `scipy.spatial.distance.pdist`. Negative entries
        are counted, not refused.
    symmetric : bool, default True
        False: D is square, D_ij and D_ji are two numbers, and d_ij <= d_ik + d_kj is all that is asked.
    tol : float, default 0.0
        In the unit of D: d_ij <= d_ik + d_jk counts as broken if d_ik + d_jk < d_ij - tol in float64.
        Rounding alone breaks inequalities that hold with equality by some 1e-16 of the distances.
    top : int, default 10
        How many of the most broken pairs to list.
    n_threads : int, optional
        Default: see `steelyard.build_info`. The answer does not depend on it.
    progress : callable, optional
        Called as progress(done, total).

    Returns
    -------
    ViolationReport

    Raises
    ------
    ValueError
        If D is not square and symmetric with a zero diagonal, nor condensed, or has NaN or infinite entries.

    Notes
    -----
    O(n^3) time (.5 n^3 additions with vector instructions, n^3 directed), O(n^2) memory: the square matrix in
    float64, and directed its transposed copy.

    Examples
    --------
    >>> violations([[0, 1, 5], [1, 0, 2], [5, 2, 0]])
    ViolationReport: 3 items, not a metric
    1 of 3 triangle inequalities broken (33 %), in 1 pair; largest excess 2
    worst: d(0, 2) exceeds d(0, 1) + d(2, 1) by 2
    """
    directed = not check_flag(symmetric, "symmetric")
    if directed:
        square = read_directed(D, argument("D"))
        values = square[~np.eye(len(square), dtype=bool)]
    else:
        pairs = read_pairs(D, argument("D"))
        square, values = pairs.square_matrix(), pairs.values
    tol = check_nonnegative(tol, "tol")
    top = check_count(top, "top", least=0)
    n = len(square)
    broken, n_pairs, total, listed = _core.metric._violations(
        square, tol, max(top, 1), directed, check_threads(n_threads), check_progress(progress)
    )
    worst = np.array(listed, dtype=[("i", np.intp), ("j", np.intp), ("k", np.intp), ("excess", float)])
    largest = float(worst["excess"][0]) if len(worst) else 0.0
    worst = worst[:top]
    worst.flags.writeable = False
    return ViolationReport(
        n=n,
        n_triangles=n * (n - 1) * (n - 2) // (1 if directed else 2),
        n_broken=broken,
        n_pairs=n_pairs,
        largest=largest,
        total=total,
        n_negative=int((values < 0).sum()),
        n_zero=int((values == 0).sum()),
        tol=tol,
        worst=worst,
        symmetric=not directed,
    )
