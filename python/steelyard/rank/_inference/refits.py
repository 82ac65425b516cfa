"""Bootstraps whose rounds are refits, one after the other."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._errors import interrupted, report
from ..._validate import Progress, check_count, check_progress, check_rng, check_room, check_threads
from .bootstrap_result import BootstrapInfo, BootstrapResult, finish_rounds
from .ranked import Ranked

Floats = npt.NDArray[np.float64]

ROUND_TOL = 1e-6
ROUND_STEPS = 50


class Refitted(Ranked):
    """A fit with a Bayesian bootstrap; a model adds `_refit`."""

    @abstractmethod
    def _refit(self, rng: np.random.Generator, n_threads: int) -> Callable[[], dict[str, Any]]:
        """What refits, from this optimum, to freshly drawn weights: "strengths", "info" and whatever else."""

    @property
    def _beside(self) -> int:
        """Numbers that a round keeps beside the strengths."""
        return 0

    def _further(self, found: list[dict[str, Any]]) -> dict[str, Floats | None]:
        """Columns of the result beside the strengths, of what each refit told."""
        return {}

    def bootstrap(
        self,
        n_rounds: int = 200,
        *,
        rng: Any = None,
        max_memory: float = 4e9,
        n_threads: int | None = None,
        progress: Progress | None = None,
    ) -> BootstrapResult:
        """Refits to data with random weights: the Bayesian bootstrap.

        Parameters
        ----------
        n_rounds : int, default 200
            Number of refits.
        rng : None, int, SeedSequence, BitGenerator or Generator, optional
        max_memory : float, default 4e9
            Bytes that the rounds may take; more is refused before any work.
        n_threads : int, optional
            Default: see `steelyard.build_info`. The result does not depend on it.
        progress : callable, optional
            Called as progress(rounds done, n_rounds).

        Returns
        -------
        BootstrapResult

        Raises
        ------
        MemoryError
            If the rounds would take more than `max_memory` bytes.
        KeyboardInterrupt
            On Ctrl-C; ``.partial`` holds the rounds so far.

        Warns
        -----
        ConvergenceWarning
            If a round misses a Newton decrement of 1e-6.

        Notes
        -----
        The weight of each comparison, game or ranking is multiplied by an exponential variate of its own
        (what was counted together by one of gamma's law, their sum), so that a round has an optimum where the
        fit has one. A few Newton steps a round, from the fit.

        Examples
        --------
        >>> from steelyard.rank import plackett_luce
        >>> fit = plackett_luce([["a", "b", "c"], ["b", "a", "c"], ["c", "a"], ["c", "b"]])
        >>> fit.bootstrap(50, rng=0).strengths.shape
        (50, 3)
        """
        kept = len(self) + self._beside
        rounds = check_room(check_count(n_rounds, "n_rounds"), "n_rounds", kept, max_memory=max_memory)
        threads, callback, generator = check_threads(n_threads), check_progress(progress), check_rng(rng)
        strengths, found, info = _rounds(self._refit(generator, threads), rounds, len(self), callback)
        columns: dict[str, Any] = {"tie_parameters": None, "home_advantages": None, "coefficients": None}
        columns |= self._further(found)
        result = BootstrapResult(strengths, **columns, method="bayesian", fit=self, info=info)
        return finish_rounds(result, n_threads)


def draw_counts(counts: Floats, squared: Floats) -> Callable[[np.random.Generator], Floats]:
    """What draws counts with an exponential weight a comparison, by sums of weights and their squares."""
    with np.errstate(divide="ignore", invalid="ignore"):
        shape = np.where(counts > 0, counts**2 / squared, 0.0)
        scale = np.where(counts > 0, squared / counts, 0.0)
    return lambda rng: scale * rng.standard_gamma(shape)


def _rounds(
    refit: Callable[[], dict[str, Any]], rounds: int, n: int, progress: Progress | None
) -> tuple[Floats, list[dict[str, Any]], BootstrapInfo]:
    """Strengths of every round, all that `refit` told of it, and the account; those made until Ctrl-C."""
    start, found, stopped = perf_counter(), [], False
    out = np.empty((rounds, n))
    try:  # a round is short: Ctrl-C may come between two of them
        for r in range(rounds):
            one = refit()
            if one["info"]["interrupted"]:
                raise interrupted(None)
            out[r] = one["strengths"] - one["strengths"].mean()
            found.append({**one, "strengths": None})
            report(progress, r + 1, rounds)
    except KeyboardInterrupt:
        stopped = True
    accounts = [one["info"] for one in found]
    missed = sum(not account["converged"] for account in accounts)
    info = BootstrapInfo(
        converged=not (stopped or missed),
        iterations=sum(account["iterations"] for account in accounts),
        solver=f"{accounts[0]['solver']}, warm starts" if accounts else "newton",
        seconds=perf_counter() - start,
        tol=ROUND_TOL,
        error_bound=max((account["error_bound"] for account in accounts), default=None),
        error_kind="asymptotic",
        message=f"stopped by Ctrl-C after {len(found)} rounds" if stopped else "",
        interrupted=stopped,
        unconverged_rounds=missed,
    )
    return out[: len(found)], found, info
