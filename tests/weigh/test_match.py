"""Samples matched to samples: the reference, bounds, double weighting and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.utils.estimator_checks import parametrize_with_checks

from steelyard import weigh
from steelyard.reference import balance as reference
from steelyard.weigh import _double

KERNELS = ("energy", "laplacian", "gaussian", "matern")


def samples(n=20, t=16, d=2, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(size=(t, d)) + 0.7


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("upper", [1000.0, 1.5])
def test_weights_reach_the_references_discrepancy_within_their_bounds(kernel, upper):
    X, Y = samples()
    found = weigh.match_samples(X, Y, kernel=kernel, scale=0.8, upper=upper, standardize=False, tol=1e-9)
    even = np.full(16, 1 / 16)
    least = reference.match(X, Y, even, kernel, 0.8, upper=upper / 20)
    best = reference.discrepancy(X, least, Y, even, kernel, 0.8)
    mine = reference.discrepancy(X, found.source_weights / 20, Y, even, kernel, 0.8)
    assert mine <= best + 1e-10
    assert found.discrepancy == pytest.approx(mine, abs=1e-12)
    assert found.source_weights.mean() == pytest.approx(1, abs=1e-12)
    assert found.source_weights.min() >= 0
    assert found.source_weights.max() <= upper * (1 + 1e-12)
    assert found.effective_sample_size == pytest.approx(20**2 / (found.source_weights**2).sum())


@settings(max_examples=20)
@given(st.integers(0, 50), st.sampled_from([1.0, 1.2, 4.0, 1000.0]))
def test_weights_keep_to_their_bounds_on_samples_with_equal_rows(seed, upper):
    rng = np.random.default_rng(seed)
    X, Y = rng.integers(0, 3, size=(25, 2)), rng.integers(1, 4, size=(15, 2))
    found = weigh.match_samples(X.astype(float), Y.astype(float), upper=upper)
    assert found.source_weights.mean() == pytest.approx(1, abs=1e-9)
    assert found.source_weights.min() >= -1e-12
    assert found.source_weights.max() <= upper * (1 + 1e-9)


def test_a_bound_of_one_leaves_equal_weights():
    X, Y = samples()
    np.testing.assert_allclose(weigh.match_samples(X, Y, upper=1).source_weights, 1, atol=1e-9)


def test_a_sample_is_like_itself():
    X, _ = samples()
    found = weigh.match_samples(X, X)
    assert found.discrepancy == pytest.approx(0, abs=1e-14)
    assert found.gap == 0
    np.testing.assert_array_equal(found.source_weights, 1)


def test_no_row_of_many_is_left_out():
    """The mean of a source of copies is met: batches would have left rows out."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(401, 1))
    found = weigh.match_samples(X, X[rng.random(401) < 1 / (1 + np.exp(-X[:, 0]))], upper=3)
    assert found.source_weights.mean() == pytest.approx(1)
    assert np.count_nonzero(found.source_weights[np.abs(X[:, 0] - 1) < 0.3]) > 9


def test_the_median_scale_is_that_of_both_samples():
    X, Y = samples()
    Z = reference.standardised(np.concatenate([X, Y]))
    from scipy.spatial.distance import pdist

    assert weigh.match_samples(X, Y).scale == pytest.approx(1 / np.median(pdist(Z)))


# ---- double weighting


def by_slsqp(X, Y, double, upper, scale):
    """The program as it is written: box, ball, no multiplier."""
    n, t = len(X), len(Y)
    side = np.r_[np.full(n, 1 / n), np.full(t, -1 / t)]
    both = np.concatenate([X, Y])
    H = reference.kernel(both, both, "gaussian", scale) * side[:, None] * side
    radius = (1 - 1 / np.sqrt(double)) * np.sqrt(t)
    found = minimize(
        lambda z: z @ H @ z,
        np.r_[np.full(n, 0.9), np.full(t, 0.9)],
        jac=lambda z: 2 * H @ z,
        bounds=[(0, upper / np.sqrt(double))] * n + [(0, 1)] * t,
        constraints={
            "type": "ineq",
            "fun": lambda z: radius**2 - ((z[n:] - 1) ** 2).sum(),
            "jac": lambda z: np.r_[np.zeros(n), -2 * (z[n:] - 1)],
        },
        method="SLSQP",
        options={"maxiter": 2000, "ftol": 1e-16},
    )
    return found.fun


@pytest.mark.parametrize("double", [1.5, 4.0])
def test_double_weighting_is_as_good_as_a_general_solver_within_its_ball(double):
    X, Y = samples(12, 10)
    Y = Y + 1.0
    found = weigh.match_samples(X, Y, double=double, upper=3, scale=1.0, standardize=False, tol=1e-7)
    radius = (1 - 1 / np.sqrt(double)) * np.sqrt(10)
    a, b = found.target_weights, found.source_weights
    assert np.linalg.norm(a - 1) <= radius
    assert found.ball_residual == pytest.approx(1 - np.linalg.norm(a - 1) / radius, abs=1e-12)
    assert a.min() >= 0
    assert a.max() <= 1
    assert b.max() <= 3 / np.sqrt(double) + 1e-12
    mine = reference.discrepancy(X, b / 12, Y, a / 10, "gaussian", 1.0)
    assert found.discrepancy == pytest.approx(mine, abs=1e-12)
    best = by_slsqp(X, Y, double, 3, 1.0)
    assert mine <= best + 1e-6 * found.discrepancy_before
    assert best >= mine - found.gap * found.discrepancy_before - 1e-9
    assert found.n_programs <= 20
    assert found.info.converged


