"""Rank sets and tiers: their coverage, their relation to contrasts, and what infinity does to them."""

from __future__ import annotations

import numpy as np
import pytest

import steelyard
from steelyard import _core
from steelyard.rank import Comparisons, bradley_terry
from steelyard.reference import rank as reference
from support.games import ladder, simulate


@pytest.fixture
def fit():
    return bradley_terry(simulate(1, np.array([2.0, 1.9, 1.0, 0.2, 0.1, 0.0, -1.5]), 120, nu=0.3))


def test_rank_sets_are_those_of_the_reference(fit):
    sets = fit.rank_intervals()
    slow = reference.rank_sets(fit.strengths, fit.covariance().matrix, 0.95, 10_000, np.random.default_rng(0))
    np.testing.assert_array_equal(np.column_stack([sets.lower, sets.upper]), slow)


def test_the_critical_value_is_the_quantile_of_max_t():
    # equal independent variances: the contrasts' max |t| is the studentised range / sqrt(2)
    n = 6
    draws = _core.rank._gaussian_draws(np.eye(n), 200_000, 1, 2, 2)
    scale = np.where(np.eye(n, dtype=bool), 0.0, 1 / np.sqrt(2))
    maxima = _core.rank._contrast_maxima(draws, np.arange(n, dtype=np.int32), scale, False, 2)
    from scipy.stats import studentized_range

    assert np.quantile(maxima, 0.95) == pytest.approx(
        studentized_range.ppf(0.95, n, np.inf) / np.sqrt(2), rel=0.01
    )


def test_draws_have_the_covariance_asked_for():
    rng = np.random.default_rng(0)
    for n in (1, 3, 17, 70):
        a = rng.normal(size=(n, n + 3))
        covariance = a @ a.T
        draws = _core.rank._gaussian_draws(np.linalg.cholesky(covariance), 60_000, 3, 4, 2)
        np.testing.assert_allclose(np.cov(draws.T), covariance, atol=0.03 * np.diag(covariance).max())


@pytest.mark.parametrize("items", [None, [0, 3]])
def test_as_many_draws_are_made_as_were_asked_for(fit, items):
    for draws in (1, 500, 5000, 20_000):
        assert fit.rank_intervals(items=items, draws=draws).draws == draws
    assert fit.rank_intervals(items=items).draws == (10_000 if items is None else 2000)


@pytest.mark.parametrize(("n", "rounds"), [(2, 1), (5, 17), (33, 40)])
def test_contrast_maxima_are_those_of_a_loop(equal_over_threads, n, rounds):
    rng = np.random.default_rng(0)
    z, scale = rng.normal(size=(rounds, n)), rng.uniform(0.5, 2, (n, n))
    items = np.array([0, n - 1], dtype=np.int32)
    expected = np.abs(z[:, items, None] - z[:, None, :]) * scale[items]
    apart = equal_over_threads(lambda k: _core.rank._contrast_maxima(z, items, scale[items], True, k))
    np.testing.assert_allclose(apart, expected.max(axis=2).T, rtol=1e-14)
    together = _core.rank._contrast_maxima(z, items, scale[items], False, 2)
    np.testing.assert_allclose(together[0], expected.max(axis=(1, 2)), rtol=1e-14)


def test_a_rank_set_holds_the_rank_and_marginal_ones_are_narrower(fit):
    both, each = fit.rank_intervals(), fit.rank_intervals(method="marginal")
    for sets in (both, each):
        assert (sets.lower <= sets.rank).all()
        assert (sets.rank <= sets.upper).all()
    assert (each.critical_value < both.critical_value).all()
    assert (each.upper - each.lower <= both.upper - both.lower).all()


def test_surely_better_means_a_contrast_beyond_the_critical_value(fit):
    sets = fit.rank_intervals(uncertainty="hessian")
    errors = fit.covariance("hessian").contrast_errors()
    gap = fit.strengths[:, None] - fit.strengths
    surely = gap > sets.critical_value * errors
    np.fill_diagonal(surely, False)
    np.testing.assert_array_equal(sets.lower, 1 + surely.sum(axis=0))
    np.testing.assert_array_equal(sets.upper, len(fit) - surely.sum(axis=1))


def test_a_higher_level_widens(fit):
    narrow, wide = fit.rank_intervals(0.5), fit.rank_intervals(0.999)
    assert (narrow.lower >= wide.lower).all()
    assert (narrow.upper <= wide.upper).all()
    assert narrow.critical_value < wide.critical_value


def test_items_asked_for_get_the_sets_of_the_whole(fit):
    # the critical values differ (fewer contrasts), the errors come from draws: equal where the data is clear
    whole, some = fit.rank_intervals(method="marginal"), fit.rank_intervals(method="marginal", items=[6, 2])
    assert some.items.tolist() == [6, 2]
    np.testing.assert_array_equal(some.lower, whole.lower[[6, 2]])
    np.testing.assert_array_equal(some.upper, whole.upper[[6, 2]])
    np.testing.assert_allclose(some.critical_value, whole.critical_value[[6, 2]], rtol=0.06)


