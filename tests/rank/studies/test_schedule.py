"""Pairings and how many games a ranking needs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.rank import schedule, simulate_schedule
from steelyard.reference import schedule as reference
from support.examples import examples

pytestmark = pytest.mark.kernel


def as_pairs(rows):
    return [tuple(sorted(row)) for row in rows.tolist()]


@examples(20)
@given(st.integers(2, 15), st.integers(0, 10**6))
def test_nobody_meets_twice_before_everybody_has_been_met(n, seed):
    rounds = n - 1 if n % 2 == 0 else n
    rows = schedule(range(n), n_rounds=rounds, rng=seed)
    assert len(set(as_pairs(rows))) == len(rows) == n * (n - 1) // 2
    for k in range(rounds):
        one_round = rows[k * (n // 2) : (k + 1) * (n // 2)].ravel().tolist()
        assert len(set(one_round)) == len(one_round)


def games_so_far(seed, n, most=40):
    rng = np.random.default_rng(seed)
    winner = rng.integers(0, n, rng.integers(1, most))
    return winner, (winner + rng.integers(1, n, len(winner))) % n, rng.random(len(winner)) < 0.3


@examples(30)
@given(st.integers(2, 15), st.integers(0, 10**6))
def test_swiss_pairs_are_those_of_the_reference(n, seed):
    winner, loser, tie = games_so_far(seed, n)
    found = schedule(range(n), "swiss", played=(winner, loser, tie), rng=seed)
    order = np.random.default_rng(seed).permutation(n).tolist()
    games = zip(winner.tolist(), loser.tolist(), np.where(tie, 0.5, 1.0).tolist(), strict=True)
    assert [tuple(pair) for pair in found.tolist()] == reference.swiss(order, games)


@examples(30)
@given(st.permutations(range(12)), st.sets(st.integers(0, 11), max_size=11))
def test_knockout_pairs_are_those_of_the_reference(seeds, losers):
    alive = next(seed for seed in seeds if seed not in losers)
    played = ([alive] * len(losers), list(losers)) if losers else None
    found = schedule(seeds, "knockout", played=played)
    assert [tuple(pair) for pair in found.tolist()] == reference.knockout(seeds, losers)


@examples(20)
@given(st.integers(2, 13), st.integers(0, 10**6), st.integers(1, 20))
def test_random_rounds_are_those_of_a_round_robin_that_have_met_least(n, seed, count):
    winner, loser, tie = games_so_far(seed, n)
    found = schedule(range(n), n_rounds=count, played=(winner, loser, tie), rng=seed)
    everybody = reference.round_robin(np.random.default_rng(seed).permutation(n).tolist())
    met = {frozenset(pair): 0 for games in everybody for pair in games}
    for pair in zip(winner.tolist(), loser.tolist(), strict=True):
        met[frozenset(pair)] += 1
    again = {frozenset(map(frozenset, games)): sum(met[frozenset(p)] for p in games) for games in everybody}
    rounds = [frozenset(map(frozenset, games)) for games in np.split(found, count)]
    first = rounds[: len(everybody)]
    assert len(set(first)) == len(first)
    assert [again[one] for one in first] == sorted(again.values())[: len(first)]


def test_random_rounds_take_account_of_games_played():
    early = [(0, 1), (2, 3), (0, 2), (1, 3)]
    for seed in range(10):
        rows = schedule(range(4), played=tuple(zip(*early, strict=True)), rng=seed)
        assert sorted(as_pairs(rows)) == [(0, 3), (1, 2)]


@examples(20)
@given(st.integers(2, 40), st.integers(0, 10**6))
def test_a_knockout_ends_after_n_minus_one_games_with_a_winner_who_never_lost(n, seed):
    rng = np.random.default_rng(seed)
    winners, losers, sizes = [], [], []
    while True:
        played = (winners, losers) if winners else None
        rows = schedule(np.arange(n), "knockout", played=played)
        if len(rows) == 0:
            break
        sizes.append(len(rows))
        swap = rng.random(len(rows)) < 0.5
        winners += np.where(swap, rows[:, 1], rows[:, 0]).tolist()
        losers += np.where(swap, rows[:, 0], rows[:, 1]).tolist()
    assert len(winners) == n - 1
    assert len(set(losers)) == n - 1
    assert len(sizes) == int(np.ceil(np.log2(n)))


def test_swiss_rounds_pair_equal_points_and_nobody_twice():
    rng = np.random.default_rng(0)
    n, winners, losers = 16, [], []
    for k in range(5):
        points = np.bincount(winners, minlength=n) if winners else np.zeros(n)
        rows = schedule(range(n), "swiss", played=(winners, losers) if winners else None, rng=rng)
        gaps = np.abs(points[rows[:, 0]] - points[rows[:, 1]])
        assert gaps.mean() <= 0.5, k
        winners += rows.min(axis=1).tolist()
        losers += rows.max(axis=1).tolist()
    met = [tuple(sorted(pair)) for pair in zip(winners, losers, strict=True)]
    assert len(set(met)) == len(met)
    assert np.bincount(winners, minlength=n)[0] == 5


def test_a_tie_is_half_a_point():
    played = (["a", "c"], ["b", "d"], [True, False])
    rows = schedule(list("abcd"), "swiss", played=played, rng=0)
    # c has 1 point, a and b half a point, d none: c meets a or b, d the other.
    assert {frozenset(row) for row in rows.tolist()} in (
        {frozenset("ca"), frozenset("bd")},
        {frozenset("cb"), frozenset("ad")},
    )


@pytest.mark.parametrize("kind", ["random", "swiss", "knockout"])
def test_more_games_make_a_better_ranking(kind):
    found = simulate_schedule(8, kind, n_rounds=24, spread=1.5, n_repeats=12, rng=0)
    assert (np.diff(found.matches) > 0).all()
    assert found.tau[-1] > found.tau[0] + 0.2
    assert found.needed(0.3) <= found.matches[-1]
    assert found.needed(0.9999) is None
    again = simulate_schedule(8, kind, n_rounds=24, spread=1.5, n_repeats=12, rng=0)
    np.testing.assert_array_equal(again.tau, found.tau)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: schedule(["a"]), "at least two labels"),
        (lambda: schedule(["a", "b"], "league"), "kind must be one of"),
        (lambda: schedule(["a", "b"], "swiss", n_rounds=2), "n_rounds goes with kind='random'"),
        (lambda: schedule(["a", "b"], played=(["a"], ["c"])), "which is not in items"),
        (lambda: schedule(["a", "b"], "knockout", played=(["a"], ["b"], [True])), "played has ties"),
        (lambda: simulate_schedule(1), "n_items must be at least 2"),
        (lambda: simulate_schedule(4, spread=0), "spread must be positive"),
        (lambda: simulate_schedule(4, n_repeats=2, n_rounds=2, rng=0).needed(2), "tau must lie"),
    ],
)
def test_wrong_arguments_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_played_must_be_a_tuple():
    with pytest.raises(TypeError, match="played must be"):
        schedule(["a", "b"], played=["a", "b"])
