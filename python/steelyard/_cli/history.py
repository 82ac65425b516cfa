"""`steelyard history`: read, fit over time, show one day, draw and write all."""

from __future__ import annotations

import argparse
import sys
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .._units import ELO
from .columns import Roles
from .command import Command
from .dates import Clock, day_range, number_of, select_period, with_times
from .games import (
    PRESETS,
    add_columns,
    add_model,
    add_period,
    amount,
    anchor_label,
    count,
    explained,
    find_comparisons,
)
from .inputs import add_files
from .options import add_output, add_plot, add_report, add_top, anchored, names, number
from .pages import require_pictures, write_with
from .picture import new_figure, save
from .show import progress_bar, show
from .source import Source, open_source
from .table import Table
from .text import listed
from .usage import UsageError, require
from .write import write

if TYPE_CHECKING:
    from ..rank import Comparisons, History

_MEAN = 1500.0
_FIRST = 5  # drawn where nobody was named
_DESCRIPTION = """\
From paired comparisons with dates to strengths over time: every item and date together, with intervals that
do not take opponents as known.

FILE is as for steelyard rank, with a column of dates (date, time, timestamp, day or year; --time names it),
read as dates where they can be read in one way (--date-format settles it), or as numbers.
'football' comes with the package, 1872 to 2026.
"""
_EXAMPLES = """\
The volatility is the standard deviation of the change of a natural-log strength in one unit of time; without
--volatility it is estimated, which takes some fifteen fits.

examples:
  steelyard history football --teams Brazil,Germany,Spain --plot history.png
  steelyard history games.csv --volatility 0.1 --unit month --at 2024-06-30 --output strengths.csv
"""


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_files(parser, "files or patterns, - for the standard input, or football")
    add_columns(parser, {"time": "dates"})
    model = add_model(parser)
    model.add_argument(
        "--volatility",
        metavar="W",
        type=number(1e-12),
        help="change of a natural-log strength in one unit of time (default: estimated)",
    )
    model.add_argument(
        "--unit", choices=("day", "week", "month", "year"), help="of time, where it is dates (default: year)"
    )
    model.add_argument(
        "--prior",
        metavar="A",
        type=number(1e-12),
        default=1.0,
        help="as if each item had won and lost A times on its first date against strength 0 (default: 1)",
    )
    add_period(model)

    output = parser.add_argument_group("output")
    output.add_argument("--at", metavar="WHEN", help="the day to show (default: the last one)")
    output.add_argument(
        "--teams", "--items", metavar="A,B,...", type=names, help="show, draw and write only these"
    )
    add_top(output)
    output.add_argument(
        "--scale", choices=("elo", "log"), default="elo", help="of the ratings (default: elo)"
    )
    output.add_argument(
        "--anchor",
        metavar="ITEM=RATING",
        type=anchored,
        help="the Elo rating of one item on the day shown, with which all others move "
        "(default: strength 0 is 1500)",
    )
    add_plot(output, "draw --teams, or the first five shown, over time")
    add_report(output, "write the latest strengths, and the strongest over time,")
    add_output(output, "write the strengths on all dates")


def run(options: argparse.Namespace) -> None:
    """From the file to the strengths on one day, the picture and the table in a file."""
    require("rich", "cli")
    require_pictures(options)
    source, roles, clock = _open(options)
    home = roles.left_is_home if options.home is None else options.home
    with explained(source), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        comparisons = count(source, roles, home, options.outcome_map, timed=True, clustered=False)
        home = home and comparisons.home is not None and bool(comparisons.home.any())
        fit = _fit(comparisons, options, home, clock)
        items = _wanted(options.teams, comparisons, source)
        day = _shown_at(options.at, comparisons, clock)
        zero = _origin(fit, day, options, source)
        table, shown = _table(fit, items, day, options, source, zero)
    notes = [_headline(source, comparisons, clock), *(f"Note: {warning.message}" for warning in caught)]
    show(table, [*notes, _method(fit, options, day, clock)], sys.stdout)
    if options.output:
        write(
            dict(fit.to_frame(items=items, scale=options.scale, elo_mean=zero)),
            options.output,
            verbatim=options.verbatim,
        )
    if options.plot:
        figure = new_figure(8, 4.5)
        chosen = shown[:_FIRST] if options.teams is None else items
        fit.plot(chosen, scale=options.scale, elo_mean=zero, ax=figure.subplots())
        save(figure, options.plot)
    if options.report:
        _publish(fit, options, items, source.name, notes, zero)


def _open(options: argparse.Namespace) -> tuple[Source, Roles, Clock]:
    presets = {"football": replace(PRESETS["football"], years=None)}
    formats = tuple(options.date_format)
    source, roles = find_comparisons(open_source(options, presets, "comparison"), options)
    with explained(source):
        timed, clock = with_times(source, roles, formats)
        chosen = select_period(timed, roles, options.since, options.until, ())
    if options.unit is not None and not clock.dates:
        raise UsageError(
            f"--unit needs dates; the column {roles.time!r} holds numbers, whose unit is its own"
        )
    return replace(chosen, notes=timed.notes), roles, clock


