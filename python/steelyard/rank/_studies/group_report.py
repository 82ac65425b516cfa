"""Boards of groups as one page, a tab each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..._report import Column, Grid, Page, Picture, Section, Words, draw, number_texts, plain, ranges
from ...plotting import plot_groups
from .._chances import ELO, RankInfo
from .._inference import certificate

Columns = Mapping[str, npt.NDArray[Any]]

_DRAWN, _ROWS = 30, 1000  # items of the heat map; differences listed


@dataclass(frozen=True)
class Wishes:
    """What a caller wants of the page."""

    title: str | None
    data: str | None
    notes: tuple[str, ...]
    scale: str
    level: float


class Boards(Protocol):
    """What a page takes of a fit of groups."""

    @property
    def items(self) -> Any: ...
    @property
    def groups(self) -> Any: ...
    @property
    def strengths(self) -> Any: ...
    @property
    def whole(self) -> Any: ...
    @property
    def width(self) -> float | None: ...
    @property
    def info(self) -> RankInfo: ...
    def __len__(self) -> int: ...
    def board(self, group: Any, *, level: float = 0.95) -> dict[str, npt.NDArray[Any]]: ...
    def to_frame(self, *, level: float = 0.95) -> dict[str, npt.NDArray[Any]]: ...


def groups_page(fits: Boards, differences: Columns, wishes: Wishes) -> Page:
    """A board a group, then which differences between them are real, and a heat map."""
    unit, digits, base = (ELO, 0, 1000.0) if wishes.scale == "elo" else (1.0, 2, 0.0)
    percent = f"{100 * wishes.level:g} %"
    sections: list[Section] = [
        _board(fits.board(label, level=wishes.level), plain(label), unit, digits, base, percent)
        for label in fits.groups.tolist()
    ]
    sections += [_differences(differences, unit, digits, percent), _heat(fits)]
    how = (
        "each group by itself"
        if fits.width is None
        else f"groups normal about the whole, with a standard deviation of {unit * fits.width:.3g}"
    )
    sections.append(Words("What is compared", [_MEANING]))
    real = int(differences["real"].sum())
    lead = [wishes.data] if wishes.data else []
    lead += [*wishes.notes, f"{real:,} differences between groups are real; all intervals hold together."]
    info = fits.info
    made = [("Model", f"Bradley-Terry, {how}"), ("Certificate", certificate(info))]
    if wishes.data:
        made.insert(0, ("Data", wishes.data))
    complaint = [] if info.converged else [f"The fit did not converge: {info.message}"]
    files = {"boards.csv": fits.to_frame(level=wishes.level), "differences.csv": dict(differences)}
    title = wishes.title or f"{len(fits):,} boards of {len(fits.items):,} items"
    return Page(title, lead, sections, made, files, complaint)


_MEANING = (
    "Strengths of two groups can be compared only against something: each stands against the mean of the "
    "items that all groups have."
)


def _board(board: Columns, label: str, unit: float, digits: int, base: float, percent: str) -> Grid:
    rating, lower, upper = (base + unit * board[name] for name in ("rating", "lower", "upper"))
    ends = [number_texts(part.tolist(), digits) for part in (lower, upper)]
    columns = [
        Column("Rank", list(range(1, len(rating) + 1))),
        Column("Item", board["item"].tolist(), kind="label"),
        Column("Rating", rating.tolist(), number_texts(rating.tolist(), digits), falling=True),
        Column("Drawn", rating.tolist(), kind="interval", lower=lower, upper=upper, falling=True),
        Column(f"{percent} interval", lower.tolist(), ranges(*ends), falling=True),
        Column(
            "Games", board["games"].tolist(), [f"{x:,.6g}" for x in board["games"].tolist()], falling=True
        ),
    ]
    return Grid(label, columns, "Each interval holds by itself.", tab="Boards")


def _differences(found: Columns, unit: float, digits: int, percent: str) -> Grid:
    rows = slice(0, _ROWS)
    gap, lower, upper = (unit * found[name][rows] for name in ("difference", "lower", "upper"))
    ends = [number_texts(part.tolist(), digits, sign=True) for part in (lower, upper)]
    real = found["real"][rows]
    columns = [
        Column("Item", found["item"][rows].tolist(), kind="label"),
        Column("In", found["group_a"][rows].tolist(), kind="label"),
        Column("Against", found["group_b"][rows].tolist(), kind="label"),
        Column("Difference", gap.tolist(), number_texts(gap.tolist(), digits, sign=True), falling=True),
        Column(f"{percent} interval", lower.tolist(), ranges(*ends), falling=True),
    ]
    more = len(found["item"]) - len(real)
    note = "The surest first; all intervals hold together." + (f" {more:,} more in the CSV." if more else "")
    return Grid("Differences", columns, note, ~real, "not sure")


def _heat(fits: Boards) -> Picture:
    count = min(len(fits.items), _DRAWN)
    shown = SimpleNamespace(
        items=np.array([plain(label) for label in fits.items.tolist()], dtype=object),
        groups=np.array([plain(label) for label in fits.groups.tolist()], dtype=object),
        strengths=fits.strengths,
        whole=fits.whole,
    )
    return draw(
        "Heat map",
        lambda axes: plot_groups(shown, top=count, ax=axes),
        key="groups",
        height=1.2 + 0.26 * count,
        says=f"Strengths of the {count} strongest items in each group, as on the boards.",
        note=f"The {count} strongest of the whole." if count < len(fits.items) else "",
    )
