"""The engine for sparse graphs, stage by stage: labels, and rows that bound what any labels cost."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._errors import report
from .._info import Info
from ._clustering_problem import ClusteringProblem, Labels
from ._clustering_result import ConflictCycles, CorrelationClustering, ratio
from ._signed_pairs import SignedPairs

STAGES = 20
_PAIRS_PER_ENTRY = 20.0
_EPS = float(np.finfo(float).eps)
_ROUNDING = 1e-13  # a gap that no further stage can close
_COLUMNS = ("seconds", "cost", "lower_bound", "ratio", "cycles")


@dataclass(frozen=True)
class Effort:
    """When to stop, and with what to work."""

    tol: float
    stages: int = STAGES
    seconds: float = np.inf
    threads: int = 1
    seed: tuple[int, int] = (0, 0)
    why: str = ""


def cluster_by_cycles(
    pairs: SignedPairs, problem: ClusteringProblem, effort: Effort, labels: Labels | None, progress: Any
) -> CorrelationClustering:
    """Stages until cost and bound are within tol, or there are no more, or the time is over."""
    run = _Run(pairs, problem, effort, progress)
    if labels is not None:
        run.engine.suggest(labels)
    run.go()
    return run.result()


class _Run:
    def __init__(self, pairs: SignedPairs, problem: ClusteringProblem, effort: Effort, progress: Any) -> None:
        self.started = time.perf_counter()
        self.pairs, self.problem, self.effort, self.progress = pairs, problem, effort, progress
        self.engine = _core.metric._CycleEngine(problem.graph, _PAIRS_PER_ENTRY, effort.seed)
        self.trace: list[tuple[float, ...]] = []
        self.settled = self.stopped = False

    def go(self) -> None:
        effort = self.effort
        for stage in range(effort.stages):
            left = effort.seconds - self.seconds
            # Labels without any bound would be no answer: a first packing comes whatever the time.
            if (stage > 1 and left <= 0) or (stage and self.gap <= max(effort.tol, _ROUNDING)):
                break
            _, _, more, self.stopped = self.engine.step(left, effort.threads)
            cost, low = self.bounds
            self.trace.append((self.seconds, cost, low, ratio(cost, low), self.engine.rows_held))
            self.settled = not more
            if self.stopped:
                break
            try:
                self._report(stage + 1)
            except KeyboardInterrupt:
                self.stopped = True
                break

    def _report(self, stage: int) -> None:
        if np.isfinite(self.effort.seconds):
            report(self.progress, min(self.seconds, self.effort.seconds), self.effort.seconds)
        else:
            report(self.progress, stage, self.effort.stages)
        best = getattr(self.progress, "best", None)
        if best is not None:
            best(*self.bounds)

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.started

    @property
    def bounds(self) -> tuple[float, float]:
        """Cost and lower bound of the whole problem."""
        problem = self.problem
        cost = problem.cost(self.engine.labels)
        fixed = problem.offset + problem.unavoidable
        low = fixed + self.engine.bound
        if not problem.exact:  # sums of weights, rounded
            low -= 64 * _EPS * (fixed + problem.merged)
        return cost, min(max(low, 0.0), cost)

    @property
    def gap(self) -> float:
        return ratio(*self.bounds) - 1.0

    def result(self) -> CorrelationClustering:
        problem, pairs = self.problem, self.pairs
        cost, low = self.bounds
        labels = problem.expand(self.engine.labels)
        labels.flags.writeable = False
        return CorrelationClustering(
            labels,
            cost,
            low,
            float("inf"),
            None,
            pairs.formulation,
            self._info(cost, low),
            self._cycles(),
            _pairs=pairs,
        )

    def _cycles(self) -> ConflictCycles:
        starts, nodes, multipliers, sides = self.engine.proof()
        if self.problem.group is not None:
            _, first = np.unique(self.problem.group, return_index=True)
            nodes = first.astype(np.int32)[nodes]
        for part in (multipliers, starts, nodes, sides):
            part.flags.writeable = False
        fixed = self.problem.offset + self.problem.unavoidable
        return ConflictCycles(multipliers, starts, nodes, sides, fixed)

    def _info(self, cost: float, low: float) -> Info:
        gap = ratio(cost, low) - 1.0
        good = gap <= self.effort.tol
        trace = np.array(self.trace, dtype=[(name, float) for name in _COLUMNS])
        trace.flags.writeable = False
        return Info(
            converged=good,
            iterations=len(self.trace),
            solver="cycle packing" + (f": {self.effort.why}" if self.effort.why else ""),
            seconds=self.seconds,
            tol=self.effort.tol,
            error_bound=gap if np.isfinite(gap) else None,
            error_kind="rigorous",
            message=self._message(gap, good),
            trace=trace,
            interrupted=self.stopped,
        )

    def _message(self, gap: float, good: bool) -> str:
        if gap == 0.0:
            return "optimal: no clustering costs less"
        parts = []
        if not good:
            more = "the bound has settled" if self.settled else "more stages or seconds narrow it"
            parts.append(f"cost and bound are within {gap:.1e}; {more}")
        if not self.engine.complete:
            parts.append("the bound knows a sample of the pairs at distance two")
        return "; ".join(parts)


def named(result: CorrelationClustering, items: npt.NDArray[Any] | None, formulation: str) -> Any:
    """The same with names for its items."""
    return replace(result, items=items, formulation=formulation)
