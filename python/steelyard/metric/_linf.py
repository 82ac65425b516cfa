"""The nearest metric in the largest change: bisection on that change."""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt

from .. import _core
from .._errors import interrupted

Array = npt.NDArray[np.float64]


def nearest_linf(d: Array, n: int, tol: float, threads: int) -> tuple[Array, float, int, float]:
    """A pseudometric x with max |x - d| at most 1 + tol times the least possible; that bound, steps, seconds.

    A change of t is enough iff t >= -d and closure(d + t) >= d - t: the closure is the largest metric below d
    + t. Adding r / 2 to closure(d), r = max(d - closure(d)), shows that r / 2 is enough where d >= 0.
    """
    start = time.perf_counter()

    def closure(x: Array) -> Array:
        return np.asarray(_core._metric_closure(n, x, threads))

    low = max(0.0, float(-d.min(initial=0.0)))
    best, steps = closure(d + low), 1
    high = float(np.abs(best - d).max(initial=0.0))
    try:
        while high - low > tol * high:
            t = 0.5 * (low + high)
            if not low < t < high:
                break
            x = closure(d + t)
            steps += 1
            change = float(np.abs(x - d).max(initial=0.0))
            if change <= t * (1 + 4 * np.finfo(float).eps):
                best, high = x, change
            else:
                low = t
                if change < high:
                    best, high = x, change
    except KeyboardInterrupt:
        raise interrupted(best) from None
    return best, low, steps, time.perf_counter() - start
