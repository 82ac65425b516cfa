"""Weightings by the far field: the same answer, with bounds that hold and an account of them."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from steelyard import weigh
from steelyard.weigh import _spaces

pytestmark = pytest.mark.kernel


def cloud(n, d, seed=0):
    return np.random.default_rng([n, d, seed]).uniform(size=(n, d))


@pytest.fixture
def direct(monkeypatch):
    """Weightings without a far field."""

    def solve(X, **options):
        with monkeypatch.context() as patch:
            patch.setattr(_spaces, "FAR_FROM", {})
            return weigh.weighting(X, **options)

    return solve


@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_weights_by_the_far_field_are_those_of_all_pairs(scale, direct):
    x = cloud(3500, 2)
    found, exact = weigh.weighting(x, scale=scale), direct(x, scale=scale, tol=1e-10)
    assert "far field" in found.info.solver
    assert "far field" not in exact.info.solver
    assert found.info.converged
    assert found.info.residual_kind == "rigorous"
    assert found.info.residual + found.info.residual_error <= found.info.tol
    assert found.info.lower_bound <= exact.magnitude
    assert exact.magnitude <= found.info.lower_bound + found.info.error_bound
    size = np.linalg.norm(exact.weights)
    assert np.linalg.norm(found.weights - exact.weights) <= max(found.info.weight_error, 1e-6 * size)


def test_three_features_are_told_to_be_an_estimate():
    x = cloud(2500, 3)
    found = weigh.weighting(x, scale=3.0, method="far", tol=1e-7)
    exact = weigh.weighting(x, scale=3.0)
    assert found.info.converged
    assert found.info.residual_kind == "estimate"
    assert found.info.error_kind == "estimate"
    assert found.info.residual_error > 0
    assert found.magnitude == pytest.approx(exact.magnitude, rel=1e-7)
    assert found.info.lower_bound <= exact.magnitude


def test_three_features_are_proven_on_request():
    x = cloud(2500, 3)
    found = weigh.weighting(x, scale=3.0, method="far", tol=1e-7, certify=True)
    left = 1.0 - np.exp(-3.0 * np.linalg.norm(x[:, None] - x, axis=2)) @ found.weights
    assert found.info.converged
    assert found.info.residual_kind == "rigorous"
    assert found.info.residual_error == 0.0
    assert found.info.residual == pytest.approx(np.sqrt(np.mean(left**2)), rel=1e-3)
    assert "proven by all pairs in" in found.info.message


def test_an_answer_that_all_pairs_find_short_is_gone_on_with(monkeypatch):
    x = cloud(2000, 3)
    rough = weigh._solvers.iterated
    monkeypatch.setattr(
        weigh._solvers,
        "iterated",
        lambda space, request, choice, tol, start, **how: rough(
            space, request, choice, tol if start is not None else 1e-3, start, **how
        ),
    )
    found = weigh.weighting(x, scale=3.0, method="far", tol=1e-7, certify=True)
    assert found.info.converged
    assert found.info.residual <= 1e-7


def test_a_sampled_residual_is_not_called_proven():
    with pytest.raises(ValueError, match="certify must be False for method='local'"):
        weigh.weighting(cloud(300, 2), method="local", certify=True)


@pytest.mark.slow
def test_a_scale_for_very_many_points_is_solved_for_not_sampled_alone():
    x = cloud(100_000, 2)
    scale = weigh.find_scale(x, "fraction", fraction=0.05, tol=1e-3)
    assert weigh.magnitude(x, scale=scale, tol=1e-5) == pytest.approx(5000, rel=2e-3)


def test_tight_clusters_go_on_in_double_precision():
    rng = np.random.default_rng(1)
    x = rng.uniform(size=(20, 2))[rng.integers(0, 20, 3200)] + 1e-4 * rng.normal(size=(3200, 2))
    found = weigh.weighting(x, scale=2.0, method="far", tol=1e-7)
    residual = weigh.weighting(x, scale=2.0, method="cholesky")
    assert found.info.converged
    assert found.info.lower_bound <= residual.magnitude <= found.info.lower_bound + found.info.error_bound


def test_copies_share_their_weight():
    x = cloud(3200, 2)
    once = weigh.weighting(x, scale=5.0)
    twice = weigh.weighting(np.vstack([x, x]), scale=5.0)
    np.testing.assert_allclose(2 * twice.weights[:3200], once.weights, atol=1e-12)


def weights(n_threads):
    return weigh.weighting(cloud(3300, 2), scale=4.0, n_threads=n_threads).weights


def test_weights_carry_the_same_bits_for_any_number_of_threads(equal_over_threads):
    equal_over_threads(weights)


def test_a_jitter_is_added_to_the_diagonal():
    x = cloud(1000, 2)
    by_far = weigh.weighting(x, scale=2.0, jitter=0.5, method="far")
    assert "far field" in by_far.info.solver
    exact = weigh.weighting(x, scale=2.0, jitter=0.5, method="cholesky")
    np.testing.assert_allclose(by_far.weights, exact.weights, atol=1e-7)


@pytest.mark.parametrize(
    ("X", "metric"), [(cloud(50, 4), "euclidean"), (cloud(50, 2), "cityblock"), (cloud(50, 2), "cosine")]
)
def test_what_has_no_far_field_is_refused(X, metric):
    with pytest.raises(ValueError, match="needs euclidean points with at most 3 features"):
        weigh.weighting(X, metric=metric, method="far")


@pytest.mark.parametrize("n", [1, 2, 3, 17])
def test_few_points_can_ask_for_it(n):
    x = cloud(n, 2)
    found = weigh.weighting(x, scale=2.0, method="far")
    np.testing.assert_allclose(found.weights, weigh.weighting(x, scale=2.0).weights, atol=1e-7)


def test_spread_by_the_far_field_is_that_of_all_pairs(monkeypatch):
    x = cloud(3300, 2)
    found = weigh.spread(x, scale=10.0)
    monkeypatch.setattr(_spaces, "FAR_FROM", {})
    assert found == pytest.approx(weigh.spread(x, scale=10.0), rel=1e-7)


def test_a_weighting_by_the_far_field_can_be_pickled():
    found = weigh.weighting(cloud(3100, 2), scale=3.0)
    assert pickle.loads(pickle.dumps(found)).info.residual_error == found.info.residual_error


def endless():
    weigh.weighting(np.random.default_rng(0).uniform(size=(400_000, 3)), scale=1.0, method="far", tol=1e-13)


def test_ctrl_c_is_answered(ctrl_c):
    answer = ctrl_c(endless, after=2.0)
    assert answer.raised
    assert answer.seconds < 1.0


def test_the_magnitude_function_by_the_far_field_is_that_of_all_pairs(monkeypatch):
    x = cloud(3300, 2)
    scales = np.geomspace(0.3, 300.0, 4)
    found = weigh.magnitude_function(x, scales, tol=1e-5)
    assert "far field" in found.info.solver
    assert found.info.converged
    assert found.info.residual_kind == "rigorous"
    monkeypatch.setattr(_spaces, "FAR_FROM", {})
    exact = weigh.magnitude_function(x, scales, tol=1e-9).magnitudes
    off = np.abs(found.magnitudes / exact - 1)
    assert off.max() <= min(found.info.error_bound, 1e-5)


def test_copies_are_found_where_no_column_tells_all_points_apart():
    x = np.random.default_rng(2).integers(0, 90, size=(12_000, 2)).astype(float)
    space = _spaces.check_space(x)
    assert space.n_unique == len(np.unique(x, axis=0))
    distinct = np.random.default_rng(3).permutation(12_000)[:, None] * [1.0, 0.0]
    assert _spaces.check_space(distinct).n_unique == 12_000
