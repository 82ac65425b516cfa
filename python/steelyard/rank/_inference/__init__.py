"""How sure strengths are: covariances, contrasts, rank sets, leaderboards."""

from __future__ import annotations

from .coefficients import Coefficients
from .covariance import KINDS, Contrast, Covariance, _variances, contrast, covariance, standard_errors
from .leaderboard import leaderboard
from .rank_intervals import RankIntervals, Tiers, rank_intervals

__all__ = [
    "KINDS",
    "Coefficients",
    "Contrast",
    "Covariance",
    "RankIntervals",
    "Tiers",
    "_variances",
    "contrast",
    "covariance",
    "leaderboard",
    "rank_intervals",
    "standard_errors",
]
