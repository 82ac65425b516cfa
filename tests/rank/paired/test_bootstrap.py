"""Resampled fits: their law, their independence of threads, and rounds without a finite optimum."""

from __future__ import annotations

import numpy as np
import pytest

import steelyard
from steelyard.rank import Comparisons, bradley_terry
from steelyard.reference import rank as reference
from support.games import MODELS, random_cells, simulate, to_comparisons

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize("method", ["bayesian", "multinomial"])
@pytest.mark.parametrize("ties", MODELS)
def test_the_spread_is_that_of_the_sandwich(ties, method):
    fit = bradley_terry(simulate(3, np.linspace(-1, 1, 6), 400, nu=0.5), ties=ties)
    rounds = fit.bootstrap(2000, method=method, rng=0)
    np.testing.assert_allclose(rounds.strengths.std(axis=0), fit.standard_errors(), rtol=0.08)
    np.testing.assert_allclose(rounds.strengths.mean(axis=0), fit.strengths, atol=0.01)
    if rounds.tie_parameters is not None:
        assert rounds.tie_parameters.std() == pytest.approx(fit.covariance().tie_standard_error, rel=0.08)


@pytest.mark.slow
def test_bayesian_rounds_have_the_law_of_the_reference():
    cells = random_cells(2, 5)
    at, _ = reference.newton(cells, 5, model="davidson")
    slow = reference.bootstrap(cells, at, 3000, np.random.default_rng(0), model="davidson")
    fast = bradley_terry(to_comparisons(cells)).bootstrap(20_000, rng=1).strengths
    np.testing.assert_allclose(np.cov(fast.T), np.cov(slow.T), atol=0.12 * np.var(slow, axis=0).max())
    for item in range(5):
        for tail in (0.05, 0.5, 0.95):
            assert (slow[:, item] <= np.quantile(fast[:, item], tail)).mean() == pytest.approx(tail, abs=0.03)


def test_home_advantage_is_resampled_too():
    fit = bradley_terry(to_comparisons(random_cells(1, 6, most=40)), home=True)
    rounds = fit.bootstrap(1000, rng=0)
    assert rounds.home_advantages.std() == pytest.approx(fit.covariance().home_standard_error, rel=0.1)
    assert rounds.info.converged
    assert rounds.info.error_bound <= 1e-6


def test_weighted_votes_keep_mean_and_variance():
    rng = np.random.default_rng(0)
    first = rng.integers(0, 4, 2000)
    second = (first + rng.integers(1, 4, 2000)) % 4
    games = Comparisons.from_pairs(first, second, weight=rng.choice([0.5, 4.0], 2000))
    fit = bradley_terry(games)
    rounds = fit.bootstrap(3000, rng=0)
    np.testing.assert_allclose(rounds.strengths.std(axis=0), fit.standard_errors(), rtol=0.06)


def clustered(copies: int) -> Comparisons:
    rng = np.random.default_rng(0)
    first = rng.integers(0, 4, 1500)
    second = (first + rng.integers(1, 4, 1500)) % 4
    return Comparisons.from_pairs(
        np.repeat(first, copies), np.repeat(second, copies), cluster=np.repeat(np.arange(1500) // 5, copies)
    )


def test_clusters_are_drawn_whole():
    fit = bradley_terry(clustered(6))
    rounds = fit.bootstrap(2000, method="cluster", rng=0)
    np.testing.assert_allclose(rounds.strengths.std(axis=0), fit.standard_errors(), rtol=0.08)
    by_vote = fit.bootstrap(500, rng=0).strengths.std(axis=0)
    assert (rounds.strengths.std(axis=0) > 2 * by_vote).all()


@pytest.mark.parametrize("method", ["bayesian", "multinomial", "cluster"])
def test_rounds_are_the_same_for_any_number_of_threads(equal_over_threads, method):
    fit = bradley_terry(clustered(1))
    rounds = equal_over_threads(lambda n: fit.bootstrap(60, method=method, rng=5, n_threads=n).strengths)
    assert rounds.shape == (60, 4)


def test_large_fits_resample_without_blas_and_alike_for_any_threads(equal_over_threads):
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 1500, (2, 40_000))
    games = Comparisons.from_pairs(first[first != second], second[first != second]).largest_component()
    fit = bradley_terry(games)
    rounds = equal_over_threads(lambda n: fit.bootstrap(6, rng=0, n_threads=n).strengths)
    assert 0.05 < np.std(rounds - fit.strengths) < 0.5


def test_the_same_seed_gives_the_same_rounds_and_a_generator_goes_on():
    fit = bradley_terry(to_comparisons(random_cells(1, 5)))
    np.testing.assert_array_equal(fit.bootstrap(20, rng=3).strengths, fit.bootstrap(20, rng=3).strengths)
    generator = np.random.default_rng(3)
    first, second = fit.bootstrap(20, rng=generator), fit.bootstrap(20, rng=generator)
    assert not np.array_equal(first.strengths, second.strengths)


def lucky() -> Comparisons:
    """'top' lost once in many games, 'low' won once: half of the resamples do not see it."""
    first = ["top"] * 20 + ["mid"] + ["mid"] * 20 + ["low"] + ["mid"] * 10 + ["fan"] * 10
    second = ["mid"] * 20 + ["top"] + ["low"] * 20 + ["mid"] + ["fan"] * 10 + ["mid"] * 10
    return Comparisons.from_pairs(first, second)


