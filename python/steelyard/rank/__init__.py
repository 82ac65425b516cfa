"""Who is better: strengths, ranks and intervals from comparisons."""

from __future__ import annotations

from ._boards import MetaElo, meta_elo, score_duels
from ._bootstrap import BootstrapResult
from ._bradley_terry import bradley_terry
from ._comparisons import Comparisons
from ._components import ComponentReport
from ._covariance import Contrast, Covariance
from ._covariates import Coefficients
from ._fit import BradleyTerryFit, Prediction, RankInfo
from ._grade_scale import GradeScale, grade_scale
from ._history import History, HistoryInfo, Strength
from ._history_samples import HistorySamples
from ._plackett_luce import PlackettLuceFit, plackett_luce
from ._rank_intervals import RankIntervals, Tiers
from ._rasch import RaschFit, rasch
from ._schedule import ScheduleSimulation, schedule, simulate_schedule
from ._sequential import EloRatings, GlickoRatings, elo, glicko2
from ._stability import Stability, stability
from ._whole_history import whole_history

__all__ = [
    "BootstrapResult",
    "BradleyTerryFit",
    "Coefficients",
    "Comparisons",
    "ComponentReport",
    "Contrast",
    "Covariance",
    "EloRatings",
    "GlickoRatings",
    "GradeScale",
    "History",
    "HistoryInfo",
    "HistorySamples",
    "MetaElo",
    "PlackettLuceFit",
    "Prediction",
    "RankInfo",
    "RankIntervals",
    "RaschFit",
    "ScheduleSimulation",
    "Stability",
    "Strength",
    "Tiers",
    "bradley_terry",
    "elo",
    "glicko2",
    "grade_scale",
    "meta_elo",
    "plackett_luce",
    "rasch",
    "schedule",
    "score_duels",
    "simulate_schedule",
    "stability",
    "whole_history",
]
