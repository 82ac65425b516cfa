"""What a table of comparisons is worth, and what to compare next."""

from __future__ import annotations

from .boards import MetaElo, meta_elo, score_duels
from .groups import GroupFits, fit_groups
from .schedule import ScheduleSimulation, schedule, simulate_schedule
from .significance import PairwiseSignificance, pairwise_significance
from .stability import Stability, stability

__all__ = [
    "GroupFits",
    "MetaElo",
    "PairwiseSignificance",
    "ScheduleSimulation",
    "Stability",
    "fit_groups",
    "meta_elo",
    "pairwise_significance",
    "schedule",
    "score_duels",
    "simulate_schedule",
    "stability",
]
