"""What nearest_metric returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._errors import DisconnectedWarning, warn
from .._info import Info
from .._results import Columns, Result
from ._pairs import Array, Pairs


@dataclass(frozen=True, kw_only=True)
class MetricInfo(Info):
    """Info of a nearest metric. `error_bound` is (objective - lower_bound) / max(objective, 1e-12 ||D||^2),
    proven; `converged` says that it and `violation` are at most `tol`. For norms 'l1' and 'linf' it is
    (objective - lower_bound) / objective, and 0 where the two differ by no more than rounding, 4 eps sqrt(n)
    times sum w |D| or max|D|; `lower_bound` is proven without such an allowance.

    Attributes
    ----------
    lower_bound : float
        No metric has an objective below this.
    violation : float
        Largest violation of a triangle inequality by the iterate that the bound comes from, in units of the
        root mean square of D. The distances returned are its closure and violate none but by rounding.
    active : int
        Triangle inequalities held with a positive dual.
    """

    lower_bound: float
    violation: float = 0.0
    active: int = 0


@dataclass(frozen=True, repr=False, eq=False)
class NearestMetric(Result):
    """The nearest pseudometric and how near it is proven to be.

    Attributes
    ----------
    distances : ndarray, shape of the input
        Satisfies all triangle inequalities up to rounding; zeros between different items are allowed. Square
        where D was sparse. inf between items that no measured pairs join. Read-only.
    objective : float
        Over the measured pairs; norm 'l2': 1/2 sum of weight * (distance - D)^2; 'l1': sum of weight *
        |distance - D|; 'linf': the largest |distance - D|.
    norm : str
    info : MetricInfo
    triangles : ndarray, shape (m, 3)
        norm 'l2', all pairs measured: i < j and k of the inequalities d_ij <= d_ik + d_jk that hold the
        solution; else empty. Where distances are directed any i, j and k with d_ij <= d_ik + d_kj.
    duals : ndarray, shape (m,)
        Their multipliers, > 0.
    symmetric : bool
        False: distances from i to j and from j to i are two numbers.
    """

    distances: Array
    objective: float
    norm: str
    info: MetricInfo
    triangles: npt.NDArray[np.int32]
    duals: Array
    _n: int
    _held: Any = None  # for a warm start where pairs are unknown, or directed
    symmetric: bool = True

    def __repr__(self) -> str:
        state = "converged" if self.info.converged else "NOT converged"
        bound = self.info.error_bound
        gap = "" if bound is None else f": relative gap {bound:.1e} ({self.info.error_kind})"
        kind = "" if self.symmetric else "directed, "
        lines = [
            f"NearestMetric: {self._n:,} items, {kind}norm {self.norm}, objective {self.objective:.6g}",
            f"{state}{gap}, {self.info.iterations} rounds ({self.info.solver})",
        ]
        if self.info.message:
            lines.append(f"note: {self.info.message}")
        return "\n".join(lines)

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns ``i`` < ``j`` and ``distance`` of all n (n - 1) / 2 pairs, for any data frame; of directed
        distances both (i, j) and (j, i).
        """
        return self._pairs(self._n)

    def _pairs(self, rows: int) -> dict[str, npt.NDArray[Any]]:
        """Those with i below `rows`."""
        if not self.symmetric:
            i, j = np.nonzero(~np.eye(min(rows, self._n), self._n, dtype=bool))
            return {"i": i, "j": j, "distance": self.distances[i, j]}
        i, j = np.triu_indices(rows, 1, self._n)
        flat = self.distances.ndim == 1
        return {"i": i, "j": j, "distance": self.distances[: len(i)] if flat else self.distances[i, j]}

    def _head(self, rows: int) -> tuple[Columns, int]:
        first = self._pairs(min(rows + 1, self._n))
        pairs = self._n * (self._n - 1)
        return {name: column[:rows] for name, column in first.items()}, pairs // (2 if self.symmetric else 1)


def exact_info(solver: str, tol: float, low: float, steps: int, gap: float) -> MetricInfo:
    """Info of an answer that is known but for a proven gap."""
    return MetricInfo(
        converged=gap <= tol,
        iterations=steps,
        solver=solver,
        seconds=0.0,
        tol=tol,
        error_bound=gap,
        error_kind="rigorous",
        lower_bound=low,
    )


def make_result(
    pairs: Pairs,
    x: Array,
    objective: float,
    norm: str,
    info: MetricInfo,
    triangles: npt.NDArray[np.int32] | None = None,
    duals: Array | None = None,
    held: Any = None,
) -> NearestMetric:
    """From condensed distances x."""
    triangles = np.zeros((0, 3), np.int32) if triangles is None else triangles
    duals = np.zeros(0) if duals is None else duals
    for array in (triangles, duals):
        array.flags.writeable = False
    return NearestMetric(pairs.like_input(x), objective, norm, info, triangles, duals, pairs.n, held)


def objective_of(x: Array, d: Array, norm: str, weight: Array | None) -> float:
    """Cost of x over the measured pairs."""
    change = np.abs(x - d)
    if norm == "linf":
        return float(change.max(initial=0.0))
    cost = change if norm == "l1" else 0.5 * np.square(change)
    return float(cost.sum() if weight is None else (weight * cost).sum())


def rounding_of_sum(n: int, d: Array, weight: Array) -> float:
    """Sums of changes that differ by no more are equal but for rounding."""
    return 4 * float(np.finfo(float).eps) * float(np.sqrt(n)) * float((weight * np.abs(d)).sum())


def warn_of_unjoined(result: NearestMetric) -> NearestMetric:
    """The result; a warning where some items are not joined to others."""
    unjoined = int(np.isinf(result.distances).any() and _apart(result))
    if unjoined:
        warn(
            f"{unjoined} of {result._n} items are not joined to item 0 by measured pairs: "
            "their distances are inf",
            DisconnectedWarning,
        )
    return result


def _apart(result: NearestMetric) -> int:
    first = result.distances[: result._n - 1] if result.distances.ndim == 1 else result.distances[0]
    return int(np.isinf(first).sum())
