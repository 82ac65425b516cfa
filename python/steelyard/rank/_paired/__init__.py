"""Models of paired comparisons."""

from __future__ import annotations

from .bradley_terry import bradley_terry
from .fit import BradleyTerryFit
from .problem import TIES, PairPoint, PairProblem
from .rasch import RaschFit, rasch
from .separation import require_finite_extras

__all__ = [
    "TIES",
    "BradleyTerryFit",
    "PairPoint",
    "PairProblem",
    "RaschFit",
    "bradley_terry",
    "rasch",
    "require_finite_extras",
]
