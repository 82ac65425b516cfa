"""Sides of several items, for `steelyard rank --teams`."""

from __future__ import annotations

import argparse
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from .._errors import SeparationError
from .._units import ELO
from .columns import require_column
from .options import names
from .readers import quoted
from .show import progress_bar
from .source import Source
from .usage import UsageError

if TYPE_CHECKING:
    from ..rank import Comparisons, TeamFit

_SIDES = ("left", "right", "winner", "loser")
_JOINT = "\x1f"


def add_teams(parser: argparse._ActionsContainer) -> None:
    """A side is several items."""
    parser.add_argument(
        "--teams",
        action="store_true",
        help="sides of several players: in one column with | or , between them ('ann|ben'), or in several "
        "columns (--left left_1,left_2 --right right_1,right_2); a side is as strong as its players together",
    )


def refuse_beside_teams(options: argparse.Namespace) -> None:
    """What boards of sides do not have."""
    wrong = {
        "--by": options.by,
        "--judge": options.judge,
        "--levels": options.levels,
        "--style or --covariates": options.style or options.covariates,
        "--half-life": options.half_life,
        "--min-games": options.min_games,
        "--cluster": options.cluster,
        "--weight": options.weight,
        "--wide, --rating, --item and --rater": any(
            (options.wide, options.rating, options.item, options.rater)
        ),
    }
    for name, given in wrong.items():
        if given:
            raise UsageError(f"{name} does not go with --teams")
    options.weight = ""  # nor a column of that name


def join_sides(source: Source, options: argparse.Namespace) -> Source:
    """Several columns a side as one."""
    for role in _SIDES:
        asked = getattr(options, role)
        if asked is None or asked in source.columns or "," not in asked:
            continue
        columns = names(asked)
        for column in columns:
            require_column(column, role, source.columns, source.name)
        joined, taken = ", ".join(columns), {column.casefold() for column in source.columns}
        while joined.casefold() in taken:
            joined += "_"
        texts = ", ".join(f"nullif(trim(CAST({quoted(column)} AS VARCHAR)), '')" for column in columns)
        sql = f"*, nullif(concat_ws(chr({ord(_JOINT)}), {texts}), '') AS {quoted(joined)}"
        source = source.then(lambda relation, sql=sql: relation.project(sql))  # type: ignore[misc]
        setattr(options, role, joined)
    return source


def fit_teams(comparisons: Comparisons, options: argparse.Namespace, home: bool, notes: list[str]) -> TeamFit:
    """Each game of the counted sides; with the prior asked for, or one of 1 where it takes one."""
    from ..rank import team_strengths

    sides = _split([str(side) for side in comparisons.items.tolist()])
    rows, outcome = [], []
    for column, result in ((comparisons.left_wins, 1), (comparisons.right_wins, -1), (comparisons.ties, 0)):
        if column is None:
            continue
        if (column != np.floor(column)).any():
            raise UsageError("--teams takes whole counts")
        times = np.repeat(np.arange(len(column)), column.astype(np.int64))
        rows.append(times)
        outcome.append(np.full(len(times), result))
    row = np.concatenate(rows)
    left, right = ([sides[k] for k in side[row].tolist()] for side in (comparisons.left, comparisons.right))
    at_home = comparisons.home[row] if home and comparisons.home is not None else None
    if at_home is not None and not at_home.any():
        at_home = None

    def fit(prior: float) -> TeamFit:
        with progress_bar("fitting") as progress:
            return team_strengths(
                left,
                right,
                np.concatenate(outcome),
                home=at_home,
                ties=options.ties,
                prior=prior,
                progress=progress,
            )

    try:
        if options.prior is not None:
            return fit(options.prior)
        with suppress(SeparationError):
            return fit(0.0)
        notes.append("A prior of 1 keeps the ratings finite and apart (--prior changes it)")
        return fit(1.0)
    except SeparationError as error:
        raise UsageError(str(error).replace("a prior (prior=1)", "--prior 1")) from None


def _split(labels: list[str]) -> list[list[str]]:
    """The players of each side, by the sign that stands between them."""
    sign = next((mark for mark in (_JOINT, "|") if any(mark in label for label in labels)), ",")
    return [[name for part in label.split(sign) if (name := part.strip())] for label in labels]


def method_of_teams(fit: TeamFit, options: argparse.Namespace) -> str:
    """The model and the certificate."""
    ties = "" if fit.tie_parameter in (None, 0.0, 1.0) else f", ties {fit.ties}"
    parts = [f"sums of strengths a side{ties}"]
    if fit.home_advantage is not None:
        parts.append(f"home advantage {ELO * fit.home_advantage:+.0f} Elo")
    parts.append(f"prior {fit.prior:g}" if fit.prior else "maximum likelihood")
    parts.append(f"within {fit.info.error_bound:.1g} standard errors of the optimum")
    source = f"{options.bootstrap} bootstrap rounds" if options.bootstrap else "sandwich errors"
    return f"{', '.join(parts)}; 95 % intervals from {source}, rank sets hold together at 95 %"
