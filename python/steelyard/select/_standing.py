"""Points that stand for others: what it costs, and what no few of them can beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._info import Info
from .._points import METRICS, Points, computed, read_in_range, read_weights, unit_power
from .._validate import check_choice, check_positive, check_progress, check_threads, real_array

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class MedoidsInfo(Info):
    """Info of medoids and of facility locations.

    `error_bound`: the share of the cost by which the best k points can be cheaper (of the value that no k
    points exceed, by which they can be better), proven, rounding of the distances included; None where
    ``bound_iter=0``. `converged`: no exchange of one medoid for another point lowers the cost (`tol` is 0).
    """


@dataclass(frozen=True)
class Standing:
    """Points, and what it costs to let one of them stand for another."""

    points: Points
    shift: int  # points are divided by 2^shift
    metric: str
    power: float
    weights: Floats | None
    threads: int
    progress: Any

    @property
    def table(self) -> bool:
        return self.metric == "precomputed"

    @property
    def unit(self) -> float:
        return 1.0 if self.table else unit_power(self.shift, self.power)

    @property
    def rounding(self) -> float:
        """Share by which a cost can be off: sums of squares in the direct form, a root, a power."""
        if self.table:
            return 0.0
        half = float(np.finfo(self.points.dtype).eps) / 2
        return float(1.01 * half * (0.5 * self.power * (self.points.shape[1] + 4) + 4))

    def row(self, i: int) -> Floats:
        """What it costs to let point i stand for each, in float64."""
        if self.table:
            return np.asarray(self.points[i], dtype=np.float64)
        gap = self.points - self.points[i]
        squared = np.einsum("ij,ij->i", gap, gap, dtype=np.float64)
        return np.asarray(squared ** (0.5 * self.power))

    def bounds(self, indices: Labels, cost: float, ceiling: float, passes: int) -> tuple[Floats, bool]:
        found, stopped = _core.select._medoid_bounds(
            self.points,
            self.power,
            self.table,
            self.weights,
            indices,
            cost,
            ceiling,
            passes,
            self.threads,
            self.progress,
        )
        return found, bool(stopped)


def read_standing(
    X: Any, metric: Any, power: Any, sample_weight: Any, n_threads: Any, progress: Any
) -> Standing:
    metric = check_choice(metric, "metric", (*METRICS, "precomputed"))
    power = check_positive(power, "power")
    if metric == "precomputed":
        table = real_array(X, "X")
        if table.ndim != 2 or table.shape[0] != table.shape[1] or table.shape[0] == 0:
            raise ValueError(f"X must be square where metric='precomputed', got {table.shape}")
        kind = np.float32 if table.dtype in (np.float16, np.float32) else np.float64
        points: Points = np.require(table, dtype=kind, requirements=["C", "A"])
        if not np.isfinite(points).all():
            raise ValueError("X has NaN or infinite entries")
        if (points < 0).any():
            raise ValueError(f"X must be >= 0 where metric='precomputed', got {points.min():g}")
        points, shift = (points, 0) if power == 1 else (np.asarray(points**power), 0)
        if not np.isfinite(points).all():
            raise ValueError(f"power={power:g} of X overflows its float type: scale X")
    else:
        points, shift = read_in_range(X, "X", metric)
        points = np.ascontiguousarray(computed(points))
    weights = read_weights(sample_weight, len(points))
    return Standing(points, shift, metric, power, weights, check_threads(n_threads), check_progress(progress))


def given_rows(init: Any, n: int, k: int) -> Labels:
    """Rows that somebody chose: whole numbers, none twice."""
    rows = np.asarray(init)
    if rows.ndim != 1 or len(rows) > k or not (np.issubdtype(rows.dtype, np.integer) or not len(rows)):
        raise ValueError(f"init must be a list of at most k={k} row numbers, got shape {rows.shape}")
    rows = rows.astype(np.int64)
    if len(rows) and (rows.min() < 0 or rows.max() >= n or len(np.unique(rows)) < len(rows)):
        raise ValueError(f"init must hold different rows in 0 .. {n - 1}")
    return rows
