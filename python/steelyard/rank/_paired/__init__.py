"""Models of paired comparisons."""

from __future__ import annotations

from .bradley_terry import bradley_terry
from .fit import BradleyTerryFit
from .graded import GradedFit, graded
from .judges import JudgeFit, agreement, fit_judges
from .problem import TIES, PairPoint, PairProblem
from .separation import require_finite_extras
from .team_problem import TeamPoint, TeamProblem
from .teams import TeamFit, team_strengths

__all__ = [
    "TIES",
    "BradleyTerryFit",
    "GradedFit",
    "JudgeFit",
    "PairPoint",
    "PairProblem",
    "TeamFit",
    "TeamPoint",
    "TeamProblem",
    "agreement",
    "bradley_terry",
    "fit_judges",
    "graded",
    "require_finite_extras",
    "team_strengths",
]
