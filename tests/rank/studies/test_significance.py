"""Sign flips against enumeration, tiers against their definition."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from steelyard.rank import pairwise_significance
from steelyard.rank._studies.significance import _by_cumulants


def by_flips(a, b):
    """The mid p-value over all sign vectors."""
    d = np.asarray(a) - np.asarray(b)
    sums = np.array([np.dot(signs, d) for signs in itertools.product([1, -1], repeat=len(d))])
    gap = sums - d.sum()
    equal = np.abs(gap) < 1e-9 * (1 + np.abs(d).sum())
    return (gap[~equal] > 0).sum() / len(sums) + 0.5 * equal.mean()


@pytest.mark.parametrize("n", [1, 2, 5, 9])
def test_few_samples_are_enumerated(n):
    S = np.round(np.random.default_rng(n).normal(size=(4, n)), 1)
    found = pairwise_significance(S)
    want = [[by_flips(a, b) for b in S] for a in S]
    np.testing.assert_allclose(found.p_values, want)
    np.testing.assert_allclose(found.p_values + found.p_values.T, 1)


def test_many_samples_follow_the_flips_closely():
    rng = np.random.default_rng(0)
    errors = []
    for _ in range(6):
        S = rng.normal(size=(6, 1)) / 3 + rng.standard_t(3, size=(6, 16))
        centred = S - S.mean(axis=0)
        exact = pairwise_significance(S).p_values
        errors.append(np.abs(_by_cumulants(centred / np.abs(centred).max()) - exact))
    assert np.mean(errors) < 0.0005
    assert np.max(errors) < 0.002


def test_scores_may_be_moved_and_scaled_and_equal_models_are_even():
    S = np.random.default_rng(0).normal(size=(5, 40))
    p = pairwise_significance(S).p_values
    np.testing.assert_allclose(pairwise_significance(1e6 * S + 1e9).p_values, p, atol=1e-7)
    same = pairwise_significance(np.tile(S[:1], (4, 1)))
    np.testing.assert_allclose(same.p_values, 0.5)
    np.testing.assert_array_equal(same.tiers(), 1)  # four equal models are one tier


def test_tiers_part_where_every_pair_is_apart():
    rng = np.random.default_rng(1)
    S = np.array([0.0, 2.0, 0.1, 2.1, 1.0])[:, None] + 0.8 * rng.normal(size=(5, 60))
    found = pairwise_significance(S)
    tier = found.tiers(0.05)
    assert tier.max() == 3
    for i, j in itertools.permutations(range(5), 2):
        if tier[i] < tier[j]:
            assert found.p_values[i, j] < 0.05
    table = found.to_frame()
    assert (table["difference"] >= 0).all()
    assert len(table["p_value"]) == 10


def test_soft_accuracy_is_one_for_itself_and_none_for_the_opposite():
    S = np.array([0.0, 5.0, 10.0])[:, None] + np.random.default_rng(0).normal(size=(3, 50))
    found = pairwise_significance(S)
    assert found.soft_accuracy(found) == 1
    assert found.soft_accuracy(pairwise_significance(-S)) < 1e-6
    with pytest.raises(ValueError, match="same models"):
        found.soft_accuracy(pairwise_significance(S, items=list("abc")))


@pytest.mark.parametrize("scores", [[[1.0, 2.0]], [[1.0, np.nan], [0, 1]], [[1.0, np.inf], [0, 1]], [1.0]])
def test_bad_scores_get_words(scores):
    with pytest.raises(ValueError, match=r"^scores (must have shape|has entries)"):
        pairwise_significance(scores)
