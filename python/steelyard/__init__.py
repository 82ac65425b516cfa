"""Rankings, weights, metrics and samples that you can defend.

`steelyard.rank` turns comparisons into strengths, ranks and intervals; `steelyard.weigh` says how much each
point of a set counts; `steelyard.metric` finds the distances nearest to yours that are consistent;
`steelyard.select` draws the few that stand for all. Every result carries an `Info` that says how far the
numbers can be from the truth. `steelyard.plotting` draws them, `steelyard.dask` works on blocks,
`steelyard.datasets` has data to try and `steelyard.reference` the same in plain NumPy.
"""

from __future__ import annotations

import importlib
from typing import Any

from ._build import __version__, build_info
from ._errors import ConvergenceWarning, DisconnectedError, DisconnectedWarning, SeparationError
from ._info import Info
from ._naming import claim
from ._progress import progress_bar

__all__ = [
    "ConvergenceWarning",
    "DisconnectedError",
    "DisconnectedWarning",
    "Info",
    "SeparationError",
    "__version__",
    "build_info",
    "progress_bar",
]

_LAZY = ("dask", "datasets", "metric", "plotting", "rank", "reference", "select", "weigh")


def __getattr__(name: str) -> Any:
    """Families are imported when they are first used."""
    if name in _LAZY:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module 'steelyard' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})


claim(__name__, __all__, globals())
