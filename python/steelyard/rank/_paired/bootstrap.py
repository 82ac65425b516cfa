"""Refits to resampled comparisons."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ... import _core
from ..._errors import ConvergenceWarning, DisconnectedWarning, interrupted
from ..._info import Info
from ..._validate import (
    Progress,
    check_choice,
    check_count,
    check_level,
    check_progress,
    check_threads,
    seed_words,
)

if TYPE_CHECKING:
    from .._inference import RankIntervals, Tiers
    from .fit import BradleyTerryFit

Array = npt.NDArray[np.float64]

METHODS = ("bayesian", "multinomial", "cluster")
_TOL = 1e-6
_INFINITE, _UNCONVERGED = 2, 3


@dataclass(frozen=True, kw_only=True)
class BootstrapInfo(Info):
    """Info of a bootstrap; `error_bound` is the largest Newton decrement of a round.

    Attributes
    ----------
    infinite_rounds : int
        Rounds whose optimum is infinite. Their items are at +-inf, or NaN where they can't be compared.
    unconverged_rounds : int
        Rounds that missed the tolerance; their last values are kept.
    """

    infinite_rounds: int = 0
    unconverged_rounds: int = 0


@dataclass(frozen=True, repr=False, eq=False)
class BootstrapResult:
    """Strengths of every round.

    Attributes
    ----------
    strengths : ndarray, shape (rounds, n_items)
        Natural-log strengths with mean 0 in each round; +-inf (or NaN) where a round has no finite optimum
        for an item.
    tie_parameters, home_advantages : ndarray, shape (rounds,), or None
        Where they were fitted.
    coefficients : ndarray, shape (rounds, number of covariates), or None
        Of the covariates, in the units of ``fit.coefficients``; NaN in rounds without a finite optimum for
        them. Where only strengths have none, they are those of the items that can be compared.
    method : str
        How the comparisons were resampled.
    fit : BradleyTerryFit
        What was resampled.
    info : BootstrapInfo
        Rounds without a finite optimum are counted in ``info.infinite_rounds``.
    """

    strengths: Array
    tie_parameters: Array | None
    home_advantages: Array | None
    coefficients: Array | None
    method: str
    fit: BradleyTerryFit
    info: BootstrapInfo = field(repr=False)

    def __len__(self) -> int:
        return len(self.strengths)

    def intervals(self, level: float = 0.95, *, reference: Any = "mean") -> tuple[Array, Array]:
        """Percentile intervals of the strengths against the mean of all items, or against one of them.

        Parameters
        ----------
        level : float, default 0.95
            Of each interval.
        reference : 'mean' or label
            What the strengths are taken against.

        Returns
        -------
        lower, upper : ndarray, shape (n_items,)
            May be infinite where rounds without a finite optimum reach into the tails; a round that can't
            tell counts against both ends.

        Notes
        -----
        O(rounds n_items log rounds) time, one copy of `strengths`.
        """
        tail = (1 - check_level(level)) / 2
        values = self.strengths
        if not (isinstance(reference, str) and reference == "mean"):
            with np.errstate(invalid="ignore"):  # inf - inf: the round can't tell
                values = values - values[:, [self.fit.index(reference)]]
            values[:, self.fit.index(reference)] = 0.0
        unknown = np.isnan(values)
        lower = np.quantile(np.where(unknown, -np.inf, values), tail, axis=0, method="inverted_cdf")
        upper = np.quantile(np.where(unknown, np.inf, values), 1 - tail, axis=0, method="inverted_cdf")
        return lower, upper

    def rank_intervals(self, level: float = 0.95, **options: Any) -> RankIntervals:
        """The ranks that each item can have, judged by these rounds; see `steelyard.rank.RankIntervals`."""
        return self.fit.rank_intervals(level, uncertainty=self, **options)

    def tiers(self, level: float = 0.95, **options: Any) -> Tiers:
        """Groups of items that these rounds do not tell apart from the best of their group."""
        return self.rank_intervals(level, **options).tiers()

    def __repr__(self) -> str:
        infinite = (
            f", {self.info.infinite_rounds} without a finite optimum" if self.info.infinite_rounds else ""
        )
        return (
            f"BootstrapResult: {len(self)} {self.method} rounds of {self.strengths.shape[1]} items"
            f"{infinite}, {self.info.seconds:.2g} s"
        )


def bootstrap(
    fit: BradleyTerryFit,
    rounds: int = 1000,
    *,
    method: str = "bayesian",
    rng: Any = None,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> BootstrapResult:
    """Refits `fit` to resampled comparisons; the public docstring is that of `BradleyTerryFit.bootstrap`."""
    rounds = check_count(rounds, "rounds")
    method = check_choice(method, "method", METHODS)
    threads = check_threads(n_threads)
    callback = check_progress(progress)
    table = fit.comparisons
    rows: dict[str, Any] = {
        "cluster": None,
        "row_wins": None,
        "row_losses": None,
        "row_ties": None,
        "clusters": 0,
    }
    if method == "multinomial":
        _require_whole_counts(fit)
    if method == "cluster":
        rows = _cluster_rows(fit)
    seed, stream = seed_words(rng)
    cells = fit._cells()
    out = _core.rank._bootstrap(
        cells.graph,
        ties_model=fit._spec.ties,
        home=fit._spec.home,
        prior=fit.prior,
        **fit._point(),
        method=method,
        tie_use=fit.ties if fit.ties in ("half", "drop") else "model",
        rounds=rounds,
        seed=seed,
        stream=stream,
        tol=_TOL,
        **rows,
        n_threads=threads,
        progress=callback,
    )
    result = _result(fit, method, out)
    if result.info.interrupted:
        raise interrupted(result)
    _warn(result, table.items)
    return result


def _result(fit: BradleyTerryFit, method: str, out: dict[str, Any]) -> BootstrapResult:
    state = out["state"]
    done = state > 0
    info = BootstrapInfo.from_core(
        out["info"],
        infinite_rounds=int((state == _INFINITE).sum()),
        unconverged_rounds=int((state == _UNCONVERGED).sum()),
    )
    if info.interrupted:
        info = replace(info, converged=False, message=f"stopped by Ctrl-C after {int(done.sum())} rounds")
    strengths = out["strengths"][done] if not done.all() else out["strengths"]
    tie = np.exp(out["tie"][done]) if fit._spec.ties != "none" else None
    return BootstrapResult(
        strengths=strengths,
        tie_parameters=tie,
        home_advantages=out["home"][done] if fit._spec.home else None,
        coefficients=out["coefficients"][done] * fit._spec.covariates.units if fit.coefficients else None,
        method=method,
        fit=fit,
        info=info,
    )


def _warn(result: BootstrapResult, items: npt.NDArray[Any]) -> None:
    rounds, info = len(result), result.info
    if info.infinite_rounds > 0.0125 * rounds:  # (1 - level) / 4 at the usual level of .95
        share = (~np.isfinite(result.strengths)).mean(axis=0)
        worst = np.argsort(-share, kind="stable")[:5]
        names = ", ".join(f"{items[i]} ({share[i]:.0%})" for i in worst if share[i] > 0)
        warnings.warn(
            f"{info.infinite_rounds} of {rounds} rounds have no finite optimum; most often without one: "
            f"{names}. Their intervals may be infinite; method='bayesian' or a prior keeps them finite",
            DisconnectedWarning,
            stacklevel=4,
        )
    if info.unconverged_rounds:
        warnings.warn(
            f"{info.unconverged_rounds} of {rounds} rounds stopped above a Newton decrement of {info.tol:g} "
            f"(the worst at {info.error_bound:.2g})",
            ConvergenceWarning,
            stacklevel=4,
        )


def _require_whole_counts(fit: BradleyTerryFit) -> None:
    table = fit.comparisons
    columns = [table.left_wins, table.right_wins, *([] if table.ties is None else [table.ties])]
    if table.left_squared is not None or any((c != np.floor(c)).any() for c in columns):
        raise ValueError(
            "method='multinomial' needs comparisons counted in whole numbers, without weights; "
            "use method='bayesian' (or 'cluster')"
        )


def _cluster_rows(fit: BradleyTerryFit) -> dict[str, Any]:
    table = fit.comparisons
    if table.cluster is None:
        raise ValueError("method='cluster' needs comparisons with clusters; give from_pairs(cluster=...)")
    present, codes = np.unique(table.cluster, return_inverse=True)
    return {
        "cluster": codes.astype(np.int32),
        "row_wins": table.left_wins,
        "row_losses": table.right_wins,
        "row_ties": table.ties,
        "clusters": len(present),
    }
