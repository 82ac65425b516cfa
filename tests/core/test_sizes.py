"""Counts that nobody can hold: an error that names the argument, before any work."""

from __future__ import annotations

import numpy as np
import pytest

from steelyard import _core, metric, rank, select, weigh

HUGE = [2**45, 2**60, 2**61, 2**62, 2**62 + 1, 2**63 - 1, 2**63, 2**64]


def games():
    return rank.Comparisons.from_pairs(["a", "b", "c"] * 4, ["b", "c", "a"] * 4)


def tries():
    rng = np.random.default_rng(0)
    return {
        "climber": rng.integers(0, 3, 200),
        "grade": rng.integers(14, 23, 200),
        "time": rng.integers(0, 4, 200),
        "sent": rng.random(200) < 0.5,
    }


def history():
    table = rank.Comparisons.from_pairs(["a", "b", "c"] * 4, ["b", "c", "a"] * 4, time=np.arange(12))
    return rank.whole_history(table, volatility=0.3, time_unit=1, max_memory=1e300)


def refused(name, call):
    with pytest.raises((MemoryError, ValueError), match=name) as caught:
        call()
    assert str(caught.value).startswith(name)


@pytest.mark.parametrize("count", HUGE)
def test_no_number_of_draws_wraps_in_rank_intervals(count):
    fit = rank.bradley_terry(games())
    refused("draws", lambda: fit.rank_intervals(draws=count))
    refused("draws", lambda: fit.rank_intervals(draws=count, items=["a"]))
    refused("draws", lambda: fit.rank_intervals(draws=count, method="marginal"))


@pytest.mark.parametrize("count", HUGE)
def test_no_number_of_rounds_wraps_in_a_bootstrap(count):
    refused("n_rounds", lambda: rank.bradley_terry(games()).bootstrap(count))
    refused("n_rounds", lambda: rank.plackett_luce([["a", "b"], ["b", "a"]]).bootstrap(count))
    refused("n_rounds", lambda: rank.stability(np.random.default_rng(0).random((3, 9)), n_rounds=count))


@pytest.mark.parametrize("count", HUGE)
@pytest.mark.parametrize("name", ["n_draws", "n_chains", "n_warmup"])
def test_no_number_of_moves_wraps_in_chains(count, name):
    if name == "n_warmup" and count < 2**60:
        return  # takes no memory: long, and Ctrl-C ends it
    refused(name, lambda: rank.grade_scale(tries(), time_unit=1, **{name: count}))
    for keep in (None, [], ["a"]):
        with pytest.raises((MemoryError, ValueError), match=name):
            history().sample(keep=keep, **{name: count})


@pytest.mark.filterwarnings("ignore::steelyard.ConvergenceWarning")
@pytest.mark.parametrize("count", HUGE)
def test_no_number_of_draws_wraps_where_chains_go_on(count):
    scale = rank.grade_scale(tries(), time_unit=1, n_draws=4, n_warmup=20, n_chains=2, rng=0)
    refused("n_draws", lambda: scale.sample(count))
    drawn = history().sample(4, n_warmup=20, n_chains=2, rng=0)
    with pytest.raises((MemoryError, ValueError), match="n_draws"):
        drawn.sample(count)


@pytest.mark.parametrize("count", HUGE)
def test_no_number_of_trials_wraps_in_seeding(count):
    X = np.random.default_rng(0).normal(size=(30, 2))
    refused("n_local_trials", lambda: select.kmeans_plusplus(X, 3, n_local_trials=count))


@pytest.mark.parametrize("count", HUGE)
def test_no_other_count_is_left_to_an_array_that_cannot_be_made(count):
    X = np.random.default_rng(0).normal(size=(60, 2))
    refused("n_scales", lambda: weigh.magnitude_function(X, n_scales=count))
    refused("size", lambda: select.lightweight_coreset(X, count))
    refused("size", lambda: select.sensitivity_sample(X, count, clusters=3))
    refused("size", lambda: select.regression_sample(X, X[:, 0], count))
    refused("n_items", lambda: rank.simulate_schedule(count, n_rounds=1, n_repeats=1))


@pytest.mark.parametrize("count", [2**61, 2**62, 2**63 - 1])
def test_more_rows_than_there_are_can_be_asked_for(count):
    d = np.abs(np.random.default_rng(0).normal(size=45)) ** 3
    assert metric.violations(d, top=count).worst.tolist() == metric.violations(d, top=1000).worst.tolist()


