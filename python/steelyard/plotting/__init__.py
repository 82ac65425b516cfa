"""Pictures of results, drawn by matplotlib (the extra `plot`).

What is drawn is named by what it must offer, not by its class: the families lie above and draw with this.
"""

from __future__ import annotations

from .._naming import claim
from ._items import plot_estimates, plot_groups, plot_history, plot_rank_intervals, plot_strengths
from ._points import plot_balance, plot_cluster_sizes, plot_magnitude_function, plot_weights

__all__ = [
    "plot_balance",
    "plot_cluster_sizes",
    "plot_estimates",
    "plot_groups",
    "plot_history",
    "plot_magnitude_function",
    "plot_rank_intervals",
    "plot_strengths",
    "plot_weights",
]

claim(__name__, __all__, globals())
