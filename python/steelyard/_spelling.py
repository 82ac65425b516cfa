"""How a message spells an argument: as in Python, or as the command line calls it while that runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Spelling = Callable[[str, str], str]


def _in_python(name: str, code: str) -> str:
    return f"{name}={code}" if code else name


_SPELLING: ContextVar[Spelling] = ContextVar("steelyard_spelling", default=_in_python)


def argument(name: str, value: object = None, *, code: str = "") -> str:
    """`scale`, or with a value, or the code for one, `scale='median'`."""
    return _SPELLING.get()(name, code if value is None else repr(value))


@contextmanager
def spelt(spelling: Spelling) -> Iterator[None]:
    """Messages made inside spell arguments by spelling(name, code)."""
    token = _SPELLING.set(spelling)
    try:
        yield
    finally:
        _SPELLING.reset(token)
