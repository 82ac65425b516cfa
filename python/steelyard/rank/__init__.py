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
from ._paired import (
    BradleyTerryFit,
    GradedFit,
    JudgeFit,
    RaschFit,
    TeamFit,
    agreement,
    bradley_terry,
    fit_judges,
    graded,
    rasch,
    team_strengths,
)
from ._rankings import PlackettLuceFit, plackett_luce
from ._studies import (
    GroupFits,
    MetaElo,
    PairwiseSignificance,
    ScheduleSimulation,
    Stability,
    fit_groups,
    meta_elo,
    pairwise_significance,
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
    "EloRatings",
    "GlickoRatings",
    "GradeScale",
    "GradedComparisons",
    "GradedFit",
    "GroupFits",
    "History",
    "HistoryInfo",
    "HistorySamples",
    "JudgeFit",
    "MetaElo",
    "PairwiseSignificance",
    "PlackettLuceFit",
    "Prediction",
    "RankInfo",
    "RankIntervals",
    "RaschFit",
    "ScheduleSimulation",
    "Stability",
    "Strength",
    "TeamFit",
    "Tiers",
    "agreement",
    "bradley_terry",
    "elo",
    "fit_groups",
    "fit_judges",
    "glicko2",
    "grade_scale",
    "graded",
    "meta_elo",
    "pairwise_significance",
    "plackett_luce",
    "rasch",
    "schedule",
    "score_duels",
    "simulate_schedule",
    "stability",
    "team_strengths",
    "whole_history",
]

claim(__name__, __all__, globals())
