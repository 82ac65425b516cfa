"""Density ratios against the known ratio of two normal laws, closed forms and their own optimality."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.spatial.distance import cdist

from steelyard import weigh
from support import hostile
from support.threads import equal_over_threads

METHODS = ("kliep", "ulsif", "rulsif")


def samples(seed=0, n=400, d=1):
    rng = np.random.default_rng(seed)
    return rng.normal(0.5, 0.7, size=(n, d)), rng.normal(0, 1, size=(n + 50, d))


def true_ratio(x):
    return np.exp(-((x - 0.5) ** 2) / (2 * 0.49) + x**2 / 2) / 0.7


@pytest.mark.parametrize("method", METHODS)
def test_ratio_of_two_normal_laws_is_found(method):
    top, bottom = samples(n=4000)
    found = weigh.density_ratio(top, bottom, method=method, scale=0.6, alpha=0.0, ridge=1e-3, rng=0)
    at = np.linspace(-0.8, 1.5, 9)
    np.testing.assert_allclose(found.ratio(at[:, None]), true_ratio(at), rtol=0.2, atol=0.05)
    np.testing.assert_allclose(found.ratio(bottom), found.denominator_ratio, rtol=1e-12)
    np.testing.assert_allclose(found.ratio(top), found.numerator_ratio, rtol=1e-12)
    biased = 1e-12 if method == "kliep" else 0.2  # heights below 0 are cut
    assert found.denominator_ratio.mean() == pytest.approx(1, abs=biased)
    assert np.average(bottom[:, 0], weights=found.denominator_ratio) == pytest.approx(0.5, abs=0.1)


def test_kliep_reaches_the_largest_likelihood():
    top, bottom = samples(1, 60, 2)
    found = weigh.density_ratio(top, bottom, n_centres=6, scale=1.0, rng=0)
    assert found.info.converged
    above, below = (np.exp(-cdist(x, found.centres, "sqeuclidean") / 2) for x in (top, bottom))
    densities = above / below.mean(axis=0)
    assert (densities / found.numerator_ratio[:, None]).mean(axis=0).max() <= 1 + 1e-9
    assert found.objective == pytest.approx(np.log(found.numerator_ratio).mean(), abs=1e-12)
    assert found.denominator_ratio.mean() == pytest.approx(1, abs=1e-12)
    peer = minimize(
        lambda w: -np.log(densities @ w).mean(),
        np.full(6, 1 / 6),
        bounds=[(0, 1)] * 6,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        method="SLSQP",
    )
    assert found.objective >= -peer.fun - 1e-9


@pytest.mark.parametrize(("scale", "seed"), [(0.5, 0), (0.2, 2), (0.15, 5), (2.0, 1)])
def test_kliep_of_narrow_bumps_reaches_its_optimum_though_the_gap_grows_on_the_way(scale, seed):
    rng = np.random.default_rng(seed)
    top, bottom = rng.normal(size=(500, 2)), 1.5 * rng.normal(size=(500, 2)) + 0.5
    found = weigh.density_ratio(top, bottom, scale=scale, rng=seed)
    assert found.info.converged
    assert found.info.error_bound <= 1e-10


@pytest.mark.parametrize("alpha", [0.0, 0.3])
def test_least_squares_are_those_of_the_closed_form(alpha):
    top, bottom = samples(2, 50, 2)
    found = weigh.density_ratio(
        top, bottom, method="rulsif", alpha=alpha, ridge=0.2, n_centres=8, scale=1.5, rng=1
    )
    above, below = (np.exp(-cdist(x, found.centres, "sqeuclidean") / 4.5) for x in (top, bottom))
    H = (1 - alpha) * below.T @ below / len(below) + alpha * above.T @ above / len(above)
    expected = np.linalg.solve(H + 0.2 * np.eye(8), above.mean(axis=0))
    np.testing.assert_allclose(found.coefficients, np.maximum(expected, 0), rtol=1e-9, atol=1e-12)
    assert ("cut to 0" in found.info.message) == bool((expected < 0).any())


def test_relative_ratio_stays_bounded_where_the_plain_one_grows():
    top, bottom = samples(3, 2000)
    plain = weigh.density_ratio(top + 2, bottom, method="ulsif", ridge=1e-3, scale=0.7, rng=0)
    found = weigh.density_ratio(top + 2, bottom, method="rulsif", alpha=0.5, ridge=1e-3, scale=0.7, rng=0)
    assert found.denominator_ratio.max() < 3  # 1 / alpha, and what the estimate adds
    assert plain.denominator_ratio.max() > 8


def test_equal_samples_have_ratio_one():
    top, _ = samples(4, 300)
    found = weigh.density_ratio(top, top, rng=0)
    assert abs(found.objective) < 0.01
    assert np.median(np.abs(found.numerator_ratio - 1)) < 0.02


def test_the_same_seed_gives_the_same_bits_on_any_threads():
    top, bottom = samples(5, 3000, 3)
    equal_over_threads(lambda n: weigh.density_ratio(top, bottom, rng=7, n_threads=n).coefficients)


def test_unit_of_the_points_is_that_of_the_width():
    top, bottom = samples(6, 80, 2)
    one = weigh.density_ratio(top, bottom, rng=0)
    other = weigh.density_ratio(1e90 * top, 1e90 * bottom, rng=0)
    assert other.width == pytest.approx(1e90 * one.width)
    np.testing.assert_allclose(one.denominator_ratio, other.denominator_ratio, atol=1e-6)


TOP, BOTTOM = samples(7, 12, 2)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"method": "kmm"}, "method must be one of"),
        ({"scale": "mean"}, "scale must be one of"),
        ({"scale": -1.0}, "scale must be positive"),
        ({"alpha": 1.0}, "alpha must be at least 0 and below 1"),
        ({"ridge": -1.0}, "ridge must be zero or positive"),
        ({"n_centres": 0}, "n_centres must be at least 1"),
        ({"scale": 1e-9, "n_centres": 3}, "numerator must lie within reach of the bumps"),
        ({"denominator": TOP[:, :1]}, "denominator must have 2 columns"),
        ({"numerator": np.ones((5, 2))}, "scale must be a number where the median distance"),
    ],
)
def test_messages_name_the_argument(arguments, says):
    with pytest.raises(ValueError, match=says):
        weigh.density_ratio(**{"numerator": TOP, "denominator": BOTTOM, "rng": 0, **arguments})


@pytest.mark.parametrize("variant", hostile.params(hostile.INVALID))
def test_nonsense_is_refused_by_name(variant):
    hostile.check_refused(lambda X: weigh.density_ratio(X, BOTTOM, rng=0), TOP, variant, "numerator")
    hostile.check_refused(lambda X: weigh.density_ratio(TOP, X, rng=0), BOTTOM, variant, "denominator")
