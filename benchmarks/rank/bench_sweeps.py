"""Sweeps to a Newton decrement of 1e-10: Zermelo, Newman, Newman with the exact shift, Newton.

Newman's claim (JMLR 24(238), 2023) is that of many fewer sweeps for the same answer. The exact shift acts
under a prior only, so each case runs without and with prior 1 (ties and home on football, ties on the
arena).
"""

from __future__ import annotations

import numpy as np
import pytest
from contenders import to_comparisons
from generators import CASES

from steelyard import _core
from steelyard.rank._paired import cells_of, kernel_arguments, spec_of, starting_tie

SOLVERS = {
    "zermelo": "zermelo",
    "newman": "newman (no shift)",
    "newman, exact shift": "newman",
    "newton": "newton",
}
LIMIT = 3000


def runs():
    for case in CASES:
        for prior in (0.0, 1.0):
            for solver in SOLVERS:
                if prior or solver != "newman, exact shift":
                    yield pytest.param(case, prior, solver, id=f"{case}-prior {prior:g}-{solver}")


@pytest.mark.parametrize(("case", "prior", "solver"), list(runs()))
def test_sweeps(benchmark, case, prior, solver):
    games = CASES[case]()
    comparisons = to_comparisons(games, home=games.home is not None)
    cells = cells_of(comparisons, "davidson", games.home is not None)
    spec = spec_of(cells, "davidson", games.home is not None, prior)

    def fit():
        return _core.rank._fit_bradley_terry(
            **kernel_arguments(cells, spec),
            solver=SOLVERS[solver],
            linear="auto",
            tol=1e-10,
            max_iter=100 if solver == "newton" else LIMIT,
            warm_sweeps=0,
            strengths=np.zeros(games.n),
            tie=starting_tie(cells, spec),
            home_advantage=0.0,
            coefficients=np.zeros(0),
            n_threads=_core._default_threads(),
            progress=None,
        )

    benchmark.group = f"sweeps {case} prior {prior:g}"
    info = benchmark.pedantic(fit, rounds=1, iterations=1)["info"]
    benchmark.extra_info["sweeps"] = info["iterations"] if info["converged"] else f"> {LIMIT}"
    benchmark.extra_info["decrement"] = f"{info['error_bound']:.0e}"
