"""What a trial is: a function of an instance that yields claims, each with its truth from outside.

    @trial(solver="weigh.weighting", states="error_bound", kind="rigorous", truth="ball solve", zoo="points")
    def magnitude_bound(instance):
        ...
        yield Claim(stated=bound, true=abs(value - truth), rounding=uncertainty_of_the_truth)

Statistical claims are `Mean`, `Spread`, `Coverage` or `Inclusion`, yielded by a function under
`@statistical_trial(...)`, with 2,000 draws at least.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import stats

from .zoo import Instance

DRAWS = 2000  # at least so many a statistical claim


@dataclass(frozen=True)
class Claim:
    """A stated bound against the true error.

    Attributes
    ----------
    stated : float or None
        The bound on the error. Of a lower bound: value - lower_bound, with true = value - optimum, so that a
        lower bound above the optimum is a broken claim. None: the solver declines (say why in `reason`).
    true : float
        The error by outside truth.
    rounding : float
        How far the truth itself may be off.
    floor : float
        What float64 cannot resolve at the size of the answer: below it no bound counts as loose.
    about, reason : str
        Which claim of several; why none is stated.
    """

    stated: float | None
    true: float
    rounding: float = 0.0
    floor: float = 0.0
    about: str = ""
    reason: str = ""

    @property
    def declined(self) -> bool:
        return self.stated is None

    @property
    def broken(self) -> bool:
        """NaN is broken too; an infinite bound is not, nor does it say anything."""
        return self.stated is not None and not self.true <= self.stated + self.rounding

    @property
    def resolved(self) -> bool:
        """Whether the true error stands above the uncertainty of the truth."""
        return self.stated is not None and self.true > 2 * self.rounding

    @property
    def ratio(self) -> float:
        """True over stated error, the truth given the benefit of its rounding."""
        if self.stated is None:
            return 0.0
        excess = max(self.true - self.rounding, 0.0)
        if math.isnan(excess) or math.isnan(self.stated):
            return math.inf
        if excess == 0 or math.isinf(self.stated):
            return 0.0
        return excess / self.stated if self.stated > 0 else math.inf

    @property
    def sharpness(self) -> float:
        """Stated over true error, both no smaller than what can be resolved."""
        if self.stated is None:
            return math.nan
        least = max(float(self.rounding), float(self.floor), 0.0)
        stated, true = max(float(self.stated), least), max(float(self.true), least)
        return stated / true if true > 1e-300 else 1.0 if stated == true else math.nan

    def shrunk(self, factor: float) -> Claim:
        """The same with a smaller bound: a lie that must be caught."""
        return self if self.stated is None else replace(self, stated=self.stated * factor)

    def moved(self) -> Claim:
        """The answer moved by twice its bound: a lie that must be caught."""
        return self if self.stated is None else replace(self, true=self.true + 2 * self.stated)


# ---- statistical claims: a p-value, and a lie


@dataclass(frozen=True)
class Mean:
    """The mean of independent draws is what was said (an unbiased estimate).

    The z statistic takes the draws' own spread; `error` bounds a bias that is known and said.
    """

    values: np.ndarray
    expected: float
    error: float = 0.0
    about: str = ""

    def p_value(self) -> float:
        values = np.asarray(self.values, dtype=float)
        _require_draws(len(values))
        spread = values.std(ddof=1) / math.sqrt(len(values))
        tiny = 1e-9 * max(np.abs(values).max(), abs(self.expected))
        away = max(abs(values.mean() - self.expected) - self.error - tiny, 0.0)
        if away == 0:
            return 1.0
        return _two_sided(away / spread) if spread > 0 else 0.0

    @property
    def ratio(self) -> float:
        """Distance of the mean from what was said over its 99.99995 % half width."""
        spread = self.values.std(ddof=1) / math.sqrt(len(self.values))
        away = abs(self.values.mean() - self.expected)
        return away / (5 * spread + self.error) if spread + self.error > 0 else 0.0

    def lie(self) -> Mean:
        """Ten standard errors further."""
        spread = self.values.std(ddof=1) / math.sqrt(len(self.values))
        further = 10 * spread + 2 * self.error + 1e-6 * abs(self.expected)
        return replace(
            self, expected=self.expected + np.copysign(further, self.expected - self.values.mean())
        )


@dataclass(frozen=True)
class Spread:
    """Errors of independent draws have the stated standard errors, up to a factor 1 +- slack.

    `errors / stated` squared has mean 1; where that is asymptotic, `slack` says how far the standard error
    may be off. `only_small`: a standard error may be too large (conservative), not too small.
    """

    errors: np.ndarray
    stated: np.ndarray
    slack: float = 0.0
    only_small: bool = False
    about: str = ""

    def _squares(self) -> np.ndarray:
        errors, stated = np.asarray(self.errors, dtype=float), np.asarray(self.stated, dtype=float)
        none = np.where(errors == 0, 0.0, np.inf)  # an error where none was stated
        return np.asarray(np.divide(errors, stated, out=none, where=stated > 0)) ** 2

    def p_value(self) -> float:
        squares = self._squares()
        _require_draws(len(squares))
        if not np.isfinite(squares).all():
            return 0.0
        spread = squares.std(ddof=1) / math.sqrt(len(squares))
        high, low = (1 + self.slack) ** 2, (1 - self.slack) ** 2
        away = max(squares.mean() - high, 0.0 if self.only_small else low - squares.mean(), 0.0)
        return 1.0 if away == 0 else _two_sided(away / max(spread, 1e-300))

    @property
    def ratio(self) -> float:
        """Root mean square error over the stated one."""
        return float(np.sqrt(self._squares().mean()))

    def lie(self) -> Spread:
        """Standard errors halved."""
        return replace(self, stated=np.asarray(self.stated) / 2)


@dataclass(frozen=True)
class Coverage:
    """Intervals hold the truth at least as often as they say.

    `reach` is |truth - middle| / half width of each draw's interval: at most 1 where it holds.
    `level` is what must be reached (the nominal level, or what the documents promise of finite samples).
    """

    reach: np.ndarray
    level: float
    about: str = ""

    def p_value(self) -> float:
        _require_draws(len(self.reach))
        hits = int((np.asarray(self.reach) <= 1).sum())
        return float(stats.binom.cdf(hits, len(self.reach), self.level))

    @property
    def ratio(self) -> float:
        """Share of misses over the share allowed."""
        return float((np.asarray(self.reach) > 1).mean() / (1 - self.level))

    def lie(self) -> Coverage:
        """Intervals half as wide."""
        return replace(self, reach=2 * np.asarray(self.reach))


@dataclass(frozen=True)
class Inclusion:
    """Something of the stated probability happened `count` times in `draws`."""

    count: np.ndarray
    draws: int
    stated: np.ndarray
    about: str = ""

    def p_value(self) -> float:
        _require_draws(self.draws)
        count, stated = np.atleast_1d(self.count), np.atleast_1d(self.stated)
        low = stats.binom.cdf(count, self.draws, np.clip(stated, 0, 1))
        high = stats.binom.sf(count - 1, self.draws, np.clip(stated, 0, 1))
        return float(min(1.0, 2 * np.minimum(low, high).min() * len(count)))

    @property
    def ratio(self) -> float:
        """Worst of frequency over stated probability, as a distance in standard deviations over 5."""
        stated = np.atleast_1d(self.stated)
        sd = np.sqrt(np.maximum(stated * (1 - stated), 1e-12) / self.draws)
        return float(np.abs(np.atleast_1d(self.count) / self.draws - stated).max(initial=0) / (5 * sd.max()))

    def lie(self) -> Inclusion:
        """Probabilities halved."""
        return replace(self, stated=np.atleast_1d(self.stated) / 2)


Statistic = Mean | Spread | Coverage | Inclusion


def _two_sided(z: float) -> float:
    return float(2 * stats.norm.sf(z))


def _require_draws(count: int) -> None:
    if count < DRAWS:
        raise ValueError(f"a statistical claim needs {DRAWS} draws, got {count}")


# ---- registry

KINDS = ("rigorous", "asymptotic", "estimate", "statistical")


@dataclass(frozen=True)
class Trial:
    """One claim of one solver, how it is tried, and on which data."""

    function: Callable[[Instance], Iterator[Any]]
    family: str
    solver: str
    states: str
    kind: str
    truth: str
    zoo: str
    largest: int = 60
    share: float = 1.0
    note: str = ""

    @property
    def name(self) -> str:
        return f"{self.family}.{self.function.__name__}"

    @property
    def statistical(self) -> bool:
        return self.kind == "statistical"


TRIALS: dict[str, Trial] = {}


def trial(
    *,
    solver: str,
    states: str,
    kind: str,
    truth: str,
    zoo: str,
    largest: int = 60,
    share: float = 1.0,
    note: str = "",
) -> Callable[[Callable[[Instance], Iterator[Any]]], Callable[[Instance], Iterator[Any]]]:
    """Register a trial.

    Parameters
    ----------
    solver : str
        Public name, as "weigh.weighting", or several with commas.
    states : str
        The field, as "info.error_bound".
    kind : {'rigorous', 'asymptotic', 'estimate', 'statistical'}
        What the solver calls it.
    truth : str
        In words, for the table.
    zoo : str
        Kind of data.
    largest : int
        Items that an instance may have; above 60, one in ten is larger than that.
    share : float
        Of the instances asked for, how many this trial takes: small where the truth is dear.
    note : str
        For the table: where float64 ends; why a kind was weakened.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {KINDS}, got {kind!r}")

    def register(function: Callable[[Instance], Iterator[Any]]) -> Callable[[Instance], Iterator[Any]]:
        family = function.__module__.rpartition(".")[2]
        made = Trial(function, family, solver, states, kind, truth, zoo, largest, share, note)
        if made.name in TRIALS:
            raise ValueError(f"two trials are called {made.name}")
        TRIALS[made.name] = made
        return function

    return register


def statistical_trial(*, share: float = 0.1, **options: Any) -> Any:
    """A trial that yields statistics; each costs 2,000 draws, hence few instances."""
    return trial(kind="statistical", share=share, **options)
