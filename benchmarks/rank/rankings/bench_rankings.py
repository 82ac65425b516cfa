"""Plackett-Luce on rankings of 10: the solvers in a race, beside choix and the plain iteration."""

from __future__ import annotations

import numpy as np
import pytest

from steelyard.rank import plackett_luce
from steelyard.reference import rankings as reference

ITEMS, COUNT, LENGTH = 1000, 10_000, 10
MANY_ITEMS, MANY = 20_000, 200_000


def rankings(items=ITEMS, count=COUNT, spread=1.0):
    rng = np.random.default_rng(0)
    s = spread * rng.normal(size=items)
    chosen = np.array([rng.choice(items, LENGTH, replace=False) for _ in range(count)])
    order = np.argsort(-(s[chosen] + rng.gumbel(size=chosen.shape)), axis=1)
    return np.take_along_axis(chosen, order, axis=1)


def error(strengths, exact):
    return f"{np.abs(strengths - strengths.mean() - exact).max():.1e}"


def race(benchmark, group, rows, items, rounds, **options):
    benchmark.group = group
    options |= {"items": range(items)}
    fit = benchmark.pedantic(plackett_luce, (rows,), options, rounds=rounds, warmup_rounds=1)
    benchmark.extra_info |= {
        "decrement": f"{fit.info.error_bound:.1e}",
        "iterations": fit.info.iterations,
        "kernel": f"{fit.info.seconds:.3f} s",
        "solver": fit.info.solver,
    }


@pytest.mark.parametrize("tol", [1e-6, 1e-10])
@pytest.mark.parametrize("solver", ["auto", "newton", "newman", "zermelo"])
def test_fit(benchmark, solver, tol):
    race(benchmark, f"plackett-luce to {tol:g}", rankings(), ITEMS, 5, solver=solver, tol=tol)


@pytest.mark.filterwarnings("ignore:some items are compared through the prior alone")
@pytest.mark.parametrize("solver", ["auto", "newman", "zermelo"])
def test_far_apart(benchmark, solver):
    rows = rankings(spread=4.0)
    race(benchmark, "plackett-luce, strengths far apart", rows, ITEMS, 1, solver=solver, prior=1.0, tol=1e-6)


def test_ladder(benchmark):
    rng = np.random.default_rng(0)
    rows = np.array([i + rng.permutation(6)[:4] for _ in range(6) for i in range(MANY_ITEMS - 5)])
    race(benchmark, "plackett-luce, neighbours on a ladder", rows, MANY_ITEMS, 1)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("solver", ["auto", "newman", "zermelo"])
def test_many_items(benchmark, solver, threads):
    rows = rankings(MANY_ITEMS, MANY)
    group = f"plackett-luce, {MANY_ITEMS:,} items"
    race(benchmark, group, rows, MANY_ITEMS, 3, solver=solver, n_threads=threads)


def test_errors_of_named_items(benchmark):
    benchmark.group = f"plackett-luce, {MANY_ITEMS:,} items"
    fit = plackett_luce(rankings(MANY_ITEMS, MANY), items=range(MANY_ITEMS))
    benchmark.pedantic(fit.standard_errors, (), {"items": range(32)}, rounds=3)


@pytest.mark.parametrize("method", ["ilsr_rankings", "opt_rankings"])
def test_choix(benchmark, method):
    choix = pytest.importorskip("choix")
    rows = rankings()
    benchmark.group = "plackett-luce to 1e-10"
    exact = plackett_luce(rows, items=range(ITEMS)).strengths
    found = benchmark.pedantic(getattr(choix, method), (ITEMS, rows.tolist()), rounds=1)
    benchmark.extra_info["error"] = error(found, exact)


def test_reference(benchmark):
    rows = rankings()
    benchmark.group = "plackett-luce to 1e-10"
    exact = plackett_luce(rows, items=range(ITEMS)).strengths
    found = benchmark.pedantic(reference.fit, (rows, ITEMS), {"sweeps": 30}, rounds=1)
    benchmark.extra_info |= {"error": error(found, exact), "sweeps": 30}
