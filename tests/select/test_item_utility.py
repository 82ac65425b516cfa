"""Utilities of items against SciPy and their definitions, choices against enumeration."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import pdist

from steelyard.select import item_utility
from support.examples import examples


@pytest.mark.parametrize("digits", [0, 1, 6])
def test_consistency_is_kendalls_tau_c_with_the_other_items(digits):
    S = np.random.default_rng(digits).normal(size=(7, 12)).round(digits)
    found = item_utility(S).values
    for item in range(12):
        rest = np.delete(S, item, axis=1).sum(axis=1).round(9)
        assert found[item] == pytest.approx(
            stats.kendalltau(S[:, item], rest, variant="c").statistic, abs=1e-12
        )


def test_variance_diversity_and_information_follow_their_definitions():
    rng = np.random.default_rng(0)
    S, outputs = rng.normal(size=(5, 8)), rng.normal(size=(5, 8, 3))
    np.testing.assert_allclose(item_utility(S, "variance").values, S.var(axis=0, ddof=1))
    for item in range(8):
        assert item_utility(S, "diversity").values[item] == pytest.approx(pdist(S[:, [item]]).mean())
        assert item_utility(outputs, "diversity").values[item] == pytest.approx(
            pdist(outputs[:, item]).mean()
        )
        r = np.corrcoef(S[:, item], np.delete(S, item, axis=1).mean(axis=1))[0, 1]
        assert item_utility(S, "information").values[item] == pytest.approx(max(r, 0) ** 2 / (1 - r**2))


def test_items_without_variance_tell_nothing():
    S = np.c_[np.arange(4.0), np.ones(4), np.arange(4.0)]
    for kind in ("variance", "consistency", "diversity", "information"):
        found = item_utility(S, kind)
        assert found.values[1] == 0
        assert found.choose(3).indices.tolist() == [0, 2]


@examples(40)
@given(st.integers(0, 2**32 - 1))
def test_a_choice_is_within_its_bound_of_the_best(seed):
    rng = np.random.default_rng(seed)
    S = rng.normal(size=(3, 8)) * (rng.permutation(8) <= rng.integers(0, 8))
    utility = item_utility(S, "variance", cost=rng.integers(1, 9, size=8))
    budget = float(rng.integers(utility.costs.min(), 20))
    found = utility.choose(budget)
    best = max(
        utility.values[list(some)].sum()
        for size in range(9)
        for some in itertools.combinations(range(8), size)
        if utility.costs[list(some)].sum() <= budget
    )
    assert found.cost <= budget
    assert 0.5 * best <= found.utility <= best * (1 + 1e-12)
    assert found.upper_bound >= best


def test_where_no_item_tells_or_can_be_paid_that_is_said():
    for kind in ("variance", "consistency", "diversity", "information"):
        with pytest.warns(UserWarning, match="all models have the same scores"):
            found = item_utility(np.tile(np.arange(5.0), (3, 1)), kind)
        assert len(found.choose(3).indices) == 0
    with pytest.raises(ValueError, match="budget must pay for one item at least, of 5, got 3"):
        item_utility(np.eye(3), "variance", cost=[5, 6, 7]).choose(3)


def test_with_equal_costs_the_best_items_are_chosen():
    S = np.random.default_rng(1).normal(size=(4, 50))
    found = item_utility(S, "variance").choose(7)
    assert set(found.indices.tolist()) == set(np.argsort(-S.var(axis=0))[:7].tolist())
    assert found.utility == pytest.approx(found.upper_bound)


@pytest.mark.parametrize(
    ("scores", "options", "match"),
    [
        (np.ones((1, 4)), {}, "scores"),
        (np.full((2, 4), np.inf), {}, "scores"),
        (np.ones((2, 4, 2)), {}, "scores"),
        (np.ones((2, 4)), {"cost": [1, 1, -1, 1]}, "cost"),
        (np.ones((2, 4)), {"cost": [1, 1]}, "cost"),
        (np.ones((2, 4)), {"kind": "best"}, "kind"),
    ],
)
def test_what_does_not_fit_is_named(scores, options, match):
    with pytest.raises(ValueError, match=match):
        item_utility(scores, **options)
