"""The nearest metric in the sum of changes: the closure, a linear program, or proximal steps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _core
from ._l1_exact import solve_exactly
from ._options import Options
from ._pairs import Array
from ._result import MetricInfo, exact_info, rounding_of_sum

# Measured pairs up to which the linear program is solved at once, and after proximal steps that did not end.
_SMALL, _MEDIUM = 80, 800


def nearest_l1(d: Array, weight: Array | None, n: int, options: Options) -> tuple[Array, float, MetricInfo]:
    """A pseudometric x with sum w |x - d| within the gap, its objective and info; w = 0 is an unknown pair.

    The metrics are nonnegative, so a negative d costs w (x - d) = w |d| + w |x - 0|. None need exceed the
    largest d: min(x, largest) is a metric and no further away.
    """
    w = np.ones(len(d)) if weight is None else weight
    problem = _Problem(n, d, w, options)
    x = np.asarray(
        _core.metric._metric_closure(n, np.where(w > 0, np.maximum(d, 0.0), np.inf), options.threads)
    )
    if problem.cost(x) - problem.offset <= problem.rounding:
        return problem.closed(x)
    if problem.known.sum() <= _SMALL:
        return problem.exactly()
    found = problem.by_steps(x)
    if found[2].converged or found[2].interrupted or problem.known.sum() > _MEDIUM:
        return found
    exact = problem.exactly()
    return max(exact, found, key=lambda answer: answer[2].lower_bound / answer[1])


@dataclass
class _Problem:
    n: int
    d: Array
    w: Array
    options: Options

    def __post_init__(self) -> None:
        self.known = self.w > 0
        self.target = np.maximum(self.d, 0.0)
        self.offset = math.fsum(self.w * np.maximum(-self.d, 0.0))
        self.rounding = rounding_of_sum(self.n, self.d, self.w)

    def cost(self, x: Array) -> float:
        """Of the measured pairs."""
        return float((self.w[self.known] * np.abs(x - self.d)[self.known]).sum())

    def closed(self, x: Array) -> tuple[Array, float, MetricInfo]:
        """D itself is nearest, but for rounding."""
        objective = self.cost(x)
        low = min(objective, self.less_rounding(0.0))
        return x, objective, exact_info("shortest-path closure", self.options.tol, low, 1, 0.0)

    def less_rounding(self, low: float) -> float:
        """A proven bound of the cost of changes to max(d, 0) as one of the cost of changes to d."""
        eps = float(np.finfo(float).eps)
        return (low + self.offset) - 2 * eps * self.offset if self.offset else low

    def gap(self, objective: float, low: float) -> float:
        """None where the two differ by rounding."""
        return (objective - low) / objective if objective - low > self.rounding else 0.0

    def exactly(self) -> tuple[Array, float, MetricInfo]:
        """By a linear program over the cycles that matter."""
        places = np.flatnonzero(self.known)
        i, j = (index[places].astype(np.int32) for index in np.triu_indices(self.n, 1))
        found = solve_exactly(self.n, i, j, self.target[places], self.w[places], self.rounding, self.options)
        x = self.target.copy()
        x[places] = found.x
        raw = {
            "iterations": found.rounds,
            "solver": "linear program over broken cycles",
            "interrupted": found.interrupted,
            "trace_values": np.array(found.trace).reshape(-1, 5),
            "seconds": found.trace[-1][-1] if found.trace else 0.0,
        }
        return self.account(x, found.lower, raw, found.active, "rounds")

    def by_steps(self, closed: Array) -> tuple[Array, float, MetricInfo]:
        """By proximal steps as long as the changes that the closure makes."""
        upper = float(self.target.max())
        change = float(np.abs(closed - self.target)[self.known].max())
        found = _core.metric._solve_l1(
            self.n,
            self.target,
            self.w,
            upper,
            self.offset,
            self.cost(closed) - self.offset,
            min(0.1, change / upper),
            self.options.tol,
            max_steps=self.options.max_iter,
            n_threads=self.options.threads,
            progress=self.options.progress,
        )
        x = found["x"]
        if self.cost(closed) < self.cost(x):
            x = np.where(self.known, closed, x)
        return self.account(x, found["lower"], found["info"], found["active"], "steps")

    def account(
        self, x: Array, lower: float, raw: dict[str, Any], active: int, steps: str
    ) -> tuple[Array, float, MetricInfo]:
        """x, its objective, and how near it is proven to be."""
        objective = self.cost(x)
        low = min(objective, self.less_rounding(max(0.0, lower)))
        gap = self.gap(objective, low)
        rows = raw["trace_values"]
        done = gap <= self.options.tol
        info = MetricInfo.from_core(
            {"trace_columns": ("step", "gap", "violation", "active", "seconds"), **raw},
            converged=done,
            tol=self.options.tol,
            error_bound=gap,
            error_kind="rigorous",
            lower_bound=low,
            violation=float(rows[-1, 2]) if len(rows) else 0.0,
            active=active,
            iterations=len(rows),
            message=""
            if done
            else f"relative gap {gap:.1e} after {len(rows)} {steps}; raise max_iter or tol",
        )
        return x, objective, info
