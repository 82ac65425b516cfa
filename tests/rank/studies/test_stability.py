"""Rankings of resampled data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from scipy.stats import kendalltau, norm, rankdata

from steelyard.rank import Comparisons, bradley_terry, stability
from steelyard.reference import rank as reference_rank
from steelyard.reference import tables as reference
from support.examples import examples


def table(seed=0, models=5, samples=200, spread=0.3):
    rng = np.random.default_rng(seed)
    return spread * np.arange(models)[:, None] + rng.normal(size=(models, samples))


def test_ranks_taus_and_shifts_are_those_of_the_rounds():
    found = stability(table(), n_rounds=50, rng=0)
    np.testing.assert_allclose(found.scores, table().mean(axis=1))
    np.testing.assert_array_equal(found.ranks, rankdata(-found.rounds, method="min", axis=1))
    assert found.taus[7] == kendalltau(found.scores, found.rounds[7]).statistic
    ranks = rankdata(-found.scores)
    np.testing.assert_allclose(found.shifts, np.abs(found.ranks - ranks).mean(axis=0))
    assert found.leader == 4
    frame = found.to_frame()
    assert frame["rank"].tolist() == [1, 2, 3, 4, 5]
    assert (frame["rank_low"] <= frame["rank_high"]).all()


@examples(20)
@given(st.integers(0, 10**6), st.integers(2, 6), st.integers(1, 8), st.booleans())
def test_rankings_by_the_mean_are_those_of_the_reference(seed, models, samples, higher):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 4, (models, samples)).astype(float)
    scores[rng.random(scores.shape) < 0.3] = np.nan
    scores[np.isnan(scores).all(axis=1), 0] = 1.0
    found = stability(scores, n_rounds=7, higher_is_better=higher, rng=seed)
    times = np.random.default_rng(seed).multinomial(samples, np.full(samples, 1 / samples), size=7)
    same_as(found, *reference.stability(scores if higher else -scores, times))


def same_as(found, scores, rounds, ranks, taus):
    np.testing.assert_allclose(found.scores, scores, atol=1e-8)
    np.testing.assert_allclose(found.rounds, rounds, atol=1e-8)
    np.testing.assert_array_equal(found.ranks, ranks)
    np.testing.assert_allclose(found.taus, taus, atol=1e-12)
    np.testing.assert_allclose(found.shifts, np.abs(ranks - reference.ranks(scores)).mean(axis=0))
    assert found.lead_probability == np.mean(ranks[:, np.argmax(scores)] == 1)


def strengths(scores, prior=0.5):
    """Of comparisons within samples, ties as Davidson has them."""
    wins, ties = (part.sum(axis=2).astype(float) for part in reference.compare(scores))
    left, right = np.triu_indices(len(scores), 1)
    cells = reference_rank.Cells(left, right, wins[left, right], wins[right, left], ties[left, right])
    s = reference_rank.newton(cells, len(scores), model="davidson", prior=prior)[0].s
    return s - s.mean()


@pytest.mark.parametrize("seed", range(5))
def test_rankings_by_comparisons_are_those_of_the_reference(seed):
    scores = table(seed, samples=40).round(1)
    scores[np.random.default_rng(seed).random(scores.shape) < 0.2] = np.nan
    found = stability(scores, method="comparisons", prior=0.5, n_rounds=10, rng=seed)
    rng = np.random.default_rng(seed)
    times = [np.bincount(rng.integers(0, 40, 40), minlength=40) for _ in range(10)]
    same_as(found, *reference.stability(scores, times, strengths))


def test_the_leader_leads_as_often_as_the_spread_of_the_means_says():
    scores = table(seed=3, models=2, samples=400, spread=0.1)
    found = stability(scores, n_rounds=1500, rng=1)
    gap = scores[1] - scores[0]
    expected = norm.cdf(abs(gap.mean()) / (gap.std() / 20))
    assert found.lead_probability == pytest.approx(expected, abs=0.03)


def test_gaps_and_sparse_tables_are_the_same_scores():
    scores = table()
    scores[np.random.default_rng(1).random(scores.shape) < 0.5] = np.nan
    rows, cols = np.nonzero(~np.isnan(scores))
    listed = sparse.coo_array((scores[rows, cols], (rows, cols)), shape=scores.shape)
    one, other = stability(scores, rng=0), stability(listed, rng=0)
    np.testing.assert_array_equal(one.rounds, other.rounds)
    np.testing.assert_allclose(one.scores, np.nanmean(scores, axis=1))
    turned = stability(-scores, higher_is_better=False, rng=0)
    np.testing.assert_array_equal(turned.ranks, one.ranks)


def test_tables_can_be_ranked_by_comparisons():
    found = stability(table(), method="comparisons", n_rounds=20, rng=0)
    np.testing.assert_allclose(
        found.scores, bradley_terry(Comparisons.from_scores(table())).strengths, atol=1e-9
    )
    assert found.taus.mean() > 0.7


@pytest.mark.parametrize("clustered", [False, True])
def test_votes_are_redrawn_by_cluster_where_there_are_any(clustered):
    rng = np.random.default_rng(0)
    first = rng.integers(0, 4, 800)
    second = (first + rng.integers(1, 4, 800)) % 4
    swap = rng.random(800) < 1 / (1 + np.exp(first - second))
    judge = np.arange(800) // 20 if clustered else None
    votes = Comparisons.from_pairs(
        np.where(swap, second, first), np.where(swap, first, second), cluster=judge
    )
    found = stability(votes, n_rounds=100, rng=0)
    fit = bradley_terry(votes)
    np.testing.assert_array_equal(found.scores, fit.strengths)
    np.testing.assert_allclose(found.rounds.std(axis=0), fit.standard_errors(), rtol=0.4)
    assert found.leader == 3


def test_a_seed_repeats():
    np.testing.assert_array_equal(stability(table(), rng=5).rounds, stability(table(), rng=5).rounds)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: stability(table(), n_rounds=0), "n_rounds must be at least 1"),
        (lambda: stability(table(), method="median"), "method must be one of"),
        (lambda: stability(table(), items=["a"]), "items must have one label a model"),
        (lambda: stability([1.0, 2.0]), "must have shape"),
        (lambda: stability([[np.nan, np.nan], [1.0, 2.0]]), "data has no scores of model 0"),
        (lambda: stability(Comparisons.from_pairs([0, 1], [1, 0]), method="comparisons"), "go with a table"),
    ],
)
def test_wrong_arguments_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
