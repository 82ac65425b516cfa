"""Whole-history ratings of international football, 1872 to 2026: the joint maximum, its standard deviations,
draws, and what item-by-item sweeps of two peers reach.

Both peers install a module `whr`: give a Python that has `whr` in WHR_PYTHON and one that has
`whole-history-rating` in WHOLE_HISTORY_RATING_PYTHON; each runs as a process of its own, its fit alone timed.
The problem is the same for all where peers take part: decided games, volatility sqrt(30) Elo a day, a virtual
win and loss on the first day.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess

import numpy as np
import pytest

from steelyard import datasets
from steelyard.rank import whole_history
from steelyard.reference import history as reference

ELO = 400 / np.log(10)
VOLATILITY = np.sqrt(30) / ELO


@functools.cache
def football():
    return datasets.load_football().comparisons()


@pytest.mark.parametrize("model", ["half", "davidson and home"])
def test_joint_maximum(benchmark, model):
    options = {"ties": "half"} if model == "half" else {"home": True}
    benchmark.group = "football, joint maximum"
    fit = benchmark.pedantic(whole_history, (football(),), {"volatility": VOLATILITY, **options}, rounds=5)
    benchmark.extra_info["nodes"] = len(fit)
    benchmark.extra_info["newton decrement"] = f"{fit.info.error_bound:.1e}"


@pytest.mark.parametrize("model", ["half", "davidson and home"])
def test_joint_standard_deviations(benchmark, model):
    options = {"ties": "half"} if model == "half" else {"home": True}

    def fresh():
        return (whole_history(football(), volatility=VOLATILITY, **options),), {}

    benchmark.group = "football, joint standard deviations"
    errors = benchmark.pedantic(lambda fit: fit.standard_errors, setup=fresh, rounds=3)
    benchmark.extra_info["median in Elo"] = f"{ELO * np.median(errors):.1f}"


def test_volatility(benchmark):
    benchmark.group = "football, volatility estimated"
    fit = benchmark.pedantic(whole_history, (football(),), {"volatility": "estimate", "home": True}, rounds=1)
    benchmark.extra_info["Elo a square root of a day"] = f"{ELO * fit.volatility:.3f}"


def test_draws(benchmark):
    """Eight years: what an analysis samples; the whole history takes minutes."""
    fit = whole_history(_since(football(), "2018-07-20"), volatility=VOLATILITY, home=True)
    benchmark.group = "football since 2018, 4 chains of 1,000 draws"
    found = benchmark.pedantic(fit.sample, (1000,), {"rng": 1}, rounds=1)
    benchmark.extra_info["nodes"] = len(fit)
    benchmark.extra_info["largest R-hat"] = f"{found.samples.r_hat.max():.4f}"
    benchmark.extra_info["smallest effective sample"] = f"{found.samples.effective_sizes.min():.0f}"


def _since(games, day):
    from steelyard.rank import Comparisons

    rows = games.time >= np.datetime64(day)
    columns = ("left", "right", "left_wins", "right_wins", "ties", "home", "time")
    return Comparisons(items=games.items, **{name: getattr(games, name)[rows] for name in columns})


@functools.cache
def decided():
    """(winner, loser, day) of each decided game, and the converged strengths in Elo by (team, day)."""
    games = football()
    day = games.time.astype(int) - games.time.astype(int).min()
    rows = []
    for winner, loser, wins in (
        (games.left, games.right, games.left_wins),
        (games.right, games.left, games.right_wins),
    ):
        for k in np.flatnonzero(wins):
            rows += [(int(winner[k]), int(loser[k]), int(day[k]))] * int(wins[k])
    fit = whole_history(_decided(games), volatility=VOLATILITY, ties="drop")
    days = fit.node_times.astype(int) - games.time.astype(int).min()
    truth = dict(
        zip(
            zip(fit.node_items.tolist(), days.tolist(), strict=True),
            (ELO * fit.strengths).tolist(),
            strict=True,
        )
    )
    return sorted(rows, key=lambda row: row[2]), truth


def _decided(games):
    from steelyard.rank import Comparisons

    rows = games.left_wins + games.right_wins > 0
    columns = ("left", "right", "left_wins", "right_wins", "time")
    return Comparisons(items=games.items, **{name: getattr(games, name)[rows] for name in columns})


WHR = """
import json, sys, time, whr
rows, rounds = json.load(sys.stdin)
base = whr.Base(w2=30, virtual_games=2)
base.create_games([[str(a), str(b), "B", day] for a, b, day in rows])
start = time.perf_counter()
base.iterate(rounds)
seconds = time.perf_counter() - start
names = sorted({str(x) for row in rows for x in row[:2]})
json.dump([seconds, {n: [(d, r) for d, r, _ in base.ratings_for_player(n)] for n in names}], sys.stdout)
"""

WHOLE_HISTORY_RATING = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
from whr.whole_history_rating import WHR
rows, rounds = json.load(sys.stdin)
base = WHR({"w2": 30, "initial_prior_wins": 1.0, "pinned_draw": 0.0})
for a, b, day in rows:
    base.create_game(str(a), str(b), "B", day, 0)
start = time.perf_counter()
base.iterate(rounds)
seconds = time.perf_counter() - start
names = sorted({str(x) for row in rows for x in row[:2]})
json.dump([seconds, {n: [(d, r) for d, r, _ in base.ratings_for_player(n)] for n in names}], sys.stdout)
"""


@pytest.mark.parametrize(
    ("peer", "variable", "code", "rounds"),
    [
        ("whr", "WHR_PYTHON", WHR, 50),
        ("whr", "WHR_PYTHON", WHR, 200),
        ("whole-history-rating", "WHOLE_HISTORY_RATING_PYTHON", WHOLE_HISTORY_RATING, 20),
    ],
)
def test_peer(benchmark, peer, variable, code, rounds):
    python = os.environ.get(variable)
    if not python:
        pytest.skip(f"{variable} names no Python with {peer}")
    rows, truth = decided()

    def run():
        done = subprocess.run(
            [python, "-c", code], input=json.dumps([rows, rounds]), capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout.splitlines()[-1])

    benchmark.group = "football, decided games"
    seconds, ratings = benchmark.pedantic(run, rounds=1)
    error = max(abs(elo - truth[int(name), day]) for name, nodes in ratings.items() for day, elo in nodes)
    benchmark.extra_info["fit in seconds"] = f"{seconds:.1f}"
    benchmark.extra_info["largest error in Elo"] = f"{error:.3g}"


def test_joint_maximum_of_decided_games(benchmark):
    games = _decided(football())
    benchmark.group = "football, decided games"
    fit = benchmark.pedantic(whole_history, (games,), {"volatility": VOLATILITY, "ties": "drop"}, rounds=5)
    benchmark.extra_info["newton decrement"] = f"{fit.info.error_bound:.1e}"


def test_reference(benchmark):
    """Dense algebra on the first 100 games."""
    games = football()
    order = np.argsort(games.time)[:100]
    rows = [
        (
            int(games.left[k]),
            int(games.right[k]),
            int(np.sign(games.left_wins[k] - games.right_wins[k])),
            float(games.time[k].astype(int)),
            0,
        )
        for k in order
    ]
    benchmark.group = "football, first 100 games"
    benchmark.pedantic(reference.Model(rows, VOLATILITY).fit, rounds=1)
