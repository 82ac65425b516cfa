"""Boards that know how far each judge can be trusted, for `steelyard rank --judge`."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from .._errors import DisconnectedError
from .._units import ELO
from .show import progress_bar, show
from .table import Table
from .usage import UsageError

if TYPE_CHECKING:
    from ..rank import Comparisons, JudgeFit


def add_judges(parser: argparse._ActionsContainer) -> None:
    """A bias and a reliability a judge."""
    parser.add_argument(
        "--judge",
        metavar="COLUMN",
        help="who judged: fit a reliability of each judge and a bias to the side shown first (the left one), "
        "and name those who are noise or turned around",
    )


def refuse_beside_judges(options: argparse.Namespace) -> None:
    """What boards with judges do not have."""
    wrong = {
        "--by": options.by,
        "--style or --covariates": options.covariates,
        "--half-life": options.half_life,
        "--bootstrap": options.bootstrap,
        "--ties rao-kupper": options.ties == "rao-kupper",
    }
    for name, given in wrong.items():
        if given:
            raise UsageError(f"{name} does not go with --judge")


def fit_with_judges(comparisons: Comparisons, options: argparse.Namespace, notes: list[str]) -> JudgeFit:
    """With the prior asked for, or one of 1 where there is no finite optimum without."""
    from ..rank import fit_judges

    def fit(prior: float) -> JudgeFit:
        with progress_bar("fitting") as progress:
            return fit_judges(comparisons, ties=options.ties, prior=prior, progress=progress)

    if options.prior is not None:
        return fit(options.prior)
    ties = "drop" if options.ties == "drop" else "keep"
    if comparisons.components(ties=ties).n_strong == 1:
        with suppress(DisconnectedError):
            return fit(0.0)
    notes.append("A prior of 1 keeps the ratings finite (--prior changes it)")
    return fit(1.0)


def method_with_judges(fit: JudgeFit) -> str:
    """The model and the certificate."""
    parts = ["Bradley-Terry with a reliability and a bias of each judge"]
    if fit.comparisons.ties is not None:
        parts.append(f"ties {fit.ties}")
    parts.append(f"prior {fit.prior:g}" if fit.prior else "maximum likelihood")
    parts.append(f"within {fit.info.error_bound:.1g} standard errors of a local optimum")
    return f"{', '.join(parts)}; 95 % intervals from sandwich errors, rank sets hold together at 95 %"


def show_judges(fit: JudgeFit, options: argparse.Namespace) -> None:
    """The judges, the least reliable first, and how far they agree."""
    table, most = fit.judge_table(), options.top or len(fit.judges)
    names = ("judge", "reliability", "lower", "upper", "bias", "comparisons", "verdict")
    rows = list(zip(*(table[name].tolist() for name in names), strict=True))[::-1]
    cells = [
        (
            str(judge),
            f"{reliability:.2f}",
            f"{lower:.2f} to {upper:.2f}",
            f"{ELO * bias:+.0f}",
            f"{comparisons:,.6g}",
            verdict,
        )
        for judge, reliability, lower, upper, bias, comparisons, verdict in rows[:most]
    ]
    hidden = len(rows) - len(cells)
    print(file=sys.stdout)
    show(
        Table(
            titles=("judge", "reliability", "95 % interval", "bias", "comparisons", ""),
            cells=cells,
            left=frozenset({0, 5}),
            footer=f"... and {hidden} more, more reliable (--top 0 shows all)" if hidden else "",
        ),
        [f"Krippendorff's alpha of the judges {fit.alpha:.2f}; biases in Elo, to the side shown first"],
        sys.stdout,
    )
