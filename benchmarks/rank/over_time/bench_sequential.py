"""Elo on ten million games of 300 and 100,000 items, labels encoded, beside evalica and the plain loop; then
Elo, Glicko-2 and openskill on men's international football: the time a game, and how well each foresaw it.

Football: every match is foretold from the matches before it (before its period, with Glicko-2) and scored by
-ln of the probability of what came, a draw half to each side; openskill's probability is its `predict_win`.
All learn from all matches since 1872. The loss is that of the 25,458 matches since 2000: with the defaults,
and with the setting of a grid that had the least loss before 2000, without and with knowledge of the host.
openskill has no home advantage; it is given one by a team mate of the host whose rating starts anew in each
match. On two sides its `BradleyTerryFull` is its `PlackettLuce`, the default. It runs as a process of the
Python in OPENSKILL_PYTHON; its time is that of the processor, for rating alone.
"""

from __future__ import annotations

import functools
import itertools
import json
import os
import subprocess
from typing import NamedTuple

import numpy as np
import pytest
from contenders import PEERS

from steelyard import datasets
from steelyard.rank import elo, glicko2
from steelyard.reference import sequential as reference

GAMES = 10_000_000
CUT = np.datetime64("2000-01-01")


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


class Matches(NamedTuple):
    """The host (or the team named first) by number, its guest, the host's score, and the rest of a match."""

    host: np.ndarray
    guest: np.ndarray
    score: np.ndarray
    at_home: np.ndarray
    day: np.ndarray
    teams: int

    def columns(self, rows=slice(None)):
        """Winner, loser and tie, as the ratings take them, and the side at home."""
        lost = self.score[rows] == 0
        host, guest, home = self.host[rows], self.guest[rows], self.at_home[rows].astype(int)
        names = {"winner": np.where(lost, guest, host), "loser": np.where(lost, host, guest)}
        return names | {"tie": self.score[rows] == 0.5}, np.where(lost, -home, home)


@functools.cache
def football():
    columns = datasets.load_football().columns
    names, codes = np.unique(
        np.concatenate([columns["home_team"], columns["away_team"]]), return_inverse=True
    )
    lead = np.sign(columns["home_score"] - columns["away_score"])
    return Matches(
        *np.split(codes, 2), (lead + 1) / 2, ~columns["neutral"], columns["date"], teams=len(names)
    )


def losses(chances):
    """Of the matches before 2000, and since."""
    matches, p = football(), np.clip(chances, 1e-12, 1 - 1e-12)
    loss = -(matches.score * np.log(p) + (1 - matches.score) * np.log1p(-p))
    return loss[matches.day < CUT].mean(), loss[matches.day >= CUT].mean()


def note(benchmark, default, plain, at_home=None):
    """Losses since 2000: by default, and by the settings that were best before."""
    benchmark.extra_info["log loss by default"] = f"{default[1]:.4f}"
    for name, found in (("best", plain), ("best that knows the host", at_home)):
        if found:
            setting = min(found, key=lambda s: found[s][0])
            benchmark.extra_info[name] = f"{found[setting][1]:.4f} ({setting})"


def elo_losses(k=32.0, home_advantage=0.0):
    matches, found, past = football(), [], 1500.0
    for rows in (matches.day < CUT, matches.day >= CUT):
        columns, home = matches.columns(rows)
        past = elo(**columns, home=home, k=k, home_advantage=home_advantage, initial=past)
        found.append(past.log_loss)
    return found


def test_elo_of_football(benchmark):
    columns, _ = football().columns()
    benchmark.group = "football, one game after the other"
    benchmark.pedantic(elo, kwargs=columns, rounds=21)
    benchmark.extra_info["us a game"] = f"{1e6 * benchmark.stats.stats.median / len(columns['tie']):.3f}"
    steps = (16, 24, 32, 40, 48, 64)
    plain = {f"k={k}": elo_losses(k) for k in steps}
    at_home = {
        f"k={k}, home_advantage={h}": elo_losses(k, h) for k, h in itertools.product(steps, (50, 100, 150))
    }
    note(benchmark, elo_losses(), plain, at_home)


PERIODS = {"year": "M8[Y]", "month": "M8[M]", "week": "M8[W]"}


