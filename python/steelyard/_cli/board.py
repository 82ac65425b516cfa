"""The leaderboard as columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._units import ELO
from .table import Table

if TYPE_CHECKING:
    from ..rank import BradleyTerryFit, GradedFit, JudgeFit

# Rank sets of all items take all pairs: above so many items only those shown are judged.
_ALL = 3000
_RULE = "apart from all circles of wins, fewer than 5 effective games, or an interval 3 times the median"
_WHY = f"? is provisional: {_RULE}"
_DIGITS = {"elo": 0, "log": 2, "probability": 3}


@dataclass(frozen=True)
class Board:
    """Columns, strongest first, which of their rows to show in which order, and how many items that hides."""

    columns: dict[str, npt.NDArray[Any]]
    rows: npt.NDArray[np.intp]
    hidden: int
    scale: str
    noun: str
    home_advantage: str
    notes: tuple[str, ...] = ()

    def table(self) -> Table:
        """Rank, item, rating, interval and rank set of the rows to show."""
        digits = _DIGITS[self.scale]
        names = ("rank", "provisional", "item", "rating", "lower", "upper", "rank_lower", "rank_upper")
        rows = zip(*(self.columns[name][self.rows].tolist() for name in names), strict=True)
        cells = [
            (
                f"{rank}{'?' if doubtful else ''}",
                str(item),
                f"{rating:.{digits}f}",
                f"{lower:.{digits}f} to {upper:.{digits}f}",
                str(first) if first == last else f"{first}-{last}",
            )
            for rank, doubtful, item, rating, lower, upper, first, last in rows
        ]
        return Table(
            titles=("rank", self.noun, "rating", "95 % interval", "rank set"),
            cells=cells,
            left=frozenset({1}),
            footer=f"... and {self.hidden} more (--top 0 shows all)" if self.hidden else "",
        )


def make_board(
    fit: BradleyTerryFit | GradedFit | JudgeFit,
    scale: str,
    resampled: Any,
    top: int,
    noun: str,
    provisional: str,
    anchor: dict[Any, float] | None = None,
) -> Board:
    """Ratings of all items, with intervals and rank sets of all or, where they are many, of those shown."""
    wanted = top or len(fit)
    some = None
    if len(fit) > _ALL:
        marks = provisional != "show" and fit.scarce is not None
        settled = np.cumsum(~np.asarray(fit.scarce)[fit.order]) if marks else np.arange(1, len(fit) + 1)
        some = fit.items[fit.order[: int(np.searchsorted(settled, wanted)) + 1]]
    uncertainty = resampled
    if resampled is None:  # of all items one covariance serves both
        uncertainty = fit.covariance() if some is None else "sandwich"
    table = fit.to_frame(scale=scale, uncertainty=uncertainty, items=some, anchor=anchor)
    sets = fit.rank_intervals(0.95, uncertainty=uncertainty, items=some)
    place = np.argsort(sets.rank, kind="stable")
    columns = {
        "rank": sets.rank[place],
        "provisional": np.zeros(len(place), dtype=bool),  # of a fit that does not judge it
        **table,
        "rank_lower": sets.lower[place],
        "rank_upper": sets.upper[place],
    }
    rows, notes = _listed(columns["provisional"], wanted, provisional)
    return Board(columns, rows, len(fit) - len(rows), scale, noun, _advantage(fit, scale), notes)


def _listed(
    doubtful: npt.NDArray[np.bool_], wanted: int, provisional: str
) -> tuple[npt.NDArray[np.intp], tuple[str, ...]]:
    """The rows to show, and what is said of provisional ones."""
    most = 2 * np.count_nonzero(doubtful) >= len(doubtful)  # then there are no others to set them apart from
    if provisional == "show" or (provisional == "mark" and most):
        rows = np.arange(min(wanted, len(doubtful)))
        return rows, (_WHY,) if doubtful[rows].any() else ()
    firm = np.flatnonzero(~doubtful)[:wanted]
    end = int(firm[-1]) + 1 if len(firm) and len(firm) == wanted else len(doubtful)
    among = np.flatnonzero(doubtful[:end])  # those that would stand between the rows shown
    if not len(among):
        return firm, ()
    if provisional == "hide":
        return firm, (f"{len(among)} provisional {'item' if len(among) == 1 else 'items'} hidden: {_RULE}",)
    return np.concatenate([firm, among]), (_WHY,)


def _advantage(fit: BradleyTerryFit | GradedFit | JudgeFit, scale: str) -> str:
    """In the unit of the ratings; chances have none, so there in natural-log strength."""
    advantage = getattr(fit, "home_advantage", None) or 0.0
    return f"{advantage * ELO:+.0f} Elo" if scale == "elo" else f"{advantage:+.2f}"
