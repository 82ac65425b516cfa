"""Outcomes on an ordered scale, for `steelyard rank --levels`."""

from __future__ import annotations

import argparse

from .columns import Roles
from .options import names
from .source import Source
from .text import listed
from .usage import UsageError


def add_levels(parser: argparse._ActionsContainer) -> None:
    """The scale of the outcomes."""
    parser.add_argument(
        "--levels",
        metavar="LEVEL,...",
        type=_levels,
        default=[],
        help="the values of the outcome column as an ordered scale, from the best for the left item to the "
        "worst, such as 'much better,better,tie,worse,much worse': how clear a win was then counts",
    )


def _levels(text: str) -> list[str]:
    found = names(text)
    if not 2 <= len(found) <= 32 or len(set(found)) < len(found):
        raise argparse.ArgumentTypeError(f"must be 2 to 32 different levels, best first, got {text!r}")
    return found


def refuse_beside_levels(options: argparse.Namespace, source: Source, roles: Roles, rated: bool) -> None:
    """What boards of graded outcomes do not have, and a column that holds them."""
    wrong = {
        "--by": options.by,
        "--judge": options.judge,
        "--outcome-map": options.outcome_map,
        "--ties": options.ties != "davidson",
        "ratings": rated,
    }
    for name, given in wrong.items():
        if given:
            raise UsageError(f"{name} does not go with --levels")
    if roles.outcome is None or roles.winners or roles.winner:
        raise UsageError(
            "--levels goes with a column that holds them: name it by --outcome (columns of "
            f"{source.name}: {listed(source.columns, 12)})"
        )
