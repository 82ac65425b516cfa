"""Rank sets and tiers by inverting simultaneous contrast intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ... import _core
from ..._errors import interrupted
from ..._validate import check_choice, check_count, check_level, check_room, check_threads, seed_words
from .covariance import KINDS, covariance

if TYPE_CHECKING:
    from .._paired import BootstrapResult, BradleyTerryFit

Array = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]

METHODS = ("simultaneous", "marginal")
FULL_LIMIT = 3000
_BATCH = 32


@dataclass(frozen=True, repr=False, eq=False)
class Tiers:
    """Items in groups, best first: a tier starts at the first item surely worse than the best above.

    Attributes
    ----------
    groups : tuple of ndarray
        Labels of each tier, strongest first.
    tier : ndarray of int, shape (n_items,)
        Tier of each item, from 1, in the order of the fit's items.
    level : float
        Of the statements behind them.
    """

    groups: tuple[npt.NDArray[Any], ...]
    tier: npt.NDArray[np.int64]
    level: float

    def __len__(self) -> int:
        return len(self.groups)

    def __repr__(self) -> str:
        lines = [f"Tiers: {len(self)} at level {self.level:g}"]
        for k, group in enumerate(self.groups[:10], 1):
            names = ", ".join(str(label) for label in group[:6])
            lines.append(f"  {k}: {names}{f' and {len(group) - 6} more' if len(group) > 6 else ''}")
        if len(self) > 10:
            lines.append(f"  ... {len(self) - 10} more tiers")
        return "\n".join(lines)


@dataclass(frozen=True, repr=False, eq=False)
class RankIntervals:
    """The ranks that each item can have: [1 + number surely better, n - number surely worse].

    Attributes
    ----------
    items : ndarray, shape (k,)
        Labels of the items asked for (default all).
    lower, upper : ndarray of int, shape (k,)
        Best and worst rank, 1 = strongest.
    rank : ndarray of int, shape (k,)
        Rank by estimated strength.
    level : float
        With which all rank sets hold together ('simultaneous'), or each by itself ('marginal').
    method : {'simultaneous', 'marginal'}
    uncertainty : str
        Where the error of the contrasts comes from.
    critical_value : float or ndarray, shape (k,)
        Quantile of max |t| that a contrast had to pass; one an item for 'marginal'.
    draws : int
        Simulated draws (or bootstrap rounds) behind it.
    """

    items: npt.NDArray[Any]
    lower: npt.NDArray[np.int64]
    upper: npt.NDArray[np.int64]
    rank: npt.NDArray[np.int64]
    level: float
    method: str
    uncertainty: str
    critical_value: float | Array
    draws: int
    _fit: BradleyTerryFit
    _errors: Array  # k x n standard errors of contrasts

    def tiers(self) -> Tiers:
        """Groups of items not surely worse than the best of their group. Needs the rank sets of all items."""
        fit = self._fit
        if len(self.items) != len(fit):
            raise ValueError(f"tiers needs rank sets of all {len(fit)} items, got {len(self.items)}")
        critical = np.broadcast_to(self.critical_value, len(fit))
        tier = np.zeros(len(fit), dtype=np.int64)
        order = fit.order
        leader, current = order[0], 1
        starts = [0]
        for place, i in enumerate(order):
            if _beyond(fit.strengths[leader] - fit.strengths[i], critical[leader], self._errors[leader, i]):
                leader, current = i, current + 1
                starts.append(place)
            tier[i] = current
        groups = tuple(fit.items[part] for part in np.split(order, starts[1:]))
        return Tiers(groups, tier, self.level)

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns item, rank, lower, upper, strongest first."""
        order = np.argsort(self.rank, kind="stable")
        return {
            "item": self.items[order],
            "rank": self.rank[order],
            "lower": self.lower[order],
            "upper": self.upper[order],
        }

    def __repr__(self) -> str:
        order = np.argsort(self.rank, kind="stable")
        width = max(len(str(self.items[i])) for i in order[:10])
        how = f"{self.method} at level {self.level:g}"
        lines = [
            f"RankIntervals: {len(self.items)} items, {how}, {self.uncertainty}",
        ]
        lines += [
            f"  {self.items[i]!s:<{width}}  {self.rank[i]}  [{self.lower[i]}, {self.upper[i]}]"
            for i in order[:10]
        ]
        if len(order) > 10:
            lines.append(f"  ... {len(order) - 10} more")
        return "\n".join(lines)


