"""Weights from neighbourhoods: right where they are given, refused where they are not."""

from __future__ import annotations

import numpy as np
import pytest

from steelyard import weigh
from steelyard.reference import weigh as reference

pytestmark = pytest.mark.kernel


def test_local_weights_are_near_the_exact_ones_at_a_large_scale():
    x = np.random.default_rng(0).random((1200, 3))
    t = weigh.find_scale(x, fraction=0.3)
    exact, local = weigh.weighting(x, scale=t), weigh.weighting(x, scale=t, method="local")
    error = np.linalg.norm(local.weights - exact.weights) / np.linalg.norm(exact.weights)
    assert error <= 0.02
    # The sampled residual tells the size of the error.
    assert error / 3 <= local.info.residual <= 3 * error
    assert "approximate" in local.info.message
    assert local.info.error_bound is None


def test_local_weights_are_those_of_the_reference():
    x = np.random.default_rng(1).random((200, 2))
    found = weigh.weighting(x, scale=150.0, method="local")
    np.testing.assert_allclose(found.weights, reference.local_weighting(x, 150.0, 100), atol=1e-9)


@pytest.mark.parametrize("d", [2, 10])
def test_a_small_scale_is_refused(d):
    x = np.random.default_rng(2).random((3000, d))
    with pytest.raises(ValueError, match="method='local' is wrong here"):
        weigh.weighting(x, scale="median", method="local")


@pytest.mark.parametrize("metric", ["cosine", "cityblock", "minkowski(3)"])
def test_other_metrics_find_their_neighbours(metric):
    x = np.random.default_rng(3).normal(size=(250, 3))
    t = weigh.find_scale(x, fraction=0.9, metric=metric)
    exact = weigh.weighting(x, scale=t, metric=metric).weights
    local = weigh.weighting(x, scale=t, metric=metric, method="local").weights
    assert np.linalg.norm(local - exact) <= 0.05 * np.linalg.norm(exact)


def test_fewer_points_than_neighbours_are_all_used():
    x = np.random.default_rng(4).normal(size=(30, 3))
    found = weigh.weighting(x, scale=2.0, method="local")
    np.testing.assert_allclose(found.weights, reference.weighting(x, 2.0), atol=1e-10)


def test_copies_share_their_local_weight():
    x = np.random.default_rng(5).normal(size=(30, 3))
    found = weigh.weighting(np.vstack([x, x]), scale=2.0, method="local")
    np.testing.assert_allclose(2 * found.weights[:30], reference.weighting(x, 2.0), atol=1e-10)


def local_weights(n_threads):
    x = np.random.default_rng(6).random((3000, 2))
    return weigh.weighting(x, scale=300.0, method="local", n_threads=n_threads).weights


def test_local_weights_carry_the_same_bits_for_any_number_of_threads(equal_over_threads):
    assert np.isfinite(equal_over_threads(local_weights)).all()
