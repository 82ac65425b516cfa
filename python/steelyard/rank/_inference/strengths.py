"""Strengths by label: who stands where."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _labels
from .._chances import outcome_chances
from .._table import positions

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]


class Strengths:
    """One strength an item, found by its label."""

    items: npt.NDArray[Any]
    strengths: Floats

    def __getstate__(self) -> dict[str, Any]:
        return {
            k: v
            for k, v in self.__dict__.items()
            if not isinstance(getattr(type(self), k, None), cached_property)
        }

    def __len__(self) -> int:
        return len(self.items)

    @property
    def order(self) -> Positions:
        """Positions of the items from strongest to weakest; equal strengths keep item order."""
        return np.argsort(-self.strengths, kind="stable")

    @property
    def scarce(self) -> npt.NDArray[np.bool_] | None:
        """Items with too few comparisons for a rating of their own; None where that is not judged."""
        return None

    @cached_property
    def _places(self) -> dict[Any, int]:
        return positions(self.items)

    def index(self, item: Any) -> int:
        """Position of a label.

        Parameters
        ----------
        item : label

        Returns
        -------
        int

        Raises
        ------
        KeyError
            If there is no such item.
        """
        return _labels.position(self._places, item)

    def positions(self, items: Any = None) -> Positions:
        """Positions of some labels.

        Parameters
        ----------
        items : sequence of labels, optional
            Default all.

        Returns
        -------
        ndarray of int, shape (k,)

        Raises
        ------
        KeyError
            If there is no such item.
        TypeError, ValueError
            If `items` is no sequence, or empty.
        """
        if items is None:
            return np.arange(len(self))
        found = _labels.positions(self._places, _labels.label_list(items, "items"))
        if len(found) == 0:
            raise ValueError("items must name at least one item, got none")
        return found

    def _expected_scores(self, x: Floats) -> Floats:
        """Of items of strength x against one of strength 0: the chance of a win."""
        return np.asarray(outcome_chances(x, "drop", None)[0])
