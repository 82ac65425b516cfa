"""Pictures as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .files import written_beside
from .usage import require

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def new_figure(width: float, height: float) -> Figure:
    """A figure that belongs to no window; sizes in inches."""
    figure: Figure = require("matplotlib.figure", "plot").Figure(
        figsize=(width, height), layout="constrained"
    )
    return figure


def save(figure: Figure, path: Path) -> None:
    """By the suffix of the path."""
    with written_beside(path) as beside:
        figure.savefig(beside, dpi=150)
