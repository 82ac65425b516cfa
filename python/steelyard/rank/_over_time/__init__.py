"""Strengths that change, and ratings game by game."""

from __future__ import annotations

from .glicko import GlickoRatings, glicko2
from .grade_scale import GradeScale, grade_scale
from .history import History, HistoryInfo, Strength
from .history_samples import HistorySamples
from .sequential import EloRatings, elo
from .whole_history import whole_history

__all__ = [
    "EloRatings",
    "GlickoRatings",
    "GradeScale",
    "History",
    "HistoryInfo",
    "HistorySamples",
    "Strength",
    "elo",
    "glicko2",
    "grade_scale",
    "whole_history",
]
