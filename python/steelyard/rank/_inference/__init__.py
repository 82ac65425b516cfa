"""How sure strengths are: covariances, contrasts, bootstraps, rank sets, leaderboards."""

from __future__ import annotations

from .bootstrap_result import BootstrapInfo, BootstrapResult, finish_rounds
from .coefficients import Coefficients
from .covariance import Contrast, Covariance
from .information import KINDS, SINGULAR, Information, draw_prior_scores, without_shift
from .leaderboard import FEW_GAMES, read_anchor
from .rank_intervals import RankIntervals, Tiers
from .ranked import Ranked
from .refits import ROUND_STEPS, ROUND_TOL, Refitted, draw_counts
from .report import Story, as_lines, certificate
from .uncertainty import Uncertainty, normal_intervals

__all__ = [
    "FEW_GAMES",
    "KINDS",
    "ROUND_STEPS",
    "ROUND_TOL",
    "SINGULAR",
    "BootstrapInfo",
    "BootstrapResult",
    "Coefficients",
    "Contrast",
    "Covariance",
    "Information",
    "RankIntervals",
    "Ranked",
    "Refitted",
    "Story",
    "Tiers",
    "Uncertainty",
    "as_lines",
    "certificate",
    "draw_counts",
    "draw_prior_scores",
    "finish_rounds",
    "normal_intervals",
    "read_anchor",
    "without_shift",
]
