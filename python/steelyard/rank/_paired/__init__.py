"""Models of paired comparisons."""

from __future__ import annotations

from .bradley_terry import bradley_terry
from .fit import BradleyTerryFit
from .graded import GradedFit, graded
from .problem import TIES, PairPoint, PairProblem
from .rasch import RaschFit, rasch
from .separation import require_finite_extras
from .team_problem import TeamPoint, TeamProblem
from .teams import TeamFit, team_strengths

__all__ = [
    "TIES",
    "BradleyTerryFit",
    "GradedFit",
    "PairPoint",
    "PairProblem",
    "RaschFit",
    "TeamFit",
    "TeamPoint",
    "TeamProblem",
    "bradley_terry",
    "graded",
    "rasch",
    "require_finite_extras",
    "team_strengths",
]
