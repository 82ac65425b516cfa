"""How much harder the next grade is: the slope of a grade scale, with climbers who change over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _core
from ..._errors import ConvergenceWarning, interrupted, warn
from ..._labels import position
from ..._results import Result
from ..._spelling import row_words, shown
from ..._validate import (
    Progress,
    check_count,
    check_level,
    check_number,
    check_positive,
    check_progress,
    check_steps,
    check_threads,
    check_vector,
    seed_words,
)
from .._table import check_times, columns_of, encode_one, positions, read_booleans, unit_length
from .draws import effective_sizes
from .history_samples import complaint_of
from .problem import CHAIN_STATE

Floats = npt.NDArray[np.float64]
_CALENDAR = {"month": "M", "year": "Y"}
_MOMENTS = ("mean", "squares", "counts")


@dataclass(frozen=True, repr=False, eq=False)
class GradeScale(Result):
    """Posterior of the slope of a grade scale and of the climbers' abilities.

    A node is a climber in a period (such as a month) with ascents; nodes are sorted by climber, then period.

    Attributes
    ----------
    slopes : ndarray, shape (n_chains, n_draws)
        Draws of m.
    climbers : ndarray
        Labels.
    node_climbers : ndarray of int, shape (n_nodes,)
        Positions in `climbers`.
    node_periods : ndarray of int, shape (n_nodes,)
        Months since January 1970, years AD, or whole time units of the times as given.
    abilities, ability_errors : ndarray, shape (n_nodes,)
        Posterior mean and standard deviation, on the scale of the grades: the grade that succeeds half the
        time.
    r_hat, effective_size : float
        Of the slope: rank-normalised split R-hat, bulk effective sample size.
    acceptance : ndarray, shape (n_chains,)
    n_ascents : int
    """

    slopes: Floats
    climbers: npt.NDArray[Any]
    node_climbers: npt.NDArray[np.int32]
    node_periods: npt.NDArray[np.int64]
    abilities: Floats
    ability_errors: Floats
    r_hat: float
    effective_size: float
    acceptance: Floats
    n_ascents: int
    _problem: dict[str, Any] = field(repr=False)
    _state: dict[str, Any] = field(repr=False)
    _log_posterior: Floats = field(repr=False)

    def __repr__(self) -> str:
        if self.slopes.size == 0:
            return f"GradeScale: {len(self.climbers):,} climbers, {self.n_ascents:,} ascents; no draws yet"
        low, high = self.slope_interval()
        chains, draws = self.slopes.shape
        return (
            f"GradeScale: {len(self.climbers):,} climbers, {self.n_ascents:,} ascents\n"
            f"slope m {self.slope:.3f} [{low:.3f}, {high:.3f}], odds ratio of a grade e^m "
            f"{self.odds_ratio:.3f} [{np.exp(low):.3f}, {np.exp(high):.3f}] (95 %)\n"
            f"{chains} chains x {draws:,} draws, R-hat {self.r_hat:.3f}, effective sample "
            f"{self.effective_size:,.0f}"
        )

    @property
    def slope(self) -> float:
        """Posterior mean of m: the log-odds of success fall by m a grade."""
        return float(self.slopes.mean())

    def slope_interval(self, level: float = 0.95) -> tuple[float, float]:
        """Equal-tailed credible interval of m.

        Parameters
        ----------
        level : float, default 0.95

        Returns
        -------
        tuple of float
        """
        tail = 0.5 - 0.5 * check_level(level)
        low, high = np.quantile(self.slopes, [tail, 1 - tail])
        return float(low), float(high)

    @property
    def odds_ratio(self) -> float:
        """Posterior mean of e^m: how many times smaller the odds are one grade up."""
        return float(np.exp(self.slopes).mean())

    def odds_ratio_interval(self, level: float = 0.95) -> tuple[float, float]:
        """Equal-tailed credible interval of e^m.

        Parameters
        ----------
        level : float, default 0.95

        Returns
        -------
        tuple of float
        """
        low, high = self.slope_interval(level)
        return float(np.exp(low)), float(np.exp(high))

    def ability(self, climber: Any) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
        """Periods, abilities and their posterior standard deviations of one climber.

        Parameters
        ----------
        climber : label

        Raises
        ------
        KeyError
            If there is no such climber.
        """
        own = self.node_climbers == position(positions(self.climbers), climber, "climber")
        return self.node_periods[own], self.abilities[own], self.ability_errors[own]

    def to_frame(self) -> Mapping[str, npt.NDArray[Any]]:
        """Columns ``climber``, ``period``, ``ability``, ``standard_error``.

        Returns
        -------
        dict of str to ndarray
            Any data frame library takes it.
        """
        return {
            "climber": self.climbers[self.node_climbers],
            "period": self.node_periods,
            "ability": self.abilities,
            "standard_error": self.ability_errors,
        }

    def sample(
        self,
        n_draws: int = 1000,
        *,
        max_memory: float = 4e9,
        n_threads: int | None = None,
        progress: Progress | None = None,
    ) -> GradeScale:
        """Go on with the chains where they ended.

        Parameters
        ----------
        n_draws : int, default 1000
            More, of each chain.
        max_memory, n_threads, progress
            As for `grade_scale`.

        Returns
        -------
        GradeScale
            With all draws.
        """
        draws, chains = check_count(n_draws, "n_draws", least=4), len(self.slopes)
        _check_memory(self.slopes.shape[1] + draws, chains, len(self.node_climbers), max_memory)
        out = _core.rank._sample_grades(
            **self._problem,
            **self._state,
            n_chains=chains,
            draws=draws,
            n_threads=check_threads(n_threads),
            progress=check_progress(progress),
        )
        return _finished(self, out)


def grade_scale(
    ascents: Any,
    *,
    climber: str = "climber",
    grade: str = "grade",
    sent: str = "sent",
    time: str = "time",
    time_unit: str | float = "month",
    first: tuple[float, float] = (18.0, 5.0),
    volatility: float = 0.5,
    slope_prior: tuple[float, float] = (-0.5, 0.6),
    n_draws: int = 1000,
    n_chains: int = 4,
    n_warmup: int = 300,
    rng: Any = None,
    max_memory: float = 4e9,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> GradeScale:
    """How much harder the next grade of a climbing scale is, from ascents and failures.

    The chance to send a route of grade R is 1 / (1 + exp(-m (C - R))): the assigned grade R is taken as
    known, the climber's ability C is a random walk over periods, and m is the slope that is asked for.

    Parameters
    ----------
    ascents : data frame, or mapping of column names to arrays
        A row a try.
    climber, grade, sent, time : str
        Columns: label of the climber; grade as a number, one apart from grade to grade; whether the try
        succeeded (booleans, or 0 and 1); when, as dates or numbers.
    time_unit : {'month', 'year', 'week', 'day'} or float, default 'month'
        Length of a period: calendar months and years; else of so many days (or of the unit of numeric times),
        counted from time 0.
    first : (mean, sd), default (18, 5)
        Normal law of the ability in a climber's first period. The default is for the Ewbank scale; other
        scales need their own.
    volatility : float, default 0.5
        Standard deviation of the change of ability over one period.
    slope_prior : (mean, sd), default (-0.5, 0.6)
        Normal law of log m.
    n_draws, n_chains, n_warmup : int, defaults 1000, 4 and 300
        Draws kept of each chain, chains, and the moves before that adapt the step.
    rng : None, int, SeedSequence, BitGenerator or Generator
    max_memory : float, default 4e9
        Bytes that the draws and their chains may take; more is refused before any work.
    n_threads : int, optional
        Default: see `steelyard.build_info`. The draws do not depend on it.
    progress : callable, optional
        Called as progress(moves, all moves).

    Returns
    -------
    GradeScale

    Raises
    ------
    ValueError, TypeError
        If a column is not there, or an argument does not fit.
    MemoryError
        If the draws and their chains would take more than `max_memory` bytes.
    KeyboardInterrupt
        On Ctrl-C; ``.partial`` holds the draws so far, whose `GradeScale.sample` goes on.

    Warns
    -----
    ConvergenceWarning
        If R-hat of the slope exceeds 1.01, its effective sample is below 100 a chain, or moves diverge.

    Notes
    -----
    Hamiltonian Monte Carlo on all abilities and the slope together, about the normal law of the Fisher
    information at the maximum. A gradient costs O(tries); a draw takes two to four of them.

    Grades are taken as chosen by what the data shows (earlier tries) or by chance. Where climbers choose by
    an ability that the data does not show, the slope comes out too small.

    References
    ----------
    A. Drummond and A. Popinga, "Bayesian inference of the climbing grade scale" (2021), whose laws are the
    defaults.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> grade = rng.integers(14, 23, 2000)
    >>> tries = {"climber": rng.integers(0, 5, 2000), "grade": grade, "time": rng.integers(0, 12, 2000)}
    >>> tries["sent"] = rng.random(2000) < 1 / (1 + np.exp(-0.8 * (18.5 - grade)))
    >>> scale = grade_scale(tries, time_unit=1, rng=1)
    >>> low, high = scale.slope_interval()
    >>> print(low < 0.8 < high)
    True
    """
    names = {"climber": climber, "grade": grade, "sent": sent, "time": time}
    for part, column in names.items():
        if not isinstance(column, str):
            raise TypeError(f"{part} must be a column name, got {shown(column)}")
    columns = columns_of(ascents, {column: part for part, column in reversed(names.items())}, "ascents")
    labels, who = encode_one(columns[climber], climber)
    count = len(who)
    if count == 0:
        raise ValueError("ascents has no rows")
    grades = check_vector(columns[grade], grade, length=count)
    up = read_booleans(columns[sent], sent, row_words)
    period = _periods(check_times(columns[time], time, count), time_unit)
    laws = (*_law(first, "first"), *_law(slope_prior, "slope_prior"))
    drift = check_positive(volatility, "volatility")
    chains, warmup = check_count(n_chains, "n_chains", least=2), check_steps(n_warmup, "n_warmup", least=20)
    draws, threads = check_count(n_draws, "n_draws", least=4), check_threads(n_threads)
    callback = check_progress(progress)
    problem, node_climbers, node_periods = _problem(who, period, grades, up, len(labels), drift, laws)
    _check_memory(draws, chains, len(node_climbers), max_memory)
    problem = {**problem, "at": _mode(problem, drift), "seed": seed_words(rng)[0], "warmup": warmup}
    fresh: dict[str, Any] = dict.fromkeys(CHAIN_STATE + _MOMENTS)
    out = _core.rank._sample_grades(
        **problem,
        **fresh,
        n_chains=chains,
        draws=draws,
        n_threads=threads,
        progress=callback,
    )
    empty = np.zeros((chains, 0))
    nothing = np.zeros(len(node_climbers))
    start = GradeScale(
        empty, labels, node_climbers, node_periods, nothing, nothing, np.nan, np.nan, np.zeros(chains), count,
        problem, fresh, empty,
    )  # fmt: skip
    return _finished(start, out)


def _mode(problem: dict[str, Any], drift: float) -> Floats:
    mode, _, _ = _core.rank._grade_mode(**problem)
    if not np.isfinite(mode).all():
        raise ValueError(
            f"volatility {drift:g} (or a standard deviation of first or slope_prior) is too small: the "
            "posterior is singular to rounding"
        )
    return np.asarray(mode)


def _check_memory(draws: int, chains: int, nodes: int, max_memory: float) -> None:
    """Slopes and log densities are kept, abilities as sums; a chain works in some ten vectors of them."""
    most, size = check_positive(max_memory, "max_memory"), 8.0 * chains * (2 * draws + 10 * nodes)
    if size > most:
        name, number = ("n_chains", chains) if chains > draws else ("n_draws", draws)
        numbers = f"n_draws={shown(draws)}, n_chains={shown(chains)}; max_memory is {most / 1e9:.3g} GB"
        raise MemoryError(
            f"{name}={shown(number)} asks for {size / 1e9:.3g} GB of draws and chains ({numbers}); lower "
            "either or raise max_memory"
        )


def _law(values: Any, name: str) -> tuple[float, float]:
    if not isinstance(values, tuple | list) or len(values) != 2:
        raise ValueError(f"{name} must be a pair (mean, standard deviation), got {shown(values)}")
    return check_number(values[0], f"{name}[0]"), check_positive(values[1], f"{name}[1]")


def _periods(times: npt.NDArray[Any], unit: Any) -> npt.NDArray[np.int64]:
    dates = times.dtype.kind == "M"
    if dates and isinstance(unit, str) and unit in _CALENDAR:
        whole = times.astype(f"datetime64[{_CALENDAR[unit]}]").astype(np.int64)
        return np.asarray(whole + (1970 if unit == "year" else 0))
    if not dates and isinstance(unit, str):
        raise ValueError(
            f"time_unit={unit!r} needs dates; the times are numbers: give a length in their unit"
        )
    raw = times.astype(np.int64) if dates else times
    with np.errstate(over="ignore"):
        periods = np.floor(raw / unit_length(unit, dates))
    if not (np.abs(periods) < 2.0**53).all():
        raise ValueError(f"time_unit={shown(unit)} is too short for times to {np.abs(raw).max():.3g}")
    return np.asarray(periods.astype(np.int64))


def _problem(
    who: npt.NDArray[np.int32],
    period: npt.NDArray[np.int64],
    grade: Floats,
    sent: npt.NDArray[np.bool_],
    climbers: int,
    volatility: float,
    laws: tuple[float, ...],
) -> tuple[dict[str, Any], npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Tries counted by node and grade."""
    order = np.lexsort((grade, period, who))
    who, period, grade, sent = who[order], period[order], grade[order], sent[order]
    new_node = np.r_[True, (np.diff(who) != 0) | (np.diff(period) != 0)]
    new_cell = new_node | np.r_[True, np.diff(grade) != 0]
    nodes, cells = np.flatnonzero(new_node), np.flatnonzero(new_cell)
    gap = np.r_[1.0, np.diff(period[nodes]).astype(float)]
    gap[np.r_[True, np.diff(who[nodes]) != 0]] = 1.0
    with np.errstate(over="ignore", divide="ignore"):
        precision = 1.0 / (volatility * volatility * gap)
    problem = {
        "chains": np.searchsorted(who[nodes], np.arange(climbers + 1)).astype(np.int64),
        "precision": precision,
        "cells": np.searchsorted(cells, np.r_[nodes, len(who)]).astype(np.int64),
        "grade": grade[cells],
        "sent": np.add.reduceat(sent.astype(np.float64), cells),
        "failed": np.add.reduceat((~sent).astype(np.float64), cells),
        "laws": laws,
    }
    return problem, who[nodes], period[nodes]


