"""The reference of weigh against closed forms and against what defines each quantity."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.spatial.distance import cdist, pdist

from steelyard.reference import weigh as reference

SIZES = [1, 2, 3, 8, 17, 33]


def points(n, d=2, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


def path_metric_of_k32():
    """Two sides of 3 and of 2: distance 1 across, 2 within."""
    side = np.array([0, 0, 0, 1, 1])
    return np.where(side[:, None] == side, 2.0, 1.0) * ~np.eye(5, dtype=bool)


# ---- closed forms


@given(d=st.floats(1e-3, 50), t=st.floats(1e-2, 10))
def test_two_points_have_magnitude_one_plus_tanh(d, t):
    expected = 1 + np.tanh(t * d / 2)
    assert reference.magnitude([[0.0], [d]], t) == pytest.approx(expected, rel=1e-12)
    assert reference.weighting([[0.0], [d]], t) == pytest.approx([expected / 2] * 2, rel=1e-10)


@pytest.mark.parametrize("n", SIZES)
def test_the_line_formula_solves_the_system(n):
    x = points(n, 1, seed=n)
    w = reference.line_weighting(x, 1.7)
    np.testing.assert_allclose(reference.similarity(x, 1.7) @ w, np.ones(n), rtol=1e-12)
    np.testing.assert_allclose(w, reference.weighting(x, 1.7), rtol=1e-8, atol=1e-12)


def test_duplicates_on_a_line_and_elsewhere_share_their_weight_evenly():
    x = np.array([3.0, 0.0, 3.0, 1.0, 3.0])
    apart = reference.line_weighting(np.unique(x))
    expected = apart[[2, 0, 2, 1, 2]] / [3, 1, 3, 1, 3]
    np.testing.assert_allclose(reference.line_weighting(x), expected, rtol=1e-14)
    np.testing.assert_allclose(reference.weighting(x[:, None]), expected, rtol=1e-12)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("t", [0.1, 1.0, 5.0])
def test_points_at_equal_distance(n, t):
    D = 1.0 - np.eye(n)
    size = n / (1 + (n - 1) * np.exp(-t))
    assert reference.magnitude(D, t, "precomputed") == pytest.approx(size, rel=1e-12)
    assert reference.spread(D, t, "precomputed") == pytest.approx(size, rel=1e-12)  # it is homogeneous


@pytest.mark.parametrize("n", [3, 4, 7, 12])
@pytest.mark.parametrize("t", [0.3, 2.0])
def test_a_cycle_graph_is_homogeneous(n, t):
    step = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    D = np.minimum(step, n - step).astype(float)
    expected = n / np.exp(-t * D[0]).sum()
    assert reference.magnitude(D, t, "precomputed") == pytest.approx(expected, rel=1e-11)
    np.testing.assert_allclose(reference.weighting(D, t, "precomputed"), expected / n, rtol=1e-10)


def test_magnitudes_of_l1_products_multiply():
    x, y = np.random.default_rng(1).normal(size=(2, 6))
    grid = np.array([(a, b) for a in x for b in y])
    product = reference.line_weighting(x, 0.8).sum() * reference.line_weighting(y, 0.8).sum()
    assert reference.magnitude(grid, 0.8, "cityblock") == pytest.approx(product, rel=1e-11)


@pytest.mark.parametrize("t", [0.05, 0.3, np.log(2) / 2 - 1e-3, np.log(2) / 2 + 1e-3, 1.0, 4.0])
def test_k32_has_its_rational_magnitude(t):
    q = np.exp(-t)
    expected = (5 - 7 * q) / ((1 + q) * (1 - 2 * q**2))
    assert reference.magnitude(path_metric_of_k32(), t, "precomputed") == pytest.approx(expected, rel=1e-10)


def test_k32_has_no_weighting_at_log_sqrt_2():
    Z = np.exp(-np.log(2) / 2 * path_metric_of_k32())
    _, _, left, right = reference.solve_similarity(Z)
    # the null vector is (1, 1, 1, -sqrt 2, -sqrt 2) / sqrt 7
    assert (left, right) == pytest.approx([(3 - 2 * np.sqrt(2)) / np.sqrt(35)] * 2, rel=1e-12)


def test_a_long_interval_approaches_one_plus_half_its_length():
    assert reference.line_weighting(np.linspace(0, 3, 2001)).sum() == pytest.approx(2.5, abs=1e-6)


# ---- distances


@pytest.mark.parametrize(
    ("metric", "name", "options"),
    [
        ("euclidean", "euclidean", {}),
        ("cityblock", "cityblock", {}),
        ("chebyshev", "chebyshev", {}),
        ("minkowski", "minkowski", {"p": 1.5}),
        ("cosine", "cosine", {}),
        ("hamming", "hamming", {}),
        ("jaccard", "jaccard", {}),
    ],
)
def test_distances_are_those_of_scipy(metric, name, options):
    X = np.random.default_rng(2).integers(0, 3, (9, 5)).astype(float) + (metric == "cosine")
    plain = X != 0 if metric == "jaccard" else X
    expected = cdist(plain, plain, name, **options)
    np.testing.assert_allclose(reference.distances(X, metric, **options), expected, atol=1e-15)
    np.testing.assert_allclose(reference.distances(X[:4], metric, **options, Y=X), expected[:4], atol=1e-15)


def test_angles_are_radians_and_keep_their_digits():
    angles = np.array([0.0, 1e-9, 0.5, np.pi])
    X = np.column_stack([np.cos(angles), np.sin(angles)]) * [[1], [5], [0.1], [2]]
    np.testing.assert_allclose(reference.distances(X, "angular")[0], angles, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(reference.distances(X, "cosine")[0, 1], 5e-19, rtol=1e-6)


def test_rows_without_a_true_entry_are_at_jaccard_distance_zero():
    assert reference.distances([[0, 0], [0, 0], [1, 0]], "jaccard").tolist() == [
        [0, 0, 1],
        [0, 0, 1],
        [1, 1, 0],
    ]


def test_condensed_distances_are_taken_and_infinite_ones_give_no_similarity():
    X = points(6)
    np.testing.assert_array_equal(reference.similarity(pdist(X), 1, "precomputed"), reference.similarity(X))
    apart = reference.similarity(np.where(np.eye(3) > 0, 0, np.inf), 1, "precomputed")
    np.testing.assert_array_equal(apart, np.eye(3))


# ---- sizes and scales


@pytest.mark.parametrize("n", SIZES[2:])
def test_spread_and_bound_lie_below_the_magnitude(n):
    X = points(n, 3, seed=n)
    w, size = reference.weighting(X), reference.magnitude(X)
    assert 1 <= reference.spread(X) <= size <= n
    Z = reference.similarity(X)
    assert reference.lower_bound(Z, w) == pytest.approx(size, rel=1e-12)
    assert reference.lower_bound(Z, w + 0.1) < size


def test_the_local_weighting_is_exact_with_all_neighbours_and_near_at_large_scales():
    X = points(40, 2)
    np.testing.assert_allclose(reference.local_weighting(X, 1.0, 39), reference.weighting(X), rtol=1e-8)
    t = 10.0
    np.testing.assert_allclose(reference.local_weighting(X, t, 25), reference.weighting(X, t), rtol=1e-2)


def test_the_magnitude_function_summarises_as_its_formulas_say():
    scales = np.geomspace(1e-3, 30, 400)
    values = reference.magnitude_function([[0.0], [1.0]], scales)
    np.testing.assert_allclose(values, 1 + np.tanh(scales / 2), rtol=1e-12)
    # integral of 1 + tanh(t/2) is t + 2 log cosh(t/2)
    area = 30 + 2 * np.log(np.cosh(15))
    assert reference.magnitude_area(scales, values) == pytest.approx(area, rel=1e-4)
    assert reference.magnitude_difference(scales, values, np.ones(400)) == pytest.approx(area - 30, rel=1e-3)
    assert reference.magnitude_difference(scales, values, values) == 0
    dense = np.geomspace(0.1, 10, 20001)
    slope = dense / 2 / np.cosh(dense / 2) ** 2 / (1 + np.tanh(dense / 2))
    assert reference.magnitude_dimension(scales, values) == pytest.approx(slope.max(), rel=1e-3)


def test_far_sets_are_at_magnitude_distance_of_their_sizes():
    X, Y = points(5), points(4, seed=1)
    assert reference.magnitude_distance(X, X) == pytest.approx(0, abs=1e-12)
    far = reference.magnitude(X) + reference.magnitude(Y)
    assert reference.magnitude_distance(X, Y + 1e3) == pytest.approx(far, rel=1e-12)


@pytest.mark.parametrize("fraction", [0.1, 0.3, 0.95])
def test_the_found_scale_has_the_magnitude_asked_for(fraction):
    X = points(30, 3)
    t = reference.find_scale_fraction(X, fraction)
    assert reference.magnitude(X, t) == pytest.approx(fraction * 30, rel=1e-10)
    assert reference.median_scale(X) == pytest.approx(1 / np.median(pdist(X)))


def test_the_line_needs_no_cutoff_and_k32_has_both():
    assert reference.positive_cutoff([[0.0], [1.0], [5.0]]) == 0
    D = path_metric_of_k32()
    # weights (1 - q) / ... and (1 - 2q) / ...: nonnegative from q = 1/2 on, where Z is positive definite
    assert reference.positive_cutoff(D, "precomputed") == pytest.approx(np.log(2), rel=1e-6)
    assert reference.strong_cutoff(D, "precomputed") == pytest.approx(np.log(2), rel=1e-6)


def test_positive_weights_of_an_indefinite_space_are_told_apart_by_the_strong_cutoff():
    # K_{3,3} is homogeneous, so its weights are positive; (1 - q)(1 - 2q) is an eigenvalue of Z
    side = np.repeat([0, 1], 3)
    D = np.where(side[:, None] == side, 2.0, 1.0) * ~np.eye(6, dtype=bool)
    assert reference.positive_cutoff(D, "precomputed") == 0
    assert reference.strong_cutoff(D, "precomputed") == pytest.approx(np.log(2), rel=1e-6)


# ---- iterative solution


def test_conjugate_gradients_reach_the_tolerance_from_below():
    X = points(60, 3)
    Z, one = reference.similarity(X), np.ones(60)
    x, iterations = reference.conjugate_gradients(Z, one, tol=1e-10)
    assert np.linalg.norm(Z @ x - 1) <= 1.1e-10 * np.sqrt(60)
    np.testing.assert_allclose(x, reference.weighting(X), atol=1e-7)
    iterates = [reference.conjugate_gradients(Z, one, tol=0, max_iter=k)[0] for k in range(iterations)]
    bounds = [reference.lower_bound(Z, x) for x in iterates]
    assert (np.diff(bounds) > -1e-12).all()
    assert bounds[-1] <= reference.magnitude(X) + 1e-12


def test_preconditioners_with_everything_are_the_inverse():
    X = points(30)
    Z = reference.similarity(X)
    order = reference.maximin_order(reference.distances(X))
    assert sorted(order) == list(range(30))
    G = reference.fsai(Z, order, 29)
    np.testing.assert_allclose(G.T @ G @ Z, np.eye(30), atol=1e-8)
    np.testing.assert_allclose(G @ Z @ G.T, np.eye(30), atol=1e-8)
    apply = reference.nystrom_preconditioner(Z, np.arange(30), 1e-3)
    np.testing.assert_allclose(apply(Z @ X[:, 0] + 1e-3 * X[:, 0]), X[:, 0], rtol=1e-9)


def test_preconditioners_save_iterations():
    X = points(200)
    Z, one = reference.similarity(X), np.ones(200)
    order = reference.maximin_order(reference.distances(X))
    G = reference.fsai(Z, order, 10)
    nystrom = reference.nystrom_preconditioner(Z, order[:60])
    plain = reference.conjugate_gradients(Z, one)[1]
    assert reference.conjugate_gradients(Z, one, lambda r: G.T @ (G @ r))[1] < plain / 3
    assert reference.conjugate_gradients(Z, one, nystrom)[1] < plain / 2


def test_the_maximin_order_takes_the_farthest_point_next():
    assert reference.maximin_order(reference.distances([[0.0], [1.0], [10.0], [6.0]])).tolist() == [
        0,
        2,
        3,
        1,
    ]


# ---- nonnegative weights


@pytest.mark.parametrize("n", [1, 2, 5, 20])
def test_the_most_diverse_distribution_meets_the_optimality_conditions(n):
    Z = reference.similarity(points(n, 2, seed=n))
    p = reference.max_diversity(Z)
    assert p.min() >= 0
    assert p.sum() == pytest.approx(1)
    assert p @ Z @ p - (Z @ p).min() <= 1e-12  # the duality gap


def test_an_independent_solver_finds_no_more_diversity():
    Z = reference.similarity(points(12, 2), 0.1)
    p = reference.max_diversity(Z)
    found = minimize(
        lambda x: x @ Z @ x,
        np.full(12, 1 / 12),
        jac=lambda x: 2 * Z @ x,
        bounds=[(0, 1)] * 12,
        constraints={"type": "eq", "fun": lambda x: x.sum() - 1, "jac": lambda x: np.ones(12)},
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert (p == 0).any()  # the constraint binds
    assert p @ Z @ p <= found.fun + 1e-12
    np.testing.assert_allclose(p, found.x, atol=1e-5)


# ---- one point more


def test_a_new_points_weight_is_its_weight_in_the_larger_set():
    X, new = points(12), np.concatenate([points(3, seed=5), points(12)[4:5]])
    w = reference.new_weights(X, new, 1.3)
    gain = reference.differential_magnitude(X, new, 1.3)
    for i, x in enumerate(new):
        larger = np.concatenate([X, [x]])
        assert w[i] == pytest.approx(reference.weighting(larger, 1.3)[-1], rel=1e-8)
        expected = reference.magnitude(larger, 1.3) - reference.magnitude(X, 1.3)
        assert gain[i] == pytest.approx(expected, abs=1e-9)
    assert gain[3] == 0


@pytest.mark.parametrize("rule", ["abs", "cdf"])
def test_two_apart_clusters_are_told_from_each_other(rule):
    X = np.concatenate([points(40), points(40, seed=1) + 6])
    y = np.repeat(["left", "right"], 40)
    new = np.concatenate([points(20, seed=2), points(20, seed=3) + 6])
    found = reference.classify(X, y, new, rule=rule)
    assert (found == np.repeat(["left", "right"], 20)).mean() >= 0.95


def test_general_matrices_are_solved_on_both_sides():
    Z = np.array([[1.0, 0.5], [0.2, 1.0]])
    w, v, left, right = reference.solve_similarity(Z)
    np.testing.assert_allclose(Z @ w, 1)
    np.testing.assert_allclose(v @ Z, 1)
    assert w.sum() == pytest.approx(v.sum())
    assert max(left, right) <= 1e-15
