"""Rows to show, as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """Titles, the cells under them, which columns stand to the left, and what the table leaves out."""

    titles: tuple[str, ...]
    cells: Sequence[tuple[str, ...]]
    left: frozenset[int] = frozenset()
    footer: str = ""