def test_a_round_without_finite_optimum_is_kept_counted_and_told():
    fit = bradley_terry(lucky())
    with pytest.warns(steelyard.DisconnectedWarning, match="top"):
        rounds = fit.bootstrap(1000, method="multinomial", rng=0)
    top, low, mid = (fit.index(name) for name in ("top", "low", "mid"))
    s = rounds.strengths
    infinite = ~np.isfinite(s).all(axis=1)
    assert rounds.info.infinite_rounds == infinite.sum()
    # P(the one loss of top is not drawn) = (1 - 1/62)^62
    assert np.isposinf(s[:, top]).mean() == pytest.approx((1 - 1 / 62) ** 62, abs=0.05)
    assert np.isneginf(s[:, low]).mean() == pytest.approx((1 - 1 / 62) ** 62, abs=0.05)
    assert not np.isneginf(s[:, top]).any()
    assert np.isfinite(s[:, mid]).all()
    lower, upper = rounds.intervals(0.95)
    assert np.isposinf(upper[top])
    assert np.isfinite(lower[top])
    assert np.isneginf(lower[low])
    assert np.isfinite([lower[mid], upper[mid]]).all()


def test_bayesian_rounds_keep_a_fragile_fit_finite():
    rounds = bradley_terry(lucky()).bootstrap(1000, rng=0)
    assert rounds.info.infinite_rounds == 0
    assert np.isfinite(rounds.strengths).all()


def test_a_prior_keeps_every_round_finite():
    rounds = bradley_terry(lucky(), prior=1).bootstrap(300, method="multinomial", rng=0)
    assert rounds.info.infinite_rounds == 0
    assert np.isfinite(rounds.strengths).all()


def test_items_without_a_path_either_way_are_not_compared():
    # 'a' and 'b' hang on 'hub' by a game each way: without it they are islands
    games = Comparisons.from_pairs(
        ["a", "hub", "b", "hub"] + ["x", "hub"] * 30, ["hub", "a", "hub", "b"] + ["hub", "x"] * 30
    )
    with pytest.warns(steelyard.DisconnectedWarning):
        rounds = bradley_terry(games).bootstrap(400, method="multinomial", rng=0)
    fit = rounds.fit
    a = rounds.strengths[:, fit.index("a")]
    assert np.isnan(a).any()  # neither game of 'a' was drawn
    assert np.isposinf(a).any()
    assert np.isneginf(a).any()
    lower, upper = rounds.intervals(0.9)
    assert np.isneginf(lower[fit.index("a")])
    assert np.isposinf(upper[fit.index("a")])


def test_multinomial_needs_whole_counts():
    weighted = Comparisons.from_pairs([0, 1], [1, 0], weight=[1.0, 2.0])
    with pytest.raises(ValueError, match=r"multinomial.*bayesian"):
        bradley_terry(weighted).bootstrap(5, method="multinomial")
    fractions = Comparisons.from_counts([[0, 2.5], [1, 0]])
    with pytest.raises(ValueError, match="whole numbers"):
        bradley_terry(fractions).bootstrap(5, method="multinomial")


def test_cluster_needs_clusters():
    with pytest.raises(ValueError, match="cluster"):
        bradley_terry(lucky()).bootstrap(5, method="cluster")


@pytest.mark.parametrize(
    ("name", "value"),
    [("n_rounds", 0), ("n_rounds", 2.5), ("method", "jackknife"), ("n_threads", 0), ("progress", 1)],
)
def test_a_bad_argument_is_named(name, value):
    with pytest.raises((ValueError, TypeError), match=name):
        bradley_terry(lucky()).bootstrap(**{"n_rounds": 5, name: value})


def test_intervals_against_an_item_leave_that_item_at_zero():
    fit = bradley_terry(simulate(1, np.array([0.3, 0.0, -0.3]), 300))
    rounds = fit.bootstrap(1000, rng=0)
    lower, upper = rounds.intervals(0.9, reference=1)
    assert lower[1] == upper[1] == 0
    contrast = fit.contrast(0, 1, level=0.9)
    assert (lower[0], upper[0]) == pytest.approx((contrast.lower, contrast.upper), abs=0.03)


def endless_bootstrap() -> None:
    bradley_terry(to_comparisons(random_cells(0, 60))).bootstrap(
        300_000, rng=0
    )  # more would spend the first second on memory


def test_ctrl_c_leaves_the_rounds_so_far(ctrl_c):
    outcome = ctrl_c(endless_bootstrap, after=0.5)
    assert outcome.raised
    assert outcome.has_partial
    assert outcome.seconds < 2
    partial = outcome.partial
    assert 0 < len(partial) < 300_000
    assert np.isfinite(partial.strengths).all()
    assert partial.info.interrupted
    assert "Ctrl-C" in partial.info.message


def test_progress_ends_at_the_last_round():
    seen = []
    bradley_terry(lucky()).bootstrap(300, rng=0, n_threads=1, progress=lambda *call: seen.append(call))
    assert seen[-1] == (300, 300)


def test_the_repr_counts_rounds():
    assert "40 bayesian rounds of 4 items" in repr(bradley_terry(lucky()).bootstrap(40, rng=0))
