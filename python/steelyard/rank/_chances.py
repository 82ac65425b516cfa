"""Chances of outcomes at a difference of strengths, their unit, and what a fit says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._info import Info
from .._results import Result
from .._units import ELO as ELO

SCALES = ("log", "elo", "probability")
NO_TIES = {"davidson": 0.0, "rao-kupper": 1.0}  # the tie parameter at which there are none


@dataclass(frozen=True, kw_only=True)
class RankInfo(Info):
    """Info of a ranking.

    Attributes
    ----------
    shift : float
        What was taken from the fitted strengths to give them mean 0. Under a prior the optimum is not
        centred: ``strengths + info.shift`` is.
    """

    shift: float = 0.0

    @property
    def newton_decrement(self) -> float | None:
        """The certificate: `error_bound` by its name."""
        return self.error_bound


@dataclass(frozen=True, repr=False, eq=False)
class Prediction(Result):
    """Chances of the three outcomes of a against b.

    Attributes
    ----------
    win, tie, loss : float or ndarray
        They add up to 1; `tie` is 0 for models without ties.
    """

    win: Any
    tie: Any
    loss: Any

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns ``win``, ``tie`` and ``loss``, one row a pair.

        Returns
        -------
        dict of str to ndarray

        Examples
        --------
        >>> from steelyard.rank import Comparisons, bradley_terry
        >>> fit = bradley_terry(Comparisons.from_counts([[0, 3], [1, 0]], items=["ann", "ben"]))
        >>> fit.predict(["ann", "ben"], ["ben", "ann"]).to_frame()["win"].round(6).tolist()
        [0.75, 0.25]
        """
        parts = np.broadcast_arrays(self.win, self.tie, self.loss)
        return {name: part.ravel() for name, part in zip(("win", "tie", "loss"), parts, strict=True)}

    def __repr__(self) -> str:
        parts = (f"{name}={np.round(getattr(self, name), 4)}" for name in ("win", "tie", "loss"))
        return f"Prediction({', '.join(parts)})"


def outcome_chances(x: Any, ties: str, parameter: Any) -> tuple[Any, Any, Any]:
    """(win, tie, loss) at strength difference x; exact for |x| as large as float64 goes.

    `parameter` is a number, None, or an array that goes with x.
    """
    model = ties if ties in NO_TIES else "none"
    if parameter is None:
        parameter = NO_TIES.get(model, 0.0)
    x, own = np.asarray(x, dtype=np.float64), np.asarray(parameter, dtype=np.float64)
    if own.ndim > 0:
        x, own = np.broadcast_arrays(x, own)
    chances = _core.rank._outcome_chances(model, own.ravel(), x.ravel())
    win, tie, loss = (np.asarray(part).reshape(x.shape)[()] for part in chances)
    return win, tie, loss
