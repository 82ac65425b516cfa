"""Games between nodes and the laws of their strengths: the one place that calls the kernels of histories."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ... import _core
from ..._validate import Progress
from .._paired import PairPoint, PairProblem
from .._table import Timelines

Floats = npt.NDArray[np.float64]

CHAIN_STATE = ("positions", "steps", "moves")
_MAX_FLOPS = 1e14


class Laws(NamedTuple):
    """Of an item's first strength: logistic of strength `prior`, and normal unless `precision` is 0."""

    prior: float
    mean: float = 0.0
    precision: float = 0.0


@dataclass(frozen=True, eq=False)
class HistoryProblem:
    """Comparisons between items on dates, and how strengths may change.

    Attributes
    ----------
    games : PairProblem
        Of `lines.games`; its prior is that of `laws`.
    lines : Timelines
    laws : Laws
    volatility : float
    """

    games: PairProblem
    lines: Timelines
    laws: Laws
    volatility: float

    def __getstate__(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @cached_property
    def precision(self) -> Floats:
        """Of each node's link to the one before; 1 where there is none."""
        with np.errstate(over="ignore", divide="ignore"):
            out: Floats = 1.0 / (self.volatility * self.volatility * self.lines.gaps)
        out[np.isnan(out)] = 1.0
        if not (out > 0).all():
            raise ValueError(f"volatility {self.volatility:g} is too large: its square overflows")
        if not np.isfinite(out).all():
            raise ValueError(
                f"volatility {self.volatility:g} is too small for the shortest gap between times"
            )
        return out

    @property
    def ends(self) -> npt.NDArray[np.int64]:
        """One behind the last node of each item that has any."""
        ends: npt.NDArray[np.int64] = self.lines.starts[1:][np.diff(self.lines.starts) > 0]
        return ends

    @cached_property
    def kernel(self) -> _core.rank.HistoryProblem:
        """As the kernels have it; made anew after unpickling."""
        return _core.rank.HistoryProblem(
            self.games.kernel, self.lines.starts, self.precision, self.lines.held, *self.laws
        )

    def _at(self, point: PairPoint) -> _core.rank.PairPoint:
        return self.kernel.at(point.strengths, point.tie, point.home_advantage)

    def fit(
        self, start: PairPoint, *, tol: float, max_iter: int, n_threads: int, progress: Progress | None
    ) -> dict[str, Any]:
        """The joint maximum, with its certificate."""
        return self.kernel.fit(
            self._at(start), tol=tol, max_iter=max_iter, n_threads=n_threads, progress=progress
        )

    def posterior(self, at: PairPoint, max_bytes: float, n_threads: int) -> tuple[Any, float]:
        """The normal law at the maximum, or None, and the bytes that it takes (0: too long)."""
        found, needed = self.kernel.posterior(
            self._at(at), max_flops=_MAX_FLOPS, max_bytes=max_bytes, n_threads=n_threads
        )
        return found, needed

    def sample(
        self,
        at: PairPoint,
        normal_law: Any,
        state: dict[str, Any] | None,
        *,
        n_chains: int,
        warmup: int,
        draws: int,
        kept: npt.NDArray[np.int64],
        seed: int,
        n_threads: int,
        progress: Progress | None,
    ) -> dict[str, Any]:
        """Draws by Hamiltonian moves in the metric of the normal law, or by Gibbs sweeps without one."""
        return self.kernel.sample(
            self._at(at),
            normal_law,
            **(dict.fromkeys(CHAIN_STATE) if state is None else state),
            n_chains=n_chains,
            warmup=warmup,
            draws=draws,
            kept=kept,
            seed=seed,
            n_threads=n_threads,
            progress=progress,
        )
