"""Who is better: strengths, ranks and intervals from comparisons."""

from __future__ import annotations

from .._naming import claim
from ._chances import Prediction, RankInfo
from ._inference import BootstrapResult, Coefficients, Contrast, Covariance, RankIntervals, Tiers
from ._over_time import (
    EloRatings,
    GlickoRatings,
    GradeScale,
    History,
    HistoryInfo,
    HistorySamples,
    Strength,
    elo,
    glicko2,
    grade_scale,
    whole_history,
)
from ._paired import BradleyTerryFit, GradedFit, RaschFit, bradley_terry, graded, rasch
from ._rankings import PlackettLuceFit, plackett_luce
from ._studies import (
    Dynascore,
    MetaElo,
    PairwiseSignificance,
    PreferenceWeights,
    ScheduleSimulation,
    Stability,
    dynascore,
    meta_elo,
    pairwise_significance,
    preference_weights,
    schedule,
    score_duels,
    simulate_schedule,
    stability,
)
from ._table import Comparisons, ComponentReport, GradedComparisons

__all__ = [
    "BootstrapResult",
    "BradleyTerryFit",
    "Coefficients",
    "Comparisons",
    "ComponentReport",
    "Contrast",
    "Covariance",
    "Dynascore",
    "EloRatings",
    "GlickoRatings",
    "GradeScale",
    "GradedComparisons",
    "GradedFit",
    "History",
    "HistoryInfo",
    "HistorySamples",
    "MetaElo",
    "PairwiseSignificance",
    "PlackettLuceFit",
    "Prediction",
    "PreferenceWeights",
    "RankInfo",
    "RankIntervals",
    "RaschFit",
    "ScheduleSimulation",
    "Stability",
    "Strength",
    "Tiers",
    "bradley_terry",
    "dynascore",
    "elo",
    "glicko2",
    "grade_scale",
    "graded",
    "meta_elo",
    "pairwise_significance",
    "plackett_luce",
    "preference_weights",
    "rasch",
    "schedule",
    "score_duels",
    "simulate_schedule",
    "stability",
    "whole_history",
]

claim(__name__, __all__, globals())
