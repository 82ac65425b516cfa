"""The magnitude as a function of scale, and numbers made of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard import weigh
from steelyard.reference import weigh as reference
from support.examples import examples

pytestmark = pytest.mark.kernel


def cloud(n, d, seed=0):
    return np.random.default_rng([n, d, seed]).normal(size=(n, d))


@pytest.mark.parametrize("n", [40, 1000])
@pytest.mark.parametrize("metric", ["euclidean", "cityblock", "angular"])
def test_every_scale_is_within_its_bound(n, metric):
    x = cloud(n, 3)
    scales = np.geomspace(0.03, 30, 12 if n == 40 else 5)
    f = weigh.magnitude_function(x, scales, metric=metric)
    exact = np.array(
        [weigh.weighting(x, scale=t, metric=metric, method="cholesky", tol=1e-7).magnitude for t in scales]
    )
    assert ("lock-step" in f.info.solver) == (n == 1000)
    np.testing.assert_allclose(f.magnitudes, exact, rtol=1e-4)
    assert (f.magnitudes <= exact * (1 + 1e-9)).all()


def test_scaled_data_does_not_underflow():
    x = 1e4 * cloud(900, 2)
    f = weigh.magnitude_function(x, np.geomspace(5e-6, 5e-2, 8))
    g = weigh.magnitude_function(x / 1e4, np.geomspace(5e-2, 5e2, 8))
    np.testing.assert_allclose(f.magnitudes, g.magnitudes, rtol=1e-4)


def test_automatic_scales_end_at_convergence():
    x = cloud(300, 3)
    f = weigh.magnitude_function(x)
    assert len(f.scales) == 20
    assert f.magnitudes[-1] == pytest.approx(0.95 * 300, rel=2e-2)
    assert (np.diff(f.magnitudes) > 0).all()


def test_area_dimension_and_difference_are_those_of_the_reference():
    x, y = cloud(60, 2), cloud(60, 2, 1)
    scales = np.geomspace(0.1, 20, 30)
    f, g = (weigh.magnitude_function(a, scales, tol=1e-8) for a in (x, y))
    values = [reference.magnitude_function(a, scales) for a in (x, y)]
    np.testing.assert_allclose(f.magnitudes, values[0], rtol=1e-7)
    assert f.dimension() == pytest.approx(reference.magnitude_dimension(scales, values[0]), rel=1e-6)
    with_zero = np.append(0, scales)
    ones = [np.append(1, v) for v in values]
    assert f.area() == pytest.approx(np.trapezoid(ones[0], with_zero), rel=1e-6)
    assert weigh.magnitude_area(f, g) == pytest.approx(np.trapezoid(ones[0] - ones[1], with_zero), rel=1e-6)
    assert weigh.magnitude_difference(f, g) == pytest.approx(
        np.trapezoid(np.abs(ones[0] - ones[1]), with_zero), rel=1e-6
    )
    assert weigh.magnitude_difference(f, f) == 0


def test_the_dimension_of_a_line_and_of_a_square():
    line = np.linspace(0, 1, 700)[:, None]
    assert weigh.magnitude_dimension(line) == pytest.approx(1, abs=0.05)
    square = np.stack(np.meshgrid(np.linspace(0, 1, 20), np.linspace(0, 1, 20)), -1).reshape(-1, 2)
    assert 1.5 < weigh.magnitude_dimension(square) < 2.1


def test_an_interval_tends_to_its_known_magnitude():
    # |[0, L]| = 1 + L / 2
    x = np.linspace(0, 3, 4000)[:, None]
    assert weigh.magnitude(x) == pytest.approx(2.5, rel=1e-6)


def test_a_ball_tends_to_its_known_magnitude():
    # 1 + 2 R + R^2 + R^3 / 6 in three dimensions, from below.
    axis = np.linspace(-1, 1, 22)
    grid = np.stack(np.meshgrid(axis, axis, axis), -1).reshape(-1, 3)
    ball = grid[(grid**2).sum(1) <= 1]
    found = weigh.magnitude(ball, tol=1e-6)
    assert 0.93 * (4 + 1 / 6) < found < 4 + 1 / 6


@examples(20)
@given(st.integers(1, 40), st.integers(1, 4), st.floats(0.01, 30), st.integers(0, 10**6))
def test_spread_lies_between_one_and_the_magnitude(n, d, t, seed):
    x = cloud(n, d, seed)
    spread = weigh.spread(x, scale=t)
    assert spread == pytest.approx(reference.spread(x, t), rel=1e-12)
    assert 1 - 1e-12 <= spread <= weigh.magnitude(x, scale=t) * (1 + 1e-9)


def test_spread_counts_copies():
    x = np.repeat(cloud(20, 2), 3, axis=0)
    assert weigh.spread(x) == pytest.approx(reference.spread(x), rel=1e-12)


def test_magnitude_distance():
    x, y = cloud(20, 2), cloud(30, 2, 1)
    assert weigh.magnitude_distance(x, y) == pytest.approx(reference.magnitude_distance(x, y), rel=1e-8)
    assert weigh.magnitude_distance(x, x) == pytest.approx(0, abs=1e-9)
    assert weigh.magnitude_distance(x, y) == pytest.approx(weigh.magnitude_distance(y, x), rel=1e-9)


def test_lock_step_carries_the_same_bits_for_any_number_of_threads(equal_over_threads):
    x = cloud(1500, 3)
    found = equal_over_threads(
        lambda k: weigh.magnitude_function(x, [0.1, 1.0, 10.0], n_threads=k).magnitudes
    )
    assert (np.diff(found) > 0).all()


def test_interpolation_meets_the_scales_and_the_ends():
    f = weigh.magnitude_function(cloud(50, 2), [0.5, 1.0, 2.0])
    np.testing.assert_allclose(f(f.scales), f.magnitudes)
    assert f(0.0) == 1.0
    assert f.magnitudes[0] < f(0.7) < f.magnitudes[1]


@pytest.mark.parametrize("scales", ["all", [], [0.0, 1.0], [-1.0], [np.nan], [[1.0]]])
def test_wrong_scales_are_named(scales):
    with pytest.raises((ValueError, TypeError), match="scales"):
        weigh.magnitude_function(cloud(5, 2), scales)


def test_what_is_no_function_is_named():
    f = weigh.magnitude_function(cloud(5, 2), [1.0, 2.0])
    with pytest.raises(TypeError, match="g must be a MagnitudeFunction"):
        weigh.magnitude_difference(f, 3)
    with pytest.raises(ValueError, match="for a slope"):
        weigh.magnitude_function(cloud(5, 2), [1.0]).dimension()
    assert f.to_frame()["scale"].tolist() == [1.0, 2.0]
    assert "2 scales" in repr(f)
