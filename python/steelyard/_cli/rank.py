"""`steelyard rank`: read, fit, judge, show."""

from __future__ import annotations

import argparse
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .board import Board, make_board
from .columns import recognise, require_column
from .picture import new_figure, save
from .show import progress_bar, show
from .source import PRESETS, Source, asked, count, open_source, select_period
from .text import listed
from .usage import UsageError, require
from .write import write

if TYPE_CHECKING:
    from ..rank import BradleyTerryFit, Coefficients, Comparisons

_WAYS_OUT = {
    "home_advantage": "leave it out by --no-home",
    "tie_parameter": "use --ties half or --ties drop",
}


def run(options: argparse.Namespace) -> None:
    """From the file to the table on the screen, the picture and the table in a file."""
    require("rich", "cli")
    if options.plot:
        require("matplotlib", "plot")
    source = open_source(options.file, PRESETS, "comparison")
    roles = recognise(source.columns, asked(options, source), source.name)
    for column in options.covariates:
        require_column(column, "covariates", source.columns, source.name)
    source = select_period(source, roles, options.since, options.until)
    home = roles.left_is_home if options.home is None else options.home
    notes: list[str] = []
    with explained(), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        comparisons = count(source, roles, home, options.outcome_map, covariates=options.covariates)
        notes.append(_headline(source, comparisons))
        comparisons = _comparable(comparisons, options.min_games, source, notes)
        fit = _fit(comparisons, options, home, source, notes)
        resampled = _resample(fit, options.bootstrap) if options.bootstrap else None
        board = make_board(fit, options.scale, resampled, options.top, source.preset.item)
    notes.extend(f"Note: {warning.message}" for warning in caught)
    notes.append(_method(fit, board, options))
    show(board.table(), notes, sys.stdout)
    if options.output:
        write(board.columns, options.output)
    if options.plot:
        _draw(fit, resampled, options)


@contextmanager
def explained() -> Iterator[None]:
    """The library's errors in the words of the command line."""
    from .. import DisconnectedError, SeparationError

    try:
        yield
    except DisconnectedError as error:
        words = error.report.describe() if error.report is not None else error
        raise UsageError(
            f"the ratings have no finite optimum without a prior: {words} Use --prior 1"
        ) from None
    except SeparationError as error:
        why = str(error).partition(". Fit without")[0]
        raise UsageError(f"{why}; {_WAYS_OUT.get(error.parameter, 'leave it out of --covariates')}") from None
    except (ValueError, TypeError) as error:
        text, found = re.subn(
            r"[;:,] (?:or )?(?:say|drop|give)\b.*outcome_map.*$", "", str(error), flags=re.DOTALL
        )
        raise UsageError(
            f"{text}; say so by --outcome-map VALUE=left (or right, tie, skip)" if found else text
        ) from None


def amount(number: float, noun: str) -> str:
    plural = noun + ("es" if noun.endswith("ch") else "s")
    return f"{number:,.12g} {noun if number == 1 else plural}"


def _headline(source: Source, comparisons: Comparisons) -> str:
    period = f", {source.note}" if source.note else ""
    games = amount(comparisons.n_comparisons, source.preset.comparison)
    return f"{source.name}{period}: {games} of {amount(comparisons.n_items, source.preset.item)}"


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
) -> BradleyTerryFit:
    from ..rank import bradley_terry

    if home and (comparisons.home is None or not comparisons.home.any()):
        notes.append("No home advantage is fitted: nobody was at home")
        home = False
    prior = source.preset.prior if options.prior is None else options.prior
    if prior is None:
        prior = (
            0.0
            if comparisons.components(ties="drop" if options.ties == "drop" else "keep").n_strong == 1
            else 1.0
        )
        if prior:
            notes.append("A prior of 1 keeps the ratings finite (--prior changes it)")
    with progress_bar("fitting") as progress:
        return bradley_terry(
            comparisons,
            prior=prior,
            ties=options.ties,
            home=home,
            covariates=bool(options.covariates),
            progress=progress,
        )


def _resample(fit: BradleyTerryFit, rounds: int) -> Any:
    method = "bayesian" if fit.comparisons.cluster is None else "cluster"
    with progress_bar("resampling") as progress:
        return fit.bootstrap(rounds, method=method, rng=0, progress=progress)


def _method(fit: BradleyTerryFit, board: Board, options: argparse.Namespace) -> str:
    """The model, the numbers beside the strengths, and the certificate."""
    parts = [f"Bradley-Terry, ties {fit.ties}"] if fit.comparisons.ties is not None else ["Bradley-Terry"]
    if fit.home_advantage is not None:
        parts.append(f"home advantage {board.home_advantage}")
    if fit.coefficients is not None:
        parts.append(f"net of {_effects(fit.coefficients, options.scale)}")
    parts.append(f"prior {fit.prior:g}" if fit.prior else "maximum likelihood")
    source = f"{options.bootstrap} bootstrap rounds" if options.bootstrap else "sandwich errors"
    if fit.comparisons.cluster is not None:
        source += " by cluster"
    bound = fit.info.error_bound
    if bound is not None:
        parts.append(f"within {bound:.1g} standard errors of the optimum")
    return f"{', '.join(parts)}; 95 % intervals from {source}, rank sets hold together at 95 %"


def _effects(found: Coefficients, scale: str) -> str:
    """For one root mean square of each covariate, in the unit of the ratings, with its standard error."""
    from ..rank._chances import ELO

    unit, digits, name = (ELO, 1, " Elo") if scale == "elo" else (1.0, 3, "")
    triples = zip(found.names, unit * found.values, unit * found.standard_errors(), strict=True)
    return ", ".join(f"{column} {b:+.{digits}f} +- {error:.{digits}f}{name}" for column, b, error in triples)


def _draw(fit: BradleyTerryFit, resampled: Any, options: argparse.Namespace) -> None:
    from ..plotting import plot_strengths

    rows = min(options.top or len(fit), len(fit))
    figure = new_figure(7, 1.2 + 0.24 * rows)
    plot_strengths(
        fit,
        top=rows,
        scale=options.scale,
        uncertainty="sandwich" if resampled is None else resampled,
        ax=figure.subplots(),
    )
    save(figure, options.plot)
