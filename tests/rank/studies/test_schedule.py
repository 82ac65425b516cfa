"""Pairings and how many games a ranking needs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import steelyard
from steelyard.rank import Comparisons, bradley_terry, schedule, simulate_schedule
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
    first, again = (simulate_schedule(8, kind, n_rounds=6, spread=1.5, n_repeats=4, rng=0) for _ in range(2))
    np.testing.assert_array_equal(again.tau, first.tau)


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


# ---- what tells most


def arena(seed, n=6, m=300, ties=False):
    rng = np.random.default_rng(seed)
    first = rng.integers(0, n, m)
    second = (first + rng.integers(1, n, m)) % n
    tie = rng.random(m) < 0.2 if ties else None
    return bradley_terry(Comparisons.from_pairs(first, second, tie=tie, items=np.arange(n)), prior=0.5)


def variances(v):
    return np.diag(v)[:, None] + np.diag(v) - 2 * v


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_the_first_pair_lowers_the_variances_of_differences_most(seed, ties):
    fit = arena(seed, ties=ties)
    v = fit.covariance("hessian").matrix
    left = {}
    for i, j in zip(*np.triu_indices(6, 1), strict=True):
        x, e, h = fit.strengths[i] - fit.strengths[j], np.eye(6)[i] - np.eye(6)[j], 0.0
        if ties:  # Davidson's model: the variance of half the score
            up, down, middle = np.exp(x / 2), np.exp(-x / 2), fit.tie_parameter
            p = np.array([up, down]) / (up + down + middle)
            h = p.sum() / 4 - (p[0] - p[1]) ** 2 / 4
        else:
            h = 1 / (2 + 2 * np.cosh(x))
        u = v @ e
        left[i, j] = variances(v - h * np.outer(u, u) / (1 + h * e @ u)).sum()
    order = sorted(left, key=left.get)
    assert tuple(schedule(kind="information", fit=fit, size=1, goal="all")[0]) == order[0]
    # A game that costs a hundred times as much is not worth it; one that is impossible is not played.
    costs = np.ones((6, 6))
    costs[order[0]] = costs[order[0][::-1]] = 100.0
    assert tuple(schedule(kind="information", fit=fit, size=1, goal="all", costs=costs)[0]) == order[1]
    costs[order[0]] = costs[order[0][::-1]] = np.inf
    rest = schedule(kind="information", fit=fit, size=14, goal="all", costs=costs)
    assert order[0] not in {tuple(pair) for pair in rest.tolist()}


@pytest.mark.parametrize("goal", ["ranks", "top", "all"])
def test_a_batch_repeats_no_pair_and_begins_with_a_smaller_one(goal):
    fit = arena(1)
    whole = schedule(kind="information", fit=fit, size=15, goal=goal, top=2)
    assert len({tuple(sorted(pair)) for pair in whole.tolist()}) == 15
    np.testing.assert_array_equal(schedule(kind="information", fit=fit, size=4, goal=goal, top=2), whole[:4])
    some = schedule([0, 3, 5], "information", fit=fit, size=3, goal=goal, top=2)
    assert {tuple(pair) for pair in some.tolist()} == {(0, 3), (0, 5), (3, 5)}


def test_doubt_about_the_top_is_settled_at_the_border():
    wins = np.array([[0, 20, 90, 99], [19, 0, 90, 99], [10, 10, 0, 60], [1, 1, 40, 0]])
    fit = bradley_terry(Comparisons.from_counts(wins, items=list("abcd")))
    assert schedule(kind="information", fit=fit, size=1, goal="top", top=1).tolist() == [["a", "b"]]
    border = schedule(kind="information", fit=fit, size=1, goal="top", top=3).tolist()[0]
    assert border == ["c", "d"]


def test_an_item_without_games_comes_first():
    games = Comparisons.from_pairs([0, 1, 2] * 40, [1, 2, 0] * 40, items=range(4))
    with pytest.warns(steelyard.DisconnectedWarning, match="3 never played"):
        fit = bradley_terry(games, prior=0.5)
    assert 3 in schedule(kind="information", fit=fit, size=1, goal="all")[0]


@pytest.mark.slow
def test_informed_games_narrow_rank_sets_sooner_than_random_ones_between_the_same_strengths():
    random, informed, top = (
        simulate_schedule(12, kind, n_rounds=30, n_repeats=5, size=20, level=0.95, goal=goal, top=3, rng=3)
        for kind, goal in (("random", "ranks"), ("information", "ranks"), ("information", "top"))
    )
    assert random.matches.tolist() == informed.matches.tolist() == [20 * k for k in range(1, 31)]
    assert informed.width[-10:].mean() < 0.97 * random.width[-10:].mean()
    assert top.top_width[-10:].mean() < 0.9 * random.top_width[-10:].mean()
    assert informed.coverage.mean() >= 0.9
    assert set(random.to_frame()) == {"matches", "tau", "top", "width", "top_width", "coverage"}
    assert "rank sets" in repr(random)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: schedule(range(3), size=2), "size goes with kind='information'"),
        (
            lambda: schedule(kind="information", fit=arena(0), size=16),
            "number of pairs that can meet, 15, got 16",
        ),
        (lambda: schedule([0], "information", fit=arena(0)), "items must hold at least two labels"),
        (lambda: schedule(kind="information", fit=arena(0), goal="first"), "goal must be one of"),
        (lambda: schedule(kind="information", fit=arena(0), top=6), "top must be less than the 6 items"),
        (lambda: schedule(kind="information", fit=arena(0), costs=np.ones(6)), "costs must have shape"),
        (
            lambda: schedule(kind="information", fit=arena(0), costs=-np.ones((6, 6))),
            "costs must be positive",
        ),
        (lambda: simulate_schedule(4, "swiss", size=2), "size goes with kind='random' and 'information'"),
        (lambda: simulate_schedule(4, "information", size=7), "size must be at most the number of pairs, 6"),
        (lambda: simulate_schedule(4, "information", top=4), "top must be less than n_items=4"),
    ],
)
def test_wrong_arguments_of_information_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
    with pytest.raises(TypeError, match="fit must be a BradleyTerryFit"):
        schedule(kind="information")
