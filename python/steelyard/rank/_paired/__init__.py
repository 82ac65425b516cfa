"""Models of paired comparisons."""

from __future__ import annotations

from .bootstrap import BootstrapResult
from .bradley_terry import _separation_message, bradley_terry
from .fit import BradleyTerryFit
from .model import TIES, cells_of, problem_of, spec_of, starting_tie
from .rasch import RaschFit, rasch

__all__ = [
    "TIES",
    "BootstrapResult",
    "BradleyTerryFit",
    "RaschFit",
    "_separation_message",
    "bradley_terry",
    "cells_of",
    "problem_of",
    "rasch",
    "spec_of",
    "starting_tie",
]
