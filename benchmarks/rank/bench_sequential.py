"""Elo on ten million games of 300 and 100,000 items, labels encoded; beside evalica and the plain loop."""

from __future__ import annotations

import numpy as np
import pytest
from contenders import PEERS

from steelyard.rank import elo
from steelyard.reference import sequential as reference

GAMES = 10_000_000


def games(items, count):
    rng = np.random.default_rng(0)
    first = rng.integers(0, items, count)
    second = (first + rng.integers(1, items, count)) % items
    return first, second


@pytest.mark.parametrize("items", [300, 100_000])
@pytest.mark.parametrize("history", [False, True])
def test_elo(benchmark, items, history):
    first, second = games(items, GAMES)
    benchmark.group = f"elo, {items} items"
    benchmark.pedantic(elo, (first, second), {"history": history}, rounds=5)
    benchmark.extra_info["ns a game"] = f"{1e9 * benchmark.stats.stats.median / GAMES:.1f}"


@pytest.mark.parametrize("peer", ["evalica"] if PEERS["evalica"] else [])
def test_elo_of_a_peer(benchmark, peer):
    evalica = pytest.importorskip(peer)
    count = GAMES // 10
    first, second = games(300, count)
    benchmark.group = "elo, 300 items"
    winners = [evalica.Winner.X] * count
    options = {"initial": 1500.0, "k": 32.0}
    found = benchmark.pedantic(evalica.elo, (first, second, winners), options, rounds=3)
    own = elo(first, second)
    peers = found.scores.loc[own.items].to_numpy()
    benchmark.extra_info["ns a game"] = f"{1e9 * benchmark.stats.stats.median / count:.0f}"
    benchmark.extra_info["largest difference"] = f"{np.abs(peers - own.ratings).max():.1e}"


def test_elo_in_plain_python(benchmark):
    count = GAMES // 100
    first, second = games(300, count)
    rows = [(a, b, 1.0) for a, b in zip(first.tolist(), second.tolist(), strict=True)]
    benchmark.group = "elo, 300 items"
    benchmark.pedantic(reference.elo, (rows,), rounds=3)
    benchmark.extra_info["ns a game"] = f"{1e9 * benchmark.stats.stats.median / count:.0f}"
