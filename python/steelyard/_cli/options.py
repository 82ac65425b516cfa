"""What options hold, and those that several commands share."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path

_DIGITS = 18  # of a whole number: more than any count, and it fits 64 bits
_TABLES = (".csv", ".json", ".parquet")
_PICTURES = (".png", ".svg", ".pdf")
_PAGES = (".html", ".htm")


def add_top(parser: argparse._ActionsContainer, default: int = 20, what: str = "rows") -> None:
    """How much of a table is shown."""
    parser.add_argument(
        "--top",
        metavar="N",
        type=integer(0),
        default=default,
        help=f"{what} to show, 0 for all (default: {default})",
    )


def add_output(parser: argparse._ActionsContainer, what: str) -> None:
    """Where the table goes."""
    parser.add_argument(
        "--output", metavar="TABLE", type=path(_TABLES), help=f"{what}: .csv, .json or .parquet"
    )
    parser.add_argument(
        "--verbatim",
        action="store_true",
        help="in .csv, write texts that begin with = + - @ as they are: a spreadsheet may run them as "
        "formulas (default: with a ' before them, unless they are numbers)",
    )


def add_plot(parser: argparse._ActionsContainer, what: str) -> None:
    """Where the picture goes."""
    parser.add_argument("--plot", metavar="PICTURE", type=path(_PICTURES), help=f"{what}: .png, .svg or .pdf")


def add_report(parser: argparse._ActionsContainer, what: str) -> None:
    """Where the page goes."""
    parser.add_argument(
        "--report", metavar="PAGE", type=path(_PAGES), help=f"{what} as one page to publish: .html"
    )


def anchored(text: str) -> tuple[str, float]:
    """An item and its rating."""
    item, _, rating = text.rpartition("=")
    value = as_number(rating)
    if not item or isinstance(value, str) or not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"must be an item and its rating, such as gpt-4=1114, got {text!r}")
    return item, value


def names(text: str) -> list[str]:
    """Between commas."""
    found = [name.strip() for name in text.split(",")]
    if "" in found:
        raise argparse.ArgumentTypeError(f"must be names with commas between them, got {text!r}")
    return found


def share(text: str) -> float:
    """Between 0 and 1."""
    value = as_number(text)
    if isinstance(value, str) or not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"must lie between 0 and 1, got {text!r}")
    return value


def tolerance(text: str) -> float:
    """Above 0."""
    value = as_number(text)
    if isinstance(value, str) or not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"must be a number above 0, got {text!r}")
    return value


def number(least: float) -> Callable[[str], float]:
    """At least so much."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and value >= least):
            raise argparse.ArgumentTypeError(f"must be a number of at least {least:g}, got {text!r}")
        return value

    return read


def positive(text: str) -> float:
    """Above 0."""
    value = as_number(text)
    if isinstance(value, str) or not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number above 0, got {text!r}")
    return value


def integer(least: int) -> Callable[[str], int]:
    """At least so much."""

    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or len(text) > _DIGITS or int(text) < least:
            limit = f" and at most {_DIGITS} digits" if len(text) > _DIGITS else ""
            raise argparse.ArgumentTypeError(
                f"must be a whole number of at least {least}{limit}, got {text[:40]!r}"
            )
        return int(text)

    return read


def path(suffixes: tuple[str, ...]) -> Callable[[str], Path]:
    """In a folder that is there, with one of the suffixes."""

    def read(text: str) -> Path:
        value = Path(text)
        if value.suffix.lower() not in suffixes:
            raise argparse.ArgumentTypeError(f"must end in {', '.join(suffixes)}, got {text!r}")
        if not value.parent.is_dir():
            raise argparse.ArgumentTypeError(f"there is no folder {str(value.parent)!r}")
        return value

    return read


def as_number(text: str) -> float | str:
    """The number that a text spells, or the text."""
    try:
        return float(text)
    except ValueError:
        return text
