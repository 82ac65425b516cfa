"""Text that any terminal, file or locale takes."""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Sequence
from typing import TextIO


def _plainer(error: UnicodeError) -> tuple[str, int]:
    """Letters without their accents, escapes for anything else that the encoding lacks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    replaced = []
    for character in error.object[error.start : error.end]:
        letters = "".join(c for c in unicodedata.normalize("NFKD", character) if not unicodedata.combining(c))
        replaced.append(
            letters if letters.isascii() else character.encode("ascii", "backslashreplace").decode()
        )
    return "".join(replaced), error.end


codecs.register_error("steelyard.plainer", _plainer)


def printable(text: str, stream: TextIO) -> str:
    """The text as `stream` can show it; control characters become escapes."""
    encoding = getattr(stream, "encoding", None) or "ascii"
    if not text.isprintable():
        text = "".join(map(_visible, text))
    return text.encode(encoding, "steelyard.plainer").decode(encoding)


def _visible(c: str) -> str:
    if c.isprintable():
        return c
    return " " if unicodedata.category(c) == "Zs" else c.encode("unicode_escape").decode()


def width(text: str) -> int:
    """Columns that the text takes on a terminal."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


def listed(names: Sequence[object], limit: int = 5) -> str:
    """'a, b and 3 more'."""
    shown = [str(name) for name in names[:limit]]
    if len(names) > limit:
        return f"{', '.join(shown)} and {len(names) - limit} more"
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))
