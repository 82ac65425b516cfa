"""The nearest metric in the sum of changes: proximal steps."""

from __future__ import annotations

import numpy as np

from .. import _core
from ._options import Options
from ._pairs import Array
from ._result import MetricInfo, exact_info


def nearest_l1(d: Array, weight: Array | None, n: int, options: Options) -> tuple[Array, float, MetricInfo]:
    """A pseudometric x with sum w |x - d| within the gap, its objective and info; w = 0 is allowed.

    The metrics are nonnegative, so a negative d costs w (x - d) = w |d| + w |x - 0|. None need exceed the
    largest d: min(x, largest) is a metric and no further away.
    """
    w = np.ones(len(d)) if weight is None else weight
    upper = float(d.max(initial=0.0))
    offset = float((w * np.maximum(-d, 0.0)).sum())
    if upper <= 0:
        return np.zeros(len(d)), offset, exact_info("no positive entry", options.tol, offset, 1, 0.0)
    found = _core.metric._solve_l1(
        n,
        np.maximum(d, 0.0),
        w,
        upper,
        offset,
        options.tol,
        max_steps=options.max_iter,
        n_threads=options.threads,
        progress=options.progress,
    )
    raw = found["info"]
    x = found["x"]
    objective = float((w * np.abs(x - d)).sum())
    low = found["lower"] + offset
    gap = max(0.0, (objective - low) / objective) if objective > 0 else 0.0
    steps = len(raw["trace_values"])
    info = MetricInfo.from_core(
        raw,
        converged=gap <= options.tol,
        error_bound=gap,
        lower_bound=low,
        violation=float(raw["trace_values"][-1, 2]) if steps else 0.0,
        active=found["active"],
        iterations=steps,
        message=""
        if gap <= options.tol
        else f"relative gap {gap:.1e} after {steps} steps; raise max_iter or tol",
    )
    return x, objective, info
