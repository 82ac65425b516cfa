"""How a message spells an argument or a row: as in Python, or as the command line does while that runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

Spelling = Callable[[str, str], str]
_LONGEST = 200  # characters of a value in a message


def _in_python(name: str, code: str) -> str:
    return f"{name}={code}" if code else name


def row_words(row: int) -> str:
    """What a row is called, counted from 0."""
    return f"row {row}"


_ROW: ContextVar[Callable[[int], str]] = ContextVar("steelyard_row", default=row_words)
_SPELLING: ContextVar[Spelling] = ContextVar("steelyard_spelling", default=_in_python)


def argument(name: str, value: object = None, *, code: str = "") -> str:
    """`scale`, or with a value, or the code for one, `scale='median'`."""
    return _SPELLING.get()(name, code if value is None else repr(value))


def row_of_relation(row: int) -> str:
    """What a row of a DuckDB relation is called, counted from 0: the command line knows its file."""
    return _ROW.get()(row)


@contextmanager
def spelt(spelling: Spelling, row: Callable[[int], str] = row_words) -> Iterator[None]:
    """Messages made inside spell arguments by spelling(name, code), and rows of relations by row(k)."""
    tokens = _SPELLING.set(spelling), _ROW.set(row)
    try:
        yield
    finally:
        _SPELLING.reset(tokens[0])
        _ROW.reset(tokens[1])


def shown(value: Any) -> str:
    """A value as a message shows it: its repr, however long the value is and whatever its repr does."""
    if isinstance(value, int) and abs(value) >= 10**40:
        return f"an integer of {value.bit_length()} bits"
    try:
        text = repr(value)
    except Exception:  # objects of others, and Python's own limit on the digits of integers
        text = f"<{type(value).__name__}>"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