@pytest.mark.parametrize("size", [2**45, 2**62, -1, -(2**62)])
def test_a_kernel_says_which_size_it_cannot_make(size):
    with pytest.raises(MemoryError, match="size"):
        _core.testing._random("bits", size, 0, 0)
    with pytest.raises(MemoryError, match="draws"):
        _core.rank._gaussian_draws(np.eye(3), size, 0, 0, 1)


def ranked():
    """A fit of each kind that has a bootstrap."""
    games_of_judges = rank.Comparisons.from_pairs(list("aaabcb"), list("bbbcaa"), judge=list("xyxyyx"))
    grades = rank.GradedComparisons.from_grades(
        ["a", "b", "a"], ["b", "c", "c"], ["win", "tie", "loss"], levels=["win", "tie", "loss"]
    )
    yield rank.bradley_terry(games())
    yield rank.plackett_luce([["a", "b", "c"], ["c", "a", "b"]], prior=1)
    yield rank.team_strengths([["a"], ["b"]], [["b"], ["c"]], [1, -1], prior=1)
    yield rank.fit_judges(games_of_judges)
    yield rank.graded(grades, prior=1)


def test_every_bootstrap_counts_its_rounds_against_max_memory_before_it_draws():
    for fit in ranked():
        with pytest.raises(MemoryError, match=r"n_rounds=1000000 asks for .* GB \(max_memory is 0.001 GB\)"):
            fit.bootstrap(1_000_000, max_memory=1e6)
        assert len(fit.bootstrap(5, max_memory=1e6, rng=0).strengths) == 5
        with pytest.raises(ValueError, match="max_memory must be positive"):
            fit.bootstrap(5, max_memory=0)
    for data in (games(), np.random.default_rng(0).random((3, 9))):
        with pytest.raises(MemoryError, match="n_rounds=1000000 asks for"):
            rank.stability(data, n_rounds=1_000_000, max_memory=1e6)


def test_draws_and_simulations_count_themselves_against_max_memory_before_they_begin():
    fit = rank.bradley_terry(games(), prior=1)
    with pytest.raises(MemoryError, match=r"draws=1000000 asks for .* GB \(max_memory is 0.001 GB\)"):
        fit.rank_intervals(draws=1_000_000, max_memory=1e6)
    with pytest.raises(MemoryError, match="draws=2000 asks for"):
        fit.rank_intervals(max_memory=1e3)
    assert len(fit.rank_intervals(draws=100, max_memory=1e6).items) == 3
    grouped = rank.Comparisons.from_pairs(["a", "b"] * 8, ["b", "a"] * 8, group=["x"] * 8 + ["y"] * 8)
    fits = rank.fit_groups(grouped, prior=1)
    with pytest.raises(MemoryError, match=r"draws=1000000 asks for .*max_memory is 0.001 GB"):
        fits.differences(draws=1_000_000, max_memory=1e6)
    assert len(fits.differences(draws=100, max_memory=1e6)["item"]) == 2
    for name, number in (("n_repeats", 10**7), ("n_rounds", 10**7)):
        with pytest.raises(MemoryError, match=f"{name}={number} asks for .*max_memory is 0.001 GB"):
            rank.simulate_schedule(4, **{name: number}, max_memory=1e6)
    with pytest.raises(MemoryError, match="n_items=100 asks for"):
        rank.simulate_schedule(100, level=0.95, n_rounds=1, n_repeats=1, max_memory=1e6)


@pytest.mark.filterwarnings("ignore::steelyard.ConvergenceWarning")
def test_chains_of_a_grade_scale_count_their_draws_against_max_memory():
    for numbers in ({"n_draws": 100_000}, {"n_chains": 100_000, "n_draws": 5}):
        (name, number), *_ = numbers.items()
        with pytest.raises(MemoryError, match=f"{name}={number} asks for .*max_memory is 0.001 GB"):
            rank.grade_scale(tries(), time_unit=1, max_memory=1e6, **numbers)
    scale = rank.grade_scale(tries(), time_unit=1, n_draws=4, n_warmup=20, n_chains=2, max_memory=1e6, rng=0)
    with pytest.raises(MemoryError, match="n_draws=100004 asks for"):
        scale.sample(100_000, max_memory=1e6)
