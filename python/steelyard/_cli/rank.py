"""`steelyard rank`: read, fit, judge, show."""

from __future__ import annotations

import argparse
import sys
import warnings
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from .._errors import DisconnectedError, DisconnectedWarning, SeparationError
from .arena import add_arena, select_votes, with_style
from .board import Board, make_board
from .board_files import draw_board, publish_board
from .columns import Roles, require_column, time_column
from .command import Command
from .dates import select_period, with_times
from .games import (
    PRESETS,
    add_columns,
    add_model,
    add_period,
    amount,
    anchor_label,
    asked,
    count,
    explained,
    find_comparisons,
)
from .graded import add_levels, refuse_beside_levels
from .groups import add_groups, show_groups
from .inputs import add_files
from .judges import add_judges, fit_with_judges, method_with_judges, refuse_beside_judges, show_judges
from .method import method
from .options import add_output, add_plot, add_report, add_top, anchored, integer, number, positive
from .pages import require_pictures
from .ratings import Ratings, add_ratings, count_ratings, find_ratings
from .show import progress_bar, show
from .source import Source, open_source
from .teams import add_teams, fit_teams, join_sides, method_of_teams, refuse_beside_teams
from .text import listed
from .usage import UsageError, require
from .write import write

if TYPE_CHECKING:
    from ..rank import BradleyTerryFit, Comparisons, GradedFit

_DESCRIPTION = """\
From paired comparisons to a leaderboard with 95 % intervals and rank sets (the ranks that an item can have).

FILE is CSV of any separator, JSON, Parquet or PGN, also packed; several, patterns in quotes ('atp_*.csv'),
and - for the standard input. The columns of usual files are found unaided: model_a, model_b, winner; left,
right, winner; home_team, away_team, home_score, away_score; HomeTeam, AwayTeam, FTHG, FTAG; white, black,
result; winner_name, loser_name; userId, movieId, rating; name others by the options. Dates are read where
they can be read in one way. 'football' (men's internationals, the eight years up to the last match, prior 1)
and 'llmfao' (votes on language models, clustered by worker) come with the package.
"""
_EXAMPLES = """\
Only items that a chain of comparisons joins can be ranked together: the largest such group is, the rest
is named. Without --prior, maximum likelihood is used where its optimum is finite, else a prior of 1; the
output says which. Home advantage is fitted by default where the columns say who was at home.

examples:
  steelyard rank football --top 10
  steelyard rank votes.csv --bootstrap 1000 --output board.parquet
  steelyard rank 'atp_matches_*.csv' --since 2020 --by surface
  zcat games.pgn.gz | steelyard rank - --skip-blank
  steelyard rank doubles.csv --teams --winner winner_1,winner_2 --loser loser_1,loser_2
  steelyard rank votes.csv --levels 'much better,better,tie,worse,much worse'
  steelyard rank votes.parquet --style length,markdown --only language=English --dedup prompt
  steelyard rank games.csv --left white --right black --outcome won --outcome-map W=left,B=right,D=tie
"""


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_files(parser, "files or patterns, - for the standard input, or football, or llmfao")
    times = {
        "time": "dates, for --since and --until",
        "cluster": "groups of dependent rows, such as the judge",
    }
    add_columns(parser, times)
    add_ratings(parser)
    add_arena(parser)
    model = add_model(parser)
    model.add_argument(
        "--covariates",
        metavar="COLUMN,...",
        type=lambda text: tuple(text.split(",")),
        default=(),
        help="numbers, left minus right, to take out of the ratings, such as a difference of lengths",
    )
    model.add_argument(
        "--prior",
        metavar="A",
        type=number(0),
        help="as if each item had won and lost A times against an average one",
    )
    add_period(model)
    model.add_argument(
        "--half-life",
        metavar="DAYS",
        type=positive,
        help="a comparison counts half as much for each DAYS of its age (in units of a column of numbers)",
    )
    model.add_argument(
        "--at", metavar="WHEN", help="the moment to rate at, with --half-life (default: the last comparison)"
    )
    model.add_argument(
        "--min-games", metavar="N", type=number(0), help="leave out items with fewer comparisons"
    )
    model.add_argument(
        "--bootstrap",
        metavar="N",
        type=integer(2),
        help="intervals and rank sets from N refits to resampled comparisons (seed 0), not from a formula",
    )

    add_levels(model)
    add_teams(model)
    add_groups(model)
    add_judges(model)
    _add_output_options(parser)


