"""A thousand refits of the arena (a), against one round of evalica and a few of the reference."""

from __future__ import annotations

import numpy as np
import pytest
from contenders import PEERS, cells_of, evalica, to_comparisons
from generators import Games, arena

from steelyard.rank import bradley_terry
from steelyard.reference import rank as reference


@pytest.mark.parametrize("method", ["bayesian", "multinomial"])
def test_thousand_rounds(benchmark, method):
    fit = bradley_terry(to_comparisons(arena()))
    benchmark.group = "bootstrap"
    rounds = benchmark.pedantic(lambda: fit.bootstrap(1000, method=method, rng=0), rounds=3, iterations=1)
    ratio = rounds.strengths.std(axis=0) / fit.standard_errors()
    benchmark.extra_info["rounds"] = 1000
    benchmark.extra_info["spread / sandwich"] = f"{ratio.mean():.3f}"
    benchmark.extra_info["worst decrement"] = f"{rounds.info.error_bound:.1e}"


@pytest.mark.parametrize("rounds", [5])
def test_reference_rounds(benchmark, rounds):
    cells = cells_of(arena(), "davidson")
    at, _ = reference.newton(cells, 200, model="davidson")
    rng = np.random.default_rng(0)
    benchmark.group = "bootstrap"
    benchmark.pedantic(
        lambda: reference.bootstrap(cells, at, rounds, rng, model="davidson"), rounds=1, iterations=1
    )
    benchmark.extra_info["rounds"] = rounds


@pytest.mark.parametrize("peer", ["evalica"] if PEERS["evalica"] else [])
def test_one_round_of_a_peer(benchmark, peer):
    games = arena()
    drawn = np.random.default_rng(0).integers(0, len(games), len(games))
    again = Games(games.winner[drawn], games.loser[drawn], games.n, games.tie[drawn])
    benchmark.group = "bootstrap"
    benchmark.pedantic(evalica(again, "half", False), rounds=2, iterations=1)
    benchmark.extra_info["rounds"] = 1
