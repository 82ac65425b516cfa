"""What a page is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .._csv import Columns

_WIDE, _HIGH, _MARGIN = 160, 14, 5  # of a drawn interval, in pixels


@dataclass(frozen=True, eq=False)
class Column:
    """A column of a table that can be sorted.

    Attributes
    ----------
    title : str
    values : sequence
        What rows are sorted by.
    texts : sequence of str, optional
        What is shown; default the values.
    kind : {'label', 'number', 'interval'}
        An interval is drawn, from `lower` to `upper` with a dot at the value.
    lower, upper : ndarray, optional
    falling : bool
        Whether the first click puts the largest on top.
    """

    title: str
    values: Sequence[Any]
    texts: Sequence[str] | None = None
    kind: Literal["label", "number", "interval"] = "number"
    lower: npt.NDArray[np.float64] | None = None
    upper: npt.NDArray[np.float64] | None = None
    falling: bool = False

    def drawn(self, marked: npt.NDArray[np.bool_] | None = None) -> list[tuple[float, float, float | None]]:
        """Ends and middle of each interval, in pixels.

        The frame holds all intervals of rows that are not marked; what goes beyond reaches its edge.
        """
        assert self.lower is not None
        assert self.upper is not None
        middle = np.asarray(self.values, dtype=np.float64)
        rows = np.full(len(middle), True) if marked is None or marked.all() else ~marked
        finite = np.concatenate([x[np.isfinite(x) & rows] for x in (middle, self.lower, self.upper)])
        low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
        unit = (_WIDE - 2 * _MARGIN) / (high - low) if high > low else 0.0
        start = _MARGIN if high > low else _WIDE / 2

        def place(x: npt.NDArray[np.float64]) -> list[float]:
            return [round(start + unit * (v - low), 1) for v in np.clip(x, low, high).tolist()]

        ends = place(np.nan_to_num(self.lower, nan=-np.inf)), place(np.nan_to_num(self.upper, nan=np.inf))
        dots = [
            x if known else None
            for x, known in zip(place(np.nan_to_num(middle)), np.isfinite(middle).tolist(), strict=True)
        ]
        return list(zip(*ends, dots, strict=True))


@dataclass(frozen=True, eq=False)
class Grid:
    """A table that can be sorted and searched.

    Attributes
    ----------
    title, note : str
    columns : sequence of Column
    marked : ndarray of bool, optional
        Rows of which `mark` says what is doubtful; they can be hidden.
    mark : str
        One word.
    starts : ndarray of bool, optional
        Rows where a group begins, in the order given.
    tab : str
        Neighbours of one tab are shown one at a time, each by its title.
    """

    title: str
    columns: Sequence[Column]
    note: str = ""
    marked: npt.NDArray[np.bool_] | None = None
    mark: str = ""
    starts: npt.NDArray[np.bool_] | None = None
    tab: str = ""

    kind = "grid"
    size = (_WIDE, _HIGH)

    def __len__(self) -> int:
        return len(self.columns[0].values)

    @property
    def labelled(self) -> int:
        """Where the first labels stand."""
        return next((k for k, column in enumerate(self.columns) if column.kind == "label"), 0)


@dataclass(frozen=True, eq=False)
class Matrix:
    """Shares of the row against the column, between 0 and 1; NaN is left empty."""

    title: str
    labels: Sequence[object]
    shares: npt.NDArray[np.float64]
    note: str = ""

    kind = "matrix"


@dataclass(frozen=True, eq=False)
class Picture:
    """A drawing, made by `draw`, and the same in words."""

    title: str
    svg: str
    note: str = ""

    kind = "picture"


@dataclass(frozen=True, eq=False)
class Words:
    """Sentences."""

    title: str
    lines: Sequence[str]

    kind = "words"


Section = Grid | Matrix | Picture | Words


@dataclass(frozen=True, eq=False)
class Page:
    """All of it.

    Attributes
    ----------
    title : str
    lead : sequence of str
        What a reader should know first.
    sections : sequence of Grid, Matrix, Picture and Words
    made : sequence of (str, str)
        How it was made; the version is added.
    files : mapping of str to columns
        To download, by file name.
    warnings : sequence of str
        What is wrong with it, shown above all.
    """

    title: str
    lead: Sequence[str]
    sections: Sequence[Section]
    made: Sequence[tuple[str, str]]
    files: dict[str, Columns] = field(default_factory=dict)
    warnings: Sequence[str] = ()