def _add_output_options(parser: argparse.ArgumentParser) -> None:
    output = parser.add_argument_group("output")
    add_top(output)
    output.add_argument(
        "--scale", choices=("elo", "log", "probability"), default="elo", help="of the ratings (default: elo)"
    )
    output.add_argument(
        "--anchor",
        metavar="ITEM=RATING",
        type=anchored,
        help="the Elo rating of one item, to which intervals are then relative (default: the mean is 1000)",
    )
    output.add_argument(
        "--provisional",
        choices=("mark", "show", "hide"),
        default="mark",
        help="items with too few comparisons for a rating of their own: marked and below the others (mark, "
        "the default), marked in their place (show), or counted alone (hide); tables written hold them all",
    )
    add_plot(output, "draw what is shown")
    add_report(output, "write the ranking, rank sets and expected wins")
    add_output(output, "write all rows")


def run(options: argparse.Namespace) -> None:
    """From the file to the table on the screen, the picture and the table in a file."""
    require("rich", "cli")
    require_pictures(options)
    if options.teams:
        refuse_beside_teams(options)
    source, roles, ratings = _open(options)
    source = _as_asked(source, options, ratings is not None)
    source = _in_period(source, roles, options, ratings is not None)
    home = roles.left_is_home if options.home is None else options.home
    if options.judge:
        refuse_beside_judges(options)
    if options.levels:
        refuse_beside_levels(options, source, roles, ratings is not None)
    notes: list[str] = []
    with explained(source), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        source, comparisons = _count(source, roles, ratings, home, options)
        notes.append(_headline(source, comparisons, "side" if options.teams else source.preset.item))
        if not options.teams:
            comparisons = _comparable(comparisons, options.min_games, source, notes)
        if options.by:
            show_groups(comparisons, options, home, source.name, source.preset.item, notes, caught)
            return
        fit: Any
        if options.judge:
            fit = fit_with_judges(comparisons, options, notes)
        elif options.teams:
            fit = fit_teams(comparisons, options, home, notes)
        else:
            fit = _fit(comparisons, options, home, source, notes)
        resampled = _resample(fit, options) if options.bootstrap else None
        anchor = _label(fit, options, source)
        board = make_board(
            fit, options.scale, resampled, options.top, source.preset.item, options.provisional, anchor
        )
    told = notes[:]
    notes.extend(board.notes)
    notes.extend(f"Note: {warning.message}" for warning in caught)
    notes.append(_method(fit, board, options))
    show(board.table(), notes, sys.stdout)
    if options.judge:
        show_judges(fit, options)
    if options.output:
        write(board.columns, options.output, verbatim=options.verbatim)
    if options.plot:
        draw_board(fit, resampled, board, options, anchor)
    if options.report:
        told += [str(w.message) for w in caught if not issubclass(w.category, DisconnectedWarning)]
        publish_board(fit, resampled, board, options, anchor, source.name, told)


def _count(
    source: Source, roles: Roles, ratings: Ratings | None, home: bool, options: argparse.Namespace
) -> tuple[Source, Comparisons]:
    """The table, with the columns asked for."""
    if ratings is not None:
        comparisons, read = count_ratings(source, ratings)
        return source.noted(read), comparisons
    return source, count(
        source,
        roles,
        home,
        options.outcome_map,
        timed=options.half_life is not None,
        covariates=options.covariates,
        group=options.by,
        judge=options.judge,
        levels=options.levels,
    )


def _method(fit: Any, board: Board, options: argparse.Namespace) -> str:
    if options.judge:
        return method_with_judges(fit)
    return method_of_teams(fit, options) if options.teams else method(fit, board, options)


def _open(options: argparse.Namespace) -> tuple[Source, Roles, Ratings | None]:
    """Comparisons, or ratings where they were asked for or nothing else is known by its name."""
    source = open_source(options, PRESETS, "comparison")
    if options.teams:
        return *find_comparisons(join_sides(source, options), options), None
    ratings = find_ratings(source, options)
    for name in ("by", "judge"):
        if getattr(options, name):
            require_column(getattr(options, name), name, source.columns, source.name)
    asked_for = options.wide or options.rating or options.item or options.rater
    try:
        if not asked_for:
            return *find_comparisons(source, options, options.covariates), None
    except UsageError:
        if ratings is None or asked(options, source) != Roles(cluster=source.preset.cluster):
            raise
    if options.covariates or options.home or options.by or options.judge:
        raise UsageError("--covariates, --home, --by and --judge are for comparisons, not for ratings")
    return source, Roles(time=time_column(source.columns, options.time, source.name)), ratings


def _as_asked(source: Source, options: argparse.Namespace, rated: bool) -> Source:
    """The votes asked for, with their style beside the covariates."""
    if rated and options.style:
        raise UsageError("--style is for comparisons, not for ratings")
    source, style = with_style(select_votes(source, options), options.style)
    options.covariates = (*options.covariates, *style)
    return source


