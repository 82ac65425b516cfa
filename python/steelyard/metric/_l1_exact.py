"""The nearest metric in the sum of changes as a linear program: exact ends for small problems."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from .. import _core
from .._linear_programs import solve_linear_program
from .._validate import Progress
from ._options import Options
from ._pairs import Array

_UNIT = 0.5 * float(np.finfo(float).eps)


@dataclass
class ExactL1:
    """Lengths of the edges, their cost, a lower bound of every cost, rounds and cycles with a dual."""

    x: Array
    objective: float
    lower: float
    rounds: int
    active: int
    trace: list[tuple[float, ...]]
    interrupted: bool = False


class _Program:
    """min sum w |y| with A y <= -excess: changes y of lengths d >= 0, and cycles that are broken, in A.

    In units of the largest excess, each change in units of 1 / w: what HiGHS calls zero is then relative to
    the answer and not to d.
    """

    def __init__(self, d: Array, w: Array) -> None:
        self.d, self.w = d, w
        self.middle = math.exp(float(np.log(w).mean()))
        self.starts, self.edges = [np.zeros(1, np.int64)], [np.zeros(0, np.int32)]
        self.excess: list[float] = []
        self.known: set[bytes] = set()
        self.unit = 0.0
        self.size = math.sqrt(float(np.mean(np.square(d / d.max())))) * float(d.max())  # root mean square

    def add(self, starts: npt.NDArray[np.int64], edges: npt.NDArray[np.int32]) -> int:
        """Cycles that are new: an edge and a shorter way, or an edge that must not be negative."""
        new = 0
        for begin, end in pairwise(starts):
            row = edges[begin:end]
            if (key := row.tobytes()) in self.known:
                continue
            self.known.add(key)
            way = self.d[row]
            self.excess.append(math.fsum([way[0], *-way[1:]]) if len(row) > 1 else -float(way[0]))
            self.edges.append(row)
            self.starts.append(np.array([len(row)]))
            new += 1
        self.unit = self.unit or max(self.excess, default=0.0)
        return new

    def matrix(self) -> Any:
        starts = np.cumsum(np.concatenate(self.starts))
        data = np.full(starts[-1], -1.0)
        data[starts[:-1][np.diff(starts) > 1]] = 1.0
        return sparse.csr_array(
            (data, np.concatenate(self.edges), starts), shape=(len(self.excess), len(self.d))
        )

    def solve(self, progress: Progress | None, done: float) -> tuple[Array, Array] | None:
        """Changes and duals, both as good as HiGHS makes them."""
        A = self.matrix()
        scaled = A @ sparse.diags_array(self.middle / self.w)
        found = solve_linear_program(
            np.ones(2 * len(self.d)),
            progress=progress,
            done=done,
            A_ub=sparse.hstack([scaled, -scaled], format="csr"),
            b_ub=-np.array(self.excess) / self.unit,
            method="highs-ds",
            options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
        )
        if found.x is None or found.status != 0:
            return None
        z = found.x[: len(self.d)] - found.x[len(self.d) :]
        return z * (self.middle * self.unit / self.w), np.maximum(0.0, -found.ineqlin.marginals) * self.middle

    def bound(self, duals: Array, cost: float) -> float:
        """No metric costs less; `cost` is that of one. Proven from any duals >= 0, rounding taken off.

        sum w |y| >= sum w |y| + duals (A y + excess), and at the optimum |y_e| <= cost / w_e.
        """
        A, excess = self.matrix(), np.array(self.excess)
        pull, size = A.T @ duals, abs(A).T @ duals
        terms = 2.0 + np.bincount(A.indices, minlength=len(self.d))
        over = np.maximum(0.0, np.abs(pull) + _UNIT * terms * size - self.w * (1 - 2 * _UNIT)) / self.w
        gains = duals * excess
        lost = cost * float(over.sum()) * (1 + 1e-9) + 4 * _UNIT * math.fsum(np.abs(gains))
        return max(0.0, math.fsum(gains) - lost)


def solve_exactly(
    n: int,
    rows: npt.NDArray[np.int32],
    cols: npt.NDArray[np.int32],
    d: Array,
    w: Array,
    rounding: float,
    options: Options,
) -> ExactL1:
    """min sum w |x - d| over x >= 0 of which no edge is longer than a path of others, d >= 0, w > 0.

    Cutting planes: HiGHS solves for the cycles found so far, shortest paths find those that are broken and
    repair the rest. Its duals are not trusted: the bound is computed from them anew.
    """
    began = time.perf_counter()
    graph = _core.metric._MeasuredGraph(n, rows, cols)
    program = _Program(d, w)
    best = ExactL1(d, math.inf, 0.0, 0, 0, [])
    slack, x, duals = 0.0, d, np.zeros(0)
    try:
        for number in range(1, options.max_iter + 1):
            starts, edges, closed, broken = graph.find_cycles(x, slack, options.threads)
            cost = math.fsum(w * np.abs(closed - d))
            if cost < best.objective:
                best.x, best.objective = closed, cost
            if len(duals):
                best.lower = max(best.lower, program.bound(duals, best.objective))
            best.rounds, gap = number, best.objective - best.lower
            held = float(np.count_nonzero(duals))
            relative = gap / best.objective if best.objective > 0 else 0.0
            seconds = time.perf_counter() - began
            best.trace.append((number - 1.0, relative, broken / program.size, held, seconds))
            if options.progress is not None:
                options.progress(float(number), 0.0)
            new = program.add(starts, edges)
            if gap <= max(rounding, 0.01 * min(options.tol, 1e-6) * best.objective) or new == 0:
                break
            solved = program.solve(options.progress, float(number))
            if solved is None:
                break
            x, duals = d + solved[0], solved[1]
            slack = max(1e-11 * program.unit, 2 * _UNIT * float(d.max()))
            best.active = int(np.count_nonzero(duals))
    except KeyboardInterrupt:
        best.interrupted = True
    return best
