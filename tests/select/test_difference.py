"""Paired differences, items needed, prediction-powered means, pass@k against closed forms and enumeration."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from steelyard.reference import evaluation as reference
from steelyard.select import items_needed, paired_difference, pass_at_k, prediction_powered_mean


def pair(n=40, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=n), rng.normal(size=n) + 0.3


# ---- differences


def test_without_clusters_it_is_the_paired_t_test():
    a, b = pair()
    found, test = paired_difference(a, b, level=0.9), stats.ttest_rel(a, b)
    assert found.p_value == pytest.approx(test.pvalue)
    assert found.degrees_of_freedom == pytest.approx(39)
    np.testing.assert_allclose((found.lower, found.upper), test.confidence_interval(0.9))
    assert found.design_effect == pytest.approx(1)
    assert found.variance_items == pytest.approx((a - b).var(ddof=1))


def test_clusters_of_one_size_are_the_t_test_of_their_means():
    a, b = pair()
    labels = np.repeat([f"text {k}" for k in range(10)], 4)
    found = paired_difference(a, b, clusters=labels)
    test = stats.ttest_1samp((a - b).reshape(10, 4).mean(axis=1), 0)
    assert found.p_value == pytest.approx(test.pvalue)
    assert found.degrees_of_freedom == pytest.approx(9)
    shuffled = np.random.default_rng(1).permutation(40)
    again = paired_difference(a[shuffled], b[shuffled], clusters=labels[shuffled])
    assert again.standard_error == pytest.approx(found.standard_error)


def test_unequal_clusters_follow_the_definition():
    a, b = pair(20)
    labels = np.array([0] * 10 + [1] * 5 + [2] * 3 + [3, 4])
    found = paired_difference(a, b, clusters=labels)
    error, freedom = reference.clustered_error(a - b, labels)
    assert found.standard_error == pytest.approx(error)
    assert found.degrees_of_freedom == pytest.approx(freedom)
    assert freedom < 3


def test_repeats_in_rows_or_in_a_list_say_the_same():
    rng = np.random.default_rng(0)
    a, b = rng.random((12, 3)), rng.random((12, 3))
    b[4, 2] = np.nan
    items, groups = np.repeat(np.arange(12), 3), np.arange(12) // 3
    order = rng.permutation(36)
    wide = paired_difference(a, b, clusters=groups)
    long = paired_difference(
        a.ravel()[order], b.ravel()[order], repeats=items[order], clusters=groups[items[order]]
    )
    for name in ("difference", "standard_error", "variance_items", "variance_repeats", "design_effect"):
        assert getattr(long, name) == pytest.approx(getattr(wide, name))


def test_the_variance_splits_into_items_and_repeats():
    rng = np.random.default_rng(3)
    true = rng.normal(scale=2.0, size=4000)
    a = true[:, None] + rng.normal(size=(4000, 4))
    b = rng.normal(scale=0.5, size=(4000, 2))
    found = paired_difference(a, b)
    assert found.variance_items == pytest.approx(4.0, rel=0.1)
    assert found.variance_repeats == pytest.approx(1.25, rel=0.03)


def test_equal_differences_say_nothing_of_the_error():
    for b in ([1.0, 1, 0], [0.0, 0, -1]):
        with pytest.warns(UserWarning, match="the same on all items"):
            found = paired_difference([1.0, 1, 0], b)
        assert found.standard_error == np.inf
        assert found.p_value == 1.0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (([1.0], [0.0]), "two items"),
        (([1.0, 2], [0.0]), "b must have the items of a, 2, got 1"),
        (([1.0, np.inf], [0.0, 1]), "a has entries that are infinite"),
        (([1.0, np.nan], [0.0, 1]), "a has no answer to item 1"),
        (([1.0, 1e200], [0.0, 1]), "a must lie within"),
    ],
)
def test_bad_scores_get_words(arguments, says):
    with pytest.raises(ValueError, match=says):
        paired_difference(*arguments)


def test_bad_clusters_get_words():
    a, b = pair(4)
    for labels, says in ((["x"] * 4, "two labels"), ([1, 2], "4 labels"), ([1, 2, 3, None], "missing")):
        with pytest.raises(ValueError, match=says):
            paired_difference(a, b, clusters=labels)
    with pytest.raises(ValueError, match="two labels for the item"):
        paired_difference(a, b, repeats=[0, 0, 1, 1], clusters=[0, 1, 2, 2])


# ---- how many


def power(n, difference, variance, level=0.95):
    least = stats.t.ppf(0.5 + 0.5 * level, n - 1)
    shift = difference * np.sqrt(n / variance)
    below = stats.nct.cdf(-least, n - 1, shift) if shift < 5 else 0.0  # the series gives NaN farther out
    return stats.nct.sf(least, n - 1, shift) + below


@pytest.mark.parametrize("variance", [0.1, 1.0, 9.0])
@pytest.mark.parametrize("difference", [0.05, 0.3, -2.0])
def test_the_smallest_number_of_enough_power_is_found(difference, variance):
    n = items_needed(difference, variance_items=variance, power=0.9)
    assert power(n, abs(difference), variance) >= 0.9 - 1e-4
    assert n == 2 or power(n - 1, abs(difference), variance) < 0.9 + 1e-4


def test_a_pilot_says_what_is_not_given():
    rng = np.random.default_rng(0)
    pilot = paired_difference(rng.random((50, 2)), rng.random((50, 2)), clusters=np.arange(50) // 5)
    n = items_needed(0.1, pilot, n_repeats=4)
    assert n == items_needed(
        0.1,
        variance_items=pilot.variance_items,
        variance_repeats=pilot.variance_repeats,
        design_effect=pilot.design_effect,
        n_repeats=4,
    )
    assert items_needed(0.1, pilot, n_repeats=8) < n


def test_what_no_number_of_items_shows_gets_words():
    with pytest.raises(ValueError, match="must not be 0"):
        items_needed(0.0, variance_items=1.0)
    with pytest.raises(ValueError, match="variance_items must be given"):
        items_needed(0.1)
    with pytest.raises(ValueError, match="too small"):
        items_needed(1e-12, variance_items=1.0)


# ---- a judge beside people


def test_predictions_narrow_the_interval_and_never_widen_it():
    rng = np.random.default_rng(0)
    for rho in (0.0, 0.5, 0.95):
        for _ in range(50):
            f = rng.normal(size=530)
            y = rho * f[:30] + np.sqrt(1 - rho**2) * rng.normal(size=30)
            plain = stats.t.ppf(0.975, 29) * y.std(ddof=1) / np.sqrt(30)
            found = prediction_powered_mean(y, f[:30], f[30:])
            assert (found.upper - found.lower) / 2 <= plain * (1 + 1e-12)
    assert found.relative_efficiency > 3


def test_equal_labels_say_nothing_of_the_error_of_their_mean():
    with pytest.warns(UserWarning, match="labels are all equal"):
        found = prediction_powered_mean(np.ones(10), np.arange(10.0), np.arange(50.0))
    assert found.mean == 1


def test_powered_means_are_the_definition_and_predictions_without_spread_cost_nothing():
    rng = np.random.default_rng(1)
    f = rng.random(220)
    y = f[:20] + 0.1 * rng.random(20)
    found = prediction_powered_mean(y, f[:20], f[20:])
    mean, error = reference.prediction_powered(y, f[:20], f[20:])
    assert found.mean == pytest.approx(mean)
    assert found.standard_error == pytest.approx(error)
    flat = prediction_powered_mean(y, np.ones(20), np.ones(200))
    assert flat.mean == pytest.approx(y.mean())
    assert flat.relative_efficiency == 1
    with pytest.raises(ValueError, match="three entries"):
        prediction_powered_mean([1, 2], [1, 2], [1, 2, 3])


# ---- pass@k


def test_pass_at_k_is_the_share_of_draws_with_a_success():
    for c in range(6):
        draws = list(itertools.combinations([1] * c + [0] * (5 - c), 3))
        share = np.mean([max(draw) for draw in draws])
        assert pass_at_k([c, c], 5, 3).mean == pytest.approx(share)


def test_errors_of_fixed_problems_are_unbiased():
    p = np.array([0.2, 0.6])
    total = square = mean = 0.0
    for c in itertools.product(range(7), repeat=2):
        chance = float(stats.binom.pmf(c, 6, p).prod())
        found = pass_at_k(c, 6, 2, problems="fixed")
        raw = float(sum(reference.missed_square_less(6, x, 2) for x in c)) / 4
        assert found.standard_error == pytest.approx(np.sqrt(max(raw, 0.0)))
        mean += chance * found.mean
        square += chance * found.mean**2
        total += chance * raw
    assert mean == pytest.approx((1 - (1 - p) ** 2).mean())
    assert total == pytest.approx(square - mean**2)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (([1, 2], 5, 6), "attempts must be at least 6"),
        (([1, 7], 5, 2), "successes must be at most"),
        (([1, 0.5], 5, 2), "whole numbers"),
        (([1, -1], 5, 2), "whole numbers"),
        (([1], 5, 2), "two problems"),
    ],
)
def test_bad_counts_get_words(arguments, says):
    with pytest.raises(ValueError, match=says):
        pass_at_k(*arguments)
    with pytest.raises(ValueError, match="attempts must be at least 6"):
        pass_at_k([1, 2], 5, 3, problems="fixed")
