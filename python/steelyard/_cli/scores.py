"""Tables of scores: one item a row, one model a column."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .points import read_points
from .source import open_source
from .usage import UsageError


@dataclass(frozen=True)
class Scores:
    """Scores, and who is who in the file."""

    name: str
    items: list[str]
    models: tuple[str, ...]
    values: npt.NDArray[np.float64]  # models by items


def read_scores(options: argparse.Namespace, files: list[str]) -> Scores:
    """Of the files, items being named by --item, a column called item, or the first column of texts."""
    asked = argparse.Namespace(**{**vars(options), "file": files})
    source = open_source(asked, {}, "item")
    column = _item_column(options.item, source.columns, source.name)
    found = read_points(source, None, gaps=True)
    names = [name for name in found.names if name != column]
    if column is None:
        column = next((name for name in found.table if name not in found.names), None)
    if column is None:
        raise UsageError(f"can't tell which column of {source.name} names the items: name it by --item")
    if found.dropped:
        raise UsageError(f"{source.name} has {found.dropped} rows with infinite scores")
    if not names:
        raise UsageError(f"{source.name} has no column of numbers beside {column!r}: one a model")
    items = [_label(item) for item in found.table[column].tolist()]
    if len(set(items)) < len(items):
        twice = next(item for k, item in enumerate(items) if item in items[:k])
        raise UsageError(f"{source.name} lists the item {twice!r} twice")
    values = found.values[:, [found.names.index(name) for name in names]]
    return Scores(source.name, items, tuple(names), np.ascontiguousarray(values.T))


def refuse_one_model(scores: Scores) -> None:
    """Where models are to be told apart."""
    if len(scores.models) < 2:
        raise UsageError(
            f"{scores.name} has one column of scores ({scores.models[0]}); give two models at least"
        )


def refuse_more_than_there_is(scores: Scores, size: int) -> None:
    """More items than the file has; a file with models as rows looks like that."""
    models, items = scores.values.shape
    if size <= items:
        return
    turned = (
        f"; a row is an item, a column a model, and there are {models:,} columns: if models are rows, turn "
        "the table around"
        if models > items
        else ""
    )
    raise UsageError(f"--size must be at most the number of items, {items:,}, got {size:,}{turned}")


def _item_column(asked: str | None, columns: Any, file: str) -> str | None:
    if asked is None:
        return next((name for name in columns if name.casefold() == "item"), None)
    if asked not in columns:
        raise UsageError(f"--item: there is no column {asked!r} in {file}; it has {', '.join(columns)}")
    return asked


def _label(item: Any) -> str:
    return str(int(item)) if isinstance(item, float) and item.is_integer() else str(item)