def _in_period(source: Source, roles: Roles, options: argparse.Namespace, rated: bool) -> Source:
    """The rows asked for, with their times read where they are weighted by age."""
    formats = tuple(options.date_format)
    if options.half_life is None:
        if options.at is not None:
            raise UsageError("--at goes with --half-life")
    elif rated:
        raise UsageError("--half-life is for comparisons, not for ratings")
    with explained(source):
        if options.half_life is not None:
            source, _ = with_times(source, roles, formats)
            formats = ()
        return select_period(source, roles, options.since, options.until, formats)


def _label(
    fit: BradleyTerryFit | GradedFit, options: argparse.Namespace, source: Source
) -> dict[Any, float] | None:
    """The anchor by the label of its item."""
    if options.anchor is None:
        return None
    if options.scale != "elo":
        raise UsageError("--anchor goes with --scale elo")
    return {anchor_label(options, fit.items, source): options.anchor[1]}


def _headline(source: Source, comparisons: Comparisons, item: str) -> str:
    period = f", {source.note}" if source.note else ""
    games = amount(comparisons.n_comparisons, source.preset.comparison)
    return f"{source.name}{period}: {games} of {amount(comparisons.n_items, item)}"


def _comparable(
    comparisons: Comparisons, min_games: float | None, source: Source, notes: list[str]
) -> Comparisons:
    """Those with enough games that chains of comparisons join; what is left out is said."""
    item, game = source.preset.item, source.preset.comparison
    if min_games:
        kept = comparisons.filter(min_games=min_games)
        left_out = comparisons.n_items - kept.n_items
        if left_out:
            notes.append(f"{amount(left_out, item)} left out: fewer than {amount(min_games, game)} each")
        comparisons = kept
    report = comparisons.components()
    if report.n_weak == 1:
        return comparisons
    kept = comparisons.largest_component(strong=False)
    outside = report.items[report.weak != report.weak_sizes.argmax()]
    notes.append(
        f"{amount(len(outside), item)} left out: no chain of {amount(2, game)[2:]} joins them to the other "
        f"{kept.n_items} ({listed(outside.tolist())})"
    )
    return kept


def _fit(
    comparisons: Comparisons, options: argparse.Namespace, home: bool, source: Source, notes: list[str]
) -> BradleyTerryFit | GradedFit:
    if home and (comparisons.home is None or not comparisons.home.any()):
        notes.append("No home advantage is fitted: nobody was at home")
        home = False
    try:
        return _fit_with(comparisons, options, home, source, notes)
    except SeparationError as error:
        if error.parameter != "home_advantage" or options.home:
            raise
        notes.append("No home advantage is fitted: this data does not bound it")
        return _fit_with(comparisons, options, False, source, notes)


def _fit_with(
    comparisons: Comparisons, options: argparse.Namespace, home: bool, source: Source, notes: list[str]
) -> BradleyTerryFit | GradedFit:
    """With the prior that was asked for, or one of 1 where there is no finite optimum without."""
    from ..rank import bradley_terry, graded

    prior = source.preset.prior if options.prior is None else options.prior

    decay = {} if options.half_life is None else {"half_life": options.half_life, "at": options.at}

    model: Any = graded if options.levels else partial(bradley_terry, ties=options.ties)

    def fit(prior: float) -> BradleyTerryFit | GradedFit:
        with progress_bar("fitting") as progress:
            covariates = bool(options.covariates)
            return model(  # type: ignore[no-any-return]
                comparisons, prior=prior, home=home, covariates=covariates, **decay, progress=progress
            )

    if prior is not None:
        return fit(prior)
    ties = "drop" if options.ties == "drop" else "keep"
    with suppress(DisconnectedError, SeparationError):  # no finite optimum
        if options.levels or comparisons.components(ties=ties).n_strong == 1:
            return fit(0.0)
    found = fit(1.0)
    notes.append("A prior of 1 keeps the ratings finite (--prior changes it)")
    return found


def _resample(fit: Any, options: argparse.Namespace) -> Any:
    ways = {}
    if not (options.levels or options.teams):
        ways["method"] = "bayesian" if fit.comparisons.cluster is None else "cluster"
    with progress_bar("resampling") as progress:
        try:
            return fit.bootstrap(options.bootstrap, **ways, rng=0, progress=progress)
        except MemoryError as error:
            raise UsageError(f"--bootstrap {options.bootstrap} is too much: {error}") from None


COMMAND = Command(
    name="rank",
    family="rankings",
    says="rank a file of paired comparisons",
    description=_DESCRIPTION,
    examples=_EXAMPLES,
    add_options=_add_options,
    run=run,
)
