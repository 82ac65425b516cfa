"""A history as a page to publish."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..._report import Column, Grid, Page, Picture, Section, check_text, draw, number_texts, plain, ranges
from ..._validate import check_choice, check_level, check_number
from ...plotting import plot_history
from .._chances import ELO
from .._inference import as_lines, read_anchor

Columns = Mapping[str, npt.NDArray[Any]]

_DRAWN, _DATES, _ROWS = 6, 200, 5000  # lines, dates of a line, rows of the table of all dates


class Wishes(NamedTuple):
    """What a caller wants of the page."""

    title: str | None
    data: str | None
    notes: tuple[str, ...]
    scale: str
    elo_mean: float
    anchor: Mapping[Any, float] | None
    level: float


def checked_wishes(
    title: str | None,
    data: str | None,
    notes: Any,
    scale: str,
    elo_mean: float,
    anchor: Mapping[Any, float] | None,
    level: float,
) -> Wishes:
    """Beside a rating above 1e9 differences are lost in rounding."""
    elo_mean = check_number(elo_mean, "elo_mean")
    given = {"elo_mean": elo_mean} | ({} if anchor is None else {"anchor": read_anchor(anchor)[1]})
    for name, rating in given.items():
        if abs(rating) > 1e9:
            raise ValueError(f"{name} must lie between -1e9 and 1e9 to be drawn, got {rating}")
    return Wishes(
        check_text(title, "title"),
        check_text(data, "data"),
        as_lines(notes),
        check_choice(scale, "scale", ("log", "elo")),
        elo_mean,
        anchor,
        check_level(level),
    )


class _Thinned:
    """Lines of few dates, their labels as a page shows them; what `plot_history` needs."""

    def __init__(self, lines: dict[str, dict[str, npt.NDArray[Any]]]) -> None:
        self._lines = lines

    def latest(self, count: int, /) -> list[Any]:
        return list(self._lines)[:count]

    def to_frame(self, *, items: Any, scale: str, elo_mean: float, uncertainty: bool) -> Columns:
        return self._lines[items[0]]


def history_page(history: Any, items: list[Any] | None, wishes: Wishes, certificate: str) -> Page:
    """Strengths at the last date of each item, and the strongest ones over time."""
    table = history.to_frame(items=items, scale=wishes.scale, elo_mean=wishes.elo_mean, anchor=wishes.anchor)
    labels, time = table["item"], table["time"]
    last = np.flatnonzero(np.append(_changes(labels), True))
    count = np.diff(last, prepend=-1)
    order = np.argsort(-table["strength"][last], kind="stable")
    wide = NormalDist().inv_cdf(0.5 + 0.5 * wishes.level)
    shown = {name: column[last][order] for name, column in table.items()}
    half = wide * shown["standard_error"]
    shown |= {"lower": shown["strength"] - half, "upper": shown["strength"] + half, "dates": count[order]}
    lead = [wishes.data or f"{len(last):,} items on {len(np.unique(time[~np.isnan(time)])):,} dates"]
    files = {"latest.csv": {"place": np.arange(1, len(last) + 1), **shown}}
    if len(time) <= _ROWS:
        files["history.csv"] = dict(table)
    chosen = np.sort(order[:_DRAWN])
    picture = _picture(table, last[chosen], count[chosen], wishes)
    info = history.info
    complaint = [] if info.converged else [f"The fit did not converge: {info.message}"]
    title = wishes.title or f"{len(last):,} items over time"
    sections: list[Section] = [picture, _board(shown, wishes)]
    return Page(
        title,
        [*lead, *wishes.notes],
        sections,
        _made(history, lead[0], certificate, wishes),
        files,
        complaint,
    )


def _changes(labels: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    return np.asarray(labels[1:] != labels[:-1])


def _when(time: Any) -> str:
    text = f"{time:.12g}" if isinstance(time, float) else str(time)
    return "constant" if text in {"NaT", "nan"} else text


def _board(shown: Columns, wishes: Wishes) -> Grid:
    digits = 0 if wishes.scale == "elo" else 2
    rating = shown["strength"].tolist()
    ends = [number_texts(shown[name].tolist(), digits) for name in ("lower", "upper")]
    times = shown["time"]
    dates = times.astype("datetime64[s]").astype(np.int64) if times.dtype.kind == "M" else times
    keys = np.where(np.isnan(times), np.nan, dates).tolist()
    unit = "Elo points" if wishes.scale == "elo" else "natural-log strengths"
    return Grid(
        "At the last date of each",
        [
            Column("Place", list(range(1, len(rating) + 1))),
            Column("Item", shown["item"].tolist(), kind="label"),
            Column("Rating", rating, number_texts(rating, digits), falling=True),
            Column(
                "Drawn", rating, kind="interval", lower=shown["lower"], upper=shown["upper"], falling=True
            ),
            Column(
                f"{100 * wishes.level:g} % interval", shown["lower"].tolist(), ranges(*ends), falling=True
            ),
            Column("Last date", keys, [_when(x) for x in times.tolist()], falling=True),
            Column("Dates", shown["dates"].tolist(), falling=True),
        ],
        f"Ratings are {unit} at the last date on which an item was compared: whoever stopped long ago keeps "
        "the rating of that day.",
    )


def _picture(
    table: Columns, ends: npt.NDArray[np.intp], count: npt.NDArray[np.intp], wishes: Wishes
) -> Picture:
    lines = {}
    for end, dates in zip(ends.tolist(), count.tolist(), strict=True):
        step = max(1, -(-dates // _DATES))
        rows = np.arange(end, end - dates, -step)[::-1]
        lines[plain(table["item"][end])] = {name: column[rows] for name, column in table.items()}
    thin = " Of long lines some dates are drawn." if count.max(initial=0) > _DATES else ""
    return draw(
        "Over time",
        lambda axes: plot_history(
            _Thinned(lines),
            list(lines),
            scale=wishes.scale,
            elo_mean=wishes.elo_mean,
            level=wishes.level,
            ax=axes,
        ),
        key="history",
        height=4.2,
        says="Strengths over time of the items strongest at their last date; the table has the ends.",
        note=f"The {len(lines)} strongest at their last date, with {100 * wishes.level:g} % bands.{thin}",
    )


def _made(history: Any, data: str, certificate: str, wishes: Wishes) -> list[tuple[str, str]]:
    unit, name = (ELO, " Elo") if wishes.scale == "elo" else (1.0, "")
    made = [
        ("Data", data),
        (
            "Model",
            f"Whole history: Bradley-Terry strengths that move as Wiener processes, ties {history.ties}",
        ),
        (
            "Volatility",
            f"{history.volatility:.3g} ({unit * history.volatility:.3g}{name}) a square root of a time unit",
        ),
    ]
    if history.home_advantage is not None:
        made.append(("Home advantage", f"{unit * history.home_advantage:+.3g}{name}"))
    made.append(("Intervals", "joint posterior" if history.samples is None else "draws from the posterior"))
    return [*made, ("Certificate", certificate)]
