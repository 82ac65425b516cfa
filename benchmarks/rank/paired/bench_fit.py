"""From integer arrays to strengths: steelyard, the reference, and what pip installs, on (a) to (e).

Ties are half wins on both sides, but for the rows that say davidson (with home advantage on football),
which no peer fits. The error is the largest difference from the optimum, found to a Newton decrement of
1e-12.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from contenders import contenders, to_comparisons
from generators import CASES

from steelyard.rank import bradley_terry


@cache
def optimum(case: str, ties: str, home: bool) -> np.ndarray:
    fit = bradley_terry(to_comparisons(CASES[case](), home=home), ties=ties, home=home, tol=1e-12)
    assert fit.info.newton_decrement <= 1e-12
    return fit.strengths


def runs():
    for case, make in CASES.items():
        games = make()
        for name in contenders(games):
            yield pytest.param(case, "half", False, name, id=f"{case}-{name}")
        if games.tie is not None:
            home = games.home is not None
            for name in contenders(games, home=True):
                yield pytest.param(case, "davidson", home, name, id=f"{case}-davidson-{name}")


@pytest.mark.parametrize(("case", "ties", "home", "name"), list(runs()))
def test_fit(benchmark, case, ties, home, name):
    games = CASES[case]()
    fit = contenders(games, home=home or ties == "davidson")[name](games, ties, home)
    benchmark.group = f"fit {case} {ties}"
    rounds = 9 if name == "steelyard" else 3 if games.n <= 500 else 1
    try:
        strengths = benchmark.pedantic(fit, rounds=rounds, iterations=1, warmup_rounds=1 if rounds > 3 else 0)
    except (RuntimeError, ValueError, FloatingPointError) as error:
        pytest.fail(f"{name} gave up: {error}")
    gap = strengths - strengths.mean() - optimum(case, ties, home)
    benchmark.extra_info["max error"] = f"{np.abs(gap).max():.1e}"
