"""Which column of a frame plays which part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..._spelling import shown

_GAMES = ("left", "right", "outcome", "left_score", "right_score", "neutral", "home")
_PARTS = (*_GAMES, "weight", "count", "cluster", "time", "group", "judge")


@dataclass(frozen=True)
class Wanted:
    """Which column plays which part."""

    left: str
    right: str
    outcome: str | None = None
    left_score: str | None = None
    right_score: str | None = None
    neutral: str | None = None
    home: str | bool | None = None
    weight: str | None = None
    count: str | None = None
    cluster: str | None = None
    group: str | None = None
    judge: str | None = None
    time: str | None = None
    formats: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()

    @property
    def parts(self) -> dict[str, str]:
        """Column of each part that is there, the covariates left out."""
        parts = {name: getattr(self, name) for name in _PARTS}
        return {part: column for part, column in parts.items() if isinstance(column, str)}

    @property
    def columns(self) -> dict[str, str]:
        """All columns, each with the first part that it plays."""
        found: dict[str, str] = {}
        for part, column in [*self.parts.items(), *(("covariates", name) for name in self.covariates)]:
            found.setdefault(column, part)
        return found

    def check(self, outcome_map: Mapping[Any, int | None] | None) -> None:
        """The parts must be names, and make sense together."""
        for name in (part for part in _PARTS if part != "home"):
            column = getattr(self, name)
            if not (isinstance(column, str) or (column is None and name not in ("left", "right"))):
                raise TypeError(f"{name} must be a column name, got {shown(column)}")
        odd = [name for name in self.covariates if not isinstance(name, str)]
        if odd:
            raise TypeError(f"covariates must be column names, got {shown(odd[0])}")
        scores = (self.left_score is not None) + (self.right_score is not None)
        if (self.outcome is None) == (scores == 0) or scores == 1:
            raise ValueError("give either outcome, or both left_score and right_score")
        if outcome_map is not None and self.outcome is None:
            raise ValueError("outcome_map needs outcome")
        if self.levels and (outcome_map is not None or self.outcome is None):
            raise ValueError("outcome_levels needs outcome, and goes without outcome_map")
        if self.left == self.right:
            raise ValueError(f"left and right must be different columns, got {shown(self.left)} twice")
        if self.home is False or not isinstance(self.home, str | bool | None):
            raise TypeError(
                f"home must be a column name, True (left always at home) or None, got {shown(self.home)}"
            )
        if self.neutral is not None and isinstance(self.home, str):
            raise ValueError("give either neutral or a home column, not both")


def require_columns(there: list[str], wanted: Mapping[str, str], what: str = "df") -> None:
    """Names the part and the column that is missing, and those that exist."""
    if wanted and not there:
        raise ValueError(f"{what} has no columns")
    for name, part in wanted.items():
        if name not in there:
            listed = ", ".join(map(repr, there[:20])) + (", ..." if len(there) > 20 else "")
            raise ValueError(f"{part}: {what} has no column {shown(name)}; the columns are {listed}")
