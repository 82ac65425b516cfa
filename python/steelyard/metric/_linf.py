"""The nearest metric in the largest change: Newton's method on the path that asks for the most."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from .. import _core
from ._result import MetricInfo, exact_info

Array = npt.NDArray[np.float64]


def nearest_linf(d: Array, n: int, tol: float, threads: int) -> tuple[Array, float, int, float, bool]:
    """A pseudometric x with max |x - d| at most 1 + tol times the least possible, up to rounding; a lower
    bound, steps, seconds and whether Ctrl-C ended it. d may hold inf, an unknown pair.

    A change of t is enough iff t >= -d and closure(d + t) >= d - t: the closure is the largest metric below d
    + t. A path of k pairs from i to j shows that t >= (d_ij - its length in d) / (1 + k); the least t is the
    largest of these. The shortest path in d + t for the pair most at odds gives the next t: Newton's method
    on a convex function with finitely many pieces. Bounds come from paths alone, whose lengths are summed
    exactly: the rounding of a closure is of order eps max|d| and proves nothing.
    """
    start = time.perf_counter()
    known = np.isfinite(d)
    unit = float(np.abs(d[known]).max(initial=0.0))

    def change_of(x: Array) -> float:
        return float(np.abs(x[known] - d[known]).max(initial=0.0))

    def closure(x: Array) -> Array:
        return np.asarray(_core.metric._metric_closure(n, x, threads))

    low, steps = max(0.0, float(-d.min(initial=0.0))), 0
    # All distances equal are a metric too: what Ctrl-C brings before the first closure is there.
    middle = 0.5 * float(d[known].max(initial=0.0)) + 0.5 * float(d[known].min(initial=0.0))
    best = np.full(len(d), max(0.0, middle))
    high = change_of(best)
    try:
        x, steps = closure(d + low), 1
        change = change_of(x)
        if change <= high:
            best, high = x, change
        while high - low > max(tol * high, np.finfo(float).eps * unit):
            wanted = _wanted_by_a_path(d, np.maximum(d + low, 0.0), int(np.argmax(_excess(x, d, known))), n)
            if wanted <= low:
                break
            low = wanted
            x = closure(d + low)
            steps += 1
            change = change_of(x)
            if change < high:
                best, high = x, change
    except KeyboardInterrupt:
        return best, min(low, high), steps, time.perf_counter() - start, True
    return best, min(low, high), steps, time.perf_counter() - start, False


def _excess(x: Array, d: Array, known: npt.NDArray[np.bool_]) -> Array:
    return np.where(known, np.where(known, d, 0.0) - x, -np.inf)


def _wanted_by_a_path(d: Array, lengths: Array, pair: int, n: int) -> float:
    """(d_ij - d along the path) / (1 + its pairs), not rounded up, for the shortest path in `lengths`."""
    firsts = _first_places(n)
    i = int(np.searchsorted(firsts, pair, side="right")) - 1
    j = pair - int(firsts[i]) + i + 1
    way = _shortest_path(lengths, firsts, i, j)
    excess = math.fsum([float(d[pair]), *(-d[way])])
    wanted = excess / (1 + len(way))
    # Exact to one rounding of the sum and one of the quotient.
    return math.nextafter(math.nextafter(wanted, -math.inf), -math.inf) if wanted > 0 else 0.0


def _first_places(n: int) -> npt.NDArray[np.int64]:
    """Where the pairs (i, i + 1) are in condensed order."""
    i = np.arange(n - 1, dtype=np.int64)
    return i * (2 * n - i - 1) // 2


def _shortest_path(lengths: Array, firsts: npt.NDArray[np.int64], start: int, end: int) -> list[int]:
    """Places of the pairs on a shortest path (Dijkstra); a tree, so that pairs of length 0 make no circle."""
    n = len(firsts) + 1
    far, came = np.full(n, np.inf), np.full(n, -1)
    far[start] = 0.0
    open_ = far.copy()  # inf once an item is settled
    others = np.arange(n)
    place = np.zeros(n, dtype=np.int64)
    settled = np.zeros(n, dtype=bool)
    while True:
        here = int(np.argmin(open_))
        if here == end:
            break
        settled[here] = True
        place[:here] = firsts[:here] + (here - 1 - others[:here])
        place[here + 1 :] = (firsts[here] if here < n - 1 else 0) + (others[here + 1 :] - here - 1)
        place[here] = 0
        step = far[here] + lengths[place]
        nearer = ~settled & (step < far)
        far[nearer], came[nearer] = step[nearer], here
        open_ = np.where(settled, np.inf, far)
    way = []
    while end != start:
        i, j = sorted((end, int(came[end])))
        way.append(int(firsts[i]) + j - i - 1)
        end = int(came[end])
    return way


def linf_info(
    d: Array, n: int, objective: float, low: float, steps: int, seconds: float, stopped: bool, tol: float
) -> MetricInfo:
    """The account of the search; d are the known numbers. A gap within the rounding of paths is none."""
    rounding = 4 * np.finfo(float).eps * math.sqrt(n) * float(np.abs(d).max(initial=0.0))
    low = min(low, objective)
    gap = (objective - low) / objective if objective - low > rounding else 0.0
    info = exact_info("Newton's method on the largest change", tol, low, steps, gap)
    message = "" if info.converged else f"relative gap {gap:.1e}; raise tol"
    return replace(info, seconds=seconds, interrupted=stopped, message=message)
