"""How often each model is right over all items, from few labels and from the votes of the models."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]

# How much a vote counts: chances of labels go with exp(strength * votes). 0: votes say nothing.
_STRENGTHS = np.concatenate([[0.0], 3.0 * 0.5 ** np.arange(10)])
_NUMBERS = 1 << 20  # of a block
_LEAST = 1e-9  # chance of a label, for the likelihood


class VoteEstimate:
    """Estimates of each model's right answers over the contested items, those on which not all agree.

    total_j = sum over items of m_ij + (N / M) sum over labels of v (r_ij - m_ij), with r_ij whether model j
    is right, v the weights of LURE for the chances with which items were drawn, and m_ij what the votes of
    all models say of r_ij: a mixture over strengths of the vote, by their likelihood of the labels so far.
    With all N items labelled the totals are exact, whatever the votes say.
    """

    def __init__(self, codes: Codes, classes: int, threads: int) -> None:
        self._codes, self._classes = codes, classes
        self.contested = (codes != codes[:, :1]).any(axis=1)
        self._items = int(self.contested.sum())
        self.labels = 0
        models, kinds = codes.shape[1], len(_STRENGTHS)
        self._right = np.zeros((2, models))  # plain, and by g of `take`
        self._guessed = np.zeros((2, kinds, models))
        self._likelihood = np.zeros(kinds)
        self._votes = np.zeros((kinds, models))
        rows = np.flatnonzero(self.contested)
        step = max(1, _NUMBERS // models)
        for start in range(0, len(rows), step):
            some = np.ascontiguousarray(codes[rows[start : start + step]])
            alike = _core.select._agreements(some, classes, n_threads=threads)
            for k, strength in enumerate(_STRENGTHS):
                self._votes[k] += self._shares(alike, strength)[0].sum(axis=0)
        self.totals = self._mixture() @ self._votes

    def take(self, item: int, code: int, chance: float | None) -> None:
        """A label: `code`, -1 where no model predicts it; drawn with `chance`, None for evenly."""
        if not self.contested[item]:
            return
        self.labels += 1
        m, n, row = self.labels, self._items, self._codes[item]
        even = 1.0 / (n - m + 1)
        g = 0.0 if chance is None or m == n else (even / chance - 1.0) / (n - m)
        alike = np.tile((row[:, None] == row).sum(axis=1), (len(_STRENGTHS), 1))
        shares, absent = self._shares(alike, _STRENGTHS[:, None])
        right = row == code
        self._right += [right, g * right]
        self._guessed += [shares, g * shares]
        seen = shares[:, right.argmax()] if right.any() else absent
        self._likelihood += np.log(np.maximum(seen, _LEAST))
        weights = self._mixture()
        gap = self._right - weights @ self._guessed
        self.totals = weights @ self._votes + n / m * (gap[0] + (n - m) * gap[1])

    @property
    def share(self) -> Floats:
        """Estimated share of right answers on the contested items."""
        return self.totals / max(self._items, 1)

    def _mixture(self) -> Floats:
        weights = np.exp(self._likelihood - self._likelihood.max())
        return np.asarray(weights / weights.sum())

    def _shares(self, alike: Any, strength: Any) -> tuple[Floats, Floats]:
        """Chance that each model is right, and of each class that nobody predicts."""
        most = alike.max(axis=1, keepdims=True)
        each = np.exp(strength * (alike - most))
        seen = (1.0 / alike).sum(axis=1)
        absent = np.exp(-strength * most)[:, 0]
        total = (each / alike).sum(axis=1) + (self._classes - np.rint(seen)) * absent
        return each / total[:, None], absent / total
