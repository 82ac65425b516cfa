"""A ranking as a page to publish."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._info import Info
from ..._report import Column, Grid, Matrix, Page, Picture, Section, Words, draw, number_texts, plain, ranges
from ..._spelling import shown
from ...plotting import plot_estimates, plot_rank_intervals
from .._chances import ELO
from .rank_intervals import FULL_LIMIT, RankIntervals
from .strengths import Strengths

Columns = Mapping[str, npt.NDArray[Any]]

_DIGITS = {"elo": 0, "log": 2, "probability": 3}
_RATINGS = {
    "elo": "Elo points: 400 of them are odds of 10 to 1",
    "log": "natural-log strengths, mean 0",
    "probability": "expected score against an average item",
}
_MATRIX, _DRAWN = 50, 30
_PROVISIONAL = (
    "Provisional items stand apart from all circles of wins, have fewer than 5 effective games, or an "
    "interval 3 times as wide as the median: the data hardly places them."
)


@dataclass(frozen=True)
class Story:
    """What a model tells of itself: its data, its words, and the effects of covariates."""

    size: str
    model: str
    joined: str
    prior: float
    facts: tuple[tuple[str, str], ...] = ()
    effects: Columns | None = None
    expected: str = "chance to win"


@dataclass(frozen=True)
class Wishes:
    """What a caller wants of the page."""

    title: str | None
    data: str | None
    notes: tuple[str, ...]
    scale: str
    level: float


def ranking_page(fit: Strengths, table: Columns, sets: RankIntervals, story: Story, wishes: Wishes) -> Page:
    """`table` of `Ranked.to_frame` and `sets` speak of the same items."""
    info: Info = fit.info  # type: ignore[attr-defined]
    whole = len(sets.items) == len(fit)
    place = np.argsort(sets.rank, kind="stable")
    columns = {
        "rank": sets.rank[place],
        **table,
        "rank_lower": sets.lower[place],
        "rank_upper": sets.upper[place],
    }
    if whole and len(fit) <= FULL_LIMIT:
        columns["tier"] = np.sort(sets.tiers().tier)
    sections: list[Section] = [_board(columns, wishes, sets), *_rank_picture(sets)]
    sections.append(_matrix(fit, columns["item"][:_MATRIX], story))
    if story.effects is not None:
        sections += _effects(story.effects, wishes)
    sections.append(Words("Who can be compared", [story.joined]))
    title = wishes.title or f"Ranking of {len(fit):,} items"
    lead = [wishes.data or story.size, *wishes.notes]
    if not whole:
        lead.append(f"{len(sets.items):,} of {len(fit):,} items are shown.")
    files = {"ranking.csv": columns}
    if story.effects is not None:
        files["style.csv"] = dict(story.effects)
    complaint = [] if info.converged else [f"The fit did not converge: {info.message}"]
    return Page(title, lead, sections, _made(story, sets, info, wishes), files, complaint)


def certificate(info: Info) -> str:
    """In words."""
    steps = f"{info.solver}, {info.iterations:,} iterations"
    if info.error_bound is None:
        return f"none ({steps})"
    state = "Within" if info.converged else "NOT converged: within"
    return f"{state} {info.error_bound:.2g} standard errors of the optimum ({steps})"


def as_lines(notes: Any) -> tuple[str, ...]:
    """Sentences of a caller; TypeError for what is none."""
    if isinstance(notes, str) or not isinstance(notes, Iterable):
        raise TypeError(f"notes must be a list of sentences, got {shown(notes)}")
    lines = tuple(notes)
    if not all(isinstance(line, str) for line in lines):
        raise TypeError(f"notes must be a list of sentences, got {shown(notes)}")
    return lines


def _board(columns: Columns, wishes: Wishes, sets: RankIntervals) -> Grid:
    digits = _DIGITS[wishes.scale]
    shown = [
        Column("Rank", columns["rank"].tolist()),
        Column("Item", columns["item"].tolist(), kind="label"),
        Column(
            "Rating",
            columns["rating"].tolist(),
            number_texts(columns["rating"].tolist(), digits),
            falling=True,
        ),
    ]
    note = f"Ratings are {_RATINGS[wishes.scale]}."
    percent = f"{100 * wishes.level:g} %"
    if "lower" in columns:
        ends = [number_texts(columns[name].tolist(), digits) for name in ("lower", "upper")]
        shown += [
            Column(
                "Drawn",
                columns["rating"].tolist(),
                kind="interval",
                lower=columns["lower"],
                upper=columns["upper"],
                falling=True,
            ),
            Column(f"{percent} interval", columns["lower"].tolist(), ranges(*ends), falling=True),
        ]
    together = "hold together" if sets.method == "simultaneous" else "hold each by itself"
    note += f" A rank set holds the ranks that an item can have; all sets {together} at {percent}."
    first, last = (list(map(str, columns[name].tolist())) for name in ("rank_lower", "rank_upper"))
    shown.append(Column("Rank set", columns["rank_lower"].tolist(), ranges(first, last)))
    starts = None
    if "tier" in columns:
        tier = columns["tier"]
        shown.append(Column("Tier", tier.tolist()))
        starts = np.diff(tier, prepend=0) > 0
        note += " A tier ends where an item is surely worse than the best of it."
    marked = columns.get("provisional")
    if marked is not None and marked.any():
        note += f" {_PROVISIONAL}"
    return Grid("Ranking", shown, note, marked, "provisional", starts)


def _rank_picture(sets: RankIntervals) -> list[Picture]:
    count = min(len(sets.items), _DRAWN)
    if count < 2:
        return []
    named = replace(sets, items=np.array([_short(label) for label in sets.items.tolist()], dtype=object))
    return [
        draw(
            "Rank sets",
            lambda axes: plot_rank_intervals(named, top=count, ax=axes),
            key="ranks",
            height=1.0 + 0.22 * count,
            says=f"The rank sets of the {count} strongest items, as in the table.",
            note=f"The {count} strongest." if count < len(sets.items) else "",
        )
    ]


def _short(label: object) -> str:
    text = plain(label)
    return text if len(text) <= 32 else f"{text[:31]}\u2026"


def _matrix(fit: Strengths, items: npt.NDArray[Any], story: Story) -> Matrix:
    strength = fit.strengths[fit.positions(items.tolist())]
    shares = np.array([fit._expected_scores(x - strength) for x in strength], dtype=np.float64)
    np.fill_diagonal(shares, np.nan)
    note = f"Per cent: {story.expected} of the row against the column, at a neutral place."
    if len(items) < len(fit):
        note += f" The {len(items)} strongest; the ratings of the CSV give all others."
    return Matrix("Expected wins", items.tolist(), shares, note)


def _effects(effects: Columns, wishes: Wishes) -> list[Section]:
    digits, unit = (1, " Elo") if wishes.scale == "elo" else (3, "")
    numbers = {
        name: column * (ELO if unit and name != "p_value" else 1.0)
        for name, column in effects.items()
        if name != "name"
    }
    texts = {name: number_texts(x.tolist(), digits, sign=True) for name, x in numbers.items()}
    names = [plain(name) for name in effects["name"].tolist()]
    table = Grid(
        "Style",
        [
            Column("Covariate", names, kind="label"),
            Column(f"Effect{unit}", numbers["value"].tolist(), texts["value"], falling=True),
            Column(
                f"{100 * wishes.level:g} % interval",
                numbers["lower"].tolist(),
                ranges(texts["lower"], texts["upper"]),
                falling=True,
            ),
            Column("p-value", numbers["p_value"].tolist(), [f"{p:.2g}" for p in numbers["p_value"].tolist()]),
        ],
        "What a covariate adds to the strength of the left item; the ratings above are net of it.",
    )
    drawn = {"covariate": names, f"effect{unit}": numbers["value"]}
    drawn |= {name: numbers[name] for name in ("lower", "upper")}
    picture = draw(
        "Style, drawn",
        lambda axes: plot_estimates(drawn, ax=axes),
        key="style",
        height=1.0 + 0.22 * min(len(names), 30),
        says="The effects of the covariates with their intervals, as in the table.",
    )
    return [table, picture]


def _made(story: Story, sets: RankIntervals, info: Info, wishes: Wishes) -> list[tuple[str, str]]:
    prior = f"as if each item had won and lost {story.prior:g} times against an average one"
    errors = f"{sets.uncertainty}, at {100 * wishes.level:g} %"
    return [
        ("Data", f"{wishes.data}; {story.size}" if wishes.data else story.size),
        ("Model", story.model),
        *story.facts,
        ("Prior", prior if story.prior else "none: maximum likelihood"),
        ("Intervals", errors),
        ("Rank sets", f"{sets.method}, from {sets.draws:,} draws"),
        ("Certificate", certificate(info)),
    ]
