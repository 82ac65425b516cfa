"""Plackett-Luce on 10,000 rankings of 10 out of 1,000 items, beside choix and the plain iteration."""

from __future__ import annotations

import numpy as np
import pytest

from steelyard.rank import plackett_luce
from steelyard.reference import rankings as reference

ITEMS, COUNT, LENGTH = 1000, 10_000, 10


def rankings():
    rng = np.random.default_rng(0)
    s = rng.normal(size=ITEMS)
    chosen = np.array([rng.choice(ITEMS, LENGTH, replace=False) for _ in range(COUNT)])
    order = np.argsort(-(s[chosen] + rng.gumbel(size=chosen.shape)), axis=1)
    return np.take_along_axis(chosen, order, axis=1)


def error(strengths, exact):
    return f"{np.abs(strengths - strengths.mean() - exact).max():.1e}"


def test_fit(benchmark):
    rows = rankings()
    benchmark.group = "plackett-luce"
    fit = benchmark.pedantic(plackett_luce, (rows,), {"items": range(ITEMS)}, rounds=5)
    benchmark.extra_info |= {"decrement": f"{fit.info.error_bound:.1e}", "steps": fit.info.iterations}


@pytest.mark.parametrize("method", ["ilsr_rankings", "opt_rankings"])
def test_choix(benchmark, method):
    choix = pytest.importorskip("choix")
    rows = rankings()
    benchmark.group = "plackett-luce"
    exact = plackett_luce(rows, items=range(ITEMS)).strengths
    found = benchmark.pedantic(getattr(choix, method), (ITEMS, rows.tolist()), rounds=1)
    benchmark.extra_info["error"] = error(found, exact)


def test_reference(benchmark):
    rows = rankings()
    benchmark.group = "plackett-luce"
    exact = plackett_luce(rows, items=range(ITEMS)).strengths
    found = benchmark.pedantic(reference.fit, (rows, ITEMS), {"sweeps": 30}, rounds=1)
    benchmark.extra_info |= {"error": error(found, exact), "sweeps": 30}
