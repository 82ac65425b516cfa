"""What a table of comparisons is worth, and what to compare next."""

from __future__ import annotations

from .boards import MetaElo, meta_elo, score_duels
from .schedule import ScheduleSimulation, schedule, simulate_schedule
from .stability import Stability, stability

__all__ = [
    "MetaElo",
    "ScheduleSimulation",
    "Stability",
    "meta_elo",
    "schedule",
    "score_duels",
    "simulate_schedule",
    "stability",
]
