"""The leaderboard as columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._units import ELO
from .table import Table

if TYPE_CHECKING:
    from ..rank import BradleyTerryFit

# Rank sets of all items take all pairs: above so many items only those shown are judged.
_ALL = 3000
_DIGITS = {"elo": 0, "log": 2, "probability": 3}


@dataclass(frozen=True)
class Board:
    """Columns, strongest first, how many of their rows to show, and how many items that hides."""

    columns: dict[str, npt.NDArray[Any]]
    shown: int
    hidden: int
    scale: str
    noun: str
    home_advantage: str

    def table(self) -> Table:
        """Rank, item, rating, interval and rank set of the rows to show."""
        digits = _DIGITS[self.scale]
        names = ("rank", "item", "rating", "lower", "upper", "rank_lower", "rank_upper")
        rows = zip(*(self.columns[name][: self.shown].tolist() for name in names), strict=True)
        cells = [
            (
                str(rank),
                str(item),
                f"{rating:.{digits}f}",
                f"{lower:.{digits}f} to {upper:.{digits}f}",
                str(first) if first == last else f"{first}-{last}",
            )
            for rank, item, rating, lower, upper, first, last in rows
        ]
        return Table(
            titles=("rank", self.noun, "rating", "95 % interval", "rank set"),
            cells=cells,
            left=frozenset({1}),
            footer=f"... and {self.hidden} more (--top 0 shows all)" if self.hidden else "",
        )


def make_board(
    fit: BradleyTerryFit,
    scale: str,
    resampled: Any,
    top: int,
    noun: str,
    anchor: dict[Any, float] | None = None,
) -> Board:
    """Ratings of all items, with intervals and rank sets of all or, where they are many, of those shown."""
    shown = min(top or len(fit), len(fit))
    some = fit.items[fit.order[:shown]] if len(fit) > _ALL else None
    uncertainty = resampled
    if resampled is None:  # of all items one covariance serves both
        uncertainty = fit.covariance() if some is None else "sandwich"
    table = fit.to_frame(scale=scale, uncertainty=uncertainty, items=some, anchor=anchor)
    sets = fit.rank_intervals(0.95, uncertainty=uncertainty, items=some)
    place = np.argsort(sets.rank, kind="stable")
    columns = {
        "rank": sets.rank[place],
        **table,
        "rank_lower": sets.lower[place],
        "rank_upper": sets.upper[place],
    }
    return Board(columns, shown, len(fit) - shown, scale, noun, _advantage(fit, scale))


def _advantage(fit: BradleyTerryFit, scale: str) -> str:
    """In the unit of the ratings; chances have none, so there in natural-log strength."""
    advantage = fit.home_advantage or 0.0
    return f"{advantage * ELO:+.0f} Elo" if scale == "elo" else f"{advantage:+.2f}"