def glicko2_losses(period="year", volatility=0.06):
    """Glickman's expected score, from the ratings and deviations before the period."""
    matches, chances, past = football(), [], 1500.0
    rating, deviation = np.full(matches.teams, 1500.0), np.full(matches.teams, 350.0)
    at = matches.day.astype(PERIODS[period])
    for rows in np.split(np.arange(len(at)), np.flatnonzero(at[1:] != at[:-1]) + 1):
        host, guest, unit = matches.host[rows], matches.guest[rows], np.log(10) / 400
        spread = unit / np.pi * np.hypot(deviation[host], deviation[guest])
        lead = unit * (rating[host] - rating[guest]) / np.sqrt(1 + 3 * spread**2)
        chances.append(1 / (1 + np.exp(-lead)))
        columns, _ = matches.columns(rows)
        past = glicko2(**columns, volatility=volatility, initial=past, items=range(matches.teams))
        rating, deviation = past.ratings, past.deviations
    return losses(np.concatenate(chances))


def test_glicko2_of_football(benchmark):
    """A year is the period in which a team plays the ten to fifteen games that Glickman advises."""
    columns, _ = football().columns()
    columns["period"] = football().day.astype("M8[Y]")
    benchmark.group = "football, one game after the other"
    benchmark.pedantic(glicko2, kwargs=columns, rounds=21)
    benchmark.extra_info["us a game"] = f"{1e6 * benchmark.stats.stats.median / len(columns['tie']):.3f}"
    grid = itertools.product(PERIODS, (0.03, 0.06, 0.12))
    plain = {f"{period}, volatility={v}": glicko2_losses(period, v) for period, v in grid}
    note(benchmark, glicko2_losses(), plain)


OPENSKILL = """
import importlib.metadata, json, sys, time
from openskill import models
name, rows, settings = json.load(sys.stdin)

def rate(options, lead, foretell):
    model, rated, chances = getattr(models, name)(**options), {}, []
    for host, guest, score, at_home in rows:
        one, other = [rated.get(host) or model.rating()], [rated.get(guest) or model.rating()]
        if lead and at_home:
            one.append(model.rating(mu=lead, sigma=1e-3))
        if foretell:
            chances.append(model.predict_win([one, other])[0])
        one, other = model.rate([one, other], ranks=[1 - score, score])
        rated[host], rated[guest] = one[0], other[0]
    return chances

seconds = []
for _ in range(3):
    start = time.process_time()
    rate({}, 0, False)
    seconds.append(time.process_time() - start)
chances = [rate(options, lead, True) for options, lead in settings]
json.dump([importlib.metadata.version("openskill"), sorted(seconds)[1], chances], sys.stdout)
"""


@pytest.mark.parametrize("model", ["PlackettLuce", "ThurstoneMostellerFull"])
def test_openskill_of_football(benchmark, model):
    python = os.environ.get("OPENSKILL_PYTHON")
    if not python:
        pytest.skip("OPENSKILL_PYTHON names no Python with openskill")
    matches = football()
    rows = np.column_stack([matches.host, matches.guest, matches.score, matches.at_home]).tolist()
    betas, taus = (
        (25 / 12, 25 / 6, 25 / 3),
        (25 / 300, 25 / 150, 25 / 100),
    )  # the default times 1/2, 1, 2; 1, 2, 3
    grid = list(itertools.product(betas, taus, (0, 1, 2, 3)))
    settings = [({}, 0)] + [({"beta": beta, "tau": tau}, lead) for beta, tau, lead in grid]

    def run():
        done = subprocess.run(
            [python, "-c", OPENSKILL],
            input=json.dumps([model, rows, settings]),
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)

    benchmark.group = "football, one game after the other"
    version, seconds, chances = benchmark.pedantic(run, rounds=1)
    benchmark.extra_info["openskill"] = version
    benchmark.extra_info["us a game"] = f"{1e6 * seconds / len(rows):.1f}"
    default, *found = map(losses, chances)
    plain, at_home = {}, {}
    for (beta, tau, lead), loss in zip(grid, found, strict=True):
        setting = f"beta={beta:.3g}, tau={tau:.3g}"
        (at_home if lead else plain)[f"{setting}, host +{lead}" if lead else setting] = loss
    note(benchmark, default, plain, at_home)