def _finished(before: GradeScale, out: dict[str, Any]) -> GradeScale:
    """All draws so far with their diagnostics."""
    made = int(out["made"])
    if out["interrupted"] and made == 0:
        raise interrupted(before)  # without draws chains begin again: their warm-up is not over
    slopes = np.concatenate([before.slopes, out["slope"][:, :made]], axis=1)
    log_posterior = np.concatenate([before._log_posterior, out["log_posterior"][:, :made]], axis=1)
    r_hat, sizes = effective_sizes(np.log(slopes)[:, :, None])
    counts = out["counts"][:, None].astype(np.float64)
    total = max(counts.sum(), 1.0)
    mean = (counts * out["mean"]).sum(axis=0) / total
    squares = (out["squares"] + counts * (out["mean"] - mean) ** 2).sum(axis=0)
    chains = out["chains"]
    found = GradeScale(
        slopes=slopes,
        climbers=before.climbers,
        node_climbers=before.node_climbers,
        node_periods=before.node_periods,
        abilities=mean,
        ability_errors=np.sqrt(squares / max(total - 1.0, 1.0)),
        r_hat=float(r_hat[0]),
        effective_size=float(sizes[0]),
        acceptance=chains["acceptance"],
        n_ascents=before.n_ascents,
        _problem=before._problem,
        _state={k: chains[k] for k in CHAIN_STATE} | {k: out[k] for k in _MOMENTS},
        _log_posterior=log_posterior,
    )
    if out["interrupted"]:
        raise interrupted(found)
    complaint = complaint_of(found.r_hat, found.effective_size, int(chains["divergences"].sum()), len(slopes))
    if complaint:
        warn(f"the draws are not to be trusted yet: {complaint}; draw more", ConvergenceWarning)
    return found
