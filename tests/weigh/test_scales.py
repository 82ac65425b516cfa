"""Scales chosen by rule."""

from __future__ import annotations

import numpy as np
import pytest

from steelyard import weigh
from steelyard.reference import weigh as reference

pytestmark = pytest.mark.kernel


def cloud(n, d, seed=0):
    return np.random.default_rng([n, d, seed]).normal(size=(n, d))


SHARES = [("fraction", 0.3), ("fraction", 0.7), ("convergence", 0.95)]


@pytest.mark.parametrize(
    ("n", "rule", "share"),
    [
        *((n, rule, share) for n in (20, 300) for rule, share in SHARES),
        (3500, "fraction", 0.3),  # conjugate gradients
        *(pytest.param(3500, rule, share, marks=pytest.mark.slow) for rule, share in SHARES[1:]),
    ],
)
def test_the_magnitude_is_the_share_asked_for(n, rule, share):
    x = cloud(n, 4)
    t = weigh.find_scale(x, rule, fraction=share if rule == "fraction" else 0.3)
    assert weigh.magnitude(x, scale=t) == pytest.approx(share * n, rel=2e-3)


def test_two_points_have_a_closed_form():
    assert weigh.find_scale([[0.0], [1.0]], fraction=0.75, tol=1e-10) == pytest.approx(2 * np.arctanh(0.5))


def test_copies_do_not_count():
    x = cloud(40, 2)
    assert weigh.find_scale(np.vstack([x, x])) == pytest.approx(weigh.find_scale(x), rel=1e-6)


@pytest.mark.parametrize("metric", ["euclidean", "cityblock", "cosine"])
def test_the_median_rule_inverts_the_median_distance(metric):
    x = cloud(80, 3)
    assert weigh.find_scale(x, "median", metric=metric) == pytest.approx(reference.median_scale(x, metric))


@pytest.mark.parametrize("seed", range(3))
def test_cutoffs_agree_with_the_reference(seed):
    x = cloud(25, 2, seed)
    assert weigh.find_scale(x, "positive_cutoff") == pytest.approx(reference.positive_cutoff(x), rel=5e-3)
    assert weigh.find_scale(x, "strong_cutoff") == pytest.approx(reference.strong_cutoff(x), rel=5e-3)


def test_above_the_cutoff_the_weights_are_nonnegative_and_below_it_not():
    x = cloud(60, 3)
    t = weigh.find_scale(x, "positive_cutoff", tol=1e-6)
    assert weigh.weighting(x, scale=t * 1.001).weights.min() >= -1e-9
    assert weigh.weighting(x, scale=t * 0.99).weights.min() < 0


def test_a_cutoff_says_what_is_not_verified():
    assert "nothing is verified" in weigh.weighting(cloud(30, 2), scale="strong_cutoff").info.message


def test_weighting_takes_the_rules():
    x = cloud(50, 2)
    for rule in ("fraction", "convergence", "median", "positive_cutoff", "strong_cutoff"):
        assert weigh.weighting(x, scale=rule).scale == pytest.approx(weigh.find_scale(x, rule), rel=1e-3)
    assert weigh.weighting(x, scale="fraction", fraction=0.5).magnitude == pytest.approx(25, rel=2e-3)


def test_many_points_are_sampled():
    x = np.random.default_rng(0).random((100_000, 2))
    t = weigh.find_scale(x, fraction=0.3)
    # Magnitude by area: the share of a smaller set of the same density is the same, but for the boundary.
    small = np.random.default_rng(1).random((5_000, 2)) * np.sqrt(0.05)
    assert weigh.magnitude(small, scale=t, tol=1e-4) / 5_000 == pytest.approx(0.3, rel=0.05)


@pytest.mark.parametrize(
    ("x", "rule", "match"),
    [
        (np.zeros((3, 2)), "fraction", "at least 2 distinct points"),
        (cloud(3, 2), "fraction", "fraction must be above"),
        (cloud(3, 2), "biggest", "rule must be one of"),
    ],
)
def test_what_has_no_scale_is_refused(x, rule, match):
    with pytest.raises(ValueError, match=match):
        weigh.find_scale(x, rule)
