"""nearest_metric where some pairs are unknown."""

from __future__ import annotations

import numpy as np

from .. import _core
from .._spelling import argument
from ._cycles import nearest_on_graph
from ._l1 import nearest_l1
from ._linf import linf_info, nearest_linf
from ._measured import MeasuredPairs
from ._options import Options
from ._pairs import Array
from ._result import MetricInfo, NearestMetric, exact_info, make_result, objective_of


def nearest_where_measured(
    measured: MeasuredPairs, weight: Array | None, options: Options, init: NearestMetric | None
) -> NearestMetric:
    """Nearest on the measured pairs; the others are shortest paths along them, inf where there is none."""
    if options.decrease_only:
        refuse_negative(measured.values)
        return _paths(measured, measured.values, weight, options, None, "shortest-path closure")
    if len(measured.values) == 0:
        return _paths(measured, measured.values, weight, options, None, "no measured pair")
    if options.norm == "linf":
        full = measured.spread(measured.values, np.inf)
        x, low, steps, seconds, stopped = nearest_linf(full, measured.n, options.tol, options.threads)
        objective = objective_of(measured.pick(x), measured.values, "linf", None)
        info = linf_info(measured.values, measured.n, objective, low, steps, seconds, stopped, options.tol)
        return make_result(measured.as_pairs(measured.values), x, objective, "linf", info)
    if options.norm == "l1":
        free = float(measured.values.max())
        costs = measured.spread(np.ones(len(measured.values)) if weight is None else weight, 0.0)
        x, _, info = nearest_l1(measured.spread(measured.values, free), costs, measured.n, options)
        return _paths(measured, measured.pick(x), weight, options, info)
    return _least_squares(measured, weight, options, init)


def refuse_negative(values: Array) -> None:
    """decrease_only has no answer below zero."""
    negative = np.count_nonzero(values < 0)
    if negative:
        raise ValueError(
            f"{argument('D')} has {negative} negative entries: decrease_only can't raise them to a metric"
        )


def _least_squares(
    measured: MeasuredPairs, weight: Array | None, options: Options, init: NearestMetric | None
) -> NearestMetric:
    start = None
    if init is not None:
        if init._held is None or not init._held[0].same_pairs(measured):
            raise ValueError("init must be a result for the same measured pairs")
        start = init._held[1]
    try:
        found = nearest_on_graph(
            measured.n,
            measured.rows,
            measured.cols,
            measured.values,
            weight,
            tol=options.tol,
            max_iter=options.max_iter,
            init=start,
            n_threads=options.threads,
            progress=options.progress,
        )
    except KeyboardInterrupt as stopped:
        if not hasattr(stopped, "partial"):
            raise
        found = stopped.partial
    own = {name: getattr(found.info, name) for name in found.info.__dataclass_fields__}
    condensed = found.distances[np.triu_indices(measured.n, 1)]
    pairs = measured.as_pairs(measured.values)
    return make_result(
        pairs, condensed, found.objective, "l2", MetricInfo(**own), held=(measured, found.held)
    )


def _paths(
    measured: MeasuredPairs,
    edges: Array,
    weight: Array | None,
    options: Options,
    info: MetricInfo | None,
    solver: str = "",
) -> NearestMetric:
    """Shortest paths along `edges`; without `info` they are exact."""
    full = _core.metric._metric_closure(measured.n, measured.spread(edges, np.inf), options.threads)
    objective = objective_of(measured.pick(full), measured.values, options.norm, weight)
    if info is None:
        info = exact_info(solver, options.tol, objective, 1, 0.0)
    return make_result(measured.as_pairs(measured.values), full, objective, options.norm, info)