def rank_intervals(
    fit: BradleyTerryFit,
    *,
    level: float = 0.95,
    method: str = "simultaneous",
    uncertainty: str | BootstrapResult = "sandwich",
    items: Any = None,
    draws: int | None = None,
    rng: Any = 0,
    n_threads: int | None = None,
) -> RankIntervals:
    """The public docstring is that of `BradleyTerryFit.rank_intervals`."""
    from .._paired import BootstrapResult

    level = check_level(level)
    method = check_choice(method, "method", METHODS)
    threads = check_threads(n_threads)
    n = len(fit)
    positions = _asked(fit, items)
    if isinstance(uncertainty, BootstrapResult):
        if uncertainty.fit is not fit and not np.array_equal(uncertainty.fit.items, fit.items):
            raise ValueError("uncertainty is a bootstrap of a fit with other items")
        name = f"{uncertainty.method} bootstrap"
        noise = uncertainty.strengths - fit.strengths
        errors = _errors_of_draws(noise, positions)
    else:
        name = check_choice(uncertainty, "uncertainty", KINDS)
        # Of some items each draw takes a solve: the least that is enough.
        few = 2000 if items is not None else int(np.clip(5e6 / n, 2000, 10_000))
        count = few if draws is None else check_room(check_count(draws, "draws"), "draws", n)
        seed, stream = seed_words(rng)
        if items is None:
            v = covariance(fit, kind=name, n_threads=threads)
            errors = v.contrast_errors()
            noise = _gaussian(v.matrix, count, seed, stream, threads)
        else:
            noise = _score_draws(fit, name, count, seed, threads)
            errors = _errors_of_draws(noise, positions)
    scale = np.divide(1.0, errors, out=np.zeros_like(errors), where=errors > 0)
    marginal = method == "marginal"
    maxima = _core.rank._contrast_maxima(noise, positions.astype(np.int32), scale, marginal, threads)
    if maxima is None:
        raise interrupted(None)
    critical = np.quantile(maxima, level, axis=1, method="higher")
    gap = fit.strengths[positions][:, None] - fit.strengths[None, :]
    better = _beyond(-gap, critical[:, None], errors).sum(axis=1)
    worse = _beyond(gap, critical[:, None], errors).sum(axis=1)
    place = np.empty(n, dtype=np.int64)
    place[fit.order] = np.arange(1, n + 1)
    return RankIntervals(
        items=fit.items[positions],
        lower=1 + better,
        upper=n - worse,
        rank=place[positions],
        level=level,
        method=method,
        uncertainty=name,
        critical_value=critical if marginal else float(critical[0]),
        draws=len(noise),
        _fit=fit,
        _errors=errors,
    )


def _beyond(gap: Any, critical: Any, error: Any) -> Any:
    """Is a contrast surely positive? Never where its error is unknown or zero."""
    with np.errstate(invalid="ignore"):  # inf * 0
        return (error > 0) & (gap > critical * error)


def _asked(fit: BradleyTerryFit, items: Any) -> Positions:
    if items is None:
        if len(fit) > FULL_LIMIT:
            raise ValueError(
                f"items: rank sets of all {len(fit)} items take all pairs; name the items you want (up to "
                f"{FULL_LIMIT} items the default is all)"
            )
        return np.arange(len(fit))
    if isinstance(items, str) or not np.iterable(items):
        raise TypeError(f"items must be a sequence of labels or None, got {items!r}")
    positions = np.array([fit.index(label) for label in items], dtype=np.intp)
    if len(positions) == 0:
        raise ValueError("items must name at least one item, got none")
    return positions


def _gaussian(matrix: Array, draws: int, seed: int, stream: int, threads: int) -> Array:
    """Draws with this covariance up to a common shift, which contrasts do not see."""
    n = len(matrix)
    size = float(np.trace(matrix)) / n
    # The common shift has no variance; and with few clusters other directions have none. 1e-10 of the mean
    # variance makes the factorisation safe and moves a standard error by 1e-5 of its size at most.
    lifted = matrix + size / n
    lifted[range(n), range(n)] += 1e-10 * size
    out = _core.rank._gaussian_draws(np.linalg.cholesky(lifted), draws, seed, stream, threads)
    if out is None:
        raise interrupted(None)
    return np.asarray(out)


def _score_draws(fit: BradleyTerryFit, kind: str, draws: int, seed: int, threads: int) -> Array:
    """H^+ u for u ~ N(0, J): draws of all strengths without a full covariance, a solve each."""
    from .._paired.information import Information

    info = Information(fit, threads)
    rng = np.random.default_rng(seed)
    out = np.empty((draws, info.n))
    for begin in range(0, draws, _BATCH):
        width = min(_BATCH, draws - begin)
        x = info.solve(info.draw_scores(rng, width, kind))
        out[begin : begin + width] = x[: info.n].T
    return out


def _errors_of_draws(noise: Array, positions: Positions) -> Array:
    """Standard errors of contrasts with the items; infinite draws count as their largest finite one."""
    bad = ~np.isfinite(noise)
    if bad.any():
        low = np.nanmin(np.where(bad, np.nan, noise), axis=0, initial=0.0)
        high = np.nanmax(np.where(bad, np.nan, noise), axis=0, initial=0.0)
        noise = np.where(np.isnan(noise), 0.0, np.clip(noise, low, high))
    centred = noise - noise.mean(axis=0)
    variance = np.einsum("ij,ij->j", centred, centred)
    cross = centred[:, positions].T @ centred
    squares = variance[positions][:, None] + variance[None, :] - 2 * cross
    errors = np.sqrt(np.maximum(squares, 0.0) / max(len(noise) - 1, 1))
    errors[np.arange(len(positions)), positions] = 0.0
    return np.asarray(errors)