@pytest.mark.parametrize("kind", ["sandwich", "hessian"])
@pytest.mark.parametrize("prior", [0.0, 1.0])
@pytest.mark.parametrize("ties", ["davidson", "rao-kupper", "half"])
def test_draws_from_scores_have_the_covariance_of_the_fit(ties, prior, kind):
    fit = bradley_terry(simulate(2, np.linspace(-1, 1, 5), 200, nu=0.5), ties=ties, prior=prior)
    draws = fit._information(2).draws(kind, 8_000, 0)
    draws = draws - draws.mean(axis=1, keepdims=True)
    expected = fit.covariance(kind).matrix
    np.testing.assert_allclose(np.cov(draws.T), expected, atol=0.05 * np.diag(expected).max())


def test_above_3000_items_only_those_asked_for():
    fit = bradley_terry(ladder(1, 3200, 4, spread=300))
    with pytest.raises(ValueError, match="items"):
        fit.rank_intervals()
    sets = fit.rank_intervals(items=fit.items[[5, -5]].tolist())
    assert sets.upper[0] > len(fit) - 300  # item 5 of a rising ladder is among the weakest
    assert sets.lower[0] > 1000
    assert sets.upper[1] < 2000
    with pytest.raises(ValueError, match="tiers"):
        sets.tiers()


def test_bootstrap_rounds_can_judge(fit):
    rounds = fit.bootstrap(2000, rng=0)
    by_rounds, by_sandwich = rounds.rank_intervals(), fit.rank_intervals()
    assert by_rounds.uncertainty == "bayesian bootstrap"
    assert by_rounds.critical_value == pytest.approx(by_sandwich.critical_value, rel=0.05)
    assert np.abs(by_rounds.lower - by_sandwich.lower).max() <= 1
    assert rounds.tiers().groups[0].tolist() == fit.tiers().groups[0].tolist()


def test_infinite_rounds_make_nothing_sure():
    games = Comparisons.from_pairs(
        ["a"] * 20 + ["b"] + ["b"] * 20 + ["c"] * 3, ["b"] * 20 + ["a"] + ["c"] * 20 + ["b"] * 3
    )
    fit = bradley_terry(games)
    assert fit.rank_intervals().lower[2] > 1
    with pytest.warns(steelyard.DisconnectedWarning):
        rounds = fit.bootstrap(400, method="multinomial", rng=0)
    sets = rounds.rank_intervals()
    assert np.isinf(sets.critical_value)
    assert sets.lower.tolist() == [1, 1, 1]
    assert sets.upper.tolist() == [3, 3, 3]


def test_tiers_start_where_an_item_is_surely_worse_than_the_best_of_the_tier(fit):
    tiers = fit.tiers()
    assert [set(group.tolist()) for group in tiers.groups] == [{0, 1}, {2}, {3, 4, 5}, {6}]
    assert tiers.tier.tolist() == [1, 1, 2, 3, 3, 3, 4]
    assert "Tiers: 4 at level 0.95" in repr(tiers)


def test_simultaneous_rank_sets_cover_exact_ties():
    # A small version of benchmarks/rank/inference/bench_coverage.py: with ties, sets of true ranks.
    truth = np.repeat(np.linspace(-0.6, 0.6, 10), 2)
    best = 1 + (truth[None, :] > truth[:, None]).sum(axis=1)
    worst = len(truth) - (truth[None, :] < truth[:, None]).sum(axis=1)
    covered = []
    for seed in range(60):
        sets = bradley_terry(simulate(seed, truth, 200)).rank_intervals(draws=2000)
        covered.append(((sets.lower <= best) & (worst <= sets.upper)).all())
    assert np.mean(covered) >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 60)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("level", 0.0),
        ("level", 95),
        ("method", "joint"),
        ("uncertainty", "bootstrap"),
        ("items", "a"),
        ("items", []),
        ("draws", 0),
        ("n_threads", 0),
    ],
)
def test_a_bad_argument_is_named(fit, name, value):
    with pytest.raises((ValueError, TypeError), match=name):
        fit.rank_intervals(**{name: value})


def test_the_rounds_of_another_fit_are_refused(fit):
    other = bradley_terry(simulate(1, np.array([1.0, 0.0, -1.0]), 50)).bootstrap(10, rng=0)
    with pytest.raises(ValueError, match="uncertainty"):
        fit.rank_intervals(uncertainty=other)


def test_the_frame_lists_items_strongest_first(fit):
    frame = fit.rank_intervals().to_frame()
    assert frame["rank"].tolist() == list(range(1, 8))
    assert frame["item"].tolist() == fit.items[fit.order].tolist()
    assert "[1, " in repr(fit.rank_intervals())
