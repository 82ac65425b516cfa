"""The nearest metric in the largest change: bisection on that change."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from .. import _core
from ._result import MetricInfo, exact_info

Array = npt.NDArray[np.float64]


def nearest_linf(d: Array, n: int, tol: float, threads: int) -> tuple[Array, float, int, float, bool]:
    """A pseudometric x with max |x - d| at most 1 + tol times the least possible; a lower
    bound, steps, seconds and whether Ctrl-C ended it. d may hold inf, an unknown pair.

    A change of t is enough iff t >= -d and closure(d + t) >= d - t: the closure is the largest metric below d
    + t. Adding r / 2 to closure(d), r = max(d - closure(d)), shows that r / 2 is enough where d >= 0.
    """
    start = time.perf_counter()

    known = np.isfinite(d)

    def change_of(x: Array) -> float:
        return float(np.abs(x[known] - d[known]).max(initial=0.0))

    def closure(x: Array) -> Array:
        return np.asarray(_core._metric_closure(n, x, threads))

    low = max(0.0, float(-d.min(initial=0.0)))
    best, steps = closure(d + low), 1
    high = change_of(best)
    try:
        while high - low > tol * high:
            t = 0.5 * (low + high)
            if not low < t < high:
                break
            x = closure(d + t)
            steps += 1
            change = change_of(x)
            if change <= t * (1 + 4 * np.finfo(float).eps):
                best, high = x, change
            else:
                low = t
                if change < high:
                    best, high = x, change
    except KeyboardInterrupt:
        return best, low, steps, time.perf_counter() - start, True
    return best, low, steps, time.perf_counter() - start, False


def linf_info(
    objective: float, low: float, steps: int, seconds: float, stopped: bool, tol: float
) -> MetricInfo:
    """The account of a bisection."""
    gap = (objective - low) / objective if objective > 0 else 0.0
    info = exact_info("bisection on the largest change", tol, low, steps, gap)
    message = "" if info.converged else f"relative gap {gap:.1e}; raise tol"
    return replace(info, seconds=seconds, interrupted=stopped, message=message)
