"""Labels and numbers as a page shows them."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence

_LONGEST = 120  # characters of a label
_JOINERS = "\u200c\u200d\ufe0f"  # shape letters and emoji, and hide nothing
_BREAKS = "\n\r\t\v\f\u2028\u2029"


def plain(value: object) -> str:
    """One line without anything that acts unseen (controls, changes of direction), and not without end."""
    text = str(value)
    if not text.isprintable():
        text = "".join(map(_visible, text))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}\u2026"


def words(text: str) -> str:
    """A sentence, word by word as `plain` has it."""
    return " ".join(map(plain, text.split()))


def _visible(c: str) -> str:
    if c.isprintable() or c in _JOINERS:
        return c
    is_space = c in _BREAKS or unicodedata.category(c) == "Zs"
    return " " if is_space else c.encode("unicode_escape").decode()


def number_texts(values: Iterable[float], digits: int, *, sign: bool = False) -> list[str]:
    """With so many decimals, a real minus, thousands apart, and a sign for infinity."""
    return [_number(value, digits, sign) for value in values]


def _number(value: float, digits: int, sign: bool) -> str:
    if math.isnan(value):
        return "unknown"
    text = "\u221e" if math.isinf(value) else f"{abs(value):,.{digits}f}"
    is_zero = not text.strip("0.,")
    plus = "+" if sign and not is_zero else ""
    return f"{chr(0x2212) if value < 0 and not is_zero else plus}{text}"


def ranges(first: Sequence[str], last: Sequence[str]) -> list[str]:
    """ "3 to 5", or "3" where both are equal."""
    return [a if a == b else f"{a} to {b}" for a, b in zip(first, last, strict=True)]
