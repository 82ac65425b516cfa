"""What every result shows of itself in a notebook: its words, and the head of its table."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt

Columns = Mapping[str, npt.NDArray[Any]]

_SHOWN = 10
_LEFT = " style='text-align:left'"


class Result:
    """Base of results that a notebook shows as a table.

    What it shows: `_words`, by default the repr, whose first line is "Name: ..."; and `_head`, by default the
    first rows of ``to_frame()`` where there is one, else the fields that are a number or a word.
    """

    def _words(self) -> str:
        return re.sub(r"\A(\w+)\((.*)\)\Z", r"\1: \2", repr(self), flags=re.DOTALL)  # Name(...) too

    def _head(self, rows: int) -> tuple[Columns, int]:
        """The first rows of the table, and how many it has."""
        table: Columns = self.to_frame() if hasattr(self, "to_frame") else _own_fields(self)
        total = len(next(iter(table.values()), ()))
        return {name: column[:rows] for name, column in table.items()}, total

    def _repr_html_(self) -> str:
        columns, total = self._head(_SHOWN)
        return as_html(self._words(), columns, total)


def as_html(words: str, columns: Columns, total: int) -> str:
    """Words with the name before the first colon in bold, and the first rows of a table of `total`."""
    name, colon, rest = words.partition(":")
    lines = (f"<b>{html.escape(name)}</b>" + html.escape(colon + rest)).replace("\n", "<br>")
    head = "".join(f"<th>{html.escape(str(column))}</th>" for column in columns)
    shown = list(zip(*(np.asarray(column).tolist() for column in columns.values()), strict=True))
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in shown)
    more = f"... and {total - len(shown):,} more rows" if total > len(shown) else ""
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<div>{lines}{table}{more}</div>"


def _cell(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"<td{_LEFT}>{html.escape('' if value is None else str(value))}</td>"
    return f"<td>{value:.6g}</td>" if isinstance(value, float) else f"<td>{value}</td>"


def _own_fields(result: Any) -> Columns:
    public = [field.name for field in fields(result) if not field.name.startswith("_")]
    values = {name: getattr(result, name) for name in public}
    told = {name: x for name, x in values.items() if x is None or isinstance(x, bool | int | float | str)}
    return {"field": np.array(list(told), dtype=object), "value": _objects(list(told.values()))}


def _objects(values: list[Any]) -> npt.NDArray[Any]:
    return np.fromiter(values, dtype=object, count=len(values))
