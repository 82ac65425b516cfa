"""Chances of outcomes at a difference of strengths, their unit, and what a fit says of itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _core
from .._info import Info

ELO = 400 / math.log(10)
SCALES = ("log", "elo", "probability")


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
class Prediction:
    """Chances of the three outcomes of a against b.

    Attributes
    ----------
    win, tie, loss : float or ndarray
        They add up to 1; `tie` is 0 for models without ties.
    """

    win: Any
    tie: Any
    loss: Any

    def __repr__(self) -> str:
        parts = (f"{name}={np.round(getattr(self, name), 4)}" for name in ("win", "tie", "loss"))
        return f"Prediction({', '.join(parts)})"


def outcome_chances(x: Any, ties: str, parameter: Any) -> tuple[Any, Any, Any]:
    """(win, tie, loss) at strength difference x; exact for |x| as large as float64 goes.

    `parameter` is a number, None, or an array that goes with x.
    """
    model = ties if ties in ("davidson", "rao-kupper") else "none"
    if parameter is None or model == "none":
        parameter = 1.0 if model == "rao-kupper" else 0.0
    x, own = np.asarray(x, dtype=np.float64), np.asarray(parameter, dtype=np.float64)
    if own.ndim > 0:
        x, own = np.broadcast_arrays(x, own)
    win, tie, loss = _core._outcome_chances(model, own.ravel(), x.ravel())
    return win.reshape(x.shape), tie.reshape(x.shape), loss.reshape(x.shape)
