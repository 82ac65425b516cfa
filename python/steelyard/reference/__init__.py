"""The library's algorithms in plain Python and NumPy: short, slow and plainly right.

The tests hold the compiled kernels to them, and the benchmarks race them.
"""

from __future__ import annotations

from . import (
    balance,
    clustering,
    ensembles,
    evaluation,
    history,
    itml,
    metric,
    project_and_forget,
    rank,
    rankings,
    schedule,
    select,
    sequential,
    tables,
    weigh,
)

__all__ = [
    "balance",
    "clustering",
    "ensembles",
    "evaluation",
    "history",
    "itml",
    "metric",
    "project_and_forget",
    "rank",
    "rankings",
    "schedule",
    "select",
    "sequential",
    "tables",
    "weigh",
]
