"""Distances of every metric, and products with exp(-scale * distance), against the plain formulas."""

from __future__ import annotations

import numpy as np
import pytest

from steelyard import _core
from steelyard.reference import weigh as reference

pytestmark = pytest.mark.kernel

SIZES = [*range(1, 10), 15, 16, 17, 31, 32, 33, 63, 64, 65, 97]
METRICS = ["euclidean", "cityblock", "chebyshev", "minkowski", "cosine", "angular", "hamming", "jaccard"]
POWER = 2.7


def points(n, d, metric, seed=0):
    rng = np.random.default_rng([n, d, seed])
    if metric == "jaccard":
        return rng.integers(0, 2, size=(n, d)).astype(float)
    if metric == "hamming":
        return rng.integers(0, 3, size=(n, d)).astype(float)
    x = rng.normal(size=(n, d))
    return x / np.linalg.norm(x, axis=1, keepdims=True) if metric in ("cosine", "angular") else x


def cross(x, y, metric, n_threads=1):
    return _core.weigh._cross_distances(x, y, metric, POWER, n_threads)


def all_distances(metric):
    return [
        cross(points(n, d, metric), points(m, d, metric, 1), metric)
        for n, m, d in [(n, 5, 3) for n in SIZES] + [(5, n, 2) for n in SIZES] + [(9, 17, d) for d in SIZES]
    ]


@pytest.mark.parametrize("metric", METRICS)
def test_distances_agree_with_the_formula(metric, isa_level, on_isa):
    cases = [(n, 5, 3) for n in SIZES] + [(5, n, 2) for n in SIZES] + [(9, 17, d) for d in SIZES]
    for (n, m, d), found in zip(cases, on_isa(isa_level, all_distances, metric), strict=True):
        x, y = points(n, d, metric), points(m, d, metric, 1)
        exact = reference.distances(x, metric, POWER, Y=y)
        # arccos near 1 loses digits in the reference: half of them are left.
        tolerance = 3e-8 if metric == "angular" else 1e-14
        np.testing.assert_allclose(found, exact, rtol=tolerance, atol=tolerance)


def test_angles_keep_their_digits_near_zero_and_near_pi():
    angles = np.array([0.0, 1e-9, 1e-4, 1.0, 1.5707963, 3.0, np.pi - 1e-6])
    y = np.column_stack([np.cos(angles), np.sin(angles)])
    found = cross(np.array([[1.0, 0.0]]), y, "angular")[0]
    np.testing.assert_allclose(found, angles, rtol=1e-9, atol=0)


def products(metric, n, single):
    x = points(n, 3, metric)
    v = np.random.default_rng(n).normal(size=(n, 2))
    return _core.weigh._similarity_product(
        _core.weigh._point_space(x, metric, POWER), [0.7, 2.0], v, single=single, n_threads=1
    )


def all_products(metric, single):
    return [products(metric, n, single) for n in [*SIZES, 300]]


@pytest.mark.parametrize("single", [False, True], ids=["double", "single"])
@pytest.mark.parametrize("metric", METRICS)
def test_products_agree_with_a_stored_matrix(metric, single, isa_level, on_isa):
    tolerance = 2e-5 if single else 1e-12
    for n, found in zip([*SIZES, 300], on_isa(isa_level, all_products, metric, single), strict=True):
        D = cross(points(n, 3, metric), points(n, 3, metric), metric)
        v = np.random.default_rng(n).normal(size=(n, 2))
        exact = np.column_stack([np.exp(-0.7 * D) @ v[:, 0], np.exp(-2.0 * D) @ v[:, 1]])
        np.testing.assert_allclose(found, exact, rtol=0, atol=tolerance * np.sqrt(n))


@pytest.mark.parametrize("single", [False, True], ids=["double", "single"])
def test_products_carry_the_same_bits_for_any_number_of_threads(single, equal_over_threads):
    x = points(5000, 4, "euclidean")
    v = np.random.default_rng(0).normal(size=(5000, 3))
    space = _core.weigh._point_space(x, "euclidean")
    found = equal_over_threads(
        lambda k: _core.weigh._similarity_product(space, [0.1, 1.0, 3.0], v, single=single, n_threads=k)
    )
    assert found.shape == v.shape


def test_products_across_blocks_and_tasks_agree_with_a_stored_matrix():
    x = points(4321, 2, "euclidean")
    v = np.random.default_rng(1).normal(size=(4321, 1))
    found = _core.weigh._similarity_product(_core.weigh._point_space(x, "euclidean"), [1.5], v, n_threads=2)
    exact = np.exp(-1.5 * cross(x, x, "euclidean")) @ v
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-11)


def test_a_given_matrix_gives_the_products_of_its_points():
    x = points(97, 3, "euclidean")
    D = cross(x, x, "euclidean")
    v = np.random.default_rng(2).normal(size=(97, 2))
    given = _core.weigh._similarity_product(_core.weigh._matrix_space(D), [0.5, 2.0], v)
    made = _core.weigh._similarity_product(_core.weigh._point_space(x, "euclidean"), [0.5, 2.0], v)
    np.testing.assert_allclose(given, made, rtol=0, atol=1e-13)


def test_infinite_distances_are_no_similarity():
    D = np.array([[0.0, np.inf], [np.inf, 0.0]])
    np.testing.assert_array_equal(
        _core.weigh._similarity_product(_core.weigh._matrix_space(D), [1.0], np.eye(2)[:, :1]), [[1], [0]]
    )


@pytest.mark.parametrize("metric", ["euclidean", "cityblock", "hamming"])
def test_neighbours_are_the_nearest(metric):
    x = points(300, 6, metric)
    near = _core.weigh._nearest_neighbours(_core.weigh._point_space(x, metric), 7, 2)
    D = reference.distances(x, metric)
    np.fill_diagonal(D, np.inf)
    found = np.take_along_axis(D, near.astype(int), axis=1)
    np.testing.assert_allclose(found, np.sort(D, axis=1)[:, :7], rtol=1e-6)


def test_the_smallest_distance_is_found_across_blocks():
    x = points(5000, 2, "euclidean")
    x[4999] = x[17] + 1e-7
    found = _core.weigh._smallest_distance(_core.weigh._point_space(x, "euclidean"), 2)
    assert found == pytest.approx(np.sqrt(2) * 1e-7, rel=1e-8)


def test_single_precision_cholesky_preconditions_double():
    x = points(800, 3, "euclidean")
    space = _core.weigh._point_space(x, "euclidean")
    out = _core.weigh._weights_by_cholesky(space, 0.2, True, 1e-11, n_threads=2)
    D = cross(x, x, "euclidean")
    np.testing.assert_allclose(np.exp(-0.2 * D) @ out["weights"][:, 0], 1.0, atol=1e-9)
    assert out["columns"][0]["converged"]
