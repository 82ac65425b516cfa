"""Ratings to comparisons: of two items that one rater rated, the higher rating wins."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .columns import require_column
from .options import names
from .points import MISSING, columns_of
from .readers import quoted
from .separated import decimal_hint
from .source import Source
from .text import listed
from .usage import UsageError

if TYPE_CHECKING:
    from ..rank import Comparisons

_RATERS = (
    "rater", "user", "userid", "user_id", "respondent", "respondent_id", "respondentid", "participant",
    "participant_id", "judge", "annotator", "reviewer",
)  # fmt: skip
_ITEMS = (
    "item",
    "itemid",
    "item_id",
    "movieid",
    "movie_id",
    "movie",
    "product",
    "product_id",
    "model",
    "brand",
    "name",
)
_RATINGS = ("rating", "ratings", "score", "stars", "grade")


@dataclass(frozen=True)
class Ratings:
    """One rating a row, or (`wide`) one rater a row and one item a column."""

    rater: str = ""
    item: str = ""
    rating: str = ""
    wide: tuple[str, ...] = ()


def add_ratings(parser: argparse.ArgumentParser) -> None:
    """Where the ratings are, in files that hold no comparisons."""
    ratings = parser.add_argument_group("ratings, of which those by one rater are compared")
    ratings.add_argument("--rating", metavar="COLUMN", help="one rating a row: the numbers")
    ratings.add_argument("--item", metavar="COLUMN", help="what was rated")
    ratings.add_argument("--rater", metavar="COLUMN", help="by whom")
    ratings.add_argument(
        "--wide",
        metavar="COLUMN,...",
        type=names,
        help="one rater a row: the columns of ratings, one an item; patterns such as 'q*' too",
    )


def find_ratings(source: Source, options: argparse.Namespace) -> Ratings | None:
    """What the options name, and where they name something, or `unaided`, what is known by its name."""
    columns = source.columns
    if options.wide:
        if options.rating or options.item or options.rater:
            raise UsageError(
                "--wide is for one rater a row; --rating, --item and --rater for one rating a row"
            )
        return Ratings(wide=_fitting(options.wide, columns, source.name))
    asked = [getattr(options, role) for role in ("rater", "item", "rating")]
    for column, role in zip(asked, ("rater", "item", "rating"), strict=True):
        if column is not None:
            require_column(column, role, columns, source.name)
    known = {column.casefold(): column for column in reversed(columns)}
    found = [
        column or next((known[name] for name in usual if name in known), None)
        for column, usual in zip(asked, (_RATERS, _ITEMS, _RATINGS), strict=True)
    ]
    rater, item, rating = found
    if rater and item and rating and len(set(found)) == 3:
        return Ratings(rater, item, rating)
    if any(asked):
        raise UsageError(
            "name three columns by --rating, --item and --rater "
            f"(columns of {source.name}: {listed(columns, 12)})"
        )
    return None


def _fitting(wanted: Sequence[str], columns: Sequence[str], file: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for name in wanted:
        fitting = [column for column in columns if column == name] or [
            column for column in columns if fnmatchcase(column, name)
        ]
        if not fitting:
            require_column(name, "wide", columns, file)
        found.update(dict.fromkeys(fitting))
    if len(found) < 2:
        raise UsageError(f"--wide must name at least two columns of {file}, got {listed(list(found))}")
    return tuple(found)


def count_ratings(source: Source, ratings: Ratings) -> tuple[Comparisons, str]:
    """The comparisons, clustered by rater, and what was read in words."""
    from ..rank import Comparisons

    if ratings.wide:
        table, items, number = _wide(source, ratings.wide)
        raters = table.shape[1]
    else:
        table, items, number = _long(source, ratings)
        raters = table.shape[1]
    comparisons = Comparisons.from_scores(table, items=items, cluster=True)
    return comparisons, f"{number:,} ratings by {raters:,} raters"


def _wide(source: Source, columns: tuple[str, ...]) -> tuple[Any, npt.NDArray[Any], int]:
    for column in columns:
        _refuse_words(source, column)
    with source.reading():
        chosen = ", ".join(f"{_number(column)} AS {quoted(column)}" for column in columns)
        found = source.relation.project(chosen).fetchnumpy()
    table = columns_of(found, list(columns), np.dtype(np.float64)).T
    there = np.isfinite(table)
    return np.where(there, table, np.nan), np.array(columns, dtype=object), int(there.sum())


def _long(source: Source, ratings: Ratings) -> tuple[Any, npt.NDArray[Any], int]:
    _refuse_words(source, ratings.rating)
    with source.reading():
        label = {name: f"CAST({quoted(name)} AS VARCHAR)" for name in (ratings.rater, ratings.item)}
        rows = source.relation.project(
            f"{label[ratings.rater]} AS rater, {label[ratings.item]} AS item, "
            f"{_number(ratings.rating)} AS rating"
        ).filter("rater IS NOT NULL AND item IS NOT NULL AND isfinite(rating)")
        found = rows.aggregate(
            "rater, item, avg(rating) AS rating, count(*) AS times", "rater, item"
        ).fetchnumpy()
    if not len(found["rating"]):
        raise UsageError(f"{source.name} has no row with a rater, an item and a rating")
    columns = {name: np.ma.getdata(column) for name, column in found.items()}
    items, row = np.unique(columns["item"].astype(object), return_inverse=True)
    raters, column = np.unique(columns["rater"].astype(object), return_inverse=True)
    from scipy import sparse  # a tenth of a second that other files of votes need not wait for

    table = sparse.csc_array((columns["rating"], (row, column)), shape=(len(items), len(raters)))
    return table, items, int(columns["times"].sum())


def _number(column: str) -> str:
    return f"TRY_CAST(trim(CAST({quoted(column)} AS VARCHAR)) AS DOUBLE)"


def _refuse_words(source: Source, column: str) -> None:
    """A cell that is neither a number nor empty, by its place."""
    text = f"trim(CAST({quoted(column)} AS VARCHAR))"
    gaps = ", ".join(f"'{word}'" for word in MISSING)
    wrong = f"{_number(column)} IS NULL AND lower({text}) NOT IN ({gaps})"
    with source.reading():
        rows = source.relation.project(f"{text} AS cell, {wrong} AS wrong, row_number() OVER () - 1 AS place")
        found = rows.filter("wrong").limit(1).fetchall()
    if found:
        word, _, place = found[0]
        told = f"column {column!r} must hold numbers, got {word!r} in {source.row(place)}"
        raise UsageError(told + decimal_hint(word))
