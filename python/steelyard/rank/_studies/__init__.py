"""What a table of comparisons is worth, and what to compare next."""

from __future__ import annotations

from .boards import MetaElo, meta_elo, score_duels
from .dynascore import Dynascore, dynascore
from .group_fits import GroupFits
from .groups import fit_groups
from .preferences import PreferenceWeights, preference_weights
from .schedule import ScheduleSimulation, schedule, simulate_schedule
from .significance import PairwiseSignificance, pairwise_significance
from .stability import Stability, stability

__all__ = [
    "Dynascore",
    "GroupFits",
    "MetaElo",
    "PairwiseSignificance",
    "PreferenceWeights",
    "ScheduleSimulation",
    "Stability",
    "dynascore",
    "fit_groups",
    "meta_elo",
    "pairwise_significance",
    "preference_weights",
    "schedule",
    "score_duels",
    "simulate_schedule",
    "stability",
]
