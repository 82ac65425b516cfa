"""How far strengths may lie from the truth: what rank sets and leaderboards ask."""

from __future__ import annotations

from abc import ABC, abstractmethod
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._validate import check_choice, check_count, check_room, seed_words
from .information import KINDS, Information

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]

FEWEST_DRAWS = 2000  # of contrasts, where nobody says how many


class Uncertainty(ABC):
    """A covariance, the rounds of a bootstrap, or solves of a few among many."""

    @property
    @abstractmethod
    def _source(self) -> str:
        """Its name in rank sets."""

    @abstractmethod
    def _refuse_others(self, items: npt.NDArray[Any]) -> None:
        """Raises ValueError unless it is of these items, all of them."""

    @abstractmethod
    def _noise(
        self, where: Positions, strengths: Floats, draws: int | None, rng: Any, n_threads: int
    ) -> tuple[Floats, Floats]:
        """Standard errors of all contrasts with some items, k x n, and draws of all strengths minus the
        estimate, up to a common shift of each draw, draws x n.
        """

    @abstractmethod
    def _intervals(
        self, where: Positions, middle: Floats, reference: int | None, level: float
    ) -> tuple[Floats | None, Floats, Floats]:
        """Of some strengths against one of the items or the mean of all, which are `middle`: standard errors
        (None where intervals do not come from them), lower and upper ends.
        """


class Solved(Uncertainty):
    """What an information matrix answers by solves: no full covariance."""

    def __init__(self, information: Information, kind: str) -> None:
        self.information, self.kind = information, kind

    @property
    def _source(self) -> str:
        return self.kind

    def _refuse_others(self, items: npt.NDArray[Any]) -> None:
        """It is made of the fit that asks."""

    def _noise(
        self, where: Positions, strengths: Floats, draws: int | None, rng: Any, n_threads: int
    ) -> tuple[Floats, Floats]:
        # Each draw takes a solve: the least that is enough.
        count = number_of_draws(draws, FEWEST_DRAWS, self.information.n)
        noise = self.information.draws(self.kind, count, seed_words(rng)[0])
        return errors_of_draws(noise, where), noise

    def _intervals(
        self, where: Positions, middle: Floats, reference: int | None, level: float
    ) -> tuple[Floats | None, Floats, Floats]:
        information = self.information
        whole = len(where) == information.n  # in item order, whatever the order asked for
        rows = np.arange(information.n) if whole else where
        error = information.standard_errors(rows, against(reference, information.n), self.kind)
        return normal_intervals(middle, error[where] if whole else error, level)


def checked_source(uncertainty: Any, items: npt.NDArray[Any]) -> str | Uncertainty:
    """The name of a covariance to be made, or what judges these items."""
    if isinstance(uncertainty, Uncertainty):
        uncertainty._refuse_others(items)
        return uncertainty
    return check_choice(uncertainty, "uncertainty", KINDS)


def against(reference: int | None, n: int) -> Floats:
    """The weights of the items in what strengths are taken against."""
    if reference is None:
        return np.full(n, 1.0 / n)
    base = np.zeros(n)
    base[reference] = 1.0
    return base


def normal_intervals(middle: Floats, error: Floats, level: float) -> tuple[Floats, Floats, Floats]:
    """Standard errors and the ends of the intervals by the normal approximation."""
    half = NormalDist().inv_cdf(0.5 + level / 2) * error
    return error, middle - half, middle + half


def number_of_draws(draws: int | None, usual: int, n: int) -> int:
    """As many as asked for, where there is room for them."""
    return usual if draws is None else check_room(check_count(draws, "draws"), "draws", n)


def errors_of_draws(noise: Floats, where: Positions) -> Floats:
    """Standard errors of contrasts with the items; infinite draws count as their largest finite one."""
    bad = ~np.isfinite(noise)
    if bad.any():
        low = np.nanmin(np.where(bad, np.nan, noise), axis=0, initial=0.0)
        high = np.nanmax(np.where(bad, np.nan, noise), axis=0, initial=0.0)
        noise = np.where(np.isnan(noise), 0.0, np.clip(noise, low, high))
    centred = noise - noise.mean(axis=0)
    variance = np.einsum("ij,ij->j", centred, centred)
    cross = centred[:, where].T @ centred
    squares = variance[where][:, None] + variance[None, :] - 2 * cross
    errors = np.sqrt(np.maximum(squares, 0.0) / max(len(noise) - 1, 1))
    errors[np.arange(len(where)), where] = 0.0
    return np.asarray(errors)
