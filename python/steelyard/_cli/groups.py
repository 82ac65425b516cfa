"""Boards by group, for `steelyard rank --by`."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from .._errors import DisconnectedError, SeparationError
from .._units import ELO
from .pages import write_with
from .picture import new_figure, save
from .show import progress_bar, show
from .table import Table
from .usage import UsageError
from .write import write

if TYPE_CHECKING:
    from ..rank import Comparisons, GroupFits

_REAL = 10  # differences listed


def add_groups(parser: argparse._ActionsContainer) -> None:
    """One board a group."""
    parser.add_argument(
        "--by",
        metavar="COLUMN",
        help="one board for each value of this column (language, surface), drawn to the whole as far as the "
        "data says, and which items differ between them",
    )
    parser.add_argument(
        "--apart", action="store_true", help="with --by: each board from its own comparisons alone"
    )


def show_groups(
    comparisons: Comparisons,
    options: argparse.Namespace,
    home: bool,
    name: str,
    noun: str,
    notes: list[str],
    caught: Any,
) -> None:
    """The boards, one after the other, and the differences between them that are real."""
    _refuse(options)
    home = home and comparisons.home is not None and bool(comparisons.home.any())
    fits = _fit(comparisons, options, home, notes)
    found = fits.differences()
    notes += _told(fits, found)
    told = notes[:]
    notes += [f"Note: {warning.message}" for warning in caught]
    for label in fits.groups:
        show(_board(fits, label, options, noun), notes, sys.stdout)
        notes = []
        print(file=sys.stdout)
    if options.output:
        write(_rated(fits.to_frame(), options.scale), options.output, verbatim=options.verbatim)
    if options.plot:
        figure = new_figure(2.5 + 0.9 * len(fits), 1.5 + 0.3 * min(len(fits.items), options.top or 30))
        fits.plot(top=options.top or len(fits.items), ax=figure.subplots())
        save(figure, options.plot)
    if options.report:
        write_with(
            options.report,
            lambda path: fits.report(
                path, title=f"Boards: {name}", data=told[0], notes=told[1:], scale=options.scale
            ),
        )


def _refuse(options: argparse.Namespace) -> None:
    """What boards by group do not have."""
    wrong = {
        "--covariates": options.covariates,
        "--half-life": options.half_life,
        "--bootstrap": options.bootstrap,
        "--anchor": options.anchor,
        "--scale probability": options.scale == "probability",
    }
    for name, given in wrong.items():
        if given:
            raise UsageError(f"{name} does not go with --by")


def _fit(comparisons: Comparisons, options: argparse.Namespace, home: bool, notes: list[str]) -> GroupFits:
    """With the prior asked for, or one of 1 where there is no finite optimum without."""
    from ..rank import fit_groups

    def fit(prior: float) -> GroupFits:
        with progress_bar("fitting") as progress:
            return fit_groups(
                comparisons,
                shrink=not options.apart,
                ties=options.ties,
                home=home,
                prior=prior,
                progress=progress,
            )

    if options.prior is not None:
        return fit(options.prior)
    with suppress(DisconnectedError, SeparationError):
        return fit(0.0)
    notes.append("A prior of 1 keeps the ratings finite (--prior changes it)")
    return fit(1.0)


def _told(fits: GroupFits, found: dict[str, Any]) -> list[str]:
    """How far the groups differ, and where they do."""
    how = "fitted apart" if fits.width is None else f"drawn to the whole, width {ELO * fits.width:.3g} Elo"
    notes = [f"{len(fits)} groups, {how}; within {fits.info.error_bound:.1g} standard errors of the optimum"]
    real = np.flatnonzero(found["real"])
    verb = "difference between groups is" if len(real) == 1 else "differences between groups are"
    notes.append(f"{len(real)} {verb} real (all intervals hold together at 95 %)")
    for row in real[:_REAL].tolist():
        gap, half = ELO * found["difference"][row], ELO * (found["upper"][row] - found["difference"][row])
        pair = f"{found['group_a'][row]} against {found['group_b'][row]}"
        notes.append(f"  {found['item'][row]}, {pair}: {gap:+.0f} +- {half:.0f} Elo")
    return notes + ([f"  ... and {len(real) - _REAL} more"] if len(real) > _REAL else [])


def _rated(columns: dict[str, Any], scale: str) -> dict[str, Any]:
    """On the scale of the ratings."""
    if scale == "log":
        return columns
    shift = {"rating": 1000.0, "lower": 1000.0, "upper": 1000.0, "standard_error": 0.0}
    return {name: shift[name] + ELO * x if name in shift else x for name, x in columns.items()}


def _board(fits: GroupFits, label: Any, options: argparse.Namespace, noun: str) -> Table:
    board = _rated(fits.board(label), options.scale)
    digits, most = 2 if options.scale == "log" else 0, options.top or len(board["item"])
    names = ("item", "rating", "lower", "upper", "games")
    rows = zip(*(board[name][:most].tolist() for name in names), strict=True)
    cells = [
        (
            str(k),
            str(item),
            f"{rating:.{digits}f}",
            f"{lower:.{digits}f} to {upper:.{digits}f}",
            f"{games:,.6g}",
        )
        for k, (item, rating, lower, upper, games) in enumerate(rows, 1)
    ]
    more = len(board["item"]) - len(cells)
    return Table(
        titles=("rank", f"{noun} ({label})", "rating", "95 % interval", "games"),
        cells=cells,
        left=frozenset({1}),
        footer=f"... and {more} more (--top 0 shows all)" if more else "",
    )
