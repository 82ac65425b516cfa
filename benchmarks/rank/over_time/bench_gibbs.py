"""Draws of histories: Hamiltonian beside Polya-Gamma Gibbs sampling.

Football has half a match a team-day; the leagues are what Gibbs sampling finds hard: many games a node, and
items that nearly always win. Effective samples are the least and the median over the nodes. The samplers of
the reference (NumPy, dense) show how much of a draw the kernels' Gibbs sweeps are worth; their time says
nothing.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest
from bench_history import VOLATILITY, _since, football

from steelyard.rank import Comparisons, whole_history
from steelyard.rank._over_time.draws import effective_sizes
from steelyard.reference import history as reference


def league(items, dates, games, spread, volatility, seed=0):
    """Games at random between items whose strengths start N(0, spread^2) and walk."""
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.normal(size=(items, dates)) * volatility, axis=1)
    s = rng.normal(size=items)[:, None] * spread + walk
    a = rng.integers(0, items, games)
    b = (a + rng.integers(1, items, games)) % items
    date = rng.integers(0, dates, games)
    won = rng.random(games) < 1 / (1 + np.exp(s[b, date] - s[a, date]))
    return Comparisons.from_pairs(np.where(won, a, b), np.where(won, b, a), time=date)


CASES = {
    "football since mid-May 2026": (lambda: _since(football(), "2026-05-15"), VOLATILITY),
    "football since 2018-07": (lambda: _since(football(), "2018-07-20"), VOLATILITY),
    "football since 1872": (football, VOLATILITY),
    "league, 1 game a node": (lambda: league(200, 100, 20_000, 1, 0.05), 0.05),
    "league, 100 games a node": (lambda: league(20, 50, 100_000, 1, 0.1), 0.1),
    "league, strengths of sd 4": (lambda: league(50, 20, 5_000, 4, 0.1), 0.1),
}


@pytest.mark.filterwarnings("ignore::steelyard.ConvergenceWarning")
@pytest.mark.parametrize("sampler", ["hamiltonian", "gibbs"])
@pytest.mark.parametrize("name", CASES)
def test_samplers(benchmark, name, sampler):
    games, volatility = CASES[name]
    fit = whole_history(games(), volatility=volatility, ties="half")
    draws, warmup = (1000, 300)
    if name == "football since 1872" and sampler == "hamiltonian":
        draws, warmup = (100, 100)  # the whole takes half an hour
    benchmark.group = f"{name}, 4 chains"
    options = {"n_warmup": warmup, "sampler": sampler, "rng": 0}
    samples = benchmark.pedantic(fit.sample, (draws,), options, rounds=1).samples
    seconds = benchmark.stats.stats.median
    sizes = samples.effective_sizes[1:]
    benchmark.extra_info |= {
        "nodes": len(fit),
        "draws": f"4 x {draws} after {warmup}",
        "largest R-hat": f"{samples.r_hat.max():.3f}",
        "least, median effective": f"{sizes.min():.0f}, {np.median(sizes):.0f}",
        "a second": f"{sizes.min() / seconds:.1f}, {np.median(sizes) / seconds:.1f}",
    }


@functools.cache
def recent():
    return _since(football(), "2026-05-15").largest_component(strong=False)


def as_model(games):
    day = games.time.astype(int)
    rows = []
    for k in range(len(games)):
        a, b = int(games.left[k]), int(games.right[k])
        ties = 0.0 if games.ties is None else games.ties[k]
        for count, outcome in ((games.left_wins[k], 1), (games.right_wins[k], -1), (ties, 0)):
            rows += [(a, b, outcome, int(day[k]), 0)] * int(count)
    return reference.Model(rows, VOLATILITY)


@pytest.mark.parametrize("sampler", ["hamiltonian", "gibbs", "reference by item", "reference at once"])
def test_what_a_draw_is_worth(benchmark, sampler):
    """Effective samples of 1,000 draws, the largest component of recent football."""
    benchmark.group = "worth of 1,000 draws"
    if sampler.startswith("reference"):
        model, by_item = as_model(recent()), sampler.endswith("item")
        count = 1000 if by_item else 200

        def run():
            return [model.gibbs(50 + count, np.random.default_rng(seed), by_item=by_item) for seed in (0, 1)]

        draws = np.array(benchmark.pedantic(run, rounds=1))[:, 50:]
    else:
        fit = whole_history(recent(), volatility=VOLATILITY, ties="half")
        draws = benchmark.pedantic(fit.sample, (1000,), {"sampler": sampler, "rng": 0}, rounds=1)
        draws = draws.samples.strengths
    sizes = effective_sizes(draws)[1] * 1000 / (draws.shape[0] * draws.shape[1])
    benchmark.extra_info |= {"least": f"{sizes.min():.0f}", "median": f"{np.median(sizes):.0f}"}