def _fit(comparisons: Comparisons, options: argparse.Namespace, home: bool, clock: Clock) -> History:
    from ..rank import whole_history

    with progress_bar("fitting") as progress:
        return whole_history(
            comparisons,
            volatility="estimate" if options.volatility is None else options.volatility,
            prior=options.prior,
            ties=options.ties,
            home=home,
            time_unit=(options.unit or "year") if clock.dates else 1.0,
            progress=progress,
        )


def _wanted(teams: list[str] | None, comparisons: Comparisons, source: Source) -> list[Any]:
    labels: list[Any] = comparisons.items.tolist()
    if teams is None:
        return labels
    known = {str(label): label for label in labels}
    for team in teams:
        if team not in known:
            raise UsageError(f"--teams: there is no {team!r} in {source.name} ({listed(labels, 8)})")
    return [known[team] for team in teams]


def _shown_at(at: str | None, comparisons: Comparisons, clock: Clock) -> Any:
    assert comparisons.time is not None
    if not clock.dates:
        number_given = number_of(at, "--at")
        return comparisons.time.max() if number_given is None else number_given
    last = day_range(at, "--at")[1]
    return comparisons.time.max() if last is None else np.datetime64(last)


def _origin(fit: History, day: Any, options: argparse.Namespace, source: Source) -> float:
    """The rating of strength 0."""
    if options.anchor is None:
        return _MEAN
    if options.scale != "elo":
        raise UsageError("--anchor goes with --scale elo")
    strength = fit.strength(anchor_label(options, fit.items, source), day, uncertainty=False)
    return float(options.anchor[1] - ELO * strength.mean)


def _table(
    fit: History,
    items: list[Any],
    day: Any,
    options: argparse.Namespace,
    source: Source,
    origin: float,
) -> tuple[Table, list[Any]]:
    """Strongest first on the day; items that had no comparison by then are left out."""
    rows = []
    for item in items:
        times = fit.to_frame(items=[item], uncertainty=False)["time"]
        if times[0] <= day:
            seen = times[times <= day]
            rows.append((fit.strength(item, day), item, _when(seen[-1]), len(seen)))
    rows.sort(key=lambda row: -row[0].mean)
    factor, zero = (ELO, origin) if options.scale == "elo" else (1.0, 0.0)
    digits = 0 if options.scale == "elo" else 2
    cells = []
    for place, (strength, item, last, dates) in enumerate(rows[: options.top or None], 1):
        middle, half = zero + factor * strength.mean, 1.96 * factor * strength.sd
        ends = f"{middle - half:.{digits}f} to {middle + half:.{digits}f}"
        cells.append((str(place), str(item), f"{middle:.{digits}f}", ends, last, str(dates)))
    titles = ("place", source.preset.item, "rating", "95 % interval", "last date", "dates")
    hidden = len(rows) - len(cells)
    footer = f"{hidden} more rows: --top 0 shows all" if hidden else ""
    return Table(titles, cells, frozenset({1}), footer), [row[1] for row in rows]


def _when(time: Any) -> str:
    return f"{time:.12g}" if isinstance(time, float) else str(time)


def _headline(source: Source, comparisons: Comparisons, clock: Clock) -> str:
    assert comparisons.time is not None
    period = f"{_when(comparisons.time.min())} to {_when(comparisons.time.max())}"
    period += f" ({clock.says})" if clock.says else ""
    games = amount(comparisons.n_comparisons, source.preset.comparison)
    left_out = f"; {source.note}" if source.note else ""
    return f"{source.name}, {period}: {games} of {amount(comparisons.n_items, source.preset.item)}{left_out}"


def _method(fit: History, options: argparse.Namespace, day: Any, clock: Clock) -> str:
    factor, unit = (ELO, " Elo") if options.scale == "elo" else (1.0, "")
    how = "estimated" if options.volatility is None else "given"
    speed = f"{factor * fit.volatility:.3g}{unit} a square root of "
    speed += f"a {options.unit or 'year'}" if clock.dates else "time"
    when = f"{'on' if clock.dates else 'at'} {_when(day)}"
    parts = [f"Strengths {when}; volatility {fit.volatility:.3g} ({how}), {speed}"]
    if fit.home_advantage is not None:
        parts.append(f"home advantage {factor * fit.home_advantage:+.2f}{unit}")
    parts.append(f"within {fit.info.error_bound:.1g} standard errors of the joint optimum")
    return ", ".join(parts)


def _publish(
    fit: History, options: argparse.Namespace, items: list[Any], name: str, told: list[str], zero: float
) -> None:
    write_with(
        options.report,
        lambda path: fit.report(
            path,
            title=f"History: {name}",
            data=told[0],
            notes=told[1:],
            items=None if options.teams is None else items,
            scale=options.scale,
            elo_mean=zero,
        ),
    )


COMMAND = Command(
    name="history",
    family="rankings",
    says="follow strengths over time",
    description=_DESCRIPTION,
    examples=_EXAMPLES,
    add_options=_add_options,
    run=run,
)
