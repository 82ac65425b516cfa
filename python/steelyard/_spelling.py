"""How a message spells an argument or a row: as in Python, or as the command line does while that runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Spelling = Callable[[str, str], str]


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
