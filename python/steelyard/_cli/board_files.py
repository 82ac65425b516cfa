"""The picture and the page of a board."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from .board import Board
from .pages import write_with
from .picture import new_figure, save

if TYPE_CHECKING:
    from ..rank import BradleyTerryFit, GradedFit, JudgeFit


def draw_board(
    fit: BradleyTerryFit | GradedFit | JudgeFit,
    resampled: Any,
    board: Board,
    options: argparse.Namespace,
    anchor: dict[Any, float] | None,
) -> None:
    """The rows of the board with their intervals."""
    from ..plotting import plot_strengths

    figure = new_figure(7, 1.2 + 0.24 * len(board.rows))
    plot_strengths(
        fit,
        items=board.columns["item"][board.rows],
        scale=options.scale,
        uncertainty="sandwich" if resampled is None else resampled,
        anchor=anchor,
        ax=figure.subplots(),
    )
    save(figure, options.plot)


def publish_board(
    fit: BradleyTerryFit | GradedFit | JudgeFit,
    resampled: Any,
    board: Board,
    options: argparse.Namespace,
    anchor: dict[Any, float] | None,
    name: str,
    told: list[str],
) -> None:
    """All items, or those that the board judges where they are many."""
    judged = board.columns["item"]
    aged = [] if options.half_life is None else [f"Half-life {options.half_life:g}"]
    write_with(
        options.report,
        lambda path: fit.report(
            path,
            title=f"Ranking: {name}",
            data=told[0],
            notes=[*told[1:], *aged],
            scale=options.scale,
            anchor=anchor,
            uncertainty="sandwich" if resampled is None else resampled,
            items=None if len(judged) == len(fit) else judged,
        ),
    )
