"""Rankings and a prior: the one place that calls the kernels of rankings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _core
from ..._validate import Progress
from .._table import Rankings

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RankingProblem:
    """Plackett and Luce's model of some rankings; a point is the strengths of the kernels.

    Attributes
    ----------
    rankings : Rankings
    prior : float
    """

    rankings: Rankings
    prior: float

    @property
    def n(self) -> int:
        """Number of items."""
        return self.rankings.n

    def _kernel(self, weight: Floats | None) -> dict[str, Any]:
        return {"rankings": self.rankings.kernel, "weight": weight, "prior": self.prior}

    def fit(
        self,
        start: Floats,
        *,
        solver: str,
        tol: float,
        max_iter: int,
        warm_sweeps: int = 0,
        factors: Floats | None = None,
        n_threads: int,
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        """The optimum, with its certificate; `factors` multiply the weights of the rankings."""
        weight = self.rankings.weight
        if factors is not None:
            weight = factors if weight is None else factors * weight
        return _core.rank._fit_plackett_luce(
            **self._kernel(weight),
            solver=solver,
            linear="auto",
            tol=tol,
            max_iter=max_iter,
            warm_sweeps=warm_sweeps,
            strengths=start,
            n_threads=n_threads,
            progress=progress,
        )

    def hessian(self, at: Floats, n_threads: int) -> Floats:
        """H in full."""
        return np.asarray(self._derivatives(at, True, n_threads)["hessian"])

    def scores(self, at: Floats, n_threads: int) -> Any:
        """The gradient of each ranking, as a sparse matrix with a row a ranking."""
        from scipy import sparse

        table, found = self.rankings, self._derivatives(at, False, n_threads)["scores"]
        return sparse.csr_array((found, table.codes, table.starts), shape=(len(table.stages), table.n))

    def _derivatives(self, at: Floats, hessian: bool, n_threads: int) -> dict[str, Any]:
        return _core.rank._ranking_derivatives(
            **self._kernel(self.rankings.weight), strengths=at, hessian=hessian, x=None, n_threads=n_threads
        )

    def solve(self, at: Floats, right_sides: Floats, accuracy: float, n_threads: int) -> Floats | None:
        """H^+ B; None if H is singular to rounding."""
        found = _core.rank._solve_ranking_system(
            **self._kernel(self.rankings.weight),
            strengths=at,
            right_sides=right_sides,
            linear="auto",
            accuracy=accuracy,
            n_threads=n_threads,
        )
        return None if found is None else np.asarray(found)
