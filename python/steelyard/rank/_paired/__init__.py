"""Models of paired comparisons."""

from __future__ import annotations

from .bradley_terry import bradley_terry
from .fit import BradleyTerryFit
from .graded import GradedFit, graded
from .problem import TIES, PairPoint, PairProblem
from .rasch import RaschFit, rasch
from .separation import require_finite_extras
from .teams import TeamFit, team_strengths

__all__ = [
    "TIES",
    "BradleyTerryFit",
    "GradedFit",
    "PairPoint",
    "PairProblem",
    "RaschFit",
    "TeamFit",
    "bradley_terry",
    "graded",
    "rasch",
    "require_finite_extras",
    "team_strengths",
]
