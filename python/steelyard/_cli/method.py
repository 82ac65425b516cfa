"""How a board was made, in one sentence."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from .._units import ELO
from .board import Board

if TYPE_CHECKING:
    from ..rank import BradleyTerryFit, Coefficients, GradedFit


def method(fit: BradleyTerryFit | GradedFit, board: Board, options: argparse.Namespace) -> str:
    """The model, the numbers beside the strengths, and the certificate."""
    parts = [_model(fit)]
    if fit.home_advantage is not None:
        parts.append(f"home advantage {board.home_advantage}")
    if fit.coefficients is not None:
        parts.append(f"net of {_effects(fit.coefficients, options.scale)}")
    parts.append(f"prior {fit.prior:g}" if fit.prior else "maximum likelihood")
    if options.half_life is not None:
        games = fit.comparisons.n_comparisons
        parts.append(f"half-life {options.half_life:g}: comparisons count as {games:,.6g} of today")
    source = f"{options.bootstrap} bootstrap rounds" if options.bootstrap else "sandwich errors"
    if fit.comparisons.cluster is not None:
        source += " by cluster"
    bound = fit.info.error_bound
    if bound is not None:
        parts.append(f"within {bound:.1g} standard errors of the optimum")
    return f"{', '.join(parts)}; 95 % intervals from {source}, rank sets hold together at 95 %"


def _model(fit: BradleyTerryFit | GradedFit) -> str:
    """With what stands between the outcomes."""
    from ..rank import GradedFit

    if isinstance(fit, GradedFit):
        thresholds = ", ".join(f"{ELO * t:.0f}" for t in fit.thresholds)
        levels = f"Bradley-Terry of {len(fit.levels)} levels, cumulative logits"
        return f"{levels}, thresholds {thresholds} Elo" if thresholds else levels
    return "Bradley-Terry" if fit.comparisons.ties is None else f"Bradley-Terry, ties {fit.ties}"


def _effects(found: Coefficients, scale: str) -> str:
    """For one root mean square of each covariate, in the unit of the ratings, with its standard error."""
    unit, digits, name = (ELO, 1, " Elo") if scale == "elo" else (1.0, 3, "")
    triples = zip(found.names, unit * found.values, unit * found.standard_errors(), strict=True)
    return ", ".join(f"{column} {b:+.{digits}f} +- {error:.{digits}f}{name}" for column, b, error in triples)