def test_a_little_doubling_is_nearly_none():
    X, Y = samples()
    plain = weigh.match_samples(X, Y, upper=5)
    double = weigh.match_samples(X, Y, upper=5, double=1.001)
    np.testing.assert_allclose(double.target_weights, 1, atol=0.02)
    assert double.discrepancy <= plain.discrepancy * 1.01


# ---- what is refused


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"target": np.ones((3, 5))}, "target must have 2 columns, as source, got 5"),
        ({"target": [[np.nan, 1.0]]}, r"target has NaN or infinite entries \(first: row 0\)"),
        ({"source": [[1.0, 2.0], [np.inf, 1.0]]}, r"source has NaN or infinite entries \(first: row 1\)"),
        ({"upper": 0.5}, "upper must be at least 1, the mean of the weights, got 0.5"),
        ({"double": 1.0}, "double must be above 1"),
        ({"kernel": "rbf"}, "kernel must be one of"),
        ({"scale": "mean"}, "scale must be one of 'median'"),
        ({"tol": -1}, "tol must be positive"),
    ],
)
def test_errors_name_the_argument(change, match):
    X, Y = samples()
    given = {"source": X, "target": Y, **change}
    with pytest.raises(ValueError, match=match):
        weigh.match_samples(given.pop("source"), given.pop("target"), **given)


def test_double_weighting_of_many_rows_is_refused_before_any_work():
    with pytest.raises(ValueError, match="double takes at most 8,000 rows together, got 9,000"):
        weigh.match_samples(np.arange(8500.0)[:, None], np.arange(500.0)[:, None], double=4, scale=1.0)


# ---- scikit-learn


class OnItself(weigh.SampleMatcher):
    """The common checks hand over labels where a target sample stands: their X is its own target."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        return tags

    def fit(self, X, y=None):
        return super().fit(X, X)


@parametrize_with_checks([OnItself()])
def test_scikit_learn_accepts(estimator, check):
    check(estimator)


def test_the_estimator_gives_the_functions_weights():
    X, Y = samples()
    found = weigh.SampleMatcher(upper=3).fit(X, Y)
    np.testing.assert_array_equal(found.weights_, weigh.match_samples(X, Y, upper=3).source_weights)
    np.testing.assert_array_equal(found.target_weights_, np.ones(16))
    with pytest.raises(ValueError, match="requires y to be passed"):
        weigh.SampleMatcher().fit(X, None)


def test_double_weighting_refuses_a_kernel_that_is_not_definite():
    X, Y = np.random.default_rng(0).normal(size=(2, 20, 2))
    with pytest.raises(ValueError, match="kernel must be positive definite with double"):
        weigh.match_samples(X, Y, kernel="energy", double=4)


def test_double_weighting_of_hundreds_of_rows_ends_within_few_programs():
    X, Y = np.random.default_rng(0).normal(size=(2, 150, 2))
    found = weigh.match_samples(X, Y + 1, double=4)
    assert found.info.converged
    assert found.n_programs <= 20
    assert found.ball_residual >= 0


@pytest.mark.filterwarnings("ignore:standardised mean differences")
@pytest.mark.parametrize("kernel", ["gaussian", "laplacian", "matern"])
@pytest.mark.parametrize("unit", [1e-160, 1e-100, 1e150, 1e200])
def test_a_scale_is_per_unit_of_the_points_however_small_or_large_they_are(kernel, unit):
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(20, 2)), rng.normal(0.3, 1.0, size=(30, 2))
    plain = weigh.match_samples(source, target, kernel=kernel, scale=1.0, standardize=False)
    moved = weigh.match_samples(
        source * unit, target * unit, kernel=kernel, scale=1 / unit, standardize=False
    )
    assert moved.discrepancy == pytest.approx(plain.discrepancy, rel=1e-6)
    assert moved.scale == pytest.approx(1 / unit)
    far = weigh.match_samples(source * unit, target * unit, kernel=kernel, scale=1e-250, standardize=False)
    assert far.discrepancy_before == pytest.approx(0.0, abs=1e-7)  # all points are alike
    treated = np.arange(20) % 2
    one = weigh.balance(source, treated, kernel=kernel, scale=1.0, standardize=False)
    other = weigh.balance(source * unit, treated, kernel=kernel, scale=1 / unit, standardize=False)
    np.testing.assert_allclose(other.weights, one.weights, rtol=1e-5, atol=1e-7)
    assert other.scale == pytest.approx(1 / unit)


@pytest.mark.parametrize("kernel", ["laplacian", "matern"])
def test_programs_of_double_weighting_begin_where_the_last_ended(kernel, monkeypatch):
    steps, solve = [], _double.solve

    def counted(*arguments, **options):
        found = solve(*arguments, **options)
        steps.append(found.info.iterations)
        return found

    monkeypatch.setattr(_double, "solve", counted)
    rng = np.random.default_rng(3)
    source, target = rng.normal(size=(150, 2)), rng.normal(size=(150, 2)) + 1
    found = weigh.match_samples(source, target, kernel=kernel, double=4.0)
    assert found.info.converged
    assert 2 <= len(steps) <= 20
    assert sum(steps[1:]) < steps[0]
