"""How draws of histories mix: Hamiltonian ones beside Polya-Gamma Gibbs sampling.

International football from mid-May 2026 on, volatility sqrt(30) Elo a day, ties as half wins. The Gibbs
samplers are the reference's, in NumPy, so that their seconds say nothing; a sweep costs at least one
Polya-Gamma variable and one visit a game, a Hamiltonian draw some passes over the games: the extra column
counts them. Effective samples are the least and the median over all team-days, for a thousand draws.
"""

from __future__ import annotations

import functools

import numpy as np
from bench_history import VOLATILITY, _since, football

from steelyard.rank import whole_history
from steelyard.rank._draws import effective_sizes
from steelyard.reference import history as reference

SWEEPS = 1000


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


def report(benchmark, draws, visits):
    sizes = effective_sizes(draws)[1] * 1000 / (draws.shape[0] * draws.shape[1])
    benchmark.extra_info |= {
        "least effective of 1,000": f"{sizes.min():.0f}",
        "median": f"{np.median(sizes):.0f}",
        "passes over the games a draw": f"{visits:.1f}",
    }


def test_hamiltonian(benchmark):
    benchmark.group = "football since mid-May 2026, draws"
    fit = whole_history(recent(), volatility=VOLATILITY, ties="half")
    benchmark.extra_info["team-days"] = len(fit)
    samples = benchmark.pedantic(lambda: fit.sample(SWEEPS, n_chains=4, rng=0).samples, rounds=1)
    moves = 4 * (SWEEPS + 300)
    report(benchmark, samples.strengths, samples.gradients / moves)


def _gibbs(by_item, sweeps):
    model = as_model(recent())
    out = [model.gibbs(sweeps + 50, np.random.default_rng(seed), by_item=by_item)[50:] for seed in (0, 1)]
    return np.array(out)


def test_gibbs_item_by_item(benchmark):
    benchmark.group = "football since mid-May 2026, draws"
    report(benchmark, benchmark.pedantic(_gibbs, (True, SWEEPS), rounds=1), 1)


def test_gibbs_all_at_once(benchmark):
    """Needs a factorisation of the whole system in each sweep."""
    benchmark.group = "football since mid-May 2026, draws"
    report(benchmark, benchmark.pedantic(_gibbs, (False, SWEEPS // 5), rounds=1), 1)
