"""Scores of source models on all items: means, spreads and gaps, in blocks of rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._validate import real_array
from ._sample import Floats

_BLOCK = 1 << 18  # entries that are held as float64 at once
_FAR = 1e100  # fourth powers of larger scores overflow
_FEW_MODELS, _FEW_ITEMS = 400, 4000  # that tell the items' second direction
_SHRUNK = 4.0  # models' worth of the mean spread in each item's


@dataclass(frozen=True)
class Sources:
    """A table of models by items with its margins; gaps are the item's mean plus the model's lead."""

    table: npt.NDArray[Any]
    shares: Floats  # of the items in the score, adding up to 1
    difficulty: Floats  # mean score of an item
    lead: Floats  # of a model above the items' means
    means: Floats  # weighted, of a model over all items
    spread: Floats  # standard deviation of an item's scores over models, shrunk to the mean

    def rows(self, picked: npt.NDArray[np.intp] | None = None) -> Iterator[tuple[slice, Floats]]:
        """Filled rows, of some items or of all."""
        yield from _filled(self.table, self.difficulty, self.lead, picked)

    def columns(self, picked: npt.NDArray[np.intp]) -> Floats:
        """Scores of some items about each model's mean over all."""
        found = np.empty((len(self.table), len(picked)))
        for where, block in self.rows(picked):
            found[where] = block - self.means[where, None]
        return found

    def second_direction(self, rng: np.random.Generator) -> Floats:
        """Items' scores on what tells models apart beside how good they are, from a part of the table."""
        models, items = self.table.shape
        some = np.sort(rng.choice(models, min(models, _FEW_MODELS), replace=False))
        part = np.sort(rng.choice(items, min(items, _FEW_ITEMS), replace=False))
        few = Sources(
            self.table[some], self.shares, self.difficulty, self.lead[some], self.means[some], self.spread
        )
        block = few.columns(part) + few.means[:, None] - self.difficulty[part]
        block -= block.mean(axis=1, keepdims=True)
        loading = np.linalg.eigh(block @ block.T)[1][:, -1]
        found = np.zeros(items)
        for where, filled in few.rows():
            found += loading[where] @ (filled - self.difficulty)
        return found


def read_sources(scores: Any, weights: Floats | None) -> Sources:
    """The table and its margins; `weights` of the items, not yet adding up to 1."""
    table = real_array(scores, "scores")
    if table.ndim != 2 or 0 in table.shape:
        raise ValueError(f"scores must have shape (n_models, n_items), got {table.shape}")
    models, items = table.shape
    if models < 2:
        raise ValueError("scores must have two source models at least, got one row; rows are models")
    if weights is not None and len(weights) != items:
        raise ValueError(f"weights must have length {items:,}, one an item, got {len(weights):,}")
    shares = np.full(items, 1.0 / items) if weights is None else weights / weights.sum()
    sums, counts, own = np.zeros(items), np.zeros(items), np.zeros(models)
    for where, block in _blocks(table, None):
        total = block.sum(axis=0)
        if np.isfinite(total).all() and block.min() >= -_FAR and block.max() <= _FAR:
            counts += len(block)
            own[where] = items
        else:
            there = ~np.isnan(block)
            block[~there] = 0.0
            if not np.abs(block).max(initial=0.0) <= _FAR:
                raise ValueError("scores has entries that are infinite or beyond +-1e100; scale or drop them")
            total = block.sum(axis=0)
            counts += there.sum(axis=0)
            own[where] = there.sum(axis=1)
        sums += total
    if not own.all():
        raise ValueError(f"scores has no entry of model {int(own.argmin())} (all NaN); leave it out")
    difficulty = np.where(counts > 0, sums / np.maximum(counts, 1.0), sums.sum() / counts.sum())
    centre = float(shares @ difficulty)
    lead, means, squares = np.zeros(models), np.zeros(models), np.zeros(items)
    for where, block in _blocks(table, None):
        block -= difficulty
        if (own[where] < items).any():
            gaps = np.isnan(block)
            block[gaps] = 0.0
            lead[where] = block.sum(axis=1) / own[where]
            means[where] = (block + np.where(gaps, lead[where, None], 0.0)) @ shares + centre
        else:
            means[where] = block @ shares + centre
        squares += np.einsum("ij,ij->j", block, block)
    mean = squares.sum() / max(counts.sum() - items, 1.0)
    spread = np.sqrt((squares + _SHRUNK * mean) / (np.maximum(counts, 1.0) - 1.0 + _SHRUNK))
    return Sources(table, shares, difficulty, lead, means, spread)


def _blocks(table: npt.NDArray[Any], picked: npt.NDArray[np.intp] | None) -> Iterator[tuple[slice, Floats]]:
    wide = table.shape[1] if picked is None else len(picked)
    each = max(1, _BLOCK // wide)
    for start in range(0, len(table), each):
        where = slice(start, min(start + each, len(table)))
        part = table[where] if picked is None else table[where][:, picked]
        yield where, np.array(part, dtype=np.float64)


def _filled(
    table: npt.NDArray[Any], difficulty: Floats, lead: Floats, picked: npt.NDArray[np.intp] | None
) -> Iterator[tuple[slice, Floats]]:
    known = difficulty if picked is None else difficulty[picked]
    for where, block in _blocks(table, picked):
        if table.dtype.kind == "f":
            np.copyto(block, known + lead[where, None], where=np.isnan(block))
        yield where, block
