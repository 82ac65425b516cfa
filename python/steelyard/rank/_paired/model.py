"""From what a user asks for to what the kernels take: model names, cell counts, starting points."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _core
from .._table import Comparisons, Covariates

Array = npt.NDArray[np.float64]

TIES = ("davidson", "rao-kupper", "half", "drop")


@dataclass(frozen=True)
class Cells:
    """The numbers of each edge as one model counts them."""

    graph: _core.rank.PairGraph
    wins: Array
    losses: Array
    ties: Array | None

    @property
    def total_ties(self) -> float:
        return 0.0 if self.ties is None else float(self.ties.sum())


def cells_of(comparisons: Comparisons, ties: str, home: bool, covariates: Covariates | None = None) -> Cells:
    """Cells for the model: ties kept, counted as half a win each, or dropped."""
    graph = comparisons._pairs(home, covariates)
    wins, losses, tied = graph.wins, graph.losses, graph.ties
    if tied is None or len(tied) == 0:
        return Cells(graph, wins, losses, None)
    if ties == "half":
        return Cells(graph, wins + 0.5 * tied, losses + 0.5 * tied, None)
    if ties == "drop":
        return Cells(graph, wins, losses, None)
    return Cells(graph, wins, losses, tied)


@dataclass(frozen=True)
class ModelSpec:
    """The model as the kernels know it; `ties` is 'none' where no tie parameter is fitted."""

    ties: str
    home: bool
    prior: float
    covariates: Covariates = field(default_factory=Covariates)

    @property
    def extra_names(self) -> tuple[str, ...]:
        """Parameters beside the strengths and the coefficients, which follow them."""
        return (("tie_parameter",) if self.ties != "none" else ()) + (
            ("home_advantage",) if self.home else ()
        )

    @property
    def effects(self) -> int:
        """Home and coefficients: what shifts x by a parameter each."""
        return int(self.home) + len(self.covariates)

    @property
    def extra(self) -> int:
        """Number of parameters beside the strengths."""
        return len(self.extra_names) + len(self.covariates)


def spec_of(
    cells: Cells, ties: str, home: bool, prior: float, covariates: Covariates | None = None
) -> ModelSpec:
    """No tie parameter without ties: its optimum is nu = 0 (theta = 1)."""
    free = ties in ("davidson", "rao-kupper") and cells.total_ties > 0
    return ModelSpec(ties if free else "none", home, prior, covariates or Covariates())


def to_internal(spec_ties: str, value: float) -> float:
    """The tie parameter as the kernels have it: log nu, or log theta."""
    return float(np.log(value)) if spec_ties != "none" else 0.0


def starting_tie(cells: Cells, spec: ModelSpec) -> float:
    """The tie parameter that explains the share of ties among equals."""
    if spec.ties == "none":
        return 0.0
    games = float(cells.wins.sum() + cells.losses.sum()) + cells.total_ties
    share = min(max(cells.total_ties / games, 1e-6), 1 - 1e-6)
    if spec.ties == "davidson":
        return float(np.log(2 * share / (1 - share)))
    return float(np.log((1 + share) / (1 - share)))


def kernel_arguments(cells: Cells, spec: ModelSpec) -> dict[str, Any]:
    """What every rank kernel takes first."""
    return {
        "graph": cells.graph,
        "wins": cells.wins,
        "losses": cells.losses,
        "ties": cells.ties if spec.ties != "none" else None,
        "ties_model": spec.ties,
        "home": spec.home,
        "prior": spec.prior,
    }
